"""What storing a feed does to the tables, inside one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from searchfeed.archive import records
from searchfeed.archive.records import Changes
from searchfeed.models import Feed

INSERT_VERSION = (
    f"INSERT INTO version (entry, ordinal, seen, hash, {', '.join(records.CONTENT)}) "  # noqa: S608
    f"VALUES (?, ?, ?, ?{', ?' * len(records.CONTENT)})"
)


class Prepared:
    """A feed as rows, made before the transaction begins so that the lock is held briefly."""

    def __init__(self, feed: Feed, now: datetime) -> None:
        self.feed = feed
        self.moment = records.since_epoch(now)
        self.contents = {entry.id: records.content(entry) for entry in feed.entries}
        self.hashes = {key: records.content_hash(each) for key, each in self.contents.items()}

    def rename(self, names: Mapping[str, str]) -> None:
        """Give the entries other ids; those without one are left out."""
        self.contents = {names[id]: self.contents[id] for id in names}
        self.hashes = {names[id]: self.hashes[id] for id in names}


def store(connection: sqlite3.Connection, new: Prepared, source: str, digest: bytes) -> Changes:
    """Do what ``Archive.store`` promises."""
    from searchfeed.archive import rekeying

    if _read_before(connection, new, digest):
        _remember_source(connection, source, new.feed.url)
        return Changes(0, 0, len(new.contents))
    before = connection.total_changes
    feed = _store_feed(connection, new)
    known = _known(connection, new.contents)
    unchanged = sum(known[id][2] == new.hashes[id] for id in known)
    noticed = rekeying.notice(connection, feed, new.contents, unchanged)
    if names := rekeying.renamed(connection, feed, new.feed.url, new.contents):
        new.rename(names)
        known = _known(connection, new.contents)
    absent = _kept_out(connection, new.contents.keys() - known)
    sequence = last_sequence(connection)
    number = last_number(connection)
    added: list[tuple[object, ...]] = []
    updated: list[tuple[object, ...]] = []
    versions: list[tuple[object, ...]] = []
    for identity, values in new.contents.items():
        value_hash = new.hashes[identity]
        date = records.content_date(values)
        if identity in absent:
            continue
        if identity not in known:
            sequence, number = sequence + 1, number + 1
            added.append((number, identity, feed, sequence, 1, date))
            versions.append((number, 1, new.moment, value_hash, *values))
        elif known[identity][2] != value_hash:
            entry, ordinal, _ = known[identity]
            sequence += 1
            updated.append((sequence, ordinal + 1, date, entry))
            versions.append((entry, ordinal + 1, new.moment, value_hash, *values))
    if versions:
        connection.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)", added)
        connection.executemany(
            "UPDATE entry SET sequence = ?, versions = ?, date = ? WHERE number = ?", updated
        )
        connection.executemany(INSERT_VERSION, versions)
        connection.execute("UPDATE state SET sequence = ?", (sequence,))
    if digest:
        connection.execute(
            "INSERT INTO document VALUES (?, ?, ?)", (feed, digest, len(new.contents))
        )
    _remember_source(connection, source, new.feed.url)
    if connection.total_changes > before:
        connection.execute("UPDATE feed SET last_success = ? WHERE number = ?", (new.moment, feed))
    warnings = (rekeying.NOTICE,) if noticed else ()
    return Changes(len(added), len(updated), len(new.contents) - len(versions), warnings)


def last_sequence(connection: sqlite3.Connection) -> int:
    """The highest sequence number given so far."""
    return one(connection, "SELECT sequence FROM state")


def last_number(connection: sqlite3.Connection) -> int:
    """The number behind which those of new entries begin.

    None is given again at or below which an alert begins: what has it is not new to that alert.
    """
    return one(
        connection,
        "SELECT max(coalesce((SELECT max(number) FROM entry), 0), "
        "coalesce((SELECT max(start) FROM search), 0))",
    )


def one(connection: sqlite3.Connection, statement: str) -> int:
    """The only number that a statement gives."""
    return int(connection.execute(statement).fetchone()[0])


def _known(connection: sqlite3.Connection, ids: Iterable[str]) -> dict[str, tuple[int, int, bytes]]:
    """Of the entries that are there already: their number, newest ordinal and its hash, by id."""
    rows = connection.execute(
        """
        SELECT entry.id, entry.number, entry.versions, version.hash
        FROM json_each(?) AS wanted
        CROSS JOIN entry ON entry.id = wanted.value
        CROSS JOIN version ON version.entry = entry.number AND version.ordinal = entry.versions
        """,
        (json.dumps(list(ids)),),
    )
    return {identity: (number, ordinal, stored) for identity, number, ordinal, stored in rows}


def _kept_out(connection: sqlite3.Connection, ids: Collection[str]) -> frozenset[str]:
    """Those of new entries that are not to come back; the removals of the others are undone."""
    if not ids:
        return frozenset()
    wanted = json.dumps(list(ids))
    connection.execute(
        "DELETE FROM removal WHERE back = 1 AND id IN (SELECT value FROM json_each(?))", (wanted,)
    )
    rows = connection.execute(
        "SELECT id FROM removal WHERE id IN (SELECT value FROM json_each(?))", (wanted,)
    )
    return frozenset(id for (id,) in rows)


def _store_feed(connection: sqlite3.Connection, new: Prepared) -> int:
    """The number of the feed's row, made or brought up to date."""
    feed = new.feed
    values = (feed.title, feed.link, feed.language)
    row = connection.execute(
        "SELECT number, name, title, link, language FROM feed WHERE url = ?", (feed.url,)
    ).fetchone()
    if row is None:
        return add_feed(connection, feed.url, *values, last_success=new.moment)
    number, name, *stored = row
    if (*stored,) != values:
        connection.execute(
            "UPDATE feed SET title = ?, link = ?, language = ? WHERE number = ?", (*values, number)
        )
    if name and name == feed.title:
        # It was called so before its title was known, and is to follow it from here on.
        connection.execute("UPDATE feed SET name = '' WHERE number = ?", (number,))
    if not name and stored[0] != feed.title:
        renumber(connection, number)
    return int(number)


def add_feed(
    connection: sqlite3.Connection,
    url: str,
    title: str = "",
    link: str = "",
    language: str = "",
    *,
    last_success: int = 0,
) -> int:
    """The number of a new feed's row; ``last_success`` is in microseconds, 0 for never."""
    number = one(connection, "SELECT coalesce(max(number), 0) FROM feed") + 1
    connection.execute(
        "INSERT INTO feed (number, url, title, link, language, last_success) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (number, url, title, link, language, last_success),
    )
    return number


def renumber(connection: sqlite3.Connection, feed: int) -> None:
    """Give all entries of a feed new sequence numbers, in the order of their old ones."""
    start = last_sequence(connection)
    rows = connection.execute("SELECT number FROM entry WHERE feed = ? ORDER BY sequence", (feed,))
    numbers = [
        (sequence, number) for sequence, (number,) in enumerate(rows.fetchall(), start=start + 1)
    ]
    connection.executemany("UPDATE entry SET sequence = ? WHERE number = ?", numbers)
    connection.execute("UPDATE state SET sequence = ?", (start + len(numbers),))


def _read_before(connection: sqlite3.Connection, new: Prepared, digest: bytes) -> bool:
    """Whether this very document of the feed was read before, be it from where it may."""
    row = connection.execute(
        "SELECT 1 FROM document WHERE feed = (SELECT number FROM feed WHERE url = ?) "
        "AND digest = ?",
        (new.feed.url, digest),
    ).fetchone()
    return row is not None


def _remember_source(connection: sqlite3.Connection, source: str, url: str) -> None:
    """Note which feed a source had, unless that is known; the empty source stands for none."""
    if source:
        connection.execute(
            "INSERT INTO source (name, feed) SELECT ?, number FROM feed WHERE url = ? "
            "ON CONFLICT (name) DO UPDATE SET feed = excluded.feed WHERE feed <> excluded.feed",
            (source, url),
        )
