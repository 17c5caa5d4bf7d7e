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
    from searchfeed.engines.whoosh.view import Documents, Numbers, View

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
        page = self._first(offset + count)[offset:]
        scores = self._ranked.scores(page).tolist() if len(page) else []
        for document, score in zip(page.tolist(), scores, strict=True):
            yield Row(document, score, self._behind(document, groups) if groups else ())

    def _first(self, count: int) -> Documents:
        """The first ``count`` documents that stand for their story, in order."""
        if self._groups is None:
            return self._ordered(count)
        wanted = count
        while True:
            # One more shows whether a story goes on.
            wanted += 1
            ordered = self._ordered(wanted)
            firsts = np.unique(self._groups.leaders_of(ordered), return_index=True)[1]
            if len(firsts) >= count or len(ordered) >= self._ranked.total:
                return ordered[np.sort(firsts)[:count]]
            wanted *= FURTHER

    def _behind(self, document: int, groups: Groups) -> Sequence[int]:
        """The documents that one on the page stands for, in order."""
        others = groups.sharing(document)
        others = others[self._ranked.mask[others] & (others != document)]
        if not len(others):
            return ()
        ordered: list[int] = self._in_order(others, self._ranked.scores(others)).tolist()
        return ordered

    def _ordered(self, count: int) -> Documents:
        """The first ``count`` documents, in order."""
        if self._sort is Sort.RELEVANCE:
            return self._in_order(*self._ranked.best(count))[:count]
        documents = self._ranked.documents
        if count < len(documents):
            # Only those that could be on the page are put in order, ties at its end included.
            dates = self._dates(documents)
            documents = documents[dates <= np.partition(dates, count - 1)[count - 1]]
        return self._in_order(documents, None)[:count]

    def _in_order(self, documents: Documents, scores: Numbers | None) -> Documents:
        keys = self._view.column("key")[documents]
        if self._sort is not Sort.RELEVANCE or scores is None:
            return documents[np.lexsort((keys, self._dates(documents)))]
        return documents[np.lexsort((keys, _newest(self._view, documents), -scores))]

    def _dates(self, documents: Documents) -> Any:
        """What sorts by date; entries without one come last."""
        if self._sort is Sort.OLDEST:
            return self._view.column("date")[documents]
        return _newest(self._view, documents)


def _newest(view: View, documents: Documents) -> Any:
    dates = view.column("date")[documents]
    # Complements turn the order of unsigned numbers round.
    return np.where(dates == NO_DATE, np.uint64(NO_DATE), ~dates)
