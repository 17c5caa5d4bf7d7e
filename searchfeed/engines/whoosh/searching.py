"""Answers on arrays, whatever is asked of a committed state."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from searchfeed import tree
from searchfeed.engines import Answer, Match
from searchfeed.engines.whoosh.lexicon import COMPLETED
from searchfeed.engines.whoosh.matching import Matcher
from searchfeed.engines.whoosh.paging import Pages
from searchfeed.engines.whoosh.ranking import Complete, Ranked, Ranking
from searchfeed.engines.whoosh.scoring import Recency, Scorer
from searchfeed.engines.whoosh.storyfile import known_groups
from searchfeed.engines.whoosh.values import date_number
from searchfeed.engines.whoosh.view import View
from searchfeed.engines.whoosh.vocabulary import Vocabulary
from searchfeed.errors import EntryNotFoundError
from searchfeed.models import Explanation, Facet, FacetCount, Sort

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.columnar import Snapshot
    from searchfeed.engines.whoosh.folding import Groups
    from searchfeed.tree import Node


class Arrays:
    """A committed state as arrays. Any thread may use it; ``Engine`` says what methods mean.

    Args:
        directory: where the index lies.
        snapshot: the state; None before the first commit.

    Attributes:
        view: its postings and columns.
        vocabulary: its terms.
    """

    def __init__(self, directory: Path, snapshot: Snapshot | None) -> None:
        self._directory = directory
        self._generation = snapshot.generation if snapshot else -1
        self.view = View(snapshot)
        self.vocabulary = Vocabulary(self.view)

    def search(
        self,
        node: Node,
        *,
        limit: int,
        offset: int,
        sort: Sort,
        recency: timedelta | None,
        dedupe: bool,
    ) -> Answer:
        """See ``Engine.search``."""
        view = self.view
        scorer = Scorer(view, self.vocabulary, recency=_recency(recency))
        ranked: Ranked
        if recency is not None:
            ranked = Complete(scorer.run(node), view.size)
        else:
            ranked = Ranking(scorer, node)
        groups = self._groups if dedupe and ranked.total > 1 else None
        pages = Pages(view, ranked, sort, groups)
        rows = pages.rows(offset, limit) if limit else ()
        matches = tuple(
            [
                Match(view.id(document), score, tuple(map(view.id, behind)))
                for document, score, behind in rows
            ]
        )
        return Answer(matches, pages.total, tuple(scorer.patterns))

    @cached_property
    def _groups(self) -> Groups:
        """The entries that tell the same story, read or found when they are first asked for."""
        groups = known_groups(self._directory, self._generation)
        if groups is None:
            from searchfeed.engines.whoosh.grouping import find_groups

            groups = find_groups(self.view)
        return groups

    def facets(
        self, node: Node, facets: Sequence[Facet], *, limit: int | None, zone: tzinfo
    ) -> dict[Facet, tuple[FacetCount, ...]]:
        """See ``Engine.facets``."""
        from searchfeed.engines.whoosh.facets import count

        documents = Ranking(Scorer(self.view, self.vocabulary), node).documents
        return {facet: count(self.view, documents, facet, limit, zone) for facet in facets}

    def explain(self, node: Node, id: str, *, recency: timedelta | None) -> Explanation:
        """See ``Engine.explain``."""
        from searchfeed.engines.whoosh.explaining import explain

        found = self.view.holding("id", id)
        if not len(found):
            raise EntryNotFoundError(f"there is no entry {id} in the index")
        return explain(self.view, self.vocabulary, node, int(found[0]), _recency(recency))

    def describe(self, node: Node) -> str:
        """See ``Engine.describe``."""
        from searchfeed.engines.whoosh.explaining import describe

        return describe(self.view, self.vocabulary, node)

    def frequencies(self, words: Sequence[str]) -> tuple[int, ...]:
        """See ``Engine.frequencies``."""
        matcher = Matcher(self.view, self.vocabulary)
        return tuple(len(matcher.holding(tree.Word(word))) for word in words)

    def suggest(self, word: str, *, limit: int) -> tuple[str, ...]:
        """See ``Engine.suggest``."""
        return self.view.lexicon(*COMPLETED[None]).suggest(word, limit)

    def complete(self, field: str | None, prefix: str, *, limit: int) -> tuple[str, ...]:
        """See ``Engine.complete``."""
        if field not in COMPLETED:
            return ()
        return self.view.lexicon(*COMPLETED[field]).complete(prefix, limit)

    def ids(self) -> tuple[tuple[str, ...], bool]:
        """The ids of all entries, and whether the two places that they stand in agree."""
        view = self.view
        held = view.frequencies("id")
        ids = tuple(id for id, count in held.items() for _ in range(count))
        # Searches answer by the number, and writing replaces by the term.
        keys = sorted(f"{key:016x}" for key in view.column("key")[view.everything()].tolist())
        return ids, keys == sorted(ids)


def _recency(half_life: timedelta | None) -> Recency | None:
    if half_life is None:
        return None
    return Recency(date_number(datetime.now(UTC)), half_life // timedelta(microseconds=1))
