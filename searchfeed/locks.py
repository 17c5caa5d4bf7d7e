"""The lock that lets one writer at a time into an index."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType

from searchfeed.errors import IndexLockedError

PAUSE = 0.05
"""Seconds between two attempts."""


class WriteLock:
    """A lock on a file, held inside a ``with`` block, across threads and processes.

    The kernel gives it back when its holder dies, however it dies. The file names the holder.

    Raises:
        IndexLockedError: somebody else still holds it after ``patience`` seconds.
    """

    def __init__(self, path: Path, patience: float) -> None:
        self._path = path
        self._patience = patience
        self._file = -1

    def __enter__(self) -> None:
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = monotonic() + self._patience
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if monotonic() < deadline:
                    sleep(PAUSE)
                    continue
                holder = os.pread(self._file, 100, 0).decode(errors="replace").strip()
                os.close(self._file)
                raise IndexLockedError(
                    f"{self._path.parent} is being written by {holder or 'another process'}; "
                    f"waited {self._patience:.0f} s"
                ) from None
            break
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"process {os.getpid()}\n".encode(), 0)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._file)
