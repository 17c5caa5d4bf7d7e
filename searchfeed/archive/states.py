"""Subscriptions and the states of feeds as rows."""

# The statements are put together from constants of this package alone.
# ruff: noqa: S608

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from searchfeed.archive import records
from searchfeed.models import FeedState, Subscription, SubscriptionState

_STATE = (
    "url",
    "state",
    "etag",
    "last_modified",
    "last_fetch",
    "last_success",
    "last_error",
    "failures",
    "next_fetch",
    "moved_to",
    "moves",
    "ttl",
)
"""The columns of a subscription but its feed, in the order of ``Subscription``'s fields."""

COLUMNS = ", ".join(f"subscription.{name}" for name in _STATE)
SUBSCRIPTION = (
    f"SELECT feed.url, {COLUMNS} FROM subscription JOIN feed ON feed.number = subscription.feed"
)


def read(connection: sqlite3.Connection, number: int | None) -> Subscription | None:
    """The subscription of the feed with this number; None where there is none."""
    row = connection.execute(f"{SUBSCRIPTION} WHERE feed.number = ?", (number,)).fetchone()
    return None if row is None else subscription(row)


def write(
    connection: sqlite3.Connection, number: int, before: Subscription, after: Subscription
) -> None:
    """Bring a subscription's row up to date, as far as it has changed."""
    changed = {
        name: _column(getattr(after, name))
        for name in _STATE
        if getattr(after, name) != getattr(before, name)
    }
    if changed:
        assignments = ", ".join(f"{name} = ?" for name in changed)
        connection.execute(
            f"UPDATE subscription SET {assignments} WHERE feed = ?", (*changed.values(), number)
        )


def _column(value: datetime | timedelta | str | int | None) -> str | int | None:
    if isinstance(value, datetime):
        return records.since_epoch(value)
    if isinstance(value, timedelta):
        return records.length(value)
    return records.text(value) if isinstance(value, str) else value


def subscription(row: Sequence[Any]) -> Subscription:
    """A subscription from its feed's URL and the values of ``COLUMNS``."""
    values = dict(zip(_STATE, row[1:], strict=True))
    for name in ("last_fetch", "last_success", "next_fetch"):
        values[name] = records.date(values[name])
    values["state"] = SubscriptionState(values["state"])
    values["ttl"] = None if values["ttl"] is None else timedelta(microseconds=values["ttl"])
    return Subscription(row[0], **values)


def feed_state(row: Sequence[Any]) -> FeedState:
    """A feed from what ``Subscriptions.feeds`` selects."""
    url, title, link, language, entries, newest, last_success, tags, *state = row
    return FeedState(
        url=url,
        title=title,
        link=link,
        language=language,
        entries=entries,
        newest=records.date(newest),
        last_success=records.date(last_success),
        tags=tuple(json.loads(tags)),
        # Its first column is never empty where there is one.
        subscription=None if state[0] is None else subscription((url, *state)),
    )
