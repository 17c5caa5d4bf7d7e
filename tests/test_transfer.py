"""An export holds all that an archive holds, and taking it in gives the same index again."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchfeed import Index, Report
from searchfeed.archive import Archive, lines, merging
from searchfeed.errors import (
    FeedNotFoundError,
    IndexNotFoundError,
    IndexVersionError,
    ParseError,
)
from searchfeed.models import Enclosure, Entry, Feed
from tests.program import PROGRAM

jsonschema = import_module("jsonschema")

ROOT = Path(__file__).parents[1]
NOON = datetime(2020, 8, 1, 12, tzinfo=UTC)
HEADER = json.dumps({"format": "searchfeed export", "version": 1, "release": "0.2.0"})


def entry(key: str, body: str = "text", *, feed: str = "http://a/feed", **more: Any) -> Entry:
    identity = sha256(f"{feed} {key}".encode()).hexdigest()[:16]
    return Entry(identity, feed, "A", more.pop("title", f"Title {key}"), body, **more)


def feed(*entries: Entry, url: str = "http://a/feed", title: str = "A") -> Feed:
    return Feed(url, title, entries=entries)


def version(id: str, seen: str, body: str = "text", **more: object) -> str:
    return json.dumps(
        {"entry": id, "feed": "http://a/feed", "seen": seen, "title": "T", "body": body, **more}
    )


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive(tmp_path / "archive.sqlite") as opened:
        yield opened


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Archive]:
    with Archive(tmp_path / "other.sqlite") as opened:
        yield opened


def take_in(archive: Archive, text: Iterable[str | bytes]) -> Report:
    return archive.take_in(text, name="export")


def bodies(archive: Archive, id: str) -> list[str]:
    return [each.entry.body for each in archive.versions(id)]


# A round trip


FULL = entry(
    "full",
    "one\n\ntwo",
    title="Überschrift “x” 東京 \U0001f600 a\u200db",
    link="https://a/1",
    authors=("Ann", "Ben, C."),
    tags=("x y", '"z"'),
    published=datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    updated=datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    language="pt-br",
    enclosures=(Enclosure("https://a/1.mp3", "audio/mpeg", 2**70), Enclosure("https://a/2")),
)

# What feeds/ lets into a text.
TEXT = st.text(
    st.characters(
        exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp"), include_characters="\n\t\u200c\u200d"
    ),
    max_size=12,
)
LINKS = st.sampled_from(["", "https://a/1", "http://b/é?q=ü#x", "HTTPS://c/"])
MOMENTS = st.none() | st.datetimes(timezones=st.just(UTC))


@st.composite
def feeds(draw: st.DrawFn) -> Feed:
    url = draw(st.sampled_from(["http://a/feed", "http://b/feed", "/saved/ü.xml"]))
    keys = draw(st.lists(st.sampled_from("abcdef"), unique=True, max_size=4))
    entries = tuple(
        entry(
            key,
            draw(TEXT),
            feed=url,
            title=draw(TEXT),
            link=draw(LINKS),
            authors=tuple(draw(st.lists(TEXT, max_size=2))),
            tags=tuple(draw(st.lists(TEXT, max_size=2))),
            published=draw(MOMENTS),
            updated=draw(MOMENTS),
            language=draw(st.sampled_from(["", "en", "pt-br"])),
            enclosures=tuple(
                Enclosure(draw(LINKS), draw(TEXT), draw(st.none() | st.integers(0, 2**70)))
                for _ in range(draw(st.integers(0, 2)))
            ),
        )
        for key in keys
    )
    return Feed(url, draw(TEXT), link=draw(LINKS), language="en", entries=entries)


def contents(archive: Archive) -> dict[str, object]:
    """Everything that is kept of feeds and entries; the order of changes is that of the export."""
    return {
        "feeds": [
            (state.url, state.title, state.link, state.language, state.tags, state.last_success)
            for state in archive.feeds()
        ],
        "changes": [(each, edited) for _, each, edited in archive.changes(0)],
        "versions": {each.id: archive.versions(each.id) for _, each, _ in archive.changes(0)},
        "lines": list(archive.export()),
    }


@settings(max_examples=25, deadline=None)
@given(st.lists(feeds(), max_size=5), st.sets(st.sampled_from("abcdef"), max_size=2))
def test_an_archive_made_from_an_export_is_the_same(found: Sequence[Feed], gone: set[str]) -> None:
    with (
        TemporaryDirectory() as directory,
        Archive(Path(directory) / "one.sqlite") as one,
        Archive(Path(directory) / "two.sqlite") as two,
    ):
        for at, each in enumerate(found):
            digest = sha256(repr(each).encode()).digest()
            one.store(each, digest=digest, source=each.url, now=NOON + timedelta(hours=at))
        one.remove([entry(key).id for key in gone])
        wanted = contents(one)
        text = list(one.export())
        assert all(line.isascii() and line.endswith("\n") for line in text)
        assert "\x7f" not in "".join(text)
        report = take_in(two, text)
        assert report == Report(added=len(list(one.changes(0))))
        assert contents(two) == wanted
        # Once more changes nothing, neither there nor at home.
        for each_archive in (one, two):
            again = take_in(each_archive, text)
            assert (again.added, again.updated, again.failures) == (0, 0, ())
            assert contents(each_archive) == wanted


def test_every_part_of_an_entry_comes_back_and_every_line_fits_the_schema(
    archive: Archive, other: Archive
) -> None:
    archive.store(feed(FULL, entry("b")), digest=b"1", source="s", now=NOON)
    archive.store(feed(entry("b", "edited")), digest=b"2", now=NOON + timedelta(microseconds=1))
    archive.subscribe("https://user:secret@c/feed", title="Mine", tags=["sea"])
    archive.remove([entry("b").id])
    archive.save_search("Été", 'title:"海" -@x OR 日\u200b', alert=True)
    text = list(archive.export())
    assert take_in(other, text).failures == ()
    assert other.find(FULL.id) == FULL
    assert list(other.export()) == text
    document = (ROOT / "docs" / "export-format.md").read_text()
    example, schema = re.findall(r"```json\n(.*?)```", document, re.DOTALL)
    validator = jsonschema.Draft202012Validator(json.loads(schema))
    for line in [*text, *example.splitlines()]:
        validator.validate(json.loads(line))
        lines.read(line)
    kinds = [next(iter(json.loads(line))) for line in text]
    order = ["format", "feed", "entry", "document", "removed", "search"]
    assert kinds == ["format", "feed", "feed", "entry", "document", "document", *order[-2:]]
    assert [next(iter(json.loads(line))) for line in example.splitlines()] == sorted(
        set(kinds), key=order.index
    )


def test_no_password_leaves_and_the_one_that_is_here_stays(
    archive: Archive, other: Archive
) -> None:
    archive.subscribe("https://user:secret@a/feed", title="Mine", tags=["sea"])
    text = list(archive.export())
    assert "secret" not in "".join(text)
    assert "user" not in "".join(text)
    take_in(other, text)
    (state,) = other.feeds()
    assert state.subscription is not None
    assert (state.title, state.tags, state.subscription.url) == (
        "Mine",
        ("sea",),
        "https://a/feed",
    )
    take_in(archive, text)
    assert archive.subscriptions()[0].url == "https://user:secret@a/feed"


def test_what_the_user_called_a_feed_here_stays_and_the_newer_reading_tells_its_title(
    archive: Archive, other: Archive
) -> None:
    archive.store(feed(entry("a"), title="Old"), now=NOON)
    other.store(feed(entry("a"), title="New"), now=NOON + timedelta(hours=1))
    older = list(archive.export())
    before = archive.sequence
    take_in(archive, other.export())
    assert archive.find(entry("a").id).feed_title == "New"
    assert [each.feed_title for _, each, _ in archive.changes(before)] == ["New"]
    archive.rename("http://a/feed", "Mine")
    archive.tag("http://a/feed", add=["here"])
    other.rename("http://a/feed", "Theirs")
    other.tag("http://a/feed", add=["there"])
    before = archive.sequence
    take_in(archive, other.export())
    assert archive.find(entry("a").id).feed_title == "Mine"
    assert archive.feeds()[0].tags == ("here", "there")
    assert [each.tags for _, each, _ in archive.changes(before)] == [("here", "there")]
    before = archive.sequence
    take_in(archive, older)
    assert archive.sequence == before
    assert archive.feed("Mine").url == "http://a/feed"


# Merging


def test_versions_are_put_in_the_order_in_which_they_were_seen(
    archive: Archive, other: Archive
) -> None:
    for hour, body in enumerate(["one", "two", "five"]):
        archive.store(feed(entry("a", body)), now=NOON + timedelta(hours=2 * hour))
    for hour, body in ((1, "one"), (3, "three"), (5, "five"), (6, "six")):
        other.store(feed(entry("a", body)), now=NOON + timedelta(hours=hour))
    id = entry("a").id
    theirs = list(other.export())
    mark = archive.sequence
    assert take_in(archive, theirs) == Report(updated=1)
    assert bodies(archive, id) == ["one", "two", "three", "five", "six"]
    seen = [(each.seen - NOON) / timedelta(hours=1) for each in archive.versions(id)]
    assert seen == [0, 2, 3, 4, 6]
    assert [(each.body, edited) for _, each, edited in archive.changes(mark)] == [("six", True)]
    before = list(archive.export())
    assert take_in(archive, theirs) == Report(unchanged=1)
    assert list(archive.export()) == before
    take_in(other, before)
    assert bodies(other, id) == bodies(archive, id)


def test_a_text_seen_earlier_elsewhere_changes_no_more_than_when(
    archive: Archive, other: Archive
) -> None:
    archive.store(feed(entry("a")), now=NOON)
    other.store(feed(entry("a")), now=NOON - timedelta(days=1))
    before = archive.sequence
    assert take_in(archive, other.export()) == Report(unchanged=1)
    assert [each.seen for each in archive.versions(entry("a").id)] == [NOON - timedelta(days=1)]
    assert archive.sequence == before


BODY = st.sampled_from(["one", "two", "three"])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(-2, 2), BODY), max_size=8))
def test_merging_twice_is_merging_once_even_where_clocks_were_put_back(
    stored: list[tuple[bool, int, str]],
) -> None:
    with (
        TemporaryDirectory() as directory,
        Archive(Path(directory) / "one.sqlite") as one,
        Archive(Path(directory) / "two.sqlite") as two,
    ):
        for where, hour, body in stored:
            archive = one if where else two
            archive.store(feed(entry("a", body)), now=NOON + timedelta(hours=hour))
        told = {each.entry.body for archive in (one, two) for each in all_versions(archive)}
        theirs = list(two.export())
        take_in(one, theirs)
        merged = all_versions(one)
        assert {each.entry.body for each in merged} == told
        in_a_row = [each.entry.body for each in merged]
        assert all(a != b for a, b in pairwise(in_a_row))
        sequence = one.sequence
        take_in(one, theirs)
        assert all_versions(one) == merged
        assert one.sequence == sequence
        take_in(one, list(one.export()))
        assert [each.entry for each in all_versions(one)] == [each.entry for each in merged]
        assert one.sequence == sequence


def all_versions(archive: Archive) -> list[Any]:
    return [each for _, entry, _ in archive.changes(0) for each in archive.versions(entry.id)]


def test_versions_keep_their_order_where_the_clock_was_put_back(
    archive: Archive, other: Archive
) -> None:
    for hour, body in ((5, "one"), (2, "two"), (2, "three"), (1, "two")):
        archive.store(feed(entry("a", body)), now=NOON + timedelta(hours=hour))
    text = list(archive.export())
    for each in (other, archive, other):
        take_in(each, text)
        assert bodies(each, entry("a").id) == ["one", "two", "three", "two"]
    assert other.find(entry("a").id).body == "two"


def test_batches_are_bounded_and_keep_the_versions_of_an_entry_together() -> None:
    def told(id: str, count: int, size: int) -> Iterator[lines.Line]:
        for at in range(count):
            line = lines.read(version(id * 16, f"2020-08-01T12:00:{at:02}Z", "x" * size))
            assert line is not None
            yield line

    size = merging.BATCH // 4
    found = [*told("a", 3, size), *told("b", 3, size), *told("c", 40, size)]
    batches = list(merging.batches(found))
    assert [line for batch in batches for line in batch] == found
    assert [len(batch) for batch in batches] == [6, 16, 16, 8]


# Removals and documents


def test_what_was_pruned_stays_away_in_the_copy_and_an_import_brings_it_back(
    archive: Archive, other: Archive
) -> None:
    archive.store(feed(entry("a"), entry("b")), now=NOON)
    whole = list(archive.export())
    archive.remove([entry("a").id])
    take_in(other, archive.export())
    for each in (archive, other):
        each.store(feed(entry("a"), entry("b"), entry("c")))
        assert {one.title for _, one, _ in each.changes(0)} == {"Title b", "Title c"}
    mark = archive.sequence
    assert take_in(archive, whole) == Report(added=1, unchanged=1)
    assert [one.title for _, one, _ in archive.changes(mark)] == ["Title a"]
    assert archive.removed(0, archive.sequence) == ()


def test_a_removal_told_by_another_takes_nothing_out_here(archive: Archive, other: Archive) -> None:
    for each in (archive, other):
        each.store(feed(entry("a")), now=NOON)
    archive.remove([entry("a").id])
    before = other.sequence
    take_in(other, archive.export())
    assert bodies(other, entry("a").id) == ["text"]
    assert other.sequence == before


def test_documents_read_before_are_no_news_in_the_copy_either(
    archive: Archive, other: Archive
) -> None:
    archive.store(feed(entry("a", "old")), digest=b"1", source="s", now=NOON)
    archive.store(feed(entry("a", "new")), digest=b"2", source="s", now=NOON)
    take_in(other, archive.export())
    other.store(feed(entry("a", "old")), digest=b"1", source="s")
    assert other.find(entry("a").id).body == "new"


def test_documents_of_which_lines_were_bad_are_read_again(archive: Archive, other: Archive) -> None:
    archive.store(feed(entry("a"), entry("b")), digest=b"1", now=NOON)
    text = ["bad\n" if entry("a").id in line else line for line in archive.export()]
    assert len(take_in(other, text).failures) == 1
    assert other.store(feed(entry("a"), entry("b")), digest=b"1").added == 1


def test_one_feed_of_several(archive: Archive, other: Archive) -> None:
    archive.store(feed(entry("a")), digest=b"1", now=NOON)
    elsewhere = entry("b", feed="http://b/feed")
    archive.store(feed(elsewhere, url="http://b/feed", title="B"), digest=b"2", now=NOON)
    archive.remove([entry("a").id])
    text = list(archive.export(["http://b/feed"]))
    assert len(text) == 4
    assert "http://a" not in "".join(text)
    take_in(other, text)
    assert [state.url for state in other.feeds()] == ["http://b/feed"]


# Lines that are bad


GOOD = version("0123456789abcdef", "2020-08-01T12:00:00Z")
BAD = [
    "{",
    "[]",
    "null",
    "1e999",
    "[" * 100_000,
    '{"a": ' + "9" * 5000 + "}",
    b"\xff\xfe{}",
    "{}",
    '{"format": "other"}',
    '{"format": "searchfeed export", "version": true}',
    GOOD.replace('"0123456789abcdef"', '"0123"'),
    GOOD.replace('"0123456789abcdef"', "[1]"),
    GOOD.replace('"http://a/feed"', '""'),
    GOOD.replace('"http://a/feed"', '"\\ud800"'),
    version("0123456789abcdef", "yesterday"),
    version("0123456789abcdef", "2020-08-01T12:00:00"),
    version("0123456789abcdef", "0001-01-01T00:00:00+23:00"),
    GOOD.replace('"2020-08-01T12:00:00Z"', "1596283200"),
    GOOD.replace('"2020-08-01T12:00:00Z"', "null"),
    version("0123456789abcdef", "2020-08-01T12:00:00Z", published="soon"),
    version("0123456789abcdef", "2020-08-01T12:00:00Z", title=None),
    version("0123456789abcdef", "2020-08-01T12:00:00Z", title="a\x1b[31mb"),
    version("0123456789abcdef", "2020-08-01T12:00:00Z", body="a\u202eb"),
    version("0123456789abcdef", "2020-08-01T12:00:00Z", body="a\ud800b"),
    version("0123456789abcdef", "2020-08-01T12:00:00Z", link="javascript:alert(1)"),
    version("0123456789abcdef", "2020-08-01T12:00:00Z", link="https://a/ b"),
    version("0123456789abcdef", "2020-08-01T12:00:00Z", tags="a"),
    version("0123456789abcdef", "2020-08-01T12:00:00Z", tags=[1]),
    version("0123456789abcdef", "2020-08-01T12:00:00Z", enclosures=["a"]),
    version("0123456789abcdef", "2020-08-01T12:00:00Z", enclosures=[{"url": "file:///etc"}]),
    version("0123456789abcdef", "2020-08-01T12:00:00Z", enclosures=[{"length": -1}]),
    version("0123456789abcdef", "2020-08-01T12:00:00Z", enclosures=[{"length": True}]),
    '{"feed": "http://a/feed", "key": "other"}',
    '{"feed": "http://a/feed", "subscription": [1]}',
    '{"feed": "http://a/feed", "subscription": {"url": "file:///etc/passwd"}}',
    '{"feed": "http://a/feed", "subscription": {"url": "http://a/", "state": "x"}}',
    '{"feed": "http://a/feed", "subscription": {"url": "http://a/", "state": []}}',
    '{"feed": "http://a/feed", "key": {}}',
    '{"document": "xyz", "feed": "http://a/feed", "entries": 1}',
    '{"document": "00", "feed": "http://a/feed", "entries": -1}',
    '{"document": "00", "feed": "http://a/feed", "entries": 1e3}',
    '{"removed": "0123456789ABCDEF"}',
]


@pytest.mark.parametrize("bad", BAD, ids=[str(each)[:60] for each in BAD])
def test_a_bad_line_is_named_and_costs_no_other(archive: Archive, bad: str | bytes) -> None:
    text = [HEADER, version("a" * 16, "2020-08-01T12:00:00Z"), bad, "", "\n"]
    report = take_in(archive, [*text, version("b" * 16, "2020-08-01T12:00:00Z").encode()])
    assert report.added == 2
    (failure,) = report.failures
    assert str(failure).startswith("export, line 3: ")
    assert str(failure).isprintable()
    assert len(str(failure)) < 100


def test_a_line_that_is_too_long_is_not_read(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "LONGEST", 1000)
    report = take_in(archive, [HEADER, version("a" * 16, "2020-08-01T12:00:00Z", "x" * 1000)])
    assert [failure.reason for failure in report.failures] == ["it is longer than 1,000 characters"]


def test_an_entry_of_another_feed_keeps_its_text(archive: Archive) -> None:
    archive.store(feed(entry("a")), now=NOON)
    text = version(entry("a").id, "2021-01-01T00:00:00Z", "forged", feed="http://evil/feed")
    report = take_in(archive, [HEADER, text])
    assert [str(failure) for failure in report.failures] == [
        f"export, entry {entry('a').id}: another feed has an entry of that id"
    ]
    assert bodies(archive, entry("a").id) == ["text"]
    assert [state.url for state in archive.feeds()] == ["http://a/feed"]


def test_many_bad_lines_are_counted(archive: Archive) -> None:
    report = take_in(archive, [HEADER, *(["bad"] * 250)])
    assert len(report.failures) == 101
    assert report.failures[-1].reason == "150 more of its lines are bad"


@pytest.mark.parametrize("text", [[], [""], ["<rss/>"], [GOOD], ["{}"], [b"\x00"]])
def test_what_is_no_export_is_refused_as_a_whole(archive: Archive, text: list[str | bytes]) -> None:
    with pytest.raises(ParseError, match=r"not an export.*searchfeed index"):
        take_in(archive, [*text, GOOD] if text else [])
    assert list(archive.changes(0)) == []


def test_a_newer_version_is_refused_with_the_release_it_needs(archive: Archive) -> None:
    header = json.dumps({"format": "searchfeed export", "version": 2, "release": "0.9.0"})
    with pytest.raises(IndexVersionError, match=r"needs searchfeed 0\.9\.0 .*version 2.*up to 1"):
        take_in(archive, [header, GOOD])
    with pytest.raises(IndexVersionError, match="a newer release"):
        take_in(archive, [header.replace("0.9.0", "\\u001b[31m")])
    assert list(archive.changes(0)) == []


def test_exports_may_be_joined(archive: Archive, other: Archive) -> None:
    archive.store(feed(entry("a")), now=NOON)
    other.store(feed(entry("b")), now=NOON)
    assert take_in(archive, [*archive.export(), *other.export()]) == Report(added=1, unchanged=1)


# An index


QUESTIONS = [
    *("migrant", "border", "news", "silk routes", '"border management"', "trafficking", "visa"),
    *(
        "title:migration",
        "tag:news",
        "feed:icmpd",
        "lang:en",
        "after:2019",
        "before:2021",
        "is:updated",
    ),
    *(
        "migr*",
        "bordr~1",
        "a -b",
        "東京",
        "café",
        "c++",
        "",
        "the",
        "centre OR center",
        "has:enclosure",
    ),
]


def answers(index: Index, questions: Iterable[str]) -> list[object]:
    found: list[object] = []
    for question in questions:
        for sort in ("relevance", "-date"):
            results = index.search(question, sort=sort, limit=20)
            hits = [(hit.entry.id, hit.score, [d.id for d in hit.duplicates]) for hit in results]
            found.append((question, results.total, hits))
    return found


def questions(index: Index, many: int) -> list[str]:
    """Words and pairs of words that stand in the entries, beside those above."""
    words: dict[str, None] = {}
    for hit in index.search("", limit=300):
        for word in re.findall(r"\w{4,}", hit.entry.title):
            words.setdefault(word.lower())
    told = list(words)
    pairs = [f"{a} {b}" for a, b in zip(told, told[7:], strict=False)]
    return [*QUESTIONS, *(each for two in zip(told, pairs, strict=False) for each in two)][:many]


def check_alike(tmp_path: Path, sources: list[Path], many: int) -> None:
    with Index(tmp_path / "one") as one, Index(tmp_path / "two") as two:
        for source in sources:
            one.update([source])
        report = two.import_(one.export())
        assert report.failures == ()
        assert report.added == one.stats().entries
        asked = questions(one, many)
        wanted = answers(one, asked)
        assert answers(two, asked) == wanted
        assert two.import_(one.export()).added == 0
        assert answers(two, asked[:10]) == wanted[:20]


def test_an_index_made_from_an_export_answers_alike(tmp_path: Path, fixtures: Path) -> None:
    check_alike(tmp_path, [fixtures], 200)


def test_an_index_of_real_news_made_from_an_export_answers_200_queries_alike(
    tmp_path: Path, shared: Path
) -> None:
    check_alike(tmp_path, [shared / "feeds" / "icmpd-news.xml"], 200)


def test_an_interrupted_import_is_found_as_far_as_it_came(tmp_path: Path) -> None:
    def broken() -> Iterator[str]:
        yield HEADER
        for at in range(12):
            body = "ferry " * (merging.BATCH // 30)
            yield version(f"{at:016x}", "2020-08-01T12:00:00Z", body)
        raise OSError("the disk is gone")

    with Index(tmp_path / "index") as index:
        with pytest.raises(OSError, match="gone"):
            index.import_(broken())
        assert index.search("ferry", dedupe=False).total == 10


def test_an_export_is_of_one_state_whatever_is_stored_meanwhile(archive: Archive) -> None:
    archive.store(feed(*(entry(str(at)) for at in range(50))), now=NOON)
    text = archive.export()
    told = [next(text), next(text)]
    archive.store(feed(entry("late"), url="http://b/feed"))
    archive.remove([entry("49").id])
    told += text
    assert len(told) == 52


def test_an_index_that_is_not_there_is_not_exported(tmp_path: Path) -> None:
    with Index(tmp_path / "index") as index, pytest.raises(IndexNotFoundError):
        index.export()
    with Index(tmp_path / "index") as index:
        index.import_([HEADER])
        with pytest.raises(FeedNotFoundError, match="no feed has x in"):
            index.export(feeds=["x"])


# The commands


def program(*arguments: object, **options: Any) -> subprocess.CompletedProcess[Any]:
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        capture_output=True,
        env=os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        timeout=60,
        **options,
    )


def test_the_commands_export_and_import(tmp_path: Path, fixtures: Path) -> None:
    one, two, file = tmp_path / "one", tmp_path / "two", tmp_path / "all.ndjson"
    with Index(one) as index:
        index.update([fixtures])
        entries = index.stats().entries
    done = program("--index", one, "export")
    assert (done.returncode, done.stderr) == (0, b"")
    # The locale has no letter beyond ASCII, and needs none.
    assert done.stdout.decode("ascii").splitlines()[0] == json.dumps(
        json.loads(HEADER), separators=(",", ":")
    )
    saved = program("--index", one, "export", file)
    assert (saved.returncode, saved.stdout) == (0, b"")
    assert file.read_bytes() == done.stdout
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.glob("*.part")) == []
    taken = program("--index", two, "import", "-", input=done.stdout)
    assert taken.returncode == 0
    assert f"standard input: {entries:,} added, 0 updated".encode() in taken.stderr
    assert program("--index", two, "export").stdout == done.stdout
    long = b"x" * (lines.LONGEST + 5) + b"\n"
    again = program("--index", two, "import", "-", input=done.stdout + long + b"bad\n")
    assert again.returncode == 2
    count = len(done.stdout.splitlines())
    assert f"line {count + 1}: it is longer than".encode() in again.stderr
    assert f"line {count + 2}: it is not JSON".encode() in again.stderr


def test_the_commands_say_what_is_wrong(tmp_path: Path) -> None:
    index = tmp_path / "index"
    for arguments, told in (
        (("export",), b"there is no index"),
        (("import", tmp_path / "missing"), b"No such file"),
        (("import", ROOT / "README.md"), b"not an export of searchfeed"),
    ):
        done = program("--index", index, *arguments)
        assert (done.returncode, done.stdout) == (2, b"")
        assert told in done.stderr
        assert done.stderr.count(b"\n") == 1
    with Index(index) as opened:
        opened.import_([HEADER])
    done = program("--index", index, "export", tmp_path / "nowhere" / "file")
    assert done.returncode == 2
    assert b"cannot write" in done.stderr
