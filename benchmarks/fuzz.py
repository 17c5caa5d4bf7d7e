"""A stranger's feeds and any queries, for as long as is wanted: ``python -m benchmarks.fuzz``.

Feeds are taken at random, broken at random and laced with what has hurt somebody before; then they
are read, searched for, and written by every renderer. What is looked for: an error that is not
ours, an input that takes too long, and a byte that a terminal would obey and we did not mean.
``tests/test_fuzz.py`` runs the same checks on inputs that hypothesis makes.
"""

from __future__ import annotations

import argparse
import random
import re
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

from searchfeed import Index, Query
from searchfeed.archive import Version
from searchfeed.errors import ParseError, QueryError
from searchfeed.feeds import parse
from searchfeed.models import (
    Bucket,
    Contribution,
    Entry,
    ExplainedQuery,
    Explanation,
    Facet,
    FacetCount,
    Feed,
    FeedState,
    Hit,
    Period,
    Results,
    Snippet,
    Span,
    Stats,
    Subscription,
    Trend,
)
from searchfeed.output import (
    ENTRY,
    EXPLANATION,
    FACETED,
    FEEDS,
    HISTORY,
    QUERY,
    RESULTS,
    STATS,
    TREND,
    Faceted,
    Screen,
)
from searchfeed.output.clean import UNSAFE

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECONDS = 5
"""Of a processor, for one input."""

ROOT = Path(__file__).parents[1]
CORPORA = (ROOT / "fixtures", ROOT.parent / "shared" / "feeds" / "torture")
LARGEST = 100_000

# Colours, and hyperlinks that are http(s): all that we ever write to a terminal.
_OURS = re.compile(
    r"\x1b\[[0-9;]*m"
    r"|\x1b\]8;(?:id=[0-9a-f]+)?;(?:https?://[!-~]+)?\x1b\\",
    re.IGNORECASE,
)
_FOREIGN = re.compile(f"[{UNSAFE}]")

NASTY = (
    *(
        "\x1b[2J",
        "\x1b]8;;file:///etc/passwd\x1b\\x",
        "\x1b]52;c;ZXZpbA==\x07",
        "\x1bc",
        "\x1bPq\x1b\\",
    ),
    *("\x9b31m", "\x9d0;x\x9c", "\x9f", "\x85", "\0", "\x07", "\b\b\b", "\r", "\x0e", "\x7f", "\t"),
    *("\u202e", "\u2066", "\u200f", "\u061c", "\u200b", "\xad", "\ufeff", "\u2028", "\ufff9"),
    *("\U000e0041", "\U000e007f", "\u0301" * 9, "\u200d\u200d", "\u115f", "\u3164", "\ud800"),
    *("[bold]", "[/red]", "[link=file:///x]", "[@click=app.bell]", ":smile:", "\\[", "[/]", "{x}"),
    *("&#27;[31m", "&#x1b;]8;;http://x&#7;", "&#155;2J", "&amp;#27;[1m", "&amp;amp;#27;c", "&#0;"),
    *("&#xD800;", "&#99999999;", "&nbsp;", "&x;", "&", "<", ">", "<b>", "</b>", "<!--", "-->"),
    *("<![CDATA[", "]]>", "<?", "?>", "<p>", "<li>", "<ul>", "<td>", "<pre>", "<script>", "<a "),
    *("</item>", "<item>", "<entry>", "</title>", "<title>", "<description>", "=SUM(1)", "'", '"'),
    *("javascript:alert(1)", "http://e.org/\x1b[1m", "https://e.org/\u202e", "data:,x", "http://["),
    *(
        "東京",
        "مرحبا",
        "नमस्ते",
        "e\u0301",
        "ẞ",
        "İ",
        "\U0001f469\u200d\U0001f467",
        "word",
        " ",
        "\n",
    ),
)
"""Pieces of text that have hurt somebody before."""

PIECES = (
    *("AND", "OR", "NOT", "-", "+", "(", ")", '"', "~", "~2", "*", "?", "/", "/a+/", "/(a+)+$/"),
    *("title:", "feed:", "tag:", "author:", "date:", "since:", "until:", "lang:", "is:", "has:"),
    *("2020", "2020-02-30", "last week", "..", ">=", "yesterday", "東京", "c++", "word", "wor*"),
    *(" ", " ", " ", ":", ",", "\\", "“", "”", "–", "\u200b", "\x1b[31m", "\0", "\ud800", "[bold]"),
)
"""Pieces of queries."""


class ForeignSequenceError(AssertionError):
    """Something would be written to a terminal that a terminal obeys, and that is not ours."""


class UnclearError(AssertionError):
    """An error does not say what is wrong."""


def check_written(text: str, *, escapes: bool, layout: str = "") -> None:
    """See that a terminal finds nothing to obey in a text but what we mean.

    Args:
        text: what is written.
        escapes: whether colours and links may be in it.
        layout: further characters that the format is made of (tabs, CRLF).

    Raises:
        ForeignSequenceError: it does.
    """
    rest = _OURS.sub("", text) if escapes else text
    found = next((match for match in _FOREIGN.finditer(rest) if match[0] not in layout), None)
    if found is not None:
        around = rest[max(found.start() - 40, 0) : found.end() + 40]
        raise ForeignSequenceError(f"{found[0]!r} in {around!r}")
    text.encode()  # and it can be written at all


def check_values(entry: Entry, text: str) -> None:
    """Write an entry, and a text in every place where one can stand, in every format."""
    half = len(entry.body) // 2
    snippet = Snippet("body", entry.body, (Span(half // 2, half),), before=True, after=True)
    hit = Hit(entry, 1.0, (snippet, Snippet("title", entry.title)), (entry,))
    query = Query(text)
    results = Results(query, (hit,), 1, 0.1, (text,), text)
    counts = (FacetCount(text, 2, text), FacetCount(entry.feed_title, 1, entry.title))
    trend = Trend(query, Period.DAY, (Bucket("2020-08-01", NOW, NOW, 1),), 1, 0, (text,))
    link = entry.link
    subscription = Subscription(entry.feed_url, link, last_error=text, failures=1, moved_to=text)
    state = FeedState(entry.feed_url, text, link, text, 1, NOW, NOW, entry.tags, subscription)
    versions = (Version(entry, NOW), Version(Entry(entry.id, "f", text, text, text, link), NOW))
    explanation = Explanation(True, 1.0, (Contribution(text, 1.0, "body", text, 1.0),), (text,))  # noqa: FBT003
    for escapes in (True, False):
        screen = Screen(width=len(text) % 90 + 20, escapes=escapes, now=NOW, zone=UTC)
        renderings: tuple[tuple[tuple[str, ...], Callable[[str], Iterator[str]]], ...] = (
            (RESULTS.formats, lambda name: RESULTS.render(results, name, screen)),  # noqa: B023
            (FACETED.formats, lambda name: FACETED.render(
                Faceted(results, dict.fromkeys(Facet, counts)), name, screen)),  # noqa: B023
            (TREND.formats, lambda name: TREND.render(trend, name, screen)),  # noqa: B023
            (ENTRY.formats, lambda name: ENTRY.render(entry, name, screen)),  # noqa: B023
            (HISTORY.formats, lambda name: HISTORY.render(versions, name, screen)),  # noqa: B023
            (FEEDS.formats, lambda name: FEEDS.render((state,), name, screen)),  # noqa: B023
            (STATS.formats, lambda name: STATS.render(
                Stats(text, text, 1, 1, 1, NOW, NOW, 1, 1), name, screen)),  # noqa: B023
            (EXPLANATION.formats, lambda name: EXPLANATION.render(explanation, name, screen)),  # noqa: B023
            (QUERY.formats, lambda name: QUERY.render(
                ExplainedQuery(text, text, (text,), text), name, screen)),  # noqa: B023
        )  # fmt: skip
        for formats, render in renderings:
            for name in formats:
                layout = "\r" if name == "csv" else "\t" if name == "plain" else ""
                check_written("".join(render(name)), escapes=escapes, layout=layout)


def check_feed(data: bytes, url: str = "https://fuzz.example/feed") -> Feed | None:
    """Read a document; see that what comes of it is clean, and that it can be written.

    Returns:
        The feed, or None where it is none, which is said in one clear line.
    """
    try:
        feed = parse(data, url=url)
    except ParseError as error:
        if re.search("could not be read|beyond repair|\n", error.reason):
            raise UnclearError(error.reason) from error
        check_written(error.reason, escapes=False)
        return None
    for warning in feed.warnings:
        check_written(warning, escapes=False)
    assert len({entry.id for entry in feed.entries}) == len(feed.entries)
    for entry in feed.entries:
        for value in (entry.title, entry.link, entry.language, *entry.authors, *entry.tags):
            check_written(value, escapes=False)
            assert "\n" not in value
        check_written(entry.body, escapes=False)
        assert re.match(r"(?i:https?)://|$", entry.link)
    for entry in feed.entries[:2]:
        check_values(entry, entry.title[:200] or "x")
    return feed


def check_query(index: Index, text: str) -> None:
    """Ask for anything; see that it ends in results, or in an error that says where."""
    try:
        results = index.search(Query(text))
        faceted = Faceted(results, index.facets(Query(text), tuple(Facet)))
        trend = index.trend(Query(text), by=Period.MONTH)
        explained = index.explain_query(text)
        index.complete(text)
    except QueryError as error:
        if "\n" in error.reason or not 0 <= error.start <= error.end <= len(text):
            raise UnclearError(f"{error.start}:{error.end} {error.reason}") from error
        return
    screen = Screen(escapes=True, now=NOW, zone=UTC)
    for pieces in (
        RESULTS.render(results, "table", screen),
        FACETED.render(faceted, "table", screen),
        TREND.render(trend, "table", screen),
        QUERY.render(explained, "text", screen),
    ):
        check_written("".join(pieces), escapes=True)


class Fuzzer:
    """Makes inputs from a corpus, at random but for the seed."""

    def __init__(self, corpus: Sequence[bytes], seed: int) -> None:
        self._corpus = corpus
        self._random = random.Random(seed)

    def feed(self) -> bytes:
        """A document of the corpus with a few faults."""
        chance = self._random
        data = bytearray(chance.choice(self._corpus))
        for _ in range(chance.choice((1, 1, 2, 3, 5, 8, 20))):
            at = chance.randrange(len(data) + 1)
            end = min(at + chance.choice((1, 2, 8, 64, 512)), len(data))
            match chance.randrange(9):
                case 0:
                    data[at:end] = chance.randbytes(end - at)
                case 1:
                    del data[at:end]
                case 2:
                    data[at:at] = data[at:end] * chance.choice((1, 2, 50, 1_000))
                case 3:
                    other = chance.choice(self._corpus)
                    start = chance.randrange(len(other) + 1)
                    data[at:at] = other[start : start + chance.choice((10, 100, 2_000))]
                case 4:
                    del data[at:]
                case 5:
                    piece = chance.choice(NASTY).encode("utf-8", "surrogatepass")
                    data[at:at] = piece * chance.choice((1, 1, 1, 3, 500))
                case _:
                    # Between two tags, where a text is read.
                    at = data.find(b">", at) + 1
                    pieces = chance.choices(NASTY, k=chance.randint(1, 6))
                    data[at:at] = "".join(pieces).encode("utf-8", "surrogatepass")
            del data[LARGEST:]
        return bytes(data)

    def text(self) -> str:
        """Any text."""
        return "".join(self._random.choices(NASTY, k=self._random.randint(0, 12)))

    def entry(self) -> Entry:
        """An entry as it could come from an archive that somebody else has made."""
        names = tuple(self.text() for _ in range(self._random.randint(0, 2)))
        return Entry(
            id="0123456789abcdef",
            feed_url=self.text(),
            feed_title=self.text(),
            title=self.text(),
            body=self.text(),
            link=self.text(),
            authors=names,
            tags=names,
            published=NOW,
            updated=NOW - timedelta(days=3),
            language=self.text(),
        )

    def query(self) -> str:
        """Any query."""
        pieces = self._random.choices(PIECES + NASTY[:40], k=self._random.randint(1, 12))
        return "".join(pieces)


class TooLongError(Exception):
    """An input takes more of a processor than any may."""


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """End what takes more than so many seconds of this processor."""

    def ring(_number: int, _frame: object) -> NoReturn:
        raise TooLongError(f"more than {seconds} s")

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def corpus(places: Sequence[Path]) -> list[bytes]:
    """The documents below these folders that are not large."""
    files = (file for place in places for file in sorted(place.rglob("*")) if file.is_file())
    return [data for file in files if 0 < len(data := file.read_bytes()) <= LARGEST]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run for the minutes asked for; 1 if anything was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=None, help="by default another each time")
    parser.add_argument("--corpus", type=Path, nargs="*", default=CORPORA, help="folders of feeds")
    parser.add_argument("--keep", type=Path, help="where documents that broke something are put")
    options = parser.parse_args(arguments)
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 32)
    documents = corpus(options.corpus)
    fuzzer = Fuzzer(documents, seed)
    runs: Counter[str] = Counter()
    findings: Counter[str] = Counter()
    slowest = (0.0, "")
    print(f"seed {seed}, {len(documents)} documents")
    with TemporaryDirectory() as folder, Index(Path(folder) / "index") as index:
        index.update([ROOT / "fixtures"])
        end = time.monotonic() + options.minutes * 60
        kinds = ("feed", "feed", "values", "query")
        done = 0
        while time.monotonic() < end:
            kind = kinds[done % len(kinds)]
            start, data = time.process_time(), b""
            try:
                with bounded(SECONDS):
                    if kind == "feed":
                        data = fuzzer.feed()
                        runs["feed with entries"] += check_feed(data) is not None
                    elif kind == "values":
                        check_values(fuzzer.entry(), data.decode() or fuzzer.text() or "x")
                    else:
                        data = fuzzer.query().encode("utf-8", "surrogatepass")
                        check_query(index, data.decode("utf-8", "surrogatepass"))
            except Exception as error:  # noqa: BLE001 - finding them is what this is for
                cause = error.__cause__.__cause__ or error if error.__cause__ else error
                place = traceback.extract_tb(cause.__traceback__)[-1]
                name = f"{type(cause).__name__} at {Path(place.filename).name}:{place.lineno}"
                if not findings[name]:
                    print(f"{kind}: {name}: {str(error)[:200]}\n    {data[:300]!r}", flush=True)
                    if options.keep and data:
                        options.keep.mkdir(parents=True, exist_ok=True)
                        (options.keep / f"{kind}-{len(findings)}").write_bytes(data)
                findings[name] += 1
            runs[kind] += 1
            done += 1
            slowest = max(slowest, (time.process_time() - start, kind))
    print(", ".join(f"{count:,} {kind}" for kind, count in sorted(runs.items())))
    print(f"the slowest took {slowest[0]:.2f} s ({slowest[1]}); {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
