"""Documents with their scores, of a part of a query."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import reduce

from searchfeed.values import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """The documents that match, with the score of each.

    ``full`` are those that hold all that was wanted; None where all do.
    """

    scores: dict[int, float]
    full: Collection[int] | None = None

    def only(self, keep: Collection[int]) -> Found:
        """Those documents that are among ``keep``."""
        scores = {each: score for each, score in self.scores.items() if each in keep}
        return Found(scores, self.full if self.full is None else scores.keys() & self.full)

    def without(self, out: Collection[int]) -> Found:
        """Those documents that are not among ``out``."""
        return self.only(self.scores.keys() - out)

    def partial(self) -> Found:
        """The same documents, none of which holds all that was wanted."""
        return Found(self.scores, ())

    @property
    def whole(self) -> Collection[int]:
        """``full``, spelt out where all hold all."""
        return self.scores.keys() if self.full is None else self.full


def condition(documents: Collection[int]) -> Found:
    """Documents that meet a condition, which scores nothing."""
    return Found(dict.fromkeys(documents, 0.0))


def union(parts: Sequence[Found]) -> Found:
    """Documents of any part, their scores added; full where a part of theirs is."""
    if len(parts) == 1:
        return parts[0]
    scores = summed([part.scores for part in parts])
    if all(part.full is None for part in parts):
        return Found(scores)
    return Found(scores, set[int]().union(*(part.whole for part in parts)))


def intersection(one: Found, other: Found) -> Found:
    """The documents in both, their scores added; full where both are."""
    both = one.scores.keys() & other.scores.keys()
    scores = {each: one.scores[each] + other.scores[each] for each in both}
    if one.full is None and other.full is None:
        return Found(scores)
    return Found(scores, both.intersection(one.whole, other.whole))


def best(parts: Sequence[Found], required: int) -> Found:
    """Documents of any part, and of the first ``required`` all; full where all parts are."""
    scores = union(parts).scores
    full = set(scores).intersection(*(part.whole for part in parts))
    return reduce(Found.only, (part.scores for part in parts[:required]), Found(scores, full))


def summed(parts: Sequence[dict[int, float]]) -> dict[int, float]:
    """Documents of any part, with the sum of their numbers."""
    sums = dict(parts[0]) if parts else {}
    get = sums.get
    for part in parts[1:]:
        for document, number in part.items():
            sums[document] = get(document, 0.0) + number
    return sums
