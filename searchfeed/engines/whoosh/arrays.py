"""What is done again and again with arrays of numbers that ascend."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

AnyInteger = TypeVar("AnyInteger", bound=np.integer[Any])

SEARCHED = 9
"""Looking a number up in an order costs as much as passing so many by."""

FEW = 4_096
"""Fewer numbers are quicker looked up one by one."""

FREQUENT = 16
"""Of more than a 16th of all numbers it pays to keep a byte for each, to look them up at once; and
to make that pays once a 16th of them have been looked up."""

BLOCK_BITS = 8
"""Numbers that differ in these bits alone are a block: where one stands in it fits a byte."""


class Ranks:
    """Where numbers stand in an array that ascends.

    After some time that is had at once for each, from a byte for each number.

    Args:
        numbers: the array, which is not empty.
    """

    def __init__(self, numbers: NDArray[np.int32]) -> None:
        self._numbers = numbers
        self._asked = 0

    def of(self, some: NDArray[np.int32]) -> NDArray[np.signedinteger[Any]]:
        """Where each of some numbers stands; of one that does not stand there, some place."""
        if not self.due(len(some)):
            self._asked += len(some)
            return np.minimum(self._numbers.searchsorted(some), len(self._numbers) - 1)
        starts, inside = self._table
        places = some.astype(np.intp)
        ranks = starts.take(places >> BLOCK_BITS, mode="clip")
        ranks += inside.take(places, mode="clip")
        return ranks

    def due(self, more: int) -> bool:
        """Whether, with so many more, it pays to have for each number at once what is asked."""
        return (self._asked + more) * FREQUENT >= len(self._numbers)

    @cached_property
    def _table(self) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        """Where each block starts, and for each number where it stands in its block."""
        numbers = self._numbers
        blocks = np.arange(0, numbers.item(-1) + 1, 1 << BLOCK_BITS, dtype=np.int32)
        starts = numbers.searchsorted(blocks).astype(np.int32)
        inside = np.zeros(numbers.item(-1) + 1, dtype=np.uint8)
        inside[numbers] = np.arange(len(numbers)) - starts.take(numbers >> BLOCK_BITS)
        return starts, inside


def members(some: NDArray[np.int32], among: NDArray[np.int32]) -> NDArray[np.bool_]:
    """For each of ``some`` whether it is in ``among``, which ascends."""
    if not len(among) or not len(some):
        return np.zeros(len(some), dtype=bool)
    if len(some) * SEARCHED > len(among):
        there = np.zeros(max(int(some.max()), int(among[-1])) + 1, dtype=bool)
        there[among] = True
        return there[some]
    at = np.searchsorted(among, some)
    at[at == len(among)] = 0
    found: NDArray[np.bool_] = among[at] == some
    return found


def once(parts: Sequence[NDArray[AnyInteger]]) -> NDArray[AnyInteger]:
    """What is in any of some arrays, ascending.

    ``np.unique`` loads ``numpy.ma`` when it is first called, which takes as long as a whole search.
    """
    parts = [part for part in parts if len(part)] or list(parts[:1])
    numbers = np.concatenate(parts)
    # Of pieces that ascend this sort makes one by merging, which reads each but once.
    numbers.sort(kind="stable")
    return numbers[beginnings(numbers)]


def beginnings(ordered: NDArray[Any]) -> NDArray[np.int64]:
    """Where each number begins in an array of numbers in order."""
    if not len(ordered):
        return np.zeros(0, dtype=np.int64)
    return np.concatenate(([0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1))


def _found(ones: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
    """For each of ``ones`` whether it is in ``others``, which ascends."""
    if not len(others):
        return np.zeros(len(ones), dtype=bool)
    at = np.searchsorted(others, ones)
    at[at == len(others)] = 0
    found: NDArray[np.bool_] = others[at] == ones
    return found


def common(ones: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers in both, each of which ascends without doublets."""
    if len(ones) < FEW:
        return ones[_found(ones, others)]
    # Of two runs that ascend this sort makes one by merging, which reads each but once.
    both = np.concatenate((ones, others))
    both.sort(kind="stable")
    return both[np.flatnonzero(both[1:] == both[:-1])]
