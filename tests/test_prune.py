"""What is pruned goes everywhere and stays away; a kill loses nothing else and keeps nothing."""

from __future__ import annotations

import os
import pty
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from searchfeed import Entry, EntryNotFoundError, Feed, Index, QueryError
from searchfeed.archive import Archive, removing
from searchfeed.index import Index as Door
from searchfeed.store import ARCHIVE
from tests.program import PROGRAM

NOON = datetime(2020, 8, 1, 12, tzinfo=UTC)
KILLS = int(os.environ.get("SEARCHFEED_KILLS", "6"))


def entry(number: int, *, feed: str = "http://a/feed", body: str = "ferry") -> Entry:
    identity = sha256(f"{feed} {number}".encode()).hexdigest()[:16]
    published = NOON - timedelta(days=number) if number else None
    return Entry(identity, feed, "Harbour", f"Title {number}", body, published=published)


def feed(*numbers: int, url: str = "http://a/feed", title: str = "Harbour News") -> Feed:
    return Feed(url, title, entries=tuple(entry(number, feed=url) for number in numbers))


def fill(path: Path, *feeds: Feed) -> None:
    path.mkdir(mode=0o700, exist_ok=True)
    with Archive(path / ARCHIVE) as archive:
        for each in feeds:
            archive.store(each, now=NOON)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    directory = tmp_path / "index"
    fill(directory, feed(*range(10)), feed(3, 4, url="http://b/feed", title="Ship News"))
    return directory


@pytest.fixture
def index(path: Path) -> Iterator[Door]:
    with Index(path) as opened:
        yield opened


def found(index: Door, query: str = "") -> list[str]:
    results = index.search(query, limit=1000, dedupe=False)
    assert results.total == len(results)
    return sorted(hit.entry.id for hit in results)


def ids(*numbers: int, feed: str = "http://a/feed") -> list[str]:
    return sorted(entry(number, feed=feed).id for number in numbers)


# Choosing


def test_a_selection_says_what_would_go_and_takes_nothing_out(index: Door) -> None:
    before = found(index)
    chosen = index.select(before=NOON - timedelta(days=3))
    assert sorted(chosen.ids) == sorted([*ids(4, 5, 6, 7, 8, 9), *ids(4, feed="http://b/feed")])
    assert len(chosen) == 7
    assert (chosen.oldest, chosen.newest) == (NOON - timedelta(days=9), NOON - timedelta(days=4))
    assert [(each.value, each.count, each.label) for each in chosen.feeds] == [
        ("http://a/feed", 6, "Harbour News"),
        ("http://b/feed", 1, "Ship News"),
    ]
    assert found(index) == before


def test_the_undated_are_older_than_nothing(index: Door) -> None:
    assert entry(0).id not in index.select(before=datetime(9999, 1, 1, tzinfo=UTC)).ids
    chosen = index.select("title:0")
    assert (chosen.ids, chosen.oldest, chosen.newest) == ((entry(0).id,), None, None)


def test_a_selection_is_kept_to_feeds_and_to_entries_with_all_words(index: Door) -> None:
    assert sorted(index.select(feeds=["ship"]).ids) == ids(3, 4, feed="http://b/feed")
    assert len(found(index, "title 4")) == 12
    assert sorted(index.select("title 4").ids) == sorted([*ids(4), *ids(4, feed="http://b/feed")])
    assert len(index.select("title:3 OR (title 4)")) == 4
    assert index.select("absent").ids == ()
    with pytest.raises(QueryError):
        index.select("date:soon")


# Taking out


def test_what_is_pruned_is_nowhere(index: Door, path: Path) -> None:
    assert len(found(index)) == 12
    gone = ids(4, 5)
    assert index.prune([*gone, "ffffffffffffffff"]) == 2
    assert not set(gone) & set(found(index))
    assert len(found(index)) == 10
    assert index.stats().entries == index.stats().versions == 10
    with pytest.raises(EntryNotFoundError):
        index.get(gone[0])
    assert index.prune(gone) == 0
    with Index(path) as again:
        assert len(found(again)) == 10
    index.rebuild()
    assert len(found(index)) == 10


def test_what_is_pruned_stays_away_while_the_feed_has_it(index: Door, path: Path) -> None:
    index.prune(ids(4, 5))
    edited = replace(feed(4, 5, 11), entries=(*feed(11).entries, entry(4, body="edited")))
    for each in (feed(*range(10)), edited):
        with Archive(path / ARCHIVE) as archive:
            archive.store(each)
    assert entry(11).id in found(index)
    assert not set(ids(4, 5)) & set(found(index))


def test_a_feed_that_is_taken_out_comes_back_when_it_is_read_again(index: Door, path: Path) -> None:
    assert len(found(index)) == 12
    with Archive(path / ARCHIVE) as archive:
        archive.store(feed(1, url="http://b/feed"), source="b.xml", digest=b"1")
        archive.subscribe("http://b/feed", title="Mine", tags=["sea"])
        assert archive.remove_feed("http://b/feed") == 3
        assert archive.remove_feed("http://b/feed") == 0
        assert [state.url for state in archive.feeds()] == ["http://a/feed"]
        assert archive.subscriptions() == ()
        assert archive.seen("b.xml", b"1") is None
    assert found(index) == ids(*range(10))
    with Archive(path / ARCHIVE) as archive:
        changes = archive.store(feed(1, url="http://b/feed"), source="b.xml", digest=b"1")
        assert changes.added == 1
        assert len(archive.removed(0, archive.sequence)) == 2
    assert found(index) == sorted([*ids(*range(10)), *ids(1, feed="http://b/feed")])


def test_what_was_pruned_stays_away_also_when_its_feed_comes_back(path: Path) -> None:
    with Archive(path / ARCHIVE) as archive:
        archive.remove(ids(3, feed="http://b/feed"))
        archive.remove_feed("http://b/feed")
        assert archive.store(feed(3, 4, url="http://b/feed")).added == 1


def test_what_is_pruned_stays_away_though_its_guid_changes(path: Path) -> None:
    def made(build: int) -> Feed:
        """A feed whose guids are new each time it is made."""
        entries = tuple(
            replace(
                entry(number),
                id=f"{build:08x}{number:08x}",
                link=f"https://a/{number}",
                body=f"It says {number}.",
            )
            for number in range(1, 7)
        )
        return Feed("http://c/feed", "C", entries=entries)

    with Archive(path / ARCHIVE) as archive:
        assert archive.store(made(1)).added == 6
        assert archive.store(made(2)).added == 0
        assert archive.remove([made(1).entries[0].id]) == 1
        for build in (3, 4):
            assert archive.store(made(build)).added == 0
        assert len(archive.entries([each.id for each in made(1).entries])) == 5


def test_an_engine_that_was_not_told_catches_up(index: Door, path: Path) -> None:
    assert len(found(index)) == 12
    with Archive(path / ARCHIVE) as archive:
        archive.remove(ids(1))
        archive.store(feed(20))
        archive.remove(ids(20))
        archive.remove(ids(2), back=True)
        archive.store(feed(2, 21))
    wanted = sorted([*ids(0, *range(2, 10), 21), *ids(3, 4, feed="http://b/feed")])
    assert found(index) == wanted
    with Index(path) as again:
        assert found(again) == wanted


def test_room_is_given_back_where_it_is_worth_it(tmp_path: Path) -> None:
    entries = tuple(entry(at, body="ferry " * 2_000) for at in range(300))
    with Archive(tmp_path / ARCHIVE) as archive:
        archive.store(Feed("http://a/feed", "A", entries=entries))
        archive.free_space()
        before = archive.figures().size
        archive.remove([each.id for each in entries[:10]])
        archive.free_space()
        assert archive.figures().size > before // 2
        archive.remove([each.id for each in entries[:250]])
        archive.free_space()
        assert archive.figures().size < before // 3
        assert set(archive.entries([each.id for each in entries])) == {
            each.id for each in entries[250:]
        }


def test_room_is_given_back_when_a_feed_goes_with_its_entries(tmp_path: Path) -> None:
    entries = tuple(entry(at, body="ferry " * 2_000) for at in range(300))
    with Index(tmp_path) as index:
        with Archive(tmp_path / ARCHIVE) as archive:
            archive.store(Feed("http://a/feed", "A", entries=entries))
            before = archive.figures().size
        index.unsubscribe("http://a/feed", entries=True)
        with Archive(tmp_path / ARCHIVE) as archive:
            assert archive.figures().size < before // 10


def test_room_is_not_worth_waiting_for_another(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removing, "_WORTH", 0)
    monkeypatch.setattr(removing, "_SHARE", 1_000_000)
    with Archive(path / ARCHIVE, timeout=0) as archive:
        archive.remove(ids(*range(10)))
        with closing(sqlite3.connect(path / ARCHIVE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            archive.free_space()
            other.execute("COMMIT")
        archive.free_space()
        assert len(archive.entries(ids(3, 4, feed="http://b/feed"))) == 2


class Life(RuleBasedStateMachine):
    """Storing and removing in any order, beside a follower that is told of changes now and then."""

    numbers = st.sets(st.integers(1, 6), max_size=4)

    def __init__(self) -> None:
        super().__init__()
        self.directory = TemporaryDirectory()
        self.archive = Archive(Path(self.directory.name) / ARCHIVE)
        self.there: set[int] = set()
        self.pruned: set[int] = set()
        self.reached = 0
        self.follower: set[str] = set()

    @rule(numbers=numbers, body=st.sampled_from(["one", "two"]))
    def store(self, numbers: set[int], body: str) -> None:
        new = tuple(entry(number, body=body) for number in sorted(numbers))
        changes = self.archive.store(Feed("http://a/feed", "A", entries=new))
        wanted = numbers - self.pruned
        assert changes.added == len(wanted - self.there)
        self.there |= wanted

    @rule(numbers=numbers, back=st.booleans())
    def remove(self, numbers: set[int], back: bool) -> None:
        gone = numbers & self.there
        assert self.archive.remove(ids(*numbers), back=back) == len(gone)
        self.there -= gone
        if not back:
            self.pruned |= gone

    @rule()
    def remove_feed(self) -> None:
        assert self.archive.remove_feed("http://a/feed") == len(self.there)
        self.there = set()

    @rule()
    def follow(self) -> None:
        upto = self.archive.sequence
        removed = set(self.archive.removed(self.reached, upto))
        changed = {each.id for _, each, _ in self.archive.changes(self.reached, upto)}
        assert not removed & changed
        self.follower = (self.follower - removed) | changed
        self.reached = upto
        assert self.follower == set(ids(*self.there))

    @invariant()
    def the_archive_has_what_is_there(self) -> None:
        assert {each.id for _, each, _ in self.archive.changes(0)} == set(ids(*self.there))
        assert self.archive.figures().entries == len(self.there)

    def teardown(self) -> None:
        self.follow()
        self.archive.close()
        with closing(sqlite3.connect(Path(self.directory.name) / ARCHIVE)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        self.directory.cleanup()


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)


# Killed


def test_a_kill_at_any_moment_takes_all_of_it_out_or_nothing(tmp_path: Path) -> None:
    chance = random.Random(7)
    path = tmp_path / "index"
    count = 400
    fill(path, feed(*range(1, count + 1)))
    with Index(path) as index:
        assert len(found(index)) == count
    there = set(range(1, count + 1))
    done = 0
    longest = 1.0
    for _ in range(KILLS):
        gone = set(chance.sample(sorted(there), 20))
        wish = f"id:{' OR id:'.join(ids(*gone))}"
        command = [*PROGRAM, "--index", str(path), "prune", wish, "--yes"]
        start = time.monotonic()
        process = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)
        try:
            process.wait(chance.uniform(0.2, longest))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            longest = max(0.4, time.monotonic() - start)
        _, told = process.communicate()
        finished = b"20 entries taken out" in told
        done += not finished
        with Index(path) as index:
            left = found(index)
            assert left in (ids(*there), ids(*(there - gone)))
            assert index.stats().entries == len(left)
            if finished:
                assert left == ids(*(there - gone))
            if len(left) < len(there):
                there -= gone
        if len(there) < 200:
            # Those that were pruned would not come back.
            fresh = range(count + 1, count + 201)
            count += 200
            fill(path, feed(*fresh))
            there |= set(fresh)
    with Archive(path / ARCHIVE) as archive:
        assert archive.store(feed(*range(1, count + 1))).added == 0
    print(f"{KILLS} runs, {done} killed before they had ended")


# The command


def program(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*PROGRAM, "--index", str(path), "prune", *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        env=os.environ | {"TZ": "UTC"},
    )


def asked(path: Path, answer: str, *arguments: str) -> tuple[str, int]:
    """What the program says to somebody who answers."""
    ours, theirs = pty.openpty()
    os.write(ours, answer.encode())
    process = subprocess.run(
        [*PROGRAM, "--index", str(path), "prune", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        stdin=theirs,
    )
    os.close(theirs)
    os.close(ours)
    return process.stderr, process.returncode


def test_a_dry_run_shows_what_would_go(path: Path, index: Door) -> None:
    done = program(path, "--older", "2020-07-29", "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "7 entries, from 23 Jul 2020 to 28 Jul 2020:\n"
        "          6  Harbour News\n"
        "          1  Ship News\n"
    )
    assert len(found(index)) == 12


def test_nothing_goes_unless_somebody_says_yes(path: Path, index: Door) -> None:
    done = program(path, "--older", "1d")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nobody to ask" in done.stderr
    for answer in ("n\n", "\n"):
        told, code = asked(path, answer, "--older", "1d")
        assert code == 1
        assert "11 entries, from 23 Jul 2020 to 31 Jul 2020" in told
        assert "Take them out for good? [y/N]" in told
        assert "nothing was taken out" in told
    assert len(found(index)) == 12
    told, code = asked(path, "y\n", "title:9")
    assert code == 0
    assert "1 entry taken out" in told
    assert len(found(index)) == 11
    done = program(path, "--older", "1d", "--feed", "ship", "--yes")
    assert (done.returncode, done.stdout) == (0, "")
    assert "2 entries taken out" in done.stderr
    assert found(index) == ids(*range(9))


def test_it_says_what_is_wrong(path: Path, index: Door) -> None:
    for arguments, told in (
        (("--yes",), "say what is to go"),
        (("--yes", "--older", "5 yonks"), "neither a date nor an age"),
        (("--yes", "--older", "yesterdya"), "neither a date nor an age"),
        (("--yes", "date:soon"), "soon"),
        (("--yes", "--older", "5y", "--frobnicate"), "No such option"),
    ):
        done = program(path, *arguments)
        assert (done.returncode, done.stdout) == (2, ""), arguments
        assert told in done.stderr
    done = program(path, "absent", "--yes")
    assert (done.returncode, done.stderr) == (1, "no entry is to go\n")
    assert len(found(index)) == 12
