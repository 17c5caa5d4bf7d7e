"""What the formats for people share: the styles, and rich kept on a short lead.

rich reads strings as markup, lets escape sequences through and does not check links. So text
comes to it as ``Text`` alone, and through the functions below.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from io import StringIO
from zlib import crc32

from rich.console import Console
from rich.style import Style
from rich.text import Text

from searchfeed.models import Snippet
from searchfeed.output import Screen
from searchfeed.output.clean import hyperlink, line
from searchfeed.patterns import deferred

READABLE = 100
"""Cells that a line of running text has at most; longer ones tire the eye."""

# The sixteen colours of the terminal, which the user has chosen to go with their background.
TITLE = Style(bold=True)
MATCH = Style(color="red", bold=True)
FEED = Style(color="cyan")
FAINT = Style(dim=True)
WRONG = Style(color="red")
PLAIN = Style()

_SENTENCE_END = deferred(r"[.!?…。！？؟।][\"')\]”’»」』）]*$")

# rich gives each differently styled piece of a link a random name of its own, so that a terminal
# would underline the pieces one by one under the mouse.
_LINK = deferred(r"\x1b\]8;id=[^;]*;([!-~]+)\x1b\\")


def console(screen: Screen) -> Console:
    """A console that writes into a string and asks the environment nothing."""
    return Console(
        file=StringIO(),
        width=max(screen.width, 20),
        height=100,
        force_terminal=screen.escapes,
        color_system="standard" if screen.escapes else None,
        no_color=not screen.escapes,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
        safe_box=True,
        _environ={},
    )


def linked(style: Style, link: str) -> Style:
    """The style as a link to that address, where it is safe as one."""
    target = hyperlink(link)
    return style + Style(link=target) if target else style


def text(value: str, style: Style = PLAIN) -> Text:
    """The value on one line, cleaned."""
    return Text(line(value).strip(), style=style)


def passage(snippet: Snippet, style: Style = PLAIN, match: Style = MATCH) -> Text:
    """The snippet on one line, its matches in ``match``, with dots where it was cut.

    A passage that ends with its sentence needs none behind it.
    """
    result = Text("…" if snippet.before else "", style=style)
    for part, matched in snippet.parts():
        result.append(line(part), match if matched else None)
    result.rstrip()
    if snippet.after and not _SENTENCE_END.search(result.plain):
        result.append("…")
    return result


def render(rows: Iterable[Text], console: Console) -> str:
    """The rows as written to the screen, each as it is."""
    with console.capture() as capture:
        for row in rows:
            console.print(row, soft_wrap=True)
    return _LINK.sub(_name_link, capture.get())


def _name_link(match: re.Match[str]) -> str:
    return f"\x1b]8;id={crc32(match[1].encode()):x};{match[1]}\x1b\\"
