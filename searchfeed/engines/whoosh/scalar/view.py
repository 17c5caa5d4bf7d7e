"""One committed state of the index, read where it lies and without arrays.

It says the same as ``searchfeed.engines.whoosh.view.View``, of what few documents hold soonest.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from typing import NamedTuple

from searchfeed.engines.whoosh.columnar import Snapshot
from searchfeed.engines.whoosh.columnar.mapped import MappedSegment
from searchfeed.engines.whoosh.scalar.field import Field
from searchfeed.engines.whoosh.terms import Terms


class Postings(NamedTuple):
    """Which live documents of a segment hold a term, and how often.

    Documents are numbered within the segment; ``base`` is the number of its first one.
    """

    field: Field
    base: int
    documents: list[int]
    counts: list[int]


class View(Terms[MappedSegment]):
    """A snapshot: commits made after it was taken do not show in it. Any thread may use it.

    Attributes:
        size: how many document numbers there are, those deleted included.
        count: how many documents there are.
    """

    def __init__(self, snapshot: Snapshot | None) -> None:
        super().__init__(snapshot.segments if snapshot else ())
        gone = (int.from_bytes(segment.deleted, "big") for segment, _ in self._segments)
        self.count = self.size - sum(bits.bit_count() for bits in gone)
        self._field = cache(Field)
        self.column = cache(self._column)
        self.average_length = cache(self._average_length)

    def term_count(self, field: str) -> int:
        """How many terms of a field there are, each as often as segments have it."""
        return sum(segment.term_count(field) for segment, _ in self._segments)

    # Postings

    def document_frequency(self, field: str, term: str) -> int:
        """In how many documents a term stands, those deleted included."""
        total = 0
        for segment, _, number in self._numbers(field, term):
            start, stop = self._field(segment, field).bounds(number)
            total += stop - start
        return total

    def postings(self, field: str, term: str) -> Iterator[Postings]:
        """The postings of a term, segment by segment."""
        for segment, base, number in self._numbers(field, term):
            reader = self._field(segment, field)
            documents = reader.documents(number)
            counts = reader.counts(*reader.bounds(number))
            if segment.deleted:
                deleted = segment.deleted
                live = [not deleted[each >> 3] & 128 >> (each & 7) for each in documents]
                documents = [each for each, keep in zip(documents, live, strict=True) if keep]
                counts = [count for count, keep in zip(counts, live, strict=True) if keep]
            yield Postings(reader, base, documents, counts)

    def holding(self, field: str, terms: Iterable[str]) -> set[int]:
        """The documents that hold any of some terms."""
        found: set[int] = set()
        for term in terms:
            for _, base, documents, _ in self.postings(field, term):
                found.update([each + base for each in documents] if base else documents)
        return found

    def positions(
        self, field: str, terms: Iterable[str], among: Collection[int]
    ) -> dict[int, list[int]]:
        """For those of some live documents that hold any of some terms: where, ascending."""
        found: dict[int, list[int]] = {}
        for term in terms:
            for segment, base, number in self._numbers(field, term):
                reader = self._field(segment, field)
                places = reader.positions(number)
                for each, positions in zip(reader.documents(number), places, strict=bool(places)):
                    document = each + base
                    if document in among:
                        known = found.get(document)
                        found[document] = sorted({*known, *positions}) if known else positions
        return found

    def everything(self) -> set[int]:
        """Every document."""
        found = set(range(self.size))
        for segment, base in self._segments:
            if segment.deleted:
                bits = "".join(f"{byte:08b}" for byte in segment.deleted)
                found.difference_update(base + at for at, bit in enumerate(bits) if bit == "1")
        return found

    # Documents

    def length(self, field: str, document: int) -> int:
        """How many terms the field has in a document."""
        at = bisect_right(self._segments, document, key=_base) - 1
        segment, base = self._segments[at]
        lengths = self._field(segment, field).lengths
        return lengths[document - base] if lengths else 0

    def _average_length(self, field: str) -> float:
        """How many terms the field has on average, where it has any."""
        readers = [self._field(segment, field) for segment, _ in self._segments]
        total = sum(reader.total for reader in readers)
        empty = sum(_zeros(reader.lengths) for reader in readers)
        return max(1, total) / max(1, sum(len(reader.lengths) for reader in readers) - empty)

    def _column(self, name: str) -> memoryview | array[int]:
        """For each document number the number that the column ``name`` holds."""
        parts = [segment.numbers(name) for segment, _ in self._segments]
        return parts[0] if len(parts) == 1 else array("Q", b"".join(parts))

    def id(self, document: int) -> str:
        """The id of a document's entry."""
        return f"{self.column('key')[document]:016x}"


def _base(placed: tuple[MappedSegment, int]) -> int:
    return placed[1]


def _zeros(numbers: memoryview) -> int:
    return (bytes(numbers) if numbers.itemsize == 1 else numbers.tolist()).count(0)
