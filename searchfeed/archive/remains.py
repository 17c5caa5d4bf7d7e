"""What can still be read of a damaged archive.

What is in ``version`` stands there once, so its rows are looked for page by page. All the other
tables have a second copy of each value in their indexes (see ``schema``): what one copy has lost
the other one still has.
"""

# The statements are put together from constants of this package alone.
# ruff: noqa: S608

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TypeAlias, TypeGuard

from searchfeed.archive import schema
from searchfeed.archive.connections import remove
from searchfeed.archive.examining import connect, is_as_stored
from searchfeed.archive.pages import PAGE_SIZE, Pages
from searchfeed.archive.restoring import restore

Row: TypeAlias = tuple[Any, ...]

_KINDS = (int, int, int, bytes, str, str, str, str, int, int, str, str, str)
"""Of the columns of ``version``; the dates may be missing."""

_DATES = 8, 9
_WIDTH = len(_KINDS)

FEED = "number, url, title, link, language, last_success, name, tags, key"
SEARCH = "number, key, name, text, saved, start, looked"
ALERT = "search, entry, sequence, tries, told"
SUBSCRIPTION = (
    "feed, url, state, etag, last_modified, last_fetch, last_success, last_error, failures, "
    "next_fetch, moved_to, moves, ttl"
)


class Remains:
    """What can be read of a damaged archive.

    Attributes:
        versions: by the number of their entry and their ordinal, with whether they are as stored.
        feeds, entries, removals, subscriptions, searches: rows by the number they begin with.
        counts: how many versions entries are to have.
        doubtful: what could be one value or another, by feed (None: of all); a sentence each.
    """

    def __init__(self, image: Path, pages: Pages, known: Container[object]) -> None:
        self.versions = _versions(pages)
        self.doubtful: list[tuple[int | None, str]] = []
        _describe(image)
        with closing(connect(image)) as connection:
            # Tables whose description is damaged are passed over, and the others can be read.
            connection.execute("PRAGMA writable_schema = ON")
            with suppress(sqlite3.Error):
                # It does nothing but where an older release made the archive.
                schema.migrate(connection)
            self._connection = connection
            states = [
                *self._read("sequence", "state", "rowid"),
                *self._read("sequence", "state", "sequence", "state_copy"),
            ]
            self.sequence = max((value for (value,) in states if _is_number(value)), default=0)
            self._read_feeds()
            self._read_entries(known)
            self._read_rest()

    def _read_feeds(self) -> None:
        self.feeds = self._numbered("feed", FEED, "url", "sqlite_autoindex_feed_1")
        self.subscriptions = self._numbered(
            "subscription", SUBSCRIPTION, "url", "sqlite_autoindex_subscription_1"
        )
        self.searches = self._numbered("search", SEARCH, "key", "sqlite_autoindex_search_1")

    def _numbered(self, table: str, columns: str, unique: str, index: str) -> dict[int, Row]:
        """The rows of a table that has a number, a unique column, and all others in its copy."""
        number, _, *others = columns.split(", ")
        copied = ", ".join(others)
        every = tuple(range(2 + len(others)))
        copies = {
            every: self._read(columns, table, number),
            every[:2]: self._read(f"{number}, {unique}", table, unique, index),
            (0, *every[2:]): self._read(
                f"{number}, {copied}", table, f"{copied}, {number}", f"{table}_copy"
            ),
        }
        rows, doubts = _joined(copies, {})
        for place, row, other in doubts:
            name = columns.split(", ")[place]
            told = f"{name} of the {table} {row[1]}" if place > 1 else f"{name} of a {table}"
            feed = None if table == "search" else row[0]
            self.doubtful.append((feed, f"the {told} was {row[place]!r} or {other!r}"))
        return rows

    def _read_entries(self, known: Container[object]) -> None:
        copies = {
            (0, 1, 2, 3): self._read("number, id, feed, sequence", "entry", "number"),
            (0, 1): self._read("number, id", "entry", "id", "sqlite_autoindex_entry_1"),
            (0, 3): self._read("number, sequence", "entry", "sequence", "sqlite_autoindex_entry_2"),
            (0, 2): self._read("number, feed", "entry", "feed, date, number", "entry_feed"),
        }
        likely: dict[int, Callable[[object], object]] = {
            1: lambda id: (id in known, re.fullmatch("[0-9a-f]{16}", str(id)) is not None),
            2: lambda feed: feed in self.feeds,
            3: lambda sequence: _is_number(sequence) and 0 < sequence <= self.sequence,
        }
        rows, doubts = _joined(copies, likely)
        self.entries = {
            number: row
            for number, row in rows.items()
            if re.fullmatch("[0-9a-f]{16}", str(row[1])) and all(map(_is_number, row[2:]))
        }
        self.doubtful += [
            (None, f"the entry {row[1]} could also be {other}")
            if place == 1
            else (None, f"the entry {row[1]} could be of another feed")
            for place, row, other in doubts
            if place != 3
        ]
        counts = self._read("number, versions", "entry", "number")
        self.counts = {number: count for number, count in counts if _is_number(count)}

    def _read_rest(self) -> None:
        copies = {
            (0, 1, 2): self._read("sequence, id, back", "removal", "sequence"),
            (0, 1): self._read("sequence, id", "removal", "id", "sqlite_autoindex_removal_1"),
            (0, 2): self._read("sequence, back", "removal", "back, sequence", "removal_copy"),
        }
        self.removals, _ = _joined(copies, {})
        self.sources = {
            *self._read("name, feed", "source", "name"),
            *self._read("name, feed", "source", "feed, name", "source_copy"),
        }
        names = "feed, digest, entries"
        order = "entries, feed, digest"
        # One that is not the same in both is forgotten, so what it stood for is read again.
        self.documents = {*self._read(names, "document", "feed, digest")}.intersection(
            self._read(names, "document", order, "document_copy")
        )
        self.alerts = {
            *self._read(ALERT, "alert", "search, entry"),
            *self._read(ALERT, "alert", "sequence, tries, told, search, entry", "alert_copy"),
        }

    def _read(self, columns: str, table: str, order: str, index: str = "") -> list[Row]:
        """The rows of one copy of a table, from both of its ends up to what cannot be read."""
        hint = f"INDEXED BY {index}" if index else "NOT INDEXED"
        rows: dict[Row, None] = {}
        for way in ("ASC", "DESC"):
            ordered = ", ".join(f"{name} {way}" for name in order.split(", "))
            query = f"SELECT {columns} FROM {table} {hint} ORDER BY {ordered}"
            try:
                # One at a time, so that those before the damage are had.
                for row in self._connection.execute(query):
                    rows[row] = None
            except (sqlite3.Error, UnicodeDecodeError):
                continue
            break
        return list(rows)


def _joined(
    copies: Mapping[tuple[int, ...], list[Row]], likely: Mapping[int, Callable[[object], Any]]
) -> tuple[dict[int, Row], list[tuple[int, Row, object]]]:
    """Whole rows by their number, of copies that have some of their columns each.

    Args:
        copies: rows by the places of their columns; the first copy has all of them.
        likely: for a place how much a value looks like a right one.

    Returns:
        The rows; and the place, the row and the other value where one may be wrong.
    """
    width = max(map(len, copies))
    values: dict[int, list[list[object]]] = defaultdict(lambda: [[] for _ in range(width)])
    for places, rows in copies.items():
        for row in rows:
            if _is_number(row[0]):
                for place, value in zip(places, row, strict=True):
                    values[row[0]][place].append(value)
    joined: dict[int, Row] = {}
    doubts: list[tuple[int, Row, object]] = []
    for number, columns in values.items():
        if not all(columns):
            continue
        best = []
        for place, found in enumerate(columns):
            rate = likely.get(place, _is_sound)
            best.append(max(found, key=rate))
        joined[number] = row = tuple(best)
        for place, found in enumerate(columns):
            rate = likely.get(place, _is_sound)
            doubts += [
                (place, row, other)
                for other in found
                if other != row[place] and rate(other) == rate(row[place])
            ]
    return joined, doubts


def _is_sound(value: object) -> bool:
    return "\ufffd" not in str(value)


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int)


def _describe(image: Path) -> None:
    """Put the descriptions of the tables right, which are the same in every archive.

    Where they cannot be read at all, those of a new archive are tried. Its tables begin on the
    same pages, unless an older release made the damaged one or it was packed.
    """
    model = image.with_suffix(".model")
    remove(model)
    try:
        with closing(sqlite3.connect(model, isolation_level=None)) as connection:
            schema.migrate(connection)
            query = "SELECT rowid, type, name, tbl_name, sql FROM sqlite_schema"
            right = connection.execute(query).fetchall()
            roots = {row[0] for row in connection.execute("SELECT rootpage FROM sqlite_schema")}
        with closing(connect(image)) as connection:
            connection.execute("PRAGMA writable_schema = ON")
            try:
                found = [row[0] for row in connection.execute("SELECT rowid FROM sqlite_schema")]
            except sqlite3.Error:
                found = []
            if found == [row[0] for row in right]:
                with suppress(sqlite3.Error):
                    connection.executemany(
                        "UPDATE sqlite_schema SET type = ?2, name = ?3, tbl_name = ?4, sql = ?5 "
                        "WHERE rowid = ?1",
                        right,
                    )
                    return
        data = model.read_bytes()
        with image.open("r+b") as file:
            for number in set(range(1, len(data) // PAGE_SIZE + 1)) - roots:
                # The first page begins with what is not the same in all of them.
                start = (number - 1) * PAGE_SIZE + (100 if number == 1 else 0)
                file.seek(start)
                file.write(data[start : number * PAGE_SIZE])
    finally:
        remove(model)


def _versions(pages: Pages) -> dict[int, dict[int, tuple[Row, bool]]]:
    """Every version by its entry's number and its ordinal, and whether it is as it was stored."""
    found: dict[int, dict[int, tuple[Row, bool]]] = defaultdict(dict)
    ranks: dict[tuple[int, int], int] = {}
    for row, certain in pages.rows():
        if len(row) != _WIDTH or not _fits(row):
            continue
        sound = is_as_stored(row[4:], row[3])  # type: ignore[arg-type]
        if not sound:
            if not certain:
                continue
            restored = restore(row[4:], row[3])  # type: ignore[arg-type]
            if restored is not None:
                row, sound = [*row[:4], *restored], True  # noqa: PLW2901
        entry, ordinal = row[0], row[1]
        assert isinstance(entry, int)
        assert isinstance(ordinal, int)
        rank = 2 * sound + certain
        if rank > ranks.get((entry, ordinal), -1):
            ranks[entry, ordinal] = rank
            found[entry][ordinal] = tuple(row), sound
    return found


def _fits(row: Iterable[Any]) -> bool:
    return all(
        isinstance(value, kind) or (value is None and place in _DATES)
        for place, (value, kind) in enumerate(zip(row, _KINDS, strict=True))
    )


__all__ = ("ALERT", "FEED", "SEARCH", "SUBSCRIPTION", "Remains", "Row")
