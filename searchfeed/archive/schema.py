"""The tables of the archive, and how an older archive becomes one of this release.

    state     one row: the highest sequence number given, and the release that reads these tables
    feed      a feed's newest title, link and language; the name and tags that the user gave it;
              and what its entries are known by (``guid`` or ``link``)
    entry     an entry: its feed, the sequence number of its last change, how many versions it has
    version   what an entry said, whole, from when it was seen saying so; the first is ordinal 1
    source    which feed was last read from a source
    document  each document that was ever read of a feed, and how many entries it had: it need not
              be parsed again, and it is history from then on (see ``Archive.store``)
    subscription   a feed that is fetched again: from where, when, and how that went
    removal   an entry that was taken out, so that engines drop it too; ``back`` says whether it
              is stored again where its feed still has it
    search    a search that the user gave a name. One with an alert has ``start``: what was stored
              since has a higher ``entry.number``; and ``looked``: matches among the changes up to
              that sequence number are in ``alert``
    alert     an entry that a search with an alert found: with the sequence number that it had, how
              often telling it failed, and when it was told

Dates are integers, microseconds since 1970 in UTC (``feed.last_success`` is 0 where nothing was
ever read), and lengths of time are microseconds too. Lists are JSON text. The newest version of an
entry is the one whose ordinal is ``entry.versions``, and the first one tells when the entry was
first seen. ``entry.date`` repeats the date of the newest version, because counting and dating
the entries of all feeds must not touch their texts.

Every value is there twice, so that one that changes on the disk is found: in its table and in an
index of that (``…_copy`` where no other one needs it), which ``PRAGMA integrity_check`` compares.
Texts are too long for that, and have the hash of their version.

The sequence stands in ``state`` rather than being the highest one of ``entry``: a number given
to an entry that is later deleted must never be given again, or an engine would take the second
entry that has it for one it knows.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from searchfeed.errors import IndexVersionError

MIGRATIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "0.1.0",
        (
            """
            CREATE TABLE state (
                sequence INTEGER NOT NULL,
                release TEXT NOT NULL
            ) STRICT
            """,
            "INSERT INTO state VALUES (0, '')",
            """
            CREATE TABLE feed (
                number INTEGER PRIMARY KEY,
                url TEXT NOT NULL UNIQUE,
                title TEXT NOT NULL,
                link TEXT NOT NULL,
                language TEXT NOT NULL,
                last_success INTEGER NOT NULL
            ) STRICT
            """,
            """
            CREATE TABLE entry (
                number INTEGER PRIMARY KEY,
                id TEXT NOT NULL UNIQUE,
                feed INTEGER NOT NULL REFERENCES feed (number),
                sequence INTEGER NOT NULL UNIQUE,
                versions INTEGER NOT NULL,
                date INTEGER
            ) STRICT
            """,
            "CREATE INDEX entry_feed ON entry (feed, date)",
            """
            CREATE TABLE version (
                entry INTEGER NOT NULL REFERENCES entry (number),
                ordinal INTEGER NOT NULL,
                seen INTEGER NOT NULL,
                hash BLOB NOT NULL,
                title TEXT NOT NULL,
                link TEXT NOT NULL,
                authors TEXT NOT NULL,
                tags TEXT NOT NULL,
                published INTEGER,
                updated INTEGER,
                language TEXT NOT NULL,
                enclosures TEXT NOT NULL,
                body TEXT NOT NULL,
                PRIMARY KEY (entry, ordinal)
            ) STRICT
            """,
            """
            CREATE TABLE source (
                name TEXT PRIMARY KEY,
                digest BLOB NOT NULL,
                feed INTEGER NOT NULL REFERENCES feed (number),
                entries INTEGER NOT NULL
            ) STRICT, WITHOUT ROWID
            """,
        ),
    ),
    (
        "0.2.0",
        (
            "ALTER TABLE feed ADD COLUMN name TEXT NOT NULL DEFAULT ''",
            "ALTER TABLE feed ADD COLUMN tags TEXT NOT NULL DEFAULT '[]'",
            "ALTER TABLE feed ADD COLUMN key TEXT NOT NULL DEFAULT 'guid'",
            """
            CREATE TABLE document (
                feed INTEGER NOT NULL REFERENCES feed (number) ON DELETE CASCADE,
                digest BLOB NOT NULL,
                entries INTEGER NOT NULL,
                PRIMARY KEY (feed, digest)
            ) STRICT, WITHOUT ROWID
            """,
            "INSERT OR IGNORE INTO document SELECT feed, digest, entries FROM source",
            "ALTER TABLE source DROP COLUMN digest",
            "ALTER TABLE source DROP COLUMN entries",
            """
            CREATE TABLE subscription (
                feed INTEGER PRIMARY KEY REFERENCES feed (number),
                url TEXT NOT NULL UNIQUE,
                state TEXT NOT NULL,
                etag TEXT NOT NULL DEFAULT '',
                last_modified TEXT NOT NULL DEFAULT '',
                last_fetch INTEGER,
                last_success INTEGER,
                last_error TEXT NOT NULL DEFAULT '',
                failures INTEGER NOT NULL DEFAULT 0,
                next_fetch INTEGER,
                moved_to TEXT NOT NULL DEFAULT '',
                moves INTEGER NOT NULL DEFAULT 0,
                ttl INTEGER
            ) STRICT
            """,
            """
            CREATE TABLE removal (
                sequence INTEGER PRIMARY KEY,
                id TEXT NOT NULL UNIQUE,
                back INTEGER NOT NULL
            ) STRICT
            """,
            "CREATE INDEX state_copy ON state (sequence, release)",
            """
            CREATE INDEX feed_copy
            ON feed (title, link, language, last_success, name, tags, key)
            """,
            "CREATE INDEX version_copy ON version (seen)",
            "CREATE INDEX source_copy ON source (feed)",
            "CREATE INDEX document_copy ON document (entries)",
            """
            CREATE INDEX subscription_copy ON subscription (
                state, etag, last_modified, last_fetch, last_success, last_error, failures,
                next_fetch, moved_to, moves, ttl
            )
            """,
            "CREATE INDEX removal_copy ON removal (back)",
            """
            CREATE TABLE search (
                number INTEGER PRIMARY KEY,
                key TEXT NOT NULL UNIQUE,
                name TEXT NOT NULL,
                text TEXT NOT NULL,
                saved INTEGER NOT NULL,
                start INTEGER,
                looked INTEGER NOT NULL
            ) STRICT
            """,
            """
            CREATE TABLE alert (
                search INTEGER NOT NULL REFERENCES search (number) ON DELETE CASCADE,
                entry TEXT NOT NULL,
                sequence INTEGER NOT NULL,
                tries INTEGER NOT NULL,
                told INTEGER,
                PRIMARY KEY (search, entry)
            ) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX search_copy ON search (name, text, saved, start, looked)",
            "CREATE INDEX alert_copy ON alert (sequence, tries, told)",
        ),
    ),
)
"""For each version of the tables the release that brought it, and the statements that make it
from the version before. A migration that has been released is never edited, only followed."""

VERSION = len(MIGRATIONS)
"""The version of the tables that this release reads and writes (``PRAGMA user_version``)."""


def version(connection: sqlite3.Connection) -> int:
    """The version of the tables in the database; 0 where there are none yet."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse tables that a newer release made.

    Raises:
        IndexVersionError: naming the release that is needed.
    """
    found = version(connection)
    if found <= VERSION:
        return
    try:
        release = str(connection.execute("SELECT release FROM state").fetchone()[0])
    except (sqlite3.Error, TypeError):
        # A release to come may keep its name elsewhere.
        release = "a newer release"
    raise IndexVersionError(
        f"the archive {path} needs searchfeed {release} "
        f"(it has version {found}, this release reads up to {VERSION})"
    )


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables up to ``VERSION``, inside the transaction that the caller has begun."""
    done = version(connection)
    for number, (release, statements) in enumerate(MIGRATIONS[done:], start=done + 1):
        for statement in statements:
            connection.execute(statement)
        connection.execute("UPDATE state SET release = ?", (release,))
        connection.execute(f"PRAGMA user_version = {number}")
