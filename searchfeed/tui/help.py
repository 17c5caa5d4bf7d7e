"""What can be done here, and how to ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from searchfeed.query.cheatsheet import GROUPS

_KEYS = 20
_EXAMPLE = 34


class Help(ModalScreen[None]):
    """The keys that work where it was called, and the query language by example.

    Args:
        parts: titles, and below each of them rows of keys and what they do.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,enter", "dismiss", "Close", id="close"),
        Binding("j,down", "scroll(1)", "Down", id="down", show=False),
        Binding("k,up", "scroll(-1)", "Up", id="up", show=False),
        Binding("pagedown,space", "scroll(10)", "A page down", id="page-down", show=False),
        Binding("pageup", "scroll(-10)", "A page up", id="page-up", show=False),
    ]

    def __init__(self, parts: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> None:
        super().__init__()
        self._parts = parts

    def compose(self) -> ComposeResult:
        """A column that scrolls."""
        with VerticalScroll(id="help"):
            yield Static(self._text(), id="help-text", markup=False)

    def _text(self) -> Text:
        text = Text()
        for parts, width in ((self._parts, _KEYS), (GROUPS, _EXAMPLE)):
            for title, rows in parts:
                text.append(f"{title}\n", "bold")
                for typed, what in rows:
                    text.append(f"  {typed:<{width}} {what}\n")
                text.append("\n")
        text.rstrip()
        return text

    def action_scroll(self, by: int) -> None:
        """Scroll by so many lines."""
        self.query_one("#help", VerticalScroll).scroll_relative(y=by, animate=False)
