"""Engines: a query tree goes in, ranked ids come out.

An engine is derived from the archive and can be thrown away and built again; it holds no truth.
The protocol is as narrow as two engines need. What each method promises is said as tests that
every engine has to pass, in ``tests/test_engine_contract.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from importlib import import_module
from pathlib import Path
from typing import Protocol

from searchfeed.errors import EngineUnavailableError
from searchfeed.models import Entry, Explanation, Facet, FacetCount, FeedState, Pattern, Sort
from searchfeed.tree import Node
from searchfeed.values import dataclass

Progress = Callable[[int], None]
"""Called now and then with the number of entries written so far."""


@dataclass(frozen=True, slots=True)
class Change:
    """An entry as it is to be found, with the archive's sequence number of the change.

    ``edited`` tells that the entry has more than one version. ``seen`` is when this one was first
    seen; None where that is not known.
    """

    sequence: int
    entry: Entry
    edited: bool = False
    seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What engines beyond this machine have to be told; the others pay no heed to it.

    Attributes:
        url: where the servers of a cluster are, divided by commas; behind the last one the name
            of the index may follow as a path. It may hold a name and a password, so never show it.
        shards: into how many parts a new index is divided.
        replicas: how many further copies of each part there are.
    """

    url: str = ""
    shards: int = 2
    replicas: int = 1


@dataclass(frozen=True, slots=True)
class Match:
    """The id of an entry that matches, with its score.

    ``duplicates`` are the ids of other matches that tell the same story, in the order asked for.
    """

    id: str
    score: float
    duplicates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of matches.

    Attributes:
        matches: in the order asked for; ties are always broken the same way (newest first, then
            by id), so that pages never overlap.
        total: how many entries match, exact; those that tell the same story count as one where
            they are folded.
        patterns: what the words of the query stand for in this index, for the snippets.
        notes: what the engine had to leave out, a sentence each.
    """

    matches: tuple[Match, ...]
    total: int
    patterns: tuple[Pattern, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """What an engine's index is like, of one committed state.

    Attributes:
        problems: what is damaged, a sentence each; empty if nothing is.
        reached: see ``Engine.reached``.
        ids: those of the entries it holds, each as often as it holds it.
        shared: whether entries of other archives may be among them.
    """

    problems: tuple[str, ...]
    reached: int
    ids: tuple[str, ...]
    shared: bool = False


class Engine(Protocol):
    """One open index of an engine. Any thread may call any method."""

    @property
    def reached(self) -> int:
        """The archive's sequence number up to which this index holds every change; 0 if new."""
        ...

    @property
    def stale(self) -> bool:
        """Whether the index was made by another analyzer or format and has to be rebuilt."""
        ...

    def write(
        self,
        changes: Iterable[Change],
        *,
        reached: int,
        removed: Iterable[str] = (),
        replace: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Take changes in, replacing entries of the same id, all in one commit.

        In the same commit the entries with the ids ``removed`` go; ids that are not there are no
        error, and what the changes bring stays.

        After it ``reached`` is the number given, and every search of any process sees all of the
        changes. If the changes themselves fail, none is seen; if the writing fails or is killed,
        ``reached`` stays as it was, so that they are written again, and of an index in one
        directory nothing is seen of them meanwhile (of one in a cluster perhaps a part). With
        ``replace`` nothing that was in the index before stays: searches see the old state, then
        the new one, and never anything between.

        Raises:
            IndexLockedError: another process is writing.
            EngineError: anything else.
        """
        ...

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
        """Answer a query tree from the newest committed state.

        Args:
            node: the query tree.
            limit: how many matches at most; with 0 only what else there is in an answer.
            offset: how many of the first to pass over.
            sort: the order.
            recency: a half-life by which newer entries are preferred: the score of an entry of
                today counts double, that of one a half-life old 1.5 times, of an old one once.
            dedupe: make one match of those that tell the same story, of the first of them in this
                order. Which entries do so does not depend on the query.

        Raises:
            QueryError: an expression that cannot be answered (a regular expression, say).
            EngineError: anything else.
        """
        ...

    def explain(self, node: Node, id: str, *, recency: timedelta | None = None) -> Explanation:
        """Take the score that ``search`` gives an entry apart, or say why it does not match.

        Raises:
            EntryNotFoundError: there is no such entry in the index.
            EngineError: anything else.
        """
        ...

    def describe(self, node: Node) -> str:
        """The query as this engine runs it, for a person: several lines."""
        ...

    def facets(
        self, node: Node, facets: Sequence[Facet], *, limit: int | None = 10, zone: tzinfo
    ) -> dict[Facet, tuple[FacetCount, ...]]:
        """Count all entries that ``search`` would find by what they have in common.

        The largest counts come first, ties by value. An entry counts once for each author and tag
        that it has, and for no value where it has none. Days, weeks, months and years begin and
        end in ``zone``, at the same instants as in the query language. The label of a feed is its
        URL: an engine need not know the newest title.

        Args:
            node: the query tree.
            facets: what to count by.
            limit: how many values of each there are at most; None gives all.
            zone: the user's.

        Raises:
            QueryError: an expression that cannot be answered (a regular expression, say).
            EngineError: anything else.
        """
        ...

    def frequencies(self, words: Sequence[str]) -> tuple[int, ...]:
        """In how many entries each word stands in any form, as ``search`` finds a bare word."""
        ...

    def suggest(self, word: str, *, limit: int = 5) -> tuple[str, ...]:
        """Other words of titles and bodies that ``word`` may be a misspelling of.

        They are at most ``analysis.typing_mistakes(word)`` edits away, accents folded; the nearest
        come first, then the most frequent. They are shown in the form they are mostly written in.
        """
        ...

    def complete(self, field: str | None, prefix: str, *, limit: int) -> tuple[str, ...]:
        """What a half-typed word may become, the most frequent first; accents are folded.

        Of ``title``, ``body`` (None: both) and ``feed`` these are words; of ``author`` and ``tag``
        whole values as they are written, any word of which may start with ``prefix``; of ``lang``
        tags of languages. Of other fields there are none.
        """
        ...

    def check(self) -> Condition:
        """Read all of the index and compare it with its checksums, where it has any.

        What is damaged is no error, and its ids may be missing.

        Raises:
            EngineError: it cannot be read at all.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections; the engine is of no use afterwards."""
        ...


class Keeper(Engine, Protocol):
    """An engine that keeps the entries themselves, so that who searches needs no archive.

    The index may hold more than this machine's archive, as others write to it too.
    """

    def entries(self, ids: Sequence[str]) -> dict[str, Entry]:
        """The entries with these ids; ids that are not there are left out."""
        ...

    def find(self, prefix: str) -> Entry:
        """The entry with this id, or the only one whose id starts so (at least 4 characters).

        Raises:
            EntryNotFoundError: there is none, or there are several.
        """
        ...

    def titles(self, urls: Iterable[str]) -> dict[str, str]:
        """What each of these feeds that is known is called."""
        ...

    def feeds(self) -> tuple[FeedState, ...]:
        """What is known of each feed that has an entry, in the order of their URLs."""
        ...

    def size(self) -> int:
        """The bytes that the index takes, each part of it counted once."""
        ...


ENGINES: dict[str, str] = {
    "whoosh": "searchfeed.engines.whoosh",
    "opensearch": "searchfeed.engines.opensearch",
}
"""Name of an engine → the module that has ``open_engine(path, options) -> Engine``."""

LOCAL = "whoosh"
"""The engine whose index lies in the directory itself."""


def open_engine(name: str, path: Path, options: EngineOptions | None = None) -> Engine:
    """Open (or create) the index of the engine ``name``.

    Args:
        name: one of ``ENGINES``.
        path: the directory of the engine, which keeps there what it needs on this machine.
        options: where a cluster is, and how an index is made there.

    Raises:
        EngineUnavailableError: there is no such engine, or its package is not installed.
        IndexVersionError: the index needs another release.
    """
    options = options or EngineOptions()
    if name not in ENGINES:
        raise EngineUnavailableError(f"no engine {name!r}; there are: {', '.join(sorted(ENGINES))}")
    try:
        module = import_module(ENGINES[name])
    except ImportError as error:
        raise EngineUnavailableError(f"the engine {name!r} is not installed: {error}") from error
    engine: Engine = module.open_engine(path, options)
    return engine


__all__: Sequence[str] = (
    "ENGINES",
    "LOCAL",
    "Answer",
    "Change",
    "Condition",
    "Engine",
    "EngineOptions",
    "Keeper",
    "Match",
    "Progress",
    "open_engine",
)
