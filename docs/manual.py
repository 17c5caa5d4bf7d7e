"""Write docs/searchfeed.1, the man page, from the commands themselves (``make man``).

The page says what ``--help`` says, of all commands at once; so it is kept in git, travels with the
package, and a test holds that it is what this program writes.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from searchfeed.cli import app
from searchfeed.cli.configurable import KEYS
from searchfeed.query.cheatsheet import GROUPS

PAGE = Path(__file__).with_name("searchfeed.1")
ENVIRONMENT = {
    "SEARCHFEED_CONFIG": "Another config file.",
    "SEARCHFEED_WORKERS": (
        "How many processes read large feeds; 0 for none. Without it, one for each processor."
    ),
    "SEARCHFEED_DEBUG": "Shows where in the program an error came from.",
    "NO_COLOR": "No colours, unless --color always is given.",
}
CODES = {
    "0": "It is done, or something was found.",
    "1": "Nothing was found.",
    "2": "Something went wrong, or the command was not understood.",
    "130": "It was interrupted.",
}


def page() -> str:
    """The man page, as roff with the macros of man(7)."""
    with click.Context(app, info_name="searchfeed", **app.context_settings) as context:
        return "\n".join(_page(context)) + "\n"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="ascii")


def _page(context: click.Context) -> Iterator[str]:
    yield '.\\" Written by docs/manual.py; change the help of the commands instead.'
    yield '.TH SEARCHFEED 1 "" "searchfeed" "User Commands"'
    yield ".SH NAME"
    yield r"searchfeed \- full-text search over every entry that your feeds ever published"
    yield ".SH SYNOPSIS"
    yield r"\fBsearchfeed\fR [\fIOPTIONS\fR] [\fICOMMAND\fR] [\fIARGUMENTS\fR]..."
    yield ".SH DESCRIPTION"
    yield from _prose(app.help or "", first=False)
    yield ".SH OPTIONS"
    yield from _options(context)
    yield ".SH COMMANDS"
    yield from _commands(context)
    yield ".SH QUERIES"
    for title, rows in GROUPS:
        yield f".SS {_text(title)}"
        for example, meaning in rows:
            yield from _item(example, meaning)
    yield ".SH FILES"
    yield ".TP"
    yield r"\fI~/.config/searchfeed/config.toml\fR"
    yield "What is set once and for all:"
    yield _text(f"{', '.join(key.name for key in KEYS)}, and the keys of the terminal app.")
    yield r"\fBsearchfeed config example\fR prints one with everything in it."
    yield ".TP"
    yield r"\fI~/.local/share/searchfeed/\fR"
    yield "The index, unless another is named."
    yield ".PP"
    yield r"Systems have places of their own for these; \fBsearchfeed config path\fR and"
    yield r"\fBsearchfeed config show index\fR tell them."
    yield ".SH ENVIRONMENT"
    yield "An option counts more than the environment, and that more than the config file."
    for key in KEYS:
        yield from _item(key.variable, f"{key.name} in the config file. {key.meaning}")
    for name, meaning in ENVIRONMENT.items():
        yield from _item(name, meaning)
    yield ".SH EXIT STATUS"
    for code, meaning in CODES.items():
        yield from _item(code, meaning)


def _commands(context: click.Context) -> Iterator[str]:
    """Each command, and behind it those that it has."""
    group = context.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if command.hidden:
            continue
        with click.Context(command, info_name=name, parent=context) as inner:
            usage = " ".join(command.collect_usage_pieces(inner))
            yield f'.SS "{_text(f"{inner.command_path} {usage}")}"'
            yield from _prose(command.help or "", first=False)
            yield from _options(inner)
            yield from _prose(command.epilog or "")
            if isinstance(command, click.Group):
                yield from _commands(inner)


def _options(context: click.Context) -> Iterator[str]:
    for parameter in context.command.get_params(context):
        # What every command has is told of the program alone.
        if isinstance(parameter, click.Option) and not (
            context.parent and "--help" in parameter.opts
        ):
            record = parameter.get_help_record(context)
            if record is not None:
                yield from _item(*record)


def _item(head: str, body: str) -> Iterator[str]:
    yield ".TP"
    yield rf"\fB{_text(head)}\fR"
    yield _text(body)


def _prose(help: str, *, first: bool = True) -> Iterator[str]:  # noqa: A002
    """Paragraphs as click has them: one that starts with a backspace keeps its lines."""
    for number, paragraph in enumerate(re.split(r"\n\s*\n", inspect.cleandoc(help))):
        if not paragraph.strip():
            continue
        if number or first:
            yield ".PP"
        if paragraph.startswith("\b\n"):
            yield ".nf"
            yield from (_text(row, wrap=False) for row in paragraph.splitlines()[1:])
            yield ".fi"
        else:
            yield _text(paragraph)


def _text(text: str, *, wrap: bool = True) -> str:
    """Text that roff prints as it is."""
    text = " ".join(text.split()) if wrap else text
    text = text.replace("\\", r"\e").replace("-", r"\-").replace('"', r"\(dq")
    for plain, name in {"'": "aq", "`": "ga", "^": "ha", "~": "ti"}.items():
        text = text.replace(plain, rf"\({name}")
    text = "".join(each if each.isascii() else f"\\[u{ord(each):04X}]" for each in text)
    return rf"\&{text}" if text.startswith(".") else text


if __name__ == "__main__":
    main()
