"""Regular expressions for terms: those of ``re``, but for what takes it for ever."""

from __future__ import annotations

import re
import time
import warnings

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from searchfeed import Index, Query, QueryError
from searchfeed.analysis import Expression
from searchfeed.analysis.expressions import ExpressionError
from tests.engines import examples

ATOMS = st.sampled_from(
    [
        *("a", "b", "c", ".", "é", "ß", "A", "1", "[ab]", "[^a]", "[a-c]", "[]a]", "\\d", "\\w"),
        *("\\S", "\\.", "\\x61", "(a|b)", "(?:ab|c)", "(a*)", "(a+b?)", "(a|)*", "(?P<n>b)"),
        *("^", "$", "(^a|b$)", "|", "()", "a{2}", "b{1,3}", "c{,2}", "a{1,}"),
    ]
)
COUNTS = st.sampled_from(["", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{0,2}", "{0}", "{"])
PATTERNS = st.lists(st.tuples(ATOMS, COUNTS).map("".join), min_size=1, max_size=5).map("".join)
TEXTS = st.text("abcAé1ß.]{", max_size=6)


@settings(max_examples=examples(200, long=600), deadline=None)
@given(PATTERNS, st.lists(TEXTS, min_size=1, max_size=6))
def test_it_fits_what_the_ones_of_python_fit(pattern: str, texts: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = re.compile(pattern, re.IGNORECASE)
        except re.error:
            assume(False)
    try:
        expression = Expression(pattern)
    except ExpressionError:
        assert re.search(r"[}*]\+", pattern), "only counts that never give back are refused"
        return
    for text in [*texts, ""]:
        assert expression.fits(text) == bool(expected.fullmatch(text))


@pytest.mark.parametrize(
    "pattern",
    ["(a)\\1", "(?=a)b", "(?<!a)b", "(?>a)", "\\bab", "(?i:a)", "a++", "(", ")", "[a", "*a"],
)
def test_what_it_cannot_do_is_refused(pattern: str) -> None:
    with pytest.raises(ExpressionError):
        Expression(pattern)


EVIL = (
    "(a+)+$",
    "(a|a)*b",
    "(a|aa)+c",
    "(.*a){30}",
    "a*" * 90 + "b",
    "(a?){60}a{60}",
    "((a{1,10}){1,10}){1,9}b",
    "(" * 40 + "a" + ")*" * 40,
    ".*a.{90}",
)


@pytest.mark.parametrize("pattern", EVIL)
def test_no_expression_takes_long(pattern: str) -> None:
    start = time.process_time()
    expression = Expression(pattern)
    for length in range(1, 120):
        for end in "abc":
            expression.fits("a" * length + end)
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    "pattern", ["(" * 70 + "a" + "){2}" * 30, "(" * 60 + "a" + ")" * 60, "(a{999}){999}", "a{9999}"]
)
def test_what_is_too_large_is_refused_at_once(pattern: str) -> None:
    start = time.process_time()
    with pytest.raises(ExpressionError):
        Expression(pattern)
    assert time.process_time() - start < 2


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    path = tmp_path_factory.mktemp("expressions")
    words = " ".join(["a" * length for length in range(1, 60)])
    feed = f"<rss><channel><item><title>{words}</title></item></channel></rss>"
    (path / "feed.xml").write_text(feed)
    index = Index(path / "index")
    index.update([path / "feed.xml"])
    return index


@pytest.mark.parametrize(
    "text", ["/(a+)+$/", "/(a|a)*b/", f"/{'a*' * 90}b/", "*a" * 40 + "b", "a*" * 40 + "?b"]
)
def test_no_pattern_of_a_query_takes_long(index: Index, text: str) -> None:
    start = time.process_time()
    index.search(Query(text))
    assert time.process_time() - start < 3


def test_a_query_says_what_is_not_supported(index: Index) -> None:
    with pytest.raises(QueryError, match=r"not a regular expression: \\1 is not supported"):
        index.search(Query("/(a)\\1/"))
