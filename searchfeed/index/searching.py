"""What an index answers: pages of hits, counts, completions and explanations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta, tzinfo
from time import perf_counter

from searchfeed import tree
from searchfeed.analysis import spell
from searchfeed.engines import Engine
from searchfeed.index.base import Base, kept_to, system_zone
from searchfeed.models import (
    Entry,
    ExplainedQuery,
    Explanation,
    Facet,
    FacetCount,
    Hit,
    Pattern,
    Period,
    Query,
    Results,
    Snippet,
    Sort,
    Trend,
)
from searchfeed.snippets import Highlighter
from searchfeed.stopping import pause

BUCKETS = 1_000
"""A trend has at most so many; that is nineteen years of weeks."""


class Searching(Base):
    """What asks the index and changes nothing.

    ``Index`` says what every method raises.
    """

    def search(
        self,
        query: str | Query,
        *,
        limit: int = 10,
        offset: int = 0,
        sort: Sort | str = Sort.RELEVANCE,
        feeds: Iterable[str] = (),
        recency: timedelta | None = None,
        fuzzy: bool = False,
        dedupe: bool = True,
    ) -> Results:
        """Find entries; ``searchfeed help query`` shows the language.

        Args:
            query: what to look for; a ``Query`` brings its own limit, offset, sort and feeds.
            limit: how many hits at most, from 1.
            offset: how many of the best hits to pass over.
            sort: ``relevance``, ``date`` (oldest first) or ``-date`` (newest first).
            feeds: keep to feeds whose URL or title holds one of these texts.
            recency: prefer newer entries: the score of one of today counts double, that of one so
                old 1.5 times, that of an old one once.
            fuzzy: find words with typing mistakes too; entries that hold all of them as typed
                come first.
            dedupe: show entries that tell the same story as one hit, the first of them in this
                order, which names the others; ``Results.total`` then counts stories.

        Raises:
            QueryError: a condition in the query cannot be meant.
            IndexVersionError: the index was made by another release and is too large to be
                rebuilt on the way.
            ValueError: a limit, an offset or a sort that is out of range.
        """
        started = perf_counter()
        if not isinstance(query, Query):
            query = Query(query, limit, offset, Sort(sort), tuple(feeds), recency, fuzzy, dedupe)
        node, notes = self._read(query)
        engine, more_notes = self._store.ready()
        return self._page(query, node, engine, (*notes, *more_notes), started)

    def like(
        self,
        id: str,
        *,
        limit: int = 10,
        offset: int = 0,
        sort: Sort | str = Sort.RELEVANCE,
        feeds: Iterable[str] = (),
    ) -> Results:
        """Find entries like one: those with its most telling words.

        Neither the entry itself is among them, nor the same story in another feed.

        Args:
            id: the entry's, or the start of it; it is the text of ``Results.query``.
            limit: how many hits at most, from 1.
            offset: how many of the best hits to pass over.
            sort: as for ``search``.
            feeds: as for ``search``.

        Raises:
            EntryNotFoundError: there is no entry with that id, or more than one.
            IndexVersionError: as ``search``.
            ValueError: a limit, an offset or a sort that is out of range.
        """
        from searchfeed.query import likeness

        started = perf_counter()
        entry = self._store.reader().find(id)
        query = Query(entry.id, limit, offset, Sort(sort), tuple(feeds))
        engine, notes = self._store.ready()
        words = likeness.words(entry)
        entries = engine.search(tree.Everything(), limit=0).total
        node = likeness.alike(words, engine.frequencies(tuple(words)), entries)
        if node is None:
            return Results(query, (), 0, perf_counter() - started, notes)
        # Nothing is more like it than itself, so the engine has it on its first page.
        best = engine.search(node, limit=10, dedupe=True).matches
        stories = ({match.id, *match.duplicates} for match in best)
        same = {entry.id}.union(*(story for story in stories if entry.id in story))
        others = tree.Not(tree.Or(tuple(tree.Word(each, field="id") for each in sorted(same))))
        node = kept_to(query.feeds, tree.And((node, others)))
        return self._page(query, node, engine, notes, started)

    def complete(self, text: str, cursor: int | None = None, limit: int = 8) -> tuple[str, ...]:
        """Finish the word of a query that is being typed; quick enough for every keystroke.

        Names of fields come first, then the index's own words, the most frequent first: those of
        titles and bodies, or behind ``feed:``, ``author:``, ``tag:`` and ``lang:`` the values of
        that field, and behind ``@`` the names of saved searches. Accents need not be typed.

        Args:
            text: the query so far.
            cursor: the character that the cursor stands before; None: the end.
            limit: how many completions at most.

        Returns:
            Whole texts to put in the place of ``text``; what stands behind the cursor stays, so
            the cursor then belongs as far from the end as it was. Nothing if it is inside a word.
        """
        from searchfeed.query.completion import half_typed

        cursor = len(text) if cursor is None else min(max(cursor, 0), len(text))
        half = half_typed(text, cursor)
        self._store.reader()
        if half is None:
            return ()
        if half.names_a_search:
            known = self._store.archive().search_texts()
            words = half.searches(name for name, _ in known.values())
        else:
            words = half.words()
            if half.word or half.field not in (None, *tree.TEXT_FIELDS):
                words += self._store.ready()[0].complete(half.field, half.word, limit=limit)
        whole = (half.completed(word, text, cursor) for word in words)
        return tuple(dict.fromkeys(each for each in whole if each != text))[:limit]

    def suggestion(self, query: str | Query) -> str:
        """A query with words that stand in no entry replaced by what was perhaps meant, or empty.

        ``search`` tells it as well, where it is not asked to leave it out to be quicker.

        Raises:
            QueryError: a condition in the query cannot be meant.
            IndexVersionError: as ``search``.
        """
        query = query if isinstance(query, Query) else Query(query)
        node, _ = self._read(query)
        return _suggestion(query.text, node, self._store.ready()[0])

    def _page(
        self,
        query: Query,
        node: tree.Node,
        engine: Engine,
        notes: tuple[str, ...],
        started: float,
    ) -> Results:
        """One page of what a tree finds."""
        answer = engine.search(
            node,
            limit=query.limit,
            offset=query.offset,
            sort=query.sort,
            recency=query.recency,
            dedupe=query.dedupe,
        )
        pause()
        ids = [id for match in answer.matches for id in (match.id, *match.duplicates)]
        entries = self._store.reader().entries(ids)
        highlighter = Highlighter(answer.patterns)
        hits = tuple(
            Hit(
                entry,
                match.score,
                highlighter.make(entry),
                tuple(entries[id] for id in match.duplicates if id in entries),
            )
            for match in answer.matches
            if (entry := entries.get(match.id)) is not None
        )
        suggestion = ""
        if query.suggest:
            suggestion = _suggestion(query.text, node, engine, answer.patterns)
        notes = (*notes, *answer.notes)
        elapsed = perf_counter() - started
        return Results(query, hits, answer.total, elapsed, notes, suggestion)

    def facets(
        self,
        query: str | Query,
        facets: Iterable[Facet | str],
        *,
        limit: int | None = 10,
        feeds: Iterable[str] = (),
        zone: tzinfo | None = None,
    ) -> dict[Facet, tuple[FacetCount, ...]]:
        """Count all entries that a query finds by what they have in common.

        Args:
            query: as for ``search``; of a ``Query`` only its text and its feeds count.
            facets: ``feed``, ``author``, ``tag``, ``lang``, ``year``, ``month``, ``week``, ``day``.
            limit: how many values of each there are at most, the largest counts first; None: all.
            feeds: keep to feeds whose URL or title holds one of these texts.
            zone: in which days begin and end; the system's by default.

        Raises:
            QueryError: a condition in the query cannot be meant.
            IndexVersionError: as ``search``.
            ValueError: a facet that there is not, or a limit below 1.
        """
        names = [Facet(facet) for facet in facets]
        if limit is not None and limit < 1:
            raise ValueError(f"limit must be at least 1, not {limit}")
        query = query if isinstance(query, Query) else Query(query, feeds=tuple(feeds))
        zone = zone or system_zone()
        node, _ = self._read(query, zone)
        reader = self._store.reader()
        found = self._store.ready()[0].facets(node, names, limit=limit, zone=zone)
        if Facet.FEED in found:
            titles = reader.titles(each.value for each in found[Facet.FEED])
            found[Facet.FEED] = tuple(
                replace(each, label=titles.get(each.value) or each.value)
                for each in found[Facet.FEED]
            )
        return found

    def trend(
        self,
        query: str | Query,
        *,
        by: Period | str = Period.MONTH,
        feeds: Iterable[str] = (),
        zone: tzinfo | None = None,
    ) -> Trend:
        """Count the entries that a query finds over time.

        Args:
            query: as for ``search``; of a ``Query`` only its text and its feeds count.
            by: ``day``, ``week``, ``month`` or ``year``.
            feeds: keep to feeds whose URL or title holds one of these texts.
            zone: in which days begin and end; the system's by default.

        Raises:
            QueryError: a condition in the query cannot be meant.
            IndexVersionError: as ``search``.
            ValueError: a period that there is not.
        """
        period = Period(by)
        query = query if isinstance(query, Query) else Query(query, feeds=tuple(feeds))
        zone = zone or system_zone()
        node, read_notes = self._read(query, zone)
        engine, notes = self._store.ready()
        answer = engine.search(node, limit=0)
        facet = Facet(period)
        found = engine.facets(node, [facet], limit=None, zone=zone)[facet]
        counts = {each.value: each.count for each in found}
        from searchfeed import periods

        buckets = periods.timeline(counts, period, zone, BUCKETS)
        dated = sum(counts.values())
        older = dated - sum(bucket.count for bucket in buckets)
        notes = (*read_notes, *answer.notes, *notes)
        if older:
            left_out = "1 entry is" if older == 1 else f"{older:,} entries are"
            cut = f"Only the newest {BUCKETS:,} {period}s are counted: {left_out} older."
            notes = (*notes, cut)
        return Trend(query, period, buckets, answer.total, answer.total - dated, notes)

    def highlight(self, entry: Entry, query: str | Query) -> tuple[Snippet, ...]:
        """The whole body, then the whole title, with all that a query finds in them.

        Only what is not empty is given. The snippets of ``search`` are the best passage alone.

        Args:
            entry: any; the texts that it brings are looked at, be they in the index or not.
            query: as for ``search``.

        Raises:
            QueryError: a condition in the query cannot be meant.
            IndexVersionError: as ``search``.
        """
        query = query if isinstance(query, Query) else Query(query)
        node, _ = self._read(query)
        answer = self._store.ready()[0].search(node, limit=0)
        return Highlighter(answer.patterns).whole(entry)

    def explain(self, id: str, query: str | Query) -> Explanation:
        """Why an entry has its score for a query, or which clauses of it the entry fails.

        Raises:
            EntryNotFoundError: there is no entry with that id, or more than one.
            QueryError: a condition in the query cannot be meant.
        """
        query = query if isinstance(query, Query) else Query(query)
        node, _ = self._read(query)
        entry = self._store.reader().find(id)
        return self._store.ready()[0].explain(node, entry.id, recency=query.recency)

    def explain_query(self, query: str) -> ExplainedQuery:
        """How a query is read, and what the engine makes of it.

        Raises:
            QueryError: a condition in the query cannot be meant.
        """
        from searchfeed.query import named, names_searches

        node, notes = self._read(Query(query))
        if names_searches(query):
            known = self._store.archive().search_texts()
            meant = [known[key] for key in named(query, known)]
            notes = (*(f"@{name} stands for: {text}" for name, text in meant), *notes)
        engine, _ = self._store.ready()
        return ExplainedQuery(query, tree.outline(node), notes, engine.describe(node))


def _suggestion(
    text: str, node: tree.Node, engine: Engine, patterns: Sequence[Pattern] = ()
) -> str:
    """The query with words that stand in no entry replaced by what was perhaps meant, or empty."""
    from searchfeed.query.spelling import typed_words

    # What the engine has found is not asked for again.
    known = {term for pattern in patterns for terms in pattern.terms for term in terms}
    unseen = [typed for typed in typed_words(node, text) if spell(typed.word) not in known]
    counts = engine.frequencies([typed.word for typed in unseen])
    suggestion = text
    for typed, count in zip(reversed(unseen), reversed(counts), strict=True):
        if not count and (near := engine.suggest(typed.word, limit=1)):
            start, end = typed.span.start, typed.span.end
            suggestion = suggestion[:start] + near[0] + suggestion[end:]
    return suggestion if suggestion != text else ""
