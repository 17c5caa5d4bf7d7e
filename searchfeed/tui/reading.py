"""The pane in which an entry is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
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

from searchfeed.index import Index
from searchfeed.models import Entry, Hit, Query
from searchfeed.output import Screen
from searchfeed.tui import sections
from searchfeed.tui.drawing import ink
from searchfeed.tui.lined import Lined
from searchfeed.tui.page import Page, Place, laid
from searchfeed.tui.pagemaker import Alike, Begun, Edited, Ended, Found, More, PageMaker
from searchfeed.tui.typesetting import Goal, Row, Sheet, character_at

if TYPE_CHECKING:
    from searchfeed.archive import Version

MEASURE = 88
"""Cells that a row of running text has at most; longer ones tire the eye."""

_MARGIN = 1


class Reading(ScrollView, Lined, can_focus=True):
    """An entry as a page: what is known of it, its text with what matched, links, and more like it.

    Pages are made beside the screen, and only the rows in sight are drawn, so the length of a text
    does not matter. What is asked for while something else is being made takes its place.

    Args:
        index: where entries are from.
        now: the time, which the age of an entry is told by.
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
            Binding(
                str(number),
                f"choose({number})",
                "Choose a link by its number",
                id=f"link-{number}",
                show=False,
            )
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
        self, index: Index, *, now: Callable[[], datetime] = lambda: datetime.now(UTC), id: str
    ) -> None:
        super().__init__(id=id)
        self._maker = PageMaker(index, self.post_message, now)
        self._page = Page()
        self._entry: Entry | None = None
        self._query: str | Query = ""
        self._width = 0
        self._forget()

    def _forget(self) -> None:
        self._versions: tuple[Version, ...] = ()
        self._alike: tuple[Hit, ...] = ()
        self._comparing = False
        self._learned = False
        self._ended = True
        self._match: int | None = None
        self._chosen: Place | None = None
        # Where the page is to be scrolled to once that is there: at the top, or in sight.
        self._anchor: Place | None = None
        self._wanted: Place | None = None

    @property
    def entry(self) -> Entry | None:
        """The entry that is shown, or about to be."""
        return self._entry

    @property
    def match(self) -> tuple[int, int]:
        """Which match the reader is at, from 1 (0: at none yet), and how many there are."""
        return (0 if self._match is None else self._match + 1), self._page.matches

    @property
    def settled(self) -> bool:
        """Whether all that is known of the entry is shown."""
        return self._ended and not self._maker.busy

    def show(self, entry: Entry, query: str | Query) -> None:
        """Show an entry from its start, with what the query finds in it.

        It returns at once; what is shown already stays until the first rows are there.
        """
        self._maker.forget()
        self._forget()
        self._entry = entry
        self._query = query
        self._anchor = Place("head")
        self._make()

    def disturb(self) -> None:
        """Something else is asked for: what takes long and is not shown yet comes later."""
        self._maker.disturb()

    def clear(self) -> None:
        """Show nothing."""
        self._maker.forget()
        self._forget()
        self._entry = None
        self._page = Page()
        self._fit()

    def _make(self) -> None:
        """Have the page made for the width that there is now; a hidden pane waits."""
        self._width = self.scrollable_content_region.width
        if self._entry is None or self._width <= 2 * _MARGIN or not self.is_attached:
            return
        self._ended = False
        self._maker.make(self._entry, self._query, self._measure)
        if not self._learned:
            self._learned = True
            self._maker.learn(self._entry)

    @property
    def _measure(self) -> int:
        return min(self._width - 2 * _MARGIN, MEASURE)

    # What the page maker tells.

    @on(Begun)
    def _begin(self, message: Begun) -> None:
        if message.run == self._maker.run:
            self._page = Page()
            self._page.add("head", message.head)
            self._page.add("body", message.body)
            if self._comparing:
                self._page.comparing = True
                self._maker.compare(self._versions, self._measure)
            self.refresh_bindings()
            self._fit()

    @on(More)
    def _go_on(self, message: More) -> None:
        if message.run == self._maker.run:
            self._page.add(message.section, message.laid)
            self._fit()

    @on(Found)
    def _find(self, message: Found) -> None:
        if message.run == self._maker.run:
            self._page.mark(message.sheet, message.matches)
            self.refresh_bindings()
            self.refresh()

    @on(Ended)
    def _end(self, message: Ended) -> None:
        if message.run == self._maker.run:
            self._ended = True
            self._list_alike()

    @on(Edited)
    def _tell_edited(self, message: Edited) -> None:
        if message.shown == self._maker.shown:
            self._versions = message.versions
            self.refresh_bindings()
            self.refresh()

    @on(Alike)
    def _tell_alike(self, message: Alike) -> None:
        if message.shown == self._maker.shown:
            self._alike = message.hits
            self._list_alike()

    def _list_alike(self) -> None:
        # The list counts on from where the links end, so it waits for them.
        if self._ended and "related" not in self._page:
            sheet = sections.related(self._alike, self._page.numbered, Screen())
            if sheet:
                self._page.add("related", laid(sheet, self._measure))
        self._fit()

    def _fit(self) -> None:
        """Tell the screen how much there is, and go to where the reader is to be."""
        lines = len(self._page)
        # The last line of the pane tells where the reader is, so the text ends one line earlier.
        self.virtual_size = Size(self._width, lines + 1 if lines else 0)
        if self._anchor and (line := self._page.line_of(self._anchor)) is not None:
            self._anchor = None
            self.scroll_to(y=line, animate=False, force=True, immediate=True)
        if self._wanted and (line := self._page.line_of(self._wanted)) is not None:
            self._wanted = None
            height = max(self.size.height - 1, 1)
            if not 0 <= line - int(self.scroll_offset.y) < height - 1:
                above = max(line - height // 3, 0)
                self.scroll_to(y=above, animate=False, force=True, immediate=True)
        self.refresh()

    def _go_to(self, place: Place) -> None:
        self._wanted = place
        self._fit()

    # Keys and clicks.

    def action_next_match(self) -> None:
        """Go to the next match; after the last comes the first."""
        self._to_match(0 if self._match is None else self._match + 1)

    def action_previous_match(self) -> None:
        """Go to the match before; before the first comes the last."""
        self._to_match(-1 if self._match is None else self._match - 1)

    def _to_match(self, number: int) -> None:
        if total := self._page.matches:
            self._match = number % total
            self._comparing = self._page.comparing = False
            self._go_to(self._page.match(self._match))

    def action_history(self) -> None:
        """Show how the entry was edited in the place of its text, or the text again."""
        if len(self._versions) < 2:
            return
        self._comparing = self._page.comparing = not self._comparing
        if self._comparing and "history" not in self._page:
            self._maker.compare(self._versions, self._measure)
        self._chosen = None
        self._anchor = Place("head")
        self._fit()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Whether there is anything for a key to do, which is what the help lists."""
        if action in ("next_match", "previous_match"):
            return self._page.matches > 0
        return action != "history" or len(self._versions) > 1

    def action_next_target(self) -> None:
        """Go to the next link; after the last the focus goes on."""
        if place := self._page.next_target(self._chosen, 1):
            self._choose(place)
        else:
            self._leave_targets()
            self.screen.focus_next()

    def action_previous_target(self) -> None:
        """Go to the link before; before the first the focus goes back."""
        if place := self._page.next_target(self._chosen, -1):
            self._choose(place)
        else:
            self._leave_targets()
            self.screen.focus_previous()

    def _leave_targets(self) -> None:
        self._chosen = None
        self.refresh()

    def action_choose(self, number: int) -> None:
        """Go to the link that has this number in the lists below the text."""
        if place := self._page.numbered_target(number):
            self._choose(place)

    def _choose(self, place: Place) -> None:
        self._chosen = place
        if target := self._page.target(place):
            self._go_to(place._replace(number=target.start))

    def action_follow(self) -> None:
        """Open the chosen link, or show the chosen entry."""
        if self._chosen and (target := self._page.target(self._chosen)):
            self._follow(target.goal)

    def _follow(self, goal: Goal) -> None:
        self.post_message(self.Related(goal) if isinstance(goal, Entry) else self.Opened(goal))

    def on_click(self, event: events.Click) -> None:
        """Follow the link that was clicked."""
        offset = event.get_content_offset(self)
        if offset is None or self.text_selection or self._is_status(offset.y):
            return
        found = self._page.at(offset.y + int(self.scroll_offset.y))
        if found is None:
            return
        place, sheet, row = found
        cell = offset.x - _MARGIN - row.indent
        character = row.start + character_at(sheet.text[row.start : row.end], cell)
        for number, target in enumerate(sheet.targets):
            if cell >= 0 and target.start <= character < min(target.end, row.end):
                self._chosen = place._replace(number=number)
                self.refresh()
                self._follow(target.goal)

    def on_resize(self) -> None:
        """Lay the text out again where its width has changed, and stay where the reader is."""
        if self.scrollable_content_region.width == self._width:
            return
        if self._anchor is None and (found := self._page.at(int(self.scroll_offset.y))):
            self._anchor = found[0]
        self._make()

    def on_unmount(self) -> None:
        """Have nothing more made."""
        self._maker.close()

    # Drawing.

    def render_line(self, y: int) -> Strip:
        """A line of what is in sight."""
        width = self.size.width
        if self._is_status(y):
            return self._status(width)
        at = y + int(self.scroll_offset.y)
        found = self._page.at(at)
        base = self.rich_style
        if found is None:
            return Strip.blank(width, base)
        segments = [Segment(" " * (_MARGIN + found[2].indent), base), *self._segments(*found)]
        selection = self.text_selection
        if selection is not None and (span := selection.get_span(at)) is not None:
            style = self.screen.get_component_rich_style("screen--selection")
            segments = list(_selected(segments, *span, style))
        return Strip(segments).adjust_cell_length(width, base).apply_offsets(0, at)

    def _segments(self, place: Place, sheet: Sheet, row: Row) -> Iterator[Segment]:
        base = self.rich_style
        current = None
        if self._match is not None and self._match < self._page.matches:
            at = self._page.match(self._match)
            current = at.number if at[:2] == place[:2] else None
        chosen = self._chosen.number if self._chosen and self._chosen[:2] == place[:2] else None
        for piece in sheet.pieces(row):
            style = base + self._ink(piece.role) if piece.role else base
            if piece.match is not None:
                here = sheet.matches[piece.match].start == current
                style += self._ink("current" if here else "match")
            if piece.target is not None and piece.target == chosen:
                style += self._ink("chosen")
            yield Segment(piece.text, style)

    def _ink(self, role: str) -> Style:
        return ink(self, f"reading--{role}")

    def _is_status(self, y: int) -> bool:
        return "head" in self._page and y == self.size.height - 1

    def _status(self, width: int) -> Strip:
        """The last line of the pane: what there is to know of it, and where the reader is."""
        told = ""
        if self._comparing:
            told = "h shows the text"
        elif len(self._versions) > 1:
            told = f"edited {_times(len(self._versions) - 1)}; h shows how"
        at, total = self.match
        where = [f"{at:,}/{total:,}" if at else _matches(total)] if total else []
        if self.max_scroll_y:
            where.append(f"{100 * int(self.scroll_offset.y) // self.max_scroll_y} %")
        right = " · ".join(where)
        style = self.rich_style + self._ink("status")
        room = max(min(width - 2 * _MARGIN, MEASURE) - cell_len(right) - 1, 0)
        line = f"{' ' * _MARGIN}{set_cell_size(told, room)} {right}"
        return Strip([Segment(line, style)]).adjust_cell_length(width, style)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The text that is selected with the mouse."""
        lines = (
            " " * (_MARGIN + row.indent) + sheet.text[row.start : row.end]
            for sheet, row in self._page.rows()
        )
        return selection.extract("\n".join(lines)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:  # noqa: ARG002
        """Draw what is selected."""
        self.refresh()


def _times(number: int) -> str:
    return "once" if number == 1 else "twice" if number == 2 else f"{number} times"


def _matches(number: int) -> str:
    return "1 match" if number == 1 else f"{number:,} matches"


def _selected(segments: list[Segment], start: int, end: int, style: Style) -> Iterator[Segment]:
    """The segments with a range of their characters in another style; -1 is their end."""
    position = 0
    for text, own, _ in segments:
        first = min(max(start - position, 0), len(text))
        last = len(text) if end < 0 else min(max(end - position, first), len(text))
        selected = (own or Style()) + style
        for piece, drawn in ((text[:first], own), (text[first:last], selected), (text[last:], own)):
            if piece:
                yield Segment(piece, drawn)
        position += len(text)
