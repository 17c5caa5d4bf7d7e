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
_ATOM = rf"""(?:
    (?P<number> N{{1,3}}+ (?:[,']NNN){{1,7}}+ (?!N) )
  | (?P<acronym> {_LETTER} (?:\.{_LETTER}){{1,7}}+ (?!\.?[LHNM]) \.?+ )
  | (?P<sharp> {_LETTER} (?:\+\+?+|\#) (?![LHNM+\#]) )
  | (?P<quoted> H[HM]{{0,30}}+ " H[HM]{{0,30}}+ (?!") )
  | {_WORD} (?P<plus> \+\+?+ (?![LHNM+]) )?+
) (?P<tail> (?:'{_WORD}){{0,7}}+ )"""
_ATOM_PATTERN = re.compile(_ATOM, re.VERBOSE)
_NAMELESS_ATOM = re.sub(r"\?P<\w+>", "?:", _ATOM)
_UNIT_PATTERN = re.compile(
    rf"""(?P<dot> (?<![LHNMB.]) \. (?=[LH]) )?+
         (?P<compound> {_NAMELESS_ATOM} (?: [-.&@_:X] {_NAMELESS_ATOM} ){{0,7}}+ )
       | (?P<run> (?:BM{{0,8}}+)++ )
       | E | FF""",
    re.VERBOSE,
)
_CHARACTER_OF_RUN = re.compile("BM{0,8}+")
_PART = re.compile(_WORD)
_THOUSANDS = re.compile(r"N{1,3}(?:\.NNN)+")

# Neither says anything about the text: the scheme of an address, and "www".
_ADDRESS = re.compile(r"[a-z]{2,10}://(?:www\d?\.)?|(?<!\w)www\d?\.(?=\w)")


def units(stretch: str) -> list[Unit]:
    """Cut a stretch of text without white space into its units, in order."""
    spelled, shape, starts, ends = align(stretch)
    if "://" in spelled or "www" in spelled:
        shape = _ADDRESS.sub(_blank, spelled).translate(SHAPES)
    found: list[Unit] = []
    for match in _UNIT_PATTERN.finditer(shape):
        start, end = match.span()
        if match["run"]:
            unit = _run(spelled, shape, start, end)
        elif match["compound"]:
            unit = _compound(spelled, shape, match)
        else:
            unit = Unit((), ((Piece(spelled[start:end], start, end),),))
        found.append(unit)
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


def _compound(spelled: str, shape: str, match: re.Match[str]) -> Unit:
    start, end = match.span()
    dot = spelled[start : match.start("compound")]
    atoms: list[tuple[Piece, ...]] = []
    exact = plain = ""
    at = match.start("compound")
    while True:
        atom = _ATOM_PATTERN.match(shape, at)
        assert atom is not None, "a compound is made of atoms"
        spellings = _spellings(spelled, atom)
        if dot and not atoms:
            first = spellings[0]
            spellings = (Piece(dot + first.term, start, first.end), *spellings)
        exact += spellings[0].term
        plain += spellings[-1].term
        atoms += _divided(spelled, atom, spellings)
        at = atom.end()
        if at == end:
            break
        joint = spelled[at].replace(ZERO_WIDTH_NON_JOINER, "")
        exact += joint
        plain += joint
        at += 1
    wholes = [exact, plain]
    if _THOUSANDS.fullmatch(shape, start, end):
        wholes.append(plain.replace(".", ""))
    if len(atoms) == 1:
        wholes = []
    return Unit(
        tuple(
            Piece(term, start, end) for term in dict.fromkeys(wholes) if len(term) <= LONGEST_TERM
        ),
        tuple(atoms),
    )


def _spellings(spelled: str, atom: re.Match[str]) -> tuple[Piece, ...]:
    """What an atom is found by, the exact spelling first and the plainest last."""
    start, end = atom.span()
    border = atom.start("tail")
    core = spelled[start:border]
    plain = core
    plain_end = border
    if atom["number"]:
        core = plain = core.replace(",", "").replace("'", "")
    elif atom["acronym"]:
        plain = core.replace(".", "")
        core = core if core.endswith(".") else core + "."
    elif atom["plus"]:
        plain_end = atom.start("plus")
        plain = spelled[start:plain_end]
    tail = spelled[border:end]
    spellings = [Piece(core, start, border), Piece(plain, start, plain_end)]
    if tail:
        spellings.insert(0, Piece(core + tail, start, end))
        if core in ELISIONS and tail != "'s":
            spellings[1:] = [Piece(tail[1:], border + 1, end)]
        elif not tail.endswith("'s"):
            del spellings[1:]
        elif tail != "'s":
            spellings[1:] = [Piece(core + tail[:-2], start, end - 2)]
    return tuple(dict.fromkeys(spellings))


def _divided(
    spelled: str, atom: re.Match[str], spellings: tuple[Piece, ...]
) -> list[tuple[Piece, ...]]:
    """The positions of an atom: one, unless it has many apostrophes or is too long."""
    tail = atom["tail"]
    if len(spellings[0].term) <= LONGEST_TERM and (len(spellings) > 1 or tail.count("'") < 2):
        return [spellings]
    return [
        (Piece(spelled[part.start() : part.end()], part.start(), part.end()),)
        for part in _PART.finditer(atom.string, atom.start(), atom.end())
    ]
