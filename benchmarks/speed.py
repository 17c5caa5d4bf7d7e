"""How fast it is, side by side: indexing, searching, memory, disk and start-up.

    python -m benchmarks.speed ../shared/feeds/reuters --scale 1,10
    python -m benchmarks.speed --scale 1 --systems ours,fts5 --rounds 5 --parts queries

README.md says what is measured and how to read it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import plot, report
from benchmarks.bench import PARTS, Bench, Plan
from benchmarks.peers.engine import PEERS, installed
from benchmarks.record import Record
from benchmarks.shown import RESULTS, consoles, default_folder, write


def draw(record: Record) -> str:
    """The plot: medians without snippets at the largest scale, reader's with them."""
    scale = record.scales[max(record.scales)]
    called = {name: peer.label for name, peer in PEERS.items()} | {"ours": "searchfeed"}
    rows: dict[str, dict[str, float]] = {}
    for group, row in scale.bare.items():
        found = {called[name]: latency.median for name, latency in row.items()}
        for name, latency in scale.snippets.get(group, {}).items():
            if not PEERS[name].bare:
                found[called[name]] = latency.median
        rows[group] = found
    labels = [label for label in called.values() if any(label in row for row in rows.values())]
    title = f"The first ten hits among {scale.entries:,} entries"
    return plot.dots(title, "milliseconds", rows, labels)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed", description="Measure speed, side by side with peers."
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=default_folder(), help="feeds, as files"
    )
    parser.add_argument("--scale", default="1,10", help="how many times the texts (default 1,10)")
    parser.add_argument("--systems", default="", help=f"some of: {', '.join(PEERS)}")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"some of: {', '.join(PARTS)}")
    parser.add_argument(
        "--rounds", type=int, default=20, help="times that a question is asked at least"
    )
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="of one class and system, at most (default 2)"
    )
    parser.add_argument("--word", default="oil", help="what the whole processes search for")
    parser.add_argument(
        "--keep", type=Path, help="a directory in which peers' indexes stay for the next run"
    )
    parser.add_argument("--output", type=Path, default=RESULTS, help="for the JSON and the plot")
    return parser


def _chosen(text: str, known: Sequence[str], what: str) -> list[str]:
    chosen = [name.strip() for name in text.split(",") if name.strip()]
    for name in chosen:
        if name not in known:
            sys.exit(f"no {what} {name!r} here; there are: {', '.join(known)}")
    return chosen


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, show the tables, write the JSON and the plot."""
    options = _options().parse_args(arguments)
    if not options.folder.is_dir():
        sys.exit(f"{options.folder} is not a folder")
    console, talk = consoles()
    for name, peer in PEERS.items():
        if name not in installed():
            talk.print(f"{peer.label} is left out: {peer.distribution} is not installed")
    with tempfile.TemporaryDirectory(prefix="searchfeed-speed-") as temporary:
        work = options.keep or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        plan = Plan(
            options.folder,
            _chosen(options.parts, PARTS, "part"),
            sorted({int(scale) for scale in options.scale.split(",")}),
            _chosen(options.systems, installed(), "system"),
            options.rounds,
            options.seconds,
            options.word,
            work.resolve(),
        )
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=talk,
            transient=True,
        ) as progress:
            bench = Bench(plan, progress)
            bench.run()
    for table in report.tables(bench.record):
        console.print(table)
    write(asdict(bench.record), options.output / "speed.json", talk)
    if bench.record.scales:
        drawn = options.output / "speed.svg"
        drawn.write_text(draw(bench.record), "utf-8")
        talk.print(f"written to {drawn}")
    if bench.record.failures:
        sys.exit(1)


if __name__ == "__main__":
    main()
