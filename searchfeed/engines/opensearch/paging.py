"""One page of what was found: in order, entries that tell the same story folded into the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from searchfeed.engines import Match
from searchfeed.engines.opensearch import mapping
from searchfeed.engines.opensearch.matching import Clause
from searchfeed.models import Sort

if TYPE_CHECKING:
    from searchfeed.engines.opensearch.searching import Searcher

FURTHER = 4
"""So many times more are fetched where folding leaves a page short."""

SPARE = 5
"""More hits than asked for, which show whether a story goes on."""

STORIES = 65_535
"""Stories that are counted at once; the servers make no more buckets."""


@dataclass(frozen=True, slots=True)
class Row:
    """A hit: its id, its score, the story that it belongs to, and where the next page goes on."""

    id: str
    score: float
    story: str
    place: list[Any]


class Pages:
    """What one query finds, in order.

    Ties go to the newer entry, then to the smaller id; entries without a date come last.
    """

    def __init__(self, searcher: Searcher, query: Clause, sort: Sort) -> None:
        self._searcher = searcher
        self._query = query
        newest = {"moment": {"order": "desc", "missing": "_last"}}
        oldest = {"moment": {"order": "asc", "missing": "_last"}}
        by: dict[Sort, list[dict[str, Any]]] = {
            Sort.RELEVANCE: [{"_score": "desc"}, newest],
            Sort.NEWEST: [newest],
            Sort.OLDEST: [oldest],
        }
        self._order = [*by[sort], {"id": "asc"}]
        self.total = 0
        """How many there are on all pages, once one was asked for."""

    def plain(self, offset: int, limit: int) -> Iterator[Match]:
        """The matches of a page, each entry by itself."""
        rows = self._rows(offset + limit, stories=False)
        return (Match(row.id, row.score) for row in rows[offset:])

    def folded(self, offset: int, limit: int) -> Iterator[Match]:
        """The matches of a page, those that tell the same story behind the first of them."""
        count = offset + limit
        wanted = count + SPARE
        while True:
            rows = self._rows(wanted, stories=True)
            firsts: dict[str, Row] = {}
            for row in rows:
                firsts.setdefault(row.story or row.id, row)
            if len(firsts) >= count or len(rows) < wanted:
                break
            wanted *= FURTHER
        page = list(firsts.values())[offset:count]
        behind = self._behind([row for row in page if row.story])
        return (
            Match(row.id, row.score, tuple(behind.get(row.story, ())) if row.story else ())
            for row in page
        )

    def _behind(self, firsts: Sequence[Row]) -> dict[str, list[str]]:
        """By story the ids of the other matches that tell it, in order."""
        if not firsts:
            return {}
        known = {row.id for row in firsts}
        told = {"terms": {"story": sorted({row.story for row in firsts})}}
        found: dict[str, list[str]] = {}
        for row in self._all_rows({"bool": {"must": [self._query], "filter": [told]}}, None):
            if row.id not in known:
                found.setdefault(row.story, []).append(row.id)
        return found

    def _rows(self, count: int, *, stories: bool) -> list[Row]:
        """The first so many rows; notes the total on the way."""
        body = self._body(self._query, count) | {"track_total_hits": True}
        if stories:
            body["aggs"] = {
                "told": {
                    "filter": {"exists": {"field": "story"}},
                    "aggs": {
                        "stories": {"terms": {"field": "story", "size": STORIES}},
                        # Only how many buckets there are is wanted, not what is in them.
                        "count": {"stats_bucket": {"buckets_path": "stories>_count"}},
                    },
                }
            }
        found = self._searcher.ask(body, filter_path="-aggregations.told.stories.buckets")
        self.total = int(found["hits"]["total"]["value"])
        if stories:
            self.total -= self._surplus(found["aggregations"]["told"])
        rows = [_row(hit) for hit in found["hits"]["hits"]]
        if len(rows) == body["size"] and len(rows) < count:
            rows += self._all_rows(self._query, count - len(rows), rows[-1].place)
        return rows

    def _surplus(self, told: Mapping[str, Any]) -> int:
        """How many fewer stories there are than matches."""
        if not told["stories"]["sum_other_doc_count"]:
            return int(told["doc_count"]) - int(told["count"]["count"])
        # More than are counted at once: one page of them after the other.
        stories = self._searcher.buckets(self._query, {"terms": {"field": "story"}})
        return int(told["doc_count"]) - sum(1 for _ in stories)

    def _all_rows(
        self, query: Clause, count: int | None, place: list[Any] | None = None
    ) -> list[Row]:
        """So many rows (None: all) behind a place, page by page."""
        rows: list[Row] = []
        while count is None or len(rows) < count:
            body = self._body(query, mapping.PAGE if count is None else count - len(rows))
            if place is not None:
                body["search_after"] = place
            hits = self._searcher.ask(body | {"track_total_hits": False})["hits"]["hits"]
            rows += map(_row, hits)
            if len(hits) < body["size"]:
                break
            place = rows[-1].place
        return rows

    def _body(self, query: Clause, count: int) -> dict[str, Any]:
        return {
            "size": min(count, mapping.PAGE),
            "query": query,
            "sort": self._order,
            "track_scores": True,
            "_source": False,
            "docvalue_fields": ["story"],
        }


def _row(hit: Mapping[str, Any]) -> Row:
    story = hit.get("fields", {}).get("story", [""])[0]
    return Row(hit["_id"], float(hit["_score"]), story, hit["sort"])
