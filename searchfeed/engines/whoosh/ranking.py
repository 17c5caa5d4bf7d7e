"""The best of what a query matches, without scoring the rest; how many match is exact all the same.

What matches is a mask of documents, put together from those of the leaves. Scores are sums over
leaves, of which ``sums.py`` finds the highest; every bound there is a true one, so the result is
that of ``Scorer.run``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Protocol

import numpy as np

from searchfeed import tree
from searchfeed.engines.whoosh.formulas import ALL, RERANKED, SOME, TYPED
from searchfeed.engines.whoosh.matched import Matched
from searchfeed.engines.whoosh.proximity import bonuses
from searchfeed.engines.whoosh.sums import Sum, kept, numbers
from searchfeed.stopping import pause

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.scoring import Scorer
    from searchfeed.engines.whoosh.view import Documents, Mask, Numbers

DRIVEN = 8_192
"""With fewer documents in a leaf that has to match, all of them are scored."""


class Ranked(Protocol):
    """What was found, to be put in order as far as it is shown."""

    @property
    def total(self) -> int:
        """How many documents there are."""
        ...

    @property
    def documents(self) -> Documents:
        """All of them, ascending."""
        ...

    @property
    def mask(self) -> Mask:
        """For each document number whether it is one of them."""
        ...

    def best(self, count: int) -> tuple[Documents, Numbers]:
        """At least those with the ``count`` highest scores, those that tie with the last included.

        In any order, each with its score.
        """
        ...

    def scores(self, documents: Documents) -> Numbers:
        """The scores of some of them."""
        ...


@dataclass(frozen=True)
class Complete:
    """``Ranked`` where everything has been scored."""

    matched: Matched
    size: int

    @property
    def total(self) -> int:
        """See ``Ranked.total``."""
        return len(self.matched.documents)

    @property
    def documents(self) -> Documents:
        """See ``Ranked.documents``."""
        return self.matched.documents

    @cached_property
    def mask(self) -> Mask:
        """See ``Ranked.mask``."""
        return self.matched.mask(self.size)

    def best(self, count: int) -> tuple[Documents, Numbers]:
        """See ``Ranked.best``."""
        return _at_least(self.matched.documents, self.matched.scores, count)

    def scores(self, documents: Documents) -> Numbers:
        """See ``Ranked.scores``."""
        return self.matched.at(documents)


class Ranking:
    """``Ranked`` where only the best are scored.

    Args:
        scorer: a new one; it gathers the patterns.
        node: what is looked for.
    """

    def __init__(self, scorer: Scorer, node: tree.Node) -> None:
        self._scorer = scorer
        self._node = node
        self._size = scorer.view.size
        self._known: dict[int, Matched] = {}
        found = self._plan(node, every=True)
        self._sum = found if isinstance(found, Sum) else Sum((found,), self._size)
        self._single = found if isinstance(found, Matched) else None

    def _plan(self, node: tree.Node, *, every: bool) -> Sum | Matched:
        """How scores come about. With ``every``, all that is found has to match the node.

        What is not a plain sum where a document is found (a conjunction that need not match) is
        scored whole.
        """
        match node:
            case tree.Best(children, required) if every or not required:
                self._scorer.note_pairs(node)
                return Sum(tuple(self._plan(child, every=False) for child in children), self._size)
            case tree.Or(children):
                return Sum(tuple(self._plan(child, every=False) for child in children), self._size)
            case tree.And(children) if every:
                wanted = [child for child in children if not isinstance(child, tree.Not)]
                return Sum(tuple(self._plan(child, every=True) for child in wanted), self._size)
            case tree.Everything() | tree.DateRange() | tree.Flag():
                return Sum((), self._size)
            case tree.Not() if every:
                return Sum((), self._size)
        matched = self._known[id(node)] = self._scorer.evaluate(node)
        return matched

    # What matches

    @cached_property
    def total(self) -> int:
        """See ``Ranked.total``."""
        if self._single is not None:
            return len(self._single.documents)
        return int(np.count_nonzero(self.mask))

    @cached_property
    def documents(self) -> Documents:
        """See ``Ranked.documents``."""
        if self._single is not None:
            return self._single.documents
        return numbers(self.mask)

    @cached_property
    def mask(self) -> Mask:
        """See ``Ranked.mask``."""
        return self._mask(self._node, SOME)

    def _mask(self, node: tree.Node, level: int, *, wanted: bool = True) -> Mask:
        """The documents that match a node and hold so much of what it wants; not to be changed."""
        known = self._known.get(id(node)) if wanted else None
        if known is not None:
            return known.mask(self._size, level)
        match node:
            case tree.Best(children, required):
                masks = [self._mask(child, level, wanted=wanted) for child in children]
                if level > SOME:
                    return reduce(np.logical_and, masks) if masks else self._none()
                return reduce(np.logical_and, masks[:required], self._any(masks))
            case tree.Or(children):
                return self._any([self._mask(child, level, wanted=wanted) for child in children])
            case tree.And(children):
                inside = [child for child in children if not isinstance(child, tree.Not)]
                masks = [self._mask(child, level, wanted=wanted) for child in inside]
                mask = reduce(np.logical_and, masks) if masks else self._everything()
                for child in children:
                    if isinstance(child, tree.Not):
                        mask = mask & ~self._mask(child.child, SOME, wanted=False)
                return mask
            case tree.Not(child):
                return self._everything() & ~self._mask(child, SOME, wanted=False)
            case tree.Everything():
                return self._everything()
            case tree.DateRange(start, end):
                return self._scorer.matcher.dated(start, end)
        return self._scorer.evaluate(node, wanted=False).mask(self._size, level)

    def _none(self) -> Mask:
        return np.zeros(self._size, dtype=bool)

    def _everything(self) -> Mask:
        live = self._scorer.view.live
        return np.ones(self._size, dtype=bool) if live is None else live

    def _any(self, masks: Sequence[Mask]) -> Mask:
        found = self._none()
        for mask in masks:
            found |= mask
        return found

    # Levels of completeness

    @cached_property
    def _tiers(self) -> list[tuple[Mask | None, int, float]]:
        """Documents that hold as much, most first: which, how many, and what is added to each."""
        if not self._can_be_partial(self._node):
            return [(None, self.total, 0.0)]
        typed, some = self._mask(self._node, TYPED), self.mask
        full = self._mask(self._node, ALL) if self._can_be_mistaken() else typed
        masks = [(typed, TYPED), (full & ~typed, ALL), (some & ~full, SOME)]
        sized = [(mask, int(np.count_nonzero(mask)), level) for mask, level in masks]
        there = [tier for tier in sized if tier[1]]
        if len(there) < 2:
            return [(None, self.total, 0.0)]
        highest = self._highest
        lowest = there[-1][2]
        return [(mask, count, (level - lowest) * highest) for mask, count, level in there]

    def _can_be_partial(self, node: tree.Node) -> bool:
        known = self._known.get(id(node))
        if known is not None:
            return known.complete is not None
        match node:
            case tree.Best(children):
                return len(children) > 1 or any(map(self._can_be_partial, children))
            case tree.And(children) | tree.Or(children):
                return any(map(self._can_be_partial, children))
        return False

    def _can_be_mistaken(self) -> bool:
        return any(
            matched.complete is not None and bool((matched.complete == ALL).any())
            for matched in self._known.values()
        )

    # Scores

    @cached_property
    def _reranked(self) -> Matched:
        """The best documents with pairs of neighbours counted in."""
        documents, scores = self._top(None, self.total, RERANKED)
        view, matcher = self._scorer.view, self._scorer.matcher
        for bonus in bonuses(view, matcher, self._scorer.pairs, documents):
            scores[np.searchsorted(documents, bonus.documents)] += bonus.scores
        return Matched(documents, scores)

    @cached_property
    def _highest(self) -> float:
        """The highest score of all before anything is added for completeness."""
        if self._scorer.pairs:
            return self._reranked.most
        return float(self._top(None, self.total, 1)[1].max(initial=0.0))

    def best(self, count: int) -> tuple[Documents, Numbers]:
        """See ``Ranked.best``."""
        if self._single is not None and self._single.complete is None:
            return self._single.best(count)
        found: list[tuple[Documents, Numbers]] = []
        missing = count
        for mask, there, lift in self._tiers:
            documents, scores = self._best_of(mask, there, missing)
            found.append((documents, scores + lift))
            missing -= there
            # With a score of 0 it would be no better than the best of the next tier.
            if missing <= 0 and scores.min(initial=1.0) > 0:
                break
            missing = max(missing, 1)
        if len(found) == 1:
            return found[0]
        documents = np.concatenate([part for part, _ in found])
        scores = np.concatenate([part for _, part in found])
        return _at_least(documents, scores, count)

    def _best_of(self, mask: Mask | None, there: int, count: int) -> tuple[Documents, Numbers]:
        """``best`` of one tier, before anything is added for completeness."""
        if not self._scorer.pairs:
            return self._top(mask, there, count)
        raised = self._reranked
        if mask is not None:
            raised = raised.only(mask[raised.documents])
        if len(raised.documents) >= min(count, there):
            # No document that is not among those scores as high as any of them.
            return _at_least(raised.documents, raised.scores, count)
        documents, scores = self._top(mask, there, count)
        at = np.searchsorted(documents, raised.documents)
        at[at == len(documents)] = 0
        again = documents[at] == raised.documents if len(documents) else at > 0
        scores[at[again]] = raised.scores[again]
        documents = np.concatenate((documents, raised.documents[~again]))
        scores = np.concatenate((scores, raised.scores[~again]))
        return _at_least(documents, scores, count)

    def scores(self, documents: Documents) -> Numbers:
        """See ``Ranked.scores``."""
        scores = self._sum.at(documents)
        if self._scorer.pairs and len(documents):
            raised = self._reranked
            at = np.searchsorted(raised.documents, documents)
            at[at == len(raised.documents)] = 0
            scores = np.where(raised.documents[at] == documents, raised.scores[at], scores)
        for mask, _, lift in self._tiers:
            if mask is not None and lift:
                scores = scores + mask[documents] * lift
        return scores

    # The best sums

    def _top(self, mask: Mask | None, there: int, count: int) -> tuple[Documents, Numbers]:
        """The documents with the highest sums, ascending, and those sums, which may be changed.

        Args:
            mask: which documents count; None for all that match.
            there: how many those are.
            count: how many are wanted; those that tie with the last come on top.
        """
        pause()
        documents = self._candidates(mask, there, count)
        pause()
        return _at_least(documents, self._sum.at(documents), count)

    def _candidates(self, mask: Mask | None, there: int, count: int) -> Documents:
        """Documents among which the best are, ascending."""
        if self._single is not None and mask is None:
            return np.sort(self._single.best(count)[0])
        plain = mask is None and isinstance(self._node, tree.Or | tree.Best) and self._is_union
        allowed = None if plain else self.mask if mask is None else mask
        driver = self._driver
        if driver is not None and len(driver.documents) <= DRIVEN:
            return driver.documents if allowed is None else kept(driver.documents, allowed)
        reached = self._sum.reached(allowed, count) if count < there else 0.0
        if reached <= 0:
            return numbers(self.mask if mask is None else mask)
        return self._sum.reaching(reached, allowed)

    @cached_property
    def _is_union(self) -> bool:
        """Whether all that is in a leaf that scores matches, and nothing else."""
        match self._node:
            case tree.Or(children) | tree.Best(children, 0):
                return all(id(child) in self._known for child in children)
        return False

    @cached_property
    def _driver(self) -> Matched | None:
        """The leaf with the fewest documents that all that is found is in, if there is one."""
        match self._node:
            case tree.And(children):
                needed = children
            case tree.Best(children, required):
                needed = children[:required]
            case _:
                needed = ()
        known = [self._known[id(child)] for child in needed if id(child) in self._known]
        if self._single is not None:
            known = [self._single]
        return min(known, key=lambda leaf: len(leaf.documents), default=None)


def _at_least(documents: Documents, scores: Numbers, count: int) -> tuple[Documents, Numbers]:
    """The documents with the ``count`` highest scores, and those that tie with the last."""
    if count >= len(scores):
        return documents, scores
    keep = scores >= np.partition(scores, -count)[-count]
    return documents[keep], scores[keep]
