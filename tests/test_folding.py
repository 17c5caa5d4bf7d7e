"""The same story told twice: what is folded, and what is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchfeed import cli
from searchfeed.engines import Change, Engine, Match
from searchfeed.index import Index
from searchfeed.models import Entry, Query, Sort
from searchfeed.tree import Best, DateRange, Everything, Not, Or, Word
from tests.engines import NAMES, examples, open_at

DAY = timedelta(days=1)
NOW = datetime(2020, 8, 12, 9, tzinfo=UTC)

TITLE = "Migrant Resource Centre opens in Accra"
BODY = (
    "A new centre for people who think of working abroad opened in Accra on Wednesday. "
    "Its counsellors explain how to apply for a visa, what recruiters may ask for, and whom to "
    "turn to when wages are withheld. More than 1,200 people came on the first day, most of them "
    "under 30. “Nobody should have to pay for a job,” the minister of employment said at the "
    "opening. The centre is run by the labour office and will later have branches in Kumasi and "
    "Tamale; a telephone line is open from Monday to Friday."
)

BOILERPLATE = (
    "This article first appeared in the Ghana News of 12 August 2020. Copyright 2020 Ghana News. "
    "All rights reserved. Call 030-222-7171 to subscribe."
)


def entry(number: int, title: str = TITLE, body: str = BODY, **more: object) -> Entry:
    values: dict[str, object] = {
        "id": f"{number:016x}",
        "feed_url": f"https://feeds.example/{number}",
        "feed_title": "",
        "published": NOW,
        "language": "en",
    }
    return Entry(title=title, body=body, **(values | more))  # type: ignore[arg-type]


@pytest.fixture(params=NAMES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    engine = open_at(request.param, tmp_path / "engine")
    yield engine
    engine.close()


def write(engine: Engine, *entries: Entry) -> None:
    first = engine.reached + 1
    changes = [Change(first + at, one) for at, one in enumerate(entries)]
    engine.write(changes, reached=engine.reached + len(entries))


def remove(engine: Engine, ids: Iterable[str]) -> None:
    engine.write([], reached=engine.reached + 1, removed=ids)


def groups(engine: Engine, sort: Sort = Sort.RELEVANCE) -> list[list[int]]:
    """The numbers of the entries in each match, the one that stands for the others first."""
    answer = engine.search(Everything(), limit=1000, sort=sort, dedupe=True)
    assert answer.total == len(answer.matches)
    return [numbers(match) for match in answer.matches]


def numbers(match: Match) -> list[int]:
    return [int(id, 16) for id in (match.id, *match.duplicates)]


Edit = Callable[[str, str], tuple[str, str]]


@pytest.mark.parametrize(
    "edit",
    [
        lambda title, body: (title, body),
        lambda title, body: (title.upper(), body.replace("“", '"').replace("”", '"')),
        lambda title, body: (title, f"By Ama Mensah, Accra\n\n{body}"),
        lambda title, body: (title, f"ACCRA, 12 August 2020 — {body}"),
        lambda title, body: (f"Ghana News: {title}", body.replace(";", " –")),
        lambda title, body: (
            title,
            f"{body}\n\n{BOILERPLATE}",
        ),
        lambda title, body: (title, body.replace("More than", "Over").replace("a job", "work")),
        lambda title, body: (title.replace("opens", "now opens"), body.rsplit(";", 1)[0] + "."),
    ],
    ids=["equal", "quotes", "byline", "dateline", "name", "boilerplate", "words", "shortened"],
)
def test_the_same_press_release_in_two_feeds_is_one_hit(engine: Engine, edit: Edit) -> None:
    title, body = edit(TITLE, BODY)
    write(engine, entry(1), entry(2, title, body), entry(3, "Elsewhere", "Something else."))
    assert sorted(map(sorted, groups(engine))) == [[1, 2], [3]]


def test_unsegmented_scripts_fold_too(engine: Engine) -> None:
    body = (
        "東京都心で朝、やや強い地震がありました。津波の心配はありません。"
        "鉄道は一部で運転を見合わせています。"
    )
    write(
        engine,
        entry(1, "東京で地震", body),
        entry(2, "東京で地震", f"{body}(共同通信)"),
        entry(3, "大阪で地震", body.replace("東京都心", "大阪市内")),
    )
    assert sorted(map(sorted, groups(engine))) == [[1, 2], [3]]


TABLE = (
    "Shr {0} cts vs {1} cts\nNet {0}67,000 vs {1}12,000\nRevs 1{0}.1 mln vs 9.{1} mln\nYear\n"
    "Shr 1.{0} dlrs vs 1.{1} dlrs\nNet 3,{0}0,000 vs 2,{1}9,000\nNote: results include a gain from "
    "the sale of a plant, and shares are adjusted for the split that was paid in January."
)
ADVICE = (
    "Strong winds are expected in {0} tonight. Secure loose objects, stay away from trees and "
    "scaffolding, and do not use mountain roads that are not cleared. Ski lifts may stop without "
    "notice. Travellers to {0} should ask their railway company before they set out, and allow "
    "for delays. The warning will be lifted as soon as the gusts are below the threshold; follow "
    "the bulletins of the weather service and the instructions of the fire brigade."
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Weekly report 12", BODY), ("Weekly report 13", BODY)),
        (("Weekly report", BODY), ("Weekly report", BODY.replace("1,200", "1,450"))),
        (("Weekly report", BODY), ("Weekly report", BODY.replace("on the first", "on the 1"))),
        (
            ("Acme Corp 4th qtr net", TABLE.format(12, 14)),
            ("Acme Corp 4th qtr net", TABLE.format(31, 27)),
        ),
        (
            ("Acme Corp 4th qtr net", TABLE.format(12, 14)),
            ("Bolt Inc 4th qtr net", TABLE.format(12, 14)),
        ),
        (
            ("Weather warning for Tyrol", ADVICE.format("Tyrol")),
            ("Weather warning for Styria", ADVICE.format("Styria")),
        ),
        (
            ("Pays dividend", "Acme Corp declares its regular dividend payable on April 1"),
            ("Pays dividend", "Bolt Inc declares its regular dividend payable on April 1"),
        ),
        (("Open thread", ""), ("Open thread", "")),
        (("", "Photo of the day"), ("", "Photo of the day")),
        (("", ""), ("", "")),
        ((TITLE, BODY), (TITLE, "Opinion: why the centre comes too late. " * 9)),
    ],
)
def test_stories_from_one_template_are_not_folded(
    engine: Engine, one: tuple[str, str], other: tuple[str, str]
) -> None:
    write(engine, entry(1, *one), entry(2, *other))
    assert len(groups(engine)) == 2


def test_what_is_told_again_after_days_is_another_story(engine: Engine) -> None:
    write(
        engine,
        entry(1),
        entry(2, published=NOW + 4 * DAY),
        entry(3, published=NOW + 8 * DAY),
        entry(4, published=NOW + 16 * DAY),
    )
    # The third is near to the second, but not to the first, which leads the group.
    assert sorted(map(sorted, groups(engine))) == [[1, 2], [3], [4]]
    write(engine, entry(5, published=None))
    assert sorted(map(sorted, groups(engine)), key=len)[-1] != [5]


def test_a_story_in_many_feeds_is_one_hit(engine: Engine) -> None:
    write(engine, *(entry(number) for number in range(1, 31)))
    write(engine, entry(31, "Another", "matter altogether"))
    assert sorted(map(len, groups(engine))) == [1, 30]


def test_the_first_in_the_order_asked_for_stands_for_the_others(engine: Engine) -> None:
    write(
        engine,
        entry(1, published=NOW + DAY),
        entry(2, body=f"{BODY} {TITLE} {TITLE}"),
        entry(3, published=None),
        entry(4, published=NOW + 2 * DAY),
    )
    assert groups(engine, Sort.OLDEST) == [[2, 1, 4, 3]]
    assert groups(engine, Sort.NEWEST) == [[4, 1, 2, 3]]
    relevant = engine.search(Word("accra"), limit=10)
    folded = engine.search(Word("accra"), limit=10, dedupe=True)
    assert folded.total == 1
    assert folded.matches[0].id == relevant.matches[0].id
    assert folded.matches[0].score == relevant.matches[0].score
    assert folded.matches[0].duplicates == tuple(match.id for match in relevant.matches[1:])


def test_only_entries_that_match_are_named(engine: Engine) -> None:
    write(engine, entry(1), entry(2, tags=("ghana",)), entry(3, tags=("ghana",)))
    found = engine.search(Word("ghana", "tag"), limit=10, dedupe=True)
    assert sorted(map(numbers, found.matches)) in ([[2, 3]], [[3, 2]])
    assert found.total == 1
    assert engine.search(Word("ghana", "tag"), limit=10).total == 2


def test_deleted_and_edited_entries_are_in_no_group(engine: Engine) -> None:
    write(engine, entry(1), entry(2))
    write(engine, entry(3), entry(4, "Elsewhere", "Something else."))
    assert sorted(map(len, groups(engine))) == [1, 3]
    remove(engine, [entry(1).id])
    assert sorted(map(sorted, groups(engine))) == [[2, 3], [4]]
    write(engine, entry(2, "Correction", "The centre has not opened after all, says the office."))
    assert sorted(map(sorted, groups(engine))) == [[2], [3], [4]]


# Through the front door


def rss(title: str, *bodies: str) -> str:
    items = "".join(
        f"<item><title>{TITLE}</title><guid>{title}-{at}</guid><description>{body}</description>"
        f"<link>https://{title}.example/{at}</link>"
        f"<pubDate>Wed, 12 Aug 2020 0{at}:00:00 GMT</pubDate></item>"
        for at, body in enumerate(bodies)
    )
    return (
        f'<rss version="2.0"><channel><title>{title}</title><link>https://{title}.example/</link>'
        f"{items}</channel></rss>"
    )


@pytest.fixture
def two_feeds(tmp_path: Path) -> Path:
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds/one.xml").write_text(rss("times", BODY, "Nothing of it."))
    (tmp_path / "feeds/two.xml").write_text(rss("herald", f"By a reporter. {BODY}"))
    with Index(tmp_path / "index") as index:
        index.update(tmp_path / "feeds")
    return tmp_path / "index"


def test_a_hit_names_the_other_feed(two_feeds: Path) -> None:
    with Index(two_feeds) as index:
        results = index.search("accra", sort="-date")
        assert results.total == len(results) == 2
        (first, second) = results
        assert (first.duplicates, second.entry.feed_title) == ((), "times")
        results = index.search("kumasi")
        (hit,) = results
        (other,) = hit.duplicates
        assert {hit.entry.feed_title, other.feed_title} == {"times", "herald"}
        plain = index.search("kumasi", dedupe=False)
        assert plain.total == len(plain) == 2
        assert all(not hit.duplicates for hit in plain)
        assert index.search(Query("kumasi", dedupe=False)).total == 2
        assert index.search("kumasi feed:herald").hits[0].duplicates == ()


def test_the_command_line_folds_unless_told_not_to(
    two_feeds: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def shown(*options: str) -> str:
        assert cli.run(["--index", str(two_feeds), "search", "kumasi", *options]) == 0
        return capsys.readouterr().out

    (hit,) = json.loads(shown("--json"))["hits"]
    (other,) = hit["duplicates"]
    assert {hit["feed"]["title"], other["feed"]["title"]} == {"times", "herald"}
    assert other["link"] == f"https://{other['feed']['title']}.example/0"
    assert f"also in: {other['feed']['title']}" in shown("--format", "table")
    assert shown("--format", "plain").endswith(f"\t{other['feed']['title']}\n")
    whole = json.loads(shown("--json", "--no-dedupe"))["hits"]
    assert [hit["duplicates"] for hit in whole] == [[], []]


# Every entry is somewhere

STORIES = (
    (TITLE, BODY),
    ("Storm in Tyrol", ADVICE.format("Tyrol")),
    ("Storm in Styria", ADVICE.format("Styria")),
    ("Short", "eight words make the shortest text that folds"),
    ("Open thread", ""),
)
told = st.lists(
    st.tuples(
        st.sampled_from(STORIES),
        st.sampled_from(["", " By our correspondent.", " 1 All rights reserved.", " Reuter"]),
        st.none() | st.integers(0, 12),
    ),
    max_size=14,
)
queries = st.sampled_from(
    [
        Everything(),
        Best((Word("opened"), Word("reuter"), Word("storm"))),
        Or((Word("text"), Word("open"))),
        Not(Word("reuter")),
        DateRange(NOW + 3 * DAY, NOW + 9 * DAY),
    ]
)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=examples(40), deadline=None)
@given(
    told=told,
    split=st.integers(0, 14),
    deleted=st.sets(st.integers(1, 14), max_size=3),
    query=queries,
    sort=st.sampled_from(Sort),
    size=st.integers(1, 4),
)
def test_folding_loses_nothing_and_pages_never_overlap(
    name: str,
    told: list[tuple[tuple[str, str], str, int | None]],
    split: int,
    deleted: set[int],
    query: Best,
    sort: Sort,
    size: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    engine = open_at(name, tmp_path_factory.mktemp("engine") / "engine")
    entries = [
        entry(
            number,
            title,
            body + end,
            published=None if day is None else NOW + day * DAY,
        )
        for number, ((title, body), end, day) in enumerate(told, 1)
    ]
    write(engine, *entries[:split])
    write(engine, *entries[split:])
    remove(engine, (f"{number:016x}" for number in deleted))
    plain = engine.search(query, limit=100, sort=sort)
    folded = engine.search(query, limit=100, sort=sort, dedupe=True)
    assert engine.search(query, limit=100, sort=sort, dedupe=True) == folded
    assert folded.total == len(folded.matches)

    order = [match.id for match in plain.matches]
    assert all(not match.duplicates for match in plain.matches)
    shown = [id for match in folded.matches for id in (match.id, *match.duplicates)]
    assert sorted(shown) == sorted(order)
    assert len(set(shown)) == len(shown)
    places = {id: at for at, id in enumerate(order)}
    firsts = [places[match.id] for match in folded.matches]
    assert firsts == sorted(firsts)
    for match in folded.matches:
        whole = [places[id] for id in (match.id, *match.duplicates)]
        assert whole == sorted(whole)

    pages = [
        match
        for offset in range(0, len(order) + size, size)
        for match in engine.search(query, limit=size, offset=offset, sort=sort, dedupe=True).matches
    ]
    assert tuple(pages) == folded.matches
    engine.close()
