"""What an index in a cluster costs and how fast it is, beside the one in a directory.

    python -m benchmarks.scale ../shared/feeds/reuters --scale 1,10

It starts a real cluster of three nodes on this machine (see ``cluster.py``), writes the same
archive into both engines through the same door, asks both the same questions in turn, and prints
a table. docs/scale.md says what follows from the figures.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from threading import Event, Thread
from time import perf_counter
from typing import Any

import urllib3

from benchmarks.cluster import Cluster, ClusterError
from benchmarks.corpus import Corpus, parse, read
from benchmarks.peers.engine import size
from benchmarks.peers.ours import keep, text
from benchmarks.questions import Kind, Question, choose
from benchmarks.shown import default_folder
from searchfeed.archive import Archive
from searchfeed.engines import EngineOptions
from searchfeed.errors import SearchfeedError
from searchfeed.index import Index
from searchfeed.models import Facet
from searchfeed.store import ARCHIVE

FRESH = 100
"""New entries that have to be found."""

READERS = 8
READING = 5.0
"""Seconds that so many readers ask as fast as they can."""

REBUILT_UNDER = 2
"""Readers while the index in the cluster is rebuilt."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one engine.

    Attributes:
        rate: entries a second, from the archive until they are found.
        client, servers: seconds of processors that this took for a thousand entries, here and in
            the nodes. What else the machine does hardly changes these.
        fresh: seconds until 100 more entries are found.
        bytes: of the index for each entry, each part counted once.
        middle, worst: milliseconds of a search with snippets: the 50th and the 95th of 100.
        each: the 50th of 100 of each class of questions.
        throughput: searches a second of eight readers.
    """

    rate: float
    client: float
    servers: float
    fresh: float
    bytes: float
    middle: float
    worst: float
    each: dict[str, float]
    throughput: float


def measure(
    folder: Path, corpus: Corpus, cluster: Cluster, rounds: int, say: Callable[[str], None]
) -> None:
    """Measure both engines on one corpus and print the table."""
    folder.mkdir(mode=0o700)
    started = perf_counter()
    with Archive(folder / ARCHIVE) as archive:
        count = keep(archive, corpus)
    storing = count / (perf_counter() - started)
    archive_bytes = size(folder) / count
    name = f"scale-{corpus.scale}"
    options = EngineOptions(f"{','.join(cluster.urls)}/{name}", shards=2, replicas=1)
    indices = {
        "whoosh": Index(folder),
        "opensearch": Index(folder, engine="opensearch", options=options),
    }
    questions = choose(read(corpus.file))
    built: dict[str, tuple[float, float, float]] = {}
    for engine, index in indices.items():
        say(f"{count:,} entries into {engine}")
        started, here, there = perf_counter(), _worked_here(), _worked(cluster)
        index.rebuild()
        client, servers = _worked_here() - here, _worked(cluster) - there
        rate = count / (perf_counter() - started)
        built[engine] = (rate, client * 1000 / count, servers * 1000 / count)
        say(f"{rate:,.0f} a second; processor seconds: {client:.0f} here, {servers:.0f} in nodes")
    cluster.wait("green", nodes=len(cluster.nodes))
    taken = _bytes(cluster, name)
    say(f"{taken} bytes in the cluster, {archive_bytes * count:.0f} in the archive")
    sizes = {"whoosh": size(folder / "whoosh") / count, "opensearch": taken["entries"] / count}
    say("questions")
    asked = _asked(indices, questions, rounds)
    found: dict[str, Figures] = {}
    for engine, index in indices.items():
        say(f"{READERS} readers of {engine}")
        # What the other engine was made to find comes into this one before the clock runs.
        index.search("ready")
        throughput = _throughput(index, questions)
        fresh = _fresh(index, corpus, engine)
        milliseconds = sorted(each for group in asked[engine].values() for each in group)
        found[engine] = Figures(
            *built[engine],
            fresh,
            sizes[engine],
            _share(milliseconds, 0.5),
            _share(milliseconds, 0.95),
            {group: _share(sorted(each), 0.5) for group, each in asked[engine].items()},
            throughput,
        )
    say("a rebuild, while others search")
    _print(count, storing, archive_bytes, taken, found)
    _rebuild_under_load(indices["opensearch"], options, questions)
    for index in indices.values():
        index.close()


def _asked(
    indices: dict[str, Index], questions: Sequence[Question], rounds: int
) -> dict[str, dict[str, list[float]]]:
    """By engine and class of questions the milliseconds that each answer took.

    The engines are asked in turn, so that what else the machine does falls on both.
    """
    found: dict[str, dict[str, list[float]]] = {engine: {} for engine in indices}
    for turn in range(rounds + 1):
        for question in questions:
            for engine, index in indices.items():
                started = perf_counter()
                _ask(index, question)
                # The first round warms both up: files come into memory, code is compiled.
                if turn:
                    took = (perf_counter() - started) * 1e3
                    found[engine].setdefault(question.group, []).append(took)
    return found


def _ask(index: Index, question: Question) -> None:
    if question.kind is Kind.MONTHS:
        index.facets(text(question), [Facet.MONTH])
    else:
        sort = "-date" if question.kind is Kind.NEWEST else "relevance"
        index.search(text(question), sort=sort)


def _throughput(index: Index, questions: Sequence[Question]) -> float:
    """Searches a second of several readers at once."""
    done = [0] * READERS
    end = perf_counter() + READING

    def read_on(number: int) -> None:
        at = number * len(questions) // READERS
        while perf_counter() < end:
            _ask(index, questions[at % len(questions)])
            at += 1
            done[number] += 1

    readers = [Thread(target=read_on, args=(number,)) for number in range(READERS)]
    started = perf_counter()
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    return sum(done) / (perf_counter() - started)


def _rebuild_under_load(
    index: Index, options: EngineOptions, questions: Sequence[Question]
) -> None:
    """Rebuild while clients with no archive search, and print what became of their searches."""
    ended = Event()
    waits: list[float] = []
    failed: list[str] = []

    def read_on(number: int) -> None:
        with Index(index.path / f"none{number}", engine="opensearch", options=options) as reader:
            for question in cycle(questions[number:]):
                if ended.is_set():
                    return
                started = perf_counter()
                try:
                    _ask(reader, question)
                except SearchfeedError as error:
                    failed.append(str(error))
                waits.append(perf_counter() - started)

    readers = [Thread(target=read_on, args=(number,)) for number in range(REBUILT_UNDER)]
    started = perf_counter()
    for reader in readers:
        reader.start()
    try:
        count = index.rebuild()
    finally:
        took = perf_counter() - started
        ended.set()
        for reader in readers:
            reader.join()
    waits.sort()
    print(
        f"rebuilt under {REBUILT_UNDER} readers: {count / took:,.0f} entries a second; "
        f"{len(waits)} searches, {len(failed)} failed, "
        f"p50 {_share(waits, 0.5) * 1e3:,.0f} ms, longest {waits[-1]:.1f} s {failed[:1] or ''}",
        flush=True,
    )


def _fresh(index: Index, corpus: Corpus, marker: str) -> float:
    """Seconds from new entries in the archive until a search has found all of them."""
    word = f"fresh{marker}"
    with Archive(index.path / ARCHIVE) as archive:
        keep(archive, corpus.fresh(FRESH, word))
    started = perf_counter()
    # A search brings an index that is behind its archive up to date.
    found = index.search(word, dedupe=False).total
    if found != FRESH:
        raise ClusterError(f"{found} of {FRESH} new entries are found by {marker}")
    return perf_counter() - started


def _worked_here() -> float:
    """Seconds of processors that this process has taken so far, and those that it had started."""
    return sum(os.times()[:4])


def _worked(cluster: Cluster) -> float:
    """Seconds of processors that the nodes have taken so far."""
    ticks = 0
    for node in cluster.nodes:
        if node.process is not None:
            status = Path(f"/proc/{node.process.pid}/stat").read_text("ascii")
            # After the name in brackets, which may hold anything, the 12th and 13th are these.
            ticks += sum(map(int, status.rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _bytes(cluster: Cluster, name: str) -> dict[str, float]:
    """What the indices of a name take: entries and terms once, and everything with its copies."""
    http = urllib3.PoolManager()
    answer = http.request("GET", f"{cluster.urls[0]}/{name}-*/_stats/store")
    stats: dict[str, Any] = answer.json()
    taken = {"entries": 0.0, "terms": 0.0, "all": stats["_all"]["total"]["store"]["size_in_bytes"]}
    for index, each in stats["indices"].items():
        part = "terms" if index.startswith(f"{name}-terms") else "entries"
        taken[part] += each["primaries"]["store"]["size_in_bytes"]
    return taken


def _share(values: Sequence[float], share: float) -> float:
    return values[min(len(values) - 1, int(len(values) * share))]


def _print(
    count: int,
    storing: float,
    archive_bytes: float,
    taken: dict[str, float],
    found: dict[str, Figures],
) -> None:
    whoosh, opensearch = found["whoosh"], found["opensearch"]
    rows: list[tuple[str, float, float]] = [
        ("entries a second, indexed", whoosh.rate, opensearch.rate),
        ("client's processor seconds per 1,000", whoosh.client, opensearch.client),
        ("nodes' processor seconds per 1,000", whoosh.servers, opensearch.servers),
        (f"seconds until {FRESH} new ones are found", whoosh.fresh, opensearch.fresh),
        ("bytes an entry, index", whoosh.bytes, opensearch.bytes),
        ("ms of a search, p50", whoosh.middle, opensearch.middle),
        ("ms of a search, p95", whoosh.worst, opensearch.worst),
        (f"searches a second, {READERS} readers", whoosh.throughput, opensearch.throughput),
    ]
    rows += [
        (f"  {group}, p50", whoosh.each[group], opensearch.each[group]) for group in whoosh.each
    ]
    print(f"\n{count:,} entries")
    print(f"{'':42}{'whoosh':>12}{'opensearch':>12}")
    for label, *values in rows:
        print(f"{label:42}" + "".join(f"{_figure(value):>12}" for value in values))
    print(f"archive: {storing:,.0f} entries a second stored, {archive_bytes:,.0f} bytes an entry")
    print(
        f"cluster: {taken['entries'] / count:,.0f} bytes an entry, "
        f"{taken['terms'] / count:,.0f} of terms for each, "
        f"{taken['all'] / count:,.0f} in all with one replica",
        flush=True,
    )


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 10 else f"{value:.2f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the measurements; 2 where there is no cluster to be had."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale", description="Measure an index in a cluster."
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=default_folder(), help="feeds, as files"
    )
    parser.add_argument("--scale", default="1,10", help="how many times the texts (default 1,10)")
    parser.add_argument("--rounds", type=int, default=3, help="times that each question is asked")
    parser.add_argument("--heap", type=int, default=512, help="megabytes of each node's heap")
    chosen = parser.parse_args(arguments)

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="searchfeed-scale-") as name:
        folder = Path(name)
        file = folder / "texts"
        parsed = parse(
            chosen.folder, file, lambda done, total: say(f"{done} of {total} files read")
        )
        try:
            with Cluster(3, heap=chosen.heap, lasting=True) as cluster:
                for times in map(int, chosen.scale.split(",")):
                    place = folder / f"{times}"
                    corpus = Corpus(file, parsed.entries, times)
                    measure(place, corpus, cluster, chosen.rounds, say)
        except ClusterError as error:
            print(error, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
