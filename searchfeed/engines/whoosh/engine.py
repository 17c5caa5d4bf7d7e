"""The default engine: a Whoosh index in a directory of its own.

Whoosh unpickles what it finds in an index directory, so a directory that somebody else owns or
can write to is refused before a byte of it is read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

import numpy as np
from whoosh.filedb.filestore import FileStorage
from whoosh.index import TOC, EmptyIndexError, FileIndex, IndexError, LockError
from whoosh.query import Term
from whoosh.writing import CLEAR, MERGE_SMALL, IndexingError, SegmentWriter

from searchfeed import analysis
from searchfeed.engines import Answer, Change, Match, Progress
from searchfeed.engines.whoosh.schema import make_schema, to_document
from searchfeed.engines.whoosh.scoring import Matched, Scorer
from searchfeed.engines.whoosh.view import NO_DATE, View
from searchfeed.engines.whoosh.vocabulary import Vocabulary
from searchfeed.errors import EngineError, IndexLockedError, UnsafeIndexError
from searchfeed.models import Sort
from searchfeed.tree import Node

INDEX_NAME = "MAIN"
"""The name that ``whoosh.index.open_dir`` looks for."""

FORMAT = 1
"""Raised when documents are laid out in another way than before: older indexes are rebuilt."""

MEMORY = 256
"""Megabytes of postings kept in memory before they are written out as a run."""

PATIENCE = 30.0
"""Seconds to wait for another writer before giving up."""

EVERY = 100
"""Progress is reported each time so many entries have been taken in."""


class State(NamedTuple):
    """What is committed beside the documents, in the same file and so in the same instant."""

    reached: int = 0
    fingerprint: str = ""


class Snapshot(NamedTuple):
    """A committed state, open for searching."""

    generation: int
    state: State
    view: View
    vocabulary: Vocabulary


class WhooshEngine:
    """One Whoosh index. Searches run on snapshots and never wait for a writer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = RLock()
        self._snapshot: Snapshot | None = None
        with _translated(path):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            refuse_shared(path)
            self._storage = FileStorage(str(path))
            if TOC._latest_generation(self._storage, INDEX_NAME) < 0:  # noqa: SLF001
                self._create()

    def _create(self) -> None:
        """Write the index without documents that every later commit builds on."""
        schema = make_schema()
        schema.searchfeed_state = State(fingerprint=fingerprint())
        lock = self._storage.lock(f"{INDEX_NAME}_WRITELOCK")
        if not lock.acquire():
            return  # somebody else is creating it at this moment
        try:
            if TOC._latest_generation(self._storage, INDEX_NAME) < 0:  # noqa: SLF001
                TOC(schema, [], 0).write(self._storage, INDEX_NAME)
        finally:
            lock.release()

    @property
    def reached(self) -> int:
        """See ``Engine.reached``."""
        return self._current().state.reached

    @property
    def stale(self) -> bool:
        """See ``Engine.stale``."""
        return self._current().state.fingerprint != fingerprint()

    def write(
        self,
        changes: Iterable[Change],
        *,
        reached: int,
        replace: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """See ``Engine.write``."""
        with self._writer() as writer:
            if replace:
                writer.schema = make_schema()
            known = set() if replace else self._ids()
            taken: set[str] = set()
            done = 0
            for done, change in enumerate(changes, start=1):
                id = change.entry.id
                # Two of one id in a commit would both stay: Whoosh deletes only what is committed.
                if id in taken:
                    raise EngineError(f"entry {id} stands twice in one batch of changes")
                taken.add(id)
                if id in known:
                    writer.delete_by_term("id", id)
                writer.add_document(**to_document(change))
                if progress is not None and done % EVERY == 0:
                    progress(done)
            writer.schema.searchfeed_state = State(reached, fingerprint())
            writer.commit(mergetype=CLEAR if replace else MERGE_SMALL)
            if progress is not None:
                progress(done)

    def delete(self, ids: Iterable[str]) -> None:
        """See ``Engine.delete``."""
        with self._writer() as writer:
            for id in ids:
                writer.delete_by_query(Term("id", id))
            writer.commit()

    def search(
        self, node: Node, *, limit: int, offset: int = 0, sort: Sort = Sort.RELEVANCE
    ) -> Answer:
        """See ``Engine.search``."""
        snapshot = self._current()
        with _translated(self._path):
            scorer = Scorer(snapshot.view, snapshot.vocabulary)
            matched = scorer.run(node)
            page = arrange(snapshot.view, matched, sort, offset + limit)[offset:]
            matches = tuple(
                Match(snapshot.view.id(matched.documents[at]), float(matched.scores[at]))
                for at in page
            )
        return Answer(matches, len(matched.documents), tuple(scorer.patterns))

    def close(self) -> None:
        """See ``Engine.close``."""
        with self._lock:
            if self._snapshot is not None:
                self._snapshot.view.close()
                self._snapshot = None

    def _ids(self) -> set[str]:
        return set(self._current().view.terms("id"))

    def _current(self) -> Snapshot:
        """The newest committed state; opened again only when there is a newer one."""
        with self._lock, _translated(self._path):
            newest = TOC._latest_generation(self._storage, INDEX_NAME)  # noqa: SLF001
            if self._snapshot is None or self._snapshot.generation != newest:
                # The old snapshot is left to the searches that still use it.
                self._snapshot = self._open()
            return self._snapshot

    def _open(self) -> Snapshot:
        for last in (False,) * 20 + (True,):
            try:
                toc = TOC.read(self._storage, INDEX_NAME)
                reader = FileIndex._reader(  # noqa: SLF001
                    self._storage, toc.schema, toc.segments, toc.generation
                )
            except (OSError, EmptyIndexError):
                # A writer has put a newer state in place and removed this one's files.
                if last:
                    raise
            except Exception as error:  # a broken pickle can raise anything at all
                raise _unreadable(self._path, error) from error
            else:
                state = getattr(toc.schema, "searchfeed_state", State())
                view = View(reader)
                return Snapshot(toc.generation, state, view, Vocabulary(view))
        raise AssertionError("unreachable")

    @contextmanager
    def _writer(self) -> Iterator[Any]:
        with _translated(self._path):
            index = FileIndex(self._storage, indexname=INDEX_NAME)
            writer = SegmentWriter(index, timeout=PATIENCE, limitmb=MEMORY)
            try:
                yield writer
            finally:
                if not writer.is_closed:
                    # Whoosh keeps its lock and its temporary files unless it is told to give up.
                    writer.cancel()


def fingerprint() -> str:
    """What an index has to be made with to be searched by this release."""
    return f"{FORMAT}-{analysis.FINGERPRINT}"


def arrange(view: View, matched: Matched, sort: Sort, count: int) -> list[int]:
    """The first ``count`` places in ``matched``, in order.

    Ties go to the newer entry, then to the smaller id; entries without a date come last.
    """
    dates = view.column("date")[matched.documents]
    missing = dates == NO_DATE
    # Complements turn the order of unsigned numbers round.
    newest = np.where(missing, NO_DATE, ~dates)
    if sort is Sort.RELEVANCE:
        first: Any = -matched.scores
    else:
        first = newest if sort is Sort.NEWEST else dates
    candidates = np.arange(len(first))
    if count < len(first):
        # Only those that could be on the page are put in order, ties at its end included.
        candidates = np.flatnonzero(first <= np.partition(first, count - 1)[count - 1])
    keys = view.column("key")[matched.documents[candidates]]
    order = np.lexsort((keys, newest[candidates], first[candidates]))
    places: list[int] = candidates[order][:count].tolist()
    return places


def refuse_shared(path: Path) -> None:
    """Raise UnsafeIndexError unless only this user can have put something into ``path``."""
    status = path.stat()
    if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
        raise UnsafeIndexError(
            f"{path} belongs to another user, who could run code through it; "
            "name an index of your own with --index"
        )
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UnsafeIndexError(
            f"{path} can be written by other users, who could run code through it; "
            f"close it with: chmod go-w {path}"
        )


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn Whoosh's errors, and those of the disk, into ours."""
    try:
        yield
    except LockError as error:
        raise IndexLockedError(
            f"another process is writing to {path}; waited {PATIENCE:.0f} s; try again later"
        ) from error
    except (IndexError, IndexingError) as error:
        raise _unreadable(path, error) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise EngineError(f"the index in {path} cannot be used: {reason}") from error


def _unreadable(path: Path, error: Exception) -> EngineError:
    return EngineError(f"the index in {path} cannot be read ({error}); run: searchfeed rebuild")
