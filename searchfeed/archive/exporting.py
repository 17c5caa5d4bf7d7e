"""What the archive holds as lines of JSON; ``lines.py`` reads them back."""

# The statements are put together from constants of this package alone.
# ruff: noqa: S608

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator

from searchfeed.addresses import identity
from searchfeed.archive import records
from searchfeed.archive.lines import FORMAT, RELEASES


def export(connection: sqlite3.Connection, feeds: Collection[str] | None) -> Iterator[str]:
    """The lines of an export: a header, feeds, versions of entries, documents, removals, searches.

    The rows are read as the lines are taken, so memory holds one at a time.

    Args:
        connection: in a transaction, so that all lines are of one state.
        feeds: the URLs of those to keep to, without removals and searches, as these have no feed;
            None for all.
    """
    chosen = None if feeds is None else json.dumps(list(feeds))
    only = "WHERE (?1 IS NULL OR feed.url IN (SELECT value FROM json_each(?1)))"
    yield _line({"format": FORMAT, "version": len(RELEASES), "release": RELEASES[-1]})
    for url, title, link, language, name, tags, key, success, address, state in connection.execute(
        "SELECT feed.url, title, link, language, name, tags, key, feed.last_success, "
        "subscription.url, state FROM feed LEFT JOIN subscription ON feed = number "
        f"{only} ORDER BY number",
        (chosen,),
    ):
        # As a name it has no user and no password.
        subscription = {"url": identity(address), "state": state} if address else None
        yield _line(
            {
                "feed": url,
                "title": title,
                "link": link,
                "language": language,
                "name": name,
                "tags": json.loads(tags),
                "key": key,
                "last_success": _written(success),
                "subscription": subscription,
            }
        )
    content = ", ".join(f"version.{name}" for name in records.CONTENT)
    # CROSS JOIN goes through the entries by their numbers, so that nothing has to be sorted.
    for row in connection.execute(
        f"SELECT entry.id, feed.url, version.seen, {content} FROM entry "
        "CROSS JOIN feed ON feed.number = entry.feed "
        "CROSS JOIN version ON version.entry = entry.number "
        f"{only} ORDER BY entry.sequence, version.ordinal",
        (chosen,),
    ):
        yield _line(_version(*row))
    for digest, url, entries in connection.execute(
        "SELECT digest, feed.url, entries FROM document JOIN feed ON feed.number = document.feed "
        f"{only} ORDER BY feed.number, digest",
        (chosen,),
    ):
        yield _line({"document": digest.hex(), "feed": url, "entries": entries})
    if chosen is None:
        for (id,) in connection.execute("SELECT id FROM removal WHERE back = 0 ORDER BY sequence"):
            yield _line({"removed": id})
        # Last: what an alert brings when it is made elsewhere is what comes after it.
        for name, text, saved, alert in connection.execute(
            "SELECT name, text, saved, start IS NOT NULL FROM search ORDER BY number"
        ):
            yield _line(
                {"search": name, "text": text, "saved": _written(saved), "alert": bool(alert)}
            )


def _version(
    id: str,
    feed: str,
    seen: int,
    title: str,
    link: str,
    authors: str,
    tags: str,
    published: int | None,
    updated: int | None,
    language: str,
    enclosures: str,
    body: str,
) -> dict[str, object]:
    return {
        "entry": id,
        "feed": feed,
        "seen": _written(seen),
        "title": title,
        "link": link,
        "authors": json.loads(authors),
        "tags": json.loads(tags),
        "published": None if published is None else _written(published),
        "updated": None if updated is None else _written(updated),
        "language": language,
        "enclosures": [
            dict(zip(("url", "type", "length"), file, strict=True))
            for file in json.loads(enclosures)
        ],
        "body": body,
    }


def _line(record: dict[str, object]) -> str:
    # DEL is the one control that JSON leaves as it is.
    return json.dumps(record, separators=(",", ":")).replace("\x7f", "\\u007f") + "\n"


def _written(moment: int) -> str:
    """ISO 8601 in UTC, to the microsecond where there are any."""
    return records.moment(moment).isoformat().replace("+00:00", "Z")
