"""A page about an entry: its sheets in order, and what stands where on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from searchfeed.models import Span
from searchfeed.tui.typesetting import Row, Rows, Sheet, Target, lay_out
from searchfeed.values import dataclass

_ORDER = ("head", "history", "body", "links", "related")
_MATCHING = ("head", "body")
_NUMBERED = ("links", "related")


class Place(NamedTuple):
    """A place on the page: a section, the number of a sheet in it, and a number in that sheet.

    The last is the one of a character, of a match or of a target.
    """

    section: str
    sheet: int = 0
    number: int = 0


@dataclass(frozen=True, slots=True)
class Laid:
    """A sheet and its rows."""

    sheet: Sheet
    rows: Rows


def laid(sheet: Sheet, width: int) -> Laid:
    """The sheet in rows of at most so many cells."""
    return Laid(sheet, lay_out(sheet.text, width))


class Page:
    """What there is to read, as far as it is laid out.

    Attributes:
        comparing: whether the history stands in the place of the text.
    """

    def __init__(self) -> None:
        self._sections: dict[str, list[Laid]] = {}
        self.comparing = False

    def __len__(self) -> int:
        """How many lines there are."""
        return sum(len(laid.rows) for _, laid in self._shown())

    def __contains__(self, section: object) -> bool:
        return section in self._sections

    def add(self, section: str, laid: Laid) -> None:
        """Add a sheet at the end of a section."""
        self._sections.setdefault(section, []).append(laid)

    def mark(self, sheet: int, matches: tuple[Span, ...]) -> None:
        """Tell what matches in a sheet of the body."""
        laid = self._sections["body"][sheet]
        marked = replace(laid.sheet, matches=matches)
        self._sections["body"][sheet] = Laid(marked, laid.rows)

    def _shown(self) -> Iterator[tuple[Place, Laid]]:
        hidden = "body" if self.comparing and "history" in self._sections else "history"
        for section in _ORDER:
            if section != hidden:
                yield from self._of(section)

    def _of(self, *sections: str) -> Iterator[tuple[Place, Laid]]:
        for section in sections:
            for number, laid in enumerate(self._sections.get(section, ())):
                yield Place(section, number), laid

    def rows(self) -> Iterator[tuple[Sheet, Row]]:
        """All lines."""
        for _, laid in self._shown():
            for row in laid.rows:
                yield laid.sheet, row

    def at(self, line: int) -> tuple[Place, Sheet, Row] | None:
        """The place where a line begins, its sheet and its row; None below the last."""
        for place, laid in self._shown():
            if line < len(laid.rows):
                row = laid.rows[line]
                return place._replace(number=row.start), laid.sheet, row
            line -= len(laid.rows)
        return None

    def line_of(self, place: Place) -> int | None:
        """The line that has a character; None where it is not there (yet)."""
        before = 0
        for each, laid in self._shown():
            if each[:2] == place[:2]:
                return before + laid.rows.row_of(place.number)
            before += len(laid.rows)
        return None

    @property
    def matches(self) -> int:
        """How many there are, as far as they have been looked for."""
        return sum(len(laid.sheet.matches) for _, laid in self._of(*_MATCHING))

    def match(self, number: int) -> Place:
        """Where the match with that number, from 0, begins.

        Raises:
            IndexError: there is none.
        """
        for place, laid in self._of(*_MATCHING):
            matches = laid.sheet.matches
            if number < len(matches):
                return place._replace(number=matches[number].start)
            number -= len(matches)
        raise IndexError(number)

    @property
    def numbered(self) -> int:
        """How many targets the lists below the text have."""
        return sum(len(laid.sheet.targets) for _, laid in self._of(*_NUMBERED))

    def numbered_target(self, number: int) -> Place | None:
        """The target with that number, from 1, in the lists below the text."""
        number -= 1
        for place, laid in self._of(*_NUMBERED):
            if number < len(laid.sheet.targets):
                return place._replace(number=number)
            number -= len(laid.sheet.targets)
        return None

    def target(self, place: Place) -> Target | None:
        """The target with the number of a place; None where it is not there (any more)."""
        for each, laid in self._shown():
            if each[:2] == place[:2] and place.number < len(laid.sheet.targets):
                return laid.sheet.targets[place.number]
        return None

    def next_target(self, place: Place | None, step: int) -> Place | None:
        """The target after (``step`` 1) or before (-1) one, or at the start or end of the page."""
        sheets = [(each, len(laid.sheet.targets)) for each, laid in self._shown()][::step]
        if place:
            at = next((n for n, (each, _) in enumerate(sheets) if each[:2] == place[:2]), None)
            if at is not None:
                if 0 <= place.number + step < sheets[at][1]:
                    return place._replace(number=place.number + step)
                sheets = sheets[at + 1 :]
        for each, count in sheets:
            if count:
                return each._replace(number=0 if step > 0 else count - 1)
        return None
