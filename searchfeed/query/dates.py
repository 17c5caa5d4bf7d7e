"""Dates in a query: what a person writes → a half-open span of instants.

A day is a day of the user's zone, from midnight to midnight, be it 23, 24 or 25 hours long.
Nothing is guessed: what is not a date is refused, with the nearest word that is one.
"""

from __future__ import annotations

import os
import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from difflib import get_close_matches
from pathlib import Path
from typing import TypeAlias, TypeVar
from zoneinfo import ZoneInfo

_D = TypeVar("_D", bound=date)

Instants: TypeAlias = tuple[datetime | None, datetime | None]
"""A half-open span of aware UTC instants; None leaves a side open."""

MONTHS: tuple[str, ...] = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
UNITS = {"h": "hour", "d": "day", "w": "week", "m": "month", "y": "year"}
WORDS: tuple[str, ...] = (
    "today",
    "yesterday",
    "now",
    "last week",
    "last month",
    "last year",
    "this week",
)
WORDS += ("this month", "this year", *WEEKDAYS, *MONTHS)

_DAY = re.compile(r"(\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2}))?)?")
_WEEK = re.compile(r"(\d{4})-?w(\d{1,2})")
_QUARTER = re.compile(r"(\d{4})-?q(\d)")
_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[t ](\d{1,2})(?::(\d{2})(?::(\d{2}))?)?(z|[+-]\d{2}:?\d{2})?"
)
_NAMED = re.compile(r"(?:(\d{1,2})\.? )?([a-z]{3,})\.?(?: (\d{1,2}),?)?(?: (\d{4}))?")
_SPAN = re.compile(r"(?:last|past) (\d{1,4}) ?([a-z]+)")
_AGO = re.compile(r"(\d{1,4}) ?([a-z]+) ago")
_LENGTH = re.compile(r"(\d{1,4}) ?([a-z]+)")


class BadDateError(ValueError):
    """A text that is no date; ``suggestion`` is the nearest that is one, or empty."""

    def __init__(self, reason: str, suggestion: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.suggestion = suggestion


@dataclass(frozen=True, slots=True)
class Clock:
    """What relative dates are relative to: an aware instant, and the user's zone."""

    now: datetime
    zone: tzinfo

    @property
    def today(self) -> date:
        """The day that it is for the user."""
        return self.now.astimezone(self.zone).date()

    def midnight(self, day: date) -> datetime:
        """The instant at which a day of the user's zone begins."""
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)

    def days(self, first: date, after: date) -> tuple[datetime, datetime]:
        """From the start of one day to the start of another."""
        return self.midnight(first), self.midnight(after)


def local_zone() -> tzinfo:
    """The user's zone, by its name where that can be found, so that other seasons are right."""
    name = os.environ.get("TZ", "").lstrip(":")
    if not name:
        target = str(Path("/etc/localtime").resolve())
        name = target.partition("/zoneinfo/")[2]
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return datetime.now().astimezone().tzinfo or UTC


def period(text: str, clock: Clock) -> tuple[datetime, datetime]:
    """The span that a text names: a year, a month, a day, a moment, ``last week``.

    Raises:
        BadDateError: it names none.
    """
    plain = " ".join(text.casefold().replace("_", " ").split())
    for read in (_written, _relative, _by_name):
        found = read(plain, clock)
        if found is not None:
            return found
    near = get_close_matches(plain, WORDS, n=1, cutoff=0.6)
    raise BadDateError(f"{text!r} is not a date", near[0] if near else "")


def ranged(text: str, clock: Clock) -> Instants:
    """The span of ``2020-08..2020-10`` (both ends included), ``..2020``, or a single period.

    Raises:
        BadDateError: a part of it is no date, or the end is before the start.
    """
    if ".." not in text:
        return period(text, clock)
    left, _, right = text.partition("..")
    right = right.lstrip(".")
    start = period(left, clock)[0] if left.strip() else None
    end = period(right, clock)[1] if right.strip() else None
    if start is None and end is None:
        raise BadDateError("a range needs a date on one side at least", "2020-08..2020-10")
    if start is not None and end is not None and end <= start:
        raise BadDateError("the range ends before it begins", f"{right.strip()}..{left.strip()}")
    return start, end


def ago(text: str, clock: Clock) -> datetime:
    """The instant that lies a length of time (``3d``, ``2 weeks``) before now.

    Raises:
        BadDateError: it is no length of time.
    """
    match = _LENGTH.fullmatch(" ".join(text.casefold().split()))
    unit = _unit(match[2]) if match else None
    if match is None or unit is None:
        raise BadDateError(f"{text!r} is not a length of time", "3d")
    return _back(clock, int(match[1]), unit)


def _back(clock: Clock, count: int, unit: str) -> datetime:
    now = clock.now.astimezone(clock.zone)
    try:
        if unit == "hour":
            return clock.now.astimezone(UTC) - timedelta(hours=count)
        if unit in ("day", "week"):
            # By the calendar: the same time of day, whatever the clocks did in between.
            return (now - timedelta(days=count * (7 if unit == "week" else 1))).astimezone(UTC)
        months = count * (12 if unit == "year" else 1)
        first = _month(now.year, now.month - months)
        day = min(now.day, monthrange(first.year, first.month)[1])
        return now.replace(year=first.year, month=first.month, day=day).astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise BadDateError("that is before all calendars") from error


def _unit(text: str) -> str | None:
    if text in UNITS:
        return UNITS[text]
    singular = {"min": "", "mo": "month", "wk": "week", "yr": "year"}.get(text, text.rstrip("s"))
    return singular if singular in UNITS.values() else None


def _month(year: int, month: int) -> date:
    """The first of a month; a month outside 1 to 12 runs over into other years."""
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)


def _written(text: str, clock: Clock) -> tuple[datetime, datetime] | None:
    if match := _TIME.fullmatch(text):
        return _moment(match, clock)
    if match := _WEEK.fullmatch(text):
        year, week = int(match[1]), int(match[2])
        first = _checked(lambda: date.fromisocalendar(year, week, 1), text)
        return clock.days(first, first + timedelta(days=7))
    if match := _QUARTER.fullmatch(text):
        if not 1 <= int(match[2]) <= 4:
            raise BadDateError(f"there is no quarter {match[2]}", f"{match[1]}-Q4")
        month = int(match[2]) * 3 - 2
        return clock.days(_month(int(match[1]), month), _month(int(match[1]), month + 3))
    match = _DAY.fullmatch(text)
    if match is None:
        return None
    year = int(match[1])
    if not 1 < year < 9999:
        raise BadDateError(f"there are no entries of the year {year}")
    if match[2] is None:
        return clock.days(date(year, 1, 1), date(year + 1, 1, 1))
    month = int(match[2])
    if not 1 <= month <= 12:
        raise BadDateError(f"there is no month {month}", f"{year}-{min(max(month, 1), 12):02}")
    if match[3] is None:
        return clock.days(_month(year, month), _month(year, month + 1))
    return _day(year, month, int(match[3]), clock)


def _day(year: int, month: int, day: int, clock: Clock) -> tuple[datetime, datetime]:
    last = monthrange(year, month)[1]
    if not 1 <= day <= last:
        name = MONTHS[month - 1].capitalize()
        near = f"{year}-{month:02}-{min(max(day, 1), last):02}"
        raise BadDateError(f"{name} {year} has no day {day}", near)
    first = date(year, month, day)
    return clock.days(first, first + timedelta(days=1))


def _moment(match: re.Match[str], clock: Clock) -> tuple[datetime, datetime]:
    day, hour, minute, second, zone = match.groups()
    text = f"{day}T{int(hour):02}:{minute or '00'}:{second or '00'}"
    if zone:
        text += "+00:00" if zone == "z" else zone
    start = _checked(lambda: datetime.fromisoformat(text), match[0])
    start = (start if start.tzinfo else start.replace(tzinfo=clock.zone)).astimezone(UTC)
    width = {"seconds": 1} if second else {"minutes": 1} if minute else {"hours": 1}
    return start, start + timedelta(**width)


def _relative(text: str, clock: Clock) -> tuple[datetime, datetime] | None:
    today, one = clock.today, timedelta(days=1)
    monday = today - timedelta(days=today.weekday())
    year, month = today.year, today.month
    fixed: dict[str, tuple[date, date]] = {
        "today": (today, today + one),
        "yesterday": (today - one, today),
        "this week": (monday, monday + 7 * one),
        "last week": (monday - 7 * one, monday),
        "this month": (_month(year, month), _month(year, month + 1)),
        "last month": (_month(year, month - 1), _month(year, month)),
        "this year": (date(year, 1, 1), date(year + 1, 1, 1)),
        "last year": (date(year - 1, 1, 1), date(year, 1, 1)),
    }
    if text in fixed:
        return clock.days(*fixed[text])
    if text == "now":
        now = clock.now.astimezone(UTC)
        return now, now + timedelta(microseconds=1)
    weekday = next((at for at, name in enumerate(WEEKDAYS) if text in (name, name[:3])), None)
    if weekday is not None:
        # The latest one: a reader looks back, and today counts.
        day = today - timedelta(days=(today.weekday() - weekday) % 7)
        return clock.days(day, day + one)
    if (match := _SPAN.fullmatch(text)) and (unit := _unit(match[2])):
        return _back(clock, int(match[1]), unit), clock.now.astimezone(UTC)
    if (match := _AGO.fullmatch(text)) and (unit := _unit(match[2])):
        start = _back(clock, int(match[1]), unit)
        if unit == "hour":
            return start, start + timedelta(hours=1)
        day = start.astimezone(clock.zone).date()
        return clock.days(day, day + one)
    return None


def _by_name(text: str, clock: Clock) -> tuple[datetime, datetime] | None:
    """``aug 2020``, ``15 aug 2020``, ``august 15, 2020``; without a year the latest one."""
    match = _NAMED.fullmatch(text)
    if match is None:
        return None
    before, name, behind, year = match.groups()
    months = [at for at, month in enumerate(MONTHS, 1) if month.startswith(name)]
    if len(months) != 1 or (before and behind):
        return None
    month, today = months[0], clock.today
    if year:
        wanted = int(year)
        if not 1 < wanted < 9999:
            raise BadDateError(f"there are no entries of the year {wanted}")
    else:
        wanted = today.year - (month > today.month)
    if before or behind:
        return _day(wanted, month, int(before or behind), clock)
    return clock.days(_month(wanted, month), _month(wanted, month + 1))


def _checked(make: Callable[[], _D], text: str) -> _D:
    try:
        return make()
    except ValueError as error:
        raise BadDateError(f"{text!r} is not a date: {error}") from error
