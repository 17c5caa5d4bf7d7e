"""Phrases are found exactly where their words stand in a row, however that is worked out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from time import time

import numpy as np
import pytest

from searchfeed import tree
from searchfeed.engines import Change
from searchfeed.engines.whoosh import bits, view
from searchfeed.engines.whoosh.columnar import open_segments
from searchfeed.engines.whoosh.columnar.located import Located
from searchfeed.engines.whoosh.engine import WhooshEngine
from searchfeed.engines.whoosh.rows import POSITION_BITS, row_starts, tally
from searchfeed.engines.whoosh.spots import places
from searchfeed.models import Entry

WORDS = ("the", "of", "oil", "price", "opec", "bank")
WEIGHTS = (30, 20, 8, 4, 2, 1)
NEVER, ALWAYS = 0, 1_000_000
"""How frequent a term has to be to be kept as bits."""


def _texts() -> dict[str, list[str]]:
    random = Random(3)
    return {
        f"{number:016x}": random.choices(WORDS, WEIGHTS, k=random.choice((1, 2, 20, 130, 400)))
        for number in range(1, 241)
    }


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two segments, with entries taken out of both."""
    path = tmp_path_factory.mktemp("phrases")
    engine = WhooshEngine(path)
    texts = _texts()
    entries = [
        Entry(id=id, feed_url="https://example.org/", feed_title="", title="", body=" ".join(words))
        for id, words in texts.items()
    ]
    for number, part in enumerate((entries[:200], entries[200:]), start=1):
        engine.write([Change(number, entry) for entry in part], reached=number)
    engine.write((), reached=3, removed=list(texts)[::7])
    engine.close()
    return path


@pytest.fixture
def texts() -> dict[str, list[str]]:
    """The words of each entry that is still there."""
    texts = _texts()
    return {id: words for at, (id, words) in enumerate(texts.items()) if at % 7}


def _phrases() -> Iterator[tuple[str, ...]]:
    random = Random(4)
    for length in (2, 2, 2, 3, 3, 4, 5, bits.SPARE + 1):
        for _ in range(4):
            yield tuple(random.choices(WORDS, WEIGHTS, k=length))
    yield ("the", "the", "the")


def _rows(words: Sequence[str], phrase: tuple[str, ...]) -> int:
    starts = range(len(words) - len(phrase) + 1)
    return sum(tuple(words[at : at + len(phrase)]) == phrase for at in starts)


@pytest.mark.parametrize("dense", [NEVER, ALWAYS])
def test_a_phrase_is_where_its_words_stand_in_a_row(
    index: Path, texts: dict[str, list[str]], dense: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "DENSE", dense)
    engine = WhooshEngine(index)
    for phrase in _phrases():
        answer = engine.search(tree.Phrase(" ".join(phrase)), limit=len(texts))
        held = {id: _rows(words, phrase) for id, words in texts.items()}
        wanted = {id for id, times in held.items() if times}
        assert {match.id for match in answer.matches} == wanted, phrase
        assert answer.total == len(wanted)
        # Among texts of one length, more of it scores more.
        scores = {match.id: match.score for match in answer.matches}
        for length in {len(texts[id]) for id in wanted}:
            same = sorted((id for id in wanted if len(texts[id]) == length), key=held.__getitem__)
            assert sorted(scores[id] for id in same) == [scores[id] for id in same]


@pytest.mark.parametrize("at_once", [7, bits.AT_ONCE])
def test_bits_and_places_tell_the_same(
    index: Path, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bits, "AT_ONCE", at_once)
    for segment in open_segments(index):
        numbers = [segment.term_id("body", word) for word in ("the", "of", "the")]
        arrays = getattr(segment, "arrays", segment)
        located = [Located(arrays.field("body"), number) for number in numbers]
        layout = bits.make_layout(arrays, "body")
        each = [bits.make_bits(known, layout) for known in located]
        documents, counts = bits.row_counts(each, layout)
        if arrays.live is not None:
            keep = arrays.live[documents]
            documents, counts = documents[keep], counts[keep]
        others, more = tally(row_starts(located, arrays.live))
        assert documents.tolist() == others.tolist()
        assert counts.tolist() == more.tolist()


def test_places_among_some_documents_are_those_of_all_that_are_in_them(index: Path) -> None:
    engine = WhooshEngine(index)
    state = engine._arrays().view
    live = state.everything()
    random = Random(5)
    for share in (1, 2, 40, len(live)):
        for terms in (["the"], ["bank"], ["opec", "price"], ["nothing"]):
            among = np.array(sorted(random.sample(live.tolist(), share)), dtype=np.int32)
            every = state.places("body", terms)
            expected = every[np.isin(every >> POSITION_BITS, among)]
            assert state.places("body", terms, among).tolist() == expected.tolist()
            wanted = np.arange(share) % 3 == 0
            chosen = [spots.only(wanted) for spots in state.spots("body", terms, among)]
            expected = expected[np.isin(expected >> POSITION_BITS, among[wanted])]
            assert places(chosen, among).tolist() == expected.tolist()
    engine.close()


def test_positions_beyond_the_room_of_a_document_are_not_kept_as_bits(index: Path) -> None:
    segment = open_segments(index)[0]
    arrays = getattr(segment, "arrays", segment)
    number = segment.term_id("body", "the")
    located = Located(arrays.field("body"), number)
    small = bits.Layout(
        np.arange(arrays.doc_count + 1, dtype=np.int64), np.arange(arrays.doc_count, dtype=np.int32)
    )
    assert len(bits.make_bits(located, small)) == 0


def test_a_commit_is_seen_whatever_time_the_directory_has(tmp_path: Path) -> None:
    reader, writer = WhooshEngine(tmp_path), WhooshEngine(tmp_path)
    word = tree.Word("oil")
    for number in range(1, 6):
        entry = Entry(
            id=f"{number:016x}",
            feed_url="https://example.org/",
            feed_title="",
            title="oil",
            body="",
        )
        writer.write([Change(number, entry)], reached=number)
        if number == 3:
            # As old as if nothing had happened for an hour: from now on the time is trusted.
            os.utime(tmp_path, (time() - 3600, time() - 3600))
        assert reader.search(word, limit=1).total == number
        assert reader.search(word, limit=1).total == number
    reader.close()
    writer.close()
