"""What is asked in the speed benchmark: questions of every class, chosen from the texts.

They are chosen by how many entries hold their words, the same way each time, so that any folder
of feeds can be measured and two runs ask the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from math import log
from random import Random

from searchfeed.models import Entry

EACH = 8
"""Questions of a class, at most: one word could be lucky."""

RARE, MIDDLE, COMMON = 0.0005, 0.01, 0.15
"""Share of the entries that hold such a word."""

FEWEST = 3
"""Entries that hold a rare word, at least."""

PHRASE = 0.002
"""Share of the entries that hold a phrase."""

WORD = re.compile(r"[^\W\d_]+")


class Kind(StrEnum):
    """What is asked of the words."""

    WORD = "word"
    ALL = "all"
    ANY = "any"
    TYPED = "typed"
    """As a person types them: any will do, all are better."""
    PHRASE = "phrase"
    PREFIX = "prefix"
    FUZZY = "fuzzy"
    DATED = "dated"
    """A word, in entries of a range of dates."""
    NEWEST = "newest"
    """A word, the newest entries first."""
    MONTHS = "months"
    """A word, and how many of its entries are of each month."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question, in terms that no engine owns.

    Attributes:
        group: the class that it is measured in.
        words: lower case; one for all kinds but ALL, ANY, TYPED and PHRASE.
        start, end: the half-open range of a DATED one, aware UTC.
    """

    group: str
    kind: Kind
    words: tuple[str, ...]
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Counts:
    """How many entries hold a word, and two words in a row; and all dates, in order."""

    entries: int
    words: Counter[str]
    pairs: Counter[tuple[str, str]]
    dates: list[datetime]

    def near(self, share: float, shortest: int = 4) -> list[str]:
        """Words held by about this share of the entries, the nearest first."""
        target = max(FEWEST, share * self.entries)
        words = sorted(word for word in self.words if len(word) >= shortest)
        # Of equals the first would all begin with an a, and lie side by side in an index.
        Random(0).shuffle(words)
        return sorted(words, key=lambda word: abs(log(self.words[word] / target)))[: 4 * EACH]

    def phrases(self, share: float) -> list[tuple[str, str]]:
        """Pairs held by about this share of the entries; 1 gives the most frequent ones."""
        target = max(FEWEST, share * self.entries)
        pairs = sorted(pair for pair in self.pairs if min(map(len, pair)) > 1)
        Random(0).shuffle(pairs)
        return sorted(pairs, key=lambda pair: abs(log(self.pairs[pair] / target)))[:EACH]


def choose(entries: Iterable[Entry]) -> list[Question]:
    """Questions of every class that these entries can be asked, class by class."""
    counts = _count(entries)
    rare, middle, common = (counts.near(share) for share in (RARE, MIDDLE, COMMON))
    frequent = [word for word, _ in counts.words.most_common(2 * EACH)]
    groups: list[tuple[str, Kind, list[tuple[str, ...]]]] = [
        ("rare word", Kind.WORD, [(word,) for word in rare]),
        ("mid word", Kind.WORD, [(word,) for word in middle]),
        ("common word", Kind.WORD, [(word,) for word in common]),
        ("two words AND", Kind.ALL, list(zip(common, middle, strict=False))),
        ("two words OR", Kind.ANY, list(zip(common, middle, strict=False))),
        ("five words OR", Kind.ANY, _fives(common, middle)),
        ("very common words", Kind.TYPED, _typed(frequent, common, counts)),
        ("phrase", Kind.PHRASE, list(counts.phrases(PHRASE))),
        ("common phrase", Kind.PHRASE, list(counts.phrases(1.0))),
        ("prefix", Kind.PREFIX, [(_half(word),) for word in middle if len(word) > 6]),
        ("fuzzy", Kind.FUZZY, [(_mistyped(word),) for word in middle if len(word) > 6]),
    ]
    questions = [
        Question(group, kind, words)
        for group, kind, choice in groups
        for words in choice[:EACH]
        if words
    ]
    if len(set(counts.dates)) > 3:
        third = len(counts.dates) // 3
        start, end = (_midnight(counts.dates[at]) for at in (third, 2 * third))
        for group, kind in (
            ("date range and word", Kind.DATED),
            ("sorted by date", Kind.NEWEST),
            ("facet by month", Kind.MONTHS),
        ):
            dated = (start, end) if kind is Kind.DATED else (None, None)
            questions += [Question(group, kind, (word,), *dated) for word in common[:EACH]]
    return questions


def _count(entries: Iterable[Entry]) -> _Counts:
    words: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    dates: list[datetime] = []
    number = 0
    for entry in entries:
        number += 1
        held = WORD.findall(f"{entry.title}\n{entry.body}".lower())
        words.update(set(held))
        # Of the body alone, and only where nothing stands between: every engine finds these.
        body = entry.body.lower()
        places = list(WORD.finditer(body))
        pairs.update(
            {
                (first.group(), second.group())
                for first, second in pairwise(places)
                if body[first.end() : second.start()] == " "
            }
        )
        if entry.date is not None:
            dates.append(entry.date)
    return _Counts(number, words, pairs, sorted(dates))


def _fives(common: list[str], middle: list[str]) -> list[tuple[str, ...]]:
    """Two common words and three less common ones each."""
    return [
        (*common[2 * at : 2 * at + 2], *middle[3 * at : 3 * at + 3])
        for at in range(min(EACH, len(common) // 2, len(middle) // 3))
    ]


def _typed(frequent: list[str], common: list[str], counts: _Counts) -> list[tuple[str, ...]]:
    """``the bank said`` where it can be asked, and others made like it."""
    first = [("the", "bank", "said")] if {"the", "bank", "said"} <= counts.words.keys() else []
    if len(frequent) < 3:
        return list(first)
    made = [(frequent[at % 3], word, frequent[at % 3 + 1]) for at, word in enumerate(common)]
    return [*first, *(words for words in made if len(set(words)) == 3)]


def _half(word: str) -> str:
    """The first half of a word: short enough to begin its stem as well."""
    return word[: (len(word) + 1) // 2]


def _mistyped(word: str) -> str:
    """The word without its third letter: one edit by every engine's count."""
    return word[:2] + word[3:]


def _midnight(date: datetime) -> datetime:
    return date.replace(hour=0, minute=0, second=0, microsecond=0)
