"""What a text says in a few numbers: enough to see whether two entries tell the same story.

They do when one of them says, but for small edits, all that the other says:

- of the runs of five terms in title and body of the shorter text the longer one has at least
  ``CONTAINED``, and at least ``SHARED`` of all runs are in both. Both are estimated from minima of
  hashes (Broder, "On the resemblance and containment of documents", 1997). A text of fewer than
  ``SHORT`` terms is a single run, so short ones have to be equal; one of fewer than ``SHORTEST``
  is like no other;
- the words of one title are all in the other: "Weather warning for Tyrol" and "… for Styria" may
  share a page of advice and are two stories, while a feed may put its name before a title;
- the numbers of one text are all in the other, which is longer by at least as many terms as it
  has numbers more. Reports made from a template differ in their numbers, or have one where the
  other has a word; a byline or a closing paragraph only brings some.

Words and numbers are looked up in filters (Bloom, 1970), which now and then take one for another,
and never miss one that is there; the first condition has to hold as well. Where it is in doubt,
two texts are two stories: a story shown twice costs a line, one that is hidden costs the story.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache, reduce
from hashlib import blake2b
from operator import or_
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHORT, SHORTEST = 32, 8
"""From how many terms on a text has several runs, and from how many on it has a sketch."""

SHARED, CONTAINED = 0.5, 0.8
"""Which part of all runs is in both texts, and of those of the shorter one in the longer."""

SAMPLES = 32
"""How many minima are kept, a byte of each."""

WORDS = SAMPLES // 8 + 3
"""How many numbers of 64 bits a sketch has: the samples, two for the title, one for numbers."""

BANDS, BAND = 8, 3
"""The samples by which like texts are looked up: most pairs have one of these bands in common."""

_TITLE_BITS, _NUMBER_BITS = 3, 2
_REMEMBERED = 65_536
_WORD = 0xFFFFFFFFFFFFFFFF
_HALF, _BYTE = np.uint64(32), np.uint64(24)
_SPREAD, _CHAIN = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    numbers = numbers * _SPREAD
    numbers = (numbers ^ (numbers >> _HALF)) * _CHAIN
    return numbers ^ (numbers >> _HALF)


# Any odd numbers would do, as long as they stay the same: what they make stands in indexes.
_FACTORS = _mixed(np.arange(1, SAMPLES + 1, dtype=np.uint64))[:, None] | np.uint64(1)


def sketch(title: Sequence[str], body: Sequence[str]) -> list[int]:
    """The sketch of a text, given as index terms: ``WORDS`` numbers, all 0 where it has none.

    >>> any(sketch(["news"], []))
    False
    """
    terms = [*title, *body]
    if len(terms) < SHORTEST:
        return [0] * WORDS
    minima = (_mixed(_runs(terms)) * _FACTORS).min(axis=1)
    samples = (minima >> _BYTE).astype(np.uint8).view("<u8").tolist()
    words = reduce(or_, map(_title_bits, title), 0)
    numbers = [term for term in terms if not term.isalpha()]
    return [*samples, words & _WORD, words >> 64, reduce(or_, map(_number_bits, numbers), 0)]


def _runs(terms: list[str]) -> NDArray[np.uint64]:
    """A hash of each run of five terms, or of all of a short text."""
    if len(terms) < SHORT:
        return np.array([_hash(" ".join(terms))], dtype=np.uint64)
    ones = np.frombuffer(array("Q", map(_HASHES.__getitem__, terms)), dtype=np.uint64)
    twos = ones[:-1] * _CHAIN + ones[1:]
    fours = twos[:-2] * _CHAIN + twos[2:]
    return fours[:-1] * _CHAIN + ones[4:]


class Sketches(NamedTuple):
    """Sketches of n texts: shape (n, WORDS), and how many terms each text has: shape (n,)."""

    words: NDArray[np.uint64]
    lengths: NDArray[np.int64]

    def only(self, which: NDArray[np.integer]) -> Sketches:
        """Those at the places given."""
        return Sketches(self.words[which], self.lengths[which])

    def bands(self) -> Iterator[NDArray[np.uint32]]:
        """One band of all texts after the other; a text that is like none must not be among them.

        Each number is below 2**24.
        """
        samples = np.ascontiguousarray(self._samples()[:, : BANDS * BAND].T).astype(np.uint32)
        for one, two, three in samples.reshape(BANDS, BAND, -1):
            yield one << np.uint32(16) | two << np.uint32(8) | three

    def alike(self, others: Sketches) -> NDArray[np.bool_]:
        """For each text whether it tells the same story as the one at its place in ``others``."""
        shared = np.count_nonzero(self._samples() == others._samples(), axis=1) / SAMPLES
        both = shared / (1 + shared) * (self.lengths + others.lengths)
        shorter = np.minimum(self.lengths, others.lengths)
        words, other_words = (each.words[:, SAMPLES // 8 : -1] for each in (self, others))
        common = words & other_words
        same_title = (common == words).all(axis=1) | (common == other_words).all(axis=1)
        longer = others.lengths - self.lengths
        numbers, other_numbers = self.words[:, -1], others.words[:, -1]
        brought = _count(other_numbers & ~numbers) / _NUMBER_BITS
        lost = _count(numbers & ~other_numbers) / _NUMBER_BITS
        same_numbers = ((lost == 0) & (brought <= np.maximum(longer, 0))) | (
            (brought == 0) & (lost <= np.maximum(-longer, 0))
        )
        found: NDArray[np.bool_] = (
            (shared >= SHARED) & (both >= CONTAINED * shorter) & same_title & same_numbers
        )
        return found

    def _samples(self) -> NDArray[np.uint8]:
        return np.ascontiguousarray(self.words[:, : SAMPLES // 8]).view(np.uint8)


def _count(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """How many bits are set in each."""
    bits = np.unpackbits(np.ascontiguousarray(words).view(np.uint8)).reshape(-1, 64)
    counts: NDArray[np.int64] = bits.sum(axis=1, dtype=np.int64)
    return counts


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


class _Hashes(dict[str, int]):
    """Faster than a cache that orders what it remembers: every term of every text comes by."""

    def __missing__(self, term: str) -> int:
        if len(self) >= _REMEMBERED:
            self.clear()
        found = self[term] = _hash(term)
        return found


_HASHES = _Hashes()


@lru_cache(_REMEMBERED)
def _title_bits(term: str) -> int:
    return _bits(term, 128, _TITLE_BITS)


@lru_cache(_REMEMBERED)
def _number_bits(term: str) -> int:
    """Nothing for a term without a digit."""
    number = any(character.isdecimal() for character in term)
    return _bits(term, 64, _NUMBER_BITS) if number else 0


def _bits(term: str, size: int, count: int) -> int:
    """The bits of a term in a Bloom filter of ``size`` bits, at most ``count`` of them."""
    rest, found = _hash(term), 0
    for _ in range(count):
        rest, place = divmod(rest, size)
        found |= 1 << place
    return found
