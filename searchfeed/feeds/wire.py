"""How a document goes to a worker process, and its feed comes back.

What comes back is JSON and never a pickle: the process that wrote it has read a stranger's text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from struct import Struct
from typing import Any, Final

from searchfeed.errors import ParseError
from searchfeed.models import Enclosure, Entry, Feed

REQUEST: Final = Struct("<dQQQ")
"""What a request begins with: seconds and bytes of memory that may be used, then the lengths of
two parts, which follow: where the document came from, as JSON, and the document."""

REPLY: Final = Struct("<Q")
"""What a reply begins with: the length of its JSON, which follows. One of length 0 comes first of
all, as soon as the worker can read documents."""

OUT_OF_MEMORY: Final = 77
"""Exit code of a worker that a document needed more memory than it may have."""

_FEED = attrgetter("url", "title", "link", "language", "warnings")
_ENTRY = attrgetter(*(each.name for each in fields(Entry)))


@dataclass(frozen=True, slots=True)
class Document:
    """What ``searchfeed.feeds.parse`` takes: bytes, where they came from, headers of a response."""

    data: bytes
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


def pack_origin(document: Document) -> bytes:
    """All of a document but its bytes."""
    return json.dumps([document.url, dict(document.headers)]).encode()


def unpack_document(origin: bytes, data: bytes) -> Document:
    """The document whose origin was packed by ``pack_origin``."""
    url, headers = json.loads(origin)
    return Document(data, url, headers)


def pack_outcome(outcome: Feed | ParseError) -> bytes:
    """A feed, or why there is none."""
    if isinstance(outcome, ParseError):
        plain: list[Any] = [[outcome.source, outcome.reason, outcome.remedy]]
    else:
        plain = [_FEED(outcome), [_ENTRY(entry) for entry in outcome.entries]]
    return json.dumps(plain, default=_plain).encode()


def unpack_outcome(packed: bytes | bytearray) -> Feed | ParseError:
    """What was packed by ``pack_outcome``.

    Raises:
        ValueError, TypeError: it was packed by nothing of the kind.
    """
    first, *more = json.loads(packed)
    if not more:
        return ParseError(*first)
    url, title, link, language, warnings = first
    return Feed(url, title, link, language, tuple(map(_entry, more[0])), tuple(warnings))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enclosure):
        return value.url, value.type, value.length
    raise TypeError(value)


def _entry(values: list[Any]) -> Entry:
    (
        identity,
        feed_url,
        feed_title,
        title,
        body,
        link,
        authors,
        tags,
        published,
        updated,
        language,
        enclosures,
    ) = values
    return Entry(
        identity,
        feed_url,
        feed_title,
        title,
        body,
        link,
        tuple(authors),
        tuple(tags),
        published and datetime.fromisoformat(published),
        updated and datetime.fromisoformat(updated),
        language,
        tuple(Enclosure(*file) for file in enclosures),
    )
