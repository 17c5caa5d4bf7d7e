"""The default engine: a Whoosh index in a directory of its own.

Whoosh unpickles what it finds in an index directory, so a directory that somebody else owns or
can write to is refused before a byte of it is read. Searching needs neither Whoosh nor a pickle;
writing does, and imports it then.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta, tzinfo
from functools import cached_property, partial
from pathlib import Path
from threading import RLock
from time import time_ns
from types import TracebackType
from typing import TYPE_CHECKING

from searchfeed import analysis
from searchfeed.engines import Answer, Change, Condition, Progress
from searchfeed.engines.whoosh.columnar import Snapshot, open_snapshot
from searchfeed.engines.whoosh.columnar.snapshot import latest_generation, verify
from searchfeed.engines.whoosh.storyfile import known_stories
from searchfeed.errors import EngineError, IndexLockedError, SearchfeedError
from searchfeed.models import Explanation, Facet, FacetCount, Sort
from searchfeed.ownership import close_to_others, refuse_shared
from searchfeed.tree import Node

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.columnar.writer import BulkWriter
    from searchfeed.engines.whoosh.scalar import Searches
    from searchfeed.engines.whoosh.schema import Keys
    from searchfeed.engines.whoosh.searching import Arrays

FORMAT = 4
"""Raised when documents are laid out in another way than before: older indexes are rebuilt."""

MEMORY = 256
"""About how many megabytes documents may take before they are written as a segment."""

EVERY = 100
"""Progress is reported each time so many entries have been taken in."""

SETTLED = 2 * 10**9
"""Nanoseconds after which a further change gives a directory another time; FAT counts in twos."""

FEW = 30_000
"""So many postings are read one by one in the time in which numpy is imported."""

SEARCH = 500
"""A search without arrays takes at least as long as so many postings do."""


class State:
    """A committed state, open for searching. Any thread may use it.

    Attributes:
        snapshot: its segments; None before the first commit.
    """

    def __init__(self, directory: Path, snapshot: Snapshot | None) -> None:
        self._directory = directory
        self.snapshot = snapshot

    @property
    def generation(self) -> int:
        """The number of the commit; -1 before the first."""
        return self.snapshot.generation if self.snapshot else -1

    @cached_property
    def arrays(self) -> Arrays:
        """What answers whatever is asked."""
        from searchfeed.engines.whoosh.searching import Arrays

        return Arrays(self._directory, self.snapshot)

    @cached_property
    def searches(self) -> Searches:
        """What answers searches for what few entries hold."""
        from searchfeed.engines.whoosh.scalar import Searches

        return Searches(self.snapshot, partial(known_stories, self._directory, self.generation))


class WhooshEngine:
    """One Whoosh index. Searches run on snapshots and never wait for a writer.

    Args:
        path: the directory, which is made where it is missing.
        few: how many postings searches may read one by one before arrays are opened; by default
            ``FEW``, and none once numpy is there anyway.
    """

    def __init__(self, path: Path, few: float | None = None) -> None:
        self._path = path
        self._few = FEW if few is None else few
        self._watches_numpy = few is None
        self._lock = RLock()
        self._state: State | None = None
        self._listed: int | None = None
        with _translated(path):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            refuse_shared(path)
            close_to_others(path)

    @property
    def reached(self) -> int:
        """See ``Engine.reached``."""
        snapshot = self._current().snapshot
        return int(snapshot.extra.get("reached", 0)) if snapshot else 0

    @property
    def stale(self) -> bool:
        """See ``Engine.stale``."""
        snapshot = self._current().snapshot
        return snapshot is not None and snapshot.extra.get("fingerprint") != fingerprint()

    def write(
        self,
        changes: Iterable[Change],
        *,
        reached: int,
        removed: Iterable[str] = (),
        replace: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """See ``Engine.write``."""
        from searchfeed.engines.whoosh.building import build
        from searchfeed.engines.whoosh.grouping import write_groups

        taken: set[str] = set()

        def noted(keys: Keys) -> Iterator[Change]:
            for done, change in enumerate(changes, start=1):
                if change.entry.id in taken:
                    raise EngineError(f"entry {change.entry.id} stands twice in a batch of changes")
                taken.add(change.entry.id)
                keys.add_language_of(change.entry)
                yield change
                if progress is not None and done % EVERY == 0:
                    progress(done)

        with self._writer() as (writer, keys):
            # With the lock held, the newest state is the one that the commit follows.
            before = None if replace else self._current().snapshot
            if replace:
                writer.clear()
            build(noted(keys), writer, self._path, memory=MEMORY, languages=keys.languages)
            writer.delete_by_term("id", taken.union(removed))
            writer.commit(
                {"reached": str(reached), "fingerprint": fingerprint()},
                beside=partial(write_groups, self._path, before),
            )
            if progress is not None:
                progress(len(taken))

    def search(
        self,
        node: Node,
        *,
        limit: int,
        offset: int = 0,
        sort: Sort = Sort.RELEVANCE,
        recency: timedelta | None = None,
        dedupe: bool = False,
    ) -> Answer:
        """See ``Engine.search``."""
        state = self._current()
        # An older index, searched while it is made anew, has no sketches.
        dedupe = dedupe and not self.stale
        with _translated(self._path):
            answer = None
            if recency is None:
                answer = self._search_few(state, node, limit, offset, sort, dedupe=dedupe)
            return answer or self._arrays(state).search(
                node, limit=limit, offset=offset, sort=sort, recency=recency, dedupe=dedupe
            )

    def _search_few(
        self, state: State, node: Node, limit: int, offset: int, sort: Sort, *, dedupe: bool
    ) -> Answer | None:
        """Answer without arrays, unless to import numpy is the shorter way from now on."""
        if self._few <= 0 or (self._watches_numpy and "numpy" in sys.modules):
            return None
        weight = state.searches.weigh(node)
        if weight is None or weight + SEARCH > self._few:
            return None
        self._few -= weight + SEARCH
        return state.searches.search(node, limit=limit, offset=offset, sort=sort, dedupe=dedupe)

    def facets(
        self, node: Node, facets: Sequence[Facet], *, limit: int | None = 10, zone: tzinfo
    ) -> dict[Facet, tuple[FacetCount, ...]]:
        """See ``Engine.facets``."""
        with _translated(self._path):
            return self._arrays().facets(node, facets, limit=limit, zone=zone)

    def explain(self, node: Node, id: str, *, recency: timedelta | None = None) -> Explanation:
        """See ``Engine.explain``."""
        with _translated(self._path):
            return self._arrays().explain(node, id, recency=recency)

    def describe(self, node: Node) -> str:
        """See ``Engine.describe``."""
        with _translated(self._path):
            return self._arrays().describe(node)

    def frequencies(self, words: Sequence[str]) -> tuple[int, ...]:
        """See ``Engine.frequencies``."""
        if not words:
            return ()
        with _translated(self._path):
            return self._arrays().frequencies(words)

    def suggest(self, word: str, *, limit: int = 5) -> tuple[str, ...]:
        """See ``Engine.suggest``."""
        with _translated(self._path):
            return self._arrays().suggest(word, limit=limit)

    def complete(self, field: str | None, prefix: str, *, limit: int) -> tuple[str, ...]:
        """See ``Engine.complete``."""
        with _translated(self._path):
            return self._arrays().complete(field, prefix, limit=limit)

    def check(self) -> Condition:
        """See ``Engine.check``."""
        from searchfeed.engines.whoosh.grouping import check_groups

        with _translated(self._path):
            if latest_generation(self._path) < 0:
                return Condition((), 0, ())
            problems = verify(self._path)
            if problems:
                return Condition(problems, 0, ())
            state = self._current()
            assert state.snapshot is not None
            arrays = self._arrays(state)
            ids, agree = arrays.ids()
            if not agree:
                problems = ("the two places that ids stand in do not agree",)
            problems += check_groups(self._path, state.generation, arrays.view)
            return Condition(problems, int(state.snapshot.extra.get("reached", 0)), ids)

    def close(self) -> None:
        """See ``Engine.close``. Searches that still run keep what they have open."""
        with self._lock:
            self._state = self._listed = None

    def _arrays(self, state: State | None = None) -> Arrays:
        """The arrays of a state, the newest by default; from now on all is answered on arrays."""
        self._few = 0
        return (state or self._current()).arrays

    def _current(self) -> State:
        """The newest committed state; opened again only when there is a newer one."""
        with self._lock, _translated(self._path):
            changed = self._changed()
            if self._state is not None and changed == self._listed:
                return self._state
            listed = time_ns()
            generation = latest_generation(self._path)
            if self._state is None or self._state.generation != generation:
                snapshot = None
                if generation >= 0:
                    known = self._state.snapshot if self._state else None
                    snapshot = self._open(known)
                self._state = State(self._path, snapshot)
            # What changes again at once may keep its time.
            settled = self._state.generation == generation and listed - changed > SETTLED
            self._listed = changed if settled else None
            return self._state

    def _changed(self) -> int:
        """When a file last came or went in the directory; each search asks this first."""
        try:
            return os.stat(self._path).st_mtime_ns  # noqa: PTH116 - in half the time
        except FileNotFoundError:
            return -1

    def _open(self, known: Snapshot | None) -> Snapshot:
        try:
            return open_snapshot(self._path, reuse=known)
        except (SearchfeedError, OSError):
            raise
        except Exception as error:
            # Whoosh is asked where our own file is not there; a broken pickle raises anything.
            raise _unreadable(self._path, error) from error

    @contextmanager
    def _writer(self) -> Iterator[tuple[BulkWriter, Keys]]:
        from whoosh.index import IndexError, LockError

        from searchfeed.engines.whoosh.columnar.writer import BulkWriter
        from searchfeed.engines.whoosh.schema import (
            FROM_COLUMNS,
            Keys,
            analyze,
            derive,
            make_schema,
        )

        keys = Keys(self._arrays().view.stemmed())
        with _translated(self._path):
            try:
                opened = BulkWriter(
                    self._path,
                    make_schema(),
                    memory=MEMORY,
                    keys=keys,
                    analyze=analyze,
                    derive=derive,
                    from_columns=FROM_COLUMNS,
                )
            except LockError as error:
                raise IndexLockedError(f"another process is writing to {self._path}") from error
            except IndexError as error:
                raise _unreadable(self._path, error) from error
            with opened as writer:
                yield writer, keys


def fingerprint() -> str:
    """What an index has to be made with to be searched by this release."""
    return f"{FORMAT}-{analysis.FINGERPRINT}"


class _translated:  # noqa: N801 - it is used as a function
    """Turns the errors of the disk and of broken files into ours.

    A class, since each search enters two of them: a generator takes four times as long.
    """

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, OSError) and not isinstance(error, SearchfeedError):
            reason = error.strerror or str(error)
            raise EngineError(f"the index in {self._path} cannot be used: {reason}") from error


def _unreadable(path: Path, error: Exception) -> EngineError:
    return EngineError(f"the index in {path} cannot be read ({error}); run: searchfeed rebuild")
