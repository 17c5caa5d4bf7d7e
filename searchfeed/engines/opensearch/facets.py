"""How what a query finds divides: exact counts, whatever their number.

Periods begin and end at the instants of the query language.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo

from searchfeed import periods
from searchfeed.engines.opensearch.documents import NAMES
from searchfeed.engines.opensearch.matching import EVERYTHING, Clause
from searchfeed.engines.opensearch.searching import Searcher
from searchfeed.engines.whoosh.facets import FIELDS
from searchfeed.engines.whoosh.values import whole_term
from searchfeed.models import Facet, FacetCount, Period

RANGES = 1_000
"""Periods that are counted at once."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_MILLISECOND = timedelta(milliseconds=1)


def count(
    searcher: Searcher, query: Clause, facet: Facet, limit: int | None, zone: tzinfo
) -> tuple[FacetCount, ...]:
    """The values of a facet, the largest counts first, ties by value."""
    if facet not in FIELDS:
        return _by_period(searcher, query, Period(facet), limit, zone)
    counts = dict(values(searcher, query, FIELDS[facet]))
    shown = _largest(counts, limit)
    labels = _labels(searcher, facet.value, shown) if facet in (Facet.AUTHOR, Facet.TAG) else {}
    return tuple(FacetCount(value, counts[value], labels.get(value, value)) for value in shown)


def values(searcher: Searcher, query: Clause, field: str) -> Iterator[tuple[str, int]]:
    """Every value of a field in what a query finds, and how many entries have it."""
    for bucket in searcher.buckets(query, {"terms": {"field": field}}):
        yield str(bucket["key"]["value"]), int(bucket["doc_count"])


def newest(searcher: Searcher, field: str) -> dict[str, tuple[int, datetime | None]]:
    """By value of a field how many entries have it, and the newest date among them."""
    found: dict[str, tuple[int, datetime | None]] = {}
    source = {"terms": {"field": field}}
    within = {"newest": {"max": {"field": "date"}}}
    for bucket in searcher.buckets(EVERYTHING, source, within):
        date = bucket["newest"]["value"]
        moment = None if date is None else _EPOCH + int(date) * _MILLISECOND
        found[bucket["key"]["value"]] = int(bucket["doc_count"]), moment
    return found


def _largest(counts: Mapping[str, int], limit: int | None) -> list[str]:
    return sorted(counts, key=lambda value: (-counts[value], value))[:limit]


def _labels(searcher: Searcher, field: str, shown: Sequence[str]) -> dict[str, str]:
    """The form in which most entries have each value; of those as frequent the first."""
    forms: dict[str, tuple[int, str]] = {}
    having = {"terms": {field: list(shown)}}
    for form, number in values(searcher, having, NAMES[field]) if shown else ():
        value = whole_term(form)
        forms[value] = min(forms.get(value, (0, form)), (-number, form))
    return {value: form for value, (_, form) in forms.items()}


def _by_period(
    searcher: Searcher, query: Clause, period: Period, limit: int | None, zone: tzinfo
) -> tuple[FacetCount, ...]:
    # A histogram of numbers: one of dates fails in OpenSearch 2.19 where a page follows the last.
    source = {"histogram": {"field": "date", "interval": _DAY // _MILLISECOND}}
    found = searcher.buckets(query, source)
    days = sorted({_day(int(float(bucket["key"]["value"]))) for bucket in found})
    if not days:
        return ()
    firsts = _firsts(days, period)
    starts: list[int | None] = [_milliseconds(periods.midnight(day, zone)) for day in firsts]
    # Where a zone's time has no UTC, at the ends of the calendar, the outermost periods take all.
    starts[:1], ends = [None], [*starts[1:], None]
    ranges = {
        periods.name(day, period): _range(start, end)
        for day, start, end in zip(firsts, starts, ends, strict=True)
    }
    counts = {name: number for name, number in _counted(searcher, query, ranges) if number}
    return tuple(FacetCount(name, counts[name], name) for name in _largest(counts, limit))


def _day(milliseconds: int) -> date:
    return (_EPOCH + milliseconds * _MILLISECOND).date()


def _firsts(days: Sequence[date], period: Period) -> list[date]:
    """The first day of each period that what is dated on some days of UTC can be in.

    A zone is less than a day from UTC, so the days around each are enough.
    """
    near: set[date] = set()
    for day in days:
        near.add(day)
        if day > date.min:
            near.add(day - _DAY)
        if day < date.max:
            near.add(day + _DAY)
    return sorted({_first(day, period) for day in near})


def _first(day: date, period: Period) -> date:
    match period:
        case Period.DAY:
            return day
        case Period.WEEK:
            # The first week of all has no Monday.
            return max(date.min, _earlier(day, day.weekday()))
        case Period.MONTH:
            return day.replace(day=1)
        case Period.YEAR:
            return day.replace(month=1, day=1)


def _earlier(day: date, days: int) -> date:
    return date.fromordinal(max(1, day.toordinal() - days))


def _counted(
    searcher: Searcher, query: Clause, ranges: Mapping[str, Clause]
) -> Iterator[tuple[str, int]]:
    """How many entries each of some ranges has, by its name."""
    names = list(ranges)
    for at in range(0, len(names), RANGES):
        some = {name: ranges[name] for name in names[at : at + RANGES]}
        named = {"filters": {"filters": some}}
        found = searcher.ask({"size": 0, "query": query, "aggs": {"periods": named}})
        for name, bucket in found["aggregations"]["periods"]["buckets"].items():
            yield name, int(bucket["doc_count"])


def _range(start: int | None, end: int | None) -> Clause:
    span: dict[str, int] = {}
    if start is not None:
        span["gte"] = start
    if end is not None:
        span["lt"] = end
    return {"range": {"date": span}} if span else {"exists": {"field": "date"}}


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND
