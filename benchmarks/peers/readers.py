"""lemon24/reader and its own search, which is FTS5 with snippets for every hit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from reader import EntrySearchSort, make_reader

from benchmarks.peers.engine import LIMIT, Ask
from benchmarks.peers.fts5 import match
from benchmarks.questions import Kind, Question
from searchfeed.models import Entry

FEED = "https://feeds.example/all"


class Reader:
    """A reader with one feed, to which the entries are added by its own method."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._reader = make_reader(str(directory / "reader.sqlite"))

    def keep(self, entries: Iterable[Entry]) -> None:
        """See ``Peer.keep``."""
        self._reader.add_feed(FEED, exist_ok=True, allow_invalid_url=True)
        for entry in entries:
            values: dict[str, Any] = {
                "feed_url": FEED,
                "id": entry.id,
                "title": entry.title,
                "link": entry.link or None,
                "published": entry.published,
                "updated": entry.updated,
                "content": [{"value": entry.body, "type": "text/plain"}],
            }
            self._reader.add_entry(values)

    def build(self, entries: Iterable[Entry], count: int) -> None:
        """See ``Peer.build``: it reads the entries from its own database."""
        del entries, count
        self._reader.enable_search()
        self._reader.update_search()

    def open(self) -> None:
        """See ``Peer.open``."""

    def add(self, entries: Sequence[Entry]) -> None:
        """See ``Peer.add``."""
        self.keep(entries)
        self._reader.update_search()

    def prepare(self, question: Question, *, snippets: bool) -> Ask | None:
        """See ``Peer.prepare``; it always makes snippets, and knows no dates and no facets."""
        if not snippets or question.kind in (Kind.FUZZY, Kind.DATED, Kind.MONTHS):
            return None
        text = match(question)
        newest = question.kind is Kind.NEWEST
        sort = EntrySearchSort.RECENT if newest else EntrySearchSort.RELEVANT
        return lambda: [
            found.id
            for found in islice(self._reader.search_entries(text, sort=sort, limit=LIMIT), LIMIT)
        ]

    def texts_size(self) -> int | None:
        """See ``Peer.texts_size``: its search has a second database beside the first."""
        return (self._directory / "reader.sqlite").stat().st_size

    def close(self) -> None:
        """See ``Peer.close``."""
        self._reader.close()
