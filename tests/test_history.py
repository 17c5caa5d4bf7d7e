"""How an entry was edited, as people, programs and hostile feeds make it look."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from searchfeed import Entry, Index, Version
from searchfeed.archive import Archive
from searchfeed.models import Enclosure, Feed
from searchfeed.output import HISTORY, Screen
from searchfeed.output.clean import UNSAFE, clean
from searchfeed.output.history import compare

jsonschema = import_module("jsonschema")

NOON = datetime(2020, 8, 1, 12, tzinfo=UTC)
FIRST = Entry(
    "0123456789abcdef",
    "http://a/feed",
    "Harbour News",
    "Ferry late",
    "The ferry came late.\n\nNobody asked why.\n\nThe end.",
    link="https://a/1",
    published=NOON,
)
SECOND = Entry(
    FIRST.id,
    FIRST.feed_url,
    FIRST.feed_title,
    "Ferry very late",
    "The ferry was late again.\n\nNobody asked why.\n\nThe end.",
    link="https://a/2",
    tags=("boats",),
    authors=("Ann",),
    published=NOON,
    updated=NOON + timedelta(hours=1),
    language="en",
    enclosures=(Enclosure("https://a/1.mp3", "audio/mpeg", 9),),
)
VERSIONS = (Version(FIRST, NOON), Version(SECOND, NOON + timedelta(days=1)))
BERLIN = ZoneInfo("Europe/Berlin")

ROOT = Path(__file__).parents[1]


def shown(versions: tuple[Version, ...], kind: str = "text", **screen: object) -> str:
    return "".join(HISTORY.render(versions, kind, Screen(**screen)))  # type: ignore[arg-type]


def edited(old: str, new: str) -> tuple[Version, ...]:
    return tuple(
        Version(Entry(FIRST.id, "http://a/feed", old, title, title), NOON) for title in (old, new)
    )


def test_people_see_what_each_version_changed_in_their_own_zone() -> None:
    assert shown(VERSIONS, width=80, zone=BERLIN) == (
        "Ferry very late\n"
        "Harbour News\n"
        "\n"
        "version 1 of 2, first seen 1 Aug 2020 14:00 CEST\n"
        "\n"
        "version 2 of 2, first seen 2 Aug 2020 14:00 CEST\n"
        "  title      Ferry {+very+} late\n"
        "  link       https://a/[-1-]{+2+}\n"
        "  by         {+Ann+}\n"
        "  tags       {+boats+}\n"
        "  updated    {+1 Aug 2020 15:00 CEST+}\n"
        "  language   {+en+}\n"
        "  enclosures {+https://a/1.mp3 audio/mpeg 9+}\n"
        "  text       The ferry [-came-] {+was+} late {+again+}.\n"
    )


def test_colours_take_the_place_of_brackets() -> None:
    text = shown(VERSIONS, escapes=True)
    assert "\x1b[32mvery\x1b[0m" in text
    assert "\x1b[9;31mcame\x1b[0m" in text
    assert "{+" not in text


def test_programs_get_a_unified_diff_in_utc() -> None:
    assert shown(VERSIONS, "plain", zone=BERLIN) == (
        "--- 0123456789abcdef version 1, 2020-08-01T12:00:00Z\n"
        "+++ 0123456789abcdef version 2, 2020-08-02T12:00:00Z\n"
        "@@ -1,11 +1,16 @@\n"
        "-Title: Ferry late\n"
        "+Title: Ferry very late\n"
        " Feed: Harbour News\n"
        " Feed-URL: http://a/feed\n"
        " Published: 2020-08-01T12:00:00Z\n"
        "-Link: https://a/1\n"
        "+Updated: 2020-08-01T13:00:00Z\n"
        "+Authors: Ann\n"
        "+Tags: boats\n"
        "+Language: en\n"
        "+Link: https://a/2\n"
        "+Enclosure: https://a/1.mp3 audio/mpeg\n"
        " Id: 0123456789abcdef\n"
        " \n"
        "-The ferry came late.\n"
        "+The ferry was late again.\n"
        " \n"
        " Nobody asked why.\n"
        " \n"
    )


def test_json_has_every_version_whole() -> None:
    document = json.loads(shown(VERSIONS, "json"))
    schema = json.loads(files("searchfeed.output").joinpath("schema.json").read_text())
    jsonschema.Draft202012Validator(
        {"$ref": "#/$defs/history_document", "$defs": schema["$defs"]}
    ).validate(document)
    assert [each["body"] for each in document["versions"]] == [FIRST.body, SECOND.body]
    assert [each["seen"] for each in document["versions"]] == [
        "2020-08-01T12:00:00Z",
        "2020-08-02T12:00:00Z",
    ]


WORDS = st.text("ab .,é東京\u0301\n", max_size=30)


@settings(max_examples=150, deadline=None)
@given(WORDS, WORDS)
def test_a_comparison_has_both_texts_in_it(old: str, new: str) -> None:
    pieces = compare(old, new)
    before = "".join(each.text for each in pieces if each.kind in " -")
    assert "".join(before.split()) == "".join(old.split())
    assert "".join(each.text for each in pieces if each.kind in " +") == new
    assert all(each.text for each in pieces)
    if old == new:
        assert {each.kind for each in pieces} <= {" "}


def test_long_stretches_that_stayed_are_cut() -> None:
    text = " ".join(f"word{number}" for number in range(1000))
    pieces = compare(text, f"{text} more")
    assert [each.kind for each in pieces] == [" ", "…", " ", "+"]
    assert sum(len(each.text) for each in pieces) < 300


HOSTILE = st.text(
    st.sampled_from("ab [/]\x1b\x9b\x07\x00\x7f\u202e\u200b\ud800\U000e0041\u0301\n\r\t;8]m")
    | st.characters(),
    max_size=40,
)


@settings(max_examples=100, deadline=None)
@given(HOSTILE, HOSTILE)
def test_nothing_that_a_terminal_obeys_comes_out(old: str, new: str) -> None:
    versions = edited(old, new)
    for kind in ("text", "plain", "json"):
        written = shown(versions, kind)
        assert not re.search(f"[{UNSAFE}]", written)
        assert written == clean(written)
    colourful = shown(versions, escapes=True)
    ours = re.sub(r"\x1b\[[\d;]*m|\x1b\]8;[^\x1b]*\x1b\\", "", colourful)
    assert "\x1b" not in ours
    assert not re.search(f"[{UNSAFE}]", ours)


LONG_TEXTS = {
    "one word": ("a " * 400_000, "a b " * 200_000),
    "one line": ("a\n" * 100_000, "b a\n\n" * 100_000),
    "two words": ("ab ba " * 80_000, "ba ba ab " * 60_000),
    "a long word": ("x" * 1_000_000, "x" * 999_999 + "y"),
    "turned round": (" ".join(map(str, range(100_000))), " ".join(map(str, range(100_000, 0, -1)))),
    "marks": ("\u0301" * 300_000, "\u0301a" * 100_000),
}

RENDER = """
import json, sys, time
from datetime import UTC, datetime
from searchfeed import Entry, Version
from searchfeed.output import HISTORY, Screen
for line in sys.stdin:
    versions = tuple(
        Version(Entry("0123456789abcdef", "http://a/feed", "A", "T", body), datetime.now(UTC))
        for body in json.loads(line)
    )
    start = time.process_time()
    for kind in ("text", "plain"):
        for _ in HISTORY.render(versions, kind, Screen()):
            pass
    print(time.process_time() - start)
"""
"""In a process of its own, where nobody watches which lines are run: that takes three times as
long."""


def test_hostile_texts_end_soon() -> None:
    run = subprocess.run(
        [sys.executable, "-c", RENDER],
        input="".join(f"{json.dumps(texts)}\n" for texts in LONG_TEXTS.values()),
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert run.stderr == ""
    taken = dict(zip(LONG_TEXTS, map(float, run.stdout.split()), strict=True))
    print(taken)
    assert max(taken.values()) < 5, taken


def program(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "searchfeed", "--index", str(path), "history", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_the_command_tells_edited_entries_from_others(tmp_path: Path) -> None:
    path = tmp_path / "index"
    with Index(path) as index:
        index.import_(['{"format": "searchfeed export", "version": 1}'])
    other = Entry("fedcba9876543210", "http://a/feed", "A", "Once", "said")
    with Archive(path / "archive.sqlite") as archive:
        for at, version in enumerate(VERSIONS):
            feed = Feed("http://a/feed", "Harbour News", entries=(version.entry, other))
            archive.store(feed, now=NOON + timedelta(days=at))
    done = program(path, "0123")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == shown(VERSIONS, "plain")
    done = program(path, "fedc")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "fedcba9876543210 has one version only: no edit of it was seen\n"
    done = program(path, "fedc", "--json")
    assert done.returncode == 1
    assert len(json.loads(done.stdout)["versions"]) == 1
    done = program(path, "0000")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no entry has the id" in done.stderr
