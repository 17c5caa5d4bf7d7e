"""The servers of a cluster, asked over HTTP. Only this and ``transport.py`` know opensearch-py.

Whatever goes wrong is asked again for as long as that makes sense (a node that is gone has others
beside it, one that is overloaded recovers), and then becomes one line of ours. Only what
Elasticsearch answers as well is asked for.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from threading import Lock
from time import monotonic, sleep
from typing import Any

from searchfeed.engines.opensearch.address import Address
from searchfeed.engines.opensearch.answers import (
    UNAVAILABLE,
    Failures,
    Slow,
    is_passing,
    refusal,
    unanswered,
    unread,
    unrefreshed,
    unsearched,
)
from searchfeed.engines.opensearch.transport import open_transport
from searchfeed.errors import EngineUnavailableError

ANSWER = 30.0
"""Seconds that a server may take to answer."""

CONNECT = 3.0
"""Seconds that a server may take to accept a connection: one that is cut off never does."""

SOON = 5.0
"""Seconds after which a search had better ask other copies of an index: the server that has these
may hang, or be cut off, which the cluster itself only notices after half a minute or more."""

PATIENCE = 60.0
"""Seconds in which a request is made again that a cluster could not answer: it may need half a
minute to give up a server that hangs, and to find one that leads in its place."""

REFUSED = 3.0
"""The same where no server takes a connection: it is not there, or not yet again."""

SILENT = 30.0
"""The same where one takes none and refuses none: others may be about to do without it."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0

_WHOLE: dict[str, Any] = {"allow_partial_search_results": "false"}
"""Else a search passes over a part of an index that no server has, and says nothing of it."""


class Cluster:
    """Asks the servers of a cluster. Any thread may call any method."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._lock = Lock()
        self._transport: Any = None

    @property
    def place(self) -> str:
        """The URL of one of the servers, for a person."""
        return self._address.first

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        patience: float = PATIENCE,
        answer: float = ANSWER,
        again: bool = True,
        failures: Callable[[Any], Failures] = lambda _: iter(()),
        **parameters: Any,
    ) -> Any:
        """Ask one of the servers, and others where it does not answer.

        Args:
            method: of HTTP.
            path: with a slash at its start.
            body: a value for JSON, or bytes (lines of JSON) as they are.
            patience: seconds in which it is asked again.
            answer: seconds that a server may take.
            again: ask again too what no server answered in time.
            failures: of an answer that may have failed in part, the status and error of each part
                that did; such an answer is none.
            parameters: of the URL.

        Raises:
            Missing: the index or document is not there.
            Refused: the cluster does not do that.
            Slow: it did not answer in time.
            EngineUnavailableError: it cannot, or not now.
        """
        from opensearchpy import exceptions
        from urllib3 import Timeout

        transport = self._opened()
        start = monotonic()
        pause = _FIRST_PAUSE
        timeout = Timeout(connect=CONNECT, read=answer)
        while True:
            try:
                found = transport.perform_request(
                    method,
                    path,
                    params={**parameters, "request_timeout": timeout},
                    body=_encoded(body),
                    headers={"content-type": _kind(body)},
                )
                failed = next(failures(found), None)
                if failed is None:
                    return found
                if not is_passing(*failed) or monotonic() - start + pause > patience:
                    raise refusal(*failed, self.place)
            except exceptions.SSLError as error:
                raise self._insecure(error) from error
            except exceptions.ConnectionTimeout as error:
                if not again or monotonic() - start + pause > patience:
                    raise self._slow(answer) from error
            except exceptions.ConnectionError as error:
                silent = _is_silent(error.info)
                if silent and not again:
                    raise self._slow(answer) from error
                if monotonic() - start + pause > min(patience, SILENT if silent else REFUSED):
                    raise self._away(error) from error
            except exceptions.TransportError as error:
                status, reason = _told(error)
                if not is_passing(status, reason) or monotonic() - start + pause > patience:
                    raise refusal(status, reason, self.place) from error
            sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def several(
        self,
        searches: Iterable[tuple[str, object]],
        *,
        answer: float = ANSWER,
        again: bool = True,
        **parameters: str,
    ) -> list[Any]:
        """The answers to several searches, each of an index and a body, asked at once.

        Raises:
            Missing: an index is not there.
            EngineError: one of them failed.
        """
        lines = [
            _encoded(line) or b""
            for index, body in searches
            for line in ({"index": index, **_WHOLE, **parameters}, body)
        ]
        if not lines:
            return []
        body = b"\n".join([*lines, b""])
        found = self.ask("POST", "/_msearch", body, answer=answer, again=again, failures=unanswered)
        answers: list[Any] = found["responses"]
        return answers

    def search(self, index: str, body: object, **parameters: Any) -> Any:
        """The answer to a search of an index, all of it."""
        return self.ask(
            "POST", f"/{index}/_search", body, failures=unsearched, **_WHOLE, **parameters
        )

    def hits(self, index: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Every hit of a search that says how it is sorted, so many a page as it says."""
        while True:
            hits = self.search(index, body)["hits"]["hits"]
            yield from hits
            if len(hits) < body["size"]:
                return
            body = {**body, "search_after": hits[-1]["sort"]}

    def read(self, index: str, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Those of some documents that are there, whether searches see them or not yet."""
        found = self.ask("POST", f"/{index}/_mget", {"ids": ids}, failures=unread)
        return (each for each in found["docs"] if each["found"])

    def refresh(self, *indices: str, patience: float = PATIENCE) -> None:
        """Let what was written be found, whichever copy is searched."""
        path = f"/{','.join(indices)}/_refresh"
        self.ask("POST", path, patience=patience, failures=unrefreshed)

    def close(self) -> None:
        """Let go of the connections."""
        with self._lock:
            if self._transport is not None:
                self._transport.close()
            self._transport = None

    def _opened(self) -> Any:
        with self._lock:
            if self._transport is None:
                self._transport = open_transport(self._address)
            return self._transport

    def _away(self, error: Exception) -> EngineUnavailableError:
        return EngineUnavailableError(
            f"the cluster cannot be reached: no server answers at {self._address} "
            f"({_cause(error)}); is it running, and is --engine-url right?"
        )

    def _slow(self, seconds: float) -> Slow:
        return Slow(
            f"the cluster did not answer within {seconds:g} s, and not when it was asked again "
            f"(its state: {self.place}/_cluster/health)"
        )

    def _insecure(self, error: Exception) -> EngineUnavailableError:
        found = re.search(r"certificate verify failed: ([^(\n]*)", str(error))
        if not found:
            return EngineUnavailableError(
                f"no TLS can be spoken with {self._address} ({_cause(error)}); "
                "is --engine-url right?"
            )
        reason = found[1].strip(" .")
        remedy = "SSL_CERT_FILE names a file of authorities that are"
        if "mismatch" in reason:
            remedy = "--engine-url has to name the server as its certificate does"
        return EngineUnavailableError(
            f"the cluster's certificate is not trusted: {reason}; {remedy}"
        )


def _is_silent(error: object) -> bool:
    """Whether a server did not refuse a connection but took none, as one does that is cut off."""
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    if isinstance(error, NewConnectionError):
        return os.strerror(errno.EHOSTUNREACH) in str(error)
    return isinstance(error, ConnectTimeoutError)


def _told(error: Any) -> tuple[int, object]:
    """The status that a server answered with, and its error.

    Where copies failed, the status is that of the worst of them (500 of one whose server does not
    know yet that another has taken its place), and what matters is that it did not answer.
    """
    status = error.status_code if isinstance(error.status_code, int) else 0
    info = error.info if isinstance(error.info, dict) else {}
    failed = info.get("_shards", {}).get("failures")
    if failed and "error" not in info:
        return UNAVAILABLE, failed[0]["reason"]
    return status, info.get("error", error.error)


def _cause(error: Any) -> str:
    info = getattr(error, "info", None)
    text = str(info if info is not None else error)
    found = re.search(r"\[Errno -?\d+\] ([^)\n]*)", text)
    return found[1].lower() if found else text.splitlines()[0] if text else "no answer"


def _encoded(body: object) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _kind(body: object) -> str:
    return "application/x-ndjson" if isinstance(body, bytes) else "application/json"
