"""The words and phrases of a query, scored by BM25F.

The score of a word is BM25F (Robertson, Zaragoza and Taylor, CIKM 2004): how often it stands in
each field, divided by how long the field is beside the average, is weighted and added up over the
fields before it saturates. A word stands for a family of terms (see ``vocabulary.py``), which
count as one term.

The constants were chosen by ``make bench-relevance`` over all collections together, none for one
of them: see benchmarks/README.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from searchfeed import tree
from searchfeed.engines.whoosh.arrays import members
from searchfeed.engines.whoosh.matched import ALL, TYPED, Matched
from searchfeed.engines.whoosh.matching import TEXT_FIELDS, Matcher, united
from searchfeed.models import Pattern
from searchfeed.values import dataclass

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.view import Documents, Numbers, View
    from searchfeed.engines.whoosh.vocabulary import Family

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


@dataclass(frozen=True, slots=True)
class Scored:
    """A leaf of a query: what it matches, and what that looks like in a text.

    ``bonus`` is what those without a typing mistake got on top.
    """

    matched: Matched
    patterns: tuple[Pattern, ...]
    bonus: float = 0.0

    @property
    def nbytes(self) -> int:
        """About what it takes."""
        words = sum(len(terms) for pattern in self.patterns for terms in pattern.terms)
        return self.matched.nbytes + 200 * words + 1_000


class Leaves:
    """Scores leaves on one view."""

    def __init__(self, view: View, matcher: Matcher) -> None:
        self._view = view
        self._matcher = matcher

    def scored(self, leaf: tree.Words, worth: float = 1.0) -> Scored:
        """A leaf with its scores; those of a word are remembered as long as the view is."""
        if not isinstance(leaf, tree.Word):
            return self._score(leaf, worth)
        key = (leaf.text, leaf.field, leaf.exact, worth)
        return self._view.memory.get(key, lambda: self._score(leaf, worth))

    def _score(self, leaf: tree.Words, worth: float) -> Scored:
        slop = leaf.slop if isinstance(leaf, tree.Phrase) else 0
        fields = _fields(leaf)
        sequences = [self._matcher.sequences(leaf, field) for field in fields]
        parts: list[tuple[Documents, Numbers]] = []
        for field, found in zip(fields, sequences, strict=True):
            weight, b = FIELDS[field]
            for documents, counts in self._matcher.counts(field, found, slop):
                if len(documents):
                    weighted = counts * weight
                    weighted /= self._view.norm(field, b, documents)
                    parts.append((documents, weighted))
        documents, total = self._matcher.summed(parts)
        words = max((len(option) for options in sequences for option in options), default=1)
        rarity = words * inverse_document_frequency(len(documents), self._view.count)
        scores = worth * rarity * saturated(total)
        patterns = tuple(_patterns(sequences, rarity, leaf.field, slop))
        if not isinstance(leaf, tree.Fuzzy):
            return Scored(Matched(documents, scores), patterns)
        # An entry with the word as it was typed stands above any with a typing mistake.
        typed = self.scored(tree.Word(leaf.text, leaf.field, exact=True)).matched
        right = members(documents, typed.documents)
        bonus = float(scores[~right].max(initial=0.0))
        complete = np.where(right, TYPED, ALL).astype(np.int8)
        return Scored(Matched(documents, scores + right * bonus, complete), patterns, bonus)

    def held(self, leaf: tree.Words, document: int) -> Iterator[tuple[str, str, float]]:
        """By field and term (or the leaf itself) how often a document holds it, weighted."""
        slop = leaf.slop if isinstance(leaf, tree.Phrase) else 0
        for field in _fields(leaf):
            weight, b = FIELDS[field]
            sequences = self._matcher.sequences(leaf, field)
            pieces: dict[str, Sequence[Sequence[Family]]] = {tree.label(leaf): sequences}
            if sequences and all(len(sequence) == 1 for sequence in sequences):
                pieces = {term: (({term: worth},),) for term, worth in united(sequences).items()}
            for name, piece in pieces.items():
                for documents, counts in self._matcher.counts(field, piece, slop):
                    place = np.flatnonzero(documents == document)
                    if len(place):
                        norm = self._view.norm(field, b, documents[place])
                        yield field, name, float((weight * counts[place] / norm)[0])


def inverse_document_frequency(holding: int, count: int) -> float:
    """How rare a word is, as Lucene has it, stretched by ``STRETCH``; never negative.

    >>> round(inverse_document_frequency(1, 10), 3), round(inverse_document_frequency(10, 10), 3)
    (2.287, 0.025)
    """
    return math.pow(math.log1p((count - holding + 0.5) / (holding + 0.5)), STRETCH)


def saturated(counts: Numbers) -> Numbers:
    """What counts are worth: each one more adds less, up to SATURATION + 1."""
    return counts * (SATURATION + 1) / (counts + SATURATION)


def _fields(leaf: tree.Words) -> tuple[str, ...]:
    """The fields that a leaf is looked for in."""
    return (leaf.field,) if leaf.field else TEXT_FIELDS


def _patterns(
    sequences: Sequence[Sequence[Sequence[Family]]], weight: float, field: str | None, slop: int
) -> Iterator[Pattern]:
    """What each way to match a leaf looks like, the fields' terms put together."""
    for options in zip(*sequences, strict=True):
        terms = tuple(frozenset().union(*families) for families in zip(*options, strict=True))
        if all(terms):
            yield Pattern(terms, weight, field, slop)
