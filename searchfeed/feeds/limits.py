"""How much a document may hold, and what its reader can do about one that holds more.

What a server sends, and a file that nobody has vouched for, is read in seconds or not at all. A
file that its user trusts (``large``) is taken in whole, as long as that takes.
"""

from __future__ import annotations

from typing import Final

from searchfeed.feeds.identity import safe_link
from searchfeed.values import dataclass

ELEMENT_LIMIT: Final = 120_000
"""feedparser takes 20 to 40 µs an element; a feed of 10,000 entries has 100,000."""

ARCHIVE_ELEMENT_LIMIT: Final = 300_000
"""Of a file that is as long as an honest archive of so many: one of 20,000 entries has 160,000."""

ELEMENT_LENGTH: Final = 32
"""Characters that an element of an archive has at least, on average; those of news have 160."""

ITEM_LIMIT: Final = 40_000
"""Entries, which take 50 to 100 µs each even where there is nothing in them."""

LARGE_LIMIT: Final = 2_000_000
"""Elements, or items, of a file that its user trusts: an archive of 200,000 entries."""

TRUST: Final = "if you trust it, take it in whole with: searchfeed index --large FILE"
_SAVE: Final = "if you trust it, save it to a file and use: searchfeed index --large FILE"
_DIVIDE: Final = "divide it into several files"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may hold.

    Attributes:
        elements: of XML.
        items: entries of a feed.
        remedy: what to do where it has more.
    """

    elements: int = ELEMENT_LIMIT
    items: int = ITEM_LIMIT
    remedy: str = _SAVE


def limits(url: str, length: int, *, large: bool) -> Limits:
    """The limits of a document of ``length`` characters.

    Args:
        url: where it came from; what does not come from a file is never ``large``.
        length: of its text.
        large: its user trusts it.
    """
    if safe_link(url):
        return Limits()
    if large:
        return Limits(LARGE_LIMIT, LARGE_LIMIT, _DIVIDE)
    explained = min(length // ELEMENT_LENGTH, ARCHIVE_ELEMENT_LIMIT)
    return Limits(max(ELEMENT_LIMIT, explained), ITEM_LIMIT, TRUST)
