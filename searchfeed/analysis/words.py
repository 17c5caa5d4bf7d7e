"""The grammar of words: what one stretch of text without white space is indexed as.

A stretch is cut into *units*, each of which is one of:

- a compound: up to eight atoms joined by ``-``, ``.``, ``&``, ``@``, ``_`` and their like
  (``multi-agent``, ``AT&T``, ``user@host.example``), or a single atom;
- a run of characters of a script that is searched by pairs (``東京都``);
- an emoji, or a flag.

An atom takes one position and has one or more spellings, the exact one first and the plainest
last (``l'europe``, ``europe``). A compound is kept whole beside its atoms, at the position of
the first. Each character of a run takes a position, which holds the pair it begins; the last
one stands there alone.

Everything here is linear in the length of the stretch: each repetition of the expressions is
possessive or bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from searchfeed.analysis.characters import SHAPES, ZERO_WIDTH_NON_JOINER, align
from searchfeed.patterns import deferred

LONGEST_TERM = 64
"""A term has at most this many characters; a longer word is cut into several."""

_ELISIONS = """
l d j m t s n c qu jusqu lorsqu puisqu quoiqu presqu quelqu entr
un all dall dell nell sull coll pell quell quest sant bell grand gl cos com dov anch
tutt senz mezz nient quant
"""
ELISIONS = frozenset(_ELISIONS.split())
"""What French, Italian and Catalan write before an apostrophe for a word of its own."""


class Piece(NamedTuple):
    """A term and the half-open range of characters of the stretch that it stands for."""

    term: str
    start: int
    end: int


class Unit(NamedTuple):
    """A compound, a run or an emoji.

    Attributes:
        wholes: spellings of the whole, where that is more than its one atom.
        atoms: at each position the spellings of the atom, the exact one first.
        run: whether its atoms are the pairs of a run.
    """

    wholes: tuple[Piece, ...]
    atoms: tuple[tuple[Piece, ...], ...]
    run: bool = False


_WORD = "[LHN][LHNM]{0,63}+"
_LETTER = "[LH]M{0,4}+"
_PLUS = r"(?: \+\+ (?!\+) | \+ (?![LHNM+]) )"
# The first line is the short way for a word that nothing can be joined to.
_PATTERN = deferred(
    rf"""(?P<simple> {_WORD} (?= [.,'"]*+ (?: [\ BEF] | $ ) ) | E | FF )
       | (?P<run> (?:BM{{0,8}}+)++ )
       | (?P<dot> (?<![LHNMB.]) \. (?=[LH]) )?+
         (?P<core>
             (?P<number> N{{1,3}}+ (?:[,']NNN){{1,7}}+ (?!N) )
           | (?P<acronym> {_LETTER} (?:\.{_LETTER}){{1,7}}+ (?!\.?[LHN]|M) \.?+ )
           | {_LETTER} (?: {_PLUS} | \# (?![LHNM#]) )
           | H[HM]{{0,30}}+ " H[HM]{{0,30}}+ (?!")
           | {_WORD} (?P<plus> {_PLUS} )?+
         )
         (?P<tail> (?:'{_WORD}){{0,7}}+ )
         (?P<joint> [-.&@_:X] (?=[LHN]) )?+
    """,
    re.VERBOSE,
)
MOST_ATOMS = 8
_CHARACTER_OF_RUN = deferred("BM{0,8}+")
_PART = deferred(_WORD)
_THOUSANDS = deferred(r"N{1,3}(?:\.NNN)+")

# Neither says anything about the text: the scheme of an address, and "www".
ADDRESS = deferred(r"(?<![a-z])[a-z]{2,10}://(?:www\d?\.)?|(?<![a-z])www\d?\.(?=\w)")


def units(stretch: str) -> list[Unit]:
    """Cut a stretch of text without white space into its units, in order."""
    spelled, shape, starts, ends = align(stretch)
    if "://" in spelled or "www" in spelled:
        shape = ADDRESS.sub(_blank, spelled).translate(SHAPES)
    found: list[Unit] = []
    joined: list[re.Match[str]] = []
    for match in _PATTERN.finditer(shape):
        if match["run"]:
            found.append(_run(spelled, shape, *match.span()))
        elif match["simple"] and not joined:
            piece = Piece(spelled[match.start() : match.end()], *match.span())
            found.append(Unit((), ((piece,),)))
        else:
            joined.append(match)
            # After a joint an atom always follows.
            if not match["joint"] or len(joined) == MOST_ATOMS:
                found.append(_compound(spelled, joined))
                joined = []
    if starts is None or ends is None:
        return found
    return [_relocate(unit, starts, ends) for unit in found]


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _relocate(unit: Unit, starts: Sequence[int], ends: Sequence[int]) -> Unit:
    """Move the pieces of a unit from the spelling of a stretch to the stretch itself."""

    def move(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
        return tuple(Piece(term, starts[start], ends[end - 1]) for term, start, end in pieces)

    return Unit(move(unit.wholes), tuple(map(move, unit.atoms)), unit.run)


def _run(spelled: str, shape: str, start: int, end: int) -> Unit:
    borders = list(range(start, end))
    if "M" in shape[start:end]:
        borders = [match.start() for match in _CHARACTER_OF_RUN.finditer(shape, start, end)]
    ends = [*borders[2:], end, end]
    pairs = [spelled[left:right] for left, right in zip(borders, ends, strict=False)]
    # zip makes each piece the one spelling at its position.
    return Unit((), tuple(zip(map(Piece, pairs, borders, ends), strict=True)), run=True)


def _compound(spelled: str, joined: list[re.Match[str]]) -> Unit:
    atoms: list[tuple[Piece, ...]] = []
    exact = plain = joint = ""
    for match in joined:
        spellings = _spellings(spelled, match)
        exact += joint + spellings[0].term
        plain += joint + spellings[-1].term
        atoms += _divided(spelled, match, spellings)
        joint = spelled[match.end() - 1].replace(ZERO_WIDTH_NON_JOINER, "")
    start, end = joined[0].start(), _end(joined[-1])
    wholes = [exact, plain] if len(atoms) > 1 else []
    if _THOUSANDS.fullmatch(joined[0].string, start, end):
        wholes.append(plain.replace(".", ""))
    short = [term for term in dict.fromkeys(wholes) if len(term) <= LONGEST_TERM]
    return Unit(tuple(Piece(term, start, end) for term in short), tuple(atoms))


def _end(match: re.Match[str]) -> int:
    return match.start("joint") if match["joint"] else match.end()


def _spellings(spelled: str, match: re.Match[str]) -> tuple[Piece, ...]:
    """What an atom is found by, the exact spelling first and the plainest last."""
    if match["simple"]:
        return (Piece(spelled[match.start() : match.end()], *match.span()),)
    start, border = match.span("core")
    end = match.end("tail")
    core = plain = spelled[start:border]
    plain_end = border
    if match["number"]:
        core = plain = core.replace(",", "").replace("'", "")
    elif match["acronym"]:
        plain = core.replace(".", "")
        core = core if core.endswith(".") else core + "."
    elif match["plus"]:
        plain_end = match.start("plus")
        plain = spelled[start:plain_end]
    spellings = [Piece(core, start, border), Piece(plain, start, plain_end)]
    if match["tail"]:
        tail = spelled[border:end]
        spellings.insert(0, Piece(core + tail, start, end))
        if core in ELISIONS and tail != "'s":
            spellings[1:] = [Piece(tail[1:], border + 1, end)]
        elif not tail.endswith("'s"):
            del spellings[1:]
        elif tail != "'s":
            spellings[1:] = [Piece(core + tail[:-2], start, end - 2)]
    if match["dot"]:
        exact = spellings[0]
        spellings.insert(0, Piece("." + exact.term, start - 1, exact.end))
    return tuple(dict.fromkeys(spellings))


def _divided(
    spelled: str, match: re.Match[str], spellings: tuple[Piece, ...]
) -> list[tuple[Piece, ...]]:
    """The positions of an atom: one, unless it has many apostrophes or is too long."""
    short = tuple(piece for piece in spellings if len(piece.term) <= LONGEST_TERM)
    if short and (len(spellings) > 1 or (match["tail"] or "").count("'") < 2):
        return [short]
    return [
        (Piece(spelled[part.start() : part.end()], part.start(), part.end()),)
        for part in _PART.finditer(match.string, match.start(), _end(match))
    ]
