"""A peer in a process of its own: its memory is its own, and all are asked in turn.

The peers stay open side by side and are asked class by class, so that what else the machine does
meanwhile falls on all of them alike.
"""

from __future__ import annotations

import json
import multiprocessing
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from shutil import rmtree
from statistics import median
from time import perf_counter, sleep, time_ns
from typing import Any

from benchmarks.corpus import Corpus, Tick, letters
from benchmarks.peers.engine import Peer, make, size, stamp
from benchmarks.process import PeerError, peak_memory, receive, watch
from benchmarks.questions import Kind, Question
from searchfeed.models import Entry

EVERY = 500
"""Entries between two words about progress."""

FRESH = 100
"""New entries that a running index has to take in."""

FRESH_ROUNDS = 5

LEAST = 0.2
"""Seconds for which a class is asked at least: a processor that has rested is slow at first."""

PATIENCE = 60.0
"""Seconds after which new entries that are not found count as lost."""


@dataclass(frozen=True, slots=True)
class Built:
    """What it took to index a corpus, reading the corpus not counted.

    Attributes:
        texts_seconds: to store the texts, where that is not part of the index.
        seconds: to index.
        size, texts_size: bytes on disk, in all and of the texts alone (None: not known).
        memory: bytes at the peak, of the process and its children.
        reused: these are the figures of the earlier run that built it.
    """

    texts_seconds: float
    seconds: float
    size: int
    texts_size: int | None
    memory: int
    reused: bool = False


@dataclass(frozen=True, slots=True)
class Latency:
    """How long one class of questions took.

    Attributes:
        median, worst: milliseconds; ``worst`` is the 95th of 100.
        first: milliseconds, the median of the times that each question was asked first.
        runs: how many times were measured.
        empty: questions of the class that found nothing.
    """

    median: float
    worst: float
    first: float
    runs: int
    empty: int


class Worker:
    """The process of one peer, with its index in ``directory``.

    Raises:
        PeerError: by every method, with the peer's traceback.
    """

    def __init__(self, system: str, corpus: Corpus, directory: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self.system = system
        self._corpus = corpus
        self._directory = directory
        self._record = _record(directory)
        self._connection, theirs = context.Pipe()
        directory.mkdir(parents=True, exist_ok=True)
        # Not a daemon: these may not have processes of their own, and a peer may want some.
        self._process = context.Process(target=serve, args=(theirs, system, corpus, directory))
        self._process.start()
        theirs.close()

    def build(self, tick: Tick) -> Built:
        """Store the texts, index them, and make ready for questions.

        An index that an earlier run left whole (see ``reusable``) is used as it is.
        """
        if self._record.exists():
            record = json.loads(self._record.read_text("utf-8"))
            self._call("open")
            return Built(**{**record["built"], "reused": True})
        texts_seconds, texts_memory = self._watch("keep", tick)
        seconds, memory = self._watch("build", tick)
        self._call("open")
        total, texts = self._call("size")
        built = Built(texts_seconds, seconds, total, texts, max(texts_memory, memory))
        record = {"stamp": stamp(self.system), "built": asdict(built)}
        self._record.write_text(json.dumps(record), "utf-8")
        return built

    def freshness(self) -> float:
        """Seconds until 100 new entries are found, the median of a few times."""
        return float(self._call("freshness"))

    def ask(
        self,
        questions: Sequence[Question],
        *,
        snippets: bool,
        rounds: int,
        seconds: float,
        least: float = LEAST,
    ) -> Latency | None:
        """Ask the questions of one class, in turn.

        Args:
            questions: of one class.
            snippets: with them or without.
            rounds: how many times each question is asked at least.
            seconds: no further round is begun after so long.
            least: rounds go on for so many seconds.

        Returns:
            None where the peer cannot answer them.
        """
        latency: Latency | None = self._call(
            "ask", questions, rounds=rounds, seconds=seconds, least=least, snippets=snippets
        )
        return latency

    def close(self) -> None:
        """End the process."""
        if self._process.is_alive():
            self._connection.send(("close", (), {}))
        self._process.join(30)
        if self._process.is_alive():
            self._process.kill()
        self._connection.close()

    def _watch(self, command: str, tick: Tick) -> tuple[float, int]:
        """Run a long command; return its seconds and the peak of the memory in bytes."""
        self._send(command)
        value, peak = watch(self._connection, self._process.pid or 0, tick)
        seconds, own_peak = value
        return seconds, peak or own_peak

    def _send(self, command: str, *arguments: object, **options: object) -> None:
        try:
            self._connection.send((command, arguments, options))
        except OSError:
            raise PeerError("the process is gone") from None

    def _call(self, command: str, *arguments: object, **options: object) -> Any:
        self._send(command, *arguments, **options)
        return receive(self._connection)[1]


def _record(directory: Path) -> Path:
    return directory.with_suffix(".json")


def reusable(system: str, directory: Path) -> bool:
    """Whether an earlier run left a whole index there, made in the same way."""
    record = _record(directory)
    if not record.exists():
        return False
    return bool(json.loads(record.read_text("utf-8")).get("stamp") == stamp(system))


def clear(directory: Path) -> None:
    """Take away what an earlier run left of an index."""
    _record(directory).unlink(missing_ok=True)
    rmtree(directory, ignore_errors=True)


def serve(connection: Connection, system: str, corpus: Corpus, directory: Path) -> None:
    """What runs in the process: answer commands until told to close."""
    host: _Host | None = None
    while True:
        try:
            command, arguments, options = connection.recv()
        except EOFError:
            return
        if command == "close":
            if host is not None:
                host.peer.close()
            return
        try:
            host = host or _Host(make(system, directory), connection, corpus, directory)
            answer = getattr(host, command)(*arguments, **options)
        except Exception:  # noqa: BLE001 - whatever a peer raises is for the other side to say
            connection.send(("failed", traceback.format_exc()))
        else:
            connection.send(("done", answer))


@dataclass(slots=True)
class _Host:
    """The commands, each a method."""

    peer: Peer
    connection: Connection
    corpus: Corpus
    directory: Path

    def keep(self) -> tuple[float, int]:
        return self._timed(self.peer.keep)

    def build(self) -> tuple[float, int]:
        return self._timed(lambda entries: self.peer.build(entries, len(self.corpus)))

    def open(self) -> None:
        self.peer.open()

    def size(self) -> tuple[int, int | None]:
        return size(self.directory), self.peer.texts_size()

    def freshness(self) -> float:
        times: list[float] = []
        for _ in range(FRESH_ROUNDS):
            # A kept index holds those of earlier runs.
            marker = f"fresh{letters(time_ns())}"
            entries = self.corpus.fresh(FRESH, marker)
            question = Question("fresh", Kind.WORD, (marker,))
            started = perf_counter()
            self.peer.add(entries)
            while True:
                ask = self.peer.prepare(question, snippets=False) or self.peer.prepare(
                    question, snippets=True
                )
                if ask is not None and ask():
                    break
                if perf_counter() - started > PATIENCE:
                    raise TimeoutError(f"{marker} is not found")
                sleep(0.001)
            times.append(perf_counter() - started)
        return median(times)

    def ask(
        self,
        questions: Sequence[Question],
        *,
        rounds: int,
        seconds: float,
        least: float,
        snippets: bool,
    ) -> Latency | None:
        prepared = [self.peer.prepare(question, snippets=snippets) for question in questions]
        asks = [ask for ask in prepared if ask is not None]
        if not asks:
            return None
        empty = 0
        first: list[float] = []
        for ask in asks:
            started = perf_counter()
            found = ask()
            first.append(perf_counter() - started)
            empty += not found
        times: list[float] = []
        began = perf_counter()
        for done in count(1):
            for ask in asks:
                started = perf_counter()
                ask()
                times.append(perf_counter() - started)
            passed = perf_counter() - began
            if passed > seconds or (done >= rounds and passed > least):
                break
        times.sort()
        worst = times[min(len(times) - 1, int(len(times) * 0.95))]
        return Latency(median(times) * 1e3, worst * 1e3, median(first) * 1e3, len(times), empty)

    def _timed(self, work: Callable[[Iterator[Entry]], None]) -> tuple[float, int]:
        """Seconds of a work without those of reading the entries, and the process's peak memory."""
        reading = 0.0

        def entries() -> Iterator[Entry]:
            nonlocal reading
            started = perf_counter()
            for number, entry in enumerate(self.corpus):
                if number % EVERY == 0:
                    self.connection.send(("progress", (number, len(self.corpus))))
                reading += perf_counter() - started
                yield entry
                started = perf_counter()

        began = perf_counter()
        work(entries())
        return perf_counter() - began - reading, peak_memory()
