"""A file of named arrays: written once, checked when it is opened, mapped and never copied.

``docs/index-format.md`` draws it. Nothing in it is ever executed or unpickled: a header, flat
little-endian arrays, and a table of contents in JSON. Every number of that table is checked before
it is used, so a damaged or hostile file is refused and never read outside its bounds.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import sys
import zlib
from array import array as numbers_of
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias

from searchfeed.errors import EngineError, IndexVersionError

if TYPE_CHECKING:
    import numpy as np

    Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

MAGIC = b"\x89SFCOL\r\n"
"""As in PNG: a byte above 127 and a line break show what a transfer as text has broken."""

VERSION = 2
"""Raised when sections mean something else; the header and the table are the same in all."""

HEADER = struct.Struct("<8sIIQQI")
"""Magic, version, zero, offset and length of the table of contents, its crc32.

The header's own crc32 follows, then zeros up to ``HEADER_SIZE``.
"""

HEADER_SIZE = 64
ALIGNMENT = 8
TYPES = dict(
    zip(("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8"), "BHIQbhiqfd", strict=True)
)
"""What numpy calls the types of sections, and what ``array`` and ``memoryview`` call them."""

Key: TypeAlias = tuple[str, str]
"""What a section belongs to (the name of a field or column, or nothing), and its part in that."""


class CorruptFileError(EngineError):
    """A file of the index is damaged, cut off, or not one of ours."""


class OlderFileError(IndexVersionError):
    """A file of an earlier release, whose sections mean something else."""


def sync_directory(directory: Path) -> None:
    """Make the names in ``directory`` survive a loss of power."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Sink(Protocol):
    """Takes sections."""

    def add(self, name: str, part: str, array: Array) -> None:
        """Take a flat array as the section ``(name, part)``; an empty one makes no section."""
        ...


class Source(Protocol):
    """Gives sections."""

    def section(self, name: str, part: str) -> memoryview:
        """A section's numbers; an empty view if there is no such section."""
        ...

    def array(self, name: str, part: str, code: str = "u1") -> Array:
        """A section, not to be changed; an empty array of ``code`` if there is no such section."""
        ...

    def damaged(self, reason: str) -> CorruptFileError:
        """The error to raise where something cannot be."""
        ...


class Sheet:
    """Sections in memory, to be read as those of a file are."""

    def __init__(self) -> None:
        self._sections: dict[Key, Array] = {}

    def add(self, name: str, part: str, array: Array) -> None:
        """See ``Sink``."""
        if array.size:
            self._sections[name, part] = array

    def section(self, name: str, part: str) -> memoryview:
        """See ``Source``."""
        array = self.array(name, part)
        return array.astype(array.dtype.newbyteorder("="), copy=False).data

    def array(self, name: str, part: str, code: str = "u1") -> Array:
        """See ``Source``."""
        import numpy as np

        section = self._sections.get((name, part))
        return np.zeros(0, dtype=f"<{code}") if section is None else section

    def damaged(self, reason: str) -> CorruptFileError:
        """See ``Source``."""
        return CorruptFileError(f"damaged index in memory ({reason})")


class FileWriter:
    """Writes one file under a temporary name; ``finish`` makes it durable and gives it its name.

    As a context manager it removes the temporary file where ``finish`` was not reached.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._temporary = path.with_name(path.name + ".tmp")
        self._file = self._temporary.open("wb")
        self._file.write(bytes(HEADER_SIZE))
        self._sections: list[list[str | int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._file.closed:
            self._temporary.unlink(missing_ok=True)
            # On a full disk it fails again, and what led here tells more.
            with suppress(OSError):
                self._file.close()

    def add(self, name: str, part: str, array: Array) -> None:
        """Write a flat array as the section ``(name, part)``; an empty one takes no section."""
        if not array.size:
            return
        data = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
        self._file.write(bytes(-self._file.tell() % ALIGNMENT))
        raw = data.view("u1").data
        code = data.dtype.str[1:]
        self._sections.append([name, part, code, self._file.tell(), data.size, zlib.crc32(raw)])
        self._file.write(raw)

    def finish(self, attributes: Mapping[str, Any]) -> None:
        """Write table and header, wait until all is on the disk, then rename."""
        contents = {"attributes": attributes, "sections": self._sections}
        table = json.dumps(contents, separators=(",", ":")).encode()
        header = HEADER.pack(MAGIC, VERSION, 0, self._file.tell(), len(table), zlib.crc32(table))
        self._file.write(table)
        self._file.seek(0)
        self._file.write(header + struct.pack("<I", zlib.crc32(header)))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._temporary.replace(self._path)
        sync_directory(self._path.parent)


class Container:
    """A file of named arrays, opened for reading.

    Attributes:
        path: where it lies.
        version: that of its format, no later than ``VERSION``.
        attributes: what its writer gave to ``finish``.

    Raises:
        CorruptFileError: it is not such a file, or is damaged in a way that shows at once.
        IndexVersionError: it was written by a later release.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.version = VERSION
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < HEADER_SIZE:
                raise self.damaged("it is cut off")
            self._map = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
        self.attributes: dict[str, Any] = {}
        self._sections: dict[Key, tuple[str, int, int, int]] = {}
        self._read_contents(size)

    def damaged(self, reason: str) -> CorruptFileError:
        """The error to raise where something in the file cannot be."""
        return CorruptFileError(f"{self.path}: damaged index file ({reason})")

    def _read_contents(self, size: int) -> None:
        magic, version, _, start, length, checksum = HEADER.unpack_from(self._map)
        (own,) = struct.unpack_from("<I", self._map, HEADER.size)
        if magic != MAGIC:
            raise self.damaged("it does not start as one")
        if own != zlib.crc32(self._map[: HEADER.size]):
            raise self.damaged("its header")
        if version > VERSION:
            raise IndexVersionError(f"{self.path}: format {version}, this release reads {VERSION}")
        self.version = version
        if start < HEADER_SIZE or start + length != size:
            raise self.damaged("it is cut off")
        table = self._map[start : start + length]
        if zlib.crc32(table) != checksum:
            raise self.damaged("its table of contents")
        try:
            contents = json.loads(table)
            self.attributes = dict(contents["attributes"])
            rows = [tuple(row) for row in contents["sections"]]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise self.damaged("its table of contents") from error
        end = HEADER_SIZE
        for row in rows:
            end = self._check_row(row, end, start)

    def _check_row(self, row: tuple[Any, ...], end: int, limit: int) -> int:
        """Take in one line of the table, which must start at ``end`` or later."""
        if tuple(map(type, row)) != (str, str, str, int, int, int):
            raise self.damaged("a line of its table of contents")
        name, part, code, offset, count, checksum = row
        if code not in TYPES or (name, part) in self._sections or offset % ALIGNMENT:
            raise self.damaged(f"the section {name} {part}")
        stop: int = offset + count * int(code[1])
        if offset < end or count < 1 or stop > limit:
            raise self.damaged(f"the place of the section {name} {part}")
        self._sections[name, part] = (code, offset, count, checksum)
        return stop

    def __contains__(self, key: Key) -> bool:
        return key in self._sections

    def sections(self) -> list[Key]:
        """All sections, in the order of the file."""
        return list(self._sections)

    def section(self, name: str, part: str) -> memoryview:
        """The numbers of the section, read where they lie; an empty view if absent."""
        section = self._sections.get((name, part))
        if section is None:
            return memoryview(b"")
        kind, offset, count, _ = section
        raw = memoryview(self._map)[offset : offset + count * int(kind[1])]
        numbers: memoryview = raw.cast(TYPES[kind])  # type: ignore[call-overload]
        return numbers if sys.byteorder == "little" else _turned_round(numbers)

    def array(self, name: str, part: str, code: str = "u1") -> Array:
        """The section as a read-only view of the map; an empty array of ``code`` if absent."""
        import numpy as np

        section = self._sections.get((name, part))
        if section is None:
            return np.zeros(0, dtype=f"<{code}")
        kind, offset, count, _ = section
        return np.frombuffer(self._map, dtype=f"<{kind}", count=count, offset=offset)

    def verify(self) -> None:
        """Read the whole file: every section fits its checksum, and only zeros lie between two.

        Raises:
            CorruptFileError: the first place that differs.
        """
        end = HEADER.size + 4
        with memoryview(self._map) as view:
            for (name, part), (code, offset, count, checksum) in self._sections.items():
                stop = offset + count * int(code[1])
                with view[offset:stop] as raw, view[end:offset] as gap:
                    if zlib.crc32(raw) != checksum or any(gap):
                        raise self.damaged(f"the section {name} {part}")
                end = stop
            start = HEADER.unpack_from(view)[3]
            with view[end:start] as gap:
                if any(gap):
                    raise self.damaged("its end")


def _turned_round(numbers: memoryview) -> memoryview:
    """Little-endian numbers as a machine reads them that has the other order."""
    turned = numbers_of(numbers.format, numbers.tobytes())
    turned.byteswap()
    return memoryview(turned)
