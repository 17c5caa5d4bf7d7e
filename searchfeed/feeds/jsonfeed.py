"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from searchfeed.errors import ParseError
from searchfeed.feeds import body, dates, language, markup
from searchfeed.feeds.draft import TITLE_LIMIT, VALUES_LIMIT, Draft, FeedDraft, distinct
from searchfeed.feeds.identity import safe_link
from searchfeed.feeds.limits import Limits
from searchfeed.feeds.reducer import SOURCE_LIMIT
from searchfeed.feeds.text import line, paragraphs, unescape
from searchfeed.models import Enclosure, Entry

_DIGITS_LIMIT: Final = 100


def _integer(digits: str) -> int:
    # int() raises above 4,300 digits, and nothing in a feed is as large as this.
    return int(digits[:_DIGITS_LIMIT])


def read(text: str, url: str, base: str, limits: Limits) -> FeedDraft:
    """The feed in ``text``.

    Args:
        text: JSON.
        url: where it came from, for errors.
        base: what relative links are resolved against, or empty.
        limits: how many items it may have.

    Raises:
        ParseError: it is not JSON, or JSON that is no feed.
    """
    try:
        found = json.loads(text, parse_int=_integer, strict=False)
    except json.JSONDecodeError as error:
        raise ParseError(
            url,
            f"not a feed: it starts like JSON and is none from line {error.lineno} on",
            "it may have been cut off",
        ) from error
    except (RecursionError, ValueError) as error:
        raise ParseError(url, "not a feed: JSON that is nested too deep") from error
    version = _string(found, "version")
    if not isinstance(found, dict) or "jsonfeed.org/version/" not in version:
        raise ParseError(url, "not a feed: JSON that does not say it is a JSON Feed")
    items = len(_list(found, "items"))
    if items > limits.items:
        raise ParseError(
            url,
            f"not read, because it has more than {limits.items:,} items"
            f" ({items:,}, {len(text) / 1e6:.1f} MB)",
            limits.remedy,
        )
    return _Reader(found, base).feed()


class _Reader:
    """Turns the object at the top into drafts; whatever has the wrong type is left out."""

    def __init__(self, found: dict[str, Any], base: str) -> None:
        self.found = found
        self.title = line(unescape(_string(found, "title")), TITLE_LIMIT)
        self.link = safe_link(_string(found, "home_page_url"), base)
        self.base = base or self.link
        self.language = language.first(_string(found, "language"))
        self.authors = _authors(found)
        self.shortened = 0
        self.dropped = 0

    def feed(self) -> FeedDraft:
        drafts = tuple(self._drafts())
        warnings = []
        if self.dropped:
            warnings.append(f"{self.dropped} of its items are not objects")
        if self.shortened:
            warnings.append(body.cut_warning(self.shortened))
        own_link = safe_link(_string(self.found, "feed_url"), self.base)
        return FeedDraft(self.title, self.link, own_link, self.language, drafts, tuple(warnings))

    def _drafts(self) -> Iterator[Draft]:
        items = self.found.get("items")
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict):
                yield self._draft(item)
            else:
                self.dropped += 1

    def _draft(self, item: dict[str, Any]) -> Draft:
        source = _string(item, "content_html")
        joined = body.join(
            (
                paragraphs(_string(item, "summary")),
                markup.to_text(source),
                paragraphs(_string(item, "content_text")),
            )
        )
        if len(joined) > body.BODY_LIMIT or len(source) > SOURCE_LIMIT:
            self.shortened += 1
            joined = joined[: body.BODY_LIMIT].rstrip()
        entry = Entry(
            id="",
            feed_url="",
            feed_title=self.title,
            # Said to be plain text, and escaped for HTML all the same by many.
            title=line(unescape(_string(item, "title")), TITLE_LIMIT),
            body=joined,
            link=safe_link(_string(item, "url"), self.base)
            or safe_link(_string(item, "external_url"), self.base),
            authors=_authors(item) or self.authors,
            tags=distinct(tag for tag in _list(item, "tags") if isinstance(tag, str)),
            published=dates.parse(_string(item, "date_published")),
            updated=dates.parse(_string(item, "date_modified")),
            language=language.first(_string(item, "language"), self.language),
            enclosures=tuple(self._enclosures(item)),
        )
        return Draft(line(_identifier(item), 2000), entry)

    def _enclosures(self, item: dict[str, Any]) -> Iterator[Enclosure]:
        seen: set[str] = set()
        for file in _list(item, "attachments"):
            url = safe_link(_string(file, "url"), self.base)
            if url and url not in seen and len(seen) < VALUES_LIMIT:
                seen.add(url)
                size = file.get("size_in_bytes")
                length = int(size) if isinstance(size, int | float) and 0 < size < 1e15 else None
                yield Enclosure(url, line(_string(file, "mime_type"), 100), length)


def _string(found: object, key: str) -> str:
    value = found.get(key) if isinstance(found, dict) else None
    return value if isinstance(value, str) else ""


def _list(found: dict[str, Any], key: str) -> list[Any]:
    value = found.get(key)
    return value if isinstance(value, list) else []


def _identifier(item: dict[str, Any]) -> str:
    # "the id must be a string" (1.1), and 1.0 feeds give numbers.
    value = item.get("id")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""


def _authors(found: dict[str, Any]) -> tuple[str, ...]:
    """``authors`` of version 1.1, and ``author`` of 1.0, which many feeds of 1.1 still give."""
    return distinct(
        _string(author, "name") for author in (*_list(found, "authors"), found.get("author"))
    )
