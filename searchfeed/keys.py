"""What tells the entries of a feed apart: the id that a key stands for, and links as keys."""

from __future__ import annotations

import re
from hashlib import blake2b
from urllib.parse import urlsplit, urlunsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
# What nearly every link looks like, with nothing to take out; by hand that costs ten times as much.
_NORMAL = re.compile(
    r"https?://[a-z0-9-]+(?:\.[a-z0-9-]+)*+/(?:[!-\"$-.0->@-~]++/)*+[!-\"$-.0->@-~]*+"
)
_SLASHES = re.compile(r"/{2,}")


def entry_id(feed_url: str, key: str) -> str:
    """The id of an entry: 16 hexadecimal digits, the same ones for ever.

    Args:
        feed_url: the identity of its feed.
        key: what the entry is known by within the feed.
    """
    return blake2b(f"{feed_url}\0{key}".encode("utf-8", "replace"), digest_size=8).hexdigest()


def link_key(link: str) -> str:
    """The key of an entry that is known by its link, which is normalised."""
    return f"link:{link}"


def normalised_link(link: str) -> str:
    """``link`` for comparison: what differs between two copies of one address is taken out.

    >>> normalised_link("HTTPS://Example.org:443//news//1/?utm_source=rss#top")
    'https://example.org/news/1/'
    """
    if _NORMAL.fullmatch(link):
        return link
    try:
        parts = urlsplit(link)
        port = parts.port
    except ValueError:
        return link
    scheme = parts.scheme.lower()
    host = parts.netloc.lower()
    if port == _DEFAULT_PORTS.get(scheme):
        host = host.removesuffix(f":{port}")
    path = _SLASHES.sub("/", parts.path) or "/"
    query = "&".join(
        part for part in parts.query.split("&") if part and not part.lower().startswith("utm_")
    )
    return urlunsplit((scheme, host, path, query, ""))
