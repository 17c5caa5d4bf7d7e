"""The query tree: what a query asks for, in terms that no engine owns.

``query/`` builds it, engines answer it, ``snippets.py`` never sees it. Every node carries the
``span`` of the query's text it came from, so that an error or an explanation can point at it.
Texts are as the user typed them: the analyzer is applied by the engine, the same way as to the
entries.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TypeAlias

from searchfeed.models import Span
from searchfeed.values import dataclass

NOWHERE = Span(0, 0)
"""The span of a node that no part of the text stands for (one made by an option)."""

TEXT_FIELDS = ("title", "body")
"""The fields that a word without a field name is looked for in."""

KEYWORD_FIELDS = ("feed", "author", "tag", "link", "lang", "id")
"""Fields that are matched as a condition and do not score."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word: entries that hold it, or (unless ``exact``) another form of it.

    In the keyword fields it matches as a person would expect of each: any word of a feed's
    title or a part of its URL, of an author's name, a whole tag, a part of a link, a language
    with its regions (``en`` finds ``en-gb``), the start of an id.
    """

    text: str
    field: str | None = None
    exact: bool = False
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words next to each other in this order, at most ``slop`` other words between them all."""

    text: str
    slop: int = 0
    field: str | None = None
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Wildcard:
    """Words that fit a pattern whole: ``*`` stands for any characters, ``?`` for one."""

    pattern: str
    field: str | None = None
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """Words at most ``distance`` (1 or 2) edits away: a letter added, left out, changed, moved."""

    text: str
    distance: int = 1
    field: str | None = None
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Regex:
    """Words that a regular expression (of Python's ``re``) fits whole."""

    pattern: str
    field: str | None = None
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class DateRange:
    """Entries dated in the half-open range [start, end), aware UTC; None leaves a side open."""

    start: datetime | None
    end: datetime | None
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Flag:
    """Entries with a property: ``updated`` (it has more than one version), ``enclosure``."""

    name: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Everything:
    """Every entry: the empty query."""

    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Best:
    """Words that are all wanted: entries that match all children stand above those that do not.

    The first ``required`` children have to match, and if there are none, any child.
    """

    children: tuple[Node, ...]
    required: int = 0
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class And:
    """Entries that match every child."""

    children: tuple[Node, ...]
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Or:
    """Entries that match any child."""

    children: tuple[Node, ...]
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Not:
    """Entries that do not match the child."""

    child: Node
    span: Span = NOWHERE


Words: TypeAlias = Word | Phrase | Wildcard | Fuzzy | Regex
Leaf: TypeAlias = Words | DateRange | Flag | Everything
Node: TypeAlias = Leaf | Best | And | Or | Not


def leaves(node: Node, *, negated: bool = False) -> Iterator[tuple[Leaf, bool]]:
    """Every leaf from left to right, each with whether it is excluded."""
    if isinstance(node, Not):
        yield from leaves(node.child, negated=not negated)
    elif isinstance(node, Best | And | Or):
        for child in node.children:
            yield from leaves(child, negated=negated)
    else:
        yield node, negated


def outline(node: Node, depth: int = 0, sign: str = "") -> str:
    """The tree as indented text, a node a line; a ``+`` marks what of a ``Best`` is required.

    >>> print(outline(And((Word("ibm", "title"), Not(Word("ukraine"))))))
    And
      Word title:ibm
      Not
        Word ukraine
    >>> print(outline(Best((Word("border"), Word("guards")), required=1)))
    Best
      +Word border
      Word guards
    """
    row = f"{'  ' * depth}{sign}{type(node).__name__}"
    if isinstance(node, Not):
        return f"{row}\n{outline(node.child, depth + 1)}"
    if isinstance(node, Best | And | Or):
        required = node.required if isinstance(node, Best) else 0
        children = (
            outline(child, depth + 1, "+" if at < required else "")
            for at, child in enumerate(node.children)
        )
        return "\n".join([row, *children])
    return f"{row} {label(node)}".rstrip()


def label(leaf: Leaf) -> str:
    """A leaf as a person would type it.

    >>> label(Fuzzy("trafiking", 2, "title"))
    'title:trafiking~2'
    """
    match leaf:
        case Everything():
            return ""
        case DateRange(start, end):
            return f"{start.isoformat() if start else '…'} .. {end.isoformat() if end else '…'}"
        case Flag(name):
            return name
        case Word(text, field, exact):
            text = f'"{text}"' if exact else text
        case Phrase(text, slop, field):
            text = f'"{text}"' + (f"~{slop}" if slop else "")
        case Wildcard(pattern, field):
            text = pattern
        case Fuzzy(text, distance, field):
            text = f"{text}~{distance}"
        case Regex(pattern, field):
            text = f"/{pattern}/"
    return f"{field}:{text}" if field else text
