"""Searches with a name: saved, used in others, listed, forgotten, and taken elsewhere."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from searchfeed import Index, QueryError, tree
from searchfeed.archive import Archive
from searchfeed.keys import search_key
from searchfeed.models import Feed, Span
from searchfeed.query import Searches, caret, parse
from searchfeed.query.references import DEEPEST, LONGEST, moved
from searchfeed.query.spelling import typed_words

NOON = datetime(2020, 8, 12, 12, tzinfo=UTC)


def rss(*titles: str) -> bytes:
    items = "".join(
        f"<item><title>{title}</title><guid>{title}</guid>"
        "<pubDate>Wed, 12 Aug 2020 10:00:00 GMT</pubDate></item>"
        for title in titles
    )
    return f"<rss version='2.0'><channel><title>News</title>{items}</channel></rss>".encode()


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    (tmp_path / "feed.xml").write_bytes(
        rss("llm agents", "llm ad", "rust release", "silk routes", "ai winter")
    )
    with Index(tmp_path / "index") as opened:
        opened.update(tmp_path / "feed.xml")
        yield opened


def titles(index: Index, query: str) -> set[str]:
    return {hit.entry.title for hit in index.search(query, limit=20)}


def named(**texts: str) -> Searches:
    return {search_key(name): (name, text) for name, text in texts.items()}


def read(text: str, **texts: str) -> tree.Node:
    return parse(text, now=NOON, zone=UTC, searches=named(**texts)).node


def shape(node: tree.Node) -> tree.Node:
    return moved(node, Span(0, 0))


# What it stands for


def test_a_saved_search_is_a_group(index: Index) -> None:
    index.save("ai", "llm -ad")
    assert titles(index, "@ai") == {"llm agents"}
    assert titles(index, "@AI OR rust") == {"llm agents", "rust release"}
    assert titles(index, "-@ai") == {"llm ad", "rust release", "silk routes", "ai winter"}
    assert titles(index, "NOT @ai.") == titles(index, "-@ai")
    assert titles(index, "@ai after:2020-08-12") == {"llm agents"}
    assert titles(index, "@ai after:2020-08-14") == set()
    index.save("tech", "@ai OR title:(rust)")
    assert titles(index, "@tech -agents") == {"rust release"}
    assert index.facets("@ai", ["year"])
    assert index.trend("@ai").total == 1
    assert index.select("@ai").ids == (index.search("@ai")[0].entry.id,)


def balanced(text: str) -> bool:
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0


TEXTS = (
    st.lists(
        st.sampled_from(
            [
                "silk",
                "-routes",
                '"two words"',
                "OR",
                "AND",
                "NOT",
                "title:x",
                "(",
                ")",
                "+b",
                "*",
            ]
        ),
        min_size=1,
        max_size=7,
    )
    .map(" ".join)
    # An open bracket ends with its search, but would swallow the rest of a longer text.
    .filter(balanced)
    # In a text that is all in capitals operators are words; whose text it is makes a difference.
    .filter(lambda text: any(map(str.islower, text)))
)
AROUND = st.sampled_from(
    [
        "{}",
        "-{}",
        "+{}",
        "NOT {}",
        "a {} b",
        "a OR {}",
        "{} AND c",
        "(x {})",
        "title:(a {})",
        "-(a {})",
    ]
)


@settings(max_examples=150, deadline=None)
@given(TEXTS, TEXTS, AROUND, AROUND)
def test_it_means_what_its_text_means_in_brackets(
    one: str, two: str, around: str, outer: str
) -> None:
    # Brackets with nothing to join in them make words of the operators beside them.
    assume(not isinstance(parse(one).node, tree.Everything))
    assume(not isinstance(parse(two).node, tree.Everything))
    # In a text of capitals alone operators are words; a saved search is a text of its own.
    assume(any(each.islower() for each in one) and any(each.islower() for each in two))
    text = f"{around.format('@one')} {two}"
    spelled = f"{around.format(f'({one})')} {two}"
    assert shape(read(text, one=one)) == shape(parse(spelled, now=NOON, zone=UTC).node)
    nested = read(outer.format("@both"), both=text, one=one)
    assert shape(nested) == shape(parse(outer.format(f"({spelled})"), now=NOON, zone=UTC).node)


@pytest.mark.parametrize(
    "text",
    [
        '"@ai"',
        "ann@ai",
        "a@ai.example",
        "@ai@example.org",
        "author:@ai",
        "author:(@ai OR @bo)",
        "@",
        "@ ai",
        "@@ai",
        "@-ai",
        "@ai*",
        "@ai/x",
        "@...",
    ],
)
def test_what_is_a_word(text: str) -> None:
    assert shape(read(text, ai="silk", bo="x")) == shape(parse(text).node)


@pytest.mark.parametrize("text", ["@ai", "＠AI", "@Ai,", "(@ai)", "@ai?", "title:(@ai)", "@ai, "])
def test_what_is_a_name(text: str) -> None:
    (leaf, _), *_ = tree.leaves(read(text, ai="silk"))
    assert isinstance(leaf, tree.Word)
    assert leaf.text == "silk"
    assert "@" in text.replace("＠", "@")[leaf.span.start : leaf.span.end]


def test_relative_dates_are_those_of_its_use() -> None:
    texts = named(week="newer:7d")
    for now in (NOON, NOON + timedelta(days=400)):
        node = parse("@week", now=now, zone=UTC, searches=texts).node
        assert isinstance(node, tree.DateRange)
        assert node.start == now - timedelta(days=7)


def test_what_it_stands_for_is_explained(index: Index) -> None:
    index.save("ai", "llm -ad")
    index.save("Tech", "@ai OR rust")
    explained = index.explain_query("@tech @ai")
    assert explained.notes == ("@Tech stands for: @ai OR rust", "@ai stands for: llm -ad")
    assert "Word llm" in explained.tree
    assert "Word rust" in explained.tree
    entry = index.search("rust")[0].entry
    assert index.explain(entry.id, "@tech").matches
    assert not index.explain(entry.id, "@ai").matches


def test_no_word_of_it_is_taken_for_one_that_was_typed(index: Index) -> None:
    index.save("ai", "ai OR llmm")
    text = "@ai siklk"
    node = parse(text, searches={"ai": ("ai", "ai OR llmm")}).node
    assert [typed.word for typed in typed_words(node, text)] == ["siklk"]
    assert index.search(text).suggestion == "@ai silk"


def test_notes_say_where_they_are_from(index: Index) -> None:
    index.save("open", 'rust "release')
    assert index.search("@open").notes == (
        "@open: A quote is not closed, so the phrase runs to the end.",
    )
    assert titles(index, "@open silk") == {"rust release"}


# Mistakes


def refused(call: object, *arguments: str) -> QueryError:
    with pytest.raises(QueryError) as caught:
        call(*arguments)  # type: ignore[operator]
    return caught.value


def test_unknown_names_and_their_place(index: Index) -> None:
    error = refused(index.search, "silk -@llmm, x")
    assert str(error) == "there is no saved search @llmm; in quotes it is a word"
    assert caret(error).splitlines()[1] == "      ^^^^^"
    index.save("LLM", "llm")
    error = refused(index.search, "silk -@llmm, x")
    assert (error.reason, error.suggestion) == ("there is no saved search @llmm", "@LLM")
    assert error.query[error.start : error.end] == "@llmm"


def test_its_mistakes_are_found_when_it_is_saved(index: Index) -> None:
    for text, wrong in (
        ("date:garbage", "garbage"),
        ("silk tilte:x", "tilte"),
        ("silk @gone", "@gone"),
        ("/(/", "/(/"),
    ):
        error = refused(index.save, "bad", text)
        assert error.query == text
        assert error.query[error.start : error.end] == wrong
    assert index.searches() == ()
    for name in ("", "a b", "@a", "a/b", "-a", "a.", "ä" * 65, "a\x00", "a'"):
        with pytest.raises(ValueError, match="is no name for a search"):
            index.save(name, "silk")
    for text in ("", "  \n", "x" * (LONGEST + 1)):
        with pytest.raises(ValueError, match="1 to 10,000 characters"):
            index.save("a", text)


def test_circles_are_refused_with_the_way_round(index: Index) -> None:
    error = refused(index.save, "a", "silk OR -@A")
    assert str(error) == "saved searches go round in a circle: @a → @a"
    index.save("a", "silk")
    index.save("B", "@a rust")
    index.save("c", "x OR (y -@b)")
    error = refused(index.save, "a", "silk OR -@A")
    assert str(error) == "saved searches go round in a circle: @a → @a"
    error = refused(index.save, "a", "silk @c")
    assert str(error) == "saved searches go round in a circle: @a → @c → @B → @a"
    assert error.query[error.start : error.end] == "@c"
    assert [each.text for each in index.searches()] == ["silk", "@a rust", "x OR (y -@b)"]


def test_circles_that_came_from_elsewhere_are_found_when_they_are_used() -> None:
    texts = named(a="@b", b="x @a", bad="@worse", worse="date:never", gap="@gone")
    for text, reason in (
        ("silk @a", "saved searches go round in a circle: @a → @b → @a"),
        ("silk @gap", "there is no saved search @gone, which @gap names"),
    ):
        error = refused(lambda text=text: parse(text, searches=texts))
        assert str(error) == reason
        assert error.query[error.start : error.end] == text.split()[1]
    error = refused(lambda: parse("silk @bad", searches=texts))
    assert str(error).startswith("in the saved search @worse: 'never' is ")
    assert (error.query, error.start, error.end) == ("silk @bad", 5, 9)


def test_what_grows_without_bounds_is_refused() -> None:
    bomb = named(a0="silk", **{f"a{n}": f"@a{n - 1} @a{n - 1} @a{n - 1}" for n in range(1, 20)})
    assert "more than 10,000 characters" in str(refused(lambda: parse("@a19", searches=bomb)))
    chain = named(a0="silk", **{f"a{n}": f"@a{n - 1}" for n in range(1, 100)})
    assert isinstance(parse(f"@a{DEEPEST - 1}", searches=chain).node, tree.Word)
    assert "stand inside each other" in str(refused(lambda: parse("@a99", searches=chain)))
    deep = named(deep="(a OR (b " * 900)
    assert "nest too deep" in str(refused(lambda: parse("@deep", searches=deep)))
    many = named(many=" ".join(f"a{n}*" for n in range(20)))
    assert "at most 32 patterns" in str(refused(lambda: parse("@many @many", searches=many)))


def test_one_that_others_name_stays(index: Index) -> None:
    index.save("ai", "llm")
    index.save("Tech", "@AI OR rust")
    assert str(refused(index.forget, "ai")) == "it is a part of @Tech"
    error = refused(index.forget, "tehc")
    assert (str(error), error.query) == (
        "there is no saved search @tehc; did you mean @Tech?",
        "@tehc",
    )
    assert index.forget("TECH").text == "@AI OR rust"
    assert index.forget("ai").name == "ai"
    assert index.searches() == ()
    assert str(refused(index.forget, "a b")) == "there is no saved search @a b"


# Names, lists, completion


def test_names_are_the_same_in_any_case(index: Index) -> None:
    index.save("Straße-2.x_y", "llm")
    index.save("STRASSE-2.X_Y", "rust")
    (found,) = index.searches()
    assert (found.name, found.text, found.alert) == ("STRASSE-2.X_Y", "rust", False)
    assert titles(index, "@straße-2.x_y") == {"rust release"}
    for name in ("हिन्दी", "日本語", "ﬁ", "2020"):
        index.save(name, "silk")
        assert titles(index, f"@{name}") == {"silk routes"}


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=8))
def test_every_name_that_is_one_can_be_named(name: str) -> None:
    try:
        key = search_key(name)
    except ValueError:
        return
    assert search_key(name.upper()) == search_key(name.upper().lower())
    assert search_key(key) == key
    node = parse(f"-@{name} x", searches={key: (name, "silk")}).node
    assert [leaf.text for leaf, _ in tree.leaves(node) if isinstance(leaf, tree.Word)] == [
        "x",
        "silk",
    ]


def test_saving_again_keeps_what_did_not_change(index: Index) -> None:
    first = index.save("ai", "llm\n -ad\u200b \x1b x", alert=True)
    assert first.text == "llm -ad\u200b x"
    assert first.alert
    again = index.save("ai", "llm -ad\u200b x")
    assert again == first
    changed = index.save("ai", "llm")
    assert changed.saved > first.saved
    assert changed.alert
    assert not index.save("ai", "llm", alert=False).alert


def test_names_are_completed(index: Index) -> None:
    for name in ("AI", "ai-news", "rust"):
        index.save(name, "llm")
    assert index.complete("silk -@") == ("silk -@AI", "silk -@ai-news", "silk -@rust")
    assert index.complete("@ai") == ("@ai-news",)
    assert index.complete("@A") == ("@AI", "@ai-news")
    assert index.complete('"@a') == index.complete("author:@a") == ()
    assert index.complete("(@ru) x", 4) == ("(@rust) x",)


# Elsewhere


def test_they_are_exported_and_come_back(tmp_path: Path) -> None:
    with Archive(tmp_path / "one.sqlite") as one, Archive(tmp_path / "two.sqlite") as two:
        one.save_search("ai", "llm -ad", now=NOON, alert=True)
        one.save_search("Tech", "@ai OR «日本»", now=NOON)
        lines = list(one.export())
        assert json.loads(lines[1]) == {
            "search": "ai",
            "text": "llm -ad",
            "saved": "2020-08-12T12:00:00Z",
            "alert": True,
        }
        for _ in range(2):
            assert two.take_in(lines, name="x").failures == ()
            assert two.searches() == one.searches()
        assert len(list(one.export([]))) == 1


def test_two_of_one_name_are_both_kept(tmp_path: Path) -> None:
    with Archive(tmp_path / "one.sqlite") as one, Archive(tmp_path / "two.sqlite") as two:
        one.save_search("AI", "llm", now=NOON)
        two.save_search("ai", "gpt", now=NOON)
        two.save_search("rust", "x", now=NOON, alert=True)
        for _ in range(3):
            one.take_in(list(two.export()), name="x")
            two.take_in(list(one.export()), name="x")
        assert {(each.name, each.text) for each in one.searches()} == {
            ("AI", "llm"),
            ("ai-2", "gpt"),
            ("rust", "x"),
        }
        assert {each.text for each in two.searches()} == {"gpt", "llm", "x"}
        assert len(two.searches()) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"search": "a b"},
        {"search": 1},
        {"text": ""},
        {"text": None},
        {"text": "a\x1bb"},
        {"text": "x" * (LONGEST + 1)},
        {"saved": "noon"},
        {"alert": 1},
    ],
)
def test_bad_lines_are_refused(tmp_path: Path, change: dict[str, object]) -> None:
    good = {"search": "ai", "text": "llm", "saved": "2020-08-12T12:00:00Z", "alert": False}
    header = {"format": "searchfeed export", "version": 1}
    with Archive(tmp_path / "archive.sqlite") as archive:
        report = archive.take_in(map(json.dumps, [header, good | change]), name="x")
        assert len(report.failures) == 1
        assert archive.searches() == ()
        assert archive.take_in(map(json.dumps, [header, good]), name="x").failures == ()
        assert [each.text for each in archive.searches()] == ["llm"]


@pytest.mark.parametrize("table", ["search", "sqlite_autoindex_search_1", "alert", "alert_copy"])
def test_a_damaged_archive_gives_them_back(index: Index, table: str) -> None:
    index.save("ai", "llm -ad", alert=True)
    feed = index.path.parent / "feed.xml"
    feed.write_bytes(rss("llm one", "llm two", "rust"))
    index.update(feed)
    with index.alerts() as alerts:
        first, _ = alerts
        alerts.told(first)
    before = index.searches()
    assert before[0].waiting == 1
    index.close()
    file = index.path / "archive.sqlite"
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        # A table without row ids is its own index.
        (page,) = connection.execute(query, (table,)).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with file.open("r+b") as opened:
        opened.seek((page - 1) * size)
        opened.write(b"rubbish " * (size // 8))
    assert index.check(repair=True).repairs
    assert index.searches() == before
    with index.alerts() as alerts:
        assert [alert.hit.entry.title for alert in alerts] == ["llm two"]


def test_an_archive_of_before_has_none(tmp_path: Path) -> None:
    with Archive(tmp_path / "archive.sqlite") as archive:
        archive.store(Feed("http://a/feed", "A"))
        assert archive.searches() == ()
        assert archive.search_texts() == {}
        assert not archive.forget_search("ai")
        assert archive.waiting("ai", 5) == archive.unlooked("ai", 5) == ()
