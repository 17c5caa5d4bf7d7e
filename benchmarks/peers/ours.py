"""searchfeed: the engine alone without snippets, the whole of ``Index.search`` with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from itertools import islice
from pathlib import Path

from benchmarks.peers.engine import LIMIT, Ask, size
from benchmarks.questions import Kind, Question
from searchfeed import tree
from searchfeed.archive import Archive
from searchfeed.engines import Change, Engine, open_engine
from searchfeed.index import Index
from searchfeed.models import Entry, Facet, Feed, Query, Sort
from searchfeed.store import ARCHIVE

BATCH = 1_000
"""Entries that the archive takes in one transaction: as many as a large feed has."""


class Searchfeed:
    """An index directory as searchfeed lays it out: the archive, and the engine beside it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._directory.chmod(0o700)
        self._archive = Archive(directory / ARCHIVE)
        self._engine: Engine = open_engine("whoosh", directory / "whoosh")
        self._index = Index(directory)

    def keep(self, entries: Iterable[Entry]) -> None:
        """See ``Peer.keep``: the archive keeps them."""
        keep(self._archive, entries)

    def build(self, entries: Iterable[Entry], count: int) -> None:
        """See ``Peer.build``."""
        self._engine.write(self._changes(entries, 1), reached=count)

    def open(self) -> None:
        """See ``Peer.open``."""

    def add(self, entries: Sequence[Entry]) -> None:
        """See ``Peer.add``."""
        first = self._archive.sequence + 1
        self.keep(entries)
        self._engine.write(self._changes(entries, first), reached=self._archive.sequence)

    def prepare(self, question: Question, *, snippets: bool) -> Ask | None:
        """See ``Peer.prepare``."""
        sort = Sort.NEWEST if question.kind is Kind.NEWEST else Sort.RELEVANCE
        if question.kind is Kind.MONTHS:
            return None if snippets else self._months(_node(question))
        if snippets:
            query = Query(text(question), LIMIT, sort=sort)
            return lambda: [hit.entry.id for hit in self._index.search(query)]
        node = _node(question)
        return lambda: [
            match.id for match in self._engine.search(node, limit=LIMIT, sort=sort).matches
        ]

    def _months(self, node: tree.Node) -> Ask:
        def ask() -> list[str]:
            found = self._engine.facets(node, [Facet.MONTH], limit=None, zone=UTC)
            return [month.value for month in found[Facet.MONTH]]

        return ask

    def texts_size(self) -> int | None:
        """See ``Peer.texts_size``: all but the engine's own directory."""
        return size(self._directory) - size(self._directory / "whoosh")

    def close(self) -> None:
        """See ``Peer.close``."""
        self._index.close()
        self._engine.close()
        self._archive.close()

    @staticmethod
    def _changes(entries: Iterable[Entry], first: int) -> Iterator[Change]:
        return (Change(number, entry) for number, entry in enumerate(entries, start=first))


def keep(archive: Archive, entries: Iterable[Entry]) -> int:
    """Store entries as feeds of ``BATCH``; return how many they are."""
    remaining = iter(entries)
    count = 0
    while batch := tuple(islice(remaining, BATCH)):
        url = f"https://feeds.example/{batch[0].id}"
        archive.store(Feed(url, batch[0].feed_title or url, entries=batch))
        count += len(batch)
    return count


def _node(question: Question) -> tree.Node:
    words = tuple(tree.Word(word) for word in question.words)
    match question.kind:
        case Kind.ALL:
            return tree.And(words)
        case Kind.ANY:
            return tree.Or(words)
        case Kind.TYPED:
            return tree.Best(words)
        case Kind.PHRASE:
            return tree.Phrase(" ".join(question.words))
        case Kind.PREFIX:
            return tree.Wildcard(f"{question.words[0]}*")
        case Kind.FUZZY:
            return tree.Fuzzy(question.words[0])
        case Kind.DATED:
            return tree.And((words[0], tree.DateRange(question.start, question.end)))
        case _:
            return words[0]


def text(question: Question) -> str:
    """The same in the query language."""
    match question.kind:
        case Kind.ALL:
            return " AND ".join(question.words)
        case Kind.ANY:
            return " OR ".join(question.words)
        case Kind.PHRASE:
            return f'"{" ".join(question.words)}"'
        case Kind.PREFIX:
            return f"{question.words[0]}*"
        case Kind.FUZZY:
            return f"{question.words[0]}~"
        case Kind.DATED:
            start, end = f"{question.start:%Y-%m-%d}", f"{question.end:%Y-%m-%d}"
            return f"{question.words[0]} after:{start} before:{end}"
        case _:
            return " ".join(question.words)
