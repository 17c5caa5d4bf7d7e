"""Subscriptions into the archive: fetched many at once, each stored as soon as it is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from queue import SimpleQueue
from threading import Semaphore
from time import monotonic
from typing import TYPE_CHECKING, TypeAlias

from searchfeed.errors import FeedNotFoundError, FetchError, ParseError, SourceError
from searchfeed.intake.fetching import Answered, Fetching
from searchfeed.intake.files import digest, report_of
from searchfeed.intake.subscriptions import Keeper, Progress, subscribe
from searchfeed.models import Feed, Report, Subscription
from searchfeed.values import dataclass

if TYPE_CHECKING:
    from searchfeed.archive import Fetched
    from searchfeed.feeds.workers import Workers
    from searchfeed.sources import Outline
    from searchfeed.sources.http import Client, Response

WAITING = 8
"""So many documents at most have been fetched and not yet stored."""

BATCH, PAUSE = 1_000, 10.0
"""After so many changes, or so many seconds with any, they are made searchable while others are
still fetched."""


@dataclass(frozen=True, slots=True)
class _Document:
    """What was fetched of a subscription; ``mark`` stands for its bytes."""

    subscription: Subscription
    response: Response
    data: bytes
    mark: bytes


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A document, and what it says."""

    document: _Document
    outcome: Feed | ParseError


_Event: TypeAlias = "Answered | _Parsed | BaseException | None"


def fetch(
    keeper: Keeper,
    subscriptions: Sequence[Subscription],
    *,
    new: Mapping[str, Outline] | None = None,
    allow_private: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Fetch subscriptions and store what has come; return what came of it.

    A page that announces a feed, or a list of feeds, is followed where no feed was ever had from
    there: those feeds are subscribed to in its place, and fetched too.

    Args:
        keeper: where they are stored. It is written to for moments, so others may write meanwhile.
        subscriptions: those to fetch, in any order.
        new: those among them, by the feed's identity, that were subscribed to only now: one whose
            address has no feed is not kept.
        allow_private: whether addresses of the user's own network may be asked.
        progress: called, in any thread, with ``fetch`` and how many feeds are done, and with the
            URL of each feed that is being fetched and how many bytes have come; of how many in
            all, 0 where that is not known. The last time both are the same.

    Raises:
        IndexLockedError: another process went on writing.
        ArchiveError, EngineError: what was fetched could not be stored; what had been is kept.
    """
    if not subscriptions:
        return Report()
    from searchfeed.feeds.workers import Workers
    from searchfeed.sources.http import Client

    with Client(allow_private=allow_private) as client, Workers(small=0) as workers:
        run = _Run(keeper, client, workers, progress)
        found = run.take(subscriptions, new or {}, follow=True)
        if found:
            more, newer, report = subscribe(keeper, found)
            run.report += report
            done = {each.feed_url for each in subscriptions}
            run.take([each for each in more if each.feed_url not in done], newer, follow=False)
        run.finish()
    return run.report


class _Run:
    """One fetching of many subscriptions."""

    def __init__(
        self, keeper: Keeper, client: Client, workers: Workers, progress: Progress | None
    ) -> None:
        self.report = Report()
        self._keeper = keeper
        self._client = client
        self._workers = workers
        self._progress = progress
        self._archive = keeper.archive()
        self._sequence = self._archive.sequence
        self._caught_up = monotonic()
        self._new: Mapping[str, Outline] = {}
        self._follow = False
        self._found: list[Outline] = []
        self._done = self._total = 0

    def take(
        self, subscriptions: Sequence[Subscription], new: Mapping[str, Outline], *, follow: bool
    ) -> list[Outline]:
        """Fetch and store; return what pages and lists of feeds lead to, if they are followed."""
        from searchfeed.sources.http import Request

        self._new, self._follow = new, follow
        self._found = []
        self._total += len(subscriptions)
        self._tell()
        asked = {Request(each.url, each.etag, each.last_modified): each for each in subscriptions}
        events: SimpleQueue[_Event] = SimpleQueue()
        slots = Semaphore(WAITING)
        fetching = Fetching(self._client, list(asked), events, slots, self._progress)
        fetching.start()
        reading = 0
        try:
            while fetching.goes_on or reading:
                event = events.get()
                if isinstance(event, BaseException):
                    raise event
                if event is None:
                    fetching.goes_on = False
                elif isinstance(event, _Parsed):
                    reading -= 1
                    self._parsed(event.document, event.outcome)
                    slots.release()
                elif document := self._answered(asked[event.request], event.answer):
                    reading += 1
                    self._read(document, events)
                else:
                    slots.release()
        finally:
            fetching.stop()
        return self._found

    def finish(self) -> None:
        """Make searchable what was stored."""
        if self._archive.sequence > self._sequence:
            with self._keeper.writing():
                self._catch_up()

    def _answered(
        self, subscription: Subscription, response: Response | FetchError
    ) -> _Document | None:
        """Take an answer; return it if it is a document that was not read before."""
        if isinstance(response, FetchError):
            self._not_fetched(subscription, response)
            return None
        if response.data is None:
            self._unchanged(subscription, response, 0)
            return None
        mark = digest(response.data, response.content_type)
        entries = self._archive.seen(subscription.feed_url, mark)
        if entries is not None:
            self._unchanged(subscription, response, entries)
            return None
        return _Document(subscription, response, response.data, mark)

    def _read(self, document: _Document, events: SimpleQueue[_Event]) -> None:
        """Have a document parsed, without waiting for it."""
        from searchfeed.feeds.workers import Document

        response = document.response
        headers = {"content-type": response.content_type, "content-location": response.url}
        future = self._workers.submit(
            Document(document.data, document.subscription.feed_url, headers)
        )
        future.add_done_callback(
            lambda done: None if done.cancelled() else events.put(_Parsed(document, done.result()))
        )

    def _parsed(self, document: _Document, outcome: Feed | ParseError) -> None:
        subscription, response = document.subscription, document.response
        if isinstance(outcome, ParseError):
            self._no_feed(document, outcome)
            return
        with self._keeper.writing():
            changes = self._archive.store(
                outcome,
                source=subscription.feed_url,
                digest=document.mark,
                fetched=_kept(response),
            )
            self._catch_up_at_times()
        report = report_of(subscription.feed_url, outcome, changes)
        self._finish(report + Report(warnings=self._moved(subscription, response)))

    def _unchanged(self, subscription: Subscription, response: Response, entries: int) -> None:
        with self._keeper.writing():
            self._archive.fetched(subscription.feed_url, _kept(response))
        self._finish(Report(unchanged=entries, warnings=self._moved(subscription, response)))

    def _moved(self, subscription: Subscription, response: Response) -> tuple[str, ...]:
        """What to say where the feed is now fetched from elsewhere, or cannot be."""
        from searchfeed.sources.http import redacted

        if not response.moved_to:
            return ()
        after = self._archive.subscription_of(subscription.feed_url)
        if after is None:
            return ()
        if after.url != subscription.url:
            return (f"{after.feed_url}: it has moved, and is fetched from {redacted(after.url)}",)
        return (f"{after.feed_url}: {after.last_error}",) if after.last_error else ()

    def _no_feed(self, document: _Document, error: ParseError) -> None:
        """Follow what came in the place of a feed, or note that it is none."""
        subscription = document.subscription
        new = subscription.feed_url in self._new
        follow = self._follow and (new or subscription.last_success is None)
        try:
            found = _leads_to(document)
        except ParseError as wrong:
            error, found = wrong, ()
        if found and not follow:
            remedy = f"it announces {found[0].url}; subscribe with: searchfeed feeds add URL"
            error = ParseError(error.source, error.reason, remedy)
        if not (found and follow):
            self._failed(subscription, error, kept=not new)
            return
        tags = self._archive.feed(subscription.feed_url).tags
        self._found += [replace(each, tags=(*each.tags, *tags)) for each in found]
        self._forget(subscription)
        named = found[0].url if len(found) == 1 else f"{len(found):,} feeds"
        said = f"{subscription.feed_url}: not a feed, but it leads to {named}"
        self._finish(Report(warnings=(said,)))

    def _not_fetched(self, subscription: Subscription, error: FetchError) -> None:
        new = subscription.feed_url in self._new
        if error.gone and not new:
            remedy = "it is not asked for any more; its entries stay"
            error = FetchError(error.source, error.reason, remedy, gone=True)
        self._failed(subscription, error, kept=not (error.gone and new))

    def _failed(self, subscription: Subscription, error: SourceError, *, kept: bool) -> None:
        if kept:
            with self._keeper.writing():
                self._archive.failed(
                    subscription.feed_url,
                    error.reason,
                    retry_after=error.retry_after if isinstance(error, FetchError) else None,
                    gone=isinstance(error, FetchError) and error.gone,
                )
        else:
            self._forget(subscription)
        self._finish(Report(failures=(error,)))

    def _forget(self, subscription: Subscription) -> None:
        # Somebody else may have been faster.
        with self._keeper.writing(), suppress(FeedNotFoundError):
            self._archive.unsubscribe(subscription.feed_url)

    def _finish(self, report: Report) -> None:
        self.report += report + Report(fetched=1)
        self._done += 1
        self._tell()

    def _tell(self) -> None:
        if self._progress:
            self._progress("fetch", self._done, self._total)

    def _catch_up_at_times(self) -> None:
        changes = self._archive.sequence - self._sequence
        if changes >= BATCH or (changes and monotonic() - self._caught_up > PAUSE):
            self._catch_up()

    def _catch_up(self) -> None:
        self._keeper.catch_up(self._progress)
        self._sequence = self._archive.sequence
        self._caught_up = monotonic()


def _leads_to(document: _Document) -> tuple[Outline, ...]:
    """The feeds that a list of feeds names, or the one that a page announces first.

    Raises:
        ParseError: it is a list of feeds that cannot be read.
    """
    from searchfeed.sources import discovery, opml

    data, url = document.data, document.response.url
    if opml.is_opml(data):
        return opml.read(data, url)
    return tuple(map(opml.Outline, discovery.announced(data, url)[:1]))


def _kept(response: Response) -> Fetched:
    from searchfeed.archive import Fetched

    return Fetched(response.etag, response.last_modified, response.moved_to, response.fresh_for)
