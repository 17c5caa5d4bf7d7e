"""Successive snapshots of two real feeds give the entries and versions that stand in them."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from hashlib import blake2b
from pathlib import Path

import pytest

from searchfeed import Index
from searchfeed.archive import Archive, Changes, schema
from searchfeed.feeds import parse
from searchfeed.models import Entry, Feed

ADDRESS = "https://history.example/feed.xml"
SNAPSHOTS = {"rust-blog_en": 60, "wien-oepnv-raw_de": 100}
SEEN = tuple[datetime, Entry]


def snapshots(shared: Path, name: str) -> list[Path]:
    found = sorted((shared / "feeds" / "history" / name).glob("*.xml"))
    assert len(found) == SNAPSHOTS[name]
    return found


def digest(file: Path) -> bytes:
    return blake2b(file.read_bytes(), digest_size=16).digest()


@cache
def read(file: Path, address: str = "") -> Feed:
    return parse(file.read_bytes(), url=address or str(file))


def moment(file: Path) -> datetime:
    """When the snapshot was taken, which is in its name."""
    return datetime.strptime(file.stem.split("_")[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def plain(entry: Entry) -> Entry:
    """Without the title of its feed, whose change is no new version."""
    return replace(entry, feed_title="")


def by_hand(files: list[Path], address: str = "") -> dict[str, list[SEEN]]:
    """What each entry said, from when on, by nothing but reading the files one after the other."""
    history: dict[str, list[SEEN]] = {}
    for file in files:
        for entry in read(file, address).entries:
            said = history.setdefault(entry.id, [])
            if not said or said[-1][1] != plain(entry):
                said.append((moment(file), plain(entry)))
    return history


def replay(archive: Archive, files: list[Path], folder: str = "") -> Changes:
    """Store the snapshots as the states of one feed, each as it was read when it was taken."""
    changes = [
        archive.store(
            read(file, ADDRESS),
            source=f"{folder}{file.name}" if folder else ADDRESS,
            digest=digest(file),
            now=moment(file),
        )
        for file in files
    ]
    return Changes(
        sum(each.added for each in changes),
        sum(each.updated for each in changes),
        sum(each.unchanged for each in changes),
    )


def kept(archive: Archive) -> dict[str, list[SEEN]]:
    ids = [entry.id for _, entry, _ in archive.changes(0)]
    assert len(ids) == len(set(ids))
    return {
        key: [(version.seen, plain(version.entry)) for version in archive.versions(key)]
        for key in ids
    }


def rows(path: Path) -> dict[str, set[tuple[object, ...]]]:
    """All that stands in each table of the database."""
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        return {name: set(connection.execute(f"SELECT * FROM {name}")) for (name,) in tables}


def rows_but_sources(path: Path) -> dict[str, set[tuple[object, ...]]]:
    return {name: stored for name, stored in rows(path).items() if name != "source"}


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_a_replay_gives_what_stands_in_the_files(shared: Path, tmp_path: Path, name: str) -> None:
    files = snapshots(shared, name)
    # The same bytes twice would be a document read before; then the reading by hand is no measure.
    assert len({digest(file) for file in files}) == len(files)
    history = by_hand(files, ADDRESS)
    versions = sum(map(len, history.values()))
    assert versions > len(history) > 100
    with Archive(tmp_path / "archive.sqlite") as archive:
        changes = replay(archive, files)
        assert kept(archive) == history
        assert (changes.added, changes.updated) == (len(history), versions - len(history))
        assert archive.figures().versions == versions


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_a_second_replay_changes_nothing(shared: Path, tmp_path: Path, name: str) -> None:
    files = snapshots(shared, name)
    path = tmp_path / "archive.sqlite"
    with Archive(path) as archive:
        everything = replay(archive, files)
        entries = everything.added + everything.updated + everything.unchanged
        before = rows(path)
        for again in ([files[-1]], files, files[::-1]):
            changes = replay(archive, again)
            assert (changes.added, changes.updated) == (0, 0)
            assert rows(path) == before
        assert changes == Changes(0, 0, entries)
        # Saved under other names, they are documents of the same feed all the same.
        assert replay(archive, files, "saved/") == changes
    del before["source"]
    assert rows_but_sources(path) == before


def test_a_replay_that_stops_anywhere_and_begins_again_misses_nothing(
    shared: Path, tmp_path: Path
) -> None:
    files = snapshots(shared, "wien-oepnv-raw_de")
    history = by_hand(files, ADDRESS)
    with Archive(tmp_path / "archive.sqlite") as archive:
        for end in (1, 17, 18, 60, 100):
            replay(archive, files[:end])
        assert kept(archive) == history


def test_a_folder_of_snapshots_is_indexed_and_indexed_again(shared: Path, tmp_path: Path) -> None:
    files = snapshots(shared, "wien-oepnv-raw_de")[-30:]
    folder = tmp_path / "saved"
    folder.mkdir()
    for file in files:
        shutil.copy(file, folder)
    history = by_hand(files)
    with Index(tmp_path / "index") as index:
        report = index.update(folder)
        assert not report.failures
        assert report.added == len(history)
        for key, said in history.items():
            versions = [plain(version.entry) for version in index.versions(key)]
            assert versions == [entry for _, entry in said]
        before = rows_but_sources(tmp_path / "index" / "archive.sqlite")
        folder = folder.rename(tmp_path / "moved")
        for _ in range(2):
            again = index.update(folder)
            assert (again.added, again.updated, again.failures) == (0, 0, ())
            assert again.unchanged == report.added + report.updated + report.unchanged
        assert rows_but_sources(tmp_path / "index" / "archive.sqlite") == before
        newest = read(files[-1]).entries[0]
        assert newest.id in {hit.entry.id for hit in index.search(f'"{newest.title}"')}


def test_an_archive_of_the_first_release_knows_what_it_read_last(tmp_path: Path) -> None:
    path = tmp_path / "archive.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        for statement in schema.MIGRATIONS[0][1]:
            connection.execute(statement)
        connection.execute("PRAGMA user_version = 1")
        connection.execute("INSERT INTO feed VALUES (1, 'http://a', 'A', '', '', 0)")
        for name in ("a.xml", "copy of a.xml"):
            connection.execute("INSERT INTO source VALUES (?, ?, 1, 7)", (name, b"digest"))
        connection.commit()
    with Archive(path) as archive:
        assert archive.seen("a.xml", b"digest") == archive.seen("copy of a.xml", b"digest") == 7
        assert archive.seen("a.xml", b"another") is None
