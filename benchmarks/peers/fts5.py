"""SQLite FTS5: Porter stems with accents folded, ranked by its bm25() with the title four times.

The texts are in a table of their own (an external content table), as the manual advises for
texts that are kept anyway; so the index and the texts can be measured apart.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from benchmarks.peers.engine import LIMIT, Ask
from benchmarks.questions import Kind, Question
from searchfeed.models import Entry

# The date stands before the body, so that reading it never follows a long row's chain of pages.
SCHEMA = """
CREATE TABLE entry (number INTEGER PRIMARY KEY, id TEXT UNIQUE, date TEXT, title TEXT, body TEXT);
CREATE VIRTUAL TABLE words USING fts5(
    title, body, content = 'entry', content_rowid = 'number',
    tokenize = 'porter unicode61 remove_diacritics 2'
);
INSERT INTO words(words, rank) VALUES ('rank', 'bm25(4, 1)');
"""

# CROSS JOIN keeps the words outside: the other way round every row of the dates is looked at.
BASE = "FROM words CROSS JOIN entry ON entry.number = words.rowid WHERE words MATCH ? "
SNIPPET = ", snippet(words, 1, '[', ']', '…', 40), highlight(words, 0, '[', ']')"


class Fts5:
    """One database in WAL mode, with 64 MB of cache."""

    def __init__(self, directory: Path) -> None:
        self._database = sqlite3.connect(directory / "fts5.sqlite", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute("PRAGMA cache_size = -65536")
        if not self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            self._database.executescript(SCHEMA)

    def keep(self, entries: Iterable[Entry]) -> None:
        """See ``Peer.keep``."""
        self._database.execute("BEGIN")
        self._database.executemany(
            "INSERT INTO entry(id, date, title, body) VALUES (?, ?, ?, ?)",
            ((entry.id, _stored(entry.date), entry.title, entry.body) for entry in entries),
        )
        self._database.execute("COMMIT")

    def build(self, entries: Iterable[Entry], count: int) -> None:
        """See ``Peer.build``."""
        del count
        self._write(entries, 1)
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def open(self) -> None:
        """See ``Peer.open``."""

    def add(self, entries: Sequence[Entry]) -> None:
        """See ``Peer.add``."""
        (last,) = self._database.execute("SELECT coalesce(max(number), 0) FROM entry").fetchone()
        self.keep(entries)
        self._write(entries, last + 1)

    def prepare(self, question: Question, *, snippets: bool) -> Ask | None:
        """See ``Peer.prepare``; it knows no fuzzy search."""
        if question.kind is Kind.FUZZY:
            return None
        text, values = match(question), [_stored(question.start), _stored(question.end)]
        chosen = f"entry.id{SNIPPET if snippets else ''}"
        match question.kind:
            case Kind.DATED:
                condition = "AND entry.date >= ? AND entry.date < ? ORDER BY rank LIMIT ?"
                parameters = (text, *values, LIMIT)
            case Kind.NEWEST if snippets:
                # Or a snippet would be made of every match before they are sorted.
                newest = f"SELECT words.rowid {BASE} ORDER BY entry.date DESC LIMIT ?"
                condition = f"AND words.rowid IN ({newest}) ORDER BY entry.date DESC"
                parameters = (text, text, LIMIT)
            case Kind.NEWEST:
                condition, parameters = "ORDER BY entry.date DESC LIMIT ?", (text, LIMIT)
            case Kind.MONTHS:
                chosen = "substr(entry.date, 1, 7), count(*)"
                condition, parameters = "GROUP BY 1", (text,)
            case _:
                condition, parameters = "ORDER BY rank LIMIT ?", (text, LIMIT)
        statement = f"SELECT {chosen} {BASE} {condition}"
        return lambda: [row[0] for row in self._database.execute(statement, parameters).fetchall()]

    def texts_size(self) -> int | None:
        """See ``Peer.texts_size``; asks the table of pages, which not every SQLite has."""
        try:
            (found,) = self._database.execute(
                "SELECT sum(pgsize) FROM dbstat WHERE name NOT LIKE 'words%'"
            ).fetchone()
        except sqlite3.OperationalError:
            return None
        return int(found)

    def close(self) -> None:
        """See ``Peer.close``."""
        self._database.close()

    def _write(self, entries: Iterable[Entry], first: int) -> None:
        self._database.execute("BEGIN")
        self._database.executemany(
            "INSERT INTO words(rowid, title, body) VALUES (?, ?, ?)",
            ((number, entry.title, entry.body) for number, entry in enumerate(entries, first)),
        )
        self._database.execute("COMMIT")


def _stored(date: datetime | None) -> str:
    return date.isoformat() if date else ""


def match(question: Question) -> str:
    """The question as FTS5 reads it."""
    quoted = [f'"{word}"' for word in question.words]
    match question.kind:
        case Kind.ANY | Kind.TYPED:
            return " OR ".join(quoted)
        case Kind.PHRASE:
            return f'"{" ".join(question.words)}"'
        case Kind.PREFIX:
            return f"{quoted[0]}*"
        case _:
            return " AND ".join(quoted)
