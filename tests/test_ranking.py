"""The pruned ranking is the one that scores everything: documents, order, scores and totals."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchfeed import tree
from searchfeed.engines import Change
from searchfeed.engines.whoosh import arrays as arrays_module
from searchfeed.engines.whoosh import matched as matched_module
from searchfeed.engines.whoosh import paging, ranking, scoring, sums
from searchfeed.engines.whoosh.engine import WhooshEngine
from searchfeed.engines.whoosh.formulas import WINDOW
from searchfeed.engines.whoosh.grouping import find_groups
from searchfeed.engines.whoosh.matched import Matched
from searchfeed.engines.whoosh.paging import Pages
from searchfeed.engines.whoosh.proximity import close
from searchfeed.engines.whoosh.ranking import Complete, Ranking
from searchfeed.engines.whoosh.rows import POSITION_BITS
from searchfeed.engines.whoosh.scoring import Scorer
from searchfeed.engines.whoosh.values import NO_DATE
from searchfeed.engines.whoosh.view import REMEMBERED
from searchfeed.memory import Memory
from searchfeed.models import Entry, Sort, Span
from tests.trees import trees

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.engine import State

START = datetime(2024, 1, 1, tzinfo=UTC)
WORDS = ("the", "of", "oil", "price", "prices", "bank", "banks", "money-market", "opec", "東京都")
WEIGHTS = (40, 30, 8, 6, 3, 5, 2, 2, 1, 1)
ENTRIES = 400


def _entries() -> list[Entry]:
    random = Random(7)
    found: list[Entry] = []
    for number in range(ENTRIES):
        words = random.choices(WORDS, WEIGHTS, k=random.randint(1, 30))
        title = random.choices(WORDS, WEIGHTS, k=random.randint(0, 3))
        if number % 10 == 9:
            # The same story again, from elsewhere.
            words, title = found[-1].body.split(), found[-1].title.split()
        found.append(
            Entry(
                id=f"{number * 7919:016x}",
                feed_url="https://example.org/feed",
                feed_title="Example",
                title=" ".join(title),
                body=" ".join(words),
                tags=("energy",) if number % 3 else (),
                # Many share their day, and some have none.
                published=None if number % 17 == 0 else START + timedelta(days=number % 40),
            )
        )
    return found


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """Several segments, with deletions in them."""
    engine = WhooshEngine(tmp_path_factory.mktemp("index") / "whoosh")
    entries = _entries()
    for start in range(0, ENTRIES, 150):
        batch = [Change(1, entry) for entry in entries[start : start + 150]]
        engine.write(batch, reached=start)
    engine.write((), reached=ENTRIES, removed=[entry.id for entry in entries[::19]])
    yield engine._current()
    engine.close()


@pytest.fixture(scope="module", autouse=True)
def _few() -> Iterator[None]:
    """Bounds so low that a few hundred documents are enough to be pruned."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sums, "SEEDS", 3)
        patch.setattr(ranking, "DRIVEN", 5)
        for module in (ranking, scoring):
            patch.setattr(module, "RERANKED", 20)
        yield


def _words() -> st.SearchStrategy[tree.Node]:
    word = st.sampled_from((*WORDS, "nothing"))
    spans = st.integers(0, 99).map(lambda at: Span(at, at + 1))
    return st.one_of(
        st.builds(tree.Word, word, span=spans),
        st.builds(tree.Word, word, st.sampled_from(("title", "body", "tag"))),
        st.builds(tree.Word, word, exact=st.just(True)),
        st.builds(lambda *two: tree.Phrase(" ".join(two)), word, word),
        st.builds(tree.Phrase, st.just("oil the price"), st.integers(0, 4)),
        st.sampled_from([tree.Fuzzy("prise"), tree.Fuzzy("bank", 2), tree.Fuzzy("price")]),
        st.sampled_from([tree.Wildcard("pri*"), tree.Wildcard("?an*"), tree.Regex("o.*")]),
    )


def _conditions() -> st.SearchStrategy[tree.Node]:
    day = st.integers(-3, 45).map(lambda number: START + timedelta(days=number))
    return st.one_of(
        st.builds(tree.DateRange, st.none() | day, st.none() | day),
        st.just(tree.Everything()),
        st.just(tree.Word("energy", "tag")),
        st.just(tree.Flag("updated")),
    )


@settings(max_examples=300, deadline=None)
@given(
    node=trees(st.one_of(_words(), _words(), _conditions())),
    count=st.integers(1, 60),
    sort=st.sampled_from(Sort),
    folded=st.booleans(),
)
def test_pruned_and_unpruned_agree(
    state: State, node: tree.Node, count: int, sort: Sort, folded: bool
) -> None:
    view, vocabulary = state.arrays.view, state.arrays.vocabulary
    pruned_scorer, scorer = Scorer(view, vocabulary), Scorer(view, vocabulary)
    pruned, full = Ranking(pruned_scorer, node), Complete(scorer.run(node), view.size)
    assert pruned.total == full.total
    assert pruned.documents.tolist() == full.documents.tolist()
    assert pruned.mask.tolist() == full.mask.tolist()
    assert sorted(map(repr, pruned_scorer.patterns)) == sorted(map(repr, scorer.patterns))
    assert pruned.scores(full.documents) == pytest.approx(full.matched.scores, abs=1e-9)
    groups = find_groups(view) if folded else None
    pages = [Pages(view, ranked, sort, groups) for ranked in (pruned, full)]
    assert pages[0].total == pages[1].total
    found, wanted = (list(page.rows(count // 3, count)) for page in pages)
    assert [row.score for row in found] == pytest.approx([row.score for row in wanted], abs=1e-9)
    assert [row[::2] for row in found] == [row[::2] for row in wanted]


@given(
    st.sampled_from([tree.Everything(), tree.Word("energy", "tag"), tree.Word("oil")]),
    st.integers(1, ENTRIES + 10),
    st.sampled_from([0, 8_192]),
)
@settings(deadline=None, max_examples=60)
def test_entries_that_score_the_same_come_by_date(
    state: State, node: tree.Node, count: int, many: int
) -> None:
    view, vocabulary = state.arrays.view, state.arrays.vocabulary
    scored = Scorer(view, vocabulary).run(node)
    dates = view.column("date")[scored.documents].tolist()
    keys = view.column("key")[scored.documents].tolist()
    newest = [-1 if date == NO_DATE else date for date in dates]
    each = zip(scored.scores.tolist(), newest, keys, scored.documents.tolist(), strict=True)
    ordered = sorted(each, key=lambda row: (-row[0], -row[1], row[2]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paging, "MANY", many)
        patch.setattr(paging, "FULL", 0)
        pages = Pages(view, Ranking(Scorer(view, vocabulary), node), Sort.RELEVANCE, None)
        found = [row.document for row in pages.rows(0, count)]
    assert found == [row[3] for row in ordered[:count]]


@given(
    st.lists(st.integers(0, 40), unique=True).map(sorted),
    st.lists(st.sampled_from([0.5, 1.0, 2.0, 3.0]), min_size=41, max_size=41),
    st.integers(1, 50),
    st.lists(st.integers(0, 60), unique=True).map(sorted),
)
@settings(max_examples=100, deadline=None)
def test_the_highest_scores_of_what_matches(
    documents: list[int], values: list[float], count: int, asked: list[int]
) -> None:
    scores = dict(zip(documents, values, strict=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matched_module, "IMPACTS", 8)
        patch.setattr(arrays_module, "BLOCK_BITS", 2)
        matched = Matched(
            np.array(documents, dtype=np.int32), np.array([scores[at] for at in documents])
        )
        lowest = sorted(scores.values(), reverse=True)[:count]
        best = {at for at, score in scores.items() if score >= min(lowest, default=0)}
        assert set(matched.best(count)[0].tolist()) == best
        for least in (0.1, 0.5, 1.0, 2.5, 3.0, 4.0):
            reaching = {at for at, score in scores.items() if score >= least}
            assert set(matched.reaching(least).tolist()) == reaching
        found = matched.at(np.array(asked, dtype=np.int32)).tolist()
        assert found == [scores.get(at, 0.0) for at in asked]
    assert np.flatnonzero(matched.mask(64)).tolist() == documents
    assert matched.most == max(scores.values(), default=0.0)


_PLACES = st.sets(st.tuples(st.integers(0, 3), st.integers(0, 40)), max_size=30)


@given(_PLACES, _PLACES)
@settings(max_examples=200, deadline=None)
def test_words_close_together(ones: set[tuple[int, int]], others: set[tuple[int, int]]) -> None:
    def placed(found: set[tuple[int, int]]) -> NDArray[np.int64]:
        places = sorted(document << POSITION_BITS | position for document, position in found)
        return np.array(places, dtype=np.int64)

    def followed(first: set[tuple[int, int]], second: set[tuple[int, int]]) -> list[int]:
        return [
            document
            for document, position in first
            if any((document, position + step) in second for step in range(1, WINDOW + 1))
        ]

    expected = Counter(followed(ones, others) + followed(others, ones))
    documents, counts = close(placed(ones), placed(others))
    assert dict(zip(documents.tolist(), counts.tolist(), strict=True)) == expected
    assert documents.tolist() == sorted(expected)


@pytest.mark.parametrize("sort", [Sort.NEWEST, Sort.OLDEST])
@pytest.mark.parametrize("text", ["the", "oil", "opec"])
@pytest.mark.parametrize("count", [1, 7, 60])
def test_only_blocks_that_can_be_on_the_page_are_looked_at(
    state: State, text: str, sort: Sort, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    view, vocabulary = state.arrays.view, state.arrays.vocabulary
    ranked = Ranking(Scorer(view, vocabulary), tree.Word(text))
    dates = view.column("date")[ranked.documents].tolist()
    if sort is Sort.NEWEST:
        dates = [-1 if date == NO_DATE else date for date in dates]
    ordered = sorted(
        zip(dates, view.column("key")[ranked.documents].tolist(), ranked.documents, strict=True),
        key=lambda each: (each[0] if sort is Sort.OLDEST else -each[0], each[1]),
    )
    monkeypatch.setattr(paging, "MANY", 0)
    for block, full in ((3, 0), (64, 0), (1_024, 64), (8, 10_000)):
        monkeypatch.setattr(paging, "BLOCK", block)
        monkeypatch.setattr(paging, "FULL", full)
        rows = Pages(view, ranked, sort, None).rows(0, count)
        assert [row.document for row in rows] == [each[2] for each in ordered[:count]]


def test_few_blocks_are_looked_at_where_documents_come_in_the_order_of_their_dates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "BLOCK", 8)
    engine = WhooshEngine(tmp_path)
    entries = [
        Entry(
            id=f"{number:016x}",
            feed_url="https://example.org/",
            feed_title="",
            title="oil",
            body="",
            published=START + timedelta(hours=number),
        )
        for number in range(200)
    ]
    engine.write([Change(1, entry) for entry in entries], reached=1)
    view, vocabulary = engine._arrays().view, engine._arrays().vocabulary
    ranked = Ranking(Scorer(view, vocabulary), tree.Word("oil"))
    near = Pages(view, ranked, Sort.NEWEST, None)._among_first(ranked.documents, 10)
    assert near.tolist() == list(range(184, 200))
    engine.close()


class _Block(NamedTuple):
    nbytes: int


def test_memory_is_bounded_and_forgets_what_was_not_asked_for_longest() -> None:
    memory, made = Memory(100), list[str]()

    def ask(key: str, size: int = 20) -> None:
        def make() -> _Block:
            made.append(key)
            return _Block(size)

        assert memory.get(key, make).nbytes == size

    for key in "abcde":
        ask(key)
    ask("a")
    ask("f")
    assert memory.nbytes == 100
    ask("a")
    ask("b")
    assert made == [*"abcdefb"]
    ask("large", 90)
    ask("large", 90)
    assert made[-2:] == ["large", "large"], "what would push out most of the rest is not kept"


@pytest.mark.parametrize(
    "leaf", [tree.Word("bank"), tree.Wildcard("pri*"), tree.Phrase("the oil"), tree.Phrase("of", 2)]
)
def test_a_leaf_is_scored_once_for_a_state(state: State, leaf: tree.Words) -> None:
    scorers = [Scorer(state.arrays.view, state.arrays.vocabulary) for _ in range(2)]
    one, other = (scorer.evaluate(leaf) for scorer in scorers)
    assert one is other
    assert 0 < state.arrays.view.memory.nbytes <= REMEMBERED
