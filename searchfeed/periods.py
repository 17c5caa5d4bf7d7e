"""Days, weeks, months and years of a calendar: their names, and when they begin in a zone.

A period is named as a query's ``date:`` takes it (``2020``, ``2020-08``, ``2020-W33``,
``2020-08-15``), so that what was counted under a name is what is found by it. Weeks are those of
ISO 8601: from Monday, and of the year that their Thursday is in.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo

from searchfeed.models import Bucket, Period

_REST = {Period.DAY: "", Period.WEEK: "-1", Period.MONTH: "-01", Period.YEAR: "-01-01"}
"""What makes the name of a period the date of its first day."""


def name(first: date, period: Period) -> str:
    """The name of the period that begins on a day.

    >>> [name(date(2021, 1, 4), period) for period in Period]
    ['2021-01-04', '2021-W01', '2021-01', '2021']
    """
    text = first.isoformat()
    match period:
        case Period.DAY:
            return text
        case Period.WEEK:
            year, week, _ = first.isocalendar()
            return f"{year:04}-W{week:02}"
        case Period.MONTH:
            return text[:7]
        case Period.YEAR:
            return text[:4]


def first_day(name: str, period: Period) -> date:
    """The day on which the period of that name begins.

    >>> first_day("2021-W01", Period.WEEK)
    datetime.date(2021, 1, 4)

    Raises:
        ValueError: it is no name of such a period.
    """
    return date.fromisoformat(name + _REST[period])


def shifted(first: date, period: Period, amount: int) -> date:
    """The first day so many periods later, or earlier; at most the first and last day of all.

    >>> shifted(date(2020, 12, 1), Period.MONTH, 1), shifted(date(2020, 1, 1), Period.MONTH, -1)
    (datetime.date(2021, 1, 1), datetime.date(2019, 12, 1))
    """
    try:
        match period:
            case Period.DAY:
                return first + timedelta(days=amount)
            case Period.WEEK:
                return first + timedelta(days=7 * amount)
            case Period.MONTH:
                year, month = divmod(first.year * 12 + first.month - 1 + amount, 12)
                return date(year, month + 1, 1)
            case Period.YEAR:
                return date(first.year + amount, 1, 1)
    except (OverflowError, ValueError):
        return date.max if amount > 0 else date.min


def timeline(
    counts: Mapping[str, int], period: Period, zone: tzinfo, most: int
) -> tuple[Bucket, ...]:
    """A bucket for each period from the first that is named to the last, the empty ones too.

    Args:
        counts: how many entries there are in the period of that name.
        period: what the names are names of.
        zone: in which the periods begin and end.
        most: where there would be more buckets than so many, the oldest are left out.
    """
    if not counts:
        return ()
    last = first_day(max(counts), period)
    day = max(first_day(min(counts), period), shifted(last, period, 1 - most))
    buckets: list[Bucket] = []
    start = midnight(day, zone)
    while True:
        after = shifted(day, period, 1)
        end = midnight(after, zone)
        title = name(day, period)
        buckets.append(Bucket(title, start, end, counts.get(title, 0)))
        if day >= last:
            return tuple(buckets)
        day, start = after, end


def midnight(day: date, zone: tzinfo) -> datetime:
    """The instant at which a day of a zone begins, in UTC.

    Where clocks jump over midnight it is the jump; where midnight comes twice, the first. At the
    ends of the calendar, where a zone's time has no UTC, it is the midnight of UTC.
    """
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    try:
        return start.astimezone(UTC)
    except (OverflowError, ValueError):
        return start.replace(tzinfo=UTC)
