"""Feeds from the web into an index, against a real server on loopback."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout, suppress
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest

from searchfeed import FeedState, FetchError, Index, Report, cli
from searchfeed.errors import FeedNotFoundError, IndexLockedError
from searchfeed.intake import web as intake_web
from searchfeed.locks import WriteLock
from searchfeed.models import SubscriptionState
from tests.loopback import Answer, Received, Web
from tests.program import PROGRAM, wait_until

KILLS = int(os.environ.get("SEARCHFEED_KILLS", "3"))
"""A kill takes about a second."""


def rss(title: str, *entries: str, link: str = "") -> bytes:
    items = "".join(
        f"<item><title>{entry}</title><guid>{entry}</guid><link>{link or f'/{entry}'}</link></item>"
        for entry in entries
    )
    return f"<rss version='2.0'><channel><title>{title}</title>{items}</channel></rss>".encode()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    # Documents are read in this process, which is quicker; TestManyAtOnce uses others.
    monkeypatch.setenv("SEARCHFEED_WORKERS", "0")
    with Index(tmp_path / "index") as opened:
        yield opened


def update(index: Index, *sources: str | Path) -> Report:
    return index.update(sources, allow_private=True)


def refresh(index: Index, *feeds: str, force: bool = False) -> Report:
    return index.refresh(feeds, force=force, allow_private=True)


def by_url(index: Index) -> dict[str, FeedState]:
    return {feed.url: feed for feed in index.feeds()}


def command(index: Index, *arguments: str) -> tuple[int, str, str]:
    """The program in this process: its exit code and what it wrote."""
    output, errors = StringIO(), StringIO()
    with redirect_stdout(output), redirect_stderr(errors):
        code = cli.run(["--index", str(index.path), *arguments])
    return code, output.getvalue(), errors.getvalue()


class TestSubscribing:
    def test_a_url_is_remembered_and_asked_only_for_what_is_new(
        self, index: Index, web: Web
    ) -> None:
        web.publish("/feed", rss("Harbour", "ferry", "herring"))
        assert update(index, web.url("/feed")) == Report(added=2, fetched=1)
        assert [hit.entry.title for hit in index.search("ferry")] == ["ferry"]
        (feed,) = index.feeds()
        assert (feed.url, feed.title, feed.entries) == (web.url("/feed"), "Harbour", 2)
        assert feed.subscription
        assert feed.subscription.last_success

        assert refresh(index) == Report(fetched=1)
        again = web.asked("/feed")[1].headers
        assert again["if-none-match"]
        assert again["if-modified-since"] == "Wed, 04 Nov 2026 10:00:00 GMT"

        web.publish("/feed", rss("Harbour", "storm", "ferry"))
        assert refresh(index) == Report(added=1, unchanged=1, fetched=1)
        assert index.search("storm").total == 1
        assert index.search("herring").total == 1

    def test_the_same_bytes_are_not_parsed_again(self, index: Index, web: Web) -> None:
        web.play("/feed", Answer(body=rss("Harbour", "ferry", "herring")))
        update(index, web.url("/feed"))
        assert refresh(index) == Report(unchanged=2, fetched=1)

    def test_everything_at_once(self, index: Index, web: Web, tmp_path: Path) -> None:
        for name in ("one", "two", "three", "four"):
            web.publish(f"/{name}", rss(name, f"entry-{name}"))
        file = tmp_path / "file.xml"
        file.write_bytes(rss("file", "entry-file"))
        opml = tmp_path / "list.opml"
        opml.write_text(
            "<opml version='2.0'><body><outline text='News'>"
            f"<outline type='rss' text='My two' xmlUrl='{web.url('/two')}'/>"
            "</outline></body></opml>"
        )
        listed = f"<opml><body><outline xmlUrl='{web.url('/three')}'/></body></opml>"
        web.play("/list", Answer(body=listed.encode(), headers={"Content-Type": "text/x-opml"}))
        page = (
            "<!doctype html><html><head>"
            "<link rel=alternate type=application/rss+xml href=four></head><body>x</body></html>"
        )
        web.play("/page", Answer(body=page.encode(), headers={"Content-Type": "text/html"}))
        report = update(
            index, file, web.url("/one"), opml, web.url("/list"), web.url("/page"), "missing.xml"
        )
        assert report.added == 5
        assert [failure.source for failure in report.failures] == ["missing.xml"]
        known = by_url(index)
        assert {feed.url for feed in known.values() if feed.subscription} == {
            web.url(f"/{name}") for name in ("one", "two", "three", "four")
        }
        assert known[web.url("/two")].tags == ("News",)
        assert known[web.url("/two")].title == "My two"
        assert index.search("tag:news").total == 1
        assert f"{web.url('/page')}: not a feed, but it leads to {web.url('/four')}" in (
            report.warnings
        )

    def test_pages_and_lists_are_followed_once(self, index: Index, web: Web) -> None:
        page = "<html><head><link rel=alternate type=application/rss+xml href=/page></head></html>"
        web.play("/page", Answer(body=page.encode()))
        web.play("/start", Answer(body=page.encode()))
        report = update(index, web.url("/start"))
        (failure,) = report.failures
        assert failure.source == web.url("/page")
        assert failure.remedy.startswith(f"it announces {web.url('/page')}; subscribe with: ")
        assert index.feeds() == ()

    def test_what_is_no_feed_is_not_kept_and_what_fails_is(self, index: Index, web: Web) -> None:
        web.play("/text", Answer(body=b"Good evening."))
        web.play("/busy", Answer(503, headers={"Retry-After": "3600"}))
        report = update(index, web.url("/text"), web.url("/busy"), web.url("/missing"))
        assert len(report.failures) == 3
        assert set(by_url(index)) == {web.url("/busy"), web.url("/missing")}

    def test_a_private_address_is_asked_only_where_that_is_allowed(
        self, index: Index, web: Web, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        web.publish("/feed", rss("Harbour", "ferry"))
        (failure,) = index.update(web.url("/feed")).failures
        assert isinstance(failure, FetchError)
        assert "--allow-private" in failure.remedy
        assert web.requests == []
        code, _, errors = command(index, "update", "--force")
        assert (code, "1 source failed" in errors) == (2, True)
        monkeypatch.setenv("SEARCHFEED_ALLOW_PRIVATE", "1")
        code, _, errors = command(index, "update", "--force")
        assert code == 0
        assert errors.startswith("1 feed: 1 added, 0 updated, 0 unchanged in ")

    def test_a_password_is_sent_and_never_shown(self, index: Index, web: Web) -> None:
        web.play("/feed", Answer(body=rss("Harbour", "ferry")), Answer(403))
        update(index, web.url("/feed", user="me:secret"))
        assert web.requests[0].headers["authorization"].startswith("Basic ")
        refresh(index)
        for arguments in (["update"], ["feeds", "--json"], ["feeds", "export"], ["-v", "feeds"]):
            assert "secret" not in "".join(command(index, *arguments)[1:])
        assert [feed.url for feed in index.feeds()] == [web.url("/feed")]


class TestDocuments:
    def test_links_start_from_where_the_document_lies(self, index: Index, web: Web) -> None:
        web.play("/old", Answer(302, headers={"Location": "/new/place/feed"}))
        web.play("/new/place/feed", Answer(body=rss("Harbour", "ferry", link="a/1")))
        update(index, web.url("/old"))
        (hit,) = index.search("ferry")
        assert hit.entry.link == web.url("/new/place/a/1")
        assert hit.entry.feed_url == web.url("/old")

    def test_the_server_tells_the_encoding(self, index: Index, web: Web) -> None:
        body = rss("Harbour", "Fjærland").decode().encode("iso-8859-5", "replace")
        body = body.replace(b"?", "Ж".encode("iso-8859-5"))
        kind = {"Content-Type": "text/xml; charset=iso-8859-5"}
        web.play("/feed", Answer(body=body, headers=kind))
        update(index, web.url("/feed"))
        (hit,) = index.search("Fj*")
        assert hit.entry.title == "FjЖrland"


class TestSchedule:
    def test_what_is_not_due_waits_unless_it_is_wanted(self, index: Index, web: Web) -> None:
        web.publish("/slow", rss("Slow", "a"), headers={"Cache-Control": "max-age=7200"})
        web.publish("/quick", rss("Quick", "b"))
        update(index, web.url("/slow"), web.url("/quick"))
        report = refresh(index)
        assert (report.fetched, report.waiting) == (1, 1)
        assert report.next_fetch
        left = report.next_fetch - datetime.now(UTC)
        assert timedelta(hours=1, minutes=58) < left <= timedelta(hours=2)
        assert refresh(index, "slow") == Report(fetched=1)
        assert refresh(index, force=True).fetched == 2
        _, _, errors = command(index, "update", "--allow-private")
        assert errors.endswith("; 1 feed not due yet, it is in 2 hours\n")
        with pytest.raises(FeedNotFoundError, match="no feed is called 'slaw'; near it are Slow"):
            refresh(index, "slaw")

    def test_a_feed_says_itself_how_long_it_will_be_the_same(self, index: Index, web: Web) -> None:
        body = rss("Harbour", "ferry").replace(b"<item>", b"<ttl>180</ttl><item>", 1)
        web.play("/feed", Answer(body=body))
        update(index, web.url("/feed"))
        (feed,) = index.feeds()
        assert feed.subscription
        assert feed.subscription.next_fetch
        assert feed.subscription.last_fetch
        pause = feed.subscription.next_fetch - feed.subscription.last_fetch
        assert pause == timedelta(minutes=180)

    def test_a_server_that_asks_to_be_left_alone_is(self, index: Index, web: Web) -> None:
        web.play("/feed", Answer(429, headers={"Retry-After": "7200"}))
        assert len(update(index, web.url("/feed")).failures) == 1
        for report in (refresh(index, force=True), refresh(index, web.url("/feed"))):
            assert (report.fetched, report.waiting) == (0, 1)
            (warning,) = report.warnings
            assert warning.startswith(
                f"{web.url('/feed')}: not fetched; its server asked to be left alone until 20"
            )
        assert (refresh(index).fetched, refresh(index).waiting) == (0, 1)
        assert len(web.requests) == 1

    def test_after_a_failure_only_who_insists_is_served(self, index: Index, web: Web) -> None:
        web.play("/feed", Answer(404), Answer(body=rss("Harbour", "ferry")))
        update(index, web.url("/feed"))
        assert (refresh(index).waiting, len(web.requests)) == (1, 1)
        assert refresh(index, force=True) == Report(added=1, fetched=1)
        (feed,) = index.feeds()
        assert feed.subscription
        assert (feed.subscription.failures, feed.subscription.last_error) == (0, "")

    def test_gone_is_said_once(self, index: Index, web: Web) -> None:
        back = rss("Harbour", "ferry", "herring")
        web.play("/feed", Answer(body=rss("Harbour", "ferry")), Answer(410), Answer(body=back))
        update(index, web.url("/feed"))
        (failure,) = refresh(index).failures
        assert failure.remedy == "it is not asked for any more; its entries stay"
        assert refresh(index, force=True) == Report()
        (feed,) = index.feeds()
        assert feed.subscription
        assert feed.subscription.state is SubscriptionState.GONE
        assert index.search("ferry").total == 1
        # Whoever names it wants to know for sure.
        assert refresh(index, "harbour") == Report(added=1, unchanged=1, fetched=1)

    def test_a_feed_that_moves_for_good(self, index: Index, web: Web) -> None:
        web.play("/old", Answer(301, headers={"Location": "/new"}))
        web.publish("/new", rss("Harbour", "ferry"))
        reports = [update(index, web.url("/old")), refresh(index), refresh(index), refresh(index)]
        said = f"{web.url('/old')}: it has moved, and is fetched from {web.url('/new')}"
        assert [report.warnings for report in reports] == [(), (), (said,), ()]
        assert [request.path for request in web.requests][-1] == "/new"
        assert len(web.asked("/old")) == 3
        assert [(feed.url, feed.entries) for feed in index.feeds()] == [(web.url("/old"), 1)]

    def test_a_page_in_the_place_of_a_feed_is_a_failure(self, index: Index, web: Web) -> None:
        page = b"<html><head><link rel=alternate type=application/rss+xml href=/x></head></html>"
        web.play("/feed", Answer(body=rss("Harbour", "ferry")), Answer(body=page))
        update(index, web.url("/feed"))
        (failure,) = refresh(index).failures
        assert f"it announces {web.url('/x')}" in str(failure)
        (feed,) = index.feeds()
        assert feed.subscription
        assert feed.subscription.last_error == "an HTML page, not a feed"


class TestManyAtOnce:
    @pytest.fixture(autouse=True)
    def other_processes(self, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SEARCHFEED_WORKERS", "2")

    def test_one_bad_source_stops_nothing(self, index: Index, web: Web) -> None:
        good = [f"/good{at}" for at in range(12)]
        for path in good:
            web.publish(path, rss(path, f"entry{path[1:]}"))
        web.play("/cut", Answer(body=rss("Cut", "x"), cut=20))
        web.play("/bomb", Answer(body=b"<rss><channel>" + b"<a>" * 5_000))
        web.play("/text", Answer(body=b"Nothing of the kind."))
        bad = ["/cut", "/bomb", "/text", "/missing"]
        report = update(index, *(web.url(path) for path in (*bad, *good)))
        assert report.added == len(good)
        assert {failure.source for failure in report.failures} == {web.url(path) for path in bad}
        assert index.stats().entries == len(good)

    def test_a_slow_server_holds_nobody_back(
        self, index: Index, web: Web, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(intake_web, "BATCH", 1)
        released = threading.Event()

        def slow(_: Received) -> Answer:
            released.wait(20)
            return Answer(body=rss("Slow", "late"))

        web.play("/slow", slow)
        for at in range(3):
            web.publish(f"/quick{at}", rss(f"Quick {at}", f"early{at}"))
        urls = [web.url("/slow"), *(web.url(f"/quick{at}") for at in range(3))]
        reports: list[Report] = []
        updating = threading.Thread(target=lambda: reports.append(update(index, *urls)))
        updating.start()
        with Index(index.path) as other:
            # Stored and searchable, and the lock is free for others to write.
            wait_until((index.path / "archive.sqlite").exists)
            wait_until(lambda: other.search("early*").total == 3)
            assert updating.is_alive()
            assert other.rename("Quick 1", "Swift").title == "Swift"
            assert other.search("feed:swift").total == 1
            released.set()
            updating.join(30)
            assert reports == [Report(added=4, fetched=4)]
            assert other.search("late").total == 1

    def test_progress_tells_of_each_feed_and_of_all(self, index: Index, web: Web) -> None:
        for name in ("/a", "/b"):
            web.publish(name, rss(name, name[1:]), headers={})
        seen: list[tuple[str, int, int]] = []
        index.subscribe(
            [web.url("/a"), web.url("/b")],
            allow_private=True,
            progress=lambda *step: seen.append(step),
        )
        assert [step for step in seen if step[0] == "fetch"] == [
            ("fetch", done, 2) for done in range(3)
        ]
        for url in (web.url("/a"), web.url("/b")):
            steps = [step[1:] for step in seen if step[0] == url]
            assert steps[-1] == (len(rss("/a", "a")), len(rss("/a", "a")))
        assert seen[-1] == ("index", 2, 2)

    def test_whoever_writes_for_too_long_ends_it_clearly(
        self, index: Index, web: Web, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        web.publish("/feed", rss("Harbour", "ferry"))
        update(index, web.url("/feed"))
        web.publish("/feed", rss("Harbour", "ferry", "storm"))
        monkeypatch.setattr("searchfeed.store.PATIENCE", 0.1)
        with (
            WriteLock(index.path / "write.lock", 0),
            pytest.raises(IndexLockedError, match=f"process {os.getpid()}"),
        ):
            refresh(index)
        assert not [each for each in threading.enumerate() if each.name.startswith("searchfeed")]
        assert refresh(index).added == 1


class TestCommand:
    def test_nobody_waits_for_the_standard_input(self, index: Index, tmp_path: Path) -> None:
        file = tmp_path / "file.xml"
        file.write_bytes(rss("File", "a"))
        update(index, file)
        process = subprocess.Popen(
            [*PROGRAM, "--index", str(index.path), "index", "-"], stdin=subprocess.PIPE
        )
        assert process.stdin
        process.stdin.write(b"<rss")
        process.stdin.flush()
        # Long enough for it to have begun.
        time.sleep(1)
        with WriteLock(index.path / "write.lock", 0):
            assert process.poll() is None
        process.communicate(rss("Pipe", "b")[4:], timeout=20)
        assert process.returncode == 0
        assert index.search("b").total == 1

    def test_failures_are_lines_and_a_sum(self, index: Index, web: Web) -> None:
        web.publish("/feed", rss("Harbour", "ferry"))
        code, output, errors = command(
            index, "index", "--allow-private", web.url("/feed"), web.url("/missing"), "nowhere.xml"
        )
        assert (code, output) == (2, "")
        *failures, last = errors.splitlines()
        assert len(failures) == 2
        assert all(failure.startswith("searchfeed: ") for failure in failures)
        assert last.startswith("3 sources: 1 added, 0 updated, 0 unchanged in ")
        assert last.endswith("; 2 sources failed")

    def test_nothing_to_update(self, index: Index, tmp_path: Path) -> None:
        file = tmp_path / "file.xml"
        file.write_bytes(rss("File", "a"))
        update(index, file)
        assert command(index, "update") == (
            0,
            "",
            "there is no feed to fetch; subscribe with: searchfeed feeds add URL\n",
        )
        code, _, errors = command(index, "update", "file")
        assert (code, "no feed is called" in errors) == (2, True)

    def test_interrupted_it_keeps_what_is_stored(self, index: Index, web: Web) -> None:
        web.publish("/quick", rss("Quick", "early"))
        web.play("/slow", Answer(body=rss("Slow", "late"), delay=60))
        process = subprocess.Popen(
            [*PROGRAM, "--index", str(index.path), "index", web.url("/quick"), web.url("/slow")],
            stderr=subprocess.PIPE,
            env={**os.environ, "SEARCHFEED_ALLOW_PRIVATE": "1"},
            text=True,
        )
        wait_until(lambda: (index.path / "archive.sqlite").exists() and index.stats().entries == 1)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        assert time.monotonic() - start < 3
        assert process.returncode == 130
        assert errors.strip() in ("", "Aborted!")
        assert index.search("early").total == 1
        assert set(by_url(index)) == {web.url("/quick"), web.url("/slow")}

    def test_killed_at_any_time_it_loses_nothing_and_has_nothing_twice(
        self, index: Index, web: Web
    ) -> None:
        chance = random.Random(KILLS)
        urls = [web.url(f"/{at}") for at in range(40)]
        most = 0
        for kill in range(KILLS):
            for at in range(40):
                body = rss(f"Feed {at}", *(f"{kill}-{at}-{entry}" for entry in range(10)))
                web.play(f"/{at}", Answer(body=body, delay=chance.random() / 5))
            chance.shuffle(urls)
            process = subprocess.Popen(
                [*PROGRAM, "--index", str(index.path), "index", *urls[:25]],
                stderr=subprocess.DEVNULL,
                env={**os.environ, "SEARCHFEED_ALLOW_PRIVATE": "1"},
            )
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.4 + chance.random())
            process.kill()
            process.wait()
            if (index.path / "archive.sqlite").exists():
                stored = index.stats().entries
                # What was stored stays, each document whole, and all of it is found.
                assert stored >= most
                assert not any(feed.entries % 10 for feed in index.feeds())
                assert index.search("", dedupe=False).total == stored
                most = stored
        assert update(index, *urls).failures == ()
        stored = index.stats().entries
        assert stored >= 400
        assert index.search("", dedupe=False).total == stored
