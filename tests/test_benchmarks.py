"""The benchmarks run, on little, with whichever peers are installed. No time is asserted."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from benchmarks import corpus, plot
from benchmarks.corpus import Corpus
from benchmarks.peers.engine import PEERS, installed, make
from benchmarks.process import PeerError
from benchmarks.questions import Kind, Question, choose
from benchmarks.record import Promise, Record, Scale, promises
from benchmarks.terminal import Screen
from benchmarks.worker import Latency, Worker, reusable
from searchfeed import feeds, sources
from searchfeed.errors import SourceError
from searchfeed.models import Entry

ROOT = Path(__file__).parents[1]
NOON = datetime(2020, 8, 1, 12, tzinfo=UTC)

JUDGED = {
    "docs.jsonl": (
        '{"id": "a", "title": "Whales", "body": "Whales sing in the sea."}\n'
        '{"id": "b", "title": "Foxes", "body": "A fox runs through the snow."}\n'
        '{"id": "c", "title": "Bread", "body": "Bread is baked with yeast."}\n'
    ),
    "queries.tsv": '1\tsinging whale\n2\trunning "foxes\n3\tnever judged\n',
    "qrels.tsv": "1\ta\t1\n2\tb\t2\n",
}


@pytest.fixture(scope="session", name="fixtures")
def feeds_of_one_document(fixtures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without the feeds that are there on several days: peers know an entry by its id alone."""
    folder = tmp_path_factory.mktemp("fixtures") / "feeds"
    shutil.copytree(fixtures, folder, ignore=shutil.ignore_patterns("life"))
    return folder


@pytest.fixture(scope="module")
def texts(fixtures: Path, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    file = tmp_path_factory.mktemp("corpus") / "entries.jsonl"
    parsed = corpus.parse(fixtures, file, lambda _done, _total: None)
    return Corpus(file, parsed.entries)


def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_corpus_comes_back_as_it_was_parsed(fixtures: Path, texts: Corpus) -> None:
    found = sources.expand([fixtures]).sources
    wanted: dict[str, Entry] = {}
    for source in found:
        with suppress(SourceError):
            for entry in feeds.parse(source.read(), url=source.url).entries:
                wanted.setdefault(entry.id, entry)
    read = {entry.id: entry for entry in texts}
    assert read.keys() == wanted.keys()
    for id, entry in read.items():
        for name in ("title", "body", "link", "authors", "tags", "published", "language"):
            assert getattr(entry, name) == getattr(wanted[id], name)


def test_copies_are_other_entries(texts: Corpus) -> None:
    entries = list(Corpus(texts.file, texts.entries, 3))
    assert len(entries) == 3 * texts.entries
    assert len({entry.id for entry in entries}) == len({entry.body for entry in entries})
    assert len({entry.id for entry in entries}) == len(entries)
    assert len({entry.id for entry in texts.fresh(250, "new")}) == 250


def test_questions_are_the_same_each_time_and_can_be_answered(texts: Corpus) -> None:
    questions = choose(texts)
    assert questions == choose(texts)
    assert {question.kind for question in questions} == set(Kind)
    held = [f"{entry.title}\n{entry.body}".lower() for entry in texts]
    for question in questions:
        if question.kind is not Kind.FUZZY:
            parts = [" ".join(question.words)] if question.kind is Kind.PHRASE else question.words
            assert all(any(part in text for text in held) for part in parts), question


SAMPLE = [
    Entry("00000000000000a1", "f", "F", "Silk routes", "Trade on old roads.", published=NOON),
    Entry(
        "00000000000000a2",
        "f",
        "F",
        "Border management",
        "Guards of the silk trade.",
        published=NOON + timedelta(days=40),
    ),
    Entry("00000000000000a3", "f", "F", "Bread", "Baked with economy.", published=NOON),
]

ANSWERS = [
    (Question("", Kind.WORD, ("silk",)), {"a1", "a2"}),
    (Question("", Kind.ALL, ("silk", "guards")), {"a2"}),
    (Question("", Kind.ANY, ("bread", "guards")), {"a2", "a3"}),
    (Question("", Kind.TYPED, ("bread", "guards")), {"a2", "a3"}),
    (Question("", Kind.PHRASE, ("silk", "trade")), {"a2"}),
    (Question("", Kind.PREFIX, ("econ",)), {"a3"}),
    (Question("", Kind.FUZZY, ("bred",)), {"a3"}),
    (Question("", Kind.DATED, ("silk",), NOON - timedelta(1), NOON + timedelta(1)), {"a1"}),
    (Question("", Kind.NEWEST, ("silk",)), {"a2", "a1"}),
]


@pytest.mark.parametrize("name", list(PEERS))
def test_every_peer_answers_what_it_is_asked(name: str, tmp_path: Path) -> None:
    if name not in installed():
        pytest.skip(f"{PEERS[name].distribution} is not installed (extra: bench)")
    peer = make(name, tmp_path)
    try:
        peer.keep(SAMPLE)
        peer.build(iter(SAMPLE), len(SAMPLE))
        peer.open()
        answered = 0
        for snippets in (False, True):
            for question, wanted in ANSWERS:
                ask = peer.prepare(question, snippets=snippets)
                if ask is not None:
                    found = [id[-2:] for id in ask()]
                    assert set(found) == wanted, question
                    assert question.kind is not Kind.NEWEST or found == ["a2", "a1"]
                    answered += 1
        assert answered >= 7
        months = peer.prepare(Question("", Kind.MONTHS, ("silk",)), snippets=False)
        assert months is None or len(months()) == 2
        peer.add([Entry("00000000000000a4", "f", "F", "Later", "A walrus came.", published=NOON)])
        later = Question("", Kind.WORD, ("walrus",))
        ask = peer.prepare(later, snippets=PEERS[name].bare is False)
        assert ask is not None
        assert list(ask()) == ["00000000000000a4"]
        texts = peer.texts_size()
        assert texts is None or texts >= 0
    finally:
        peer.close()


def test_speed_writes_its_record_and_plot(fixtures: Path, tmp_path: Path) -> None:
    options = ("--scale", "1", "--rounds", "1", "--seconds", "0.1", "--systems", "ours,fts5")
    done = run("speed", str(fixtures), *options, "--output", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "Promises" in done.stdout
    record: dict[str, Any] = json.loads((tmp_path / "speed.json").read_text("utf-8"))
    scale = record["scales"]["1"]
    assert record["failures"] == {}
    assert set(scale["built"]) == set(scale["fresh"]) == {"ours", "fts5"}
    assert set(scale["bare"]["common word"]) == {"ours", "fts5"}
    assert set(scale["snippets"]["phrase"]) == {"ours", "fts5"}
    assert record["updated"]["entries"] == record["parsed"]["entries"] == scale["entries"]
    assert set(record["startup"]) == {"imports", "terminal", "pipe", "python"}
    drawn = ET.parse(tmp_path / "speed.svg").getroot()
    assert len(drawn.findall("{http://www.w3.org/2000/svg}circle")) > 10


def test_the_app_is_timed_letter_by_letter(fixtures: Path, tmp_path: Path) -> None:
    options = ("--scale", "1", "--sizes", "80x24,160x40", "--queries", "2", "--starts", "1")
    done = run("app", str(fixtures), *options, "--keep", str(tmp_path), "--output", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "key to results" in done.stdout
    record = json.loads((tmp_path / "app.json").read_text("utf-8"))
    queries = json.loads((tmp_path / "app-x1.json").read_text("utf-8"))["queries"]
    assert [typed["size"] for typed in record["typed"]] == ["80x24", "160x40"]
    for typed in record["typed"]:
        assert typed["keys"] == sum(map(len, queries[:2]))
        assert 0 < typed["echo"]["p50"] <= typed["results"]["p95"] <= typed["results"]["most"]
        assert 0 < typed["first"]["p50"] <= typed["ready"]["p50"]


def test_a_screen_knows_what_was_painted_and_when() -> None:
    screen = Screen(8, 2)
    paints = [screen.lines for _ in screen.feed("\x1b[1;1H\x1b[1mab\x1b[0m漢c\x1b[?20")]
    assert paints == []
    paints = [screen.lines for _ in screen.feed("26l\x1b[2;7Hxyz\x1b[?2026l")]
    assert paints == [["ab漢c   ", " " * 8], ["ab漢c   ", "      xy"]]
    assert screen.written == [(0, 0, 2), (0, 2, 5), (1, 6, 8)]
    screen.forget()
    [*screen.feed("\x1b[2J\x1b]8;;https://x.example\x1b\\\x1b[1;2Hd")]
    assert (screen.lines[0], screen.written) == (" d      ", [(0, 1, 2)])


def test_an_index_is_used_again_only_if_it_was_made_the_same_way(
    texts: Corpus, tmp_path: Path
) -> None:
    directory = tmp_path / "x1" / "fts5"
    assert not reusable("fts5", directory)
    for reused in (False, True):
        worker = Worker("fts5", texts, directory)
        try:
            assert worker.build(lambda _done, _total: None).reused is reused
            question = Question("", Kind.WORD, ("border",))
            latency = worker.ask([question], snippets=True, rounds=2, seconds=1, least=0)
            assert latency is not None
            assert latency.runs == 2
            assert latency.empty == 0
        finally:
            worker.close()
    assert reusable("fts5", directory)
    record = directory.with_suffix(".json")
    record.write_text(record.read_text("utf-8").replace('"stamp": "', '"stamp": "another '))
    assert not reusable("fts5", directory)


def test_what_a_peer_raises_is_told(texts: Corpus, tmp_path: Path) -> None:
    worker = Worker("nonsense", texts, tmp_path / "nonsense")
    try:
        with pytest.raises(PeerError, match="KeyError: 'nonsense'"):
            worker.build(lambda _done, _total: None)
    finally:
        worker.close()


def test_a_system_that_is_not_there_is_named(fixtures: Path) -> None:
    done = run("speed", str(fixtures), "--systems", "ours,nonsense")
    assert done.returncode == 1
    assert "no system 'nonsense' here; there are: ours" in done.stderr


def test_relevance_scores_every_judged_query(tmp_path: Path) -> None:
    pytest.importorskip("ir_measures", reason="ir-measures is not installed (extra: bench)")
    folder = tmp_path / "ir" / "small"
    folder.mkdir(parents=True)
    for name, text in JUDGED.items():
        (folder / name).write_text(text, "utf-8")
    written = tmp_path / "out" / "relevance.json"
    done = run("relevance", str(tmp_path / "ir"), "--output", str(written))
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(written.read_text("utf-8"))["outcomes"]
    assert {"ours", "whoosh", "fts5"} <= {outcome["system"] for outcome in outcomes}
    for outcome in outcomes:
        assert outcome["scores"] == {"1": 1.0, "2": 1.0}, outcome["system"]
        assert outcome["ndcg"] == 1.0
    assert "small" in done.stdout


def test_promises_compare_the_largest_scale() -> None:
    slow, fast = Latency(8.0, 9.0, 9.0, 3, 0), Latency(2.0, 3.0, 3.0, 3, 0)
    record = Record("", "", {}, {})
    record.scales[1] = Scale(10, bare={"word": {"ours": fast, "fts5": fast}})
    record.scales[10] = Scale(100, bare={"word": {"ours": slow, "fts5": fast}})
    values = {promise.name: promise.value for promise in promises(record)}
    assert values["worst class of questions, ours : FTS5"] == 4.0
    assert values["growth of latency : growth of corpus"] == pytest.approx(0.4)
    assert values["worst class of questions, ours : Whoosh"] is None


def test_a_promise_knows_its_side() -> None:
    assert Promise("rate", 12, 10, 25, least=True).reaches(10)
    assert not Promise("rate", 12, 10, 25, least=True).reaches(25)
    assert Promise("time", 0.4, 1, 0.5).reaches(0.5)
    assert Promise("time", None, 1, 0.5).reaches(1) is None


def test_a_plot_names_every_dot() -> None:
    rows = {"a < b": {"ours": 0.02, "theirs": 300.0}, "phrase": {"theirs": 4.0}}
    drawn = plot.dots("Title & more", "ms", rows, ["ours", "theirs"])
    root = ET.fromstring(drawn)
    told = [title.text for title in root.iter("{http://www.w3.org/2000/svg}title")]
    assert "a < b, ours: 0.02 ms" in told
    assert "phrase, theirs: 4 ms" in told
