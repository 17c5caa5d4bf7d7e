"""The client: one fetch with its redirects and retries, or many at once."""

from __future__ import annotations

import base64
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote_to_bytes

from searchfeed.errors import FetchError
from searchfeed.sources.http.addresses import names_public
from searchfeed.sources.http.body import MAX_ENCODED, Body
from searchfeed.sources.http.guard import Guard
from searchfeed.sources.http.headers import fresh_for, retry_after, validator
from searchfeed.sources.http.limits import (
    CONNECT_TIMEOUT,
    DEADLINE,
    MAX_REDIRECTS,
    PAUSE,
    READ_TIMEOUT,
    RETRIES,
    Limits,
)
from searchfeed.sources.http.messages import Refusal, Request, Response, redacted, split
from searchfeed.sources.http.proxies import proxy_of
from searchfeed.sources.http.rounds import Round
from searchfeed.sources.http.target import Target
from searchfeed.sources.source import MAX_SIZE

if TYPE_CHECKING:
    from ssl import SSLContext

    from urllib3 import BaseHTTPResponse, PoolManager

PROJECT = "https://github.com/searchfeed/searchfeed"
"""Where the owner of a server can read who asks."""

CONNECTIONS = 16
PER_HOST = 2

_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, text/html;q=0.5, */*;q=0.1"
)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
_BODIES = frozenset({200, 203})
_BUSY = frozenset({502, 503, 504})
_PATIENT = frozenset({429, 503})

_CHUNK = 1 << 16


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
    ) -> Iterator[tuple[Request, Response | FetchError]]:
        """Fetch many feeds at once; each request comes back with its answer, the first ready first.

        While a few answers wait to be taken no fetch begins, so that memory stays bounded however
        slow the caller is. Whoever stops taking, closes the iterator or is interrupted ends all
        that is running.

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

    def _guard(self) -> Guard:
        return Guard(self._limits.deadline, allow_private=self._allow_private)

    def _fetch(
        self, request: Request, guard: Guard, progress: Callable[[int, int | None], None] | None
    ) -> Response:
        with self._lock:
            self._running.add(guard)
            if self._closed:
                guard.stop()
        try:
            with guard.watching():
                return self._follow(request, guard, progress)
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

    def _follow(
        self, request: Request, guard: Guard, progress: Callable[[int, int | None], None] | None
    ) -> Response:
        """Fetch, going where redirects lead."""
        url, user = split(request.url)
        first = target = Target.of(url)
        moved_to = ""
        is_moving = True
        seen = {target.url}
        headers = self._headers | _conditions(request)
        for _ in range(MAX_REDIRECTS + 1):
            own = {"Authorization": _basic(user)} if user and target.origin == first.origin else {}
            answer = self._ask(target, headers | own, guard)
            try:
                location = answer.headers.get("Location", "")
                if answer.status not in _REDIRECTS or not location:
                    final = url if target is first else target.url
                    # Whoever was led astray for now is not gone.
                    return self._response(
                        answer, request, guard, progress, final, moved_to, gone=is_moving
                    )
                status = answer.status
            finally:
                _let_go(answer)
            following = target.joined(location)
            # A connection anybody can change must not move a safe one for good.
            safe = not (target.scheme == "https" and following.scheme == "http")
            is_moving = is_moving and status in _PERMANENT and safe
            if is_moving:
                moved_to = following.url
            if following.url in seen:
                raise Refusal("its redirects lead in a circle", "check its URL")
            seen.add(following.url)
            target = following
        raise Refusal(f"it redirects more than {MAX_REDIRECTS} times", "check its URL")

    def _ask(self, target: Target, headers: dict[str, str], guard: Guard) -> BaseHTTPResponse:
        """One request, tried again where that may help; its answer with the body unread."""
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError

        from searchfeed.sources.http.failures import explained, is_passing

        pools = self._pools_for(target)
        timeout = Timeout(connect=self._limits.connect_timeout, read=self._limits.read_timeout)
        for retries_left in reversed(range(RETRIES + 1)):
            try:
                answer = pools.urlopen(
                    "GET",
                    target.url,
                    headers=headers,
                    timeout=timeout,
                    redirect=False,
                    retries=False,
                    preload_content=False,
                )
            except (HTTPError, OSError) as error:
                if not (retries_left and guard.remaining and is_passing(error)):
                    raise explained(error, guard, self._limits) from error
            else:
                is_busy = answer.status in _BUSY and "Retry-After" not in answer.headers
                if not (retries_left and is_busy):
                    return answer
                _let_go(answer)
            # Those who were turned away together must not come back together.
            pause = self._limits.pause * 2 ** (RETRIES - retries_left)
            guard.pause(pause * random.uniform(0.5, 1))  # noqa: S311 - no secret
        raise AssertionError

    def _response(
        self,
        answer: BaseHTTPResponse,
        request: Request,
        guard: Guard,
        progress: Callable[[int, int | None], None] | None,
        url: str,
        moved_to: str,
        *,
        gone: bool,
    ) -> Response:
        """What an answer that is no redirect says."""
        headers = answer.headers
        now = datetime.now(UTC)
        etag, modified = (
            validator(headers.get("ETag", "")),
            validator(headers.get("Last-Modified", "")),
        )
        data: bytes | None
        if answer.status == HTTPStatus.NOT_MODIFIED and (request.etag or request.last_modified):
            data = None
            etag, modified = etag or request.etag, modified or request.last_modified
        elif answer.status in _BODIES:
            data = self._read(answer, guard, progress)
        else:
            raise self._refused(answer, now, gone=gone)
        content_type = headers.get("Content-Type", "")
        return Response(url, data, etag, modified, content_type, moved_to, fresh_for(headers, now))

    def _refused(self, answer: BaseHTTPResponse, now: datetime, *, gone: bool) -> Refusal:
        from searchfeed.sources.http.failures import status_remedy, status_words

        status = answer.status
        wait = retry_after(answer.headers, now) if status in _PATIENT else None
        return Refusal(
            status_words(status),
            status_remedy(status),
            retry_after=wait,
            gone=gone and status == HTTPStatus.GONE,
        )

    def _read(
        self,
        answer: BaseHTTPResponse,
        guard: Guard,
        progress: Callable[[int, int | None], None] | None,
    ) -> bytes:
        from urllib3.exceptions import HTTPError

        from searchfeed.sources.http.failures import explained

        body = Body(
            answer.headers.get("Content-Encoding", ""),
            max_size=self._limits.max_size,
            max_encoded=self._limits.max_encoded,
        )
        length = answer.headers.get("Content-Length", "")
        size = int(length) if length.isascii() and length.isdigit() and len(length) < 16 else None
        received = 0
        try:
            while chunk := answer.read1(_CHUNK, decode_content=False):
                body.add(chunk)
                received += len(chunk)
                if progress is not None:
                    progress(received, size)
        except (HTTPError, OSError) as error:
            raise explained(error, guard, self._limits) from error
        return body.finish()

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


def _conditions(request: Request) -> dict[str, str]:
    """The headers that ask for the feed only if it is another than the one known."""
    known = {"If-None-Match": request.etag, "If-Modified-Since": request.last_modified}
    return {name: value for name, value in known.items() if validator(value)}


def _basic(user: str) -> str:
    name, _, password = user.partition(":")
    plain = unquote_to_bytes(name) + b":" + unquote_to_bytes(password)
    return "Basic " + base64.b64encode(plain).decode()


def _let_go(answer: BaseHTTPResponse) -> None:
    """Give the connection back where the answer is at its end, and close it else."""
    from urllib3.exceptions import HTTPError

    try:
        if answer.status == HTTPStatus.NOT_MODIFIED:
            answer.read1(_CHUNK, decode_content=False)
    except (HTTPError, OSError):
        pass
    finally:
        # A connection that was given back is no longer the answer's to close.
        answer.close()
