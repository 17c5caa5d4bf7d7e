"""One page of what was found: in order, entries that tell the same story folded into the first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from searchfeed.engines.whoosh.values import NO_DATE
from searchfeed.models import Sort

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.folding import Groups
    from searchfeed.engines.whoosh.ranking import Ranked
    from searchfeed.engines.whoosh.view import Documents, Numbers, Places, View

_NEWEST = np.uint64(NO_DATE - 1)

FURTHER = 4
"""So many times more are put in order where folding leaves a page short."""


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
        ranked = self._ranked
        if self._groups is None or ranked.total < 2:
            return ranked.total
        return ranked.total - self._groups.surplus(ranked.mask)

    def rows(self, offset: int, count: int) -> Iterator[Row]:
        """The rows of a page."""
        groups = self._groups
        page, scores = self._first(offset + count)
        for document, score in zip(page[offset:].tolist(), scores[offset:].tolist(), strict=True):
            yield Row(document, score, self._behind(document, groups) if groups else ())

    def _first(self, count: int) -> tuple[Documents, Numbers]:
        """The first ``count`` documents that stand for their story, in order, and their scores."""
        if self._groups is None:
            return self._ordered(count)
        wanted = count
        while True:
            # One more shows whether a story goes on.
            wanted += 1
            ordered, scores = self._ordered(wanted)
            firsts = np.unique(self._groups.leaders_of(ordered), return_index=True)[1]
            if len(firsts) >= count or len(ordered) >= self._ranked.total:
                chosen = np.sort(firsts)[:count]
                return ordered[chosen], scores[chosen]
            wanted *= FURTHER

    def _behind(self, document: int, groups: Groups) -> Sequence[int]:
        """The documents that one on the page stands for, in order."""
        others = groups.sharing(document)
        others = others[self._ranked.mask[others] & (others != document)]
        if not len(others):
            return ()
        ordered: list[int] = others[self._order(others, self._ranked.scores(others))].tolist()
        return ordered

    def _ordered(self, count: int) -> tuple[Documents, Numbers]:
        """The first ``count`` documents, in order, and their scores."""
        if self._sort is Sort.RELEVANCE:
            documents, scores = self._ranked.best(count)
            order = self._order(documents, scores)[:count]
            return documents[order], scores[order]
        documents = self._ranked.documents
        if count < len(documents):
            # Only those that could be on the page are put in order, ties at its end included.
            dates = self._dates(documents)
            documents = documents[dates <= np.partition(dates, count - 1)[count - 1]]
        documents = documents[self._order(documents)[:count]]
        return documents, self._ranked.scores(documents)

    def _order(self, documents: Documents, scores: Numbers | None = None) -> Places:
        """The places of some documents in their order."""
        keys, dates = self._view.column("key")[documents], self._dates(documents)
        if self._sort is not Sort.RELEVANCE or scores is None:
            return np.lexsort((keys, dates))
        return np.lexsort((keys, dates, -scores))

    def _dates(self, documents: Documents) -> Any:
        """What sorts by date; entries without one come last."""
        dates = self._view.column("date")[documents]
        # The other way round the number that stands for no date stays the highest.
        return dates if self._sort is Sort.OLDEST else _NEWEST - dates
