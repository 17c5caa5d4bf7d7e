"""The pages of a database as they lie on the disk, and the rows in them, read without SQLite.

SQLite gives up a whole table where the page at its root is damaged. Each page of rows can be read
by itself, though. The layout is that of "Database File Format" in SQLite's documentation.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from searchfeed.archive.log import read_log

Value: TypeAlias = int | float | str | bytes | None

PAGE_SIZE = 4096
"""What SQLite makes them of unless it is told another size, and we do not tell it any."""

_TABLE_LEAF = 13
_HEADER = {
    0: b"SQLite format 3\0",
    16: PAGE_SIZE.to_bytes(2, "big"),
    # The mode without a log: the log is in the pages already.
    18: b"\x01\x01",
    20: b"\0\x40\x20\x20",
    44: (4).to_bytes(4, "big"),
    52: bytes(4),
    56: (1).to_bytes(4, "big"),
    64: bytes(8),
    72: bytes(20),
}
"""Of the first page what is the same in every archive, by its place."""


class Pages:
    """The pages of a database with what is committed in its log; the first one is number 1."""

    def __init__(self, database: Path) -> None:
        data = database.read_bytes()
        self._pages = {
            number: data[start : start + PAGE_SIZE].ljust(PAGE_SIZE, b"\0")
            for number, start in enumerate(range(0, len(data), PAGE_SIZE), start=1)
        }
        log = read_log(database)
        ends = [at + 1 for at, (_, _, size) in enumerate(log.frames) if size]
        for number, page, _ in log.frames[: max(ends, default=0)]:
            # A damaged frame may say any number.
            if len(page) == PAGE_SIZE and 0 < number <= len(self._pages) + len(log.frames):
                self._pages[number] = page
        self.count = max(self._pages, default=0)

    def write(self, path: Path) -> None:
        """Make a database of them, whose first page is as right as it can be made."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for number in range(1, self.count + 1):
                file.write(self._pages.get(number, bytes(PAGE_SIZE)))
            for place, right in {**_HEADER, 28: self.count.to_bytes(4, "big")}.items():
                file.seek(place)
                file.write(right)

    def rows(self) -> Iterator[tuple[list[Value], bool]]:
        """Every row of every table that can be read, those that refer to pages not there too.

        With each comes whether it certainly is one: rows that were deleted, and things that only
        look like rows, are among the others.
        """
        free = self._free()
        for number, page in self._pages.items():
            start = 100 if number == 1 else 0
            counted = int.from_bytes(page[start + 3 : start + 5], "big")
            certain = page[start] == _TABLE_LEAF and number not in free
            for place in range((PAGE_SIZE - start - 8) // 2):
                at = start + 8 + 2 * place
                row = self._row(page, int.from_bytes(page[at : at + 2], "big"))
                if row is not None:
                    yield row, certain and place < counted
                elif place >= counted:
                    break

    def _free(self) -> set[int]:
        """The pages that are in no table any more, as far as the list of them can be read."""
        free: set[int] = set()
        trunk = int.from_bytes(self._pages.get(1, bytes(36))[32:36], "big")
        while trunk in self._pages and trunk not in free:
            free.add(trunk)
            following, count, *numbers = struct.unpack(f">{PAGE_SIZE // 4}I", self._pages[trunk])
            free.update(numbers[:count])
            trunk = following
        return free

    def _row(self, page: bytes, at: int) -> list[Value] | None:
        try:
            size, at = _number(page, at)
            _, at = _number(page, at)
            return _values(self._payload(page, at, size))
        except (IndexError, ValueError, struct.error):
            return None

    def _payload(self, page: bytes, at: int, size: int) -> bytes:
        """The bytes of a row; the end of a long one lies on pages of its own."""
        most, least = PAGE_SIZE - 35, (PAGE_SIZE - 12) * 32 // 255 - 23
        if not 0 < size <= self.count * PAGE_SIZE:
            raise ValueError("no row is of this size")
        if size <= most:
            return page[at : at + size]
        here = least + (size - least) % (PAGE_SIZE - 4)
        here = here if here <= most else least
        parts = [page[at : at + here]]
        following, left = int.from_bytes(page[at + here : at + here + 4], "big"), size - here
        while left > 0 and following in self._pages:
            page = self._pages[following]
            parts.append(page[4 : 4 + left])
            following, left = int.from_bytes(page[:4], "big"), left - (PAGE_SIZE - 4)
        # What is missing is at the end, so the values before it are right.
        return b"".join(parts).ljust(size, b"\0")


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of SQLite's variable length, and where it ends."""
    number = 0
    for place in range(at, at + 8):
        number = number << 7 | data[place] & 0x7F
        if data[place] < 0x80:
            return number, place + 1
    return number << 8 | data[at + 8], at + 9


def _values(payload: bytes) -> list[Value]:
    end, at = _number(payload, 0)
    if end > len(payload):
        raise ValueError("its header is longer than the row")
    kinds: list[int] = []
    while at < end:
        kind, at = _number(payload, at)
        kinds.append(kind)
    values: list[Value] = []
    for kind in kinds:
        size = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)[kind] if kind < 10 else (kind - 12) // 2
        raw, at = payload[at : at + size], at + size
        if len(raw) < size or kind in (10, 11):
            raise ValueError("a value that is not there")
        values.append(_value(kind, raw))
    return values


def _value(kind: int, raw: bytes) -> Value:
    if kind == 0:
        return None
    if kind == 7:
        return float(struct.unpack(">d", raw)[0])
    if kind < 10:
        return kind - 8 if kind > 7 else int.from_bytes(raw, "big", signed=True)
    # As it was, should it be no UTF-8, so that it can be compared with a checksum.
    return raw.decode(errors="surrogateescape") if kind % 2 else raw


__all__ = ("Pages", "Value")
