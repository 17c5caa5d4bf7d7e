"""What the formats for people share: the styles, and rich kept on a short lead.

rich reads strings as markup, lets escape sequences through and does not check links. So text
comes to it as ``Text`` alone, and through the functions below.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast
from zlib import crc32

from rich.color import ColorSystem
from rich.style import Style
from rich.text import Text

from searchfeed.models import Snippet
from searchfeed.output import Screen
from searchfeed.output.clean import hyperlink, line
from searchfeed.patterns import deferred
from searchfeed.values import dataclass

if TYPE_CHECKING:
    from rich.console import Console

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


@dataclass(frozen=True, slots=True)
class Paper:
    """What rows are written on: how many cells are wide, and whether colours and links are shown.

    It stands for rich's ``Console``, which takes half as long again to import as all else of rich
    that is needed here, and asks the environment.
    """

    width: int
    escapes: bool

    @classmethod
    def of(cls, screen: Screen) -> Paper:
        """The paper that fits a screen."""
        return cls(max(screen.width, 20), screen.escapes)

    @staticmethod
    def get_style(style: Style | str, *, default: Style) -> Style:
        """See ``rich.console.Console.get_style``; names of styles are not used here."""
        return style if isinstance(style, Style) else default


def linked(style: Style, link: str) -> Style:
    """The style as a link to that address, where it is safe as one."""
    target = hyperlink(link)
    return style + Style(link=target) if target else style


def text(value: str, style: Style = PLAIN) -> Text:
    """The value on one line, cleaned."""
    return Text(line(value).strip(), style=style)


def passage(snippet: Snippet, style: Style = PLAIN, match: Style = MATCH) -> Text:
    """The snippet on one line, its matches in ``match``; see ``told``."""
    result = Text(style=style)
    for part, matched in told(snippet):
        result.append(part, match if matched else None)
    return result


def told(snippet: Snippet) -> list[tuple[str, bool]]:
    """The parts of a snippet on one line, and which of them match, with dots where it was cut.

    A passage that ends with its sentence needs none behind it.
    """
    parts = [("…", False)] if snippet.before else []
    parts += [(line(part), matched) for part, matched in snippet.parts()]
    while parts and not parts[-1][0].rstrip():
        parts.pop()
    if parts:
        parts[-1] = parts[-1][0].rstrip(), parts[-1][1]
    if snippet.after and not _SENTENCE_END.search("".join(part for part, _ in parts)):
        parts.append(("…", False))
    return parts


def render(rows: Iterable[Text], paper: Paper) -> str:
    """The rows as written to the screen, each as it is."""
    return "".join(f"{_drawn(row, paper)}\n" for row in rows)


def _drawn(row: Text, paper: Paper) -> str:
    if not paper.escapes:
        return row.plain
    # The style of the whole is taken for one of a part only where it is part of another.
    segments = Text().append_text(row).render(cast("Console", paper))
    drawn = (
        style.render(part, color_system=ColorSystem.STANDARD) if style else part
        for part, style, _ in segments
    )
    return _LINK.sub(_name_link, "".join(drawn))


def _name_link(match: re.Match[str]) -> str:
    return f"\x1b]8;id={crc32(match[1].encode()):x};{match[1]}\x1b\\"
