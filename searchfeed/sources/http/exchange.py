"""One fetch: asked, asked again where that may help, followed where it leads, and read."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3.exceptions import HTTPError

from searchfeed.sources.http.body import Body
from searchfeed.sources.http.failures import explained, is_passing, status_remedy, status_words
from searchfeed.sources.http.guard import Guard
from searchfeed.sources.http.headers import content_length, fresh_for, retry_after, validator
from searchfeed.sources.http.limits import MAX_REDIRECTS, RETRIES, Limits
from searchfeed.sources.http.messages import Refusal, Request, Response, split
from searchfeed.sources.http.target import Target
from searchfeed.values import dataclass

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
_BODIES = frozenset({200, 203})
_BUSY = frozenset({502, 503, 504})
_PATIENT = frozenset({429, 503})

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one fetch works with.

    Attributes:
        request: what is asked for.
        guard: watches over it, in this thread.
        limits: how much it may take.
        headers: what is sent with each request.
        pools: gives the connections that lead to a target, or refuses to.
        progress: told the bytes received so far, and how many there are if known.
    """

    request: Request
    guard: Guard
    limits: Limits
    headers: Mapping[str, str]
    pools: Callable[[Target], PoolManager]
    progress: Callable[[int, int | None], None] | None

    def run(self) -> Response:
        """Fetch it, going where redirects lead.

        Raises:
            Refusal: why that could not be.
        """
        url, user = split(self.request.url)
        first = target = Target.of(url)
        moved_to = ""
        is_moving = True
        seen = {target.url}
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._ask(target, user if target.origin == first.origin else "")
            try:
                status, location = answer.status, answer.headers.get("Location", "")
                if status not in _REDIRECTS or not location:
                    if status == HTTPStatus.GONE:
                        # Where the way here is only for now, the feed itself may be back.
                        raise self._refused(answer, gone=is_moving)
                    return self._response(answer, url if target is first else target.url, moved_to)
            finally:
                _let_go(answer)
            following = target.joined(location)
            # A connection that anybody can change must not move a safe one for good.
            is_downgrade = target.scheme == "https" and following.scheme == "http"
            is_moving = is_moving and status in _PERMANENT and not is_downgrade
            if is_moving:
                moved_to = following.url
            if following.url in seen:
                raise Refusal("its redirects lead in a circle", "check its URL")
            seen.add(following.url)
            target = following
        raise Refusal(f"it redirects more than {MAX_REDIRECTS} times", "check its URL")

    def _ask(self, target: Target, user: str) -> BaseHTTPResponse:
        """One request, tried again where that may help; the body of its answer is unread."""
        pools = self.pools(target)
        headers = {**self.headers, **_conditions(self.request)}
        if user:
            headers["Authorization"] = _basic(user)
        timeout = Timeout(connect=self.limits.connect_timeout, read=self.limits.read_timeout)
        pause = self.limits.pause
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
                if not (retries_left and self.guard.remaining and is_passing(error)):
                    raise explained(error, self.guard, self.limits) from error
            else:
                is_busy = answer.status in _BUSY and "Retry-After" not in answer.headers
                if not (retries_left and is_busy):
                    return answer
                _let_go(answer)
            # Those who were turned away together must not come back together.
            self.guard.pause(pause * random.uniform(0.5, 1))  # noqa: S311 - no secret
            pause *= 2
        raise AssertionError

    def _response(self, answer: BaseHTTPResponse, url: str, moved_to: str) -> Response:
        """What an answer that is no redirect says."""
        known = self.request
        headers = answer.headers
        etag = validator(headers.get("ETag", ""))
        modified = validator(headers.get("Last-Modified", ""))
        data: bytes | None
        if answer.status == HTTPStatus.NOT_MODIFIED and (known.etag or known.last_modified):
            data = None
            etag, modified = etag or known.etag, modified or known.last_modified
        elif answer.status in _BODIES:
            data = self._read(answer)
        else:
            raise self._refused(answer)
        return Response(
            url=url,
            data=data,
            etag=etag,
            last_modified=modified,
            content_type=headers.get("Content-Type", ""),
            moved_to=moved_to,
            fresh_for=fresh_for(headers, datetime.now(UTC)),
        )

    def _refused(self, answer: BaseHTTPResponse, *, gone: bool = False) -> Refusal:
        status = answer.status
        is_patient = status in _PATIENT
        wait = retry_after(answer.headers, datetime.now(UTC)) if is_patient else None
        return Refusal(status_words(status), status_remedy(status), retry_after=wait, gone=gone)

    def _read(self, answer: BaseHTTPResponse) -> bytes:
        body = Body(
            answer.headers.get("Content-Encoding", ""),
            max_size=self.limits.max_size,
            max_encoded=self.limits.max_encoded,
            before_large=self.guard.wait_turn,
        )
        size = content_length(answer.headers)
        received = 0
        for chunk in self._chunks(answer):
            body.add(chunk)
            received += len(chunk)
            if self.progress is not None:
                self.progress(received, size)
        return body.finish()

    def _chunks(self, answer: BaseHTTPResponse) -> Iterator[bytes]:
        """The body as it comes, still compressed. Only what goes wrong here is the network's."""
        while True:
            try:
                chunk = answer.read1(_CHUNK, decode_content=False)
            except (HTTPError, OSError) as error:
                raise explained(error, self.guard, self.limits) from error
            if not chunk:
                return
            yield chunk


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
    if answer.status == HTTPStatus.NOT_MODIFIED:
        with suppress(HTTPError, OSError):
            answer.read1(_CHUNK, decode_content=False)
    # A connection that was given back is no longer the answer's to close.
    answer.close()
