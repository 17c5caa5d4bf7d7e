"""The main job on real feeds, through the command that a user types."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def searchfeed(index: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SEARCHFEED_INDEX": str(index), "TZ": "America/New_York"}
    return subprocess.run(
        [sys.executable, "-m", "searchfeed", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=600,
    )


def hits(index: Path, *arguments: str) -> list[dict[str, Any]]:
    done = searchfeed(index, "search", "--json", *arguments)
    assert done.returncode in (0, 1), done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["hits"]
    return found


def titles(index: Path, *arguments: str) -> list[str]:
    return [hit["title"] for hit in hits(index, *arguments)]


@pytest.fixture(scope="session")
def news(shared: Path) -> Path:
    return shared / "feeds" / "icmpd-news.xml"


@pytest.fixture(scope="module")
def icmpd(news: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    index = tmp_path_factory.mktemp("icmpd") / "index"
    done = searchfeed(index, "index", str(news))
    assert done.returncode == 0, done.stderr
    assert "10 added" in done.stderr
    return index


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("resource centre dushanbe", ["Tajikistan"]),
        ("document fraud", ["Ghana Immigration Service"]),
        ("thermal fever screening", ["Ukrainian border guards"]),
        ("human trafficking pandemic", ["victim"]),
        ("Ministry of Labour, Migration and Employment", ["Tajikistan"]),
    ],
)
def test_the_right_entry_comes_first(icmpd: Path, query: str, first: list[str]) -> None:
    found = titles(icmpd, *query.split())
    assert [word in title for word, title in zip(first, found, strict=False)] == [True], found


def test_both_migrant_resource_centres_come_first(icmpd: Path) -> None:
    first, second = titles(icmpd, "migrant", "resource", "centre")[:2]
    assert any("Tajikistan" in title for title in (first, second)), (first, second)
    assert any("South Asia" in title for title in (first, second)), (first, second)


def test_words_that_stand_only_in_the_summary_are_shown(icmpd: Path) -> None:
    best = hits(icmpd, "Ministry of Labour, Migration and Employment")[0]
    assert "Ministry of Labour, Migration and Employment" in best["snippets"][0]["text"]


def test_a_title_without_a_space_after_its_colon(icmpd: Path) -> None:
    found = titles(icmpd, "title:IBM")
    assert len(found) == 2
    assert all("IBM" in title for title in found)
    assert any(title.startswith("Project News:IBM Silk Routes") for title in found)


def test_silk_routes_finds_at_least_four(icmpd: Path) -> None:
    assert len(hits(icmpd, "silk", "routes")) >= 4


def test_a_month_in_utc(news: Path, icmpd: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "searchfeed", "search", "--json", "date:2020-08"],
        capture_output=True,
        text=True,
        env={**os.environ, "SEARCHFEED_INDEX": str(icmpd), "TZ": "UTC"},
    )
    dates = [hit["date"] for hit in json.loads(found.stdout)["hits"]]
    assert len(dates) == 4
    assert all(date.startswith("2020-08-") for date in dates)


def test_silk_routes_of_september_alone(icmpd: Path) -> None:
    found = hits(icmpd, "after:2020-09-01", "silk", "routes")
    assert found
    assert all(hit["date"].startswith("2020-09-") for hit in found)


def test_a_title_without_a_word(icmpd: Path) -> None:
    # No entry about IBM speaks of Ukraine, but one of them is about Afghanistan.
    assert sorted(titles(icmpd, "title:ibm", "-ukraine")) == sorted(titles(icmpd, "title:ibm"))
    (found,) = titles(icmpd, "title:ibm", "-afghanistan")
    assert found.startswith("Project News:IBM Silk Routes")


def test_a_phrase_with_words_between(icmpd: Path) -> None:
    found = hits(icmpd, '"assisted voluntary return"~2')
    assert "Assisted Voluntary Return" in found[0]["title"]


def test_newest_first_in_utc(icmpd: Path) -> None:
    found = hits(icmpd, "--sort", "-date")
    dates = [hit["date"] for hit in found]
    assert len(dates) == 10
    assert dates == sorted(dates, reverse=True)
    assert dates[0] == "2020-09-11T08:00:17Z"
    assert dates[-1].startswith("2020-07-28T")


def test_marks_are_verbatim_in_the_entry(icmpd: Path) -> None:
    for hit in hits(icmpd, "border", "management"):
        entry = json.loads(searchfeed(icmpd, "show", hit["id"], "--format", "json").stdout)
        for snippet in hit["snippets"]:
            assert snippet["text"] in entry[snippet["field"]]
            for start, end in snippet["spans"]:
                word = snippet["text"][start:end].casefold()
                assert word.startswith(("border", "manag")), word


def test_a_second_time_writes_nothing(icmpd: Path, news: Path) -> None:
    def state() -> dict[str, bytes]:
        return {
            str(file): file.read_bytes()
            for file in icmpd.rglob("*")
            if file.is_file() and file.name != "write.lock" and not file.name.endswith("-shm")
        }

    before = state()
    done = searchfeed(icmpd, "index", str(news))
    assert done.returncode == 0
    assert "10 unchanged" in done.stderr
    assert state() == before


def test_an_edited_body_and_an_entry_that_left_the_feed(news: Path, tmp_path: Path) -> None:
    index, copy = tmp_path / "index", tmp_path / "news.xml"
    text = news.read_text(encoding="utf-8")
    copy.write_text(text, encoding="utf-8")
    assert searchfeed(index, "index", str(copy)).returncode == 0
    assert len(titles(index, "cornerstone")) == 1
    edited = text.replace("cornerstone", "foundationstone")
    last = edited.rindex("<item>")
    edited = edited[:last] + edited[edited.rindex("</item>") + len("</item>") :]
    copy.write_text(edited, encoding="utf-8")
    done = searchfeed(index, "index", str(copy))
    assert "1 updated" in done.stderr
    assert "8 unchanged" in done.stderr
    assert len(titles(index, "foundationstone")) == 1
    assert titles(index, "cornerstone") == []
    assert len(titles(index, "--sort", "-date")) == 10


def test_all_of_reuters(shared: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    done = searchfeed(index, "index", str(shared / "feeds" / "reuters"))
    assert done.returncode == 0, done.stderr
    assert "19,040 added" in done.stderr
    found = json.loads(searchfeed(index, "search", "--json", "interest", "rates").stdout)
    assert found["total"] > 1000
    for hit in found["hits"]:
        best = hit["snippets"][0]
        marked = {best["text"][start:end].casefold() for start, end in best["spans"]}
        assert any(word.startswith("interest") for word in marked), best
        assert any(word.startswith("rate") for word in marked), best
