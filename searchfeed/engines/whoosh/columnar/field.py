"""The arrays of one field of a segment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from searchfeed.engines.whoosh.columnar.dictionary import Dictionary
from searchfeed.engines.whoosh.columnar.documents import DocumentsReader
from searchfeed.engines.whoosh.columnar.layout import BLOCK
from searchfeed.engines.whoosh.columnar.packing import Packed, Runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.columnar.container import Array, Source

    Integers = NDArray[np.int32]


class FieldReader:
    """One field of a segment. ``SegmentReader`` says what its methods mean."""

    def __init__(
        self, container: Source, name: str, attributes: Mapping[str, Any], doc_count: int
    ) -> None:
        self._container, self._name = container, name
        self.attributes = attributes
        self.terms = Dictionary(container, name, "terms")
        self.starts = Runs(container, name, "postings.starts")
        self.documents = DocumentsReader(container, name, self.starts)
        self.frequencies = Packed(container, name, "frequencies")
        self._sums = container.array(name, "positions.sums")
        self.gaps = Packed(container, name, "positions")
        self.weights = container.array(name, "weights", "f4")
        self.lengths = container.array(name, "lengths")
        self._check(doc_count)

    def _check(self, doc_count: int) -> None:
        """Refuse parts that do not fit each other; what is in them only ``verify`` tells."""
        wanted, postings = self.attributes, len(self.documents)
        starts = len(self.terms) + 1 if len(self.terms) else 0
        fits = (
            len(self.terms) == wanted["terms"]
            and len(self.starts) == starts
            and (not starts or self.starts.item(starts - 1) == postings)
            and len(self.frequencies) == (postings if wanted["repeated"] else 0)
            and len(self.weights) in (0, postings)
            and len(self.gaps) == wanted["positions"]
            and len(self._sums) == (-(-postings // BLOCK) if wanted["positions"] else 0)
            and len(self.lengths) == (doc_count if wanted["total"] else 0)
        )
        if not fits:
            raise self._container.damaged(f"the field {self._name}")

    @property
    def has_positions(self) -> bool:
        """Whether it is known where in a document a term stands."""
        return bool(len(self.gaps))

    def bounds(self, term: int) -> tuple[int, int]:
        """Where the postings of a term start and stop."""
        if not 0 <= term < len(self.terms):
            raise IndexError(f"no term {term} in {self._name}")
        return self.starts.item(term), self.starts.item(term + 1)

    def counted(self, start: int, stop: int) -> Integers:
        """The frequencies of a range of postings."""
        if len(self.frequencies):
            frequencies = self.frequencies.range(start, stop)
            frequencies += 1
            return frequencies
        return np.ones(stop - start, dtype=np.int32)

    def counted_at(self, start: int, stop: int, which: Array) -> Integers:
        """The frequencies at some places of a range of postings, ascending."""
        if len(self.frequencies):
            frequencies = self.frequencies.take(start, stop, which)
            frequencies += 1
            return frequencies
        return np.ones(len(which), dtype=np.int32)

    def position_start(self, posting: int) -> int:
        """Where the positions of a posting start; of one that is no more, where the last end."""
        if posting == len(self.documents):
            return len(self.gaps)
        first = posting // BLOCK * BLOCK
        start: int = self._sums.item(posting // BLOCK)
        return start + int(self.counted(first, posting).sum()) if posting > first else start
