"""How many of the entries that were found are of which time, as bars to narrow by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from searchfeed.models import Bucket, Facet, Trend
from searchfeed.output.chart import STANDING, mark, scaled
from searchfeed.output.human import count
from searchfeed.tui.criteria import Condition
from searchfeed.tui.drawing import ink, spoken, strip
from searchfeed.tui.lined import Lined
from searchfeed.values import dataclass

_FULL = len(STANDING) - 1
"""Steps of a cell."""


@dataclass(frozen=True, slots=True)
class Column:
    """Neighbouring buckets that share a bar."""

    first: Bucket
    last: Bucket
    count: int


class Timeline(Lined, can_focus=True):
    """Bars of the counts over time; one, or several side by side, can be chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move(-1)", "Earlier", id="earlier"),
        Binding("right,l", "move(1)", "Later", id="later"),
        Binding(
            "shift+left,H", "extend(-1)", "Widen", id="widen-back", key_display="H L", show=False
        ),
        Binding("shift+right,L", "extend(1)", "Widen", id="widen", key_display="H L"),
        Binding("enter,space", "narrow", "Narrow", id="narrow"),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {"timeline--bar", "timeline--chosen", "timeline--label"}

    cursor = reactive(-1)
    other = reactive(-1)

    @dataclass
    class Narrowed(Message):
        """A stretch of time was chosen."""

        condition: Condition

    @dataclass
    class Pointed(Message):
        """What is chosen now, in words; empty where nothing is."""

        text: str

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._buckets: tuple[Bucket, ...] = ()
        self._columns: list[Column] = []
        self._columns_for: tuple[object, ...] = ()
        self._cell = 1

    def show(self, trend: Trend | None) -> None:
        """Show these counts; what was chosen in others is not."""
        self._buckets = trend.buckets if trend else ()
        self.cursor = self.other = -1
        self.refresh()

    @property
    def columns(self) -> list[Column]:
        """The bars there is room for."""
        room = max(self.size.width - 2 * self._label_width - 2, 8)
        key = (room, self._buckets)
        if self._columns_for != key:
            together = -(-len(self._buckets) // room) or 1
            self._columns = _columns(self._buckets, together)
            self._cell = max(1, min(room // max(len(self._columns), 1), 8))
            self._columns_for = key
        return self._columns

    @property
    def chosen(self) -> range:
        """The places of the bars that are chosen."""
        if self.cursor < 0:
            return range(0)
        other = self.cursor if self.other < 0 else self.other
        return range(min(self.cursor, other), max(self.cursor, other) + 1)

    @property
    def condition(self) -> Condition | None:
        """What is chosen, as a condition."""
        if not self.chosen:
            return None
        first = self.columns[self.chosen[0]].first.name
        last = self.columns[self.chosen[-1]].last.name
        value = first if first == last else f"{first}..{last}"
        return Condition(Facet.DAY, value, first if first == last else f"{first} to {last}")

    def validate_cursor(self, cursor: int) -> int:
        """Keep it on a bar."""
        return min(max(cursor, -1), len(self._columns) - 1)

    def watch_cursor(self) -> None:
        """Say what is chosen."""
        text = ""
        if condition := self.condition:
            number = sum(self.columns[place].count for place in self.chosen)
            text = f"{condition.label}: {count(number, 'entry')}"
        self.post_message(self.Pointed(text))

    def render_line(self, y: int) -> Strip:
        """A line of the bars, the lowest between the names of the first and the last."""
        width, height = self.size
        columns = self.columns
        ground = self.rich_style
        if not columns:
            return Strip.blank(width, ground)
        told = spoken(self)
        return strip(self, self._told(columns) if told else self._bars(columns, y, height))

    def _bars(self, columns: Sequence[Column], y: int, height: int) -> Text:
        bar = ink(self, "timeline--bar")
        marked = ink(self, "timeline--chosen")
        label = ink(self, "timeline--label")
        lowest = y == height - 1
        most = max(column.count for column in columns)
        name = columns[0].first.name if lowest else ""
        line = Text(f"{name:>{self._label_width}} ", label)
        chosen = self.chosen if self.has_focus or self.other >= 0 else range(0)
        for place, column in enumerate(columns):
            level = scaled(column.count, most, height * _FULL)
            gap = " " if self._cell > 2 else ""
            cell = mark(level, height - 1 - y, STANDING) * (self._cell - len(gap)) + gap
            line.append(cell, marked if place in chosen else bar)
        if lowest:
            line.append(f" {columns[-1].last.name}", label)
        return line

    def _told(self, columns: Sequence[Column]) -> Text:
        """The same in words, for those who do not see bars."""
        most = max(columns, key=lambda column: column.count)
        first, last = columns[0].first.name, columns[-1].last.name
        when = first if first == last else f"{first} to {last}"
        return Text(f" {when}, most in {most.first.name}: {most.count:,}")

    @property
    def _label_width(self) -> int:
        return len(self._buckets[0].name) + 1 if self._buckets else 0

    def _place(self, x: int) -> int | None:
        place = (x - self._label_width - 1) // self._cell
        return place if 0 <= place < len(self.columns) else None

    def on_focus(self) -> None:
        """Begin with the newest."""
        if self.cursor < 0:
            self.cursor = len(self.columns) - 1
        self.refresh()

    def on_blur(self) -> None:
        """Nothing is chosen any more."""
        self.cursor = self.other = -1

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin with this bar."""
        place = self._place(event.x)
        if place is not None:
            self.other = self.cursor = place
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Take in the bars up to this one."""
        place = self._place(event.x)
        if self.app.mouse_captured is self and place is not None:
            self.cursor = place

    def on_mouse_up(self) -> None:
        """Narrow to them."""
        if self.app.mouse_captured is self:
            self.release_mouse()
            self.action_narrow()

    def action_move(self, by: int) -> None:
        """Choose another bar."""
        self.other = -1
        self.cursor = max(self.cursor + by, 0)

    def action_extend(self, by: int) -> None:
        """Choose one more, or one less."""
        if self.other < 0:
            self.other = self.cursor
        self.cursor = max(self.cursor + by, 0)

    def action_narrow(self) -> None:
        """Keep to what is chosen."""
        if self.condition:
            self.post_message(self.Narrowed(self.condition))


def _columns(buckets: Sequence[Bucket], together: int) -> list[Column]:
    starts = range(0, len(buckets), together)
    groups = (buckets[start : start + together] for start in starts)
    return [Column(group[0], group[-1], sum(each.count for each in group)) for group in groups]
