"""Whole numbers in few bytes, any range of which unpacks with a few passes of numpy.

Two forms, both flat. ``Packed``: the low 2, 4, 8 or 16 bits of each number, whichever takes least;
the few that need more have their place and higher bits listed apart. ``Runs``: the low 16 bits, and
a list of where the higher bits change; for numbers that ascend they seldom do.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from searchfeed.engines.whoosh.columnar.layout import SPAN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.columnar.container import Array, Sink, Source

    Integers = NDArray[np.int32]
    Wide = tuple[NDArray[np.int64], Integers]

FEW_RUNS = 8
"""Up to so many runs are quicker added one by one."""

WIDTHS = (2, 4, 8, 16)
"""Bits that the low part of a packed number can have."""


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


def _spread_out(bits: int) -> Array:
    """For each byte the numbers of so many bits in it, a byte each, the lowest bits first."""
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    numbers = (np.arange(256, dtype=np.uint8)[:, None] >> shifts) & np.uint8((1 << bits) - 1)
    return np.ascontiguousarray(numbers).view(f"<u{8 // bits}").ravel()


_SPREAD_OUT = {bits: _spread_out(bits) for bits in (2, 4)}


class PackedWriter:
    """Collects numbers, none above ``layout.LARGEST``, in pieces, to be one packed array."""

    def __init__(self) -> None:
        self._low: list[Array] = []
        self._places: list[Array] = []
        self._high: list[Array] = []
        self._beyond = dict.fromkeys(WIDTHS, 0)
        self._count = 0

    def append(self, values: Array) -> None:
        """Take the next numbers."""
        large = np.flatnonzero(values > 0xFFFF)
        self._low.append(values.astype("<u2"))
        for bits in WIDTHS:
            self._beyond[bits] += int(np.count_nonzero(values >= 1 << bits))
        self._places.append(large + self._count)
        self._high.append(values[large] >> 16)
        self._count += len(values)

    def write(self, writer: Sink, name: str, part: str) -> None:
        """Write with as many bits each as, with what is listed apart, take the fewest bytes."""
        if not self._count:
            return
        low, places = np.concatenate(self._low), np.concatenate(self._places)
        self._low.clear()
        size = {bits: len(low) * bits + 16 * self._beyond[bits] for bits in WIDTHS}
        bits = min(WIDTHS, key=size.__getitem__)
        wide = low >= 1 << bits if bits < 16 else np.zeros(len(low), dtype=bool)
        wide[places] = True
        every = np.flatnonzero(wide)
        high = low[every].astype(np.int32) >> bits
        high[every.searchsorted(places)] |= np.concatenate(self._high) << (16 - bits)
        writer.add(name, f"{part}.form", np.array([len(low), bits], "<u8"))
        writer.add(name, part, _pressed(low, bits))
        if len(every):
            spans = np.searchsorted(every, np.arange(0, len(low) + SPAN, SPAN))
            writer.add(name, f"{part}.starts", narrow(spans))
            writer.add(name, f"{part}.at", (every % SPAN).astype("u1"))
            writer.add(name, f"{part}.high", narrow(high))


def _pressed(low: Array, bits: int) -> Array:
    """The low bits of numbers, several in a byte where they fit."""
    if bits == 16:
        return low
    low = low.astype("u1")
    if bits == 8:
        return low
    each = 8 // bits
    low = np.concatenate((low & ((1 << bits) - 1), np.zeros(-len(low) % each, "u1")))
    pressed = low[::each].copy()
    for place in range(1, each):
        pressed |= low[place::each] << np.uint8(place * bits)
    return pressed


class Packed:
    """Reads what ``PackedWriter`` wrote."""

    def __init__(self, container: Source, name: str, part: str) -> None:
        self._low = container.array(name, part)
        self._starts = container.array(name, f"{part}.starts")
        self._places = container.array(name, f"{part}.at")
        self._high = container.array(name, f"{part}.high")
        form = container.array(name, f"{part}.form", "u8").tolist()
        count, bits = form if len(form) == 2 else (0, 8)
        self._count: int = count
        self._bits: int = bits
        spans = -(-count // SPAN) + 1 if len(self._places) else 0
        fits = (
            len(form) in (0, 2)
            and bits in WIDTHS
            and len(self._low) == (-(-count * bits // 8) if bits < 16 else count)
            and self._low.dtype == ("u2" if bits == 16 else "u1")
            and len(self._starts) == spans
            and (not spans or self._starts.item(-1) == len(self._places))
            and len(self._places) == len(self._high)
            and self._places.dtype == "u1"
        )
        if not fits:
            raise container.damaged(f"{name} {part}")

    def __len__(self) -> int:
        return self._count

    def range(self, start: int, stop: int) -> Integers:
        """The numbers from ``start`` to ``stop``, as a new array."""
        values = self._lows(start, stop)
        places, high = self.wide(start, stop)
        if len(places):
            values[places] |= high
        return values

    def take(self, start: int, stop: int, which: Array, wide: Wide | None = None) -> Integers:
        """Those of the numbers from ``start`` to ``stop`` at the places ``which``, which ascend.

        ``wide`` is what the method of that name gives for the same range, if it is known.
        """
        if self._bits < 8:
            each = 8 // self._bits
            at = which + start
            shifts = (at % each * self._bits).astype(np.uint8)
            low = self._low[at // each] >> shifts & np.uint8((1 << self._bits) - 1)
            values: Integers = low.astype(np.int32)
        else:
            values = self._low[start:stop].take(which).astype(np.int32)
        places, high = wide or self.wide(start, stop)
        if len(places) and len(values):
            # The few that need more bits are looked for among the many, not the other way.
            at = which.searchsorted(places)
            there = which.take(at, mode="clip") == places
            values[at[there]] |= high[there]
        return values

    def _lows(self, start: int, stop: int) -> Integers:
        if self._bits >= 8:
            return self._low[start:stop].astype(np.int32)
        each = 8 // self._bits
        first = start // each
        pressed = self._low[first : -(-stop // each)]
        spread = _SPREAD_OUT[self._bits][pressed].view(np.uint8)
        values: Integers = spread[start - first * each : stop - first * each].astype(np.int32)
        return values

    def wide(self, start: int, stop: int) -> Wide:
        """The places, from ``start``, of numbers with more bits, and those bits in their place."""
        if not len(self._places) or start == stop:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)
        first, last = start // SPAN, (stop - 1) // SPAN + 1
        low, high = self._starts.item(first), self._starts.item(last)
        places = self._places[low:high].astype(np.int64)
        if last - first > 1:
            amounts = counts(self._starts[first : last + 1])
            places += np.repeat(np.arange(0, (last - first) * SPAN, SPAN), amounts)
        places += first * SPAN - start
        bits = self._high[low:high].astype(np.int32) << self._bits
        if start % SPAN or stop % SPAN:
            left, right = places.searchsorted((0, stop - start)).tolist()
            places, bits = places[left:right], bits[left:right]
        return places, bits


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

    def write(self, writer: Sink, name: str, part: str) -> None:
        """Write all of them."""
        if self._count:
            low = np.concatenate(self._low)
            self._low.clear()
            writer.add(name, part, low)
            writer.add(name, f"{part}.at", narrow(np.concatenate(self._places)))
            writer.add(name, f"{part}.high", narrow(np.concatenate(self._high)))


class Runs:
    """Reads what ``RunsWriter`` wrote."""

    def __init__(self, container: Source, name: str, part: str) -> None:
        self._low = container.array(name, part, "u2")
        self._places = container.array(name, f"{part}.at")
        self._high = container.array(name, f"{part}.high")
        if len(self._places) != len(self._high) or self._low.dtype != "u2":
            raise container.damaged(f"{name} {part}")

    def __len__(self) -> int:
        return len(self._low)

    @cached_property
    def _changes(self) -> tuple[list[int], list[int]]:
        """Where the higher bits change, and what they are from there on, at first 0."""
        return self._places.tolist(), [0, *self._high.tolist()]

    def item(self, place: int) -> int:
        """One number; meant for few changes, which are remembered."""
        places, high = self._changes
        low: int = self._low.item(place)
        return low + (high[bisect_right(places, place)] << 16)

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
