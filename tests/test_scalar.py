"""Searches without arrays answer as those on arrays do, and a process then needs no numpy."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchfeed import Index, tree
from searchfeed.engines import Answer, Change
from searchfeed.engines.whoosh.columnar.container import (
    Container,
    CorruptFileError,
    FileWriter,
    Sheet,
)
from searchfeed.engines.whoosh.columnar.mapped import MappedSegment
from searchfeed.engines.whoosh.columnar.packing import PackedWriter, RunsWriter
from searchfeed.engines.whoosh.engine import SEARCH, WhooshEngine
from searchfeed.engines.whoosh.formulas import RERANKED
from searchfeed.engines.whoosh.scalar import scoring
from searchfeed.engines.whoosh.scalar.field import Field
from searchfeed.engines.whoosh.scalar.numbers import Packed, Runs
from searchfeed.models import Entry, Sort, Span
from searchfeed.query import parse
from tests.engines import OneByOne
from tests.trees import trees

START = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = ("the", "of", "oil", "price", "prices", "bank", "café", "money-market", "opec", "東京都6号")
WEIGHTS = (40, 30, 8, 6, 3, 5, 2, 2, 1, 1)


class Pair(NamedTuple):
    """Two engines on one index: one that answers on arrays, and one that does without."""

    arrays: WhooshEngine
    scalar: OneByOne

    def agree(self, node: tree.Node, **options: Any) -> Answer:
        """Ask both, and compare all that they say."""
        wanted = self.arrays.search(node, **options)
        found = self.scalar.search(node, **options)
        assert self.scalar._few > 0, "it was answered on arrays"
        assert found.total == wanted.total
        told = [(match.id, match.duplicates) for match in wanted.matches]
        assert [(match.id, match.duplicates) for match in found.matches] == told
        scores = [match.score for match in wanted.matches]
        assert [match.score for match in found.matches] == pytest.approx(scores, rel=1e-9)
        assert sorted(map(repr, found.patterns)) == sorted(map(repr, wanted.patterns))
        return found


def open_both(path: Path) -> Pair:
    return Pair(WhooshEngine(path, few=0), OneByOne(path))


def generated(count: int) -> Iterator[Entry]:
    random = Random(11)
    words = title = ""
    for number in range(count):
        # Now and then the same story again, from elsewhere.
        if number % 10 != 9:
            words = " ".join(random.choices(WORDS, WEIGHTS, k=random.randint(0, 30)))
            title = " ".join(random.choices(WORDS, WEIGHTS, k=random.randint(0, 3)))
        yield Entry(
            id=f"{number * 7919 % 4001:016x}",
            feed_url=f"https://feeds.example/{number % 3}",
            feed_title="Oil Example" if number % 3 else "",
            title=title,
            body=words,
            tags=("energy", "oil price") if number % 4 else (),
            authors=("Ann Price",) if number % 5 == 0 else (),
            language=("en", "en-gb", "")[number % 3],
            link=f"https://example.org/oil/{number}",
            published=None if number % 17 == 0 else START + timedelta(days=number % 40),
        )


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Several segments, with deletions in them."""
    both = open_both(tmp_path_factory.mktemp("index") / "whoosh")
    entries = list(generated(400))
    for start in range(0, 400, 150):
        batch = [Change(1, entry, start == 0) for entry in entries[start : start + 150]]
        both.arrays.write(batch, reached=start)
    both.arrays.write((), reached=400, removed=[entry.id for entry in entries[::19]])
    assert len(both.arrays._current().snapshot.segments) > 1  # type: ignore[union-attr]
    yield both
    for engine in both:
        engine.close()


@pytest.fixture
def _few_reranked() -> Iterator[None]:
    """So few are looked at for words close together that some are left out."""
    from searchfeed.engines.whoosh import ranking

    with pytest.MonkeyPatch.context() as patch:
        for module in (ranking, scoring):
            assert module.RERANKED == RERANKED
            patch.setattr(module, "RERANKED", 20)
        yield


def leaves() -> st.SearchStrategy[tree.Node]:
    word = st.sampled_from((*WORDS, "nothing", "banks", "cafe", "東", "都6号"))
    spans = st.integers(0, 99).map(lambda at: Span(at, at + 1))
    day = st.integers(-3, 45).map(lambda number: START + timedelta(days=number))
    return st.one_of(
        st.builds(tree.Word, word, span=spans),
        st.builds(tree.Word, word, span=spans),
        st.builds(tree.Word, word, st.sampled_from(("title", "body"))),
        st.builds(tree.Word, word, exact=st.just(True)),
        st.builds(lambda *two: tree.Phrase(" ".join(two)), word, word),
        st.builds(tree.Phrase, st.just("oil the price"), st.integers(0, 4)),
        st.builds(tree.Phrase, st.just("of the"), st.just(0), st.sampled_from(("title", "body"))),
        st.builds(tree.DateRange, st.none() | day, st.none() | day),
        st.sampled_from(
            [
                tree.Everything(),
                tree.Flag("updated"),
                tree.Word("energy", "tag"),
                tree.Word("EN", "lang"),
                tree.Word("oil", "feed"),
                tree.Word("example/1", "feed"),
                tree.Phrase("ann price", field="author"),
                tree.Word("00000", "id"),
                tree.Word("oil", "link"),
            ]
        ),
    )


@pytest.mark.usefixtures("_few_reranked")
@settings(max_examples=400, deadline=None)
@given(
    node=trees(leaves()),
    limit=st.integers(1, 60),
    offset=st.integers(0, 20),
    sort=st.sampled_from(Sort),
    dedupe=st.booleans(),
)
def test_the_same_answer_as_on_arrays(
    pair: Pair, node: tree.Node, limit: int, offset: int, sort: Sort, dedupe: bool
) -> None:
    pair.agree(node, limit=limit, offset=offset, sort=sort, dedupe=dedupe)


def test_an_empty_index_has_nothing(tmp_path: Path) -> None:
    both = open_both(tmp_path / "whoosh")
    for node in (tree.Everything(), tree.Word("oil"), tree.Not(tree.Word("oil"))):
        assert both.agree(node, limit=5, dedupe=True).total == 0


@pytest.mark.parametrize("dedupe", [False, True])
def test_reuters_is_answered_alike(
    shared: Path, tmp_path_factory: pytest.TempPathFactory, dedupe: bool
) -> None:
    both = open_both(tmp_path_factory.mktemp("reuters") / "whoosh")
    entries: list[Entry] = []
    for at in (1, 2):
        channel = ET.parse(shared / "feeds" / "reuters" / f"reuters-{at:02}.xml")
        for item in channel.iter("item"):
            title, body = (item.findtext(name) or "" for name in ("title", "description"))
            date = START + timedelta(hours=len(entries) % 2_000)
            entries.append(
                Entry(f"{len(entries):016x}", "https://r.example", "R", title, body, published=date)
            )
    both.arrays.write([Change(1, entry) for entry in entries], reached=1)
    random = Random(5)
    found = 0
    for _ in range(150):
        one, other = (random.choice(entries) for _ in range(2))
        words = [*one.title.split(), *one.body.split()[:60]]
        at = random.randrange(max(1, len(words) - 2))
        text = random.choice(
            [
                words[at],
                " ".join(words[at : at + 2]),
                f'"{" ".join(words[at : at + 3])}"',
                f"{words[at]} -{random.choice(other.body.split() or ['none'])}",
                f"title:{words[at]} OR {random.choice(other.title.split() or ['none'])}",
            ]
        )
        node = parse(text).node
        if both.scalar._current().searches.weigh(node) is not None:
            answer = both.agree(node, limit=10, sort=random.choice([*Sort]), dedupe=dedupe)
            found += bool(answer.matches)
    assert found > 100


numbers = st.lists(
    st.one_of(st.integers(0, 3), st.integers(0, 3), st.integers(0, 300), st.integers(0, 2**31 - 1)),
    max_size=700,
)


@settings(max_examples=100, deadline=None)
@given(values=numbers, start=st.integers(0, 700), stop=st.integers(0, 700))
def test_packed_numbers_are_read_one_by_one(values: list[int], start: int, stop: int) -> None:
    import numpy as np

    stop = min(stop, len(values))
    sheet = Sheet()
    for writer, name in ((PackedWriter(), "packed"), (RunsWriter(), "runs")):
        writer.append(np.array(values if name == "packed" else sorted(values), dtype=np.int32))
        writer.write(sheet, name, "part")
    packed = Packed(lambda part: sheet.section("packed", part), "part")
    runs = Runs(lambda part: sheet.section("runs", part), "part")
    assert len(packed) == len(values)
    assert packed.range(start, stop) == values[start:stop]
    assert runs.range(start, max(start, stop)) == sorted(values)[start:stop]
    assert [runs.item(at) for at in range(len(values))] == sorted(values)


def test_parts_of_a_field_that_do_not_fit_are_refused(pair: Pair, tmp_path: Path) -> None:
    good = Container(max(pair.arrays._path.glob("*.sfc"), key=lambda file: file.stat().st_size))
    parts = [part for name, part in good.sections() if name == "body" and part[:5] != "keys."]
    assert len(parts) > 15
    for left_out in parts:
        with FileWriter(tmp_path / "MAIN_x.sfc") as writer:
            for key in good.sections():
                if key != ("body", left_out):
                    writer.add(*key, good.array(*key))
            writer.finish(good.attributes)
        segment = MappedSegment(tmp_path / "MAIN_x.sfc")
        with pytest.raises(CorruptFileError):
            Field(segment, "body").documents(segment.dictionary("body").find(b"oil"))


# When arrays are opened


def opened(engine: WhooshEngine) -> bool:
    """Whether arrays have been opened."""
    return "arrays" in engine._current().__dict__


def test_arrays_are_opened_once_searches_have_read_so_much(pair: Pair, tmp_path: Path) -> None:
    node = tree.Word("opec")
    weight = pair.scalar._current().searches.weigh(node)
    assert weight is not None
    assert weight > 10
    engine = WhooshEngine(pair.arrays._path, few=2 * (weight + SEARCH))
    engine.search(node, limit=5)
    engine.search(node, limit=5)
    assert not opened(engine)
    engine.search(node, limit=5)
    assert opened(engine)


def test_what_is_gone_through_weighs(pair: Pair) -> None:
    weigh = pair.scalar._current().searches.weigh
    opec, dates = tree.Word("opec"), tree.DateRange(START, None)
    held = weigh(opec)
    assert held is not None
    assert weigh(tree.And((opec, dates))) == held
    assert weigh(tree.And((opec, tree.Not(opec)))) == 2 * held
    for node in (tree.Everything(), dates, tree.Not(opec), tree.And((dates, tree.Not(opec)))):
        assert (weigh(node) or 0) >= 400, node
    assert weigh(tree.Or((opec, tree.Fuzzy("oli")))) is None


@pytest.mark.parametrize(
    "node", [tree.Wildcard("oi*"), tree.Fuzzy("oli"), tree.Regex("o.l"), tree.Word("the")]
)
def test_what_takes_arrays_opens_them_at_once(pair: Pair, node: tree.Node) -> None:
    few = pair.scalar._current().searches.weigh(tree.Word("the"))
    assert few is not None
    engine = WhooshEngine(pair.arrays._path, few=few + SEARCH - 1)
    assert engine.search(node, limit=5) == pair.arrays.search(node, limit=5)
    assert opened(engine)


def test_newer_entries_are_preferred_on_arrays(pair: Pair) -> None:
    engine = WhooshEngine(pair.arrays._path, few=math.inf)
    engine.search(tree.Word("oil"), limit=5, recency=timedelta(days=1))
    assert opened(engine)


def test_stories_without_a_file_are_found_on_arrays(tmp_path: Path) -> None:
    both = open_both(tmp_path / "whoosh")
    both.arrays.write([Change(1, entry) for entry in generated(60)], reached=1)
    (stories,) = (tmp_path / "whoosh").glob("*.sfs")
    wanted = both.arrays.search(tree.Word("oil"), limit=30, dedupe=True)
    assert any(match.duplicates for match in wanted.matches)
    stories.unlink()
    engine = WhooshEngine(tmp_path / "whoosh")
    assert engine.search(tree.Word("oil"), limit=30, dedupe=True) == wanted
    assert opened(engine)


def test_a_later_commit_is_seen(tmp_path: Path) -> None:
    both = open_both(tmp_path / "whoosh")
    first, second, *_ = generated(2)
    both.arrays.write([Change(1, first)], reached=1)
    assert both.agree(tree.Everything(), limit=5).total == 1
    both.arrays.write([Change(2, second)], reached=2, removed=[first.id])
    assert [match.id for match in both.agree(tree.Everything(), limit=5).matches] == [second.id]


@pytest.mark.parametrize(
    ("options", "unwanted"),
    [(("--json",), {"numpy", "whoosh", "rich"}), (("--format", "table"), {"numpy", "whoosh"})],
)
def test_a_process_that_searches_imports_neither_numpy_nor_whoosh(
    tmp_path: Path, options: tuple[str, ...], unwanted: set[str]
) -> None:
    with Index(tmp_path / "index") as index:
        report = index.update(["fixtures/"])
        assert report.added
        assert len(index.search("search").hits) > 1
    code = (
        "import sys; from searchfeed.cli import run; code = run(sys.argv[1:]);"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr);"
        "sys.exit(code)"
    )
    arguments = ("--index", str(tmp_path / "index"), "search", "search", *options)
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    assert len(done.stdout) > 100
    loaded = set(done.stderr.split())
    assert "searchfeed" in loaded
    assert not unwanted & loaded
