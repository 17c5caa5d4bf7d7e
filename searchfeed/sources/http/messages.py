"""What is asked, what is answered, and what is not done."""

from __future__ import annotations

import re
from datetime import timedelta

from searchfeed.values import dataclass

# The second branch is for a password with a slash in it: what stands where a port would be is
# none, so it is taken for what it was meant to be rather than shown to everyone.
_USER = re.compile(
    r"""((?:(?:feed:)?[a-z][a-z0-9+.-]*:/+|/+)?)
        ([^/?\#]*|[^/?\#:\[\]]*:(?!\d*(?:[/?\#]|$)).*)@""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)


def redacted(url: str) -> str:
    """A URL without its user and password, fit to be shown.

    >>> redacted("https://anna:secret@example.org/feed?key=1")
    'https://example.org/feed?key=1'
    """
    return split(url)[0]


def split(url: str) -> tuple[str, str]:
    """A URL without its user and password, and these as they stand in it (``user:password``)."""
    match = _USER.match(url)
    if match is None:
        return url, ""
    return match[1] + url[match.end() :], match[2]


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """A feed to fetch, and what is known of it.

    Attributes:
        url: may hold a user and a password, which are sent to its own origin alone.
        etag, last_modified: what its server sent last time, verbatim.
    """

    url: str
    etag: str = ""
    last_modified: str = ""

    def __repr__(self) -> str:
        known = f", etag={self.etag!r}, last_modified={self.last_modified!r}"
        return f"Request({redacted(self.url)!r}{known})"


@dataclass(frozen=True, slots=True)
class Response:
    """An answer that can be used.

    Attributes:
        url: where it came from in the end, without user and password.
        data: the body, decompressed; None where the feed is the one known already.
        etag, last_modified: to be sent next time, verbatim; empty where the server has none.
        content_type: the header, verbatim.
        moved_to: where the feed lives from now on: the end of the redirects that say "permanently",
            up to the first that does not. Empty where it has not moved.
        fresh_for: how long the server says that it will not change; None where it says nothing.
    """

    url: str
    data: bytes | None
    etag: str
    last_modified: str
    content_type: str
    moved_to: str
    fresh_for: timedelta | None


class Refusal(Exception):  # noqa: N818 - it says why a fetch ends, not that this program failed
    """A fetch cannot or must not go on; the client knows for which source.

    Attributes:
        reason, remedy, retry_after, gone: as in ``FetchError``.
    """

    def __init__(
        self,
        reason: str,
        remedy: str = "",
        *,
        retry_after: timedelta | None = None,
        gone: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy
        self.retry_after = retry_after
        self.gone = gone
