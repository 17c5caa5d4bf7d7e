"""Anything in, nothing foreign out: the checks of ``benchmarks/fuzz.py`` on what hypothesis makes.

That program runs them for as long as is wanted, on broken copies of real feeds.
"""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.fuzz import (
    NASTY,
    NOW,
    PIECES,
    ForeignSequenceError,
    check_feed,
    check_query,
    check_values,
    check_written,
    main,
)
from searchfeed import Index
from searchfeed.feeds.text import clean, line, paragraphs
from searchfeed.models import Entry

ROOT = Path(__file__).parents[1]

texts = st.lists(st.sampled_from(NASTY) | st.text(max_size=4), max_size=8).map("".join)
names = st.lists(texts, max_size=2).map(tuple)
entries = st.builds(
    Entry,
    st.just("0123456789abcdef"),
    *(texts,) * 5,
    authors=names,
    tags=names,
    published=st.none() | st.just(NOW),
    updated=st.none() | st.just(NOW),
    language=texts,
)


@st.composite
def feeds(draw: st.DrawFn) -> bytes:
    """A feed whose every text is laced, escaped once, twice or not at all."""

    def text() -> str:
        given = draw(texts)
        match draw(st.integers(0, 3)):
            case 0:
                return given
            case 1:
                return escape(given)
            case 2:
                return escape(escape(given))
        return f"<![CDATA[{given}]]>"

    kind = draw(st.sampled_from(["rss", "atom", "json"]))
    if kind == "atom":
        source = (
            f'<feed xmlns="http://www.w3.org/2005/Atom"><title type="html">{text()}</title><entry>'
            f"<id>{text()}</id><title>{text()}</title><author><name>{text()}</name></author>"
            f'<content type="html">{text()}</content><link href="{escape(draw(texts))}"/>'
            f'<category term="{escape(draw(texts))}"/><updated>{text()}</updated></entry></feed>'
        )
    elif kind == "rss":
        source = (
            f"<rss><channel><title>{text()}</title><item><guid>{text()}</guid><title>{text()}"
            f"</title><author>{text()}</author><category>{text()}</category><link>{text()}</link>"
            f"<description>{text()}</description><pubDate>{text()}</pubDate></item></channel></rss>"
        )
    else:
        keys = ("id", "title", "content_html", "url", "summary", "date_published")
        item = {key: draw(texts) for key in keys}
        found = {"version": "https://jsonfeed.org/version/1", "items": [item], "title": text()}
        source = json.dumps(found)
    return source.encode("utf-8", "surrogatepass")


@settings(max_examples=40, deadline=None)
@given(feeds())
def test_no_feed_writes_a_sequence_of_its_own(data: bytes) -> None:
    check_feed(data)


@settings(max_examples=40, deadline=None)
@given(entries, texts)
def test_no_value_makes_a_renderer_write_a_sequence_of_its_own(entry: Entry, text: str) -> None:
    check_values(entry, text or "x")


@settings(max_examples=300, deadline=None)
@given(texts)
def test_no_text_leaves_the_border_with_a_sequence_in_it(text: str) -> None:
    for cleaned in (clean(text), line(text), paragraphs(text)):
        check_written(cleaned, escapes=False, layout="\t")
        assert clean(cleaned) == cleaned


@pytest.fixture(scope="module")
def index(fixtures: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with Index(tmp_path_factory.mktemp("fuzz") / "index") as index:
        index.update([fixtures])
        yield index


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join)
    | st.text(max_size=40)
)
def test_any_query_ends_in_results_or_a_query_error(index: Index, text: str) -> None:
    check_query(index, text)


@pytest.mark.parametrize(
    "text",
    [
        *("\x1b[2J", "\x1b]8;;file:///x\x1b\\", "\x1b]8;;javascript:x\x1b\\", "\x1b]52;c;x\x07"),
        *("\x1b]8;a=b;http://x\x1b\\", "\x1b]8;;http://x y\x1b\\", "\x1b[1A", "\x9b1m", "\u202e"),
        *("\x1bc", "\x1b[?1049h", "\x1b[3", "\0", "\x07", "\r", "\ud800"),
    ],
)
def test_the_check_itself_finds_what_is_foreign(text: str) -> None:
    with pytest.raises((ForeignSequenceError, UnicodeEncodeError)):
        check_written(f"a{text}b", escapes=True)


def test_the_check_lets_our_own_pass() -> None:
    ours = "\x1b[1;31ma\x1b[0m \x1b]8;id=4a;https://e.org/%C3%A9\x1b\\b\x1b]8;;\x1b\\\n"
    check_written(ours, escapes=True)
    with pytest.raises(ForeignSequenceError):
        check_written(ours, escapes=False)


# What moves the bars of a terminal on: the cursor hidden and shown, and lines written anew.
_BARS = re.compile(r"\x1b\[\?25[lh]|\x1b\[\d*[AK]|\r")


def test_the_program_writes_no_foreign_sequence_to_a_terminal(tmp_path: Path) -> None:
    laced = "".join(NASTY[:30]).replace("\0", "").replace("\ud800", "")
    name = "evil\x1b]52;c;ZXZpbA==\x07\x1b[2J\u202e.xml"
    source = f"<rss><channel><title>{escape(laced)} word</title><item><title>word {escape(laced)}"
    (tmp_path / name).write_text(f"{source}</title><description>word {escape(escape(laced))}")
    (tmp_path / f"broken-{name}").write_text("{" + laced)
    for arguments in (
        ["index", str(tmp_path / name), str(tmp_path / f"broken-{name}"), "/nowhere/\x1b[2J\u202e"],
        ["search", "word"],
        ["search", f"word {laced} title:(\x1b[2J"],
        ["search", "since:\x1b[2J\x9b1m"],
        ["feeds"],
        ["show", "\x1b[2J\u202e"],
    ):
        written = _BARS.sub("", run(tmp_path / "index", arguments))
        assert written.strip(), arguments
        check_written(written, escapes=True)


def run(index: Path, arguments: list[str]) -> str:
    """What the program writes to a terminal that is both its output and its standard error."""
    ours, its = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "90", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "searchfeed", "--index", str(index), *arguments]
    written = bytearray()
    with subprocess.Popen(command, stdin=its, stdout=its, stderr=its, env=environment):
        os.close(its)
        while True:
            try:
                piece = os.read(ours, 65_536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            written += piece
    os.close(ours)
    return written.decode()


def test_the_fuzzer_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--minutes", "0.02", "--seed", "3", "--corpus", str(ROOT / "fixtures")]) == 0
    assert "0 findings" in capsys.readouterr().out
