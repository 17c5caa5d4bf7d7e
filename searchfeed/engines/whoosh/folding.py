"""The same story told more than once: which documents are one.

What makes two entries near duplicates is said in ``searchfeed.analysis.sketch``; here it takes in
addition that they were published at most ``WINDOW`` apart, because what is told again in the same
words after that (a central bank that leaves its rates as they are) is news of its own. An entry
without a date is as close as any.

The first of a story by date leads its group, and every other is a near duplicate of it: no chain
of small steps joins two texts that differ. Groups do not depend on a query, nor on which segment a
document is in: they are found once for a committed state, in documents that are not deleted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from searchfeed.analysis.sketch import Sketches
from searchfeed.engines.whoosh.values import NO_DATE, SKETCH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.view import Documents, Mask, Places, View

WINDOW = timedelta(days=5)
"""How far apart in time a story is still the same one: less than a week, for what comes weekly."""

NEIGHBOURS = 4
"""With so many of those in its band that were published just before it a document is compared."""

_WINDOW = np.uint64(WINDOW // timedelta(microseconds=1))
_HALF, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)


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
    words = np.stack([view.column(name) for name in SKETCH], axis=1)
    told = words.any(axis=1)
    if view.live is not None:
        told &= view.live
    documents = np.flatnonzero(told)
    lengths = sum(view.lengths(field)[documents].astype(np.int64) for field in ("title", "body"))
    sketches = Sketches(words[documents], np.asarray(lengths, dtype=np.int64))
    places = _in_same_band(sketches)
    documents = documents[places]
    # Few are left, and from here on they are numbered in the order in which they can lead.
    dates = view.column("date")[documents]
    order = np.lexsort((view.column("key")[documents], dates))
    documents = documents[order]
    leaders = _led(sketches.only(places[order]), dates[order])
    grouped = np.array(sorted({*leaders, *leaders.values()}), dtype=np.int64)
    firsts = np.array([leaders.get(at, at) for at in grouped.tolist()], dtype=np.int64)
    order = np.argsort(documents[grouped])
    return Groups(
        documents[grouped[order]].astype(np.int32), documents[firsts[order]].astype(np.int32)
    )


def _in_same_band(sketches: Sketches) -> Places:
    """The places of texts that have a band in common with another."""
    similar = np.zeros(len(sketches.words), dtype=bool)
    for band in sketches.bands():
        # Sorting numbers without their places, and most texts left out by a table, are what makes
        # this a matter of milliseconds: all texts come by here, once for each commit.
        ordered = np.sort(band)
        twice = ordered[1:][ordered[1:] == ordered[:-1]]
        table = np.zeros(1 << 16, dtype=bool)
        table[twice >> np.uint32(8)] = True
        places = np.flatnonzero(table[band >> np.uint32(8)] & ~similar)
        similar[places[np.isin(band[places], twice)]] = True
    return np.flatnonzero(similar)


def _led(sketches: Sketches, dates: NDArray[np.uint64]) -> dict[int, int]:
    """From the place of each text that is told again to that of the first of its group.

    The dates ascend.
    """

    def told_again(ones: Places, others: Places) -> NDArray[np.bool_]:
        alike = sketches.only(ones).alike(sketches.only(others))
        return alike & _close(dates[ones], dates[others])

    ones, others = _pairs(sketches, dates)
    keep = told_again(ones, others)
    leaders: dict[int, int] = {}
    for one, other in zip(ones[keep].tolist(), others[keep].tolist(), strict=True):
        if other not in leaders:
            leader = leaders.get(one, one)
            if leader == one or told_again(np.array([leader]), np.array([other]))[0]:
                leaders[other] = leader
    return leaders


def _pairs(sketches: Sketches, dates: NDArray[np.uint64]) -> tuple[Places, Places]:
    """Texts with a band in common, close in time: the first of each pair, by the second."""
    found = [np.zeros(0, dtype=np.uint64)]
    rows = np.arange(len(sketches.words), dtype=np.uint64)
    for band in sketches.bands():
        ordered = np.sort(band.astype(np.uint64) << _HALF | rows)
        for step in range(1, NEIGHBOURS + 1):
            low, high = ordered[:-step], ordered[step:]
            same = low >> _HALF == high >> _HALF
            low, high = low[same] & _LOW, high[same] & _LOW
            close = _close(dates[low], dates[high])
            found.append(high[close] << _HALF | low[close])
    pairs = np.unique(np.concatenate(found))
    return (pairs & _LOW).astype(np.int64), (pairs >> _HALF).astype(np.int64)


def _close(ones: NDArray[np.uint64], others: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Whether pairs of dates, the earlier first, are within the window, or one is missing."""
    close: NDArray[np.bool_] = (others - ones <= _WINDOW) | (others == NO_DATE)
    return close
