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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from searchfeed import analysis, tree
from searchfeed.engines.whoosh.values import NO_DATE, date_number, whole_term
from searchfeed.engines.whoosh.view import POSITION_BITS, members
from searchfeed.models import Contribution, Pattern

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.view import Documents, Numbers, Places, View
    from searchfeed.engines.whoosh.vocabulary import Family, Vocabulary

SATURATION = 0.9
"""k1 of BM25: how soon more of the same word stops counting."""

STRETCH = 1.15
"""The power that the rarity of a word is raised to: above 1, common words say less still."""

FIELDS: dict[str, tuple[float, float]] = {
    "title": (5.0, 0.5),
    "body": (1.0, 0.75),
    "tags": (1.0, 0.3),
    "feed_title": (0.3, 0.3),
}
"""Field → (weight, b of BM25F: how much a long field counts less)."""

NEAR, WINDOW, NEAR_LENGTH = 0.1, 8, 0.3
"""What a pair of neighbours is worth beside a word, within how many words, and its b."""

NEAR_FIELDS = ("title", "body")

RERANKED = 1_000
"""How many of the best entries are looked at for words close together."""

WHOLE = 0.4
"""What a compound (``multi-agent``) is worth whole, beside its parts, which count as words."""

SENTENCE = 3
"""A run of so many terms (a sentence of Japanese is one word) is ranked by each of them too."""

SOME, ALL, TYPED = range(3)
"""What an entry can hold of what was wanted (see ``Matched``)."""

KEYWORDS = {
    "feed": ("feed", "feed_title"),
    "author": ("authors",),
    "link": ("link",),
    "tag": ("tag",),
    "lang": ("language",),
    "id": ("id",),
}
"""Condition → the fields of the schema whose terms it is compared with."""


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
        self._vocabulary = vocabulary
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
                return condition(self._dated(start, end))
            case tree.Flag(name):
                return condition(self._view.holding("flag", name))
        if node.field in tree.KEYWORD_FIELDS:
            return condition(self._keyword(node))
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
        documents, scores = self._summed([(part.documents, part.scores) for part in parts])
        return Matched(documents, scores, self._complete(parts, 1))

    def _complete(self, parts: Sequence[Matched], wanted: int) -> NDArray[np.int8]:
        """How complete the documents of any part are, if so many parts have to be."""

        def reaching(level: int) -> NDArray[np.bool_]:
            found = [(part.documents, part.complete >= level) for part in parts]
            enough: NDArray[np.bool_] = self._summed(found)[1] >= wanted
            return enough

        typed = reaching(TYPED)
        # Without typing mistakes what is complete at all is complete as typed.
        mistaken = any((part.complete == ALL).any() for part in parts)
        complete: NDArray[np.int8] = np.where(
            typed, TYPED, reaching(ALL) * ALL if mistaken else SOME
        ).astype(np.int8)
        return complete

    def _summed(self, parts: Sequence[tuple[Documents, NDArray[Any]]]) -> tuple[Documents, Numbers]:
        """Documents of any part, ascending, with the sum of their numbers."""
        if len(parts) == 1:
            return parts[0][0], parts[0][1].astype(np.float64, copy=False)
        documents = np.concatenate([part for part, _ in parts] or [np.zeros(0, dtype=np.int32)])
        numbers = np.concatenate([part for _, part in parts] or [np.zeros(0)])
        if len(documents) * 16 < self._view.size:
            found, at = np.unique(documents, return_inverse=True)
            return found, np.bincount(at, numbers, len(found)).astype(np.float64, copy=False)
        there = np.zeros(self._view.size, dtype=bool)
        there[documents] = True
        found = np.flatnonzero(there).astype(np.int32)
        return found, np.bincount(documents, numbers, self._view.size)[found]

    def _dated(self, start: datetime | None, end: datetime | None) -> Documents:
        dates = self._view.column("date")
        keep = dates != NO_DATE
        if self._view.live is not None:
            keep &= self._view.live
        if start is not None:
            keep &= dates >= np.uint64(date_number(start))
        if end is not None:
            keep &= dates < np.uint64(date_number(end))
        return np.flatnonzero(keep).astype(np.int32)

    # Words and phrases of the text fields

    def _word(self, word: tree.Word) -> Matched:
        """A bare word: whole, and where it is made of several terms also by each of them."""
        options = analysis.query_words(word.text).alternatives or ((),)
        terms, compound = options[-1], len(options[0]) == 1
        if len(terms) < (2 if compound else SENTENCE):
            return self._leaf(word, wanted=True)
        whole = self._leaf(word, wanted=True, worth=WHOLE if compound else 1.0)
        parts = [self._leaf(tree.Word(term), wanted=True) for term in terms]
        return self._union([whole, *map(Matched.partial, parts)])

    def _leaf(self, leaf: tree.Words, *, wanted: bool, worth: float = 1.0) -> Matched:
        fields = (leaf.field,) if leaf.field else tuple(FIELDS)
        slop = leaf.slop if isinstance(leaf, tree.Phrase) else 0
        sequences: list[list[Sequence[Family]]] = []
        counted: list[tuple[Documents, Numbers]] = []
        sources: list[tuple[str, str]] = []
        for field in fields:
            weight, b = FIELDS[field]
            sequences.append(self._sequences(leaf, field))
            for term, documents, counts in self._counts(field, sequences[-1], slop):
                counted.append((documents, weight * counts / self._norm(field, b, documents)))
                sources.append((field, term or tree.label(leaf)))
        documents, weighted = self._summed(counted)
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

    def families(self, leaf: tree.Words) -> Iterator[tuple[str, str]]:
        """For each field that a leaf is looked for in, the terms it stands for, as text."""
        fields = KEYWORDS.get(leaf.field, (leaf.field,)) if leaf.field else tuple(FIELDS)
        for field in fields:
            options = [
                " ".join(_written(family) for family in sequence)
                for sequence in self._sequences(leaf, field)
            ]
            yield field, " | ".join(options) or "(nothing)"

    def _norm(self, field: str, b: float, documents: Documents) -> Numbers:
        """What BM25 divides counts by: above 1 in fields longer than the average."""
        average = self._view.average_length(field)
        norm: Numbers = 1 - b + b / average * self._view.lengths(field)[documents]
        return norm

    def _sequences(self, leaf: tree.Words, field: str) -> list[Sequence[Family]]:
        """The ways in which a field can hold what a leaf asks for, each as a family a word."""
        vocabulary = self._vocabulary
        match leaf:
            case tree.Word(text, _, exact):
                words = analysis.query_words(text)
                return [
                    tuple(
                        vocabulary.prefix(field, term)
                        if words.prefix and at == len(option)
                        else vocabulary.word(field, term, exact=exact)
                        for at, term in enumerate(option, start=1)
                    )
                    for option in words.alternatives
                ]
            case tree.Phrase(text):
                return self._sequences(tree.Word(text, exact=True), field)
            case tree.Wildcard(pattern):
                return [(vocabulary.wildcard(field, pattern),)]
            case tree.Fuzzy(text, distance):
                return [(vocabulary.fuzzy(field, text, distance),)]
            case tree.Regex(pattern):
                return [(vocabulary.regex(field, pattern),)]

    def _counts(
        self, field: str, sequences: Sequence[Sequence[Family]], slop: int
    ) -> Iterator[tuple[str, Documents, Numbers]]:
        """How often documents hold one of the sequences, as parts to be added up.

        Each with the term it is of; a sequence of several words has none.
        """
        if all(len(sequence) == 1 for sequence in sequences):
            family: dict[str, float] = {}
            for sequence in reversed(sequences):
                family |= sequence[0]
            for term, worth in family.items():
                documents, counts = self._view.postings(field, term)
                yield term, documents, counts * worth
            return
        found = [self._starts(field, sequence, slop) for sequence in sequences]
        places = found[0] if len(found) == 1 else np.unique(np.concatenate(found))
        documents, counts = np.unique(places >> POSITION_BITS, return_counts=True)
        yield "", documents.astype(np.int32), counts.astype(np.float64)

    def _starts(self, field: str, sequence: Sequence[Family], slop: int) -> Places:
        """The places where the first word of a sequence stands, the others following it."""
        if not sequence or not all(sequence):
            return np.zeros(0, dtype=np.int64)
        among = None
        if len(sequence) > 1:
            # Positions are read of those documents only that hold all of the words.
            holding = (self._holding(field, family) for family in sequence)
            among = reduce(lambda some, more: some[members(some, more)], holding)
        starts, *others = (self._places(field, family, among) for family in sequence)
        ends = starts
        for following in others:
            if not len(following):
                return following
            at = np.searchsorted(following, ends, side="right")
            keep = at < len(following)
            starts, ends = starts[keep], following[at[keep]]
        # A place counts the document in its upper bits: from one to another it is always too far.
        return starts[ends - starts <= slop + len(sequence) - 1]

    def _places(self, field: str, family: Family, among: Documents | None) -> Places:
        places = [self._view.places(field, term, among) for term in family]
        if len(places) == 1:
            return places[0]
        return np.unique(np.concatenate(places)) if places else np.zeros(0, dtype=np.int64)

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
        for pair in self._neighbours:
            for field in NEAR_FIELDS:
                documents, counts = self._close(field, *pair, among)
                if len(documents):
                    rarity = inverse_document_frequency(len(documents), self._view.count)
                    close = counts / self._norm(field, NEAR_LENGTH, documents)
                    bonus = NEAR * rarity * saturated(close)
                    clause = f"{pair[0].text} near {pair[1].text} in the {field}"
                    self._explain_bonus(clause, documents, bonus)
                    scores[np.searchsorted(matched.documents, documents)] += bonus
        return scores

    def _close(
        self, field: str, one: tree.Word, other: tree.Word, among: Documents
    ) -> tuple[Documents, Numbers]:
        """In which documents, and how often, two words stand within the window, in any order."""
        first, second = (
            self._places(field, {term: 1.0 for family in options for term in family[0]}, among)
            for options in (self._sequences(one, field), self._sequences(other, field))
        )
        near = np.concatenate([_followed(first, second), _followed(second, first)])
        documents, counts = np.unique(near >> POSITION_BITS, return_counts=True)
        return documents.astype(np.int32), counts.astype(np.float64)

    # Conditions on keyword fields

    def _keyword(self, leaf: tree.Words) -> Documents:
        view = self._view
        text = leaf.text.casefold() if isinstance(leaf, tree.Word | tree.Phrase) else None
        match leaf.field:
            case "lang" if text is not None:
                start = text.replace("_", "-") + "-"
                tags = [tag for tag in view.terms("language") if f"{tag}-".startswith(start)]
                return self._holding("language", tags)
            case "id" if text is not None:
                return self._holding("id", view.starting("id", text))
            case "tag" if text is not None:
                return self._holding("tag", [whole_term(text)])
            case "feed" if text is not None:
                urls = [url for url in view.terms("feed") if text in url.casefold()]
                words = self._worded(leaf, "feed_title")
                return np.union1d(self._holding("feed", urls), words)
        fields = KEYWORDS[leaf.field or ""]
        return reduce(np.union1d, [self._worded(leaf, field) for field in fields])

    def _holding(self, field: str, terms: Iterable[str]) -> Documents:
        """The documents that hold any of the terms."""
        found = [self._view.holding(field, term) for term in terms]
        return self._summed([(documents, documents) for documents in found])[0]

    def _worded(self, leaf: tree.Words, field: str) -> Documents:
        # A name is no word of a language: its ending is part of it, so it is matched as a phrase.
        if isinstance(leaf, tree.Word):
            leaf = tree.Phrase(leaf.text)
        slop = leaf.slop if isinstance(leaf, tree.Phrase) else 0
        counted = self._counts(field, self._sequences(leaf, field), slop)
        return self._summed([(documents, counts) for _, documents, counts in counted])[0]


def inverse_document_frequency(holding: int, count: int) -> float:
    """How rare a word is, as Lucene has it, stretched by ``STRETCH``; never negative.

    >>> round(inverse_document_frequency(1, 10), 3), round(inverse_document_frequency(10, 10), 3)
    (2.209, 0.029)
    """
    return math.log1p((count - holding + 0.5) / (holding + 0.5)) ** STRETCH


def saturated(counts: Numbers) -> Numbers:
    """What counts are worth: each one more adds less, up to SATURATION + 1."""
    return counts * (SATURATION + 1) / (counts + SATURATION)


def _written(family: Family) -> str:
    terms = sorted(family.items(), key=lambda item: (-item[1], item[0]))
    shown = [term if worth == 1 else f"{term}^{worth:g}" for term, worth in terms[:20]]
    more = [f"… {len(terms) - 20} more"] if len(terms) > 20 else []
    return f"({' '.join(shown + more)})"


def _followed(ones: Places, others: Places) -> Places:
    """Those of ``ones`` that one of ``others`` follows within the window."""
    if not len(others):
        return others
    at = np.searchsorted(others, ones, side="right")
    at[at == len(others)] = 0
    gaps = others[at] - ones
    return ones[(gaps > 0) & (gaps <= WINDOW)]


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
