"""Texts and typed words → terms: the same for the index, for queries and for snippets.

A text is cut at white space first, and each stretch is analysed on its own and remembered. So
what a stretch is indexed as never depends on its neighbours, and a word of a query, analysed
alone, always has the terms that the same word has inside a text.
"""

from __future__ import annotations

from array import array
from itertools import repeat
from typing import NamedTuple

from searchfeed.analysis.words import LONGEST_TERM, Piece, Unit, units
from searchfeed.patterns import deferred
from searchfeed.values import dataclass

# Longer stretches (a paragraph of Japanese) do not come back, and would fill the memory.
LONGEST_REMEMBERED = 40
_MOST_REMEMBERED = 65_536
_LONGEST_SEQUENCE = 64

# What stands around a plain word of news. A full stop before a word can belong to it.
PUNCTUATION = ".,;:!?\"'()[]"

THOUSANDS = deferred("[0-9]{1,3}(?:,[0-9]{3}){1,7}")
_DECIMAL = deferred(r"([0-9]{1,20})\.([0-9]{1,20})")


class Token(NamedTuple):
    """A term of a text.

    Attributes:
        position: counts words from 0 (characters, where a script is searched by pairs); several
            tokens can stand at one position, and it never falls from a token to the next.
        start, end: the half-open range of characters of the original text.
    """

    term: str
    position: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class WordQuery:
    """What has to stand in a text for a typed word, or for a phrase, to be found in it.

    Attributes:
        alternatives: sequences of terms at consecutive positions, most exact first; any of them
            will do. The last one is the plainest; where it is long (a sentence of Japanese is
            one word to the eye of a program), its terms by themselves are what an entry with
            only some of them can be ranked by. Empty where there is nothing to look for.
        prefix: the last term of each sequence stands for every term that begins with it: the
            text ended in a single character of a script that is searched by pairs.
    """

    alternatives: tuple[tuple[str, ...], ...]
    prefix: bool = False


class Stretch(NamedTuple):
    """The tokens of a stretch in columns, positions and ranges relative to it.

    ``single`` is its one term where it has no more, else empty; ``width`` is in positions.
    """

    single: str
    width: int
    terms: tuple[str, ...]
    positions: tuple[int, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]


class _Memory(dict[str, Stretch]):
    def __missing__(self, stretch: str) -> Stretch:
        found = _plain_word(stretch) or _columns(units(stretch))
        if len(stretch) <= LONGEST_REMEMBERED:
            if len(self) >= _MOST_REMEMBERED:
                self.clear()
            self[stretch] = found
        return found


_STRETCHES = _Memory()
_FIRST = (0,)


columns = _STRETCHES.__getitem__
"""The tokens of a stretch of text without white space."""


def _plain_word(stretch: str) -> Stretch | None:
    """The short way for a word or number in ASCII between punctuation; None for anything else."""
    word = stretch.strip(PUNCTUATION)
    if not word.isascii() or len(word) > LONGEST_TERM:
        return None
    start = stretch.index(word)
    if stretch[start - 1 : start] == ".":
        return None
    if word.isalnum():
        term = word.lower()
    elif THOUSANDS.fullmatch(word):
        term = word.replace(",", "")
    elif match := _DECIMAL.fullmatch(word):
        return _decimal(match[1], match[2], start)
    else:
        return None
    return Stretch(term, 1, (term,), _FIRST, (start,), (start + len(word),))


def _decimal(whole: str, rest: str, start: int) -> Stretch:
    point = start + len(whole)
    end = point + 1 + len(rest)
    terms = [f"{whole}.{rest}", whole, rest]
    starts, ends, positions = [start, start, point + 1], [end, point, end], [0, 0, 1]
    if len(whole) <= 3 == len(rest):
        # The point may divide thousands.
        terms.insert(1, whole + rest)
        starts.insert(1, start)
        ends.insert(1, end)
        positions.insert(1, 0)
    return Stretch("", 2, tuple(terms), tuple(positions), tuple(starts), tuple(ends))


def _columns(found: list[Unit]) -> Stretch:
    pieces: list[Piece] = []
    positions: list[int] = []
    width = 0
    for unit in found:
        pieces += unit.wholes
        positions += repeat(width, len(unit.wholes))
        for spellings in unit.atoms:
            pieces += spellings
            positions += repeat(width, len(spellings))
            width += 1
    terms, starts, ends = zip(*pieces, strict=True) if pieces else ((), (), ())
    single = terms[0] if len(terms) == 1 else ""
    return Stretch(single, width, terms, tuple(positions), starts, ends)


def tokens(text: str) -> list[Token]:
    """Every term of a text, in the order of its positions.

    >>> [(token.term, token.position) for token in tokens("Multi-agent R&D")]
    [('multi-agent', 0), ('multi', 0), ('agent', 1), ('r&d', 2), ('r', 2), ('d', 3)]
    """
    found: list[Token] = []
    position = offset = 0
    for stretch in text.split():
        single, width, terms, places, starts, ends = _STRETCHES[stretch]
        offset = text.index(stretch, offset)
        if single:
            found.append(Token(single, position, offset + starts[0], offset + ends[0]))
        else:
            for term, place, start, end in zip(terms, places, starts, ends, strict=True):
                found.append(Token(term, position + place, offset + start, offset + end))
        position += width
        offset += len(stretch)
    return found


def index_terms(text: str) -> tuple[list[str], array[int]]:
    """The terms of a text and their positions (type code ``I``): ``tokens`` for the index."""
    found: list[str] = []
    positions: list[int] = []
    position = 0
    for stretch in text.split():
        single, width, terms, places, _, _ = _STRETCHES[stretch]
        if single:
            found.append(single)
            positions.append(position)
        else:
            found += terms
            positions += [position + place for place in places]
        position += width
    return found, array("I", positions)


def terms(text: str) -> list[str]:
    """The terms of a text, in the order of their positions.

    >>> terms("C++ in l’Europe, 東京都")
    ['c++', 'in', "l'europe", 'europe', '東京', '京都', '都']
    """
    return index_terms(text)[0]


def query_words(text: str) -> WordQuery:
    """What a typed word, or the words of a phrase, stand for.

    >>> query_words("multi-agent").alternatives
    (('multi-agent',), ('multi', 'agent'))
    >>> query_words("東京都").alternatives
    (('東京', '京都'),)
    >>> query_words("東")
    WordQuery(alternatives=(('東',),), prefix=True)
    """
    found: list[Unit] = []
    atoms: list[tuple[Piece, ...]] = []
    for stretch in text.split():
        for unit in units(stretch):
            found.append(unit)
            atoms += unit.atoms
        if len(atoms) > _LONGEST_SEQUENCE:
            break
    prefix = False
    if found and found[-1].run:
        # In a text the run can go on, so that its last character begins a pair there.
        prefix = len(found[-1].atoms) == 1
        if not prefix:
            atoms.pop()
    if len(atoms) > _LONGEST_SEQUENCE:
        del atoms[_LONGEST_SEQUENCE:]
        prefix = False
    alternatives: list[tuple[str, ...]] = []
    if len(found) == 1:
        alternatives += [(whole.term,) for whole in found[0].wholes]
    if len(atoms) == 1:
        alternatives += [(piece.term,) for piece in _meant(atoms[0])]
    elif atoms:
        alternatives.append(tuple(atom[0].term for atom in atoms))
        alternatives.append(tuple(_meant(atom)[-1].term for atom in atoms))
    return WordQuery(tuple(dict.fromkeys(alternatives)), prefix)


def _meant(spellings: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """The spellings that a query asks for: who types the full stop of ``.net`` means it."""
    return spellings[:1] if spellings[0].term.startswith(".") else spellings
