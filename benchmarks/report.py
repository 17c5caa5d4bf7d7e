"""A run of the speed benchmark as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from benchmarks.peers.engine import PEERS
from benchmarks.record import Latencies, Promise, Record, Scale, promises


def tables(record: Record) -> Iterator[Table]:
    """Every table that this run has figures for."""
    for times, scale in sorted(record.scales.items()):
        corpus = f"×{times}, {scale.entries:,} entries"
        yield _latencies(f"Milliseconds of the first ten hits, {corpus}", scale.bare)
        yield _latencies(f"Milliseconds with snippets, {corpus}", scale.snippets)
        yield _built(f"Indexing, {corpus}", scale)
    if record.parsed or record.startup:
        yield _processes(record)
    yield _promises(list(promises(record)))


def _latencies(title: str, rows: Latencies) -> Table:
    """Each system's median, and how many times ours that is."""
    systems = [name for name in PEERS if any(name in row for row in rows.values())]
    table = _table(title, "questions", [PEERS[name].label for name in systems])
    for group, row in rows.items():
        ours = row["ours"].median if "ours" in row else None
        best = min((latency.median for latency in row.values()), default=0.0)
        cells = []
        for name in systems:
            if name not in row:
                cells.append("[dim]—[/]")
                continue
            median = row[name].median
            cell = f"{_figures(median)}{'?' if row[name].empty else ''}"
            if median == best:
                cell = f"[bold green]{cell}[/]"
            if ours and name != "ours":
                cell += f" [dim]{_times(median / ours):>5}[/]"
            cells.append(cell)
        table.add_row(group, *cells)
    table.caption = "× of ours; ? it found nothing for some of the questions"
    return table


def _built(title: str, scale: Scale) -> Table:
    table = _table(title, "", [PEERS[name].label for name in scale.built])
    built = scale.built.values()
    count = scale.entries

    def row(label: str, cells: Sequence[str]) -> None:
        table.add_row(label, *cells)

    row("entries a second, index", [f"{count / each.seconds:,.0f}" for each in built])
    row(
        "entries a second, index and texts",
        [f"{count / (each.seconds + each.texts_seconds):,.0f}" for each in built],
    )
    row(
        "MB of the index",
        [
            "—" if each.texts_size is None else f"{(each.size - each.texts_size) / 1e6:,.1f}"
            for each in built
        ],
    )
    row("MB with the texts", [f"{each.size / 1e6:,.1f}" for each in built])
    row("MB of memory at the peak", [f"{each.memory / 1e6:,.0f}" for each in built])
    fresh = [scale.fresh.get(name) for name in scale.built]
    row(
        "ms until 100 new entries are found",
        ["—" if each is None else f"{each * 1000:,.0f}" for each in fresh],
    )
    if any(each.reused for each in built):
        row("indexed in an earlier run", ["yes" if each.reused else "" for each in built])
    return table


def _processes(record: Record) -> Table:
    table = _table("Whole processes", "", ["processor ms", "ms", "entries a second", "peak MB"])
    if parsed := record.parsed:
        table.add_row(
            "parse and clean alone",
            "",
            f"{parsed.seconds * 1000:,.0f}",
            f"{parsed.entries / parsed.seconds:,.0f}",
            "",
        )
    if updated := record.updated:
        table.add_row(
            "Index.update from the files",
            "",
            f"{updated.seconds * 1000:,.0f}",
            f"{updated.entries / updated.seconds:,.0f}",
            f"{updated.memory / 1e6:,.0f}",
        )
    labels = {
        "imports": "import whoosh.index, rich.console",
        "terminal": "searchfeed search, in a terminal",
        "pipe": "searchfeed search --json, into a pipe",
        "python": "python -c pass",
    }
    for kind, cost in record.startup.items():
        table.add_row(labels[kind], f"{cost.cpu:,.0f}", f"{cost.wall:,.0f}", "", "")
    return table


def _promises(found: Sequence[Promise]) -> Table:
    table = _table("Promises, at the largest scale measured", "", ["value", "must", "aim", ""])
    for promise in found:
        if promise.value is None:
            table.add_row(promise.name, "[dim]—[/]", *_bounds(promise), "")
            continue
        verdict = (
            "[bold green]aim reached[/]" if promise.reaches(promise.aim)
            else "[green]kept[/]" if promise.reaches(promise.must)
            else "[bold red]missed[/]"
        )  # fmt: skip
        value = f"{_figures(promise.value)} {promise.unit}".strip()
        table.add_row(promise.name, value, *_bounds(promise), verdict)
    return table


def _bounds(promise: Promise) -> list[str]:
    sign = "≥" if promise.least else "≤"
    return [
        f"{sign} {_figures(bound)} {promise.unit}".strip() for bound in (promise.must, promise.aim)
    ]


def _table(title: str, first: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, box=SIMPLE_HEAD)
    table.add_column(first, no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _figures(value: float) -> str:
    """Three figures that say something, and never an exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def _times(share: float) -> str:
    return f"×{share:,.0f}" if share >= 10 else f"×{share:.1f}" if share >= 1 else f"×{share:.2f}"
