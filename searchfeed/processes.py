"""Other processes that work for this one, at the other end of two pipes.

They are programs of their own and not started by ``multiprocessing``, which would run the main
module of the user's program again, or fork a program that has threads. What goes either way is
messages: a length, and so many bytes.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from struct import Struct
from typing import Final

VARIABLE: Final = "SEARCHFEED_WORKERS"
"""The environment variable that says how many processes there are; with 0 there are none."""

START: Final = 60.0
"""Seconds that a process may take to start."""

_LENGTH = Struct("<Q")
_PAUSE = 0.1
_CHUNK = 1 << 20


def default_count() -> int:
    """How many processes are to work at once; 0 if this one is to do all by itself."""
    wanted = os.environ.get(VARIABLE, "")
    if wanted.isascii() and wanted.isdigit():
        return int(wanted)
    # In a program that was frozen into one file, sys.executable is that program.
    if not sys.executable or getattr(sys, "frozen", False):
        return 0
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Patience:
    """Seconds to wait for another process in all.

    They are counted in waits and not by the clock: a program that was stopped and goes on hours
    later has not waited for so long, and the other process has stood still as well.
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def wait(self, descriptor: int, event: int) -> None:
        """Return once the event has come or the other end has closed.

        Raises:
            TimeoutError: patience is at an end.
        """
        poll = select.poll()
        poll.register(descriptor, event)
        while not poll.poll(_PAUSE * 1000):
            self._left -= _PAUSE
            if self._left <= 0:
                raise TimeoutError


class Process:
    """A process that runs a module which calls ``serve``. For one thread at a time.

    Its pipes are waited for and never blocked on. It ends with its input, and so with this process.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, module: str) -> None:
        path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, and a module of ours
            [sys.executable, "-P", "-W", "ignore", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._pipes = (self._process.stdin, self._process.stdout)
        self._input, self._output = (pipe.fileno() for pipe in self._pipes)
        os.set_blocking(self._input, False)
        os.set_blocking(self._output, False)
        self.pid = self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def is_ready(self) -> bool:
        """Wait until it serves; False if it does not come to that, and then it has been ended."""
        try:
            if self.receive(Patience(START)) == b"":
                return True
        except (OSError, EOFError):
            pass
        self.close()
        return False

    def send(self, message: bytes, patience: Patience) -> None:
        """Hand it a message.

        Raises:
            TimeoutError: it does not take it.
            OSError: it has ended.
        """
        for part in (_LENGTH.pack(len(message)), message):
            rest = memoryview(part)
            while rest:
                patience.wait(self._input, select.POLLOUT)
                rest = rest[os.write(self._input, rest[:65536]) :]

    def receive(self, patience: Patience) -> bytes:
        """Take its next message.

        Raises:
            TimeoutError: there is none.
            EOFError, OSError: it has ended.
        """
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size, patience))
        return self._read(length, patience)

    def _read(self, length: int, patience: Patience) -> bytes:
        data = bytearray()
        while len(data) < length:
            patience.wait(self._output, select.POLLIN)
            piece = os.read(self._output, min(length - len(data), _CHUNK))
            if not piece:
                raise EOFError
            data += piece
        return bytes(data)

    def kill(self) -> None:
        """End it, and let a thread that waits for it see that."""
        self._process.kill()

    def close(self) -> int:
        """End it; its exit code, which is minus the number of the signal that ended it."""
        self._process.kill()
        code = self._process.wait()
        for pipe in self._pipes:
            pipe.close()
        return code


class Service:
    """The other side of a ``Process``, inside of it."""

    def __init__(self) -> None:
        # Ctrl-C goes to all processes of a terminal; the one that started this one decides.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        self._requests, self._replies = sys.stdin.buffer, sys.stdout.buffer
        sys.stdout = sys.stderr

    def receive(self) -> bytes | None:
        """The next message; None if there are no more."""
        head = self._requests.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack(head)
        message = self._requests.read(length)
        return message if len(message) == length else None

    def send(self, message: bytes) -> None:
        """Hand a message over."""
        self._replies.write(_LENGTH.pack(len(message)))
        self._replies.write(message)
        self._replies.flush()


def serve(work: Callable[[Service], None], warm_up: Callable[[], object]) -> None:
    """Be the process of a ``Process``: get ready, say so, and work until there is no more to do."""
    service = Service()
    warm_up()
    with suppress(BrokenPipeError):
        service.send(b"")
        work(service)


__all__ = ("VARIABLE", "Patience", "Process", "Service", "default_count", "serve")
