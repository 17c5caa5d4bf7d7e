"""The postings of one field of a segment, read one by one."""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property, partial
from itertools import accumulate, pairwise

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
        self._section = section = partial(segment.container.section, name)
        attributes = segment.attributes(name)
        self._starts = Runs(section, "postings.starts")
        self._rare = Runs(section, "documents")
        self._frequent = section("frequent")
        self._frequent_starts = section("frequent.starts")
        self._repeated: bool = attributes["repeated"]
        self.lengths = section("lengths")
        self.total: int = attributes["total"]
        if len(self.lengths) != (segment.doc_count if self.total else 0):
            raise segment.container.damaged(f"the field {name}")

    @cached_property
    def _gaps(self) -> Packed:
        return Packed(self._section, "frequent.documents")

    @cached_property
    def _frequencies(self) -> Packed:
        return Packed(self._section, "frequencies")

    @cached_property
    def _positions(self) -> Packed:
        return Packed(self._section, "positions")

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
        if self._repeated:
            return [count + 1 for count in self._frequencies.range(start, stop)]
        return [1] * (stop - start)

    def positions(self, term: int) -> list[list[int]]:
        """For each posting of a term the positions in its document, if the field keeps them."""
        if not len(self._positions):
            return []
        start, stop = self.bounds(term)
        block = start // BLOCK
        first = self._section("positions.sums")[block] + sum(self.counts(block * BLOCK, start))
        ends = list(accumulate(self.counts(start, stop), initial=0))
        gaps = self._positions.range(first, first + ends[-1])
        return [list(accumulate(gaps[low:high])) for low, high in pairwise(ends)]
