"""Bytes → `Feed`: RSS, RDF, Atom, CDF and JSON Feed, from whoever wrote them.

`parse` is all there is. On the way through, `encoding` and `guard` make the document safe to read,
`syndication` or `jsonfeed` reads it, `markup` turns HTML into text, `text` and `dates` see to it
that nothing leaves which is not what it says, and `identity` gives feed and entries their names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from searchfeed.errors import ParseError
from searchfeed.feeds.draft import FeedDraft
from searchfeed.models import Feed

__all__ = ["PARSER", "parse"]

PARSER = b"1"
"""Raised when a document is read as something else than before: it is then read again."""

_HTML_PAGE = re.compile(
    r"\s*+(?:<!--.{0,2000}?-->\s*+)*+<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_FEED_START = re.compile(r"<\?xml\s|<(?:rss|feed|rdf:rdf|channel)[\s>]", re.I)
_LEADING_NOISE = 4096


def parse(
    data: bytes, *, url: str, headers: Mapping[str, str] | None = None, large: bool = False
) -> Feed:
    """The feed in ``data``.

    Args:
        data: the document, as it was stored or sent (after any compression).
        url: the URL that it was first fetched from, or the path of the file it was read from.
        headers: of the response: ``content-type`` tells its encoding, ``content-language`` its
            language, and ``content-location`` what relative links start from (else ``url``).
        large: it is a file that its user trusts, and is read however many entries it has. Nothing
            that has a URL is.

    Raises:
        ParseError: it is not a feed, or not one that can be read safely.
    """
    lowered = {name.lower(): value for name, value in (headers or {}).items()}
    draft = _read(data, url, lowered, large=large)
    return _finished(draft, url)


def _read(data: bytes, url: str, headers: Mapping[str, str], *, large: bool) -> FeedDraft:
    # Here and not above: importing searchfeed must not load feedparser and html2text.
    from searchfeed.feeds import encoding, guard, jsonfeed, syndication
    from searchfeed.feeds.identity import safe_link
    from searchfeed.feeds.limits import limits

    base = safe_link(headers.get("content-location", ""), url) or safe_link(url)
    if not data.strip(b" \t\r\n\0"):
        raise ParseError(url, "it is empty", "see whether the address or the file is the right one")
    if data.startswith(b"\x1f\x8b"):
        raise ParseError(url, "not a feed: it is compressed (gzip)", "unpack it first")
    text, problem = encoding.read(data, headers)
    text = text.lstrip("\ufeff \t\r\n\0")
    limit = limits(url, len(text), large=large)
    if text.startswith("{"):
        draft = jsonfeed.read(text, url, base, limit)
        return replace(draft, warnings=(*draft.warnings, problem)) if problem else draft
    if _HTML_PAGE.match(text):
        raise ParseError(
            url, "an HTML page, not a feed", "give the address of the feed that the page announces"
        )
    if not text.startswith("<"):
        start = _FEED_START.search(text, 0, _LEADING_NOISE)
        if start is None:
            raise ParseError(url, "not a feed: it is neither XML nor JSON")
        text, problem = text[start.start() :], "something stands before the XML"
    try:
        document = guard.repair(text, limit)
    except guard.UnsafeError as error:
        raise ParseError(url, f"not read, because {error}", error.remedy) from error
    if problem and not document.problem:
        document = replace(document, problem=problem)
    return syndication.read(document, url, base, headers.get("content-language", ""))


def _finished(draft: FeedDraft, url: str) -> Feed:
    from searchfeed.feeds import identity

    feed_url = identity.feed_url(url, draft.own_link, draft.link, draft.title)
    return Feed(
        url=feed_url,
        title=draft.title,
        link=draft.link,
        language=draft.language,
        entries=identity.with_ids(feed_url, draft.drafts),
        warnings=draft.warnings,
        ttl=draft.ttl,
    )
