"""The one door: what a program that imports searchfeed sees."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import searchfeed
from searchfeed import Index, Query, Report, Sort
from searchfeed.archive import Archive
from searchfeed.errors import (
    ArchiveError,
    EngineError,
    EntryNotFoundError,
    IndexLockedError,
    IndexNotFoundError,
    IndexVersionError,
    ParseError,
    QueryError,
    UnsafeIndexError,
)
from searchfeed.locks import WriteLock

ITEM = """<item><title>{title}</title><link>https://x.example/{number}</link>
<guid isPermaLink="false">entry-{number}</guid><description>{body}</description>
<pubDate>{number:02d} Mar 2024 10:00:00 GMT</pubDate></item>"""


def rss(*entries: tuple[int, str, str], title: str = "Harbour News") -> str:
    body = "".join(ITEM.format(number=at, title=name, body=text) for at, name, text in entries)
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>{title}</title>'
        f"<link>https://x.example/</link><language>en</language>{body}</channel></rss>"
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    file = tmp_path / "harbour.xml"
    file.write_text(rss((1, "Ferry late", "The ferry came late."), (2, "Fish market", "Herring.")))
    return file


@pytest.fixture
def index(path: Path, feed: Path) -> Iterator[Index]:
    with Index(path) as opened:
        opened.update([feed])
        yield opened


def titles(index: Index, query: str, **options: object) -> list[str]:
    return [hit.entry.title for hit in index.search(query, **options)]  # type: ignore[arg-type]


def test_update_reports_and_search_finds(path: Path, feed: Path) -> None:
    with Index(path) as index:
        assert index.update([feed]) == Report(added=2)
        results = index.search("ferry late")
    assert results.total == len(results) == 1
    hit = results[0]
    assert hit.entry.title == "Ferry late"
    assert hit.entry.link == "https://x.example/1"
    assert hit.entry.published == datetime(2024, 3, 1, 10, tzinfo=UTC)
    assert hit.score > 0
    assert hit.snippets[0].mark("[", "]") == "The [ferry] came [late]."
    title = hit.snippet("title")
    assert title is not None
    assert title.mark("<", ">") == "<Ferry> <late>"
    assert results.elapsed > 0


def test_the_directory_is_for_the_user_alone(index: Index, path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o700
    assert (path / "whoosh").stat().st_mode & 0o777 == 0o700


def test_the_library_prints_nothing(
    path: Path, feed: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with Index(path) as index:
        index.update([feed, "missing.xml"])
        index.search("ferry OR")
        index.rebuild()
    assert capfd.readouterr() == ("", "")


def test_nothing_is_made_by_asking(path: Path) -> None:
    with Index(path) as index:
        for ask in (
            lambda: index.search("x"),
            lambda: index.get("abcd"),
            index.feeds,
            index.stats,
            index.rebuild,
        ):
            with pytest.raises(IndexNotFoundError, match="searchfeed index"):
                ask()
    assert not path.exists()


def test_a_bad_source_costs_the_good_ones_nothing(path: Path, feed: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<html><body>No feed</body></html>")
    with Index(path) as index:
        report = index.update([page, tmp_path / "missing.xml", feed])
    assert (report.added, len(report.failures)) == (2, 2)
    assert {type(failure) for failure in report.failures} >= {ParseError}
    assert {failure.source for failure in report.failures} == {
        str(page),
        str(tmp_path / "missing.xml"),
    }


def test_the_same_document_again_is_unchanged(index: Index, feed: Path) -> None:
    assert index.update(str(feed)) == Report(unchanged=2)


def test_an_edited_entry_is_found_by_its_new_words_only(index: Index, feed: Path) -> None:
    feed.write_text(rss((1, "Ferry late", "The boat sank."), (2, "Fish market", "Herring.")))
    assert index.update([feed]) == Report(updated=1, unchanged=1)
    assert titles(index, "sank") == ["Ferry late"]
    assert titles(index, "came") == []
    assert titles(index, "is:updated") == ["Ferry late"]
    old, new = index.versions(index.search("sank")[0].entry.id)
    assert (old.entry.body, new.entry.body) == ("The ferry came late.", "The boat sank.")


def test_an_entry_that_left_the_feed_stays(index: Index, feed: Path) -> None:
    feed.write_text(rss((3, "New pier", "Opened.")))
    assert index.update([feed]) == Report(added=1)
    assert titles(index, "ferry") == ["Ferry late"]
    assert index.stats().entries == 3


def test_a_new_feed_title_shows_and_is_no_new_version(index: Index, feed: Path) -> None:
    feed.write_text(
        rss((1, "Ferry late", "The ferry came late."), (2, "Fish market", "Herring.")).replace(
            "Harbour News", "Quay Gazette"
        )
    )
    index.update([feed])
    state = [one for one in index.feeds() if one.title == "Quay Gazette"]
    assert len(state) == 1


def test_queries_limits_and_sorts(index: Index) -> None:
    assert titles(index, "") == ["Fish market", "Ferry late"]
    assert titles(index, "", sort="date") == ["Ferry late", "Fish market"]
    assert titles(index, "", limit=1, offset=1) == ["Ferry late"]
    results = index.search(Query("", limit=1, sort=Sort.OLDEST))
    assert (len(results), results.total) == (1, 2)
    with pytest.raises(ValueError, match="limit"):
        index.search("x", limit=0)
    with pytest.raises(ValueError, match="relevant"):
        index.search("x", sort="relevant")
    with pytest.raises(QueryError):
        index.search("date:garbage")


def test_a_search_can_keep_to_feeds(index: Index, tmp_path: Path) -> None:
    other = tmp_path / "other.xml"
    other.write_text(
        rss((1, "Ferry museum", "Old boats."), title="Museum Letter").replace(
            "x.example", "museum.example"
        )
    )
    index.update([other])
    assert sorted(titles(index, "ferry")) == ["Ferry late", "Ferry museum"]
    assert titles(index, "ferry", feeds=["museum"]) == ["Ferry museum"]
    assert sorted(titles(index, "ferry", feeds=["museum", "harbour"])) == [
        "Ferry late",
        "Ferry museum",
    ]
    assert titles(index, "ferry", feeds=["nobody"]) == []


def test_an_entry_by_a_part_of_its_id(index: Index) -> None:
    entry = index.search("ferry")[0].entry
    assert index.get(entry.id) == index.get(entry.id[:8]) == entry
    with pytest.raises(EntryNotFoundError):
        index.get("ffffffff")


def test_figures(index: Index, path: Path) -> None:
    stats = index.stats()
    assert (stats.feeds, stats.entries, stats.versions) == (1, 2, 2)
    assert stats.oldest == datetime(2024, 3, 1, 10, tzinfo=UTC)
    assert stats.newest == datetime(2024, 3, 2, 10, tzinfo=UTC)
    assert stats.archive_size > 0
    assert stats.index_size > 0
    assert stats.path == str(path)


def test_progress_names_what_is_done(path: Path, feed: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    with Index(path) as index:
        index.update([feed], progress=lambda *step: seen.append(step))
        assert seen[:2] == [("read", 0, 1), ("read", 1, 1)]
        assert seen[-1] == ("index", 2, 2)
        seen.clear()
        assert index.rebuild(progress=lambda *step: seen.append(step)) == 2
    assert seen[-1] == ("index", 2, 2)


def test_what_the_archive_took_before_a_crash_is_found(index: Index, path: Path) -> None:
    # As if the process had died between the archive's commit and the engine's.
    from searchfeed.feeds import parse

    document = rss((7, "Night bus", "Runs hourly.")).encode()
    with Archive(path / "archive.sqlite") as archive:
        archive.store(parse(document, url="https://x.example/"))
    assert titles(index, "hourly") == ["Night bus"]
    with Index(path) as again:
        assert titles(again, "hourly") == ["Night bus"]


def test_rebuild_needs_no_feed(index: Index, feed: Path) -> None:
    feed.unlink()
    assert index.rebuild() == 2
    assert titles(index, "ferry") == ["Ferry late"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Whoosh's file
def test_an_index_that_is_gone_or_broken_comes_back(index: Index, path: Path) -> None:
    shutil.rmtree(path / "whoosh")
    with Index(path) as again:
        assert titles(again, "ferry") == ["Ferry late"]
    for file in (path / "whoosh").iterdir():
        if file.suffix == ".toc":
            file.write_bytes(b"not a table of contents")
    with Index(path) as broken:
        with pytest.raises(EngineError, match="rebuild"):
            broken.search("ferry")
        assert broken.rebuild() == 2
        assert titles(broken, "ferry") == ["Ferry late"]


def test_an_index_of_another_analyzer_is_made_anew(
    index: Index, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from searchfeed.engines.whoosh import engine

    monkeypatch.setattr(engine, "FORMAT", engine.FORMAT + 1)
    with Index(path) as newer:
        assert titles(newer, "ferry") == ["Ferry late"]
    monkeypatch.setattr(engine, "FORMAT", engine.FORMAT + 1)
    monkeypatch.setattr("searchfeed.store.SMALL", 1)
    with Index(path) as newer:
        with pytest.raises(IndexVersionError, match="searchfeed rebuild"):
            newer.search("ferry")
        assert newer.rebuild() == 2
        assert titles(newer, "ferry") == ["Ferry late"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
@pytest.mark.parametrize("part", ["", "whoosh"])
def test_a_directory_of_somebody_else_is_refused(path: Path, feed: Path, part: str) -> None:
    with Index(path) as index:
        index.update([feed])
    os.chown(path / part, 12345, -1)
    with Index(path) as index, pytest.raises(UnsafeIndexError, match="another user"):
        index.search("ferry")
    with Index(path) as index, pytest.raises(UnsafeIndexError, match="another user"):
        index.update([feed, "more.xml"])


def test_a_search_index_that_others_can_write_to_is_refused(path: Path, feed: Path) -> None:
    with Index(path) as index:
        index.update([feed])
    (path / "whoosh").chmod(0o770)
    with Index(path) as index, pytest.raises(UnsafeIndexError, match="chmod go-w"):
        index.search("ferry")


def test_a_place_that_cannot_be_made_is_said(tmp_path: Path, feed: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with Index(tmp_path / "file" / "index") as index, pytest.raises(ArchiveError, match="--index"):
        index.update([feed])


def test_a_second_writer_is_told_who_writes(
    index: Index, path: Path, feed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("searchfeed.store.PATIENCE", 0.2)
    feed.write_text(rss((5, "Later", "Later.")))
    with (
        WriteLock(path / "write.lock", 0),
        pytest.raises(IndexLockedError, match=f"process {os.getpid()}"),
    ):
        index.update([feed])
    assert index.update([feed]).added == 1


def test_a_search_does_not_wait_for_a_writer(index: Index, path: Path) -> None:
    from searchfeed.feeds import parse

    with Archive(path / "archive.sqlite") as archive, WriteLock(path / "write.lock", 0):
        archive.store(parse(rss((7, "Night bus", "Hourly.")).encode(), url="https://x.example/"))
        results = index.search("ferry OR bus")
        assert [hit.entry.title for hit in results] == ["Ferry late"]
        assert any("being updated" in note for note in results.notes)
    assert sorted(titles(index, "ferry OR bus")) == ["Ferry late", "Night bus"]


def test_several_threads_share_one_index(index: Index, tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            file = tmp_path / f"thread-{number}.xml"
            file.write_text(
                rss((number, f"Thread {number}", "Woven."), title=f"Loom {number}").replace(
                    "x.example", f"loom{number}.example"
                )
            )
            index.update([file])
            for _ in range(10):
                assert f"Thread {number}" in titles(index, "woven", limit=50)
                index.get(index.search("ferry")[0].entry.id)
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert index.search("woven", limit=50).total == 8


def test_a_closed_index_opens_again(index: Index) -> None:
    index.close()
    assert titles(index, "ferry") == ["Ferry late"]


def test_every_error_is_a_searchfeed_error() -> None:
    errors = [getattr(searchfeed, name) for name in searchfeed.__all__ if name.endswith("Error")]
    assert len(errors) >= 13
    assert all(issubclass(error, searchfeed.SearchfeedError) for error in errors)
