"""The archive: every entry that was ever seen, each version of it, and the state of each feed.

It is the truth of an index, in one SQLite database; the engine's files are made from it. Every
change of an entry gets a sequence number higher than any before, given inside the transaction
that stores it, so that whoever has taken in all changes up to a number knows where to go on.
"""

# The statements are put together from constants of this package alone.
# ruff: noqa: S608

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from searchfeed.archive import records, storing, subscriptions
from searchfeed.archive.backup import Backups
from searchfeed.archive.connections import Connections
from searchfeed.archive.records import Changes, Figures, Version
from searchfeed.archive.removing import Removals
from searchfeed.archive.schedule import Fetched
from searchfeed.archive.searches import SavedSearch, Searches, query_line
from searchfeed.archive.subscriptions import Subscriptions
from searchfeed.archive.transfer import Transfer
from searchfeed.errors import EntryNotFoundError
from searchfeed.models import Entry, Feed

_BATCH = 256
"""Entries read at once while streaming; with bodies of 100 KB these are 25 MB."""

_SHORTEST_PREFIX = 4
_NAMED = 5
"""Ids that an error names at most."""

_ENTRY = ", ".join(
    (
        "entry.id",
        "feed.url",
        records.FEED_TITLE,
        "feed.tags",
        *(f"version.{name}" for name in records.CONTENT),
    )
)
# CROSS JOIN keeps this order: without statistics SQLite may begin with the feeds.
_NEWEST = (
    "CROSS JOIN version ON version.entry = entry.number AND version.ordinal = entry.versions "
    "CROSS JOIN feed ON feed.number = entry.feed"
)


class Archive(Subscriptions, Removals, Searches, Transfer, Backups):
    """The archive in the file ``path``, which is made if there is none (its directory is not).

    Any thread may call any method, and other processes may read and write at the same time:
    readers never wait, a writer waits up to ``timeout`` seconds for another.

    Every method raises ``ArchiveError`` where the database cannot be read or written.

    Raises:
        IndexVersionError: a newer release made it.
        ArchiveError: it cannot be opened or made.
    """

    def __init__(self, path: Path, *, timeout: float = 30.0) -> None:
        self._path = path
        super().__init__(Connections(path, timeout))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files; the archive is of no use afterwards."""
        self._connections.close()

    def store(
        self,
        feed: Feed,
        *,
        source: str = "",
        digest: bytes = b"",
        fetched: Fetched | None = None,
        now: datetime | None = None,
    ) -> Changes:
        """Keep a feed as it was just read, in one transaction.

        An entry that differs from its newest version in anything but its feed's title becomes a
        new version, even where it brings an older text back; entries that the feed no longer
        has stay. A feed that changes its title gives all its entries new sequence numbers, as
        they are to be found by the new title, but no new versions. Where nothing has changed,
        nothing is written, not even the feed's ``last_success``.

        A document that was read before, however long ago and from wherever, changes nothing. A
        folder of saved documents can thus be read again without old texts coming back as the
        newest, and a server that now and then hands out an old copy adds no versions. The price:
        a publisher who takes an edit back, so that the document is again an earlier one to the
        byte, is taken for such a server, until the document next differs from all before (by its
        build date or by any entry): then the text that came back is a version again.

        A feed whose guids change whenever it is made is noticed, told of in ``Changes.warnings``,
        and known by its links from then on (see ``rekeying``).

        Args:
            feed: its entries belong to it, whatever their own ``feed_url`` and ``feed_title``.
            source: where it was read from; remembered for ``seen``, unless empty.
            digest: stands for the bytes that were read; remembered, unless empty.
            fetched: what the server of a feed that is subscribed to said beside them. It is kept
                in the same transaction: a server that is shown its validators again answers that
                nothing is new, so entries lost between two transactions would never come back.
            now: the time it was read, aware; None is the present.

        Raises:
            IndexLockedError: another process was writing for longer than the timeout.
        """
        now = now or datetime.now(UTC)
        prepared = storing.Prepared(feed, now)
        with self._connections.write() as connection:
            changes = storing.store(connection, prepared, source, digest)
            if fetched is not None:
                subscriptions.succeeded(connection, feed.url, fetched, now, feed)
            return changes

    def seen(self, source: str, digest: bytes) -> int | None:
        """How many entries the document of a source had, if it was read before.

        None where it is new to the feed that was last read from this source, or where nothing was
        read from there so far.
        """
        with self._connections.read() as connection:
            row = connection.execute(
                "SELECT entries FROM source JOIN document USING (feed) "
                "WHERE name = ? AND digest = ?",
                (source, digest),
            ).fetchone()
        return None if row is None else int(row[0])

    @property
    def sequence(self) -> int:
        """The highest sequence number given so far; 0 in an empty archive."""
        with self._connections.read() as connection:
            return storing.last_sequence(connection)

    def changes(self, after: int, upto: int | None = None) -> Iterator[tuple[int, Entry, bool]]:
        """Entries whose last change is after one sequence number and up to another, in order.

        Each comes once, in its newest state, with its sequence number and whether it has more
        than one version. They are read in batches, so memory stays bounded and others may write
        meanwhile; an entry that changes again before its turn is left to the next call, as it
        then stands beyond ``upto``.

        Args:
            after: 0 begins with the first.
            upto: None is the highest when the iteration starts.
        """
        upto = self.sequence if upto is None else upto
        while after < upto:
            with self._connections.read() as connection:
                rows = connection.execute(
                    f"SELECT entry.sequence, entry.versions, {_ENTRY} FROM entry {_NEWEST} "
                    "WHERE entry.sequence > ? AND entry.sequence <= ? "
                    "ORDER BY entry.sequence LIMIT ?",
                    (after, upto, _BATCH),
                ).fetchall()
            for sequence, versions, *row in rows:
                yield sequence, records.entry(row), versions > 1
            if len(rows) < _BATCH:
                return
            after = rows[-1][0]

    def entries(self, ids: Sequence[str]) -> dict[str, Entry]:
        """The newest state of the entries with these ids; ids that are not there are left out."""
        with self._connections.read() as connection:
            rows = connection.execute(
                f"SELECT {_ENTRY} FROM json_each(?) AS wanted "
                f"CROSS JOIN entry ON entry.id = wanted.value {_NEWEST}",
                (json.dumps(list(ids)),),
            ).fetchall()
        return {row[0]: records.entry(row) for row in rows}

    def last_seen(self, ids: Sequence[str]) -> dict[str, datetime]:
        """When the newest state of each of these entries was first seen."""
        with self._connections.read() as connection:
            rows = connection.execute(
                "SELECT entry.id, version.seen FROM json_each(?) AS wanted "
                f"CROSS JOIN entry ON entry.id = wanted.value {_NEWEST}",
                (json.dumps(list(ids)),),
            ).fetchall()
        return {id: records.moment(seen) for id, seen in rows}

    def find(self, prefix: str) -> Entry:
        """The entry with this id, or the only one whose id starts so (at least 4 characters).

        Raises:
            EntryNotFoundError: there is none, or there are several; it names those that are near.
        """
        with self._connections.read() as connection:
            found = _starting(connection, prefix)
            unique = len(found) == 1 and len(prefix) >= _SHORTEST_PREFIX
            if unique or (found and found[0].id == prefix):
                return found[0]
            near = _near(connection, prefix)
        if len(prefix) < _SHORTEST_PREFIX:
            trouble = f"{prefix!r} is too short for an id; it takes {_SHORTEST_PREFIX} characters"
        elif found:
            trouble = f"more than one id starts with {prefix!r}: {_listed(found)}"
        elif near:
            trouble = f"no entry has the id {prefix!r}; near it are {_listed(near)}"
        else:
            trouble = f"no entry has the id {prefix!r}"
        raise EntryNotFoundError(trouble)

    def versions(self, prefix: str) -> tuple[Version, ...]:
        """Every version of an entry, the oldest first; the entry is named as for ``find``.

        Raises:
            EntryNotFoundError: as ``find``.
        """
        identity = self.find(prefix).id
        with self._connections.read() as connection:
            rows = connection.execute(
                f"SELECT version.seen, {_ENTRY} FROM entry "
                "JOIN version ON version.entry = entry.number "
                "JOIN feed ON feed.number = entry.feed "
                "WHERE entry.id = ? ORDER BY version.ordinal",
                (identity,),
            ).fetchall()
        return tuple(Version(records.entry(row), records.moment(seen)) for seen, *row in rows)

    def figures(self) -> Figures:
        """Counts, dates and size of what the archive holds."""
        with self._connections.read() as connection:
            feeds = storing.one(connection, "SELECT count(*) FROM feed")
            versions = storing.one(connection, "SELECT count(*) FROM version")
            entries, oldest, newest = connection.execute(
                "SELECT count(*), min(date), max(date) FROM entry"
            ).fetchone()
        size = 0
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):
                size += Path(f"{self._path}{suffix}").stat().st_size
        return Figures(feeds, entries, versions, records.date(oldest), records.date(newest), size)


def _starting(connection: sqlite3.Connection, prefix: str) -> list[Entry]:
    """The first entries whose id starts with ``prefix``, one more than an error names."""
    # Bytes of a command line that are no text come as lone surrogates, which SQLite cannot take.
    prefix = prefix.encode(errors="replace").decode()
    rows = connection.execute(
        f"SELECT {_ENTRY} FROM entry {_NEWEST} "
        "WHERE entry.id >= ? AND entry.id < ? ORDER BY entry.id LIMIT ?",
        (prefix, f"{prefix}\U0010ffff", _NAMED + 1),
    )
    return [records.entry(row) for row in rows]


def _near(connection: sqlite3.Connection, prefix: str) -> list[Entry]:
    """The entries whose ids share the longest start with ``prefix``, if long enough to tell."""
    for length in range(len(prefix) - 1, _SHORTEST_PREFIX - 1, -1):
        if found := _starting(connection, prefix[:length]):
            return found
    return []


def _listed(entries: list[Entry]) -> str:
    names = [f"{entry.id} ({entry.title[:40] or 'no title'})" for entry in entries[:_NAMED]]
    return ", ".join([*names, "…"] if len(entries) > _NAMED else names)


__all__ = ("Archive", "Changes", "Fetched", "Figures", "SavedSearch", "Version", "query_line")
