"""Which entries tell the same story, kept in a file and brought up to date by each commit."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random
from threading import Thread
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whoosh import index as whoosh_index

from searchfeed.analysis.sketch import SAMPLES, WORDS, Sketches
from searchfeed.engines import Change, stories
from searchfeed.engines.stories import NO_DATE, Texts, find_changed, find_stories
from searchfeed.engines.whoosh import grouping, storyfile
from searchfeed.engines.whoosh.columnar import merge, writer
from searchfeed.engines.whoosh.columnar.container import CorruptFileError
from searchfeed.engines.whoosh.engine import WhooshEngine
from searchfeed.engines.whoosh.grouping import find_groups, update_groups
from searchfeed.engines.whoosh.storyfile import (
    groups_of,
    known_groups,
    read_stories,
    story_file,
    write_file,
)
from searchfeed.errors import IndexVersionError
from searchfeed.index import Index
from searchfeed.models import Entry
from searchfeed.tree import Everything

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.folding import Groups

DAY = timedelta(days=1)
NOW = datetime(2020, 8, 12, 9, tzinfo=UTC)
ROOT = Path(__file__).parents[1]


def body(story: int, edits: Sequence[int] = ()) -> str:
    """Sixty words of a story, some of them others."""
    random = Random(story)
    words = [f"w{chr(97 + story % 26)}{random.choice('abcdefgh')}{at // 3}x" for at in range(60)]
    for at in edits:
        words[at % 60] = f"edited{chr(97 + at % 26)}"
    return " ".join(words)


def entry(number: int, story: int, edits: Sequence[int] = (), day: int | None = 0) -> Entry:
    return Entry(
        id=f"{number:016x}",
        feed_url=f"https://feeds.example/{number}",
        feed_title="",
        title=f"Story {chr(97 + story)}",
        body=body(story, edits),
        published=None if day is None else NOW + day * DAY,
        language="en",
    )


def write(engine: WhooshEngine, *entries: Entry, removed: Sequence[int] = ()) -> None:
    reached = engine.reached
    changes = [Change(reached + at, each) for at, each in enumerate(entries, 1)]
    ids = [f"{number:016x}" for number in removed]
    engine.write(changes, reached=reached + len(changes) + bool(removed), removed=ids)


def folded(engine: WhooshEngine) -> list[list[int]]:
    """The numbers of the entries of each row, all of them and the rows ascending."""
    answer = engine.search(Everything(), limit=10_000, dedupe=True)
    rows = [(match.id, *match.duplicates) for match in answer.matches]
    return sorted(sorted(int(id, 16) for id in row) for row in rows)


def stands(engine: WhooshEngine) -> Groups | None:
    """What the file of the newest commit says."""
    state = engine._current()
    stories = read_stories(engine._path, state.generation)
    return stories and groups_of(stories)


def files(path: Path) -> list[str]:
    return sorted(file.name for file in path.iterdir() if file.suffix in {".sfs", ".tmp"})


def check(engine: WhooshEngine) -> None:
    """The file says what is found in all texts, and no other such file is there."""
    state = engine._current()
    said, found = stands(engine), find_groups(state.arrays.view)
    assert said is not None
    assert said.documents.tolist() == found.documents.tolist()
    assert said.leaders.tolist() == found.leaders.tolist()
    assert files(engine._path) == [f"_MAIN_{state.generation}.sfs"]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[WhooshEngine]:
    engine = WhooshEngine(tmp_path / "engine")
    yield engine
    engine.close()


# What is looked at again is enough


Row = tuple[int, tuple[tuple[int, int], ...], int | None, int]
rows = st.tuples(
    st.integers(0, 3),
    st.lists(st.tuples(st.integers(0, SAMPLES - 1), st.integers(0, 2)), max_size=12).map(tuple),
    st.none() | st.integers(0, 12),
    st.integers(32, 50),
)
steps = st.lists(
    st.dictionaries(st.integers(0, 40), st.none() | rows, max_size=24), min_size=2, max_size=6
)


def texts(state: dict[int, Row], keys: list[int]) -> Texts:
    """Those of some keys: samples of few values, so that all kinds of texts share bands."""
    words = np.zeros((len(keys), WORDS), dtype=np.uint64)
    samples = words.view(np.uint8).reshape(len(keys), 8 * WORDS)[:, :SAMPLES]
    for at, key in enumerate(keys):
        story, edits, _, _ = state[key]
        samples[at] = [(place * story + place // 5) % 3 for place in range(SAMPLES)]
        for place, value in edits:
            samples[at, place] = value
    words[:, -1] = 1
    lengths = np.array([state[key][3] for key in keys], dtype=np.int64)
    days = (state[key][2] for key in keys)
    dates = [NO_DATE if day is None else day * 86_400_000_000 for day in days]
    return Texts(
        Sketches(words, lengths), np.array(dates, dtype=np.uint64), np.array(keys, dtype=np.uint64)
    )


@pytest.mark.parametrize("most", [stories.MOST, 2.0], ids=["all at times", "never all"])
@given(steps=steps, seed=st.integers(0, 1000))
@settings(max_examples=80, deadline=None)
def test_groups_that_are_kept_up_are_those_that_are_found(
    most: float, steps: list[dict[int, Row | None]], seed: int
) -> None:
    random = Random(seed)
    state: dict[int, Row] = {}
    known: dict[int, int] = {}
    for step in steps:
        before = state
        state = {key: row for key, row in {**state, **step}.items() if row is not None}
        keys = random.sample(sorted(state), len(state))
        now = texts(state, keys)
        changed = np.array(
            [at for at, key in enumerate(keys) if before.get(key) != state[key]], dtype=np.int64
        )
        gone = texts(before, [key for key in before if before[key] != state.get(key)])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(stories, "MOST", most)
            places, led = find_changed(now, changed, gone.sketches)
        affected = {keys[place] for place in places.tolist()}
        known = {key: first for key, first in known.items() if key in state.keys() - affected}
        for place, leader in zip(led.places.tolist(), led.leaders.tolist(), strict=True):
            known[keys[place]] = keys[leader]
        whole = find_stories(now)
        assert known == {
            keys[place]: keys[leader]
            for place, leader in zip(whole.places.tolist(), whole.leaders.tolist(), strict=True)
        }


commits = st.lists(
    st.tuples(
        st.lists(
            st.tuples(
                st.integers(0, 40),
                st.integers(0, 3),
                st.lists(st.integers(0, 59), max_size=2),
                st.none() | st.integers(0, 8),
            ),
            unique_by=lambda each: each[0],
            max_size=8,
        ),
        st.lists(st.integers(0, 40), max_size=3),
    ),
    min_size=2,
    max_size=8,
)


def threes(plan: Callable[..., object], *documents: Sequence[int], factor: int) -> object:
    """Three segments of like size make a merge, whatever the factor."""
    return plan(*documents, factor=min(3, factor))


@given(commits=commits)
@settings(max_examples=25, deadline=None)
def test_every_commit_writes_what_a_search_would_find(
    commits: list[tuple[list[tuple[int, int, list[int], int | None]], list[int]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    engine = WhooshEngine(tmp_path_factory.mktemp("engine") / "engine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stories, "MOST", 2.0)
        # So that segments are merged, and their documents get other numbers.
        patch.setattr(writer, "plan_merges", partial(threes, merge.plan_merges))
        for told, removed in commits:
            write(engine, *(entry(*each) for each in told), removed=removed)
            check(engine)
    engine.close()


def test_from_any_state_to_any_other(engine: WhooshEngine) -> None:
    """Back as well, so that documents come again that were deleted."""
    write(engine, *(entry(number, number // 4) for number in range(12)))
    states = [engine._current()]
    for removed in ([1, 5], [0], [8, 9, 10]):
        write(engine, removed=removed)
        states.append(engine._current())
    for one in states:
        for other in states:
            assert one.snapshot is not None
            assert other.snapshot is not None
            groups = update_groups(find_groups(one.arrays.view), one.snapshot, other.snapshot)
            found = find_groups(other.arrays.view)
            assert groups.documents.tolist() == found.documents.tolist()
            assert groups.leaders.tolist() == found.leaders.tolist()


def test_another_date_is_a_change(engine: WhooshEngine) -> None:
    write(engine, entry(1, 1), entry(2, 1), entry(3, 1, day=6))
    assert folded(engine) == [[1, 2], [3]]
    write(engine, entry(2, 1, day=6))
    check(engine)
    assert folded(engine) == [[1], [2, 3]]


def test_little_is_looked_at_after_a_small_change(engine: WhooshEngine) -> None:
    write(engine, *(entry(number, number // 4, [number]) for number in range(100)))
    before = engine._current().snapshot
    assert before is not None
    looked_at: list[int] = []

    def counted(texts: Texts, changed: stories.Places, gone: Sketches) -> object:
        places, led = find_changed(texts, changed, gone)
        looked_at.append(len(places))
        return places, led

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "find_changed", counted)
        write(engine, entry(200, 1, [3]))
        write(engine, entry(9, 60), removed=[20])
        write(engine, entry(9, 60))
        write(engine, removed=[777])
    check(engine)
    assert looked_at == [5, 7, 0, 0]


def test_files_of_real_news_fed_one_by_one(engine: WhooshEngine, shared: Path) -> None:
    number = 0
    for at in range(1, 6):
        tree = ET.parse(shared / "feeds" / "reuters" / f"reuters-{at:02}.xml")
        entries = []
        for item in tree.iter("item"):
            number += 1
            entries.append(
                Entry(
                    id=f"{number:016x}",
                    feed_url="https://reuters.example",
                    feed_title="",
                    title=item.findtext("title") or "",
                    body=item.findtext("description") or "",
                    published=NOW + timedelta(minutes=number),
                    language="en",
                )
            )
        write(engine, *entries, removed=range(at, number, 97))
        check(engine)
    said = stands(engine)
    assert said is not None
    assert len(said.documents) > 50


# A file that is of no use


def three(engine: WhooshEngine) -> Path:
    """Two entries are one story; returns the file that says so."""
    write(engine, entry(1, 1), entry(2, 1), entry(3, 2))
    assert folded(engine) == [[1, 2], [3]]
    return story_file(engine._path, engine._current().generation)


def test_without_the_file_a_search_finds_the_same_and_writes_nothing(engine: WhooshEngine) -> None:
    file = three(engine)
    file.unlink()
    before = {path.name: path.stat().st_mtime_ns for path in engine._path.iterdir()}
    engine._path.chmod(0o500)
    other = WhooshEngine(engine._path)
    assert folded(other) == [[1, 2], [3]]
    assert other.check().problems == ()
    other.close()
    assert {path.name: path.stat().st_mtime_ns for path in engine._path.iterdir()} == before
    engine._path.chmod(0o700)
    write(engine, entry(4, 2))
    check(engine)
    assert folded(engine) == [[1, 2], [3, 4]]


def test_every_byte_that_changes_is_noticed(engine: WhooshEngine) -> None:
    file = three(engine)
    sound = file.read_bytes()
    for at in range(len(sound)):
        data = bytearray(sound)
        data[at] ^= 1 + at % 255
        file.write_bytes(data)
        with pytest.raises((CorruptFileError, IndexVersionError)):
            stands(engine)
    for end in (0, 10, 64, len(sound) - 1):
        file.write_bytes(sound[:end])
        assert known_groups(engine._path, 0) is None
    other = WhooshEngine(engine._path)
    assert folded(other) == [[1, 2], [3]]
    assert other.check().problems == (f"{file}: damaged index file (it is cut off)",)
    write(other, entry(4, 2))
    check(other)
    assert other.check().problems == ()
    other.close()


def test_the_file_of_another_commit_is_not_used(engine: WhooshEngine) -> None:
    old = three(engine).read_bytes()
    write(engine, entry(0, 1), removed=[2])
    file = story_file(engine._path, 1)
    file.write_bytes(old)
    other = WhooshEngine(engine._path)
    assert folded(other) == [[0, 1], [3]]
    assert other.check().problems == (f"{file}: damaged index file (it belongs to another commit)",)
    write(other, entry(4, 2))
    check(other)
    other.close()


def test_groups_by_other_rules_are_found_anew(
    engine: WhooshEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    three(engine)
    with monkeypatch.context() as patch:
        patch.setattr(storyfile, "RULES", storyfile.RULES + 1)
        assert stands(engine) is None
        other = WhooshEngine(engine._path)
        assert folded(other) == [[1, 2], [3]]
        assert other.check().problems == ()
        write(other, entry(4, 2))
        check(other)
        other.close()


def test_what_the_file_says_is_compared_with_the_texts(engine: WhooshEngine) -> None:
    file = three(engine)
    state = engine._current()
    contents = (engine._path / "_MAIN_0.toc").read_bytes()
    wrong = find_groups(state.arrays.view)
    wrong.leaders[:] = 1
    write_file(engine._path, 0, contents, wrong)
    (problem,) = engine.check().problems
    assert problem == f"{file}: what it says are the same stories are not those of the texts"


def test_after_a_commit_by_whoosh_itself(engine: WhooshEngine) -> None:
    three(engine)
    with whoosh_index.open_dir(str(engine._path)).writer() as writer:
        writer.delete_by_term("id", f"{2:016x}")
    assert known_groups(engine._path, 1) is None
    assert folded(engine) == [[1], [3]]
    write(engine, entry(4, 2))
    check(engine)
    assert folded(engine) == [[1], [3, 4]]


def test_a_commit_does_without_where_it_cannot_be_written(engine: WhooshEngine) -> None:
    three(engine)
    blocked = engine._path / "_MAIN_1.sfs.tmp"
    blocked.mkdir()
    write(engine, entry(4, 2))
    assert known_groups(engine._path, 1) is None
    assert folded(engine) == [[1, 2], [3, 4]]
    blocked.rmdir()
    write(engine, entry(5, 2))
    check(engine)


def test_a_rebuild_finds_all_anew(engine: WhooshEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    three(engine)
    monkeypatch.delattr(grouping, "find_changed")
    changes = [Change(at, entry(at, 1)) for at in (1, 2, 3)]
    engine.write(changes, reached=3, replace=True)
    check(engine)


def test_doctor_mends_it(tmp_path: Path) -> None:
    feed = tmp_path / "feed.xml"
    items = "".join(
        f"<item><title>Story</title><guid>{at}</guid><description>{body(1)}</description></item>"
        for at in range(2)
    )
    feed.write_text(f"<rss version='2.0'><channel><title>a</title>{items}</channel></rss>")
    with Index(tmp_path / "index") as index:
        index.update([feed])
        (file,) = (tmp_path / "index" / "whoosh").glob("*.sfs")
        data = bytearray(file.read_bytes())
        data[64] ^= 1
        file.write_bytes(data)
        assert index.check().index == (f"{file}: damaged index file (the section  documents)",)
        assert index.check(repair=True).sound
        assert index.check().index == ()
        (mended,) = (tmp_path / "index" / "whoosh").glob("*.sfs")
        assert read_stories(mended.parent, int(mended.stem.split("_")[2])) is not None
        assert index.search("story").total == 1


# Others at the same time


def run(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_between_the_file_and_the_commit(engine: WhooshEngine, moment: str) -> None:
    """Or as it is written: what it left is not used, and the next commit takes it away."""
    three(engine)
    with run(
        "import os, sys\n"
        "from pathlib import Path\n"
        "from searchfeed.engines.whoosh import grouping\n"
        "from searchfeed.engines.whoosh.columnar.container import FileWriter\n"
        "from searchfeed.engines.whoosh.engine import WhooshEngine\n"
        "from tests.test_stories import entry, write\n"
        "write_file, finish = grouping.write_file, FileWriter.finish\n"
        "def dying(*arguments):\n"
        "    if sys.argv[2] == 'before':\n"
        "        FileWriter.finish = lambda self, attributes: os.kill(os.getpid(), 9)\n"
        "    write_file(*arguments)\n"
        "    os.kill(os.getpid(), 9)\n"
        "grouping.write_file = dying\n"
        "write(WhooshEngine(Path(sys.argv[1])), entry(2, 2), entry(4, 1))\n",
        engine._path,
        moment,
    ) as process:
        assert process.wait(60) == -signal.SIGKILL
    left = {"before": "_MAIN_1.sfs.tmp", "after": "_MAIN_1.sfs"}[moment]
    assert files(engine._path) == ["_MAIN_0.sfs", left]
    assert folded(engine) == [[1, 2], [3]]
    assert engine.check().problems == ()
    write(engine, removed=[1])
    check(engine)
    assert folded(engine) == [[2], [3]]


def test_searches_while_it_is_written(engine: WhooshEngine) -> None:
    """Each is of one state: there as many tell the first story as there are others."""
    write(engine, entry(0, 0), entry(1, 1))
    with run(
        "import sys\n"
        "from pathlib import Path\n"
        "from searchfeed.engines.whoosh.engine import WhooshEngine\n"
        "from tests.test_stories import entry, write\n"
        "engine = WhooshEngine(Path(sys.argv[1]))\n"
        "for at in range(1, 25):\n"
        "    write(engine, entry(2 * at, 0), entry(2 * at + 1, at + 1))\n",
        engine._path,
    ) as process:
        seen: list[list[int]] = [[], []]

        def search(seen: list[int]) -> None:
            other = WhooshEngine(engine._path)
            while process.poll() is None or not seen:
                rows = sorted(folded(other), key=len)
                assert len(rows[-1]) == len(rows) - 1
                seen.append(len(rows))
            other.close()

        failed: list[BaseException] = []

        def guarded(seen: list[int]) -> None:
            try:
                search(seen)
            except BaseException as error:
                failed.append(error)
                raise

        threads = [Thread(target=guarded, args=(each,)) for each in seen]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert process.wait(60) == 0
    assert not failed
    for counts in seen:
        assert all(one <= other for one, other in pairwise(counts))
        assert len(set(counts)) > 3
    check(engine)
    assert len(folded(engine)) == 26


def test_a_first_search_looks_at_no_text(engine: WhooshEngine) -> None:
    three(engine)
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from searchfeed.engines.whoosh.engine import WhooshEngine\n"
        "from searchfeed.tree import Everything\n"
        "engine = WhooshEngine(Path(sys.argv[1]))\n"
        "answer = engine.search(Everything(), limit=9, dedupe=True)\n"
        "print(answer.total, 'searchfeed.engines.stories' in sys.modules)\n"
    )
    with run(code, engine._path) as process:
        assert process.communicate(timeout=60)[0] == b"2 False\n"
    story_file(engine._path, 0).unlink()
    with run(code, engine._path) as process:
        assert process.communicate(timeout=60)[0] == b"2 True\n"
