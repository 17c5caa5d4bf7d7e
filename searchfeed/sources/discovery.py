"""The feeds that a web page announces (https://www.rssboard.org/rss-autodiscovery)."""

from __future__ import annotations

import re
from typing import Final

from searchfeed.sources.markup import address, decoded, line, tags

SIZE_LIMIT: Final = 2_000_000
"""Bytes of a page that are looked through. Announcements stand in its head."""

FEEDS_LIMIT: Final = 32
"""Feeds of one page."""

_OPAQUE: Final = frozenset(
    ("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "template")
)
_PAGE: Final = frozenset(
    ("html", "head", "title", "meta", "link", "base", "script", "style", "body", "noscript")
)
"""Elements that an HTML page begins with."""

_FEED_TYPES: Final = re.compile(
    r"application/(?:(?:x[.-])?(?:rss|atom|rdf)\+xml|feed\+json)|text/(?:rss|atom|rdf)(?:\+xml)?",
    re.I,
)
_POSSIBLE_TYPES: Final = re.compile(r"(?:application|text)/(?:xml|json)", re.I)
_HINT = re.compile(r"feed|rss|atom", re.I)
"""What the address or title of a feed has in it where its type says nothing of a feed. WordPress
announces each page as JSON, too."""

_COMMENTS = re.compile(
    r"comment|kommentar|coment[aá]r|commenti|reacties|коммент|yorum|コメント|评论|評論|댓글", re.I
)


def announced(data: bytes, base: str) -> tuple[str, ...]:
    """The URLs of the feeds that an HTML page announces; none where the bytes are no HTML.

    They stand in the order of the page, which is that of their importance, but for those that
    only may be feeds (their type is XML or JSON), which come later, and those of comments, last.

    Args:
        data: the page.
        base: its own URL. Where it is none that links can be resolved against (it is a file), the
            page's own word on its address stands in for it.
    """
    feeds: list[tuple[int, str]] = []
    base, is_known = address(base), False
    is_page = False
    links: list[dict[str, str]] = []
    for tag in tags(decoded(data[:SIZE_LIMIT]), opaque=_OPAQUE):
        if not is_page and tag.name not in _PAGE:
            return ()
        is_page = True
        if tag.is_end or tag.name not in ("base", "link"):
            continue
        attributes = tag.attributes()
        if tag.name == "link":
            links.append(attributes)
        elif not is_known and (url := address(attributes.get("href", ""), base)):
            base, is_known = url, True
    for link in links:
        kinds = link.get("rel", "").lower().split()
        if not base and "canonical" in kinds:
            base = address(link.get("href", ""))
    for link in links:
        rank = _rank(link)
        if rank is not None and (url := address(link.get("href", ""), base)):
            feeds.append((rank, url))
    ordered = dict.fromkeys(url for _, url in sorted(feeds, key=lambda feed: feed[0]))
    return tuple(ordered)[:FEEDS_LIMIT]


def _rank(link: dict[str, str]) -> int | None:
    """How far behind others of the page a feed stands; None where the link announces none."""
    kinds = link.get("rel", "").lower().split()
    if "stylesheet" in kinds or not ("alternate" in kinds or "feed" in kinds):
        return None
    name = f"{link.get('href', '')} {line(link.get('title', ''))}"
    kind = link.get("type", "").partition(";")[0].strip()
    if _FEED_TYPES.fullmatch(kind) or (not kind and "feed" in kinds):
        rank = 0
    elif _POSSIBLE_TYPES.fullmatch(kind) and _HINT.search(name):
        rank = 1
    else:
        return None
    return 2 if _COMMENTS.search(name) else rank
