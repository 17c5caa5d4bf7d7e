"""A sorted list of byte strings, looked into without reading more of it than it takes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from _typeshed import SupportsLenAndGetItem

    from searchfeed.engines.whoosh.columnar.container import Source


def successor(prefix: bytes) -> bytes | None:
    r"""The least byte string above all that start with ``prefix``; None if there is none.

    >>> successor(b"oil"), successor(b"a\xff"), successor(b"")
    (b'oim', b'b', None)
    """
    head = prefix.rstrip(b"\xff")
    return head[:-1] + bytes((head[-1] + 1,)) if head else None


def prefixed(words: SupportsLenAndGetItem[bytes], prefix: bytes) -> tuple[int, int]:
    """The half-open range of places of sorted words that start with ``prefix``."""
    above = successor(prefix)
    low = bisect_left(words, prefix)
    return low, len(words) if above is None else bisect_left(words, above, low)


class Dictionary(Sequence[bytes]):
    """Byte strings in their order (or, where the order does not matter, in any)."""

    def __init__(self, container: Source, name: str, part: str) -> None:
        # One number of a memoryview is had in half the time of one of an array.
        self._text = text = container.section(name, part)
        self._starts = starts = container.section(name, f"{part}.starts")
        self._width = starts[0] if len(starts) == 1 else 0
        self._count = len(text) // self._width if self._width else max(0, len(starts) - 1)
        end = self._count * self._width if self._width else starts[-1] if len(starts) else 0
        if text.itemsize != 1 or end != len(text):
            raise container.damaged(f"{name} {part}")

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        if isinstance(index, slice):
            start, stop, step = index.indices(self._count)
            if step != 1:
                raise ValueError("only neighbours can be had at once")
            return self._neighbours(start, stop)
        if not 0 <= index < self._count:
            raise IndexError(index)
        if self._width:
            start = index * self._width
            return bytes(self._text[start : start + self._width])
        return bytes(self._text[self._starts[index] : self._starts[index + 1]])

    def head(self, index: int, length: int) -> bytes:
        """The first bytes of a word."""
        if not 0 <= index < self._count:
            raise IndexError(index)
        start = index * self._width if self._width else self._starts[index]
        return bytes(self._text[start : start + length])

    def _neighbours(self, start: int, stop: int) -> list[bytes]:
        if start >= stop:
            return []
        if self._width:
            places = list(range(start * self._width, (stop + 1) * self._width, self._width))
        else:
            places = self._starts[start : stop + 1].tolist()
        base = places[0]
        text = bytes(self._text[base : places[-1]])
        return [text[first - base : last - base] for first, last in pairwise(places)]

    def find(self, word: bytes) -> int:
        """The number of ``word``, or -1."""
        place = bisect_left(self, word)
        return place if place < self._count and self[place] == word else -1

    def prefixed(self, prefix: bytes) -> tuple[int, int]:
        """The half-open range of numbers of the words that start with ``prefix``."""
        return prefixed(self, prefix)
