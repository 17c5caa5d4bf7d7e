"""What one fetch may do: which addresses it may reach, how long it may take, and its stopping."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from searchfeed.sources.http.messages import Refusal

STOPPED = "its fetch was stopped"

_GLANCE = 0.1
"""Seconds between looks whether a fetch that waits for its turn was stopped."""

_here = threading.local()


class Guard:
    """Bounds one fetch, which runs in one thread. Its time runs from when it is made.

    The sockets of ``connections`` ask the guard of their thread before each read, so a server
    cannot outlast the deadline wherever it dawdles: in its greeting, its headers or its body.
    """

    def __init__(
        self,
        seconds: float,
        *,
        allow_private: bool,
        turn: threading.Semaphore | None = None,
    ) -> None:
        """Guard a fetch.

        Args:
            seconds: how long it may take.
            allow_private: whether it may reach addresses that are not public.
            turn: what fetches that run together share, to hold a large body one after the other.
        """
        self.allow_private = allow_private
        self._turn = turn
        self._has_turn = False
        self._end = time.monotonic() + seconds
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Guard what this thread does in the block."""
        _here.guard = self
        try:
            yield
        finally:
            _here.guard = None
            self.leave()

    @property
    def is_stopped(self) -> bool:
        """Whether somebody has stopped it."""
        return self._stopped.is_set()

    @property
    def remaining(self) -> float:
        """Seconds left; none once it was stopped."""
        return 0.0 if self.is_stopped else max(0.0, self._end - time.monotonic())

    def pause(self, seconds: float) -> None:
        """Wait, but not beyond its end."""
        self._stopped.wait(min(seconds, self.remaining))

    def wait_turn(self) -> None:
        """Before it holds a large body: wait until no other does. This time is not its own.

        Raises:
            Refusal: it was stopped meanwhile.
        """
        if self._turn is None or self._has_turn:
            return
        start = time.monotonic()
        while not self._turn.acquire(timeout=_GLANCE):
            if self.is_stopped:
                raise Refusal(STOPPED)
        self._has_turn = True
        self._end += time.monotonic() - start

    def end_turn(self) -> None:
        """Its body is held by somebody else now, or by nobody."""
        if self._turn is not None and self._has_turn:
            self._has_turn = False
            self._turn.release()

    def enter(self, connection: socket.socket) -> None:
        """Before this connection is waited for: let it wait no longer than there is time.

        Raises:
            TimeoutError: there is none.
        """
        with self._lock:
            self._socket = connection
        remaining = self.remaining
        if not remaining:
            raise TimeoutError
        timeout = connection.gettimeout()
        if timeout is None or timeout > remaining:
            connection.settimeout(remaining)

    def leave(self) -> None:
        """The connection last entered may serve another fetch now."""
        with self._lock:
            self._socket = None

    def stop(self) -> None:
        """End it at once, from another thread."""
        self._stopped.set()
        with self._lock:
            if self._socket is not None:
                # Not by way of TLS, which would say goodbye first. What is being waited for ends.
                with suppress(OSError):
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def current() -> Guard | None:
    """The guard of this thread."""
    guard: Guard | None = getattr(_here, "guard", None)
    return guard
