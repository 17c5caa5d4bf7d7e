"""The positions of frequent terms as bits, a row of which is a few operations on whole words.

Each document has so many words of 64 bits that all its positions fit, and some more, so that what
is moved out of one document falls on none of the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from searchfeed.engines.whoosh.arrays import beginnings
from searchfeed.engines.whoosh.rows import from_origins, last_positions
from searchfeed.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.columnar.located import Located
    from searchfeed.engines.whoosh.columnar.reader import SegmentReader
    from searchfeed.engines.whoosh.view import Documents, Numbers

    Words = NDArray[np.uint64]

DENSE = 4
"""A term is frequent enough if it stands in one of so many documents."""

SPARE = 16
"""Bits of a document beyond its positions, so that rows of so many terms can be looked for."""

MOST = 1 << 31
"""Bits of a segment that can be numbered here."""

AT_ONCE = 1 << 15
"""Documents that a row is looked for in together: what comes between stays in the processor."""

UNFIT: Words = np.zeros(0, dtype=np.uint64)
"""Stands for the bits of a term that has a position beyond what its document has room for."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the bits of each document lie.

    Attributes:
        starts: the first word of each document, and behind them how many there are.
        owners: the document of each word.
    """

    starts: NDArray[np.int64]
    owners: NDArray[np.int32]

    @property
    def nbytes(self) -> int:
        """Bytes."""
        return self.starts.nbytes + self.owners.nbytes


def make_layout(segment: SegmentReader, field: str) -> Layout:
    """The layout of a field; our documents have no more positions than terms."""
    words = (segment.lengths(field).astype(np.int64) + (SPARE + 63)) >> 6
    starts = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(words)))
    return Layout(starts, np.repeat(np.arange(len(words), dtype=np.int32), words))


def make_bits(located: Located, layout: Layout) -> Words:
    """The positions of a term, a bit each, or ``UNFIT``."""
    gaps, amounts = located.gaps()
    if not len(gaps) or len(layout.owners) << 6 >= MOST:
        return UNFIT
    stops = located.starts[1:]
    lasts = last_positions(gaps, stops)
    places = located.documents.astype(np.intp)
    first = layout.starts.take(places) << 6
    if (first + lasts + SPARE >= layout.starts.take(places + 1) << 6).any():
        return UNFIT
    slots = from_origins(first.astype(np.int32), gaps, stops - amounts, lasts)
    sums = (slots & 63).astype(np.uint64)
    np.left_shift(np.uint64(1), sums, out=sums)
    # Bits of one word are different ones, so that adding sets them. Where the sums overflow,
    # differences are right all the same.
    np.cumsum(sums, out=sums)
    slots >>= 6
    ends = np.append(np.flatnonzero(slots[1:] != slots[:-1]), len(slots) - 1)
    sums = sums.take(ends)
    sums[1:] -= sums[:-1].copy()
    bits = np.zeros(len(layout.owners), dtype=np.uint64)
    bits[slots.take(ends)] = sums
    return bits


def row_counts(bits: Sequence[Words], layout: Layout) -> tuple[Documents, Numbers]:
    """The documents in which terms stand in a row, ascending, and how often each time.

    Args:
        bits: those of the terms, in their order; at most ``SPARE``, none of them ``UNFIT``.
        layout: of their field.
    """
    bounds = [*layout.starts[:-1:AT_ONCE].tolist(), len(layout.owners)]
    parts = [
        # No row goes on in the next document, so that each block is by itself.
        _row_counts([words[start:stop] for words in bits], layout.owners[start:stop])
        for start, stop in pairwise(bounds)
    ]
    documents, counts = zip(*parts, strict=True)
    return np.concatenate(documents), np.concatenate(counts)


def _row_counts(bits: Sequence[Words], owners: Documents) -> tuple[Documents, Numbers]:
    both = bits[0].copy()
    for step, other in enumerate(bits[1:], start=1):
        moved = other >> np.uint64(step)
        moved[:-1] |= other[1:] << np.uint64(64 - step)
        both &= moved
    there = np.flatnonzero(both)
    if not len(there):
        return np.zeros(0, dtype=np.int32), np.zeros(0)
    found = owners.take(there)
    firsts = beginnings(found)
    counts = np.add.reduceat(_ones(both.take(there)), firsts, dtype=np.float64)
    return found.take(firsts), counts


def _ones(words: Words) -> Words:
    """How many bits of each word are set (Warren, Hacker's Delight, 5-1)."""
    one, two, four = np.uint64(1), np.uint64(2), np.uint64(4)
    words = words - ((words >> one) & np.uint64(0x5555555555555555))
    pairs = np.uint64(0x3333333333333333)
    words = (words & pairs) + ((words >> two) & pairs)
    words = (words + (words >> four)) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (words * np.uint64(0x0101010101010101)) >> np.uint64(56)
