"""How long a feed asks to be left alone after it was fetched."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

LONGEST: Final = timedelta(weeks=1)

# http://web.resource.org/rss/1.0/modules/syndication/
_PERIODS: Final = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}


def ttl(minutes: str, period: str, frequency: str) -> timedelta | None:
    """What RSS says of it, at most a week; the longer where it says it twice, None where never.

    Args:
        minutes: the text of ``<ttl>``, or empty.
        period: that of ``<sy:updatePeriod>``.
        frequency: that of ``<sy:updateFrequency>``: how often in a period; once if it is none.

    >>> ttl("60", "daily", "2")
    datetime.timedelta(seconds=43200)
    >>> ttl("0", "", "")
    """
    said = timedelta(minutes=_count(minutes))
    if length := _PERIODS.get(period.strip().lower()):
        said = max(said, length / (_count(frequency) or 1))
    return min(said, LONGEST) or None


def _count(text: str) -> int:
    """A whole number above 0, 0 where it is none; what is too large to be meant is cut."""
    text = text.strip()
    return int(text[:9]) if text.isascii() and text.isdigit() else 0
