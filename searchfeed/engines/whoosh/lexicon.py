"""What the index holds, for those who have not typed their word to the end or have mistyped it.

Forms that differ by their accents alone are one word here, shown as it is written most often.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from searchfeed import analysis
from searchfeed.engines.whoosh.arrays import once
from searchfeed.engines.whoosh.spelling import Spellings
from searchfeed.engines.whoosh.values import plain

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.view import View

COMPLETED = {
    None: ("title", "body"),
    "title": ("title",),
    "body": ("body",),
    "feed": ("feed_title",),
    "author": ("author_name",),
    "tag": ("tag_name",),
    "lang": ("language",),
}
"""What a half-typed word can be completed in → the fields of the schema that have the words."""

WRITTEN = ("author_name", "tag_name")
"""Fields that hold values as they are written, of several words perhaps."""

_LAST = "\U0010ffff"


class Lexicon:
    """The words of some fields of a view, each with the number of fields that it stands in."""

    def __init__(self, view: View, *fields: str) -> None:
        self._written = any(field in WRITTEN for field in fields)
        fold: Callable[[str], str] = plain if self._written else analysis.fold
        counts = Counter[str]()
        for field in fields:
            counts.update(view.frequencies(field))
        totals: dict[str, int] = {}
        written: dict[str, list[str]] = {}
        for term, count in counts.items():
            # The word without the ending is indexed beside it.
            if term.endswith("'s"):
                continue
            key = fold(term)
            totals[key] = totals.get(key, 0) + count
            if key != term:
                written.setdefault(key, []).append(term)
        self._forms = {
            key: max(key, *terms, key=lambda term: (counts[term], term))
            for key, terms in written.items()
        }
        self._folds = sorted(totals)
        self._totals = np.array([totals[fold] for fold in self._folds], dtype=np.int64)

    @cached_property
    def _spellings(self) -> Spellings:
        return Spellings(self._folds)

    def complete(self, prefix: str, limit: int) -> tuple[str, ...]:
        """The most frequent words that start with ``prefix``, accents folded."""
        prefix = plain(prefix)
        low = bisect_left(self._folds, prefix)
        high = bisect_left(self._folds, prefix + _LAST, low)
        places = np.arange(low, high)
        if self._written and prefix:
            inside = [at for at, fold in enumerate(self._folds) if f" {prefix}" in fold]
            places = once([places, np.array(inside, dtype=np.int64)])
        order = np.argsort(-self._totals[places], kind="stable")[:limit]
        return tuple(self._form(self._folds[at]) for at in places[order].tolist())

    def suggest(self, word: str, limit: int) -> tuple[str, ...]:
        """The words that ``word`` may be meant to be: the nearest first, then the most frequent."""
        word = misspelt(word)
        distance = analysis.typing_mistakes(word)
        if not distance:
            return ()
        places, edits = self._spellings.near(word, distance)
        order = np.lexsort((-self._totals[places], edits))
        near = (self._folds[places[at]] for at in order.tolist() if edits[at])
        fitting = [fold for fold in near if digits(fold) == digits(word)]
        return tuple(self._form(fold) for fold in fitting[:limit])

    def _form(self, fold: str) -> str:
        """How a word is written most often."""
        return self._forms.get(fold, fold)


def misspelt(word: str) -> str:
    """What a word may be a misspelling of is compared with this; empty where it can be of none."""
    options = analysis.query_words(word).alternatives
    # Nothing to look for, or a run of pairs of characters, which are no words.
    return analysis.fold(options[0][0]) if options and len(options[0]) == 1 else ""


def digits(word: str) -> str:
    """The digits of a word, in which no other word may differ: a number is not one misspelt."""
    return "".join(filter(str.isdigit, word))
