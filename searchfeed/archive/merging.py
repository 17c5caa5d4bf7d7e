"""What taking in the lines of an export does to the tables: a batch of them in one transaction.

Nothing that is there goes, and what is there already is not there twice: taking an export in
again changes nothing, and neither does one that was interrupted have to be undone first.
"""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from searchfeed.archive import records, searches, storing
from searchfeed.archive.lines import (
    DocumentLine,
    FeedLine,
    Line,
    RemovalLine,
    SearchLine,
    VersionLine,
)
from searchfeed.archive.records import Content
from searchfeed.models import Report

BATCH = 2_000_000
"""Characters of texts that are stored in one transaction."""

_MOST = 4 * BATCH
"""Where a batch ends in the middle of an entry's versions, as they never seem to."""

_ROW = 200
"""Characters that a line counts for beside its text."""


class Version(NamedTuple):
    """One version of an entry: ``ordinal`` is its number in the archive, 0 for a new one.

    ``values`` are None where the archive has them.
    """

    seen: int
    hash: bytes
    ordinal: int
    values: Content | None


class Known(NamedTuple):
    """An entry that is there, with its versions in order."""

    number: int
    feed: str
    versions: list[Version]


def batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """The lines in batches of bounded size; versions of an entry in a row stay together.

    An entry's versions are told in order, so none is taken as seen before the one that it follows:
    the clock of a computer may have been put back between the two.
    """
    batch: list[Line] = []
    size = 0
    last: VersionLine | None = None
    for line in lines:
        same = isinstance(line, VersionLine) and last is not None and line.id == last.id
        if size >= (_MOST if same else BATCH):
            yield batch
            batch, size = [], 0
        if isinstance(line, VersionLine):
            if same and last is not None and line.seen < last.seen:
                line = replace(line, seen=last.seen)  # noqa: PLW2901
            last = line
            size += len(line.values[0]) + len(line.values[-1])
        size += _ROW
        batch.append(line)
    if batch:
        yield batch


def merge(connection: sqlite3.Connection, batch: list[Line]) -> tuple[Report, list[VersionLine]]:
    """Take a batch in; return what it did, and the lines whose id another feed's entry has."""
    for line in batch:
        if isinstance(line, FeedLine):
            _merge_feed(connection, line)
    versions = [line for line in batch if isinstance(line, VersionLine)]
    done = _merge_entries(connection, versions)
    for line in batch:
        if isinstance(line, DocumentLine):
            connection.execute(
                "INSERT OR IGNORE INTO document SELECT number, ?, ? FROM feed WHERE url = ?",
                (line.digest, line.entries, line.feed),
            )
    _merge_removals(connection, [line.id for line in batch if isinstance(line, RemovalLine)])
    for line in batch:
        # Behind the entries, which are not new to an alert that comes with them.
        if isinstance(line, SearchLine):
            searches.take_in(connection, line.name, line.text, line.saved, alert=line.alert)
    return done


def _merge_feed(connection: sqlite3.Connection, line: FeedLine) -> None:
    """Make the feed, or let the newer reading tell its title; what the user set here stays."""
    row = connection.execute(
        "SELECT number, name, tags, title, link, language, last_success FROM feed WHERE url = ?",
        (line.url,),
    ).fetchone()
    if row is None:
        number = storing.add_feed(
            connection,
            line.url,
            line.title,
            line.link,
            line.language,
            last_success=line.last_success,
        )
        name, tags = line.name, line.tags
    else:
        number, old_name, old_tags, *told, success = row
        name = old_name or line.name
        tags = records.united(json.loads(old_tags), line.tags)
        newer = line.last_success > success
        if newer:
            connection.execute(
                "UPDATE feed SET title = ?, link = ?, language = ?, last_success = ? "
                "WHERE number = ?",
                (line.title, line.link, line.language, line.last_success, number),
            )
        shown = name or (line.title if newer else told[0])
        if (shown, list(tags)) != (old_name or told[0], json.loads(old_tags)):
            storing.renumber(connection, number)
    connection.execute(
        "UPDATE feed SET name = ?, tags = ?, key = iif(? = 'link', 'link', key) WHERE number = ?",
        (name, records.packed(tags), line.key, number),
    )
    if line.subscription:
        # One that is here keeps its address: it may hold a password, which no export does.
        connection.execute(
            "INSERT OR IGNORE INTO subscription (feed, url, state) VALUES (?, ?, ?)",
            (number, line.subscription, line.state),
        )


def _merge_entries(
    connection: sqlite3.Connection, lines: list[VersionLine]
) -> tuple[Report, list[VersionLine]]:
    known = _known(connection, {line.id for line in lines})
    feeds = _feeds(connection, [line for line in lines if line.id not in known])
    sequence = storing.last_sequence(connection)
    free = storing.last_number(connection) + 1
    added = updated = unchanged = 0
    foreign: list[VersionLine] = []
    # Sorting keeps the order of those that are alike; ids come in the order of their first line.
    place = {line.id: at for at, line in reversed(list(enumerate(lines)))}
    for id, group in groupby(sorted(lines, key=lambda line: place[line.id]), lambda line: line.id):
        mine = list(group)
        old = known.get(id, Known(0, mine[0].feed, []))
        foreign += [line for line in mine if line.feed != old.feed]
        new = [
            Version(line.seen, records.content_hash(line.values), 0, line.values)
            for line in mine
            if line.feed == old.feed
        ]
        versions = _timeline(old.versions, new)
        if versions == old.versions:
            unchanged += bool(new)
            continue
        if not old.number:
            sequence += 1
            connection.execute(
                "INSERT INTO entry VALUES (?, ?, ?, ?, 0, NULL)",
                (free, id, feeds[old.feed], sequence),
            )
            _write(connection, free, versions)
            free += 1
            added += 1
            continue
        if [each.hash for each in versions] == [each.hash for each in old.versions]:
            # Some were seen earlier elsewhere; the entry is to be found as before.
            unchanged += 1
        else:
            sequence += 1
            connection.execute(
                "UPDATE entry SET sequence = ? WHERE number = ?", (sequence, old.number)
            )
            updated += 1
        _write(connection, old.number, versions)
    # What is taken in by name is wanted back.
    connection.execute(
        "DELETE FROM removal WHERE id IN (SELECT value FROM json_each(?)) "
        "AND id IN (SELECT id FROM entry)",
        (json.dumps(list(place)),),
    )
    connection.execute("UPDATE state SET sequence = ?", (sequence,))
    return Report(added, updated, unchanged), foreign


def _feeds(connection: sqlite3.Connection, lines: Iterable[VersionLine]) -> dict[str, int]:
    """The numbers of the feeds that the lines name; one whose own line was bad is made."""
    feeds: dict[str, int] = {}
    for line in lines:
        if line.feed not in feeds:
            row = connection.execute(
                "SELECT number FROM feed WHERE url = ?", (line.feed,)
            ).fetchone()
            feeds[line.feed] = row[0] if row else storing.add_feed(connection, line.feed)
    return feeds


def _known(connection: sqlite3.Connection, ids: Iterable[str]) -> dict[str, Known]:
    rows = connection.execute(
        """
        SELECT entry.id, entry.number, feed.url, version.seen, version.hash, version.ordinal
        FROM json_each(?) AS wanted
        CROSS JOIN entry ON entry.id = wanted.value
        CROSS JOIN feed ON feed.number = entry.feed
        CROSS JOIN version ON version.entry = entry.number
        ORDER BY entry.number, version.ordinal
        """,
        (json.dumps(list(ids)),),
    )
    known: dict[str, Known] = {}
    for id, number, feed, seen, value_hash, ordinal in rows:
        versions = known.setdefault(id, Known(number, feed, [])).versions
        later = max(seen, versions[-1].seen) if versions else seen
        versions.append(Version(later, value_hash, ordinal, None))
    return known


def _timeline(old: list[Version], new: list[Version]) -> list[Version]:
    """The versions of both, each in order, by when they were seen; those of the archive first.

    A new one is there already if the archive says the same at any moment of its time, which what
    was put in always does. So doing this again with the same ones changes nothing. To an entry that
    was not there nothing is compared: its last version stays the last, whatever the clock said.
    """
    if not old:
        return [next(group) for _, group in groupby(new, lambda each: each.hash)]
    merged = list(old)
    for version in sorted(new, key=lambda each: each.seen):
        after = bisect_right(merged, version.seen, key=lambda each: each.seen)
        before = bisect_left(merged, version.seen, key=lambda each: each.seen)
        if version.hash in [each.hash for each in merged[max(before - 1, 0) : after]]:
            continue
        if after < len(merged) and merged[after].hash == version.hash:
            # It is known from later; only when it was first seen is news.
            merged[after] = merged[after]._replace(seen=version.seen)
        else:
            merged.insert(after, version)
    return merged


def _write(connection: sqlite3.Connection, number: int, versions: list[Version]) -> None:
    """Make these the versions of an entry, in their order."""
    # Out of the way first, as no two may have one ordinal even for a moment.
    connection.execute("UPDATE version SET ordinal = -ordinal WHERE entry = ?", (number,))
    for ordinal, version in enumerate(versions, start=1):
        if version.values is None:
            connection.execute(
                "UPDATE version SET ordinal = ?, seen = ? WHERE entry = ? AND ordinal = ?",
                (ordinal, version.seen, number, -version.ordinal),
            )
        else:
            connection.execute(
                storing.INSERT_VERSION,
                (number, ordinal, version.seen, version.hash, *version.values),
            )
    connection.execute("DELETE FROM version WHERE entry = ? AND ordinal < 0", (number,))
    connection.execute(
        "UPDATE entry SET versions = ?1, date = (SELECT coalesce(published, updated) "
        "FROM version WHERE entry = ?2 AND ordinal = ?1) WHERE number = ?2",
        (len(versions), number),
    )


def _merge_removals(connection: sqlite3.Connection, ids: list[str]) -> None:
    """Note what does not come back, but take out nothing that is here."""
    for id in ids:
        sequence = storing.last_sequence(connection) + 1
        done = connection.execute(
            "INSERT INTO removal SELECT ?1, ?2, 0 WHERE NOT EXISTS "
            "(SELECT 1 FROM entry WHERE id = ?2) AND NOT EXISTS "
            "(SELECT 1 FROM removal WHERE id = ?2)",
            (sequence, id),
        )
        if done.rowcount:
            connection.execute("UPDATE state SET sequence = ?", (sequence,))
