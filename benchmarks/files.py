"""From files to an index that can be searched, as ``searchfeed index`` does it."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter
from traceback import format_exc

from benchmarks.corpus import Tick
from benchmarks.process import peak_memory, watch


@dataclass(frozen=True, slots=True)
class Updated:
    """What one ``Index.update`` took: entries added, seconds, bytes of memory at the peak."""

    entries: int
    seconds: float
    memory: int


def update(folder: Path, index: Path, tick: Tick) -> Updated:
    """Index every feed in ``folder`` into a new index, in a process of its own.

    Raises:
        PeerError: searchfeed raised an error.
    """
    context = multiprocessing.get_context("spawn")
    connection, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, folder, index))
    process.start()
    theirs.close()
    (entries, seconds, own_peak), peak = watch(connection, process.pid or 0, tick)
    process.join()
    connection.close()
    return Updated(entries, seconds, peak or own_peak)


def _serve(connection: Connection, folder: Path, path: Path) -> None:
    from searchfeed import Index

    def progress(_what: str, done: int, total: int) -> None:
        connection.send(("progress", (done, total)))

    started = perf_counter()
    try:
        with Index(path) as index:
            report = index.update([folder], progress=progress)
    except Exception:  # noqa: BLE001 - whatever it is, the other side says it
        connection.send(("failed", format_exc()))
        return
    seconds = perf_counter() - started
    connection.send(("done", (report.added, seconds, peak_memory())))
