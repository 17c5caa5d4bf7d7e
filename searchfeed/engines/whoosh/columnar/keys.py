"""Second keys of the terms of a field: stems, or forms without accents, to find terms by.

Most stems are how their term begins, so of these only the length is kept, and the terms in the
order of their keys: nearly their own order, so a term is kept as how far it is from its place.
Other keys are written out.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from searchfeed.engines.whoosh.columnar.dictionary import Dictionary, prefixed, write_dictionary
from searchfeed.engines.whoosh.columnar.packing import counts, narrow

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import SupportsLenAndGetItem
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.columnar.container import Array, Sink, Source

    Integers = NDArray[np.int32]

LONGEST = 255
"""A longer beginning of a term is written out."""


def write_keys(
    writer: Sink,
    name: str,
    part: str,
    words: Sequence[bytes],
    make: Callable[[str], str | None],
) -> None:
    """Write the second key that ``make`` has for each term, if it has one.

    Args:
        writer: the file.
        name: the field's name.
        part: what the names of the sections begin with.
        words: the terms, sorted.
        make: tells the key of a term.
    """
    cut: list[tuple[bytes, int]] = []
    written: dict[bytes, list[int]] = {}
    for number, word in enumerate(words):
        text = make(word.decode())
        if text is None:
            continue
        key = text.encode()
        if word.startswith(key) and len(key) <= LONGEST:
            cut.append((key, number))
        else:
            written.setdefault(key, []).append(number)
    cut.sort()
    numbers = np.fromiter((number for _, number in cut), np.int64, len(cut))
    lengths = np.fromiter((len(key) for key, _ in cut), np.uint8, len(cut))
    writer.add(name, f"{part}.shifts", _narrow_signed(numbers - np.arange(len(numbers))))
    writer.add(name, f"{part}.lengths", lengths)
    ordered = sorted(written)
    amounts = [len(written[key]) for key in ordered]
    rest = [number for key in ordered for number in written[key]]
    write_dictionary(writer, name, part, ordered)
    starts = np.cumsum([0, *amounts], dtype=np.int64)
    writer.add(name, f"{part}.terms.starts", narrow(starts))
    writer.add(name, f"{part}.terms", narrow(np.array(rest, np.int64)))


def _narrow_signed(values: Array) -> Array:
    furthest = int(np.abs(values).max(initial=0))
    code = next(code for code in ("i1", "i2", "i4", "i8") if furthest <= np.iinfo(code).max)
    return values.astype(f"<{code}")


class KeysReader:
    """Reads what ``write_keys`` wrote.

    Args:
        container, name, part: as there.
        words: the terms.
    """

    def __init__(self, container: Source, name: str, part: str, words: Dictionary) -> None:
        self._cut = _Cut(
            words,
            container.array(name, f"{part}.shifts", "i1"),
            container.array(name, f"{part}.lengths"),
        )
        self._written = Dictionary(container, name, part)
        self._starts = container.array(name, f"{part}.terms.starts")
        self._terms = container.array(name, f"{part}.terms")
        starts = len(self._written) + 1
        if (
            len(self._cut.shifts) != len(self._cut.lengths)
            or len(self._starts) not in (starts, 0 if starts == 1 else starts)
            or (len(self._starts) and self._starts.item(-1) != len(self._terms))
        ):
            raise container.damaged(f"{name} {part}")

    def find(self, wanted: bytes, *, prefix: bool) -> Integers:
        """The numbers of the terms with this key, or one that starts with it, ascending."""
        low, high = _bounds(self._cut, wanted, prefix=prefix)
        first, last = _bounds(self._written, wanted, prefix=prefix)
        found = self._cut.terms(low, high)
        if first < last:
            start, stop = self._starts.item(first), self._starts.item(last)
            found = np.concatenate((found, self._terms[start:stop].astype(np.int32)))
        found.sort()
        return found

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Each term that has a key, by number, and the key."""
        cut = self._cut
        yield from zip(
            cut.terms(0, len(cut)).tolist(), map(cut.__getitem__, range(len(cut))), strict=True
        )
        for key, amount, first in zip(
            self._written, counts(self._starts), self._starts.tolist(), strict=False
        ):
            for term in self._terms[first : first + amount].tolist():
                yield term, key


class _Cut:
    """The keys, in their order, that their terms begin with."""

    def __init__(self, words: Dictionary, shifts: Array, lengths: Array) -> None:
        self._words = words
        self.shifts = shifts
        self.lengths = lengths
        self._shift, self._length = shifts.data, lengths.data

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> bytes:
        return self._words.head(index + self._shift[index], self._length[index])

    def terms(self, low: int, high: int) -> Integers:
        """The numbers of the terms of the keys from ``low`` to ``high``."""
        return np.arange(low, high, dtype=np.int32) + self.shifts[low:high].astype(np.int32)


def _bounds(keys: SupportsLenAndGetItem[bytes], wanted: bytes, *, prefix: bool) -> tuple[int, int]:
    """The half-open range of sorted keys that are, or start with, one."""
    if prefix:
        return prefixed(keys, wanted)
    low = high = bisect_left(keys, wanted)
    end = len(keys)
    while high < end and keys[high] == wanted:
        high += 1
    return low, high
