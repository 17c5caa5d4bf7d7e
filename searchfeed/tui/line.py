"""The search line, and beside it how much was found."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from searchfeed.tui.drawing import BARE, fitted, laid, plain, wide
from searchfeed.tui.hints import Hints
from searchfeed.tui.lined import Lined
from searchfeed.tui.queries import Queries


class SearchLine(Input, Lined):
    """Where the query is typed.

    Args:
        hints: what its words may become.
        queries: those asked earlier.
        typed: called as soon as a key has changed what stands in it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.results", "To the results", id="results"),
        Binding("tab", "take", "Complete", id="complete"),
        Binding("shift+tab", "other", "Another", id="next-completion", show=False),
        Binding("down", "screen.move(1)", "Next result", id="next-result", show=False),
        Binding("up", "screen.move(-1)", "Result before", id="previous-result", show=False),
        Binding("ctrl+up", "earlier", "Earlier query", id="earlier-query", show=False),
        Binding("ctrl+down", "later", "Later query", id="later-query", show=False),
    ]

    def __init__(
        self, value: str, hints: Hints, queries: Queries, typed: Callable[[], None], *, id: str
    ) -> None:
        super().__init__(
            value,
            placeholder="search",
            id=id,
            # Else it comes with the first letter, and the whole screen is laid out anew for it.
            classes="-valid",
            compact=True,
            select_on_focus=False,
        )
        self._hints = hints
        self._queries = queries
        self._typed = typed

    async def on_key(self, event: events.Key) -> None:
        """Do what a key does before the next one is taken.

        Else what is typed right behind it would come first: bindings are looked up when a key has
        gone all the way up to the app. Nor does what is looked for wait for the message that the
        line has changed.
        """
        if self.screen.focused is not self:
            event.prevent_default()
            return
        before = self.value
        if event.is_printable:
            await self._on_key(event)
        else:
            bound = self.screen.active_bindings.get(event.key)
            action = bound.binding.action if bound and bound.enabled else ""
            if bound and action and await self.app.run_action(action, bound.node):
                event.stop()
                event.prevent_default()
        if self.value != before:
            self._typed()

    def replace_with(self, text: str) -> None:
        """Put another text in its place; what is behind the cursor stays behind it."""
        behind = len(self.value) - self.cursor_position
        self.value = text
        self.cursor_position = len(text) - behind

    @property
    def content_width(self) -> int:
        """At least that of the line: Textual lays out the whole screen whenever it changes."""
        return max(super().content_width, self.size.width)

    def on_resize(self) -> None:
        """Else its width would change with the first letter, and all be laid out for that."""
        self.set_reactive(Widget.virtual_size, Size(self.content_width, 1))

    def column(self, position: int) -> int:
        """The column of the screen in which a character of the line is."""
        return self.content_region.x + cell_len(self.value[:position]) - int(self.scroll_offset.x)

    @property
    def setting(self) -> tuple[object, ...]:
        """What every line depends on."""
        return *super().setting, self.has_focus

    def render_line(self, y: int) -> Strip:
        """Draw it; what is typed most is drawn without Textual, which takes as long as a search."""
        value, at, width = self.value, self.cursor_position, self.size.width
        usual = value.isprintable() and wide(value) < width and self.selection.is_empty
        if y or not value or not usual:
            return super().render_line(y)
        shown = self.has_focus and self._cursor_visible
        cursor = self.ink("input--cursor") if shown else BARE
        text = f"{value} "
        pieces = [(text[:at], BARE), (text[at], cursor), (text[at + 1 :], BARE)]
        return laid(pieces, self.ground_style, width)

    def action_take(self) -> None:
        """Take the completion, or leave the line where there is none."""
        if completed := self._hints.completion(self.value):
            self.replace_with(completed)
        elif self._hints.knows(self.value):
            self.screen.focus_next()

    def action_other(self) -> None:
        """Mark the next completion, or leave the line where there is none."""
        if self._hints.completion(self.value):
            self._hints.mark_next()
        elif self._hints.knows(self.value):
            self.screen.focus_previous()

    def action_cursor_right(self, select: bool = False) -> None:  # noqa: FBT001, FBT002 - Textual's
        """At the end of the line, take the completion."""
        completed = self._hints.completion(self.value)
        if completed and self.cursor_at_end and not select:
            self.replace_with(completed)
        else:
            super().action_cursor_right(select)

    def action_earlier(self) -> None:
        """The query before."""
        self._recall(self._queries.earlier(self.value))

    def action_later(self) -> None:
        """The query behind."""
        self._recall(self._queries.later(self.value))

    def _recall(self, text: str) -> None:
        self.value = text
        self.cursor_position = len(text)


class Figures(Lined):
    """How much was found, at the right of the search line."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._text = ""

    def tell(self, text: str) -> None:
        """Show this."""
        self._text = text
        self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002
        """Draw it, with a column to both sides."""
        width = self.size.width
        shown = fitted([(self._text, BARE)], max(width - 2, 0))
        before = (" " * (width - 1 - wide(plain(shown))), BARE)
        return laid([before, *shown], self.ground_style, width)
