"""The document numbers of the postings of a field's terms.

A term that stands in one of ``SPARSE`` documents or more has gaps that fit a byte but for a few;
the numbers of the others take two. Which terms are frequent is listed, with where their gaps start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from searchfeed.engines.whoosh.columnar.packing import (
    Packed,
    PackedWriter,
    Runs,
    RunsWriter,
    between,
    counts,
    narrow,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.columnar.container import Array, Sink, Source

    Integers = NDArray[np.int32]

SPARSE = 256
"""Of so many documents a frequent term stands in one."""


def gaps_of(values: Integers, starts: Array) -> Integers:
    """What each number is above the one before, where those at ``starts`` begin anew."""
    gaps = np.diff(values, prepend=np.int32(0))
    gaps[starts] = values[starts]
    return gaps


def absolute(gaps: Integers, amounts: Array, ends: Array) -> Integers:
    """The numbers that have these gaps, which begin anew after each of so many ``amounts``.

    ``ends`` is the running sum of the amounts.
    """
    if not len(gaps):
        return gaps
    values = np.cumsum(gaps, dtype=np.int32)
    starts = ends - amounts
    values -= np.repeat(values[starts] - gaps[starts], amounts)
    return values


def spread(starts: Array, amounts: Array) -> NDArray[np.int64]:
    """So many places from each start on, one range after the other."""
    ends = np.cumsum(amounts, dtype=np.int64)
    places = np.repeat(starts - (ends - amounts), amounts)
    places += np.arange(len(places))
    return places


class DocumentsWriter:
    """Collects the documents of terms, batch by batch, and writes them."""

    def __init__(self, doc_count: int) -> None:
        self._doc_count = doc_count
        self._rare = RunsWriter()
        self._gaps = PackedWriter()
        self._frequent: list[Array] = []
        self._counts: list[Array] = []
        self._terms = 0

    def append(self, amounts: NDArray[np.int64], documents: Integers) -> None:
        """Take the documents of the next terms, and how many each term has."""
        frequent = np.flatnonzero(amounts * SPARSE >= self._doc_count)
        self._frequent.append(frequent + self._terms)
        self._counts.append(amounts[frequent])
        self._terms += len(amounts)
        if not len(frequent):
            self._rare.append(documents)
            return
        chosen = np.zeros(len(amounts), dtype=bool)
        chosen[frequent] = True
        owned = np.repeat(chosen, amounts)
        self._rare.append(documents[~owned])
        starts = np.cumsum(amounts[frequent]) - amounts[frequent]
        self._gaps.append(gaps_of(documents[owned], starts))

    def write(self, writer: Sink, name: str) -> None:
        """Write all of them."""
        self._rare.write(writer, name, "documents")
        frequent = np.concatenate(self._frequent)
        if len(frequent):
            ends = np.cumsum(np.concatenate(self._counts))
            writer.add(name, "frequent", narrow(frequent))
            writer.add(name, "frequent.starts", narrow(np.concatenate(([0], ends))))
            self._gaps.write(writer, name, "frequent.documents")


class DocumentsReader:
    """Reads what ``DocumentsWriter`` wrote.

    Args:
        container: the file.
        name: the field's name.
        starts: where the postings of each term start, and the last ones end.
    """

    def __init__(self, container: Source, name: str, starts: Runs) -> None:
        self._starts = starts
        self._rare = Runs(container, name, "documents")
        self._gaps = Packed(container, name, "frequent.documents")
        self._frequent = container.array(name, "frequent")
        self._gap_starts = container.array(name, "frequent.starts")
        fits = len(self._gap_starts) == (len(self._frequent) and len(self._frequent) + 1) and (
            not len(self._frequent) or self._gap_starts.item(-1) == len(self._gaps)
        )
        if not fits:
            raise container.damaged(f"{name} documents")

    def __len__(self) -> int:
        return len(self._rare) + len(self._gaps)

    def one(self, term: int, start: int, stop: int) -> Integers:
        """The documents of one term, whose postings are those from ``start`` to ``stop``."""
        if not len(self._frequent):
            return self._rare.range(start, stop)
        at, after = between(self._frequent, term, term + 1)
        before = self._gap_starts.item(at)
        if at < after:
            gaps = self._gaps.range(before, before + stop - start)
            return np.cumsum(gaps, dtype=np.int32, out=gaps)
        return self._rare.range(start - before, stop - before)

    def neighbours(self, low: int, high: int) -> Integers:
        """The documents of the terms from ``low`` to ``high``, term after term."""
        if low == high:
            return np.zeros(0, dtype=np.int32)
        starts = self._starts.range(low, high + 1)
        start, stop = int(starts[0]), int(starts[-1])
        first, last = between(self._frequent, low, high)
        if first == last:
            before = self._gap_starts.item(first) if len(self._frequent) else 0
            return self._rare.range(start - before, stop - before)
        bounds = self._gap_starts[first : last + 1].astype(np.int64)
        start, stop = start - int(bounds[0]), stop - int(bounds[-1])
        amounts = counts(bounds)
        gaps = self._gaps.range(int(bounds[0]), int(bounds[-1]))
        dense = absolute(gaps, amounts, np.cumsum(amounts))
        return self._merged(starts, self._frequent[first:last] - low, dense, start, stop)

    def _merged(
        self, starts: Integers, frequent: Array, dense: Integers, start: int, stop: int
    ) -> Integers:
        if start == stop:
            return dense
        chosen = np.zeros(len(starts) - 1, dtype=bool)
        chosen[frequent] = True
        owned = np.repeat(chosen, counts(starts))
        documents = np.empty(len(owned), dtype=np.int32)
        documents[owned] = dense
        documents[~owned] = self._rare.range(start, stop)
        return documents

    def some(self, terms: Array, starts: NDArray[np.int64], amounts: Integers) -> Integers:
        """The documents of some terms, ascending, term after term.

        Args:
            terms: their numbers.
            starts: where the postings of each start.
            amounts: how many postings each has.
        """
        if not len(self._frequent):
            return self._rare.take(spread(starts, amounts))
        # As in ``between``: what is beyond the last frequent term need not fit their type.
        final = self._frequent.item(-1)
        at = self._frequent.searchsorted(np.minimum(terms, final).astype(self._frequent.dtype))
        at[terms > final] = len(self._frequent)
        before = self._gap_starts[at].astype(np.int64)
        at[at == len(self._frequent)] = 0
        chosen = self._frequent[at] == terms
        if not chosen.any():
            return self._rare.take(spread(starts - before, amounts))
        owned = np.repeat(chosen, amounts)
        documents = np.empty(len(owned), dtype=np.int32)
        documents[~owned] = self._rare.take(spread((starts - before)[~chosen], amounts[~chosen]))
        dense = amounts[chosen]
        places = spread(before[chosen], dense)
        base = int(places[0])
        gaps = self._gaps.take(base, int(places[-1]) + 1, places - base)
        documents[owned] = absolute(gaps, dense, np.cumsum(dense))
        return documents
