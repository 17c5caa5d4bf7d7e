"""What it is worth that words which are neighbours in a query stand close together in a text.

Such a pair counts as a term of its own (after Metzler and Croft's sequential dependence, SIGIR
2005), in the best entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from searchfeed.engines.whoosh.formulas import (
    NEAR,
    NEAR_FIELDS,
    NEAR_LENGTH,
    WINDOW,
    inverse_document_frequency,
    saturated,
)
from searchfeed.engines.whoosh.rows import tally
from searchfeed.engines.whoosh.spots import places

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.matching import Matcher
    from searchfeed.engines.whoosh.meaning import Pair
    from searchfeed.engines.whoosh.spots import Spots
    from searchfeed.engines.whoosh.view import Documents, Mask, Numbers, Places, View


class Bonus(NamedTuple):
    """What documents get for one pair in one field; ``clause`` says so to people."""

    clause: str
    documents: Documents
    scores: Numbers


def bonuses(
    view: View, matcher: Matcher, pairs: Sequence[Pair], among: Documents
) -> Iterator[Bonus]:
    """What pairs of neighbours are worth to some documents, which ascend."""
    words = dict.fromkeys(word for pair in pairs for word in pair)
    for field in NEAR_FIELDS:
        spots = {word: matcher.spots(word, field, among) for word in words}
        held = {word: _holding(found, len(among)) for word, found in spots.items()}
        # Positions are read where both words of a pair stand, and nowhere else.
        wanted = {word: np.zeros(len(among), dtype=bool) for word in words}
        for one, other in pairs:
            both = held[one] & held[other]
            wanted[one] |= both
            wanted[other] |= both
        read = {
            word: places([each.only(wanted[word]) for each in found], among)
            for word, found in spots.items()
        }
        for one, other in pairs:
            documents, counts = close(read[one], read[other])
            if len(documents):
                rarity = inverse_document_frequency(len(documents), view.count)
                weighted = counts / view.norm(field, NEAR_LENGTH, documents)
                clause = f"{one.text} near {other.text} in the {field}"
                yield Bonus(clause, documents, NEAR * rarity * saturated(weighted))


def _holding(spots: Sequence[Spots], size: int) -> Mask:
    """Which of so many documents a word stands in."""
    held = np.zeros(size, dtype=bool)
    for each in spots:
        held[each.owners] = True
    return held


def close(first: Places, second: Places) -> tuple[Documents, Numbers]:
    """In which documents, and how often, two words stand within the window, in any order.

    A place of one counts if one of the other follows it.
    """
    # Told apart by the lowest bit, they are merged: this sort makes one of two runs that ascend.
    merged = np.concatenate((first << 1, second << 1 | 1))
    merged.sort(kind="stable")
    words = (merged & 1).astype(bool)
    merged >>= 1
    # Where the word changes stands what follows all that came since the last change.
    changes = np.flatnonzero(words[1:] != words[:-1]) + 1
    if not len(changes):
        return tally(merged[:0])
    places = merged[: changes[-1]]
    gaps = np.repeat(merged.take(changes), np.diff(changes, prepend=0)) - places
    near = gaps <= WINDOW
    same = np.flatnonzero(gaps == 0)
    if len(same):
        # The first word where the second stands as well: the next but that one follows it.
        there = places.take(same)
        gaps = second.take(second.searchsorted(there, side="right"), mode="clip") - there
        near[same] = (gaps > 0) & (gaps <= WINDOW)
    return tally(places[near])
