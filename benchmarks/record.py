"""Everything that one run of the speed benchmark measured, and what was promised of it."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.corpus import Parsed
from benchmarks.files import Updated
from benchmarks.peers.engine import PEERS
from benchmarks.startup import REFERENCE_NAME, Cost
from benchmarks.worker import Built, Latency

Latencies = dict[str, dict[str, Latency]]
"""Class of questions → system → how long it took; a system that cannot answer is missing."""


@dataclass(slots=True)
class Scale:
    """The measurements at one size of the corpus; each by the name of the system."""

    entries: int
    built: dict[str, Built] = field(default_factory=dict)
    fresh: dict[str, float] = field(default_factory=dict)
    bare: Latencies = field(default_factory=dict)
    snippets: Latencies = field(default_factory=dict)


@dataclass(slots=True)
class Record:
    """One run.

    Attributes:
        scales: times the corpus → what was measured then.
        parsed, updated: reading and cleaning the files alone, and the whole update from them.
        startup: command → what a process of it costs.
        failures: what a peer was doing → its traceback.
    """

    measured: str
    folder: str
    machine: dict[str, str]
    versions: dict[str, str]
    scales: dict[int, Scale] = field(default_factory=dict)
    parsed: Parsed | None = None
    updated: Updated | None = None
    startup: dict[str, Cost] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Promise:
    """What the project promises: ``value`` has to be at most (at least) ``must``.

    Attributes:
        value: None where this run did not measure it.
        least: whether more is better.
    """

    name: str
    value: float | None
    must: float
    aim: float
    unit: str = ""
    least: bool = False

    def reaches(self, bound: float) -> bool | None:
        """Whether the value is on the right side of a bound."""
        if self.value is None:
            return None
        return self.value >= bound if self.least else self.value <= bound


def promises(record: Record) -> Iterator[Promise]:
    """Every promise, at the largest scale at which it was measured."""

    def at_largest(measure: Callable[[Scale], float | None]) -> float | None:
        for scale in sorted(record.scales, reverse=True):
            if (value := measure(record.scales[scale])) is not None:
                return value
        return None

    def rate(peer: str) -> float | None:
        return at_largest(
            lambda scale: ratio(scale.built, peer, "ours", lambda built: built.seconds)
        )

    def slowest(peer: str) -> float | None:
        return at_largest(lambda scale: worst_ratio(scale, peer))

    yield Promise("indexing rate, ours : Whoosh", rate("whoosh"), 10, 25, least=True)
    yield Promise("indexing rate, ours : FTS5", rate("fts5"), 0.3, 0.8, least=True)
    whole = (
        record.updated.seconds / record.parsed.seconds
        if record.updated and record.parsed and record.parsed.seconds
        else None
    )
    yield Promise("end to end from files : parse and clean", whole, 1.3, 0.7)
    yield Promise("worst class of questions, ours : Whoosh", slowest("whoosh"), 1 / 20, 1 / 100)
    yield Promise("worst class of questions, ours : FTS5", slowest("fts5"), 1 / 3, 1 / 20)
    yield Promise("worst class of questions, ours : Tantivy", slowest("tantivy"), 5, 1.5)
    yield Promise("ten hits with snippets, worst class", at_largest(_snippets), 10, 4, "ms")
    yield Promise(
        "100 new entries until found", at_largest(lambda s: s.fresh.get("ours")), 1, 0.2, "s"
    )
    size = at_largest(lambda s: ratio(s.built, "ours", "fts5", index_size))
    yield Promise("index size without texts, ours : FTS5", size, 1.0, 0.6)
    yield Promise("growth of latency : growth of corpus", _growth(record), 1.0, 0.5)
    reference = record.startup.get(REFERENCE_NAME)
    for kind, must, aim in (("terminal", 1.5, 0.8), ("pipe", 1.0, 0.5)):
        cost = record.startup.get(kind)
        share = cost.cpu / reference.cpu if cost and reference else None
        yield Promise(f"processor time of a search, {kind} : imports", share, must, aim)
    memory = at_largest(lambda s: s.built["ours"].memory / 1e6 if "ours" in s.built else None)
    yield Promise("peak memory of indexing", memory, 1000, 400, "MB")


def ratio(
    found: dict[str, Built], above: str, below: str, measure: Callable[[Built], float]
) -> float | None:
    """One system's figure divided by another's; None where one is missing or 0."""
    if above not in found or below not in found or not measure(found[below]):
        return None
    return measure(found[above]) / measure(found[below])


def index_size(built: Built) -> float:
    """Bytes of the index without the texts, where these can be told apart."""
    return float(built.size - (built.texts_size or 0))


def worst_ratio(scale: Scale, peer: str) -> float | None:
    """Ours : the peer, in the class where that is worst for us."""
    shares = [
        row["ours"].median / row[peer].median
        for row in scale.bare.values()
        if "ours" in row and peer in row and row[peer].median
    ]
    return max(shares, default=None)


def _snippets(scale: Scale) -> float | None:
    times = [row["ours"].median for row in scale.snippets.values() if "ours" in row]
    return max(times, default=None)


def _growth(record: Record) -> float | None:
    """How many times slower the largest corpus is than the next smaller, for each time larger.

    Of the class where it is worst; 1 is linear growth.
    """
    if len(record.scales) < 2:
        return None
    before, after = sorted(record.scales)[-2:]
    small, large = record.scales[before], record.scales[after]
    grown = [
        large.bare[group]["ours"].median / row["ours"].median / (after / before)
        for group, row in small.bare.items()
        if "ours" in row and "ours" in large.bare.get(group, {})
    ]
    return max(grown, default=None)


def machine() -> dict[str, str]:
    """What this was measured on."""
    found = {
        "system": platform.platform(),
        "processors": str(os.cpu_count()),
        "python": platform.python_version(),
    }
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                found["processor"] = line.partition(":")[2].strip()
                break
    except OSError:  # not Linux
        found["processor"] = platform.processor()
    return found


def versions() -> dict[str, str]:
    """Distribution → version, of every peer that is installed."""
    found = {"sqlite": sqlite3.sqlite_version}
    for peer in PEERS.values():
        try:
            found[peer.distribution] = version(peer.distribution)
        except (PackageNotFoundError, ValueError):
            continue
    return found
