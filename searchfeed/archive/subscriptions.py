"""Feeds as the user knows them: subscribed to, named and tagged, fetched again and again."""

# The statements are put together from constants of this package alone.
# ruff: noqa: S608

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from searchfeed import addresses
from searchfeed.archive import naming, records, schedule, states, storing
from searchfeed.archive.connections import Connections
from searchfeed.archive.schedule import Fetched
from searchfeed.errors import FeedNotFoundError, FetchError
from searchfeed.models import Feed, FeedState, Subscription, SubscriptionState


class Subscriptions:
    """The part of an archive that is about whole feeds; ``Archive`` tells the rest.

    ``feed_url`` is always the identity of a feed (``Feed.url``).
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def feeds(self) -> tuple[FeedState, ...]:
        """Every feed, in the order in which they were first stored or subscribed to.

        ``last_success`` is when a document of the feed last brought anything new.
        """
        with self._connections.read() as connection:
            rows = connection.execute(
                f"""
                SELECT feed.url, {records.FEED_TITLE}, link, language,
                    count(entry.number), max(date), nullif(feed.last_success, 0), tags,
                    {states.COLUMNS}
                FROM feed
                LEFT JOIN entry ON entry.feed = feed.number
                LEFT JOIN subscription ON subscription.feed = feed.number
                GROUP BY feed.number ORDER BY feed.number
                """
            ).fetchall()
        return tuple(map(states.feed_state, rows))

    def titles(self, urls: Iterable[str]) -> dict[str, str]:
        """What each of these feeds that is known is called."""
        with self._connections.read() as connection:
            return dict(
                connection.execute(
                    f"SELECT url, {records.FEED_TITLE} FROM feed "
                    "WHERE url IN (SELECT value FROM json_each(?))",
                    (json.dumps(list(urls)),),
                )
            )

    def feed(self, text: str) -> FeedState:
        """The feed that a person means by its URL, its title, or a part of either.

        A whole URL or title wins over a part; letters may be in either case.

        Raises:
            FeedNotFoundError: there is none, or there are several; it names those that are near.
        """
        return naming.meant(text, self.feeds())

    def subscriptions(self, *, due: datetime | None = None) -> tuple[Subscription, ...]:
        """Every subscription in the order of ``feeds``; with ``due`` those to fetch at that time.

        Any may be fetched at other times too: the schedule is a courtesy.
        """
        with self._connections.read() as connection:
            rows = connection.execute(f"{states.SUBSCRIPTION} ORDER BY feed.number").fetchall()
        found = tuple(map(states.subscription, rows))
        return found if due is None else tuple(each for each in found if schedule.is_due(each, due))

    def subscription(self, text: str) -> Subscription:
        """Like ``feed``, of those that are subscribed to.

        Raises:
            FeedNotFoundError: there is none, or there are several; it names those that are near.
        """
        subscribed = {each: each.subscription for each in self.feeds() if each.subscription}
        return subscribed[naming.meant(text, [*subscribed])]

    def subscription_of(self, feed_url: str) -> Subscription | None:
        """The subscription of the feed with just this identity; None where there is none."""
        with self._connections.read() as connection:
            return states.read(connection, _feed_number(connection, feed_url))

    def subscribe(self, url: str, *, title: str = "", tags: Iterable[str] = ()) -> Subscription:
        """Have a feed fetched from ``url`` from now on; one that is fetched already stays as it is.

        Args:
            url: http(s). Its user and password are kept, apart from the feed's identity; others
                that come later for the same feed take their place.
            title: what to call the feed unless it has a name of the user's, or is called so.
            tags: given to the feed unless it has any.

        Raises:
            FetchError: it is no address that a feed can be fetched from.
            IndexLockedError: another process was writing for longer than the timeout.
        """
        feed_url = addresses.identity(url)
        if not feed_url:
            raise FetchError(naming.shown(url), "it is not a whole http or https address")
        url = "%20".join(url.split())
        with self._connections.write() as connection:
            known = _holder(connection, feed_url)
            if known is None:
                number = _feed_number(connection, feed_url)
                number = storing.add_feed(connection, feed_url) if number is None else number
                connection.execute(
                    "INSERT INTO subscription (feed, url, state) VALUES (?, ?, ?)",
                    (number, url, SubscriptionState.ACTIVE),
                )
            else:
                number, fetched_from = known
                if addresses.has_credentials(url) and url != fetched_from:
                    connection.execute(
                        "UPDATE subscription SET url = ? WHERE feed = ?", (url, number)
                    )
            _call(connection, number, title, tags)
            row = connection.execute(f"{states.SUBSCRIPTION} WHERE feed.number = ?", (number,))
            return states.subscription(row.fetchone())

    def unsubscribe(self, feed_url: str) -> None:
        """Fetch a feed no more. Its entries stay; a feed that has none is forgotten.

        Raises:
            FeedNotFoundError: it is not subscribed to.
            IndexLockedError: another process was writing for longer than the timeout.
        """
        with self._connections.write() as connection:
            number = _feed_number(connection, feed_url)
            done = connection.execute("DELETE FROM subscription WHERE feed = ?", (number,))
            if not done.rowcount:
                raise FeedNotFoundError(f"{feed_url} is not subscribed to")
            empty = connection.execute("SELECT 1 FROM entry WHERE feed = ?", (number,))
            if empty.fetchone() is None:
                connection.execute("DELETE FROM source WHERE feed = ?", (number,))
                connection.execute("DELETE FROM feed WHERE number = ?", (number,))

    def fetched(
        self, feed_url: str, fetched: Fetched, *, now: datetime | None = None
    ) -> Subscription | None:
        """Note an answer that brought no document to store: nothing but the subscription changes.

        One that brought a document goes to ``Archive.store`` together with it.

        Args:
            feed_url: the feed's identity.
            fetched: what the server said.
            now: aware; None is the present.

        Returns:
            The subscription as it is now; None where somebody has ended it meanwhile.

        Raises:
            IndexLockedError: another process was writing for longer than the timeout.
        """
        with self._connections.write() as connection:
            return succeeded(connection, feed_url, fetched, now or datetime.now(UTC))

    def failed(
        self,
        feed_url: str,
        reason: str,
        *,
        retry_after: timedelta | None = None,
        gone: bool = False,
        now: datetime | None = None,
    ) -> Subscription | None:
        """Note that a feed could not be fetched, or that what came was no feed.

        Args:
            feed_url: the feed's identity.
            reason: in a few words.
            retry_after: as in ``FetchError``.
            gone: as in ``FetchError``.
            now: aware; None is the present.

        Returns:
            The subscription as it is now; None where somebody has ended it meanwhile.

        Raises:
            IndexLockedError: another process was writing for longer than the timeout.
        """
        now = now or datetime.now(UTC)
        with self._connections.write() as connection:
            number = _feed_number(connection, feed_url)
            before = states.read(connection, number)
            if before is None or number is None:
                return None
            after = schedule.failed(before, reason, now, retry_after=retry_after, gone=gone)
            states.write(connection, number, before, after)
            return after

    def rename(self, feed_url: str, name: str) -> None:
        """Call a feed by a name of the user's own; an empty one gives it its own title back.

        Raises:
            FeedNotFoundError: there is no such feed.
            IndexLockedError: another process was writing for longer than the timeout.
        """
        with self._connections.write() as connection:
            _set_name(connection, _known_number(connection, feed_url), records.line(name))

    def tag(
        self, feed_url: str, *, add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> tuple[str, ...]:
        """Give tags to all entries of a feed, those to come too, and take some away.

        Only tags given here or when subscribing are taken away, never those of the feed's own
        entries. Letters may be in either case.

        Returns:
            The feed's tags as they are now.

        Raises:
            FeedNotFoundError: there is no such feed.
            IndexLockedError: another process was writing for longer than the timeout.
        """
        unwanted = {tag.casefold() for tag in _clean(remove)}
        with self._connections.write() as connection:
            number = _known_number(connection, feed_url)
            tags = records.united(_tags(connection, number), _clean(add))
            tags = tuple(tag for tag in tags if tag.casefold() not in unwanted)
            _set_tags(connection, number, tags)
        return tags


def succeeded(
    connection: sqlite3.Connection,
    feed_url: str,
    fetched: Fetched,
    now: datetime,
    document: Feed | None = None,
) -> Subscription | None:
    """Note an answer inside a transaction; see ``Subscriptions.fetched``.

    Args:
        connection: within its transaction.
        feed_url: the feed's identity.
        fetched: what the server said.
        now: aware.
        document: what it sent, None where that is nothing new.
    """
    number = _feed_number(connection, feed_url)
    before = states.read(connection, number)
    if before is None or number is None:
        return None
    known = before if document is None else replace(before, ttl=document.ttl)
    holder = _holder(connection, addresses.identity(fetched.moved_to)) if fetched.moved_to else None
    taken = holder is not None and holder[0] != number
    after = schedule.succeeded(known, fetched, now, taken=taken)
    states.write(connection, number, before, after)
    return after


def _feed_number(connection: sqlite3.Connection, feed_url: str) -> int | None:
    row = connection.execute(
        "SELECT number FROM feed WHERE url = ?", (records.text(feed_url),)
    ).fetchone()
    return None if row is None else int(row[0])


def _known_number(connection: sqlite3.Connection, feed_url: str) -> int:
    number = _feed_number(connection, feed_url)
    if number is None:
        raise FeedNotFoundError(f"no feed has the URL {records.text(feed_url)}")
    return number


def _holder(connection: sqlite3.Connection, identity: str) -> tuple[int, str] | None:
    """The subscription that is known by this URL or fetched from it: its feed, and from where."""
    tables = "subscription JOIN feed ON feed.number = subscription.feed"
    row = connection.execute(
        f"SELECT feed.number, subscription.url FROM {tables} WHERE feed.url = ?", (identity,)
    ).fetchone()
    if row is not None:
        return int(row[0]), row[1]
    # Those that have moved, have a password or are spelled in another way: few.
    others = connection.execute(
        f"SELECT feed.number, subscription.url FROM {tables} WHERE subscription.url <> feed.url"
    )
    for number, url in others:
        if addresses.identity(url) == identity:
            return number, url
    return None


def _call(connection: sqlite3.Connection, number: int, title: str, tags: Iterable[str]) -> None:
    """Give a feed a name and tags, unless the user has done so."""
    own, name = connection.execute(
        "SELECT title, name FROM feed WHERE number = ?", (number,)
    ).fetchone()
    title = records.line(title)
    if title and not name and title != own:
        _set_name(connection, number, title)
    if not _tags(connection, number):
        _set_tags(connection, number, records.united(_clean(tags)))


def _set_name(connection: sqlite3.Connection, number: int, name: str) -> None:
    title = f"SELECT {records.FEED_TITLE} FROM feed WHERE number = ?"
    before = connection.execute(title, (number,)).fetchone()
    connection.execute("UPDATE feed SET name = ? WHERE number = ?", (name, number))
    if connection.execute(title, (number,)).fetchone() != before:
        storing.renumber(connection, number)


def _tags(connection: sqlite3.Connection, number: int) -> list[str]:
    row = connection.execute("SELECT tags FROM feed WHERE number = ?", (number,)).fetchone()
    return list(json.loads(row[0]))


def _set_tags(connection: sqlite3.Connection, number: int, tags: Sequence[str]) -> None:
    if list(tags) != _tags(connection, number):
        connection.execute(
            "UPDATE feed SET tags = ? WHERE number = ?", (records.packed(tags), number)
        )
        storing.renumber(connection, number)


def _clean(tags: Iterable[str]) -> list[str]:
    return [line for tag in tags if (line := records.line(tag))]


__all__ = ("Subscriptions", "succeeded")
