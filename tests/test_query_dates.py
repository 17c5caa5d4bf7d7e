"""Dates of the query language against a filter that knows nothing of instants: the calendar."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchfeed import tree
from searchfeed.query import dates, parse
from searchfeed.query.clock import Clock, SystemZone, read_length
from tests.engines import examples

ZONES = ["Europe/Vienna", "America/Sao_Paulo", "Australia/Lord_Howe"]
"""Summer time at night; at midnight, so that days begin at one; by half an hour."""

NOW = datetime(2020, 9, 16, 12, tzinfo=UTC)
"""A Wednesday."""


def instants(text: str, now: datetime, zone: tzinfo) -> dates.Instants:
    node = parse(text, now=now, zone=zone).node
    assert isinstance(node, tree.DateRange)
    return node.start, node.end


def holds(span: dates.Instants, moment: datetime) -> bool:
    start, end = span
    return (start is None or start <= moment) and (end is None or moment < end)


def local(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


# Every written form, against brute force

DAYS = st.dates(date(1995, 1, 1), date(2025, 12, 31)) | st.sampled_from(
    [date(2018, 11, 4), date(2018, 2, 17), date(2018, 2, 18), date(2017, 10, 15), date(2020, 2, 29),
     date(2020, 3, 29), date(2020, 10, 25), date(2020, 4, 5), date(2020, 10, 4), date(1999, 12, 31)]
)  # fmt: skip
Parts = tuple[int, ...]


def written(day: date, precision: int, form: int) -> str:
    """A year, a month or a day as people write it."""
    forms = (
        (f"{day:%Y}",),
        (f"{day:%Y-%m}", f"{day.year}-{day.month}", f"{day:%Y/%m}", f'"{day:%b %Y}"',
         f'"{day:%B %Y}"', f"{day:%B}-{day:%Y}"),
        (f"{day:%Y-%m-%d}", f"{day.year}/{day.month}/{day.day}", f"{day:%d.%m.%Y}",
         f'"{day.day} {day:%b %Y}"', f'"{day:%B} {day.day}, {day:%Y}"', f"{day:%d-%b-%Y}",
         f"{day:%Y.%m.%d}"),
    )[precision - 1]  # fmt: skip
    return forms[form % len(forms)]


def parts(day: date, precision: int) -> Parts:
    return (day.year, day.month, day.day)[:precision]


@given(
    st.sampled_from(ZONES),
    st.lists(st.tuples(DAYS, st.integers(1, 3), st.integers(0, 6)), min_size=2, max_size=2),
    st.sampled_from(["date:{}", "date:={}", "date:>{}", "date:>={}", "date:<{}", "date:<={}",
                     "after:{}", "since:{}", "newer:{}", "before:{}", "older:{}", "until:{}",
                     "date:..{}", "date:{}..", "range"]),
    st.lists(st.tuples(st.booleans(), st.integers(-60 * 50, 60 * 50)), min_size=6, max_size=6),
)  # fmt: skip
@settings(max_examples=examples(300, long=1000), deadline=None)
def test_written_dates_equal_the_calendar(
    name: str,
    two: list[tuple[date, int, int]],
    template: str,
    offsets: list[tuple[bool, int]],
) -> None:
    zone = ZoneInfo(name)
    first, last = sorted(two)
    one, other = parts(*first[:2]), parts(*last[:2])
    if template == "range":
        # In a range the quotes stand around it all.
        inner = f"{written(*first)}..{written(*last)}".replace('"', "")
        text = f'date:"{inner}"'
    else:
        text = template.format(written(*first))
        if text.count('"'):
            text = text.replace('"', "").replace(":", ':"', 1) + '"'
    span = instants(text, NOW, zone)
    for from_last, minutes in offsets:
        day, precision, _ = last if from_last else first
        begin = date(*(*parts(day, precision), 1, 1)[:3])
        edges = (begin, begin + timedelta(days=(365, 30, 1)[precision - 1]))
        base = edges[minutes % 2]
        moment = datetime(base.year, base.month, base.day, tzinfo=UTC) + timedelta(minutes=minutes)
        at = moment.astimezone(zone)
        there = (at.year, at.month, at.day)
        mine, others = there[: len(one)], there[: len(other)]
        expected = {
            "date:{}": mine == one,
            "date:={}": mine == one,
            "date:>{}": mine > one,
            "date:>={}": mine >= one,
            "date:<{}": mine < one,
            "date:<={}": mine <= one,
            "after:{}": mine >= one,
            "since:{}": mine >= one,
            "newer:{}": mine >= one,
            "before:{}": mine < one,
            "older:{}": mine < one,
            "until:{}": mine <= one,
            "date:..{}": mine <= one,
            "date:{}..": mine >= one,
            "range": mine >= one and others <= other,
        }[template]
        assert holds(span, moment) == expected, (text, moment, at)


@given(
    st.sampled_from([*ZONES, "Asia/Kolkata", "Asia/Beirut", "Pacific/Apia", "America/Havana"]), DAYS
)
@settings(max_examples=300, deadline=None)
def test_days_follow_each_other_without_a_gap(name: str, day: date) -> None:
    zone = ZoneInfo(name)
    clock = Clock(NOW, zone)
    start, end = dates.ranged(day.isoformat(), clock)
    assert start is not None
    assert end is not None
    assert start.tzinfo is end.tzinfo is UTC
    following = (day + timedelta(days=1)).isoformat()
    assert dates.ranged(following, clock)[0] == end
    month, year = dates.period(f"{day:%Y-%m}", clock), dates.period(f"{day:%Y}", clock)
    assert year[0] <= month[0] <= start < end <= month[1] <= year[1]
    # Half-open: the start belongs to the day, the end to the next one.
    assert start.astimezone(zone).date() == day
    assert (end - timedelta(microseconds=1)).astimezone(zone).date() == day
    assert end.astimezone(zone).date() > day


def changes(name: str) -> list[date]:
    """The days on which the clocks of a zone were changed."""
    zone = ZoneInfo(name)
    days = [date(2009, 1, 1) + timedelta(days=at) for at in range(365 * 11)]
    noons = [datetime(day.year, day.month, day.day, 12, tzinfo=zone) for day in days]
    return [
        noon.date() for before, noon in pairwise(noons) if before.utcoffset() != noon.utcoffset()
    ]


CHANGES = {name: changes(name) for name in ZONES}


@pytest.mark.parametrize("name", ZONES)
@settings(max_examples=100, deadline=None)
@given(
    number=st.integers(0, 10_000),
    earlier=st.integers(0, 1),
    hour=st.integers(0, 23) | st.integers(0, 3),
    minutes=st.lists(st.integers(-150, 210), min_size=4),
)
def test_hours_equal_what_the_clock_shows(
    name: str, number: int, earlier: int, hour: int, minutes: list[int]
) -> None:
    zone = ZoneInfo(name)
    day = CHANGES[name][number % len(CHANGES[name])] - timedelta(days=earlier)
    span = instants(f"date:{day}T{hour:02}", NOW, zone)
    middle = datetime(day.year, day.month, day.day, hour, tzinfo=zone).astimezone(UTC)
    for minute in minutes:
        moment = middle + timedelta(minutes=minute)
        shown = moment.astimezone(zone)
        assert holds(span, moment) == ((shown.date(), shown.hour) == (day, hour)), shown


def test_a_clock_that_jumps_over_the_middle_of_a_time() -> None:
    zone = ZoneInfo("America/St_Johns")  # from 00:01 to 01:01
    jump = datetime(2010, 3, 14, 3, 31, tzinfo=UTC)
    minute = timedelta(minutes=1)
    assert instants("date:2010-03-14T00", NOW, zone) == (jump - minute, jump)
    assert instants("date:2010-03-14T01", NOW, zone) == (jump, jump + 59 * minute)
    assert instants("date:2010-03-14T00:30", NOW, zone) == (jump, jump)


@pytest.mark.parametrize("zone", [ZoneInfo("Europe/Vienna"), SystemZone()], ids=["named", "system"])
@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2020-10-25T02", "2020-10-25T00:00", "2020-10-25T02:00"),
        ("2020-10-25T03", "2020-10-25T02:00", "2020-10-25T03:00"),
        ("2020-10-25T02:30", "2020-10-25T00:30", "2020-10-25T01:31"),
        ("2020-03-29T02", "2020-03-29T01:00", "2020-03-29T01:00"),
        ("2020-03-29T02:30", "2020-03-29T01:00", "2020-03-29T01:00"),
        ("2020-10-25T02+02:00", "2020-10-25T00:00", "2020-10-25T01:00"),
    ],
)
def test_a_time_that_the_clock_shows_twice_is_both_and_one_that_it_skips_is_none(
    zone: tzinfo, text: str, start: str, end: str, system: pytest.MonkeyPatch
) -> None:
    system.setenv("TZ", "Europe/Vienna")
    time.tzset()
    expected = tuple(datetime.fromisoformat(f"{each}Z") for each in (start, end))
    assert instants(f"date:{text}", NOW, zone) == expected


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Vienna", "2020-03-28", 24),
        ("Europe/Vienna", "2020-03-29", 23),
        ("Europe/Vienna", "2020-10-25", 25),
        ("America/Sao_Paulo", "2018-11-04", 23),
        ("America/Sao_Paulo", "2018-02-17", 25),
        ("America/Sao_Paulo", "2019-11-03", 24),
        ("Asia/Beirut", "2021-03-28", 23),
        ("Australia/Lord_Howe", "2020-10-04", 23.5),
        ("Australia/Lord_Howe", "2020-04-05", 24.5),
        ("Asia/Kolkata", "2020-03-29", 24),
        ("Pacific/Apia", "2011-12-30", 0),
    ],
)
def test_lengths_of_days(zone: str, day: str, hours: float) -> None:
    start, end = dates.period(day, Clock(NOW, ZoneInfo(zone)))
    assert (end - start) / timedelta(hours=1) == hours


# Relative words

WEDNESDAY = "2020-09-16 14:00"


@pytest.mark.parametrize(
    ("now", "text", "start", "end"),
    [
        (WEDNESDAY, "date:today", "2020-09-16 00:00", "2020-09-17 00:00"),
        (WEDNESDAY, "date:Yesterday", "2020-09-15 00:00", "2020-09-16 00:00"),
        (WEDNESDAY, 'date:"this week"', "2020-09-14 00:00", "2020-09-21 00:00"),
        (WEDNESDAY, "date:last_week", "2020-09-07 00:00", "2020-09-14 00:00"),
        (WEDNESDAY, "date:this month", "2020-09-01 00:00", "2020-10-01 00:00"),
        (WEDNESDAY, "date:last month", "2020-08-01 00:00", "2020-09-01 00:00"),
        (WEDNESDAY, "date:this year", "2020-01-01 00:00", "2021-01-01 00:00"),
        (WEDNESDAY, "date:last year", "2019-01-01 00:00", "2020-01-01 00:00"),
        (WEDNESDAY, "date:wednesday", "2020-09-16 00:00", "2020-09-17 00:00"),
        (WEDNESDAY, "date:last wed", "2020-09-09 00:00", "2020-09-10 00:00"),
        (WEDNESDAY, "date:thurs", "2020-09-10 00:00", "2020-09-11 00:00"),
        (WEDNESDAY, "since:monday", "2020-09-14 00:00", ""),
        (WEDNESDAY, "until:yesterday", "", "2020-09-16 00:00"),
        (WEDNESDAY, "date:september", "2020-09-01 00:00", "2020-10-01 00:00"),
        (WEDNESDAY, "date:oct", "2019-10-01 00:00", "2019-11-01 00:00"),
        (WEDNESDAY, "date:16 sept.", "2020-09-16 00:00", "2020-09-17 00:00"),
        (WEDNESDAY, "date:sep 17th", "2019-09-17 00:00", "2019-09-18 00:00"),
        (WEDNESDAY, "date:2020 aug", "2020-08-01 00:00", "2020-09-01 00:00"),
        (WEDNESDAY, "date:3d", "2020-09-13 14:00", WEDNESDAY),
        (WEDNESDAY, "date:last 3 days", "2020-09-13 14:00", WEDNESDAY),
        (WEDNESDAY, "date:past week", "2020-09-09 14:00", WEDNESDAY),
        (WEDNESDAY, "date:3 days ago", "2020-09-13 00:00", "2020-09-14 00:00"),
        (WEDNESDAY, "date:a week ago", "2020-09-09 00:00", "2020-09-10 00:00"),
        (WEDNESDAY, "date:2 hours ago", "2020-09-16 12:00", "2020-09-16 13:00"),
        (WEDNESDAY, "date:3d..1d", "2020-09-13 14:00", "2020-09-15 14:00"),
        (WEDNESDAY, "date:monday..now", "2020-09-14 00:00", WEDNESDAY),
        (WEDNESDAY, "date:>3d", "2020-09-13 14:00", ""),
        (WEDNESDAY, "since:3d", "2020-09-13 14:00", ""),
        (WEDNESDAY, "after:2 weeks", "2020-09-02 14:00", ""),
        (WEDNESDAY, "before:3d", "", "2020-09-13 14:00"),
        (WEDNESDAY, "until:3d", "", "2020-09-13 14:00"),
        (WEDNESDAY, "newer:90min", "2020-09-16 12:30", ""),
        (WEDNESDAY, "newer:2weeks", "2020-09-02 14:00", ""),
        (WEDNESDAY, "older:1y6m", "", "2019-03-16 14:00"),
        (WEDNESDAY, "date:2020-W38", "2020-09-14 00:00", "2020-09-21 00:00"),
        (WEDNESDAY, "date:2020-q4", "2020-10-01 00:00", "2021-01-01 00:00"),
        (WEDNESDAY, "date:20200815", "2020-08-15 00:00", "2020-08-16 00:00"),
        (WEDNESDAY, "date:20200801..20200815", "2020-08-01 00:00", "2020-08-16 00:00"),
        (WEDNESDAY, "date:2020-08-15T10", "2020-08-15 10:00", "2020-08-15 11:00"),
        (WEDNESDAY, "date:2020-08-15 9:30", "2020-08-15 09:30", "2020-08-15 09:31"),
        (WEDNESDAY, "date:2020-08-15T08:00:00.5Z..", "2020-08-15 10:00", ""),
        (WEDNESDAY, "date:2020-08-15T08:00-0200..", "2020-08-15 12:00", ""),
        (WEDNESDAY, "date:２０２０－０８", "2020-08-01 00:00", "2020-09-01 00:00"),
        (WEDNESDAY, "date:٢٠٢٠-٠٨", "2020-08-01 00:00", "2020-09-01 00:00"),
        (WEDNESDAY, "date:2020…2021", "2020-01-01 00:00", "2022-01-01 00:00"),
        # The first of January, a Friday.
        ("2021-01-01 00:00", "date:yesterday", "2020-12-31 00:00", "2021-01-01 00:00"),
        ("2021-01-01 00:00", "date:last month", "2020-12-01 00:00", "2021-01-01 00:00"),
        ("2021-01-01 00:00", "date:this week", "2020-12-28 00:00", "2021-01-04 00:00"),
        ("2021-01-01 00:00", "date:last year", "2020-01-01 00:00", "2021-01-01 00:00"),
        ("2021-01-01 00:00", "date:december", "2020-12-01 00:00", "2021-01-01 00:00"),
        ("2021-01-01 00:00", "date:jan 2", "2020-01-02 00:00", "2020-01-03 00:00"),
        ("2020-12-31 23:59", "date:this month", "2020-12-01 00:00", "2021-01-01 00:00"),
        # Leap years and the ends of months.
        ("2020-02-29 12:00", "newer:1y", "2019-02-28 12:00", ""),
        ("2020-02-29 12:00", "newer:4y", "2016-02-29 12:00", ""),
        ("2020-03-31 12:00", "newer:1m", "2020-02-29 12:00", ""),
        ("2021-03-31 12:00", "newer:1m", "2021-02-28 12:00", ""),
        ("2021-03-31 12:00", "date:last month", "2021-02-01 00:00", "2021-03-01 00:00"),
        ("2021-03-31 12:00", "date:29 feb", "2020-02-29 00:00", "2020-03-01 00:00"),
        ("2020-03-01 00:00", "date:yesterday", "2020-02-29 00:00", "2020-03-01 00:00"),
        # The clocks change: days go by the calendar, hours by the clock.
        ("2020-03-29 12:00", "date:today", "2020-03-29 00:00", "2020-03-30 00:00"),
        ("2020-03-29 12:00", "newer:1d", "2020-03-28 12:00", ""),
        ("2020-03-29 12:00", "newer:24h", "2020-03-28 11:00", ""),
        ("2020-03-30 00:30", "date:yesterday", "2020-03-29 00:00", "2020-03-30 00:00"),
        ("2020-10-25 12:00", "newer:1d", "2020-10-24 12:00", ""),
        ("2020-10-25 12:00", "newer:24h", "2020-10-24 13:00", ""),
        ("2020-10-26 00:30", "date:sunday", "2020-10-25 00:00", "2020-10-26 00:00"),
    ],
)  # fmt: skip
def test_relative_dates(now: str, text: str, start: str, end: str) -> None:
    zone = ZoneInfo("Europe/Vienna")
    at = datetime.fromisoformat(now).replace(tzinfo=zone)
    first, after = instants(text, at.astimezone(UTC), zone)
    assert (local(first, zone) if first else "") == start
    assert (local(after, zone) if after else "") == end


def test_an_hour_ago_when_the_hour_comes_twice() -> None:
    zone = ZoneInfo("Europe/Vienna")
    now = datetime(2020, 10, 25, 1, 30, tzinfo=UTC)  # 02:30, for the second time
    assert instants("newer:1h", now, zone)[0] == now - timedelta(hours=1)


def test_the_day_is_that_of_the_zone() -> None:
    now = datetime(2020, 9, 15, 22, 30, tzinfo=UTC)
    for name, day in (("Europe/Vienna", 16), ("America/Sao_Paulo", 15)):
        zone = ZoneInfo(name)
        start, _ = instants("date:today", now, zone)
        assert start is not None
        assert start.astimezone(zone).day == day


@pytest.mark.parametrize("text", [*dates.WORDS, "last 2 months", "5 years ago", "12h"])
@given(age=st.integers(0, 25 * 365 * 24 * 60), name=st.sampled_from(ZONES))
@settings(max_examples=20, deadline=None)
def test_relative_words_look_back(text: str, age: int, name: str) -> None:
    clock = Clock(NOW - timedelta(minutes=age), ZoneInfo(name))
    start, end = dates.period(text, clock)
    assert start < end
    assert start <= clock.now


@given(st.text() | st.from_regex(r"[<>=]{0,2}[0-9a-zQW:T. /-]{1,12}", fullmatch=True))
@settings(max_examples=examples(150, long=500), deadline=None)
def test_a_text_is_a_date_or_refused(text: str) -> None:
    clock = Clock(NOW, ZoneInfo("Europe/Vienna"))
    try:
        start, end = dates.ranged(text, clock)
    except dates.BadDateError:
        assert isinstance(dates.nearest(text), str)
    else:
        assert start is None or end is None or start <= end


def test_lengths() -> None:
    assert read_length("1y 6 months 2w 3d 4h 5 min") == (18, 17, 245)
    for text in ("", "3", "d", "3x", "3d4", "y1", "3 d x", "-3d", "3.5d", "99999d"):
        assert read_length(text) is None


# The user's own zone


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    yield monkeypatch
    monkeypatch.undo()
    time.tzset()


MOMENTS = [
    datetime(2018, 1, 1, tzinfo=UTC) + timedelta(hours=hours, minutes=hours % 60)
    for hours in range(0, 24 * 365 * 3, 5)
]


@pytest.mark.parametrize("name", [*ZONES, "Asia/Beirut", "Asia/Kolkata", "UTC"])
def test_system_zone_is_the_one_of_tz(name: str, system: pytest.MonkeyPatch) -> None:
    system.setenv("TZ", name)
    time.tzset()
    named, zone = ZoneInfo(name), SystemZone()
    for moment in MOMENTS:
        there = moment.astimezone(zone)
        assert there.replace(tzinfo=None) == moment.astimezone(named).replace(tzinfo=None)
        assert there.utcoffset() == moment.astimezone(named).utcoffset()
        assert there.astimezone(UTC) == moment
    for day in range(365 * 3):
        midnight = date(2018, 1, 1) + timedelta(days=day)
        clock, other = Clock(MOMENTS[0], zone), Clock(MOMENTS[0], named)
        assert clock.start(midnight) == other.start(midnight)


def test_parse_takes_the_system_zone(system: pytest.MonkeyPatch) -> None:
    for name in ("Europe/Vienna", "CET-1CEST,M3.5.0,M10.5.0/3"):
        system.setenv("TZ", name)
        time.tzset()
        start, end = _range(parse("date:2020-03-29").node)
        assert start == datetime(2020, 3, 28, 23, tzinfo=UTC)
        assert end == datetime(2020, 3, 29, 22, tzinfo=UTC)
        start, _ = _range(parse("newer:1h").node)
        assert start is not None
        assert timedelta(0) <= datetime.now(UTC) - start - timedelta(hours=1) < timedelta(minutes=1)


@pytest.mark.parametrize("name", ["", ":UTC", "Nowhere/Land", "\U0001f600", "/no/such/file"])
def test_a_zone_without_data_is_no_error(name: str, system: pytest.MonkeyPatch) -> None:
    system.setenv("TZ", name)
    time.tzset()
    start, end = _range(parse("date:2020-08").node)
    assert start is not None
    assert end is not None
    assert end - start == timedelta(days=31)


def test_system_zone_of_no_moment() -> None:
    zone = SystemZone()
    assert (zone.utcoffset(None), zone.tzname(None)) == (None, None)
    assert NOW.astimezone(zone).tzname() == NOW.astimezone().tzname()


def _range(node: tree.Node) -> dates.Instants:
    assert isinstance(node, tree.DateRange)
    return node.start, node.end
