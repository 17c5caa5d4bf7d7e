"""Many fetches at once, a few to each host, answered in the order in which they end."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import urlsplit

from searchfeed.errors import FetchError
from searchfeed.sources.http.guard import Guard
from searchfeed.sources.http.messages import Request, Response, redacted

MAX_WAITING = 4
"""No fetch begins while so many answers wait to be taken."""

_PATIENCE = 1.0
"""Seconds to wait for threads that were stopped: looking a name up cannot be broken off."""


class Round:
    """One round of fetches in threads of its own."""

    def __init__(
        self,
        requests: Iterable[Request],
        fetch: Callable[[Request, Guard], Response],
        guard: Callable[[threading.Semaphore], Guard],
        *,
        connections: int,
        per_host: int,
    ) -> None:
        """Prepare a round.

        Args:
            requests: what to fetch.
            fetch: fetches one, in a thread of the round.
            guard: makes the guard of a fetch, for which large bodies take turns.
            connections: fetches at one time.
            per_host: fetches from one host at one time.
        """
        self._fetch = fetch
        self._guard = guard
        self._connections = connections
        self._per_host = per_host
        self._turn = threading.Semaphore()
        self._changed = threading.Condition()
        self._queues: dict[str, deque[Request]] = {}
        for request in requests:
            self._queues.setdefault(_host(request.url), deque()).append(request)
        self._open = sum(map(len, self._queues.values()))
        # Hosts that may be asked now, in turn; one stands here at most once.
        self._ready = deque(self._queues)
        self._active = dict.fromkeys(self._queues, 0)
        self._running: set[Guard] = set()
        self._ended: deque[tuple[Request, Response | FetchError | _Fault, Guard]] = deque()
        self._stopped = False
        self._threads: list[threading.Thread] = []

    def answers(self) -> Iterator[tuple[Request, Response | FetchError]]:
        """Run it. What is no error of a fetch is a fault of the program, and raised."""
        for number in range(min(self._connections, self._open)):
            # A thread that hangs in the resolver must not keep the process from ending.
            thread = threading.Thread(target=self._work, name=f"fetch-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()
        for _ in range(self._open):
            with self._changed:
                self._changed.wait_for(lambda: self._ended)
                request, answer, guard = self._ended.popleft()
                self._changed.notify_all()
            guard.end_turn()
            if isinstance(answer, _Fault):
                raise answer.error
            yield request, answer

    def stop(self) -> None:
        """End what is running, and begin no more."""
        with self._changed:
            self._stopped = True
            running = list(self._running)
            self._changed.notify_all()
        for guard in running:
            guard.stop()
        for thread in self._threads:
            thread.join(_PATIENCE)

    def _work(self) -> None:
        while (taken := self._take()) is not None:
            host, request, guard = taken
            answer: Response | FetchError | _Fault
            try:
                answer = self._fetch(request, guard)
            except FetchError as error:
                answer = _light(error)
            except BaseException as error:  # noqa: BLE001 - raised again by ``answers``
                answer = _Fault(error)
            if not isinstance(answer, Response):
                guard.end_turn()
            self._give(host, request, guard, answer)

    def _take(self) -> tuple[str, Request, Guard] | None:
        """The next request, when one may begin; None where there is none any more."""
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._stopped
                    or not self._queues
                    or (self._ready and len(self._ended) < MAX_WAITING)
                )
            )
            if self._stopped or not self._queues:
                return None
            host = self._ready.popleft()
            request = self._queues[host].popleft()
            if not self._queues[host]:
                del self._queues[host]
            self._active[host] += 1
            self._offer(host)
            guard = self._guard(self._turn)
            self._running.add(guard)
            return host, request, guard

    def _give(
        self, host: str, request: Request, guard: Guard, answer: Response | FetchError | _Fault
    ) -> None:
        with self._changed:
            self._running.discard(guard)
            self._active[host] -= 1
            if host not in self._ready:
                self._offer(host)
            self._ended.append((request, answer, guard))
            self._changed.notify_all()

    def _offer(self, host: str) -> None:
        if host in self._queues and self._active[host] < self._per_host:
            self._ready.append(host)


class _Fault:
    """An error that no fetch may raise."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def _host(url: str) -> str:
    try:
        return urlsplit(redacted(url)).hostname or ""
    except ValueError:
        return ""


def _light(error: FetchError) -> FetchError:
    """The error without the frames it passed, which hold all that was received."""
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return error
