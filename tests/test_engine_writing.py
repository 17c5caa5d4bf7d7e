"""Entries into segments: by stretches as by terms, many sketches at once as one by one."""

from __future__ import annotations

import sys
from array import array
from datetime import UTC
from itertools import chain, count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from searchfeed import analysis
from searchfeed.analysis import analyzer
from searchfeed.analysis.sketch import SHORT, SHORTEST, WORDS, Texts, sketch, sketches
from searchfeed.analysis.words import units
from searchfeed.engines.whoosh.columnar.builder import (
    Documents,
    FieldKind,
    SegmentBuilder,
    _order,
)
from searchfeed.engines.whoosh.columnar.columns import ColumnKind
from searchfeed.engines.whoosh.columnar.cutting import GAP, Cutter, Table
from searchfeed.engines.whoosh.columnar.cutting import SHORT as SHORT_BYTES
from searchfeed.engines.whoosh.columnar.reader import SegmentReader
from tests.segments import single

QUICK = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
TEXT = FieldKind(frequencies=True, positions=True, lengths=True)
PIECES = st.sampled_from(
    ["oil", "Oil,", "multi-agent", "東京都", "—", "U.S.", "l'Europe", "3.5", "a"]
)
TEXTS = st.lists(PIECES, max_size=12).map(" ".join)
NAMES = count()


def everything(path: Path) -> dict[str, Any]:
    reader = SegmentReader(path)
    told: dict[str, Any] = {"lengths": reader.lengths("body").tolist()}
    for number, term in enumerate(reader.terms("body")):
        told[term] = [part.tolist() for part in reader.positions("body", number)]
    return told


@QUICK
@given(st.lists(TEXTS, max_size=6))
def test_texts_are_indexed_as_the_terms_of_the_whole_text(tmp_path: Path, texts: list[str]) -> None:
    by_terms, by_texts = tmp_path / f"a{next(NAMES)}.sfc", tmp_path / f"b{next(NAMES)}.sfc"
    builder = SegmentBuilder({"body": TEXT})
    for text in texts:
        builder.extend(single(texts={"body": analysis.index_terms(text)}))
    builder.write(by_terms)
    builder = SegmentBuilder({"body": TEXT}, analyze=analysis.analyze)
    for text in texts:
        builder.extend(single(values={"body": [text]}))
    builder.write(by_texts)
    assert everything(by_texts) == everything(by_terms)


def test_both_ways_may_be_mixed(tmp_path: Path) -> None:
    builder = SegmentBuilder({"body": TEXT}, analyze=analysis.analyze)
    builder.extend(single(values={"body": ["oil price"]}))
    builder.extend(single(texts={"body": (["price", "oil"], array("I", [3, 7]))}))
    builder.extend(single())
    builder.extend(single(values={"body": ["oil oil"]}))
    builder.write(tmp_path / "x.sfc")
    assert everything(tmp_path / "x.sfc") == {
        "lengths": [2, 2, 0, 2],
        "oil": [[0, 1, 3], [1, 1, 2], [0, 7, 0, 1]],
        "price": [[0, 1], [1, 1], [1, 3]],
    }


ROWS = st.tuples(
    st.lists(TEXTS, max_size=3),
    st.lists(st.sampled_from(["a", "b", "é"]), max_size=3),
    st.none() | st.integers(0, 255),
    st.dictionaries(
        st.sampled_from(["id", 'a"b', "é"]),
        st.text(st.characters(categories=["L", "Cc", "Cs", "P"]))
        | st.none()
        | st.booleans()
        | st.integers()
        | st.datetimes(timezones=st.none() | st.just(UTC)),
    ),
)


@QUICK
@given(st.lists(ROWS, max_size=6))
def test_documents_make_the_same_file_one_by_one_and_at_once(
    tmp_path: Path, rows: list[tuple[list[str], list[str], int | None, dict[str, object]]]
) -> None:
    files = []
    for size in (1, len(rows) or 1):
        kinds = {"body": TEXT, "title": TEXT, "tag": FieldKind()}
        builder = SegmentBuilder(kinds, {"number": ColumnKind("u1")}, analyze=analysis.analyze)
        for at in range(0, len(rows), size):
            some = rows[at : at + size]
            texts = [row[0] for row in some]
            builder.extend(
                Documents(
                    [row[3] for row in some],
                    values={"body": texts, "title": [each[:1] for each in texts]},
                    keywords={"tag": [row[1] for row in some]},
                    columns={"number": [row[2] for row in some]},
                )
            )
        assert builder.doc_count == len(rows)
        files.append(tmp_path / f"c{next(NAMES)}.sfc")
        builder.write(files[-1])
    assert files[0].read_bytes() == files[1].read_bytes()
    reader = SegmentReader(files[0])
    assert [reader.stored(number) for number in range(len(rows))] == [row[3] for row in rows]


def test_of_documents_of_which_one_cannot_be_taken_none_is(tmp_path: Path) -> None:
    builder = SegmentBuilder({"body": TEXT, "tag": FieldKind()}, {"n": ColumnKind("u1")})
    both: list[dict[str, object]] = [{}, {}]
    for documents, error in (
        (Documents(both, keywords={"tag": [["a"]]}), ValueError),
        (Documents(both, keywords={"tag": [["a"], "a"]}), TypeError),
        (Documents(both, keywords={"tag": [["a"], ["\ud800"]]}), UnicodeEncodeError),
        (Documents(both, columns={"n": [1, 256]}), OverflowError),
        (Documents([{}, {"x": object()}], keywords={"tag": [["a"], []]}), TypeError),
        (Documents(both, texts={"body": [(["a"], [0]), (["a"], [])]}), ValueError),
        (Documents([{}], texts={"body": [([], [])]}, values={"body": [["a"]]}), ValueError),
    ):
        with pytest.raises(error):
            builder.extend(documents)
    builder.extend(Documents(both, keywords={"tag": [[], ["b"]]}, columns={"n": [None, 7]}))
    builder.write(tmp_path / "x.sfc")
    reader = SegmentReader(tmp_path / "x.sfc")
    assert reader.doc_count == 2
    assert reader.terms("tag") == ["b"]
    assert reader.postings("tag", 0)[0].tolist() == [1]
    assert reader.column("n").tolist() == [0, 7]


def test_without_an_analyzer_no_texts_are_taken(tmp_path: Path) -> None:
    builder = SegmentBuilder({"body": TEXT, "tag": FieldKind()})
    with pytest.raises(TypeError, match="nothing to analyze"):
        builder.extend(single(values={"body": ["oil"]}))
    with pytest.raises(KeyError):
        builder.extend(single(values={"tag": ["oil"]}))
    builder.write(tmp_path / "x.sfc")
    assert SegmentReader(tmp_path / "x.sfc").doc_count == 0


@settings(max_examples=400, deadline=None)
@given(st.text("0123456789,,,...a('-$%", max_size=12))
@example("1,234,567.")
@example("(31.265)")
@example(".5")
@example("1,23")
def test_the_short_way_for_numbers_is_no_other_way(stretch: str) -> None:
    assert analyzer._Memory()[stretch] == analyzer._columns(units(stretch))


WORD = st.sampled_from([*(f"w{number}" for number in range(40)), "12", "3.5", "café", "٣", "the"])
LENGTH = st.sampled_from([0, 1, 4, SHORTEST - 1, SHORTEST, SHORT - 1, SHORT, SHORT + 1, 100])


@st.composite
def story(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    title = draw(st.lists(WORD, max_size=9))
    start, length = draw(st.integers(0, 50)), draw(LENGTH)
    # Long texts word by word would take hypothesis for ever.
    words = draw(st.lists(WORD, min_size=7, max_size=7))
    return title, [words[(start + at * at) % 7] for at in range(length)]


@QUICK
@given(st.lists(story(), max_size=8))
def test_sketches_of_many_texts_are_those_of_each(
    stories: list[tuple[list[str], list[str]]],
) -> None:
    titles, bodies = [title for title, _ in stories], [body for _, body in stories]
    words = sorted({word for text in titles + bodies for word in text} | {"other", "99"})

    def texts(terms: list[list[str]]) -> Texts:
        numbers = np.array([words.index(word) for text in terms for word in text], dtype=np.int32)
        return Texts(numbers, np.array(list(map(len, terms)), dtype=np.int32))

    found = sketches([word.encode() for word in words], texts(titles), texts(bodies))
    assert found.shape == (len(stories), WORDS)
    assert found.tolist() == [sketch(title, body) for title, body in stories]


def test_the_sketch_of_a_text_does_not_change() -> None:
    # It stands in indexes: another one has to be another format.
    assert sketch(["Oil", "12"], ["price"] * 3) == [0] * WORDS
    title, body = ["opec", "cuts", "1987", "output"], [f"word{at % 37}" for at in range(60)]
    assert sketch(title, body[:10]) == SHORT_SKETCH
    assert sketch(title, body) == LONG_SKETCH


SHORT_SKETCH = [
    3054339607603159759,
    4800041696327157548,
    16616388504119909926,
    3791137720976970912,
    13792273858953224,
    10376435928217427968,
    1216059866276366980,
]
LONG_SKETCH = [
    11114918511732397805,
    12138471701399830680,
    8738482101870450714,
    11359845090588441336,
    13792273858953224,
    10376435928217427968,
    8570333578403752941,
]


SIGNS = ".,;:!?\"'()[]-&@_+#/$"
SPACES = (
    "\t\n\x0b\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2005\u200a\u2028\u2029\u202f\u205f\u3000"
)
BITS = st.sampled_from([*SPACES, *"ab.é東\0\xff\ud800", "x" * 7, "y" * 8, "z" * 9, "w" * 17])
VALUES = st.lists(st.lists(BITS, max_size=12).map("".join), min_size=1, max_size=3)


@QUICK
@given(st.lists(st.lists(VALUES, max_size=5), max_size=3))
@example([[["a a\0 a", "\xff"], [""]], [["a\0"]]])
def test_texts_are_cut_as_they_are_split(batches: list[list[list[str]]]) -> None:
    cutter, known = Cutter(), []
    for texts in batches:
        numbers, counts = cutter.cut(texts)
        known += cutter.fresh()
        assert len(known) == len(cutter)
        every = [[*text[0].split()] for text in texts]
        for stretches, text in zip(every, texts, strict=True):
            for value in text[1:]:
                stretches += [GAP, *value.split()]
        assert [known[number] for number in numbers] == list(chain.from_iterable(every))
        assert counts.tolist() == list(map(len, every))
    if not any("\0" in each for each in known):
        short = [
            each for each in known if len(each.encode("utf-8", "surrogatepass")) <= SHORT_BYTES
        ]
        assert len(short) == len(set(short))


def test_every_white_space_divides() -> None:
    found = {chr(code) for code in range(sys.maxunicode) if chr(code).isspace()}
    cutter = Cutter()
    numbers, _ = cutter.cut([["a".join(found)]])
    assert set(cutter.fresh()) == {"a"}
    assert len(numbers) == len(found) - 1


def test_pairs_that_want_the_same_place_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Table, "_places", lambda _self, head, _tail: np.zeros(len(head), np.int64))
    cutter = Cutter()
    words = [f"word{number}" for number in range(300)]
    for amount in (10, 300):
        numbers, _ = cutter.cut([[" ".join(words[:amount] * 2)]])
        assert {*numbers.tolist()} == {*range(amount)}
        assert numbers.tolist()[:amount] == numbers.tolist()[amount:]
    assert len(cutter) == 300


PARTS = st.sampled_from(
    [*SIGNS, *"aZ3é東\u0300ſK", "www.", "http://", "U.S", "word", "123", "1,234", "'s", "x" * 63]
)


@settings(max_examples=1000, deadline=None)
@given(st.lists(st.lists(PARTS, max_size=12).map("".join), max_size=5))
@example(["http://www.", "http://.net", "1,234.", "4,161.0", "12.500", "a.b.cd", "L'S", ".it's"])
@example(["-".join("abcdefghijk"), "", "x" * 64 + "b.c", "a-" * 9, "...", "(multi-agent)."])
def test_stretches_are_analyzed_at_once_as_one_by_one(stretches: list[str]) -> None:
    found, start = analysis.analyze(stretches), 0
    for stretch, amount, width in zip(stretches, found.counts, found.widths, strict=True):
        stop = start + amount
        exact = analyzer._columns(units(stretch))
        assert found.terms[start:stop] == list(exact.terms)
        assert found.positions[start:stop] == list(exact.positions)
        assert width == exact.width
        start = stop
    assert start == len(found.terms) == len(found.positions)


@QUICK
@given(st.lists(st.sampled_from([0, 1, 2**16 - 1, 2**16, 2**16 + 1, 2**31 - 1])))
def test_places_are_sorted_by_their_numbers_and_equal_ones_stay(numbers: list[int]) -> None:
    found = _order(np.array(numbers, dtype=np.int32)).tolist()
    assert found == sorted(range(len(numbers)), key=numbers.__getitem__)
