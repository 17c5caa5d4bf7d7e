"""Peers of the relevance benchmark: text in, ids out, best first, each as its users set it up."""

from __future__ import annotations

import os
import re
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from typing import Protocol
from unicodedata import category

from searchfeed.errors import QueryError
from searchfeed.models import Entry

MARKS = "".join(mark for mark in map(chr, range(0x300, 0x10000)) if category(mark)[0] == "M")
"""Vowel signs and accents: part of a word to its reader, but not to ``\\w``."""

WORD = re.compile(rf"[\w{MARKS}]+")

TITLE_WEIGHT_FTS5 = 4.0
TITLE_WEIGHT_WHOOSH = 2.0


class Ranker(Protocol):
    """A system that ranks the entries of one collection."""

    def fill(self, entries: Sequence[Entry], language: str) -> None:
        """Index the entries, written in ``language`` (a BCP 47 tag)."""
        ...

    def best(self, text: str, limit: int) -> list[str]:
        """Ids of at most ``limit`` entries for the plain text of a query, best first."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


class Searchfeed:
    """Ours: the default engine and the query language, with their default settings."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="searchfeed-relevance-")

    def fill(self, entries: Sequence[Entry], language: str) -> None:
        """See ``Ranker.fill``; the entries say their language themselves."""
        from searchfeed.engines import Change, open_engine

        del language
        self._engine = open_engine("whoosh", Path(self._directory.name))
        changes = (Change(number, entry) for number, entry in enumerate(entries, start=1))
        self._engine.write(changes, reached=len(entries))

    def best(self, text: str, limit: int) -> list[str]:
        """See ``Ranker.best``; a query that is refused finds nothing."""
        from searchfeed.query import parse

        try:
            node = parse(text).node
        except QueryError:
            return []
        return [match.id for match in self._engine.search(node, limit=limit).matches]

    def close(self) -> None:
        """See ``Ranker.close``."""
        self._engine.close()
        self._directory.cleanup()


class OnOpenSearch(Searchfeed):
    """Ours on the engine in a cluster, whose servers ``SEARCHFEED_TEST_OPENSEARCH`` names."""

    def fill(self, entries: Sequence[Entry], language: str) -> None:
        """See ``Ranker.fill``."""
        from searchfeed.engines import Change, EngineOptions, open_engine

        del language
        name = f"relevance-{token_hex(4)}"
        options = EngineOptions(f"{os.environ[CLUSTER]}/{name}", shards=2, replicas=1)
        self._engine = open_engine("opensearch", Path(self._directory.name), options)
        changes = (Change(number, entry) for number, entry in enumerate(entries, start=1))
        self._engine.write(changes, reached=len(entries))


class StockWhoosh:
    """Whoosh as its manual sets it up: StemmingAnalyzer, BM25F, any of the words, title twice."""

    def fill(self, entries: Sequence[Entry], language: str) -> None:
        """See ``Ranker.fill``; its stemmer knows English."""
        from whoosh.analysis import StemmingAnalyzer
        from whoosh.fields import ID, TEXT, Schema
        from whoosh.filedb.filestore import RamStorage
        from whoosh.qparser import MultifieldParser, OrGroup
        from whoosh.qparser.plugins import WhitespacePlugin

        del language
        analyzer = StemmingAnalyzer()
        schema = Schema(id=ID(stored=True), title=TEXT(analyzer), body=TEXT(analyzer))
        index = RamStorage().create_index(schema)
        writer = index.writer(limitmb=256)
        for entry in entries:
            writer.add_document(id=entry.id, title=entry.title, body=entry.body)
        writer.commit()
        self._searcher = index.searcher()
        # Without its operators: a query in capital letters is full of words like AND.
        self._parser = MultifieldParser(
            ["title", "body"],
            schema,
            fieldboosts={"title": TITLE_WEIGHT_WHOOSH},
            plugins=[WhitespacePlugin()],
            group=OrGroup,
        )

    def best(self, text: str, limit: int) -> list[str]:
        """See ``Ranker.best``."""
        results = self._searcher.search(self._parser.parse(text), limit=limit)
        return [hit["id"] for hit in results]

    def close(self) -> None:
        """See ``Ranker.close``."""
        self._searcher.close()


class Fts5:
    """SQLite FTS5: ``porter unicode61``, its bm25() with the title four times, any of the words."""

    def fill(self, entries: Sequence[Entry], language: str) -> None:
        """See ``Ranker.fill``."""
        del language
        self._database = sqlite3.connect(":memory:")
        self._database.execute(
            "CREATE VIRTUAL TABLE entry USING "
            "fts5(id UNINDEXED, title, body, tokenize = 'porter unicode61')"
        )
        self._database.execute(
            "INSERT INTO entry(entry, rank) VALUES ('rank', ?)",
            (f"bm25(0, {TITLE_WEIGHT_FTS5}, 1)",),
        )
        self._database.executemany(
            "INSERT INTO entry VALUES (?, ?, ?)",
            ((entry.id, entry.title, entry.body) for entry in entries),
        )

    def best(self, text: str, limit: int) -> list[str]:
        """See ``Ranker.best``."""
        words = WORD.findall(text)
        if not words:
            return []
        rows = self._database.execute(
            "SELECT id FROM entry WHERE entry MATCH ? ORDER BY rank LIMIT ?",
            (" OR ".join(f'"{word}"' for word in words), limit),
        )
        return [id for (id,) in rows]

    def close(self) -> None:
        """See ``Ranker.close``."""
        self._database.close()


class Bm25s:
    """bm25s with Lucene's formula (k1 = 1.2, b = 0.75) over title and body as one text.

    Terms are Snowball stems of the language without the stop words of bm25s, character pairs in
    Chinese and Japanese, and plain words where the language has neither.

    Args:
        word: what a word is, where there are spaces between them.
    """

    def __init__(self, word: str = rf"[\w{MARKS}]{{2,}}") -> None:
        self._word = word

    def fill(self, entries: Sequence[Entry], language: str) -> None:
        """See ``Ranker.fill``."""
        import bm25s

        self._language = language
        self._ids = [entry.id for entry in entries]
        self._model = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
        texts = [f"{entry.title} {entry.body}" for entry in entries]
        self._model.index(terms(texts, language, self._word), show_progress=False)

    def best(self, text: str, limit: int) -> list[str]:
        """See ``Ranker.best``."""
        [wanted] = terms([text], self._language, self._word)
        known = [term for term in wanted if term in self._model.vocab_dict]
        if not known:
            return []
        found, scores = self._model.retrieve(
            [known], k=min(limit, len(self._ids)), show_progress=False
        )
        pairs = zip(found[0], scores[0], strict=True)
        return [self._ids[number] for number, score in pairs if score > 0]

    def close(self) -> None:
        """See ``Ranker.close``."""


class Bm25sBare(Bm25s):
    """bm25s with its own ``\\w\\w+``, which cuts words at combining marks."""

    def __init__(self) -> None:
        super().__init__(r"\w{2,}")

    @staticmethod
    def differs(entries: Sequence[Entry], language: str) -> bool:
        """Whether there is anything in these texts that it cuts otherwise than ``Bm25s``."""
        return language not in PAIRED and any(
            each in MARKS for entry in entries[:100] for each in entry.body
        )


PAIRED = ("zh", "ja")
"""Languages without spaces between words, searched by pairs of characters."""

STOPPED = ("en", "de", "nl", "fr", "es", "pt", "it", "ru", "sv", "no")
"""Languages that bm25s has stop words of."""

UNSTEMMED = ("hi", *PAIRED)
"""Languages that are usually searched without Snowball's stems."""


def terms(texts: list[str], language: str, word: str) -> list[list[str]]:
    """The terms of texts for bm25s, as its own tokeniser makes them.

    >>> terms(["The running foxes"], "en", r"\\w+")
    [['run', 'fox']]
    >>> terms(["東京都"], "ja", r"\\w+")
    [['東京', '京都']]
    """
    import bm25s

    if language in PAIRED:
        return [
            [pair for run in WORD.findall(text.lower()) for pair in _pairs(run)] for text in texts
        ]
    found: list[list[str]] = bm25s.tokenize(
        texts,
        token_pattern=word,
        stopwords=language if language in STOPPED else [],
        stemmer=_stemmer(language),
        return_ids=False,
        show_progress=False,
    )
    return found


def _stemmer(language: str) -> object | None:
    import Stemmer

    if language in UNSTEMMED:
        return None
    try:
        stemmer: object = Stemmer.Stemmer(language)
    except KeyError:  # there is none for it
        return None
    return stemmer


def _pairs(run: str) -> list[str]:
    if run.isascii() or len(run) == 1:
        return [run]
    return [run[at : at + 2] for at in range(len(run) - 1)]


CLUSTER = "SEARCHFEED_TEST_OPENSEARCH"
"""The environment variable that names the servers of a cluster."""

RANKERS: dict[str, tuple[str, str, Callable[[], Ranker]]] = {
    "ours": ("ours", "searchfeed", Searchfeed),
    "opensearch": ("ours, cluster", "opensearchpy", OnOpenSearch),
    "whoosh": ("Whoosh", "whoosh", StockWhoosh),
    "fts5": ("FTS5", "sqlite3", Fts5),
    "bm25s": ("bm25s", "bm25s", Bm25s),
    "bm25s-bare": (r"bm25s \w", "bm25s", Bm25sBare),
}
"""Name on the command line → name in the table, the package it needs, what makes it."""


def installed() -> list[str]:
    """The names of the rankers whose packages are here, in the order of the table."""
    here = [name for name, (_, package, _) in RANKERS.items() if find_spec(package)]
    return [name for name in here if name != "opensearch" or os.environ.get(CLUSTER)]
