"""Every attack on the reader that we know, each in a worker process that is measured.

Each ends within the limits below, in entries or in one clear line. `SECURITY.md` is held to its
word here too: the tests that it names exist.
"""

from __future__ import annotations

import ast
import base64
import gzip
import html
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
from searchfeed.feeds import guard, parse
from searchfeed.feeds.workers import Document, Workers
from searchfeed.models import Feed
from searchfeed.output import wrapping
from searchfeed.output.clean import UNSAFE

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
    "many empty entries": (lambda: rss("<item/>" * 100_000), 1),
    "many empty entries, malformed": (lambda: rss("</b>" + "<item>" * 80_000), 1),
    "many entries of a server": (lambda: entries(100_000), "120,000 elements"),
    "many json items": (lambda: json(",".join(["{}"] * 110_000)), 1),
    "too many json items": (lambda: json(",".join(["{}"] * 300_000)), "120,000 items"),
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


@linux
@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_ends_in_entries_or_one_line(name: str, meter: Meter) -> None:
    make, expected = ATTACKS[name]
    measured = meter.measure(make(), "https://hostile.example/feed")
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
    monkeypatch.setattr(guard, "ELEMENT_LIMIT", 2_000)
    archive = entries(1_000)
    assert len(parse(archive, url="/archive.xml").entries) == 1_000
    with pytest.raises(ParseError, match="save it to a file") as raised:
        parse(archive, url="https://e.org/archive.xml")
    assert "2,000 elements" in raised.value.reason
    dense = rss("<a/>" * 3_000)
    with pytest.raises(ParseError, match="2,000 elements"):
        parse(dense, url="/dense.xml")
    monkeypatch.setattr(guard, "FILE_ELEMENT_LIMIT", 3_000)
    with pytest.raises(ParseError, match="divide it into several files"):
        parse(archive, url="/archive.xml")


@linux
@pytest.mark.skipif(not LONG, reason="takes a minute; set SEARCHFEED_LONG")
def test_an_archive_of_a_hundred_thousand_entries_is_read_from_a_file(
    meter: Meter,
) -> None:
    data = entries(100_000)
    start = time.monotonic()
    measured = meter.measure(data, "/archive.xml")
    assert isinstance(measured.outcome, Feed)
    assert len(measured.outcome.entries) == 100_000
    print(f"{len(data) / 1e6:.0f} MB: {time.monotonic() - start:.0f} s, ", end="")
    print(f"{measured.seconds:.0f} s of a processor, {measured.megabytes:.0f} MB")
    assert measured.megabytes < 600


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
import sys, time
from searchfeed import Index, QueryError
with Index(sys.argv[1]) as index:
    query = sys.stdin.read()
    start = time.process_time()
    try:
        found, said = len(index.search(query)), ""
    except QueryError as error:
        found, said = 0, str(error)
    print(found, len(said), time.process_time() - start)
"""
"""In a process of its own, where nobody watches which lines are run: that takes three times as
long as the query."""


@pytest.fixture(scope="module")
def index(fixtures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile") / "index"
    with Index(path) as index:
        index.update([fixtures])
    return path


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_of_any_size_ends(name: str, index: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", ASK, index],
        input=QUERIES[name],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    assert run.stderr == ""
    found, said, seconds = map(float, run.stdout.split())
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
