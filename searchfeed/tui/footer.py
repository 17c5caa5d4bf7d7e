"""The two lines at the bottom of the screen: where one is, and what the keys do."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.screen import Screen
from textual.strip import Strip
from textual.timer import Timer

from searchfeed.output.clean import line
from searchfeed.tui.drawing import ink, strip
from searchfeed.tui.lined import Lined

TOLD = 12.0
"""Seconds for which it is shown what was done."""


class KeyLine(Lined):
    """What the keys do where the focus is, as far as there is room; a click does it as well.

    Textual's own has a widget for each key and makes them all anew whenever one changes, which
    costs more than a search.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"keys--key", "keys--what"}

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._places: list[tuple[range, str]] = []

    def on_mount(self) -> None:
        """Follow what the keys do."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[object]) -> None:
        if screen is self.screen:
            self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002
        """Each key once, with what it does."""
        key_style, style = ink(self, "keys--key"), ink(self, "keys--what")
        text = Text(" ")
        told: set[str] = set()
        self._places = []
        for _, binding, enabled, _ in self.screen.active_bindings.values():
            if not (binding.show and enabled) or binding.action in told:
                continue
            told.add(binding.action)
            shown = Text.assemble(
                (self.app.get_key_display(binding), key_style), (f" {binding.description}", style)
            )
            if text.cell_len + shown.cell_len > self.size.width:
                break
            self._places.append((range(text.cell_len, text.cell_len + shown.cell_len), binding.key))
            text.append_text(shown)
            text.append("  ")
        text.rstrip()
        return strip(self, text)

    def on_click(self, event: events.Click) -> None:
        """As if the key had been pressed."""
        for cells, key in self._places:
            if event.x in cells:
                self.app.simulate_key(key)


class StatusLine(Lined):
    """What has just been done, and to its right where one is."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"status--message"}

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._message = ""
        self._facts = ""
        self._timer: Timer | None = None

    def tell(self, message: str) -> None:
        """Show for a while what has just been done; it is no markup."""
        if self._timer:
            self._timer.stop()
        self._timer = self.set_timer(TOLD, lambda: self.tell("")) if message else None
        self._change(line(message).strip(), self._facts)

    def show(self, facts: str) -> None:
        """Show where one is."""
        self._change(self._message, facts)

    def _change(self, message: str, facts: str) -> None:
        if (message, facts) != (self._message, self._facts):
            self._message, self._facts = message, facts
            self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002
        """The message has the whole line where there is no room for both."""
        text = Text(f" {self._message}", ink(self, "status--message"))
        facts = Text(f"{self._facts} ")
        gap = self.size.width - text.cell_len - facts.cell_len
        if self._message and gap < 1:
            return strip(self, text)
        return strip(self, Text.assemble(text, " " * gap, facts))
