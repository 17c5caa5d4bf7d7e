"""What the user typed → a query tree.

``parse`` forgives: natural text never fails, and what had to be guessed is said in notes. Only a
condition that cannot be meant (a bad date, a misspelt field) raises a QueryError, which names the
place and the nearest right spelling.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from searchfeed.keys import search_key
from searchfeed.models import Span
from searchfeed.query.clock import Clock
from searchfeed.query.clock import SystemZone as SystemZone
from searchfeed.query.fields import ALIASES, FIELDS
from searchfeed.query.grammar import Grammar
from searchfeed.query.lexer import plain
from searchfeed.query.pointing import caret
from searchfeed.query.references import SIGN, References, Searches, meant, named
from searchfeed.tree import Everything, Node
from searchfeed.values import dataclass

LONGEST = 10_000
"""Characters of a query that are read."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """The tree of a query, and what had to be guessed to make it, a sentence each."""

    node: Node
    notes: tuple[str, ...] = ()


def names_searches(text: str) -> bool:
    """Whether there may be a saved search in a query, so that those there are have to be known."""
    return SIGN in plain(text)


def parse(
    text: str,
    *,
    now: datetime | None = None,
    zone: tzinfo | None = None,
    searches: Searches | None = None,
    naming: str = "",
) -> Parsed:
    """Read a query.

    Args:
        text: what the user typed.
        now: the aware instant that ``yesterday`` and ``newer:3d`` are relative to.
        zone: the user's time zone, in which days begin and end; the system's by default.
        searches: those that ``@name`` stands for; None where it is a word like any other.
        naming: the name that the query is about to be saved under, which it must not come back to.

    Raises:
        QueryError: a condition in it cannot be meant.
    """
    notes: list[str] = []
    if len(text) > LONGEST:
        notes.append(f"Only the first {LONGEST:,} characters of the query are read.")
        text = text[:LONGEST]
    clock = Clock(now or datetime.now(UTC), zone or SystemZone())
    path = (search_key(naming),) if naming else ()
    grammar = Grammar(text, clock, References(searches, path))
    node = grammar.read()
    notes += grammar.notes
    if node is None:
        if text.strip():
            notes.append(f"There is nothing to search for in {text.strip()!r}: every entry shows.")
        node = Everything(Span(0, len(text)))
    return Parsed(node, tuple(dict.fromkeys(notes)))


__all__ = [
    "ALIASES",
    "FIELDS",
    "LONGEST",
    "Parsed",
    "Searches",
    "caret",
    "meant",
    "named",
    "names_searches",
    "parse",
]
