"""How much a query takes without arrays, before any of it is read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from searchfeed import tree
from searchfeed.engines.whoosh.meaning import condition, fields, pieces, united

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.scalar.view import View
    from searchfeed.engines.whoosh.vocabulary import Vocabulary

PATTERNS = (tree.Wildcard, tree.Fuzzy, tree.Regex)
"""Words that are looked for in the whole list of terms, which takes arrays."""


def needs_arrays(node: tree.Node) -> bool:
    """Whether a query asks for something that only arrays can answer."""
    return any(isinstance(leaf, PATTERNS) for leaf, _ in tree.leaves(node))


class Scale:
    """Weighs queries on one view.

    A weight is about how many postings are read; what else is gone through counts as well.
    """

    def __init__(self, view: View, vocabulary: Vocabulary) -> None:
        self._view = view
        self._vocabulary = vocabulary

    def weigh(self, node: tree.Node) -> int:
        """The weight of a query that does not need arrays."""
        match node:
            case tree.Best(children) | tree.Or(children):
                return sum(map(self.weigh, children))
            case tree.And(children):
                inside = [child for child in children if not isinstance(child, tree.Not)]
                # Dates are looked up of what is found otherwise.
                found = [child for child in inside if not isinstance(child, tree.DateRange)]
                out = [child.child for child in children if isinstance(child, tree.Not)]
                return sum(map(self.weigh, found + out)) + (0 if found else self._view.size)
            case tree.Not(child):
                return self._view.size + self.weigh(child)
            case tree.Everything() | tree.DateRange():
                return self._view.size
            case tree.Flag(name):
                return self._held("flag", (name,))
            case tree.Word() | tree.Phrase() if node.field in tree.KEYWORD_FIELDS:
                return self._condition(node)
            case tree.Word() if not (node.field or node.exact):
                words = self._vocabulary.words(node.text)
                return sum(self._leaf(piece) for piece, _ in pieces(node, words))
        return self._leaf(node)

    def _condition(self, leaf: tree.Words) -> int:
        view, read = self._view, 0

        def terms(field: str) -> list[str]:
            nonlocal read
            read += view.term_count(field)
            return view.terms(field)

        named, worded = condition(leaf, terms, view.starting)
        held = sum(self._held(field, found) for field, found in named)
        return read + held + sum(self._worded(words, field) for field, words in worded)

    def _leaf(self, leaf: tree.Words) -> int:
        return sum(self._worded(leaf, field) for field in fields(leaf))

    def _worded(self, leaf: tree.Words, field: str) -> int:
        sequences = self._vocabulary.sequences(leaf, field)
        if all(len(sequence) == 1 for sequence in sequences):
            return self._held(field, united(sequences))
        return sum(self._held(field, family) for found in sequences for family in found)

    def _held(self, field: str, terms: Iterable[str]) -> int:
        return sum(self._view.document_frequency(field, term) for term in terms)
