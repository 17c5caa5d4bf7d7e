"""What the headers of an answer say about time, and what is sent back of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

MAX_RETRY_AFTER = timedelta(days=7)
"""A server that asks for more is asked again after this."""

MAX_FRESH = timedelta(days=7)
"""A feed that claims to stay as it is for longer is looked at after this."""

_SECONDS = re.compile(r"\s*([0-9]+)(?:\.[0-9]*)?\s*")
_DIRECTIVE = re.compile(r'([a-z-]+)(?:\s*=\s*(?:"([^"]*)"|([^",\s]*)))?', re.IGNORECASE)
_DIGITS = 16
_SENDABLE = re.compile(r"[ -~\x80-\xff]{1,1000}")


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long ``Retry-After`` asks to be left alone, a week at most; None where it does not."""
    text = headers.get("Retry-After", "")
    wait = _seconds(text)
    if wait is None and (until := date(text)) is not None:
        wait = until - _sent(headers, now)
    if wait is None or wait <= timedelta():
        return None
    return min(wait, MAX_RETRY_AFTER)


def fresh_for(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long the answer holds by ``Cache-Control``, or else ``Expires``, a week at most.

    Nothing at all where it must be asked about each time; None where the server does not say.
    """
    directives = {
        match[1].lower(): match[2] or match[3] or ""
        for match in _DIRECTIVE.finditer(headers.get("Cache-Control", ""))
    }
    if "no-store" in directives or "no-cache" in directives:
        return timedelta()
    fresh = _seconds(directives.get("max-age", ""))
    if fresh is not None:
        fresh -= _seconds(headers.get("Age", "")) or timedelta()
    elif "Expires" in headers:
        # What is no date means "already expired": 0 and -1 are in common use.
        until = date(headers["Expires"])
        fresh = timedelta() if until is None else until - _sent(headers, now)
    if fresh is None:
        return None
    return min(max(fresh, timedelta()), MAX_FRESH)


def content_length(headers: Mapping[str, str]) -> int | None:
    """How many bytes the body has on its way; None where the server does not say."""
    text = headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else None


def date(text: str) -> datetime | None:
    """An HTTP date, in any of its three forms, as aware UTC."""
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            return moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def validator(text: str) -> str:
    """A validator as it came, or nothing where it could not be sent back."""
    return text if _SENDABLE.fullmatch(text) else ""


def _sent(headers: Mapping[str, str], now: datetime) -> datetime:
    """The server's own time, so that a wrong clock on either side makes no difference."""
    return date(headers.get("Date", "")) or now


def _seconds(text: str) -> timedelta | None:
    match = _SECONDS.fullmatch(text)
    # Python refuses to read numbers of thousands of digits, and a timedelta those of twenty.
    return timedelta(seconds=int(match[1].lstrip("0")[:9] or "0")) if match else None
