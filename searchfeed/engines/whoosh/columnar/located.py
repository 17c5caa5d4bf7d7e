"""The postings of one term in a segment, read once, and where it stands in any of them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from searchfeed.engines.whoosh.arrays import FREQUENT, SEARCHED, Ranks, members
from searchfeed.engines.whoosh.columnar.documents import spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.columnar.field import FieldReader
    from searchfeed.engines.whoosh.columnar.packing import Wide

    Integers = NDArray[np.int32]
    Mask = NDArray[np.bool_]


class Located:
    """Where a term stands.

    Args:
        field: its field in a segment.
        number: the number of the term.

    Attributes:
        documents: those that hold it, ascending, deleted ones included.
        counts: how often it stands in each of them.
    """

    def __init__(self, field: FieldReader, number: int) -> None:
        start, stop = field.bounds(number)
        self._field = field
        self._posting = start
        self.documents: Integers = field.documents.one(number, start, stop)
        self.counts: Integers = field.counted(start, stop)

    @property
    def nbytes(self) -> int:
        """About what it takes in the end."""
        ranks = self.documents.item(-1) if self._is_frequent else 0
        wide = int(self.counts.sum())
        return 3 * self.documents.nbytes + ranks + wide

    @property
    def _is_frequent(self) -> bool:
        return len(self.documents) * FREQUENT > self.documents.item(-1)

    @cached_property
    def starts(self) -> Integers:
        """For each document how often the term stands in those before, and behind them the sum."""
        starts = np.zeros(len(self.counts) + 1, dtype=np.int32)
        np.cumsum(self.counts, out=starts[1:])
        return starts

    @cached_property
    def _ranks(self) -> Ranks:
        return Ranks(self.documents)

    def find(self, some: Integers) -> tuple[Mask, NDArray[Any]]:
        """Which of some documents, which ascend, are among these, and the places of those here."""
        if not self._is_frequent:
            return matched(some, self.documents)
        ranks = self._ranks.of(some)
        there: Mask = self.documents.take(ranks, mode="clip") == some
        return there, ranks[there]

    @cached_property
    def _bounds(self) -> tuple[int, int]:
        """Where its gaps start and stop among those of the field."""
        start = self._field.position_start(self._posting)
        return start, start + self.starts.item(-1)

    @cached_property
    def _wide(self) -> Wide:
        return self._field.gaps.wide(*self._bounds)

    def gaps(self, which: NDArray[Any] | None = None) -> tuple[Integers, Integers]:
        """The gaps between its positions in some documents, and how many there are in each.

        The first gap in a document is its first position. Of a field that keeps no positions
        there are no gaps.

        Args:
            which: the places of the documents that are wanted, ascending; None for all.
        """
        if which is None:
            amounts = self.counts
        else:
            starts = self.starts.take(which)
            amounts = self.counts.take(which)
        if not self._field.has_positions:
            return np.zeros(0, dtype=np.int32), amounts
        if which is None:
            return self._field.gaps.range(*self._bounds), amounts
        return self._field.gaps.take(*self._bounds, spread(starts, amounts), self._wide), amounts


def matched(some: Integers, more: Integers) -> tuple[Mask, NDArray[np.int64]]:
    """Which of some documents are in others, and the places of those there; both ascend."""
    if len(some) * SEARCHED < len(more):
        at = more.searchsorted(some)
        hits: Mask = more.take(at, mode="clip") == some
        return hits, at[hits]
    return members(some, more), np.flatnonzero(members(more, some))
