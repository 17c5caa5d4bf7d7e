"""The parts of a query → its tree.

    query    = branch { OR branch }
    branch   = sequence { AND sequence }
    sequence = { [NOT] clause }
    clause   = [ - | + ] [ field: ] ( word | phrase | regex | "(" query ")" )

In a sequence bare words are all wanted, best first; phrases, fields, expressions and what has a
``+`` are required; what has a ``-`` or a NOT is excluded. Brackets around conditions alone are a
condition; around anything else they are wanted as a word is.
"""

from __future__ import annotations

from collections.abc import Sequence

from searchfeed import tree
from searchfeed.errors import QueryError
from searchfeed.models import Span
from searchfeed.query import fields
from searchfeed.query.clock import Clock
from searchfeed.query.leaves import AHEAD, Leaves
from searchfeed.query.lexer import Kind, Part

DEEPEST = 50
"""Brackets nest so deep at most; further ones are left out, unless that would turn the meaning."""


class Grammar:
    """Reads the parts of one query; what it has to guess is gathered in ``notes``."""

    def __init__(self, query: str, parts: Sequence[Part], clock: Clock) -> None:
        self._query = query
        self.notes: list[str] = []
        self._leaves = Leaves(query, clock, self.notes)
        self._parts = self._tidy(parts)
        self._at = 0

    def read(self) -> tree.Node | None:
        """The tree of the whole query, or None where nothing in it can be searched for."""
        return self._alternatives("")

    def _tidy(self, parts: Sequence[Part]) -> list[Part]:
        """The parts with brackets in pairs, and operators only where they join something."""
        paired: list[Part] = []
        opened: list[bool] = []
        for part in parts:
            if part.kind is Kind.OPEN:
                opened.append(len(opened) < DEEPEST)
                if not opened[-1]:
                    turned = paired[-1].kind is Kind.OPERATOR and paired[-1].text == "NOT"
                    if turned or part.sign == "-" or part.field:
                        span, reason = part.span, f"brackets nest deeper than {DEEPEST}"
                        raise QueryError(self._query, span.start, span.end, reason)
                    self.notes.append(f"Brackets deeper than {DEEPEST} are left out.")
                    continue
            elif part.kind is Kind.CLOSE and not (opened and opened.pop()):
                continue
            paired.append(part)
        if any(opened):
            self.notes.append("A bracket is not closed, so the group runs to the end.")
        tidy: list[Part] = []
        for at, part in enumerate(paired):
            if part.kind is Kind.OPERATOR and not self._joins(paired, tidy, at):
                text = self._query[part.span.start : part.span.end]
                self.notes.append(f"{text} has nothing to join, so it is searched as a word.")
                tidy.append(Part(Kind.WORD, text, part.span, part.span))
            else:
                tidy.append(part)
        return tidy

    @staticmethod
    def _joins(parts: Sequence[Part], before: Sequence[Part], at: int) -> bool:
        """Whether an operator has something on each side that it needs."""
        following = parts[at + 1] if at + 1 < len(parts) else None
        right = following is not None and (
            following.kind not in (Kind.CLOSE, Kind.OPERATOR) or following.text == "NOT"
        )
        if parts[at].text == "NOT":
            return right and following is not None and following.kind is not Kind.OPERATOR
        left = bool(before) and before[-1].kind not in (Kind.OPEN, Kind.OPERATOR)
        return right and left

    def _peek(self) -> Part | None:
        return self._parts[self._at] if self._at < len(self._parts) else None

    def _take_operator(self, name: str) -> bool:
        part = self._peek()
        if part is not None and part.kind is Kind.OPERATOR and part.text == name:
            self._at += 1
            return True
        return False

    def _alternatives(self, field: str) -> tree.Node | None:
        branches = [self._branch(field)]
        while self._take_operator("OR"):
            branches.append(self._branch(field))
        return _joined(tree.Or, branches)

    def _branch(self, field: str) -> tree.Node | None:
        sequences = [self._sequence(field)]
        while self._take_operator("AND"):
            sequences.append(self._sequence(field))
        flat = [
            child
            for node in sequences
            for child in (node.children if isinstance(node, tree.And) else (node,))
        ]
        return _joined(tree.And, flat)

    def _sequence(self, field: str) -> tree.Node | None:
        wanted: list[tree.Node] = []
        required: list[tree.Node] = []
        while (part := self._peek()) is not None and part.kind is not Kind.CLOSE:
            if part.kind is Kind.OPERATOR and part.text != "NOT":
                break
            excluded = self._take_operator("NOT")
            part = self._parts[self._at]
            node = self._clause(part, field)
            if node is None:
                continue
            if excluded != (part.sign == "-"):
                required.append(tree.Not(node, part.span))
            elif part.sign == "+" or part.field or _is_condition(node, field or None):
                required.append(node)
            else:
                wanted.append(node)
        # A star between words is no word: with it every entry would be found.
        words = [node for node in wanted if not isinstance(node, tree.Everything)]
        best = _joined(tree.Best, words if words or required else wanted[:1])
        # What excludes comes last: the tree then reads as a person would say it.
        required.sort(key=lambda node: isinstance(node, tree.Not))
        return _joined(tree.And, [best, *required])

    def _clause(self, part: Part, field: str) -> tree.Node | None:
        self._at += 1
        name = field
        if part.field:
            resolved = fields.resolve(part.field)
            if resolved is None:
                start = part.value.start - len(part.field) - 1
                raise QueryError(
                    self._query,
                    start,
                    start + len(part.field),
                    f"there is no field {part.field!r}",
                    fields.nearest(part.field) or "",
                )
            name = resolved
        if part.kind is Kind.OPEN:
            node = self._alternatives(name)
            self._at += 1
            return node
        node, taken = self._leaves.read(part, name, self._parts[self._at : self._at + AHEAD])
        self._at += taken
        return node


def _is_condition(node: tree.Node, field: str | None) -> bool:
    """Whether a clause is one to be met, not words to be found; ``field`` is that around it."""
    match node:
        case tree.Not() | tree.DateRange() | tree.Flag() | tree.Phrase() | tree.Regex():
            return True
        case tree.Best(children) | tree.And(children) | tree.Or(children):
            return all(_is_condition(child, field) for child in children)
        case tree.Everything():
            return False
        case tree.Word(exact=True):
            return True
    return node.field != field


def _joined(
    kind: type[tree.Or | tree.And | tree.Best], nodes: Sequence[tree.Node | None]
) -> tree.Node | None:
    """The nodes under one of ``kind``; one alone stands for itself."""
    found = tuple(node for node in nodes if node is not None)
    if len(found) < 2:
        return found[0] if found else None
    start = min(node.span.start for node in found)
    return kind(found, span=Span(start, max(node.span.end for node in found)))
