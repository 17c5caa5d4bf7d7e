"""Highlighting: all of a text that a query finds, as long as the text may be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchfeed import Index, Query
from searchfeed.errors import QueryError
from searchfeed.models import Entry, Pattern, Snippet
from searchfeed.snippets import MOST_PLACES, Highlighter

RSS = """<rss version="2.0"><channel><title>Harbour News</title><language>en</language>
<link>https://x.example/</link><item><title>Ferries run late</title><guid>1</guid>
<description>The ferry ran late. Ferries are running; the silk routes too. Café.</description>
</item></channel></rss>"""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder: Path = tmp_path_factory.mktemp("highlight")
    (folder / "feed.xml").write_text(RSS, encoding="utf-8")
    with Index(folder / "index") as opened:
        opened.update(folder / "feed.xml")
        yield opened


def marked(snippets: tuple[Snippet, ...]) -> dict[str, str]:
    return {snippet.field: snippet.mark("[", "]") for snippet in snippets}


def entry(title: str, body: str) -> Entry:
    return Entry("0" * 16, "https://feeds.example/", "Example", title, body)


@pytest.mark.parametrize(
    ("query", "title", "body"),
    [
        ("ferry", "[Ferries] run late", "The [ferry] ran late. [Ferries] are running"),
        ('"silk routes"', "Ferries run late", "the [silk] [routes] too"),
        ("silk late", "Ferries run [late]", "The ferry ran [late]."),
        ("title:late", "Ferries run [late]", "The ferry ran late."),
        ("cafe", "Ferries run late", "[Café]"),
        ("rout*", "Ferries run late", "silk [routes]"),
        ("ferry -silk", "[Ferries] run late", "the silk routes"),
        ("after:2020", "Ferries run late", "The ferry ran late."),
        ("", "Ferries run late", "The ferry ran late."),
    ],
)
def test_all_that_a_query_finds_is_marked(index: Index, query: str, title: str, body: str) -> None:
    found = index.search("").hits[0].entry
    texts = marked(index.highlight(found, query))
    assert texts["title"] == title
    assert body in texts["body"]


def test_the_texts_are_those_that_the_entry_brings(index: Index) -> None:
    found = replace(index.search("ferry").hits[0].entry, title="", body="A ferry, and a ferry")
    assert marked(index.highlight(found, Query("ferry"))) == {"body": "A [ferry], and a [ferry]"}


def test_a_query_that_cannot_be_meant_is_refused(index: Index) -> None:
    with pytest.raises(QueryError):
        index.highlight(entry("a", "b"), "date:2020-13-45")


def test_nothing_is_left_out_where_there_is_much() -> None:
    count = MOST_PLACES * 3
    body = Highlighter([Pattern((frozenset({"silk"}),), 1.0)]).whole(entry("", "silk, " * count))[0]
    assert len(body.spans) == count


def test_time_stays_small_on_much_of_the_same() -> None:
    phrase = Pattern((frozenset({"alpha"}), frozenset({"beta"})), 1.0, slop=3)
    started = process_time()
    body = Highlighter([phrase]).whole(entry("", "alpha alpha beta " * 30_000))[0]
    assert len(body.spans) == 90_000
    assert process_time() - started < 5


@settings(max_examples=100, deadline=None)
@given(words=st.lists(st.sampled_from(["alpha", "beta", "gamma", "\n\n", "東京", "e\u0301"])))
def test_the_spans_hold_those_of_the_passage(words: list[str]) -> None:
    patterns = [
        Pattern((frozenset({"alpha", "東京"}),), 1.0),
        Pattern((frozenset({"alpha"}), frozenset({"beta"})), 1.0, slop=1),
    ]
    text = " ".join(words)
    best, *_ = Highlighter(patterns).make(entry("", text))
    all_of_it = Highlighter(patterns).whole(entry("", text))
    spans = all_of_it[0].spans if all_of_it else ()
    assert all(one.end < other.start for one, other in pairwise(spans))
    assert bool(spans) == bool(best.spans)
    start = text.index(best.text)
    inside = {(start + span.start, start + span.end) for span in best.spans}
    found = {text[span.start : span.end] for span in spans}
    assert {text[first:last] for first, last in inside} <= found
