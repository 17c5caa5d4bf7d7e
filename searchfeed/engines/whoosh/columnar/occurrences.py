"""The occurrences of one field's terms in the documents of a segment, as they are collected.

A text comes as stretches, which are words with what stands around them. Each is a number from when
it is first seen. Many that are new are analyzed at once, and what each is indexed as is put in its
place for the whole segment.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import accumulate, count, islice
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Analyze: TypeAlias = Callable[
    [Sequence[str]], tuple[Sequence[str], Sequence[int], Sequence[int], Sequence[int]]
]
"""From stretches to the terms of all of them, the position of each counted from the start of its
stretch, never descending, how many terms each stretch has, and how many positions it takes. A
stretch always gives the same, whatever stands beside it."""

GAP = ""
"""The stretch that stands between two values of a field."""

LONGEST_REMEMBERED = 40
"""Longer stretches (a paragraph of Japanese, an address) do not come back."""

AT_ONCE = 500_000
"""Characters of texts after which the stretches that are new in them are analyzed."""

OCCURRENCE_BYTES = 48
"""What an occurrence of a term or a stretch costs in memory, the sort at the end included."""

STRETCH_BYTES = 180
"""What a distinct stretch costs in memory, without its terms."""


class Occurrences(NamedTuple):
    """Terms in the order in which they stand in the documents of a segment.

    Attributes:
        words: the distinct terms, by number; some may not occur.
        terms: for each occurrence the number of its term.
        positions: for each occurrence its position; None where the field keeps none.
        counts: how many occurrences each document has; shape (documents,).
    """

    words: Sequence[bytes]
    terms: NDArray[np.int32]
    positions: NDArray[np.int32] | None
    counts: NDArray[np.int32]

    def documents(self) -> NDArray[np.int32]:
        """For each occurrence the number of its document."""
        return np.repeat(np.arange(len(self.counts), dtype=np.int32), self.counts)


class Numbers(dict[str | bytes, int]):
    """Terms to numbers, in the order in which they are first asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[bytes] = []

    def __missing__(self, term: str | bytes) -> int:
        self.words.append(term if isinstance(term, bytes) else term.encode())
        number = self[term] = len(self.words) - 1
        return number


class Stretches:
    """Stretches to numbers, and what each is indexed as.

    Args:
        analyze: tells what stretches are indexed as.
    """

    def __init__(self, analyze: Analyze) -> None:
        self.numbers = Numbers()
        self._analyze = analyze
        self._next = count().__next__
        self._known: defaultdict[str, int] = defaultdict(self._next)
        # So many of them have been analyzed; the others stand in texts of so many characters.
        self._settled = 0
        self._waiting = 0
        self._terms = array("i")
        self._positions = array("i")
        self._starts = array("i", (0,))
        self._widths = array("i")

    def split(self, values: Sequence[str]) -> array[int]:
        """The numbers of the stretches of one text or more, with a gap between two."""
        stretches = values[0].split()
        for value in values[1:]:
            stretches.append(GAP)
            stretches += value.split()
        # A list is twice as fast as an iterator here.
        numbers = array("i", list(map(self._known.__getitem__, stretches)))
        self._waiting += sum(map(len, values))
        if self._waiting > AT_ONCE:
            self._settle()
        return numbers

    def _settle(self) -> None:
        """Analyze the stretches that are new."""
        self._waiting = 0
        fresh = list(islice(reversed(self._known), len(self._known) - self._settled))
        if not fresh:
            return
        fresh.reverse()
        terms, positions, counts, widths = self._analyze(fresh)
        self._terms.extend(list(map(self.numbers.__getitem__, terms)))
        self._positions.extend(positions)
        self._starts.extend(accumulate(counts, initial=self._starts.pop()))
        self._widths.extend(widths)
        for stretch in fresh:
            if len(stretch) > LONGEST_REMEMBERED:
                del self._known[stretch]
        self._settled = len(self._known)

    def make(self, terms: Sequence[str], positions: Sequence[int]) -> int:
        """The number of a stretch that does not come back, indexed as said.

        Raises:
            ValueError: positions descend, are negative, or are not one for each term.
            UnicodeEncodeError: a term cannot be written as UTF-8.
        """
        places = list(positions)
        if len(places) != len(terms):
            raise ValueError(f"{len(terms)} terms, {len(places)} positions")
        if places and (places[0] < 0 or sorted(places) != places):
            raise ValueError("positions must not be negative, and not descend")
        numbers = list(map(self.numbers.__getitem__, terms))
        self._settle()
        self._terms.extend(numbers)
        self._positions.extend(places)
        self._starts.append(len(self._terms))
        self._widths.append(0)
        return self._next()

    @property
    def size(self) -> int:
        """About how many bytes of memory they cost; their occurrences come on top.

        That a stretch of several terms, which are few or come once, has an occurrence for each is
        counted here. What is not analyzed yet is not.
        """
        return len(self._widths) * STRETCH_BYTES + len(self._terms) * OCCURRENCE_BYTES

    def expand(
        self, stretches: NDArray[np.int32], counts: NDArray[np.int32]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
        """Put terms in the place of stretches.

        Args:
            stretches: their numbers, document after document.
            counts: how many each document has, at least 1.

        Returns:
            The terms, the position of each, and how many terms each document has.
        """
        if not len(stretches):
            return stretches, stretches, stretches
        self._settle()
        starts, widths = view(self._starts), view(self._widths)[stretches]
        amounts = np.diff(starts)[stretches]
        firsts = np.cumsum(counts, dtype=np.int32) - counts
        positions = np.cumsum(widths, dtype=np.int32) - widths
        positions -= np.repeat(positions[firsts], counts)
        ends = np.cumsum(amounts, dtype=np.int32)
        places = np.repeat(starts[stretches] - (ends - amounts), amounts)
        places += np.arange(len(places), dtype=np.int32)
        found = np.repeat(positions, amounts)
        found += view(self._positions)[places]
        return view(self._terms)[places], found, np.add.reduceat(amounts, firsts, dtype=np.int32)


def view(numbers: array[int]) -> NDArray[np.int32]:
    """An array of type code ``i`` for numpy, not copied; it must not grow while this is in use."""
    return np.frombuffer(numbers, dtype=np.int32) if numbers else np.zeros(0, dtype=np.int32)
