"""How the clauses of a query that stand side by side become one node."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TypeAlias

from searchfeed import tree
from searchfeed.models import Span
from searchfeed.values import dataclass


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause of a sequence.

    Attributes:
        node: what it asks for.
        required: whether it has to match; any other is wanted, best first.
        condition: whether it is only to be met and does not score: a date, a flag, a keyword
            field, an exclusion. Beside it the words that are wanted are still looked for.
    """

    node: tree.Node
    required: bool = False
    condition: bool = False

    @property
    def excludes(self) -> bool:
        """Whether it says what is to be left out."""
        return isinstance(self.node, tree.Not)


Clauses: TypeAlias = Sequence[Clause]
"""What one word, or one pair of brackets, adds to the sequence that it stands in."""


def sequence(clauses: Clauses) -> tree.Node | None:
    """One node for clauses side by side; None where there are none."""
    told = _telling(clauses)
    needed = [clause.node for clause in told if clause.required and not clause.condition]
    wanted = [clause.node for clause in told if not clause.required]
    conditions = [clause.node for clause in told if clause.required and clause.condition]
    if wanted:
        needed = [_best(needed, wanted)]
    # What excludes comes last: the tree then reads as a person would say it.
    conditions.sort(key=lambda node: isinstance(node, tree.Not))
    flat: list[tree.Node] = []
    for node in (*needed, *conditions):
        flat += node.children if isinstance(node, tree.And) else (node,)
    if len(flat) < 2:
        return flat[0] if flat else None
    return tree.And(tuple(flat), _around(flat))


def required(clauses: Clauses) -> Clauses:
    """The same clauses, which together have to match: at least one of those that are wanted."""
    if any(clause.required and not clause.condition for clause in clauses):
        return clauses
    wanted = [clause.node for clause in _telling(clauses) if not clause.required]
    if not wanted:
        return clauses
    others = (clause for clause in clauses if clause.required)
    return [Clause(_best((), wanted), required=True), *others]


def fielded(clauses: Clauses, *, condition: bool) -> Clauses:
    """The clauses behind the name of a field: one that is required, and what they exclude."""
    node = sequence([clause for clause in clauses if not clause.excludes])
    excluding = [clause for clause in clauses if clause.excludes]
    if node is None:
        return excluding
    return [Clause(node, required=True, condition=condition), *excluding]


def excluded(clauses: Clauses, span: Span) -> Clauses:
    """The opposite of clauses."""
    node = sequence(clauses)
    return [] if node is None else [Clause(tree.Not(node, span), required=True, condition=True)]


def alternatives(branches: Sequence[Sequence[Clauses]]) -> tuple[Clauses, Clauses]:
    """What OR makes of the sequences that it stands between.

    What a sequence excludes is taken out of all of them, so that no other lets it in again. It
    stays an alternative only where the sequence is nothing else, and in brackets that are all of
    the sequence.

    Returns:
        The clause of the alternatives, and those that were taken out of them.
    """
    nodes: list[tree.Node] = []
    taken: list[Clause] = []
    conditions = True
    for branch in branches:
        clauses = together(branch)
        if len(branch) > 1 and not all(clause.excludes for clause in clauses):
            taken += (clause for clause in clauses if clause.excludes)
            clauses = [clause for clause in clauses if not clause.excludes]
        conditions &= all(clause.condition for clause in clauses)
        node = sequence(clauses)
        if node is not None:
            nodes += node.children if isinstance(node, tree.Or) else (node,)
    joined = tree.Or(tuple(nodes), _around(nodes))
    return [Clause(joined, required=True, condition=conditions)], taken


def together(branch: Sequence[Clauses]) -> Clauses:
    """All clauses of a branch."""
    return branch[0] if len(branch) == 1 else [*chain.from_iterable(branch)]


def _telling(clauses: Clauses) -> Clauses:
    """The clauses without ``*``, which says nothing unless it stands alone."""
    told = [clause for clause in clauses if not isinstance(clause.node, tree.Everything)]
    return told or clauses[:1]


def _best(needed: Sequence[tree.Node], wanted: Sequence[tree.Node]) -> tree.Node:
    nodes = (*needed, *wanted)
    return nodes[0] if len(nodes) == 1 else tree.Best(nodes, len(needed), _around(nodes))


def _around(nodes: Sequence[tree.Node]) -> Span:
    return Span(min(node.span.start for node in nodes), max(node.span.end for node in nodes))
