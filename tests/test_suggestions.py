"""What the index's own words are good for: did you mean, typing mistakes, completion, likeness."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from searchfeed import Index, Query, analysis
from searchfeed.cli import app
from searchfeed.engines.whoosh.spelling import Spellings
from searchfeed.errors import EntryNotFoundError, IndexNotFoundError, QueryError
from searchfeed.models import Entry
from searchfeed.query import likeness, parse
from searchfeed.query.completion import half_typed
from searchfeed.query.spelling import typed_words

FEED = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>{}</title>
<link>https://{}.example/</link><description>d</description>{}</channel></rss>"""
ITEM = """<item><title>{title}</title><guid isPermaLink="false">g{number}</guid>
<description>{body}</description><pubDate>{number:02d} Aug 2020 10:00:00 +0000</pubDate>{more}
</item>"""
AUTHOR = "<dc:creator>Jane Doe</dc:creator><category>Économie politique</category>"

ENTRIES = [
    ("Kubernetes operators", "Operators run a cluster of kubernetes by themselves.", ""),
    ("Human trafficking", "Border guards learn to recognise human trafficking.", AUTHOR),
    ("Traffickers in court", "Traffickers, caught by border guards in the harbour, confess.", ""),
    ("Harbour watch", "Of trafficking no trace.", ""),
    ("L’économie du café", "Le café est cher, et l’économie en dépend.", AUTHOR),
    ("Clusters of grapes", "The harvest in the valley.", ""),
]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of an index with the entries above; tests only read it."""
    folder = tmp_path_factory.mktemp("suggestions")
    entries = "".join(
        ITEM.format(number=number, title=title, body=body, more=more)
        for number, (title, body, more) in enumerate(ENTRIES, 1)
    )
    (folder / "feed.xml").write_text(FEED.format("Harbour News", "harbour", entries), "utf-8")
    with Index(folder / "index") as index:
        assert index.update([folder / "feed.xml"]).added == len(ENTRIES)
    return folder / "index"


@pytest.fixture
def index(filled: Path) -> Iterator[Index]:
    with Index(filled) as opened:
        yield opened


def titles(index: Index, text: str, **options: object) -> list[str]:
    return [hit.entry.title for hit in index.search(text, **options)]  # type: ignore[arg-type]


# The edit distance


def distance(one: str, other: str) -> int:
    """The optimal string alignment distance, straight from its definition."""

    @cache
    def edits(i: int, j: int) -> int:
        if not (i and j):
            return i + j
        best = min(
            edits(i - 1, j) + 1,
            edits(i, j - 1) + 1,
            edits(i - 1, j - 1) + (one[i - 1] != other[j - 1]),
        )
        if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
            best = min(best, edits(i - 2, j - 2) + 1)
        return best

    return edits(len(one), len(other))


texts = st.text("abcÀ地𝒳", max_size=6) | st.text(max_size=8)


@settings(max_examples=150, deadline=None)
@given(text=texts, others=st.lists(texts, max_size=30), most=st.integers(1, 2))
def test_near_words_are_those_of_the_definition(text: str, others: list[str], most: int) -> None:
    places, edits = Spellings(others).near(text, most)
    expected = {at: distance(text, other) for at, other in enumerate(others)}
    assert dict(zip(places.tolist(), edits.tolist(), strict=True)) == {
        at: edits for at, edits in expected.items() if edits <= most
    }


# Did you mean


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("kuberntes", "kubernetes"),
        ("  Kuberntes, operators ", "  kubernetes, operators "),
        ("kuberntes trafiking", "kubernetes trafficking"),
        ("title:trafiking -x", "title:trafficking -x"),
        ("+(trafiking OR grapes)", "+(trafficking OR grapes)"),
        ('"human trafiking"', '"human trafficking"'),
        ("“human trafiking”", "“human trafficking”"),
        ("ecnomie", "économie"),
        ("grapes/kuberntes", "grapes/kubernetes"),
        # These stand in an entry, as they are or in another form.
        ("kubernetes", ""),
        ("trafficked", ""),
        ("economie", ""),
        ("harbor -kuberntes", "harbour -kuberntes"),
        # Nothing of these is a word that was meant to be found.
        ("-kuberntes", ""),
        ("NOT (kuberntes)", ""),
        ("author:trafiking", ""),
        ("feed:harbuor", ""),
        ("kubernte*", ""),
        ("/kuberntes/", ""),
        ("kuberntes~", ""),
        ("xylophone", ""),
        ("zz", ""),
        ("2021", ""),
        ("", ""),
        ("东京", ""),
    ],
)
def test_did_you_mean(index: Index, text: str, suggestion: str) -> None:
    assert index.search(text).suggestion == suggestion
    assert index.suggestion(text) == suggestion
    assert index.search(Query(text, suggest=False)).suggestion == ""


def test_what_is_suggested_finds_something(index: Index) -> None:
    results = index.search("kuberntes")
    assert (len(results), results.total) == (0, 0)
    assert titles(index, results.suggestion) == ["Kubernetes operators"]


def test_a_suggestion_comes_beside_hits_too(index: Index) -> None:
    results = index.search("border trafiking")
    assert results.total == 2
    assert results.suggestion == "border trafficking"


def test_real_feeds_trafiking(shared: Path, tmp_path: Path) -> None:
    with Index(tmp_path / "index") as index:
        index.update([shared / "feeds" / "icmpd-news.xml"])
        results = index.search("trafiking")
        assert (results.total, results.suggestion) == (0, "trafficking")
        assert index.search("trafiking", fuzzy=True).total >= index.search("trafficking").total > 0


words = st.text('kubernetsoparw ’-+:"()é', max_size=12)


@settings(max_examples=150, deadline=None)
@given(text=words)
def test_a_suggestion_is_near_and_stands_in_the_index(text: str, filled: Path) -> None:
    with Index(filled) as index:
        try:
            suggestion = index.search(text).suggestion
        except QueryError:
            return
        if not suggestion:
            return
        before = [typed.word for typed in typed_words(parse(text).node, text)]
        after = [typed.word for typed in typed_words(parse(suggestion).node, suggestion)]
        assert len(before) == len(after)
        for typed, suggested in zip(before, after, strict=True):
            if typed != suggested:
                one, other = (analysis.fold(analysis.spell(word)) for word in (typed, suggested))
                assert 0 < distance(one, other) <= analysis.typing_mistakes(one)
                assert index.search(f'"{suggested}"').total


# Typing mistakes


def test_fuzzy_finds_words_with_typing_mistakes(index: Index) -> None:
    assert titles(index, "kuberntes") == []
    assert titles(index, "kuberntes", fuzzy=True) == ["Kubernetes operators"]
    assert titles(index, Query("kuberntes", fuzzy=True).text) == []
    assert [hit.entry.title for hit in index.search(Query("kuberntes", fuzzy=True))] == [
        "Kubernetes operators"
    ]
    snippet = index.search("kuberntes", fuzzy=True)[0].snippet("title")
    assert snippet is not None
    assert snippet.mark("[", "]") == "[Kubernetes] operators"


def test_fuzzy_leaves_other_parts_of_a_query_alone(index: Index) -> None:
    # What is excluded is not widened, and neither are phrases, conditions and short words.
    assert len(titles(index, "border -trafficing", fuzzy=True)) == 2
    assert titles(index, '"kuberntes"', fuzzy=True) == []
    assert titles(index, "author:jone", fuzzy=True) == []
    assert titles(index, "cov", fuzzy=True) == []


def test_fuzzy_keeps_the_endings_that_a_word_is_found_by(index: Index) -> None:
    assert set(titles(index, "operator", fuzzy=True)) >= set(titles(index, "operator")) != set()


SPELT = ("harbour", "harbuor", "traffic", "trafic", "border", "bordr")


@settings(max_examples=25, deadline=None)
@given(
    documents=st.lists(st.lists(st.sampled_from(SPELT), min_size=1, max_size=5), max_size=7),
    wanted=st.lists(st.sampled_from(SPELT[::2]), min_size=1, max_size=3, unique=True),
)
def test_entries_with_all_words_as_typed_come_first(
    documents: list[list[str]],
    wanted: list[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("fuzzy")
    entries = "".join(
        ITEM.format(number=number, title=f"n{number}", body=" ".join(words), more="")
        for number, words in enumerate(documents, 1)
    )
    (folder / "feed.xml").write_text(FEED.format("x", "x", entries), "utf-8")

    def level(title: str) -> int:
        held = set(documents[int(title[1:]) - 1])
        loose = {SPELT[SPELT.index(word) // 2 * 2] for word in held}
        return (set(wanted) <= held) + (set(wanted) <= loose)

    with Index(folder / "index") as index:
        index.update([folder / "feed.xml"])
        found = index.search(" ".join(wanted), fuzzy=True, limit=100)
        levels = [level(hit.entry.title) for hit in found]
    assert levels == sorted(levels, reverse=True)


# Completion


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ti", ("title:",)),
        ("-ti", ("-title:",)),
        ("(ti", ("(title:",)),
        ("kub", ("kubernetes",)),
        ("border traf", ("border trafficking", "border traffickers")),
        ("caf", ("café",)),
        ("CAFÉ", ("café",)),
        ("title:grap", ("title:grapes",)),
        ("title:valle", ()),
        ('"human traf', ('"human trafficking', '"human traffickers')),
        ("tag:eco", ('tag:"Économie politique"',)),
        ('tag:"économie po', ('tag:"Économie politique"',)),
        ("-tag:", ('-tag:"Économie politique"',)),
        ("by:d", ('by:"Jane Doe"',)),
        ("feed:har", ("feed:harbour",)),
        ("is:", ("is:updated",)),
        ("has:e", ("has:enclosure",)),
        ("date:2020", ()),
        ("http:kub", ()),
        ("id:a", ()),
        ("title:", ()),
        ("grapes ", ()),
        ("", ()),
        ("zzz", ()),
    ],
)
def test_completion(index: Index, text: str, expected: tuple[str, ...]) -> None:
    assert index.complete(text) == expected


def test_completion_at_the_cursor(index: Index) -> None:
    assert index.complete("kub operators", 3) == ("kubernetes operators",)
    assert index.complete("(kub)", 4) == ("(kubernetes)",)
    assert index.complete("kubernetes", 3) == ()
    assert index.complete("kub", 99) == ("kubernetes",)
    assert index.complete("kub", -1) == ()


def test_completions_are_limited_and_the_most_frequent_come_first(index: Index) -> None:
    assert index.complete("tr") == ("trafficking", "traffickers", "trace")
    assert index.complete("t", limit=3) == ("title:", "tag:", "trafficking")


def test_completion_needs_an_index(tmp_path: Path) -> None:
    with Index(tmp_path / "none") as index, pytest.raises(IndexNotFoundError):
        index.complete("x")


@settings(max_examples=200, deadline=None)
@given(text=st.text('tagcekubé:"(-+ ’tr', max_size=8), data=st.data())
def test_completions_begin_as_the_text_does(text: str, data: st.DataObject, filled: Path) -> None:
    cursor = data.draw(st.integers(0, len(text)))
    with Index(filled) as index:
        found = index.complete(text, cursor)
    half = half_typed(text, cursor)
    assert half is not None or not found
    for each in found:
        assert half is not None
        assert each.startswith(text[: half.start])
        assert each.endswith(text[cursor:])
        word = each[half.start : len(each) - (len(text) - cursor)]
        folded, start = (analysis.fold(analysis.spell(form)) for form in (word, half.word))
        assert folded.strip('"').startswith(start) or f" {start}" in folded
        assert each != text


# Likeness


def test_like_finds_what_shares_telling_words(index: Index) -> None:
    hit = index.search("Human trafficking")[0]
    results = index.like(hit.entry.id[:8])
    assert results.query.text == hit.entry.id
    assert results[0].entry.title == "Traffickers in court"
    assert hit.entry.id not in {one.entry.id for one in results}
    assert results.total == len(results)
    assert results[0].snippets[0].spans
    assert results.suggestion == ""


def test_like_takes_pages_orders_and_feeds(index: Index) -> None:
    id = index.search("kubernetes")[0].entry.id
    everything = [hit.entry.id for hit in index.like(id)]
    assert len(everything) > 1
    assert [hit.entry.id for hit in index.like(id, limit=1, offset=1)] == everything[1:2]
    dates = [hit.entry.date for hit in index.like(id, sort="date") if hit.entry.date]
    assert dates == sorted(dates)
    assert index.like(id, feeds=["nowhere"]).total == 0
    assert index.like(id, feeds=["harbour"]).total == len(everything)


def test_like_an_entry_that_shares_nothing(tmp_path: Path) -> None:
    items = ITEM.format(number=1, title="alone", body="", more="") + ITEM.format(
        number=2, title="2020", body="", more=""
    )
    (tmp_path / "feed.xml").write_text(FEED.format("", "x", items), "utf-8")
    with Index(tmp_path / "index") as index:
        index.update([tmp_path / "feed.xml"])
        for title in ("alone", "2020"):
            results = index.like(index.search(title)[0].entry.id)
            assert (results.hits, results.total) == ((), 0)
        with pytest.raises(EntryNotFoundError):
            index.like("ffffffff")


def test_words_of_an_entry() -> None:
    entry = Entry(
        id="0" * 16,
        feed_url="f",
        feed_title="f",
        title="Multi-agent cafés",
        body="A café, cafés, café: 1987 in 東京都. c++ agents",
        language="en",
    )
    found = likeness.words(entry)
    assert found["cafés"] == 4 + likeness.TITLE - 1
    assert {"multi", "東京", "c++"} <= set(found)
    assert not {"multi-agent", "1987", "都", "a"} & set(found)


def test_like_leaves_out_the_same_story_in_another_feed(tmp_path: Path) -> None:
    story = (
        "The ministry of labour opened a centre where migrants find advice on their rights. " * 3
    )
    other = (
        "Migrants find advice at the ministry of labour, says a report of the centre in Dushanbe."
    )
    for name, stories in (("one", [story, other]), ("two", [story, "Nothing of the kind."])):
        items = "".join(
            ITEM.format(number=number, title=f"Centre {body[:20]}", body=body, more="")
            for number, body in enumerate(stories, 1)
        )
        (tmp_path / f"{name}.xml").write_text(FEED.format(name, name, items), "utf-8")
    with Index(tmp_path / "index") as index:
        index.update([tmp_path / "one.xml", tmp_path / "two.xml"])
        first = index.search("opened", feeds=["one"])[0].entry
        found = [hit.entry for hit in index.like(first.id)]
    assert found[0].body == other
    assert story.strip() not in {entry.body for entry in found}


# The command line


@pytest.fixture
def run(filled: Path) -> Callable[..., tuple[int, str, str]]:
    def invoke(*arguments: str, **environment: str) -> tuple[int, str, str]:
        done = CliRunner().invoke(
            app, ["--index", str(filled), *arguments], env=environment, standalone_mode=False
        )
        if done.exception:
            raise done.exception
        return done.return_value, done.stdout, done.stderr

    return invoke


Run = Callable[..., tuple[int, str, str]]


def test_nothing_found_says_what_was_perhaps_meant(run: Run) -> None:
    code, out, err = run("search", "kuberntes")
    assert (code, out) == (1, "")
    assert "nothing found for kuberntes; did you mean: kubernetes?" in err
    code, out, err = run("-q", "search", "kuberntes")
    assert (code, out, err) == (1, "", "")


def test_a_suggestion_beside_hits_stands_on_stderr(run: Run) -> None:
    code, out, err = run("search", "border", "trafiking", "--json")
    assert code == 0
    assert json.loads(out)["suggestion"] == "border trafficking"
    assert "did you mean: border trafficking?" in err
    assert json.loads(run("search", "border", "--json")[1])["suggestion"] == ""


def test_fuzzy_on_the_command_line(run: Run) -> None:
    code, out, _ = run("search", "--fuzzy", "kuberntes")
    assert code == 0
    assert "Kubernetes operators" in out


def test_like_on_the_command_line(run: Run) -> None:
    id = json.loads(run("search", "human trafficking", "--json")[1])["hits"][0]["id"]
    code, out, err = run("like", id[:8], "--json", "-n", "1")
    document = json.loads(out)
    assert (code, err, document["query"], document["limit"]) == (0, "", id, 1)
    assert [hit["title"] for hit in document["hits"]] == ["Traffickers in court"]
    code, out, err = run("like", id, "--offset", "99")
    assert (code, out) == (1, "")
    assert "lower --offset" in err
    code, out, err = run("like", id, "--feed", "nowhere")
    assert (code, out) == (1, "")
    assert "nothing found" in err


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("search kub", ["kubernetes"]),
        ("search border feed:har", ["feed:harbour"]),
        ("search ti", ["title:"]),
        ("search --feed har", ["Harbour News"]),
        ("like --feed har", ["Harbour News"]),
        ("--index /nowhere search kub", []),
    ],
)
def test_the_shell_completes_words_of_the_index(
    filled: Path, typed: str, completed: list[str]
) -> None:
    done = CliRunner().invoke(
        app,
        [],
        prog_name="searchfeed",
        env={
            "SEARCHFEED_INDEX": str(filled),
            "_SEARCHFEED_COMPLETE": "bash_complete",
            "COMP_WORDS": f"searchfeed {typed}",
            "COMP_CWORD": str(len(typed.split())),
        },
    )
    lines = filter(None, done.stdout.splitlines())
    assert [line.partition(",")[2] for line in lines] == completed


def test_a_word_with_a_sign_behind_it_is_left_as_it_is() -> None:
    typed = list(typed_words(parse("as’t+ kubernets").node, "as’t+ kubernets"))
    assert [each.word for each in typed] == ["kubernets"]
