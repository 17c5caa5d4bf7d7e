"""The lock that lets one writer at a time into an index."""

from __future__ import annotations

import fcntl
import json
import os
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType

from searchfeed.errors import ArchiveError, IndexLockedError
from searchfeed.values import dataclass

PAUSE = 0.05
"""Seconds between two attempts."""

NOTICE = 1.0
"""Seconds of waiting after which it is told for whom: most writers are done before."""

_LENGTH = 1_000
_COMMAND = re.compile("[a-z][a-z-]*")
_TAKING_VALUES = ("--index", "--color")
"""Options of the program that may stand before its command."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock.

    Attributes:
        pid: the number of the process; 0 where it has not said so yet.
        command: the program, and what it was asked for: ``searchfeed index``.
        since: since when it has held the lock, aware UTC; None where it has not said so yet.
    """

    pid: int = 0
    command: str = ""
    since: datetime | None = None

    def __str__(self) -> str:
        if not self.pid:
            return "another process"
        name = f"process {self.pid} ({self.command})" if self.command else f"process {self.pid}"
        if self.since is None:
            return name
        since = self.since.astimezone()
        # The day is of no use but to somebody who waits for what was begun on another one.
        today = since.date() == datetime.now(UTC).astimezone().date()
        return f"{name}, since {since:{'%H:%M:%S' if today else '%Y-%m-%d %H:%M'}}"


Waiting = Callable[[Holder], None]
"""Called once by a writer that has to wait, with the one that it waits for."""


class WriteLock:
    """A lock on a file, held inside a ``with`` block, across threads and processes.

    The kernel gives it back when its holder dies, however it dies. The file tells who holds it.

    Args:
        path: the file, which is made if there is none.
        patience: seconds to wait for somebody else who holds it.
        waiting: called once if that takes longer than a moment.

    Raises:
        IndexLockedError: somebody else still holds it after ``patience`` seconds.
        ArchiveError: the file cannot be made or written.
    """

    def __init__(self, path: Path, patience: float, waiting: Waiting | None = None) -> None:
        self._path = path
        self._patience = patience
        self._waiting = waiting
        self._file = -1

    def __enter__(self) -> None:
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ArchiveError(
                f"{self._path.parent} cannot be written: {error.strerror or error}"
            ) from error
        try:
            self._wait()
            self._sign()
        except BaseException:
            os.close(self._file)
            raise

    def _wait(self) -> None:
        start = monotonic()
        told = self._waiting is None
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waited = monotonic() - start
                if waited >= self._patience:
                    raise IndexLockedError(
                        f"{self._path.parent} is being written by {self._holder()}; "
                        f"waited {self._patience:.0f} s for it"
                    ) from None
                if not told and self._waiting is not None and waited >= NOTICE:
                    told = True
                    self._waiting(self._holder())
                sleep(PAUSE)
            else:
                return

    def _sign(self) -> None:
        told = {"pid": os.getpid(), "command": _command(), "since": datetime.now(UTC).isoformat()}
        try:
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, f"{json.dumps(told)}\n".encode(), 0)
        except OSError:
            # On a full disk it is not known who writes, but the lock holds all the same.
            return

    def _holder(self) -> Holder:
        try:
            told = json.loads(os.pread(self._file, _LENGTH, 0))
            return Holder(
                int(told["pid"]), str(told["command"]), datetime.fromisoformat(told["since"])
            )
        except (ValueError, TypeError, KeyError, RecursionError):
            return Holder()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._file)


def _command() -> str:
    """The program that runs, with the name of its command where it is ours.

    Other arguments are left out: they may hold passwords, and the file is read by others.
    """
    program = Path(sys.argv[0]) if sys.argv and sys.argv[0] else Path("python")
    if program.name == "__main__.py":
        program = program.parent
    if program.name != "searchfeed":
        return program.name
    for before, word in pairwise(sys.argv):
        if _COMMAND.fullmatch(word) and before not in _TAKING_VALUES:
            return f"{program.name} {word}"
    return program.name


__all__ = ("Holder", "Waiting", "WriteLock")
