"""Searches that the user gave names, and which of their matches were told.

An alert is told of entries that were stored after it was made. Entries are numbered as they are
stored and no number at or below the ``start`` of an alert is given again (``last_number``), so
that these are the ones with a higher number, whatever the clock says. Of them it looks at each
change once (``looked``), in the same transaction that notes what was found. What was found waits
until it has been told, and is kept after that, so that an edit does not bring it again.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from datetime import UTC, datetime
from unicodedata import normalize

from searchfeed.archive import records, storing
from searchfeed.archive.connections import Connections
from searchfeed.keys import search_key
from searchfeed.patterns import deferred
from searchfeed.values import dataclass

_STEM = deferred(r"(?:-\d+)+$")
# Nobody types them on purpose, and no export may hold them.
_UNWANTED = deferred("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufeff]")


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A search that the user gave a name.

    Attributes:
        name: as it was written; any case of its letters is the same name.
        text: the query, as ``Index.search`` takes it.
        saved: when it got this text, aware UTC.
        alert: whether new matches of it are told.
        waiting: how many that were found have not been told yet.
    """

    name: str
    text: str
    saved: datetime
    alert: bool = False
    waiting: int = 0


class Searches:
    """The part of an archive that keeps searches; ``Archive`` tells the rest.

    Their names are given in any case; a name that is none is that of no search.
    """

    _connections: Connections

    def searches(self) -> tuple[SavedSearch, ...]:
        """Every saved search, in the order of their names."""
        with self._connections.read() as connection:
            rows = connection.execute(
                "SELECT name, text, saved, start IS NOT NULL, (SELECT count(*) FROM alert "
                "JOIN entry ON entry.id = alert.entry "
                "WHERE alert.search = search.number AND told IS NULL) FROM search ORDER BY key"
            ).fetchall()
        return tuple(
            SavedSearch(name, text, records.moment(saved), bool(alert), waiting)
            for name, text, saved, alert, waiting in rows
        )

    def search_texts(self) -> dict[str, tuple[str, str]]:
        """What each search is known by (see ``keys.search_key``) → its name and its text."""
        with self._connections.read() as connection:
            rows = connection.execute("SELECT key, name, text FROM search ORDER BY key")
            return {key: (name, text) for key, name, text in rows}

    def save_search(
        self, name: str, text: str, *, alert: bool | None = None, now: datetime | None = None
    ) -> None:
        """Keep a search under a name, in the place of the one that had it.

        Args:
            name: see ``keys.search_key``.
            text: of the query; it is kept as one line.
            alert: whether new matches are told from now on; None leaves it as it is. An alert that
                is there goes on where it was, with the new text for what is still to come.
            now: aware; None is the present.

        Raises:
            ValueError: it is no name.
            IndexLockedError: another process was writing for longer than the timeout.
        """
        key, name, text = search_key(name), normalize("NFC", name), query_line(text)
        moment = records.since_epoch(now or datetime.now(UTC))
        with self._connections.write() as connection:
            connection.execute(
                "INSERT INTO search (key, name, text, saved, start, looked) "
                "VALUES (?, ?, ?, ?, NULL, 0) ON CONFLICT (key) DO UPDATE SET "
                "name = excluded.name, text = excluded.text, "
                "saved = iif(text = excluded.text, saved, excluded.saved)",
                (key, name, text, moment),
            )
            if alert is not None:
                set_alert(connection, key, on=alert)

    def forget_search(self, name: str) -> bool:
        """Keep a search no more, nor what was told of it; whether it was there.

        Raises:
            IndexLockedError: another process was writing for longer than the timeout.
        """
        with self._connections.write() as connection:
            done = connection.execute("DELETE FROM search WHERE key = ?", (_key(name),))
            return bool(done.rowcount)

    def unlooked(self, name: str, upto: int) -> tuple[str, ...]:
        """The ids of entries that an alert has not looked at, in the order of their changes.

        They were stored after it was made, have changed since it last looked, up to the sequence
        number ``upto``, and are not among those that it has found.
        """
        with self._connections.read() as connection:
            rows = connection.execute(
                "SELECT entry.id FROM search JOIN entry ON entry.sequence > search.looked "
                "AND entry.sequence <= ? AND entry.number > search.start WHERE search.key = ? "
                "AND NOT EXISTS (SELECT 1 FROM alert "
                "WHERE alert.search = search.number AND alert.entry = entry.id) "
                "ORDER BY entry.sequence",
                (upto, _key(name)),
            )
            return tuple(id for (id,) in rows)

    def found(self, name: str, ids: Collection[str], upto: int) -> None:
        """Note the matches among what an alert had not looked at, and that it has now.

        Raises:
            IndexLockedError: another process was writing for longer than the timeout.
        """
        with self._connections.write() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO alert SELECT search.number, entry.id, entry.sequence, 0, "
                "NULL FROM search JOIN entry WHERE search.key = ? AND search.start IS NOT NULL "
                "AND entry.id IN (SELECT value FROM json_each(?))",
                (_key(name), json.dumps(list(ids))),
            )
            connection.execute(
                "UPDATE search SET looked = max(looked, ?) WHERE key = ? AND start IS NOT NULL",
                (upto, _key(name)),
            )

    def waiting(self, name: str, limit: int) -> tuple[str, ...]:
        """The ids of entries that are still to be told, those that failed least often first."""
        with self._connections.read() as connection:
            rows = connection.execute(
                "SELECT entry.id FROM search JOIN alert ON alert.search = search.number "
                "JOIN entry ON entry.id = alert.entry WHERE search.key = ? AND told IS NULL "
                "ORDER BY tries, alert.sequence LIMIT ?",
                (_key(name), limit),
            )
            return tuple(id for (id,) in rows)

    def told(self, name: str, ids: Collection[str], *, now: datetime | None = None) -> None:
        """Note that entries have been told.

        Raises:
            IndexLockedError: another process was writing for longer than the timeout.
        """
        moment = records.since_epoch(now or datetime.now(UTC))
        self._note(name, ids, "told = ?", moment)

    def not_told(self, name: str, ids: Collection[str]) -> None:
        """Note that entries could not be told, so that others come before them the next time.

        Raises:
            IndexLockedError: another process was writing for longer than the timeout.
        """
        self._note(name, ids, "tries = tries + ?", 1)

    def _note(self, name: str, ids: Collection[str], change: str, value: int) -> None:
        with self._connections.write() as connection:
            connection.execute(
                f"UPDATE alert SET {change} "  # noqa: S608
                "WHERE search = (SELECT number FROM search WHERE key = ?) "
                "AND entry IN (SELECT value FROM json_each(?))",
                (value, _key(name), json.dumps(list(ids))),
            )


def set_alert(connection: sqlite3.Connection, key: str, *, on: bool) -> None:
    """Make an alert for what is stored from now on, or end it; one that is there goes on."""
    if on:
        connection.execute(
            "UPDATE search SET start = ?, looked = ? WHERE key = ? AND start IS NULL",
            (storing.last_number(connection), storing.last_sequence(connection), key),
        )
        return
    connection.execute(
        "DELETE FROM alert WHERE search = (SELECT number FROM search WHERE key = ?)", (key,)
    )
    connection.execute("UPDATE search SET start = NULL, looked = 0 WHERE key = ?", (key,))


def take_in(
    connection: sqlite3.Connection, name: str, text: str, saved: int, *, alert: bool
) -> None:
    """Keep a search from an export, unless its text is here under that name already.

    Where the name stands for another text, it gets a number: ``news-2``. Nothing here changes, but
    that an alert is made where there is none.
    """
    key = search_key(name)
    stem = _STEM.sub("", key)
    known = dict(connection.execute("SELECT key, text FROM search"))
    alike = (each for each in known if known[each] == text and _STEM.sub("", each) == stem)
    place = key if known.get(key) == text else next(alike, "")
    if not place:
        place, number = key, 2
        while place in known:
            place, number = f"{key}-{number}", number + 1
        connection.execute(
            "INSERT INTO search (key, name, text, saved, start, looked) "
            "VALUES (?, ?, ?, ?, NULL, 0)",
            (place, f"{name}{place.removeprefix(key)}", text, saved),
        )
    if alert:
        set_alert(connection, place, on=True)


def query_line(text: str) -> str:
    """The text of a query as it is kept: one line, without what nobody types on purpose."""
    return " ".join(_UNWANTED.sub(" ", text).split())


def _key(name: str) -> str:
    """What a search is known by; of what is no name, what none is known by."""
    try:
        return search_key(name)
    except ValueError:
        return ""


__all__ = ("SavedSearch", "Searches", "query_line", "set_alert", "take_in")
