"""Whole numbers in few bytes, any range of which unpacks with a few passes of numpy.

Two forms, both flat. ``Packed``: the low 8 or 16 bits of each number; the few that need more have
their place and higher bits listed apart. ``Runs``: the low 16 bits, and a list of where the higher
bits change; for ascending document numbers they seldom do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.columnar.container import Array, Container, FileWriter

    Integers = NDArray[np.int32]

FEW_RUNS = 8
"""Up to so many runs are quicker added one by one."""

LARGEST = 2**31 - 1
"""No document number, frequency or position is larger."""


def narrow(values: Array) -> Array:
    """The same numbers (none negative) in the smallest unsigned type that holds them all."""
    largest = int(values.max()) if values.size else 0
    for code in ("u1", "u2", "u4"):
        if largest <= np.iinfo(code).max:
            return values.astype(f"<{code}", copy=False)
    return values.astype("<u8", copy=False)


def counts(starts: Array) -> NDArray[np.int64]:
    """How many things lie between neighbouring starts, the last of which is an end."""
    wide = starts.astype(np.int64)
    return wide[1:] - wide[:-1]


def between(places: Array, start: int, stop: int) -> tuple[int, int]:
    """Which of the ascending ``places`` lie in [start, stop)."""
    # Keys of another type would make numpy convert, and so read, the whole array; what is beyond
    # the last place need not fit the type.
    final = places.item(-1) if len(places) else -1
    if start > final:
        return len(places), len(places)
    keys = (start,) if stop > final else (start, stop)
    found = places.searchsorted(np.array(keys, dtype=places.dtype)).tolist()
    return found[0], found[1] if len(found) > 1 else len(places)


class PackedWriter:
    """Collects numbers from 0 to ``LARGEST`` in pieces and writes them as one packed array."""

    def __init__(self) -> None:
        self._low: list[Array] = []
        self._places: list[Array] = []
        self._high: list[Array] = []
        self._count = 0

    def append(self, values: Array) -> None:
        """Take the next numbers."""
        large = np.flatnonzero(values > 0xFFFF)
        self._low.append(values.astype("<u2"))
        self._places.append(large + self._count)
        self._high.append(values[large] >> 16)
        self._count += len(values)

    def write(self, writer: FileWriter, name: str, part: str) -> None:
        """Write with 8 bits each if that, with what is listed apart, takes fewer bytes."""
        low = np.concatenate(self._low) if self._low else np.zeros(0, "<u2")
        places = np.concatenate(self._places) if self._places else np.zeros(0, np.int64)
        high = np.concatenate(self._high) if self._high else np.zeros(0, np.int32)
        self._low.clear()
        wide = low > 0xFF
        wide[places] = True
        every = np.flatnonzero(wide)
        if len(low) > 6 * (len(every) - len(places)):
            upper = (low[every] >> 8).astype(np.int32)
            upper[np.searchsorted(every, places)] |= high << 8
            low, places, high = low.astype("<u1"), every, upper
        writer.add(name, part, low)
        writer.add(name, f"{part}.at", narrow(places))
        writer.add(name, f"{part}.high", narrow(high))


class Packed:
    """Reads what ``PackedWriter`` wrote."""

    def __init__(self, container: Container, name: str, part: str) -> None:
        self._low = container.array(name, part)
        self._places = container.array(name, f"{part}.at")
        self._high = container.array(name, f"{part}.high")
        self._bits = 8 * self._low.itemsize
        if len(self._places) != len(self._high) or self._low.dtype.kind != "u":
            raise container.damaged(f"{name} {part}")

    def __len__(self) -> int:
        return len(self._low)

    def range(self, start: int, stop: int) -> Integers:
        """The numbers from ``start`` to ``stop``, as a new array."""
        values = self._low[start:stop].astype(np.int32)
        if len(self._places):
            first, last = between(self._places, start, stop)
            if first < last:
                places = self._places[first:last].astype(np.int64) - start
                values[places] |= self._high[first:last].astype(np.int32) << self._bits
        return values

    def take(self, start: int, stop: int, which: Array) -> Integers:
        """Those of the numbers from ``start`` to ``stop`` at the places ``which``, which ascend."""
        values = self._low[start:stop][which].astype(np.int32)
        if len(self._places) and len(values):
            first, last = between(self._places, start, stop)
            if first < last:
                # The few that need more bits are looked for among the many, not the other way.
                wide = self._places[first:last].astype(np.int64) - start
                at = np.searchsorted(which, wide)
                at[at == len(which)] = 0
                there = which[at] == wide
                values[at[there]] |= self._high[first:last][there].astype(np.int32) << self._bits
        return values


class RunsWriter:
    """Collects document numbers in pieces and writes them as runs of equal higher bits."""

    def __init__(self) -> None:
        self._low: list[Array] = []
        self._places: list[Array] = []
        self._high: list[Array] = []
        self._count = 0
        self._last = 0

    def append(self, values: Array) -> None:
        """Take the next numbers."""
        if not len(values):
            return
        high = values >> 16
        changes = np.flatnonzero(np.diff(high, prepend=np.int32(self._last)))
        self._low.append(values.astype("<u2"))
        self._places.append(changes + self._count)
        self._high.append(high[changes])
        self._count += len(values)
        self._last = int(high[-1])

    def write(self, writer: FileWriter, name: str, part: str) -> None:
        """Write all of them."""
        if self._count:
            low = np.concatenate(self._low)
            self._low.clear()
            writer.add(name, part, low)
            writer.add(name, f"{part}.at", narrow(np.concatenate(self._places)))
            writer.add(name, f"{part}.high", narrow(np.concatenate(self._high)))


class Runs:
    """Reads what ``RunsWriter`` wrote."""

    def __init__(self, container: Container, name: str, part: str) -> None:
        self._low = container.array(name, part, "u2")
        self._places = container.array(name, f"{part}.at")
        self._high = container.array(name, f"{part}.high")
        if len(self._places) != len(self._high) or self._low.dtype != "u2":
            raise container.damaged(f"{name} {part}")

    def __len__(self) -> int:
        return len(self._low)

    def range(self, start: int, stop: int) -> Integers:
        """The numbers from ``start`` to ``stop``, as a new array."""
        values = self._low[start:stop].astype(np.int32)
        if not len(self._places):
            return values
        first, last = between(self._places, start, stop)
        before = self._high.item(first - 1) if first else 0
        if last - first > FEW_RUNS:
            bounds = np.concatenate(([start], self._places[first:last], [start + len(values)]))
            high = np.concatenate(([before], self._high[first:last])).astype(np.int32) << 16
            values += np.repeat(high, counts(bounds))
            return values
        run = 0
        for place, high in zip(
            self._places[first:last].tolist(), self._high[first:last].tolist(), strict=True
        ):
            values[run : place - start] += before << 16
            run, before = place - start, high
        values[run:] += before << 16
        return values

    def take(self, places: Array) -> Integers:
        """The numbers at some places, ascending, as a new array."""
        values = self._low[places].astype(np.int32)
        if len(self._places) and len(places):
            # What is beyond the last change need not fit the type of the places.
            keys = np.minimum(places, self._places.item(-1)).astype(self._places.dtype)
            runs = self._places.searchsorted(keys, side="right")
            high = np.concatenate((np.zeros(1, np.int32), self._high)).astype(np.int32)
            values += high[runs] << 16
        return values
