"""A new archive of all that can still be read of a damaged one."""

# The statements are put together from constants of this package alone.
# ruff: noqa: S608

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Container, Iterable, Iterator
from contextlib import closing, suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from searchfeed.archive import records, schema
from searchfeed.archive.connections import remove
from searchfeed.archive.pages import Pages
from searchfeed.archive.remains import ALERT, FEED, SEARCH, SUBSCRIPTION, Remains, Row
from searchfeed.errors import ArchiveError

_DATES = 8, 9
_LISTS = 6, 7, 11
"""Among the columns of ``version``."""


def salvage(path: Path, now: datetime, known: Container[object]) -> tuple[str, list[str]]:
    """Put a new archive in the place of a damaged one, to which nobody may write meanwhile.

    Args:
        path: the database; it stays beside the new one, under another name.
        now: becomes a part of that name.
        known: ids of entries that stood in it, as others tell.

    Returns:
        The name of the damaged file, and what could not be saved, a sentence each.

    Raises:
        ArchiveError: the new one cannot be written; the damaged one is where it was.
    """
    image, new = path.with_name(f"{path.name}.image"), path.with_name(f"{path.name}.new")
    try:
        kept = _keep(path, now)
        try:
            pages = Pages(path)
            pages.write(image)
            losses = _write(new, Remains(image, pages, known))
        except BaseException:
            remove(kept)
            remove(new)
            raise
        finally:
            remove(image)
        _swap(new, path)
    except (OSError, sqlite3.Error) as error:
        raise ArchiveError(f"the archive {path} cannot be repaired: {error}") from error
    return kept.name, losses


def _keep(path: Path, now: datetime) -> Path:
    """Give the database and its log a second name that is not taken."""
    for more in count():
        name = f"{path.name}.damaged-{now:%Y%m%d-%H%M%S}{f'-{more}' if more else ''}"
        kept = path.with_name(name)
        if not kept.exists():
            break
    for suffix in ("", "-wal"):
        with suppress(FileNotFoundError):
            _double(Path(f"{path}{suffix}"), Path(f"{kept}{suffix}"))
    return kept


def _double(file: Path, double: Path) -> None:
    try:
        double.hardlink_to(file)
    except FileNotFoundError:
        raise
    except OSError:
        # Some disks have no second names for a file.
        shutil.copy2(file, double)


def _swap(new: Path, path: Path) -> None:
    """Put the new database in the place of the old one, whose log must not come to it."""
    with new.open("rb") as file:
        os.fsync(file.fileno())
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    new.replace(path)


def _write(path: Path, found: Remains) -> list[str]:
    """Make the new archive; what could not be saved."""
    remove(path)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("BEGIN IMMEDIATE")
        schema.migrate(connection)
        writer = _Writer(connection, found)
        losses = list(writer.write())
        connection.execute("COMMIT")
    return losses


class _Writer:
    def __init__(self, connection: sqlite3.Connection, found: Remains) -> None:
        self._connection = connection
        self._found = found
        self._incomplete: set[int] = set()
        """Feeds whose documents are to be read again, because they may hold what was lost."""

    def write(self) -> Iterator[str]:
        found = self._found
        for feed, told in found.doubtful:
            yield told
            self._incomplete.update(found.feeds if feed is None else [feed])
        self._many("feed", FEED, found.feeds.values())
        yield from self._write_entries()
        self._many("removal", "sequence, id, back", found.removals.values())
        top = self._connection.execute(
            "SELECT max(coalesce((SELECT max(sequence) FROM entry), 0), "
            "coalesce((SELECT max(sequence) FROM removal), 0))"
        ).fetchone()[0]
        self._connection.execute("UPDATE state SET sequence = ?", (max(top, found.sequence),))
        self._write_memory()
        self._write_searches()

    def _write_entries(self) -> Iterator[str]:
        found = self._found
        nameless = sum(len(found.versions[n]) for n in found.versions.keys() - found.entries)
        if nameless:
            yield f"{nameless:,} versions belong to entries that cannot be told any more"
            self._incomplete.update(found.feeds)
        used: set[object] = set()
        top = max([found.sequence, *(row[3] for row in found.entries.values())], default=0)
        for number, row in sorted(found.entries.items()):
            _, identity, feed, sequence = row
            versions = found.versions.get(number, {})
            lost = max([found.counts.get(number, 1), *versions]) - len(versions)
            if lost:
                whole = "all" if not versions else f"{lost} of"
                yield f"the entry {identity} has lost {whole} its versions"
                self._incomplete.add(feed)
            if not versions or identity in used:
                continue
            if feed not in found.feeds:
                found.feeds[feed] = (feed, f"unknown:{feed}", "", "", "", 0, "", "[]", "guid")
                self._many("feed", FEED, [found.feeds[feed]])
                yield f"the address of feed {feed} is lost; it is called unknown:{feed} now"
            if sequence in used or sequence < 1:
                sequence = top = top + 1
            used |= {identity, sequence}
            yield from self._write_entry((number, identity, feed, sequence), versions)

    def _write_entry(self, entry: Row, versions: dict[int, tuple[Row, bool]]) -> Iterator[str]:
        number, identity, feed, _ = entry
        kept = [(_mended(row), sound) for _, (row, sound) in sorted(versions.items())]
        date = records.content_date(kept[-1][0][4:])
        self._many(
            "entry", "number, id, feed, sequence, versions, date", [(*entry, len(kept), date)]
        )
        self._many(
            "version",
            f"entry, ordinal, seen, hash, {', '.join(records.CONTENT)}",
            ((number, ordinal, *row[2:]) for ordinal, (row, _) in enumerate(kept, start=1)),
        )
        for ordinal, (row, sound) in enumerate(kept, start=1):
            if not sound:
                yield (
                    f"version {ordinal} of the entry {identity} is kept, but a part of it is "
                    f"damaged: {row[4][:60]}"
                )
                self._incomplete.add(feed)

    def _write_memory(self) -> None:
        """What was read already, but for feeds that may still hold what was lost here."""
        found, incomplete = self._found, self._incomplete
        known = found.feeds.keys()
        self._many("source", "name, feed", (row for row in found.sources if row[1] in known))
        complete = known - incomplete
        self._many(
            "document",
            "feed, digest, entries",
            (row for row in found.documents if row[0] in complete),
        )
        for number, row in found.subscriptions.items():
            if number in incomplete:
                # With what the server last said it would answer that nothing is new.
                row = (*row[:3], "", "", *row[5:])  # noqa: PLW2901
            if number in known:
                self._many("subscription", SUBSCRIPTION, [row])

    def _write_searches(self) -> None:
        found = self._found
        self._many("search", SEARCH, found.searches.values())
        # Those that one copy says were told first: they are not to be told again.
        alerts = sorted(found.alerts, key=lambda row: row[-1] is None)
        self._many("alert", ALERT, (row for row in alerts if row[0] in found.searches))

    def _many(self, table: str, columns: str, rows: Iterable[Row]) -> None:
        # A row that the table cannot take is one that is damaged in a way that shows.
        places = ", ".join("?" * len(columns.split(", ")))
        self._connection.executemany(
            f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({places})", rows
        )


def _mended(row: Row) -> Row:
    """A version as it can be stored again: its lists are lists, and its hash is right."""
    values: list[Any] = [
        each.encode(errors="surrogateescape").decode(errors="replace")
        if isinstance(each, str)
        else each
        for each in row
    ]
    for place in _DATES:
        with suppress(OverflowError):
            records.date(values[place])
            continue
        values[place] = None
    for place in _LISTS:
        try:
            fine = isinstance(json.loads(values[place]), list)
        except ValueError:
            fine = False
        if not fine:
            values[place] = "[]"
    values[3] = records.content_hash(tuple(values[4:]))
    return tuple(values)


__all__ = ("salvage",)
