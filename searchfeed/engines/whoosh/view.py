"""One committed state of the index, its segments seen as one.

Documents are numbered through all segments from 0 to ``size``. Those deleted keep their number
and are in nothing that is returned.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.columnar import SegmentReader, Snapshot

    Documents: TypeAlias = NDArray[np.int32]
    Places: TypeAlias = NDArray[np.int64]
    Numbers: TypeAlias = NDArray[np.float64]

POSITION_BITS = 32
"""A place is document number << POSITION_BITS | position: one sorted array holds both."""


class View:
    """A snapshot: commits made after it was taken do not show in it. Any thread may use it.

    Attributes:
        size: how many document numbers there are, those deleted included.
        count: how many documents there are.
        live: for each document number whether the document is still there; None where all are.
    """

    def __init__(self, snapshot: Snapshot | None) -> None:
        self._segments: list[tuple[SegmentReader, int]] = []
        self.size = 0
        for segment in snapshot.segments if snapshot else ():
            self._segments.append((segment, self.size))
            self.size += segment.doc_count
        self.live: NDArray[np.bool_] | None = None
        if any(segment.live is not None for segment, _ in self._segments):
            self.live = np.concatenate(
                [
                    np.ones(segment.doc_count, dtype=bool) if segment.live is None else segment.live
                    for segment, _ in self._segments
                ]
            )
        self.count = self.size if self.live is None else int(np.count_nonzero(self.live))
        # A view lives as long as its state is the newest, so what it remembers is bounded.
        self.terms = cache(self._terms)
        self.lengths = cache(self._lengths)
        self.average_length = cache(self._average_length)
        self.column = cache(self._column)
        self._term_places = cache(self._places_of_terms)

    def everything(self) -> Documents:
        """Every document."""
        if self.live is None:
            return np.arange(self.size, dtype=np.int32)
        return np.flatnonzero(self.live).astype(np.int32)

    def _terms(self, field: str) -> list[str]:
        """Every term of a field, sorted; some may stand in no live document."""
        found = [segment.terms(field) for segment, _ in self._segments]
        return found[0] if len(found) == 1 else sorted({term for each in found for term in each})

    def frequencies(self, field: str) -> dict[str, int]:
        """Each term of a field that stands in a live document, and in how many it does."""
        found: dict[str, int] = {}
        for segment, _ in self._segments:
            counts = segment.doc_freqs(field)
            if segment.live is not None and len(counts):
                documents = segment.field(field).documents
                live = segment.live[documents.range(0, len(documents))]
                counts = np.add.reduceat(live, np.cumsum(counts) - counts, dtype=np.int64)
            for term, count in zip(segment.terms(field), counts.tolist(), strict=True):
                if count:
                    found[term] = found.get(term, 0) + count
        return found

    def has_term(self, field: str, term: str) -> bool:
        """Whether a term stands in some document, deleted ones included."""
        return any(segment.term_id(field, term) >= 0 for segment, _ in self._segments)

    def starting(self, field: str, prefix: str) -> set[str]:
        """The terms of a field that start with ``prefix``."""
        return {
            term
            for segment, _ in self._segments
            for term in segment.terms(field, *segment.term_range(field, prefix))
        }

    def sharing(self, field: str, kind: str, key: str, *, prefix: bool = False) -> set[str]:
        """The terms of a field whose other form (``fold``, ``stem-en``) is, or starts with, key."""
        return {
            segment.term(field, int(number))
            for segment, _ in self._segments
            if segment.has_key(field, kind)
            for number in segment.terms_by_key(field, kind, key, prefix=prefix)
        }

    def stemmed(self) -> set[str]:
        """The languages that terms have stems of."""
        return {
            kind.removeprefix("stem-")
            for segment, _ in self._segments
            for kind in segment.field("body").attributes["keys"]
            if kind.startswith("stem-")
        }

    def holding(self, field: str, term: str) -> Documents:
        """The documents that hold a term, ascending."""
        return self.postings(field, term)[0]

    def postings(self, field: str, term: str) -> tuple[Documents, NDArray[Any]]:
        """The documents that hold a term, ascending, and how often each does."""
        found: list[tuple[Any, Any]] = []
        for segment, base, number in self._numbers(field, term):
            documents, counts = segment.postings(field, number)
            if segment.live is not None:
                keep = segment.live[documents]
                documents, counts = documents[keep], counts[keep]
            found.append((documents + np.int32(base) if base else documents, counts))
        if len(found) == 1:
            return found[0]
        if not found:
            return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int32)
        return (
            np.concatenate([documents for documents, _ in found]),
            np.concatenate([counts for _, counts in found]),
        )

    def places(self, field: str, term: str, among: Documents | None = None) -> Places:
        """Every place of a term in live documents (in those of ``among`` only), ascending."""
        found = [np.zeros(0, dtype=np.int64)]
        for segment, base, number in self._numbers(field, term):
            which = None
            if among is not None or segment.live is not None:
                documents, _ = segment.postings(field, number)
                keep = np.ones(len(documents), dtype=bool)
                if segment.live is not None:
                    keep = segment.live[documents]
                if among is not None:
                    keep &= members(documents + np.int32(base), among)
                which = np.flatnonzero(keep)
            documents, counts, positions = segment.positions(field, number, which)
            starts = (documents.astype(np.int64) + base) << POSITION_BITS
            found.append(np.repeat(starts, counts) | positions)
        return found[-1] if len(found) < 3 else np.concatenate(found)

    def _numbers(self, field: str, term: str) -> Iterator[tuple[SegmentReader, int, int]]:
        for segment, base in self._segments:
            number = segment.term_id(field, term)
            if number >= 0:
                yield segment, base, number

    def tally(self, field: str, documents: Documents) -> NDArray[np.int64]:
        """For each of ``terms(field)`` in how many of some documents, which ascend, it stands."""
        totals = np.zeros(len(self.terms(field)), dtype=np.int64)
        for (segment, base), places in zip(self._segments, self._term_places(field), strict=True):
            low, high = np.searchsorted(documents, (base, base + segment.doc_count)).tolist()
            offsets, terms = segment.keyword_column(field)
            if high - low < segment.doc_count:
                chosen = documents[low:high] - base
                starts, amounts = offsets[chosen], offsets[chosen + 1] - offsets[chosen]
                ends = np.cumsum(amounts)
                at = np.repeat(starts - (ends - amounts), amounts)
                terms = terms[at + np.arange(len(at))]
            totals[places] += np.bincount(terms, minlength=segment.term_count(field))
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
        return f"{int(self.column('key')[document]):016x}"


def members(some: Documents, among: Documents) -> NDArray[np.bool_]:
    """For each of ``some`` whether it is in ``among``, which ascends."""
    if not len(among):
        return np.zeros(len(some), dtype=bool)
    at = np.searchsorted(among, some)
    at[at == len(among)] = 0
    found: NDArray[np.bool_] = among[at] == some
    return found
