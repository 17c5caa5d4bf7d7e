"""From a word of a query to the terms of the index that it stands for.

The index holds each word in its exact form alone. What else finds it (the accents folded away,
another ending, a pattern, a typing mistake) is worked out here, on the list of distinct terms,
which is far shorter than the texts.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, TypeAlias

from searchfeed import analysis
from searchfeed.engines.whoosh.lexicon import Lexicon
from searchfeed.engines.whoosh.spelling import Spellings, plain

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.view import View

Family: TypeAlias = Mapping[str, float]
"""Terms of one field, each with how well it stands for what was asked: 1 is the exact form."""

EXACT, FOLDED, STEMMED, EXPANDED = 1.0, 0.95, 0.95, 0.8
"""How well a term stands for a word: as typed, but for accents, but for its ending, by pattern."""

TYPO = (0.5, 0.25)
"""How well a term stands for a word that is one edit away, or two."""


class Vocabulary:
    """The terms of a view, found by what they have in common with a word."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._languages = sorted(view.stemmed())
        self._sorted = cache(self._sort)
        self._spellings = cache(lambda field: Spellings(self._sorted(field)[0]))
        self.lexicon = cache(partial(Lexicon, view))

    def word(self, field: str, term: str, *, exact: bool = False) -> Family:
        """The term itself, those that differ by accents and, unless ``exact``, by their ending."""
        view, family = self._view, dict[str, float]()
        if not exact:
            for language in self._languages:
                stem = analysis.stem(term, language)
                for other in view.sharing(field, f"stem-{language}", stem):
                    family[other] = STEMMED
        fold = analysis.fold(term)
        for other in view.sharing(field, "fold", fold):
            family[other] = FOLDED
        if view.has_term(field, fold):
            family[fold] = FOLDED
        if term in family:
            family[term] = EXACT
        return family

    def prefix(self, field: str, text: str) -> Family:
        """Terms that start with ``text``, accents folded."""
        text = plain(text)
        found = self._view.starting(field, text)
        found |= self._view.sharing(field, "fold", text, prefix=True)
        return dict.fromkeys(sorted(found), EXPANDED)

    def wildcard(self, field: str, pattern: str) -> Family:
        """Terms that fit a pattern of ``*`` and ``?``, accents folded."""
        pattern = plain(pattern)
        head = re.split(r"[*?]", pattern, maxsplit=1)[0]
        if pattern == f"{head}*":
            return self.prefix(field, head)
        fits = re.compile(_glob(pattern)).fullmatch
        folds, terms = self._sorted(field)
        start = bisect_left(folds, head)
        end = bisect_left(folds, head + "\U0010ffff", start)
        return {terms[at]: EXPANDED for at in range(start, end) if fits(folds[at])}

    def regex(self, field: str, pattern: str) -> Family:
        """Terms that a regular expression fits whole, as they are or with accents folded.

        Raises:
            ValueError: it cannot be read, or asks for what ``Expression`` cannot do.
        """
        fits = analysis.Expression(pattern).fits
        folds, terms = self._sorted(field)
        return {
            term: EXPANDED
            for fold, term in zip(folds, terms, strict=True)
            if fits(term) or (fold != term and fits(fold))
        }

    def fuzzy(self, field: str, text: str, distance: int) -> Family:
        """Terms at most ``distance`` edits away, accents folded."""
        text = plain(text)
        _, terms = self._sorted(field)
        places, distances = self._spellings(field).near(text, distance)
        family: dict[str, float] = {}
        for at, edits in zip(places.tolist(), distances.tolist(), strict=True):
            if edits == 0:
                family[terms[at]] = EXACT if terms[at] == text else FOLDED
            else:
                family[terms[at]] = TYPO[edits - 1]
        return family

    def _sort(self, field: str) -> tuple[list[str], list[str]]:
        """The terms of a field by their folded form: those forms, and the terms."""
        pairs = sorted((analysis.fold(term), term) for term in self._view.terms(field))
        return [fold for fold, _ in pairs], [term for _, term in pairs]


def _glob(pattern: str) -> str:
    """A pattern of ``*`` and ``?`` as a regular expression for the whole of a term.

    What stands between two stars is taken where it is first found, and looked for nowhere else:
    trying all places for each star takes for ever on a term of one letter.
    """
    first, *others = (
        "".join("." if character == "?" else re.escape(character) for character in part)
        for part in re.split(r"\*+", pattern)
    )
    if not others:
        return first
    *inner, last = others
    return first + "".join(f"(?>.*?{part})" for part in inner) + f".*{last}"
