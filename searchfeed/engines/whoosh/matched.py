"""Documents with their scores, and what may be asked of them without reading all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from searchfeed.engines.whoosh.arrays import FREQUENT, Ranks
from searchfeed.engines.whoosh.formulas import SOME, TYPED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.view import Documents, Mask, Numbers, Places

IMPACTS = 2_048
"""The highest scores of which the order is kept."""

SAMPLED, MANY = 16, 4
"""One of so many scores is looked at for a bound; so many times more than wanted may reach it."""

DENSE = 4
"""Of more than a quarter of the documents the scores are kept where they are had at once, as soon
as that pays."""

LOOKED_UP = 3
"""Looking a document up in an order costs as much as to spread so many out over all documents."""


@dataclass(frozen=True, eq=False)
class Matched:
    """The documents that match, ascending, with the score of each, never negative.

    ``complete`` tells for each how much it holds of what was wanted: SOME, ALL (a word with a
    typing mistake perhaps), or all as it was TYPED; None where all do.
    """

    documents: Documents
    scores: Numbers
    complete: NDArray[np.int8] | None = None

    @property
    def nbytes(self) -> int:
        """What all of it may take in the end, mask and order included."""
        count = len(self.documents)
        last = self.documents.item(-1) if count else 0
        mask_and_ranks = 2 * last if count * FREQUENT > last else 0
        dense = 8 * last if count * DENSE > last else 0
        return 13 * count + mask_and_ranks + dense + 16 * min(IMPACTS, count)

    def only(self, keep: NDArray[Any]) -> Matched:
        """Those documents that ``keep`` chooses: a mask, or places in order."""
        complete = None if self.complete is None else self.complete[keep]
        return Matched(self.documents[keep], self.scores[keep], complete)

    def partial(self) -> Matched:
        """The same documents, none of which holds all that was wanted."""
        none = np.full(len(self.documents), SOME, dtype=np.int8)
        return Matched(self.documents, self.scores, none)

    def levels(self) -> NDArray[np.int8]:
        """``complete``, spelt out where all hold all."""
        if self.complete is None:
            return np.full(len(self.documents), TYPED, dtype=np.int8)
        return self.complete

    def holding(self, level: int) -> Documents:
        """The documents that are at least so complete."""
        if self.complete is None or level == SOME:
            return self.documents
        return self.documents[self.complete >= level]

    def mask(self, size: int, level: int = SOME) -> Mask:
        """For each of ``size`` document numbers whether it is at least so complete; not to keep."""
        documents = self.holding(level)
        if documents is self.documents and len(documents) * FREQUENT > size:
            if "_mask" not in self.__dict__:
                self.__dict__["_mask"] = _mask(documents, size)
            kept: Mask = self.__dict__["_mask"]
            return kept
        return _mask(documents, size)

    @cached_property
    def _dense(self) -> Numbers:
        """The score of each document up to the last of these, and 0 for all behind it."""
        scores = np.zeros(self.documents.item(-1) + 2)
        scores[self.documents] = self.scores
        return scores

    @cached_property
    def _ranks(self) -> Ranks:
        return Ranks(self.documents)

    @cached_property
    def most(self) -> float:
        """The highest score."""
        return float(self.scores.max(initial=0.0))

    @cached_property
    def impacts(self) -> Places:
        """The places of the highest scores, the highest first."""
        scores = self.scores
        if len(scores) <= IMPACTS:
            return np.argsort(-scores)
        best = _likely_best(scores)
        if best is None:
            best = np.argpartition(scores, -IMPACTS)[-IMPACTS:]
        else:
            best = best[np.argpartition(scores[best], -IMPACTS)[-IMPACTS:]]
        return best[np.argsort(-scores[best])]

    @cached_property
    def _heights(self) -> Numbers:
        """The scores of ``impacts``, negative so that they ascend."""
        return -self.scores[self.impacts]

    def best(self, count: int) -> tuple[Documents, Numbers]:
        """The documents with the ``count`` highest scores, and those that tie with the last.

        In any order, each with its score.
        """
        if count >= len(self.documents):
            return self.documents, self.scores
        if count <= len(self.impacts):
            score = -self._heights.item(count - 1)
        else:
            score = float(np.partition(self.scores, -count)[-count])
        which = self._reaching(score)
        return self.documents[which], self.scores[which]

    def reaching(self, score: float) -> Documents:
        """The documents with this score or a higher one, in any order."""
        return self.documents[self._reaching(score)]

    def _reaching(self, score: float) -> Places | Mask:
        heights = self._heights
        if len(heights) == len(self.scores) or (len(heights) and -heights.item(-1) < score):
            return self.impacts[: int(heights.searchsorted(-score, side="right"))]
        return self.scores >= score

    def at(self, documents: Documents) -> Numbers:
        """The scores of some documents, 0 for those that are not among these."""
        own = self.documents
        if not len(own) or not len(documents):
            return np.zeros(len(documents))
        if len(own) * DENSE > own.item(-1) and self._ranks.due(len(documents)):
            return self._dense.take(documents, mode="clip")
        if len(own) * FREQUENT > own.item(-1):
            rank = self._ranks.of(documents)
            scores = self.scores.take(rank, mode="clip")
            scores[own.take(rank, mode="clip") != documents] = 0.0
            return scores
        if len(documents) * LOOKED_UP > len(own):
            places = documents.astype(np.intp)
            values = np.empty(max(own.item(-1), places.max().item()) + 1)
            values[places] = 0.0
            values[own] = self.scores
            return values.take(places)
        at = own.searchsorted(documents)
        at[at == len(own)] = 0
        found: Numbers = self.scores[at]
        found[own[at] != documents] = 0.0
        return found


def _likely_best(scores: Numbers) -> Places | None:
    """The places of at least ``IMPACTS`` of the highest scores; None where a sample tells no bound.

    A partition of all scores takes twenty times as long as a comparison with a bound.
    """
    sample = scores[::SAMPLED]
    rank = IMPACTS * 3 // (2 * SAMPLED)
    if not 0 < rank < len(sample):
        return None
    bound = np.partition(sample, len(sample) - rank)[len(sample) - rank]
    found = np.flatnonzero(scores >= bound)
    return found if IMPACTS <= len(found) <= MANY * IMPACTS else None


def _mask(documents: Documents, size: int) -> Mask:
    mask = np.zeros(size, dtype=bool)
    mask[documents] = True
    return mask
