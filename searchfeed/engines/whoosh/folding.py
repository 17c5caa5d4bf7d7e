"""The same story told more than once: which documents are one.

``searchfeed.engines.stories`` says when they are. Groups do not depend on a query, nor on which
segment a document is in: they are found once for a committed state, in documents that are not
deleted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from searchfeed.analysis.sketch import Sketches
from searchfeed.engines.stories import Texts, find_stories
from searchfeed.engines.whoosh.values import SKETCH

if TYPE_CHECKING:
    from searchfeed.engines.stories import Led
    from searchfeed.engines.whoosh.view import Documents, Mask, Places, View

TEXT = ("title", "body")
"""The fields that a sketch is of."""


@dataclass(frozen=True, eq=False)
class Groups:
    """The documents that share their story with another, ascending, and the first of each's."""

    documents: Documents
    leaders: Documents

    def leaders_of(self, documents: Documents) -> Documents:
        """The first of the story of each document, which is itself where it stands alone."""
        at = np.searchsorted(self.documents, documents)
        at[at == len(self.documents)] = 0
        grouped = self.documents[at] == documents
        return np.where(grouped, self.leaders[at], documents)

    def sharing(self, document: int) -> Documents:
        """All that tell the story of a document, ascending."""
        at = int(np.searchsorted(self.documents, document))
        if at == len(self.documents) or self.documents[at] != document:
            return np.zeros(0, dtype=np.int32)
        order, ordered = self._by_leader
        low = np.searchsorted(ordered, self.leaders[at], side="left")
        high = np.searchsorted(ordered, self.leaders[at], side="right")
        return self.documents[order[low:high]]

    def surplus(self, mask: Mask) -> int:
        """How many fewer stories there are than documents, among those that a mask marks."""
        found = self.leaders[mask[self.documents]]
        told = np.zeros(len(mask), dtype=bool)
        told[found] = True
        return len(found) - int(np.count_nonzero(told))

    @cached_property
    def _by_leader(self) -> tuple[Places, Documents]:
        order = np.argsort(self.leaders, kind="stable")
        return order, self.leaders[order]


def find_groups(view: View) -> Groups:
    """Every group of entries that tell the same story, among the live documents of a view."""
    documents, texts = read_texts(view, view.everything())
    return make_groups(documents, find_stories(texts))


def read_texts(view: View, documents: Documents) -> tuple[Documents, Texts]:
    """Those of some documents that have a sketch, and what is told of them."""
    words = np.stack([view.column(name)[documents] for name in SKETCH], axis=1)
    told = words.any(axis=1)
    documents, words = documents[told], words[told]
    lengths = np.zeros(len(documents), dtype=np.int64)
    for field in TEXT:
        lengths += view.lengths(field)[documents].astype(np.int64)
    dates, keys = (view.column(name)[documents] for name in ("date", "key"))
    return documents, Texts(Sketches(words, lengths), dates, keys)


def make_groups(documents: Documents, led: Led) -> Groups:
    """The groups of those of some documents whose places are given."""
    grouped, leaders = documents[led.places], documents[led.leaders]
    order = np.argsort(grouped)
    return Groups(grouped[order], leaders[order])
