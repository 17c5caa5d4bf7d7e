"""Facets and trends: what every engine promises, against counting by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchfeed import periods
from searchfeed.analysis import fold, spell
from searchfeed.engines import ENGINES, Change, Engine, open_engine
from searchfeed.models import Entry, Facet, FacetCount, Period
from searchfeed.query import parse
from searchfeed.tree import And, DateRange, Everything, Node, Not, Or, Word

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


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    opened = open_engine(request.param, tmp_path / "engine")
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
    engine.delete([entry(3).id])
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


def test_a_state_committed_by_another_shows(tmp_path: Path) -> None:
    for name in ENGINES:
        reader, writer = (open_engine(name, tmp_path / name) for _ in range(2))
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


@pytest.mark.parametrize("name", sorted(ENGINES))
@settings(max_examples=60, deadline=None)
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
    engine = open_engine(name, tmp_path_factory.mktemp("engine") / "engine")
    write(engine, *entries[:split])
    write(engine, *entries[split:])
    engine.delete([entry(at).id for at in deleted])
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
    after = periods.following(first, period)
    assert after > day or after == date.max
    assert periods.midnight(first, zone) <= periods.midnight(after, zone)
