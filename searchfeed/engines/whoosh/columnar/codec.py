"""Whoosh's codec over our segments: what its searcher, its writer and its merges need.

An index names this module in its table of contents (a pickle of Whoosh's), which is how
``whoosh.index.open_dir`` finds it. ``whoosh_reading`` and ``whoosh_writing`` hold what it takes.
"""

# ruff: noqa: D102 - the methods are those of Whoosh's base classes, and documented there

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from whoosh import index
from whoosh.codec import base
from whoosh.filedb.filestore import FileStorage

from searchfeed.engines.whoosh.columnar.layout import EXTENSION
from searchfeed.engines.whoosh.columnar.reader import SegmentReader
from searchfeed.engines.whoosh.columnar.snapshot import INDEX_NAME, Named, pack_deleted, unpack_live
from searchfeed.engines.whoosh.columnar.whoosh_reading import DocumentsReader, TermsReader
from searchfeed.engines.whoosh.columnar.whoosh_writing import DocumentsWriter, TermsWriter
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
        segment.documents_writer = DocumentsWriter(_path(storage, segment))
        return segment.documents_writer

    def field_writer(self, _storage: FileStorage, segment: ColumnarSegment) -> Any:
        return TermsWriter(segment.documents_writer)

    def terms_reader(self, storage: FileStorage, segment: ColumnarSegment) -> Any:
        return TermsReader(segment.open(storage))

    def per_document_reader(self, storage: FileStorage, segment: ColumnarSegment) -> Any:
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


def columnar_segments(segments: Iterable[Any]) -> list[ColumnarSegment]:
    """The segments, if all of them are ours.

    Raises:
        EngineError: one is not.
    """
    found = list(segments)
    if not all(isinstance(segment, ColumnarSegment) for segment in found):
        raise EngineError("the index has segments that another codec wrote")
    return found


def read_contents(directory: Path, generation: int) -> Named:
    """The segments and their deletions, from Whoosh's own table of contents."""
    contents = index.TOC.read(FileStorage(str(directory)), INDEX_NAME, gen=generation)
    segments = columnar_segments(contents.segments)
    return [
        (segment.segment_id(), segment.doc_count_all(), pack_deleted(segment.live))
        for segment in segments
    ]


def segment_readers(reader: Any) -> list[SegmentReader]:
    """The arrays beneath one of Whoosh's index readers, a segment each, in its order."""
    return [leaf._perdoc.segment for leaf, _ in reader.leaf_readers()]  # noqa: SLF001
