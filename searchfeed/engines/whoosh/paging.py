"""One page of what was found: in order, entries that tell the same story folded into the first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from searchfeed.engines.whoosh.arrays import SEARCHED, beginnings, once
from searchfeed.engines.whoosh.columnar.documents import spread
from searchfeed.engines.whoosh.values import NO_DATE
from searchfeed.models import Sort

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.folding import Groups
    from searchfeed.engines.whoosh.ranking import Ranked
    from searchfeed.engines.whoosh.view import Documents, Numbers, Places, View

_NEWEST = np.uint64(NO_DATE - 1)

BLOCK = 1_024
"""Documents whose first date is kept."""

MANY, FULL = 8_192, 64
"""With more documents than so many, and than so many in a block, it pays to look at blocks."""

FURTHER = 4
"""So many times more than a page has rows are put in order, and again where it is short."""


class Row(NamedTuple):
    """A document on a page, its score, and the documents that it stands for, in order."""

    document: int
    score: float
    behind: Sequence[int]


class Pages:
    """Puts what was found in order.

    Ties go to the newer entry, then to the smaller id; entries without a date come last.

    Args:
        view: the state of the index.
        ranked: what was found in it.
        sort: the order.
        groups: the entries that tell the same story; None where each stands for itself.
    """

    def __init__(self, view: View, ranked: Ranked, sort: Sort, groups: Groups | None) -> None:
        self._view = view
        self._ranked = ranked
        self._sort = sort
        self._groups = groups if groups is not None and len(groups.documents) else None

    @property
    def total(self) -> int:
        """How many rows there are on all pages."""
        ranked, groups = self._ranked, self._groups
        if groups is None or ranked.total < 2:
            return ranked.total
        if ranked.total * SEARCHED < len(groups.documents):
            return len(once([groups.leaders_of(ranked.documents)]))
        return ranked.total - groups.surplus(ranked.mask)

    def rows(self, offset: int, count: int) -> Iterator[Row]:
        """The rows of a page."""
        page, scores = self._first(offset + count)
        page, scores = page[offset:], scores[offset:]
        if self._groups is None:
            behind: Iterable[Sequence[int]] = repeat((), len(page))
        else:
            behind = self._behind(page, self._groups)
        return map(Row, page.tolist(), scores.tolist(), behind)

    def _first(self, count: int) -> tuple[Documents, Numbers]:
        """The first ``count`` documents that stand for their story, in order, and their scores."""
        if self._groups is None:
            return self._ordered(count)
        wanted = count * FURTHER
        while True:
            # One more shows whether a story goes on.
            wanted += 1
            ordered, scores = self._ordered(wanted)
            if not self._groups.shared(ordered).any():
                return ordered[:count], scores[:count]
            leaders = self._groups.leaders_of(ordered)
            by_leader = np.argsort(leaders, kind="stable")
            firsts = by_leader[beginnings(leaders[by_leader])]
            if len(firsts) >= count or len(ordered) >= self._ranked.total:
                chosen = np.sort(firsts)[:count]
                return ordered[chosen], scores[chosen]
            wanted *= FURTHER

    def _behind(self, page: Documents, groups: Groups) -> list[list[int]]:
        """The documents that each on the page stands for, in order."""
        rows: list[list[int]] = [[] for _ in page]
        if not groups.shared(page).any():
            return rows
        stories = [groups.sharing(document) for document in page.tolist()]
        # All are put in order together, each then goes to its row.
        others = np.concatenate(stories)
        row_of = np.repeat(np.arange(len(stories)), list(map(len, stories)))
        kept = self._ranked.mask[others] & (others != page[row_of])
        others, row_of = others[kept], row_of[kept]
        order = self._order(others, self._ranked.scores(others))
        for row, document in zip(row_of[order].tolist(), others[order].tolist(), strict=True):
            rows[row].append(document)
        return rows

    def _ordered(self, count: int) -> tuple[Documents, Numbers]:
        """The first ``count`` documents, in order, and their scores."""
        if self._sort is Sort.RELEVANCE:
            documents, scores = self._earliest_of_last(*self._ranked.best(count), count)
            order = self._order(documents, scores)[:count]
            return documents[order], scores[order]
        documents = self._earliest(self._ranked.documents, count)
        documents = documents[self._order(documents)[:count]]
        return documents, self._ranked.scores(documents)

    def _earliest_of_last(
        self, documents: Documents, scores: Numbers, count: int
    ) -> tuple[Documents, Numbers]:
        """The best documents; of those that tie with the last only what could be on the page.

        Conditions score nothing, so that all that meet them tie.
        """
        last = scores.min(initial=0.0)
        tied = scores == last
        missing = count - (len(scores) - int(np.count_nonzero(tied)))
        if not 0 < missing < len(scores):
            return documents, scores
        some = self._earliest(np.sort(documents[tied]), missing)
        return (
            np.concatenate((documents[~tied], some)),
            np.concatenate((scores[~tied], np.full(len(some), last))),
        )

    def _earliest(self, documents: Documents, count: int) -> Documents:
        """Those of some documents, which ascend, that could be the first by date, ties included."""
        if count < len(documents):
            if len(documents) > max(MANY, self._view.size * FULL // BLOCK):
                documents = self._among_first(documents, count)
            dates = self._dates(documents)
            documents = documents[dates <= np.partition(dates, count - 1)[count - 1]]
        return documents

    def _among_first(self, documents: Documents, count: int) -> Documents:
        """Those of some documents, which ascend, among which the first ``count`` by date are.

        Feeds are taken in as they come, so that the documents of a block are of about one time,
        and few blocks have dates that can be among the first. Where most have, all are returned.
        """
        firsts = self._view.memory.get((BLOCK, self._sort), self._first_of_blocks)
        starts = documents.searchsorted(np.arange(0, self._view.size, BLOCK, dtype=np.int32))
        amounts = np.diff(starts, append=len(documents))
        order = np.argsort(firsts)
        enough = int(np.cumsum(amounts[order]).searchsorted(count)) + 1
        some = self._dates(documents[spread(starts[order[:enough]], amounts[order[:enough]])])
        last = np.partition(some, count - 1)[count - 1]
        near = np.sort(order[: firsts[order].searchsorted(last, side="right")])
        if 2 * amounts[near].sum() > len(documents):
            return documents
        return documents[spread(starts[near], amounts[near])]

    def _first_of_blocks(self) -> NDArray[np.uint64]:
        """For each block of documents the first of what sorts them by date."""
        dates = self._dates(slice(None))
        firsts: NDArray[np.uint64] = np.minimum.reduceat(dates, np.arange(0, len(dates), BLOCK))
        return firsts

    def _order(self, documents: Documents, scores: Numbers | None = None) -> Places:
        """The places of some documents in their order."""
        keys, dates = self._view.column("key")[documents], self._dates(documents)
        if self._sort is not Sort.RELEVANCE or scores is None:
            return np.lexsort((keys, dates))
        return np.lexsort((keys, dates, -scores))

    def _dates(self, documents: Documents | slice) -> NDArray[np.uint64]:
        """What sorts by date; entries without one come last."""
        dates = self._view.column("date")[documents]
        # The other way round the number that stands for no date stays the highest.
        return dates if self._sort is Sort.OLDEST else _NEWEST - dates
