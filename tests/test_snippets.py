"""Snippets: the right passage, marked in the words of the text, cut where a reader would cut."""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchfeed import analysis
from searchfeed.models import Entry, Pattern, Snippet
from searchfeed.snippets import WIDTH, Highlighter, passage

FILLER = "Nothing of note happened in the harbour that week, so the clerks went home early. "


def word(*terms: str, weight: float = 1.0, field: str | None = None) -> Pattern:
    return Pattern((frozenset(terms),), weight, field)


def phrase(*terms: str, slop: int = 0) -> Pattern:
    return Pattern(tuple(frozenset({term}) for term in terms), 1.0, None, slop)


def entry(title: str, body: str) -> Entry:
    return Entry("0" * 16, "https://feeds.example/", "Example", title, body)


def body_snippet(body: str, *patterns: Pattern) -> Snippet:
    snippet = Highlighter(patterns).make(entry("A title", body))[0]
    assert snippet.field == "body"
    assert snippet.text in body
    return snippet


def test_the_passage_with_most_distinct_words_wins_over_many_of_one() -> None:
    text = (
        "Border border border border border. "
        + FILLER * 6
        + "The guards keep the border under new management. "
        + FILLER * 6
    )
    snippet = body_snippet(text, word("border"), word("management"))
    assert "[border] under new [management]" in snippet.mark("[", "]")
    assert snippet.before
    assert snippet.after


def test_a_rare_word_weighs_more_than_two_common_ones() -> None:
    text = "The common words of a common report. " + FILLER * 6 + "A rare find."
    snippet = body_snippet(
        text, word("common", weight=0.2), word("report", weight=0.3), word("rare", weight=4.0)
    )
    assert "[rare]" in snippet.mark("[", "]")


def test_words_close_together_win_over_the_same_words_far_apart() -> None:
    text = f"Silk of {FILLER}and routes. {FILLER * 5} Silk routes again. {FILLER * 5}"
    snippet = body_snippet(text, word("silk"), word("routes"))
    assert "[Silk] [routes] again." in snippet.mark("[", "]")


@pytest.mark.parametrize(
    ("text", "pattern", "marked"),
    [
        ("They were running late.", word("running", "runs"), "They were [running] late."),
        ("Un café noir", word("café"), "Un [café] noir"),
        ("Un cafe\u0301 noir", word("café"), "Un [cafe\u0301] noir"),
        ("COVID-19 spreads", word("covid"), "[COVID]-19 spreads"),
        ("東京で地震がありました", word("東京"), "[東京]で地震がありました"),
        ("東京都の", phrase("東京", "京都"), "[東京都]の"),
        ("use C++ here", word("c++"), "use [C++] here"),
    ],
)
def test_what_is_marked_is_what_the_text_has(text: str, pattern: Pattern, marked: str) -> None:
    assert body_snippet(text, pattern).mark("[", "]") == marked


def test_a_phrase_is_marked_only_where_it_stands_whole() -> None:
    text = "The silk trade used many routes. The silk routes were long."
    snippet = body_snippet(text, phrase("silk", "routes"))
    assert snippet.mark("[", "]").endswith("The [silk] [routes] were long.")
    assert snippet.mark("[", "]").count("[") == 2


def test_a_near_phrase_is_marked_in_its_words() -> None:
    snippet = body_snippet("assisted and voluntary return", phrase("assisted", "return", slop=2))
    assert snippet.mark("[", "]") == "[assisted] and voluntary [return]"
    assert body_snippet("assisted a b c return", phrase("assisted", "return", slop=2)).spans == ()


def test_a_pattern_of_one_field_marks_nothing_in_the_other() -> None:
    body, title = Highlighter([word("silk", field="title")]).make(entry("Silk", "Silk"))
    assert (body.spans, title.mark("[", "]")) == ((), "[Silk]")


def test_an_entry_without_a_match_in_its_body_shows_its_beginning() -> None:
    snippet = body_snippet("First things first. " + FILLER * 10, word("absent"))
    assert snippet.text.startswith("First things first.")
    assert not snippet.before
    assert snippet.after
    assert snippet.spans == ()


@pytest.mark.parametrize(
    ("title", "body", "fields"),
    [("T", "B", ["body", "title"]), ("T", "", ["title"]), ("", "B", ["body"]), ("", "", ["title"])],
)
def test_there_is_always_a_first_snippet(title: str, body: str, fields: list[str]) -> None:
    assert [
        snippet.field for snippet in Highlighter([word("t")]).make(entry(title, body))
    ] == fields


def test_a_passage_begins_and_ends_with_sentences_where_there_is_room() -> None:
    text = FILLER * 4 + "The ferry to Aqaba was late again. It rained. " + FILLER * 4
    snippet = body_snippet(text, word("aqaba"))
    assert snippet.text[0].isupper()
    assert snippet.text.endswith(".")


def test_a_paragraph_is_not_left_for_the_next_one() -> None:
    snippet = body_snippet(f"One.\n\nThe ferry to Aqaba.\n\n{FILLER}", word("aqaba"))
    assert snippet.text.endswith("The ferry to Aqaba.")


PIECES = (
    *("alpha ", "beta ", "gamma.", " ", "\n\n", "e\u0301", "東京", "地", "क्षि", "x" * 30, "Ä"),
    *("\U0001f469\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "-", "!"),
)
texts = st.lists(st.sampled_from(PIECES), max_size=120).map("".join) | st.text(max_size=400)


@settings(max_examples=200, deadline=None)
@given(text=texts, width=st.integers(20, 200))
def test_a_passage_is_verbatim_whole_and_marks_what_was_looked_for(text: str, width: int) -> None:
    patterns = [word("alpha", "東京", weight=2.0), word("beta"), phrase("alpha", "beta", slop=1)]
    found = Highlighter(patterns).find(text, "body")
    snippet = passage(text, found, patterns, width)
    start = text.index(snippet.text)
    assert len(snippet.text) <= width + 64
    assert bool(snippet.spans) == bool(found)
    for span in snippet.spans:
        marked = {token.term for token in analysis.tokens(snippet.text[span.start : span.end])}
        assert marked & {"alpha", "beta", "東京"}
    spans = list(snippet.spans)
    assert all(one.end < other.start for one, other in pairwise(spans))
    if snippet.text and start == text.rindex(snippet.text):
        for border in (start, start + len(snippet.text)):
            assert border == len(text) or not unicodedata.combining(text[border])
            assert analysis.grapheme_start(text, border) == border


def test_time_stays_small_on_hostile_text() -> None:
    patterns = [word("alpha"), word("beta"), phrase("alpha", "alpha", slop=3)]
    for text in (
        "alpha " * 100_000,
        "alpha alpha beta " * 30_000,
        "x" * 500_000,
        "\u0301" * 100_000,
    ):
        started = process_time()
        Highlighter(patterns).make(entry("t", text))
        assert process_time() - started < 5, text[:20]


def test_the_width_is_kept() -> None:
    assert len(body_snippet(FILLER * 40, word("harbour")).text) <= WIDTH
