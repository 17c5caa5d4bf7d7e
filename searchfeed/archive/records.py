"""Entries as rows, and the values that the archive hands out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import Any, TypeAlias

from searchfeed.models import Enclosure, Entry
from searchfeed.values import dataclass

Content: TypeAlias = tuple[str, str, str, str, int | None, int | None, str, str, str]
"""The values of ``CONTENT``, in its order."""

CONTENT = (
    "title",
    "link",
    "authors",
    "tags",
    "published",
    "updated",
    "language",
    "enclosures",
    "body",
)
"""The columns that make a version: a difference in any of them is a new one. The body comes last
because SQLite reads a row from its start, and the rest of a long row lies on other pages."""

FEED_TITLE = "iif(feed.name = '', feed.title, feed.name)"
"""The title of a feed as everybody sees it: the user's own, where there is one."""

NOTHING = "[]"
"""An empty list, packed."""

REMEMBERED = 1_024
"""So many lists of names are kept unpacked."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Changes:
    """How many entries of a feed were new, had changed, and were as before.

    ``warnings`` are what the user should know of the feed, one line each.
    """

    added: int
    updated: int
    unchanged: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """An entry as it was published at one time; ``seen`` is when it was first stored so."""

    entry: Entry
    seen: datetime


@dataclass(frozen=True, slots=True)
class Figures:
    """What the archive holds. ``size`` is in bytes on disk, dates are aware UTC."""

    feeds: int
    entries: int
    versions: int
    oldest: datetime | None
    newest: datetime | None
    size: int


def since_epoch(date: datetime) -> int:
    """An aware date as whole microseconds since 1970 in UTC, exactly.

    >>> since_epoch(datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC))
    -1
    """
    return (date - _EPOCH) // _MICROSECOND


def microseconds(date: datetime | None) -> int | None:
    """Like ``since_epoch``, for a date that may be missing."""
    return None if date is None else since_epoch(date)


def moment(count: int) -> datetime:
    """The aware UTC date that is so many microseconds after the start of 1970."""
    return _EPOCH + timedelta(microseconds=count)


def date(count: int | None) -> datetime | None:
    """Like ``moment``, for a date that may be missing."""
    return None if count is None else moment(count)


def length(time: timedelta | None) -> int | None:
    """A length of time in microseconds, exactly."""
    return None if time is None else time // _MICROSECOND


def content(entry: Entry) -> Content:
    """The part of an entry whose change is a new version, as values for ``CONTENT``."""
    return (
        entry.title,
        entry.link,
        packed(entry.authors),
        packed(entry.tags),
        microseconds(entry.published),
        microseconds(entry.updated),
        entry.language,
        packed([[file.url, file.type, file.length] for file in entry.enclosures]),
        entry.body,
    )


def content_date(values: Content) -> int | None:
    """``Entry.date`` of these values, in microseconds."""
    published, updated = values[4], values[5]
    return updated if published is None else published


def content_hash(values: Content) -> bytes:
    """16 bytes that stand for a version: BLAKE2b of its values, in order, as one JSON array.

    JSON because it says where each value ends and tells null from empty; not escaped and without
    spaces, so that it is the same bytes in every release.
    """
    from hashlib import blake2b

    return blake2b(hashed(values), digest_size=16).digest()


def hashed(values: Sequence[Any]) -> bytes:
    """What ``content_hash`` is the hash of; surrogates stand for bytes that are no UTF-8."""
    return packed(values).encode(errors="surrogateescape")


def entry(row: Sequence[Any]) -> Entry:
    """An entry from its id, its feed's URL, title and tags, and the values of ``CONTENT``."""
    (
        identity,
        feed_url,
        feed_title,
        feed_tags,
        title,
        link,
        authors,
        tags,
        published,
        updated,
        language,
        enclosures,
        body,
    ) = row
    return Entry(
        id=identity,
        feed_url=feed_url,
        feed_title=feed_title,
        title=title,
        body=body,
        link=link,
        authors=_names(authors),
        tags=(_names(tags) if feed_tags == NOTHING else united(_names(tags), _names(feed_tags))),
        published=date(published),
        updated=date(updated),
        language=language,
        enclosures=(
            ()
            if enclosures == NOTHING
            else tuple(Enclosure(*values) for values in json.loads(enclosures))
        ),
    )


@lru_cache(REMEMBERED)
def _names(packed: str) -> tuple[str, ...]:
    """A list of names as it was packed; a feed's entries mostly have the same ones."""
    return tuple(json.loads(packed))


def united(*lists: Iterable[str]) -> tuple[str, ...]:
    """The tags of all lists in order, without those that differ from an earlier one only in case.

    >>> united(["News", "b"], ["news", "a"])
    ('News', 'b', 'a')
    """
    kept: dict[str, str] = {}
    for tag in chain(*lists):
        kept.setdefault(tag.casefold(), tag)
    return tuple(kept.values())


def text(given: str) -> str:
    """``given`` as SQLite can take it: bytes of a command line that are no text are not."""
    return given.encode(errors="replace").decode()


def line(given: str) -> str:
    """``given`` as one line that SQLite can take."""
    return " ".join(text(given).split())


def packed(values: Sequence[Any]) -> str:
    """A list as JSON, in the form that it is kept in and that hashes are made of."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
