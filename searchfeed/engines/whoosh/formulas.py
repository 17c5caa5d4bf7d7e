"""What counts how much in a score, whether it is added up on arrays or one by one.

The score of a word is BM25F (Robertson, Zaragoza and Taylor, CIKM 2004): how often it stands in
each field, divided by how long the field is beside the average, is weighted and added up over the
fields before it saturates.

The constants were chosen by ``make bench-relevance`` over all collections together, none for one
of them: see benchmarks/README.md.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.view import Numbers

Amount = TypeVar("Amount", float, "Numbers")

SATURATION = 0.8
"""k1 of BM25: how soon more of the same word stops counting."""

STRETCH = 1.2
"""The power that the rarity of a word is raised to: above 1, common words say less still."""

FIELDS: dict[str, tuple[float, float]] = {
    "title": (5.0, 0.5),
    "body": (1.0, 0.7),
    "tags": (1.0, 0.3),
    "feed_title": (0.3, 0.3),
}
"""Field → (weight, b of BM25F: how much a long field counts less)."""

WHOLE = 0.4
"""What a compound (``multi-agent``) is worth whole, beside its parts, which count as words."""

SENTENCE = 3
"""A run of so many terms (a sentence of Japanese is one word) is ranked by each of them too."""

BORDER = 0.5
"""What a pair of terms of two scripts (``6号``) is worth for each of the two."""

NEAR, NEAR_LENGTH = 0.15, 0.3
"""What a pair of neighbours close together is worth beside a word, and its b."""

NEAR_FIELDS = ("title", "body")

WINDOW = 8
"""Two words are close together with at most so many positions from one to the other."""

RERANKED = 1_000
"""How many of the best entries are looked at for words close together."""

SOME, ALL, TYPED = range(3)
"""What an entry can hold of what was wanted: all, but for a typing mistake perhaps, or as TYPED."""


def inverse_document_frequency(holding: int, count: int) -> float:
    """How rare a word is, as Lucene has it, stretched by ``STRETCH``; never negative.

    >>> round(inverse_document_frequency(1, 10), 3), round(inverse_document_frequency(10, 10), 3)
    (2.287, 0.025)
    """
    return math.pow(math.log1p((count - holding + 0.5) / (holding + 0.5)), STRETCH)


def saturated(counts: Amount) -> Amount:
    """What counts are worth: each one more adds less, up to SATURATION + 1."""
    return counts * (SATURATION + 1) / (counts + SATURATION)
