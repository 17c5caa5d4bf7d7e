"""The one door: an index of feeds, kept in a directory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Self

from searchfeed import snippets, tree
from searchfeed.analysis import spell
from searchfeed.archive import Figures, SavedSearch, Version, query_line
from searchfeed.engines import LOCAL, Answer, Engine, EngineOptions, Keeper
from searchfeed.errors import FeedNotFoundError, QueryError
from searchfeed.keys import SEARCH_TEXT_LIMIT, search_key
from searchfeed.models import (
    Entry,
    ExplainedQuery,
    Explanation,
    Facet,
    FacetCount,
    FeedState,
    Hit,
    Period,
    Query,
    Report,
    Results,
    Selection,
    Snippet,
    Sort,
    Stats,
    Subscription,
    Trend,
)
from searchfeed.store import Progress, Store

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from searchfeed.alerting import Alerts
    from searchfeed.doctor import Checkup
    from searchfeed.locks import Waiting
    from searchfeed.sources import Outline

BUCKETS = 1_000
"""A trend has at most so many; that is nineteen years of weeks."""


class Index:
    """Every entry that its feeds ever published, and a search over them.

    Nothing is created or opened before it is needed. Any thread may call any method; any number
    of processes may use the same directory, one of them writing at a time.

    Args:
        path: the directory of the index; ``update`` creates it.
        engine: the name of a search engine (see ``searchfeed.engines.ENGINES``).
        options: of the engine, where it is a cluster.
        waiting: called once by a method that has to wait for another writer, with who that is.

    Every method raises IndexNotFoundError where there is no index yet (``update`` never does),
    UnsafeIndexError where the directory belongs to another user, and ArchiveError or EngineError
    where the disk or the files fail.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        engine: str = LOCAL,
        options: EngineOptions | None = None,
        waiting: Waiting | None = None,
    ) -> None:
        self.path = Path(path)
        self.engine = engine
        self._store = Store(self.path, engine, waiting, options)

    def update(
        self,
        sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        *,
        allow_private: bool = False,
        progress: Progress | None = None,
    ) -> Report:
        """Take in what the sources hold now; what they no longer hold stays.

        A source that cannot be read or is no feed costs the others nothing: it is in
        ``Report.failures``. A URL is subscribed to, and ``refresh`` fetches it again.

        Args:
            sources: files, folders (searched recursively), globs, ``-`` for standard input; URLs
                of feeds; lists of feeds (OPML) and HTML pages that announce one, as files or URLs.
            allow_private: whether addresses inside the user's own network may be fetched.
            progress: called, in any thread, after each document, now and then while indexing, and
                of each feed that is being fetched.

        Raises:
            IndexLockedError: another process went on writing for a minute.
        """
        from searchfeed import intake
        from searchfeed.sources import expand

        if isinstance(sources, str | os.PathLike):
            sources = [sources]
        expansion = expand(sources)
        report = Report(failures=tuple(expansion.errors))
        if expansion.sources or not expansion.outlines:
            report += intake.take_in(self._store, expansion.sources, progress)
        if expansion.outlines:
            subscriptions, new, refused = intake.subscribe(self._store, expansion.outlines)
            report += refused
            report += self._fetch(
                subscriptions,
                new,
                named=True,
                force=False,
                allow_private=allow_private,
                progress=progress,
            )
        return report

    def refresh(
        self,
        feeds: str | Iterable[str] = (),
        *,
        force: bool = False,
        allow_private: bool = False,
        progress: Progress | None = None,
    ) -> Report:
        """Fetch the feeds that are subscribed to and due.

        A feed that cannot be fetched costs the others nothing: it is in ``Report.failures``, and
        is tried again later. Entries are stored as they come.

        Args:
            feeds: fetch these and no others, be they due or not: each the URL or the title of one,
                or a part of either that no other has.
            force: fetch those too that are not due. A server that has failed and asked to be left
                alone for a time is left alone all the same; ``Report.warnings`` says until when.
            allow_private: whether addresses inside the user's own network may be fetched.
            progress: called, in any thread, with what is done (``fetch``, ``index``), how much, of
                how much; and with the URL of each feed that is being fetched, the bytes that have
                come, and of how many: 0 where that is not known, as many when all have come.

        Raises:
            FeedNotFoundError: one of ``feeds`` is not subscribed to.
            IndexLockedError: another process went on writing for a minute.
        """
        named = (feeds,) if isinstance(feeds, str) else tuple(feeds)
        archive = self._store.archive()
        chosen = (
            [*dict.fromkeys(archive.subscription(each) for each in named)]
            if named
            else archive.subscriptions()
        )
        return self._fetch(
            chosen,
            {},
            named=bool(named),
            force=force,
            allow_private=allow_private,
            progress=progress,
        )

    def subscribe(
        self,
        urls: str | Iterable[str],
        *,
        tags: Iterable[str] = (),
        allow_private: bool = False,
        progress: Progress | None = None,
    ) -> Report:
        """Subscribe to feeds, and take in what they hold now.

        Args:
            urls: http(s), of feeds, or of pages and lists of feeds that lead to some. One that is
                subscribed to already is fetched like all others.
            tags: given to the feeds that have none yet.
            allow_private: as for ``update``.
            progress: as for ``refresh``.

        Raises:
            IndexLockedError: another process went on writing for a minute.
        """
        from searchfeed import intake
        from searchfeed.sources import Outline

        urls = (urls,) if isinstance(urls, str) else urls
        tags = tuple(tags)
        outlines = [Outline(url, tags=tags) for url in urls]
        subscriptions, new, report = intake.subscribe(self._store, outlines)
        return report + self._fetch(
            subscriptions,
            new,
            named=True,
            force=False,
            allow_private=allow_private,
            progress=progress,
        )

    def _fetch(
        self,
        subscriptions: Sequence[Subscription],
        new: Mapping[str, Outline],
        *,
        named: bool,
        force: bool,
        allow_private: bool,
        progress: Progress | None,
    ) -> Report:
        """Fetch those whose time it is, or all if they are named or ``force`` says so."""
        from searchfeed import intake

        due, report = intake.due(subscriptions, named=named, force=force)
        return report + intake.fetch(
            self._store, due, new=new, allow_private=allow_private, progress=progress
        )

    def unsubscribe(self, feed: str, *, entries: bool = False) -> FeedState:
        """Fetch a feed no more; its entries stay, unless they are to go as well.

        Args:
            feed: its URL or title, or a part of either that no other has.
            entries: take its entries out, and the feed itself. It may also be one of files then.

        Returns:
            What the feed was.

        Raises:
            FeedNotFoundError: it is not subscribed to.
        """
        with self._store.writing():
            archive = self._store.archive()
            if not entries:
                state = archive.feed(archive.subscription(feed).feed_url)
                archive.unsubscribe(state.url)
                return state
            state = archive.feed(feed)
            archive.remove_feed(state.url)
            self._store.catch_up(None)
        return state

    def rename(self, feed: str, name: str) -> FeedState:
        """Call a feed by a name of your own; an empty one gives it its own title back.

        Args:
            feed: its URL or title, or a part of either that no other has.
            name: one line.

        Raises:
            FeedNotFoundError: there is no such feed.
        """
        with self._store.writing():
            archive = self._store.archive()
            url = archive.feed(feed).url
            archive.rename(url, name)
            self._store.catch_up(None)
            return archive.feed(url)

    def tag(self, feed: str, add: Iterable[str] = (), remove: Iterable[str] = ()) -> FeedState:
        """Give tags to all entries of a feed, those to come too, and take some away.

        Args:
            feed: its URL or title, or a part of either that no other has.
            add: tags to give.
            remove: tags to take away; those of the feed's own making stay.

        Raises:
            FeedNotFoundError: there is no such feed.
        """
        with self._store.writing():
            archive = self._store.archive()
            url = archive.feed(feed).url
            archive.tag(url, add=add, remove=remove)
            self._store.catch_up(None)
            return archive.feed(url)

    def opml(self) -> bytes:
        """The feeds that are subscribed to, as OPML 2.0 in UTF-8 for other programs.

        Users and passwords are left out.
        """
        from searchfeed.sources import Outline, opml
        from searchfeed.sources.http import redacted

        outlines: dict[str, Outline] = {}
        for feed in self._store.archive().feeds():
            if feed.subscription:
                url = redacted(feed.subscription.url)
                outlines.setdefault(url, Outline(url, feed.title, feed.tags))
        return opml.write(outlines.values(), "searchfeed")

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
        entry = self.get(id)
        query = Query(entry.id, limit, offset, Sort(sort), tuple(feeds))
        engine, notes = self._store.ready()
        words = likeness.words(entry)
        entries = engine.search(tree.Everything(), limit=1).total
        node = likeness.alike(words, engine.frequencies(tuple(words)), entries)
        if node is None:
            return Results(query, (), 0, perf_counter() - started, notes)
        # Nothing is more like it than itself, so the engine has it on its first page.
        best = engine.search(node, limit=10, dedupe=True).matches
        stories = ({match.id, *match.duplicates} for match in best)
        same = {entry.id}.union(*(story for story in stories if entry.id in story))
        others = tree.Not(tree.Or(tuple(tree.Word(each, field="id") for each in sorted(same))))
        node = _kept_to(query.feeds, tree.And((node, others)))
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
        wants_words = half.word or half.field not in (None, *tree.TEXT_FIELDS)
        if wants_words and not half.names_a_search:
            words += self._store.ready()[0].complete(half.field, half.word, limit=limit)
        whole = (half.completed(word, text, cursor) for word in words)
        return tuple(dict.fromkeys(each for each in whole if each != text))[:limit]

    def _read(self, query: Query, zone: tzinfo | None = None) -> tuple[tree.Node, tuple[str, ...]]:
        """The tree of a query, its feeds among the conditions, and what had to be guessed."""
        from searchfeed.query import names_searches, parse
        from searchfeed.query.spelling import loosened

        known = self._store.archive().search_texts() if names_searches(query.text) else {}
        parsed = parse(query.text, zone=zone, searches=known)
        node = loosened(parsed.node) if query.fuzzy else parsed.node
        return _kept_to(query.feeds, node), parsed.notes

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
        ids = [id for match in answer.matches for id in (match.id, *match.duplicates)]
        entries = self._store.reader().entries(ids)
        hits = tuple(
            Hit(
                entry,
                match.score,
                snippets.make(entry, answer.patterns),
                tuple(entries[id] for id in match.duplicates if id in entries),
            )
            for match in answer.matches
            if (entry := entries.get(match.id)) is not None
        )
        suggestion = _suggestion(query.text, node, engine, answer)
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
        zone = zone or _system_zone()
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
        zone = zone or _system_zone()
        node, read_notes = self._read(query, zone)
        engine, notes = self._store.ready()
        answer = engine.search(node, limit=1)
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
        answer = self._store.ready()[0].search(node, limit=1)
        return snippets.whole(entry, answer.patterns)

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

    def save(self, name: str, query: str, *, alert: bool | None = None) -> SavedSearch:
        """Give a query a name: ``@name`` stands for it in others from then on, as a group.

        It is read anew whenever it is used: its relative dates are of that moment, and searches
        that it names may change. The one that had the name before is replaced.

        Args:
            name: letters, digits, ``-``, ``_`` and ``.``; any case of the letters is the same name.
            query: as for ``search``.
            alert: whether ``alerts`` tells matches that are stored from now on; None leaves it as
                it is, which is off for a new name.

        Raises:
            QueryError: a condition in the query cannot be meant, it names a search that is not
                saved, or comes back to itself.
            ValueError: it is no name, or there is no query.
        """
        from searchfeed.query import parse

        archive = self._store.archive()
        known = archive.search_texts()
        key, text = search_key(name), query_line(query)
        if not 0 < len(text) <= SEARCH_TEXT_LIMIT:
            raise ValueError(f"a query to be saved has 1 to {SEARCH_TEXT_LIMIT:,} characters")
        # The engine has a say too: some expressions it cannot answer.
        node = parse(text, searches=known, naming=name).node
        self._store.ready()[0].search(node, limit=1)
        archive.save_search(name, text, alert=alert)
        return next(each for each in archive.searches() if search_key(each.name) == key)

    def searches(self) -> tuple[SavedSearch, ...]:
        """Every saved search, in the order of their names."""
        return self._store.archive().searches()

    def forget(self, name: str) -> SavedSearch:
        """Keep a saved search no more, nor its alert.

        Returns:
            What it was.

        Raises:
            QueryError: no search is saved under that name, or others name it.
        """
        from searchfeed.query import meant, named

        archive = self._store.archive()
        known = archive.search_texts()
        key = meant(name, known)
        others = [f"@{other}" for other, text in known.values() if key in named(text, known)]
        if others:
            whole = f"@{name}"
            reason = f"it is a part of {', '.join(others)}"
            raise QueryError(whole, 0, len(whole), reason)
        (found,) = (each for each in archive.searches() if search_key(each.name) == key)
        archive.forget_search(name)
        return found

    def alerts(
        self, names: str | Iterable[str] = (), *, limit: int = 1_000
    ) -> AbstractContextManager[Alerts]:
        """What saved searches have found since it was last told, to be told once.

        New is what was stored after the alert was made; of a query's words all have to match. What
        has been told does not come again, though it is edited.

            with index.alerts() as alerts:
                for alert in alerts:
                    print(alert.search, alert.hit.entry.title)
                    alerts.told(alert)

        What is not noted as told comes again the next time, also after a crash: an alert is told
        at least once, and its ``id`` is the same each time.

        Args:
            names: of searches with an alert; all that have one if none is named.
            limit: how many at most; the others come the next time.

        Raises:
            QueryError: no search has that name, or it has no alert.
            IndexLockedError: another process is telling alerts, and went on for ten seconds.
        """
        from searchfeed.alerting import alerts

        return alerts(self._store, (names,) if isinstance(names, str) else tuple(names), limit)

    def get(self, id: str) -> Entry:
        """The entry with this id, or with the only id that starts so.

        Raises:
            EntryNotFoundError: there is none, or more than one.
        """
        return self._store.reader().find(id)

    def versions(self, id: str) -> tuple[Version, ...]:
        """Every state of an entry that was seen, the oldest first.

        Raises:
            EntryNotFoundError: there is no such entry, or more than one.
        """
        return self._store.archive().versions(id)

    def feed(self, text: str) -> FeedState:
        """The feed with this URL or title, or the only one with a part of either.

        Raises:
            FeedNotFoundError: there is none, or more than one; it names those that are near.
        """
        return self._store.archive().feed(text)

    def feeds(self) -> tuple[FeedState, ...]:
        """What is known of each feed, in the order in which they came."""
        return (self._store.lone_keeper() or self._store.archive()).feeds()

    def stats(self) -> Stats:
        """How much there is, and how much room it takes."""
        keeper = self._store.lone_keeper()
        figures = _figures(keeper) if keeper else self._store.archive().figures()
        return Stats(
            path=str(self.path),
            engine=self.engine,
            feeds=figures.feeds,
            entries=figures.entries,
            versions=figures.versions,
            oldest=figures.oldest,
            newest=figures.newest,
            archive_size=figures.size,
            index_size=self._store.index_size(),
        )

    def export(self, *, feeds: Iterable[str] = ()) -> Iterator[str]:
        """Everything that is kept, as lines of JSON for ``import_``, read as they are taken.

        docs/export-format.md describes them. None holds a password.

        Args:
            feeds: keep to feeds whose URL or title holds one of these texts.

        Raises:
            FeedNotFoundError: no feed is called so.
        """
        archive = self._store.archive()
        texts = [text.casefold() for text in feeds]
        if not texts:
            return archive.export()
        names = {feed.url: f"{feed.url}\n{feed.title}".casefold() for feed in archive.feeds()}
        urls = [url for url, name in names.items() if any(text in name for text in texts)]
        if not urls:
            raise FeedNotFoundError(
                f"no feed has {' or '.join(texts)} in its URL or title; "
                "the feeds are: searchfeed feeds"
            )
        return archive.export(urls)

    def import_(
        self,
        lines: Iterable[str | bytes],
        *,
        name: str = "the export",
        progress: Progress | None = None,
    ) -> Report:
        """Take in what ``export`` gave, here or elsewhere; what is here stays.

        The versions of an entry are put in the order in which they were seen; nothing comes to
        stand twice. Entries that were pruned here are wanted back, then, and come back. A bad line
        costs no other and is in ``Report.failures``.

        Args:
            lines: read as they are needed.
            name: what failures call them.
            progress: called now and then, with the number of lines and while indexing.

        Raises:
            ParseError: they are no export.
            IndexVersionError: a newer release is needed to read it.
            IndexLockedError: another process went on writing for a minute.
        """

        def read(done: int) -> None:
            if progress is not None:
                progress("read", done, 0)

        with self._store.writing():
            archive = self._store.archive(create=True)
            try:
                return archive.take_in(lines, name=name, progress=read)
            finally:
                # What was stored before an error is to be found as well.
                self._store.catch_up(progress)

    def select(
        self, query: str = "", *, before: datetime | None = None, feeds: Iterable[str] = ()
    ) -> Selection:
        """Choose the entries that ``prune`` is to take out.

        Of a query's words all have to match, while a search also shows what has only some.

        Args:
            query: as for ``search``.
            before: aware; keep to entries with a date before it, the undated are not among them.
            feeds: keep to feeds whose URL or title holds one of these texts.

        Raises:
            QueryError: a condition in the query cannot be meant.
            IndexVersionError: as ``search``.
        """
        from searchfeed.query.strictness import demanding

        node, notes = self._read(Query(query, feeds=tuple(feeds)))
        node = demanding(node)
        if before is not None:
            node = tree.And((node, tree.DateRange(None, before)))
        engine, more_notes = self._store.ready()
        archive = self._store.archive()
        # A shared index may hold more than this archive does.
        most = engine.search(tree.Everything(), limit=1).total + 1
        answer = engine.search(node, limit=most, sort=Sort.OLDEST)
        chosen = archive.selection([match.id for match in answer.matches])
        return replace(chosen, notes=(*notes, *answer.notes, *more_notes))

    def prune(self, ids: Iterable[str], *, progress: Progress | None = None) -> int:
        """Take entries out for good, with all their versions: feeds do not bring them back.

        Args:
            ids: of ``select``, say; those of no entry are passed over.
            progress: called while the search index is brought up to date.

        Returns:
            How many went.

        Raises:
            IndexLockedError: another process went on writing for a minute.
        """
        self._store.archive()
        with self._store.writing():
            count = self._store.archive().remove(tuple(ids))
            self._store.catch_up(progress)
            self._store.archive().free_space()
        return count

    def rebuild(self, *, progress: Progress | None = None) -> int:
        """Make the search index anew from the archive; no feed is read.

        Searches see the old index until the new one is whole.

        Returns:
            How many entries were indexed.

        Raises:
            IndexLockedError: another process went on writing for a minute.
        """
        return self._store.rebuild(progress)

    def backup(self, file: str | os.PathLike[str], *, overwrite: bool = False) -> int:
        """Copy the archive to one file, while others go on writing.

        To use it, put it into a directory of its own as ``archive.sqlite`` and open that: the
        first search makes the search index.

        Args:
            file: is there in full or not at all, and only the user can read it.
            overwrite: whether it takes the place of a file that is there already.

        Returns:
            How many entries the copy has.
        """
        return self._store.archive().backup(Path(file), overwrite=overwrite)

    def check(self, *, repair: bool = False, progress: Progress | None = None) -> Checkup:
        """Look for damage: in the archive, in the search index, and in how they agree.

        Both are read whole and compared with their checksums, and nobody writes meanwhile. What
        the search index has lost is made anew from the archive; of a damaged archive all is taken
        over that can be read, and the damaged file is kept beside it.

        No other thread may use an index in the same directory meanwhile.

        Args:
            repair: mend what is wrong.
            progress: called now and then while entries are checked or indexed.

        Raises:
            IndexLockedError: another process went on writing for a minute.
            IndexVersionError: a newer release made the archive.
        """
        from searchfeed.doctor import check_up

        return check_up(self._store, repair=repair, progress=progress)

    def close(self) -> None:
        """Let go of the files. The index opens again when it is used."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _system_zone() -> tzinfo:
    from searchfeed.query.clock import SystemZone

    return SystemZone()


def _figures(keeper: Keeper) -> Figures:
    """What an index holds that was filled by other machines; it has an entry's newest version."""
    feeds = keeper.feeds()
    oldest = keeper.search(tree.DateRange(None, None), limit=1, sort=Sort.OLDEST).matches
    entries = keeper.entries([match.id for match in oldest])
    return Figures(
        feeds=len(feeds),
        entries=sum(feed.entries for feed in feeds),
        versions=sum(feed.entries for feed in feeds),
        oldest=next((entry.date for entry in entries.values()), None),
        newest=max((feed.newest for feed in feeds if feed.newest), default=None),
        size=0,
    )


def _kept_to(feeds: Sequence[str], node: tree.Node) -> tree.Node:
    """The same query, kept to feeds whose URL or title holds one of the texts, if there are any."""
    if not feeds:
        return node
    return tree.And((node, tree.Or(tuple(tree.Phrase(text, field="feed") for text in feeds))))


def _suggestion(text: str, node: tree.Node, engine: Engine, answer: Answer) -> str:
    """The query with words that stand in no entry replaced by what was perhaps meant, or empty."""
    from searchfeed.query.spelling import typed_words

    # What the engine has found is not asked for again.
    known = {term for pattern in answer.patterns for terms in pattern.terms for term in terms}
    unseen = [typed for typed in typed_words(node, text) if spell(typed.word) not in known]
    counts = engine.frequencies([typed.word for typed in unseen])
    suggestion = text
    for typed, count in zip(reversed(unseen), reversed(counts), strict=True):
        if not count and (near := engine.suggest(typed.word, limit=1)):
            start, end = typed.span.start, typed.span.end
            suggestion = suggestion[:start] + near[0] + suggestion[end:]
    return suggestion if suggestion != text else ""
