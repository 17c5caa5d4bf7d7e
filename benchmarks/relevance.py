"""How well the first page answers, side by side: nDCG@10 on judged collections.

    python -m benchmarks.relevance ../shared/ir --systems ours,bm25s --queries 200

Every system gets the plain text of every query and answers with its default settings; README.md
says what these are.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter

from rich.box import SIMPLE_HEAD
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import judged
from benchmarks.peers.rankers import RANKERS, Bm25sBare, installed
from benchmarks.shown import RESULTS, ROOT, consoles, write

DEFAULT_FOLDER = ROOT.parent / "shared" / "ir"
DEFAULT_OUTPUT = RESULTS / "relevance.json"

EQUAL = 5e-5
"""Means that differ by less look the same in the table, and are marked alike."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One system on one collection.

    Attributes:
        ndcg: the mean over the queries, from 0 to 1.
        milliseconds: of a query, the mean.
        indexing: seconds to index the collection.
        scores: nDCG@10 of each query, by its id.
    """

    system: str
    collection: str
    ndcg: float
    milliseconds: float
    indexing: float
    scores: dict[str, float]


def measure(system: str, collection: judged.Collection, tick: Callable[[], object]) -> Outcome:
    """Index a collection and ask every query; ``tick`` is called after each."""
    ranker = RANKERS[system][2]()
    started = perf_counter()
    ranker.fill(collection.entries, collection.language)
    indexing = perf_counter() - started
    answers: dict[str, list[str]] = {}
    elapsed = 0.0
    for id, text in collection.queries:
        started = perf_counter()
        answers[id] = ranker.best(text, judged.DEPTH)
        elapsed += perf_counter() - started
        tick()
    ranker.close()
    scores = collection.score(answers)
    count = max(1, len(collection.queries))
    return Outcome(
        system,
        collection.name,
        sum(scores.values()) / count,
        elapsed / count * 1000,
        indexing,
        scores,
    )


def run(
    folders: Sequence[Path], systems: Sequence[str], most_queries: int | None, progress: Progress
) -> list[Outcome]:
    """Every system on every collection, in the order of the table."""
    outcomes: list[Outcome] = []
    whole = progress.add_task("collections", total=len(folders))
    for folder in folders:
        collection = judged.load(folder, most_queries=most_queries)
        for system in systems:
            if system == "bm25s-bare" and not Bm25sBare.differs(
                collection.entries, collection.language
            ):
                continue
            label = f"{collection.name}: {RANKERS[system][0]}"
            task = progress.add_task(label, total=len(collection.queries))
            outcomes.append(measure(system, collection, partial(progress.advance, task)))
            progress.remove_task(task)
        progress.advance(whole)
    return outcomes


def tables(outcomes: Sequence[Outcome], systems: Sequence[str]) -> list[Table]:
    """nDCG@10 with the best of each row marked, and what a query and the indexing took."""
    quality = Table(title=f"nDCG@{judged.DEPTH} (* the best of its row)", box=SIMPLE_HEAD)
    time = Table(title="milliseconds a query / seconds of indexing", box=SIMPLE_HEAD)
    systems = [name for name in systems if any(each.system == name for each in outcomes)]
    for table in (quality, time):
        table.add_column("collection", no_wrap=True)
        for name in systems:
            table.add_column(RANKERS[name][0], justify="right", no_wrap=True)
    quality.add_column("ours - best peer", justify="right")
    for collection in dict.fromkeys(each.collection for each in outcomes):
        row = {each.system: each for each in outcomes if each.collection == collection}
        best = max(each.ndcg for each in row.values())
        peers = [each.ndcg for each in row.values() if each.system != "ours"]
        quality.add_row(
            collection,
            *(
                ""
                if name not in row
                else f"[bold green]{row[name].ndcg:.4f}*[/]"
                if row[name].ndcg > best - EQUAL
                else f"{row[name].ndcg:.4f} "
                for name in systems
            ),
            f"{row['ours'].ndcg - max(peers):+.4f}" if "ours" in row and peers else "",
        )
        time.add_row(
            collection,
            *(
                f"{row[name].milliseconds:.2f} /{row[name].indexing:5.1f}" if name in row else ""
                for name in systems
            ),
        )
    return [quality, time]


def versions() -> dict[str, str]:
    """What was measured with what: package → version."""
    found = {"python": platform.python_version()}
    for package in ("searchfeed", "Whoosh", "bm25s", "PyStemmer", "ir-measures", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def names(wanted: str | None, known: Sequence[str], what: str) -> list[str]:
    """The names of a comma-separated option, all known ones by default."""
    if wanted is None:
        return list(known)
    chosen = [name.strip() for name in wanted.split(",") if name.strip()]
    for name in chosen:
        if name not in known:
            sys.exit(f"no {what} {name!r} here; there are: {', '.join(known)}")
    return chosen


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, show the tables, write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.relevance", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT_FOLDER)
    parser.add_argument("--systems", help=f"some of: {', '.join(RANKERS)}")
    parser.add_argument("--collections", help="names of folders in FOLDER")
    parser.add_argument("--queries", type=int, help="only the first so many of each collection")
    parser.add_argument("--output", type=Path, default=DEFAULT_OUTPUT)
    options = parser.parse_args(arguments)

    found = {
        path.name: path for path in sorted(options.folder.glob("*")) if judged.is_collection(path)
    }
    if not found:
        sys.exit(f"no judged collection in {options.folder}; see benchmarks/README.md")
    systems = names(options.systems, installed(), "system")
    folders = [found[name] for name in names(options.collections, list(found), "collection")]
    console, talk = consoles()
    for name, (label, package, _) in RANKERS.items():
        if name not in installed():
            talk.print(f"{label} is left out: the package {package} is not installed")
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=talk,
        transient=True,
    ) as progress:
        outcomes = run(folders, systems, options.queries, progress)
    for table in tables(outcomes, systems):
        console.print(table)
    record = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "measure": str(judged.MEASURE),
        "outcomes": [asdict(outcome) for outcome in outcomes],
    }
    write(record, options.output, talk)


if __name__ == "__main__":
    main()
