"""Many writes at once: in chunks of a megabyte, two on their way, what failed sent again.

A write may be sent twice (an answer can be lost): each has an id, and entries a version, so the
second one changes nothing.
"""

from __future__ import annotations

import json
import secrets
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Self

from searchfeed.engines.opensearch.answers import Missing, is_passing, refusal
from searchfeed.engines.opensearch.cluster import Cluster
from searchfeed.errors import EngineError, EngineUnavailableError
from searchfeed.values import dataclass

CHUNK = 1_000_000
"""Bytes of one request: few enough to be answered in a second or two, so that one which is not
answered in many is sent to another server."""

MOST = 2_000
"""Writes of one request."""

UNDER_WAY = 2
"""Requests that wait for an answer at the same time: while the servers work, more is made ready."""

PATIENCE = 120.0
"""Seconds in which writes are sent again that a server had no room for, or no primary shard."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_NAMED = 3
"""Documents that failed that an error names at most."""


@dataclass(frozen=True, slots=True)
class Write:
    """One write: lines as the server takes them."""

    lines: bytes
    id: str


def index(alias: str, id: str, values: object, version: int) -> Write:
    """Write a document, unless the one that is there has a higher version."""
    head = {"_index": alias, "_id": id, "version": version, "version_type": "external_gte"}
    return _write("index", head, id, values)


def create(alias: str, id: str, values: object) -> Write:
    """Write a document, unless there is one."""
    return _write("create", {"_index": alias, "_id": id}, id, values)


def overwrite(alias: str, id: str, values: object) -> Write:
    """Write a document, whatever is there."""
    return _write("index", {"_index": alias, "_id": id}, id, values)


def delete(alias: str, id: str, version: int) -> Write:
    """Take a document away, unless the one that is there has a higher version."""
    head = {"_index": alias, "_id": id, "version": version, "version_type": "external_gte"}
    return _write("delete", head, id)


def _write(action: str, head: dict[str, Any], id: str, values: object = None) -> Write:
    lines = [_line({action: head})]
    if values is not None:
        lines.append(_line(values))
    return Write(b"".join(lines), id)


def _line(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # A lone surrogate is no character of UTF-8.
    return text.encode("utf-8", "replace") + b"\n"


class Bulk:
    """Takes writes and sends them on; leaving the ``with`` block waits for the last answer.

    Raises:
        EngineError: the cluster refused a write; it names the document and the reason.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._pool = ThreadPoolExecutor(UNDER_WAY, thread_name_prefix="bulk")
        self._under_way: deque[Future[None]] = deque()
        self._waiting: list[Write] = []
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self.finish()
        finally:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def add(self, write: Write) -> None:
        """Take a write; it waits where the servers have enough to do."""
        self._waiting.append(write)
        self._size += len(write.lines)
        if self._size >= CHUNK or len(self._waiting) >= MOST:
            self._send()

    def finish(self) -> None:
        """Wait until everything taken so far is written."""
        self._send()
        while self._under_way:
            self._under_way.popleft().result()

    def _send(self) -> None:
        if not self._waiting:
            return
        while len(self._under_way) >= UNDER_WAY:
            self._under_way.popleft().result()
        chunk, self._waiting, self._size = self._waiting, [], 0
        self._under_way.append(self._pool.submit(send, self._cluster, chunk))


def send(cluster: Cluster, writes: Sequence[Write]) -> None:
    """Send some writes, and those that could not be done for now again.

    Raises:
        EngineError: one of them was refused for good, or until it was no use to go on.
    """
    start = monotonic()
    pause = _FIRST_PAUSE
    while writes:
        answer = cluster.ask(
            "POST",
            "/_bulk",
            b"".join(write.lines for write in writes),
            patience=PATIENCE,
            # An index that is not there is not to be made up by the server.
            require_alias="true",
            filter_path="errors,items.*.status,items.*.error",
        )
        if not answer.get("errors"):
            return
        results = [next(iter(item.values())) for item in answer["items"]]
        failed = [
            (write, result)
            for write, result in zip(writes, results, strict=True)
            if not _is_done(result)
        ]
        hopeless = [
            each for each in failed if not is_passing(int(each[1]["status"]), each[1].get("error"))
        ]
        if hopeless or (failed and monotonic() - start > PATIENCE):
            raise _failure(cluster, hopeless or failed)
        writes = [write for write, _ in failed]
        # Writers that were turned away together should not come back together.
        sleep(pause * (1 + secrets.randbelow(100) / 100) if writes else 0)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _is_done(result: dict[str, Any]) -> bool:
    status = int(result["status"])
    # 409: a newer version is there. 404 without an error: what was to go is not there.
    return status < 300 or status == 409 or (status == 404 and "error" not in result)


def _failure(cluster: Cluster, failed: Sequence[tuple[Write, dict[str, Any]]]) -> EngineError:
    """An error of the kind of the first, that names the documents it is about."""
    result = failed[0][1]
    error = refusal(int(result["status"]), result.get("error", {}), cluster.place)
    ids = ", ".join(write.id for write, _ in failed[:_NAMED])
    more = f" and {len(failed) - _NAMED} more" if len(failed) > _NAMED else ""
    kind = type(error) if isinstance(error, EngineUnavailableError | Missing) else EngineError
    return kind(f"{error} (document {ids}{more})")
