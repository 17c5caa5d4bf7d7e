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

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

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
_AT_ONCE = 512
_DIGITS = frozenset(b"0123456789")
_ONE, _SIX, _LOW = np.uint64(1), np.uint64(6), np.uint64(63)
_HALF, _BYTE = np.uint64(32), np.uint64(24)
_SPREAD, _CHAIN = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    numbers = numbers * _SPREAD
    numbers = (numbers ^ (numbers >> _HALF)) * _CHAIN
    return numbers ^ (numbers >> _HALF)


# Any odd numbers would do, as long as they stay the same: what they make stands in indexes.
_FACTORS = _mixed(np.arange(1, SAMPLES + 1, dtype=np.uint64)) | np.uint64(1)


class Texts(NamedTuple):
    """The index terms of n texts.

    Attributes:
        terms: for each term of all the texts its number, text after text.
        counts: how many terms each text has: shape (n,).
    """

    terms: NDArray[np.int32]
    counts: NDArray[np.int32]


def sketch(title: Sequence[str], body: Sequence[str]) -> list[int]:
    """The sketch of a single text, given as index terms.

    >>> any(sketch(["news"], []))
    False
    """
    words = [term.encode() for term in (*title, *body)]
    places = np.arange(len(words), dtype=np.int32)
    both = [
        Texts(terms, np.array([len(terms)], dtype=np.int32))
        for terms in (places[: len(title)], places[len(title) :])
    ]
    found: list[int] = sketches(words, *both)[0].tolist()
    return found


def sketches(words: Sequence[bytes], title: Texts, body: Texts) -> NDArray[np.uint64]:
    """The sketches of texts.

    Args:
        words: the terms, in UTF-8, by their numbers; some may not occur.
        title: what stands in the title of each.
        body: what stands in its body.

    Returns:
        Shape (n, WORDS); the row of a text that has none is all 0.
    """
    lengths = title.counts + body.counts
    starts = _starts(lengths)
    terms = np.empty(len(title.terms) + len(body.terms), dtype=np.int32)
    terms[_places(starts, title.counts)] = title.terms
    terms[_places(starts + title.counts, body.counts)] = body.terms

    table = np.zeros((len(lengths), WORDS), dtype=np.uint64)
    hashes = np.zeros(len(words), dtype=np.uint64)
    present = np.flatnonzero(np.bincount(terms, minlength=len(words)))
    found = [words[number] for number in present.tolist()]
    hashes[present] = _hashes(found)
    table[:, : SAMPLES // 8] = _samples(words, hashes, terms, starts, lengths).view("<u8")
    for place, bits in enumerate(_bits(hashes, 128, _TITLE_BITS), SAMPLES // 8):
        table[:, place] = _joined(bits[title.terms], title.counts)
    (bits,) = _bits(hashes, 64, _NUMBER_BITS)
    bits[present[~np.fromiter(map(_has_digit, found), np.bool_, len(found))]] = 0
    table[:, -1] = _joined(bits[terms], lengths)
    table[lengths < SHORTEST] = 0
    return table


def _samples(
    words: Sequence[bytes],
    hashes: NDArray[np.uint64],
    terms: NDArray[np.int32],
    starts: NDArray[np.int64],
    lengths: NDArray[Any],
) -> NDArray[np.uint8]:
    """The samples of each text: shape (n, SAMPLES)."""
    samples = np.zeros((len(lengths), SAMPLES), dtype=np.uint8)
    short = np.flatnonzero((lengths >= SHORTEST) & (lengths < SHORT))
    ends = starts + lengths
    whole = _hashes(
        b" ".join([words[term] for term in terms[start:end].tolist()])
        for start, end in zip(starts[short].tolist(), ends[short].tolist(), strict=True)
    )
    samples[short] = _mixed(whole)[:, None] * _FACTORS >> _BYTE
    long = np.flatnonzero(lengths >= SHORT)
    for at in range(0, len(long), _AT_ONCE):
        texts = long[at : at + _AT_ONCE]
        first = starts[texts[0]]
        ones = hashes[terms[first : ends[texts[-1]]]]
        twos = ones[:-1] * _CHAIN + ones[1:]
        fours = twos[:-2] * _CHAIN + twos[2:]
        counts = lengths[texts] - 4
        runs = fours[:-1] * _CHAIN + ones[4:]
        runs = _mixed(runs[_places(starts[texts] - first, counts)])
        begins = _starts(counts)
        products = np.empty_like(runs)
        for sample, factor in enumerate(_FACTORS):
            np.multiply(runs, factor, out=products)
            samples[texts, sample] = np.minimum.reduceat(products, begins) >> _BYTE
    return samples


def _starts(counts: NDArray[Any]) -> NDArray[np.int64]:
    starts: NDArray[np.int64] = np.cumsum(counts, dtype=np.int64) - counts
    return starts


def _places(starts: NDArray[np.int64], counts: NDArray[Any]) -> NDArray[np.int64]:
    """So many numbers from each start on, one range after the other."""
    places = np.repeat(starts - _starts(counts), counts)
    places += np.arange(len(places))
    return places


def _joined(bits: NDArray[np.uint64], counts: NDArray[Any]) -> NDArray[np.uint64]:
    """All bits of each text that are set in any of its numbers, of which it has so many."""
    found = np.zeros(len(counts), dtype=np.uint64)
    some = np.flatnonzero(counts)
    if len(some):
        found[some] = np.bitwise_or.reduceat(bits, _starts(counts)[some])
    return found


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


def _hashes(texts: Iterable[bytes]) -> NDArray[np.uint64]:
    digests = b"".join([blake2b(text, digest_size=8).digest() for text in texts])
    return np.frombuffer(digests, dtype="<u8")


def _has_digit(term: bytes) -> bool:
    if term.isascii():
        return not _DIGITS.isdisjoint(term)
    return any(character.isdecimal() for character in term.decode())


def _bits(hashes: NDArray[np.uint64], size: int, count: int) -> NDArray[np.uint64]:
    """The bits of terms in Bloom filters of ``size`` bits, at most ``count`` of each.

    Returns:
        Shape (size / 64, terms): bits 0 to 63 of each, 64 to 127, and so on.
    """
    found = np.zeros((size // 64, len(hashes)), dtype=np.uint64)
    every = np.arange(len(hashes))
    for _ in range(count):
        places = hashes % np.uint64(size)
        found[places >> _SIX, every] |= _ONE << (places & _LOW)
        hashes = hashes // np.uint64(size)
    return found
