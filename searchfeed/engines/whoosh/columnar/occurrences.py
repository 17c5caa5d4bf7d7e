"""The occurrences of one field's terms in the documents of a segment, as they are collected.

A text is cut into stretches, which are words with what stands around them. Those that are new in
some texts are analyzed at once; then what each is indexed as is put in its place.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from searchfeed.engines.whoosh.columnar.cutting import Cutter, pick

if TYPE_CHECKING:
    from numpy.typing import NDArray

Analyze: TypeAlias = Callable[
    [Sequence[str]], tuple[Sequence[str], Sequence[int], Sequence[int], Sequence[int]]
]
"""From stretches to the terms of all of them, the position of each counted from the start of its
stretch, never descending, how many terms each stretch has, and how many positions it takes. A
stretch always gives the same, whatever stands beside it."""

OCCURRENCE_BYTES = 48
"""What an occurrence of a term costs in memory, the sort at the end included."""

STRETCH_BYTES = 110
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


class Numbers:
    """Terms to numbers, in the order in which they are first asked for."""

    def __init__(self) -> None:
        self._known: dict[str | bytes, int] = {}
        self.words: list[bytes] = []

    def __len__(self) -> int:
        return len(self.words)

    def of(self, terms: Sequence[str | bytes]) -> list[int]:
        """The number of each term, all of them texts or all of them bytes.

        Raises:
            UnicodeEncodeError: a term cannot be written as UTF-8; none has got a number then.
        """
        known = self._known
        fresh = [term for term in dict.fromkeys(terms) if term not in known]
        first = len(self.words)
        self.words += [term if isinstance(term, bytes) else term.encode() for term in fresh]
        known.update(zip(fresh, range(first, len(self.words)), strict=True))
        return list(map(known.__getitem__, terms))


class Collected:
    """The occurrences in one field, document after document, as they come."""

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self._documents = array("i")
        self._counts = array("i")
        self._terms = array("i")
        self._positions = array("i")

    def extend(self, first: int, spread: Spread) -> int:
        """Take the terms of documents from ``first`` on; how many there are."""
        for known, new in (
            (self._documents, np.arange(first, first + len(spread.counts), dtype=np.int32)),
            (self._counts, spread.counts),
            (self._terms, spread.terms),
            (self._positions, spread.positions),
        ):
            known.frombytes(new.view(np.uint8).data)
        return len(spread.terms)

    def occurrences(self, doc_count: int) -> Occurrences:
        """All of them; nothing can be taken while they are in use."""
        counts = np.zeros(doc_count, dtype=np.int32)
        counts[view(self._documents)] = view(self._counts)
        positions = view(self._positions) if self._positions else None
        return Occurrences(self.numbers.words, view(self._terms), positions, counts)


class Spread(NamedTuple):
    """The terms of some texts, the position of each (or no positions), and how many each has."""

    terms: NDArray[np.int32]
    positions: NDArray[np.int32]
    counts: NDArray[np.int32]

    @classmethod
    def of(
        cls, terms: Iterable[int], counts: Sequence[int], positions: Iterable[int] = ()
    ) -> Spread:
        """The same of plain numbers."""
        return cls(
            *(np.fromiter(numbers, dtype=np.int32) for numbers in (terms, positions, counts))
        )

    def split(self, count: int) -> list[Spread]:
        """So many equal shares of the texts, one after the other."""
        size = len(self.counts) // count
        amounts = self.counts.reshape(count, size)
        ends = np.cumsum(amounts.sum(axis=1)).tolist()
        return [
            Spread(self.terms[start:end], self.positions[start:end], each)
            for start, end, each in zip([0, *ends], ends, amounts, strict=False)
        ]


class Stretches:
    """Texts to terms, by way of stretches.

    Args:
        numbers: those of the terms.
        analyze: tells what stretches are indexed as.
    """

    def __init__(self, numbers: Numbers, analyze: Analyze) -> None:
        self._numbers = numbers
        self._analyze = analyze
        self._cutter = Cutter()
        self._terms = array("i")
        self._positions = array("i")
        self._starts = array("i", (0,))
        self._widths = array("i")

    def spread(self, texts: Iterable[Sequence[str]]) -> Spread:
        """The terms of texts, each of which is one value or more with a gap between two."""
        stretches, amounts = self._cutter.cut(texts)
        fresh = self._cutter.fresh()
        if fresh:
            terms, positions, counts, widths = self._analyze(fresh)
            self._terms.fromlist(self._numbers.of(terms))
            self._positions.fromlist([*positions])
            self._starts.fromlist([*accumulate(counts, initial=self._starts.pop())])
            self._widths.fromlist([*widths])
        return self._expand(stretches, amounts)

    @property
    def size(self) -> int:
        """About how many bytes of memory they cost."""
        return len(self._widths) * STRETCH_BYTES + len(self._terms) * 8

    def _expand(self, stretches: NDArray[np.int32], counts: NDArray[np.int32]) -> Spread:
        """Put terms in the place of stretches, of which each text has so many."""
        starts = view(self._starts)
        amounts, widths = pick(np.diff(starts), stretches), pick(view(self._widths), stretches)
        positions = np.cumsum(widths, dtype=np.int32)
        ends = np.cumsum(amounts, dtype=np.int32)
        # What comes before each text: so many positions and terms.
        lasts = np.concatenate((np.zeros(1, np.int32), np.cumsum(counts, dtype=np.int32)))
        before, bounds = (
            np.concatenate((np.zeros(1, np.int32), x))[lasts] for x in (positions, ends)
        )
        positions -= widths
        positions -= np.repeat(before[:-1], counts)
        places = np.repeat(pick(starts, stretches) - (ends - amounts), amounts)
        places += np.arange(len(places), dtype=np.int32)
        found = np.repeat(positions, amounts)
        found += pick(view(self._positions), places)
        return Spread(pick(view(self._terms), places), found, np.diff(bounds))


def view(numbers: array[int]) -> NDArray[np.int32]:
    """An array of type code ``i`` for numpy, not copied; it must not grow while this is in use."""
    return np.frombuffer(numbers, dtype=np.int32) if numbers else np.zeros(0, dtype=np.int32)
