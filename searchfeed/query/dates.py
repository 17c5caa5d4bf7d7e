"""Dates in a query: what a person writes → a half-open span of instants.

    2020  2020-08  2020-08-15  20200815  15.08.2020  2020-W33  2020-Q3  2020-08-15T10:30+02:00
    aug 2020  15 aug  august 15th, 2020  monday  last friday  today  yesterday
    this week  last month  last 3 days  past year  3 days ago
    3d  2 weeks  1y6m                                  so much time ago, up to now
    2020-08..2020-10  ..2020  >2020  <=2020-08         of ``ranged`` alone

A day is a day of the user's zone, from midnight to midnight, be it 23, 24 or 25 hours long.
Nothing is guessed: what is not a date is refused, with the nearest text that is one.
"""

from __future__ import annotations

import re
from calendar import isleap, monthrange
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import TypeAlias

from searchfeed.patterns import deferred
from searchfeed.query.clock import Clock, month_start, read_length

Instants: TypeAlias = tuple[datetime | None, datetime | None]
"""A half-open span of aware UTC instants; None leaves a side open."""

MONTHS: tuple[str, ...] = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WORDS: tuple[str, ...] = (
    *("today", "yesterday", "now", "this week", "this month", "this year"),
    *("last week", "last month", "last year", *WEEKDAYS, *MONTHS),
)

_DAY = deferred(r"(\d{4})(?:([-/.])(\d{1,2})(?:\2(\d{1,2}))?)?")
_COMPACT = deferred(r"(\d{4})(\d{2})(\d{2})")
_DAY_FIRST = deferred(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_YEAR_LAST = deferred(r"(\d{1,2})[-/](\d{1,2})[-/](\d{4})")
_WEEK = deferred(r"(\d{4})-?w(\d{1,2})")
_QUARTER = deferred(r"(\d{4})-?q(\d)")
_TIME = deferred(
    r"(\d{4}-\d{2}-\d{2})(?:t| (?=\d{1,2}:))(\d{1,2})(?::(\d{2})(?::(\d{2})(?:\.\d+)?)?)?"
    r"(z|[+-]\d{2}:?\d{2})?"
)
_NUMBER_OF_DAY = deferred(r"(\d{1,2})(?:st|nd|rd|th)?")
_COMPARED = deferred(r"\s*([<>]=?|=)\s*")
_BETWEEN = deferred(r"\.{2,}|…")
_ONE = deferred(r"^(?:an?|one) ")
_SIX = deferred(r"(\d{4})(0[1-9]|1[0-2])")
_DASHED = deferred(r"(\d{4}(?:-\d\d?){0,2}) ?(?:-|to) ?(\d{4}(?:-\d\d?){0,2})")


class BadDateError(ValueError):
    """A text that is no date.

    Attributes:
        reason: what is wrong, in a few words.
        suggestion: the nearest right spelling of what is wrong, or empty.
        place: the half-open range of the text's characters that is wrong; None where all of it is.
    """

    def __init__(self, reason: str, suggestion: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.suggestion = suggestion
        self.place: tuple[int, int] | None = None


def period(text: str, clock: Clock) -> tuple[datetime, datetime]:
    """The span that a text names: a year, a month, a day, a moment, ``last week``.

    Raises:
        BadDateError: it names none.
    """
    plain = _normal(text)
    try:
        for read in (_written, _relative, _by_name):
            found = read(plain, clock)
            if found is not None:
                return found
    except BadDateError:
        raise
    except (ValueError, OverflowError) as error:
        raise BadDateError(f"{text!r} is not a date: {error}") from error
    raise BadDateError(f"{text!r} is neither a date nor an age like 3d")


def since(text: str, clock: Clock) -> datetime:
    """The start of the period that a text names, or the instant a length of time ago.

    Raises:
        BadDateError: it is neither.
    """
    return period(text, clock)[0]


def until(text: str, clock: Clock) -> datetime:
    """The end of the period that a text names, or the instant a length of time ago.

    Raises:
        BadDateError: it is neither.
    """
    start, end = period(text, clock)
    return start if read_length(_normal(text)) else end


def ranged(text: str, clock: Clock) -> Instants:
    """The span of ``2020-08..2020-10`` (both ends included), ``>2020``, or a single period.

    Raises:
        BadDateError: a part of it is no date, or the end is before the start.
    """
    compared = _COMPARED.match(text)
    between = _BETWEEN.search(text)
    if compared and compared[1] != "=":
        read = since if compared[1] in (">=", "<") else until
        instant = _side(read, text, compared.end(), len(text), clock)
        return (instant, None) if compared[1] in (">", ">=") else (None, instant)
    first = compared.end() if compared else 0
    if between is None:
        return period(text[first:], clock)
    left, right = text[first : between.start()], text[between.end() :]
    start = _side(since, text, first, between.start(), clock) if left.strip() else None
    end = _side(until, text, between.end(), len(text), clock) if right.strip() else None
    if start is None and end is None:
        raise BadDateError("a range needs a date on one side at least")
    # Where one period follows upon the other, the wrong way round, they meet in one instant.
    turned = start is not None and start == end and period(right, clock)[0] < start
    if start is not None and end is not None and (end < start or turned):
        raise BadDateError("the range ends before it begins", f"{right.strip()}..{left.strip()}")
    return start, end


def _side(
    read: Callable[[str, Clock], datetime], text: str, start: int, end: int, clock: Clock
) -> datetime:
    """One date of several in a text; an error tells which."""
    side = text[start:end]
    try:
        return read(side, clock)
    except BadDateError as error:
        if side.strip():
            start += len(side) - len(side.lstrip())
            error.place = start, start + len(side.strip())
            error.suggestion = error.suggestion or nearest(side)
        raise


def nearest(text: str) -> str:
    """What a text that is no date was probably meant to be, or an empty string.

    >>> nearest("yesterdya"), nearest("15/08/2020"), nearest("2020-2021"), nearest("garbage")
    ('yesterday', '2020-08-15', '2020..2021', '')
    """
    plain = _normal(text)
    if plain.isdecimal() and len(plain) < 3:
        return f"{plain}d"
    if match := _SIX.fullmatch(plain):
        return f"{match[1]}-{match[2]}"
    if match := _DASHED.fullmatch(plain):
        return f"{match[1]}..{match[2]}"
    if match := _YEAR_LAST.fullmatch(plain):
        one, other, year = (int(number) for number in match.groups())
        month, day = (other, one) if other <= 12 else (one, other)
        return f"{year:04}-{month:02}-{day:02}" if month <= 12 and day <= 31 else ""
    from difflib import get_close_matches

    near = get_close_matches(plain, WORDS, n=1, cutoff=0.6)
    return near[0] if near else ""


def _normal(text: str) -> str:
    return " ".join(text.casefold().replace("_", " ").split())


def _written(text: str, clock: Clock) -> tuple[datetime, datetime] | None:
    if match := _TIME.fullmatch(text):
        return _moment(match, clock)
    if match := _WEEK.fullmatch(text):
        first = date.fromisocalendar(int(match[1]), int(match[2]), 1)
        return clock.span(first, first + timedelta(days=7))
    if match := _QUARTER.fullmatch(text):
        if not 1 <= int(match[2]) <= 4:
            raise BadDateError(f"there is no quarter {match[2]}", f"{match[1]}-Q4")
        month = int(match[2]) * 3 - 2
        return clock.span(month_start(int(match[1]), month), month_start(int(match[1]), month + 3))
    if match := _COMPACT.fullmatch(text):
        return _days_of(clock, *match.groups())
    if match := _DAY_FIRST.fullmatch(text):
        return _days_of(clock, match[3], match[2], match[1])
    match = _DAY.fullmatch(text)
    return _days_of(clock, match[1], match[3], match[4]) if match else None


def _days_of(
    clock: Clock, year: str, month: str | None, day: str | None
) -> tuple[datetime, datetime]:
    if month is None:
        return clock.span(date(int(year), 1, 1), date(int(year) + 1, 1, 1))
    number = int(month)
    if not 1 <= number <= 12:
        raise BadDateError(f"there is no month {number}", f"{year}-{min(max(number, 1), 12):02}")
    return _calendar(clock, int(year), number, int(day) if day else None)


def _calendar(clock: Clock, year: int, month: int, day: int | None) -> tuple[datetime, datetime]:
    """A month, or a day of it."""
    if day is None:
        return clock.span(month_start(year, month), month_start(year, month + 1))
    last = monthrange(year, month)[1]
    if not 1 <= day <= last:
        name = MONTHS[month - 1].capitalize()
        near = f"{year:04}-{month:02}-{min(max(day, 1), last):02}"
        raise BadDateError(f"{name} {year} has no day {day}", near)
    first = date(year, month, day)
    return clock.span(first, first + timedelta(days=1))


def _moment(match: re.Match[str], clock: Clock) -> tuple[datetime, datetime]:
    day, hour, minute, second, zone = match.groups()
    text = f"{day}T{int(hour):02}:{minute or '00'}:{second or '00'}"
    if zone:
        text += "+00:00" if zone == "z" else zone
    start = datetime.fromisoformat(text)
    width = timedelta(**{"seconds" if second else "minutes" if minute else "hours": 1})
    if start.tzinfo is None:
        return clock.span(start, start + width)
    start = start.astimezone(UTC)
    return start, start + width


def _relative(text: str, clock: Clock) -> tuple[datetime, datetime] | None:
    today, one = clock.today, timedelta(days=1)
    monday = today - timedelta(days=today.weekday())
    year, month = today.year, today.month
    fixed: dict[str, tuple[date, date]] = {
        "today": (today, today + one),
        "yesterday": (today - one, today),
        "this week": (monday, monday + 7 * one),
        "last week": (monday - 7 * one, monday),
        "this month": (month_start(year, month), month_start(year, month + 1)),
        "last month": (month_start(year, month - 1), month_start(year, month)),
        "this year": (date(year, 1, 1), date(year + 1, 1, 1)),
        "last year": (date(year - 1, 1, 1), date(year, 1, 1)),
    }
    if text in fixed:
        return clock.span(*fixed[text])
    now = clock.now.astimezone(UTC)
    if text == "now":
        return now, now + timedelta(microseconds=1)
    name = text.removeprefix("last ")
    weekday = _beginning(name, WEEKDAYS)
    if weekday is not None:
        # The latest one: a reader looks back. Today counts, unless it is said to be over.
        latest = today if name == text else today - one
        day = latest - timedelta(days=(latest.weekday() - weekday) % 7)
        return clock.span(day, day + one)
    passed = text.removeprefix("last ").removeprefix("past ")
    length = read_length(passed)
    if length is None and passed != text:
        length = read_length(f"1 {passed}")
    if length is not None:
        return clock.back(length), now
    if text.endswith(" ago") and (length := read_length(_ONE.sub("1 ", text).removesuffix(" ago"))):
        start = clock.back(length)
        if length[2]:
            return start, start + timedelta(minutes=1 if length[2] % 60 else 60)
        day = start.astimezone(clock.zone).date()
        return clock.span(day, day + one)
    return None


def _by_name(text: str, clock: Clock) -> tuple[datetime, datetime] | None:
    """``aug 2020``, ``15 aug 2020``, ``august 15th, 2020``; without a year the latest one."""
    month = day = year = None
    for word in filter(None, re.split(r"[ ,./-]+", text)):
        match = _NUMBER_OF_DAY.fullmatch(word)
        if month is None and (at := _beginning(word, MONTHS)) is not None:
            month = at + 1
        elif day is None and match:
            day = int(match[1])
        elif year is None and len(word) == 4 and word.isdecimal():
            year = int(word)
        else:
            return None
    if month is None:
        return None
    if year is None:
        today = clock.today
        year = today.year - ((month, day or 1) > (today.month, today.day))
        while (month, day) == (2, 29) and not isleap(year):
            year -= 1
    return _calendar(clock, year, month, day)


def _beginning(text: str, names: Iterable[str]) -> int | None:
    """The place of the name that begins with a text of three letters or more."""
    if len(text) < 3:
        return None
    return next((at for at, name in enumerate(names) if name.startswith(text)), None)
