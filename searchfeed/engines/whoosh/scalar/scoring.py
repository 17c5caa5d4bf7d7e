"""A query tree to documents and scores, as ``searchfeed.engines.whoosh.scoring`` says."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING

from searchfeed import tree
from searchfeed.engines.whoosh.formulas import RERANKED, SOME, TYPED
from searchfeed.engines.whoosh.meaning import condition as meant
from searchfeed.engines.whoosh.meaning import neighbours, pieces
from searchfeed.engines.whoosh.scalar.found import Found, best, condition, intersection, union
from searchfeed.engines.whoosh.scalar.leaves import Leaves
from searchfeed.engines.whoosh.values import NO_DATE, date_number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from searchfeed.engines.whoosh.meaning import Pair
    from searchfeed.engines.whoosh.scalar.view import View
    from searchfeed.engines.whoosh.vocabulary import Vocabulary
    from searchfeed.models import Pattern


class Scorer:
    """Answers one query tree on one view, and gathers what its words stand for.

    Args:
        view: the state of the index.
        vocabulary: its terms.

    Attributes:
        patterns: what the words look like in a text.
    """

    def __init__(self, view: View, vocabulary: Vocabulary) -> None:
        self._view = view
        self._words = vocabulary.words
        self._leaves = Leaves(view, vocabulary)
        self._pairs: list[Pair] = []
        self.patterns: list[Pattern] = []

    def run(self, node: tree.Node) -> dict[int, float]:
        """Every live document that matches ``node``, with its score."""
        found = self._evaluate(node, wanted=True)
        scores = dict(found.scores)
        for bonus in self._leaves.bonuses(self._pairs, _highest(scores)) if self._pairs else ():
            for document, more in bonus.items():
                scores[document] += more
        if found.full is not None and 0 < len(found.full) < len(scores):
            whole = (TYPED - SOME) * max(scores.values())
            for document in found.full:
                scores[document] += whole
        return scores

    def _evaluate(self, node: tree.Node, *, wanted: bool) -> Found:
        """What matches a part of the query; see ``scoring.Scorer.evaluate``."""
        match node:
            case tree.Best(children, required):
                if wanted:
                    self._pairs += neighbours(node)
                return best([self._evaluate(each, wanted=wanted) for each in children], required)
            case tree.Or(children):
                return union([self._evaluate(each, wanted=wanted) for each in children])
            case tree.And(children):
                return self._all(children, wanted=wanted)
            case tree.Not():
                return self._all((node,), wanted=wanted)
            case tree.Everything():
                return condition(self._view.everything())
            case tree.DateRange():
                return condition(self._dated(node, self._view.everything()))
            case tree.Flag(name):
                return condition(self._view.holding("flag", (name,)))
            case tree.Word() | tree.Phrase() if node.field in tree.KEYWORD_FIELDS:
                return condition(self._keyword(node))
            case tree.Word() if wanted and not (node.field or node.exact):
                (_, worth), *parts = pieces(node, self._words(node.text))
                whole = self._leaf(node, worth, wanted=True)
                found = [self._leaf(part, worth, wanted=True) for part, worth in parts]
                return union([whole, *map(Found.partial, found)])
            case tree.Word() | tree.Phrase():
                return self._leaf(node, 1.0, wanted=wanted)
        raise TypeError(f"a {type(node).__name__} takes arrays")

    def _all(self, children: Sequence[tree.Node], *, wanted: bool) -> Found:
        inside = [child for child in children if not isinstance(child, tree.Not)]
        # Dates are looked up of what is found otherwise.
        ranges = [child for child in inside if isinstance(child, tree.DateRange)]
        rest = [child for child in inside if not isinstance(child, tree.DateRange)]
        parts = [self._evaluate(child, wanted=wanted) for child in rest]
        found = reduce(intersection, parts) if parts else condition(self._view.everything())
        for dates in ranges:
            found = found.only(self._dated(dates, found.scores))
        for child in children:
            if isinstance(child, tree.Not):
                out = self._evaluate(child.child, wanted=False)
                found = found.without(out.scores)
        return found

    def _leaf(self, leaf: tree.Word | tree.Phrase, worth: float, *, wanted: bool) -> Found:
        found, patterns = self._leaves.scored(leaf, worth)
        if wanted:
            self.patterns += patterns
        return found

    def _dated(self, node: tree.DateRange, among: Iterable[int]) -> set[int]:
        """Those of some documents that are dated in a half-open range."""
        low = 0 if node.start is None else date_number(node.start)
        high = NO_DATE if node.end is None else date_number(node.end)
        dates = self._view.column("date")
        return {document for document in among if low <= dates[document] < high}

    def _keyword(self, leaf: tree.Word | tree.Phrase) -> set[int]:
        """The documents that meet a condition on a keyword field."""
        named, worded = meant(leaf, self._view.terms, self._view.starting)
        found: set[int] = set()
        for field, terms in named:
            found |= self._view.holding(field, terms)
        for field, words in worded:
            found |= self._leaves.holding(field, words)
        return found


def _highest(scores: dict[int, float]) -> set[int]:
    """The documents that are looked at for words close together."""
    if len(scores) <= RERANKED:
        return set(scores)
    least = sorted(scores.values(), reverse=True)[RERANKED - 1]
    return {document for document, score in scores.items() if score >= least}
