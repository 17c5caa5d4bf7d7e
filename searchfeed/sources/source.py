"""One source, and the reading of it."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from functools import partial

from searchfeed.errors import FetchError
from searchfeed.values import dataclass

STDIN = "-"
"""The name of the standard input."""

MAX_SIZE = 32_000_000
"""Bytes that a source may have. A feed of 19,000 news stories has 25 million."""

LARGE_SIZE = 100_000_000
"""Bytes that one may have which its user trusts."""

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or the standard input.

    Attributes:
        name: as shown to people: the path as it was typed, or ``-``.
        url: the absolute path, or ``-``.
        max_size: bytes that it may have.
        held: its bytes, where they have been read already.
    """

    name: str
    url: str
    max_size: int = MAX_SIZE
    held: bytes | None = None

    def read(self) -> bytes:
        """All of its bytes.

        Raises:
            FetchError: it is gone, may not be read, is not a regular file, or is too large.
        """
        if self.held is not None:
            return self.held
        try:
            if self.url == STDIN:
                if sys.stdin is None:
                    raise FetchError(self.name, "the standard input is closed")
                return self._drain(sys.stdin.buffer.read)
            # Opening a named pipe would otherwise wait for its other end.
            descriptor = os.open(self.url, os.O_RDONLY | os.O_NONBLOCK)
            try:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise irregular(self.name)
                if status.st_size > self.max_size:
                    raise self._too_large(f" ({status.st_size / 1e6:,.1f} MB)")
                return self._drain(partial(os.read, descriptor))
            finally:
                os.close(descriptor)
        except OSError as error:
            raise unreadable(self.name, error) from error

    def _drain(self, read: Callable[[int], bytes]) -> bytes:
        data = bytearray()
        while chunk := read(_CHUNK):
            data += chunk
            if len(data) > self.max_size:
                raise self._too_large()
        return bytes(data)

    def _too_large(self, found: str = "") -> FetchError:
        remedy = "no feed is read that is so large; divide it"
        if self.max_size < LARGE_SIZE:
            remedy = f"if you trust it, take it in whole with: searchfeed index --large {self.name}"
        limit = f"{self.max_size // 1_000_000} MB"
        return FetchError(self.name, f"not read, because it has more than {limit}{found}", remedy)


def irregular(name: str) -> FetchError:
    """The refusal of a pipe, a socket or a device: reading it could wait for ever, or never end."""
    return FetchError(name, "it is not a regular file", f"to read a pipe, name it {STDIN}")


def unreadable(name: str, error: OSError) -> FetchError:
    """What the system says about a path that cannot be read, as an error of ours."""
    reason = error.strerror or str(error)
    if isinstance(error, PermissionError):
        return FetchError(name, "it may not be read", "check its permissions")
    return FetchError(name, f"it cannot be read: {reason[:1].lower()}{reason[1:]}")
