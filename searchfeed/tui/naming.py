"""The line in which a search that is to be saved gets its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from searchfeed.errors import QueryError
from searchfeed.tui.hints import Hints

_PROMPT = 2
"""Cells before the name; as many as before a query."""


class NameField(Input):
    """Where the name is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Save", id="keep"),
        Binding("escape", "screen.back", "Back", id="back"),
    ]


class NameLine(Vertical):
    """The name, and below it what is wrong with it; the results stay in sight."""

    @dataclass
    class Named(Message):
        """A name was given.

        Attributes:
            name: as it was typed, perhaps with the sign before it.
            replace: whether a search that has the name already may lose it.
        """

        name: str
        replace: bool

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._taken = ""

    def compose(self) -> ComposeResult:
        """The sign that stands before the name in a query, and the name."""
        with Horizontal(id="name-ask"):
            yield Static("@", id="name-prompt", markup=False)
            yield NameField(id="name", compact=True, placeholder="name")
        yield Hints(id="name-hints")

    def on_mount(self) -> None:
        """Find the parts."""
        self.field = self.query_one("#name", NameField)
        self._hints = self.query_one("#name-hints", Hints)

    def ask(self, text: str) -> None:
        """Ask what ``text`` is to be called."""
        self.field.value = ""
        self._changed()
        self._hints.tell(f"will stand for: {text}")
        self.screen.set_focus(self.field)

    def refuse(self, reason: str, taken: str = "") -> None:
        """Show why it is not saved; a name that is ``taken`` replaces when it is given again."""
        name = self.field.value
        self._taken = taken
        error = QueryError(name, 0, len(name), reason)
        self._hints.point_out(error, _PROMPT)

    @on(Input.Changed, "#name")
    def _changed(self) -> None:
        self._taken = ""
        self._hints.point_out(None)

    @on(Input.Submitted, "#name")
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Named(event.value, replace=self._taken == event.value))
