"""The postings of one field of a segment, read one by one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from functools import partial
from itertools import accumulate, pairwise
from typing import Any

from searchfeed.engines.whoosh.columnar.layout import BLOCK
from searchfeed.engines.whoosh.columnar.mapped import MappedSegment
from searchfeed.engines.whoosh.scalar.numbers import Packed, Runs


class Field:
    """One field of a segment, as ``columnar.field.FieldReader`` has it in arrays.

    Attributes:
        lengths: for each document how many terms the field has; empty where none has any.
        total: how many those are together.
    """

    def __init__(self, segment: MappedSegment, name: str) -> None:
        section = partial(segment.container.section, name)
        self._starts = Runs(section, "postings.starts")
        self._rare = Runs(section, "documents")
        self._gaps = Packed(section, "frequent.documents")
        self._frequent = section("frequent")
        self._frequent_starts = section("frequent.starts")
        self._frequencies = Packed(section, "frequencies")
        self._sums = section("positions.sums")
        self._positions = Packed(section, "positions")
        self.lengths = section("lengths")
        attributes = segment.attributes(name)
        self.total: int = attributes["total"]
        if not self._fits(attributes, segment.doc_count):
            raise segment.container.damaged(f"the field {name}")

    def _fits(self, wanted: Mapping[str, Any], doc_count: int) -> bool:
        """Whether the parts fit each other; what is in them only ``verify`` tells."""
        postings = len(self._rare) + len(self._gaps)
        frequent, terms = len(self._frequent), wanted["terms"]
        return (
            all(part.fits for part in (self._starts, self._rare, self._gaps))
            and self._frequencies.fits
            and self._positions.fits
            and len(self._starts) == (terms and terms + 1)
            and (not terms or self._starts.item(terms) == postings)
            and len(self._frequent_starts) == (frequent and frequent + 1)
            and (not frequent or self._frequent_starts[frequent] == len(self._gaps))
            and len(self._frequencies) == (postings if wanted["repeated"] else 0)
            and len(self._positions) == wanted["positions"]
            and len(self._sums) == (-(-postings // BLOCK) if wanted["positions"] else 0)
            and len(self.lengths) == (doc_count if self.total else 0)
        )

    def bounds(self, term: int) -> tuple[int, int]:
        """Where the postings of a term start and stop."""
        return self._starts.item(term), self._starts.item(term + 1)

    def documents(self, term: int) -> list[int]:
        """The documents of a term, ascending, deleted ones included."""
        start, stop = self.bounds(term)
        if not self._frequent:
            return self._rare.range(start, stop)
        at = bisect_left(self._frequent, term)
        before = self._frequent_starts[at]
        if at < len(self._frequent) and self._frequent[at] == term:
            return list(accumulate(self._gaps.range(before, before + stop - start)))
        return self._rare.range(start - before, stop - before)

    def counts(self, start: int, stop: int) -> list[int]:
        """The frequencies of a range of postings."""
        if len(self._frequencies):
            return [count + 1 for count in self._frequencies.range(start, stop)]
        return [1] * (stop - start)

    def positions(self, term: int) -> list[list[int]]:
        """For each posting of a term the positions in its document, if the field keeps them."""
        if not len(self._positions):
            return []
        start, stop = self.bounds(term)
        block = start // BLOCK
        first = self._sums[block] + sum(self.counts(block * BLOCK, start))
        ends = list(accumulate(self.counts(start, stop), initial=0))
        gaps = self._positions.range(first, first + ends[-1])
        return [list(accumulate(gaps[low:high])) for low, high in pairwise(ends)]
