"""The arrays of one field of a segment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from searchfeed.engines.whoosh.columnar.dictionary import Dictionary
from searchfeed.engines.whoosh.columnar.packing import Packed, Runs, between
from searchfeed.engines.whoosh.columnar.segment import BLOCK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.columnar.container import Array, Container

    Integers = NDArray[np.int32]


class FieldReader:
    """One field of a segment. ``SegmentReader`` says what its methods mean."""

    def __init__(
        self, container: Container, name: str, attributes: Mapping[str, Any], doc_count: int
    ) -> None:
        self._container, self._name = container, name
        self.attributes = attributes
        self.terms = Dictionary(container, name, "terms")
        self.starts = container.array(name, "postings.starts")
        self.documents = Runs(container, name, "documents")
        self.frequencies = Packed(container, name, "frequencies")
        self.position_starts = container.array(name, "positions.starts")
        self.gaps = Packed(container, name, "positions")
        self.weights = container.array(name, "weights", "f4")
        self.lengths = container.array(name, "lengths")
        self._block_terms = container.array(name, "blocks.terms")
        self._block_starts = container.array(name, "blocks.starts")
        self._block_frequencies = container.array(name, "blocks.frequencies")
        self._block_lengths = container.array(name, "blocks.lengths")
        self._keys: dict[str, tuple[Dictionary, Array, Array]] = {}
        self._check(doc_count)

    def _check(self, doc_count: int) -> None:
        """Refuse parts that do not fit each other; what is in them only ``verify`` tells."""
        wanted, postings = self.attributes, len(self.documents)
        starts = len(self.terms) + 1 if len(self.terms) else 0
        fits = (
            len(self.terms) == wanted["terms"]
            and len(self.starts) == starts
            and (not starts or int(self.starts[-1]) == postings)
            and len(self.frequencies) == (postings if wanted["repeated"] else 0)
            and len(self.weights) in (0, postings)
            and len(self.gaps) == wanted["positions"]
            and len(self.position_starts) == (starts if wanted["positions"] else 0)
            and (not wanted["positions"] or int(self.position_starts[-1]) == len(self.gaps))
            and len(self.lengths) == (doc_count if wanted["total"] else 0)
        )
        if not fits:
            raise self._container.damaged(f"the field {self._name}")

    def bounds(self, term: int) -> tuple[int, int]:
        """Where the postings of a term start and stop."""
        if not 0 <= term < len(self.terms):
            raise IndexError(f"no term {term} in {self._name}")
        return self.starts.item(term), self.starts.item(term + 1)

    def counted(self, start: int, stop: int) -> Integers:
        """The frequencies of a range of postings."""
        if len(self.frequencies):
            return self.frequencies.range(start, stop)
        return np.ones(stop - start, dtype=np.int32)

    def block_maxima(self, term: int) -> tuple[Integers, Integers]:
        """See ``SegmentReader.block_maxima``."""
        start, stop = self.bounds(term)
        if stop - start > BLOCK:
            at, _ = between(self._block_terms, term, term + 1)
            first, last = int(self._block_starts[at]), int(self._block_starts[at + 1])
            frequencies = self._block_frequencies[first:last].astype(np.int32)
            if len(self._block_lengths):
                return frequencies, self._block_lengths[first:last].astype(np.int32)
            return frequencies, np.zeros(last - first, dtype=np.int32)
        most = self.counted(start, stop).max(keepdims=True)
        if not len(self.lengths):
            return most, np.zeros(1, dtype=np.int32)
        documents = self.documents.range(start, stop)
        return most, self.lengths[documents].min(keepdims=True).astype(np.int32)

    def keys(self, key: str) -> tuple[Dictionary, Array, Array]:
        """The second keys of a name, where the terms of each start, and those terms.

        Raises:
            KeyError: there are none of that name.
        """
        if key not in self.attributes["keys"]:
            raise KeyError(key)
        if key not in self._keys:
            part = f"keys.{key}"
            self._keys[key] = (
                Dictionary(self._container, self._name, part),
                self._container.array(self._name, f"{part}.terms.starts"),
                self._container.array(self._name, f"{part}.terms"),
            )
        return self._keys[key]

    def terms_by_key(self, key: str, text: str, *, prefix: bool) -> Integers:
        """See ``SegmentReader.terms_by_key``."""
        words, starts, terms = self.keys(key)
        wanted = text.encode("utf-8", "surrogatepass")
        if prefix:
            low, high = words.prefixed(wanted)
        else:
            low = words.find(wanted)
            high = low + 1
        if not 0 <= low < high:
            return np.zeros(0, dtype=np.int32)
        found = terms[int(starts[low]) : int(starts[high])].astype(np.int32)
        found.sort()
        return found


def absolute(gaps: Integers, frequencies: Integers, ends: Integers) -> Integers:
    """Positions from the gaps between them, which start anew with each posting."""
    if not len(gaps):
        return gaps
    positions = np.cumsum(gaps, dtype=np.int32)
    starts = ends - frequencies
    positions -= np.repeat(positions[starts] - gaps[starts], frequencies)
    return positions
