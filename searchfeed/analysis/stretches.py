"""Many stretches at once → terms: the same as ``units`` makes of each, in a tenth of the time.

What news is mostly made of needs no grammar: words and numbers in ASCII with punctuation around
them, or joined by a hyphen, a point or the like. These are told from all others by a few
expressions, and only the others are taken apart one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
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
# A possessive stands alone in its line.
_TOKEN = deferred(rf"\n | {_WORD} (?: 's | (?:[-.&@_]{_WORD}){{0,{MOST_ATOMS - 1}}}+ )", re.VERBOSE)
_END = "\n"
_JOINT = deferred("[-.&@_]")
_POSSESSIVE = deferred(rf"[a-z0-9]{{1,{LONGEST_TERM - 2}}}'s")
_POINTS = deferred(r"[0-9]{1,3}(?:\.[0-9]{3})+")
# Where they can be more than what stands between words: c++, c#, 1,000, it's.
_SIGN = deferred(r"'|\+(?![a-z0-9])|\#(?![a-z0-9])|,(?=[0-9])")
# A word with a full stop before it, and what may be an acronym. What begins with a letter that it
# looks for is found several times as fast as what begins with a choice.
_STOP = deferred(
    r"""\. (?=[a-z])
        (?: (?<! [a-z0-9]\.) | (?<= (?<![a-z0-9]) [a-z]\.) (?= [a-z] (?![a-z0-9]) ) )
    """,
    re.VERBOSE,
)
_TOO_LONG = deferred(rf"{_WORD}[a-z0-9]")


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
    lines = _lines([each for each, word in zip(stretches, plain, strict=True) if not word])
    tokens = iter(_TOKEN.findall("\n".join([*[line or "" for line in lines], ""])))
    remaining = iter(lines)
    for stretch, word in zip(stretches, plain, strict=True):
        if word:
            terms.append(word.lower())
            positions.append(0)
            counts.append(1)
            widths.append(1)
            continue
        before = len(terms)
        width = _add_line(tokens, terms, positions)
        if next(remaining) is None:
            exact = columns(stretch)
            terms += exact.terms
            positions += exact.positions
            width = exact.width
        counts.append(len(terms) - before)
        widths.append(width)
    return found


def _lines(stretches: list[str]) -> list[str | None]:
    """The words of each stretch that is no more than words and joints; None for the others."""
    lowered = [stretch.lower() for stretch in stretches]
    texts = heads = [lower.lstrip(PUNCTUATION) for lower in lowered]
    joined = "\n".join(texts)
    if "://" in joined or "www" in joined:
        texts = ADDRESS.sub(" ", joined).split("\n")
    return [
        _line(text.rstrip(PUNCTUATION))
        if stretch.isascii()
        and (len(head) == len(stretch) or stretch[len(stretch) - len(head) - 1] != ".")
        else None
        for stretch, head, text in zip(stretches, heads, texts, strict=True)
    ]


def _line(text: str) -> str | None:
    if _SIGN.search(text):
        if _POSSESSIVE.fullmatch(text):
            return text
        return text.replace(",", "") if THOUSANDS.fullmatch(text) else None
    if _STOP.search(text) or (len(text) > LONGEST_TERM and _TOO_LONG.search(text)):
        return None
    return text


def _add_line(tokens: Iterator[str], terms: list[str], positions: list[int]) -> int:
    """Add the terms of the tokens up to the end of a line; how many positions they take."""
    width = 0
    for token in tokens:
        if token.isalnum():
            terms.append(token)
            positions.append(width)
            width += 1
        elif token == _END:
            break
        elif token.endswith("'s"):
            terms += (token, token[:-2])
            positions += (width, width)
            width += 1
        else:
            width += _add_compound(token, width, terms, positions)
    return width


def _add_compound(word: str, place: int, terms: list[str], positions: list[int]) -> int:
    """Add a compound's terms, the first at ``place``; how many positions they take."""
    atoms = _JOINT.split(word)
    if len(word) <= LONGEST_TERM:
        terms.append(word)
        positions.append(place)
    if "." in word and _POINTS.fullmatch(word):
        whole = word.replace(".", "")
        if len(whole) <= LONGEST_TERM:
            terms.append(whole)
            positions.append(place)
    terms += atoms
    positions += range(place, place + len(atoms))
    return len(atoms)
