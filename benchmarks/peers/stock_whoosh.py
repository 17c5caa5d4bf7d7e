"""Whoosh with its default codec, schema types and matchers; Snowball stems, accents folded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import Stemmer
from whoosh import query
from whoosh.analysis import CharsetFilter, LowercaseFilter, RegexTokenizer, StemFilter
from whoosh.fields import DATETIME, ID, TEXT, Schema
from whoosh.index import create_in, exists_in, open_dir
from whoosh.support.charset import accent_map

from benchmarks.peers.engine import LIMIT, Ask
from benchmarks.questions import Kind, Question
from searchfeed.models import Entry

TITLE_WEIGHT = 2.0
FIELDS = {"title": TITLE_WEIGHT, "body": 1.0}
MEMORY = 256
"""Megabytes of postings that the writer may keep in memory; Whoosh's default is 128."""

_STEMMER = Stemmer.Stemmer("english")


@cache
def stem(word: str) -> str:
    """A Snowball stem; by name in this module, because Whoosh pickles its schema."""
    found: str = _STEMMER.stemWord(word)
    return found


def schema() -> Schema:
    """Title, body, date and the month for the facet; no stop words, as in ours."""
    analyzer = (
        RegexTokenizer() | LowercaseFilter() | CharsetFilter(accent_map) | StemFilter(stemfn=stem)
    )
    return Schema(
        id=ID(stored=True, unique=True),
        title=TEXT(analyzer, stored=True),
        body=TEXT(analyzer, stored=True),
        date=DATETIME(sortable=True),
        month=ID(sortable=True),
    )


class StockWhoosh:
    """One Whoosh index, one writing process."""

    def __init__(self, directory: Path) -> None:
        self._index = (
            open_dir(directory) if exists_in(directory) else create_in(directory, schema())
        )
        self._searcher: Any = None

    def keep(self, entries: Iterable[Entry]) -> None:
        """See ``Peer.keep``: stored fields keep them."""

    def build(self, entries: Iterable[Entry], count: int) -> None:
        """See ``Peer.build``."""
        del count
        self._write(entries)

    def open(self) -> None:
        """See ``Peer.open``."""
        if self._searcher is not None:
            self._searcher.close()
        self._searcher = self._index.searcher()

    def add(self, entries: Sequence[Entry]) -> None:
        """See ``Peer.add``."""
        self._write(entries)
        self.open()

    def prepare(self, question: Question, *, snippets: bool) -> Ask | None:
        """See ``Peer.prepare``."""
        asked = self._query(question)
        options: dict[str, Any] = {"limit": LIMIT}
        match question.kind:
            case Kind.DATED:
                options["filter"] = query.DateRange(
                    "date", _naive(question.start), _naive(question.end), endexcl=True
                )
            case Kind.NEWEST:
                options |= {"sortedby": "date", "reverse": True}
            case Kind.MONTHS:
                options["groupedby"] = "month"
                return lambda: list(self._searcher.search(asked, **options).groups("month"))
            case _:
                pass

        def ask() -> list[str]:
            found = self._searcher.search(asked, **options)
            if snippets:
                for hit in found:
                    hit.highlights("body")
                    hit.highlights("title")
            return [hit["id"] for hit in found]

        return ask

    def texts_size(self) -> int | None:
        """See ``Peer.texts_size``: they are inside the segments."""
        return None

    def close(self) -> None:
        """See ``Peer.close``."""
        if self._searcher is not None:
            self._searcher.close()
        self._index.close()

    def _write(self, entries: Iterable[Entry]) -> None:
        writer = self._index.writer(limitmb=MEMORY)
        for entry in entries:
            values: dict[str, Any] = {"id": entry.id, "title": entry.title, "body": entry.body}
            if entry.date is not None:
                values |= {"date": _naive(entry.date), "month": f"{entry.date:%Y-%m}"}
            writer.add_document(**values)
        writer.commit()

    def _query(self, question: Question) -> query.Query:
        words = [self._terms(word)[0] for word in question.words]
        match question.kind:
            case Kind.PHRASE:
                return _in_fields(lambda name, boost: query.Phrase(name, words, boost=boost))
            case Kind.PREFIX:
                prefix = question.words[0]
                return _in_fields(lambda name, boost: query.Prefix(name, prefix, boost=boost))
            case Kind.FUZZY:
                word = words[0]
                return _in_fields(
                    lambda name, boost: query.FuzzyTerm(name, word, boost=boost, prefixlength=0)
                )
        parts = [
            _in_fields(lambda name, boost, word=word: query.Term(name, word, boost=boost))
            for word in words
        ]
        if len(parts) == 1:
            return parts[0]
        return query.And(parts) if question.kind is Kind.ALL else query.Or(parts)

    def _terms(self, word: str) -> list[str]:
        found: list[str] = list(self._index.schema["body"].process_text(word, mode="query"))
        return found


def _in_fields(make: Any) -> query.Query:
    return query.Or([make(name, boost) for name, boost in FIELDS.items()])


def _naive(date: datetime | None) -> datetime | None:
    """Whoosh drops the zone of a date without converting it."""
    return date and date.astimezone(UTC).replace(tzinfo=None)
