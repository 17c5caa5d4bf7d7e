"""Processes of their own: what they say on a connection, and how much memory they take."""

from __future__ import annotations

import resource
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.corpus import Tick

SAMPLE = 0.1
"""Seconds between two looks at the memory."""


class PeerError(Exception):
    """A peer raised an error; it is its traceback."""


def receive(connection: Connection) -> tuple[str, Any]:
    """The next word of a process: ``done`` or ``progress``, and what comes with it.

    Raises:
        PeerError: it raised an error, or is gone.
    """
    try:
        outcome, value = connection.recv()
    except EOFError:
        raise PeerError("the process ended without a word") from None
    if outcome == "failed":
        raise PeerError(value)
    return outcome, value


def watch(connection: Connection, process: int, tick: Tick) -> tuple[Any, int]:
    """Wait until a process is done; return its answer and the peak of its memory in bytes."""
    peak = 0
    while True:
        if not connection.poll(SAMPLE):
            peak = max(peak, memory(process))
            continue
        outcome, value = receive(connection)
        if outcome == "done":
            return value, max(peak, memory(process))
        tick(*value)


def peak_memory() -> int:
    """Bytes at the peak of this process alone."""
    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return usage * (1 if sys.platform == "darwin" else 1024)


def memory(process: int) -> int:
    """Bytes of a process and its descendants, shared pages shared out; 0 where not known."""
    root = Path("/proc") / str(process)
    found = 0
    try:
        for line in (root / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                found = int(line.split()[1]) * 1024
        children = [
            int(child)
            for task in (root / "task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:  # it has just ended, or this is not Linux
        return found
    return found + sum(map(memory, children))
