"""What an index takes in: sources, subscriptions, and what is known of feeds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from searchfeed.index.base import Base
from searchfeed.models import (
    FeedState,
    Report,
    Subscription,
)
from searchfeed.store import Progress

if TYPE_CHECKING:
    from searchfeed.sources import Outline


class Feeding(Base):
    """What takes entries in, and looks after the feeds that they come from.

    ``Index`` says what every method raises.
    """

    def update(
        self,
        sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        *,
        allow_private: bool = False,
        large: bool = False,
        progress: Progress | None = None,
    ) -> Report:
        """Take in what the sources hold now; what they no longer hold stays.

        A source that cannot be read or is no feed costs the others nothing: it is in
        ``Report.failures``. A URL is subscribed to, and ``refresh`` fetches it again.

        Args:
            sources: files, folders (searched recursively), globs, ``-`` for standard input; URLs
                of feeds; lists of feeds (OPML) and HTML pages that announce one, as files or URLs.
            allow_private: whether addresses inside the user's own network may be fetched.
            large: take in files, and the standard input, that are refused otherwise because they
                hold more than some 20,000 entries, or more than 32 MB: up to 100 MB, however long
                it takes. What is fetched is never so large.
            progress: called, in any thread, after each document, now and then while indexing, and
                of each feed that is being fetched.

        Raises:
            IndexLockedError: another process went on writing for a minute.
        """
        from searchfeed import intake
        from searchfeed.sources import expand

        if isinstance(sources, str | os.PathLike):
            sources = [sources]
        expansion = expand(sources, large=large)
        report = Report(failures=tuple(expansion.errors))
        if expansion.sources or not expansion.outlines:
            report += intake.take_in(self._store, expansion.sources, progress, large=large)
        if expansion.outlines:
            report += self._subscribe(expansion.outlines, allow_private, progress)
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
        from searchfeed.sources import Outline

        urls = (urls,) if isinstance(urls, str) else urls
        tags = tuple(tags)
        outlines = [Outline(url, tags=tags) for url in urls]
        return self._subscribe(outlines, allow_private, progress)

    def _subscribe(
        self,
        outlines: Sequence[Outline],
        allow_private: bool,  # noqa: FBT001
        progress: Progress | None,
    ) -> Report:
        """Remember the feeds, and fetch them as if each had been named."""
        from searchfeed import intake

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
            archive.free_space()
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

    def feed(self, text: str) -> FeedState:
        """The feed with this URL or title, or the only one with a part of either.

        Raises:
            FeedNotFoundError: there is none, or more than one; it names those that are near.
        """
        return self._store.archive().feed(text)

    def feeds(self) -> tuple[FeedState, ...]:
        """What is known of each feed, in the order in which they came."""
        return (self._store.lone_keeper() or self._store.archive()).feeds()
