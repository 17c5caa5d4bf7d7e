"""Which documents hold what a leaf of a query asks for, and how often.

A leaf stands for sequences of words, each word for a family of terms (see ``vocabulary.py``): a
plain word is one sequence of one family. Nothing here scores.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from searchfeed import analysis, tree
from searchfeed.engines.whoosh.values import NO_DATE, date_number, whole_term
from searchfeed.engines.whoosh.view import POSITION_BITS, members

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.view import Documents, Numbers, Places, View
    from searchfeed.engines.whoosh.vocabulary import Family, Vocabulary

TEXT_FIELDS = ("title", "body", "tags", "feed_title")
"""The fields that a word without a field name is looked for in."""

WINDOW = 8
"""Two words are close together with at most so many positions from one to the other."""

KEYWORDS = {
    "feed": ("feed", "feed_title"),
    "author": ("authors",),
    "link": ("link",),
    "tag": ("tag",),
    "lang": ("language",),
    "id": ("id",),
}
"""Condition → the fields of the schema whose terms it is compared with."""


class Matcher:
    """Looks for leaves in one view; what a leaf stands for is worked out once."""

    def __init__(self, view: View, vocabulary: Vocabulary) -> None:
        self._view = view
        self._vocabulary = vocabulary
        self._sequences: dict[tuple[tree.Words, str], list[Sequence[Family]]] = {}

    def summed(self, parts: Sequence[tuple[Documents, NDArray[Any]]]) -> tuple[Documents, Numbers]:
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

    def dated(self, start: datetime | None, end: datetime | None) -> Documents:
        """The documents dated in the half-open range [start, end)."""
        dates = self._view.column("date")
        keep = dates != NO_DATE
        if self._view.live is not None:
            keep &= self._view.live
        if start is not None:
            keep &= dates >= np.uint64(date_number(start))
        if end is not None:
            keep &= dates < np.uint64(date_number(end))
        return np.flatnonzero(keep).astype(np.int32)

    def sequences(self, leaf: tree.Words, field: str) -> list[Sequence[Family]]:
        """The ways in which a field can hold what a leaf asks for, each as a family a word."""
        key = (leaf, field)
        if key not in self._sequences:
            self._sequences[key] = self._find_sequences(leaf, field)
        return self._sequences[key]

    def _find_sequences(self, leaf: tree.Words, field: str) -> list[Sequence[Family]]:
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
                return self.sequences(tree.Word(text, exact=True), field)
            case tree.Wildcard(pattern):
                return [(vocabulary.wildcard(field, pattern),)]
            case tree.Fuzzy(text, distance):
                return [(vocabulary.fuzzy(field, text, distance),)]
            case tree.Regex(pattern):
                return [(vocabulary.regex(field, pattern),)]

    def families(self, leaf: tree.Words) -> Iterator[tuple[str, str]]:
        """For each field that a leaf is looked for in, the terms it stands for, as text."""
        fields = KEYWORDS.get(leaf.field, (leaf.field,)) if leaf.field else TEXT_FIELDS
        for field in fields:
            options = [
                " ".join(_written(family) for family in sequence)
                for sequence in self.sequences(leaf, field)
            ]
            yield field, " | ".join(options) or "(nothing)"

    def counts(
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

    def word_places(self, word: tree.Word, field: str, among: Documents) -> Places:
        """Where the first term of a word, in any form, stands in some documents."""
        options = self.sequences(word, field)
        family = {term: worth for option in options for term, worth in option[0].items()}
        return self._places(field, family, among)

    def keyword(self, leaf: tree.Words) -> Documents:
        """The documents that meet a condition on a keyword field."""
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
        return self.summed([(documents, documents) for documents in found])[0]

    def _worded(self, leaf: tree.Words, field: str) -> Documents:
        # A name is no word of a language: its ending is part of it, so it is matched as a phrase.
        if isinstance(leaf, tree.Word):
            leaf = tree.Phrase(leaf.text)
        slop = leaf.slop if isinstance(leaf, tree.Phrase) else 0
        counted = self.counts(field, self.sequences(leaf, field), slop)
        return self.summed([(documents, counts) for _, documents, counts in counted])[0]


def _written(family: Family) -> str:
    terms = sorted(family.items(), key=lambda item: (-item[1], item[0]))
    shown = [term if worth == 1 else f"{term}^{worth:g}" for term, worth in terms[:20]]
    more = [f"… {len(terms) - 20} more"] if len(terms) > 20 else []
    return f"({' '.join(shown + more)})"


def close(first: Places, second: Places) -> tuple[Documents, Numbers]:
    """In which documents, and how often, two words stand within the window, in any order."""
    near = np.concatenate([_followed(first, second), _followed(second, first)])
    documents, counts = np.unique(near >> POSITION_BITS, return_counts=True)
    return documents.astype(np.int32), counts.astype(np.float64)


def _followed(ones: Places, others: Places) -> Places:
    """Those of ``ones`` that one of ``others`` follows within the window."""
    if not len(others):
        return others
    at = np.searchsorted(others, ones, side="right")
    at[at == len(others)] = 0
    gaps = others[at] - ones
    return ones[(gaps > 0) & (gaps <= WINDOW)]
