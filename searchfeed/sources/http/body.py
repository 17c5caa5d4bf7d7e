"""The body of an answer, decompressed as it comes and never more than it may have."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from io import BytesIO

from searchfeed.sources.http.messages import Refusal

MAX_ENCODED = 32_000_000
"""Bytes that a compressed body may have on its way."""

MAX_RATIO = 100
"""Times that a body may grow when it is decompressed; feeds grow three to thirty times."""

LARGE = 8_000_000
"""Bytes from which on the ratio matters, and a body has to wait for its turn."""

_PIECE = 1 << 16
_MAX_MEMBERS = 2_000
_GZIP = b"\x1f\x8b"
_TOO_LARGE = "no feed is read that is so large"


class Body:
    """A body in the making. Give it the bytes as they come, and ``finish`` it."""

    def __init__(
        self,
        encoding: str,
        *,
        max_size: int,
        max_encoded: int = MAX_ENCODED,
        before_large: Callable[[], None] | None = None,
    ) -> None:
        """Begin one.

        Args:
            encoding: the header ``Content-Encoding``.
            max_size: bytes that it may have in the end.
            max_encoded: bytes that it may have while compressed.
            before_large: called before it becomes large; may wait.

        Raises:
            Refusal: it is encoded in a way that was not asked for.
        """
        self._max_size = max_size
        self._max_encoded = max_encoded
        self._before_large = before_large
        self._decoder = _decoder(encoding)
        self._data = BytesIO()
        self._received = 0

    def add(self, data: bytes) -> None:
        """Take in the next bytes.

        Raises:
            Refusal: it is too large, or not compressed as it claims.
        """
        self._received += len(data)
        if self._decoder is None:
            self._keep(data)
            return
        if self._received > self._max_encoded:
            size = f"it has more than {_megabytes(self._max_encoded)} MB, compressed"
            raise Refusal(size, _TOO_LARGE)
        self._decoder.add(data)
        self._drain(self._decoder)

    def finish(self) -> bytes:
        """All of it.

        Raises:
            Refusal: a part is missing.
        """
        if self._decoder is not None and self._received and not self._decoder.is_whole:
            raise Refusal("its compressed answer ends in the middle", "try again later")
        return self._data.getvalue()

    def _drain(self, decoder: _Inflater) -> None:
        try:
            while piece := decoder.take():
                self._keep(piece)
        except zlib.error as error:
            raise Refusal("its answer is not compressed as it claims to be") from error

    def _keep(self, data: bytes) -> None:
        size = self._data.tell() + len(data)
        if size > self._max_size:
            raise Refusal(f"it has more than {_megabytes(self._max_size)} MB", _TOO_LARGE)
        if size > LARGE and size > MAX_RATIO * self._received:
            raise Refusal(f"it grows more than {MAX_RATIO} times when it is decompressed")
        if size > LARGE and self._before_large is not None:
            self._before_large()
            self._before_large = None
        self._data.write(data)


class _Inflater:
    """A stream of gzip (of one member or more) or deflate, a bounded piece at a time."""

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._stream: zlib._Decompress | None = None
        self._input = b""
        self._members = 0

    @property
    def is_whole(self) -> bool:
        """Whether the stream could end here; what follows its end is nobody's."""
        return self._members > 0 and self._stream is None

    def add(self, data: bytes) -> None:
        self._input += data

    def take(self) -> bytes:
        """The next piece; empty where it needs more input.

        Raises:
            zlib.error: this is not such a stream.
        """
        while self._stream is not None or self._begin():
            assert self._stream is not None
            piece = self._stream.decompress(self._input, _PIECE)
            if self._stream.eof:
                self._input = self._stream.unused_data
                self._stream = None
            else:
                self._input = self._stream.unconsumed_tail
            if piece or self._stream is not None:
                return piece
        return b""

    def _begin(self) -> bool:
        """Whether another member begins here, and is now under way."""
        if len(self._input) < len(_GZIP):
            return False
        if self._members and not (self._gzip and self._input.startswith(_GZIP)):
            # Servers pad their answers.
            self._input = b""
            return False
        if self._members == _MAX_MEMBERS:
            raise Refusal("its answer is compressed in too many parts")
        self._members += 1
        self._stream = zlib.decompressobj(self._form())
        return True

    def _form(self) -> int:
        if self._gzip:
            return 16 + zlib.MAX_WBITS
        # RFC 9110 means the one with a header by "deflate"; some servers mean the other.
        with_header = self._input[0] & 0x0F == zlib.DEFLATED and not (
            int.from_bytes(self._input[:2], "big") % 31
        )
        return zlib.MAX_WBITS if with_header else -zlib.MAX_WBITS


def _decoder(encoding: str) -> _Inflater | None:
    names = [name.strip().lower() for name in encoding.split(",")]
    match [name for name in names if name not in {"", "identity"}]:
        case []:
            return None
        case ["gzip" | "x-gzip"]:
            return _Inflater(gzip=True)
        case ["deflate"]:
            return _Inflater(gzip=False)
    shown = re.sub(r"[^a-z0-9, -]", "", encoding.lower())[:40]
    raise Refusal(f"its answer is encoded as {shown}, which was not asked for")


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:g}"
