"""Below the search line: what is wrong with what stands in it, or what it may become."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.message import Message
from textual.strip import Strip

from searchfeed.errors import QueryError
from searchfeed.output.clean import line
from searchfeed.output.wrapping import wrap
from searchfeed.tui.drawing import ink, strip
from searchfeed.tui.lined import Lined

_ROWS = 3
"""Rows that a reason has at most."""


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
