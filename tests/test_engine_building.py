"""Large batches are built by several processes: the same index, and nothing left of a failure."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from searchfeed.engines import Change, open_engine
from searchfeed.engines.whoosh import building
from searchfeed.engines.whoosh.engine import WhooshEngine
from searchfeed.errors import EngineError
from searchfeed.models import Enclosure, Entry, Sort
from searchfeed.processes import Process
from searchfeed.tree import Everything, Phrase, Word

LANGUAGES = ("en", "de", "", "fr-ca")


def change(number: int) -> Change:
    body = f"The ferry number {number} was {'late ' * (number % 5)}on day {number % 31}."
    entry = Entry(
        f"{number:016x}",
        "https://harbour.example/feed",
        "Harbour",
        f"Überfahrt {number}",
        body,
        f"https://harbour.example/{number}",
        ("Ann Lee", "Bo Ek") if number % 2 else (),
        ("boats",) if number % 3 else (),
        datetime(2024, 1, 1 + number % 28, tzinfo=UTC) if number % 7 else None,
        None,
        LANGUAGES[number % 4],
        (Enclosure("https://harbour.example/a.mp3"),) if number % 11 == 0 else (),
    )
    return Change(number, entry, edited=number % 13 == 0)


CHANGES = [change(number) for number in range(1, 301)]
QUERIES = (
    Everything(),
    Word("ferries"),
    Word("uberfahrt", "title"),
    Phrase("late on"),
    Word("ann", "author"),
    Word("boats", "tag"),
    Word("fr", "lang"),
)


@pytest.fixture
def several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEARCHFEED_WORKERS", "2")
    monkeypatch.setattr(building, "LARGE", 1_000)
    monkeypatch.setattr(building, "BATCH", 500)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[WhooshEngine]:
    opened = open_engine("whoosh", tmp_path / "whoosh")
    assert isinstance(opened, WhooshEngine)
    yield opened
    opened.close()


def answers(engine: WhooshEngine) -> list[tuple[int, list[tuple[str, float]]]]:
    found = []
    for node in QUERIES:
        for sort in (Sort.RELEVANCE, Sort.NEWEST):
            answer = engine.search(node, limit=1000, sort=sort)
            matches = [(match.id, round(match.score, 4)) for match in answer.matches]
            found.append((answer.total, matches))
    return found


def files(engine: WhooshEngine) -> list[str]:
    return sorted(path.name for path in engine._path.iterdir())


@pytest.mark.usefixtures("several")
def test_several_processes_build_the_same_index(
    engine: WhooshEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []
    engine.write(iter(CHANGES), reached=300, progress=steps.append)
    assert (engine.reached, engine.stale) == (300, False)
    assert steps == [100, 200, 300, 300]
    # The second time they replace what is there.
    newer = [replace(each, sequence=each.sequence + 300) for each in CHANGES[50:]]
    engine.write(iter(newer), reached=600)
    monkeypatch.setenv("SEARCHFEED_WORKERS", "0")
    alone = WhooshEngine(tmp_path / "alone")
    alone.write(iter(CHANGES), reached=300)
    assert answers(engine) == answers(alone)
    alone.close()
    # Nothing is left that the committed state does not name.
    engine.write([], reached=601)
    assert len([name for name in files(engine) if name.endswith(".sfc")]) <= 4


@pytest.mark.usefixtures("several")
def test_memory_is_shared_out(engine: WhooshEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("searchfeed.engines.whoosh.engine.MEMORY", 0)
    engine.write(iter(CHANGES[:40]), reached=40)
    assert engine.search(Everything(), limit=1).total == 40


def failing(changes: list[Change]) -> Iterator[Change]:
    yield from changes
    raise RuntimeError("the archive is gone")


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        (lambda: failing(CHANGES), RuntimeError, "archive is gone"),
        (lambda: iter([*CHANGES, CHANGES[0]]), EngineError, "stands twice"),
        (
            lambda: iter([*CHANGES, replace(CHANGES[0], entry=replace(CHANGES[0].entry, id="x"))]),
            EngineError,
            "could not be built: ValueError",
        ),
    ],
)
def test_a_failure_leaves_the_old_state_and_no_file(
    engine: WhooshEngine,
    changes: Callable[[], Iterator[Change]],
    error: type[Exception],
    words: str,
) -> None:
    engine.write(CHANGES[:3], reached=3)
    before = files(engine), answers(engine)
    with pytest.raises(error, match=words):
        engine.write(changes(), reached=300, replace=True)
    assert (files(engine), answers(engine)) == before
    assert engine.reached == 3
    engine.write(iter(CHANGES), reached=300, replace=True)
    assert engine.search(Everything(), limit=1).total == 300


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize("at", [30, 299])
def test_a_process_that_is_killed_fails_the_whole(
    engine: WhooshEngine, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.write(CHANGES[:3], reached=3)
    before = files(engine)
    started: list[int] = []
    start = Process.__init__

    def noted(self: Process, module: str) -> None:
        start(self, module)
        started.append(self.pid)

    monkeypatch.setattr(Process, "__init__", noted)

    def changes() -> Iterator[Change]:
        for number, each in enumerate(CHANGES):
            if number == at:
                os.kill(started[0], signal.SIGKILL)
            yield each

    with pytest.raises(EngineError, match="broke off"):
        engine.write(changes(), reached=300)
    assert files(engine) == before
    assert engine.reached == 3
    for pid in started:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize("program", ["/bin/false", "/nowhere/python"])
def test_where_none_can_be_started_it_is_built_here(
    engine: WhooshEngine, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    engine.write(iter(CHANGES), reached=300)
    assert engine.search(Everything(), limit=1).total == 300


def test_few_changes_start_no_process(
    engine: WhooshEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Process, "__init__", None)
    engine.write(iter(CHANGES), reached=300)
    assert engine.search(Everything(), limit=1).total == 300
