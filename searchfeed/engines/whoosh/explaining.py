"""Why an entry matches or does not, and what a query stands for in this index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from searchfeed import tree
from searchfeed.engines.whoosh.matching import Matcher
from searchfeed.engines.whoosh.ranking import Ranking
from searchfeed.engines.whoosh.scoring import Scorer
from searchfeed.models import Explanation

if TYPE_CHECKING:
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
        missing = tuple(_failing(view, vocabulary, node, document))
        return Explanation(matches=False, missing=missing)
    score = float(matched.scores[at])
    return Explanation(matches=True, score=score, contributions=tuple(scorer.contributions))


def _failing(view: View, vocabulary: Vocabulary, node: tree.Node, document: int) -> Iterator[str]:
    """The clauses that keep a document out, as a person would type them."""
    if Ranking(Scorer(view, vocabulary), node).mask[document]:
        return
    match node:
        case tree.Best(children, required) if required:
            for child in children[:required]:
                yield from _failing(view, vocabulary, child, document)
        case tree.And(children):
            for child in children:
                yield from _failing(view, vocabulary, child, document)
        case tree.Or(children) | tree.Best(children):
            # One of them would have been enough, so all of them are missing.
            found = [
                each for child in children for each in _failing(view, vocabulary, child, document)
            ]
            yield " or ".join(found)
        case tree.Not(child):
            yield f"-({typed(child)})"
        case _:
            yield typed(node)


def typed(node: tree.Node) -> str:
    """A part of a query as a person would type it."""
    match node:
        case tree.Not(child):
            return f"-{typed(child)}"
        case tree.Best(children, required):
            words = [*map(typed, children)]
            return " ".join([*(f"+{each}" for each in words[:required]), *words[required:]])
        case tree.And(children):
            return " ".join(map(typed, children))
        case tree.Or(children):
            return " OR ".join(map(typed, children))
        case tree.Everything():
            return "*"
        case tree.DateRange():
            return f"date:{tree.label(node)}"
        case tree.Flag(name):
            return f"is:{name}"
    return tree.label(node)


def describe(view: View, vocabulary: Vocabulary, node: tree.Node) -> str:
    """The query as this engine runs it: for each word the terms of the index it stands for."""
    matcher = Matcher(view, vocabulary)
    lines: list[str] = []
    for leaf, excluded in tree.leaves(node):
        sign = "-" if excluded else ""
        if isinstance(leaf, tree.Flag | tree.DateRange | tree.Everything):
            lines.append(f"{sign}{typed(leaf)}")
            continue
        lines.append(f"{sign}{tree.label(leaf)}")
        lines += [f"  {field}: {terms}" for field, terms in matcher.families(leaf)]
    return "\n".join(lines)
