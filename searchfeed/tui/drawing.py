"""Lines as the screen takes them.

Lines that are drawn again with each letter are put together of pieces, which takes half as long as
of rich's ``Text``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from rich.cells import cell_len, set_cell_size
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.strip import Strip
from textual.widget import Widget

from searchfeed.output.wrapping import starts
from searchfeed.tui.themes import CONTRAST

Pieces = list[tuple[str, Style]]
"""A line in pieces: clean texts, and what each is written with."""

BARE = Style.null()
"""Writes with what a piece stands on."""


def strip(widget: Widget, text: Text, ground: Style | None = None) -> Strip:
    """The text as a line of a widget, as wide as it is; what is too long is cut with dots.

    ``ground`` is what the text stands on, the widget's own by default.
    """
    width = widget.size.width
    ground = widget.rich_style if ground is None else ground
    text.truncate(width, overflow="ellipsis")
    text.no_wrap = True
    text.end = ""
    console = widget.app.console
    # rich leaves the style of a text out where no part of it has one of its own.
    segments = Strip(text.render(console)).apply_style(ground + console.get_style(text.style))
    return segments.adjust_cell_length(width, ground)


class Line(Strip):
    """A strip of pieces that fill it, put together as one only where it is cut or searched.

    To make a strip takes as long as to draw its line, and most are written whole, once.
    """

    __slots__ = ("_pieces",)

    def __init__(self, pieces: Pieces, width: int) -> None:
        self._pieces = pieces
        self._cell_length = width
        self._render_cache = None

    def __getattr__(self, name: str) -> object:
        # What ``Strip`` has set is found before this is asked.
        written = self._render_cache
        super().__init__((Segment(*piece) for piece in self._pieces), self._cell_length)
        self._render_cache = written
        return getattr(self, name)

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """Its parts; where it ends at the first cut, what lies behind is a scroll bar's."""
        within = [cut for cut in cuts if cut <= self.cell_length]
        return [self] if within == [self.cell_length] else super().divide(within)

    def render(self, console: Console) -> str:
        """What is sent to the terminal."""
        if self._render_cache is None:
            colors = console._color_system or ColorSystem.TRUECOLOR  # noqa: SLF001 - as ``Strip``
            written = [self.render_style(style, text, colors) for text, style in self._pieces]
            self._render_cache = "".join(written)
        return self._render_cache


def laid(pieces: Pieces, ground: Style, width: int) -> Strip:
    """The line on its ground, as wide as it is to be; what is too long is cut with dots."""
    merged: Pieces = []
    before: Style | None = None
    for text, style in fitted(pieces, width, BARE):
        if style is before:
            # To change nothing takes some forty bytes.
            merged[-1] = merged[-1][0] + text, merged[-1][1]
        elif text:
            merged.append((text, ground + style))
            before = style
    return Line(merged, width)


def plain(pieces: Pieces) -> str:
    """The text of a line."""
    return "".join(text for text, _ in pieces)


def wide(text: str) -> int:
    """How many cells a clean text takes."""
    return len(text) if text.isascii() else cell_len(text)


def fitted(pieces: Pieces, width: int, pad: Style | None = None) -> Pieces:
    """The line in at most so many cells, cut with dots; with ``pad``, in just as many."""
    text = plain(pieces)
    length = wide(text)
    if length > width:
        # The dots are written as what they stand for.
        return _rewritten(pieces, f"{set_cell_size(text, width - 1)}…")
    return pieces if pad is None else [*pieces, (" " * (width - length), pad)]


def cropped(pieces: Pieces, width: int) -> Pieces:
    """What of the line is in its first cells; half a wide character is a space."""
    text = plain(pieces)
    return pieces if wide(text) <= width else _rewritten(pieces, set_cell_size(text, width))


def _rewritten(pieces: Pieces, text: str) -> Pieces:
    """The line with another text, whose characters are written as those in their places were."""
    rewritten, start = [], 0
    for before, style in pieces:
        rewritten.append((text[start : start + len(before)], style))
        start += len(before)
    return rewritten


def sliced(pieces: Pieces, start: int, end: int) -> Pieces:
    """The characters of a line in [start, end)."""
    found, place = [], 0
    for text, style in pieces:
        if place >= end:
            break
        after = place + len(text)
        if after > start:
            found.append((text[max(start - place, 0) : end - place], style))
        place = after
    return found


def wrapped(pieces: Pieces, width: int) -> Iterator[Pieces]:
    """The lines of a long one; see ``wrapping.wrap``."""
    text = plain(pieces)
    for start, end in pairwise([0, *starts(text, width), len(text)]):
        yield sliced(pieces, start, start + len(text[start:end].rstrip()))


def ink(widget: Widget, name: str) -> Style:
    """The style of a part of a widget, without what it stands on."""
    return widget.get_component_rich_style(name, partial=True)


def spoken(widget: Widget) -> bool:
    """Whether signs that a screen reader stumbles over are left out."""
    return widget.app.theme == CONTRAST
