"""Every attack on the reader that we know, each in a worker process that is measured.

Each ends within the limits below, in entries or in one clear line. `SECURITY.md` is held to its
word here too: the tests that it names exist.
"""

from __future__ import annotations

import ast
import base64
import gzip
import html
import json as jsonlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from searchfeed import Index
from searchfeed.errors import ParseError
from searchfeed.feeds import limits, parse
from searchfeed.feeds.workers import Document, Workers
from searchfeed.models import Feed
from searchfeed.output import wrapping
from searchfeed.output.clean import UNSAFE
from tests.loopback import Web
from tests.program import PROGRAM

SECONDS = 5
MEGABYTES = 300

ROOT = Path(__file__).parents[1]
LONG = os.environ.get("SEARCHFEED_LONG")
"""Set to run what takes minutes."""

linux = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="a process is measured in /proc"
)


def rss(entries: str, prolog: str = '<?xml version="1.0"?>', root: str = "") -> bytes:
    channel = f"<channel><title>T</title><link>https://e.org/</link>{entries}</channel>"
    return f'{prolog}<rss version="2.0"{root}>{channel}</rss>'.encode("utf-8", "surrogatepass")


def item(more: str = "", title: str = "x") -> bytes:
    return rss(f"<item><title>{title}</title><guid>1</guid>{more}</item>")


def text(source: str) -> bytes:
    """A feed whose one entry has this HTML, as most feeds send it."""
    return item(f"<description>{html.escape(source)}</description>")


def atom(content: str, kind: str = "xhtml") -> bytes:
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id><title>x</title>'
        f'<content type="{kind}">{content}</content></entry></feed>'
    ).encode()


def json(items: str) -> bytes:
    return f'{{"version":"https://jsonfeed.org/version/1.1","items":[{items}]}}'.encode()


def with_doctype(subset: str, title: str = "x") -> bytes:
    return rss(f"<item><title>{title}</title><guid>1</guid></item>", f"<!DOCTYPE r [{subset}]>")


def laughs(levels: int, times: int) -> str:
    rows = [f'<!ENTITY a{n} "{f"&a{n - 1};" * times}">' for n in range(1, levels)]
    return '<!ENTITY a0 "ha">' + "".join(rows)


def entries(count: int, *, guid: str = "{0}", link: str = "https://e.org/{0}") -> bytes:
    row = (
        f"<item><title>Entry {{0}} of the archive</title><link>{link}</link>"
        f"<guid isPermaLink='false'>{guid}</guid><pubDate>Mon, 06 Sep 2021 16:45:00 GMT</pubDate>"
        "<description>&lt;p&gt;What entry {0} says.&lt;/p&gt;</description></item>"
    )
    return rss("".join([row.format(number) for number in range(count)]))


def json_entries(count: int) -> bytes:
    row = (
        '{{"id":"{0}","url":"https://e.org/{0}","title":"Entry {0} of the archive",'
        '"date_published":"2021-09-06T16:45:00Z","content_html":"<p>What entry {0} says.</p>"}}'
    )
    return json(",".join([row.format(number) for number in range(count)]))


def outlines(count: int) -> bytes:
    row = '<outline text="Feed {0}" xmlUrl="https://{0}.example/"/>'
    body = "".join([row.format(number) for number in range(count)])
    return f'<opml version="2.0"><body>{body}</body></opml>'.encode()


TAGS = "".join(chr(0xE0000 + ord(letter)) for letter in "ignore this")

LINKS = (
    *("javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "JaVaScRiPt:x"),
    *("\x09javascript:x", "vbscript:x", "ftp://e.org/", "//", "http://[::1", "http:///x"),
    "http://e.org/\u202ex",
)
DATES = (
    *("0000-00-00", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1e20", "9" * 20, "-1"),
    *("Mon, 99 Foo 99999 99:99:99 +9999", "2020-02-30", "9999-12-31T23:59:59-23:59"),
    *("0001-01-01T00:00:00+23:59", "\u0661" * 10),
)

ATTACKS: dict[str, tuple[Callable[[], bytes], int | str]] = {
    # Entities. The first is 429 bytes that would be 900,000 characters.
    "xml bomb, small": (lambda: with_doctype(laughs(6, 12)[:380], "&a5;"), 1),
    "xml bomb, billion laughs": (lambda: with_doctype(laughs(10, 10), "&a9;"), 1),
    "xml bomb, quadratic": (
        lambda: with_doctype(f'<!ENTITY a "{"A" * 50_000}">', "&a;" * 20_000),
        1,
    ),
    "xml bomb, quadratic and malformed": (
        lambda: with_doctype(f'<!ENTITY a "{"A" * 50_000}">', "&a;" * 20_000)[:-30],
        1,
    ),
    "xml bomb of an entity that is let in": (
        lambda: rss(
            f"<item><title>x</title><description>{'&a;' * 100_000}</description></item>",
            f'<!DOCTYPE r [<!ENTITY a "{"A" * 64}">]>',
        ),
        1,
    ),
    "external entity": (lambda: with_doctype('<!ENTITY f SYSTEM "file:///etc/passwd">', "&f;"), 1),
    "parameter entity": (
        lambda: with_doctype('<!ENTITY % f SYSTEM "file:///etc/passwd"> %f;', "&f;"),
        1,
    ),
    "external doctype": (
        lambda: rss("<item><title>x</title></item>", '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x">'),
        1,
    ),
    "xinclude": (
        lambda: item('<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="/etc/passwd"/>'),
        1,
    ),
    "open doctype": (lambda: b"<!DOCTYPE a [" * 50_000 + b">" + item(), 1),
    # Depth and number.
    "xml nested deep": (lambda: item("<a>" * 20_000 + "</a>" * 20_000), "nested more than 200"),
    "xml nested deep, cut off": (lambda: item("<a>" * 100_000), "nested more than 200"),
    "xml nested deep, malformed": (lambda: item("</b>" + "<a>" * 100_000), 1),
    "xhtml nested deep": (lambda: atom("<b>" * 20_000 + "x" + "</b>" * 20_000), "nested more than"),
    "html nested deep": (lambda: text("<blockquote>" * 20_000 + "x"), 1),
    "html lists nested deep": (lambda: text("<ul><li>" * 20_000 + "x"), 1),
    "html tables nested deep": (lambda: text("<table><tr><td>" * 20_000 + "x"), 1),
    "json nested deep": (lambda: json("[" * 400_000), "nested too deep"),
    "many elements": (lambda: item("<a/>" * 250_000), "elements"),
    "many empty entries": (lambda: rss("<item/>" * 40_000), 1),
    "many empty entries, malformed": (lambda: rss("</b>" + "<item>" * 40_000), 1),
    "too many empty entries": (lambda: rss("<item/>" * 100_000), "40,000 entries"),
    "too many empty entries, malformed": (
        lambda: rss("</b>" + "<item>" * 80_000),
        "40,000 entries",
    ),
    "many entries": (lambda: entries(100_000), "120,000 elements|40,000 entries"),
    "many json items": (lambda: json(",".join(["{}"] * 40_000)), 1),
    "too many json items": (lambda: json(",".join(["{}"] * 300_000)), "40,000 items"),
    "many json entries": (lambda: json_entries(100_000), "40,000 items"),
    "many attributes": (
        lambda: item(
            f"<a {' '.join(f'a{number}=_' for number in range(90_000))}/>".replace("_", "'x'")
        ),
        "more than 200 attributes",
    ),
    "many namespaces": (
        lambda: rss("<item/>", "", "".join(f' xmlns:a{n}="u{n}"' for n in range(20_000))),
        "1,000 namespaces|200 attributes",
    ),
    "many namespaces for many elements": (
        lambda: rss(
            "".join(f'<b xmlns:a{n}="u{n}"/>' for n in range(900)) + "<a/>" * 30_000,
        ),
        "too many namespaces",
    ),
    "categories that differ": (
        lambda: item("".join(f"<category>{n}</category>" for n in range(10_000))),
        1,
    ),
    "authors that differ": (
        lambda: item("".join(f"<author>n{n}</author>" for n in range(10_000))),
        1,
    ),
    "descriptions that differ": (
        lambda: item("".join(f"<description>word {n}</description>" for n in range(10_000))),
        1,
    ),
    "many categories": (lambda: item("<category>a</category>" * 50_000), 1),
    "many authors": (lambda: item("<author>a@b.example (x)</author>" * 30_000), 1),
    "many enclosures": (lambda: item('<enclosure url="https://e.org/a"/>' * 30_000), 1),
    "many descriptions": (lambda: item("<description>word</description>" * 30_000), 1),
    "long descriptions": (
        lambda: item(
            "".join(f"<description>{'&lt;p>a b' * 8_000} {n}</description>" for n in range(16))
        ),
        1,
    ),
    "paragraphs that differ": (
        lambda: item(
            f"<description>{''.join(f'&lt;p>a b{n}' for n in range(19_000))}</description>"
            f"<description>{'a b c' * 100_000}</description>"
        ),
        1,
    ),
    # Sizes.
    "megabyte title": (lambda: item(title="word " * 200_000), 1),
    "megabyte guid": (lambda: item(f"<guid>{'a' * 1_000_000}</guid>"), 1),
    "megabyte link": (lambda: item(f"<link>https://e.org/{'a' * 1_000_000}</link>"), 1),
    "megabyte date": (lambda: item(f"<pubDate>{'1' * 1_000_000}</pubDate>"), 1),
    "author of dots": (lambda: item(f"<author>{'a.' * 100_000}</author>"), 1),
    "megabyte author": (lambda: item(f"<author>{'a@' * 500_000}</author>"), 1),
    "megabyte language": (lambda: item(f"<language>{'en-' * 300_000}</language>"), 1),
    "megabyte word": (lambda: text("a" * 1_000_000), 1),
    "megabyte number": (lambda: json(f'{{"id":{"9" * 1_000_000}}}'), 1),
    "megabyte base64": (lambda: atom(base64.b64encode(b"x " * 400_000).decode(), "text/plain"), 1),
    "megabytes of text": (lambda: text("<p>word " * 400_000), 1),
    # Bytes that are no text.
    "gzip": (lambda: gzip.compress(b"\0" * 10_000_000), "compressed"),
    "nothing": (lambda: b"\0" * 1_000_000, "it is empty"),
    "noise": (lambda: bytes(range(256)) * 4_000, "not a feed"),
    "invalid bytes": (lambda: item(title="x\udcff\udcfe").replace(b"x", b"\xff\xfe\x80x"), 1),
    "0xFF in a name": (lambda: item().replace(b"<guid>", b"<gu\xffid>"), 1),
    "NULs": (lambda: item().replace(b"<guid>", b"<gu\0id>\0\0"), 1),
    "UTF-7": (
        lambda: item().replace(b'"1.0"', b'"1.0" encoding="UTF-7"').replace(b"x", b"+ADw-"),
        1,
    ),
    "codec that raises": (lambda: item().replace(b'"1.0"', b'"1.0" encoding="undefined"'), 1),
    "codec that is slow": (lambda: item().replace(b'"1.0"', b'"1.0" encoding="punycode"'), 1),
    "codec that unpacks": (lambda: item().replace(b'"1.0"', b'"1.0" encoding="zlib"'), 1),
    "wrong encoding": (lambda: item().replace(b'"1.0"', b'"1.0" encoding="UTF-16"'), 1),
    "encoding= again and again": (lambda: b"<?xml " + b'encoding="encoding=' * 50_000 + item(), 1),
    # What a terminal obeys, and what hides in a text.
    "references": (
        lambda: text(f"&#99999999; &#xD800; &#0; &#27;[31m &#{'9' * 5_000}; &#x9b;2J"),
        1,
    ),
    "references escaped twice": (lambda: text(html.escape("&#27;]52;c;ZXZpbA==&#7;<b>x</b>")), 1),
    "raw sequences": (lambda: text("\x9b31m\x9d8;;http://evil\x07x\x9d52;c;ZXZpbA==\x9c"), 1),
    "sequences without end": (lambda: text(("\x9d" + "a" * 4_000) * 250), 1),
    "directions": (lambda: item(title="\u202egnp.exe\u2066\u200f"), 1),
    "tag characters": (lambda: item(title=f"x{TAGS}"), 1),
    "zero width": (lambda: text("a\u200b\u200b\ufeff\u00ad" * 100_000), 1),
    "joiners": (lambda: text("a" + "\u200d\u200c" * 150_000), 1),
    "combining marks": (lambda: text("a" + "\u0301\u0316" * 200_000), 1),
    "lone surrogates": (lambda: json('{"id":"1","title":"\\ud800\\udfff x"}'), 1),
    "rich markup": (lambda: item(title="[bold]x[/red] [link=file:///etc/passwd]y[/link]"), 1),
    # What misleads.
    "links of other schemes": (
        lambda: rss(
            "".join(
                f"<item><title>{number}</title><link>{link}</link></item>"
                for number, link in enumerate(LINKS)
            )
        ),
        11,
    ),
    "absurd dates": (
        lambda: rss(
            "".join(
                f"<item><title>{number}</title><pubDate>{date}</pubDate></item>"
                for number, date in enumerate(DATES)
            )
        ),
        11,
    ),
    "guids all the same": (lambda: entries(2_000, guid="1"), 2_000),
    "guids and links all the same": (lambda: entries(2_000, guid="1", link="https://e.org/"), 1),
    "no guids, links all the same": (lambda: entries(2_000, guid="", link="https://e.org/"), 1),
    # What took quadratic time, or worse, in somebody's code.
    "leading newlines": (lambda: b"\n" * 1_000_000 + item(), 1),
    "leading comments": (lambda: b"<!---->" * 120_000 + item(), 1),
    "open comments": (lambda: item("<!--" * 200_000), 1),
    "comments": (lambda: rss("<!-- x -->" * 100_000 + "<item><title>x</title></item>"), 1),
    "instructions": (lambda: rss("<?x ?>" * 100_000 + "<item><title>x</title></item>"), 1),
    "stray <": (lambda: item()[:-20] + b"<" * 200_000, 1),
    "stray attributes": (lambda: item()[:-20] + b"<a " + b'b="c" ' * 50_000 + b">", 1),
    "depth behind a cut": (lambda: item()[:-20] + b"<a>" * 100_000, 1),
    "open instructions": (lambda: item("<?" * 300_000), 1),
    "open CDATA": (lambda: item(f"<description>{'<![CDATA[' * 100_000}"), 1),
    "open tags": (lambda: item()[:-20] + b"<a" * 400_000, 1),
    "open quotes": (lambda: item()[:-20] + b"<a \"<a' " * 100_000, 1),
    "attribute names without value": (lambda: item()[:-20] + b"<a " + b"a" * 900_000 + b">", 1),
    "end tags of nothing": (lambda: item()[:-20] + b"<b>" * 150 + b"</c>" * 200_000, 1),
    "text in pieces": (lambda: atom("a\n" * 450_000), 1),
    "blank pieces": (lambda: atom("<!-- -->\n" * 100_000), 1),
    "html newlines": (lambda: text("\n" * 900_000), 1),
    "html spaces": (lambda: text("<pre>" + " " * 900_000 + "x"), 1),
    "html open tags": (lambda: text("<a " * 300_000), 1),
    "html open declarations": (lambda: text("<![" * 300_000), 1),
    "html scripts": (lambda: text("<script>" * 100_000 + "x"), 1),
    "html cells": (lambda: text("<table><tr>" + "<td>" * 200_000 + "x"), 1),
    "html empty items": (lambda: text("</td>" * 80_000 + "<li></li>" * 40_000), 1),
    "html references": (lambda: text("<b>" + "&a" * 300_000), 1),
    "html hidden": (lambda: text("<p " + "style='" * 120_000 + ">x"), 1),
    "dots": (lambda: item(f"<description>{'.' * 900_000}a</description><description/>"), 1),
    "spaces and dots": (lambda: item(f"<description>a{' .' * 400_000}x</description>" * 2), 1),
}

DANGEROUS = re.compile(f"[{UNSAFE}]".replace("\\x09", ""))


@dataclass(frozen=True, slots=True)
class Measured:
    outcome: Feed | ParseError
    seconds: float
    megabytes: float


class Meter:
    """A worker, and what it takes of a processor and of memory for each document."""

    def __init__(self, pool: Workers) -> None:
        self._pool = pool
        list(pool.parse([Document(item(), "/warm.xml")]))

    def measure(self, data: bytes, url: str) -> Measured:
        (worker,) = tuple(self._pool._all) or (None,)
        if worker is None or not worker.runs:  # the last attack took it down
            list(self._pool.parse([Document(item(), "/warm.xml")]))
            (worker,) = self._pool._all
        place = Path(f"/proc/{worker.pid}")
        (place / "clear_refs").write_text("5")  # the peak of memory starts anew
        before, seen, done = _taken(place), _taken(place), threading.Event()

        def watch() -> None:
            nonlocal seen
            while not done.wait(0.02):
                seen = _taken(place) or seen

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            (outcome,) = self._pool.parse([Document(data, url)])
        finally:
            done.set()
            watcher.join()
        seen = _taken(place) or seen
        assert before is not None
        assert seen is not None
        return Measured(outcome, seen[0] - before[0], seen[1])


def _taken(place: Path) -> tuple[float, float] | None:
    """Seconds of a processor and peak of memory, in MB, of a process; None if it has ended."""
    try:
        fields = (place / "stat").read_text().rpartition(")")[2].split()
        peak = re.search(r"VmHWM:\s+(\d+)", (place / "status").read_text())
    except OSError:
        return None
    if peak is None:
        return None
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK"), int(peak[1]) / 1000


@pytest.fixture(scope="module")
def meter() -> Iterator[Meter]:
    with Workers(1, small=0) as pool:
        yield Meter(pool)


WAYS = {"server": "https://hostile.example/feed", "file": "/hostile/feed.xml"}

SLOW = frozenset(
    (
        *("many empty entries", "many empty entries, malformed", "many categories", "many authors"),
        *("many descriptions", "many enclosures", "long descriptions", "megabytes of text"),
    )
)
"""Attacks that take seconds, and are no other when they lie in a file: those of a server alone."""


@linux
@pytest.mark.parametrize(
    ("name", "way"),
    [
        pytest.param(name, way, id=f"{name}, {way}")
        for name in ATTACKS
        for way in WAYS
        if way == "server" or LONG or name not in SLOW
    ],
)
def test_an_attack_ends_in_entries_or_one_line(name: str, way: str, meter: Meter) -> None:
    make, expected = ATTACKS[name]
    measured = meter.measure(make(), WAYS[way])
    print(f"{name}: {measured.seconds:.2f} s, {measured.megabytes:.0f} MB")  # see it with -rP
    assert measured.seconds <= SECONDS
    assert measured.megabytes <= MEGABYTES
    outcome = measured.outcome
    if isinstance(outcome, ParseError):
        assert isinstance(expected, str), str(outcome)
        assert re.search(expected, str(outcome))
        assert len(str(outcome)) < 300
        assert str(outcome).isprintable()
        return
    assert len(outcome.entries) == expected
    assert len(outcome.warnings) <= 2
    for entry in outcome.entries:
        for value in (entry.title, entry.body, *entry.authors, *entry.tags, entry.link):
            assert not DANGEROUS.search(value)
        assert "root:" not in entry.title + entry.body
        assert entry.link == "" or entry.link.startswith(("http://", "https://"))
        assert entry.date is None or 1970 <= entry.date.year <= 2100
        assert len(entry.title) <= 1_000
        assert len(entry.body) <= 1_000_000


def test_small_bombs_do_not_grow() -> None:
    for name in ("xml bomb, small", "xml bomb, billion laughs", "xml bomb, quadratic"):
        data = ATTACKS[name][0]()
        (entry,) = parse(data, url="bomb.xml").entries
        assert "AA" not in entry.title
        assert "haha" not in entry.title


def test_a_long_text_is_cut_with_a_warning() -> None:
    long = f"<p>start<!-- {'x' * 8_100_000} --><p>end"
    for data in (
        item(f"<description><![CDATA[{long.replace('-->', '>')}]]></description>"),
        json(f'{{"id":"1","content_html":"{long}"}}'),
    ):
        feed = parse(data, url="long.xml")
        assert feed.entries[0].body.startswith("start")
        assert any("were cut after" in warning for warning in feed.warnings)


def test_a_body_of_opening_brackets_is_wrapped_in_time() -> None:
    start = time.process_time()
    assert wrapping.starts("｛［" * 100_000 + "京", 80)
    assert time.process_time() - start < SECONDS


def test_a_file_may_have_more_elements_than_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ARCHIVE_ELEMENT_LIMIT", 150_000)
    archive = entries(22_000)
    assert len(parse(archive, url="/archive.xml").entries) == 22_000
    with pytest.raises(ParseError) as raised:
        parse(archive, url="https://e.org/archive.xml", large=True)
    assert raised.value.reason.endswith("more than 120,000 elements (22,000 entries, 5.2 MB)")
    assert "save it to a file and use: searchfeed index --large FILE" in raised.value.remedy
    with pytest.raises(ParseError, match="120,000 elements"):
        parse(rss("<a/>" * 121_000), url="/dense.xml")


def test_a_file_that_is_trusted_has_limits_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LARGE_LIMIT", 500)
    assert len(parse(entries(80), url="/archive.xml", large=True).entries) == 80
    for data in (entries(100), json_entries(501)):
        with pytest.raises(ParseError, match="divide it into several files"):
            parse(data, url="/archive", large=True)


@dataclass(frozen=True, slots=True)
class Run:
    """The program after it has ended: what it said, and what it and its workers have taken.

    ``megabytes`` are those of the largest process.
    """

    code: int
    said: str
    seconds: float
    megabytes: float


MEASURE = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
taken = resource.getrusage(resource.RUSAGE_CHILDREN)
seconds = taken.ru_utime + taken.ru_stime
print(json.dumps((done.returncode, done.stderr, seconds, taken.ru_maxrss / 1000)))
"""
"""In a process of its own, which is small: the peak of one that starts counts as its child's."""


def run(index: Path, *words: str | Path, stdin: bytes = b"") -> Run:
    """``searchfeed index``, of a server on loopback too."""
    command = [*PROGRAM, "--index", str(index), "index", "--allow-private", *map(str, words)]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *command], input=stdin, capture_output=True, cwd=ROOT
    )
    ran = Run(*jsonlib.loads(done.stdout))
    print(f"{ran.seconds:.1f} s, {ran.megabytes:.0f} MB: {ran.said}")
    return ran


def is_refusal(ran: Run, name: str, reason: str) -> None:
    """It ended in time, with one line on what is wrong, and one on the whole run."""
    assert ran.code == 2
    error, summary = ran.said.splitlines()
    assert name in error
    assert re.search(reason, error)
    assert len(error) < 300
    assert error.isprintable()
    assert "0 added" in summary
    assert ran.seconds <= SECONDS
    assert ran.megabytes <= MEGABYTES


BY_LARGE = r"\(if you trust it, take it in whole with: searchfeed index --large"

LARGE_FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "many.xml": (
        lambda: entries(100_000),
        rf"more than 40,000 entries \(100,000 entries, 24.0 MB\) {BY_LARGE} FILE\)",
    ),
    "many.json": (
        lambda: json_entries(100_000),
        rf"more than 40,000 items \(100,000, 16.7 MB\) {BY_LARGE} FILE\)",
    ),
    "many.opml": (lambda: outlines(100_000), "more than 50,000 outlines"),
    # One character beyond the usual ones makes each of them four times as large.
    "wide.xml": (
        lambda: item(title="\U0001f4a5" + "<b>x</b>" * 3_500_000),
        rf"(more than 250 MB to be read|more than 120,000 elements .*) {BY_LARGE} FILE\)",
    ),
}


@linux
@pytest.mark.parametrize("name", LARGE_FILES)
def test_a_file_that_is_too_large_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    make, reason = LARGE_FILES[name]
    path = tmp_path / name
    path.write_bytes(make())
    is_refusal(run(tmp_path / "index", path), str(path), reason)


@linux
def test_a_gigabyte_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.xml"
    with path.open("wb") as file:
        file.write(item())
        file.truncate(1_000_000_000)
    name = re.escape(str(path))
    reason = rf"more than 32 MB \(1,000.0 MB\) {BY_LARGE} {name}\)"
    is_refusal(run(tmp_path / "index", path), str(path), reason)
    reason = r"more than 100 MB \(1,000.0 MB\) \(no feed is read that is so large; divide it\)"
    is_refusal(run(tmp_path / "index", "--large", path), str(path), reason)


@linux
def test_the_standard_input_is_refused_and_taken_in_as_a_file_is(tmp_path: Path) -> None:
    data = json(",".join(["{}"] * 40_001))
    is_refusal(run(tmp_path / "index", "-", stdin=data), "-: ", "more than 40,000 items")
    ran = run(tmp_path / "index", "--large", "-", stdin=data)
    assert (ran.code, ran.said.partition(" in ")[0]) == (0, "-: 1 added, 0 updated, 0 unchanged")


@linux
def test_no_option_takes_in_whole_what_a_server_sends(web: Web, tmp_path: Path) -> None:
    web.publish("/feed", entries(100_000))
    reason = r"more than 120,000 elements \(100,000 entries, 24.0 MB\) .*save it to a file and use"
    ran = run(tmp_path / "index", "--large", web.url("/feed"))
    is_refusal(ran, web.url("/feed"), reason)


@linux
@pytest.mark.skipif(not LONG, reason="takes minutes; set SEARCHFEED_LONG")
@pytest.mark.parametrize("make", [entries, json_entries])
def test_an_archive_of_a_hundred_thousand_entries_is_taken_in_whole(
    make: Callable[[int], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "archive"
    path.write_bytes(make(100_000))
    ran = run(tmp_path / "index", "--large", path)
    assert ran.code == 0
    assert ": 100,000 added, " in ran.said
    assert ran.megabytes < 600


QUERIES = {
    "a word": "a" * 100_000,
    "words": " ".join(f"w{number}" for number in range(15_000)),
    "open brackets": "(" * 10_000,
    "brackets": "(" * 10_000 + "a" + ")" * 10_000,
    "closing brackets": ")" * 10_000,
    "minus": "-" * 100_000,
    "minus and brackets": "-(" * 10_000,
    "quotes": '"a' * 50_000,
    "a phrase": '"' + "a " * 50_000 + '"',
    "operators": "a OR NOT " * 10_000,
    "fields": "title:" * 10_000,
    "stars": "a*" * 50_000,
    "patterns": "a* ?b* " * 10_000,
    "typing mistakes": "word~2 " * 10_000,
    "expressions": "/(a+)+$/ " * 10_000,
    "slashes": "/a" * 50_000,
    "dates": "since:" + "2020.." * 10_000,
    "ideographs": "東京" * 50_000,
    "marks": "e" + "\u0301" * 100_000,
}


ASK = """
import json, sys, time
from searchfeed import Index, QueryError
with Index(sys.argv[1]) as index:
    for line in sys.stdin:
        start = time.process_time()
        try:
            found, said = len(index.search(json.loads(line))), ""
        except QueryError as error:
            found, said = 0, str(error)
        print(found, len(said), time.process_time() - start, flush=True)
"""
"""In a process of its own, where nobody watches which lines are run: that takes three times as
long as the query."""


@pytest.fixture(scope="module")
def asked(
    fixtures: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[subprocess.Popen[str]]:
    path = tmp_path_factory.mktemp("hostile") / "index"
    with Index(path) as index:
        index.update([fixtures])
    with subprocess.Popen(
        [sys.executable, "-c", ASK, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        yield process
        process.communicate()
    assert process.returncode == 0


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_of_any_size_ends(name: str, asked: subprocess.Popen[str]) -> None:
    assert asked.stdin is not None
    assert asked.stdout is not None
    print(jsonlib.dumps(QUERIES[name]), file=asked.stdin, flush=True)
    found, said, seconds = map(float, asked.stdout.readline().split())
    assert found <= 10
    assert said < 300
    assert seconds < SECONDS


def test_every_test_that_the_security_policy_names_exists() -> None:
    policy = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", policy)
    assert len(named) > 30
    for file, function in named:
        tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
        assert any(
            isinstance(node, ast.FunctionDef) and node.name == function for node in ast.walk(tree)
        ), f"{file} has no {function}"
    for row in policy.splitlines():
        if row.startswith("|") and not row.startswith(("|--", "| What")):
            assert "`test_" in row, f"a row without a test: {row}"
