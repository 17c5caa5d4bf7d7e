"""What can be done here, and how to ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from searchfeed.output.wrapping import behind, wrap
from searchfeed.query.cheatsheet import GROUPS

_KEYS, _EXAMPLE = 20, 34
"""Cells of what is typed; what it does stands beside it, or below where there is no room."""

_WIDTH = 84
"""Cells that all of it takes at most."""


class Help(ModalScreen[None]):
    """The keys that work where it was called, and the query language by example.

    Args:
        parts: titles, and below each of them rows of keys and what they do.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,enter", "dismiss", "Close", id="close"),
        Binding("j,down", "scroll(1)", "Down", id="down", show=False),
        Binding("k,up", "scroll(-1)", "Up", id="up", show=False),
        Binding("pagedown,space,ctrl+f", "page(1)", "A page down", id="page-down", show=False),
        Binding("pageup,b,ctrl+b", "page(-1)", "A page up", id="page-up", show=False),
    ]

    def __init__(self, parts: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> None:
        super().__init__()
        self._parts = parts

    def compose(self) -> ComposeResult:
        """A column that scrolls."""
        # Its keys would come before those above.
        with VerticalScroll(id="help", can_focus=False):
            yield Static(id="help-text", markup=False)

    def on_resize(self, event: events.Resize) -> None:
        """Write it in the width that there is."""
        column = self.query_one("#help", VerticalScroll)
        around = column.styles.padding.width + column.styles.scrollbar_size_vertical
        room = min(event.size.width, _WIDTH) - around
        self.query_one("#help-text", Static).update(self._text(room))

    def _text(self, room: int) -> Text:
        lines: list[Text] = []
        for parts, width in ((self._parts, _KEYS), (GROUPS, _EXAMPLE)):
            for title, rows in parts:
                lines.append(Text(title, "bold"))
                beside = min(width, room // 2)
                if any(cell_len(typed) > beside for typed, _ in rows):
                    beside = 0
                for typed, what in rows:
                    lines += _row(typed, what, beside, room)
                lines.append(Text())
        return Text("\n").join(lines[:-1])

    def action_scroll(self, by: int) -> None:
        """Scroll by so many lines."""
        self.query_one("#help", VerticalScroll).scroll_relative(y=by, animate=False)

    def action_page(self, by: int) -> None:
        """Scroll by so many pages."""
        self.action_scroll(by * max(self.query_one("#help", VerticalScroll).size.height - 1, 1))


def _row(typed: str, what: str, beside: int, room: int) -> Iterator[Text]:
    """What is typed, and what it does in the column ``beside`` it, or below it where that is 0."""
    label = Text(f"  {typed}")
    if beside:
        label.pad_right(beside + 3 - label.cell_len)
        return behind(label, wrap(Text(what), room - label.cell_len))
    return chain(wrap(label, room), behind(Text("    "), wrap(Text(what), room - 4)))
