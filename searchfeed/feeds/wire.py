"""How a document goes to a worker process, and its feed comes back.

What comes back is JSON and never a pickle: the process that wrote it has read a stranger's text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final

from searchfeed.errors import ParseError
from searchfeed.models import Enclosure, Entry, Feed
from searchfeed.values import dataclass

OUT_OF_MEMORY: Final = 77
"""Exit code of a worker that a document needed more memory than it may have."""

_FEED = attrgetter("url", "title", "link", "language", "warnings", "ttl")
_ENTRY = attrgetter(*(each.name for each in fields(Entry)))


@dataclass(frozen=True, slots=True)
class Request:
    """How a document is to be read, which is the message after it.

    ``url``, ``headers`` and ``large`` are those of ``searchfeed.feeds.parse``; ``seconds`` and
    ``memory``, in bytes, are what it may take.
    """

    url: str
    headers: Mapping[str, str]
    large: bool
    seconds: float
    memory: int


def pack_request(request: Request) -> bytes:
    """For ``unpack_request``."""
    headers = dict(request.headers)
    values = request.url, headers, request.large, request.seconds, request.memory
    return json.dumps(values).encode()


def unpack_request(packed: bytes) -> Request:
    """What was packed by ``pack_request``."""
    return Request(*json.loads(packed))


def pack_outcome(outcome: Feed | ParseError) -> bytes:
    """A feed, or why there is none."""
    if isinstance(outcome, ParseError):
        plain: list[Any] = [[outcome.source, outcome.reason, outcome.remedy]]
    else:
        plain = [_FEED(outcome), [_ENTRY(entry) for entry in outcome.entries]]
    return json.dumps(plain, default=_plain).encode()


def unpack_outcome(packed: bytes) -> Feed | ParseError:
    """What was packed by ``pack_outcome``.

    Raises:
        ValueError, TypeError: it was packed by nothing of the kind.
    """
    first, *more = json.loads(packed)
    if not more:
        return ParseError(*first)
    url, title, link, language, warnings, seconds = first
    ttl = None if seconds is None else timedelta(seconds=seconds)
    return Feed(url, title, link, language, tuple(map(_entry, more[0])), tuple(warnings), ttl)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
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
