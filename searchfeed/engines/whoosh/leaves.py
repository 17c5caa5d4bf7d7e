"""The words and phrases of a query, scored by BM25F (see ``formulas.py``).

A word stands for a family of terms (see ``vocabulary.py``), which count as one term.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from searchfeed import tree
from searchfeed.engines.whoosh.arrays import members
from searchfeed.engines.whoosh.formulas import (
    ALL,
    FIELDS,
    TYPED,
    inverse_document_frequency,
    saturated,
)
from searchfeed.engines.whoosh.matched import Matched
from searchfeed.engines.whoosh.matching import Matcher
from searchfeed.engines.whoosh.meaning import Family, fields, patterns, united
from searchfeed.models import Pattern
from searchfeed.stopping import pause
from searchfeed.values import dataclass

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.view import Documents, Numbers, View


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
        """A leaf with its scores; those of a word, pattern or phrase are kept with the view."""
        key: tuple[object, ...]
        match leaf:
            case tree.Word(text, field, exact):
                key = (text, field, exact, worth)
            case tree.Wildcard(pattern, field):
                key = (pattern, field, tree.Wildcard, worth)
            case tree.Phrase(text, slop, field):
                key = (text, field, tree.Phrase, slop, worth)
            case _:
                return self._score(leaf, worth)
        return self._view.memory.get(key, lambda: self._score(leaf, worth))

    def _score(self, leaf: tree.Words, worth: float) -> Scored:
        pause()
        slop = leaf.slop if isinstance(leaf, tree.Phrase) else 0
        names = fields(leaf)
        sequences = [self._matcher.sequences(leaf, field) for field in names]
        parts: list[tuple[Documents, Numbers]] = []
        for field, found in zip(names, sequences, strict=True):
            pause()
            weight, b = FIELDS[field]
            for documents, counts in self._matcher.counts(field, found, slop):
                if len(documents):
                    weighted = counts if weight == 1.0 else counts * weight
                    weighted = weighted / self._view.norm(field, b, documents)
                    parts.append((documents, weighted))
        pause()
        documents, total = self._matcher.summed(parts)
        words = max((len(option) for options in sequences for option in options), default=1)
        rarity = words * inverse_document_frequency(len(documents), self._view.count)
        scores = saturated(total)
        scores *= worth * rarity
        wanted = tuple(patterns(sequences, rarity, leaf.field, slop))
        if not isinstance(leaf, tree.Fuzzy):
            return Scored(Matched(documents, scores), wanted)
        # An entry with the word as it was typed stands above any with a typing mistake.
        typed = self.scored(tree.Word(leaf.text, leaf.field, exact=True)).matched
        right = members(documents, typed.documents)
        bonus = float(scores[~right].max(initial=0.0))
        complete = np.where(right, TYPED, ALL).astype(np.int8)
        return Scored(Matched(documents, scores + right * bonus, complete), wanted, bonus)

    def held(self, leaf: tree.Words, document: int) -> Iterator[tuple[str, str, float]]:
        """By field and term (or the leaf itself) how often a document holds it, weighted."""
        slop = leaf.slop if isinstance(leaf, tree.Phrase) else 0
        for field in fields(leaf):
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
