"""What time and day it is for the user, and what it was so long ago."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TypeAlias

from searchfeed.patterns import deferred
from searchfeed.values import dataclass

Length: TypeAlias = tuple[int, int, int]
"""A length of time: months, days and minutes, as none of them is so many of another."""

UNITS: dict[str, Length] = {
    **dict.fromkeys(("min", "mins", "minute", "minutes"), (0, 0, 1)),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), (0, 0, 60)),
    **dict.fromkeys(("d", "day", "days"), (0, 1, 0)),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), (0, 7, 0)),
    **dict.fromkeys(("m", "mo", "month", "months"), (1, 0, 0)),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), (12, 0, 0)),
}

_TICK = timedelta(microseconds=1)
_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_LENGTH = deferred(r"(?:\d{1,4} ?[a-z]+ ?)+")
_PART = deferred(r"(\d{1,4}) ?([a-z]+)")


class SystemZone(tzinfo):
    """The zone that the system is set to, by ``TZ`` or by its settings, summer time included.

    The C library knows the rules of every season; its zone may have no name that ``zoneinfo``
    could look up (``TZ=CET-1CEST``, a copied ``/etc/localtime``), or no data for it.
    """

    def utcoffset(self, moment: datetime | None, /) -> timedelta | None:
        """How far the zone's clocks were ahead of UTC.

        Of a time that they skipped or showed twice: before the change, after it with ``fold``
        (PEP 495; releases of Python differ in what ``astimezone`` makes of such a time).
        """
        if moment is None:
            return None
        shown = moment.replace(tzinfo=UTC, fold=0)
        before, after = _ahead(shown - _DAY), _ahead(shown + _DAY)
        if before == after:
            return before
        is_before, is_after = _ahead(shown - before) == before, _ahead(shown - after) == after
        if is_before == is_after:
            return after if moment.fold else before
        return before if is_before else after

    def tzname(self, moment: datetime | None, /) -> str | None:
        """What the C library calls the zone."""
        return None if moment is None else moment.replace(tzinfo=None).astimezone().tzname()

    def dst(self, _: datetime | None, /) -> None:
        """Unknown: ``utcoffset`` has it in."""

    def fromutc(self, moment: datetime, /) -> datetime:
        """The zone's own time for a moment of UTC."""
        ahead = _ahead(moment.replace(tzinfo=UTC))
        shown = moment.replace(tzinfo=None) + ahead
        return shown.replace(tzinfo=self, fold=int(self.utcoffset(shown) != ahead))


def _ahead(moment: datetime) -> timedelta:
    """How far the system's clocks are ahead of UTC at an aware moment."""
    return moment.astimezone().utcoffset() or timedelta()


@dataclass(frozen=True, slots=True)
class Clock:
    """What relative dates are relative to: an aware instant, and the user's zone."""

    now: datetime
    zone: tzinfo

    @property
    def today(self) -> date:
        """The day that it is for the user."""
        return self.now.astimezone(self.zone).date()

    def span(self, first: date, after: date) -> tuple[datetime, datetime]:
        """The instants at which the user's clock shows ``first`` or later, but not ``after`` yet.

        A day stands for its midnight. Where the clock is put back and shows a time twice, both
        are in the span.
        """
        last = _shown(after) - _TICK
        instant = self._instant(last, fold=1)
        return self.start(first), self.start(last) if instant is None else instant + _TICK

    def start(self, first: date) -> datetime:
        """The first instant at which the user's clock shows ``first`` or, if it skips it, later."""
        shown = _shown(first)
        instant = self._instant(shown, fold=0)
        if instant is not None:
            return instant
        # The clock was put forward over it, at an instant between what both offsets make of it.
        before, after = (
            shown.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (1, 0)
        )
        while after - before > _SECOND:
            middle = before + (after - before) // _SECOND // 2 * _SECOND
            if middle.astimezone(self.zone).replace(tzinfo=None) < shown:
                before = middle
            else:
                after = middle
        return after.replace(microsecond=0)

    def _instant(self, shown: datetime, *, fold: int) -> datetime | None:
        """When the clock shows a time, for the first or the second time; None if it never does."""
        instant = shown.replace(tzinfo=self.zone, fold=fold).astimezone(UTC)
        there = instant.astimezone(self.zone).replace(tzinfo=None)
        return instant if there == shown else None

    def back(self, length: Length) -> datetime:
        """The instant that lies a length of time before now.

        Months and days go by the calendar: the same time of day, whatever the clocks did in
        between. A day that the earlier month does not have is its last.

        Raises:
            ValueError, OverflowError: that is before all calendars.
        """
        months, days, minutes = length
        moment = self.now.astimezone(self.zone)
        if months or days:
            first = month_start(moment.year, moment.month - months)
            day = min(moment.day, monthrange(first.year, first.month)[1])
            moment = moment.replace(year=first.year, month=first.month, day=day)
            moment -= timedelta(days=days)
        return moment.astimezone(UTC) - timedelta(minutes=minutes)


def _shown(day: date) -> datetime:
    return day if isinstance(day, datetime) else datetime.combine(day, time())


def month_start(year: int, month: int) -> date:
    """The first of a month; a month outside 1 to 12 runs over into other years.

    >>> month_start(2020, 13), month_start(2020, 0)
    (datetime.date(2021, 1, 1), datetime.date(2019, 12, 1))
    """
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)


def read_length(text: str) -> Length | None:
    """The length of time that a text in lower case is, or None.

    >>> read_length("3d"), read_length("2 weeks"), read_length("1y6m"), read_length("soon")
    ((0, 3, 0), (0, 14, 0), (18, 0, 0), None)
    """
    if not _LENGTH.fullmatch(text):
        return None
    months = days = minutes = 0
    for count, name in _PART.findall(text):
        if name not in UNITS:
            return None
        unit = UNITS[name]
        months += int(count) * unit[0]
        days += int(count) * unit[1]
        minutes += int(count) * unit[2]
    return months, days, minutes
