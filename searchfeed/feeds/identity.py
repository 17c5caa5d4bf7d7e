"""What makes a feed and an entry the same ones the next time they are read."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

from searchfeed.feeds.draft import Draft
from searchfeed.feeds.text import clean
from searchfeed.keys import entry_id, link_key, normalised_link
from searchfeed.models import Entry

LINK_LIMIT = 4096
"""Characters of a link; a longer one is not a link but data."""

# What nearly every link looks like; taking it apart would cost ten times as much.
_PLAIN_LINK = re.compile(r"https?://[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*+(?:/[!#-;=?-\[\]-~]*+)?")
_OLDEST = datetime.min.replace(tzinfo=UTC)


def safe_link(link: str, base: str = "") -> str:
    """``link`` as an absolute http(s) URL without spaces or controls; empty if it is none.

    >>> safe_link("/a b", "https://example.org/feed")
    'https://example.org/a%20b'
    >>> safe_link("javascript:alert(1)")
    ''
    """
    if len(link) <= LINK_LIMIT and _PLAIN_LINK.fullmatch(link):
        return link
    link = clean(link.strip()).replace("\n", "").replace("\t", "")
    if not link:
        return ""
    try:
        link = urljoin(base, link)
        parts = urlsplit(link)
        valid = parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return ""
    if not valid or len(link) > LINK_LIMIT:
        return ""
    return "%20".join(link.split())


def feed_url(source: str, own_link: str, home: str, title: str) -> str:
    """The identity of a feed: where it was fetched from; for a file, what it says it is.

    Args:
        source: the URL it was fetched from, or the path of the file.
        own_link: its ``self`` link, resolved, or empty.
        home: its home page, resolved, or empty.
        title: its title. A home page alone is not enough: a site can have many feeds.
    """
    if safe_link(source):
        return source
    if own_link:
        return own_link
    return f"{home}#{title}" if home and title else source


def _key(draft: Draft, shared_guids: frozenset[str]) -> str:
    entry = draft.entry
    if draft.guid and draft.guid not in shared_guids:
        return f"guid:{draft.guid}"
    link = normalised_link(entry.link)
    if draft.guid:
        return f"guid:{draft.guid}\0{link}"
    if link:
        return link_key(link)
    date = entry.date.isoformat() if entry.date else ""
    text = entry.title if entry.title or date else entry.body[:1000]
    return f"text:{text}\0{date}"


def _shared_guids(drafts: Sequence[Draft]) -> frozenset[str]:
    """Guids that name different things in one document: some feeds give the same to every entry."""
    counts = Counter(draft.guid for draft in drafts if draft.guid)
    links: defaultdict[str, set[str]] = defaultdict(set)
    for draft in drafts:
        if counts[draft.guid] > 1 and draft.entry.link:
            links[draft.guid].add(normalised_link(draft.entry.link))
    return frozenset(guid for guid, seen in links.items() if len(seen) > 1)


def _age(entry: Entry) -> datetime:
    return entry.updated or entry.published or _OLDEST


def with_ids(feed: str, drafts: Sequence[Draft]) -> tuple[Entry, ...]:
    """The entries with their ids, in order; of those that are the same, the newest is kept.

    Args:
        feed: the identity of the feed.
        drafts: its entries as read.
    """
    shared = _shared_guids(drafts)
    entries: dict[str, Entry] = {}
    for draft in drafts:
        identifier = entry_id(feed, _key(draft, shared))
        known = entries.get(identifier)
        if known is None or _age(draft.entry) > _age(known):
            entries[identifier] = replace(draft.entry, id=identifier, feed_url=feed)
    return tuple(entries.values())
