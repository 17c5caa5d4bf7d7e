"""What a text says in a few numbers: enough to see whether two entries tell the same story.

Two texts are near duplicates when all of this holds:

- of all runs of five terms in title and body they share at least ``SHARED``, as estimated from
  ``SAMPLES`` minima of hashes (Broder, "On the resemblance and containment of documents", 1997).
  A text of fewer than ``SHORT`` terms is one run, so that short ones have to be equal, and one of
  fewer than ``SHORTEST`` is no near duplicate of anything;
- the words of one title are all in the other: "Weather warning for Tyrol" and "… for Styria" can
  share a page of advice and are two stories, while a feed may put its name before a title;
- the numbers of one text are all in the other. Reports made from a template differ in their
  numbers; a byline or a closing paragraph only adds some.

Words in common are looked up in filters (Bloom, 1970), which can take a word for one that is
there, never the other way round. So a pair is folded too many now and then, where the first
condition holds by itself. Splitting a story from its double costs a reader a line; hiding another
story costs the story: in doubt a pair is none.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import lru_cache, reduce
from hashlib import blake2b
from operator import or_
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHORT, SHORTEST = 32, 8
"""From how many terms on a text has several runs, and from how many on it has a sketch."""

SAMPLES, SHARED = 32, 0.7
"""How many minima are kept, a byte of each, and which part of them near duplicates share."""

WORDS = SAMPLES // 8 + 3
"""How many numbers of 64 bits a sketch has: the samples, two for the title, one for numbers."""

BAND = 4
"""So many samples make a band; two near duplicates almost certainly share one whole."""

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


def alike(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """For each row of two tables of sketches whether they are of near duplicates.

    Args:
        one, other: shape (n, WORDS), no row all 0.
    """
    end = SAMPLES // 8
    shared = np.count_nonzero(_samples(one) == _samples(other), axis=1)
    found: NDArray[np.bool_] = shared >= SHARED * SAMPLES
    for part in (slice(end, end + 2), slice(end + 2, WORDS)):
        ones, others = one[:, part], other[:, part]
        both = ones & others
        found &= (both == ones).all(axis=1) | (both == others).all(axis=1)
    return found


def bands(sketches: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """The bands of each row of a table of sketches: shape (n, SAMPLES // BAND)."""
    return np.ascontiguousarray(sketches[:, : SAMPLES // 8]).view("<u4")


def _samples(sketches: NDArray[np.uint64]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(sketches[:, : SAMPLES // 8]).view(np.uint8)


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
