"""One committed state of the index, its segments seen as one.

Documents are numbered through all segments from 0 to ``size``. Those deleted keep their number
and are in nothing that is returned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from searchfeed.engines.whoosh.arrays import FREQUENT
from searchfeed.engines.whoosh.bits import DENSE, SPARE, make_bits, make_layout, row_counts
from searchfeed.engines.whoosh.columnar.documents import spread
from searchfeed.engines.whoosh.columnar.located import Located
from searchfeed.engines.whoosh.columnar.reader import SegmentReader
from searchfeed.engines.whoosh.lexicon import Lexicon
from searchfeed.engines.whoosh.rows import row_starts, tally
from searchfeed.engines.whoosh.spots import Spots, joined, places
from searchfeed.engines.whoosh.terms import Terms
from searchfeed.memory import Memory

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.bits import Words
    from searchfeed.engines.whoosh.columnar import Snapshot

    Documents: TypeAlias = NDArray[np.int32]
    Places: TypeAlias = NDArray[np.int64]
    Numbers: TypeAlias = NDArray[np.float64]
    Mask: TypeAlias = NDArray[np.bool_]

REMEMBERED, REMEMBERED_A_DOCUMENT = 40 << 20, 160
"""Bytes that may be kept of what was worked out for words and phrases that were asked for: so many,
or so many for each document where that is more, as the most frequent words take 22 each."""

BITS, BITS_A_DOCUMENT = 48 << 20, 96
"""The same for positions as bits. They are apart, since those of a few words would push out all
that was worked out with them; a word takes 24 for each document of 150 words."""

SPREAD_OUT = 32
"""With more than so many parts of all documents, what depends on the document is spread out."""

FEW_TERMS = 8
"""Up to so many terms are quicker read one by one."""


class View(Terms[SegmentReader]):
    """A snapshot: commits made after it was taken do not show in it. Any thread may use it.

    Attributes:
        size: how many document numbers there are, those deleted included.
        count: how many documents there are.
        live: for each document number whether the document is still there; None where all are.
    """

    def __init__(self, snapshot: Snapshot | None) -> None:
        super().__init__(segment.arrays for segment in (snapshot.segments if snapshot else ()))
        self.live: NDArray[np.bool_] | None = None
        if any(segment.live is not None for segment, _ in self._segments):
            self.live = np.concatenate(
                [
                    np.ones(segment.doc_count, dtype=bool) if segment.live is None else segment.live
                    for segment, _ in self._segments
                ]
            )
        self._bounds = np.array([*(base for _, base in self._segments), self.size], dtype=np.int32)
        self.count = self.size if self.live is None else int(np.count_nonzero(self.live))
        self.memory = Memory(max(REMEMBERED, REMEMBERED_A_DOCUMENT * self.size))
        self._bits = Memory(max(BITS, BITS_A_DOCUMENT * self.size))
        self.lengths = cache(self._lengths)
        self.average_length = cache(self._average_length)
        self.column = cache(self._column)
        self.lexicon = cache(partial(Lexicon, self))
        self._norms = cache(self._norm_table)
        self._all_norms = cache(self._norm_of_each)
        self._term_places = cache(self._places_of_terms)

    def everything(self) -> Documents:
        """Every document."""
        if self.live is None:
            return np.arange(self.size, dtype=np.int32)
        return np.flatnonzero(self.live).astype(np.int32)

    def frequencies(self, field: str) -> dict[str, int]:
        """Each term of a field that stands in a live document, and in how many it does."""
        found: dict[str, int] = {}
        for segment, _ in self._segments:
            counts = segment.doc_freqs(field)
            if segment.live is not None and len(counts):
                live = segment.live[segment.documents(field)]
                counts = np.add.reduceat(live, np.cumsum(counts) - counts, dtype=np.int64)
            for term, count in zip(segment.terms(field), counts.tolist(), strict=True):
                if count:
                    found[term] = found.get(term, 0) + count
        return found

    def holding(self, field: str, term: str) -> Documents:
        """The documents that hold a term, ascending."""
        found: list[Documents] = []
        for segment, base, number in self._numbers(field, term):
            documents = self._located(segment, field, number).documents
            if segment.live is not None:
                documents = documents[segment.live[documents]]
            found.append(documents + np.int32(base) if base else documents)
        if len(found) == 1:
            return found[0]
        return np.concatenate(found) if found else np.zeros(0, dtype=np.int32)

    def postings(self, field: str, term: str) -> tuple[Documents, NDArray[Any]]:
        """The documents that hold a term, ascending, and how often each does."""
        return _end_to_end(
            [
                _live(segment, base, *self._postings(segment, field, number))
                for segment, base, number in self._numbers(field, term)
            ]
        )

    def _postings(
        self, segment: SegmentReader, field: str, number: int
    ) -> tuple[Documents, NDArray[Any]]:
        if segment.doc_freq(field, number) * FREQUENT < segment.doc_count:
            return segment.postings(field, number)
        # With another word beside it, where it stands is asked for soon.
        located = self._located(segment, field, number)
        return located.documents, located.counts

    def counts(
        self, field: str, family: Mapping[str, float]
    ) -> list[tuple[Documents, NDArray[Any]]]:
        """How often documents hold terms of a family, times what each is worth.

        They are parts to be added up; in one of them a document may stand several times.
        """
        if len(family) <= FEW_TERMS:
            each = ((*self.postings(field, term), worth) for term, worth in family.items())
            return [
                (documents, counts if worth == 1.0 else counts * worth)
                for documents, counts, worth in each
            ]
        found: dict[int, tuple[SegmentReader, list[int], list[float]]] = {}
        for term, worth in family.items():
            for segment, base, number in self._numbers(field, term):
                _, numbers, worths = found.setdefault(base, (segment, [], []))
                numbers.append(number)
                worths.append(worth)
        parts: list[tuple[Documents, NDArray[Any]]] = []
        for base, (segment, numbers, worths) in found.items():
            order = np.argsort(numbers)
            documents, counts, amounts = segment.spread(field, np.array(numbers)[order])
            weighted = counts * np.repeat(np.array(worths)[order], amounts)
            parts.append(_live(segment, base, documents, weighted))
        return parts

    def places(self, field: str, terms: Iterable[str], among: Documents | None = None) -> Places:
        """Every place of some terms in live documents, or in ``among`` of them only, ascending."""
        if among is not None:
            return places(self.spots(field, terms, among), among)
        found: list[tuple[Documents, NDArray[np.int32], NDArray[np.int32]]] = []
        for term in terms:
            for segment, base, number in self._numbers(field, term):
                located = self._located(segment, field, number)
                documents, which = located.documents, None
                if segment.live is not None:
                    which = np.flatnonzero(segment.live[documents])
                    documents = documents[which]
                found.append((documents + np.int32(base), *located.gaps(which)))
        return joined(found)

    def spots(self, field: str, terms: Iterable[str], among: Documents) -> list[Spots]:
        """Which of some live documents, which ascend, hold some terms, and where to read on."""
        bounds = among.searchsorted(self._bounds).tolist()
        shares = {
            base: (low, among[low:high] - np.int32(base))
            for (_, base), low, high in zip(self._segments, bounds, bounds[1:], strict=False)
            if low < high
        }
        found: list[Spots] = []
        for term in terms:
            for segment, base, number in self._numbers(field, term):
                if base in shares:
                    low, some = shares[base]
                    located = self._located(segment, field, number)
                    there, which = located.find(some)
                    if len(which):
                        found.append(Spots(np.flatnonzero(there) + low, located, which))
        return found

    def row_counts(self, field: str, terms: Sequence[str]) -> tuple[Documents, Numbers]:
        """The documents in which terms stand in a row, ascending, and how often in each."""
        numbered = [
            {base: (segment, number) for segment, base, number in self._numbers(field, term)}
            for term in terms
        ]
        parts: list[tuple[Documents, Numbers]] = []
        for base, (segment, _) in numbered[0].items():
            if all(base in numbers for numbers in numbered):
                row = [numbers[base][1] for numbers in numbered]
                documents, counts = self._row_counts(segment, field, row)
                parts.append((documents + np.int32(base) if base else documents, counts))
        return _end_to_end(parts)

    def _row_counts(
        self, segment: SegmentReader, field: str, terms: Sequence[int]
    ) -> tuple[Documents, Numbers]:
        fewest = min(segment.doc_freq(field, term) for term in terms)
        if fewest * DENSE > segment.doc_count and len(terms) <= SPARE:
            kept = self._bits.get
            layout = kept((segment.name, field), lambda: make_layout(segment, field))

            def make(term: int) -> Words:
                return make_bits(Located(segment.field(field), term), layout)

            bits = [kept((segment.name, field, term), partial(make, term)) for term in terms]
            if all(map(len, bits)):
                return _live(segment, 0, *row_counts(bits, layout))
        located = [self._located(segment, field, term) for term in terms]
        return tally(row_starts(located, segment.live))

    def _located(self, segment: SegmentReader, field: str, number: int) -> Located:
        key = (segment.name, field, number)
        return self.memory.get(key, lambda: Located(segment.field(field), number))

    def tally(self, field: str, documents: Documents) -> NDArray[np.int64]:
        """For each of ``terms(field)`` in how many of some documents, which ascend, it stands."""
        totals = np.zeros(len(self.terms(field)), dtype=np.int64)
        for (segment, base), numbers in zip(self._segments, self._term_places(field), strict=True):
            low, high = np.searchsorted(documents, (base, base + segment.doc_count)).tolist()
            totals[numbers] += _tally(segment, field, documents[low:high] - base)
        return totals

    def _places_of_terms(self, field: str) -> list[NDArray[np.int64] | slice]:
        """For each segment the places of its terms among all terms of the field."""
        if len(self._segments) == 1:
            return [slice(None)]
        places = {term: at for at, term in enumerate(self.terms(field))}
        return [
            np.array([places[term] for term in segment.terms(field)], dtype=np.int64)
            for segment, _ in self._segments
        ]

    def _lengths(self, field: str) -> NDArray[Any]:
        """For each document number how many terms the field has."""
        return self._joined([segment.lengths(field) for segment, _ in self._segments])

    def _average_length(self, field: str) -> float:
        """How many terms the field has on average, where it has any."""
        total = sum(segment.total_length(field) for segment, _ in self._segments)
        return max(1, total) / max(1, int(np.count_nonzero(self.lengths(field))))

    def norm(self, field: str, b: float, documents: Documents) -> Numbers:
        """What BM25 divides counts by: above 1 in fields longer than the average.

        ``b`` between 0 and 1 tells how much the length counts.
        """
        places = documents.astype(np.intp)
        if len(places) * SPREAD_OUT > self.size:
            return self._all_norms(field, b).take(places)
        return self._norms(field, b).take(self.lengths(field).take(places))

    def _norm_of_each(self, field: str, b: float) -> Numbers:
        """The norm of each document, which for many is had in a third of the time."""
        return self._norms(field, b).take(self.lengths(field))

    def _norm_table(self, field: str, b: float) -> Numbers:
        """The norm of each length that a field has."""
        lengths = np.arange(int(self.lengths(field).max(initial=0)) + 1)
        table = 1 - b + b / self.average_length(field) * lengths
        return table.astype(np.float64)

    def _column(self, name: str) -> NDArray[np.uint64]:
        """For each document number the number that the column ``name`` holds."""
        return self._joined([segment.column(name) for segment, _ in self._segments])

    @staticmethod
    def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint64)

    def id(self, document: int) -> str:
        """The id of a document's entry."""
        return f"{self.column('key').item(document):016x}"


def _tally(segment: SegmentReader, field: str, documents: Documents) -> NDArray[np.int64]:
    """For each term of a segment in how many of its documents it stands, of those given."""
    offsets, terms = segment.keyword_column(field)

    def count(some: NDArray[Any]) -> NDArray[np.int64]:
        held = terms[spread(offsets[some], offsets[some + 1] - offsets[some])]
        return np.bincount(held, minlength=segment.term_count(field))

    if 2 * len(documents) <= segment.doc_count:
        return count(documents)
    # Of most it is quicker to take away the rest.
    others = np.ones(segment.doc_count, dtype=bool)
    others[documents] = False
    return segment.doc_freqs(field) - count(np.flatnonzero(others))


def _live(
    segment: SegmentReader, base: int, documents: Documents, numbers: NDArray[Any]
) -> tuple[Documents, NDArray[Any]]:
    """Those documents of a segment that are still there, as the view numbers them."""
    if segment.live is not None:
        keep = segment.live[documents]
        documents, numbers = documents[keep], numbers[keep]
    return documents + np.int32(base) if base else documents, numbers


def _end_to_end(
    parts: Sequence[tuple[Documents, NDArray[Any]]],
) -> tuple[Documents, NDArray[Any]]:
    """The documents of all segments, one after the other, each with its number."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int32)
    documents, numbers = zip(*parts, strict=True)
    return np.concatenate(documents), np.concatenate(numbers)
