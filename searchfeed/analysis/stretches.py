"""Many stretches at once → terms: the same as ``units`` makes of each, in a tenth of the time.

What news is mostly made of needs no grammar: words and numbers in ASCII with punctuation around
them, or joined by a hyphen, a point or the like. These are told from all others by a few
expressions, and only the others are taken apart one by one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from searchfeed.analysis.analyzer import PUNCTUATION, THOUSANDS, columns
from searchfeed.analysis.words import ADDRESS, LONGEST_TERM, MOST_ATOMS
from searchfeed.patterns import deferred

_AROUND = re.escape(PUNCTUATION)
_WORD = rf"[a-z0-9]{{1,{LONGEST_TERM}}}+"

# A full stop before a word can belong to it.
_PLAIN = deferred(
    rf"^[{_AROUND}]*+ (?<!\.) ([A-Za-z0-9]{{1,{LONGEST_TERM}}}) [{_AROUND}]*+ $ | ^.*$",
    re.VERBOSE | re.MULTILINE,
)
_COMPOUND = deferred(rf"{_WORD} (?:[-.&@_]{_WORD}){{0,{MOST_ATOMS - 1}}}+", re.VERBOSE)
_JOINT = deferred("[-.&@_]")
_POSSESSIVE = deferred(rf"[a-z0-9]{{1,{LONGEST_TERM - 2}}}'s")
_POINTS = deferred(r"[0-9]{1,3}(?:\.[0-9]{3})+")
# Signs that can belong to a word, what may be an acronym, a word with a full stop before it, and
# one that is too long.
_SPECIAL = deferred(
    rf"""['"+\#,] | (?<![a-z0-9])[a-z]\.[a-z](?![a-z0-9]) | (?<![a-z0-9])\.[a-z]
       | {_WORD}[a-z0-9]
    """,
    re.VERBOSE,
)


class Analyzed(NamedTuple):
    """What n stretches are indexed as.

    Attributes:
        terms: those of all, stretch after stretch.
        positions: that of each term, counted from the start of its stretch, never descending.
        counts: how many terms each stretch has; n of them.
        widths: how many positions each takes, which is where the next one starts; n of them.
    """

    terms: list[str]
    positions: list[int]
    counts: list[int]
    widths: list[int]


def analyze(stretches: Sequence[str]) -> Analyzed:
    """What stretches without white space add to a text.

    Raises:
        ValueError: there is a line break in one.

    >>> terms, positions, counts, widths = analyze(["Multi-agent", "systems,"])
    >>> terms, positions
    (['multi-agent', 'multi', 'agent', 'systems'], [0, 0, 1, 0])
    >>> counts, widths
    ([3, 1], [2, 1])
    """
    found = Analyzed([], [], [], [])
    if not stretches:
        return found
    terms, positions, counts, widths = found
    plain = _PLAIN.findall("\n".join(stretches))
    for stretch, word in zip(stretches, plain, strict=True):
        if word:
            terms.append(word.lower())
            positions.append(0)
            counts.append(1)
            widths.append(1)
            continue
        before = len(terms)
        width = _add_compounds(stretch, terms, positions)
        if width < 0:
            exact = columns(stretch)
            terms += exact.terms
            positions += exact.positions
            width = exact.width
        counts.append(len(terms) - before)
        widths.append(width)
    return found


def _add_compounds(stretch: str, terms: list[str], positions: list[int]) -> int:
    """Add the terms of a stretch that is no more than words and joints; its width, or else -1."""
    if not stretch.isascii():
        return -1
    lower = stretch.lower()
    text = lower.lstrip(PUNCTUATION)
    if lower[: len(lower) - len(text)].endswith("."):
        return -1
    if "://" in text or "www" in text:
        text = ADDRESS.sub(" ", text)
    text = text.rstrip(PUNCTUATION)
    if _SPECIAL.search(text):
        if THOUSANDS.fullmatch(text):
            text = text.replace(",", "")
        elif _POSSESSIVE.fullmatch(text):
            terms += (text, text[:-2])
            positions += (0, 0)
            return 1
        else:
            return -1
    width = 0
    for word in _COMPOUND.findall(text):
        if word.isalnum():
            terms.append(word)
            positions.append(width)
            width += 1
            continue
        atoms = _JOINT.split(word)
        wholes = [word]
        if "." in word and _POINTS.fullmatch(word):
            wholes.append(word.replace(".", ""))
        for whole in wholes:
            if len(whole) <= LONGEST_TERM:
                terms.append(whole)
                positions.append(width)
        terms += atoms
        positions += range(width, width + len(atoms))
        width += len(atoms)
    return width
