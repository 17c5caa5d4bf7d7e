"""What results are kept to, as chips to be taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.message import Message
from textual.strip import Strip

from searchfeed.output.clean import line
from searchfeed.tui.criteria import Condition, Criteria
from searchfeed.tui.drawing import ink, spoken, strip
from searchfeed.tui.lined import Lined

_LONGEST = 40


class Chips(Lined):
    """A chip for each condition, and one for the entry that others are to be like."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"chips--chip"}

    @dataclass
    class Removed(Message):
        """A chip was clicked; None is the one of the entry."""

        condition: Condition | None

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._criteria = Criteria()
        self._places: list[tuple[range, Condition | None]] = []

    def show(self, criteria: Criteria) -> None:
        """Show what these criteria are kept to; nothing at all where they are not."""
        before, self._criteria = self._criteria, criteria
        if (before.conditions, before.like) != (criteria.conditions, criteria.like):
            # Not with each letter, for Textual looks at everything again for what is out of sight.
            self.display = bool(criteria.conditions or criteria.like)
            self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002
        """Draw them."""
        width = self.size.width
        style = ink(self, "chips--chip")
        cross = "x" if spoken(self) else "×"
        text = Text("  ")
        self._places = []
        chips: list[tuple[str, Condition | None]]
        if like := self._criteria.like:
            chips = [(f"more like: {line(like.title).strip() or like.id}", None)]
        else:
            chips = [
                (f"{each.name}: {line(each.label)}", each) for each in self._criteria.conditions
            ]
        for label, condition in chips:
            start = text.cell_len
            chip = Text(f" {label}", style)
            chip.truncate(width - 6 if condition is None else _LONGEST, overflow="ellipsis")
            chip.append(f" {cross} ", style)
            text.append_text(chip)
            self._places.append((range(start, text.cell_len), condition))
            text.append(" ")
        return strip(self, text)

    def on_click(self, event: events.Click) -> None:
        """Take it away."""
        for cells, condition in self._places:
            if event.x in cells:
                self.post_message(self.Removed(condition))
