"""The lines of an export: what the archive holds, one JSON object a line, and back.

``docs/export-format.md`` describes them for others. Lines are ASCII, so no encoding, terminal or
line tool on their way can change them; each is read by itself, so that a bad one costs no other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeVar

from searchfeed.archive import records
from searchfeed.archive.records import Content
from searchfeed.archive.searches import query_line
from searchfeed.errors import IndexVersionError
from searchfeed.keys import SEARCH_TEXT_LIMIT, search_key
from searchfeed.models import Enclosure, Entry, SubscriptionState
from searchfeed.values import dataclass

FORMAT = "searchfeed export"

RELEASES = ("0.2.0",)
"""For each version of the format the first release that reads it."""

LONGEST = 64_000_000
"""Characters of a line that is read; the body of an entry has at most a million."""

_KEYS = ("guid", "link")
_ID = re.compile(r"[0-9a-f]{16}")
_DIGEST = re.compile(r"(?:[0-9a-f]{2}){1,64}")
_LINK = re.compile(r"https?://\S+", re.IGNORECASE)
# What feeds/ lets into no text: controls but newline and tab, what turns the reading direction or
# hides letters, and lone surrogates, which are no text at all.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")

Value = TypeVar("Value")


class BadLineError(ValueError):
    """A line that is not one of an export; ``str()`` says why in a few words."""


@dataclass(frozen=True, slots=True)
class FeedLine:
    """A feed. ``tags`` are in order; ``subscription`` is the URL it is fetched from, or empty."""

    url: str
    title: str
    link: str
    language: str
    name: str
    tags: tuple[str, ...]
    key: str
    last_success: int
    subscription: str
    state: str


@dataclass(frozen=True, slots=True)
class VersionLine:
    """What an entry said from ``seen`` (microseconds since 1970) on."""

    id: str
    feed: str
    seen: int
    values: Content


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """A document of a feed that was read."""

    feed: str
    digest: bytes
    entries: int


@dataclass(frozen=True, slots=True)
class RemovalLine:
    """An entry that was taken out and does not come back by itself."""

    id: str


@dataclass(frozen=True, slots=True)
class SearchLine:
    """A search that the user gave a name, ``saved`` in microseconds since 1970."""

    name: str
    text: str
    saved: int
    alert: bool


Line: TypeAlias = FeedLine | VersionLine | DocumentLine | RemovalLine | SearchLine


def read(text: str | bytes) -> Line | None:
    """What a line says; None for a header.

    Raises:
        BadLineError: it is none that this release knows.
        IndexVersionError: it is the header of a version that needs a newer release.
    """
    record = _parsed(text)
    if "format" in record:
        _check_header(record)
        return None
    if "entry" in record:
        return _read_version(record)
    if "document" in record:
        return _read_document(record)
    if "removed" in record:
        return RemovalLine(_id(record, "removed"))
    if "search" in record:
        return _read_search(record)
    if "feed" in record:
        return _read_feed(record)
    raise BadLineError("it is no feed, entry, document, removal or search")


def is_header(text: str | bytes) -> bool:
    """Whether a line says that an export begins, be it of a version that can be read or not."""
    try:
        return _parsed(text).get("format") == FORMAT
    except BadLineError:
        return False


def _parsed(text: str | bytes) -> dict[str, Any]:
    if len(text) > LONGEST:
        raise BadLineError(f"it is longer than {LONGEST:,} characters")
    try:
        # Not left to json, which guesses at other encodings.
        record = json.loads(text.decode() if isinstance(text, bytes) else text)
    except (ValueError, RecursionError) as error:
        raise BadLineError("it is not JSON") from error
    if not isinstance(record, dict):
        raise BadLineError("it is not a JSON object")
    return record


def _check_header(record: dict[str, Any]) -> None:
    if record["format"] != FORMAT:
        raise BadLineError("it is of another format")
    version = record.get("version")
    if type(version) is not int or version < 1:
        raise BadLineError("its version is no number")
    if version > len(RELEASES):
        release = record.get("release")
        known = isinstance(release, str) and re.fullmatch(r"[0-9a-z.]{1,20}", release)
        raise IndexVersionError(
            f"this export needs searchfeed {release if known else 'of a newer release'} "
            f"(it has version {version}, this release reads up to {len(RELEASES)})"
        )


def _read_feed(record: dict[str, Any]) -> FeedLine:
    subscription = record.get("subscription") or {}
    if not isinstance(subscription, dict):
        raise BadLineError("its subscription is no object")
    key = record.get("key", _KEYS[0])
    if key not in _KEYS:
        raise BadLineError(f"its key is none of {', '.join(_KEYS)}")
    address = _link(subscription, "url")
    state = subscription.get("state", SubscriptionState.ACTIVE)
    if state not in list(SubscriptionState):
        raise BadLineError(f"its state is none of {', '.join(SubscriptionState)}")
    return FeedLine(
        url=_url(record, "feed"),
        title=_text(record, "title"),
        link=_link(record, "link"),
        language=_text(record, "language"),
        name=_text(record, "name"),
        tags=_texts(record, "tags"),
        key=key,
        last_success=_moment(record, "last_success") or 0,
        subscription=address,
        state=state,
    )


def _read_version(record: dict[str, Any]) -> VersionLine:
    seen = _moment(record, "seen")
    if seen is None:
        raise BadLineError("it does not say when it was seen")
    entry = Entry(
        id=_id(record, "entry"),
        feed_url=_url(record, "feed"),
        feed_title="",
        title=_text(record, "title"),
        body=_text(record, "body"),
        link=_link(record, "link"),
        authors=_texts(record, "authors"),
        tags=_texts(record, "tags"),
        published=records.date(_moment(record, "published")),
        updated=records.date(_moment(record, "updated")),
        language=_text(record, "language"),
        enclosures=tuple(_list(record, "enclosures", _enclosure)),
    )
    return VersionLine(entry.id, entry.feed_url, seen, records.content(entry))


def _read_document(record: dict[str, Any]) -> DocumentLine:
    digest = _text(record, "document")
    if not _DIGEST.fullmatch(digest):
        raise BadLineError("its document is no digest")
    entries = record.get("entries")
    if type(entries) is not int or not 0 <= entries < 2**63:
        raise BadLineError("its entries are no count")
    return DocumentLine(_url(record, "feed"), bytes.fromhex(digest), entries)


def _read_search(record: dict[str, Any]) -> SearchLine:
    name, text, alert = record.get("search"), record.get("text"), record.get("alert", False)
    try:
        # What a person typed may hold invisible characters that no feed's text does.
        fine = (
            isinstance(name, str)
            and isinstance(text, str)
            and query_line(text) == text
            and 0 < len(text) <= SEARCH_TEXT_LIMIT
        )
        search_key(str(name))
    except ValueError:
        fine = False
    if not fine or not isinstance(alert, bool):
        raise BadLineError("its search is no name and query that can be saved")
    return SearchLine(str(name), str(text), _moment(record, "saved") or 0, alert)


def _enclosure(value: object) -> Enclosure:
    if not isinstance(value, dict):
        raise BadLineError("one of its enclosures is no object")
    length = value.get("length")
    if length is not None and (type(length) is not int or length < 0):
        raise BadLineError("the length of an enclosure is no count of bytes")
    return Enclosure(_link(value, "url"), _text(value, "type"), length)


def _text(record: dict[str, Any], name: str) -> str:
    """A text that may be missing, which is the same as empty."""
    return _checked(record.get(name, ""), name)


def _checked(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise BadLineError(f"its {name} is no text")
    if not value.isascii() or not value.isprintable():
        found = _UNWANTED.search(value)
        if found:
            raise BadLineError(f"its {name} holds the character U+{ord(found[0]):04X}")
    return value


def _texts(record: dict[str, Any], name: str) -> tuple[str, ...]:
    return tuple(_list(record, name, lambda value: _checked(value, name)))


def _list(
    record: dict[str, Any], name: str, read_one: Callable[[object], Value]
) -> Iterator[Value]:
    values = record.get(name, [])
    if not isinstance(values, list):
        raise BadLineError(f"its {name} are no list")
    return map(read_one, values)


def _link(record: dict[str, Any], name: str) -> str:
    link = _text(record, name)
    if link and not _LINK.fullmatch(link):
        raise BadLineError(f"its {name} is no http(s) URL")
    return link


def _url(record: dict[str, Any], name: str) -> str:
    """The identity of a feed: a URL, a path, or a link and a title."""
    url = record.get(name)
    if not isinstance(url, str) or not url or _SURROGATE.search(url):
        raise BadLineError(f"its {name} is no name of a feed")
    return url


def _id(record: dict[str, Any], name: str) -> str:
    id = record.get(name)
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise BadLineError("its id is not 16 hexadecimal digits")
    return id


def _moment(record: dict[str, Any], name: str) -> int | None:
    """A date in microseconds since 1970; None where there is none."""
    text = record.get(name)
    if text is None:
        return None
    try:
        date = datetime.fromisoformat(text)
        if date.tzinfo is None:
            raise BadLineError(f"its date {name} has no zone")
        return records.since_epoch(date.astimezone(UTC))
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, BadLineError):
            raise
        raise BadLineError(f"its {name} is no date of ISO 8601") from error
