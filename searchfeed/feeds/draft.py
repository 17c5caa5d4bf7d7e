"""What a format's reader hands on: a feed whose entries have no identity yet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from searchfeed.feeds.text import line
from searchfeed.models import Entry
from searchfeed.values import dataclass

TITLE_LIMIT: Final = 1_000
"""Characters of a title."""

NAME_LIMIT: Final = 200
"""Characters of an author or a tag."""

VALUES_LIMIT: Final = 64
"""Tags, authors or enclosures of one entry."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry that has no id yet, and the ``guid`` that its feed gave it (may be empty)."""

    guid: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class FeedDraft:
    """A feed as a document describes it, before it is known where the document came from.

    Attributes:
        own_link: the address that the feed says is its own, or empty.
        warnings: one line each.
        ttl: how long it asks to be left alone after it was fetched; None: it does not say.
    """

    title: str
    link: str
    own_link: str
    language: str
    drafts: tuple[Draft, ...]
    warnings: tuple[str, ...] = ()
    ttl: timedelta | None = None


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Names on one line each, without empty ones and those that differ only in case."""
    kept: dict[str, str] = {}
    for given in names:
        name = line(given, NAME_LIMIT)
        if name:
            kept.setdefault(name.casefold(), name)
        if len(kept) == VALUES_LIMIT:
            break
    return tuple(kept.values())
