"""The archive keeps every entry and version, whatever happens to the process that stores them."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from searchfeed.archive import Archive, Changes, Version, records, schema
from searchfeed.errors import (
    ArchiveError,
    EntryNotFoundError,
    IndexLockedError,
    IndexVersionError,
)
from searchfeed.models import Enclosure, Entry, Feed

NOON = datetime(2020, 8, 1, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[1]


def entry(key: str, body: str = "text", *, feed: str = "http://a/feed", title: str = "A") -> Entry:
    identity = sha256(f"{feed} {key}".encode()).hexdigest()[:16]
    return Entry(identity, feed, title, f"Title {key}", body)


def feed(*entries: Entry, url: str = "http://a/feed", title: str = "A") -> Feed:
    return Feed(url, title, entries=entries)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "archive.sqlite"


@pytest.fixture
def archive(path: Path) -> Iterator[Archive]:
    with Archive(path) as opened:
        yield opened


def bodies(archive: Archive, after: int = 0) -> list[str]:
    return [entry.body for _, entry, _ in archive.changes(after)]


# What is stored comes back


FULL = Entry(
    id="0123456789abcdef",
    feed_url="http://a/feed",
    feed_title="A",
    title="Überschrift “x” 東京 \U0001f600",
    body="one\n\ntwo",
    link="https://a/1",
    authors=("Ann", "Ben, C."),
    tags=("x y", '"z"'),
    published=datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    updated=datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    language="pt-br",
    enclosures=(Enclosure("https://a/1.mp3", "audio/mpeg", 2**70), Enclosure("https://a/2")),
)


def test_an_entry_comes_back_as_it_was_stored(archive: Archive) -> None:
    assert archive.store(feed(FULL)) == Changes(added=1, updated=0, unchanged=0)
    assert archive.entries([FULL.id]) == {FULL.id: FULL}
    assert archive.find(FULL.id) == FULL
    assert list(archive.changes(0)) == [(1, FULL, False)]


def test_dates_of_another_zone_come_back_in_utc(archive: Archive) -> None:
    date = datetime(2020, 8, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    archive.store(feed(replace(FULL, published=date)))
    found = archive.find(FULL.id).published
    assert found == NOON
    assert found is not None
    assert found.tzinfo is UTC


DIFFERENT: dict[str, Any] = {
    "title": "Another",
    "body": "",
    "link": "",
    "authors": ("Ben, C.", "Ann"),
    "tags": (),
    "published": None,
    "updated": NOON,
    "language": "",
    "enclosures": (Enclosure("https://a/1.mp3", "audio/mpeg"), Enclosure("https://a/2")),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_difference_in_any_field_is_a_new_version(archive: Archive, name: str) -> None:
    edited = replace(FULL, **{name: DIFFERENT[name]})
    later = NOON + timedelta(days=1)
    archive.store(feed(FULL), now=NOON)
    assert archive.store(feed(edited), now=later) == Changes(0, 1, 0)
    assert archive.versions(FULL.id) == (Version(FULL, NOON), Version(edited, later))
    assert list(archive.changes(0)) == [(2, edited, True)]


def test_every_field_but_those_of_the_feed_makes_a_version() -> None:
    fields = set(Entry.__dataclass_fields__) - {"id", "feed_url", "feed_title"}
    assert fields == set(DIFFERENT) == set(records.CONTENT)


def test_the_hash_of_a_version_never_changes() -> None:
    # Another hash would make a new version of every entry of every user.
    assert records.content_hash(records.content(FULL)).hex() == "b99e28d991cd4ddf31251ff792031198"


def test_a_text_that_comes_back_is_a_version_again(archive: Archive) -> None:
    for body in ("old", "new", "old"):
        archive.store(feed(entry("1", body)))
    assert [each.entry.body for each in archive.versions(entry("1").id)] == ["old", "new", "old"]
    assert archive.sequence == 3


def test_an_entry_that_left_its_feed_stays(archive: Archive) -> None:
    archive.store(feed(entry("1"), entry("2")))
    assert archive.store(feed(entry("2"))) == Changes(0, 0, 1)
    assert set(archive.entries([entry("1").id, entry("2").id, "f" * 16])) == {
        entry("1").id,
        entry("2").id,
    }


def test_a_new_title_of_a_feed_moves_its_entries_on_without_versions(archive: Archive) -> None:
    archive.store(feed(entry("1"), entry("2")))
    archive.store(feed(entry("1", feed="http://b"), url="http://b", title="B"))
    assert archive.store(feed(entry("2", "new"), title="Z")) == Changes(0, 1, 0)
    changes = list(archive.changes(3))
    assert [(each.title, each.feed_title) for _, each, _ in changes] == [
        ("Title 1", "Z"),
        ("Title 2", "Z"),
    ]
    assert [edited for _, _, edited in changes] == [False, True]
    assert len(archive.versions(entry("1").id)) == 1
    assert archive.find(entry("1", feed="http://b").id).feed_title == "B"


def test_a_title_that_goes_to_and_fro_uses_up_no_more_numbers_than_entries(
    archive: Archive,
) -> None:
    for number in range(100):
        archive.store(feed(entry("1"), entry("2"), title=f"Inbox ({number})"))
    assert archive.sequence == 200


def test_the_state_of_feeds(archive: Archive) -> None:
    later = NOON + timedelta(hours=1)
    dated = replace(entry("1"), published=NOON), replace(entry("2"), updated=later)
    archive.store(Feed("http://a/feed", "A", "http://a", "en", (*dated, entry("3"))), now=NOON)
    archive.store(feed(url="http://b", title="B"), now=later)
    first, second = archive.feeds()
    assert (first.url, first.title, first.link, first.language) == (
        "http://a/feed",
        "A",
        "http://a",
        "en",
    )
    assert (first.entries, first.newest, first.last_success) == (3, later, NOON)
    assert (second.entries, second.newest, second.last_success) == (0, None, later)
    figures = archive.figures()
    assert (figures.feeds, figures.entries, figures.versions) == (2, 3, 3)
    assert (figures.oldest, figures.newest) == (NOON, later)
    assert figures.size > 4096


def test_an_empty_archive(archive: Archive) -> None:
    assert archive.sequence == 0
    assert list(archive.changes(0)) == []
    assert archive.entries([]) == {}
    assert archive.feeds() == ()
    figures = archive.figures()
    assert (figures.feeds, figures.entries, figures.versions, figures.oldest) == (0, 0, 0, None)


# What has not changed is not written


def fingerprint(path: Path) -> list[tuple[str, bytes]]:
    """Every byte beside the archive; but the shared memory, in which locks are counted."""
    files = sorted(path.parent.iterdir())
    return [(file.name, file.read_bytes()) for file in files if not file.name.endswith("-shm")]


def test_storing_the_same_again_writes_nothing(archive: Archive, path: Path) -> None:
    document = Feed("http://a/feed", "A", "http://a", "en", (FULL, entry("1"), entry("2")))
    archive.store(document, source="a.xml", digest=b"1", now=NOON)
    with closing(sqlite3.connect(path)) as other:
        version = other.execute("PRAGMA data_version").fetchone()
        before = fingerprint(path)
        again = archive.store(document, source="a.xml", digest=b"1")
        assert again == Changes(0, 0, 3)
        assert fingerprint(path) == before
        assert other.execute("PRAGMA data_version").fetchone() == version
    assert archive.feeds()[0].last_success == NOON


def test_a_source_is_known_by_the_bytes_read(archive: Archive) -> None:
    assert archive.seen("a.xml", b"1") is None
    archive.store(feed(entry("1"), entry("2")), source="a.xml", digest=b"1", now=NOON)
    assert archive.seen("a.xml", b"1") == 2
    assert archive.seen("a.xml", b"2") is None
    assert archive.seen("b.xml", b"1") is None
    later = NOON + timedelta(days=1)
    assert archive.store(feed(entry("2")), source="a.xml", digest=b"2", now=later).unchanged == 1
    assert archive.seen("a.xml", b"1") == 2
    assert archive.seen("a.xml", b"2") == 1
    assert archive.feeds()[0].last_success == later


def test_a_source_with_another_feed_knows_that_ones_documents(archive: Archive) -> None:
    other = feed(entry("1", feed="http://b"), url="http://b", title="B")
    archive.store(feed(entry("1")), source="a.xml", digest=b"1")
    archive.store(other, source="a.xml", digest=b"2")
    assert archive.seen("a.xml", b"1") is None
    assert archive.seen("a.xml", b"2") == 1
    assert archive.store(feed(entry("1")), source="a.xml", digest=b"1") == Changes(0, 0, 1)
    assert archive.seen("a.xml", b"1") == 1


def test_a_document_read_before_changes_nothing(archive: Archive) -> None:
    for body in ("old", "new"):
        archive.store(feed(entry("1", body), title=body), source="a", digest=body.encode())
    before = archive.feeds(), archive.sequence
    again = archive.store(feed(entry("1", "old"), title="old"), source="b", digest=b"old")
    assert again == Changes(0, 0, 1)
    assert archive.seen("b", b"new") == 1
    assert (archive.feeds(), archive.sequence) == before
    assert bodies(archive) == ["new"]


def test_a_text_comes_back_with_a_document_that_differs(archive: Archive) -> None:
    for body, digest in (("old", b"1"), ("new", b"2"), ("old", b"1"), ("old", b"3")):
        archive.store(feed(entry("1", body)), source="a", digest=digest)
    assert [each.entry.body for each in archive.versions(entry("1").id)] == ["old", "new", "old"]


def test_the_same_bytes_of_another_feed_are_another_document(archive: Archive) -> None:
    archive.store(feed(entry("1")), source="a", digest=b"1")
    other = feed(entry("1", feed="http://b"), url="http://b", title="B")
    assert archive.store(other, source="b", digest=b"1") == Changes(1, 0, 0)


def test_an_entry_that_stands_twice_in_a_document_is_stored_once(archive: Archive) -> None:
    document = feed(entry("1", "first"), entry("1", "last"))
    assert archive.store(document) == Changes(1, 0, 0)
    assert archive.store(document) == Changes(0, 0, 1)
    assert bodies(archive) == ["last"]


# Against a model


KEYS = st.sampled_from("abcdef")
ENTRIES = st.builds(
    entry, KEYS, st.sampled_from(["", "one", "two"]), feed=st.just("?"), title=st.just("?")
).flatmap(
    lambda made: st.builds(
        replace,
        st.just(made),
        published=st.sampled_from([None, NOON, NOON + timedelta(microseconds=1)]),
        tags=st.sampled_from([(), ("a",), ("a", "b"), ("a,b",)]),
    )
)


class ArchiveMachine(RuleBasedStateMachine):
    """Random documents of three feeds, against lists of versions in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.path = Path(self.folder.name, "archive.sqlite")
        self.archive = Archive(self.path)
        self.clock = NOON
        self.titles: dict[str, str] = {}
        self.history: dict[str, list[Version]] = {}
        self.marks: dict[int, set[str]] = {0: set()}
        """Sequence number → the ids that have changed since it was the highest."""

    @rule(
        url=st.sampled_from(["http://a", "http://b", "http://c"]),
        title=st.sampled_from(["", "T", "U"]),
        entries=st.lists(ENTRIES, max_size=5, unique_by=lambda each: each.title),
    )
    def store(self, url: str, title: str, entries: list[Entry]) -> None:
        self.clock += timedelta(seconds=1)
        changed: set[str] = set()
        if self.titles.get(url, title) != title:
            changed |= {key for key, kept in self.history.items() if kept[0].entry.feed_url == url}
        self.titles[url] = title
        made = []
        counts = {"added": 0, "updated": 0, "unchanged": 0}
        for each in entries:
            new = replace(entry(each.title, feed=url), body=each.body, published=each.published)
            new = replace(new, tags=each.tags, feed_title=title)
            made.append(new)
            kept = self.history.setdefault(new.id, [])
            if kept and replace(kept[-1].entry, feed_title=title) == new:
                counts["unchanged"] += 1
                continue
            counts["updated" if kept else "added"] += 1
            kept.append(Version(new, self.clock))
            changed.add(new.id)
        changes = self.archive.store(Feed(url, title, entries=tuple(made)), now=self.clock)
        assert changes == Changes(counts["added"], counts["updated"], counts["unchanged"])
        for since in self.marks.values():
            since.update(changed)
        self.marks.setdefault(self.archive.sequence, set())

    @rule()
    @precondition(lambda self: self.history)
    def reopen(self) -> None:
        self.archive.close()
        self.archive = Archive(self.path)

    def expected(self, key: str, version: Version | None = None) -> Entry:
        found = (version or self.history[key][-1]).entry
        return replace(found, feed_title=self.titles[found.feed_url])

    @invariant()
    def versions_are_all_there(self) -> None:
        for key, kept in self.history.items():
            wanted = tuple(Version(self.expected(key, each), each.seen) for each in kept)
            assert self.archive.versions(key) == wanted

    @invariant()
    def newest_is_what_is_found(self) -> None:
        wanted = {key: self.expected(key) for key in self.history}
        assert self.archive.entries(list(wanted)) == wanted
        figures = self.archive.figures()
        assert figures.entries == len(wanted)
        assert figures.versions == sum(map(len, self.history.values()))
        dates = [each.date for each in wanted.values() if each.date]
        assert (figures.oldest, figures.newest) == (
            min(dates, default=None),
            max(dates, default=None),
        )
        assert {state.url: state.title for state in self.archive.feeds()} == self.titles

    @invariant()
    def changes_since_any_time_are_told_once_in_order(self) -> None:
        for mark, since in self.marks.items():
            changes = list(self.archive.changes(mark))
            numbers = [number for number, _, _ in changes]
            assert numbers == sorted(set(numbers))
            assert all(mark < number <= self.archive.sequence for number in numbers)
            assert {each.id for _, each, _ in changes} == since
            for _, each, edited in changes:
                assert each == self.expected(each.id)
                assert edited == (len(self.history[each.id]) > 1)

    def teardown(self) -> None:
        self.archive.close()
        with closing(sqlite3.connect(self.path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        self.folder.cleanup()


TestAgainstAModel = ArchiveMachine.TestCase
TestAgainstAModel.settings = settings(max_examples=20, stateful_step_count=10, deadline=None)


# Changes in batches


def test_changes_come_in_batches_up_to_a_number(archive: Archive) -> None:
    archive.store(feed(*(entry(str(number)) for number in range(1000))))
    numbers = [number for number, _, _ in archive.changes(100, 900)]
    assert numbers == list(range(101, 901))
    assert list(archive.changes(1000)) == []


def test_what_changes_while_the_changes_are_read_comes_next_time(archive: Archive) -> None:
    entries = [entry(str(number)) for number in range(600)]
    archive.store(feed(*entries))
    reading = archive.changes(0)
    first = next(reading)
    archive.store(feed(entry("0", "new"), entry("599", "new"), entry("more")))
    got = [first, *reading]
    assert [each.title for _, each, _ in got] == [f"Title {number}" for number in range(599)]
    assert [each.title for _, each, _ in archive.changes(600)] == [
        "Title 0",
        "Title 599",
        "Title more",
    ]


# Ids that people type


def test_find_by_the_start_of_an_id(archive: Archive) -> None:
    ids = ["abcd000000000000", "abcd111111111111", "abff000000000000", "0123456789abcdef"]
    archive.store(feed(*(replace(FULL, id=each, title=f"T{each[:5]}") for each in ids)))
    assert archive.find("abcd0").id == ids[0]
    assert archive.find("0123").id == ids[3]
    assert archive.versions("abff")[0].entry.id == ids[2]
    for wrong, message in {
        "abcd": (
            "more than one id starts with 'abcd': "
            "abcd000000000000 (Tabcd0), abcd111111111111 (Tabcd1)"
        ),
        "abcd2": (
            "no entry has the id 'abcd2'; near it are "
            "abcd000000000000 (Tabcd0), abcd111111111111 (Tabcd1)"
        ),
        "abf": "'abf' is too short for an id; it takes 4 characters",
        "": "'' is too short for an id; it takes 4 characters",
        "ffff": "no entry has the id 'ffff'",
        "0123456789abcdeff": (
            "no entry has the id '0123456789abcdeff'; near it are 0123456789abcdef (T01234)"
        ),
        "éééé": "no entry has the id 'éééé'",
        "\udcff" * 4: r"no entry has the id '\udcff\udcff\udcff\udcff'",
        "%%%%": "no entry has the id '%%%%'",
    }.items():
        for method in (archive.find, archive.versions):
            with pytest.raises(EntryNotFoundError) as caught:
                method(wrong)
            assert str(caught.value) == message


def test_many_that_start_alike_are_not_all_named(archive: Archive) -> None:
    archive.store(feed(*(replace(FULL, id=f"aaaa{each:012x}", title="") for each in range(9))))
    with pytest.raises(EntryNotFoundError) as caught:
        archive.find("aaaa")
    assert str(caught.value).count("(no title)") == 5
    assert str(caught.value).endswith(", …")


# Several threads and processes


def child(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


WRITER = """
import sys
from pathlib import Path
from searchfeed.archive import Archive
from searchfeed.models import Entry, Feed

path, name, times, size = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
archive = Archive(path)
start = int(sys.argv[5])
print("ready", flush=True)
for turn in range(start, start + times):
    for url in (f"http://{name}/x", f"http://{name}/y"):
        entries = (
            Entry(f"{name}{url[-1]}{number:014x}", url, "T", f"{number}", f"{turn} " * 200)
            for number in range(size)
        )
        archive.store(Feed(url, "T", entries=tuple(entries)))
    print(turn, flush=True)
archive.close()
"""


def test_another_process_writes_while_this_one_reads(archive: Archive, path: Path) -> None:
    with (
        child(WRITER, path, "a", 40, 10, 1) as first,
        child(WRITER, path, "b", 40, 10, 1) as second,
    ):
        reached = 0
        newest: dict[str, int] = {}
        while True:
            ended = first.poll() is not None and second.poll() is not None
            for number, each, _ in archive.changes(reached):
                assert number > reached
                reached = number
                turn = int(each.body.split()[0])
                assert turn > newest.get(each.id, 0)
                newest[each.id] = turn
            if ended:
                break
    assert (first.returncode, second.returncode) == (0, 0)
    assert len(newest) == 40
    assert set(newest.values()) == {40}
    assert reached == archive.sequence == 2 * 40 * 20
    assert len(archive.versions("ax" + "0" * 14)) == 40


def test_threads_share_an_archive(archive: Archive) -> None:
    stop = threading.Event()

    def read() -> int:
        rounds = 0
        while not stop.is_set():
            turns = {each.body for _, each, _ in archive.changes(0)}
            assert len(turns) <= 1
            found = archive.entries([entry(str(number)).id for number in range(20)])
            assert len({each.body for each in found.values()}) <= 1
            rounds += 1
        return rounds

    with ThreadPoolExecutor(6) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        writers = [
            pool.submit(archive.store, feed(*(entry(str(each), f"{turn}") for each in range(20))))
            for turn in range(40)
        ]
        for writer in writers:
            writer.result()
        stop.set()
        assert all(reader.result() > 0 for reader in readers)
    assert archive.sequence == 40 * 20


def test_many_open_a_new_archive_at_once(path: Path) -> None:
    together = threading.Barrier(8)

    def make(number: int) -> None:
        together.wait()
        with Archive(path) as archive:
            archive.store(feed(entry("1", feed=f"http://{number}"), url=f"http://{number}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, range(8)))
    with Archive(path) as archive:
        assert archive.figures().entries == archive.sequence == 8


def test_a_new_archive_waits_for_another_process_that_makes_it(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    with closing(other):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(IndexLockedError, match="another process is writing to the archive"):
            Archive(path, timeout=0.1)
        release = threading.Timer(0.2, other.execute, ["COMMIT"])
        release.start()
        with Archive(path) as archive:
            assert archive.sequence == 0
        release.join()


HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE state SET release = release")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_writer_that_waits_in_vain_names_the_one_that_writes(path: Path) -> None:
    with Archive(path, timeout=0.1) as archive:
        archive.store(feed(entry("1")))
        with child(HOLDER, path) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(IndexLockedError) as caught:
                archive.store(feed(entry("2")))
            assert bodies(archive) == ["text"]
            with Archive(path, timeout=0.1) as second:
                assert second.sequence == 1
            holder.communicate()
        assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
        who = f"process {holder.pid} (python" if sys.platform == "linux" else "another process"
        assert str(caught.value).startswith(who)
        assert str(path) in str(caught.value)
        assert archive.store(feed(entry("2"))).added == 1


def test_a_writer_waits_for_one_that_ends_in_time(archive: Archive, path: Path) -> None:
    with child(HOLDER, path) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        threading.Timer(0.2, holder.communicate).start()
        started = time.monotonic()
        assert archive.store(feed(entry("2"))).added == 1
        assert time.monotonic() - started > 0.1


def test_killed_at_any_moment_it_leaves_each_feed_whole(path: Path) -> None:
    chance = random.Random(7)
    reported = 0
    for _ in range(20):
        with child(WRITER, path, "a", 10**6, 100, reported + 1) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
            time.sleep(chance.uniform(0, 0.08))
            writer.kill()
            # What was reported by then stands in the pipe; the last line may be cut.
            lines = writer.stdout.read().split("\n")[:-1]
        reported = max([reported, *map(int, lines)])
        with Archive(path) as archive:
            turns: dict[str, set[int]] = {"http://a/x": set(), "http://a/y": set()}
            count = 0
            for _, each, _ in archive.changes(0):
                turns[each.feed_url].add(int(each.body.split()[0]))
                count += 1
            assert count in (0, 100, 200)
            for seen in turns.values():
                assert len(seen) <= 1
                # One turn may have been stored that could not be reported any more.
                assert seen <= {reported, reported + 1}
                assert seen or reported == 0
            reported = max([reported, *turns["http://a/y"]])
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    assert reported > 5


# Trouble


def test_a_closed_archive_says_so(path: Path) -> None:
    archive = Archive(path)
    archive.store(feed(*(entry(str(number)) for number in range(600))))
    reading = archive.changes(0)
    next(reading)
    archive.close()
    with pytest.raises(ArchiveError, match="has been closed"):
        list(reading)
    with pytest.raises(ArchiveError, match="has been closed"):
        archive.store(feed())
    archive.close()


def test_a_connection_in_use_while_closing_is_closed_when_given_back(path: Path) -> None:
    archive = Archive(path)
    with archive._connections.read() as connection:
        archive.close()
        assert connection.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("SELECT 1")


def test_a_full_disk_leaves_the_old_state(archive: Archive) -> None:
    archive.store(feed(entry("1", "old")))
    [connection] = archive._connections._idle
    connection.execute("PRAGMA max_page_count = 20")
    with pytest.raises(ArchiveError, match="the disk is full; free some space") as caught:
        archive.store(feed(entry("1", "new " * 100_000), entry("2")))
    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
    assert bodies(archive) == ["old"]
    for connection in archive._connections._idle:
        connection.execute("PRAGMA max_page_count = 1000000")
    assert archive.store(feed(entry("1", "new " * 100_000), entry("2"))) == Changes(1, 1, 0)


def test_an_error_while_storing_leaves_the_old_state(archive: Archive) -> None:
    archive.store(feed(entry("1", "old")))
    with pytest.raises(UnicodeEncodeError):
        archive.store(feed(entry("1", "new"), url="http://a/feed\ud800", title="B"))
    assert bodies(archive) == ["old"]
    assert archive.store(feed(entry("1", "new"))).updated == 1


def test_no_directory(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="cannot be opened; check that its directory exists"):
        Archive(tmp_path / "gone" / "archive.sqlite")
    assert not (tmp_path / "gone").exists()


def test_not_an_archive(path: Path) -> None:
    path.write_bytes(b"<rss>" * 1000)
    with pytest.raises(ArchiveError, match="is not an archive, or is damaged") as caught:
        Archive(path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == b"<rss>" * 1000


def test_a_damaged_archive(path: Path) -> None:
    with Archive(path) as archive:
        archive.store(feed(*(entry(str(number), "text " * 500) for number in range(100))))
    data = bytearray(path.read_bytes())
    for page in range(4096, len(data), 4096):
        data[page : page + 512] = b"\xff" * 512
    path.write_bytes(data)
    with (
        pytest.raises(ArchiveError, match="it is damaged; put a backup in its place"),
        Archive(path) as archive,
    ):
        list(archive.changes(0))


UNPRIVILEGED = """
import os, sys
from pathlib import Path
import searchfeed.archive
from searchfeed.errors import ArchiveError
from searchfeed.models import Feed
if os.geteuid() == 0:
    os.setuid(65534)
try:
    with searchfeed.archive.Archive(Path(sys.argv[1])) as archive:
        archive.store(Feed("http://a", "A"))
except ArchiveError as error:
    print(error)
"""


@pytest.mark.parametrize("exists", [False, True])
def test_a_read_only_directory(exists: bool) -> None:
    # Not in tmp_path, to which the user nobody has no way.
    with TemporaryDirectory() as name:
        path = Path(name, "archive.sqlite")
        if exists:
            Archive(path).close()
        path.parent.chmod(0o555)
        with child(UNPRIVILEGED, path) as run:
            output = run.communicate()[0]
        path.parent.chmod(0o755)
        assert output.startswith(f"the archive {path}: it cannot be")
        assert "check" in output
        files = [file.name for file in path.parent.iterdir()]
        assert files == (["archive.sqlite"] if exists else [])


# Versions of the tables


def user_version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_an_empty_file_becomes_an_archive(path: Path) -> None:
    path.touch()
    with Archive(path) as archive:
        archive.store(feed(FULL))
    assert user_version(path) == schema.VERSION
    with Archive(path) as archive:
        assert archive.find(FULL.id) == FULL
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize(
    ("change", "needed"),
    [
        ("UPDATE state SET release = '9.1.0'", "searchfeed 9.1.0"),
        ("DROP TABLE state", "searchfeed a newer release"),
    ],
)
def test_an_archive_of_a_newer_release_is_refused(path: Path, change: str, needed: str) -> None:
    Archive(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(change)
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 6}")
        connection.commit()
    before = path.read_bytes()
    with pytest.raises(IndexVersionError) as caught:
        Archive(path)
    assert str(caught.value) == (
        f"the archive {path} needs {needed} "
        f"(it has version {schema.VERSION + 6}, this release reads up to {schema.VERSION})"
    )
    assert path.read_bytes() == before


def test_an_archive_of_the_first_version_loses_nothing(path: Path) -> None:
    first = replace(FULL, body="before")
    with closing(sqlite3.connect(path)) as connection:
        release, statements = schema.MIGRATIONS[0]
        for statement in statements:
            connection.execute(statement)
        connection.execute("UPDATE state SET sequence = 2, release = ?", (release,))
        connection.execute("PRAGMA user_version = 1")
        moment = records.microseconds(NOON)
        connection.execute(
            "INSERT INTO feed VALUES (1, 'http://a/feed', 'A', '', '', ?)", (moment,)
        )
        connection.execute("INSERT INTO entry VALUES (1, ?, 1, 2, 2, NULL)", (FULL.id,))
        for ordinal, version in enumerate((first, FULL), start=1):
            values = records.content(version)
            row = (1, ordinal, moment, records.content_hash(values), *values)
            connection.execute(f"INSERT INTO version VALUES ({', '.join('?' * len(row))})", row)
        connection.execute("INSERT INTO source VALUES ('a.xml', x'01', 1, 1)")
        connection.commit()
    with Archive(path) as archive:
        assert user_version(path) == schema.VERSION
        assert list(archive.changes(0)) == [(2, FULL, True)]
        assert archive.versions(FULL.id) == (Version(first, NOON), Version(FULL, NOON))
        [state] = archive.feeds()
        assert (state.url, state.title, state.entries) == ("http://a/feed", "A", 1)
        assert (state.last_success, state.tags, state.subscription) == (NOON, (), None)
        assert archive.seen("a.xml", b"\1") == 1
        assert archive.store(feed(FULL)) == Changes(added=0, updated=0, unchanged=1)
        assert archive.sequence == 2


NEXT = ("9.0.0", ("ALTER TABLE feed ADD COLUMN more TEXT NOT NULL DEFAULT ''",))


def add_migration(patch: pytest.MonkeyPatch, migration: tuple[str, tuple[str, ...]]) -> None:
    patch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, migration))
    patch.setattr(schema, "VERSION", schema.VERSION + 1)


def test_an_older_archive_is_brought_up_to_date(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Archive(path) as archive:
        archive.store(feed(FULL))
    add_migration(monkeypatch, NEXT)
    with Archive(path) as archive:
        assert archive.find(FULL.id) == FULL
    assert user_version(path) == schema.VERSION
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT release FROM state").fetchone() == ("9.0.0",)
        assert connection.execute("SELECT more FROM feed").fetchone() == ("",)


def test_a_migration_that_fails_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Archive(path).close()
    wrong = ("9.0.0", ("CREATE TABLE x (y INTEGER) STRICT", "ALTER TABLE gone ADD COLUMN z TEXT"))
    with monkeypatch.context() as patch:
        add_migration(patch, wrong)
        with pytest.raises(ArchiveError, match="no such table: gone"):
            Archive(path)
    assert user_version(path) == schema.VERSION
    with Archive(path) as archive, archive._connections.read() as connection:
        assert connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'x'").fetchall() == []
