"""What is stored with each document and given back as it was: JSON, in compressed blocks.

A document is one line of JSON, a block some 16 KB of lines. What JSON has no word for is an object
with one name that starts with ``$``: a date as microseconds, bytes as base64.
"""

from __future__ import annotations

import json
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

import numpy as np

from searchfeed.engines.whoosh.columnar.packing import narrow

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.columnar.container import Container, FileWriter

BLOCK_BYTES = 16_384
LEVEL = 6
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a stored date without a zone comes back without one
MICROSECOND = timedelta(microseconds=1)


def _pack(value: object) -> object:
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            return {"$zoned": value.isoformat()}
        return {"$date": (value - EPOCH) // MICROSECOND}
    import base64
    from decimal import Decimal

    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    raise TypeError(f"a {type(value).__name__} cannot be stored")


_ENCODER = json.JSONEncoder(default=_pack, separators=(",", ":"), ensure_ascii=False)


def _unpack(value: dict[str, Any]) -> object:
    if len(value) == 1:
        ((name, inner),) = value.items()
        if name == "$date":
            return EPOCH + inner * MICROSECOND
        if name == "$zoned":
            return datetime.fromisoformat(inner)
        if name == "$bytes":
            import base64

            return base64.b64decode(inner)
        if name == "$decimal":
            from decimal import Decimal

            return Decimal(inner)
    return value


def to_line(stored: Mapping[str, object]) -> bytes:
    """A document's stored fields as one line of JSON.

    Raises:
        TypeError: a value is of a type that cannot be stored.
    """
    # Most of them are texts, and an encoder that is asked for all takes as long as for four lines.
    pairs = [
        f"{encode_basestring(name)}:"
        + (encode_basestring(value) if type(value) is str else _to_json(value))
        for name, value in stored.items()
    ]
    return f"{{{','.join(pairs)}}}".encode("utf-8", "surrogatepass")


def _to_json(value: object) -> str:
    if type(value) is datetime and value.tzinfo is None:
        return f'{{"$date":{(value - EPOCH) // MICROSECOND}}}'
    return _ENCODER.encode(value)


class StoredWriter:
    """Collects lines and packs them into blocks."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._waiting = 0
        self._blocks: list[bytes] = []
        self._sizes: list[int] = []
        self._firsts: list[int] = []
        self._count = 0
        self.size = 0

    def add(self, line: bytes) -> None:
        """Take the next document's line."""
        self._lines.append(line)
        self._waiting += len(line) + 1
        if self._waiting >= BLOCK_BYTES:
            self._pack_block()

    def extend(self, lines: Iterable[bytes]) -> None:
        """Take the lines of the next documents."""
        for line in lines:
            self.add(line)

    def add_block(self, block: bytes, size: int, lines: int) -> None:
        """Take a block of another file as it is."""
        self._pack_block()
        self._append(block, size, lines)

    def _pack_block(self) -> None:
        if self._lines:
            text = b"\n".join(self._lines)
            self._append(zlib.compress(text, LEVEL), len(text), len(self._lines))
            self._lines, self._waiting = [], 0

    def _append(self, block: bytes, size: int, lines: int) -> None:
        self._blocks.append(block)
        self._sizes.append(size)
        self._firsts.append(self._count)
        self._count += lines
        self.size += len(block)

    def write(self, writer: FileWriter) -> None:
        """Write all blocks."""
        self._pack_block()
        ends = np.cumsum([0, *map(len, self._blocks)], dtype=np.int64)
        writer.add("", "stored", np.frombuffer(b"".join(self._blocks), np.uint8))
        writer.add("", "stored.starts", narrow(ends))
        writer.add("", "stored.sizes", narrow(np.array(self._sizes, np.int64)))
        writer.add("", "stored.firsts", narrow(np.array(self._firsts, np.int64)))


class Stored:
    """Reads what ``StoredWriter`` wrote."""

    def __init__(self, container: Container, doc_count: int) -> None:
        self._container = container
        self._text = container.array("", "stored").data
        self._starts = container.array("", "stored.starts")
        self._sizes = container.array("", "stored.sizes")
        self._firsts: list[int] = container.array("", "stored.firsts").tolist()
        self._doc_count = doc_count
        self._latest: tuple[int, list[bytes]] = (-1, [])
        count = len(self._firsts)
        fits = len(self._sizes) == count and len(self._starts) == (count and count + 1)
        if not fits or bool(count) != bool(doc_count):
            raise container.damaged("stored")

    def get(self, document: int) -> dict[str, Any]:
        """What was stored with a document; empty if nothing was."""
        if not 0 <= document < self._doc_count:
            raise IndexError(f"no document {document}")
        number = bisect_right(self._firsts, document) - 1
        latest, lines = self._latest
        if latest != number:
            lines = self._lines(number)
            self._latest = number, lines
        line = lines[document - self._firsts[number]]
        try:
            text = line.decode("utf-8", "surrogatepass")
            values: dict[str, Any] = json.loads(text, object_hook=_unpack)
        except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
            raise self._container.damaged("stored") from error
        return values

    def _block(self, number: int) -> bytes:
        return bytes(self._text[self._starts.item(number) : self._starts.item(number + 1)])

    def _lines(self, number: int) -> list[bytes]:
        size = self._sizes.item(number)
        try:
            # The limit keeps a block that was made to unpack to gigabytes from doing so.
            text = zlib.decompressobj().decompress(self._block(number), size + 1)
        except zlib.error as error:
            raise self._container.damaged("stored") from error
        lines = text.split(b"\n")
        stop = [*self._firsts, self._doc_count][number + 1]
        if len(text) != size or len(lines) != stop - self._firsts[number]:
            raise self._container.damaged("stored")
        return lines

    def copy(self, target: StoredWriter, live: np.ndarray[Any, np.dtype[np.bool_]] | None) -> None:
        """Hand the live documents to another file, whole blocks unopened where that is possible."""
        for number, first in enumerate(self._firsts):
            stop = [*self._firsts[number + 1 : number + 2], self._doc_count][0]
            whole = live is None or bool(live[first:stop].all())
            if whole and self._sizes.item(number) >= BLOCK_BYTES // 2:
                target.add_block(self._block(number), self._sizes.item(number), stop - first)
                continue
            for document, line in self._documents(number, first):
                if live is None or live[document]:
                    target.add(line)

    def _documents(self, number: int, first: int) -> Iterator[tuple[int, bytes]]:
        return enumerate(self._lines(number), first)
