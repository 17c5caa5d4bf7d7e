"""What a cluster answers instead of what it was asked for: errors, and answers that lack a part.

An answer in parts is none while one of them failed. Each error becomes one line of ours, with what
can be done about it where that is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from searchfeed.engines.opensearch.address import PASSWORD, USER
from searchfeed.errors import EngineError, EngineUnavailableError

BUSY = 429
UNAVAILABLE = 503
LATE = 504

_PASSING = frozenset({BUSY, 502, UNAVAILABLE, LATE})
"""Answers that another try may change."""

_LEFT = frozenset(
    {
        "already_closed_exception",
        "connect_transport_exception",
        "node_closed_exception",
        "node_disconnected_exception",
        "node_not_connected_exception",
        "send_request_transport_exception",
    }
)
"""What a server says (with status 500) whose neighbour went away while it was asked."""

Failures = Iterator[tuple[int, object]]
"""The status and the error of each part of an answer that failed."""


class Missing(EngineError):  # noqa: N818 - an answer, which never leaves this package
    """What was asked for is not in the cluster (status 404)."""


class Slow(EngineUnavailableError):  # noqa: N818 - an answer, which only ends here as its parent
    """No server answered in time; one that has other copies to ask might."""


class Refused(EngineError):  # noqa: N818 - an answer, which never leaves this package
    """The cluster will not do what it was asked; ``kind`` is its own name for the reason."""

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


def refusal(status: int, error: object, place: str) -> EngineError:
    """What a cluster answered, as an error of ours.

    Args:
        status: of HTTP.
        error: the value of ``error`` in the answer; a text where it was not the cluster's own.
        place: the URL of a server, for a person.
    """
    kind, reason = _reason(error)
    status = _meant(status, kind)
    if _is_closed(status, kind):
        remedy = "make room on its disks, then it opens by itself"
        if "disk" not in reason:
            remedy = "who closed it to writes has to open it again"
        return EngineUnavailableError(f"the cluster takes no writes: {reason} ({remedy})")
    match status:
        case 401:
            return EngineUnavailableError(
                f"the cluster does not know this user; set {USER} and {PASSWORD}, "
                "or write them to ~/.netrc"
            )
        case 403:
            return EngineUnavailableError(
                f"the cluster's user may not do that: {reason} (docs/scale.md lists the rights)"
            )
        case 404:
            return Missing(reason)
        case 429:
            return EngineUnavailableError(
                f"the cluster has too much to do: {reason} (try again later, or give it more nodes)"
            )
        case 504:
            return Slow(f"the cluster did not finish in time: {reason}{_health(place)}")
        case 502 | 503:
            return EngineUnavailableError(f"the cluster is not whole: {reason}{_health(place)}")
    if kind.startswith("too_many") or "too many" in reason:
        return Refused("the query has too many words for the cluster; leave some out", kind)
    return Refused(f"the cluster refused: {reason}", kind)


def _health(place: str) -> str:
    return f" (its state: {place}/_cluster/health)"


def is_passing(status: int, error: object) -> bool:
    """Whether another try may change an answer; see ``refusal`` for what it is made of."""
    kind, _ = _reason(error)
    status = _meant(status, kind)
    return status in _PASSING and not _is_closed(status, kind)


def _meant(status: int, kind: str) -> int:
    """The status that says what is wrong: a server that lost another says 500, as of a fault."""
    return UNAVAILABLE if kind in _LEFT else status


def _is_closed(status: int, kind: str) -> bool:
    """Whether an index is closed to writes, which no second try will open.

    What a cluster cannot do while nobody leads it is blocked too, and may be done a second later.
    """
    return status != UNAVAILABLE and kind == "cluster_block_exception"


def _reason(error: object) -> tuple[str, str]:
    """The server's name for what went wrong, and its words, of the innermost cause."""
    if not isinstance(error, dict):
        return "", str(error)
    causes = error.get("root_cause") or [error]
    cause = causes[0] if isinstance(causes[0], dict) else error
    kind = str(cause.get("type") or error.get("type") or "")
    reason = str(cause.get("reason") or error.get("reason") or kind)
    return kind, reason.splitlines()[0] if reason else kind


# Answers in parts


def unsearched(found: Any) -> Failures:
    """Of a search the parts of the index that it passed over, asked not to or not."""
    shards = found.get("_shards", {})
    for each in shards.get("failures", ()):
        yield UNAVAILABLE, each["reason"]
    if shards.get("failed"):
        yield UNAVAILABLE, f"{shards['failed']} of {shards['total']} parts did not answer"
    if found.get("timed_out"):
        yield LATE, "the search was broken off"


def unanswered(found: Any) -> Failures:
    """Of several searches those that failed."""
    for each in found["responses"]:
        if "error" in each:
            yield each["status"], each["error"]
        else:
            yield from unsearched(each)


def unread(found: Any) -> Failures:
    """Of some documents those of which nobody knows whether they are there."""
    for each in found["docs"]:
        if "error" in each:
            gone = _reason(each["error"])[0] == "index_not_found_exception"
            yield 404 if gone else UNAVAILABLE, each["error"]


def unrefreshed(found: Any) -> Failures:
    """The copies that do not show what was written.

    Those that no server has are not among them: they show it as soon as they are there.
    """
    for each in found["_shards"].get("failures", ()):
        yield UNAVAILABLE, each["reason"]
