"""A query tree to documents and scores, on arrays.

Leaves are scored by ``leaves.py``, pairs of neighbours by ``proximity.py``; here they are put
together. Conditions (keyword fields, dates, flags, what is excluded) score nothing.

``Scorer.run`` scores everything that matches; where only the best are wanted, ``ranking.py``
gives the same with less work.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from searchfeed import tree
from searchfeed.engines.whoosh.arrays import members
from searchfeed.engines.whoosh.formulas import ALL, RERANKED, SOME, TYPED
from searchfeed.engines.whoosh.leaves import Leaves
from searchfeed.engines.whoosh.matched import Matched
from searchfeed.engines.whoosh.matching import Matcher
from searchfeed.engines.whoosh.meaning import Pair, neighbours, pieces
from searchfeed.engines.whoosh.proximity import bonuses
from searchfeed.engines.whoosh.values import NO_DATE
from searchfeed.models import Contribution, Pattern
from searchfeed.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.leaves import Scored
    from searchfeed.engines.whoosh.view import Documents, Numbers, View
    from searchfeed.engines.whoosh.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Recency:
    """A preference for newer entries: one of now counts double, one a half-life old 1.5 times.

    ``now`` and ``half_life`` are in microseconds, as the ``date`` column counts.
    """

    now: int
    half_life: int

    def freshness(self, dates: NDArray[np.uint64]) -> Numbers:
        """Between 0 and 1: halved with each half-life; 0 without a date, 1 for what is to come."""
        age = np.maximum(0.0, float(self.now) - dates.astype(np.float64))
        fresh: Numbers = np.where(dates == NO_DATE, 0.0, 0.5 ** (age / self.half_life))
        return fresh


def condition(documents: Documents) -> Matched:
    """Documents that meet a condition, which scores nothing."""
    return Matched(documents, np.zeros(len(documents)))


class Scorer:
    """Answers one query tree on one view, and gathers what its words stand for.

    Args:
        view: the state of the index.
        vocabulary: its terms.
        recency: how much newer entries are preferred; None: not at all.
        explained: a document whose score is gathered piece by piece in ``contributions``; they
            are its score only if it matches.

    Attributes:
        pairs: the words that are neighbours in what was evaluated.
        patterns: what its words look like in a text.
        contributions: what the explained document's score is made of.
    """

    def __init__(
        self,
        view: View,
        vocabulary: Vocabulary,
        *,
        recency: Recency | None = None,
        explained: int | None = None,
    ) -> None:
        self.view = view
        self.matcher = Matcher(view, vocabulary)
        self._leaves = Leaves(view, self.matcher)
        self._words = vocabulary.words
        self._recency = recency
        self._explained = explained
        self.pairs: list[Pair] = []
        self.patterns: list[Pattern] = []
        self.contributions: list[Contribution] = []

    def run(self, node: tree.Node) -> Matched:
        """Every live document that matches ``node``.

        Those that hold all that was wanted get the highest score of all added to theirs, so that
        they stand above those that hold some of it; so again do those that hold it as typed,
        above those that hold a word with a typing mistake.
        """
        matched = self.evaluate(node)
        scores = self._with_neighbours(matched)
        if self._recency is not None:
            dates = self.view.column("date")[matched.documents]
            fresh = scores * self._recency.freshness(dates)
            self._explain_bonus("newer entries are preferred", matched.documents, fresh)
            scores = scores + fresh
        if matched.complete is not None:
            above = matched.complete - matched.complete.min(initial=TYPED)
            if above.any():
                whole = above * scores.max(initial=0.0)
                self._explain_bonus("all that was wanted is there", matched.documents, whole)
                scores = scores + whole
        return Matched(matched.documents, scores, matched.complete)

    def _explain_bonus(self, clause: str, documents: Documents, bonus: Numbers) -> None:
        if self._explained is not None:
            at = np.flatnonzero(documents == self._explained)
            if len(at) and bonus[at[0]]:
                self.contributions.append(Contribution(clause, float(bonus[at[0]])))

    def evaluate(self, node: tree.Node, *, wanted: bool = True) -> Matched:
        """What matches a part of the query, each document with what that part alone scores.

        ``wanted`` is False for what is to be left out: it says nothing of what a hit looks like.
        """
        match node:
            case tree.Best():
                return self._best(node, wanted=wanted)
            case tree.Or(children):
                return self._union([self.evaluate(child, wanted=wanted) for child in children])
            case tree.And(children):
                return self._all(children, wanted=wanted)
            case tree.Not():
                return self._all((node,), wanted=wanted)
            case tree.Everything():
                return condition(self.view.everything())
            case tree.DateRange(start, end):
                return condition(np.flatnonzero(self.matcher.dated(start, end)).astype(np.int32))
            case tree.Flag(name):
                return condition(self.view.holding("flag", name))
        if node.field in tree.KEYWORD_FIELDS:
            return condition(self.matcher.keyword(node))
        if wanted and isinstance(node, tree.Word) and not (node.field or node.exact):
            return self._word(node)
        return self._leaf(node, wanted=wanted)

    def note_pairs(self, best: tree.Best) -> None:
        """Remember which words of it are neighbours in the query."""
        self.pairs += neighbours(best)

    def _best(self, best: tree.Best, *, wanted: bool) -> Matched:
        if wanted:
            self.note_pairs(best)
        parts = [self.evaluate(child, wanted=wanted) for child in best.children]
        union = self._union(parts)
        matched = Matched(union.documents, union.scores, self._complete(parts, len(parts)))
        for part in parts[: best.required]:
            matched = matched.only(members(matched.documents, part.documents))
        return matched

    def _all(self, children: Sequence[tree.Node], *, wanted: bool) -> Matched:
        # What excludes is taken away from the rest instead of being turned inside out first.
        parts = [
            self.evaluate(child, wanted=wanted)
            for child in children
            if not isinstance(child, tree.Not)
        ]
        matched = reduce(_intersection, parts) if parts else condition(self.view.everything())
        for child in children:
            if isinstance(child, tree.Not):
                out = self.evaluate(child.child, wanted=False)
                matched = matched.only(~members(matched.documents, out.documents))
        return matched

    def _union(self, parts: Sequence[Matched]) -> Matched:
        """Documents of any part, their scores added; complete where a part of theirs is."""
        if len(parts) == 1:
            return parts[0]
        documents, scores = self.matcher.summed([(part.documents, part.scores) for part in parts])
        if all(part.complete is None for part in parts):
            return Matched(documents, scores)
        return Matched(documents, scores, self._complete(parts, 1))

    def _complete(self, parts: Sequence[Matched], wanted: int) -> NDArray[np.int8]:
        """How complete the documents of any part are, if so many parts have to be."""

        def reaching(level: int) -> NDArray[np.bool_]:
            found = [(part.documents, part.levels() >= level) for part in parts]
            enough: NDArray[np.bool_] = self.matcher.summed(found)[1] >= wanted
            return enough

        typed = reaching(TYPED)
        # Without typing mistakes what is complete at all is complete as typed.
        mistaken = any((part.levels() == ALL).any() for part in parts)
        complete: NDArray[np.int8] = np.where(
            typed, TYPED, reaching(ALL) * ALL if mistaken else SOME
        ).astype(np.int8)
        return complete

    def _word(self, word: tree.Word) -> Matched:
        """A bare word: whole, and where it is made of several terms also by each of them."""
        (_, worth), *parts = pieces(word, self._words(word.text))
        whole = self._leaf(word, worth=worth)
        found = [self._leaf(part, worth=worth).partial() for part, worth in parts]
        return self._union([whole, *found])

    def _leaf(self, leaf: tree.Words, *, wanted: bool = True, worth: float = 1.0) -> Matched:
        scored = self._leaves.scored(leaf, worth)
        if wanted:
            self.patterns += scored.patterns
            if self._explained is not None:
                self._explain_leaf(leaf, scored, self._explained)
        return scored.matched

    def _explain_leaf(self, leaf: tree.Words, scored: Scored, document: int) -> None:
        """Divide the score of the explained document among the terms and fields it came from."""
        matched = scored.matched
        at = np.flatnonzero(matched.documents == document)
        if not len(at):
            return
        bonus = scored.bonus if matched.levels()[at[0]] == TYPED else 0.0
        held = list(self._leaves.held(leaf, document))
        total = sum(weight for *_, weight in held)
        score = float(matched.scores[at[0]]) - bonus
        for field, term, weight in held:
            share = score * weight / total
            self.contributions.append(Contribution(tree.label(leaf), share, field, term, weight))
        if bonus and isinstance(leaf, tree.Fuzzy):
            self.contributions.append(Contribution(f"{leaf.text} as it was typed", bonus))

    def _with_neighbours(self, matched: Matched) -> Numbers:
        """The scores, those of the best raised by the pairs of neighbours that stand close."""
        scores = matched.scores
        if not self.pairs or not len(scores):
            return scores
        best = np.arange(len(scores))
        if len(scores) > RERANKED:
            best = np.flatnonzero(scores >= np.partition(scores, -RERANKED)[-RERANKED])
        scores = scores.copy()
        for bonus in bonuses(self.view, self.matcher, self.pairs, matched.documents[best]):
            self._explain_bonus(*bonus)
            scores[np.searchsorted(matched.documents, bonus.documents)] += bonus.scores
        return scores


def _intersection(one: Matched, other: Matched) -> Matched:
    """The documents in both, their scores added, each as complete as where it is less."""
    if len(other.documents) < len(one.documents):
        second = other.only(members(other.documents, one.documents))
        first = one.only(np.searchsorted(one.documents, second.documents))
    else:
        first = one.only(members(one.documents, other.documents))
        second = other.only(np.searchsorted(other.documents, first.documents))
    complete = None
    if first.complete is not None or second.complete is not None:
        complete = np.minimum(first.levels(), second.levels())
    return Matched(first.documents, first.scores + second.scores, complete)
