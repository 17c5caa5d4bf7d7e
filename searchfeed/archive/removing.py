"""What taking entries out does to the tables, inside one transaction.

Each entry that goes leaves a removal with a sequence number of its own, so that an engine that was
not told yet (the process was killed in between) drops it when it next catches up.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress

from searchfeed.archive import records, storing
from searchfeed.archive.connections import Connections
from searchfeed.errors import ArchiveError, IndexLockedError
from searchfeed.keys import entry_id, link_key, normalised_link
from searchfeed.models import FacetCount, Selection

_WORTH = 1_000_000
"""Bytes that have to be free in the file before it is written anew without them."""

_SHARE = 4
"""They have to be one in so many of the file's, as writing it anew costs as much as the rest."""


class Removals:
    """The part of an archive that takes entries out; ``Archive`` tells the rest."""

    _connections: Connections

    def remove(self, ids: Collection[str], *, back: bool = False) -> int:
        """Take entries out with all their versions; ids that are not there are passed over.

        Args:
            ids: of the entries.
            back: whether they are stored again where their feed still has them.

        Returns:
            How many went.

        Raises:
            IndexLockedError: another process was writing for longer than the timeout.
        """
        with self._connections.write() as connection:
            return _remove(connection, ids, back=back)

    def remove_feed(self, feed_url: str) -> int:
        """Take a feed out: its entries, its subscription and what the user called it.

        All of it may come back, when the feed is read or subscribed to again.

        Returns:
            How many entries went; 0 also where there is no such feed.

        Raises:
            IndexLockedError: another process was writing for longer than the timeout.
        """
        with self._connections.write() as connection:
            return _remove_feed(connection, feed_url)

    def removed(self, after: int, upto: int) -> tuple[str, ...]:
        """The ids of entries taken out after one sequence number and up to another, in order.

        One that was stored again since is not among them: it is among the changes.
        """
        with self._connections.read() as connection:
            rows = connection.execute(
                "SELECT id FROM removal WHERE sequence > ? AND sequence <= ? ORDER BY sequence",
                (after, upto),
            )
            return tuple(id for (id,) in rows)

    def selection(self, ids: Sequence[str]) -> Selection:
        """These entries, with the dates and feeds that they are of."""
        with self._connections.read() as connection:
            rows = connection.execute(
                f"SELECT feed.url, {records.FEED_TITLE}, count(*), min(date), max(date) "  # noqa: S608
                "FROM json_each(?) AS wanted CROSS JOIN entry ON entry.id = wanted.value "
                "CROSS JOIN feed ON feed.number = entry.feed "
                "GROUP BY feed.number ORDER BY count(*) DESC, feed.url",
                (json.dumps(list(ids)),),
            ).fetchall()
        return Selection(
            tuple(ids),
            records.date(min((row[3] for row in rows if row[3] is not None), default=None)),
            records.date(max((row[4] for row in rows if row[4] is not None), default=None)),
            tuple(FacetCount(url, count, title or url) for url, title, count, _, _ in rows),
        )

    def free_space(self) -> None:
        """Give the room that removed entries took back to the disk, where it is worth the work.

        Where the disk is too full for it or another process is writing, the room stays in the
        file, for entries to come.
        """
        with (
            suppress(ArchiveError, IndexLockedError),
            self._connections.outside() as connection,
        ):
            size = storing.one(connection, "PRAGMA page_size")
            free = storing.one(connection, "PRAGMA freelist_count")
            pages = storing.one(connection, "PRAGMA page_count")
            if free * size >= _WORTH and free * _SHARE >= pages:
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _remove(connection: sqlite3.Connection, ids: Collection[str], *, back: bool) -> int:
    """Do what ``Removals.remove`` promises."""
    start = storing.last_sequence(connection)
    wanted = json.dumps(list(ids))
    other_names: set[str] = set() if back else _names_by_link(connection, wanted)
    count = connection.execute(
        "INSERT INTO removal SELECT ? + row_number() OVER (ORDER BY sequence), id, ? FROM entry "
        "WHERE id IN (SELECT value FROM json_each(?))",
        (start, back, wanted),
    ).rowcount
    connection.execute(
        "DELETE FROM version WHERE entry IN (SELECT number FROM entry "
        "WHERE id IN (SELECT value FROM json_each(?)))",
        (wanted,),
    )
    connection.execute("DELETE FROM entry WHERE id IN (SELECT value FROM json_each(?))", (wanted,))
    connection.executemany(
        "INSERT OR IGNORE INTO removal VALUES (?, ?, 0)",
        enumerate(sorted(other_names), start=start + count + 1),
    )
    connection.execute("UPDATE state SET sequence = ?", (start + count + len(other_names),))
    return count


def _names_by_link(connection: sqlite3.Connection, ids: str) -> set[str]:
    """The ids under which entries would come back whose feed is known by links (``rekeying``).

    There they have the id of the first guid that they came with, and the next is another one. A
    link that several entries of the feed have is not told by it which of them has come back.
    """
    rows = connection.execute(
        "SELECT feed.url, version.link, entry.id IN (SELECT value FROM json_each(?1)) FROM feed "
        "CROSS JOIN entry ON entry.feed = feed.number "
        "CROSS JOIN version ON version.entry = entry.number AND version.ordinal = entry.versions "
        "WHERE feed.key = 'link' AND feed.number IN "
        "(SELECT feed FROM json_each(?1) CROSS JOIN entry ON entry.id = value)",
        (ids,),
    )
    links = [(url, normalised_link(link), gone) for url, link, gone in rows if link]
    counts = Counter((url, link) for url, link, _ in links)
    names = {
        entry_id(url, link_key(link))
        for url, link, gone in links
        if gone and counts[url, link] == 1
    }
    there = connection.execute(
        "SELECT id FROM entry WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(names)),),
    )
    return names.difference(id for (id,) in there)


def _remove_feed(connection: sqlite3.Connection, url: str) -> int:
    """Do what ``Removals.remove_feed`` promises."""
    row = connection.execute("SELECT number FROM feed WHERE url = ?", (url,)).fetchone()
    if row is None:
        return 0
    ids = connection.execute("SELECT id FROM entry WHERE feed = ?", row).fetchall()
    count = _remove(connection, [id for (id,) in ids], back=True)
    # Its documents go with it: they have to be read anew when it comes back.
    for statement in (
        "DELETE FROM source WHERE feed = ?",
        "DELETE FROM subscription WHERE feed = ?",
        "DELETE FROM feed WHERE number = ?",
    ):
        connection.execute(statement, row)
    return count
