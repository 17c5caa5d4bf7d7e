"""An entry → the query that finds entries like it.

Its most telling words are looked for: those that stand in it often and in few other entries
(tf·idf, after Salton and Buckley, Information Processing and Management 1988).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from searchfeed import analysis, tree
from searchfeed.models import Entry

TELLING = 25
"""Words that are looked for."""

CONSIDERED = 200
"""Words of an entry that are looked at, the most frequent ones: a long text repeats what counts."""

TITLE = 3
"""A word of the title counts as often."""


def words(entry: Entry) -> dict[str, int]:
    """The words of an entry, the most frequent first, and how often each stands in it.

    Forms of a word count together, under the one that is there most often. Numbers are left out,
    and what is made of several words, which are here by themselves.
    """
    counts = Counter(analysis.terms(entry.body))
    for term in analysis.terms(entry.title):
        counts[term] += TITLE
    forms: dict[str, str] = {}
    totals = Counter[str]()
    for term, count in counts.most_common():
        if _is_plain(term):
            form = forms.setdefault(analysis.stem(term, entry.language or "en"), term)
            totals[form] += count
    return dict(totals.most_common(CONSIDERED))


def alike(words: Mapping[str, int], frequencies: Sequence[int], entries: int) -> tree.Node | None:
    """The query for what is like an entry, itself included; None where it shares no word.

    Args:
        words: its words, as ``words`` gives them.
        frequencies: for each of them in how many entries it stands.
        entries: how many entries there are.
    """
    telling = {
        word: (1 + math.log(count)) * math.log(entries / frequency)
        for (word, count), frequency in zip(words.items(), frequencies, strict=True)
        # A word that stands here alone finds nothing.
        if 1 < frequency < entries
    }
    best = sorted(telling, key=lambda word: (-telling[word], word))[:TELLING]
    return tree.Or(tuple(map(tree.Word, best))) if best else None


def _is_plain(term: str) -> bool:
    options = analysis.query_words(term).alternatives
    return (
        len(term) > 1
        and any(map(str.isalpha, term))
        and bool(options)
        and all(len(option) == 1 for option in options)
    )
