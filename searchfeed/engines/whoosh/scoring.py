"""A query tree to documents and scores, on arrays.

The score of a word is BM25F (Robertson, Zaragoza and Taylor, CIKM 2004): how often it stands in
each field, divided by how long the field is beside the average, is weighted and added up over the
fields before it saturates. A word stands for a family of terms (see ``vocabulary.py``), which
count as one term. Conditions (keyword fields, dates, flags, what is excluded) score nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from searchfeed import analysis, tree
from searchfeed.engines.whoosh.schema import tag_term, to_number
from searchfeed.engines.whoosh.view import NO_DATE, POSITION_BITS
from searchfeed.models import Pattern

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.view import Documents, Numbers, View
    from searchfeed.engines.whoosh.vocabulary import Family, Vocabulary

SATURATION = 1.2
"""k1 of BM25: how soon more of the same word stops counting (the usual value)."""

FIELDS: dict[str, tuple[float, float]] = {
    "title": (2.0, 0.5),
    "body": (1.0, 0.75),
    "tags": (1.0, 0.3),
    "feed_title": (0.3, 0.3),
}
"""Field → (weight, b of BM25F: how much a long field counts less)."""

SENTENCE = 4
"""A word that is indexed as so many terms in a row is ranked by each of them, not only whole."""

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

    ``complete`` tells for each whether it holds all that was wanted, not only some of it.
    """

    documents: Documents
    scores: Numbers
    complete: NDArray[np.bool_]

    def only(self, keep: NDArray[np.bool_]) -> Matched:
        """Those documents for which ``keep`` is true."""
        return Matched(self.documents[keep], self.scores[keep], self.complete[keep])

    def partial(self) -> Matched:
        """The same documents, none of which holds all that was wanted."""
        return Matched(self.documents, self.scores, np.zeros(len(self.documents), dtype=bool))


def condition(documents: Documents) -> Matched:
    """Documents that meet a condition, which scores nothing."""
    return Matched(documents, np.zeros(len(documents)), np.ones(len(documents), dtype=bool))


class Scorer:
    """Answers one query tree on one view, and gathers what its words stand for."""

    def __init__(self, view: View, vocabulary: Vocabulary) -> None:
        self._view = view
        self._vocabulary = vocabulary
        self.patterns: list[Pattern] = []

    def run(self, node: tree.Node) -> Matched:
        """Every live document that matches ``node``.

        Those that hold all that was wanted get the highest score of all added to theirs, so that
        they stand above those that hold some of it.
        """
        matched = self._evaluate(node, wanted=True)
        if matched.complete.all():
            return matched
        bonus = matched.scores.max(initial=0.0)
        scores = matched.scores + matched.complete * bonus
        return Matched(matched.documents, scores, matched.complete)

    def _evaluate(self, node: tree.Node, *, wanted: bool) -> Matched:
        match node:
            case tree.Best(children):
                return self._best([self._evaluate(child, wanted=wanted) for child in children])
            case tree.Or(children):
                return _union([self._evaluate(child, wanted=wanted) for child in children])
            case tree.And(children):
                return self._all(children, wanted=wanted)
            case tree.Not(child):
                found = self._evaluate(child, wanted=False)
                return condition(np.setdiff1d(self._everything(), found.documents))
            case tree.Everything():
                return condition(self._everything())
            case tree.DateRange(start, end):
                return condition(self._dated(start, end))
            case tree.Flag(name):
                return condition(self._view.postings("flag", name)[0])
        if node.field in tree.KEYWORD_FIELDS:
            return condition(self._keyword(node))
        if wanted and isinstance(node, tree.Word) and not (node.field or node.exact):
            (*_, plainest) = analysis.query_words(node.text).alternatives or ((),)
            if len(plainest) >= SENTENCE:
                # A sentence in a script without spaces: wanted whole, and by its parts if need be.
                terms = [self._leaf(tree.Word(term), wanted=True) for term in plainest]
                return _union([self._leaf(node, wanted=True), *map(Matched.partial, terms)])
        return self._leaf(node, wanted=wanted)

    def _everything(self) -> Documents:
        return np.flatnonzero(self._view.live)

    def _best(self, parts: Sequence[Matched]) -> Matched:
        every = len(parts)
        union = _union(parts)
        held = np.zeros(self._view.size, dtype=np.int64)
        for part in parts:
            held[part.documents] += part.complete
        return Matched(union.documents, union.scores, held[union.documents] == every)

    def _all(self, children: Sequence[tree.Node], *, wanted: bool) -> Matched:
        # What excludes is taken away from the rest instead of being turned inside out first.
        parts = [
            self._evaluate(child, wanted=wanted)
            for child in children
            if not isinstance(child, tree.Not)
        ]
        matched = reduce(_intersection, parts) if parts else condition(self._everything())
        for child in children:
            if isinstance(child, tree.Not):
                out = self._evaluate(child.child, wanted=False)
                keep = np.isin(matched.documents, out.documents, assume_unique=True, invert=True)
                matched = matched.only(keep)
        return matched

    def _dated(self, start: datetime | None, end: datetime | None) -> Documents:
        dates = self._view.column("date")
        keep = self._view.live & (dates != NO_DATE)
        if start is not None:
            keep &= dates >= np.uint64(to_number(start))
        if end is not None:
            keep &= dates < np.uint64(to_number(end))
        return np.flatnonzero(keep)

    # Words and phrases of the text fields

    def _leaf(self, leaf: tree.Words, *, wanted: bool) -> Matched:
        fields = (leaf.field,) if leaf.field else tuple(FIELDS)
        slop = leaf.slop if isinstance(leaf, tree.Phrase) else 0
        weighted = np.zeros(self._view.size)
        sequences: list[list[Sequence[Family]]] = []
        for field in fields:
            weight, b = FIELDS[field]
            sequences.append(self._sequences(leaf, field))
            documents, counts = self._count(field, sequences[-1], slop)
            if len(documents):
                lengths = self._view.lengths(field)
                average = lengths.sum() / np.count_nonzero(lengths)
                weighted[documents] += weight * counts / (1 - b + b * lengths[documents] / average)
        documents = np.flatnonzero(weighted)
        weighted = weighted[documents]
        words = max((len(option) for options in sequences for option in options), default=1)
        rarity = words * inverse_document_frequency(len(documents), self._view.count)
        if wanted:
            self.patterns += _patterns(sequences, rarity, leaf.field, slop)
        scores = rarity * weighted * (SATURATION + 1) / (weighted + SATURATION)
        if isinstance(leaf, tree.Fuzzy):
            # An entry with the word as it was typed stands above any with a typing mistake.
            typed = tree.Word(leaf.text, leaf.field, exact=True)
            right = np.isin(documents, self._leaf(typed, wanted=False).documents)
            scores += right * scores[~right].max(initial=0.0)
        return Matched(documents, scores, np.ones(len(documents), dtype=bool))

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

    def _count(
        self, field: str, sequences: Sequence[Sequence[Family]], slop: int
    ) -> tuple[Documents, Numbers]:
        """How often each document's field holds one of the sequences, exact forms counting most."""
        if len(sequences) == 1 and len(sequences[0]) == 1:
            return self._count_family(field, sequences[0][0])
        starts = [self._starts(field, sequence, slop) for sequence in sequences]
        places = np.unique(np.concatenate(starts)) if starts else np.zeros(0, dtype=np.int64)
        documents, counts = np.unique(places >> POSITION_BITS, return_counts=True)
        return documents, counts.astype(np.float64)

    def _count_family(self, field: str, family: Family) -> tuple[Documents, Numbers]:
        if len(family) == 1:
            ((term, worth),) = family.items()
            documents, counts = self._view.postings(field, term)
            return documents, counts * worth
        counted = np.zeros(self._view.size)
        for term, worth in family.items():
            documents, counts = self._view.postings(field, term)
            counted[documents] += counts * worth
        documents = np.flatnonzero(counted)
        return documents, counted[documents]

    def _starts(self, field: str, sequence: Sequence[Family], slop: int) -> Documents:
        """The places where the first word of a sequence stands, the others following it."""
        if not sequence:
            return np.zeros(0, dtype=np.int64)
        places = [self._places(field, family) for family in sequence]
        starts = ends = places[0]
        for following in places[1:]:
            if not len(following):
                return following
            at = np.searchsorted(following, ends, side="right")
            keep = at < len(following)
            starts, ends = starts[keep], following[at[keep]]
        # A place counts the document in its upper bits: from one to another it is always too far.
        return starts[ends - starts <= slop + len(sequence) - 1]

    def _places(self, field: str, family: Family) -> Documents:
        places = [self._view.places(field, term) for term in family]
        if len(places) == 1:
            return places[0]
        return np.unique(np.concatenate(places)) if places else np.zeros(0, dtype=np.int64)

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
                return self._holding("id", self._vocabulary.prefix("id", text))
            case "tag" if text is not None:
                return self._holding("tag", [tag_term(text)])
            case "feed" if text is not None:
                urls = [url for url in view.terms("feed") if text in url.casefold()]
                words = self._worded(leaf, "feed_title")
                return np.union1d(self._holding("feed", urls), words)
        fields = KEYWORDS[leaf.field or ""]
        return reduce(np.union1d, [self._worded(leaf, field) for field in fields])

    def _holding(self, field: str, terms: Iterable[str]) -> Documents:
        held = np.zeros(self._view.size, dtype=bool)
        for term in terms:
            held[self._view.postings(field, term)[0]] = True
        return np.flatnonzero(held)

    def _worded(self, leaf: tree.Words, field: str) -> Documents:
        # A name is no word of a language: its ending is part of it, so it is matched as a phrase.
        if isinstance(leaf, tree.Word):
            leaf = tree.Phrase(leaf.text)
        slop = leaf.slop if isinstance(leaf, tree.Phrase) else 0
        return self._count(field, self._sequences(leaf, field), slop)[0]


def inverse_document_frequency(holding: int, count: int) -> float:
    """How rare a word is, as Lucene has it: never negative.

    >>> round(inverse_document_frequency(1, 10), 3)
    1.992
    """
    return math.log1p((count - holding + 0.5) / (holding + 0.5))


def _patterns(
    sequences: Sequence[Sequence[Sequence[Family]]], weight: float, field: str | None, slop: int
) -> Iterator[Pattern]:
    """What each way to match a leaf looks like, the fields' terms put together."""
    for options in zip(*sequences, strict=True):
        terms = tuple(frozenset().union(*families) for families in zip(*options, strict=True))
        if all(terms):
            yield Pattern(terms, weight, field, slop)


def _union(parts: Sequence[Matched]) -> Matched:
    """Documents of any part, their scores added; complete where a part of theirs is."""
    if len(parts) == 1:
        return parts[0]
    documents = reduce(np.union1d, [part.documents for part in parts])
    scores = np.zeros(len(documents))
    complete = np.zeros(len(documents), dtype=bool)
    for part in parts:
        at = np.searchsorted(documents, part.documents)
        scores[at] += part.scores
        complete[at] |= part.complete
    return Matched(documents, scores, complete)


def _intersection(one: Matched, other: Matched) -> Matched:
    documents, here, there = np.intersect1d(
        one.documents, other.documents, assume_unique=True, return_indices=True
    )
    return Matched(
        documents,
        one.scores[here] + other.scores[there],
        one.complete[here] & other.complete[there],
    )
