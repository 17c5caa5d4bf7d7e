"""Whoosh's codec over our segments: what its searcher, its writer and its merges need.

An index names this module in its table of contents (a pickle of Whoosh's), which is how
``whoosh.index.open_dir`` finds it. ``matcher`` and ``readers`` hold what reading takes.
"""

# ruff: noqa: D102 - the methods are those of Whoosh's base classes, and documented there

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from whoosh import columns, formats, index
from whoosh.codec import base
from whoosh.filedb.filestore import FileStorage

from searchfeed.engines.whoosh.columnar.builder import ColumnBuilder, ColumnKind
from searchfeed.engines.whoosh.columnar.reader import SegmentReader
from searchfeed.engines.whoosh.columnar.segment import EXTENSION, Postings, SegmentFile
from searchfeed.engines.whoosh.columnar.snapshot import INDEX_NAME, pack_deleted, unpack_live
from searchfeed.engines.whoosh.columnar.stored import StoredWriter, to_line
from searchfeed.errors import EngineError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ColumnarCodec(base.Codec):
    """Give it to ``index.writer(codec=ColumnarCodec())``; what is written then says so itself.

    It keeps fields whose format is Existence, Frequency or Positions, columns of numbers and of
    bytes, and stored values that JSON can hold (with dates, bytes and decimals). It keeps no term
    vectors.
    """

    length_stats = False

    def per_document_writer(self, storage: FileStorage, segment: ColumnarSegment) -> Any:
        return DocumentsWriter(segment, _path(storage, segment))

    def field_writer(self, _storage: FileStorage, segment: ColumnarSegment) -> Any:
        return TermsWriter(segment.documents_writer)

    def terms_reader(self, storage: FileStorage, segment: ColumnarSegment) -> Any:
        from searchfeed.engines.whoosh.columnar.readers import TermsReader

        return TermsReader(segment.open(storage))

    def per_document_reader(self, storage: FileStorage, segment: ColumnarSegment) -> Any:
        from searchfeed.engines.whoosh.columnar.readers import DocumentsReader

        return DocumentsReader(segment.open(storage), segment)

    def new_segment(self, _storage: FileStorage, indexname: str) -> ColumnarSegment:
        return ColumnarSegment(indexname)


def _path(storage: FileStorage, segment: ColumnarSegment) -> Path:
    if not isinstance(storage, FileStorage):
        raise TypeError("segments are mapped from files, so they need a FileStorage")
    return Path(storage.folder) / f"{segment.segment_id()}{EXTENSION}"


class ColumnarSegment(base.Segment):
    """What Whoosh's table of contents keeps of a segment: a name, a number and a bitmap."""

    def __init__(self, indexname: str, doc_count: int = 0) -> None:
        super().__init__(indexname)
        self._set(doc_count, None)

    def _set(self, doc_count: int, live: NDArray[np.bool_] | None) -> None:
        self._doc_count = doc_count
        self._live = live
        self._reader: SegmentReader | None = None
        self.documents_writer: DocumentsWriter | None = None

    def __getstate__(self) -> dict[str, object]:
        deleted = pack_deleted(self._live)
        return {
            "indexname": self.indexname,
            "segid": self.segid,
            "documents": self._doc_count,
            "deleted": zlib.compress(deleted) if deleted else b"",
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.indexname = state["indexname"]
        self.segid = state["segid"]
        self.compound = False
        deleted, doc_count = state["deleted"], state["documents"]
        self._set(doc_count, unpack_live(zlib.decompress(deleted) if deleted else b"", doc_count))

    @property
    def live(self) -> NDArray[np.bool_] | None:
        """For each document number whether it is still there; None where all are."""
        return self._live

    def open(self, storage: FileStorage) -> SegmentReader:
        """The arrays of the segment, with its deletions as they are now."""
        if self._reader is None:
            self._reader = SegmentReader(_path(storage, self), self._live)
        return self._reader.with_live(self._live)

    def codec(self) -> ColumnarCodec:
        return ColumnarCodec()

    def should_assemble(self) -> bool:
        return False

    def set_doc_count(self, doc_count: int) -> None:
        self._doc_count = doc_count

    def doc_count_all(self) -> int:
        return self._doc_count

    def deleted_count(self) -> int:
        return 0 if self._live is None else int(np.count_nonzero(~self._live))

    def deleted_docs(self) -> Iterable[int]:
        return () if self._live is None else iter(np.flatnonzero(~self._live).tolist())

    def is_deleted(self, docnum: int) -> bool:
        # Whoosh's inverse matcher asks for the document after the last as well.
        return self._live is not None and docnum < len(self._live) and not self._live[docnum]

    def delete_document(self, docnum: int, delete: bool = True) -> None:  # noqa: FBT001, FBT002
        """Mark a document as deleted, or as there again."""
        self.delete_documents(np.array([docnum]), delete=delete)

    def delete_documents(self, documents: NDArray[Any], *, delete: bool = True) -> None:
        """Mark many documents at once. Readers that are open keep the state they were opened in."""
        live = np.ones(self._doc_count, bool) if self._live is None else self._live.copy()
        live[documents] = not delete
        self._live = None if live.all() else live


class DocumentsWriter(base.PerDocumentWriter):
    """Collects lengths, columns and stored values, and writes the file once the terms are there."""

    def __init__(self, segment: ColumnarSegment, path: Path) -> None:
        self._path = path
        self._doc_count = 0
        self._lengths: dict[str, array[int]] = {}
        self._columns: dict[str, ColumnBuilder] = {}
        self._line: dict[str, object] = {}
        self._stored = StoredWriter()
        self.is_closed = False
        segment.documents_writer = self

    def start_doc(self, docnum: int) -> None:
        if docnum != self._doc_count:
            raise ValueError(f"document {docnum} follows {self._doc_count - 1}")
        self._line = {}

    def add_field(self, fieldname: str, _fieldobj: Any, value: object, length: int) -> None:
        if value is not None:
            self._line[fieldname] = value
        if length:
            lengths = self._lengths.setdefault(fieldname, array("i"))
            lengths.extend([0] * (self._doc_count - len(lengths)))
            lengths.append(length)

    def add_column_value(self, fieldname: str, columnobj: Any, value: object) -> None:
        if fieldname not in self._columns:
            self._columns[fieldname] = ColumnBuilder(column_kind(columnobj))
        column = self._columns[fieldname]
        column.add(self._doc_count, value)

    def add_vector_items(self, fieldname: str, _fieldobj: Any, _items: object) -> None:
        raise TypeError(f"{fieldname}: term vectors are not kept")

    def finish_doc(self) -> None:
        self._stored.add(to_line(self._line))
        self._doc_count += 1

    def close(self) -> None:
        self.is_closed = True

    def write(self, terms: dict[str, _FieldTerms]) -> None:
        """Write the segment's file."""
        with SegmentFile(self._path, self._doc_count) as file:
            for name in sorted(terms.keys() | self._lengths.keys()):
                lengths = None
                if name in self._lengths:
                    lengths = np.zeros(self._doc_count, dtype=np.int32)
                    lengths[: len(self._lengths[name])] = self._lengths[name]
                field = terms.get(name) or _FieldTerms()
                file.field(name, field.words.copy, field.postings(), lengths)
            for name, column in sorted(self._columns.items()):
                column.write(name, file, self._doc_count)
            file.finish(self._stored)


class _FieldTerms:
    """The postings of one field as Whoosh hands them over: sorted by term and document."""

    def __init__(self) -> None:
        self.words: list[bytes] = []
        self.counts = array("i")
        self.documents = array("i")
        self.frequencies = array("i")
        self.weights = array("f")
        self.gaps = array("i")

    def postings(self) -> list[Postings]:
        if not self.words:
            return []
        frequencies = np.array(self.frequencies, np.int32)
        weights = np.array(self.weights, np.float32)
        return [
            Postings(
                np.array(self.counts, np.int64),
                np.array(self.documents, np.int32),
                frequencies,
                np.array(self.gaps, np.int32) if len(self.gaps) else None,
                None if np.array_equal(weights, frequencies) else weights,
            )
        ]


class TermsWriter(base.FieldWriter):
    """Collects postings. Whoosh closes it without any where a writer is cancelled."""

    def __init__(self, documents: DocumentsWriter | None) -> None:
        assert documents is not None, "Whoosh opens the documents' writer first"
        self._documents = documents
        self._fields: dict[str, _FieldTerms] = {}
        self._field = _FieldTerms()
        self._format: Any = None
        self._latest: tuple[int, list[int]] = (-1, [])
        self._complete = False
        self.is_closed = False

    def add_postings(self, schema: Any, lengths: Any, items: Iterable[Any]) -> None:
        super().add_postings(schema, lengths, items)
        self._complete = True

    def start_field(self, fieldname: str, fieldobj: Any) -> None:
        self._format = fieldobj.format
        if type(self._format) not in (formats.Existence, formats.Frequency, formats.Positions):
            raise TypeError(f"{fieldname}: the format {self._format!r} is not kept")
        self._field = self._fields.setdefault(fieldname, _FieldTerms())

    def start_term(self, text: bytes) -> None:
        self._field.words.append(text)
        self._field.counts.append(0)
        self._latest = (-1, [])

    def add(self, docnum: int, weight: float, vbytes: bytes, _length: int) -> None:
        field = self._field
        latest, positions = self._latest
        again = docnum == latest
        if isinstance(self._format, formats.Positions):
            new = self._format.decode_positions(vbytes)
            if again:
                del field.gaps[-len(positions) :]
                new = [*positions, *new]
            positions = sorted(new)
            field.gaps.extend(
                place - before for before, place in zip([0, *positions], positions, strict=False)
            )
            frequency = len(positions)
        else:
            frequency = self._format.decode_frequency(vbytes)
            if again and isinstance(self._format, formats.Frequency):
                frequency += field.frequencies[-1]
        self._latest = docnum, positions
        if again:
            field.frequencies[-1] = frequency
            if not isinstance(self._format, formats.Existence):
                field.weights[-1] += weight
            return
        field.counts[-1] += 1
        field.documents.append(docnum)
        field.frequencies.append(frequency)
        field.weights.append(weight)

    def finish_term(self) -> None:
        pass

    def close(self) -> None:
        if self._complete and not self.is_closed:
            self._documents.write(self._fields)
        self.is_closed = True


def column_kind(column: Any) -> ColumnKind:
    """What is needed to keep one of Whoosh's columns.

    Raises:
        TypeError: it is of a kind that is not kept.
    """
    if isinstance(column, columns.NumericColumn):
        # Of the same names numpy and struct think differently where the machine differs.
        size = {"b": 1, "h": 2, "i": 4, "l": 4, "q": 8, "f": 4, "d": 8}[column._typecode.lower()]  # noqa: SLF001
        kind = "f" if column._typecode in "fd" else "i" if column._typecode.islower() else "u"  # noqa: SLF001
        return ColumnKind(f"{kind}{size}", column.default_value())
    if isinstance(column, columns.BitColumn):
        return ColumnKind("u1", int(column.default_value()))
    if isinstance(column, columns.VarBytesColumn | columns.CompressedBytesColumn):
        return ColumnKind()
    if isinstance(column, columns.RefBytesColumn) and not column.default_value().strip(b"\0"):
        return ColumnKind()
    raise TypeError(f"columns of the kind {type(column).__name__} are not kept")


def columnar_segments(segments: Iterable[Any]) -> list[ColumnarSegment]:
    """The segments, if all of them are ours.

    Raises:
        EngineError: one is not.
    """
    found = list(segments)
    if not all(isinstance(segment, ColumnarSegment) for segment in found):
        raise EngineError("the index has segments that another codec wrote")
    return found


def read_contents(directory: Path, generation: int) -> list[tuple[str, NDArray[np.bool_] | None]]:
    """The names and live documents of the segments, from Whoosh's own table of contents."""
    contents = index.TOC.read(FileStorage(str(directory)), INDEX_NAME, gen=generation)
    segments = columnar_segments(contents.segments)
    return [(segment.segment_id(), segment.live) for segment in segments]
