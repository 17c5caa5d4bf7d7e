"""``searchfeed watch``: round after round, until it is told to stop."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import click
import pytest

from searchfeed import Index
from searchfeed.cli.watch import Interval
from tests.loopback import Answer, Web
from tests.program import wait_until, watching


def rss(title: str, *entries: str) -> bytes:
    items = "".join(f"<item><title>{each}</title><guid>{each}</guid></item>" for each in entries)
    return f"<rss version='2.0'><channel><title>{title}</title>{items}</channel></rss>".encode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "index"


def subscribed(path: Path, *urls: str) -> None:
    with Index(path) as index:
        index.subscribe(urls, allow_private=True)


def stopped(process: subprocess.Popen[str], number: signal.Signals) -> list[str]:
    """What it said, once it has been told to end and has done so, quickly and well."""
    start = time.monotonic()
    process.send_signal(number)
    output, errors = process.communicate(timeout=20)
    assert time.monotonic() - start < 3
    assert (process.returncode, output) == (0, "")
    return errors.splitlines()


def test_rounds_until_it_is_told_to_stop(path: Path, web: Web) -> None:
    web.publish("/feed", rss("Harbour", "ferry"))
    subscribed(path, web.url("/feed"))
    with watching(path, "--every", "1s") as process:
        wait_until(lambda: len(web.requests) == 2)
        web.publish("/feed", rss("Harbour", "ferry", "storm"))
        asked = len(web.requests)
        # The round of the first of these is over when the second comes.
        wait_until(lambda: len(web.requests) >= asked + 2)
        lines = stopped(process, signal.SIGTERM)
    time_and = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d "
    assert re.fullmatch(f"{time_and}watching 1 feed; Ctrl\\+C ends it", lines[0])
    rounds = [line for line in lines if re.match(f"{time_and}1 feed: ", line)]
    assert len(rounds) >= 2
    assert sum(": 1 added, 0 updated, 1 unchanged in " in line for line in rounds) == 1
    assert re.fullmatch(f"{time_and}stopped", lines[-1])
    with Index(path) as index:
        assert index.search("storm").total == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_in_the_middle_of_a_fetch(
    path: Path, web: Web, number: signal.Signals
) -> None:
    web.play("/slow", Answer(404), Answer(delay=60))
    web.play("/drip", Answer(404), Answer(body=b"x" * 600, drip=0.1))
    subscribed(path, web.url("/slow"), web.url("/drip"))
    with Index(path) as index:
        for url in (web.url("/slow"), web.url("/drip")):
            index.unsubscribe(url)
            index._store.archive().subscribe(url)
    with watching(path) as process:
        wait_until(lambda: len(web.requests) == 4)
        assert stopped(process, number)[-1].endswith(" stopped")


def test_a_round_that_fails_is_not_the_last(path: Path, web: Web) -> None:
    web.publish("/feed", rss("Harbour", "ferry"))
    subscribed(path, web.url("/feed"))
    archive, aside = path / "archive.sqlite", path / "aside"
    with watching(path, "--every", "1s") as process:
        wait_until(lambda: len(web.requests) == 2)
        archive.rename(aside)
        archive.write_bytes(b"This is no database. " * 1_000)
        time.sleep(1.5)
        aside.replace(archive)
        asked = len(web.requests)
        wait_until(lambda: len(web.requests) > asked)
        lines = stopped(process, signal.SIGINT)
    assert sum("searchfeed: 2" in line and "not an archive" in line for line in lines) >= 1
    assert not any("Traceback" in line for line in lines)


def test_without_an_index_there_is_nothing_to_watch(path: Path) -> None:
    with watching(path) as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert errors.startswith("searchfeed: there is no index in ")


def test_how_often() -> None:
    def read(text: str) -> timedelta:
        return Interval().convert(text, None, None)

    assert read("90s") == timedelta(seconds=90)
    assert read("15m") == read("15 min") == timedelta(minutes=15)
    assert read("2H") == timedelta(hours=2)
    assert read("1d") == timedelta(days=1)
    for text in ("", "0s", "15", "soon", "31d", "-1m", "1m30s"):
        with pytest.raises(click.BadParameter, match="is not a time such as"):
            read(text)
