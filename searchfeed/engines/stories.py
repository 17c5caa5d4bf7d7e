"""The same story told more than once: which entries are one.

What makes two texts near duplicates is said in ``searchfeed.analysis.sketch``; here it takes in
addition that they were published at most ``WINDOW`` apart, because what is told again in the same
words after that (a central bank that leaves its rates as they are) is news of its own. An entry
without a date is as close as any.

The first of a story by date leads its group, and every other is a near duplicate of it: no chain
of small steps joins two texts that differ. Groups do not depend on a query.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from searchfeed.analysis.sketch import Sketches

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    Places: TypeAlias = NDArray[np.int64]
    Dates: TypeAlias = NDArray[np.uint64]

NO_DATE = 2**64 - 1
"""Stands for a missing date, and so comes after all others."""

WINDOW = timedelta(days=5)
"""How far apart in time a story is still the same one: less than a week, for what comes weekly."""

NEIGHBOURS = 4
"""With so many of those in its band that were published just before it a text is compared."""

_WINDOW = np.uint64(WINDOW // timedelta(microseconds=1))
_HALF, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)


class Led(NamedTuple):
    """The places of texts that share their story with another, and of the first of each's."""

    places: Places
    leaders: Places


def find_stories(sketches: Sketches, dates: Dates, keys: Dates) -> Led:
    """Every group among n texts, all of which have a sketch.

    Args:
        sketches: of the texts.
        dates: microseconds, ``NO_DATE`` where there is none: shape (n,).
        keys: break ties between dates: shape (n,).
    """
    places = _in_same_band(sketches)
    # Few are left, and from here on they are numbered in the order in which they can lead.
    places = places[np.lexsort((keys[places], dates[places]))]
    leaders = _led(sketches.only(places), dates[places])
    grouped = np.array(sorted({*leaders, *leaders.values()}), dtype=np.int64)
    firsts = np.array([leaders.get(at, at) for at in grouped.tolist()], dtype=np.int64)
    return Led(places[grouped], places[firsts])


def _in_same_band(sketches: Sketches) -> Places:
    """The places of texts that have a band in common with another."""
    similar = np.zeros(len(sketches.words), dtype=bool)
    for band in sketches.bands():
        # Sorting numbers without their places, and most texts left out by a table, are what makes
        # this a matter of milliseconds: all texts of an index may come by here.
        ordered = np.sort(band)
        twice = ordered[1:][ordered[1:] == ordered[:-1]]
        if not len(twice):
            continue
        table = np.zeros(1 << 16, dtype=bool)
        table[twice >> np.uint32(8)] = True
        places = np.flatnonzero(table[band >> np.uint32(8)] & ~similar)
        # np.isin and np.unique load numpy.ma, which takes as long as all of this.
        at = np.searchsorted(twice, band[places])
        at[at == len(twice)] = 0
        similar[places[twice[at] == band[places]]] = True
    return np.flatnonzero(similar)


def _led(sketches: Sketches, dates: Dates) -> dict[int, int]:
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


def _pairs(sketches: Sketches, dates: Dates) -> tuple[Places, Places]:
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
    pairs = np.sort(np.concatenate(found))
    new = np.ones(len(pairs), dtype=bool)
    np.not_equal(pairs[1:], pairs[:-1], out=new[1:])
    pairs = pairs[new]
    return (pairs & _LOW).astype(np.int64), (pairs >> _HALF).astype(np.int64)


def _close(ones: Dates, others: Dates) -> NDArray[np.bool_]:
    """Whether pairs of dates, the earlier first, are within the window, or one is missing."""
    close: NDArray[np.bool_] = (others - ones <= _WINDOW) | (others == NO_DATE)
    return close
