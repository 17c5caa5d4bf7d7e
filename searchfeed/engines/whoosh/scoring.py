"""A query tree to documents and scores, on arrays.

The score of a word is BM25F (Robertson, Zaragoza and Taylor, CIKM 2004): how often it stands in
each field, divided by how long the field is beside the average, is weighted and added up over the
fields before it saturates. A word stands for a family of terms (see ``vocabulary.py``), which
count as one term. Conditions (keyword fields, dates, flags, what is excluded) score nothing.

To the best entries is added what it is worth that words which are neighbours in the query stand
close together in the text: such a pair counts as a term of its own (after Metzler and Croft's
sequential dependence, SIGIR 2005).

The constants were chosen by ``make bench-relevance`` over all collections together, none for one
of them: see benchmarks/README.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from searchfeed import analysis, tree
from searchfeed.engines.whoosh.matching import TEXT_FIELDS, Matcher, close
from searchfeed.engines.whoosh.values import NO_DATE
from searchfeed.engines.whoosh.view import members
from searchfeed.models import Contribution, Pattern

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.view import Documents, Numbers, View
    from searchfeed.engines.whoosh.vocabulary import Family, Vocabulary

SATURATION = 0.8
"""k1 of BM25: how soon more of the same word stops counting."""

STRETCH = 1.2
"""The power that the rarity of a word is raised to: above 1, common words say less still."""

FIELDS: dict[str, tuple[float, float]] = {
    "title": (5.0, 0.5),
    "body": (1.0, 0.7),
    "tags": (1.0, 0.3),
    "feed_title": (0.3, 0.3),
}
"""Field → (weight, b of BM25F: how much a long field counts less)."""

NEAR, NEAR_LENGTH = 0.15, 0.3
"""What a pair of neighbours close together is worth beside a word, and its b."""

NEAR_FIELDS = ("title", "body")

RERANKED = 1_000
"""How many of the best entries are looked at for words close together."""

WHOLE = 0.4
"""What a compound (``multi-agent``) is worth whole, beside its parts, which count as words."""

SENTENCE = 3
"""A run of so many terms (a sentence of Japanese is one word) is ranked by each of them too."""

BORDER = 0.5
"""What a pair of terms of two scripts (``6号``) is worth for each of the two."""

SOME, ALL, TYPED = range(3)
"""What an entry can hold of what was wanted (see ``Matched``)."""


@dataclass(frozen=True, slots=True)
class Matched:
    """The documents that match, ascending, with the score of each.

    ``complete`` tells for each how much it holds of what was wanted: SOME, ALL (a word with a
    typing mistake perhaps), or all as it was TYPED.
    """

    documents: Documents
    scores: Numbers
    complete: NDArray[np.int8]

    def only(self, keep: NDArray[Any]) -> Matched:
        """Those documents that ``keep`` chooses: a mask, or places in order."""
        return Matched(self.documents[keep], self.scores[keep], self.complete[keep])

    def partial(self) -> Matched:
        """The same documents, none of which holds all that was wanted."""
        return Matched(self.documents, self.scores, levels(len(self.documents), SOME))


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
    return Matched(documents, np.zeros(len(documents)), levels(len(documents), TYPED))


def levels(count: int, level: int) -> NDArray[np.int8]:
    """The same level of completeness for so many documents."""
    return np.full(count, level, dtype=np.int8)


class Scorer:
    """Answers one query tree on one view, and gathers what its words stand for.

    Args:
        view: the state of the index.
        vocabulary: its terms.
        recency: how much newer entries are preferred; None: not at all.
        explained: a document whose score is gathered piece by piece in ``contributions``; they
            are its score only if it matches.
    """

    def __init__(
        self,
        view: View,
        vocabulary: Vocabulary,
        *,
        recency: Recency | None = None,
        explained: int | None = None,
    ) -> None:
        self._view = view
        self._matcher = Matcher(view, vocabulary)
        self._recency = recency
        self._explained = explained
        self._neighbours: list[tuple[tree.Word, tree.Word]] = []
        self.patterns: list[Pattern] = []
        self.contributions: list[Contribution] = []

    def run(self, node: tree.Node) -> Matched:
        """Every live document that matches ``node``.

        Those that hold all that was wanted get the highest score of all added to theirs, so that
        they stand above those that hold some of it; so again do those that hold it as typed,
        above those that hold a word with a typing mistake.
        """
        matched = self._evaluate(node, wanted=True)
        scores = self._with_neighbours(matched)
        if self._recency is not None:
            dates = self._view.column("date")[matched.documents]
            fresh = scores * self._recency.freshness(dates)
            self._explain_bonus("newer entries are preferred", matched.documents, fresh)
            scores = scores + fresh
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

    def holding(self, word: str) -> Documents:
        """The live documents that hold a word in any form."""
        return self._leaf(tree.Word(word), wanted=False).documents

    def _evaluate(self, node: tree.Node, *, wanted: bool) -> Matched:
        match node:
            case tree.Best():
                return self._best(node, wanted=wanted)
            case tree.Or(children):
                return self._union([self._evaluate(child, wanted=wanted) for child in children])
            case tree.And(children):
                return self._all(children, wanted=wanted)
            case tree.Not():
                return self._all((node,), wanted=wanted)
            case tree.Everything():
                return condition(self._view.everything())
            case tree.DateRange(start, end):
                return condition(self._matcher.dated(start, end))
            case tree.Flag(name):
                return condition(self._view.holding("flag", name))
        if node.field in tree.KEYWORD_FIELDS:
            return condition(self._matcher.keyword(node))
        if wanted and isinstance(node, tree.Word) and not (node.field or node.exact):
            return self._word(node)
        return self._leaf(node, wanted=wanted)

    def _best(self, best: tree.Best, *, wanted: bool) -> Matched:
        if wanted:
            words = [child for child in best.children if isinstance(child, tree.Word)]
            # Required words stand first among the children, wherever they stand in the query.
            words.sort(key=lambda word: word.span.start)
            self._neighbours += pairwise(word for word in words if not word.field)
        parts = [self._evaluate(child, wanted=wanted) for child in best.children]
        union = self._union(parts)
        matched = Matched(union.documents, union.scores, self._complete(parts, len(parts)))
        for part in parts[: best.required]:
            matched = matched.only(members(matched.documents, part.documents))
        return matched

    def _all(self, children: Sequence[tree.Node], *, wanted: bool) -> Matched:
        # What excludes is taken away from the rest instead of being turned inside out first.
        parts = [
            self._evaluate(child, wanted=wanted)
            for child in children
            if not isinstance(child, tree.Not)
        ]
        matched = reduce(_intersection, parts) if parts else condition(self._view.everything())
        for child in children:
            if isinstance(child, tree.Not):
                out = self._evaluate(child.child, wanted=False)
                matched = matched.only(~members(matched.documents, out.documents))
        return matched

    def _union(self, parts: Sequence[Matched]) -> Matched:
        """Documents of any part, their scores added; complete where a part of theirs is."""
        if len(parts) == 1:
            return parts[0]
        documents, scores = self._matcher.summed([(part.documents, part.scores) for part in parts])
        return Matched(documents, scores, self._complete(parts, 1))

    def _complete(self, parts: Sequence[Matched], wanted: int) -> NDArray[np.int8]:
        """How complete the documents of any part are, if so many parts have to be."""

        def reaching(level: int) -> NDArray[np.bool_]:
            found = [(part.documents, part.complete >= level) for part in parts]
            enough: NDArray[np.bool_] = self._matcher.summed(found)[1] >= wanted
            return enough

        typed = reaching(TYPED)
        # Without typing mistakes what is complete at all is complete as typed.
        mistaken = any((part.complete == ALL).any() for part in parts)
        complete: NDArray[np.int8] = np.where(
            typed, TYPED, reaching(ALL) * ALL if mistaken else SOME
        ).astype(np.int8)
        return complete

    # Words and phrases of the text fields

    def _word(self, word: tree.Word) -> Matched:
        """A bare word: whole, and where it is made of several terms also by each of them."""
        options = analysis.query_words(word.text).alternatives or ((),)
        terms, compound = options[-1], len(options[0]) == 1
        if len(terms) < (2 if compound else SENTENCE):
            return self._leaf(word, wanted=True)
        whole = self._leaf(word, wanted=True, worth=WHOLE if compound else 1.0)
        parts = [self._leaf(tree.Word(term), wanted=True) for term in terms]
        if not compound:
            # Within a script a pair of characters is a term; where scripts meet it is made one.
            for one, other in pairwise(terms):
                if one.isascii() != other.isascii():
                    border = tree.Word(one + (other if other.isascii() else other[0]))
                    parts.append(self._leaf(border, wanted=True, worth=BORDER))
        return self._union([whole, *map(Matched.partial, parts)])

    def _leaf(self, leaf: tree.Words, *, wanted: bool, worth: float = 1.0) -> Matched:
        fields = (leaf.field,) if leaf.field else TEXT_FIELDS
        slop = leaf.slop if isinstance(leaf, tree.Phrase) else 0
        sequences: list[list[Sequence[Family]]] = []
        counted: list[tuple[Documents, Numbers]] = []
        sources: list[tuple[str, str]] = []
        for field in fields:
            weight, b = FIELDS[field]
            sequences.append(self._matcher.sequences(leaf, field))
            for term, documents, counts in self._matcher.counts(field, sequences[-1], slop):
                counted.append((documents, weight * counts / self._norm(field, b, documents)))
                sources.append((field, term or tree.label(leaf)))
        documents, weighted = self._matcher.summed(counted)
        words = max((len(option) for options in sequences for option in options), default=1)
        rarity = words * inverse_document_frequency(len(documents), self._view.count)
        scores = worth * rarity * saturated(weighted)
        complete = levels(len(documents), TYPED)
        if wanted:
            self.patterns += _patterns(sequences, rarity, leaf.field, slop)
            self._explain_leaf(leaf, sources, counted, Matched(documents, scores, complete))
        if isinstance(leaf, tree.Fuzzy):
            # An entry with the word as it was typed stands above any with a typing mistake.
            typed = tree.Word(leaf.text, leaf.field, exact=True)
            right = members(documents, self._leaf(typed, wanted=False).documents)
            bonus = right * scores[~right].max(initial=0.0)
            self._explain_bonus(f"{leaf.text} as it was typed", documents, bonus)
            scores = scores + bonus
            complete = np.where(right, TYPED, ALL).astype(np.int8)
        return Matched(documents, scores, complete)

    def _explain_leaf(
        self,
        leaf: tree.Words,
        sources: Sequence[tuple[str, str]],
        counted: Sequence[tuple[Documents, Numbers]],
        matched: Matched,
    ) -> None:
        """Divide the score of the explained document among the terms and fields it came from."""
        at = np.flatnonzero(matched.documents == self._explained)
        if self._explained is None or not len(at):
            return
        held: list[tuple[str, str, float]] = []
        for (field, term), (documents, weights) in zip(sources, counted, strict=True):
            place = np.flatnonzero(documents == self._explained)
            if len(place):
                held.append((field, term, float(weights[place[0]])))
        total = sum(weight for *_, weight in held)
        score = float(matched.scores[at[0]])
        for field, term, weight in held:
            share = score * weight / total
            self.contributions.append(Contribution(tree.label(leaf), share, field, term, weight))

    def _norm(self, field: str, b: float, documents: Documents) -> Numbers:
        """What BM25 divides counts by: above 1 in fields longer than the average."""
        average = self._view.average_length(field)
        norm: Numbers = 1 - b + b / average * self._view.lengths(field)[documents]
        return norm

    # Words close together

    def _with_neighbours(self, matched: Matched) -> Numbers:
        """The scores, those of the best raised by the pairs of neighbours that stand close."""
        scores = matched.scores
        if not self._neighbours or not len(scores):
            return scores
        best = np.arange(len(scores))
        if len(scores) > RERANKED:
            best = np.flatnonzero(scores >= np.partition(scores, -RERANKED)[-RERANKED])
        among = matched.documents[best]
        scores = scores.copy()
        for field in NEAR_FIELDS:
            words = {word for pair in self._neighbours for word in pair}
            places = {word: self._matcher.word_places(word, field, among) for word in words}
            for one, other in self._neighbours:
                documents, counts = close(places[one], places[other])
                if len(documents):
                    rarity = inverse_document_frequency(len(documents), self._view.count)
                    weighted = counts / self._norm(field, NEAR_LENGTH, documents)
                    bonus = NEAR * rarity * saturated(weighted)
                    clause = f"{one.text} near {other.text} in the {field}"
                    self._explain_bonus(clause, documents, bonus)
                    scores[np.searchsorted(matched.documents, documents)] += bonus
        return scores


def inverse_document_frequency(holding: int, count: int) -> float:
    """How rare a word is, as Lucene has it, stretched by ``STRETCH``; never negative.

    >>> round(inverse_document_frequency(1, 10), 3), round(inverse_document_frequency(10, 10), 3)
    (2.287, 0.025)
    """
    return math.pow(math.log1p((count - holding + 0.5) / (holding + 0.5)), STRETCH)


def saturated(counts: Numbers) -> Numbers:
    """What counts are worth: each one more adds less, up to SATURATION + 1."""
    return counts * (SATURATION + 1) / (counts + SATURATION)


def _patterns(
    sequences: Sequence[Sequence[Sequence[Family]]], weight: float, field: str | None, slop: int
) -> Iterator[Pattern]:
    """What each way to match a leaf looks like, the fields' terms put together."""
    for options in zip(*sequences, strict=True):
        terms = tuple(frozenset().union(*families) for families in zip(*options, strict=True))
        if all(terms):
            yield Pattern(terms, weight, field, slop)


def _intersection(one: Matched, other: Matched) -> Matched:
    documents, here, there = np.intersect1d(
        one.documents, other.documents, assume_unique=True, return_indices=True
    )
    return Matched(
        documents,
        one.scores[here] + other.scores[there],
        np.minimum(one.complete[here], other.complete[there]),
    )
