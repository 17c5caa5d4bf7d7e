"""Text, HTML and bodies: what is kept, what is not, and that it reads well."""

from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchfeed.feeds import body, language
from searchfeed.feeds.markup import to_line, to_text
from searchfeed.feeds.text import clean, line, paragraphs, unescape

FORBIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)

anything = st.text(
    st.one_of(
        st.characters(exclude_categories=[]),
        st.sampled_from(
            "<>&;#/!-?\"'=\\ \n\t\x1b\x9b\x9d\x07[]0123456789abip|*+._\u0301\u200d\u202e"
        ),
    ),
    max_size=200,
)


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("a\x1b[1;31mred\x1b[0m b", "ared b"),
        ("\x1b]8;;https://evil.example/\x1b\\click\x1b]8;;\x1b\\", "click"),
        ("\x1b]0;owned\x07quiet", "quiet"),
        ("\x1b]52;c;ZXZpbA==\x07x", "x"),
        ("\x9b31mcrimson\x9b0m", "crimson"),
        ("\x9d0;owned\x9cquiet", "quiet"),
        ("\x1b(0line", "line"),
        ("open \x1b]0;never ended", "open ]0;never ended"),
        ("bell\x07 nul\x00 del\x7f c1\x84", "bell nul del c1"),
        ("a\u202ecod.exe\u202c \u2066x\u2069 \u200fy", "acod.exe x y"),
        ("pass\u200bword soft\u00adware \ufeffbom", "password software bom"),
        ("tags\U000e0041\U000e0042", "tags"),
        ("می\u200cخواهم 👩\u200d🚀", "می\u200cخواهم 👩\u200d🚀"),
        ("\u200d\u200d\u200d", "\u200d"),
        ("cafe\u0301", "café"),
        ("x" + "\u0301" * 20, unicodedata.normalize("NFC", "x" + "\u0301" * 4)),
        ("half \ud800 pair \udfff", "half  pair "),
        ("lines\r\nof\rall\u2028kinds\x85", "lines\nof\nall\nkinds\n"),
        ("हिन्दी में शब्द", "हिन्दी में शब्द"),
        ("שָׁלוֹם", unicodedata.normalize("NFC", "שָׁלוֹם")),
    ],
)
def test_clean(dirty: str, expected: str) -> None:
    assert clean(dirty) == expected


@settings(max_examples=300, deadline=None)
@given(anything)
def test_clean_text_holds_nothing_forbidden_and_stays_as_it_is(text: str) -> None:
    once = clean(text)
    assert not FORBIDDEN.search(once.replace("\t", ""))
    assert unicodedata.is_normalized("NFC", once)
    for more in (line(text), paragraphs(text), to_line(text), to_text(text)):
        assert not FORBIDDEN.search(more)
        assert more == more.strip()
    assert paragraphs(paragraphs(text)) == paragraphs(text)
    assert "\n" not in line(text)
    assert "\n\n\n" not in to_text(text)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Cn", "Co"]), max_size=100))
def test_escaped_text_comes_back_out_of_html(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert to_text(f"<p>{escaped}</p>") == line(text)
    assert to_line(f"<i>{escaped}</i>") == line(text)


@pytest.mark.parametrize(
    ("escaped", "expected"),
    [
        ("AT&amp;T caf&eacute; &#8217; &#x2014;", "AT&T café ’ —"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("&#150; &#99999999; &#xD800;", "– \ufffd \ufffd"),
        ("&#" + "9" * 5000 + ";x", "x"),
        ("&#27;[31mred", "\x1b[31mred"),
        ("a & b &xyz;", "a & b &xyz;"),
    ],
)
def test_unescape(escaped: str, expected: str) -> None:
    assert unescape(escaped) == expected


def test_line_is_shortened_with_an_ellipsis() -> None:
    assert line("  many   words\nhere ", 8) == "many wo…"
    assert line("many", 4) == "many"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>one</p>two<p>three", "one\n\ntwo\n\nthree"),
        ("<div>a</div><div>b</div><section>c</section>d", "a\n\nb\n\nc\n\nd"),
        ("<h1>Head</h1>text<hr>more", "Head\n\ntext\n\nmore"),
        ("<blockquote>q<p>r</p></blockquote>end", "q\n\nr\n\nend"),
        ("a<br>b<br/><br/>c", "a\nb\n\nc"),
        ("<dl><dt>Term</dt><dd>Meaning</dd></dl>", "Term\nMeaning"),
        ("<select><option>a<option>b</select>", "a\nb"),
        ("<ul><li>a<ul><li>b</li><li> </li></ul></li><li><p>c</p></li></ul>z",
         "* a\n  * b\n* c\n\nz"),
        ("<ol start=5><li>x<li>y</ol>", "5. x\n6. y"),
        ("<pre>def f():\n    return 1\n</pre>", "def f():\n    return 1"),
        ("x<b>y</b>z <i> w </i>! CO<sub>2</sub>", "xyz w ! CO2"),
        ("<a href='https://a.example/'>link</a> text", "link text"),
        ("word<img src=x alt='A cat'>word", "word A cat word"),
        ("<img alt=\"\" src='x'>", ""),
        ("<q>quoted</q>", '"quoted"'),
        ("<table><tr><th>For</th><th></th><th>Of</th></tr><tr><td>1</td><td>2|3</td></tr></table>e",
         "For | Of\n1 | 2|3\n\ne"),
        ("<table><tr><td><p>one</p><p>two</p></td><td><p>three</p></td></tr></table>",
         "one\n\ntwo\n\nthree"),
        ("1. no list<p>- dash<p>+ plus<p>C:\\dir\\_x \\* 2 \\- 1<p>a_b*c`d",
         "1. no list\n\n- dash\n\n+ plus\n\nC:\\dir\\_x \\* 2 \\- 1\n\na_b*c`d"),
        ("<p>&lt;b&gt; &amp;amp; &nbsp;x a < b &#92;- y", "<b> &amp; x a < b \\- y"),
        ("std::vector<int> <foo bar=1>x <o:p>y</o:p>", "std::vector<int> x y"),
        ("<script>bad()</script>a<style>p{}</style>b<noscript>no</noscript>c", "abc"),
        ("<template>t</template><svg><title>s</title></svg><iframe>i</iframe>kept", "kept"),
        ("<p style='color:red;display: none'>h</p><div hidden>h<div>h</div></div>kept", "kept"),
        ("<p class='a hidden b' style='overflow:hidden' data-x='display:none'>kept", "kept"),
        ("<div hidden>never closed", "never closed"),
        ("a<!-- no -->b<!-- never closed", "ab"),
        ("<![CDATA[x < y]]> z <?php echo ?>w<!DOCTYPE html>v", "x < y z wv"),
        ("cut <a href=\"https://x", "cut"),
        ("<a href=\"broken>text</a> more", "text more"),
        ("<img alt='a > b' title=\"<p>\">c", "a > b c"),
        ("plain\n\ntext\nlines &amp; more", "plain\n\ntext\nlines & more"),
        ("<p>wrapped\n   line</p>", "wrapped line"),
        ("<script>var a = '<p>';", ""),
        ("東京<ruby>都<rt>と</rt></ruby>", "東京都と"),
        ("", ""),
    ],
)  # fmt: skip
def test_html(html: str, expected: str) -> None:
    assert to_text(html) == expected


def test_words_of_neighbours_never_glue() -> None:
    for tag in (
        "p",
        "div",
        "li",
        "td",
        "th",
        "tr",
        "h2",
        "dt",
        "dd",
        "option",
        "figcaption",
        "pre",
    ):
        assert re.findall(r"\w+", to_text(f"<{tag}>one</{tag}><{tag}>two</{tag}>")) == [
            "one",
            "two",
        ]


def test_very_many_tags_are_stripped_with_their_words_kept() -> None:
    text = to_text("<p>word</p><ul><li>item</ul>" * 9000)
    assert text.count("word") == text.count("item") == 9000
    assert text.startswith("word\n\nitem\n\nword")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["A lead.", "A lead. And the rest."], "A lead. And the rest."),
        (["A lead that is...", "A lead that is cut. Rest."], "A lead that is cut. Rest."),
        (["A lead that is […]", "A lead that is cut."], "A lead that is cut."),
        (["A lead th…", "A lead that is cut."], "A lead that is cut."),
        (["On 10 September, the Ministry of...", "The MOU will be."],
         "On 10 September, the Ministry of...\n\nThe MOU will be."),
        (["Rain", "Training in spring"], "Rain\n\nTraining in spring"),
        (["Same.", "Same."], "Same."),
        (["First item second", "* First item\n* second"], "* First item\n* second"),
        (["Longer, with more than that", "more than that"], "Longer, with more than that"),
        (["One.\n\nTwo.", "Two.\n\nThree."], "One.\n\nTwo.\n\nThree."),
        (["", ""], ""),
        (["x" * 20 + " word cut in the mid", "x" * 20 + " word cut in the middle"],
         "x" * 20 + " word cut in the middle"),
    ],
)  # fmt: skip
def test_body_holds_each_text_once(texts: list[str], expected: str) -> None:
    assert body.join(texts) == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("abc .\n…", max_size=30).map(paragraphs), max_size=4))
def test_no_word_is_lost_from_a_body(texts: list[str]) -> None:
    words = set(re.findall(r"\w+", body.join(texts)))
    for text in texts:
        if "…" not in text and ".." not in text:
            assert set(re.findall(r"\w+", text)) <= words


@pytest.mark.parametrize(
    ("tag", "expected"),
    [("en", "en"), ("fr_CA", "fr-ca"), (" PT-br ", "pt-br"), ("zh-Hant-TW", "zh-hant-tw"),
     ("x-klingon", "x-klingon"), ("English", ""), ("", ""), ("en us", ""), (None, ""),
     ("e" * 900, "")],
)  # fmt: skip
def test_language(tag: object, expected: str) -> None:
    assert language.normalised(tag) == expected


@pytest.mark.parametrize(
    "html",
    [
        "<a " * 100_000,
        "<a \"" * 100_000,
        "<a \">\"" * 50_000,
        "<a \"<a\" '<a' " * 20_000,
        "<ul>" * 20_000,
        "<blockquote>" * 20_000,
        "<![" * 100_000,
        "<!--" * 100_000,
        "&#" + "9" * 50_000 + ";",
        "<p>x" + "\n" * 1_000_000,
        "<div hidden>" * 50_000,
        "<p>\x9d0;x" * 50_000,
        "a" + "\u0301\u0300" * 200_000,
    ],
    ids=lambda html: html[:12],
)  # fmt: skip
def test_hostile_html_takes_no_time(html: str) -> None:
    start = time.process_time()
    to_text(html)
    to_line(html)
    assert time.process_time() - start < 5
