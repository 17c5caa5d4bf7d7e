"""What tells the entries of a feed apart, and one saved search from another."""

from __future__ import annotations

from unicodedata import category, normalize
from urllib.parse import urlsplit, urlunsplit

from searchfeed.patterns import deferred

SEARCH_NAME_LIMIT = 64
"""Characters of the name of a saved search."""

SEARCH_TEXT_LIMIT = 10_000
"""Characters of its text."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
# What nearly every link looks like, with nothing to take out; by hand that costs ten times as much.
_NORMAL = deferred(
    r"https?://[a-z0-9-]+(?:\.[a-z0-9-]+)*+/(?:[!-\"$-.0->@-~]++/)*+[!-\"$-.0->@-~]*+"
)
_SLASHES = deferred(r"/{2,}")


def entry_id(feed_url: str, key: str) -> str:
    """The id of an entry: 16 hexadecimal digits, the same ones for ever.

    Args:
        feed_url: the identity of its feed.
        key: what the entry is known by within the feed.
    """
    from hashlib import blake2b

    return blake2b(f"{feed_url}\0{key}".encode("utf-8", "replace"), digest_size=8).hexdigest()


def link_key(link: str) -> str:
    """The key of an entry that is known by its link, which is normalised."""
    return f"link:{link}"


def normalised_link(link: str) -> str:
    """``link`` for comparison: what differs between two copies of one address is taken out.

    No link stays none.

    >>> normalised_link("HTTPS://Example.org:443//news//1/?utm_source=rss#top")
    'https://example.org/news/1/'
    """
    if not link or _NORMAL.fullmatch(link):
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


def search_key(name: str) -> str:
    """What the name of a saved search is known by, in whichever case it is written.

    Raises:
        ValueError: it is no name: that is letters, digits, hyphens, underscores and dots, a letter
            or a digit first and no dot last, so that a sentence can end behind it.

    >>> search_key("AI-News")
    'ai-news'
    """
    key = normalize("NFKC", normalize("NFKC", name).casefold())
    if (
        not 0 < len(key) <= SEARCH_NAME_LIMIT
        or not key[0].isalnum()
        or key[-1] == "."
        or not all(map(_stands_in_a_name, key))
    ):
        raise ValueError(
            f"{name!r} is no name for a search: it takes letters, digits, -, _ and ., "
            f"a letter or digit first and at most {SEARCH_NAME_LIMIT} of them"
        )
    return key


def _stands_in_a_name(character: str) -> bool:
    # Many scripts write vowels as marks on the letter before.
    return character.isalnum() or character in "-_." or category(character) in ("Mn", "Mc")
