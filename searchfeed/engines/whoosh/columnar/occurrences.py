"""The occurrences of one field's terms in the documents of a segment, as they are collected.

A text comes as stretches, which are words with what stands around them. Each is analyzed when it
is first seen; from then on it is a number, and what it is indexed as is put in its place for the
whole segment at once.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Analyze: TypeAlias = Callable[[str], tuple[Sequence[str], Sequence[int], int]]
"""From a stretch to its terms, the position of each counted from its start, never descending, and
how many positions it takes. The same stretch always gives the same."""


LONGEST_REMEMBERED = 40
"""Longer stretches (a paragraph of Japanese, an address) do not come back."""

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


class Stretches(dict[str, int]):
    """Stretches to numbers, and what each is indexed as.

    Args:
        numbers: those of the terms.
        analyze: tells what a stretch is indexed as.
    """

    def __init__(self, numbers: Numbers, analyze: Analyze) -> None:
        super().__init__()
        self._numbers = numbers
        self._analyze = analyze
        self._terms = array("i")
        self._positions = array("i")
        self._starts = array("i", (0,))
        self._widths = array("i")

    def __missing__(self, stretch: str) -> int:
        terms, positions, width = self._analyze(stretch)
        numbers = [self._numbers[term] for term in terms]
        number = self._keep(numbers, positions, width)
        if len(stretch) <= LONGEST_REMEMBERED:
            self[stretch] = number
        return number

    def make(self, terms: Sequence[str], positions: Sequence[int], width: int) -> int:
        """The number of a stretch that does not come back, indexed as said.

        Raises:
            ValueError: positions descend, are negative, or are not one for each term.
            UnicodeEncodeError: a term cannot be written as UTF-8.
        """
        numbers = array("i", list(map(self._numbers.__getitem__, terms)))
        places = list(positions)
        if len(places) != len(numbers):
            raise ValueError(f"{len(numbers)} terms, {len(places)} positions")
        if places and (places[0] < 0 or sorted(places) != places):
            raise ValueError("positions must not be negative, and not descend")
        return self._keep(numbers, places, width)

    def _keep(self, terms: Iterable[int], positions: Iterable[int], width: int) -> int:
        self._terms.extend(terms)
        self._positions.extend(positions)
        self._starts.append(len(self._terms))
        self._widths.append(width)
        return len(self._widths) - 1

    @property
    def size(self) -> int:
        """About how many bytes of memory they cost; their occurrences come on top.

        That a stretch of several terms, which are few or come once, has an occurrence for each is
        counted here.
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
