"""How the documents that match divide: by feed, author, tag, language, day, week, month or year.

Every count is exact, of all documents and not of a page. What is counted are numbers in arrays;
only the values that are shown become text.
"""

from __future__ import annotations

from datetime import date, tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from searchfeed import periods
from searchfeed.engines.whoosh.arrays import once
from searchfeed.engines.whoosh.columnar.packing import narrow
from searchfeed.engines.whoosh.values import NO_DATE, date_number
from searchfeed.models import Facet, FacetCount, Period
from searchfeed.stopping import pause

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
    pause()
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
    days = view.memory.get(Days, lambda: _days(view.column("date")))
    codes = days.codes.take(documents)
    amounts = np.bincount(codes, minlength=len(days.numbers) + 1)[:-1]
    there = np.flatnonzero(amounts)
    if not len(there):
        return ()
    firsts = _firsts(days.numbers[there], period)
    starts = np.array([date_number(periods.midnight(day, zone)) for day in firsts], dtype=np.uint64)

    def place(dates: NDArray[np.uint64]) -> NDArray[np.int64]:
        return np.maximum(np.searchsorted(starts, dates, side="right") - 1, 0)

    # Only on a day of UTC on which a period begins the time of day tells which one a date is in.
    begin = days.numbers[there].astype(np.uint64) * DAY
    at = place(begin)
    divided = there[at != place(begin + (DAY - np.uint64(1)))]
    counts = np.zeros(len(firsts), dtype=np.int64)
    if len(divided):
        chosen = np.zeros(len(days.numbers) + 1, dtype=bool)
        chosen[divided] = True
        dates = view.column("date").take(documents[chosen.take(codes)])
        counts += np.bincount(place(dates), minlength=len(firsts))
        amounts[divided] = 0
    np.add.at(counts, at, amounts[there])
    names = (
        (periods.name(firsts[which], period), int(counts[which]))
        for which in _largest(counts, limit)
    )
    return tuple(FacetCount(name, number, name) for name, number in names)


class Days(NamedTuple):
    """The days of UTC that documents are dated on.

    Attributes:
        numbers: those days, ascending, each as so many days since the year 1.
        codes: for each document number the place of its day; behind the last without a date.
    """

    numbers: NDArray[np.int32]
    codes: NDArray[Any]

    @property
    def nbytes(self) -> int:
        """Bytes."""
        return self.numbers.nbytes + self.codes.nbytes


def _days(dates: NDArray[np.uint64]) -> Days:
    """The days of all dates."""
    days = (dates // DAY).astype(np.int32)
    numbers = once([days[dates != NO_DATE]])
    # The number that stands for no date is above all of them.
    return Days(numbers, narrow(numbers.searchsorted(days)))


def _firsts(numbers: NDArray[np.int32], period: Period) -> list[date]:
    """The first day of each period that a date on one of the days can be in, whatever the zone.

    A zone is less than a day from UTC, so the days around each day of UTC are enough; what lies
    between them has no dates, and needs no place of its own.
    """
    found = once([numbers - 1, numbers, numbers + 1]).astype(np.int64)
    found = found[(found >= 0) & (found < date.max.toordinal())] - CALENDAR
    match period:
        case Period.WEEK:
            found = (found - MONDAY) // 7 * 7 + MONDAY
        case Period.MONTH:
            found = found.astype("M8[D]").astype("M8[M]").astype("M8[D]").astype(np.int64)
        case Period.YEAR:
            found = found.astype("M8[D]").astype("M8[Y]").astype("M8[D]").astype(np.int64)
    days: list[date] = once([found]).astype("M8[D]").tolist()
    return days
