"""When a feed is fetched again, and from where: what each answer of its server changes.

Functions of values alone; ``subscriptions`` keeps what they say.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from searchfeed import addresses
from searchfeed.models import Subscription, SubscriptionState
from searchfeed.values import dataclass

LONGEST = timedelta(days=1)
"""A feed that is in order is fetched at least so often, however long it asks to be left alone."""

FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=5), timedelta(days=1)
"""After a failure a feed is left alone for so long; with each further one twice as long."""

_SPREAD = 5
"""Up to one part of so many is taken off a pause, so that feeds that failed together because a
network was down do not all come back together."""

LONGEST_OBEDIENCE = timedelta(days=7)
"""A server that asks to be left alone for longer is asked again after this."""

MOVES = 3
"""So many answers in a row have to say that a feed has moved for good to the same place. One that
does may be the sign-in page of a hotel's network, or a mistake that is put right the next day."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a server said beside the document, or instead of it where nothing was new.

    Attributes:
        etag, last_modified: verbatim, to be sent back with the next request.
        moved_to: where it says that the feed has moved for good; empty for nowhere.
        fresh_for: how long the document is not worth asking for again; None: not said.
    """

    etag: str = ""
    last_modified: str = ""
    moved_to: str = ""
    fresh_for: timedelta | None = None


def is_due(subscription: Subscription, now: datetime) -> bool:
    """Whether it is time to fetch."""
    if subscription.state is SubscriptionState.GONE:
        return False
    return subscription.next_fetch is None or subscription.next_fetch <= now


def held_off(subscription: Subscription, now: datetime) -> datetime | None:
    """Until when its server, after it failed, asked to be left alone; None where it may be asked.

    A person who wants a feed at once may have it before it is due, but not before this.
    """
    if not subscription.failures or subscription.next_fetch is None:
        return None
    if subscription.last_fetch is None or subscription.next_fetch <= now:
        return None
    own_pause = subscription.last_fetch + _pause(subscription)
    return None if subscription.next_fetch == own_pause else subscription.next_fetch


def succeeded(
    before: Subscription, fetched: Fetched, now: datetime, *, taken: bool = False
) -> Subscription:
    """The subscription after an answer, a document or that there is no new one.

    Args:
        before: with the ``ttl`` of the document that was answered.
        fetched: what the server said.
        now: aware.
        taken: whether what it has moved to is another subscription's.
    """
    waits = [wait for wait in (fetched.fresh_for, before.ttl) if wait]
    after = replace(
        before,
        state=SubscriptionState.ACTIVE,
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        last_fetch=now,
        last_success=now,
        last_error="",
        failures=0,
        next_fetch=now + min(max(waits), LONGEST) if waits else None,
    )
    target = addresses.identity(fetched.moved_to)
    if not target or target == addresses.identity(before.url):
        return replace(after, moved_to="", moves=0)
    again = target == addresses.identity(before.moved_to)
    moves = min(before.moves + 1, MOVES) if again else 1
    if moves < MOVES:
        return replace(after, moved_to=fetched.moved_to, moves=moves)
    if taken:
        note = f"it has moved to {target}, which is another subscription; remove one of them"
        return replace(after, moved_to=fetched.moved_to, moves=moves, last_error=note)
    return replace(after, url=addresses.moved(before.url, fetched.moved_to), moved_to="", moves=0)


def failed(
    before: Subscription,
    reason: str,
    now: datetime,
    *,
    retry_after: timedelta | None = None,
    gone: bool = False,
) -> Subscription:
    """The subscription after a try that failed.

    Args:
        before: as it was.
        reason: in a few words.
        now: aware.
        retry_after: how long the server asked to be left alone; None: it did not.
        gone: whether it says that the feed will never be back. It is then not fetched any more.
    """
    after = replace(
        before,
        last_fetch=now,
        last_error=reason,
        failures=before.failures + 1,
        moved_to="",
        moves=0,
    )
    if gone:
        note = f"{reason}; it is not fetched any more"
        return replace(after, state=SubscriptionState.GONE, last_error=note, next_fetch=None)
    if retry_after is not None and retry_after > timedelta():
        return replace(after, next_fetch=now + min(retry_after, LONGEST_OBEDIENCE))
    return replace(after, next_fetch=now + _pause(after))


def _pause(subscription: Subscription) -> timedelta:
    """How long to leave a feed alone after its last failure: the same each time it is asked."""
    # Beyond so many doublings the number only grows too large for a timedelta.
    doublings = min(subscription.failures - 1, 16)
    pause = min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
    seed = f"{subscription.feed_url}\0{subscription.failures}".encode("utf-8", "replace")
    from hashlib import blake2b

    part = int.from_bytes(blake2b(seed, digest_size=2).digest()) / 65_536
    return pause - pause * part / _SPREAD
