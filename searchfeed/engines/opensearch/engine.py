"""The engine for more than one machine: an index in an OpenSearch cluster.

Any number of machines search it, with no archive of their own, and any number fetch feeds into
it, each from its own archive, which stays the truth of what it fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta, tzinfo
from pathlib import Path
from typing import TypeVar

from searchfeed import tree
from searchfeed.engines import Answer, Change, Condition, EngineOptions, Progress
from searchfeed.engines.opensearch.address import read_address
from searchfeed.engines.opensearch.answers import Missing
from searchfeed.engines.opensearch.cluster import Cluster
from searchfeed.engines.opensearch.facets import count, newest, values
from searchfeed.engines.opensearch.lexicon import Lexicon
from searchfeed.engines.opensearch.matching import EVERYTHING, WORDED, named, wanted_leaves
from searchfeed.engines.opensearch.searching import Searcher
from searchfeed.engines.opensearch.state import Indices, archive_name
from searchfeed.engines.opensearch.terms import KnownTerms
from searchfeed.engines.opensearch.vocabulary import Vocabulary
from searchfeed.engines.opensearch.writing import Writer
from searchfeed.engines.wording import described
from searchfeed.errors import EngineError, EntryNotFoundError
from searchfeed.models import Entry, Explanation, Facet, FacetCount, FeedState, Sort
from searchfeed.tree import Node

Result = TypeVar("Result")

NAMED = 5
"""Entries that an error names at most."""

SHORTEST_PREFIX = 4

ATTEMPTS = 5
"""How often a search is made again whose indices a rebuild took away under it."""


class OpenSearchEngine:
    """One index in a cluster. Searches and writes wait for nobody on this machine."""

    def __init__(self, path: Path, options: EngineOptions) -> None:
        address = read_address(options.url)
        self._path = path
        self._cluster = Cluster(address)
        self._indices = Indices(self._cluster, address.name, options)
        self._vocabulary = Vocabulary(self._cluster, self._indices)
        self._searcher = Searcher(self._cluster, self._indices, self._vocabulary)
        self._lexicon = Lexicon(self._cluster, self._indices, self._searcher, self._vocabulary)
        self._known = KnownTerms()

    @property
    def reached(self) -> int:
        """See ``Engine.reached``: of the archive that lies on this machine."""
        generation = self._indices.generation()
        archive = archive_name(self._path, create=False)
        return self._indices.reached(archive, generation) if generation and archive else 0

    @property
    def stale(self) -> bool:
        """See ``Engine.stale``: never, as others search the index too; ``IndexVersionError``."""
        return False

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
        archive = archive_name(self._path, create=True)
        writer = Writer(self._cluster, self._indices, self._known)
        if replace:
            generation = writer.replace(changes, progress)
        else:
            generation = writer.update(changes, removed, progress)
        self._indices.note_reached(archive, generation, reached)

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

        def search() -> Answer:
            return self._searcher.search(
                node, limit=limit, offset=offset, sort=sort, recency=recency, dedupe=dedupe
            )

        return self._answered(search, Answer((), 0))

    def facets(
        self, node: Node, facets: Sequence[Facet], *, limit: int | None = 10, zone: tzinfo
    ) -> dict[Facet, tuple[FacetCount, ...]]:
        """See ``Engine.facets``."""

        def facets_() -> dict[Facet, tuple[FacetCount, ...]]:
            query = self._searcher.matcher(node).matches(node)
            return {facet: count(self._searcher, query, facet, limit, zone) for facet in facets}

        return self._answered(facets_, dict.fromkeys(facets, ()))

    def explain(self, node: Node, id: str, *, recency: timedelta | None = None) -> Explanation:
        """See ``Engine.explain``."""
        found = self._answered(lambda: self._searcher.explain(node, id, recency), None)
        if found is None:
            raise EntryNotFoundError(f"there is no entry {id} in the index")
        return found

    def describe(self, node: Node) -> str:
        """See ``Engine.describe``."""
        return self._answered(lambda: self._describe(node), "")

    def _describe(self, node: Node) -> str:
        meanings = self._vocabulary.meanings(wanted_leaves(node))
        return described(
            node,
            lambda leaf: meanings.described(named(leaf) if leaf.field in WORDED else leaf),
        )

    def frequencies(self, words: Sequence[str]) -> tuple[int, ...]:
        """See ``Engine.frequencies``."""

        def frequencies() -> tuple[int, ...]:
            leaves = [tree.Word(word) for word in words]
            matcher = self._searcher.matcher(tree.Or(tuple(leaves)))
            return tuple(self._searcher.counts([matcher.holds(leaf) for leaf in leaves])[1:])

        return self._answered(frequencies, (0,) * len(words))

    def suggest(self, word: str, *, limit: int = 5) -> tuple[str, ...]:
        """See ``Engine.suggest``."""
        return self._answered(lambda: self._lexicon.suggest(word, limit), ())

    def complete(self, field: str | None, prefix: str, *, limit: int) -> tuple[str, ...]:
        """See ``Engine.complete``."""
        return self._answered(lambda: self._lexicon.complete(field, prefix, limit), ())

    def check(self) -> Condition:
        """See ``Engine.check``: the servers keep checksums of their own."""

        def check() -> Condition:
            ids = tuple(id for id, _ in values(self._searcher, EVERYTHING, "id"))
            return Condition((), self.reached, ids, shared=True)

        return self._answered(check, Condition((), 0, (), shared=True))

    def entries(self, ids: Sequence[str]) -> dict[str, Entry]:
        """The entries with these ids, as the cluster keeps them; unknown ids are left out."""
        return self._answered(lambda: self._searcher.entries(ids), {})

    def find(self, prefix: str) -> Entry:
        """See ``Keeper.find``."""
        nothing: list[Entry] = []
        found = self._answered(lambda: self._searcher.starting(prefix, NAMED), nothing)
        if len(prefix) >= SHORTEST_PREFIX and len(found) == 1:
            return found[0]
        if len(found) > 1:
            names = ", ".join(f"{each.id} ({each.title[:40] or 'no title'})" for each in found)
            raise EntryNotFoundError(f"more than one id starts with {prefix!r}: {names}")
        raise EntryNotFoundError(f"no entry has the id {prefix!r}")

    def titles(self, urls: Iterable[str]) -> dict[str, str]:
        """See ``Keeper.titles``: as its newest entry has it."""
        return self._answered(lambda: self._searcher.titles(urls), {})

    def feeds(self) -> tuple[FeedState, ...]:
        """See ``Keeper.feeds``."""

        def feeds() -> tuple[FeedState, ...]:
            found = newest(self._searcher, "feed")
            titles = self._searcher.titles(found)
            return tuple(
                FeedState(url, titles.get(url, ""), "", "", number, date, None)
                for url, (number, date) in found.items()
            )

        return self._answered(feeds, ())

    def size(self) -> int:
        """See ``Keeper.size``."""
        return self._answered(self._indices.size, 0)

    def close(self) -> None:
        """See ``Engine.close``."""
        self._cluster.close()

    def _answered(self, ask: Callable[[], Result], empty: Result) -> Result:
        """An answer from the indices that are there; an empty one where there are none."""
        for _ in range(ATTEMPTS):
            if not self._indices.generation():
                return empty
            try:
                return ask()
            except Missing:
                # A rebuild has put others in their place.
                continue
        raise EngineError("the index in the cluster is rebuilt faster than it can be searched")
