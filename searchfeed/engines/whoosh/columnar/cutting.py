"""Texts cut at white space, as ``str.split`` does it, into numbers for what stands between.

Texts mostly have stretches that others have too. Those of up to 16 bytes are known by these bytes,
as two numbers, and looked up all at once; only those that are new or longer become strings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from secrets import randbits
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int32]
    Places = NDArray[np.int64]
    Words = NDArray[np.uint64]
    Pair: TypeAlias = tuple[Words, Words]

Number = TypeVar("Number", bound=np.generic)

GAP = ""
"""The stretch that stands between two values of a text."""

SHORT = 16
"""Bytes of UTF-8 that are looked up as numbers."""

LONGEST_REMEMBERED = 40
"""Stretches of more bytes (a paragraph of Japanese, an address) do not come back."""

_OTHER_BLANKS = re.compile("[\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
_BLANK = np.zeros(256, dtype=bool)
_BLANK[[*range(9, 14), *range(28, 33)]] = True
# A byte that no UTF-8 has.
_GAP = b"\xff"
_BETWEEN = b"\n" + _GAP + b"\n"
_MASKS = np.array([(1 << 8 * length) - 1 for length in range(9)], dtype=np.uint64)
_HALF = np.uint64(32)


def pick(values: NDArray[Number], places: NDArray[np.integer]) -> NDArray[Number]:
    """``values[places]`` in half of the time, for places that are known to be there."""
    return values.take(places, mode="clip")


class Cutter:
    """Gives stretches numbers: 0, 1, 2, … as they come. Seldom one has several."""

    def __init__(self) -> None:
        self._table = Table()
        self._longer: dict[bytes, int] = {}
        self._fresh: list[str] = []
        self._count = 0

    def __len__(self) -> int:
        """How many numbers there are."""
        return self._count

    def fresh(self) -> list[str]:
        """The stretches that have got a number since the last time, in the order of the numbers."""
        found, self._fresh = self._fresh, []
        return found

    def cut(self, texts: Iterable[Sequence[str]]) -> tuple[Integers, Integers]:
        """The stretches of texts, each of which is one value or more.

        Returns:
            Their numbers, text after text, and how many stretches each text has.
        """
        encoded = [
            _encoded(values[0]) if len(values) == 1 else _BETWEEN.join(map(_encoded, values))
            for values in texts
        ]
        data = b"\n".join((b"", *encoded, b""))
        starts, stops = _stretches(data)
        sizes = np.fromiter(map(len, encoded), np.int64, len(encoded)) + 1
        bounds = np.searchsorted(starts, np.concatenate(([0], np.cumsum(sizes))))
        return self._numbers(data, starts, stops), np.diff(bounds).astype(np.int32)

    def _numbers(self, data: bytes, starts: Places, stops: Places) -> Integers:
        lengths = stops - starts
        short = lengths <= SHORT
        if b"\0" in data:
            # Zeros stand for no byte at all in the table.
            short[:] = False
        # Long ones are looked up as well, by how they begin: to leave them out takes longer.
        head, tail = _pair(data, starts, lengths)
        found = self._table.find(head, tail)
        new = np.flatnonzero(short & (found < 0))
        if len(new):
            new = new[np.lexsort((tail[new], head[new]))]
            head, tail = head[new], tail[new]
            first = np.ones(len(new), dtype=bool)
            first[1:] = (head[1:] != head[:-1]) | (tail[1:] != tail[:-1])
            numbers = self._count + np.cumsum(first, dtype=np.int32) - np.int32(1)
            found[new] = numbers
            self._table.add(head[first], tail[first], numbers[first])
            at = _pairs(starts, stops, new[first])
            self._name([data[start:stop] for start, stop in at])
        long = np.flatnonzero(~short)
        found[long] = self._long([data[start:stop] for start, stop in _pairs(starts, stops, long)])
        return found

    def _name(self, stretches: list[bytes]) -> None:
        self._count += len(stretches)
        self._fresh += [
            GAP if each == _GAP else each.decode("utf-8", "surrogatepass") for each in stretches
        ]

    def _long(self, stretches: list[bytes]) -> list[int]:
        known = self._longer
        found: list[int] = []
        new: list[bytes] = []
        for stretch in stretches:
            number = known.get(stretch, -1)
            if number < 0:
                number = self._count + len(new)
                new.append(stretch)
                if len(stretch) <= LONGEST_REMEMBERED:
                    known[stretch] = number
            found.append(number)
        self._name(new)
        return found


def _pairs(starts: Places, stops: Places, at: Places) -> Iterable[tuple[int, int]]:
    return zip(starts[at].tolist(), stops[at].tolist(), strict=True)


def _encoded(text: str) -> bytes:
    if text.isascii():
        return text.encode()
    return _OTHER_BLANKS.sub(" ", text).encode("utf-8", "surrogatepass")


def _stretches(data: bytes) -> tuple[Places, Places]:
    """Where each starts and where it stops; white space stands at both ends."""
    blank = _BLANK[np.frombuffer(data, dtype=np.uint8)]
    edges = np.flatnonzero(blank[1:] != blank[:-1]) + 1
    return edges[::2], edges[1::2]


def _pair(data: bytes, starts: Places, lengths: Places) -> Pair:
    """The first bytes of stretches, ``SHORT`` at most, as two numbers each."""
    # Eight bytes from each byte on.
    padded = data + bytes(SHORT)
    eights = np.ndarray(len(data) + 8, dtype="<u8", buffer=padded, strides=(1,))
    head = eights[starts] & _MASKS[np.minimum(lengths, 8)]
    return head, eights[starts + 8] & _MASKS[np.clip(lengths - 8, 0, 8)]


class Table:
    """Pairs of numbers to small numbers, many at once.

    It is a hash table with open addressing. Its factors are drawn anew, so that nobody can write a
    feed whose words all want the same place.
    """

    def __init__(self) -> None:
        self._factors = [np.uint64(randbits(64) | 1) for _ in range(3)]
        self._count = 0
        self._make(12)

    def _make(self, bits: int) -> None:
        self._shift = np.uint64(64 - bits)
        self._last = (1 << bits) - 1
        self._heads = np.zeros(1 << bits, dtype=np.uint64)
        self._tails = np.zeros(1 << bits, dtype=np.uint64)
        self._values = np.full(1 << bits, -1, dtype=np.int32)

    def _places(self, head: Words, tail: Words) -> Places:
        """Where each is looked for first."""
        one, two, three = self._factors
        mixed = head * one ^ tail * two
        mixed = (mixed ^ mixed >> _HALF) * three
        found: Places = (mixed >> self._shift).astype(np.int64)
        return found

    def find(self, head: Words, tail: Words) -> Integers:
        """What is known of each pair; -1 where nothing is."""
        places = self._places(head, tail)
        values = pick(self._values, places)
        left = np.flatnonzero(self._differ(places, head, tail) & (values >= 0))
        while len(left):
            places[left] = places[left] + 1 & self._last
            at = places[left]
            values[left] = self._values[at]
            left = left[self._differ(at, head[left], tail[left]) & (values[left] >= 0)]
        return values

    def _differ(self, places: Places, head: Words, tail: Words) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = pick(self._heads, places) != head
        found |= pick(self._tails, places) != tail
        return found

    def add(self, head: Words, tail: Words, values: Integers) -> None:
        """Take in pairs that are not known yet, each of them once."""
        self._count += len(values)
        if self._count * 2 > len(self._values):
            known = np.flatnonzero(self._values >= 0)
            rows = self._heads[known], self._tails[known], self._values[known]
            self._make((self._count * 3).bit_length())
            self._insert(*rows)
        self._insert(head, tail, values)

    def _insert(self, head: Words, tail: Words, values: Integers) -> None:
        places = self._places(head, tail)
        left = np.arange(len(values))
        while len(left):
            at = places[left]
            free = self._values[at] < 0
            # Of several that want the same free place the last one gets it.
            self._values[at[free]] = values[left[free]]
            won = left[self._values[at] == values[left]]
            self._heads[places[won]] = head[won]
            self._tails[places[won]] = tail[won]
            left = left[self._values[at] != values[left]]
            places[left] = places[left] + 1 & self._last
