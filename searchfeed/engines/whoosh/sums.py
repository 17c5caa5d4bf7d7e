"""Sums of the scores of leaves, and which documents have the highest, without adding up the rest.

The best few are found the way MaxScore does it (Turtle and Flood, 1995), on arrays: the documents
that score highest in a leaf are added up, which gives a score that enough documents reach; what
cannot reach it, given the highest scores of the leaves it may be in, is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import TYPE_CHECKING

import numpy as np

from searchfeed.engines.whoosh.arrays import FREQUENT, once
from searchfeed.engines.whoosh.matched import Matched

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.view import Documents, Mask, Numbers

SEEDS = 64
"""At least so many documents with the highest scores of a leaf are added up first."""

CAUTION = 1 - 1e-9
"""Sums in another order differ in the last digits: bounds are taken this much wider."""


@dataclass(frozen=True, eq=False)
class Sum:
    """Scores that are added up, in the order in which ``Scorer.run`` adds them.

    ``size`` is how many document numbers there are.
    """

    parts: tuple[Sum | Matched, ...]
    size: int

    def at(self, documents: Documents) -> Numbers:
        """The scores of some documents."""
        if len(self.parts) == 1:
            return self.parts[0].at(documents)
        nothing = np.zeros(len(documents))
        return reduce(np.add, [part.at(documents) for part in self.parts], nothing)

    @cached_property
    def leaves(self) -> list[Matched]:
        """What scores in it, the lowest of the highest scores first."""
        return sorted(self._scoring(), key=lambda leaf: leaf.most)

    def _scoring(self) -> Iterator[Matched]:
        for part in self.parts:
            if isinstance(part, Sum):
                yield from part.leaves
            elif part.most > 0:
                yield part

    def reached(self, allowed: Mask | None, count: int) -> float:
        """A score that at least ``count`` documents reach; 0 if none was found.

        Args:
            allowed: which documents count; None for all that are in a leaf.
            count: how many.
        """
        for wanted in (max(SEEDS, count), max(SEEDS, 2 * count)):
            documents = self._seeds(allowed, wanted)
            if len(documents) >= count:
                scores = self.at(documents)
                return float(np.partition(scores, -count)[-count])
        return 0.0

    def _seeds(self, allowed: Mask | None, wanted: int) -> Documents:
        """The documents that are among so many best of a leaf."""
        seeds: list[Documents] = []
        for leaf in self.leaves:
            best = leaf.documents[leaf.impacts[:wanted]]
            seeds.append(best if allowed is None else kept(best, allowed))
        return once(seeds) if seeds else np.zeros(0, dtype=np.int32)

    def reaching(self, score: float, allowed: Mask | None) -> Documents:
        """Documents among which all are that have this score, which is above 0; ascending."""
        score *= CAUTION
        found: list[Documents] = []
        before = 0.0
        for leaf in self.leaves:
            # Those that are in a later leaf are found there: the others can add to what they have
            # in this one no more than the highest scores of the leaves before it.
            if before + leaf.most >= score:
                near = leaf.reaching(score - before / CAUTION)
                found.append(near if allowed is None else kept(near, allowed))
            before += leaf.most
        if sum(map(len, found)) * FREQUENT < self.size:
            return once(found)
        together = np.zeros(self.size, dtype=bool)
        for documents in found:
            together[documents] = True
        return numbers(together)


def numbers(mask: Mask) -> Documents:
    """The numbers of the documents that a mask marks."""
    return np.flatnonzero(mask).astype(np.int32)


def kept(documents: Documents, allowed: Mask) -> Documents:
    """Those of some documents that a mask marks."""
    return documents[allowed[documents]]
