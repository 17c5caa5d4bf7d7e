"""Documents read in processes of their own, several at once, none of which can do harm.

A document that takes too long, needs too much memory or brings its reader down costs a process,
which is replaced, and a ``ParseError``. The processes are started as a program of their own and not
by ``multiprocessing``, which would run the main module of the user's program again.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from searchfeed.errors import ParseError
from searchfeed.feeds import parse, wire
from searchfeed.feeds.wire import Document
from searchfeed.models import Feed

VARIABLE = "SEARCHFEED_WORKERS"
"""The environment variable that says how many processes there are; with 0 there are none."""

SECONDS, SECONDS_A_MEGABYTE = 5.0, 5.0
"""What a document may take of a processor, ten times as much as those of honest feeds do."""

MEMORY, MEMORY_A_BYTE = 250_000_000, 24
"""Bytes that reading a document may take; honest ones need 8 for each of theirs."""

SMALL = 1_000_000
"""Bytes of documents that take no longer here than processes take to start."""

AHEAD, AHEAD_BYTES = 4, 32_000_000
"""So many documents for each process, and no more than so many bytes of them (or one document),
are read ahead of the one whose feed is waited for."""

_START = 60.0
_SLACK = 4
_PAUSE = 0.1


class Workers:
    """Processes that read documents; they are started when they are needed, and end with it.

    Only one ``parse`` may be under way at a time. It is a context manager.

    Args:
        count: how many processes there are at most; by default what ``SEARCHFEED_WORKERS`` says,
            or one for each processor. With 0 documents are read in this process.
        small: up to so many bytes of documents are read in this process.
    """

    def __init__(self, count: int | None = None, *, small: int = SMALL) -> None:
        self._count = _default_count() if count is None else count
        self._small = small
        self._threads = ThreadPoolExecutor(max(self._count, 1), "searchfeed-feeds")
        self._lock = Lock()
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the processes, whatever they are doing."""
        with self._lock:
            self._closed = True
            workers = tuple(self._all)
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.kill()
        self._threads.shutdown()
        for worker in workers:
            worker.close()
        self._idle.clear()
        self._all.clear()

    def parse(self, documents: Iterable[Document]) -> Iterator[Feed | ParseError]:
        """The feed of each document, or why it has none, in the order of the documents.

        A few documents are taken ahead of the one whose feed comes next.
        """
        documents = iter(documents)
        head: list[Document] = []
        size = 0
        for document in documents:
            head.append(document)
            size += len(document.data)
            if size > self._small:
                break
        documents = chain(head, documents)
        if not self._count or size <= self._small:
            yield from map(_parse_here, documents)
            return
        under_way: deque[tuple[int, Future[Feed | ParseError]]] = deque()
        ahead = 0
        try:
            for document in documents:
                size = len(document.data)
                while under_way and (
                    len(under_way) >= AHEAD * self._count or ahead + size > AHEAD_BYTES
                ):
                    done, future = under_way.popleft()
                    ahead -= done
                    yield future.result()
                under_way.append((size, self._threads.submit(self._parse, document)))
                ahead += size
            while under_way:
                yield under_way.popleft()[1].result()
        finally:
            for _, future in under_way:
                future.cancel()

    def _parse(self, document: Document) -> Feed | ParseError:
        worker = self._take()
        if self._closed:
            return ParseError(document.url, "reading it was broken off")
        if worker is None:
            return _parse_here(document)
        outcome = worker.parse(document)
        with self._lock:
            if worker.usable:
                self._idle.append(worker)
            else:
                self._all.discard(worker)
        return outcome

    def _take(self) -> _Worker | None:
        """A worker that has nothing to do; None where none can be started."""
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.usable:
                    return worker
                self._all.discard(worker)
                worker.close()
            if self._closed or not self._count:
                return None
            try:
                worker = _Worker()
            except OSError:
                self._count = 0
                return None
            self._all.add(worker)
        if worker.is_ready():
            return worker
        with self._lock:
            self._all.discard(worker)
            self._count = 0
        return None


class _Worker:
    """One process, and its pipes, which are waited for and never blocked on."""

    def __init__(self) -> None:
        path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", "-m", "searchfeed.feeds.worker"],
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

    @property
    def usable(self) -> bool:
        return self._process.poll() is None

    def is_ready(self) -> bool:
        """Whether it has started well; if not, it has been ended."""
        try:
            if self._receive(_Patience(_START)) == b"":
                return True
        except (OSError, EOFError):
            pass
        self.close()
        return False

    def parse(self, document: Document) -> Feed | ParseError:
        size = len(document.data)
        seconds = SECONDS + SECONDS_A_MEGABYTE * size / 1e6
        memory = MEMORY + MEMORY_A_BYTE * size
        origin = wire.pack_origin(document)
        # It watches its own time; this is for one that cannot, since it stands still.
        patience = _Patience(_SLACK * seconds)
        try:
            head = wire.REQUEST.pack(seconds, memory, len(origin), size)
            self._send(head + origin, patience)
            self._send(document.data, patience)
            return wire.unpack_outcome(self._receive(patience))
        except TimeoutError:
            self.close()
            reason = _too_long(seconds)
        except (OSError, EOFError, ValueError, TypeError):
            code = self.close()
            reason = {
                wire.OUT_OF_MEMORY: f"it needs more than {memory // 1_000_000} MB to be read",
                -signal.SIGPROF: _too_long(seconds),
            }.get(code, f"the process that read it broke off ({_ending(code)})")
        return ParseError(document.url, reason)

    def _send(self, data: bytes, patience: _Patience) -> None:
        rest = memoryview(data)
        while rest:
            patience.wait(self._input, select.POLLOUT)
            rest = rest[os.write(self._input, rest[:65536]) :]

    def _receive(self, patience: _Patience) -> bytes:
        (length,) = wire.REPLY.unpack(self._read(wire.REPLY.size, patience))
        return self._read(length, patience)

    def _read(self, length: int, patience: _Patience) -> bytes:
        data = bytearray()
        while len(data) < length:
            patience.wait(self._output, select.POLLIN)
            piece = os.read(self._output, min(length - len(data), 1 << 20))
            if not piece:
                raise EOFError
            data += piece
        return bytes(data)

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> int:
        """End it; its exit code, which is minus the number of a signal that ended it."""
        self._process.kill()
        code = self._process.wait()
        for pipe in self._pipes:
            pipe.close()
        return code


class _Patience:
    """Seconds to wait for another process in all.

    They are counted in waits and not by the clock: a program that was stopped and goes on hours
    later has not waited for so long, and its workers have stood still as well.
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


def _parse_here(document: Document) -> Feed | ParseError:
    try:
        return parse(document.data, url=document.url, headers=document.headers)
    except ParseError as error:
        return error


def _default_count() -> int:
    wanted = os.environ.get(VARIABLE, "")
    if wanted.isascii() and wanted.isdigit():
        return int(wanted)
    # In a program that was frozen into one file, sys.executable is that program.
    if not sys.executable or getattr(sys, "frozen", False):
        return 0
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _too_long(seconds: float) -> str:
    return f"it takes more than {seconds:.0f} s to be read"


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


__all__ = ("Document", "Workers")
