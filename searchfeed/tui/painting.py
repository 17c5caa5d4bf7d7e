"""Paints what follows each letter at once, without a look at all else on the screen."""

from __future__ import annotations

from collections.abc import Callable
from time import sleep

from rich.console import Console
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._compositor import CompositorUpdate
from textual.driver import Driver
from textual.events import Key
from textual.geometry import Region
from textual.message import Message
from textual.screen import Screen
from textual.strip import Strip

from searchfeed.tui.lined import Lined

TURN = 0.0005
"""Seconds in which the thread that writes to the terminal has written a paint."""


class Lines(CompositorUpdate):
    """Lines, each with the column and the row that it begins in."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, int, Strip]] = []

    def render_segments(self, console: Console) -> str:
        """What is sent to the terminal."""
        return "".join(f"\x1b[{y + 1};{x + 1}H{line.render(console)}" for x, y, line in self.lines)

    def __rich__(self) -> str:
        """What is read, one below the other."""
        return "\n".join(line.text for _, _, line in self.lines)


def whole(driver: type[Driver], pressed: Callable[[], object]) -> type[Driver]:
    """A driver that writes a paint in one piece.

    Textual writes its beginning, what is in it and its end one by one, in a thread that waits for
    its turn each time.

    Args:
        driver: of this system.
        pressed: is called when a key was pressed, in the thread that reads it, before anything is
            done about it.
    """

    class Whole(driver):  # type: ignore[valid-type, misc] # which one it is, the system says
        held = ""

        def write(self, data: str) -> None:
            """Write it with what is held back, unless a paint has begun that has not ended."""
            self.held += data
            if data == SYNC_END or not self.held.startswith(SYNC_START):
                held, self.held = self.held, ""
                super().write(held)

        def process_message(self, message: Message) -> None:
            """Pass on what the user did."""
            if isinstance(message, Key):
                pressed()
            super().process_message(message)

    return Whole


class Painter(Screen[None]):
    """A screen whose widgets can be painted out of turn."""

    def paint(self, *widgets: Lined) -> None:
        """Paint what has changed of these widgets, before anything else is done.

        Textual does so once it has nothing else to do, cuts the lines of all widgets around the
        change at the edges of all others, and puts them together again. With each letter that took
        longer than to find what it brings. Where Textual has to do more than to paint, or
        something lies on a widget, that is left to it.
        """
        if not self.is_active or self._layout_required or self._scroll_required:
            return
        update = Lines()
        for widget in widgets:
            if area := self._uncovered(widget):
                for y, line in widget.changed():
                    update.lines.append((area.x, area.y + y, line))
        if update.lines:
            # The parts of a paint that Textual has for every kind of update.
            self.app._display(self, update)  # noqa: SLF001

    def _uncovered(self, widget: Lined) -> Region | None:
        visible = self._compositor.visible_widgets
        if widget not in visible:
            return None
        area, clip = visible[widget]
        for other, (region, _) in visible.items():  # What is in front comes first.
            if other is widget:
                return area if clip.contains_region(area) else None
            if other.parent is not widget and region.overlaps(area):
                return None
        return None


def give_way() -> None:
    """Let other threads have their turn: the one that writes what is painted, and the search.

    Else they would wait for what is done about what is on the screen by then, as only one runs at
    a time.
    """
    sleep(TURN)
