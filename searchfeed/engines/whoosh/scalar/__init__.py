"""Searches without arrays: the same answers, from the same files, without numpy.

To import numpy takes as long as to add up some thousands of postings one by one. So what a process
asks first is answered here, as long as few entries hold the words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from searchfeed.engines import Answer, Match
from searchfeed.engines.whoosh.scalar.paging import Pages
from searchfeed.engines.whoosh.scalar.scoring import Scorer
from searchfeed.engines.whoosh.scalar.view import View
from searchfeed.engines.whoosh.scalar.weighing import Scale, needs_arrays
from searchfeed.engines.whoosh.vocabulary import Vocabulary

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.columnar import Snapshot
    from searchfeed.engines.whoosh.storyfile import Stories
    from searchfeed.models import Sort
    from searchfeed.tree import Node


class Searches:
    """Searches of one committed state. Any thread may use it.

    Args:
        snapshot: the state; None before the first commit.
        stories: gives the entries that tell the same story, None where they have to be found.
    """

    def __init__(self, snapshot: Snapshot | None, stories: Callable[[], Stories | None]) -> None:
        self._view = View(snapshot)
        self._vocabulary = Vocabulary(self._view)
        self._stories = stories

    def weigh(self, node: Node) -> int | None:
        """About how many postings a search has to read; None where it takes arrays."""
        if needs_arrays(node):
            return None
        return Scale(self._view, self._vocabulary).weigh(node)

    def search(
        self, node: Node, *, limit: int, offset: int, sort: Sort, dedupe: bool
    ) -> Answer | None:
        """See ``Engine.search``; None where stories are asked for that have to be found."""
        scorer = Scorer(self._view, self._vocabulary)
        scores = scorer.run(node)
        stories = None
        if dedupe and len(scores) > 1:
            stories = self._stories()
            if stories is None:
                return None
        pages = Pages(self._view, scores, sort, stories)
        name = self._view.id
        matches = tuple(
            Match(name(document), score, tuple(map(name, behind)))
            for document, score, behind in pages.rows(offset, limit)
        )
        return Answer(matches, pages.total, tuple(scorer.patterns))
