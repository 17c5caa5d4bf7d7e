"""Damage is found in every file, and mended as far as it can be.

``SEARCHFEED_FLIPS=200`` turns so many bytes of each file instead of a few.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from searchfeed import Index
from searchfeed.archive import schema
from searchfeed.archive.log import read_log
from searchfeed.archive.records import CONTENT, content_hash
from searchfeed.archive.restoring import restore
from searchfeed.cli import run
from searchfeed.doctor import Checkup
from searchfeed.errors import IndexNotFoundError, IndexVersionError

ROOT = Path(__file__).parents[1]
FLIPS = int(os.environ.get("SEARCHFEED_FLIPS", "3"))


def tables() -> list[str]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        schema.migrate(connection)
        query = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid"
        return [name for (name,) in connection.execute(query)]


TABLES = tables()

KILLED = """
import os, sys
from searchfeed import Index
with Index(sys.argv[1]) as index:
    index.update(sys.argv[2])
index.update(sys.argv[3])
index.subscribe(["https://feeds.example/a.xml"])
index.search("news")
os.kill(os.getpid(), 9)
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index whose last writer was killed, so that a part of it is in the log."""
    path = tmp_path_factory.mktemp("doctor") / "index"
    feeds = ROOT / "fixtures"
    some = [str(feeds / "atom-full.xml"), str(feeds)]
    if not Path(some[0]).exists():
        some[0] = str(sorted(feeds.glob("*.xml"))[0])
    code = KILLED.replace('index.subscribe(["https://feeds.example/a.xml"])\n', "")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(path), *some],
        cwd=ROOT,
        env={**os.environ, "SEARCHFEED_WORKERS": "0"},
    )
    assert done.returncode == -9
    assert (path / "archive.sqlite-wal").stat().st_size > 50_000
    return path


@pytest.fixture
def path(base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base, tmp_path / "index"))


def everything(path: Path) -> dict[str, list[Any]]:
    """All rows of all tables, whatever is wrong with them."""
    with closing(sqlite3.connect(path / "archive.sqlite")) as connection:
        return {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
            for table in TABLES
        }


def check(path: Path, *, repair: bool = False) -> Checkup:
    with Index(path) as index:
        return index.check(repair=repair)


def found(path: Path) -> list[str]:
    with Index(path) as index:
        return [hit.entry.id for hit in index.search("the", limit=1000)]


def settled(path: Path) -> Path:
    """The same index with nothing left in the log."""
    with closing(sqlite3.connect(path / "archive.sqlite")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def flip(file: Path, at: int, bits: int) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= bits
    file.write_bytes(data)


def test_a_sound_index_is_sound(path: Path) -> None:
    with Index(path) as index:
        told: list[tuple[str, int, int]] = []
        checkup = index.check(progress=lambda *now: told.append(now))
        stats = index.stats()
    assert checkup == Checkup(entries=stats.entries, versions=stats.versions)
    assert checkup.sound
    assert told[-1] == ("check", stats.versions, stats.versions)


def test_where_there_is_no_index_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFoundError):
        check(tmp_path / "none")
    assert not (tmp_path / "none").exists()


# Bytes that change


@pytest.mark.parametrize("place", ["log", "settled"])
def test_a_byte_that_changes_is_found_and_no_entry_is_lost(
    base: Path, tmp_path: Path, place: str
) -> None:
    """In any file; what is not found has changed nothing of what is kept or found."""
    path = tmp_path / "index"
    shutil.copytree(base, path)
    whole = everything(path)
    entries = {row[1] for row in whole["entry"]}
    shutil.rmtree(path)
    shutil.copytree(base, path)
    if place == "settled":
        settled(path)
    sound = tmp_path / "sound"
    path.rename(sound)
    shutil.copytree(sound, path)
    answer = found(path)
    missed = 0
    names = sorted(str(file.relative_to(sound)) for file in sound.rglob("*") if file.is_file())
    if place == "settled":
        names = ["archive.sqlite"]
    for name in names:
        random_source = random.Random(f"{place} {name}")
        size = (sound / name).stat().st_size
        for _ in range(min(FLIPS, size)):
            shutil.rmtree(path)
            shutil.copytree(sound, path)
            at, bits = random_source.randrange(size), random_source.choice([1, 16, 128, 255])
            case = f"byte {at} of {name} ^ {bits}"
            flip(path / name, at, bits)
            checkup = check(path)
            if not checkup.archive and not checkup.index:
                assert everything(path) == whole, case
                assert found(path) == answer, case
                missed += 1
                continue
            mended = check(path, repair=True)
            assert mended.repairs, case
            assert not [each for each in mended.losses if each.startswith("still wrong")], case
            again = check(path)
            assert (again.archive, again.index) == ((), ()), case
            if name.startswith("whoosh"):
                assert everything(path) == whole, case
                assert found(path) == answer, case
                assert mended.sound, case
            if mended.sound:
                assert {row[1] for row in everything(path)["entry"]} == entries, case
    assert missed < FLIPS * len(names) or FLIPS < 50


def test_every_column_stands_twice_or_is_hashed() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        schema.migrate(connection)
        for table in TABLES:
            twice = {"versions"} if table == "entry" else set()
            if table == "version":
                twice = {*CONTENT, "hash"}
            indexes = connection.execute(f"PRAGMA index_list({table})").fetchall()
            rowless = "WITHOUT ROWID" in str(
                connection.execute(
                    "SELECT sql FROM sqlite_schema WHERE name = ?", (table,)
                ).fetchone()
            )
            for _, name, _, origin, _ in indexes:
                if not (rowless and origin == "pk"):
                    rows = connection.execute(f"PRAGMA index_xinfo({name})")
                    twice.update(str(row[2]) for row in rows)
            columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
            numbers = {row[1] for row in columns if row[5] and row[2] == "INTEGER" and not rowless}
            names = {row[1] for row in columns} - numbers
            assert names <= twice, f"{table} needs an index with {names - twice}; see schema.py"


def test_a_changed_text_is_named_and_put_right(path: Path) -> None:
    settled(path)
    with closing(sqlite3.connect(path / "archive.sqlite", isolation_level=None)) as connection:
        sequence = connection.execute("UPDATE state SET sequence = sequence + 1 RETURNING sequence")
        (number,) = sequence.fetchone()
        connection.execute("INSERT INTO removal VALUES (?, '0123456789abcdef', 1)", (number,))
        connection.execute(
            "INSERT INTO subscription (feed, url, state, etag) "
            "VALUES (1, 'http://a', 'active', 'x')"
        )
        connection.execute("INSERT INTO search VALUES (1, 'ships', 'Ships', 'ship*', 5, NULL, 3)")
        connection.execute("INSERT INTO alert VALUES (1, '0123456789abcdef', 3, 0, NULL)")
    whole = everything(path)
    assert all(whole.values()), "a table without a row is not tested"
    (identity,) = [row[1] for row in whole["entry"] if row[0] == 7]
    with closing(sqlite3.connect(path / "archive.sqlite", isolation_level=None)) as connection:
        connection.execute(
            "UPDATE version SET title = 'X' || substr(title, 2) WHERE entry = 7 AND ordinal = 1"
        )
    checkup = check(path)
    assert checkup.archive == (f"the text of the entry {identity} in its version 1 is damaged",)
    assert not checkup.sound
    mended = check(path, repair=True)
    assert mended.sound
    assert everything(path) == whole
    (kept,) = path.glob(f"archive.sqlite.damaged-{datetime.now().astimezone():%Y%m%d}-*")
    assert kept.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("place", [*range(len(CONTENT)), "hash"])
def test_one_changed_byte_of_a_version_is_undone_by_its_hash(place: int | str) -> None:
    right: list[Any] = ["Tïtle", "https://x.example/", "[]", '["a"]', 10**15, None, "en", "[]"]
    right.append('Zeile "eins"\n' * 40)
    stored = content_hash(tuple(right))
    wrong = list(right)
    if place == "hash":
        assert restore(right, bytes((stored[0] ^ 8,)) + stored[1:]) == right
    elif right[int(place)] is None:
        assert restore([*right[:5], 3, *right[6:]], stored) is None
    else:
        value = right[int(place)]
        if isinstance(value, int):
            wrong[int(place)] = value ^ 1 << 40
        else:
            raw = bytearray(value.encode())
            raw[1] ^= 0x80
            wrong[int(place)] = raw.decode(errors="surrogateescape")
        assert restore(wrong, stored) == right


# Worse damage


def test_a_search_index_that_is_gone_or_rubbish_costs_nothing(path: Path) -> None:
    whole, answer = everything(path), found(path)
    for file in (path / "whoosh").iterdir():
        file.write_bytes(b"rubbish")
    checkup = check(path)
    assert checkup.index
    assert not checkup.archive
    assert check(path, repair=True).sound
    assert (everything(path), found(path)) == (whole, answer)
    assert not list(path.glob("*damaged*"))


def test_a_page_of_rubbish_costs_what_stood_on_it(path: Path) -> None:
    settled(path)
    entries = {row[1]: row for row in everything(path)["entry"]}
    file = path / "archive.sqlite"
    data = file.read_bytes()
    for page in range(2, len(data) // 4096):
        worn = bytearray(data)
        worn[page * 4096 : page * 4096 + 4096] = b"\xa5" * 4096
        for suffix in ("-wal", "-shm"):
            Path(f"{file}{suffix}").unlink(missing_ok=True)
        file.write_bytes(worn)
        if page % 5 and FLIPS < 50:
            continue
        mended = check(path, repair=True)
        again = check(path)
        assert (again.archive, again.index) == ((), ()), page
        kept = {row[1] for row in everything(path)["entry"]}
        lost = entries.keys() - kept
        assert len(lost) <= 25, page
        told = "\n".join(mended.losses)
        assert all(identity in told for identity in lost), page


def test_what_a_feed_lost_comes_back_with_it(tmp_path: Path) -> None:
    path, file = tmp_path / "index", tmp_path / "index" / "archive.sqlite"
    with Index(path) as index:
        index.update([ROOT / "fixtures"])
        before = index.stats().entries
    settled(path)
    with closing(sqlite3.connect(file)) as connection:
        root = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'version'"
        ).fetchone()[0]
    data = bytearray(file.read_bytes())
    leaf = int.from_bytes(data[(root - 1) * 4096 + 8 :][:4], "big")
    data[leaf * 4096 - 4000 : leaf * 4096] = os.urandom(4000)
    file.write_bytes(data)
    mended = check(path, repair=True)
    assert mended.losses
    with Index(path) as index:
        index.update([ROOT / "fixtures"])
        assert index.stats().entries == before
        assert index.check().sound


def test_a_log_that_was_cut_is_found(path: Path) -> None:
    log = path / "archive.sqlite-wal"
    log.write_bytes(log.read_bytes()[:-5000])
    checkup = check(path)
    assert any("log is damaged" in each for each in checkup.archive)


def test_a_log_whose_last_transaction_was_not_ended_is_no_damage(path: Path) -> None:
    log = read_log(path / "archive.sqlite")
    assert log.trouble == ""
    assert log.committed == len(log.frames)
    file = path / "archive.sqlite-wal"
    file.write_bytes(file.read_bytes() + os.urandom(3000))
    assert read_log(path / "archive.sqlite").trouble == ""
    assert check(path).sound


def test_who_has_it_open_sees_the_repaired_one(path: Path) -> None:
    settled(path)
    with Index(path) as reader:
        answer = [hit.entry.id for hit in reader.search("the", limit=1000)]
        with closing(sqlite3.connect(path / "archive.sqlite")) as connection:
            connection.execute("UPDATE version SET title = 'X' || substr(title, 2) WHERE entry = 7")
            connection.commit()
        # By a process of its own: one that reads must not see locks of another vanish.
        done = subprocess.run(
            [sys.executable, "-m", "searchfeed", "--index", str(path), "doctor", "--repair"],
            cwd=ROOT,
        )
        assert done.returncode == 0
        hits = reader.search("the", limit=1000)
        assert [hit.entry.id for hit in hits] == answer
        assert not [hit for hit in hits if hit.entry.title.startswith("X")]


# The archive and the search index


def test_a_search_index_that_is_behind_is_nothing_wrong(path: Path) -> None:
    from searchfeed.archive import Archive
    from searchfeed.models import Entry, Feed

    entry = Entry("0123456789abcdef", "https://x.example/", "X", "Late", "Text")
    with Archive(path / "archive.sqlite") as archive:
        archive.store(Feed("https://x.example/", "X", entries=(entry,)))
    checkup = check(path)
    assert checkup.sound
    assert checkup.waiting == 1
    assert check(path).waiting == 1


def test_disagreement_is_found_and_mended(path: Path) -> None:
    from searchfeed.engines import Change, open_engine
    from searchfeed.models import Entry

    engine = open_engine("whoosh", path / "whoosh")
    strange = Entry("0123456789abcdef", "https://x.example/", "X", "Strange", "Text")
    gone = engine.check().ids[0]
    engine.write([Change(1, strange)], removed=[gone], reached=engine.reached + 5)
    engine.close()
    told = " ".join(check(path).index)
    for each in ("but the archive only at", "not in the archive: 0123456789abcdef", gone):
        assert each in told
    assert check(path, repair=True).sound
    assert check(path).sound


def test_an_archive_of_a_newer_release_is_refused_and_kept(path: Path) -> None:
    with closing(sqlite3.connect(path / "archive.sqlite", isolation_level=None)) as connection:
        connection.execute("UPDATE state SET release = '9.0.0'")
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    with pytest.raises(IndexVersionError, match=r"needs searchfeed 9\.0\.0"):
        check(path, repair=True)
    assert not list(path.glob("*damaged*"))


def test_a_version_that_changed_on_the_disk_is_not_taken_for_a_newer_release(path: Path) -> None:
    settled(path)
    whole = everything(path)
    with closing(sqlite3.connect(path / "archive.sqlite", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 64}")
    assert check(path).archive
    assert check(path, repair=True).sound
    assert everything(path) == whole


# The command


def test_the_command_says_what_it_found(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--index", str(path), "doctor"]) == 0
    heard = capsys.readouterr()
    assert heard.out == ""
    assert "all is well" in heard.err
    (segment, *_) = (path / "whoosh").glob("*.sfc")
    flip(segment, segment.stat().st_size // 2, 4)
    assert run(["--index", str(path), "doctor"]) == 1
    heard = capsys.readouterr()
    assert heard.out.startswith("damaged: the search index: ")
    assert "doctor --repair" in heard.err
    assert run(["--index", str(path), "doctor", "--repair"]) == 0
    heard = capsys.readouterr()
    assert "repaired: the search index was made anew" in heard.out
    assert "all is well again" in heard.err
    assert run(["--index", str(path), "doctor", "-q"]) == 0
    heard = capsys.readouterr()
    assert (heard.out, heard.err) == ("", "")
    assert run(["--index", str(path / "none"), "doctor"]) == 2
