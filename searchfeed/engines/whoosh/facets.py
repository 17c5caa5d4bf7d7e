"""How the documents that match divide: by feed, author, tag, language, day, week, month or year.

Every count is exact, of all documents and not of a page. What is counted are numbers in arrays;
only the values that are shown become text.
"""

from __future__ import annotations

from datetime import date, tzinfo
from typing import TYPE_CHECKING

import numpy as np

from searchfeed import periods
from searchfeed.engines.whoosh.values import NO_DATE, date_number
from searchfeed.models import Facet, FacetCount, Period

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.view import Documents, View

FIELDS = {
    Facet.FEED: "feed",
    Facet.AUTHOR: "author",
    Facet.TAG: "tag",
    Facet.LANGUAGE: "language",
}
"""Facet → the field whose terms are its values."""

WRITTEN = {Facet.AUTHOR: "author_name", Facet.TAG: "tag_name"}
"""Facet → the field that has its values as people wrote them, with the value as a second key."""

DAY = np.uint64(86_400_000_000)
"""Microseconds, which the ``date`` column counts."""

CALENDAR = date(1970, 1, 1).toordinal() - 1
"""Days from where the ``date`` column begins to where numpy's calendar does."""

MONDAY = 4
"""The first day of numpy's calendar that a week begins on."""


def count(
    view: View, documents: Documents, facet: Facet, limit: int | None, zone: tzinfo
) -> tuple[FacetCount, ...]:
    """The values of a facet in some documents, the largest counts first, ties by value."""
    if facet not in FIELDS:
        return _by_period(view, documents, Period(facet), limit, zone)
    values, counts = view.terms(FIELDS[facet]), view.tally(FIELDS[facet], documents)
    return tuple(
        FacetCount(values[at], int(counts[at]), _label(view, facet, values[at]))
        for at in _largest(counts, limit)
    )


def _largest(counts: NDArray[np.int64], limit: int | None) -> list[int]:
    """The places of the largest counts, those of 0 left out; ties as they stand."""
    there = np.flatnonzero(counts)
    places: list[int] = there[np.argsort(-counts[there], kind="stable")][:limit].tolist()
    return places


def _label(view: View, facet: Facet, value: str) -> str:
    """The form in which most entries have a value; of those as frequent the first."""
    if facet not in WRITTEN:
        return value
    field = WRITTEN[facet]
    forms = view.sharing(field, "fold", value)
    return min(forms, key=lambda form: (-len(view.holding(field, form)), form), default=value)


def _by_period(
    view: View, documents: Documents, period: Period, limit: int | None, zone: tzinfo
) -> tuple[FacetCount, ...]:
    dates = view.column("date")[documents]
    dates = dates[dates != NO_DATE]
    if not len(dates):
        return ()
    days = _firsts(dates, period)
    starts = np.array([date_number(periods.midnight(day, zone)) for day in days], dtype=np.uint64)
    at = np.maximum(np.searchsorted(starts, dates, side="right") - 1, 0)
    counts = np.bincount(at, minlength=len(days))
    names = (
        (periods.name(days[place], period), int(counts[place])) for place in _largest(counts, limit)
    )
    return tuple(FacetCount(name, number, name) for name, number in names)


def _firsts(dates: NDArray[np.uint64], period: Period) -> list[date]:
    """The first day of each period that one of the dates can be in, whatever the zone.

    A zone is less than a day from UTC, so the days around each day of UTC are enough; what lies
    between them has no dates, and needs no place of its own.
    """
    numbers = (dates // DAY).astype(np.int64)
    first = int(numbers.min()) - 1
    there = np.zeros(int(numbers.max()) - first + 2, dtype=bool)
    for offset in (0, 1, 2):
        there[numbers - (first + 1) + offset] = True
    found = np.flatnonzero(there) + first
    found = found[(found >= 0) & (found < date.max.toordinal())] - CALENDAR
    match period:
        case Period.WEEK:
            found = (found - MONDAY) // 7 * 7 + MONDAY
        case Period.MONTH:
            found = found.astype("M8[D]").astype("M8[M]").astype("M8[D]").astype(np.int64)
        case Period.YEAR:
            found = found.astype("M8[D]").astype("M8[Y]").astype("M8[D]").astype(np.int64)
    days: list[date] = np.unique(found).astype("M8[D]").tolist()
    return days
