"""Where a request goes: a URL of http or https, in the one form that is sent."""

from __future__ import annotations

import re
from typing import Self
from urllib.parse import urljoin, urlsplit

from searchfeed.sources.http.messages import Refusal, redacted
from searchfeed.values import dataclass

_PORTS = {"http": 80, "https": 443}
_CONTROLS = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart.

    Attributes:
        url: normalised, percent-encoded, without fragment, user and password.
        scheme: ``http`` or ``https``.
        host: in ASCII.
        port: the number, also where the URL has none.
    """

    url: str
    scheme: str
    host: str
    port: int

    @property
    def origin(self) -> tuple[str, str, int]:
        """What must be the same for a password to be sent there."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """The host and its port."""
        return f"{self.host}:{self.port}"

    @classmethod
    def of(cls, url: str) -> Self:
        """Take a URL without user and password apart.

        Raises:
            Refusal: it is none, or one that is not fetched.
        """
        from urllib3.exceptions import LocationParseError
        from urllib3.util import parse_url

        try:
            parts = parse_url(_in_ascii(url.strip()))
        except (LocationParseError, ValueError) as error:
            raise Refusal("this is not a valid URL", "check it") from error
        if parts.scheme not in _PORTS:
            raise Refusal(
                "only http:// and https:// are fetched", "save it to a file and name that"
            )
        if not parts.host:
            raise Refusal("this URL names no host", "check it")
        port = parts.port or _PORTS[parts.scheme]
        host = parts.host.lower()
        clean = parts._replace(fragment=None, auth=None, path=parts.path or "/")
        return cls(clean.url, parts.scheme, host, port)

    def joined(self, location: str) -> Target:
        """Where the header ``Location`` of an answer leads. A user and password in it are dropped.

        Raises:
            Refusal: to nowhere that can be fetched.
        """
        # Headers are read as Latin-1; what is not ASCII in them is mostly UTF-8.
        raw = location.encode("latin-1", "replace")
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            text = location
        try:
            return Target.of(redacted(urljoin(self.url, text.strip())))
        except (Refusal, ValueError) as error:
            raise Refusal("it redirects to what is not a URL of http or https") from error


def _in_ascii(url: str) -> str:
    """A URL whose host is in ASCII; urllib3 would need another package for that."""
    url = _CONTROLS.sub(lambda match: f"%{ord(match[0]):02X}", url)
    if url.isascii():
        return url
    parts = urlsplit(url)
    netloc = parts.netloc
    if not netloc.isascii():
        netloc = netloc.encode("idna").decode()
    return parts._replace(netloc=netloc).geturl()
