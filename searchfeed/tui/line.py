"""The search line, and below it what is wrong with what stands in it, or what it may become."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Input

from searchfeed.errors import QueryError
from searchfeed.output.clean import line
from searchfeed.output.wrapping import wrap
from searchfeed.tui.drawing import BARE, fitted, ink, laid, plain, strip, wide
from searchfeed.tui.lined import Lined
from searchfeed.tui.queries import Queries

_ROWS = 3
"""Rows that a reason has at most."""


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


class Hints(Lined):
    """Completions, or what is wrong, or what may have been meant: a line, or some."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "hints--completion",
        "hints--marked",
        "hints--wrong",
        "hints--note",
    }

    @dataclass
    class Taken(Message):
        """A text was chosen to stand in the search line."""

        text: str

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._completed = ""
        self._completions: tuple[str, ...] = ()
        self._labels: tuple[str, ...] = ()
        self._marked = 0
        self._typing = True
        self._error: QueryError | None = None
        self._wrong: list[Text] = []
        self._offset = 0
        self._note = ""
        self._suggestion = ""
        self._places: list[tuple[range, str]] = []

    def complete(self, text: str, completions: tuple[str, ...]) -> None:
        """Offer these in the place of ``text``."""
        self._completed = text
        self._completions = completions
        self._labels = tuple(_difference(text, each) for each in completions)
        self._marked = 0
        self._redraw()

    def offer(self, *, typing: bool) -> None:
        """Show completions only while somebody types."""
        self._typing = typing
        self._redraw()

    def mark_next(self) -> None:
        """Mark the completion behind the one that is marked."""
        if self._completions:
            self._marked = (self._marked + 1) % len(self._completions)
            self._redraw()

    def knows(self, text: str) -> bool:
        """Whether it is known what a text may become."""
        return text == self._completed

    def completion(self, text: str) -> str:
        """What the completion that is marked makes of a text; empty where none is for that text."""
        fits = self._completions and text == self._completed
        return self._completions[self._marked] if fits else ""

    def point_out(self, error: QueryError | None, offset: int = 0) -> None:
        """Show what is wrong, below its place: ``offset`` cells from the left."""
        if error or self._error:
            self._error, self._offset = error, offset
            self._redraw()

    def tell(self, note: str) -> None:
        """Show what may be good to know."""
        if (note, "") != (self._note, self._suggestion):
            self._note, self._suggestion = note, ""
            self._redraw()

    def suggest(self, query: str) -> None:
        """Show a query that may have been meant, beside what was told."""
        if query != self._suggestion:
            self._suggestion = query
            self._redraw()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        offered = self._typing and self._completions
        return not (offered or self._error or self._note or self._suggestion)

    def _redraw(self) -> None:
        self.set_class(self.empty, "-empty")
        self._wrong = self._pointed_out(self._error) if self._error else []
        self.styles.height = max(1, len(self._wrong))
        self.refresh()

    def on_resize(self) -> None:
        """See whether what is wrong still fits beside its place."""
        self._redraw()

    def render_line(self, y: int) -> Strip:
        """Draw it; what is wrong comes before all else."""
        self._places = []
        if y < len(self._wrong):
            text = self._wrong[y].copy()
            text.style = ink(self, "hints--wrong")
        elif y:
            text = Text()
        elif self._typing and self._completions:
            text = self._offered(self.size.width)
        else:
            text = self._told()
        return strip(self, text)

    def _pointed_out(self, error: QueryError) -> list[Text]:
        """Carets below the place, and the reason beside them or, where it is long, below them."""
        carets = "^" * max(1, cell_len(error.query[error.start : error.end]))
        reason = line(str(error))
        start = max(0, self._offset)
        after = start + len(carets) + 1
        if after + cell_len(reason) <= self.size.width:
            return [Text(f"{' ' * start}{carets} {reason}")]
        before = start - cell_len(reason) - 1
        if before > 0:
            return [Text(f"{' ' * before}{reason} {carets}")]
        rows = islice(wrap(Text(reason), max(self.size.width - 2, 8)), _ROWS)
        return [Text(f"{' ' * start}{carets}"), *(Text.assemble(" ", row) for row in rows)]

    def _offered(self, width: int) -> Text:
        offered = ink(self, "hints--completion")
        marked = ink(self, "hints--marked")
        text = Text("  ")
        for number, label in enumerate(self._labels):
            shown = f" {line(label)} "
            if number != self._marked and text.cell_len + cell_len(shown) > width:
                break
            start = text.cell_len
            text.append(shown, marked if number == self._marked else offered)
            self._places.append((range(start, text.cell_len), self._completions[number]))
        return text

    def _told(self) -> Text:
        style = ink(self, "hints--note")
        text = Text("  ")
        if self._suggestion:
            text.append("did you mean ", style)
            start = text.cell_len
            marked = ink(self, "hints--marked")
            text.append(f" {line(self._suggestion)} ", marked)
            self._places.append((range(start, text.cell_len), self._suggestion))
            text.append("  ")
        text.append(line(self._note), style)
        return text

    def on_click(self, event: events.Click) -> None:
        """Take what was clicked."""
        for cells, text in self._places:
            if event.x in cells:
                self.post_message(self.Taken(text))


def _difference(text: str, completed: str) -> str:
    """The word that a completion is about: what is left without what both have in common."""
    head = 0
    while head < min(len(text), len(completed)) and text[head] == completed[head]:
        head += 1
    start = max(completed.rfind(" ", 0, head), completed.rfind("(", 0, head)) + 1
    tail = 0
    while tail < min(len(text), len(completed)) - head and text[-1 - tail] == completed[-1 - tail]:
        tail += 1
    return completed[start : len(completed) - tail]
