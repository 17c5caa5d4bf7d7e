"""Markdown: it shows what the text says, whatever the text tries to be."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from searchfeed.models import Enclosure, Entry, Hit, Query, Results, Snippet, Span
from searchfeed.output import ENTRIES, ENTRY, RESULTS, Screen
from searchfeed.output.clean import clean
from searchfeed.output.links import addresses
from searchfeed.output.markdown import escape

SCREEN = Screen(zone=UTC, now=datetime(2020, 9, 1, tzinfo=UTC))
LINK = "https://x.example/a_(b)?c=1&copy;=2"


def entry(title: str = "Ferries", body: str = "", **more: object) -> Entry:
    values = {"link": LINK, "published": datetime(2020, 8, 12, tzinfo=UTC), **more}
    return Entry("0" * 16, "https://feeds.example/", "Harbour", title, body, **values)  # type: ignore[arg-type]


def tokens(markdown: str) -> list[Token]:
    """What CommonMark, with tables and struck text of GitHub, makes of it; inner tokens too."""
    parsed = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    flat: list[Token] = []
    for token in parsed.parse(markdown):
        flat += [token, *(token.children or ())]
    return flat


def text_of(markdown: str) -> str:
    found = tokens(markdown)
    breaks = ("softbreak", "hardbreak", "paragraph_close", "heading_close")
    return "".join(
        token.content if token.type == "text" else "\n" if token.type in breaks else ""
        for token in found
    )


def kinds(markdown: str) -> set[str]:
    return {token.type.removesuffix("_open").removesuffix("_close") for token in tokens(markdown)}


def links(markdown: str) -> list[str | int | float]:
    return [token.attrs["href"] for token in tokens(markdown) if token.type == "link_open"]


def words(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


HOSTILE = (
    "# heading",
    "a *b* _c_ __d__ ~~e~~ `f` snake_case_word",
    "[click](javascript:alert(1)) ![p](http://x/p.png) [a]: http://evil.example",
    "<script>alert(1)</script> <http://a.b> &lt; &#60; AT&T",
    "- one\n+ two\n1) three\n2019. A year\n1234567. more",
    "===\n---\n***\n___",
    "    indented code\n\tand a tab",
    "```sh\nrm -rf\n```\n~~~\nx\n~~~",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "> quoted\n>> twice\nlazy",
    "trailing backslash \\\nC# and Learn #",
    "$x$ and ==marked== and : definition",
    "\x1b[31mred\x1b]8;;http://x\x07 \u202eabc",
)


ROWS = (
    *("", "* one", "  * two", "      * deep", "1. a", "> q", "> > qq", "text", "    code"),
    *("# h", "---", "===", "12) x", "+ p", "- m", "* # h", "* * *", "a | b", "2. "),
)


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_shown_as_it_is(text: str) -> None:
    shown = "".join(ENTRY.render(entry(body=text, link=""), "markdown", SCREEN))
    allowed = {"heading", "inline", "text", "paragraph", "hardbreak", "softbreak"}
    layout = {"bullet_list", "ordered_list", "list_item", "blockquote", "text_special"}
    assert kinds(shown) <= allowed | layout | {"link"}
    assert all(str(link).startswith("http") for link in links(shown))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", shown)


@pytest.mark.parametrize("title", [text for text in HOSTILE if "\n" not in text])
def test_a_title_is_one_heading_and_one_link(title: str) -> None:
    shown = "".join(ENTRY.render(entry(title), "markdown", SCREEN))
    assert kinds(shown) == {"heading", "inline", "text", "paragraph", "link"}
    assert [token.tag for token in tokens(shown) if token.type == "heading_open"] == ["h1"]
    assert links(shown) == ["https://x.example/a_%28b%29?c=1&copy;=2"]
    assert words(text_of(shown)).startswith(words(clean(title)))


@settings(max_examples=300, deadline=None)
@given(text=st.text(st.sampled_from("ab1 .)#*_~`[](){}<>!&;|\\-+=:$\"'/é東 "), max_size=40))
@example("http://a.b)")
@example("1.")
def test_any_line_is_shown_as_it_is(text: str) -> None:
    title = f"x{text}"
    shown = f"x {escape(text)} x"
    assert kinds(shown) <= {"paragraph", "inline", "text", "link"}
    if not list(addresses(text)):
        assert words(text_of(shown)) == words(f"x {text} x"), shown
    heading = "".join(ENTRY.render(entry(title, link=""), "markdown", SCREEN))
    assert words(text_of(heading)).startswith(words(title))


@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(
        st.sampled_from(ROWS),
        max_size=12,
    )
)
def test_any_body_keeps_its_words_in_order(rows: list[str]) -> None:
    body = "\n".join(rows)
    shown = "".join(ENTRY.render(entry(body=body, link=""), "markdown", SCREEN))
    assert not kinds(shown) & {"code_block", "fence", "hr", "html_block", "table", "lheading"}
    assert len([token for token in tokens(shown) if token.type == "heading_open"]) == 1
    plain = re.sub(r"^(?: *(?:[*+-]|\d+\.|>+) )+", "", body, flags=re.MULTILINE)
    wanted = re.findall(r"[a-z]{3,}", plain)
    assert re.findall(r"[a-z]{3,}", text_of(shown))[-len(wanted) :] == wanted or not wanted


def test_lists_quotations_and_addresses_stay() -> None:
    body = (
        "Of note:\n\n* Marv\n* Herat\n  * old town\n\n1. one\n\n> said\n\nat https://y.example/_a_."
    )
    shown = "".join(ENTRY.render(entry(body=body), "markdown", SCREEN))
    assert {"bullet_list", "ordered_list", "blockquote"} <= kinds(shown)
    assert links(shown)[1:] == ["https://y.example/_a_"]


def test_an_entry_says_what_is_known_of_it() -> None:
    file = Enclosure("https://x.example/<1>.mp3", "audio/mpeg", 1_200_000)
    known = entry(body="Text.", authors=("A. B",), tags=("sea", "x_y"), enclosures=(file,))
    assert "".join(ENTRY.render(known, "markdown", SCREEN)) == (
        "# [Ferries](https://x.example/a_%28b%29?c=1&amp;copy;=2)\n"
        "\n"
        "Harbour · by A. B · 12 Aug 2020 · tags: sea, x_y\n"
        "\n"
        "Text.\n"
        "\n"
        "* <https://x.example/%3C1%3E.mp3> (audio/mpeg, 1.2 MB)\n"
    )


def test_several_entries_are_chapters() -> None:
    shown = "".join(ENTRIES.render((entry("One"), entry("Two", "*")), "markdown", SCREEN))
    assert [token.tag for token in tokens(shown) if token.type == "heading_open"] == ["h2", "h2"]
    assert "".join(ENTRIES.render((), "markdown", SCREEN)) == ""


def test_results_are_a_list_with_matches_in_bold() -> None:
    passage = Snippet("body", "The *ferry* was\nlate", (Span(5, 10),), before=True, after=True)
    title = Snippet("title", "Ferries [late]", (Span(0, 7),))
    hit = Hit(entry("Ferries [late]", passage.text), 1.0, (passage, title))
    bare = Hit(entry("", "", link="", published=None), 1.0, (Snippet("title", ""),))
    results = Results(Query("ferry", offset=10), (hit, bare), 12, 0.0)
    shown = "".join(RESULTS.render(results, "markdown", SCREEN))
    assert shown == (
        "11. [**Ferries** \\[late\\]](https://x.example/a_%28b%29?c=1&amp;copy;=2): "
        "Harbour, 12 Aug 2020\n"
        "\n"
        "    …The \\***ferry**\\* was late…\n"
        "\n"
        "12. (no title): Harbour\n"
        "\n"
    )
    strong = [token for token in tokens(shown) if token.type == "strong_open"]
    assert len(strong) == 2
    assert "".join(RESULTS.render(Results(Query("x"), (), 0, 0.0), "markdown", SCREEN)) == ""
