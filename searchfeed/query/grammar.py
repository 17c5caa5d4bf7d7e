"""The parts of a query → its tree.

    query    = sequence { OR sequence }
    sequence = { clause | clause AND clause }
    clause   = [NOT] [ - | + ] [ field: ] ( word | phrase | regex | "(" query ")" | saved )

What is saved (``@name``, see ``references``) is read as its text in brackets would be.

In a sequence bare words are all wanted, best first. Phrases, expressions, fields, what AND or OR
joins and what has a ``+`` are required; what has a ``-`` or a NOT is excluded. Brackets do not
change how the clauses inside are read: they hold together what a sign, a field or an operator
beside them is for. So bracketed words that nothing is for are words like any others, and of
values behind a field (``tag:(a b)``) any has to match.

What is excluded is left out of all that OR joins, because nobody who writes ``a OR b -c`` wants
to see c. It is an alternative only where it is all that stands on one side (``a OR -b``), and
brackets that are all of a side keep it to that side (``a OR (b -c)``).

The parts are read in one loop with the open brackets on a stack: texts can open thousands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from searchfeed import tree
from searchfeed.errors import QueryError
from searchfeed.models import Span
from searchfeed.query.clauses import (
    Clause,
    Clauses,
    alternatives,
    excluded,
    fielded,
    required,
    sequence,
    together,
)
from searchfeed.query.clock import Clock
from searchfeed.query.fields import nearest, resolve
from searchfeed.query.leaves import AHEAD, Leaves
from searchfeed.query.lexer import Kind, Lexer, Part
from searchfeed.query.references import References, moved

DEEPEST = 100
"""A tree is so many nodes deep at most, because engines walk it by recursion."""


@dataclass(slots=True)
class _Level:
    """What has been read of one pair of brackets, or of the whole.

    Attributes:
        name: the field that the words in it are looked for in; empty for none.
        opening: its bracket; None stands for the whole.
        turned_at: where the NOT before its bracket stands, if there is one.
        branches: what OR stands between: sequences, as what each word or bracket adds to them.
        joining: whether an AND waits for what it joins.
        turning_at: where a NOT stands that waits for what it excludes.
    """

    name: str = ""
    opening: Part | None = None
    turned_at: int | None = None
    branches: list[list[Clauses]] = field(default_factory=lambda: [[]])
    joining: bool = False
    turning_at: int | None = None

    def operator(self, part: Part) -> None:
        """Take in an operator."""
        if part.text == "OR":
            self.branches.append([])
        elif part.text == "AND":
            self.joining = True
        else:
            self.turning_at = part.span.start

    def add(self, clauses: Clauses) -> None:
        """Take in what a word or a bracket stands for, which may be nothing."""
        branch = self.branches[-1]
        if self.joining:
            branch[-1] = required(branch[-1])
            clauses = required(clauses)
            self.joining = False
        branch.append(clauses)


class Grammar:
    """Reads the parts of one query; what it has to guess is gathered in ``notes``."""

    def __init__(
        self,
        query: str,
        clock: Clock,
        references: References,
        expanded: list[int] | None = None,
    ) -> None:
        self._query = query
        self._clock = clock
        self._references = references
        lexer = Lexer(query)
        parts = list(lexer.parts())
        self.notes = lexer.notes
        self._leaves = Leaves(query, clock, self.notes, expanded)
        self._parts = self._tidy(parts)

    def read(self) -> tree.Node | None:
        """The tree of the whole query, or None where nothing in it can be searched for.

        Raises:
            QueryError: a condition that cannot be meant, or more brackets than anybody means.
        """
        node = sequence(self._clauses(""))
        if node is not None:
            self._check_depth(node)
        return node

    def _clauses(self, name: str) -> Clauses:
        """What all of it adds to the sequence it stands in; words are looked for in a field."""
        levels = [_Level(name)]
        at = 0
        while at < len(self._parts):
            part, level = self._parts[at], levels[-1]
            at += 1
            if part.kind is Kind.OPERATOR:
                level.operator(part)
            elif part.kind is Kind.OPEN:
                levels.append(_Level(self._field(part) or level.name, part, level.turning_at))
                level.turning_at = None
            elif part.kind is Kind.CLOSE:
                self._close(levels, part.span.end)
            else:
                name = self._field(part) or level.name
                clauses = self._saved(part, name)
                end = part.span.end
                if clauses is None:
                    leaf, taken = self._leaves.read(part, name, self._parts[at : at + AHEAD])
                    at += taken
                    clauses = [] if leaf is None else [_clause(leaf, part, name)]
                    end = leaf.span.end if leaf else end
                level.add(_signed(clauses, part, level.turning_at, end))
                level.turning_at = None
        while len(levels) > 1:
            self._close(levels, len(self._query))
        return self._joined(levels[0])

    def _saved(self, part: Part, name: str) -> Clauses | None:
        """What the saved search stands for that a part names; None where it names none."""
        key = self._references.find(part, name)
        if key is None:
            return None
        text, references = self._references.enter(self._query, part, key)
        try:
            inner = Grammar(text, self._clock, references, self._leaves.expanded)
            clauses = inner._clauses(name)
            for clause in clauses:
                inner._check_depth(clause.node)
        except QueryError as error:
            raise references.placed(error) from error
        self.notes.extend(map(references.noted, inner.notes))
        return [replace(each, node=moved(each.node, part.span)) for each in clauses]

    def _close(self, levels: list[_Level], end: int) -> None:
        """Give what the innermost bracket stands for to the level around it."""
        level = levels.pop()
        clauses, opening = self._joined(level), level.opening
        assert opening is not None
        if opening.field:
            clauses = fielded(clauses, condition=level.name not in tree.TEXT_FIELDS)
        levels[-1].add(_signed(clauses, opening, level.turned_at, end))

    def _joined(self, level: _Level) -> Clauses:
        """The clauses of a level, OR worked out."""
        branches = [[clauses for clauses in branch if clauses] for branch in level.branches]
        branches = [branch for branch in branches if branch]
        if len(branches) < 2:
            return together(branches[0]) if branches else []
        joined, taken = alternatives(branches)
        if taken:
            spans = [clause.node.span for clause in taken]
            said = ", ".join(dict.fromkeys(self._query[span.start : span.end] for span in spans))
            self.notes.append(
                f"{said}: left out on both sides of OR; "
                "brackets around one side would keep that to it."
            )
        return [*joined, *taken]

    def _field(self, part: Part) -> str:
        """The field that is named before a part, or an empty string."""
        name = resolve(part.field) if part.field else ""
        if name is None:
            start = part.value.start - len(part.field) - 1
            raise QueryError(
                self._query,
                start,
                start + len(part.field),
                f"there is no field {part.field!r}",
                nearest(part.field) or "",
            )
        return name

    def _tidy(self, parts: Sequence[Part]) -> list[Part]:
        """The parts without loose brackets, and with operators only where they join something."""
        paired: list[Part] = []
        opened = 0
        for part in parts:
            if part.kind is Kind.OPEN:
                opened += 1
            elif part.kind is Kind.CLOSE:
                if not opened:
                    continue
                opened -= 1
            paired.append(part)
        if opened:
            self.notes.append("A bracket is not closed, so the group runs to the end.")
        tidy: list[Part] = []
        for at, part in enumerate(paired):
            if part.kind is Kind.OPERATOR and not _joins(paired, tidy, at):
                text = self._query[part.span.start : part.span.end]
                self.notes.append(f"{text} has nothing to join, so it is searched as a word.")
                tidy.append(Part(Kind.WORD, text, part.span, part.span))
            else:
                tidy.append(part)
        return tidy

    def _check_depth(self, node: tree.Node) -> None:
        nodes = [node]
        for _ in range(DEEPEST - 1):
            nodes = [child for parent in nodes for child in _children(parent)]
        for deep in nodes:
            if _children(deep):
                reason = "brackets nest too deep here"
                raise QueryError(self._query, deep.span.start, deep.span.end, reason)


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


def _clause(leaf: tree.Leaf, part: Part, name: str) -> Clause:
    """A leaf as a clause of its sequence; ``name`` is the field it is looked for in."""
    of_text = name in ("", *tree.TEXT_FIELDS)
    told = bool(part.field) or (of_text and part.kind is not Kind.WORD)
    return Clause(leaf, required=told, condition=bool(part.field) and not of_text)


def _signed(clauses: Clauses, part: Part, turning_at: int | None, end: int) -> Clauses:
    """What the sign of a part, and a NOT before it, make of the clauses it stands for."""
    if (turning_at is not None) != (part.sign == "-"):
        start = part.span.start if turning_at is None else turning_at
        return excluded(clauses, Span(start, end))
    return required(clauses) if part.sign == "+" else clauses


def _children(node: tree.Node) -> Sequence[tree.Node]:
    if isinstance(node, tree.Not):
        return (node.child,)
    return node.children if isinstance(node, tree.Best | tree.And | tree.Or) else ()
