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
from searchfeed.engines.whoosh.columnar.documents import DocumentsWriter
from searchfeed.engines.whoosh.columnar.layout import BLOCK, NO_FIELD
from searchfeed.engines.whoosh.columnar.packing import PackedWriter, RunsWriter, narrow
from searchfeed.engines.whoosh.columnar.terms import write_dictionary, write_keys
from searchfeed.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.columnar.container import Array, Sink
    from searchfeed.engines.whoosh.columnar.stored import StoredWriter

MakeKeys: TypeAlias = Callable[[Sequence[str]], Sequence[str | None]]
"""From terms to a second key that each can be found by (its stem, say); None where it has none."""

Keys: TypeAlias = Mapping[str, Mapping[str, MakeKeys]]
"""For a field, by the name of the key, how to make them."""


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

    def __init__(self, doc_count: int) -> None:
        self._starts = RunsWriter()
        self._starts.append(np.zeros(1, dtype=np.int64))
        self._documents = DocumentsWriter(doc_count)
        self._postings = 0
        self._sums: list[Array] = []
        self._frequencies = PackedWriter()
        self._gaps = PackedWriter()
        self._weights: list[Array] = []
        self.repeated = False
        self.positions = 0

    def append(self, batch: Postings) -> None:
        if not len(batch.counts):
            return
        self._starts.append(np.cumsum(batch.counts) + self._postings)
        self._documents.append(batch.counts, batch.documents)
        self._frequencies.append(batch.frequencies - 1)
        self.repeated = self.repeated or int(batch.frequencies.max()) > 1
        if batch.gaps is not None:
            self._gaps.append(batch.gaps)
            before = np.cumsum(batch.frequencies, dtype=np.int64) - batch.frequencies
            self._sums.append(before[-self._postings % BLOCK :: BLOCK] + self.positions)
            self.positions += len(batch.gaps)
        if batch.weights is not None:
            self._weights.append(batch.weights)
        self._postings += len(batch.documents)

    def write(self, writer: Sink, name: str) -> None:
        self._starts.write(writer, name, "postings.starts")
        self._documents.write(writer, name)
        if self.repeated:
            self._frequencies.write(writer, name, "frequencies")
        if self.positions:
            writer.add(name, "positions.sums", narrow(np.concatenate(self._sums)))
            self._gaps.write(writer, name, "positions")
        if self._weights:
            writer.add(name, "weights", np.concatenate(self._weights))


def write_postings(
    writer: Sink,
    name: str,
    doc_count: int,
    batches: Iterable[Postings],
    terms: Callable[[], Sequence[bytes]],
) -> tuple[Sequence[bytes], dict[str, Any]]:
    """Write the terms of a field and their postings.

    Args:
        writer: takes them.
        name: the field's name.
        doc_count: how many documents there are.
        batches: the postings, in the order of the terms.
        terms: asked once all batches are through: the terms, sorted, each with a posting.

    Returns:
        The terms, and what is told of the field as in ``NO_FIELD``.
    """
    field = _Field(doc_count)
    for batch in batches:
        field.append(batch)
    words = terms()
    if words:
        write_dictionary(writer, name, "terms", words)
        field.write(writer, name)
    told = {"terms": len(words), "positions": field.positions, "repeated": field.repeated}
    return words, {**NO_FIELD, **told}


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
        keys: Mapping[str, MakeKeys] | None = None,
    ) -> None:
        """Write a field that is searched.

        Args:
            name: the field's name.
            terms: asked once all batches are through: the terms, sorted, each with a posting.
            batches: their postings, in the same order.
            lengths: how many terms the field has in each document; None where that does not count.
            keys: second keys that the terms are to be found by.
        """
        words, attributes = write_postings(self._writer, name, self._doc_count, batches, terms)
        attributes["keys"] = list(keys or ())
        self._fields[name] = attributes
        if lengths is not None and lengths.any():
            attributes["total"] = int(lengths.sum(dtype=np.int64))
            attributes["shortest"] = int(lengths[lengths > 0].min())
            attributes["longest"] = int(lengths.max())
            self._writer.add(name, "lengths", narrow(lengths))
        for key, make in (keys or {}).items():
            write_keys(self._writer, name, f"keys.{key}", words, make)

    def numbers(self, name: str, values: Array, default: float, step: int = 0) -> None:
        """Write a column of numbers.

        Args:
            name: the column's name.
            values: one for each document.
            default: stands where a document has none.
            step: where it is not 0 there is a field of that name, whose terms are made of the
                column when they are asked for: each number, and what is left of it when 1, 2, …
                times as many bits are taken off its end.
        """
        if step and (values != default).any():
            self._fields[name] = {**NO_FIELD, "column": step}
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
