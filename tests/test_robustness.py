"""Processes that are killed, disks that are full, many at once: nothing is lost, nothing is twice.

Real processes and real disks. ``SEARCHFEED_KILLS=300`` kills so often in each kind of work, and
``SEARCHFEED_LOAD=60`` keeps the load up for so many seconds.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from whoosh.fields import Schema
from whoosh.filedb.filestore import FileStorage
from whoosh.index import TOC

from searchfeed import Index
from searchfeed.archive import Archive
from searchfeed.cli import run
from searchfeed.engines.whoosh import building
from searchfeed.errors import (
    ArchiveError,
    EngineError,
    IndexLockedError,
    SearchfeedError,
    UnsafeIndexError,
)
from searchfeed.locks import Holder, WriteLock

KILLS = int(os.environ.get("SEARCHFEED_KILLS", "4"))
LOAD = float(os.environ.get("SEARCHFEED_LOAD", "3"))
ROOT = Path(__file__).parents[1]
ENTRIES = 5
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can do that")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Feeds are parsed by the process that reads them, so that it starts in no time."""
    monkeypatch.setenv("SEARCHFEED_WORKERS", "0")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index"


def feed(name: str, entries: int = ENTRIES, length: int = 60) -> bytes:
    """A feed whose entries all say ``name``, and other words besides."""
    words = random.Random(name)
    items = "".join(
        f"<item><guid>{name}-{at}</guid><title>{name} entry {at}</title><description>common "
        f"{' '.join(f'w{words.randrange(3000)}' for _ in range(length))}</description></item>"
        for at in range(entries)
    )
    return (
        f"<rss version='2.0'><channel><title>Feed {name}</title>"
        f"<link>https://{name}.example/</link>{items}</channel></rss>"
    ).encode()


class Child:
    """A process that runs a function, which can say something at any time."""

    def __init__(self, work: Callable[[Callable[[object], None]], object]) -> None:
        self._read, write = os.pipe()
        self.pid = os.fork()
        if self.pid:
            os.close(write)
            return
        code = 1
        try:
            # Nothing of the tests' own output is to be written twice.
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            os.close(self._read)
            try:
                work(lambda said: (os.write(write, f"{said}\n".encode()), None)[1])
                code = 0
            except BaseException as error:  # noqa: BLE001 - handed to the test
                os.write(write, f"FAILED {type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(code)

    def first_word(self) -> str:
        """Wait until it says something; the rest of what it says is lost."""
        # All that is in the pipe, so that the next time it begins with a whole word.
        return os.read(self._read, 65536).decode().split("\n")[0]

    def kill(self) -> list[str]:
        """What it said until then."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        return self.end()

    def end(self) -> list[str]:
        """Wait for its end; what it said, but for what was cut off."""
        data = b""
        while piece := os.read(self._read, 65536):
            data += piece
        os.close(self._read)
        os.waitpid(self.pid, 0)
        said = data.decode().split("\n")[:-1]
        assert not [each for each in said if each.startswith("FAILED")], said
        return said


def sound(path: Path) -> None:
    with Index(path) as index:
        checkup = index.check()
        assert (checkup.archive, checkup.index) == ((), ())


def names(path: Path) -> set[str]:
    """The kinds of files of a search index that are not named by its newest state."""
    from searchfeed.engines.whoosh.columnar import open_snapshot

    snapshot = open_snapshot(path / "whoosh")
    used = {f"{segment.name}.sfc" for segment in snapshot.segments}
    used |= {f"_MAIN_{snapshot.generation}.{kind}" for kind in ("toc", "sfm", "sfs")}
    return {file.name for file in (path / "whoosh").iterdir()} - used - {"MAIN_WRITELOCK"}


# Killed at any time


class TestKilled:
    def test_taking_feeds_in(self, path: Path, tmp_path: Path) -> None:
        """With all that comes with it: tables, segments, and merges of them."""
        chance = random.Random(1)
        stored: list[str] = []
        left = 0
        (tmp_path / "first.xml").write_bytes(feed("first"))
        with Index(path) as index:
            # What that loads the children have then loaded as well.
            index.update([tmp_path / "first.xml"])
        for number in range(KILLS):

            def work(say: Callable[[object], None], number: int = number) -> None:
                with Index(path) as index:
                    for at in range(10_000):
                        file = tmp_path / "feed.xml"
                        name = f"kill{number}x{at}"
                        file.write_bytes(feed(name))
                        report = index.update([file])
                        assert (report.added, report.failures) == (ENTRIES, ())
                        say(name)

            child = Child(work)
            time.sleep(chance.uniform(0.02, 0.4))
            stored += child.kill()
            sound(path)
            left += bool(names(path))
        with Index(path) as index:
            (tmp_path / "last.xml").write_bytes(feed("last"))
            index.update([tmp_path / "last.xml"])
            assert names(path) == set()
            for name in stored:
                assert index.search(name, limit=50, dedupe=False).total == ENTRIES, name
            ids = [hit.entry.id for hit in index.search("common", limit=10**6, dedupe=False)]
            assert len(ids) == len(set(ids)) >= ENTRIES * (len(stored) + 2)
        sound(path)
        print(f"{KILLS} kills, {len(stored)} feeds stored, {left} left files behind")

    def test_making_the_index_anew_and_merging_all_of_it(self, path: Path, tmp_path: Path) -> None:
        for number in range(6):
            (tmp_path / f"{number}.xml").write_bytes(feed(f"feed{number}", 40))
            with Index(path) as index:
                index.update([tmp_path / f"{number}.xml"])
        with Index(path) as index:
            right = [hit.entry.id for hit in index.search("common", limit=1000, dedupe=False)]
        assert len(right) == 240
        chance = random.Random(2)

        def work(say: Callable[[object], None]) -> None:
            with Index(path) as index:
                while True:
                    index.rebuild()
                    say("done")

        for _ in range(KILLS):
            child = Child(work)
            time.sleep(chance.uniform(0.0, 0.3))
            child.kill()
            sound(path)
            with Index(path) as index:
                found = index.search("common", limit=1000, dedupe=False)
                assert [hit.entry.id for hit in found] == right
                assert found.notes == ()
        with Index(path) as index:
            index.rebuild()
        assert names(path) == set()

    def test_with_processes_that_build_parts_of_it(
        self, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SEARCHFEED_WORKERS", "2")
        monkeypatch.setattr(building, "LARGE", 1)
        file = tmp_path / "feed.xml"
        file.write_bytes(feed("base", 150))
        with Index(path) as index:
            index.update([file])
        chance = random.Random(3)

        def work(say: Callable[[object], None]) -> None:
            with Index(path) as index:
                while True:
                    index.rebuild()

        for _ in range(max(2, KILLS // 4)):
            child = Child(work)
            time.sleep(chance.uniform(0.3, 1.2))
            child.kill()
            sound(path)
        # The processes end with the one that started them, but not at the same moment.
        deadline = time.monotonic() + 20
        left: set[str] = set()
        while time.monotonic() < deadline:
            with Index(path) as index:
                index.rebuild()
                assert index.search("base", limit=1000, dedupe=False).total == 150
            left = names(path)
            if not left:
                break
        assert left == set()


# Full disks and such that cannot be written


@contextmanager
def small_disk(path: Path, size: int) -> Iterator[Path]:
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "none", str(path)],
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("a file system cannot be mounted here")
    try:
        yield path
    finally:
        # Files that are mapped are let go of when the garbage is collected.
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def answer(path: Path) -> tuple[list[str], tuple[str, ...]]:
    with Index(path) as index:
        results = index.search("common", limit=1000, dedupe=False)
        return [hit.entry.id for hit in results], results.notes


@ROOT_ONLY
def test_a_full_disk_costs_nothing_that_was_stored(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 6_000_000) as disk:
        path, filler = disk / "index", disk / "filler"
        (tmp_path / "first.xml").write_bytes(feed("first", 40))
        (tmp_path / "second.xml").write_bytes(feed("second", 400, 500))
        with Index(path) as index:
            index.update([tmp_path / "first.xml"])
        right, _ = answer(path)
        assert len(right) == 40
        for room in (20_000, 100_000, 400_000, 900_000, 1_500_000):
            status = os.statvfs(disk)
            filler.write_bytes(bytes(max(0, status.f_bavail * status.f_frsize - room)))
            with Index(path) as index, pytest.raises((ArchiveError, EngineError)) as caught:
                index.update([tmp_path / "second.xml"])
            assert "\n" not in str(caught.value)
            assert "disk" in str(caught.value) or "space" in str(caught.value)
            found, notes = answer(path)
            assert set(right) <= set(found)
            assert len(found) == 40 or len(found) == 440 or notes, room
            filler.unlink()
        sound(path)
        with Index(path) as index:
            index.update([tmp_path / "second.xml"])
            assert index.search("second", limit=500, dedupe=False).total == 400
        assert names(path) == set()


@ROOT_ONLY
def test_on_a_full_disk_the_program_says_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with small_disk(tmp_path / "disk", 3_000_000) as disk:
        path = disk / "index"
        (tmp_path / "first.xml").write_bytes(feed("first"))
        (tmp_path / "second.xml").write_bytes(feed("second", 600, 600))
        assert run(["--index", str(path), "index", str(tmp_path / "first.xml"), "-q"]) == 0
        capsys.readouterr()
        assert run(["--index", str(path), "index", str(tmp_path / "second.xml")]) == 2
        heard = capsys.readouterr()
        assert heard.err.count("\n") == 1, heard.err
        assert "the disk is full" in heard.err or "No space left" in heard.err
        assert run(["--index", str(path), "backup", str(disk / "copy")]) in (0, 2)
        assert not (disk / "copy.part").exists()
        assert run(["--index", str(path), "doctor"]) == 0


def test_a_file_that_must_not_grow_is_as_a_full_disk(path: Path, tmp_path: Path) -> None:
    (tmp_path / "first.xml").write_bytes(feed("first", 40))
    (tmp_path / "second.xml").write_bytes(feed("second", 300, 300))
    with Index(path) as index:
        index.update([tmp_path / "first.xml"])
    right, _ = answer(path)
    for limit in (60_000, 200_000, 500_000):

        def work(say: Callable[[object], None], limit: int = limit) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            with Index(path) as index:
                try:
                    index.update([tmp_path / "second.xml"])
                except (ArchiveError, EngineError) as error:
                    say(f"refused: {error}")

        (said,) = Child(work).end()
        assert said.startswith("refused: ")
        assert set(right) <= set(answer(path)[0])
    sound(path)


@ROOT_ONLY
def test_a_disk_that_cannot_be_written_ends_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with small_disk(tmp_path / "disk", 3_000_000) as disk:
        path = disk / "index"
        (tmp_path / "first.xml").write_bytes(feed("first"))
        assert run(["--index", str(path), "index", str(tmp_path / "first.xml"), "-q"]) == 0
        right, _ = answer(path)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        capsys.readouterr()
        for command in (["index", str(tmp_path / "first.xml")], ["rebuild"], ["doctor"]):
            assert run(["--index", str(path), *command]) == 2, command
            heard = capsys.readouterr()
            assert heard.err.count("\n") == 1, heard.err
            assert "cannot be written" in heard.err
        assert answer(path) == (right, ())
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        assert answer(path) == (right, ())
        sound(path)


# Many at once


def test_two_write_and_eight_read(path: Path, tmp_path: Path) -> None:
    with Index(path) as index:
        (tmp_path / "base.xml").write_bytes(feed("base"))
        index.update([tmp_path / "base.xml"])
    end = time.monotonic() + LOAD

    def write(number: int) -> Callable[[Callable[[object], None]], None]:
        def work(say: Callable[[object], None]) -> None:
            file = tmp_path / f"writer{number}.xml"
            at = 0
            while time.monotonic() < end:
                name = f"writer{number}x{at}"
                file.write_bytes(feed(name))
                with Index(path) as index:
                    for _ in range(10):
                        name = f"writer{number}x{at}"
                        file.write_bytes(feed(name))
                        assert index.update([file]).added == ENTRIES
                        say(name)
                        at += 1
                        if time.monotonic() > end:
                            break

        return work

    def read(say: Callable[[object], None]) -> None:
        seen = searches = 0
        with Index(path) as index:
            while time.monotonic() < end:
                results = index.search("common", limit=3, dedupe=False)
                assert len(results) == 3
                assert results.total >= seen, "an entry is gone"
                seen = results.total
                searches += 1
        say(searches)

    writers = [Child(write(number)) for number in range(2)]
    readers = [Child(read) for _ in range(8)]
    searches = [int(reader.end()[0]) for reader in readers]
    stored = [name for writer in writers for name in writer.end()]
    with Index(path) as index:
        for name in stored:
            assert index.search(name, limit=50, dedupe=False).total == ENTRIES
        total = index.search("common", dedupe=False).total
    assert total == ENTRIES * (len(stored) + 1)
    assert min(searches) > 0
    assert all(any(f"writer{number}x" in name for name in stored) for number in range(2))
    sound(path)
    print(f"{LOAD:g} s: {len(stored)} feeds stored, {sum(searches)} searches, none failed")


def test_four_search_while_the_index_is_made_anew(path: Path, tmp_path: Path) -> None:
    with Index(path) as index:
        for number in range(4):
            (tmp_path / f"{number}.xml").write_bytes(feed(f"feed{number}", 60))
            index.update([tmp_path / f"{number}.xml"])
    right, _ = answer(path)

    def read(say: Callable[[object], None]) -> None:
        with Index(path) as index:
            while not (tmp_path / "end").exists():
                results = index.search("common", limit=1000, dedupe=False)
                assert [hit.entry.id for hit in results] == right
                say("searched")
        say("done")

    readers = [Child(read) for _ in range(4)]
    with Index(path) as index:
        for _ in range(5):
            # However busy the machine is, each of them searches between two rebuilds.
            assert [reader.first_word() for reader in readers] == ["searched"] * 4
            assert index.rebuild() == len(right)
    (tmp_path / "end").touch()
    assert [reader.end()[-1] for reader in readers] == ["done"] * 4


def test_a_backup_is_of_one_state_while_others_write(path: Path, tmp_path: Path) -> None:
    with Index(path) as index:
        (tmp_path / "base.xml").write_bytes(feed("base"))
        index.update([tmp_path / "base.xml"])

    def write(say: Callable[[object], None]) -> None:
        with Index(path) as index:
            for at in range(10_000):
                (tmp_path / "feed.xml").write_bytes(feed(f"later{at}"))
                index.update([tmp_path / "feed.xml"])
                say(f"later{at}")

    writer = Child(write)
    assert writer.first_word()
    sizes = []
    for number in range(4):
        again = tmp_path / f"again{number}"
        again.mkdir()
        copy = tmp_path / f"copy{number}.sqlite"
        with Index(path) as index:
            entries = index.backup(copy)
        assert copy.stat().st_mode & 0o777 == 0o600
        copy.rename(again / "archive.sqlite")
        with Index(again) as index:
            assert index.search("common", dedupe=False).total == entries
            assert index.check().sound
        assert entries % ENTRIES == 0
        sizes.append(entries)
    writer.kill()
    assert sizes == sorted(sizes)
    assert not list(tmp_path.glob("*.part*"))


def test_a_backup_takes_no_place_that_is_taken(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    (tmp_path / "base.xml").write_bytes(feed("base"))
    arguments = ["--index", str(path), "backup", str(copy)]
    assert run(["--index", str(path), "index", str(tmp_path / "base.xml"), "-q"]) == 0
    copy.write_text("mine")
    assert run(arguments) == 2
    assert "--force" in capsys.readouterr().err
    with Index(path) as index, pytest.raises(ArchiveError, match="is there already"):
        index.backup(copy)
    assert copy.read_text() == "mine"
    assert run([*arguments, "--force"]) == 0
    with closing(Archive(copy)) as archive:
        assert archive.figures().entries == ENTRIES
    assert run(["--index", str(path), "backup", str(tmp_path / "none" / "copy")]) == 2
    with closing(Archive(copy)) as archive:
        assert archive.figures().entries == ENTRIES


# Waiting for another writer


@pytest.fixture
def holder(path: Path, tmp_path: Path) -> Iterator[Child]:
    (tmp_path / "base.xml").write_bytes(feed("base"))
    with Index(path) as index:
        index.update([tmp_path / "base.xml"])

    def hold(say: Callable[[object], None]) -> None:
        sys.argv = ["/usr/bin/searchfeed", "--index", "secret", "rebuild", "https://u:p@x.example/"]
        with WriteLock(path / "write.lock", 5):
            say("held")
            time.sleep(60)

    child = Child(hold)
    assert child.first_word() == "held"
    yield child
    child.kill()


def test_who_waits_says_for_whom_and_gives_up_clearly(
    path: Path,
    tmp_path: Path,
    holder: Child,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("searchfeed.locks.NOTICE", 0.1)
    monkeypatch.setattr("searchfeed.store.PATIENCE", 0.5)
    assert run(["--index", str(path), "index", str(tmp_path / "base.xml")]) == 2
    waiting, given_up = capsys.readouterr().err.splitlines()
    who = f"process {holder.pid} (searchfeed rebuild), since "
    assert waiting.startswith(f"waiting for {who}")
    assert f"is being written by {who}" in given_up
    assert "waited 0 s" in given_up or "waited 1 s" in given_up
    # A search neither waits nor says so.
    assert run(["--index", str(path), "search", "common"]) == 0
    assert "waiting" not in capsys.readouterr().err


def test_who_waits_goes_on_when_the_other_is_killed(
    path: Path, tmp_path: Path, holder: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("searchfeed.locks.NOTICE", 0.1)
    told: list[Holder] = []

    def waiting(who: Holder) -> None:
        told.append(who)
        os.kill(holder.pid, signal.SIGKILL)

    (tmp_path / "more.xml").write_bytes(feed("more"))
    with Index(path, waiting=waiting) as index:
        assert index.update([tmp_path / "more.xml"]).added == ENTRIES
    (who,) = told
    assert who.pid == holder.pid
    assert who.since is not None


@pytest.mark.parametrize("said", [b"", b"process 4711\n", b"\xff{", b"[1]", b'{"pid": "x"}'])
def test_a_lock_that_does_not_say_who_holds_it(tmp_path: Path, said: bytes) -> None:
    file = tmp_path / "write.lock"
    with WriteLock(file, 0):
        file.write_bytes(said)
        with pytest.raises(IndexLockedError, match="by another process; waited 0 s"):
            WriteLock(file, 0).__enter__()


# Nobody else can read it, and nothing of anybody else is run


@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_an_index_in_a_directory_that_others_can_read(
    path: Path, tmp_path: Path, mode: int
) -> None:
    path.mkdir()
    path.chmod(mode)
    (path / "whoosh").mkdir()
    (path / "whoosh").chmod(0o755)
    (tmp_path / "base.xml").write_bytes(feed("base"))
    with Index(path) as index:
        index.update([tmp_path / "base.xml"])
        files = {file.name: file.stat().st_mode & 0o777 for file in path.iterdir()}
        assert files.pop("whoosh") == 0o700
        assert len(files) == 4
        assert set(files.values()) == {0o600}
    assert path.stat().st_mode & 0o777 == mode
    (path / "archive.sqlite").chmod(0o644)
    with Index(path) as index:
        assert index.search("common", dedupe=False).total == ENTRIES
    assert (path / "archive.sqlite").stat().st_mode & 0o777 == 0o600


class Crafted(Schema):  # type: ignore[misc]
    """A schema to Whoosh, which makes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        super().__init__()
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Whoosh's file
@pytest.mark.parametrize("part", ["", "whoosh"])
@pytest.mark.parametrize("whose", ["0777", "0770", pytest.param("other", marks=ROOT_ONLY), "own"])
def test_what_somebody_else_could_have_put_there_is_not_unpickled(
    path: Path, tmp_path: Path, part: str, whose: str
) -> None:
    mark = tmp_path / "mark"
    (tmp_path / "base.xml").write_bytes(feed("base"))
    with Index(path) as index:
        index.update([tmp_path / "base.xml"])
    storage = FileStorage(str(path / "whoosh"))
    (path / "whoosh" / "_MAIN_0.toc").unlink()
    TOC(Crafted(mark), [], 0).write(storage, "MAIN")
    assert not mark.exists()
    if whose == "other":
        os.chown(path / part, 12345, -1)
    elif whose != "own":
        (path / part).chmod(int(whose, 8))
    works: list[Callable[[Index], object]] = [
        lambda index: index.search("common"),
        lambda index: index.update([tmp_path / "base.xml"]),
        lambda index: index.rebuild(),
        lambda index: index.check(repair=True),
        lambda index: index.complete("com"),
    ]
    for work in works:
        with Index(path) as index:
            if whose == "own":
                # The same file where nobody else can have put it: Whoosh reads its own table.
                with suppress(SearchfeedError):
                    index.search("common")
                break
            with pytest.raises(UnsafeIndexError):
                work(index)
    assert mark.exists() == (whose == "own")
