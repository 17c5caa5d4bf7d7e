"""Queries put to the cluster, and scores taken apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from secrets import token_hex
from typing import Any

from searchfeed import tree
from searchfeed.analysis import terms as terms_of
from searchfeed.engines import Answer
from searchfeed.engines.opensearch import scoring
from searchfeed.engines.opensearch.answers import Slow
from searchfeed.engines.opensearch.cluster import SOON, Cluster
from searchfeed.engines.opensearch.documents import read_entry
from searchfeed.engines.opensearch.mapping import PAGE
from searchfeed.engines.opensearch.matching import (
    Clause,
    Matcher,
    single_fields,
    wanted_leaves,
)
from searchfeed.engines.opensearch.paging import Pages
from searchfeed.engines.opensearch.scoring import Counts, Piece, Scorer
from searchfeed.engines.opensearch.state import Indices
from searchfeed.engines.opensearch.vocabulary import Vocabulary
from searchfeed.engines.whoosh.formulas import FIELDS
from searchfeed.engines.wording import failing
from searchfeed.errors import EntryNotFoundError
from searchfeed.models import Contribution, Entry, Explanation, Sort

READ = 500
"""Entries that are read at once."""


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
            lambda **more: self._cluster.search(
                self._indices.entries,
                body,
                search_type="dfs_query_then_fetch",
                **parameters,
                **more,
            )
        )

    def buckets(
        self, query: Clause, source: Mapping[str, Any], within: Mapping[str, Any] | None = None
    ) -> Iterator[Any]:
        """What a query finds, divided by ``value``: that of a field, say.

        The buckets come page by page in their own order, as that is exact on any number of
        shards; those of the largest counts are not.
        """
        composite: dict[str, Any] = {"size": PAGE, "sources": [{"value": source}]}
        every = {"values": {"composite": composite, "aggs": within or {}}}
        body = {"size": 0, "query": query, "aggs": every}
        while True:
            found = self.ask(body)["aggregations"]["values"]
            yield from found["buckets"]
            if "after_key" not in found:
                return
            composite["after"] = found["after_key"]

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
        yield from failing(node, there.__getitem__)


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
