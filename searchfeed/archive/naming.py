"""Which feed a person means."""

from __future__ import annotations

from collections.abc import Sequence

from searchfeed import addresses
from searchfeed.archive import records
from searchfeed.errors import FeedNotFoundError
from searchfeed.models import FeedState

_NAMED = 5
"""Feeds that an error names at most."""


def shown(text: str) -> str:
    """What of a wrong address may be shown: a password may stand before the last ``@``."""
    before, at, after = records.text(text).rpartition("@")
    return f"…@{after}" if at and ":" in before else records.text(text)


def meant(text: str, feeds: Sequence[FeedState]) -> FeedState:
    """The feed of these that ``Subscriptions.feed`` promises."""
    wanted = records.line(text)
    identity = addresses.identity(wanted)
    wanted = (identity or wanted).casefold()
    quoted = repr(shown(wanted))
    for fits in (
        lambda feed: wanted in _addresses(feed),
        lambda feed: wanted == feed.title.casefold(),
        lambda feed: wanted in feed.title.casefold() or any(wanted in a for a in _addresses(feed)),
    ):
        found = [feed for feed in feeds if wanted and fits(feed)]
        if len(found) == 1:
            return found[0]
        if found:
            raise FeedNotFoundError(f"more than one feed is called {quoted}: {_listed(found)}")
    by_name = {
        name: feed for feed in feeds for name in (feed.title.casefold(), feed.url.casefold())
    }
    from difflib import get_close_matches

    near = [by_name[name] for name in get_close_matches(wanted, by_name, n=_NAMED)]
    if near:
        listed = _listed(list(dict.fromkeys(near)))
        raise FeedNotFoundError(f"no feed is called {quoted}; near it are {listed}")
    raise FeedNotFoundError(f"no feed is called {quoted}")


def _addresses(feed: FeedState) -> tuple[str, ...]:
    """Where a feed is known to be, letters small, without users and passwords."""
    known = [feed.url]
    if feed.subscription is not None:
        known.append(addresses.identity(feed.subscription.url))
    return tuple(url.casefold() for url in known)


def _listed(feeds: Sequence[FeedState]) -> str:
    names = [f"{feed.title} ({feed.url})" if feed.title else feed.url for feed in feeds[:_NAMED]]
    return ", ".join([*names, "…"] if len(feeds) > _NAMED else names)
