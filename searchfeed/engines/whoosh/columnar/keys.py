"""Second keys of the terms of a field: stems, or forms without accents, to find terms by.

Most stems are how their term begins, so of these only the length is kept, and the terms in the
order of their keys: nearly their own order, so a term is kept as how far it is from its place.
Other keys are written out.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise
from operator import add
from typing import TYPE_CHECKING

from searchfeed.engines.whoosh.columnar.dictionary import Dictionary, prefixed

if TYPE_CHECKING:
    from _typeshed import SupportsLenAndGetItem

    from searchfeed.engines.whoosh.columnar.container import Source


class KeysReader:
    """Reads what ``write_keys`` wrote.

    Args:
        container, name, part: as there.
        words: the terms.
    """

    def __init__(self, container: Source, name: str, part: str, words: Dictionary) -> None:
        self._cut = _Cut(
            words,
            container.section(name, f"{part}.shifts"),
            container.section(name, f"{part}.lengths"),
        )
        self._written = Dictionary(container, name, part)
        self._starts = container.section(name, f"{part}.terms.starts")
        self._terms = container.section(name, f"{part}.terms")
        starts = len(self._written) + 1
        if (
            len(self._cut.shifts) != len(self._cut.lengths)
            or len(self._starts) not in (starts, 0 if starts == 1 else starts)
            or (len(self._starts) and self._starts[-1] != len(self._terms))
        ):
            raise container.damaged(f"{name} {part}")

    def find(self, wanted: bytes, *, prefix: bool) -> list[int]:
        """The numbers of the terms with this key, or one that starts with it, ascending."""
        if not len(self._cut.lengths) and not len(self._written):
            return []
        low, high = _bounds(self._cut, wanted, prefix=prefix)
        first, last = _bounds(self._written, wanted, prefix=prefix)
        found = self._cut.terms(low, high)
        if first < last:
            found += self._terms[self._starts[first] : self._starts[last]]
        found.sort()
        return found

    def texts(self) -> Iterator[tuple[str, str]]:
        """Each term that has a key, and the key."""
        words = self._cut.words[:]
        cut = [words[term] for term in self._cut.terms(0, len(self._cut))]
        for word, length in zip(cut, self._cut.lengths, strict=True):
            yield word.decode(), word[:length].decode()
        for key, (start, stop) in zip(self._written[:], pairwise(self._starts), strict=True):
            text = key.decode()
            for term in self._terms[start:stop]:
                yield words[term].decode(), text


class _Cut:
    """The keys, in their order, that their terms begin with."""

    def __init__(self, words: Dictionary, shifts: memoryview, lengths: memoryview) -> None:
        self.words = words
        self.shifts = shifts
        self.lengths = lengths

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> bytes:
        return self.words.head(index + self.shifts[index], self.lengths[index])

    def terms(self, low: int, high: int) -> list[int]:
        """The numbers of the terms of the keys from ``low`` to ``high``."""
        return list(map(add, range(low, high), self.shifts[low:high]))


def _bounds(keys: SupportsLenAndGetItem[bytes], wanted: bytes, *, prefix: bool) -> tuple[int, int]:
    """The half-open range of sorted keys that are, or start with, one."""
    if prefix:
        return prefixed(keys, wanted)
    low = high = bisect_left(keys, wanted)
    end = len(keys)
    while high < end and keys[high] == wanted:
        high += 1
    return low, high
