"""The list of what was found."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import ClassVar

from rich.style import Style
from textual.message import Message

from searchfeed.models import Hit, Results, Snippet
from searchfeed.output.clean import line
from searchfeed.output.human import ago, other_feeds
from searchfeed.output.ink import told
from searchfeed.tui.drawing import BARE, Pieces, cropped, fitted, plain, spoken, wide, wrapped
from searchfeed.tui.listing import Listing

_GAP = 2
_ROWS = 2
"""Lines below the title."""
_FEED_MOST = 40
_ROOMY = 30


class ResultList(Listing):
    """Hits, three lines each: title and date, then feed and the best passage.

    Args:
        now: what dates are relative to.
        marked: the ids of entries that are marked.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "results--title",
        "results--match",
        "results--feed",
        "results--aside",
        "results--mark",
    }

    @dataclass
    class Wanted(Message):
        """Hits from ``offset`` on are in sight or soon will be, and are not here yet."""

        offset: int
        limit: int

    def __init__(self, *, now: Callable[[], datetime], marked: Collection[str], id: str) -> None:
        super().__init__(id=id)
        self.row_height = 3
        self._now = now
        self._marked = marked
        self._hits: dict[int, Hit] = {}

    def show(self, results: Results, *, keep: bool = False) -> None:
        """Show what was found, in the place of what is shown.

        Args:
            results: the first page.
            keep: whether the cursor stays on the entry that it is on, if that is on the page.
        """
        before = self.hit.entry.id if keep and self.hit else ""
        self._hits = dict(enumerate(results.hits))
        self.count = results.total
        at = next((row for row, hit in self._hits.items() if hit.entry.id == before), 0)
        moved = at != self.cursor
        self.resize_rows()
        self.cursor = at
        if not at and (self.scroll_y or self.scroll_target_y):
            self.scroll_to(y=0, animate=False, force=True, immediate=True)
        if not moved:
            self.post_message(self.Moved(self, at))
        self._read_on()

    def add(self, offset: int, hits: Iterable[Hit]) -> None:
        """Take in further hits."""
        held = self.cursor in self._hits
        new = dict(enumerate(hits, offset))
        self._hits |= new
        self.redraw(*new)
        if not held and self.cursor in new:
            self.post_message(self.Moved(self, self.cursor))
        if new:
            self._read_on()

    def clear(self) -> None:
        """Show nothing."""
        self._hits = {}
        self.count = 0
        self.resize_rows()
        self.cursor = 0

    @property
    def hit(self) -> Hit | None:
        """The hit under the cursor; None where it is not here yet."""
        return self._hits.get(self.cursor)

    @property
    def hits(self) -> tuple[Hit, ...]:
        """Those that are here, in order."""
        return tuple(self._hits[row] for row in sorted(self._hits))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Read on while somebody scrolls."""
        super().watch_scroll_y(old_value, new_value)
        self._read_on()

    def on_resize(self) -> None:
        """Leave a line between hits where there is room for it."""
        self.row_height = 4 if self.app.size.height >= _ROOMY else 3
        super().on_resize()
        self._read_on()

    def _read_on(self) -> None:
        sight = self.in_sight
        ahead = range(sight.start, min(self.count, sight.stop + self.page))
        missing = next((row for row in ahead if row not in self._hits), None)
        if missing is not None:
            self.post_message(self.Wanted(missing, 2 * self.page))

    def draw(self, row: int, width: int) -> Sequence[Pieces]:
        """Title and date, then feed and passage."""
        hit = self._hits.get(row)
        simple = spoken(self)
        pointer = (">" if simple else "▌") if row == self.cursor else " "
        gutter = (f"{pointer} ", self.ink("results--mark"))
        if hit is None:
            return [[gutter, ("…", self.ink("results--aside"))]]
        mark = ("* " if simple else "● ") if hit.entry.id in self._marked else ""
        # A column for the scroll bar, and one to keep away from it.
        room = max(width - len(gutter[0]) - 2, 8)
        heading = self._heading(hit, room - len(mark))
        rows = list(islice(wrapped(self._told(hit), room), _ROWS + 1))
        shown = rows[:_ROWS]
        if len(rows) > _ROWS and not plain(shown[-1]).endswith("…"):
            shown[-1] = [*cropped(shown[-1], room - 1), ("…", BARE)]
        title = [gutter, (mark, self.ink("results--mark")), *heading]
        return [title, *([("  ", BARE), *each] for each in shown)]

    def _heading(self, hit: Hit, room: int) -> Pieces:
        style = self.ink("results--title")
        found = hit.snippet("title")
        title = self._passage(found, style) if found else []
        if not plain(title).strip():
            title = [("(no title)", style)]
        asides = []
        if others := other_feeds(hit):
            asides.append(f"+{len(others)}" if room < 60 else f"also in {len(others)} more")
        if hit.entry.date:
            asides.append(ago(hit.entry.date, self._now(), None))
        aside = "  ".join(asides)
        left = room - wide(aside) - _GAP
        if left < room // 3:
            return fitted(title, room)
        gap = (" " * _GAP, BARE)
        return [*fitted(title, left, style), gap, (aside, self.ink("results--aside"))]

    def _told(self, hit: Hit) -> Pieces:
        name = line(hit.entry.feed_name).strip()
        pieces = fitted([(name, self.ink("results--feed"))], _FEED_MOST)
        snippet = hit.snippet("body")
        if snippet and snippet.text.strip():
            between = ": " if spoken(self) else " · "
            pieces = [*pieces, (between, self.ink("results--aside"))]
            pieces += self._passage(snippet, BARE)
        return pieces

    def _passage(self, snippet: Snippet, style: Style) -> Pieces:
        match = style + self.ink("results--match")
        return [(part, match if matched else style) for part, matched in told(snippet)]
