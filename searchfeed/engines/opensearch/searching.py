"""Queries put to the cluster: pages, totals, stories folded, scores taken apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from secrets import token_hex
from typing import Any

from searchfeed import tree
from searchfeed.analysis import terms as terms_of
from searchfeed.engines import Answer, Match
from searchfeed.engines.opensearch import mapping, scoring
from searchfeed.engines.opensearch.cluster import SOON, Cluster, Slow
from searchfeed.engines.opensearch.documents import read_entry
from searchfeed.engines.opensearch.matching import (
    Clause,
    Matcher,
    single_fields,
    wanted_leaves,
)
from searchfeed.engines.opensearch.scoring import Counts, Piece, Scorer
from searchfeed.engines.opensearch.state import Indices
from searchfeed.engines.opensearch.vocabulary import Vocabulary
from searchfeed.engines.whoosh.explaining import typed as as_typed
from searchfeed.engines.whoosh.leaves import FIELDS
from searchfeed.errors import EntryNotFoundError
from searchfeed.models import Contribution, Entry, Explanation, Sort
from searchfeed.values import dataclass

FURTHER = 4
"""So many times more are fetched where folding leaves a page short."""

SPARE = 5
"""More hits than asked for, which show whether a story goes on."""

READ = 500
"""Entries that are read at once."""

STORIES = 65_535
"""Stories that are counted at once; the servers make no more buckets."""


@dataclass(frozen=True, slots=True)
class Row:
    """A hit: its id, its score, the story that it belongs to, and where the next page goes on."""

    id: str
    score: float
    story: str
    place: list[Any]


class Searcher:
    """Answers queries from one index."""

    def __init__(self, cluster: Cluster, indices: Indices, vocabulary: Vocabulary) -> None:
        self._cluster = cluster
        self._indices = indices
        self._vocabulary = vocabulary
        # Copies of a part differ by what was deleted from them, and so do their scores: the pages
        # of one searcher come from the same ones for as long as these are there.
        self._preference = token_hex(8)

    # What a query stands for

    def matcher(self, node: tree.Node) -> Matcher:
        """What turns the parts of a query into conditions."""
        return Matcher(self._vocabulary.meanings(wanted_leaves(node)))

    def _read(self, node: tree.Node) -> tuple[Scorer, Matcher, tuple[str, ...]]:
        meanings = self._vocabulary.meanings(wanted_leaves(node))
        matcher = Matcher(meanings)
        leaves = list(dict.fromkeys(scoring.wanted(node)))
        counts = self.counts([matcher.holds(leaf) for leaf in leaves])
        holding = dict(zip(leaves, counts[1:], strict=True))
        notes = tuple(
            f"{tree.label(leaf)} stands for more words than can be looked for at once; "
            "some are left out."
            for leaf in meanings.cut
        )
        return Scorer(matcher, Counts(counts[0], holding)), matcher, notes

    def counts(self, conditions: Sequence[Clause]) -> list[int]:
        """How many entries there are, and how many meet each condition."""
        body: dict[str, Any] = {"size": 0, "track_total_hits": True}
        if conditions:
            named = {str(at): condition for at, condition in enumerate(conditions)}
            body["aggs"] = {"counts": {"filters": {"filters": named}}}
        found = self.ask(body)
        buckets = found["aggregations"]["counts"]["buckets"] if conditions else {}
        each = [int(buckets[str(at)]["doc_count"]) for at in range(len(conditions))]
        return [int(found["hits"]["total"]["value"]), *each]

    def ask(self, body: Mapping[str, Any], **parameters: Any) -> Any:
        """Search the entries.

        Raises:
            Missing: there is no index.
        """
        return self._patiently(
            lambda **more: self._cluster.ask(
                "POST",
                f"/{self._indices.entries}/_search",
                body,
                search_type="dfs_query_then_fetch",
                allow_partial_search_results="false",
                **parameters,
                **more,
            )
        )

    def _patiently(self, ask: Callable[..., Any]) -> Any:
        """Ask the copies that were asked before, and others where these do not answer."""
        for answer in (SOON, 2 * SOON):
            preference = self._preference
            try:
                return ask(answer=answer, again=False, preference=preference)
            except Slow:
                if self._preference == preference:
                    self._preference = token_hex(8)
        return ask(preference=self._preference)

    # Pages

    def search(
        self,
        node: tree.Node,
        *,
        limit: int,
        offset: int,
        sort: Sort,
        recency: timedelta | None,
        dedupe: bool,
    ) -> Answer:
        """See ``Engine.search``."""
        scorer, _, notes = self._read(node)
        query = scorer.query(node, recency, datetime.now(UTC))
        pages = Pages(self, query, sort)
        matches = pages.folded(offset, limit) if dedupe else pages.plain(offset, limit)
        patterns = scorer.patterns(dict.fromkeys(scoring.wanted(node)))
        return Answer(tuple(matches), pages.total, tuple(patterns), notes)

    # Why

    def explain(self, node: tree.Node, id: str, recency: timedelta | None) -> Explanation:
        """See ``Engine.explain``."""
        entry = self.entry(id)
        scorer, matcher, _ = self._read(node)
        if not self._scores([matcher.matches(node)], id)[0][0]:
            missing = tuple(self._missing(matcher, node, id))
            return Explanation(matches=False, missing=missing)
        pieces = scorer.pieces(node)
        lifts = scorer.lifts(node, pieces)
        plain = scoring.scored(matcher.matches(node), [piece.clause for piece in pieces])
        clauses = [piece.clause for piece in (*pieces, *lifts)]
        if recency is not None and pieces:
            clauses += [plain, scoring.preferring(plain, recency, datetime.now(UTC))]
        scores = [score for _, score in self._scores(clauses, id)]
        found: list[Contribution] = []
        for piece, score in zip((*pieces, *lifts), scores, strict=False):
            if score:
                found += _divided(piece, score, entry, matcher)
        if recency is not None and pieces and scores[-1] > scores[-2]:
            found.insert(-1, Contribution(scoring.NEWER, scores[-1] - scores[-2]))
        total = sum(each.score for each in found)
        return Explanation(matches=True, score=total, contributions=tuple(found))

    def entry(self, id: str) -> Entry:
        """The entry with this id.

        Raises:
            EntryNotFoundError: there is none.
        """
        found = self.ask({"size": 1, "query": {"term": {"id": id}}, "_source": ["entry"]})
        hits = found["hits"]["hits"]
        if not hits:
            raise EntryNotFoundError(f"there is no entry {id} in the index")
        return read_entry(hits[0]["_source"]["entry"])

    def entries(self, ids: Sequence[str]) -> dict[str, Entry]:
        """The entries with these ids; ids that are not there are left out."""
        found: dict[str, Entry] = {}
        for at in range(0, len(ids), READ):
            query = {"terms": {"id": list(ids[at : at + READ])}}
            hits = self.ask({"size": READ, "query": query, "_source": ["entry"]})["hits"]["hits"]
            found |= {hit["_id"]: read_entry(hit["_source"]["entry"]) for hit in hits}
        return found

    def starting(self, prefix: str, limit: int) -> list[Entry]:
        """The first entries whose id starts with a prefix."""
        body = {
            "size": limit,
            "query": {"prefix": {"id": prefix}},
            "sort": [{"id": "asc"}],
            "_source": ["entry"],
        }
        return [read_entry(hit["_source"]["entry"]) for hit in self.ask(body)["hits"]["hits"]]

    def titles(self, urls: Iterable[str]) -> dict[str, str]:
        """What feeds are called in their newest entry."""
        wanted = list(dict.fromkeys(urls))
        searches = [
            (
                self._indices.entries,
                {
                    "size": 1,
                    "query": {"bool": {"filter": [{"term": {"feed": url}}]}},
                    "sort": [{"moment": {"order": "desc", "missing": "_last"}}],
                    "_source": ["entry.feed_title"],
                },
            )
            for url in wanted
        ]
        answers = self._patiently(partial(self._cluster.several, searches))
        return {
            url: answer["hits"]["hits"][0]["_source"]["entry"]["feed_title"]
            for url, answer in zip(wanted, answers, strict=True)
            if answer["hits"]["hits"]
        }

    def _scores(self, clauses: Sequence[Clause], id: str) -> list[tuple[bool, float]]:
        """For each of some queries whether an entry matches it, and with what score."""
        own = {"term": {"id": id}}
        searches = [
            (
                self._indices.entries,
                {
                    "size": 1,
                    "_source": False,
                    "query": {"bool": {"must": [clause], "filter": [own]}},
                },
            )
            for clause in clauses
        ]
        answers = self._patiently(
            partial(self._cluster.several, searches, search_type="dfs_query_then_fetch")
        )
        found = []
        for answer in answers:
            hits = answer["hits"]["hits"]
            found.append((bool(hits), float(hits[0]["_score"]) if hits else 0.0))
        return found

    def _missing(self, matcher: Matcher, node: tree.Node, id: str) -> Iterator[str]:
        """The clauses that keep an entry out, as a person would type them."""
        nodes = list(_below(node))
        matched = self._scores([matcher.matches(each) for each in nodes], id)
        there = {each: found for each, (found, _) in zip(nodes, matched, strict=True)}
        yield from _failing(node, there)


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
        source = [{"story": {"terms": {"field": "story"}}}]
        composite: dict[str, Any] = {"size": mapping.PAGE, "sources": source}
        body = {"size": 0, "query": self._query, "aggs": {"stories": {"composite": composite}}}
        stories = 0
        while True:
            found = self._searcher.ask(body)["aggregations"]["stories"]
            stories += len(found["buckets"])
            if "after_key" not in found:
                return int(told["doc_count"]) - stories
            composite["after"] = found["after_key"]

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


def _divided(piece: Piece, score: float, entry: Entry, matcher: Matcher) -> Iterator[Contribution]:
    """A score divided among the fields and terms that it came from."""
    held = list(_held(piece.leaf, entry, matcher)) if piece.leaf is not None else []
    total = sum(weight for *_, weight in held)
    if not total:
        yield Contribution(piece.label, score)
    for field, term, weight in held:
        yield Contribution(piece.label, score * weight / total, field, term, weight)


def _held(leaf: tree.Words, entry: Entry, matcher: Matcher) -> Iterator[tuple[str, str, float]]:
    """By field and term how often an entry has what a leaf is looked for by, weighted."""
    texts = {
        "title": (entry.title,),
        "body": (entry.body,),
        "tags": entry.tags,
        "feed_title": (entry.feed_title,),
    }
    sequences = matcher.sequences(leaf)
    for field in FIELDS if leaf.field is None else single_fields(leaf):
        terms = [term for text in texts[field] for term in terms_of(text)]
        worth = {
            term: value
            for sequence in reversed(sequences)
            for family in sequence
            for term, value in family.items()
        }
        for term in dict.fromkeys(term for term in terms if term in worth):
            yield field, term, FIELDS[field][0] * worth[term] * terms.count(term)


def _below(node: tree.Node) -> Iterator[tree.Node]:
    """A node and all that is in it."""
    yield node
    match node:
        case tree.Not(child):
            yield from _below(child)
        case tree.Best(children) | tree.And(children) | tree.Or(children):
            for child in children:
                yield from _below(child)


def _failing(node: tree.Node, there: Mapping[tree.Node, bool]) -> Iterator[str]:
    if there[node]:
        return
    match node:
        case tree.Best(children, required) if required:
            for child in children[:required]:
                yield from _failing(child, there)
        case tree.And(children):
            for child in children:
                yield from _failing(child, there)
        case tree.Or(children) | tree.Best(children):
            # One of them would have been enough, so all of them are missing.
            yield " or ".join(each for child in children for each in _failing(child, there))
        case tree.Not(child):
            yield f"-({as_typed(child)})"
        case _:
            yield as_typed(node)
