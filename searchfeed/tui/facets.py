"""The side bar: what the entries that were found have in common, to be narrowed by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from searchfeed.models import Facet, FacetCount
from searchfeed.output.clean import line
from searchfeed.tui.criteria import Condition, Criteria
from searchfeed.tui.drawing import BARE, Pieces, fitted, spoken
from searchfeed.tui.listing import Listing

TITLES = {
    Facet.FEED: "Feeds",
    Facet.TAG: "Tags",
    Facet.LANGUAGE: "Languages",
    Facet.YEAR: "Years",
}
"""The facets that are counted by, in this order, and what stands above the values of each."""


class FacetBar(Listing):
    """A heading for each facet, and below it its values, the largest counts first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "narrow", "Narrow", id="narrow"),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "facets--heading",
        "facets--count",
        "facets--held",
    }

    @dataclass
    class Toggled(Message):
        """A value was chosen, or is no longer."""

        condition: Condition

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._rows: list[Facet | Condition] = []
        self._numbers: dict[int, str] = {}
        self._counts: dict[tuple[Facet, str], int] = {}
        self._held: frozenset[tuple[Facet, str]] = frozenset()

    def show(self, facets: Mapping[Facet, tuple[FacetCount, ...]], criteria: Criteria) -> None:
        """Show the counts, and all values that results are kept to, whatever their count."""
        under = self._rows[self.cursor] if self._rows else None
        self._held = frozenset(each.key for each in criteria.conditions)
        self._counts = {
            (facet, each.value): each.count for facet, counts in facets.items() for each in counts
        }
        self._rows = []
        for facet in TITLES:
            counts = facets.get(facet, ())
            values = [Condition(facet, each.value, line(each.label)) for each in counts]
            known = {each.value for each in values}
            values += [
                each
                for each in criteria.conditions
                if each.facet is facet and each.value not in known
            ]
            if facet is Facet.YEAR:
                values.sort(key=lambda each: each.value, reverse=True)
            if values:
                self._rows += [facet, *values]
        values_at = (row for row, each in enumerate(self._rows) if isinstance(each, Condition))
        self._numbers = dict(zip(values_at, "123456789", strict=False))
        self.count = len(self._rows)
        self.resize_rows()
        places = [row for row, each in enumerate(self._rows) if _key(each) == _key(under)]
        self.cursor = places[0] if places else min(1, self.count)

    def clear(self) -> None:
        """Show nothing."""
        self._rows = []
        self._numbers = {}
        self.count = 0
        self.resize_rows()

    @property
    def condition(self) -> Condition | None:
        """The value under the cursor."""
        row = self._rows[self.cursor] if self.cursor < self.count else None
        return row if isinstance(row, Condition) else None

    def draw(self, row: int, width: int) -> Sequence[Pieces]:
        """A heading, or a value with its count."""
        each = self._rows[row]
        simple = spoken(self)
        if isinstance(each, Facet):
            return [[(f" {TITLES[each]}", self.ink("facets--heading"))]]
        held = each.key in self._held
        pointer = (">" if simple else "▌") if row == self.cursor and self.has_focus else " "
        number = self._numbers.get(row, " ")
        chosen = ("x" if simple else "●") if held else number
        count = f"{self._counts.get(each.key, 0):,}"
        style, aside = self.ink("facets--held") if held else BARE, self.ink("facets--count")
        label = [(pointer, style), (chosen, aside + style), (f" {each.label}", style)]
        # A column for the scroll bar, and one to keep away from it.
        label = fitted(label, max(width - len(count) - 3, 4), BARE)
        return [[*label, (" ", BARE), (count, aside)]]

    def ground(self, row: int) -> Style:
        """The cursor is shown only while keys go here."""
        name = "listing--chosen" if row == self.cursor and self.has_focus else "listing--row"
        return self.ground_of(name)

    def reveal(self) -> None:
        """Scroll as little as it takes; with the first value its heading is in sight."""
        super().reveal()
        if self.cursor <= 1:
            self.scroll_to(y=0, animate=False, force=True, immediate=True)

    def move(self, by: int) -> None:
        """Move the cursor, headings passed over."""
        super().move(by)
        if self.condition is None:
            super().move(1 if by > 0 or not self.cursor else -1)

    def on_click(self, event: events.Click) -> None:
        """One click is enough."""
        super().on_click(event)
        if self.row_at(event.y) is not None:
            self.action_narrow()

    def action_narrow(self) -> None:
        """Narrow to the value under the cursor, or no longer."""
        if self.condition:
            self.post_message(self.Toggled(self.condition))

    def toggle(self, number: int) -> None:
        """Narrow to the value that has this number, or no longer."""
        for row, each in enumerate(self._rows):
            if isinstance(each, Condition) and self._numbers.get(row) == str(number):
                self.post_message(self.Toggled(each))


def _key(row: Facet | Condition | None) -> object:
    return row.key if isinstance(row, Condition) else row
