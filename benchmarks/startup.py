"""What a whole process costs: the command as it is typed, against importing its libraries alone."""

from __future__ import annotations

import compileall
import os
import pty
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Thread
from time import perf_counter

import searchfeed

REFERENCE_NAME = "imports"
REFERENCE = (sys.executable, "-c", "import whoosh.index, rich.console")
PACKAGE = str(Path(searchfeed.__file__).parent)
SEARCH = (sys.executable, "-m", "searchfeed", "search")


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of one process, the medians of many: of all its processors, and of waiting."""

    cpu: float
    wall: float


def measure(index: Path, word: str, rounds: int) -> dict[str, Cost]:
    """Run each command in turn, many times.

    Returns:
        ``imports`` (the reference: Whoosh and rich, and nothing else), ``terminal`` (a search),
        ``pipe`` (the same with ``--json``) and ``python`` (which does nothing at all).
    """
    # As pip does with what it installs, which a checkout may be without.
    compileall.compile_dir(PACKAGE, quiet=2)
    environment = {
        **os.environ,
        "SEARCHFEED_INDEX": str(index),
        "TERM": "xterm-256color",
        "COLUMNS": "100",
    }
    environment.pop("NO_COLOR", None)
    kinds: dict[str, tuple[Sequence[str], bool]] = {
        REFERENCE_NAME: (REFERENCE, False),
        "terminal": ((*SEARCH, word), True),
        "pipe": ((*SEARCH, "--json", word), False),
        "python": ((sys.executable, "-c", "pass"), False),
    }
    costs: dict[str, list[Cost]] = {name: [] for name in kinds}
    for _ in range(rounds + 1):
        for name, (command, terminal) in kinds.items():
            costs[name].append(_run(command, environment, terminal=terminal))
    # The first of each fills the caches of the disk.
    return {
        name: Cost(median(each.cpu for each in found[1:]), median(each.wall for each in found[1:]))
        for name, found in costs.items()
    }


def _run(command: Sequence[str], environment: Mapping[str, str], *, terminal: bool) -> Cost:
    ours, theirs = pty.openpty() if terminal else os.pipe()
    started = perf_counter()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.DEVNULL, env=environment
    )
    os.close(theirs)
    reader = Thread(target=_drain, args=(ours,))
    reader.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    reader.join()
    os.close(ours)
    if process.returncode not in (0, 1):
        raise subprocess.CalledProcessError(process.returncode, command)
    return Cost((usage.ru_utime + usage.ru_stime) * 1000, wall * 1000)


def _drain(descriptor: int) -> None:
    try:
        while os.read(descriptor, 65_536):
            pass
    except OSError:  # a terminal whose other end is closed says so
        pass
