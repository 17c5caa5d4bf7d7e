"""One committed state of the index, as numpy arrays.

This is the only module that knows how Whoosh keeps postings. Documents are numbered through all
segments from 0 to ``size``; those deleted keep their number and are in no array that is returned.
"""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from searchfeed import analysis

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Documents: TypeAlias = NDArray[np.int64]
    Numbers: TypeAlias = NDArray[np.float64]

POSITION_BITS = 32
"""A place is document number << POSITION_BITS | position: one sorted array holds both."""

NO_DATE = np.iinfo(np.uint64).max
"""What the ``date`` column holds where an entry has no date."""


class View:
    """A snapshot: commits made after it was taken do not show in it. Any thread may use it.

    Attributes:
        size: how many document numbers there are, those deleted included.
        live: for each document number whether the document is still there.
    """

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self.size: int = reader.doc_count_all()
        # Of an index without documents Whoosh gives a reader that can do next to nothing.
        self._leaves: list[tuple[Any, int]] = list(reader.leaf_readers()) if self.size else []
        # Whoosh's matchers share one file position, so only one thread may read at a time.
        self._lock = RLock()
        self._cache: dict[tuple[str, ...], Any] = {}
        self.live: NDArray[np.bool_] = np.ones(self.size, dtype=bool)
        for leaf, base in self._leaves:
            for number in range(leaf.doc_count_all()) if leaf.has_deletions() else ():
                self.live[base + number] = not leaf.is_deleted(number)
        self.count = int(self.live.sum())

    def close(self) -> None:
        """Let go of the files. What was read stays usable."""
        with self._lock:
            self._reader.close()

    def terms(self, field: str) -> list[str]:
        """Every term of a field in the order of code points; some may stand in no live document."""
        key = ("terms", field)
        if key not in self._cache:
            with self._lock:
                self._cache[key] = [term.decode() for term in self._reader.lexicon(field)]
        terms: list[str] = self._cache[key]
        return terms

    def postings(self, field: str, term: str) -> tuple[Documents, Numbers]:
        """The live documents that hold ``term``, ascending, and how often each does."""
        key = ("postings", field, term)
        if key not in self._cache:
            self._cache[key] = self._read_postings(field, term)
        documents, counts = self._cache[key]
        return documents, counts

    def _read_postings(self, field: str, term: str) -> tuple[Documents, Numbers]:
        numbers: list[int] = []
        weights: list[float] = []
        encoded = term.encode()
        with self._lock:
            for leaf, base in self._leaves:
                if (field, encoded) not in leaf:
                    continue
                matcher = leaf.postings(field, encoded)
                while matcher.is_active():
                    numbers.append(base + matcher.id())
                    weights.append(matcher.weight())
                    matcher.next()
        documents = np.array(numbers, dtype=np.int64)
        keep = self.live[documents]
        return documents[keep], np.array(weights, dtype=np.float64)[keep]

    def places(self, field: str, term: str) -> Documents:
        """Every place of ``term`` in live documents, ascending; see ``POSITION_BITS``."""
        key = ("places", field, term)
        if key not in self._cache:
            self._cache[key] = self._read_places(field, term)
        places: Documents = self._cache[key]
        return places

    def _read_places(self, field: str, term: str) -> Documents:
        places: list[int] = []
        encoded = term.encode()
        with self._lock:
            for leaf, base in self._leaves:
                if (field, encoded) not in leaf:
                    continue
                matcher = leaf.postings(field, encoded)
                while matcher.is_active():
                    document = base + matcher.id()
                    if self.live[document]:
                        start = document << POSITION_BITS
                        places.extend(start | place for place in matcher.value_as("positions"))
                    matcher.next()
        return np.array(places, dtype=np.int64)

    def lengths(self, field: str) -> Numbers:
        """For each document number how many terms the field has."""
        key = ("lengths", field)
        if key not in self._cache:
            with self._lock:
                self._cache[key] = np.array(
                    [
                        leaf.doc_field_length(number, field, 0) or 0
                        for leaf, _ in self._leaves
                        for number in range(leaf.doc_count_all())
                    ],
                    dtype=np.float64,
                )
        lengths: Numbers = self._cache[key]
        return lengths

    def column(self, name: str) -> NDArray[np.uint64]:
        """For each document number the number that the column ``name`` holds."""
        key = ("column", name)
        if key not in self._cache:
            with self._lock:
                parts = [
                    np.fromiter(
                        leaf.column_reader(name, translate=False),
                        dtype=np.uint64,
                        count=leaf.doc_count_all(),
                    )
                    for leaf, _ in self._leaves
                ]
            self._cache[key] = np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint64)
        column: NDArray[np.uint64] = self._cache[key]
        return column

    def languages(self) -> tuple[str, ...]:
        """The primary languages of the index's entries that have a stemmer."""
        subtags = {tag.split("-")[0] for tag in self.terms("language")}
        return tuple(sorted(subtags & analysis.STEMMED))

    def id(self, document: int) -> str:
        """The id of a document's entry."""
        return f"{int(self.column('key')[document]):016x}"
