"""One run of the speed benchmark, step by step."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import groupby
from pathlib import Path

from rich.progress import Progress

from benchmarks import corpus, files, startup
from benchmarks.corpus import Corpus, Parsed
from benchmarks.peers.engine import PEERS, installed
from benchmarks.process import PeerError
from benchmarks.questions import Question, choose
from benchmarks.record import Latencies, Record, Scale, machine, versions
from benchmarks.worker import Latency, Worker, clear, reusable

PARTS = ("files", "queries", "startup")
"""What can be measured on its own: from files to an index, the engines, whole processes."""

ALWAYS_NEW = ("ours",)
"""Systems whose index is never taken from an earlier run: it is their code that changes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure, and how long.

    Attributes:
        asked: the systems that the user named; empty for all.
        rounds: times that each question is asked.
        seconds: after which no further round of a class is begun.
        work: the directory for everything that is made; an earlier run may have left something.
    """

    folder: Path
    parts: Sequence[str]
    scales: Sequence[int]
    asked: Sequence[str]
    rounds: int
    seconds: float
    word: str
    work: Path

    def systems(self, scale: int) -> list[str]:
        """Those to measure at a scale: the named ones, else those that are not too slow for it."""
        return [
            name
            for name in installed()
            if (name in self.asked if self.asked else scale <= PEERS[name].largest)
        ]


class Bench:
    """One run, which fills ``record``."""

    def __init__(self, plan: Plan, progress: Progress) -> None:
        self.plan = plan
        self.progress = progress
        self.record = Record(
            datetime.now(UTC).isoformat(timespec="seconds"),
            str(plan.folder),
            machine(),
            versions(),
        )

    def run(self) -> None:
        """Measure every part that was asked for."""
        texts = self._corpus()
        index: Path | None = None
        if "files" in self.plan.parts:
            index = self.plan.work / "files"
            shutil.rmtree(index, ignore_errors=True)
            with self._task("from files to an index") as tick, self._surviving("update"):
                self.record.updated = files.update(self.plan.folder, index, tick)
        if "queries" in self.plan.parts:
            with self._task("choose questions") as tick:
                questions = choose(texts)
                tick(1, 1)
            for scale in self.plan.scales:
                grown = Corpus(texts.file, texts.entries, scale)
                self.record.scales[scale] = Scale(len(grown))
                self._scale(grown, questions)
        if "startup" in self.plan.parts:
            index = index or self._directory(self.plan.scales[0], "ours")
            with self._task("start processes") as tick, self._surviving("startup"):
                if not index.exists():
                    raise PeerError("there is no index: measure the part files or queries as well")
                self.record.startup = startup.measure(index, self.plan.word, self.plan.rounds)
                tick(1, 1)

    def _corpus(self) -> Corpus:
        """The parsed entries; parsed again only where that is measured, or has not been done."""
        file, record = self.plan.work / "entries.jsonl", self.plan.work / "entries.json"
        state = {"folder": str(self.plan.folder.resolve()), "files": _state(self.plan.folder)}
        known = json.loads(record.read_text("utf-8")) if record.exists() else {}
        if known.get("state") == state and "files" not in self.plan.parts:
            return Corpus(file, Parsed(**known["parsed"]).entries)
        with self._task("parse and clean") as tick:
            parsed = corpus.parse(self.plan.folder, file, tick)
        if known.get("state") != state:
            # Indexes that were made of other texts.
            for path in self.plan.work.glob("x*"):
                shutil.rmtree(path)
        record.write_text(json.dumps({"state": state, "parsed": asdict(parsed)}), "utf-8")
        self.record.parsed = parsed
        return Corpus(file, parsed.entries)

    def _scale(self, texts: Corpus, questions: Sequence[Question]) -> None:
        """Index with every system, one after the other; then ask all of them, class by class."""
        found = self.record.scales[texts.scale]
        workers: dict[str, Worker] = {}
        try:
            for name in self.plan.systems(texts.scale):
                label = f"×{texts.scale} {PEERS[name].label}"
                directory = self._directory(texts.scale, name)
                if name in ALWAYS_NEW or not reusable(name, directory):
                    clear(directory)
                with self._task(f"{label}: index") as tick, self._surviving(f"{label}, indexing"):
                    workers[name] = Worker(name, texts, directory)
                    found.built[name] = workers[name].build(tick)
            ready = {name: workers[name] for name in found.built}
            for snippets, rows in ((False, found.bare), (True, found.snippets)):
                self._ask(ready, questions, rows, snippets=snippets)
            for name, worker in ready.items():
                label = f"×{texts.scale} {PEERS[name].label}"
                with self._task(f"{label}: add") as tick, self._surviving(f"{label}, adding"):
                    found.fresh[name] = worker.freshness()
                    tick(1, 1)
        finally:
            for worker in workers.values():
                worker.close()

    def _ask(
        self,
        workers: dict[str, Worker],
        questions: Sequence[Question],
        rows: Latencies,
        *,
        snippets: bool,
    ) -> None:
        groups = [
            (group, list(each))
            for group, each in groupby(questions, lambda each: each.group)
            # A facet has no hits to make snippets of.
            if not (snippets and group == "facet by month")
        ]
        what = "ask, with snippets" if snippets else "ask"
        with self._task(what) as tick:
            for done, (group, each) in enumerate(groups, start=1):
                row: dict[str, Latency] = {}
                for name, worker in workers.items():
                    with self._surviving(f"{PEERS[name].label}, {group}"):
                        latency = worker.ask(
                            each,
                            snippets=snippets,
                            rounds=self.plan.rounds,
                            seconds=self.plan.seconds,
                        )
                        if latency is not None:
                            row[name] = latency
                if row:
                    rows[group] = row
                tick(done, len(groups))

    def _directory(self, scale: int, system: str) -> Path:
        return self.plan.work / f"x{scale}" / system

    @contextmanager
    def _task(self, label: str) -> Iterator[Callable[[int, int], None]]:
        task = self.progress.add_task(label, total=None)

        def tick(done: int, total: int) -> None:
            self.progress.update(task, completed=done, total=total or None)

        try:
            yield tick
        finally:
            self.progress.remove_task(task)

    @contextmanager
    def _surviving(self, what: str) -> Iterator[None]:
        """What fails is told and noted; the others are measured all the same."""
        try:
            yield
        except PeerError as error:
            self.record.failures[what] = str(error)
            self.progress.console.print(
                f"{what}: failed: {str(error).strip().splitlines()[-1]}", markup=False
            )


def _state(folder: Path) -> str:
    """Stands for the files of a folder as they are now."""
    told = [
        f"{path.relative_to(folder)} {path.stat().st_size} {path.stat().st_mtime_ns}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    return blake2b("\n".join(told).encode(), digest_size=8).hexdigest()
