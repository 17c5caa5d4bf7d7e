"""Words that are spelt alike: the edit distance from one word to a whole dictionary at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BITS = 64


class Spellings:
    """Texts that are to be compared with many words.

    An edit adds, leaves out or changes a character, or swaps two neighbours (the optimal string
    alignment distance).

    >>> places, edits = Spellings(["trafficking", "tracing", "trafikign"]).near("trafiking", 2)
    >>> places.tolist(), edits.tolist()
    ([0, 2], [2, 1])
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._lengths = np.fromiter(map(len, texts), np.int32, len(texts))
        self._starts = np.cumsum(self._lengths, dtype=np.int64) - self._lengths
        self._codes = _codes("".join(texts))
        # One bit for each letter that a text has. reduceat takes no text for empty.
        self._letters = np.zeros(len(texts), dtype=np.uint64)
        some = self._lengths > 0
        if some.any():
            self._letters[some] = np.bitwise_or.reduceat(_bits(self._codes), self._starts[some])

    def near(self, text: str, distance: int) -> tuple[NDArray[np.int64], NDArray[np.int16]]:
        """The texts at most ``distance`` edits away from ``text``.

        Returns:
            Their places, ascending, and how many edits each is away.
        """
        places = self._candidates(text, distance)
        edits = self._edits(text, places, distance)
        near = edits <= distance
        return places[near], edits[near]

    def _candidates(self, text: str, distance: int) -> NDArray[np.int64]:
        """Texts that could be near by their length and by the letters that they have."""
        places = np.flatnonzero(np.abs(self._lengths - len(text)) <= distance)
        letters = self._letters[places]
        wanted = np.bitwise_or.reduce(_bits(_codes(text)), initial=np.uint64(0))
        # An edit takes one letter away at most, and brings one in at most.
        added, missing = letters & ~wanted, wanted & ~letters
        for _ in range(distance):
            # This clears the lowest bit that is set.
            added &= added - np.uint64(1)
            missing &= missing - np.uint64(1)
        candidates: NDArray[np.int64] = places[(added | missing) == 0]
        return candidates

    def _edits(self, text: str, places: NDArray[np.int64], most: int) -> NDArray[np.int16]:
        """How far ``text`` is from some texts, right up to ``most``; they are done side by side.

        Only the cells of the usual table that can be reached with so many edits are filled.
        """
        lengths = self._lengths[places]
        width = int(lengths.max(initial=0))
        # Letters beyond a text's end are those of others: no cell that counts depends on them.
        at = np.minimum(self._starts[places] + np.arange(width)[:, None], len(self._codes) - 1)
        columns = self._codes[at]
        codes = _codes(text).tolist()
        far = np.full(len(places), most + 1, dtype=np.int16)
        # rows[column]: the edits from the first letters of text to those of each of the others.
        before: dict[int, NDArray[np.int16]] = {}
        last = {column: np.full_like(far, column) for column in range(min(most, width) + 1)}
        for row, code in enumerate(codes, start=1):
            rows = {0: np.full_like(far, row)} if row <= most else {}
            for column in range(max(1, row - most), min(width, row + most) + 1):
                letters = columns[column - 1]
                best = last.get(column - 1, far) + (letters != code)
                one_more = np.minimum(last.get(column, far), rows.get(column - 1, far)) + 1
                best = np.minimum(best, one_more)
                if row > 1 and column > 1:
                    swapped = (letters == codes[row - 2]) & (columns[column - 2] == code)
                    other = np.minimum(best, before.get(column - 2, far) + 1)
                    best = np.where(swapped, other, best)
                rows[column] = best.astype(np.int16, copy=False)
            before, last = last, rows
        edits = far
        for column, found in last.items():
            edits = np.where(lengths == column, found, edits)
        return edits


def _codes(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def _bits(codes: NDArray[np.uint32]) -> NDArray[np.uint64]:
    return np.uint64(1) << (codes % np.uint32(_BITS)).astype(np.uint64)
