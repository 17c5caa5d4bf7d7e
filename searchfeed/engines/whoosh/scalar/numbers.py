"""Reads the packed numbers of ``columnar.packing`` without arrays."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from functools import cache

from searchfeed.engines.whoosh.columnar.layout import SPAN

Section = Callable[[str], memoryview]
"""From a part to the numbers of a field's section; see ``Container.section``."""


class Runs:
    """Numbers as ``RunsWriter`` writes them; ``fits`` tells whether the parts fit each other."""

    def __init__(self, section: Section, part: str) -> None:
        self._low = section(part)
        self._places = section(f"{part}.at")
        self._high = section(f"{part}.high")
        self.fits = len(self._places) == len(self._high) and (
            not self._low or self._low.itemsize == 2
        )

    def __len__(self) -> int:
        return len(self._low)

    def item(self, place: int) -> int:
        """One number."""
        run = bisect_right(self._places, place)
        low: int = self._low[place]
        return low + (self._high[run - 1] << 16) if run else low

    def range(self, start: int, stop: int) -> list[int]:
        """The numbers from ``start`` to ``stop``."""
        first, last = bisect_left(self._places, start), bisect_left(self._places, stop)
        high = self._high[first - 1] << 16 if first else 0
        numbers: list[int] = []
        for place, after in zip(self._places[first:last], self._high[first:last], strict=True):
            numbers += _lifted(self._low[start:place], high)
            start, high = place, after << 16
        return numbers + _lifted(self._low[start:stop], high)


def _lifted(numbers: memoryview, amount: int) -> list[int]:
    return [number + amount for number in numbers] if amount else numbers.tolist()


class Packed:
    """Numbers as ``PackedWriter`` writes them; ``fits`` tells whether the parts fit each other."""

    def __init__(self, section: Section, part: str) -> None:
        self._low = section(part)
        self._starts = section(f"{part}.starts")
        self._places = section(f"{part}.at")
        self._high = section(f"{part}.high")
        form = section(f"{part}.form")
        self._count, self._bits = form if len(form) == 2 else (0, 8)
        spans = -(-self._count // SPAN) + 1 if self._places else 0
        self.fits = (
            len(form) in (0, 2)
            and self._bits in (2, 4, 8, 16)
            and self._low.nbytes == -(-self._count * self._bits // 8)
            and (not self._low or self._low.itemsize == (2 if self._bits == 16 else 1))
            and len(self._starts) == spans
            and (not spans or self._starts[spans - 1] == len(self._places))
            and len(self._places) == len(self._high)
        )

    def __len__(self) -> int:
        return self._count

    def range(self, start: int, stop: int) -> list[int]:
        """The numbers from ``start`` to ``stop``."""
        if start >= stop:
            return []
        numbers = self._lows(start, stop)
        if self._places:
            self._add_higher(numbers, start, stop)
        return numbers

    def _lows(self, start: int, stop: int) -> list[int]:
        if self._bits >= 8:
            return self._low[start:stop].tolist()
        each = 8 // self._bits
        first = start // each
        pressed = bytes(self._low[first : -(-stop // each)])
        spread = bytearray(len(pressed) * each)
        for place, table in enumerate(_tables(self._bits)):
            spread[place::each] = pressed.translate(table)
        return list(spread[start - first * each : stop - first * each])

    def _add_higher(self, numbers: list[int], start: int, stop: int) -> None:
        """Complete the few numbers that need more bits."""
        spans = range(start // SPAN, (stop - 1) // SPAN + 1)
        for span, low, high in zip(
            spans, self._starts[spans.start :], self._starts[spans.start + 1 :], strict=False
        ):
            before = span * SPAN - start
            for place, more in zip(self._places[low:high], self._high[low:high], strict=True):
                if 0 <= before + place < len(numbers):
                    numbers[before + place] |= more << self._bits


@cache
def _tables(bits: int) -> list[bytes]:
    """For each place in a byte what number of so many bits stands there, by the byte."""
    most = (1 << bits) - 1
    return [bytes(byte >> shift & most for byte in range(256)) for shift in range(0, 8, bits)]
