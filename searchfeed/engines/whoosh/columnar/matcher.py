"""The postings of a term as Whoosh's own matchers go through them, one document at a time."""

# ruff: noqa: D102 - the methods are those of Whoosh's base classes, and documented there

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from whoosh import formats
from whoosh.matching import LeafMatcher, ReadTooFar
from whoosh.system import pack_uint

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.columnar.reader import SegmentReader


BLOCK = 128
"""Postings that Whoosh is told the bounds of together."""

ROUNDING = 1e-9
"""By which part of a score Whoosh's bounds may be off."""


class PostingsMatcher(LeafMatcher):
    """The postings of one term, for Whoosh's own way of matching."""

    def __init__(
        self,
        segment: SegmentReader,
        fieldname: str,
        number: int,
        term: tuple[str, bytes],
        format_: formats.Format,
        scorer: Any,
    ) -> None:
        self._segment, self._fieldname, self._number = segment, fieldname, number
        self._term, self.format, self.scorer = term, format_, scorer
        documents, frequencies = segment.postings(fieldname, number)
        weights = segment.weights(fieldname, number)
        self._ids: list[int] = documents.tolist()
        self._frequencies: list[int] = frequencies.tolist()
        self._weights = self._frequencies if weights is None else weights.tolist()
        self._weighted = weights is not None
        self.reset()
        self._positions: tuple[list[int], list[int]] | None = None
        self._blocks: tuple[Any, Any] | None = None

    def copy(self) -> PostingsMatcher:
        other = PostingsMatcher.__new__(PostingsMatcher)
        other.__dict__.update(self.__dict__)
        return other

    def is_active(self) -> bool:
        return self._place < len(self._ids)

    def reset(self) -> None:
        self._place, self._left = 0, -1

    def id(self) -> int:
        # Whoosh's combinations of matchers ask even at the end, where its own keeps its last block.
        try:
            return self._ids[self._place]
        except IndexError:
            return self._ids[self._left]

    def _skip(self, place: int) -> None:
        if place >= len(self._ids):
            # Whoosh's own stays where it was in its last block, and a Not goes by that document.
            self._left = max(self._place, (len(self._ids) - 1) // BLOCK * BLOCK)
        self._place = place

    def all_ids(self) -> Iterator[int]:
        return iter(self._ids[self._place :])

    def weight(self) -> float:
        weight: float = self._weights[self._place]
        return weight

    def score(self) -> float:
        score: float = self.scorer.score(self) if self.scorer else self.weight()
        return score

    def next(self) -> bool:
        if not self.is_active():
            raise ReadTooFar
        self._place += 1
        # The last block ends too: told so, Whoosh looks again at what a Not leaves out.
        return self._place % BLOCK == 0 or self._place == len(self._ids)

    def skip_to(self, targetid: int) -> None:
        if not self.is_active():
            raise ReadTooFar
        self._skip(bisect_left(self._ids, targetid, self._place))

    def skip_to_quality(self, minquality: float) -> int:
        skipped = 0
        # Where Whoosh takes two bounds from each other, rounding must not keep it where it is.
        minquality += ROUNDING * abs(minquality)
        while self.is_active() and self.block_quality() <= minquality:
            self._skip((self._place // BLOCK + 1) * BLOCK)
            skipped += 1
        return skipped

    def _block(self, kind: int) -> Any:
        """The highest frequency in this block of postings, or its shortest field."""
        if self._blocks is None:
            places = np.arange(0, len(self._ids), BLOCK)
            lengths = self._segment.lengths(self._fieldname)[self._ids]
            self._blocks = (
                np.maximum.reduceat(self._frequencies, places),
                np.minimum.reduceat(lengths, places),
            )
        block = min(self._place, len(self._ids) - 1) // BLOCK
        return self._blocks[kind][block].item()

    def block_min_id(self) -> int:
        return self._ids[self._place // BLOCK * BLOCK]

    def block_max_id(self) -> int:
        return self._ids[min((self._place // BLOCK + 1) * BLOCK, len(self._ids)) - 1]

    def block_max_weight(self) -> float:
        if self._weighted:
            start = min(self._place, len(self._ids) - 1) // BLOCK * BLOCK
            return float(max(self._weights[start : start + BLOCK]))
        return float(self._block(0))

    def block_min_length(self) -> int:
        length: int = self._block(1)
        return length

    def block_max_length(self) -> int:
        longest: int = self._segment.field(self._fieldname).attributes["longest"]
        return longest

    def positions(self) -> list[int]:
        """The positions in the current document."""
        if self._positions is None:
            _, frequencies, places = self._segment.positions(self._fieldname, self._number)
            self._positions = [0, *np.cumsum(frequencies).tolist()], places.tolist()
        ends, positions = self._positions
        return positions[ends[self._place] : ends[self._place + 1]]

    def value(self) -> bytes:
        value: bytes = b""
        if isinstance(self.format, formats.Positions):
            value = self.format.encode(self.positions())
        elif isinstance(self.format, formats.Frequency):
            value = pack_uint(self._frequencies[self._place])
        return value

    def value_as(self, astype: str) -> Any:
        if astype == "positions" and isinstance(self.format, formats.Positions):
            return self.positions()
        return super().value_as(astype)
