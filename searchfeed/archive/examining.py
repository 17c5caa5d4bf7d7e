"""Whether an archive is whole: the database, and what this package promises of its rows.

It is looked at with a connection of its own, because a damaged one may not open at all for the
others.
"""

# The statements are put together from constants of this package alone.
# ruff: noqa: S608

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from searchfeed.archive import records, schema, storing
from searchfeed.archive.log import read_log
from searchfeed.errors import IndexVersionError

_NAMED = 20
"""Troubles of one kind that are named at most."""

_BATCH = 1000
_CONTENT = ", ".join(f"version.{name}" for name in records.CONTENT)

_RULES = (
    ("the sequence number stands {} times", "SELECT count(*) FROM state HAVING count(*) <> 1"),
    (
        "the entry {} has a sequence number that was never given",
        "SELECT id FROM entry WHERE sequence NOT BETWEEN 1 AND (SELECT max(sequence) FROM state)",
    ),
    (
        "the entry {}, which was taken out, has a sequence number that was never given",
        "SELECT id FROM removal WHERE sequence NOT BETWEEN 1 AND (SELECT max(sequence) FROM state)",
    ),
    (
        "the entry {} and one that was taken out have the same sequence number",
        "SELECT entry.id FROM entry JOIN removal USING (sequence)",
    ),
    (
        "the entry {} has not the versions that it should have",
        """
        SELECT id FROM entry LEFT JOIN version ON version.entry = entry.number
        GROUP BY entry.number
        HAVING count(ordinal) <> versions OR min(ordinal) <> 1 OR max(ordinal) <> versions
        """,
    ),
    (
        "the entry {} has another date than its newest version",
        """
        SELECT id FROM entry JOIN version ON version.entry = number AND ordinal = versions
        WHERE date IS NOT coalesce(published, updated)
        """,
    ),
    (
        "{} is no id of an entry",
        "SELECT id FROM entry WHERE length(id) <> 16 OR id GLOB '*[^0-9a-f]*'",
    ),
)
"""What is said, and a query for the values to say it of."""


@dataclass(slots=True)
class Examination:
    """What an archive is like.

    Attributes:
        problems: what is wrong with it, a sentence each; empty if nothing is.
        sequence: the highest sequence number given.
        entries: for each entry that it holds the sequence number of its last change, by id.
        removed: the same for those that were taken out.
        versions: how many it holds of all entries.
        complete: whether all of it could be read, damaged or not.
    """

    problems: list[str] = field(default_factory=list)
    sequence: int = 0
    entries: dict[str, int] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    versions: int = 0
    complete: bool = False


def examine(path: Path, progress: Callable[[int, int], None] | None = None) -> Examination:
    """Read all of the archive in ``path``, to which nobody may write meanwhile.

    Args:
        path: the database.
        progress: called now and then with how many versions were compared with their hashes, and
            how many there are.

    Raises:
        IndexVersionError: a newer release made it.
    """
    found = Examination()
    trouble = read_log(path).trouble
    if trouble:
        # To SQLite such a log ends at the damage, and it would forget on opening what came after.
        found.problems.append(trouble)
        return found
    try:
        with closing(connect(path)) as connection:
            _examine(connection, path, found, progress)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        # SQLite's own words may hold damaged ones of the file.
        found.problems.append(f"it cannot be read: {error}")
    return found


def connect(path: Path) -> sqlite3.Connection:
    """A connection to a database that is there, which reads text that is no UTF-8 as well."""
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, isolation_level=None)
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    return connection


def _examine(
    connection: sqlite3.Connection,
    path: Path,
    found: Examination,
    progress: Callable[[int, int], None] | None,
) -> None:
    _refuse_newer(connection, path)
    # It fails where a damaged file says of itself that it must not be written.
    connection.execute("BEGIN IMMEDIATE")
    found.problems += _damages(connection)
    for told, query in _RULES:
        rows = connection.execute(f"{query} LIMIT {_NAMED}")
        found.problems += [told.format(value) for (value,) in rows]
    found.sequence = storing.last_sequence(connection)
    found.entries = dict(connection.execute("SELECT id, sequence FROM entry"))
    found.removed = dict(connection.execute("SELECT id, sequence FROM removal"))
    found.versions = storing.one(connection, "SELECT count(*) FROM version")
    changed = _changed_versions(connection, found.versions, progress)
    for count, told in enumerate(changed, start=1):
        if count <= _NAMED:
            found.problems.append(told)
    found.complete = True


def _refuse_newer(connection: sqlite3.Connection, path: Path) -> None:
    try:
        schema.check(connection, path)
    except IndexVersionError:
        release = connection.execute("SELECT release FROM state").fetchone()
        # Tables that this release made cannot have a version that it does not know.
        if not release or release[0] not in [name for name, _ in schema.MIGRATIONS]:
            raise


def _damages(connection: sqlite3.Connection) -> Iterator[str]:
    """What is wrong with the database as such, whatever it holds."""
    for (told,) in connection.execute(f"PRAGMA integrity_check({_NAMED})"):
        if told != "ok":
            yield told.replace("*** in database main ***\n", "").replace("\n", "; ")
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(_NAMED):
        yield f"row {row} of the table {table} belongs to none of the table {parent}"
    if schema.version(connection) != schema.VERSION:
        yield "it has the tables of another version than it says"
    if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        yield "it is not in the mode in which it is written"
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as model:
        schema.migrate(model)
        if _tables(connection) != _tables(model):
            yield "its tables are not those that this release makes"


def _tables(connection: sqlite3.Connection) -> list[tuple[str, ...]]:
    return connection.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' "
        "ORDER BY type, name"
    ).fetchall()


def _changed_versions(
    connection: sqlite3.Connection, count: int, progress: Callable[[int, int], None] | None
) -> Iterator[str]:
    """The versions that are not what was stored."""
    rows = connection.execute(
        f"SELECT coalesce(id, entry), ordinal, hash, {_CONTENT} "
        "FROM version LEFT JOIN entry ON number = entry ORDER BY version.rowid"
    )
    for done, (identity, ordinal, stored, *content) in enumerate(rows, start=1):
        if not is_as_stored(content, stored):
            yield f"the text of the entry {identity} in its version {ordinal} is damaged"
        if progress is not None and (done % _BATCH == 0 or done == count):
            progress(done, count)


def is_as_stored(content: list[object], stored: bytes) -> bool:
    """Whether these values of a version are those that its hash was made of."""
    try:
        return records.content_hash(tuple(content)) == stored  # type: ignore[arg-type]
    except (TypeError, UnicodeEncodeError):
        return False


__all__ = ("Examination", "connect", "examine", "is_as_stored")
