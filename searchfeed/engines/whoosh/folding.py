"""The same story told more than once: which documents are one, as searches ask for it.

Groups do not depend on a query. A commit finds them (``grouping``) and writes them into a file of
its own (``storyfile``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from searchfeed.engines.whoosh.arrays import members

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.view import Documents, Mask, Places


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

    def shared(self, documents: Documents) -> Mask:
        """For each document whether it shares its story with another."""
        return members(documents, self.documents)

    def sharing(self, document: int) -> Documents:
        """All that tell the story of a document, ascending."""
        # A key of another type would make numpy convert all of them.
        at = int(self.documents.searchsorted(self.documents.dtype.type(document)))
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
