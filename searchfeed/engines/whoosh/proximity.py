"""What it is worth that words which are neighbours in a query stand close together in a text.

Such a pair counts as a term of its own (after Metzler and Croft's sequential dependence, SIGIR
2005), in the best entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from searchfeed.engines.whoosh.formulas import (
    NEAR,
    NEAR_FIELDS,
    NEAR_LENGTH,
    inverse_document_frequency,
    saturated,
)
from searchfeed.engines.whoosh.matching import close

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.matching import Matcher
    from searchfeed.engines.whoosh.meaning import Pair
    from searchfeed.engines.whoosh.view import Documents, Numbers, View


class Bonus(NamedTuple):
    """What documents get for one pair in one field; ``clause`` says so to people."""

    clause: str
    documents: Documents
    scores: Numbers


def bonuses(
    view: View, matcher: Matcher, pairs: Sequence[Pair], among: Documents
) -> Iterator[Bonus]:
    """What pairs of neighbours are worth to some documents, which ascend."""
    for field in NEAR_FIELDS:
        words = dict.fromkeys(word for pair in pairs for word in pair)
        places = {word: matcher.word_places(word, field, among) for word in words}
        for one, other in pairs:
            documents, counts = close(places[one], places[other])
            if len(documents):
                rarity = inverse_document_frequency(len(documents), view.count)
                weighted = counts / view.norm(field, NEAR_LENGTH, documents)
                clause = f"{one.text} near {other.text} in the {field}"
                yield Bonus(clause, documents, NEAR * rarity * saturated(weighted))
