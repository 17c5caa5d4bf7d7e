"""The bulk way into a Whoosh index: its lock, its generations, its table of contents, our segments.

A commit is one rename. Before it, every file that it names is complete and on the disk; whatever
a writer that was killed left behind is named by nothing, and is removed by the next commit.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

import numpy as np
from whoosh import fields as whoosh_fields
from whoosh import index
from whoosh.filedb.filestore import FileStorage, RamStorage

from searchfeed.engines.whoosh.columnar.builder import Derive, Documents, SegmentBuilder
from searchfeed.engines.whoosh.columnar.codec import ColumnarSegment, columnar_segments
from searchfeed.engines.whoosh.columnar.container import sync_directory
from searchfeed.engines.whoosh.columnar.layout import EXTENSION
from searchfeed.engines.whoosh.columnar.merge import FACTOR, merge_segments, plan_merges
from searchfeed.engines.whoosh.columnar.occurrences import Analyze
from searchfeed.engines.whoosh.columnar.reader import SegmentReader
from searchfeed.engines.whoosh.columnar.segment import Keys
from searchfeed.engines.whoosh.columnar.snapshot import (
    INDEX_NAME,
    SIDE_FILE,
    Snapshot,
    latest_generation,
    pack_deleted,
    read_state,
    write_side_file,
)
from searchfeed.engines.whoosh.columnar.whoosh_writing import (
    column_kind,
    field_kinds,
    number_terms,
    with_terms,
)
from searchfeed.errors import EngineError

Beside: TypeAlias = Callable[[Snapshot, bytes], object]
"""Called with a state that is about to be committed, and with Whoosh's table of contents of it."""


def make_builder(
    schema: whoosh_fields.Schema,
    keys: Keys | None = None,
    analyze: Analyze | None = None,
    derive: Derive | None = None,
    from_columns: Collection[str] = (),
) -> SegmentBuilder:
    """A builder for segments of a schema, in this process or another; see ``BulkWriter.adopt``.

    Raises:
        TypeError: a format or column of the schema is not kept.
    """
    columns = {
        name: column_kind(field.column_type) for name, field in schema.items() if field.column_type
    }
    kinds = field_kinds(schema)
    for name in from_columns:
        columns[name] = with_terms(columns[name], schema[name])
        del kinds[name]
    return SegmentBuilder(kinds, columns, keys, analyze, derive)


class BulkWriter:
    """Writes documents to an index, in one commit. For one thread.

    It is a context manager; what is not committed at the end of the block is given up.

    Args:
        directory: where the index lies, or is to be made.
        schema: the index's schema; None for the one it has.
        memory: about how many megabytes documents may take before they are written as a segment.
        keys: second keys for the terms of some fields.
        analyze, derive: see ``SegmentBuilder``.
        from_columns: fields of dates whose terms, which only Whoosh's own searcher needs, are
            made of their columns; ``Documents.keywords`` has none for them.
        factor: how many segments of like size make a merge.

    Raises:
        whoosh.index.LockError: another writer is at work.
        whoosh.index.EmptyIndexError: there is no index, and no schema to make one.
        EngineError: the index has segments of another codec.
    """

    def __init__(
        self,
        directory: Path,
        schema: whoosh_fields.Schema | None = None,
        *,
        memory: int = 128,
        keys: Keys | None = None,
        analyze: Analyze | None = None,
        derive: Derive | None = None,
        from_columns: Collection[str] = (),
        factor: int = FACTOR,
    ) -> None:
        self._directory = directory
        self._storage = FileStorage(str(directory))
        self._memory = memory * 1_000_000
        self._keys: Keys = keys or {}
        self._analyze = analyze
        self._derive = derive
        self._from_columns = from_columns
        self._factor = factor
        self._new: list[ColumnarSegment] = []
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = self._storage.lock(f"{INDEX_NAME}_WRITELOCK")
        if not self._lock.acquire():
            raise index.LockError
        try:
            self._read_contents(schema)
            self._builder = self._make_builder()
        except BaseException:
            self._lock.release()
            raise
        self._closed = False

    def _make_builder(self) -> SegmentBuilder:
        return make_builder(
            self._schema, self._keys, self._analyze, self._derive, self._from_columns
        )

    def _read_contents(self, schema: whoosh_fields.Schema | None) -> None:
        self._generation = latest_generation(self._directory) + 1
        self._extra: Mapping[str, str] = {}
        self._segments: list[ColumnarSegment] = []
        if self._generation or schema is None:
            contents = index.TOC.read(self._storage, INDEX_NAME)
            self._segments = columnar_segments(contents.segments)
            _, self._extra = read_state(self._directory, self._generation - 1)
            schema = schema or contents.schema
        self._schema = schema

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.cancel()

    def extend(self, documents: Documents) -> None:
        """Take documents; see ``SegmentBuilder.extend`` for how many, and for what it raises."""
        self._check_open()
        self._builder.extend(documents)
        if self._builder.size > self._memory:
            self._flush()

    def adopt(self, path: Path) -> None:
        """Take in a segment that a builder of ``make_builder`` wrote; its file is moved.

        It lies on the same file system. Its documents follow those written as segments so far, and
        come before those that are still in memory.

        Raises:
            CorruptFileError: the file is damaged.
        """
        self._check_open()
        segment = ColumnarSegment(INDEX_NAME, SegmentReader(path).doc_count)
        path.replace(self._path(segment))
        self._new.append(segment)

    def terms(self, field: str, value: object) -> list[bytes]:
        """The terms that Whoosh makes of a number or date, for ``Documents.keywords``.

        A number has a term for each of its leading parts, which is how ranges are found.
        """
        return number_terms(self._schema[field], value)

    def delete_by_term(self, field: str, terms: Iterable[str]) -> int:
        """Delete the committed documents that have one of the terms; those just added stay.

        Returns:
            How many documents that were there are there no more.
        """
        wanted = list(terms)
        count = 0
        for segment in self._segments:
            reader = segment.open(self._storage)
            numbers = [reader.term_id(field, term) for term in wanted]
            found = [reader.postings(field, number)[0] for number in numbers if number >= 0]
            if found:
                before = segment.doc_count()
                segment.delete_documents(np.concatenate(found))
                count += before - segment.doc_count()
        return count

    def clear(self) -> None:
        """Leave out of the commit every document that was committed before."""
        self._segments = []

    def commit(
        self,
        extra: Mapping[str, str] | None = None,
        *,
        merge: bool = True,
        optimize: bool = False,
        beside: Beside | None = None,
    ) -> None:
        """Make all of it the new state of the index, and let go of the lock.

        Args:
            extra: what is to be kept with this state and read back from ``Snapshot.extra``; None
                keeps what was there.
            merge: whether segments may be merged.
            optimize: merge all of them into one.
            beside: called before the commit, to write what is to lie beside it.

        Raises:
            OSError: it could not be written; the index is as it was.
        """
        self._check_open()
        try:
            self._flush()
            segments = [*self._segments, *self._new]
            groups = []
            if optimize:
                deleted = any(segment.has_deletions() for segment in segments)
                groups = [list(range(len(segments)))] if deleted or len(segments) > 1 else []
            elif merge:
                live = [segment.doc_count() for segment in segments]
                every = [segment.doc_count_all() for segment in segments]
                groups = plan_merges(live, every, factor=self._factor)
            segments = self._merge(segments, groups)
            self._write_contents(segments, self._extra if extra is None else extra, beside)
        except BaseException:
            self.cancel()
            raise
        self._release()

    def _check_open(self) -> None:
        if self._closed:
            raise EngineError("this writer has been closed")

    def cancel(self) -> None:
        """Give all of it up; the index is as it was."""
        for segment in self._new:
            self._path(segment).unlink(missing_ok=True)
        self._release()

    def _release(self) -> None:
        self._new = []
        if not self._closed:
            self._closed = True
            self._lock.release()

    def _path(self, segment: ColumnarSegment) -> Path:
        return self._directory / f"{segment.segment_id()}{EXTENSION}"

    def _flush(self) -> None:
        if not self._builder.doc_count:
            return
        segment = ColumnarSegment(INDEX_NAME, self._builder.doc_count)
        self._builder.write(self._path(segment))
        self._new.append(segment)
        self._builder = self._make_builder()

    def _merge(
        self, segments: list[ColumnarSegment], groups: list[list[int]]
    ) -> list[ColumnarSegment]:
        """The segments, each group of them replaced by one in the place of its first."""
        merged: dict[int, ColumnarSegment | None] = {}
        for group in groups:
            readers: list[SegmentReader] = [segments[at].open(self._storage) for at in group]
            new = ColumnarSegment(INDEX_NAME)
            new.set_doc_count(merge_segments(self._path(new), readers, self._keys))
            if new.doc_count_all():
                self._new.append(new)
            merged.update(dict.fromkeys(group))
            merged[group[0]] = new if new.doc_count_all() else None
        result = [merged.get(place, segment) for place, segment in enumerate(segments)]
        return [segment for segment in result if segment is not None]

    def _write_contents(
        self, segments: list[ColumnarSegment], extra: Mapping[str, str], beside: Beside | None
    ) -> None:
        # Whoosh writes its table into memory, so that its checksum is known and it can be synced.
        memory = RamStorage()
        index.TOC(self._schema, segments, self._generation).write(memory, INDEX_NAME)
        ((name, contents),) = memory.files.items()
        rows = [
            (segment.segment_id(), segment.doc_count_all(), pack_deleted(segment.live))
            for segment in segments
        ]
        write_side_file(self._directory, self._generation, contents, rows, extra)
        if beside is not None:
            readers = tuple(segment.open(self._storage) for segment in segments)
            beside(Snapshot(self._generation, readers, extra), contents)
        temporary = self._directory / f"{name}.tmp"
        with temporary.open("wb") as file:
            file.write(contents)
            file.flush()
            os.fsync(file.fileno())
        # From here on the index may name the new files, so they are no longer ours to remove.
        self._new = []
        temporary.rename(self._directory / name)
        sync_directory(self._directory)
        self._clean(segments)

    def _clean(self, segments: list[ColumnarSegment]) -> None:
        """Remove what this state does not name; readers that have it open keep it."""
        index.clean_files(self._storage, INDEX_NAME, self._generation, segments)
        for path in self._directory.iterdir():
            match = SIDE_FILE.match(path.name)
            stray = path.name.startswith(f"_{INDEX_NAME}_") and path.suffix == ".tmp"
            if stray or (match and int(match[1]) != self._generation):
                # What cannot be removed now is removed by the next commit.
                with suppress(OSError):
                    path.unlink()


__all__ = ("BulkWriter", "Documents", "make_builder")
