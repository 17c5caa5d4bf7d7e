"""The pane in which an entry is read."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events, on
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from searchfeed.errors import SearchfeedError
from searchfeed.index import Index
from searchfeed.models import Entry, Hit
from searchfeed.output import Screen
from searchfeed.tui import sections
from searchfeed.tui.lanes import Lane
from searchfeed.tui.typesetting import Goal, Piece, Row, Sheet, character_at, lay_out

if TYPE_CHECKING:
    from searchfeed.archive import Version

MEASURE = 88
"""Cells that a row of running text has at most; longer ones tire the eye."""

RELATED = 5
"""Entries like the one that is read that are listed."""

_MARGIN = 1
_REST = 0.15
"""Seconds for which an entry has to stay before related ones are looked for: nobody who runs
through a list waits for them."""

_FIRST_ROWS = 200
_MORE_ROWS = 4_000

_ORDER = ("head", "history", "body", "links", "related")
_MATCHING = ("head", "body")
_NUMBERED = ("links", "related")

Place = tuple[str, int]
"""The name of a section, and a number in it: of a character, a match or a target."""


@dataclass(slots=True)
class _Section:
    sheet: Sheet
    rows: list[Row] = field(default_factory=list)


@dataclass
class _Laid(Message):
    """Rows of some sections; with ``first`` they take the place of all that there are."""

    run: int
    rows: Mapping[str, tuple[Sheet, Sequence[Row]]]
    first: bool = False
    last: bool = False


@dataclass
class _Edited(Message):
    """The versions of the entry that is shown."""

    shown: int
    versions: tuple[Version, ...]


@dataclass
class _Alike(Message):
    """What is like the entry that is shown."""

    shown: int
    hits: tuple[Hit, ...]


class Reading(ScrollView, can_focus=True):
    """An entry as a page: what is known of it, its text with what matched, links, and more like it.

    The text is worked on beside the screen, and only the rows in sight are drawn, so that its
    length does not matter. What is asked for while something else is being worked on replaces it.

    Args:
        index: where versions and related entries come from, and what matches is found.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "reading--title",
        "reading--feed",
        "reading--aside",
        "reading--heading",
        "reading--link",
        "reading--related",
        "reading--match",
        "reading--current",
        "reading--chosen",
        "reading--removed",
        "reading--added",
        "reading--status",
    }

    DEFAULT_CSS = """
    Reading {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;

        & .reading--title { text-style: bold; }
        & .reading--feed { color: $feed; }
        & .reading--aside { color: $aside; }
        & .reading--heading { text-style: bold; }
        & .reading--link { color: $primary; text-style: underline; }
        & .reading--related { color: $primary; }
        & .reading--match { color: $match; text-style: $match-style; }
        & .reading--current { color: $background; background: $match; text-style: bold; }
        & .reading--chosen { background: $chosen; text-style: bold reverse; }
        & .reading--removed { color: $error; text-style: strike; }
        & .reading--added { color: $success; text-style: underline; }
        & .reading--status { color: $aside; }

        &:nocolor .reading--match { text-style: bold underline; }
        &:nocolor .reading--current { text-style: bold reverse; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "next_match", "Next match", id="next-match"),
        Binding("N", "previous_match", "Previous match", id="previous-match"),
        Binding("h", "history", "How it was edited", id="history"),
        Binding("tab", "next_target", "Next link", id="next-link", show=False),
        Binding("shift+tab", "previous_target", "Previous link", id="previous-link", show=False),
        Binding("enter", "follow", "Follow the link", id="follow", show=False),
        Binding("j,down", "scroll_down", "Down", id="read-down", show=False),
        Binding("k,up", "scroll_up", "Up", id="read-up", show=False),
        Binding("space,pagedown,ctrl+f", "page_down", "A page down", id="read-on", show=False),
        Binding("b,pageup,ctrl+b", "page_up", "A page up", id="read-back", show=False),
        Binding("g,home", "scroll_home", "To the start", id="read-start", show=False),
        Binding("G,end", "scroll_end", "To the end", id="read-end", show=False),
        *(
            Binding(str(number), f"choose({number})", "Choose a link by its number", show=False)
            for number in range(1, 10)
        ),
    ]

    @dataclass
    class Related(Message):
        """The user chose an entry like the one that is shown."""

        entry: Entry

    @dataclass
    class Opened(Message):
        """The user chose a link, which is to be opened; it is an http(s) one."""

        url: str

    def __init__(
        self,
        index: Index,
        *,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._index = index
        self._texts = Lane("reading")
        self._histories = Lane("history")
        self._likes = Lane("related")
        self._run = 0  # Counts layouts, so that rows of an older one are dropped.
        self._shown = 0  # Counts entries.
        self._learning = 0  # The entry of which more is being found out.
        self._width = 0
        self._query = ""
        self._entry: Entry | None = None
        self._forget()

    def _forget(self) -> None:
        self._sections: dict[str, _Section] = {}
        self._versions: tuple[Version, ...] = ()
        self._alike: tuple[Hit, ...] = ()
        self._comparing = False
        self._laid = True
        self._match: int | None = None
        self._chosen: Place | None = None
        self._wanted: Place | None = None
        self._anchor: Place | None = None

    @property
    def entry(self) -> Entry | None:
        """The entry that is shown, or about to be."""
        return self._entry

    @property
    def match(self) -> tuple[int, int]:
        """Which match the reader is at, from 1 (0: at none yet), and how many there are."""
        return (0 if self._match is None else self._match + 1), self._count_matches()

    @property
    def settled(self) -> bool:
        """Whether all that is known of the entry is shown."""
        lanes = (self._texts, self._histories, self._likes)
        return self._laid and not any(lane.busy for lane in lanes)

    def show(self, entry: Entry, query: str) -> None:
        """Show an entry from its start, with what the query finds in it.

        It returns at once; what is shown already stays until the first rows are there.
        """
        before = self._sections
        self._forget()
        self._sections = before
        self._entry = entry
        self._query = query
        self._shown += 1
        self._anchor = ("head", 0)
        self._work()

    def clear(self) -> None:
        """Show nothing."""
        self._run += 1
        self._shown += 1
        self._entry = None
        self._forget()
        self._fit()

    def _work(self) -> None:
        """Have the text laid out for the width that there is now."""
        entry, query = self._entry, self._query
        self._width = self.scrollable_content_region.width
        if entry is None or self._width <= 2 * _MARGIN or not self.is_attached:
            return
        self._run += 1
        self._laid = False
        run, width = self._run, self._measure
        self._texts.ask(lambda: self._lay(run, entry, query, width))
        if self._learning != self._shown:
            self._learning = shown = self._shown
            self._histories.ask(lambda: self._learn_history(shown, entry))
            self._likes.ask(lambda: self._learn_related(shown, entry))
        elif self._comparing:
            self._compare()

    @property
    def _measure(self) -> int:
        return min(self._width - 2 * _MARGIN, MEASURE)

    # Beside the screen.

    def _lay(self, run: int, entry: Entry, query: str, width: int) -> None:
        entry = sections.clean_entry(entry)
        try:
            found = {each.field: each for each in self._index.highlight(entry, query)}
        except SearchfeedError:
            # It is read all the same; what is wrong with the query stands below it.
            found = {}
        if run != self._run:
            return
        head = sections.head(entry, found.get("title"), Screen())
        body = sections.body(entry, found.get("body"))
        rows = lay_out(body.text, width)
        first = {
            "head": (head, list(lay_out(head.text, width))),
            "body": (body, list(islice(rows, _FIRST_ROWS))),
        }
        self.post_message(_Laid(run, first, first=True))
        while run == self._run and (more := list(islice(rows, _MORE_ROWS))):
            self.post_message(_Laid(run, {"body": (body, more)}))
        end = {}
        if run == self._run and (links := sections.links(entry, body)):
            end["links"] = (links, list(lay_out(links.text, width)))
        self.post_message(_Laid(run, end, last=True))

    def _learn_history(self, shown: int, entry: Entry) -> None:
        if shown != self._shown:
            return
        try:
            self.post_message(_Edited(shown, self._index.versions(entry.id)))
        except SearchfeedError:
            # It may be gone from the index meanwhile; the text is shown all the same.
            return

    def _learn_related(self, shown: int, entry: Entry) -> None:
        time.sleep(_REST)
        if shown != self._shown:
            return
        try:
            self.post_message(_Alike(shown, self._index.like(entry.id, limit=RELATED).hits))
        except SearchfeedError:
            return

    def _lay_history(self, run: int, versions: tuple[Version, ...], width: int) -> None:
        sheet = sections.history(versions, Screen())
        self.post_message(_Laid(run, {"history": (sheet, list(lay_out(sheet.text, width)))}))

    # What comes back.

    @on(_Laid)
    def _take_laid(self, message: _Laid) -> None:
        """Show rows that are new."""
        message.stop()
        if message.run != self._run:
            return
        if message.first:
            self._sections = {}
        for name, (sheet, rows) in message.rows.items():
            section = self._sections.setdefault(name, _Section(sheet))
            if section.sheet is not sheet:
                self._sections[name] = section = _Section(sheet)
            section.rows += rows
        if message.last:
            self._laid = True
        self._add_related()
        self._fit()

    @on(_Edited)
    def _take_edited(self, message: _Edited) -> None:
        """Say below the text that the entry was edited."""
        message.stop()
        if message.shown == self._shown:
            self._versions = message.versions
            self.refresh()

    @on(_Alike)
    def _take_alike(self, message: _Alike) -> None:
        """List what is like the entry."""
        message.stop()
        if message.shown == self._shown:
            self._alike = message.hits
            self._add_related()
            self._fit()

    def _add_related(self) -> None:
        # It counts on from where the links end, so it waits for them.
        if not self._laid or "related" in self._sections:
            return
        links = self._sections.get("links")
        numbered = len(links.sheet.targets) if links else 0
        if sheet := sections.related(self._alike, numbered, Screen()):
            rows = list(lay_out(sheet.text, self._measure))
            self._sections["related"] = _Section(sheet, rows)

    def _fit(self) -> None:
        """Tell the screen how much there is, and go to where the reader is to be."""
        count = sum(len(section.rows) for _, section in self._in_order())
        # The last line of the pane tells where the reader is, so the text ends one line earlier.
        self.virtual_size = Size(self._width, count + 1 if count else 0)
        for place in ("_anchor", "_wanted"):
            wanted: Place | None = getattr(self, place)
            if wanted and (row := self._row_of(wanted)) is not None:
                setattr(self, place, None)
                if place == "_anchor":
                    self.scroll_to(y=row, animate=False, force=True, immediate=True)
                else:
                    self._reveal(row)
        self.refresh()

    # Places.

    def _in_order(self) -> Iterator[tuple[str, _Section]]:
        """The sections that are shown; the history stands in the place of the text."""
        hidden = "body" if self._comparing and "history" in self._sections else "history"
        for name in _ORDER:
            if name in self._sections and name != hidden:
                yield name, self._sections[name]

    def _at(self, y: int) -> tuple[str, _Section, Row] | None:
        """The section and the row at a line of the page."""
        for name, section in self._in_order():
            if y < len(section.rows):
                return name, section, section.rows[y]
            y -= len(section.rows)
        return None

    def _row_of(self, place: Place) -> int | None:
        """The line of the page that has a character; None where it is not there (yet)."""
        name, character = place
        before = 0
        for each, section in self._in_order():
            rows = section.rows
            if each == name:
                row = bisect_right(rows, character, key=lambda row: row.start) - 1
                whole = row < len(rows) - 1 or self._laid or (rows and character < rows[-1].end)
                return before + max(row, 0) if whole else None
            before += len(rows)
        return None

    def _reveal(self, row: int) -> None:
        """Scroll as little as it takes for a row to be in sight, with some lines around it."""
        height = max(self.size.height - 1, 1)
        top = int(self.scroll_offset.y)
        if not top <= row < top + height - 1:
            self.scroll_to(y=max(row - height // 3, 0), animate=False, force=True, immediate=True)

    def _go_to(self, place: Place) -> None:
        self._wanted = place
        self._fit()

    def _count_matches(self) -> int:
        found = (self._sections.get(name) for name in _MATCHING)
        return sum(len(section.sheet.matches) for section in found if section)

    def _place_of_match(self, number: int) -> Place:
        for name in _MATCHING:
            matches = self._sections[name].sheet.matches
            if number < len(matches):
                return name, matches[number].start
            number -= len(matches)
        raise IndexError(number)

    def _targets(self) -> list[Place]:
        """All that can be chosen, as section and number, in the order of the page."""
        return [
            (name, number)
            for name, section in self._in_order()
            for number in range(len(section.sheet.targets))
        ]

    # Keys and clicks.

    def action_next_match(self) -> None:
        """Go to the next match; after the last comes the first."""
        self._to_match(1)

    def action_previous_match(self) -> None:
        """Go to the match before; before the first comes the last."""
        self._to_match(-1)

    def _to_match(self, step: int) -> None:
        matches = self._count_matches()
        if not matches:
            return
        before = self._match if self._match is not None else (-1 if step > 0 else 0)
        self._match = (before + step) % matches
        self._comparing = False
        self._go_to(self._place_of_match(self._match))

    def action_history(self) -> None:
        """Show how the entry was edited in the place of its text, or the text again."""
        if len(self._versions) < 2:
            return
        self._comparing = not self._comparing
        self._chosen = None
        if self._comparing and "history" not in self._sections:
            self._compare()
        self._anchor = ("head", 0)
        self._fit()

    def _compare(self) -> None:
        run, versions, width = self._run, self._versions, self._measure
        self._histories.ask(lambda: self._lay_history(run, versions, width))

    def action_next_target(self) -> None:
        """Go to the next link; after the last the focus goes on."""
        self._to_target(1)

    def action_previous_target(self) -> None:
        """Go to the link before; before the first the focus goes back."""
        self._to_target(-1)

    def _to_target(self, step: int) -> None:
        targets = self._targets()
        if self._chosen in targets:
            at = targets.index(self._chosen) + step
        else:
            at = 0 if step > 0 else -1
        if 0 <= at < len(targets):
            self._choose(targets[at])
            return
        self._chosen = None
        self.refresh()
        self.screen.focus_next() if step > 0 else self.screen.focus_previous()

    def action_choose(self, number: int) -> None:
        """Go to the link that has this number in the lists below the text."""
        numbered = [place for place in self._targets() if place[0] in _NUMBERED]
        if number <= len(numbered):
            self._choose(numbered[number - 1])

    def _choose(self, place: Place) -> None:
        self._chosen = place
        self._go_to((place[0], self._sections[place[0]].sheet.targets[place[1]].start))

    def action_follow(self) -> None:
        """Open the chosen link, or show the chosen entry."""
        if self._chosen in self._targets():
            name, number = self._chosen
            self._follow(self._sections[name].sheet.targets[number].goal)

    def _follow(self, goal: Goal) -> None:
        self.post_message(self.Related(goal) if isinstance(goal, Entry) else self.Opened(goal))

    def on_click(self, event: events.Click) -> None:
        """Follow the link that was clicked."""
        offset = event.get_content_offset(self)
        if offset is None or self.text_selection or self._is_status(offset.y):
            return
        found = self._at(offset.y + int(self.scroll_offset.y))
        if found is None:
            return
        name, section, row = found
        line = section.sheet.text[row.start : row.end]
        cell = offset.x - _MARGIN - row.indent
        place = row.start + character_at(line, cell) if cell >= 0 else -1
        for number, target in enumerate(section.sheet.targets):
            if target.start <= place < min(target.end, row.end):
                self._chosen = (name, number)
                self.refresh()
                self._follow(target.goal)

    # Drawing.

    def on_resize(self) -> None:
        """Lay the text out again where its width has changed, and stay where the reader is."""
        if self.scrollable_content_region.width == self._width:
            return
        if self._anchor is None and (found := self._at(int(self.scroll_offset.y))):
            self._anchor = (found[0], found[2].start)
        self._work()

    def on_unmount(self) -> None:
        """Take no more work."""
        self._run += 1
        self._shown += 1
        for lane in (self._texts, self._histories, self._likes):
            lane.close()

    def render_line(self, y: int) -> Strip:
        """A line of what is in sight."""
        width = self.size.width
        if self._is_status(y):
            return self._status(width)
        at = y + int(self.scroll_offset.y)
        found = self._at(at)
        base = self.rich_style
        if found is None:
            return Strip.blank(width, base)
        segments = [Segment(" " * (_MARGIN + found[2].indent), base)]
        segments += [Segment(piece.text, style) for piece, style in self._styled(*found)]
        strip = Strip(segments).adjust_cell_length(width, base)
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(at)) is not None:
            strip = _selected(
                strip, span, self.screen.get_component_rich_style("screen--selection")
            )
        return strip.apply_offsets(0, at)

    def _styled(self, name: str, section: _Section, row: Row) -> Iterator[tuple[Piece, Style]]:
        base = self.rich_style
        current = None
        if self._match is not None and name in _MATCHING:
            head = self._sections.get("head")
            before = len(head.sheet.matches) if head and name != "head" else 0
            current = self._match - before
        chosen = self._chosen[1] if self._chosen and self._chosen[0] == name else None
        for piece in section.sheet.pieces(row):
            style = base + self._ink(piece.role) if piece.role else base
            if piece.match is not None:
                style += self._ink("current" if piece.match == current else "match")
            if piece.target is not None and piece.target == chosen:
                style += self._ink("chosen")
            yield piece, style

    def _ink(self, role: str) -> Style:
        return self.get_component_rich_style(f"reading--{role}", partial=True)

    def _is_status(self, y: int) -> bool:
        return bool(self._sections) and y == self.size.height - 1

    def _status(self, width: int) -> Strip:
        """The last line of the pane: what there is to know of it, and where the reader is."""
        told = []
        if self._comparing:
            told.append("h shows the text")
        elif len(self._versions) > 1:
            told.append(f"edited {_times(len(self._versions) - 1)}; h shows how")
        at, total = self.match
        where = [f"{at}/{total}" if at else _matches(total)] if total else []
        if self.max_scroll_y:
            where.append(f"{100 * self.scroll_offset.y // self.max_scroll_y} %")
        style = self.rich_style + self._ink("status")
        right = " · ".join(where)
        room = max(min(width, MEASURE) - 2 * _MARGIN - cell_len(right) - 1, 0)
        left = set_cell_size(" · ".join(told), room)
        return Strip([Segment(f" {left} {right} ", style)]).adjust_cell_length(width, style)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The text that is selected with the mouse."""
        lines = [
            " " * (_MARGIN + row.indent) + section.sheet.text[row.start : row.end]
            for _, section in self._in_order()
            for row in section.rows
        ]
        return selection.extract("\n".join(lines)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002
        """Draw what is selected."""
        self.refresh()


def _times(number: int) -> str:
    return "once" if number == 1 else "twice" if number == 2 else f"{number} times"


def _matches(number: int) -> str:
    return "1 match" if number == 1 else f"{number:,} matches"


def _selected(strip: Strip, span: tuple[int, int], style: Style) -> Strip:
    """The strip with some of its characters, counted from its start, in another style."""
    start, end = span
    segments: list[Segment] = []
    position = 0
    for text, own, _ in strip:
        stop = len(text) if end < 0 else max(min(end - position, len(text)), 0)
        first = max(min(start - position, len(text)), 0)
        pieces = ((text[:first], own), (text[first:stop], (own or Style()) + style))
        rest = (text[max(stop, first) :], own)
        segments += [Segment(each, ink) for each, ink in (*pieces, rest) if each]
        position += len(text)
    return Strip(segments, strip.cell_length)
