"""Where some terms stand in texts, most of whose words are others."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from searchfeed.analysis.analyzer import LONGEST_REMEMBERED, Token, columns

Pieces: TypeAlias = Sequence[tuple[str, int, int, int]]
"""Terms of a stretch, each with its position, start and end relative to it."""


class Finder:
    """Finds some terms in texts; what it learns of a word serves all texts that it looks into.

    Args:
        terms: what to find.
    """

    def __init__(self, terms: AbstractSet[str]) -> None:
        self._wanted = _Wanted(terms)
        # What is no single term has an empty one, and may be made of some that are wanted.
        self._looked_at = terms | {""}

    def tokens(self, text: str) -> list[Token]:
        """The tokens of the wanted terms, in the order of all tokens.

        >>> Finder({"agent"}).tokens("Multi-agent R&D")
        [Token(term='agent', position=1, start=6, end=11)]
        """
        wanted = self._wanted
        found: list[Token] = []
        position = offset = 0
        for stretch in text.split():
            width, pieces = wanted[stretch]
            if pieces:
                # Had it stood here before, it would have been found then.
                offset = _find_whole(text, stretch, offset)
                for term, place, start, end in pieces:
                    found.append(Token(term, position + place, offset + start, offset + end))
                offset += len(stretch)
            position += width
        return found

    def ranges(self, text: str) -> list[tuple[str, int, int]]:
        """The wanted terms, each with its start and end, in the order of all tokens.

        It takes half as long as ``tokens``, which counts all that stands before.

        >>> Finder({"agent"}).ranges("Multi-agent R&D")
        [('agent', 6, 11)]
        """
        looked_at = self._looked_at
        found: list[tuple[str, int, int]] = []
        offset = 0
        stretches = text.split()
        for stretch, known in zip(stretches, map(columns, stretches), strict=True):
            if known.single in looked_at and (pieces := self._wanted[stretch][1]):
                offset = _find_whole(text, stretch, offset)
                for piece, _, start, end in pieces:
                    found.append((piece, offset + start, offset + end))
                offset += len(stretch)
        return found


class _Wanted(dict[str, tuple[int, Pieces]]):
    """For each stretch its width, and those of its terms that are wanted."""

    def __init__(self, terms: AbstractSet[str]) -> None:
        super().__init__()
        self._terms = terms

    def __missing__(self, stretch: str) -> tuple[int, Pieces]:
        single, width, terms, places, starts, ends = columns(stretch)
        found: tuple[int, Pieces] = width, ()
        # Most words are not wanted: as little as can be is done for them.
        if single in self._terms if single else not self._terms.isdisjoint(terms):
            pieces = zip(terms, places, starts, ends, strict=True)
            found = width, [piece for piece in pieces if piece[0] in self._terms]
        if len(stretch) <= LONGEST_REMEMBERED:
            self[stretch] = found
        return found


def _find_whole(text: str, stretch: str, start: int) -> int:
    """Where a stretch that is there stands first from ``start`` on, white space around it."""
    while True:
        start = text.index(stretch, start)
        end = start + len(stretch)
        if (not start or text[start - 1].isspace()) and (end == len(text) or text[end].isspace()):
            return start
        start += 1
