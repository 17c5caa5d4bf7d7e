"""The default engine: a Whoosh index in a directory of its own.

Whoosh unpickles what it finds in an index directory, so a directory that somebody else owns or
can write to is refused before a byte of it is read. Searching needs neither Whoosh nor a pickle;
writing does, and imports it then.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from threading import RLock
from time import time_ns
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

from searchfeed import analysis
from searchfeed.engines import Answer, Change, Condition, Match, Progress
from searchfeed.engines.whoosh.columnar import Snapshot, open_snapshot
from searchfeed.engines.whoosh.columnar.snapshot import latest_generation, verify
from searchfeed.engines.whoosh.folding import Groups
from searchfeed.engines.whoosh.lexicon import COMPLETED
from searchfeed.engines.whoosh.paging import Pages
from searchfeed.engines.whoosh.ranking import Complete, Ranked, Ranking
from searchfeed.engines.whoosh.scoring import Recency, Scorer
from searchfeed.engines.whoosh.storyfile import known_groups
from searchfeed.engines.whoosh.values import date_number
from searchfeed.engines.whoosh.view import View
from searchfeed.engines.whoosh.vocabulary import Vocabulary
from searchfeed.errors import (
    EngineError,
    EntryNotFoundError,
    IndexLockedError,
    SearchfeedError,
)
from searchfeed.models import Explanation, Facet, FacetCount, Sort
from searchfeed.ownership import close_to_others, refuse_shared
from searchfeed.tree import Node

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.columnar.writer import BulkWriter
    from searchfeed.engines.whoosh.schema import Keys

FORMAT = 4
"""Raised when documents are laid out in another way than before: older indexes are rebuilt."""

MEMORY = 256
"""About how many megabytes documents may take before they are written as a segment."""

EVERY = 100
"""Progress is reported each time so many entries have been taken in."""

SETTLED = 2 * 10**9
"""Nanoseconds after which a further change gives a directory another time; FAT counts in twos."""


class State(NamedTuple):
    """A committed state, open for searching."""

    snapshot: Snapshot | None
    view: View
    vocabulary: Vocabulary

    @property
    def generation(self) -> int:
        """The number of the commit; -1 before the first."""
        return self.snapshot.generation if self.snapshot else -1


class WhooshEngine:
    """One Whoosh index. Searches run on snapshots and never wait for a writer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = RLock()
        self._state: State | None = None
        self._listed: int | None = None
        self._folded: tuple[View, Groups] | None = None
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
                keys.add_language(analysis.language_of(change.entry.language, change.entry.body))
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
        view, vocabulary = state[1:]
        with _translated(self._path):
            scorer = Scorer(view, vocabulary, recency=_recency(recency))
            ranked: Ranked
            if recency is None:
                ranked = Ranking(scorer, node)
            else:
                ranked = Complete(scorer.run(node), view.size)
            # An older index, searched while it is made anew, has no sketches.
            groups = self._groups(state) if dedupe and ranked.total > 1 and not self.stale else None
            pages = Pages(view, ranked, sort, groups)
            matches = tuple(
                [
                    Match(view.id(document), score, tuple(map(view.id, behind)))
                    for document, score, behind in pages.rows(offset, limit)
                ]
            )
            return Answer(matches, pages.total, tuple(scorer.patterns))

    def facets(
        self, node: Node, facets: Sequence[Facet], *, limit: int | None = 10, zone: tzinfo
    ) -> dict[Facet, tuple[FacetCount, ...]]:
        """See ``Engine.facets``."""
        from searchfeed.engines.whoosh.facets import count

        view, vocabulary = self._current()[1:]
        with _translated(self._path):
            documents = Ranking(Scorer(view, vocabulary), node).documents
            return {facet: count(view, documents, facet, limit, zone) for facet in facets}

    def explain(self, node: Node, id: str, *, recency: timedelta | None = None) -> Explanation:
        """See ``Engine.explain``."""
        from searchfeed.engines.whoosh.explaining import explain

        view, vocabulary = self._current()[1:]
        with _translated(self._path):
            found = view.holding("id", id)
            if not len(found):
                raise EntryNotFoundError(f"there is no entry {id} in the index")
            return explain(view, vocabulary, node, int(found[0]), _recency(recency))

    def describe(self, node: Node) -> str:
        """See ``Engine.describe``."""
        from searchfeed.engines.whoosh.explaining import describe

        view, vocabulary = self._current()[1:]
        with _translated(self._path):
            return describe(view, vocabulary, node)

    def frequencies(self, words: Sequence[str]) -> tuple[int, ...]:
        """See ``Engine.frequencies``."""
        view, vocabulary = self._current()[1:]
        with _translated(self._path):
            scorer = Scorer(view, vocabulary)
            return tuple(len(scorer.holding(word)) for word in words)

    def suggest(self, word: str, *, limit: int = 5) -> tuple[str, ...]:
        """See ``Engine.suggest``."""
        with _translated(self._path):
            lexicon = self._current().view.lexicon(*COMPLETED[None])
            return lexicon.suggest(word, limit)

    def complete(self, field: str | None, prefix: str, *, limit: int) -> tuple[str, ...]:
        """See ``Engine.complete``."""
        if field not in COMPLETED:
            return ()
        with _translated(self._path):
            lexicon = self._current().view.lexicon(*COMPLETED[field])
            return lexicon.complete(prefix, limit)

    def check(self) -> Condition:
        """See ``Engine.check``."""
        from searchfeed.engines.whoosh.grouping import check_groups

        with _translated(self._path):
            if latest_generation(self._path) < 0:
                return Condition((), 0, ())
            problems = verify(self._path)
            if problems:
                return Condition(problems, 0, ())
            snapshot, view, _ = self._current()
            assert snapshot is not None
            held = view.frequencies("id")
            ids = tuple(id for id, count in held.items() for _ in range(count))
            # Searches answer by the number, and writing replaces by the term.
            keys = sorted(f"{key:016x}" for key in view.column("key")[view.everything()].tolist())
            if keys != sorted(ids):
                problems = ("the two places that ids stand in do not agree",)
            problems += check_groups(self._path, snapshot.generation, view)
            return Condition(problems, int(snapshot.extra.get("reached", 0)), ids)

    def close(self) -> None:
        """See ``Engine.close``. Searches that still run keep what they have open."""
        with self._lock:
            self._state = self._folded = self._listed = None

    def _groups(self, state: State) -> Groups:
        """The groups of a state, read or found when they are first asked for."""
        known = self._folded
        if known is None or known[0] is not state.view:
            groups = known_groups(self._path, state.generation)
            if groups is None:
                from searchfeed.engines.whoosh.grouping import find_groups

                groups = find_groups(state.view)
            known = self._folded = state.view, groups
        return known[1]

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
                view = View(snapshot)
                self._state = State(snapshot, view, Vocabulary(view))
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

        keys = Keys(self._current().view.stemmed())
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


def _recency(half_life: timedelta | None) -> Recency | None:
    if half_life is None:
        return None
    return Recency(date_number(datetime.now(UTC)), half_life // timedelta(microseconds=1))


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
