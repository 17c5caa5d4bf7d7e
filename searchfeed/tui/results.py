"""The list of what was found."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from rich.text import Text
from textual.message import Message

from searchfeed.models import Hit, Results
from searchfeed.output.human import ago, other_feeds
from searchfeed.output.ink import PLAIN, passage, text
from searchfeed.output.wrapping import wrap
from searchfeed.tui.drawing import spoken
from searchfeed.tui.listing import Listing

_GAP = 2
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
        if not at:
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

    def draw(self, row: int, width: int) -> Sequence[Text]:
        """Title and date, then feed and passage."""
        hit = self._hits.get(row)
        simple = spoken(self)
        pointer = (">" if simple else "▌") if row == self.cursor else " "
        gutter = Text(f"{pointer} ", self.ink("results--mark"))
        if hit is None:
            return [Text.assemble(gutter, ("…", self.ink("results--aside")))]
        mark = "* " if simple else "● "
        marked = Text(mark if hit.entry.id in self._marked else "", self.ink("results--mark"))
        # A column for the scroll bar, and one to keep away from it.
        room = max(width - len(gutter) - 2, 8)
        lines = [Text.assemble(marked, self._heading(hit, room - len(marked)))]
        lines += wrap(self._told(hit), room)
        blank = Text("  ")
        shown = lines[:3]
        if len(lines) > 3 and not shown[-1].plain.endswith("…"):
            shown[-1].truncate(room - 1, overflow="crop")
            shown[-1].append("…")
        return [
            Text.assemble(gutter if number == 0 else blank, each)
            for number, each in enumerate(shown)
        ]

    def _heading(self, hit: Hit, room: int) -> Text:
        style = self.ink("results--title")
        found = hit.snippet("title")
        title = passage(found, style, self.ink("results--match")) if found else Text()
        if not title.plain.strip():
            title = Text("(no title)", style)
        asides = []
        if others := other_feeds(hit):
            asides.append(f"+{len(others)}" if room < 60 else f"also in {len(others)} more")
        if hit.entry.date:
            asides.append(ago(hit.entry.date, self._now(), None))
        aside = Text("  ".join(asides), self.ink("results--aside"))
        left = room - aside.cell_len - _GAP
        if left < room // 3:
            title.truncate(room, overflow="ellipsis")
            return title
        title.truncate(left, overflow="ellipsis", pad=True)
        return Text.assemble(title, " " * _GAP, aside)

    def _told(self, hit: Hit) -> Text:
        name = text(hit.entry.feed_name, self.ink("results--feed"))
        name.truncate(_FEED_MOST, overflow="ellipsis")
        told = Text.assemble(name)
        snippet = hit.snippet("body")
        if snippet and snippet.text.strip():
            told.append(": " if spoken(self) else " · ", self.ink("results--aside"))
            told.append_text(passage(snippet, PLAIN, self.ink("results--match")))
        return told
