"""The words and phrases of a query, scored as ``searchfeed.engines.whoosh.leaves`` does it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from functools import reduce
from typing import TYPE_CHECKING

from searchfeed import tree
from searchfeed.engines.whoosh.formulas import (
    FIELDS,
    NEAR,
    NEAR_FIELDS,
    NEAR_LENGTH,
    SATURATION,
    WINDOW,
    inverse_document_frequency,
    saturated,
)
from searchfeed.engines.whoosh.meaning import fields, patterns, united
from searchfeed.engines.whoosh.scalar.found import Found, summed

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.meaning import Family, Pair
    from searchfeed.engines.whoosh.scalar.view import View
    from searchfeed.engines.whoosh.vocabulary import Vocabulary
    from searchfeed.models import Pattern

IN_ORDER = 8
"""A family of more terms is added up in the order of the terms, as arrays are."""


class Leaves:
    """Scores leaves on one view."""

    def __init__(self, view: View, vocabulary: Vocabulary) -> None:
        self._view = view
        self._sequences = vocabulary.sequences

    def scored(self, leaf: tree.Word | tree.Phrase, worth: float) -> tuple[Found, list[Pattern]]:
        """A leaf with its scores, and what it looks like in a text."""
        slop = leaf.slop if isinstance(leaf, tree.Phrase) else 0
        names = fields(leaf)
        sequences = [self._sequences(leaf, field) for field in names]
        parts: list[dict[int, float]] = []
        for field, found in zip(names, sequences, strict=True):
            parts += self._weighted(field, found, slop)
        total = summed(parts)
        words = max((len(option) for options in sequences for option in options), default=1)
        rarity = words * inverse_document_frequency(len(total), self._view.count)
        factor, most = worth * rarity, SATURATION + 1
        scores = {
            document: factor * (count * most / (count + SATURATION))
            for document, count in total.items()
        }
        return Found(scores), list(patterns(sequences, rarity, leaf.field, slop))

    def _weighted(
        self, field: str, sequences: Sequence[Sequence[Family]], slop: int
    ) -> Iterator[dict[int, float]]:
        """How often documents hold one of the sequences, weighted, as parts to be added up."""
        weight, b = FIELDS[field]
        if any(len(sequence) != 1 for sequence in sequences):
            counts = self._counts(field, sequences, slop)
            norms = self._norms(field, b, counts)
            yield {each: count * weight / norms[each] for each, count in counts.items()}
            return
        family = list(united(sequences).items())
        if len(family) > IN_ORDER:
            family.sort()
        flat, slope = 1 - b, b / self._view.average_length(field)
        for term, worth in family:
            for reader, base, documents, frequencies in self._view.postings(field, term):
                lengths = reader.lengths
                amounts = [
                    count * worth * weight / (flat + slope * lengths[each])
                    for each, count in zip(documents, frequencies, strict=True)
                ]
                numbers = [each + base for each in documents] if base else documents
                yield dict(zip(numbers, amounts, strict=True))

    def _norms(self, field: str, b: float, documents: Collection[int]) -> dict[int, float]:
        """What BM25 divides counts by; see ``View.norm``."""
        flat, slope = 1 - b, b / self._view.average_length(field)
        return {each: flat + slope * self._view.length(field, each) for each in documents}

    def holding(self, field: str, leaf: tree.Words) -> set[int]:
        """The documents that hold a leaf in one field."""
        slop = leaf.slop if isinstance(leaf, tree.Phrase) else 0
        sequences = self._sequences(leaf, field)
        if all(len(sequence) == 1 for sequence in sequences):
            return self._view.holding(field, united(sequences))
        return set(self._counts(field, sequences, slop))

    def _counts(
        self, field: str, sequences: Sequence[Sequence[Family]], slop: int
    ) -> dict[int, float]:
        """How often documents hold one of the sequences."""
        starts: dict[int, set[int]] = {}
        for sequence in sequences:
            for document, places in self._starts(field, sequence, slop):
                starts.setdefault(document, set()).update(places)
        return {document: float(len(places)) for document, places in starts.items()}

    def _starts(
        self, field: str, sequence: Sequence[Family], slop: int
    ) -> Iterator[tuple[int, Collection[int]]]:
        """By document the positions where the first word stands, the others following it."""
        if not sequence or not all(sequence):
            return
        holding = [self._view.holding(field, family) for family in sequence]
        among = reduce(set.intersection, sorted(holding, key=len))
        if not among:
            return
        places = [self._view.positions(field, family, among) for family in sequence]
        # Of a field without positions nothing is known.
        for document in filter(places[0].__contains__, among):
            each = [word[document] for word in places]
            found = _apart(each, slop) if slop else _in_a_row(each)
            if found:
                yield document, found

    def bonuses(self, pairs: Sequence[Pair], among: Collection[int]) -> Iterator[dict[int, float]]:
        """What pairs of neighbours that stand close together are worth to some documents."""
        for field in NEAR_FIELDS:
            words = dict.fromkeys(word for pair in pairs for word in pair)
            families = {
                word: united([option[:1] for option in self._sequences(word, field)])
                for word in words
            }
            places = {
                word: self._view.positions(field, family, among)
                for word, family in families.items()
            }
            for one, other in pairs:
                counts = _close(places[one], places[other])
                rarity = inverse_document_frequency(len(counts), self._view.count)
                norms = self._norms(field, NEAR_LENGTH, counts)
                yield {
                    each: NEAR * rarity * saturated(count / norms[each])
                    for each, count in counts.items()
                }


def _in_a_row(words: Sequence[Sequence[int]]) -> set[int]:
    """The positions of a first word at which the others stand in a row."""
    rows = ({position - at for position in positions} for at, positions in enumerate(words))
    return reduce(set.intersection, rows)


def _apart(words: Sequence[Sequence[int]], slop: int) -> list[int]:
    """The positions of a first word that the others follow, with so many between them all."""
    found = []
    first, *others = words
    for start in first:
        end = start
        for following in others:
            at = bisect_right(following, end)
            if at == len(following):
                break
            end = following[at]
        else:
            if end - start <= slop + len(others):
                found.append(start)
    return found


def _close(one: dict[int, list[int]], other: dict[int, list[int]]) -> dict[int, int]:
    """In which documents, and how often, two words stand within the window, in any order."""
    counts = {}
    for document in one.keys() & other.keys():
        first, second = one[document], other[document]
        count = _followed(first, second) + _followed(second, first)
        if count:
            counts[document] = count
    return counts


def _followed(ones: Sequence[int], others: Sequence[int]) -> int:
    """How many of ``ones`` one of ``others`` follows within the window."""
    count = 0
    for position in ones:
        at = bisect_right(others, position)
        if at < len(others) and others[at] - position <= WINDOW:
            count += 1
    return count
