"""The client: what its fetches share, and the fetches of a moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Self

from searchfeed.errors import FetchError
from searchfeed.sources.http.addresses import names_public
from searchfeed.sources.http.body import MAX_ENCODED
from searchfeed.sources.http.guard import Guard
from searchfeed.sources.http.limits import (
    CONNECT_TIMEOUT,
    DEADLINE,
    PAUSE,
    READ_TIMEOUT,
    Limits,
)
from searchfeed.sources.http.messages import Refusal, Request, Response, redacted
from searchfeed.sources.http.proxies import proxy_of
from searchfeed.sources.http.rounds import Round
from searchfeed.sources.http.target import Target
from searchfeed.sources.source import MAX_SIZE

if TYPE_CHECKING:
    from ssl import SSLContext

    from urllib3 import PoolManager

PROJECT = "https://github.com/searchfeed/searchfeed"
"""Where the owner of a server can read who asks."""

CONNECTIONS = 16
PER_HOST = 2

_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, text/html;q=0.5, */*;q=0.1"
)


class Client:
    """Fetches feeds. It may be used by several threads; close it, or use it in ``with``."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        connections: int = CONNECTIONS,
        per_host: int = PER_HOST,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
        deadline: float = DEADLINE,
        pause: float = PAUSE,
        max_size: int = MAX_SIZE,
        max_encoded: int = MAX_ENCODED,
    ) -> None:
        """Make a client; nothing is connected yet.

        Args:
            allow_private: also fetch from the user's own network.
            connections: fetches at one time in ``fetch_all``.
            per_host: and from one host.
            connect_timeout: seconds for an address of a host to take a connection.
            read_timeout: seconds in which a server may be silent.
            deadline: seconds for one fetch in all.
            pause: seconds before the first retry.
            max_size: bytes that a feed may have.
            max_encoded: bytes that it may have while compressed.
        """
        self._allow_private = allow_private
        self._connections = connections
        self._per_host = per_host
        self._limits = Limits(connect_timeout, read_timeout, deadline, pause, max_size, max_encoded)
        self._headers = {
            "User-Agent": _agent(),
            "Accept": _ACCEPT,
            "Accept-Encoding": "gzip, deflate",
        }
        self._lock = threading.Lock()
        self._pools: dict[tuple[str, str], PoolManager] = {}
        self._tls: SSLContext | None = None
        self._running: set[Guard] = set()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop what is running and close the connections."""
        with self._lock:
            self._closed = True
            running, pools = list(self._running), list(self._pools.values())
            self._pools.clear()
        for guard in running:
            guard.stop()
        for pool in pools:
            pool.clear()

    def fetch(
        self, request: Request, *, progress: Callable[[int, int | None], None] | None = None
    ) -> Response:
        """Fetch one feed.

        Args:
            request: what to fetch.
            progress: called with the bytes received so far, and how many there are if known.

        Raises:
            FetchError: why there is no answer that could be used.
        """
        return self._fetch(request, self._guard(), progress)

    def fetch_all(
        self,
        requests: Iterable[Request],
        *,
        progress: Callable[[Request, int, int | None], None] | None = None,
    ) -> Generator[tuple[Request, Response | FetchError], None, None]:
        """Fetch many feeds at once; each request comes back with its answer, the first ready first.

        While a few answers wait to be taken no fetch begins, and of large ones there is never more
        than one, so that memory stays bounded however slow the caller is. Whoever stops taking,
        closes the iterator or is interrupted ends all that is running.

        Args:
            requests: what to fetch.
            progress: as in ``fetch``, with the request; called from several threads.
        """

        def fetch(request: Request, guard: Guard) -> Response:
            if progress is None:
                return self._fetch(request, guard, None)
            return self._fetch(request, guard, lambda done, all_: progress(request, done, all_))

        work = Round(
            requests,
            fetch,
            self._guard,
            connections=self._connections,
            per_host=self._per_host,
        )
        try:
            yield from work.answers()
        finally:
            work.stop()

    def _guard(self, turn: threading.Semaphore | None = None) -> Guard:
        return Guard(self._limits.deadline, allow_private=self._allow_private, turn=turn)

    def _fetch(
        self, request: Request, guard: Guard, progress: Callable[[int, int | None], None] | None
    ) -> Response:
        from searchfeed.sources.http.exchange import Exchange

        with self._lock:
            self._running.add(guard)
            if self._closed:
                guard.stop()
        exchange = Exchange(request, guard, self._limits, self._headers, self._pools_for, progress)
        try:
            with guard.watching():
                return exchange.run()
        except Refusal as refusal:
            raise FetchError(
                redacted(request.url),
                refusal.reason,
                refusal.remedy,
                retry_after=refusal.retry_after,
                gone=refusal.gone,
            ) from refusal
        finally:
            with self._lock:
                self._running.discard(guard)

    def _pools_for(self, target: Target) -> PoolManager:
        from searchfeed.sources.http.connections import pools, private, tls_context

        proxy = proxy_of(target.scheme, target.authority)
        if proxy and not self._allow_private and not names_public(target.host):
            raise private(target.host)
        with self._lock:
            key = target.scheme, proxy
            if key not in self._pools:
                if target.scheme == "https" and self._tls is None:
                    self._tls = tls_context()
                each = self._connections if proxy else self._per_host
                self._pools[key] = pools(
                    proxy, context=self._tls, hosts=2 * self._connections, each=each
                )
            return self._pools[key]


def _agent() -> str:
    """Who asks, so that the owner of a server can complain."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        name = f"searchfeed/{version('searchfeed')}"
    except PackageNotFoundError:
        # A checkout that was never installed.
        name = "searchfeed"
    return f"{name} (+{PROJECT})"
