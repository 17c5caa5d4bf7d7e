"""``searchfeed save``, ``unsave`` and ``searches``: searches with a name."""

from __future__ import annotations

import click

from searchfeed.cli.base import (
    QueryCommand,
    Settings,
    ask_while_typing,
    epilog,
    format_options,
    global_options,
    query_argument,
)
from searchfeed.keys import search_key
from searchfeed.output import SEARCHES


def complete_search(context: click.Context, _: click.Parameter, typed: str) -> list[str]:
    """The saved searches, for the shell; nothing where there is no index."""
    names = [each.name for each in ask_while_typing(context, lambda index: index.searches())]
    start = typed.removeprefix("@").casefold()
    sign = "@" if typed.startswith("@") else ""
    return [f"{sign}{name}" for name in names if name.casefold().startswith(start)]


@click.command(
    cls=QueryCommand,
    epilog=epilog(
        "searchfeed save ai llm -ad",
        "searchfeed search @ai after:7d",
        "searchfeed save tech '@ai OR title:rust' --alert",
        "searchfeed save ai --no-alert",
        notes=(
            (
                "In a query @NAME is a group of its own: @ai OR rust, -@ai. It is read whenever it "
                'is used, so "newer:7d" in it is of that moment. NAME has letters, digits, -, _ '
                "and ., in either case."
            ),
        ),
    ),
)
@click.argument("name", shell_complete=complete_search)
@query_argument
@click.option(
    "--alert/--no-alert",
    default=None,
    help='Whether "searchfeed alerts" and watch --exec tell what it finds from now on.',
)
@global_options(hidden=True)
@click.pass_obj
def save(settings: Settings, /, *, name: str, query: tuple[str, ...], alert: bool | None) -> int:
    """Let @NAME stand for QUERY in other queries.

    The one that had the name before is replaced. Without QUERY it stays as it is, and only its
    alert is made or ended.
    """
    name, text = name.removeprefix("@"), " ".join(query)
    try:
        key = search_key(name)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    with settings.open() as index:
        before = {search_key(each.name): each.text for each in index.searches()}
        if not text.strip():
            if alert is None or key not in before:
                raise click.UsageError(f"say what @{name} is to stand for: a query behind the name")
            text = before[key]
        try:
            saved = index.save(name, text, alert=alert)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
    instead = before.get(key, saved.text)
    told = f", and no longer for: {instead}" if instead != saved.text else ""
    settings.say(f"@{saved.name} stands for: {saved.text}{told}")
    if alert is not None:
        when = "from now on" if alert else "no more"
        settings.say(f"what it finds is told {when}")
    return 0


@click.command(epilog=epilog("searchfeed unsave ai"))
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=complete_search)
@global_options(hidden=True)
@click.pass_obj
def unsave(settings: Settings, /, *, names: tuple[str, ...]) -> int:
    """Forget saved searches, and their alerts.

    One that others are made of stays.
    """
    with settings.open() as index:
        for name in names:
            gone = index.forget(name.removeprefix("@"))
            settings.say(f"@{gone.name} is forgotten; it stood for: {gone.text}")
    return 0


@click.command(
    epilog=epilog(
        "searchfeed searches",
        "searchfeed searches --json",
        notes=(
            (
                "The format plain has a line a search; its columns, divided by tabs, are name, "
                "query, alert (alert or nothing), matches that are to be told, when it was saved "
                "(UTC)."
            ),
        ),
    )
)
@format_options(SEARCHES)
@global_options(hidden=True)
@click.pass_obj
def searches(settings: Settings, /, *, format: str | None, json: bool) -> int:  # noqa: A002
    """List the saved searches."""
    with settings.open() as index:
        saved = index.searches()
    if not saved:
        settings.say("no search is saved yet; save one with: searchfeed save NAME QUERY")
    settings.write(SEARCHES, saved, format, json=json)
    return 0
