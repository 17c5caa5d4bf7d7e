"""Days, weeks, months and years of a calendar: their names, and when they begin in a zone.

A period is named as a query's ``date:`` takes it (``2020``, ``2020-08``, ``2020-W33``,
``2020-08-15``), so that what was counted under a name is what is found by it. Weeks are those of
ISO 8601: from Monday, and of the year that their Thursday is in.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo

from searchfeed.models import Period

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


def following(first: date, period: Period) -> date:
    """The day on which the next period begins; the last day of all, where there is no next one.

    >>> [following(date(2020, 12, 1), period).isoformat() for period in (Period.DAY, Period.MONTH)]
    ['2020-12-02', '2021-01-01']
    """
    try:
        match period:
            case Period.DAY:
                return first + timedelta(days=1)
            case Period.WEEK:
                return first + timedelta(days=7)
            case Period.MONTH:
                return date(first.year + first.month // 12, first.month % 12 + 1, 1)
            case Period.YEAR:
                return date(first.year + 1, 1, 1)
    except (OverflowError, ValueError):
        return date.max


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
