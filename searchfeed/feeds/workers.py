"""Documents read in processes of their own, several at once, none of which can do harm.

A document that takes too long, needs too much memory or brings its reader down costs a process,
which is replaced, and a ``ParseError``.
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import field
from itertools import chain
from threading import Lock
from types import TracebackType
from typing import Self

from searchfeed.errors import ParseError
from searchfeed.feeds import parse, wire
from searchfeed.feeds.limits import limits
from searchfeed.models import Feed
from searchfeed.processes import Patience, Process, default_count
from searchfeed.values import dataclass

SECONDS, SECONDS_A_MEGABYTE = 5.0, 5.0
"""What a document may take of a processor, ten times as much as those of honest feeds do."""

MEMORY, MEMORY_A_BYTE = 250_000_000, 24
"""Bytes that reading a document may take, and those that one which its user trusts may take more
for each of its own; honest ones need 8."""

SMALL = 1_000_000
"""Weight of documents that take no longer here than processes take to start."""

MARKUP = 32
"""What an element, a reference or an object takes, in bytes of text that take as long."""

AHEAD, AHEAD_BYTES = 4, 32_000_000
"""So many documents for each process, and no more than so many bytes of them (or one document),
are read ahead of the one whose feed is waited for."""

_SLACK = 4


@dataclass(frozen=True, slots=True)
class Document:
    """What ``searchfeed.feeds.parse`` takes.

    Bytes, where they came from, headers of a response; whether it is a file that its user trusts.
    """

    data: bytes
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    large: bool = False


class Workers:
    """Processes that read documents; they are started when they are needed, and end with it.

    Only one ``parse`` may be under way at a time; any thread may ``submit``. It is a context
    manager.

    Args:
        count: how many processes there are at most; by default what ``SEARCHFEED_WORKERS`` says,
            or one for each processor. With 0 documents are read in this process.
        small: documents of up to this weight, all together, are read in this process, where
            nothing but their weight bounds the time that they take.
    """

    def __init__(self, count: int | None = None, *, small: int = SMALL) -> None:
        self._count = default_count() if count is None else count
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
        weight = 0
        for document in documents:
            head.append(document)
            weight += _weight(document.data)
            if weight > self._small:
                break
        documents = chain(head, documents)
        if not self._count or weight <= self._small:
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
                under_way.append((size, self.submit(document)))
                ahead += size
            while under_way:
                yield under_way.popleft()[1].result()
        finally:
            for _, future in under_way:
                future.cancel()

    def submit(self, document: Document) -> Future[Feed | ParseError]:
        """The feed of one document, or why it has none, as soon as a process has read it.

        This is for documents that come one by one and at any time; how many are under way is
        then for the caller to bound. A future that is still to come is cancelled by ``close``.
        """
        return self._threads.submit(self._parse, document)

    def _parse(self, document: Document) -> Feed | ParseError:
        worker = self._take()
        if self._closed:
            return ParseError(document.url, "reading it was broken off")
        if worker is None:
            return _parse_here(document)
        outcome = worker.parse(document)
        with self._lock:
            if worker.runs:
                self._idle.append(worker)
            else:
                self._all.discard(worker)
        return outcome

    def _take(self) -> _Worker | None:
        """A worker that has nothing to do; None where none can be started."""
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.runs:
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


class _Worker(Process):
    """One process that reads documents."""

    def __init__(self) -> None:
        super().__init__("searchfeed.feeds.worker")

    def parse(self, document: Document) -> Feed | ParseError:
        """The feed of a document, or why it has none; the process may have ended over it."""
        size = len(document.data)
        seconds = SECONDS + SECONDS_A_MEGABYTE * size / 1e6
        memory = MEMORY + (MEMORY_A_BYTE * size if document.large else 0)
        request = wire.Request(document.url, document.headers, document.large, seconds, memory)
        # It watches its own time; this is for one that cannot, since it stands still.
        patience = Patience(_SLACK * seconds)
        remedy = ""
        try:
            self.send(wire.pack_request(request), patience)
            self.send(document.data, patience)
            return wire.unpack_outcome(self.receive(patience))
        except TimeoutError:
            self.close()
            reason = _too_long(seconds)
        except (OSError, EOFError, ValueError, TypeError):
            code = self.close()
            if code == wire.OUT_OF_MEMORY:
                remedy = limits(document.url, size, large=document.large).remedy
            reason = {
                wire.OUT_OF_MEMORY: f"it needs more than {memory // 1_000_000} MB to be read",
                -signal.SIGPROF: _too_long(seconds),
            }.get(code, f"the process that read it broke off ({_ending(code)})")
        return ParseError(document.url, reason, remedy)


def _weight(data: bytes) -> int:
    """About how long a document takes to be read, as bytes of an honest feed."""
    return len(data) + MARKUP * sum(data.count(sign) for sign in (b"<", b"&", b"{"))


def _parse_here(document: Document) -> Feed | ParseError:
    try:
        return parse(
            document.data, url=document.url, headers=document.headers, large=document.large
        )
    except ParseError as error:
        return error


def _too_long(seconds: float) -> str:
    return f"it takes more than {seconds:.0f} s to be read"


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


__all__ = ("Document", "Workers")
