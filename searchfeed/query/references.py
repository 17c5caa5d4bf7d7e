"""``@name`` in a query: the saved search that it stands for.

A saved search is a group of its own: ``-@ai`` excludes it, ``@ai OR rust`` is one of two, and its
quotes, brackets and capitals end where it ends. It is read when it is used, so its relative dates
are of that moment and what it names in turn is as it is then.

Only a word that is nothing but the sign and a name is one. An address (``a@b.example``), a handle
of two parts (``@a@b.example``), what stands in quotes and what stands behind the name of a field
(``author:@ann``) are words; stops behind a name end the sentence, not the name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import TypeAlias

from searchfeed import tree
from searchfeed.errors import QueryError
from searchfeed.keys import search_key
from searchfeed.models import Span
from searchfeed.query.lexer import Kind, Lexer, Part, plain
from searchfeed.values import dataclass

SIGN = "@"

LONGEST = 10_000
"""Characters that all saved searches in a query come to: each can name others many times."""

DEEPEST = 32
"""Saved searches inside each other; they are read by recursion."""

_STOPS = ".,;:!?…"

Searches: TypeAlias = Mapping[str, tuple[str, str]]
"""What a saved search is known by (see ``keys.search_key``) → its name and its text."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the query that was typed a reference stands, however deep inside it an error is."""

    query: str
    span: Span
    bare: bool = False
    """Whether the query is a name and nothing else could have been meant by it."""


@dataclass(frozen=True, slots=True)
class References:
    """The saved searches that a query can name, seen from inside some of them.

    Attributes:
        searches: all there are; None where ``@name`` is a word like any other.
        path: what those are known by that these are seen from, the outermost first.
        room: how many characters more they may come to, in all of the query.
        place: where the outermost of them stands; None in the query itself.
    """

    searches: Searches | None
    path: tuple[str, ...] = ()
    room: list[int] = field(default_factory=lambda: [LONGEST])
    place: Place | None = None

    def find(self, part: Part, name: str) -> str | None:
        """What the saved search is known by that a part stands for; None where it is a word.

        Args:
            part: of the query.
            name: of the field that the part is looked for in; empty for all of the text.
        """
        if self.searches is None or name not in ("", *tree.TEXT_FIELDS):
            return None
        return known_by(part)

    def enter(self, query: str, part: Part, key: str) -> tuple[str, References]:
        """The text of a saved search, and what it can name.

        Raises:
            QueryError: there is no such search, it leads back to itself, or it is too much.
        """
        end = part.value.start + len(part.text.rstrip(_STOPS))
        # The sign is not what is wrong.
        place = self.place or Place(query, Span(part.value.start, end))
        if key in self.path:
            around = " → ".join(map(self._shown, [*self.path[self.path.index(key) :], key]))
            raise _error(place, f"saved searches go round in a circle: {around}")
        if not self.searches or key not in self.searches:
            raise self.unknown(place, key)
        _, text = self.searches[key]
        self.room[0] -= len(text)
        if self.room[0] < 0:
            reason = f"the saved searches in it come to more than {LONGEST:,} characters"
            raise _error(place, reason)
        if len(self.path) >= DEEPEST:
            raise _error(place, f"more than {DEEPEST} saved searches stand inside each other")
        return text, replace(self, path=(*self.path, key), place=place)

    def placed(self, error: QueryError) -> QueryError:
        """An error in the text of the saved search that these are seen from, as one of the query.

        The text itself is not what the user is looking at.
        """
        if self.place is None or error.query == self.place.query:
            return error
        return _error(self.place, f"in the saved search {self._shown(self.path[-1])}: {error}")

    def noted(self, note: str) -> str:
        """A note on the saved search that these are seen from, as one on the query."""
        return note if note.startswith(SIGN) else f"{self._shown(self.path[-1])}: {note}"

    def unknown(self, place: Place, key: str) -> QueryError:
        """That a saved search is not there, and which may be meant."""
        reason = f"there is no saved search {SIGN}{key}"
        if self.place:
            return _error(place, f"{reason}, which {self._shown(self.path[-1])} names")
        # Names are short: two letters swapped make half of one another.
        from difflib import get_close_matches

        if near := get_close_matches(key, self.searches or (), n=1, cutoff=0.5):
            return _error(place, reason, self._shown(near[0]))
        return _error(place, reason if place.bare else f"{reason}; in quotes it is a word")

    def _shown(self, key: str) -> str:
        name, _ = (self.searches or {}).get(key, (key, ""))
        return f"{SIGN}{name}"


def known_by(part: Part) -> str | None:
    """What a saved search is known by that a part of a query could stand for."""
    text = plain(part.text)
    if part.kind is not Kind.WORD or part.field or not text.startswith(SIGN):
        return None
    try:
        return search_key(text[len(SIGN) :].rstrip(_STOPS))
    except ValueError:
        return None


def named(text: str, searches: Searches) -> list[str]:
    """What the saved searches are known by that a query names, in order, each once."""
    keys = map(known_by, Lexer(text).parts())
    return [*dict.fromkeys(key for key in keys if key is not None and key in searches)]


def meant(name: str, searches: Searches) -> str:
    """What the saved search of that name is known by.

    Raises:
        QueryError: there is none.
    """
    query = f"{SIGN}{name}"
    try:
        key = search_key(name)
    except ValueError:
        key = name
    if key not in searches:
        raise References(searches).unknown(Place(query, Span(0, len(query)), bare=True), key)
    return key


def moved(node: tree.Node, span: Span) -> tree.Node:
    """The same tree, all of which stands at one place of the query."""
    match node:
        case tree.Best(children) | tree.And(children) | tree.Or(children):
            return replace(node, children=tuple(moved(each, span) for each in children), span=span)
        case tree.Not(child):
            return tree.Not(moved(child, span), span)
    return replace(node, span=span)


def _error(place: Place, reason: str, suggestion: str = "") -> QueryError:
    return QueryError(place.query, place.span.start, place.span.end, reason, suggestion)
