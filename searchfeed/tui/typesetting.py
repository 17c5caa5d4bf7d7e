"""Text in rows of a given width.

A sheet is a text with what its ranges are. Nothing is drawn here: a row is three numbers, and its
pieces are worked out when it is in sight. A long text is made of several sheets.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import field
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from rich.cells import cell_len

from searchfeed.models import Entry, Span
from searchfeed.output.wrapping import lead, starts
from searchfeed.values import dataclass

Goal: TypeAlias = str | Entry
"""Where a place that can be chosen leads: to an address, or to another entry."""

_FIRST_CHUNK = 8_192
_CHUNK = 32_768
"""Characters that are worked on at a time: what works on more at once keeps all other threads from
running, and the screen with them. The first piece is shorter, because it is waited for."""


class Row(NamedTuple):
    """A row of a sheet: a half-open range of its text, and the cells that stay empty before it."""

    start: int
    end: int
    indent: int


class Part(NamedTuple):
    """A half-open range of a text, and what it is."""

    start: int
    end: int
    role: str


class Target(NamedTuple):
    """A half-open range of a text that can be chosen, and where it leads."""

    start: int
    end: int
    goal: Goal


class Piece(NamedTuple):
    """A piece of a row: its text, what it is, and the numbers of its match and its target."""

    text: str
    role: str
    match: int | None = None
    target: int | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A clean text with newlines, and what its ranges are.

    The ranges of each kind are in order and do not overlap; those of different kinds may.
    """

    text: str
    parts: Sequence[Part] = ()
    matches: Sequence[Span] = ()
    targets: Sequence[Target] = ()

    def pieces(self, row: Row) -> Iterator[Piece]:
        """The row from its start to its end."""
        start, end, _ = row
        parts = _overlapping(self.parts, start, end)
        matches = _overlapping(self.matches, start, end)
        targets = _overlapping(self.targets, start, end)
        cuts = {start, end}
        for ranges, found in (
            (self.parts, parts),
            (self.matches, matches),
            (self.targets, targets),
        ):
            for number in found:
                cuts.update((max(ranges[number].start, start), min(ranges[number].end, end)))
        for first, last in pairwise(sorted(cuts)):
            part = _at(self.parts, parts, first)
            yield Piece(
                self.text[first:last],
                "" if part is None else self.parts[part].role,
                _at(self.matches, matches, first),
                _at(self.targets, targets, first),
            )


def _overlapping(ranges: Sequence[Span | Part | Target], start: int, end: int) -> range:
    """The numbers of the ranges that have a character in [start, end)."""
    first = bisect_right(ranges, start, key=lambda each: each.end)
    last = first
    while last < len(ranges) and ranges[last].start < end:
        last += 1
    return range(first, last)


def _at(ranges: Sequence[Span | Part | Target], among: range, place: int) -> int | None:
    for number in among:
        if ranges[number].start <= place < ranges[number].end:
            return number
    return None


@dataclass(slots=True)
class Composer:
    """Puts a sheet together: what is added comes behind what is there."""

    _texts: list[str] = field(default_factory=list)
    _length: int = 0
    _parts: list[Part] = field(default_factory=list)
    _matches: list[Span] = field(default_factory=list)
    _targets: list[Target] = field(default_factory=list)

    def add(
        self, text: str, role: str = "", *, matches: Sequence[Span] = (), goal: Goal | None = None
    ) -> None:
        """Add a clean text that is all of one role, with what matches in it."""
        if not text:
            return
        start, end = self._length, self._length + len(text)
        self._texts.append(text)
        self._length = end
        if role:
            self._parts.append(Part(start, end, role))
        if goal is not None:
            self._targets.append(Target(start, end, goal))
        self._matches += [Span(start + each.start, start + each.end) for each in matches]

    def sheet(self) -> Sheet:
        """What was put together."""
        return Sheet("".join(self._texts), self._parts, self._matches, self._targets)


class Rows:
    """The rows of a sheet, as numbers side by side: a million of them are no work for the
    garbage collector, which would stop the screen meanwhile.
    """

    def __init__(self) -> None:
        self._starts = array("I")
        self._ends = array("I")
        self._indents = array("B")

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, number: int) -> Row:
        return Row(self._starts[number], self._ends[number], self._indents[number])

    def __iter__(self) -> Iterator[Row]:
        return map(Row, self._starts, self._ends, self._indents)

    def add(self, start: int, end: int, indent: int) -> None:
        """Add a row."""
        self._starts.append(start)
        self._ends.append(end)
        self._indents.append(indent)

    def row_of(self, character: int) -> int:
        """The number of the row that a character stands in, or would stand in."""
        return max(bisect_right(self._starts, character) - 1, 0)


def lay_out(text: str, width: int) -> Rows:
    """The rows of a clean text, none wider than ``width`` cells; its lines keep to themselves.

    What follows the first row of a list's entry stands behind its mark.
    """
    width = max(width, 1)
    rows = Rows()
    start = 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        if end - start <= width and text.isascii():
            rows.add(start, end, 0)
        else:
            _lay_out_line(text[start:end], start, width, rows)
        start = end + 1
    return rows


def _lay_out_line(line: str, start: int, width: int, rows: Rows) -> None:
    hanging = lead(line)
    hanging = hanging if hanging <= width // 2 else 0
    # The mark is in the first row only, and the others stand behind it: all have equal room.
    own = line[hanging:]
    for at, until in pairwise([0, *starts(own, width - hanging), len(own)]):
        end = hanging + at + len(own[at:until].rstrip())
        if at == 0:
            rows.add(start, start + end, 0)
        else:
            rows.add(start + hanging + at, start + end, hanging)


def chunks(text: str) -> Iterator[str]:
    """The text in pieces that can be worked on at once, cut at the ends of lines if possible.

    The newline at which it is cut belongs to no piece.
    """
    start, room = 0, _FIRST_CHUNK
    while len(text) - start > room:
        cut = text.rfind("\n", start, start + room)
        if cut > start:
            yield text[start:cut]
            start = cut + 1
        else:
            cut = text.rfind(" ", start, start + room) + 1
            cut = cut if cut > start else start + room
            yield text[start:cut]
            start = cut
        room = _CHUNK
    yield text[start:]


def character_at(text: str, cell: int) -> int:
    """The character of a line of text that stands in a cell; its length where there is none."""
    for number in range(len(text)):
        if cell_len(text[: number + 1]) > cell:
            return number
    return len(text)
