"""Facets and trends: what every engine promises, against counting by hand, and how they show."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, date, datetime, timedelta, tzinfo
from importlib import import_module
from importlib.resources import files
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchfeed import cli, periods
from searchfeed.analysis import fold, spell
from searchfeed.engines import Change, Engine
from searchfeed.index import Index
from searchfeed.index.searching import BUCKETS
from searchfeed.models import Bucket, Entry, Facet, FacetCount, Period, Query, Results, Trend
from searchfeed.output import FACETED, TREND, Faceted, Screen
from searchfeed.output.chart import HEIGHT, ROWS
from searchfeed.query import parse
from searchfeed.tree import And, DateRange, Everything, Node, Not, Or, Word
from tests.engines import NAMES, examples, open_at

jsonschema = import_module("jsonschema")

NEW_YEAR = datetime(2020, 1, 1, tzinfo=UTC)
PERIODS = set(map(str, Period))
ZONES = [
    UTC,
    # Summer time; clocks that jump over midnight; ahead by a quarter of an hour; a lost day.
    *map(ZoneInfo, ("Europe/Vienna", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia")),
    *map(ZoneInfo, ("America/New_York", "Pacific/Kiritimati", "Africa/Cairo")),
]


def entry(number: int, title: str = "x", **more: object) -> Entry:
    values: dict[str, object] = {
        "id": f"{number:016x}",
        "feed_url": "https://feeds.example/news",
        "feed_title": "Example News",
        "body": "",
        "published": NEW_YEAR + timedelta(days=number),
    }
    return Entry(title=title, **(values | more))  # type: ignore[arg-type]


def write(engine: Engine, *entries: Entry) -> None:
    first = engine.reached + 1
    changes = [Change(first + at, one) for at, one in enumerate(entries)]
    engine.write(changes, reached=first + len(entries) - 1)


def remove(engine: Engine, ids: Iterable[str]) -> None:
    engine.write([], reached=engine.reached + 1, removed=ids)


def counted(
    engine: Engine,
    facet: Facet,
    node: Node | None = None,
    *,
    zone: tzinfo = UTC,
    limit: int | None = None,
) -> list[tuple[str, int]]:
    found = engine.facets(node or Everything(), [facet], limit=limit, zone=zone)
    assert list(found) == [facet]
    return [(each.value, each.count) for each in found[facet]]


@pytest.fixture(params=NAMES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    opened = open_at(request.param, tmp_path / "engine")
    yield opened
    opened.close()


def test_an_empty_index_has_no_values(engine: Engine) -> None:
    found = engine.facets(Everything(), list(Facet), zone=UTC)
    assert found == dict.fromkeys(Facet, ())
    write(engine, entry(1))
    assert set(engine.facets(Word("absent"), list(Facet), zone=UTC).values()) == {()}


def test_the_largest_come_first_and_ties_go_by_value(engine: Engine) -> None:
    write(
        engine,
        entry(1, tags=("c", "b")),
        entry(2, tags=("a", "b")),
        entry(3, tags=("d",)),
    )
    assert counted(engine, Facet.TAG) == [("b", 2), ("a", 1), ("c", 1), ("d", 1)]
    assert counted(engine, Facet.TAG, limit=2) == [("b", 2), ("a", 1)]
    assert len(engine.facets(Everything(), [Facet.TAG], zone=UTC)[Facet.TAG]) == 4


def test_ten_values_unless_more_are_asked_for(engine: Engine) -> None:
    write(engine, *(entry(at, tags=(f"tag {at:02}",)) for at in range(30)))
    assert len(engine.facets(Everything(), [Facet.TAG], zone=UTC)[Facet.TAG]) == 10
    assert len(counted(engine, Facet.TAG)) == 30


def test_only_entries_that_match_count_and_all_of_them(engine: Engine) -> None:
    write(engine, *(entry(at, "even" if at % 2 == 0 else "odd") for at in range(1, 60)))
    assert counted(engine, Facet.FEED, Word("even")) == [("https://feeds.example/news", 29)]
    assert counted(engine, Facet.YEAR, Not(Word("even"))) == [("2020", 30)]


def test_an_entry_counts_once_a_value_however_it_is_written(engine: Engine) -> None:
    write(
        engine,
        entry(1, tags=("Économie", "economie", "ECONOMIE"), authors=("Ann Lee", "ann  lee")),
        entry(2, tags=("Économie",), authors=("Ann Lee",)),
        entry(3, tags=("economie",), authors=("Bo Ray", "Ann Lee")),
    )
    write(engine, entry(4, tags=("Économie",), authors=("bo ray",)))
    found = engine.facets(Everything(), [Facet.TAG, Facet.AUTHOR], zone=UTC)
    assert found[Facet.TAG] == (FacetCount("economie", 4, "Économie"),)
    # Where two forms are as frequent, it is the first in the order of characters.
    assert found[Facet.AUTHOR] == (
        FacetCount("ann lee", 3, "Ann Lee"),
        FacetCount("bo ray", 2, "Bo Ray"),
    )


def test_every_value_is_a_condition_that_finds_as_many(engine: Engine) -> None:
    write(
        engine,
        entry(1, tags=("Climate Change", "C++"), authors=("Jana Weber",), language="en-gb"),
        entry(2, tags=("climate change",), language="de", feed_url="https://x.example/rss"),
        entry(3, tags=("C++",), authors=("Jana Weber",), published=None, language="de"),
    )
    for facet, counts in engine.facets(Everything(), list(Facet), zone=UTC).items():
        assert counts, facet
        field = facet if facet not in PERIODS else "date"
        for each in counts:
            text = f'{field}:"{each.value}"' if field != "date" else f"date:{each.value}"
            node = parse(text, zone=UTC).node
            assert engine.search(node, limit=1).total == each.count, text


def test_the_label_of_a_feed_is_its_url(engine: Engine) -> None:
    write(engine, entry(1, language="en-gb"), entry(2, language=""))
    found = engine.facets(Everything(), [Facet.FEED, Facet.LANGUAGE, Facet.MONTH], zone=UTC)
    url = "https://feeds.example/news"
    assert found == {
        Facet.FEED: (FacetCount(url, 2, url),),
        Facet.LANGUAGE: (FacetCount("en-gb", 1, "en-gb"),),
        Facet.MONTH: (FacetCount("2020-01", 2, "2020-01"),),
    }


def test_replaced_and_deleted_entries_do_not_count(engine: Engine) -> None:
    write(engine, entry(1, tags=("old",)), entry(2, tags=("kept",)), entry(3, tags=("gone",)))
    write(engine, entry(1, tags=("new",)))
    remove(engine, [entry(3).id])
    assert counted(engine, Facet.TAG) == [("kept", 1), ("new", 1)]
    assert counted(engine, Facet.DAY) == [("2020-01-02", 1), ("2020-01-03", 1)]


def test_entries_without_a_date_are_in_no_period(engine: Engine) -> None:
    write(engine, entry(1, published=None), entry(2, published=None, updated=NEW_YEAR))
    assert counted(engine, Facet.YEAR) == [("2020", 1)]


def test_periods_are_those_of_the_zone(engine: Engine) -> None:
    # Vienna is an hour ahead in winter and two in summer.
    write(
        engine,
        entry(1, published=datetime(2019, 12, 31, 22, 59, 59, tzinfo=UTC)),
        entry(2, published=datetime(2019, 12, 31, 23, 0, tzinfo=UTC)),
        entry(3, published=datetime(2020, 6, 30, 21, 59, 59, 999_999, tzinfo=UTC)),
        entry(4, published=datetime(2020, 6, 30, 22, 0, tzinfo=UTC)),
    )
    vienna = ZoneInfo("Europe/Vienna")
    assert counted(engine, Facet.YEAR, zone=UTC) == [("2019", 2), ("2020", 2)]
    assert counted(engine, Facet.YEAR, zone=vienna) == [("2020", 3), ("2019", 1)]
    assert sorted(counted(engine, Facet.MONTH, zone=vienna)) == [
        ("2019-12", 1),
        ("2020-01", 1),
        ("2020-06", 1),
        ("2020-07", 1),
    ]
    assert sorted(counted(engine, Facet.WEEK, zone=vienna)) == [("2020-W01", 2), ("2020-W27", 2)]


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_the_ends_of_the_calendar_are_no_error(engine: Engine, zone: tzinfo) -> None:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    write(engine, entry(1, published=first), entry(2, published=last))
    for period in Period:
        assert sum(number for _, number in counted(engine, Facet(period), zone=zone)) == 2


@pytest.mark.parametrize("name", NAMES)
def test_a_state_committed_by_another_shows(name: str, tmp_path: Path) -> None:
    reader, writer = (open_at(name, tmp_path / name) for _ in range(2))
    write(writer, entry(1, tags=("a",)))
    assert counted(reader, Facet.TAG) == [("a", 1)]
    write(writer, entry(2, tags=("a", "b")))
    assert counted(reader, Facet.TAG) == [("a", 2), ("b", 1)]


# Brute force as the oracle

names = st.sampled_from(["Oil", "oil", "ÖL", "Öl", "gas", "東京", "c++", "C++", "two  words"])
moments = st.one_of(
    st.none(),
    # Around the ends of months, years and weeks, and the changes of clocks.
    st.builds(
        lambda base, hours, micro: base + timedelta(hours=hours, microseconds=micro),
        st.sampled_from(
            [
                datetime(year, month, day, tzinfo=UTC)
                for year, month, day in (
                    *((2019, 12, 31), (2020, 1, 1), (2020, 3, 29), (2018, 11, 4)),
                    *((2011, 12, 30), (2021, 1, 3), (2016, 2, 29), (1999, 10, 31)),
                    (2023, 4, 28),
                )
            ]
        ),
        st.integers(-30, 30),
        st.sampled_from([0, 1, -1]),
    ),
    st.integers(-(10**12), 10**12).map(lambda amount: NEW_YEAR + timedelta(milliseconds=amount)),
)
drawn: st.SearchStrategy[dict[str, object]] = st.builds(
    dict,
    title=st.sampled_from(["alpha", "bravo", "alpha bravo"]),
    feed_url=st.sampled_from(["https://a.example/", "https://b.example/é", "file:/c"]),
    tags=st.lists(names, max_size=4).map(tuple),
    authors=st.lists(names, max_size=2).map(tuple),
    language=st.sampled_from(["", "en", "en-gb", "de"]),
    published=moments,
)
nodes: st.SearchStrategy[Node] = st.sampled_from(
    [
        Everything(),
        Word("alpha"),
        Not(Word("alpha")),
        Or((Word("alpha"), Word("bravo"))),
        And((Everything(), DateRange(NEW_YEAR, None))),
    ]
)


def whole(value: str) -> str:
    return " ".join(fold(spell(value)).split())


def values(one: Entry, facet: Facet) -> set[str]:
    match facet:
        case Facet.FEED:
            return {one.feed_url}
        case Facet.AUTHOR:
            return set(map(whole, one.authors))
        case Facet.TAG:
            return set(map(whole, one.tags))
        case Facet.LANGUAGE:
            return {one.language} - {""}
    raise AssertionError(facet)


def matches(node: Node, one: Entry) -> bool:
    match node:
        case Word(text):
            return text in one.title.split()
        case Not(child):
            return not matches(child, one)
        case Or(children):
            return any(matches(child, one) for child in children)
        case And(children):
            return all(matches(child, one) for child in children)
        case DateRange(start):
            return one.date is not None and start is not None and one.date >= start
    return True


def ordered(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def by_period(entries: list[Entry], period: Period, zone: tzinfo) -> Counter[str]:
    """Each date put by hand between two midnights of the zone."""
    found: Counter[str] = Counter()
    for moment in filter(None, (one.date for one in entries)):
        local = moment.astimezone(zone).date()
        for day in (local - timedelta(days=1), local, local + timedelta(days=1)):
            start = periods.midnight(day, zone)
            if start <= moment < periods.midnight(day + timedelta(days=1), zone):
                year, week, _ = day.isocalendar()
                name = {
                    Period.DAY: f"{day:%Y-%m-%d}",
                    Period.WEEK: f"{year}-W{week:02}",
                    Period.MONTH: f"{day:%Y-%m}",
                    Period.YEAR: f"{day:%Y}",
                }[period]
                found[name] += 1
    return found


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=examples(25, long=60), deadline=None)
@given(
    data=st.lists(drawn, max_size=12),
    split=st.integers(0, 12),
    deleted=st.sets(st.integers(0, 11), max_size=4),
    node=nodes,
    zone=st.sampled_from(ZONES),
    limit=st.sampled_from([None, 1, 3]),
)
def test_the_same_counts_as_brute_force(
    name: str,
    data: list[dict[str, object]],
    split: int,
    deleted: set[int],
    node: Node,
    zone: tzinfo,
    limit: int | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    entries = [entry(at, **more) for at, more in enumerate(data)]  # type: ignore[arg-type]
    engine = open_at(name, tmp_path_factory.mktemp("engine") / "engine")
    write(engine, *entries[:split])
    write(engine, *entries[split:])
    remove(engine, [entry(at).id for at in deleted])
    left = [one for at, one in enumerate(entries) if at not in deleted and matches(node, one)]
    found = engine.facets(node, list(Facet), limit=limit, zone=zone)
    for facet in Facet:
        if facet in PERIODS:
            wanted = by_period(left, Period(facet), zone)
        else:
            wanted = Counter(value for one in left for value in values(one, facet))
        assert [(each.value, each.count) for each in found[facet]] == ordered(wanted)[:limit]
    for each in found[Facet.TAG]:
        # How most of the entries write it, whether they match or not.
        forms = Counter(
            form
            for at, one in enumerate(entries)
            if at not in deleted
            for form in {" ".join(tag.split()) for tag in one.tags}
            if whole(form) == each.value
        )
        assert each.label == ordered(forms)[0][0]
    engine.close()


@settings(max_examples=200, deadline=None)
@given(st.dates(), st.sampled_from(Period), st.sampled_from(ZONES))
def test_periods_follow_each_other_without_a_gap(day: date, period: Period, zone: tzinfo) -> None:
    first = periods.first_day(periods.name(day, period), period)
    assert first <= day
    assert periods.name(first, period) == periods.name(day, period)
    after = periods.shifted(first, period, 1)
    assert after > day or after == date.max
    assert periods.midnight(first, zone) <= periods.midnight(after, zone)
    assert periods.shifted(after, period, -1) == first or after == date.max


# Through the index

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>{}</title><link>https://{}.example/</link>
<description>d</description>{}</channel></rss>"""
ITEM = """<item><title>{}</title><guid>{}</guid><description>{}</description>{}</item>"""


def document(path: Path, title: str, *items: tuple[str, str]) -> Path:
    """A feed of entries, each with a title and what else stands in it."""
    parts = [ITEM.format(name, at, "oil", more) for at, (name, more) in enumerate(items)]
    path.write_text(RSS.format(title, path.stem, "".join(parts)), encoding="utf-8")
    return path


def on(day: str) -> str:
    return f"<pubDate>{day} 22:30:00 +0000</pubDate>"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of an index of two feeds; tests only read it."""
    folder = tmp_path_factory.mktemp("feeds")
    one = document(
        folder / "one.xml",
        "Border News",
        ("a", on("31 Dec 2019") + "<category>Silk Routes</category>"),
        ("b", on("31 Mar 2020") + "<category>Silk Routes</category>"),
        ("c", "<category>silk routes</category><author>ann@x.example (Ann Lee)</author>"),
    )
    two = document(folder / "two.xml", "东京 News", ("d", on("1 Apr 2020")))
    with Index(folder / "index") as index:
        assert index.update([one, two]).added == 4
    return folder / "index"


VIENNA = ZoneInfo("Europe/Vienna")


def test_the_index_knows_the_titles_of_feeds(filled: Path) -> None:
    with Index(filled) as index:
        found = index.facets("oil", ["feed", Facet.TAG], zone=UTC)
        assert [(each.label, each.count) for each in found[Facet.FEED]] == [
            ("Border News", 3),
            ("东京 News", 1),
        ]
        assert found[Facet.TAG] == (FacetCount("silk routes", 3, "Silk Routes"),)
        only = index.facets("oil", ["feed"], feeds=["border"], zone=UTC)
        assert only == index.facets(Query("oil", feeds=("border",)), ["feed"], zone=UTC)
        assert [each.label for each in only[Facet.FEED]] == ["Border News"]
        assert index.facets("nothing of it", ["feed"]) == {Facet.FEED: ()}


def test_what_cannot_be_counted_by_is_refused(filled: Path) -> None:
    with Index(filled) as index:
        with pytest.raises(ValueError, match="colour"):
            index.facets("oil", ["colour"])
        with pytest.raises(ValueError, match="limit"):
            index.facets("oil", ["feed"], limit=0)
        with pytest.raises(ValueError, match="decade"):
            index.trend("oil", by="decade")


def test_a_trend_has_the_empty_months_too_and_says_what_has_no_date(filled: Path) -> None:
    with Index(filled) as index:
        trend = index.trend("oil", zone=VIENNA)
    assert (trend.total, trend.undated, trend.by) == (4, 1, Period.MONTH)
    assert [(bucket.name, bucket.count) for bucket in trend.buckets] == [
        ("2019-12", 1),
        ("2020-01", 0),
        ("2020-02", 0),
        ("2020-03", 0),
        ("2020-04", 2),
    ]
    # Summer time began on the 29th of March.
    assert trend.buckets[3].start == datetime(2020, 2, 29, 23, tzinfo=UTC)
    assert trend.buckets[3].end == trend.buckets[4].start == datetime(2020, 3, 31, 22, tzinfo=UTC)


@pytest.mark.parametrize("period", list(Period))
def test_a_bucket_holds_what_its_name_finds(filled: Path, period: Period) -> None:
    with Index(filled) as index:
        trend = index.trend("oil", by=period)
        assert sum(bucket.count for bucket in trend.buckets) == 3
        for bucket in trend.buckets:
            if bucket.count or period is not Period.DAY:
                assert index.search(f"oil date:{bucket.name}").total == bucket.count


def test_of_too_many_buckets_the_newest_are_kept_and_it_is_said(tmp_path: Path) -> None:
    source = document(tmp_path / "f.xml", "F", ("a", on("1 Jan 2000")), ("b", on("1 Jan 2020")))
    with Index(tmp_path / "index") as index:
        index.update([source])
        trend = index.trend("oil", by="day", zone=UTC)
        assert len(trend.buckets) == BUCKETS
        assert (trend.buckets[-1].name, trend.buckets[-1].count) == ("2020-01-01", 1)
        assert trend.notes[-1] == "Only the newest 1,000 days are counted: 1 entry is older."
        assert (trend.total, trend.undated) == (2, 0)
        assert index.trend("oil", by="month", zone=UTC).notes == ()


def test_nothing_found_is_a_trend_without_buckets(filled: Path) -> None:
    with Index(filled) as index:
        trend = index.trend("xylophone")
    assert (trend.buckets, trend.total) == ((), 0)


def test_a_real_feed(shared: Path, tmp_path: Path) -> None:
    with Index(tmp_path / "index") as index:
        index.update([shared / "feeds" / "icmpd-news.xml"])
        found = index.facets("", ["year", "month"], zone=UTC)
        assert [(each.value, each.count) for each in found[Facet.YEAR]] == [("2020", 10)]
        assert sum(each.count for each in found[Facet.MONTH]) == 10
        for each in found[Facet.MONTH]:
            assert index.search(f"date:{each.value}").total == each.count
        assert FacetCount("2020-08", 4, "2020-08") in found[Facet.MONTH]


# On the screen


def trend_of(*counts: int, undated: int = 0) -> Trend:
    first = date(2001, 1, 1)
    buckets = []
    for at, number in enumerate(counts):
        day, after = (periods.shifted(first, Period.MONTH, at + more) for more in (0, 1))
        start, end = periods.midnight(day, UTC), periods.midnight(after, UTC)
        buckets.append(Bucket(periods.name(day, Period.MONTH), start, end, number))
    total = sum(counts) + undated
    return Trend(Query("oil"), Period.MONTH, tuple(buckets), total, undated)


def shown(trend: Trend, name: str = "table", **screen: object) -> str:
    return "".join(TREND.render(trend, name, Screen(**screen)))  # type: ignore[arg-type]


def test_a_bar_for_each_month() -> None:
    assert shown(trend_of(3, 0, 1200), width=48) == (
        "2001-01      3  ▏\n"
        "2001-02      0\n"
        "2001-03  1,200  ████████████████████████████████\n"
        "\n"
        "▁ █  1,203 entries from 2001-01 to 2001-03\n"
    )
    plain = shown(trend_of(3, 0, 1200, undated=2), width=40, ascii=True)
    assert plain.splitlines()[2:] == [
        "2001-03  1,200  ########################",
        "",
        ". #",
        "1,203 entries from 2001-01 to 2001-03, 2 more without a date",
    ]
    assert shown(trend_of(1)).endswith("1 entry in 2001-01\n")
    assert shown(trend_of(undated=2)) == "2 entries without a date\n"
    assert shown(trend_of()) == ""


def test_many_months_stand_in_columns() -> None:
    rows = shown(trend_of(*range(1, 101)), width=200).splitlines()
    assert len(rows) == HEIGHT + 3
    assert rows[0].startswith("100  ")
    assert rows[0].endswith("▇▇██")
    assert rows[HEIGHT] == "     2001-01" + " " * 86 + "2009-04"
    # On a narrow screen two months share a column.
    rows = shown(trend_of(*range(1, 101)), width=80).splitlines()
    assert len(rows[HEIGHT - 1]) == 5 + 50
    assert rows[-1] == "2 months a column; 5,050 entries from 2001-01 to 2009-04"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 10**7), max_size=ROWS * 3).map(lambda counts: [*counts, 1]),
    st.sampled_from([20, 40, 80, 200]),
    st.booleans(),
)
def test_no_line_of_a_chart_is_wider_than_the_screen(
    counts: list[int], width: int, plain: bool
) -> None:
    text = shown(trend_of(1, *counts), width=width, ascii=plain, escapes=True)
    *drawing, _ = text.splitlines()
    assert all(len(row) <= width and row == row.rstrip() for row in drawing)
    assert "\x1b" not in text
    assert text.isascii() or not plain


def facet_list(*labels: str) -> tuple[FacetCount, ...]:
    return tuple(FacetCount(label, 20 - at, label) for at, label in enumerate(labels))


@pytest.mark.parametrize(("width", "groups"), [(80, 2), (200, 1)])
def test_facets_stand_side_by_side_as_far_as_there_is_room(width: int, groups: int) -> None:
    facets = {
        Facet.FEED: facet_list("東京" * 30, "\x1b[31mB"),
        Facet.TAG: facet_list(*(f"a tag of some length {at}" for at in range(10))),
        Facet.AUTHOR: (),
        Facet.YEAR: facet_list("2020", "2019"),
        Facet.MONTH: facet_list("2020-08"),
    }
    results = Results(Query("oil"), (), 20, 0.1)
    rows = "".join(
        FACETED.render(Faceted(results, facets), "table", Screen(width=width))
    ).splitlines()
    assert sum(row == "" for row in rows) == groups
    heads = " ".join(row for row in rows if "feed" in row or "month" in row).split()
    assert heads == ["feed", "tag", "year", "month"]
    assert any(row.startswith("20  東京") and "…" in row for row in rows)
    assert "\x1b" not in "".join(rows)


def test_a_chart_is_drawn_without_rich() -> None:
    code = (
        "import sys, searchfeed.output as output\n"
        "from searchfeed.models import Period, Query, Trend\n"
        "trend = Trend(Query('oil'), Period.MONTH, (), 1, 1)\n"
        "print(*output.TREND.render(trend, 'table', output.Screen()), 'rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split("\n") == ["1 entry without a date", " False", ""], done.stderr


# From the command line


def run(*arguments: str | Path) -> tuple[int, str, str]:
    output, errors = StringIO(), StringIO()
    with redirect_stdout(output), redirect_stderr(errors):
        code = cli.run([str(argument) for argument in arguments])
    return code, output.getvalue(), errors.getvalue()


@pytest.fixture(scope="module")
def schema() -> dict[str, object]:
    text = files("searchfeed.output").joinpath("schema.json").read_text("utf-8")
    loaded: dict[str, object] = json.loads(text)
    return loaded


def test_facets_in_json(filled: Path, schema: dict[str, object]) -> None:
    code, output, _ = run(
        "--index",
        filled,
        "search",
        "oil",
        "-n1",
        "--facet",
        "feed,tag",
        "--facet",
        "lang",
        "--json",
    )
    record = json.loads(output)
    jsonschema.validate(record, schema)
    assert code == 0
    assert list(record["facets"]) == ["feed", "tag", "lang"]
    assert record["facets"]["tag"] == [{"value": "silk routes", "count": 3, "label": "Silk Routes"}]
    assert len(record["hits"]) == 1
    assert "facets" not in json.loads(run("--index", filled, "search", "oil", "--json")[1])


def test_facets_on_lines_behind_the_hits(filled: Path) -> None:
    code, output, _ = run("--index", filled, "search", "oil", "--facet", "Tag", "-n1")
    hits, facets = output.split("\n\n")
    assert (code, len(hits.splitlines())) == (0, 1)
    assert facets == "tag\tsilk routes\t3\tSilk Routes\n"
    assert run("--index", filled, "search", "xylophone", "--facet", "tag")[:2] == (1, "")


def test_wrong_facets_and_formats_are_said(filled: Path) -> None:
    code, _, errors = run("--index", filled, "search", "oil", "--facet", "colour")
    assert code == 2
    assert "no facet 'colour'; there are: feed, author" in errors
    code, _, errors = run("--index", filled, "search", "oil", "--facet", "tag", "--format", "csv")
    assert code == 2
    assert "take one of: table, plain, json" in errors


def test_a_trend_for_people_and_for_programs(filled: Path, schema: dict[str, object]) -> None:
    code, output, errors = run("--index", filled, "trend", "oil", "--by", "year")
    assert (code, errors) == (0, "")
    names = [row.split("\t")[0] for row in output.splitlines()]
    assert names[-1] == "2020"
    assert all(len(row.split("\t")) == 4 for row in output.splitlines())
    code, output, _ = run("--index", filled, "trend", "oil", "--json", "--feed", "border")
    record = json.loads(output)
    jsonschema.validate(record, {"$ref": "#/$defs/trend_document", "$defs": schema["$defs"]})
    assert (code, record["by"], record["total"], record["undated"]) == (0, "month", 3, 1)
    code, output, _ = run("--index", filled, "trend", "oil", "--format", "table")
    assert output.endswith("1 more without a date\n")


def test_a_trend_of_nothing(filled: Path) -> None:
    code, output, errors = run("--index", filled, "trend", "xylophone")
    assert (code, output) == (1, "")
    assert errors.startswith("nothing found for xylophone")
    assert run("--index", filled, "trend", "date:garbage")[0] == 2
    assert run("--index", filled, "trend", "oil", "--by", "decade")[0] == 2
