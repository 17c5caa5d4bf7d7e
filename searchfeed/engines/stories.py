"""The same story told more than once: which entries are one.

What makes two texts near duplicates is said in ``searchfeed.analysis.sketch``; here it takes in
addition that they were published at most ``WINDOW`` apart, because what is told again in the same
words after that (a central bank that leaves its rates as they are) is news of its own. An entry
without a date is as close as any.

The first of a story by date leads its group, and every other is a near duplicate of it: no chain
of small steps joins two texts that differ. Groups do not depend on a query.
"""

from __future__ import annotations

from collections.abc import Iterable
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

MOST = 0.25
"""Where more of all texts than this may be affected by a change, all are looked at again."""

_WINDOW = np.uint64(WINDOW // timedelta(microseconds=1))
_HALF, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)


class Led(NamedTuple):
    """The places of texts that share their story with another, and of the first of each's."""

    places: Places
    leaders: Places


class Texts(NamedTuple):
    """What is told of n texts, all of which have a sketch.

    Attributes:
        sketches: of the texts.
        dates: microseconds, ``NO_DATE`` where there is none: shape (n,).
        keys: break ties between dates: shape (n,).
    """

    sketches: Sketches
    dates: Dates
    keys: Dates

    def only(self, which: Places) -> Texts:
        """Those at the places given."""
        return Texts(self.sketches.only(which), self.dates[which], self.keys[which])


def find_stories(texts: Texts) -> Led:
    """Every group among some texts."""
    near = _in_same_band(texts.sketches)
    # Few are left, and from here on they are numbered in the order in which they can lead.
    near = near[_order(texts.only(near))]
    ordered = texts.only(near)
    bands = (_Run(band, np.arange(len(near))) for band in ordered.sketches.bands())
    led = _led(ordered, *_told_again(ordered, bands))
    return Led(near[led.places], near[led.leaders])


def find_changed(texts: Texts, changed: Places, gone: Sketches) -> tuple[Places, Led]:
    """The texts whose group may be another one after a change, ascending, and their groups.

    Groups of other texts are what they were, and have none of these in them: two texts are in one
    group only where a chain of pairs that tell the same story joins them, and a pair comes or goes
    only with a text that shares a band with both of it. So all that share a band with what changed
    are looked at, and all that a chain of pairs joins to those.

    Args:
        texts: all that there are now.
        changed: the places of those that are new, or say something else than before.
        gone: what those that are there no more, or say something else now, said before.
    """
    bands = list(texts.sketches.bands())
    affected = np.zeros(len(texts.dates), dtype=bool)
    affected[changed] = True
    for band, lost in zip(bands, gone.bands(), strict=True):
        affected[_holding(band, np.concatenate([band[changed], lost]))] = True
    while True:
        count = np.count_nonzero(affected)
        if count > MOST * len(affected):
            return np.arange(len(affected)), find_stories(texts)
        # Pairs are right only where all that hold the number of a band are there.
        runs = [_holding(band, band[affected]) for band in bands]
        near = np.zeros(len(affected), dtype=bool)
        for run in runs:
            near[run] = True
        places = np.flatnonzero(near)
        places = places[_order(texts.only(places))]
        at = np.zeros(len(affected), dtype=np.int64)
        at[places] = np.arange(len(places))
        ordered = texts.only(places)
        ones, others = _told_again(
            ordered,
            (_Run(band[run], at[run]) for band, run in zip(bands, runs, strict=True)),
        )
        within = affected[places]
        _reach(within, ones, others)
        affected[places[within]] = True
        if np.count_nonzero(affected) == count:
            inside = within[ones]
            led = _led(ordered, ones[inside], others[inside])
            return np.flatnonzero(affected), Led(places[led.places], places[led.leaders])


class _Run(NamedTuple):
    """The numbers that some texts have in one band, and the places of the texts."""

    numbers: NDArray[np.uint32]
    places: Places


def _order(texts: Texts) -> Places:
    """The order in which texts can lead."""
    order: Places = np.lexsort((texts.keys, texts.dates))
    return order


def _in_same_band(sketches: Sketches) -> Places:
    """The places of texts that have a band in common with another."""
    similar = np.zeros(len(sketches.words), dtype=bool)
    for band in sketches.bands():
        # Sorting numbers without their places, and most texts left out by a table, are what makes
        # this a matter of milliseconds: all texts of an index may come by here.
        ordered = np.sort(band)
        twice = ordered[1:][ordered[1:] == ordered[:-1]]
        similar[_holding(band, twice, ~similar)] = True
    return np.flatnonzero(similar)


def _holding(
    band: NDArray[np.uint32], numbers: NDArray[np.uint32], among: NDArray[np.bool_] | None = None
) -> Places:
    """The places of texts whose band has one of some numbers, ascending; of those marked only."""
    if not len(numbers):
        return np.zeros(0, dtype=np.int64)
    table = np.zeros(1 << 16, dtype=bool)
    table[numbers >> np.uint32(8)] = True
    marked = table[band >> np.uint32(8)]
    places = np.flatnonzero(marked if among is None else marked & among)
    # np.isin and np.unique load numpy.ma, which takes as long as all of this.
    numbers = np.sort(numbers)
    at = np.searchsorted(numbers, band[places])
    at[at == len(numbers)] = 0
    found: Places = places[numbers[at] == band[places]]
    return found


def _reach(within: NDArray[np.bool_], ones: Places, others: Places) -> None:
    """Mark all that a chain of pairs joins to what is marked."""
    while True:
        crossing = within[ones] != within[others]
        if not crossing.any():
            return
        within[ones[crossing]] = within[others[crossing]] = True


def _led(texts: Texts, ones: Places, others: Places) -> Led:
    """The groups that pairs make, which ascend by the second of a pair, then by the first.

    The texts are in the order in which they can lead.
    """
    # Nearly always the leader is the end of a chain of first pairs, so those are compared at once.
    ends = np.arange(len(texts.dates))
    first = np.ones(len(others), dtype=bool)
    np.not_equal(others[1:], others[:-1], out=first[1:])
    ends[others[first]] = ones[first]
    while (ends[ends] != ends).any():
        ends = ends[ends]
    likely = ends[ones]
    led = _same(texts, likely, others)
    leaders: dict[int, int] = {}
    for row in zip(ones.tolist(), others.tolist(), likely.tolist(), led.tolist(), strict=True):
        one, other, end, fits = row
        if other not in leaders:
            leader = leaders.get(one, one)
            if leader not in (one, end):
                fits = _same(texts, np.array([leader]), np.array([other]))[0]
            if leader == one or fits:
                leaders[other] = leader
    grouped = np.array(sorted({*leaders, *leaders.values()}), dtype=np.int64)
    firsts = np.array([leaders.get(at, at) for at in grouped.tolist()], dtype=np.int64)
    return Led(grouped, firsts)


def _same(texts: Texts, ones: Places, others: Places) -> NDArray[np.bool_]:
    """Whether pairs of texts, the earlier first, tell the same story."""
    alike = texts.sketches.only(ones).alike(texts.sketches.only(others))
    return alike & _close(texts.dates[ones], texts.dates[others])


def _told_again(texts: Texts, runs: Iterable[_Run]) -> tuple[Places, Places]:
    """Neighbours in a band that tell the same story: the first of each pair, by the second.

    The texts are in the order in which they can lead.
    """
    found = [np.zeros(0, dtype=np.uint64)]
    for numbers, places in runs:
        ordered = np.sort(numbers.astype(np.uint64) << _HALF | places.astype(np.uint64))
        for step in range(1, NEIGHBOURS + 1):
            low, high = ordered[:-step], ordered[step:]
            same = low >> _HALF == high >> _HALF
            low, high = low[same] & _LOW, high[same] & _LOW
            close = _close(texts.dates[low], texts.dates[high])
            found.append(high[close] << _HALF | low[close])
    pairs = np.sort(np.concatenate(found))
    new = np.ones(len(pairs), dtype=bool)
    np.not_equal(pairs[1:], pairs[:-1], out=new[1:])
    pairs = pairs[new]
    ones, others = (pairs & _LOW).astype(np.int64), (pairs >> _HALF).astype(np.int64)
    keep = _same(texts, ones, others)
    return ones[keep], others[keep]


def _close(ones: Dates, others: Dates) -> NDArray[np.bool_]:
    """Whether pairs of dates, the earlier first, are within the window, or one is missing."""
    close: NDArray[np.bool_] = (others - ones <= _WINDOW) | (others == NO_DATE)
    return close
