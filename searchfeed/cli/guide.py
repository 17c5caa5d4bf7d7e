"""``searchfeed help`` and ``searchfeed completion``: the commands about the program itself."""

from __future__ import annotations

from importlib.resources import files

import click

from searchfeed.cli.base import epilog
from searchfeed.cli.commands import COMPLETE
from searchfeed.cli.streams import write

SHELLS = ("bash", "zsh", "fish")


@click.command(
    "help",
    epilog=epilog("searchfeed help query", "searchfeed help json", "searchfeed help search"),
)
@click.argument("topic", required=False)
@click.pass_context
def help(context: click.Context, /, *, topic: str | None) -> None:  # noqa: A001
    """Show help on a TOPIC: query, json, or a command.

    query is a cheat sheet of the query language, json the schema of what --json writes.
    """
    root = context.find_root()
    group = root.command
    assert isinstance(group, click.Group)
    if topic is None:
        write([f"{root.get_help()}\n"])
    elif topic == "query":
        write(_cheatsheet())
    elif topic == "json":
        write([files("searchfeed.output").joinpath("schema.json").read_text("utf-8")])
    elif (command := group.get_command(context, topic)) is not None:
        with click.Context(command, info_name=topic, parent=root) as inner:
            write([f"{command.get_help(inner)}\n"])
    else:
        topics = ", ".join(["query", "json", *(group.list_commands(context))])
        raise click.UsageError(f"no help on {topic!r}; there is help on: {topics}", context)


@click.command(
    epilog=epilog(
        "searchfeed completion bash > ~/.local/share/bash-completion/completions/searchfeed",
        "searchfeed completion zsh > ~/.zfunc/_searchfeed",
        "searchfeed completion fish > ~/.config/fish/completions/searchfeed.fish",
    )
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, /, *, shell: str) -> None:
    """Print the script that completes commands in SHELL."""
    from searchfeed.cli.shells import script

    write([script(context.find_root().command, shell, COMPLETE)])


def _cheatsheet() -> list[str]:
    from searchfeed.query.cheatsheet import GROUPS

    width = max(len(example) for _, rows in GROUPS for example, _ in rows) + 2
    pieces: list[str] = []
    for title, rows in GROUPS:
        pieces.append(f"\n{title}\n" if pieces else f"{title}\n")
        pieces.extend(f"  {example:<{width}}{meaning}\n" for example, meaning in rows)
    return pieces
