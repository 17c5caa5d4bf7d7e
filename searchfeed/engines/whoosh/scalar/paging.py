"""One page of what was found, put in order as ``searchfeed.engines.whoosh.paging`` does it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from searchfeed.engines.whoosh.values import NO_DATE
from searchfeed.models import Sort

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.scalar.view import View
    from searchfeed.engines.whoosh.storyfile import Stories

FURTHER = 4
"""So many times more are put in order where folding leaves a page short."""

SEARCHED = 8
"""Looking a document up among the stories costs as much as reading so many of them."""


class Pages:
    """Puts what was found in order; see ``searchfeed.engines.whoosh.paging.Pages``.

    Args:
        view: the state of the index.
        scores: what was found in it.
        sort: the order.
        stories: the entries that tell the same story; None where each stands for itself.

    Attributes:
        total: how many rows there are on all pages.
    """

    def __init__(
        self, view: View, scores: dict[int, float], sort: Sort, stories: Stories | None
    ) -> None:
        self._scores = scores
        self._sort = sort
        self._keys = view.column("key")
        self._dates = view.column("date")
        self._leaders = _leaders(stories, scores) if stories else {}
        self._told: dict[int, list[int]] = {}
        for document, leader in self._leaders.items():
            self._told.setdefault(leader, []).append(document)
        self.total = len(scores) - len(self._leaders) + len(self._told)

    def rows(self, offset: int, count: int) -> Iterator[tuple[int, float, list[int]]]:
        """The rows of a page: a document, its score, and the documents that it stands for."""
        for document in self._first(offset + count)[offset:]:
            told = self._told.get(self._leaders.get(document, -1), ())
            behind = sorted((each for each in told if each != document), key=self._place)
            yield document, self._scores[document], behind

    def _first(self, count: int) -> list[int]:
        """The first ``count`` documents that stand for their story, in order."""
        wanted = count
        while True:
            # Those that stand behind another are passed over, so a page may take more.
            ordered = self._ordered(wanted)
            firsts: dict[int, int] = {}
            for document in ordered:
                firsts.setdefault(self._leaders.get(document, document), document)
            if len(firsts) >= count or len(ordered) == len(self._scores):
                return list(firsts.values())[:count]
            wanted *= FURTHER

    def _ordered(self, count: int) -> list[int]:
        """The first ``count`` documents, in order."""
        documents: Collection[int] = self._scores
        if count < len(documents):
            # Only those that could be on the page are put in order, ties at its end included.
            values = {each: self._value(each) for each in documents}
            last = sorted(values.values())[count - 1]
            documents = [each for each, value in values.items() if value <= last]
        return sorted(documents, key=self._place)[:count]

    def _place(self, document: int) -> tuple[float, int, int]:
        """What sorts documents: ties go to the newer one, then to the smaller id."""
        return self._value(document), self._newest(document), self._keys[document]

    def _value(self, document: int) -> float:
        """What sorts documents first."""
        match self._sort:
            case Sort.RELEVANCE:
                return -self._scores[document]
            case Sort.OLDEST:
                return self._dates[document]
        return self._newest(document)

    def _newest(self, document: int) -> int:
        """What sorts the newest first; entries without a date come last."""
        date: int = self._dates[document]
        return 1 if date == NO_DATE else -date


def _leaders(stories: Stories, among: Collection[int]) -> dict[int, int]:
    """Those of some documents that share their story, each with the first of it."""
    documents, leaders = stories
    if len(among) * SEARCHED > len(documents):
        told = zip(documents, leaders, strict=True)
        return {document: leader for document, leader in told if document in among}
    found = {}
    for document in among:
        at = bisect_left(documents, document)
        if at < len(documents) and documents[at] == document:
            found[document] = leaders[at]
    return found
