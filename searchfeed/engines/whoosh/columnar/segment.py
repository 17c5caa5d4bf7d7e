"""How the postings, columns and stored fields of one segment are laid out in its file.

Whoever has documents (the bulk builder, Whoosh's own writer, a merge) brings them into the shape
of ``Postings`` and writes them here, so that there is one layout and one place that knows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np

from searchfeed.engines.whoosh.columnar.container import FileWriter
from searchfeed.engines.whoosh.columnar.dictionary import write_dictionary
from searchfeed.engines.whoosh.columnar.packing import PackedWriter, RunsWriter, narrow
from searchfeed.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.columnar.container import Array
    from searchfeed.engines.whoosh.columnar.stored import StoredWriter

EXTENSION = ".sfc"
BLOCK = 128
"""Postings to a block, for which the largest frequency and the shortest field are kept."""

NO_FIELD: Mapping[str, Any] = {
    "terms": 0,
    "positions": 0,
    "repeated": False,
    "total": 0,
    "shortest": 0,
    "longest": 0,
    "keys": (),
}
"""What a segment tells of a field that it has nothing of.

How many terms and positions it holds, whether a term stands more than once in a document, the sum
of its lengths, the shortest (but 0) and the longest, and the names of its second keys.
"""

MakeKey: TypeAlias = Callable[[str], str | None]
"""From a term to a second key it can be found by (its stem, say); None where it has none."""

Keys: TypeAlias = Mapping[str, Mapping[str, MakeKey]]
"""For a field, by the name of the key, how to make it."""


@dataclass(frozen=True, slots=True)
class Postings:
    """The postings of neighbouring terms of one field, one after the other.

    Attributes:
        counts: for each term how many postings it has, at least 1.
        documents: for each posting the document's number, ascending within a term.
        frequencies: for each posting how often the term stands in the document, at least 1.
        gaps: for each occurrence its position, less that of the one before in the same posting;
            None where the field keeps no positions.
        weights: for each posting what Whoosh is to score it by, None where that is the frequency
            in all of the field's postings.
    """

    counts: NDArray[np.int64]
    documents: NDArray[np.int32]
    frequencies: NDArray[np.int32]
    gaps: NDArray[np.int32] | None = None
    weights: NDArray[np.float32] | None = None


class _Field:
    """Takes in the postings of one field, batch by batch."""

    def __init__(self, lengths: Array | None) -> None:
        self._lengths = lengths
        self._counts: list[Array] = []
        self._totals: list[Array] = []
        self._documents = RunsWriter()
        self._frequencies = PackedWriter()
        self._gaps = PackedWriter()
        self._weights: list[Array] = []
        self.repeated = False
        self.positions = 0
        self._block_terms: list[int] = []
        self._block_counts: list[int] = []
        self._block_frequencies: list[Array] = []
        self._block_lengths: list[Array] = []
        self._term_count = 0

    def append(self, batch: Postings) -> None:
        if not len(batch.counts):
            return
        starts = np.cumsum(batch.counts) - batch.counts
        self._blocks(batch, starts)
        self._counts.append(batch.counts)
        self._documents.append(batch.documents)
        self._frequencies.append(batch.frequencies)
        self.repeated = self.repeated or int(batch.frequencies.max()) > 1
        if batch.gaps is not None:
            self._gaps.append(batch.gaps)
            self._totals.append(np.add.reduceat(batch.frequencies, starts, dtype=np.int64))
            self.positions += len(batch.gaps)
        if batch.weights is not None:
            self._weights.append(batch.weights)
        self._term_count += len(batch.counts)

    def _blocks(self, batch: Postings, starts: Array) -> None:
        for term in np.flatnonzero(batch.counts > BLOCK).tolist():
            start, count = int(starts[term]), int(batch.counts[term])
            places = np.arange(0, count, BLOCK)
            frequencies = batch.frequencies[start : start + count]
            self._block_terms.append(self._term_count + term)
            self._block_counts.append(len(places))
            self._block_frequencies.append(np.maximum.reduceat(frequencies, places))
            if self._lengths is not None:
                lengths = self._lengths[batch.documents[start : start + count]]
                self._block_lengths.append(np.minimum.reduceat(lengths, places))

    def write(self, writer: FileWriter, name: str) -> None:
        writer.add(name, "postings.starts", _starts(np.concatenate(self._counts)))
        self._documents.write(writer, name, "documents")
        if self.repeated:
            self._frequencies.write(writer, name, "frequencies")
        if self._totals:
            writer.add(name, "positions.starts", _starts(np.concatenate(self._totals)))
            self._gaps.write(writer, name, "positions")
        if self._weights:
            writer.add(name, "weights", np.concatenate(self._weights))
        if self._block_terms:
            writer.add(name, "blocks.terms", np.array(self._block_terms, "<u4"))
            writer.add(name, "blocks.starts", _starts(np.array(self._block_counts)))
            writer.add(name, "blocks.frequencies", narrow(np.concatenate(self._block_frequencies)))
        if self._block_lengths:
            writer.add(name, "blocks.lengths", narrow(np.concatenate(self._block_lengths)))


def _starts(counts: Array) -> Array:
    return narrow(np.concatenate(([0], np.cumsum(counts, dtype=np.int64))))


class SegmentFile:
    """Writes the file of one segment, a part after the other; ``finish`` gives it its name."""

    def __init__(self, path: Path, doc_count: int) -> None:
        self._writer = FileWriter(path)
        self._doc_count = doc_count
        self._fields: dict[str, dict[str, Any]] = {}
        self._columns: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.__exit__(kind, error, trace)

    def field(
        self,
        name: str,
        terms: Callable[[], Sequence[bytes]],
        batches: Iterable[Postings],
        lengths: Array | None = None,
        keys: Mapping[str, MakeKey] | None = None,
    ) -> None:
        """Write a field that is searched.

        Args:
            name: the field's name.
            terms: asked once all batches are through: the terms, sorted, each with a posting.
            batches: their postings, in the same order.
            lengths: how many terms the field has in each document; None where that does not count.
            keys: second keys that the terms are to be found by.
        """
        field = _Field(lengths)
        for batch in batches:
            field.append(batch)
        words = terms()
        attributes = self._fields[name] = {
            **NO_FIELD,
            "terms": len(words),
            "positions": field.positions,
            "repeated": field.repeated,
            "keys": list(keys or ()),
        }
        if lengths is not None and lengths.any():
            attributes["total"] = int(lengths.sum(dtype=np.int64))
            attributes["shortest"] = int(lengths[lengths > 0].min())
            attributes["longest"] = int(lengths.max())
            self._writer.add(name, "lengths", narrow(lengths))
        if words:
            write_dictionary(self._writer, name, "terms", words)
            field.write(self._writer, name)
        for key, make in (keys or {}).items():
            self._key(name, f"keys.{key}", words, make)

    def _key(self, name: str, part: str, words: Sequence[bytes], make: MakeKey) -> None:
        found: dict[bytes, list[int]] = {}
        for number, word in enumerate(words):
            key = make(word.decode())
            if key is not None:
                found.setdefault(key.encode(), []).append(number)
        ordered = sorted(found)
        counts = np.fromiter((len(found[key]) for key in ordered), np.int64, len(ordered))
        numbers = [number for key in ordered for number in found[key]]
        write_dictionary(self._writer, name, part, ordered)
        self._writer.add(name, f"{part}.terms.starts", _starts(counts))
        self._writer.add(name, f"{part}.terms", narrow(np.array(numbers, np.int64)))

    def numbers(self, name: str, values: Array, default: float) -> None:
        """Write a column of numbers, one a document; ``default`` stands where there is none."""
        self._columns[name] = {"kind": "numbers", "type": values.dtype.str[1:], "default": default}
        self._writer.add(name, "column", values)

    def texts(self, name: str, codes: Array, texts: Sequence[bytes]) -> None:
        """Write a column of byte strings: for each document the number of one of ``texts``."""
        self._columns[name] = {"kind": "texts"}
        self._writer.add(name, "column", narrow(codes))
        write_dictionary(self._writer, name, "column.texts", texts)

    def finish(self, stored: StoredWriter) -> None:
        """Write what is stored, and end the file.

        Raises:
            OSError: it could not be written; nothing is left of it.
        """
        stored.write(self._writer)
        self._writer.finish(
            {"documents": self._doc_count, "fields": self._fields, "columns": self._columns}
        )
