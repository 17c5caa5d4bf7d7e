"""Counts, sizes, times and dates as people say them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, tzinfo

from searchfeed.models import FeedState, Hit

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_RELATIVE_DAYS = 14
_UNITS = ((60, "minute", 60), (3600, "hour", 48))


def count(number: int, noun: str) -> str:
    """A number of things.

    >>> count(1, "entry"), count(19040, "entry"), count(2, "day")
    ('1 entry', '19,040 entries', '2 days')
    """
    if number != 1:
        noun = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeo" else f"{noun}s"
    return f"{number:,} {noun}"


def other_feeds(hit: Hit) -> tuple[str, ...]:
    """The names of the feeds that have the same story in other entries."""
    names = (entry.feed_name for entry in hit.duplicates)
    return tuple(dict.fromkeys(names))


def state(feed: FeedState) -> str:
    """How a feed is kept: as a subscription that is ``active`` or ``gone``, or as a ``file``."""
    return feed.subscription.state if feed.subscription else "file"


def last_read(feed: FeedState) -> datetime | None:
    """When its document was last had: of a subscription also where that brought nothing new."""
    return (feed.subscription and feed.subscription.last_success) or feed.last_success


def size(octets: int) -> str:
    """A size in bytes, rounded.

    >>> size(999), size(1_234_567)
    ('999 B', '1.2 MB')
    """
    amount = float(octets)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 999.5:
            digits = 1 if unit != "B" and amount < 9.95 else 0
            return f"{amount:.{digits}f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} TB"


def duration(seconds: float) -> str:
    """A length of time, rounded.

    >>> duration(0.0004), duration(0.0042), duration(1.234), duration(75)
    ('0.4 ms', '4 ms', '1.2 s', '1 min 15 s')
    """
    if seconds < 0.00095:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def date(moment: datetime, zone: tzinfo | None) -> str:
    """The day in the user's zone, as ``12 Aug 2020``.

    Months are English whatever the locale is, as all of what searchfeed says.
    """
    day = moment.astimezone(zone)
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def date_and_time(moment: datetime, zone: tzinfo | None) -> str:
    """The minute in the user's zone with that zone's name, as ``12 Aug 2020 14:05 CEST``."""
    local = moment.astimezone(zone)
    return f"{date(moment, zone)} {local:%H:%M} {local.tzname() or ''}".rstrip()


def ago(moment: datetime, now: datetime, zone: tzinfo | None) -> str:
    """How long ago, up to two weeks; the day, where it is longer or still to come.

    Days are counted as people count them: what was published yesterday evening is of yesterday,
    unless it is only hours old.
    """
    seconds = (now - moment).total_seconds()
    if seconds < 0:
        return date(moment, zone)
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{count(int(seconds // 60), 'minute')} ago"
    if seconds < 86400:
        return f"{count(int(seconds // 3600), 'hour')} ago"
    days = (now.astimezone(zone).date() - moment.astimezone(zone).date()).days
    if days == 1:
        return "yesterday"
    return f"{days} days ago" if days < _RELATIVE_DAYS else date(moment, zone)


def until(moment: datetime, now: datetime) -> str:
    """How long it is until then, rounded up.

    >>> from datetime import timedelta
    >>> now = datetime(2020, 8, 12, tzinfo=UTC)
    >>> [until(now + timedelta(seconds=ahead), now) for ahead in (-1, 30, 61, 3601, 200_000)]
    ['now', 'in 1 minute', 'in 2 minutes', 'in 2 hours', 'in 3 days']
    """
    seconds = math.ceil((moment - now).total_seconds())
    if seconds <= 0:
        return "now"
    for length, unit, most in _UNITS:
        number = math.ceil(seconds / length)
        if number <= most:
            return f"in {count(number, unit)}"
    return f"in {count(math.ceil(seconds / 86400), 'day')}"


def timestamp(moment: datetime | None) -> str:
    """ISO 8601 in UTC to the second, as ``2020-08-12T12:05:00Z``; empty for None."""
    if moment is None:
        return ""
    utc = moment.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    return f"{utc.isoformat()}Z"
