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

from searchfeed import tree
from searchfeed.engines.whoosh.arrays import beginnings, common, members, once
from searchfeed.engines.whoosh.meaning import KEYWORDS, TEXT_FIELDS, condition, fields, united
from searchfeed.engines.whoosh.rows import LAST_POSITION, tally
from searchfeed.engines.whoosh.values import NO_DATE, date_number
from searchfeed.stopping import pause

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.meaning import Family
    from searchfeed.engines.whoosh.spots import Spots
    from searchfeed.engines.whoosh.view import Documents, Mask, Numbers, Places, View
    from searchfeed.engines.whoosh.vocabulary import Vocabulary

OUTWEIGHED = 32
"""What is so many times shorter than another array is looked up in it."""


class Matcher:
    """Looks for leaves in one view."""

    def __init__(self, view: View, vocabulary: Vocabulary) -> None:
        self._view = view
        self.sequences = vocabulary.sequences

    def summed(self, parts: Sequence[tuple[Documents, NDArray[Any]]]) -> tuple[Documents, Numbers]:
        """Documents of any part, ascending, with the sum of their numbers.

        A document may stand several times in a part.
        """
        parts = [part for part in parts if len(part[0])]
        if not parts:
            return np.zeros(0, dtype=np.int32), np.zeros(0)
        if len(parts) == 1 and _ascends(parts[0][0]):
            return parts[0][0], parts[0][1].astype(np.float64, copy=False)
        most = max(parts, key=lambda part: len(part[0]))
        rest = sum(len(part[0]) for part in parts) - len(most[0])
        if rest * OUTWEIGHED < len(most[0]) and _ascends(most[0]):
            return _joined(*most, *self.summed([part for part in parts if part is not most]))
        documents = np.concatenate([part for part, _ in parts])
        numbers = np.concatenate([part for _, part in parts])
        if len(documents) * 16 < self._view.size:
            order = np.argsort(documents, kind="stable")
            documents, numbers = documents[order], numbers[order]
            firsts = beginnings(documents)
            return documents[firsts], np.add.reduceat(numbers, firsts, dtype=np.float64)
        places = documents.astype(np.intp)
        there = np.zeros(self._view.size, dtype=bool)
        there[places] = True
        found = np.flatnonzero(there)
        sums = np.bincount(places, numbers, self._view.size).take(found)
        return found.astype(np.int32), sums.astype(np.float64, copy=False)

    def dated(self, start: datetime | None, end: datetime | None) -> Mask:
        """For each document number whether it is dated in the half-open range [start, end)."""
        dates = self._view.column("date")
        keep: Mask = dates != NO_DATE
        if self._view.live is not None:
            keep &= self._view.live
        if start is not None:
            keep &= dates >= np.uint64(date_number(start))
        if end is not None:
            keep &= dates < np.uint64(date_number(end))
        return keep

    def families(self, leaf: tree.Words) -> Iterator[tuple[str, Sequence[Sequence[Family]]]]:
        """For each field that a leaf is looked for in, the terms it stands for."""
        fields = KEYWORDS.get(leaf.field, (leaf.field,)) if leaf.field else TEXT_FIELDS
        for field in fields:
            yield field, self.sequences(leaf, field)

    def counts(
        self, field: str, sequences: Sequence[Sequence[Family]], slop: int
    ) -> list[tuple[Documents, Numbers]]:
        """How often documents hold one of the sequences, as parts to be added up."""
        if all(len(sequence) == 1 for sequence in sequences):
            return self._view.counts(field, united(sequences))
        # Where a word of it stands nowhere, there is nothing to look for.
        there = [sequence for sequence in sequences if sequence and all(sequence)]
        if len(there) == 1 and not slop and all(len(family) == 1 for family in there[0]):
            return [self._view.row_counts(field, [term for family in there[0] for term in family])]
        found = [self._starts(field, sequence, slop) for sequence in there]
        return [tally(once(found))] if found else []

    def _starts(self, field: str, sequence: Sequence[Family], slop: int) -> Places:
        """The places where the first word of a sequence stands, the others following it."""
        if len(sequence) == 1:
            return self._view.places(field, sequence[0], None)
        # Positions are read of those documents only that hold all of the words.
        holding = [self._holding(field, family) for family in sequence]
        among = reduce(_in_both, sorted(holding, key=len))
        if not slop:
            return self._adjacent(field, sequence, [len(each) for each in holding], among)
        starts, *others = (self._view.places(field, family, among) for family in sequence)
        ends = starts
        for following in others:
            if not len(following):
                return following
            at = np.searchsorted(following, ends, side="right")
            keep = at < len(following)
            starts, ends = starts[keep], following[at[keep]]
        # A place counts the document in its upper bits: from one to another it is always too far.
        return starts[ends - starts <= slop + len(sequence) - 1]

    def _adjacent(
        self, field: str, sequence: Sequence[Family], held: Sequence[int], among: Documents
    ) -> Places:
        """The places where the words of a sequence stand in a row, in some documents.

        ``held`` says in how many documents each word stands.
        """

        def places(at: int) -> Places:
            # Where most are wanted, those that are not cost less than picking the others out.
            wanted = among if 2 * len(among) < held[at] else None
            return self._view.places(field, sequence[at], wanted)

        # From the rarest word on, ever fewer documents have to be looked into.
        first, *rest = sorted(range(len(sequence)), key=held.__getitem__)
        starts = places(first)
        starts = starts[(starts & LAST_POSITION) >= first] - first if first else starts
        for at in rest:
            if not len(starts):
                break
            if len(starts) < len(among):
                among = tally(starts)[0]
            starts = common(starts + at, places(at)) - at
        return starts

    def spots(self, word: tree.Word, field: str, among: Documents) -> list[Spots]:
        """Which of some live documents hold the first term of a word, in any form."""
        pause()
        firsts = [option[:1] for option in self.sequences(word, field)]
        return self._view.spots(field, united(firsts), among)

    def holding(self, leaf: tree.Words) -> Documents:
        """The live documents that hold a leaf in any form."""
        pause()
        return self._worded(leaf, *fields(leaf))

    def keyword(self, leaf: tree.Words) -> Documents:
        """The documents that meet a condition on a keyword field."""
        named, worded = condition(leaf, self._view.terms, self._view.starting)
        found = [self._holding(field, terms) for field, terms in named]
        found += [self._worded(words, field) for field, words in worded]
        return once(found)

    def _holding(self, field: str, terms: Iterable[str]) -> Documents:
        """The documents that hold any of the terms."""
        found = [self._view.holding(field, term) for term in terms]
        if len(found) == 1:
            return found[0]
        return self.summed([(documents, documents) for documents in found])[0]

    def _worded(self, leaf: tree.Words, *names: str) -> Documents:
        slop = leaf.slop if isinstance(leaf, tree.Phrase) else 0
        found = (self.counts(field, self.sequences(leaf, field), slop) for field in names)
        return self.summed([part for parts in found for part in parts])[0]


def _ascends(documents: Documents) -> bool:
    return bool((documents[1:] > documents[:-1]).all())


def _joined(
    documents: Documents, numbers: NDArray[Any], others: Documents, more: Numbers
) -> tuple[Documents, Numbers]:
    """The documents of both, ascending, with the sum of their numbers; the others are fewer."""
    sums = numbers.astype(np.float64)
    at = documents.searchsorted(others)
    there = documents.take(at, mode="clip") == others
    sums[at[there]] += more[there]
    if there.all():
        return documents, sums
    new = np.flatnonzero(~there)
    places = at[new] + np.arange(len(new))
    old = np.ones(len(documents) + len(new), dtype=bool)
    old[places] = False
    together, total = np.empty(len(old), dtype=documents.dtype), np.empty(len(old))
    together[old], together[places] = documents, others[new]
    total[old], total[places] = sums, more[new]
    return together, total


def _in_both(some: Documents, more: Documents) -> Documents:
    return some[members(some, more)]
