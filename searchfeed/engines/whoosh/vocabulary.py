"""From a word of a query to the terms of the index that it stands for.

The index holds each word in its exact form alone. What else finds it (the accents folded away,
another ending, a pattern, a typing mistake) is worked out here, on the list of distinct terms,
which is far shorter than the texts.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from searchfeed import analysis, tree
from searchfeed.engines.whoosh.values import plain

if TYPE_CHECKING:
    from searchfeed.analysis import WordQuery
    from searchfeed.engines.whoosh.meaning import Family
    from searchfeed.engines.whoosh.spelling import Spellings
    from searchfeed.engines.whoosh.terms import Terms

EXACT, FOLDED, STEMMED, EXPANDED = 1.0, 0.95, 0.95, 0.8
"""How well a term stands for a word: as typed, but for accents, but for its ending, by pattern."""

TYPO = (0.5, 0.25)
"""How well a term stands for a word that is one edit away, or two."""

REMEMBERED, REMEMBERED_PATTERNS = 4_096, 64
"""What so many words, and so many patterns, stand for is kept; a pattern may have many terms."""


class Vocabulary:
    """The terms of a view, found by what they have in common with a word."""

    def __init__(self, view: Terms[Any]) -> None:
        self._view = view
        self._languages = sorted(view.stemmed())
        self._sorted = cache(self._sort)
        self._spellings = cache(self._spell)
        self.words = lru_cache(REMEMBERED)(analysis.query_words)
        self._worded = lru_cache(REMEMBERED)(self._word_sequences)
        self._expanded = lru_cache(REMEMBERED_PATTERNS)(self._expand)

    def sequences(self, leaf: tree.Words, field: str) -> tuple[Sequence[Family], ...]:
        """The ways in which a field can hold what a leaf asks for, each as a family a word."""
        match leaf:
            case tree.Word(text, _, exact):
                return self._worded(field, text, exact)
            case tree.Phrase(text):
                return self._worded(field, text, True)  # noqa: FBT003 - a cache takes it so
            case tree.Wildcard(pattern):
                return self._expanded(self.wildcard, field, pattern)
            case tree.Fuzzy(text, distance):
                return self._expanded(self.fuzzy, field, text, distance)
            case tree.Regex(pattern):
                return self._expanded(self.regex, field, pattern)

    def _word_sequences(self, field: str, text: str, exact: bool) -> tuple[Sequence[Family], ...]:  # noqa: FBT001
        return families(
            self.words(text),
            whole=lambda term: self.word(field, term, exact=exact),
            begun=lambda term: self.prefix(field, term),
        )

    @staticmethod
    def _expand(
        find: Callable[..., Family], field: str, *asked: str | int
    ) -> tuple[Sequence[Family], ...]:
        return ((find(field, *asked),),)

    def word(self, field: str, term: str, *, exact: bool = False) -> Family:
        """The term itself, those that differ by accents and, unless ``exact``, by their ending."""
        view, family = self._view, dict[str, float]()
        if not exact:
            for language in self._languages:
                stem = analysis.stem(term, language)
                for other in sorted(view.sharing(field, f"stem-{language}", stem)):
                    family[other] = STEMMED
        fold = analysis.fold(term)
        for other in sorted(view.sharing(field, "fold", fold)):
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
        return fitting(pattern, zip(*self._sorted(field), strict=True))

    def fuzzy(self, field: str, text: str, distance: int) -> Family:
        """Terms at most ``distance`` edits away, accents folded."""
        return mistyped(plain(text), distance, self._sorted(field)[1], self._spellings(field))

    def _spell(self, field: str) -> Spellings:
        from searchfeed.engines.whoosh.spelling import Spellings

        return Spellings(self._sorted(field)[0])

    def _sort(self, field: str) -> tuple[list[str], list[str]]:
        """The terms of a field by their folded form: those forms, and the terms."""
        pairs = sorted((analysis.fold(term), term) for term in self._view.terms(field))
        return [fold for fold, _ in pairs], [term for _, term in pairs]


def families(
    words: WordQuery, *, whole: Callable[[str], Family], begun: Callable[[str], Family]
) -> tuple[tuple[Family, ...], ...]:
    """The ways in which a field can hold words, given what a whole one stands for, or a start."""
    return tuple(
        tuple(
            begun(term) if words.prefix and at == len(option) else whole(term)
            for at, term in enumerate(option, start=1)
        )
        for option in words.alternatives
    )


def fitting(pattern: str, terms: Iterable[tuple[str, str]]) -> Family:
    """Those of some terms, each behind its folded form, that a regular expression fits whole.

    Raises:
        ValueError: it cannot be read, or asks for what ``Expression`` cannot do.
    """
    fits = analysis.Expression(pattern).fits
    return {term: EXPANDED for fold, term in terms if fits(term) or (fold != term and fits(fold))}


def mistyped(text: str, distance: int, terms: Sequence[str], spellings: Spellings) -> Family:
    """Those of some terms whose folded forms, the ``spellings``, are so near to a text."""
    places, distances = spellings.near(text, distance)
    family: dict[str, float] = {}
    for at, edits in zip(places.tolist(), distances.tolist(), strict=True):
        if edits == 0:
            family[terms[at]] = EXACT if terms[at] == text else FOLDED
        else:
            family[terms[at]] = TYPO[edits - 1]
    return family


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
