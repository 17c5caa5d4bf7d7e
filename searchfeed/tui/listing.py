"""A list of any length of which only the rows in sight are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip

from searchfeed.tui.drawing import Pieces, laid
from searchfeed.tui.lined import Lined

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


DRAWN = 1_000
"""Rows that are kept as they were drawn, for who scrolls back."""


class Listing(ScrollView, Lined, can_focus=True):
    """Rows of one height with a cursor on one of them.

    A subclass says how many rows there are, how high they are, and draws one.
    """

    DEFAULT_CSS = """
    Listing { height: 1fr; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "down", "Down", id="down", show=False),
        Binding("k,up", "up", "Up", id="up", show=False),
        Binding("g,home", "first", "First", id="first", show=False),
        Binding("G,end", "last", "Last", id="last", show=False),
        Binding("pagedown,ctrl+f", "page_down", "A page down", id="page-down", show=False),
        Binding("pageup,ctrl+b", "page_up", "A page up", id="page-up", show=False),
    ]

    cursor = reactive(0, repaint=False)

    @dataclass
    class Moved(Message):
        """The cursor is on another row, or the row under it has changed."""

        listing: Listing
        row: int

        @property
        def control(self) -> Listing:
            """The list."""
            return self.listing

    @dataclass
    class Chosen(Message):
        """A row was clicked twice, or once where that is enough."""

        listing: Listing
        row: int

        @property
        def control(self) -> Listing:
            """The list."""
            return self.listing

    count = 0
    """How many rows there are."""

    row_height = 1
    """Lines of each."""

    def draw(self, row: int, width: int) -> Sequence[Pieces]:
        """The lines of a row, none wider than ``width``; fewer than its height will do."""
        raise NotImplementedError

    def ground(self, row: int) -> Style:
        """What a row stands on."""
        return self.ground_of("listing--chosen" if row == self.cursor else "listing--row")

    def ground_of(self, name: str) -> Style:
        """The style of a part, with what it stands on."""
        if name not in self._grounds:
            self._grounds[name] = self.get_component_rich_style(name)
        return self._grounds[name]

    COMPONENT_CLASSES: ClassVar[set[str]] = {"listing--row", "listing--chosen"}

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._drawn: dict[int, list[Strip]] = {}
        self._grounds: dict[str, Style] = {}
        self._top = self._seen = 0

    @property
    def page(self) -> int:
        """How many rows are in sight, at least one; before the first layout, as many as can be."""
        return max(1, (self.size.height or self.app.size.height) // self.row_height)

    @property
    def in_sight(self) -> range:
        """The rows that are in sight, wholly or in part."""
        first = int(self.scroll_offset.y) // self.row_height
        return range(first, min(self.count, first + self.page + 2))

    def resize_rows(self) -> None:
        """Draw everything anew after the number of rows, or their size, has changed."""
        size = Size(self.size.width, self.count * self.row_height)
        if size != self.virtual_size:
            # Not by assignment, after which Textual would lay out the whole screen: nothing moves.
            self.set_reactive(Listing.virtual_size, size)
            # Nor at once: what is found is to be seen first.
            self.call_later(self._size_bar)
            self.scroll_y = self.validate_scroll_y(self.scroll_y)
        self.redraw()

    def _size_bar(self) -> None:
        bar, height = self.vertical_scrollbar, self.virtual_size.height
        least = self.size.height**2
        if not self.scroll_offset.y and min(height, bar.window_virtual_size) >= least:
            # Its thumb has one cell, at the top, before and after: to paint it takes long.
            bar.set_reactive(ScrollBar.window_virtual_size, height)
        else:
            bar.window_virtual_size = height

    def redraw(self, *rows: int) -> None:
        """Draw these rows again, or all."""
        if not rows:
            self._drawn.clear()
            self.refresh()
        sight = self.in_sight
        for row in rows:
            self._drawn.pop(row, None)
            if row in sight:
                self.refresh(self._region(row))

    def render_line(self, y: int) -> Strip:
        """A line of what is in sight."""
        row, line = divmod(y + self._top, self.row_height)
        if row >= self.count:
            return Strip.blank(self._seen, self.ground_of("listing--row"))
        if row not in self._drawn:
            if len(self._drawn) > DRAWN:
                self._drawn.clear()
            self._drawn[row] = self._strips(row)
        return self._drawn[row][line]

    def _kept(self, rows: Iterable[int]) -> list[Strip]:
        # Once for all lines, as Textual works them out anew each time.
        self._top, self._seen = int(self.scroll_offset.y), self.width
        return super()._kept(rows)

    def _strips(self, row: int) -> list[Strip]:
        width = self._seen
        ground = self.ground(row)
        lines = self.draw(row, self.size.width)[: self.row_height]
        strips = [laid(each, ground, width) for each in lines]
        blank = Strip.blank(width, ground)
        return strips + [blank] * (self.row_height - len(strips))

    def watch_cursor(self, before: int, after: int) -> None:
        """Show it, and say so."""
        self.redraw(before, after)
        self.reveal()
        self.post_message(self.Moved(self, after))

    def validate_cursor(self, cursor: int) -> int:
        """Keep it on a row."""
        return min(max(cursor, 0), max(self.count - 1, 0))

    def reveal(self) -> None:
        """Scroll as little as it takes for the whole row under the cursor to be in sight."""
        self.scroll_to_region(self._virtual(self.cursor), animate=False, force=True)
        if self.has_focus:
            self._follow()

    def _follow(self) -> None:
        # A screen reader reads from where the terminal's own cursor is.
        top = self.cursor * self.row_height - int(self.scroll_offset.y)
        region = self.content_region
        self.app.cursor_position = Offset(region.x, region.y + max(0, top))

    def _virtual(self, row: int) -> Region:
        return Region(0, row * self.row_height, max(1, self.size.width), self.row_height)

    def _region(self, row: int) -> Region:
        return self._virtual(row).translate((0, -int(self.scroll_offset.y)))

    def on_resize(self) -> None:
        """Fit the rows to the new width."""
        self.resize_rows()
        self.reveal()

    def on_focus(self) -> None:
        """Show that keys go here."""
        self.redraw()
        self._follow()

    def on_blur(self) -> None:
        """Show that they no longer do."""
        self.redraw()

    @property
    def setting(self) -> tuple[object, ...]:
        """What every line depends on."""
        return *super().setting, self.width, self.row_height, self.has_focus

    def forget(self) -> None:
        """Forget what was drawn in another setting."""
        super().forget()
        self._drawn.clear()
        self._grounds.clear()

    def row_at(self, y: int) -> int | None:
        """The row at a line of the screen's part that this list has, if there is one."""
        row = (y + int(self.scroll_offset.y)) // self.row_height
        return row if row < self.count else None

    def on_click(self, event: events.Click) -> None:
        """Put the cursor there; the second click chooses."""
        row = self.row_at(event.y)
        if row is None:
            return
        self.focus()
        self.cursor = row
        if event.chain == 2:
            self.post_message(self.Chosen(self, row))

    def move(self, by: int) -> None:
        """Move the cursor by so many rows."""
        self.cursor += by

    def action_down(self) -> None:
        """To the next row."""
        self.move(1)

    def action_up(self) -> None:
        """To the row before."""
        self.move(-1)

    def action_first(self) -> None:
        """To the first row."""
        self.move(-self.count)

    def action_last(self) -> None:
        """To the last row."""
        self.move(self.count)

    def action_page_down(self) -> None:
        """As far down as a screen holds."""
        self.move(self.page)

    def action_page_up(self) -> None:
        """As far up."""
        self.move(-self.page)
