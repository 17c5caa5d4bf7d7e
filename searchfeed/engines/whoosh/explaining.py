"""Why an entry matches or does not, and what a query stands for in this index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from searchfeed.engines.whoosh.matching import Matcher
from searchfeed.engines.whoosh.ranking import Ranking
from searchfeed.engines.whoosh.scoring import Scorer
from searchfeed.engines.wording import described, failing
from searchfeed.models import Explanation

if TYPE_CHECKING:
    from searchfeed import tree
    from searchfeed.engines.whoosh.scoring import Recency
    from searchfeed.engines.whoosh.view import View
    from searchfeed.engines.whoosh.vocabulary import Vocabulary


def explain(
    view: View,
    vocabulary: Vocabulary,
    node: tree.Node,
    document: int,
    recency: Recency | None,
) -> Explanation:
    """Take the score of a document apart, or say which clauses it fails."""
    scorer = Scorer(view, vocabulary, recency=recency, explained=document)
    matched = scorer.run(node)
    at = matched.documents.searchsorted(document)
    if at == len(matched.documents) or matched.documents[at] != document:
        missing = failing(
            node, lambda part: bool(Ranking(Scorer(view, vocabulary), part).mask[document])
        )
        return Explanation(matches=False, missing=tuple(missing))
    score = float(matched.scores[at])
    return Explanation(matches=True, score=score, contributions=tuple(scorer.contributions))


def describe(view: View, vocabulary: Vocabulary, node: tree.Node) -> str:
    """The query as this engine runs it: for each word the terms of the index it stands for."""
    return described(node, Matcher(view, vocabulary).families)
