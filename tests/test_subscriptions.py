"""Feeds that are subscribed to: when they are fetched again, from where, and what is kept of it."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from searchfeed import addresses
from searchfeed.archive import Archive, Changes, Fetched, schedule
from searchfeed.archive.schedule import LONGEST
from searchfeed.errors import ArchiveError, FeedNotFoundError, FetchError
from searchfeed.models import Entry, Feed, Subscription, SubscriptionState

ROOT = Path(__file__).parents[1]
NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)
URL = "https://example.org/feed"
NEW, OTHER = "https://example.org/new", "https://example.org/other"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FIRST = Subscription(URL, URL)


def entry(number: int, url: str = URL, tags: tuple[str, ...] = ()) -> Entry:
    return Entry(f"{number:016x}", url, "A", f"Entry {number}", f"text {number}", tags=tags)


def feed(size: int, title: str = "A", ttl: timedelta | None = None) -> Feed:
    return Feed(URL, title, entries=tuple(map(entry, range(size))), ttl=ttl)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive(tmp_path / "archive.sqlite") as opened:
        yield opened


# When a feed is fetched again


@pytest.mark.parametrize(
    ("fresh_for", "ttl", "wait"),
    [
        (None, None, None),
        (timedelta(), None, None),
        (timedelta(), timedelta(), None),
        (MINUTE, None, MINUTE),
        (None, HOUR, HOUR),
        (HOUR, MINUTE, HOUR),
        (MINUTE, HOUR, HOUR),
        (timedelta(), HOUR, HOUR),
        (DAY, None, DAY),
        (timedelta(weeks=1), HOUR, DAY),
        (None, timedelta(weeks=1), DAY),
    ],
)
def test_after_an_answer(
    fresh_for: timedelta | None, ttl: timedelta | None, wait: timedelta | None
) -> None:
    before = replace(FIRST, ttl=ttl, failures=3, last_error="no answer", next_fetch=NOON)
    after = schedule.succeeded(before, Fetched("e", "m", fresh_for=fresh_for), NOON)
    assert after == Subscription(
        URL,
        URL,
        etag="e",
        last_modified="m",
        last_fetch=NOON,
        last_success=NOON,
        next_fetch=None if wait is None else NOON + wait,
        ttl=ttl,
    )


@pytest.mark.parametrize(
    ("failures", "longest"),
    [(1, 5), (2, 10), (3, 20), (4, 40), (8, 640), (9, 1280), (10, 1440), (11, 1440), (10**6, 1440)],
)
def test_after_failures_in_a_row(failures: int, longest: int) -> None:
    pauses = set()
    for number in range(50):
        before = replace(FIRST, feed_url=f"{URL}{number}", failures=failures - 1, etag="e")
        after = schedule.failed(before, "no answer", NOON)
        assert schedule.failed(before, "no answer", NOON) == after
        assert (after.failures, after.last_error, after.etag) == (failures, "no answer", "e")
        assert after.next_fetch is not None
        pauses.add(after.next_fetch - NOON)
    # They are spread, but never over more than the last fifth.
    assert len(pauses) > 40
    assert timedelta(minutes=0.8 * longest) <= min(pauses)
    assert max(pauses) <= timedelta(minutes=longest)


@pytest.mark.parametrize(
    ("asked", "wait"),
    [
        (timedelta(seconds=1), timedelta(seconds=1)),
        (timedelta(seconds=3601), timedelta(seconds=3601)),
        (timedelta(days=7), timedelta(days=7)),
        (timedelta(days=8), timedelta(days=7)),
        (timedelta.max, timedelta(days=7)),
    ],
)
def test_what_a_server_asks_for_is_obeyed(asked: timedelta, wait: timedelta) -> None:
    after = schedule.failed(replace(FIRST, failures=9), "429", NOON, retry_after=asked)
    assert after.next_fetch == NOON + wait
    assert schedule.held_off(after, NOON) == NOON + wait
    assert schedule.held_off(after, NOON + wait) is None


@pytest.mark.parametrize("asked", [None, timedelta(), -HOUR])
def test_a_server_that_asks_for_nothing(asked: timedelta | None) -> None:
    after = schedule.failed(FIRST, "503", NOON, retry_after=asked)
    assert after == schedule.failed(FIRST, "503", NOON)
    # A person may have it at once: the pause is our own.
    assert schedule.held_off(after, NOON) is None


def test_what_is_gone_is_not_fetched_until_it_is_back() -> None:
    after = schedule.failed(FIRST, "410 Gone", NOON, gone=True, retry_after=HOUR)
    assert after.state is SubscriptionState.GONE
    assert after.last_error == "410 Gone; it is not fetched any more"
    assert after.next_fetch is None
    assert not schedule.is_due(after, NOON + 365 * DAY)
    assert schedule.succeeded(after, Fetched(), NOON).state is SubscriptionState.ACTIVE


def test_when_it_is_due() -> None:
    assert schedule.is_due(FIRST, NOON)
    waiting = replace(FIRST, next_fetch=NOON)
    assert not schedule.is_due(waiting, NOON - timedelta(microseconds=1))
    assert schedule.is_due(waiting, NOON)


# Where it has moved to

HERE = {"": "", "n": NEW, "N": "HTTPS://Example.org:443/new", "o": OTHER, "u": URL}


@pytest.mark.parametrize(
    ("answers", "url", "moves"),
    [
        ("", URL, 0),
        ("n", URL, 1),
        ("nn", URL, 2),
        ("nnn", NEW, 0),
        ("nnnn", NEW, 0),
        ("nNn", NEW, 0),
        ("nn-n", URL, 1),
        ("nn-nnn", NEW, 0),
        ("nnxn", URL, 1),
        ("nono", URL, 1),
        ("nnoo", URL, 2),
        ("nnooo", OTHER, 0),
        ("uuuu", URL, 0),
        ("nnun", URL, 1),
        ("nnnuuu", URL, 0),
    ],
)
def test_three_answers_in_a_row_move_a_feed(answers: str, url: str, moves: int) -> None:
    state = FIRST
    for answer in answers:
        if answer == "x":
            state = schedule.failed(state, "no answer", NOON)
        else:
            target = "" if answer == "-" else HERE[answer]
            state = schedule.succeeded(state, Fetched("e", moved_to=target), NOON)
        assert state.feed_url == URL
    assert (addresses.identity(state.url), state.moves) == (url, moves)
    assert bool(state.moved_to) is bool(moves)


def test_a_feed_does_not_move_onto_another() -> None:
    state = FIRST
    for _ in range(5):
        state = schedule.succeeded(state, Fetched(moved_to=NEW), NOON, taken=True)
    assert (state.url, state.moves) == (URL, 3)
    assert (
        state.last_error
        == f"it has moved to {NEW}, which is another subscription; remove one of them"
    )
    assert state.last_success == NOON
    # The other one is gone.
    assert schedule.succeeded(state, Fetched(moved_to=NEW), NOON).url == NEW


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("https://u:p@a.org/1", "https://a.org/2", "https://u:p@a.org/2"),
        ("http://u:p@a.org/1", "https://a.org/2", "https://u:p@a.org/2"),
        ("http://u:p@a.org:80/1", "http://A.org/2", "http://u:p@A.org/2"),
        ("https://u:p@a.org/1", "http://a.org/2", "http://a.org/2"),
        ("https://u:p@a.org/1", "https://b.org/2", "https://b.org/2"),
        ("https://u:p@a.org/1", "https://a.org.b.org/2", "https://a.org.b.org/2"),
        ("https://u:p@a.org/1", "https://a.org:8443/2", "https://a.org:8443/2"),
        ("http://u:p@a.org:8080/1", "https://a.org/2", "https://a.org/2"),
        ("https://u:p@a.org/1", "https://x:y@a.org/2", "https://x:y@a.org/2"),
        ("https://a.org/1", "https://a.org/2", "https://a.org/2"),
    ],
)
def test_passwords_move_within_a_server_alone(old: str, new: str, expected: str) -> None:
    assert addresses.moved(old, new) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.org/feed", "https://example.org/feed"),
        (" HTTPS://u:p@Example.org:443/Feed?A=b#c\n", "https://example.org/Feed?A=b"),
        ("http://example.org", "http://example.org/"),
        ("http://example.org:8080/", "http://example.org:8080/"),
        ("http://u:p%40@x@example.org/", "http://example.org/"),
        ("http://[::1]:80/a b", "http://[::1]/a%20b"),
        ("https://bücher.example/ü", "https://bücher.example/ü"),
        ("ftp://example.org/", ""),
        ("javascript:alert(1)", ""),
        ("https://", ""),
        ("https://u:p@/x", ""),
        ("http://[/", ""),
        ("http://example.org:x/", ""),
        ("http://example.org:0/", ""),
        ("", ""),
    ],
)
def test_identities(url: str, expected: str) -> None:
    assert addresses.identity(url) == expected
    assert addresses.identity(expected) == expected


@given(st.text(max_size=30), st.text(max_size=30))
@settings(max_examples=200, deadline=None)
def test_any_text_has_an_identity_or_none(start: str, end: str) -> None:
    for url in (start, f"http://{start}/{end}", f"https://{start}@{end}/"):
        identity = addresses.identity(url)
        assert identity == addresses.identity(identity)
        assert not addresses.has_credentials(identity)


# Subscribing


def test_subscribing_twice_changes_nothing(archive: Archive) -> None:
    first = archive.subscribe(URL, title="Mine", tags=["a", "B", "A", " "])
    assert first == FIRST
    archive.fetched(URL, Fetched("e", "m"), now=NOON)
    [known] = archive.subscriptions()
    for url in (URL, f" {URL}#x", "HTTPS://EXAMPLE.org:443/feed"):
        assert archive.subscribe(url, title="Other", tags=["c"]) == known
    [state] = archive.feeds()
    assert (state.title, state.tags, state.entries, state.newest) == ("Mine", ("a", "B"), 0, None)
    assert (state.last_success, state.subscription) == (None, known)
    assert archive.titles([URL]) == {URL: "Mine"}


def test_passwords_are_kept_and_never_named(archive: Archive, tmp_path: Path) -> None:
    url = "https://user:secret@example.org/feed"
    made = archive.subscribe(url)
    assert (made.feed_url, made.url) == (URL, url)
    assert archive.subscribe(URL).url == url
    newer = url.replace("secret", "newer")
    assert archive.subscribe(newer).url == newer
    [state] = archive.feeds()
    assert state.url == URL
    assert archive.subscription("https://user:secret@example.org/feed").url == newer
    for wrong in ("https://user:secret@/", "user:secret@example.org"):
        with pytest.raises(FetchError) as caught:
            archive.subscribe(wrong)
        assert "secret" not in str(caught.value)
        with pytest.raises(FeedNotFoundError) as missing:
            archive.feed(wrong)
        assert "secret" not in str(missing.value)


def test_a_feed_that_was_read_from_a_file_can_be_subscribed_to(archive: Archive) -> None:
    archive.store(feed(2), now=NOON)
    archive.subscribe(URL, tags=["t"])
    [state] = archive.feeds()
    assert (state.entries, state.last_success, state.tags) == (2, NOON, ("t",))
    assert state.subscription == FIRST
    assert [each.tags for _, each, _ in archive.changes(2)] == [("t",), ("t",)]


def test_where_a_feed_has_moved_to_is_not_subscribed_to_again(archive: Archive) -> None:
    archive.subscribe(URL)
    for _ in range(3):
        archive.fetched(URL, Fetched(moved_to=NEW), now=NOON)
    [moved] = archive.subscriptions()
    assert (moved.feed_url, moved.url) == (URL, NEW)
    assert archive.subscribe(NEW) == moved
    assert archive.subscription(NEW) == moved


def test_a_feed_that_moves_onto_another_is_noted(archive: Archive) -> None:
    archive.subscribe(URL)
    archive.subscribe(NEW)
    for _ in range(4):
        after = archive.fetched(URL, Fetched(moved_to=NEW), now=NOON)
    assert after == archive.subscription(URL)
    assert (after.url, after.moves) == (URL, 3)
    assert "another subscription" in after.last_error
    archive.unsubscribe(NEW)
    after = archive.fetched(URL, Fetched(moved_to=NEW), now=NOON)
    assert after is not None
    assert (after.url, after.last_error) == (NEW, "")


def test_unsubscribing_keeps_entries_and_leaves_no_rest(archive: Archive) -> None:
    archive.subscribe(URL)
    archive.store(feed(2), source=URL, digest=b"1", fetched=Fetched("e"), now=NOON)
    archive.subscribe(NEW)
    archive.store(Feed(NEW, "empty"), source=NEW, digest=b"2", fetched=Fetched("e"), now=NOON)
    archive.unsubscribe(URL)
    archive.unsubscribe(NEW)
    [state] = archive.feeds()
    assert (state.url, state.entries, state.subscription) == (URL, 2, None)
    assert archive.seen(NEW, b"2") is None
    for url in (URL, NEW, "nowhere"):
        with pytest.raises(FeedNotFoundError, match="is not subscribed to"):
            archive.unsubscribe(url)
    # What comes in late changes nothing.
    assert archive.fetched(URL, Fetched("x")) is None
    assert archive.failed(URL, "no answer") is None
    assert archive.store(feed(3), fetched=Fetched("x")) == Changes(1, 0, 2)
    assert archive.subscriptions() == ()
    assert archive.subscribe(URL) == FIRST


# What a person calls a feed


@pytest.fixture
def several(archive: Archive) -> Archive:
    archive.subscribe(URL)
    archive.subscribe("https://news.example.com/world.xml", title="World News")
    archive.subscribe("https://news.example.com/sport.xml", title="Sport")
    archive.store(Feed("/home/me/notes.xml", "Notes on World Sport"))
    return archive


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("https://news.example.com/sport.xml", "Sport"),
        ("HTTPS://u:p@News.example.com/sport.xml", "Sport"),
        ("sport", "Sport"),
        ("SPORT.XML", "Sport"),
        ("notes", "Notes on World Sport"),
        ("/home/me/notes.xml", "Notes on World Sport"),
        ("world  news", "World News"),
        ("example.org", ""),
        (URL, ""),
    ],
)
def test_a_feed_is_found_by_what_it_is_called(several: Archive, text: str, title: str) -> None:
    assert several.feed(text).title == title


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("world", "more than one feed is called 'world': World News (https://news.example.com"),
        ("example.com", "more than one feed is called 'example.com'"),
        ("wold news", "no feed is called 'wold news'; near it are World News (https://news."),
        ("qqq", "no feed is called 'qqq'"),
        ("", "no feed is called ''"),
        ("\udcff", "no feed is called '?'"),
    ],
)
def test_a_name_that_is_none_or_many(several: Archive, text: str, error: str) -> None:
    with pytest.raises(FeedNotFoundError) as caught:
        several.feed(text)
    assert str(caught.value).startswith(error)


def test_a_subscription_is_looked_for_among_subscriptions(several: Archive) -> None:
    assert several.subscription("world").feed_url == "https://news.example.com/world.xml"
    with pytest.raises(FeedNotFoundError, match="no feed is called"):
        several.subscription("notes")


def test_names_are_seen_by_everybody_and_make_no_versions(archive: Archive) -> None:
    archive.store(feed(2), now=NOON)
    archive.rename(URL, " My\n feed ")
    assert archive.titles([URL]) == {URL: "My feed"}
    assert [each.feed_title for _, each, _ in archive.changes(2)] == ["My feed", "My feed"]
    assert len(archive.versions(entry(0).id)) == 1
    reached = archive.sequence
    archive.rename(URL, "My feed")
    archive.store(feed(2, title="B"), now=NOON)
    assert archive.sequence == reached
    assert archive.feed("My feed").title == "My feed"
    archive.rename(URL, "")
    assert [each.feed_title for _, each, _ in archive.changes(reached)] == ["B", "B"]
    with pytest.raises(FeedNotFoundError):
        archive.rename("nowhere", "x")


def test_a_name_that_the_feed_has_itself_follows_it(archive: Archive) -> None:
    archive.subscribe(URL, title="A")
    archive.store(feed(1))
    archive.subscribe(URL, title="A")
    archive.store(feed(1, title="B"))
    assert archive.feed(URL).title == "B"


def test_tags_are_those_of_entries_too_and_make_no_versions(archive: Archive) -> None:
    own = replace(feed(0), entries=(entry(0, tags=("News", "x")), entry(1)))
    archive.store(own)
    assert archive.tag(URL, add=["news", " a  b ", ""]) == ("news", "a b")
    assert [each.tags for _, each, _ in archive.changes(2)] == [
        ("News", "x", "a b"),
        ("news", "a b"),
    ]
    assert archive.store(own) == Changes(0, 0, 2)
    assert [len(archive.versions(entry(number).id)) for number in (0, 1)] == [1, 1]
    reached = archive.sequence
    assert archive.tag(URL, add=["NEWS"], remove=["missing"]) == ("news", "a b")
    assert archive.sequence == reached
    assert archive.tag(URL, add=["c"], remove=["News", "c"]) == ("a b",)
    assert archive.find(entry(0).id).tags == ("News", "x", "a b")
    assert archive.tag(URL, remove=["a b"]) == ()
    assert archive.find(entry(1).id).tags == ()
    with pytest.raises(FeedNotFoundError):
        archive.tag("nowhere", add=["x"])


# What a fetch writes


def test_everything_of_a_subscription_comes_back(archive: Archive) -> None:
    archive.subscribe(URL)
    answer = Fetched('W/"é"', "Sat, 01 Aug 2026", NEW, timedelta(seconds=1, microseconds=1))
    archive.store(feed(1, ttl=MINUTE), fetched=answer, now=NOON)
    first = Subscription(
        URL,
        URL,
        etag='W/"é"',
        last_modified="Sat, 01 Aug 2026",
        last_fetch=NOON,
        last_success=NOON,
        next_fetch=NOON + MINUTE,
        moved_to=NEW,
        moves=1,
        ttl=MINUTE,
    )
    assert archive.subscriptions() == (first,)
    later = NOON + HOUR
    assert archive.failed(URL, "no \udcff answer", now=later) is not None
    [after] = archive.subscriptions()
    assert after == replace(
        schedule.failed(first, "no ? answer", later), last_success=NOON, ttl=MINUTE
    )
    assert archive.failed(URL, "410", gone=True, now=later) is not None
    assert archive.subscriptions()[0].state is SubscriptionState.GONE
    assert archive.subscriptions(due=later + 30 * DAY) == ()


def test_those_that_are_due(archive: Archive) -> None:
    for url, fresh_for in ((URL, HOUR), (NEW, None), (OTHER, 2 * HOUR)):
        archive.subscribe(url)
        archive.fetched(url, Fetched(fresh_for=fresh_for), now=NOON)
    due = [[each.feed_url for each in archive.subscriptions(due=NOON + n * HOUR)] for n in range(3)]
    assert due == [[NEW], [URL, NEW], [URL, NEW, OTHER]]


def test_nothing_new_leaves_all_but_the_subscription_alone(
    archive: Archive, tmp_path: Path
) -> None:
    archive.subscribe(URL)
    archive.store(feed(3, ttl=HOUR), source=URL, digest=b"1", fetched=Fetched("e", "m"), now=NOON)
    tables = ("state", "feed", "entry", "version", "source", "document", "removal")

    def rows() -> list[list[tuple[object, ...]]]:
        with sqlite3.connect(tmp_path / "archive.sqlite") as connection:
            found = [connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables]
        connection.close()
        return found

    before = rows()
    archive.fetched(URL, Fetched("e", "m", fresh_for=MINUTE), now=NOON + HOUR)
    assert rows() == before
    assert archive.sequence == 3
    # The document's own word on when to come again is not forgotten.
    assert archive.subscription(URL).next_fetch == NOON + 2 * HOUR
    # The same document sent once more is nothing new either.
    again = archive.store(
        feed(3, ttl=HOUR), source=URL, digest=b"1", fetched=Fetched("f"), now=NOON + DAY
    )
    assert again == Changes(0, 0, 3)
    assert rows() == before
    assert archive.subscription(URL).etag == "f"


def test_a_document_that_cannot_be_stored_leaves_the_old_validators(
    archive: Archive, tmp_path: Path
) -> None:
    archive.subscribe(URL)
    archive.store(feed(1), fetched=Fetched("old"), now=NOON)
    with sqlite3.connect(tmp_path / "archive.sqlite") as connection:
        connection.execute(
            "CREATE TRIGGER broken BEFORE UPDATE ON subscription "
            "BEGIN SELECT raise(ABORT, 'x'); END"
        )
    connection.close()
    with pytest.raises(ArchiveError):
        archive.store(feed(2), fetched=Fetched("new"), now=NOON)
    assert archive.subscription(URL).etag == "old"
    assert archive.feed(URL).entries == 1


WRITER = f"""
import sys
from pathlib import Path
from searchfeed.archive import Archive, Fetched
from searchfeed.models import Entry, Feed
with Archive(Path(sys.argv[1])) as archive:
    archive.subscribe({URL!r})
    count = int(archive.subscription({URL!r}).etag or "0")
    while True:
        count += 1
        id = f"{{count:016x}}"
        entry = Entry(id, {URL!r}, "A", id, "text " * 2000)
        archive.store(Feed({URL!r}, "A", entries=(entry,)), fetched=Fetched(str(count)))
        print(count, flush=True)
"""


def test_validators_are_never_kept_without_their_entries(tmp_path: Path) -> None:
    path = tmp_path / "archive.sqlite"
    kills = int(os.environ.get("SEARCHFEED_KILLS", "6"))
    chance = random.Random(5)
    reached = 0
    for _ in range(kills):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            said = [writer.stdout.readline()]
            time.sleep(chance.random() / 20)
            writer.send_signal(signal.SIGKILL)
            said += writer.stdout.read().splitlines()
        promised = max(int(line) for line in said if line)
        with Archive(path) as archive:
            etag = int(archive.subscription(URL).etag)
            assert etag >= promised > reached
            # Whatever the server is told that we have, we have.
            assert len(archive.entries([f"{number + 1:016x}" for number in range(etag)])) == etag
            assert archive.sequence == archive.feed(URL).entries == etag
            reached = etag


# Whatever happens in whatever order

URLS = (URL, NEW, OTHER)
urls = st.sampled_from(URLS)
tags = st.lists(st.sampled_from(["a", "A", "b", "c"]), max_size=2)


class Life(RuleBasedStateMachine):
    """Subscriptions against a plain description of them."""

    directory: ClassVar[Path]
    numbers: ClassVar[Iterator[int]] = count()

    def __init__(self) -> None:
        super().__init__()
        self.path = self.directory / f"{next(self.numbers)}.sqlite"
        self.archive = Archive(self.path)
        self.now = NOON
        self.known: dict[str, Subscription] = {}
        self.counts: dict[str, int] = {}

    def teardown(self) -> None:
        self.archive.close()

    @rule(url=urls, tags=tags)
    def subscribe(self, url: str, tags: list[str]) -> None:
        holder = next((u for u, each in self.known.items() if url in (u, each.url)), None)
        made = self.archive.subscribe(url, tags=tags)
        if holder is None:
            self.known[url] = Subscription(url, url)
            self.counts.setdefault(url, 0)
        assert made == self.known[holder or url]

    @rule(url=urls)
    def unsubscribe(self, url: str) -> None:
        if self.known.pop(url, None):
            self.archive.unsubscribe(url)
            if not self.counts[url]:
                del self.counts[url]
        else:
            with pytest.raises(FeedNotFoundError):
                self.archive.unsubscribe(url)

    @rule(
        url=urls,
        moved_to=st.sampled_from(["", *URLS]),
        new=st.integers(0, 2),
        ttl=st.none() | st.just(HOUR),
    )
    def answer(self, url: str, moved_to: str, new: int, ttl: timedelta | None) -> None:
        self.now += MINUTE
        fetched = Fetched(f"e{new}", moved_to=moved_to)
        before = self.known.get(url)
        if new:
            total = self.counts.setdefault(url, 0) + new
            entries = tuple(
                replace(entry(number + 1000 * URLS.index(url)), feed_url=url)
                for number in range(total)
            )
            document = Feed(url, "A", entries=entries, ttl=ttl)
            changes = self.archive.store(document, fetched=fetched, now=self.now)
            assert changes.added == new
            self.counts[url] = total
        else:
            self.archive.fetched(url, fetched, now=self.now)
        if before is not None:
            before = replace(before, ttl=ttl) if new else before
            others = {u: each for u, each in self.known.items() if u != url}
            taken = any(moved_to in (u, each.url) for u, each in others.items())
            self.known[url] = schedule.succeeded(before, fetched, self.now, taken=taken)

    @rule(url=urls, gone=st.booleans(), retry_after=st.none() | st.just(2 * DAY))
    def fail(self, url: str, gone: bool, retry_after: timedelta | None) -> None:
        self.now += MINUTE
        after = self.archive.failed(url, "x", retry_after=retry_after, gone=gone, now=self.now)
        if url in self.known:
            self.known[url] = schedule.failed(
                self.known[url], "x", self.now, retry_after=retry_after, gone=gone
            )
        assert after == self.known.get(url)

    @rule()
    def reopen(self) -> None:
        self.archive.close()
        self.archive = Archive(self.path)

    @invariant()
    def it_is_as_described(self) -> None:
        assert {each.feed_url: each for each in self.archive.subscriptions()} == self.known
        assert {each.url: each.entries for each in self.archive.feeds()} == self.counts
        for each in self.known.values():
            assert each.next_fetch is None or each.next_fetch <= self.now + 7 * DAY
            assert each.failures or (each.next_fetch or NOON) <= self.now + LONGEST
        assert len({each.url for each in self.known.values()}) == len(self.known)


def test_a_life_of_subscriptions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Life, "directory", tmp_path, raising=False)
    run_state_machine_as_test(
        Life, settings=settings(max_examples=12, stateful_step_count=25, deadline=None)
    )
