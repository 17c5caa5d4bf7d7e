"""How soon the app shows what is typed: the real program in a real terminal, letter by letter.

    python -m benchmarks.app ../shared/feeds/reuters --scale 1,10 --keep /var/tmp/app
    python -m benchmarks.app --scale 1 --sizes 80x24 --queries 4

README.md says what is measured and how to read it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import cycle, islice
from math import ceil
from pathlib import Path
from statistics import median

from rich.box import SIMPLE_HEAD
from rich.table import Table

from benchmarks import corpus
from benchmarks.corpus import Corpus
from benchmarks.peers.ours import Searchfeed
from benchmarks.questions import Kind, choose
from benchmarks.record import machine, versions
from benchmarks.shown import RESULTS, consoles, default_folder, write
from benchmarks.terminal import Screen, Terminal
from searchfeed import Index
from searchfeed.engines.whoosh.engine import fingerprint
from searchfeed.output.clean import line
from searchfeed.output.human import count
from searchfeed.tui.criteria import Criteria

PAUSES = (0.15, 0.1, 0.25, 0.12, 0.35, 0.18)
"""Seconds between an answer and the next key, by turns: as a person types, never evenly."""

FRAME = 1000 / 60
"""Milliseconds for which a screen shows a picture."""

LONGEST = 36
"""Characters of a query: as many as the narrowest screen shows at once."""

FIGURES, SEEN = 26, 3
"""Columns at the right of the first row that say how much was found; hits that are looked for."""

KINDS = (Kind.WORD, Kind.PHRASE, Kind.TYPED)
"""Which questions of the speed benchmark are typed."""

PROMPT = "❯ "
CLEAR = "\x15"  # Ctrl+U
QUIT = "\x11"  # Ctrl+Q


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds: the median, the 95th percentile, and the most."""

    p50: float
    p95: float
    most: float


@dataclass(frozen=True, slots=True)
class Typed:
    """What was measured on one screen, with one index.

    Attributes:
        keys: how many were typed.
        echo: from a key until its letter is painted.
        results: from a key until its results are.
        within: the share of keys whose results are painted within a frame.
        first: from the start of the process until there is a line to type in.
        ready: from then until the newest entries are painted below it.
        screen_cpu, cpu: processor milliseconds for a key and all that it brings about, of the
            thread that paints and of the whole process; None where the system does not say.
    """

    size: str
    entries: int
    keys: int
    echo: Spread
    results: Spread
    within: float
    first: Spread
    ready: Spread
    screen_cpu: float | None
    cpu: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What has to be seen once a text stands in the search line: how much, and the first titles."""

    text: str
    figures: str
    titles: tuple[str, ...]

    def echoed(self, screen: Screen) -> bool:
        """Whether the text stands in the line, its last letter written anew."""
        last = len(PROMPT) + len(self.text) - 1
        written = any(row == 0 and first <= last < end for row, first, end in screen.written)
        return written and screen.lines[0].startswith(f"{PROMPT}{self.text}")

    def found(self, screen: Screen) -> bool:
        """Whether its results stand below it, and their number has been written anew."""
        top, *rows = screen.lines
        left = screen.columns - FIGURES
        written = any(row == 0 and end > left for row, _, end in screen.written)
        below = iter(rows)
        return (
            written
            and f" {self.figures} " in top[left - 1 :]
            and all(any(title in row for row in below) for title in self.titles)
        )


class Session:
    """The app in a terminal, with an index."""

    def __init__(self, index: Path, home: Path, size: str) -> None:
        columns, rows = map(int, size.split("x"))
        own = {"HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ("COLUMNS", "LINES", "NO_COLOR")
            and not name.startswith(("SEARCHFEED_", "TEXTUAL", "XDG_"))
        }
        command = [sys.executable, "-m", "searchfeed", "--index", str(index), "browse"]
        self.terminal = Terminal(command, {**environment, **own}, columns, rows)
        self._pauses = cycle(PAUSES)

    def begin(self, everything: Answer) -> tuple[float, float]:
        """Wait for the first paint and for the newest entries; return their milliseconds."""
        times = self.terminal.watch(
            first=lambda screen: screen.lines[0].startswith(f"{PROMPT}search"),
            ready=everything.found,
        )
        first, ready = times["first"], times["ready"]
        return (first - self.terminal.started) * 1000, (ready - self.terminal.started) * 1000

    def type(self, key: str, answer: Answer) -> tuple[float, float]:
        """Press a key and wait for its answer; return the milliseconds of its echo and of that."""
        pressed = self.terminal.press(key)
        times = self.terminal.watch(echo=answer.echoed, results=answer.found)
        self.terminal.rest(next(self._pauses))
        return (times["echo"] - pressed) * 1000, (times["results"] - pressed) * 1000

    def clear(self, everything: Answer) -> None:
        """Take out what was typed."""
        self.terminal.press(CLEAR)
        self.terminal.watch(results=everything.found)
        self.terminal.rest(max(PAUSES))

    def end(self) -> None:
        """End the app."""
        self.terminal.press(QUIT)
        self.terminal.rest(1.0)


def measure(index: Path, queries: Sequence[str], size: str, starts: int) -> Typed:
    """Start the app some times, and type the queries into the last of them.

    Args:
        index: a directory that holds an index.
        queries: what is typed.
        size: of the screen, as ``80x24``.
        starts: how many times it is started.

    Raises:
        TimeoutError: the app does not show what it has to.
    """
    answers = expected(index, queries)
    everything = answers[""]
    began = []
    with tempfile.TemporaryDirectory(prefix="searchfeed-app-") as home:
        for start in range(starts):
            session = Session(index, Path(home), size)
            try:
                began.append(session.begin(everything))
                if start == starts - 1:
                    session.terminal.rest(1.0)
                    keys, screen_cpu, cpu = _type(session, queries, answers)
                session.end()
            finally:
                session.terminal.close()
    with Index(index) as opened:
        entries = opened.search("", limit=1, dedupe=False).total
    echo, results = zip(*keys, strict=True)
    first, ready = zip(*began, strict=True)
    return Typed(
        size,
        entries,
        len(keys),
        spread(echo),
        spread(results),
        sum(each <= FRAME for each in results) / len(results),
        spread(first),
        spread(ready),
        screen_cpu and screen_cpu / len(keys),
        cpu and cpu / len(keys),
    )


def _type(
    session: Session,
    queries: Sequence[str],
    answers: dict[str, Answer],
) -> tuple[list[tuple[float, float]], float | None, float | None]:
    keys: list[tuple[float, float]] = []
    screen, whole = 0.0, 0.0
    before = None
    for query in queries:
        before = consumed(session.terminal.process)
        for end, letter in enumerate(query, start=1):
            keys.append(session.type(letter, answers[query[:end]]))
        if before and (after := consumed(session.terminal.process)):
            screen += after[0] - before[0]
            whole += after[1] - before[1]
        session.clear(answers[""])
    return keys, screen if before else None, whole if before else None


def expected(index: Path, queries: Sequence[str]) -> dict[str, Answer]:
    """What each beginning of the queries finds."""
    texts = {query[:end] for query in queries for end in range(len(query) + 1)}
    answers = {}
    with Index(index) as opened:
        for text in sorted(texts):
            sort = "relevance" if text.strip() else "-date"
            found = opened.search(text, limit=SEEN, sort=sort)
            longer = Criteria(text, typing=True).longer
            if longer and not found.total:
                more = opened.search(longer.query(), limit=SEEN, sort=sort)
                found = more if more.total else found
            titles = []
            for hit in found.hits:
                passage = hit.snippet("title")
                title = line(passage.text if passage else hit.entry.title).strip()
                titles.append(title[:16].strip())
            answers[text] = Answer(text, count(found.total, "entry"), tuple(titles))
    return answers


def spread(values: Sequence[float]) -> Spread:
    """The spread of some figures."""
    ordered = sorted(values)
    return Spread(median(ordered), ordered[ceil(0.95 * len(ordered)) - 1], ordered[-1])


def consumed(process: int) -> tuple[float, float] | None:
    """Processor milliseconds of a process's first thread and of it all; None if not known."""
    root = Path("/proc") / str(process)
    try:
        texts = [(root / "task" / str(process) / "stat").read_text(), (root / "stat").read_text()]
    except OSError:  # this is not Linux
        return None
    unit = 1000 / os.sysconf("SC_CLK_TCK")
    first, whole = (sum(map(int, text.rpartition(")")[2].split()[11:13])) * unit for text in texts)
    return first, whole


def prepare(folder: Path, scale: int, work: Path) -> tuple[Path, list[str]]:
    """An index of a folder's texts, so many times, and queries of which they hold the words.

    What an earlier run left in ``work`` is used again, if this release made it of that folder.
    """
    index, record = work / f"app-x{scale}", work / f"app-x{scale}.json"
    stamp = f"{fingerprint()} {folder.resolve()}"
    if record.exists():
        known = json.loads(record.read_text("utf-8"))
        if known["stamp"] == stamp:
            return index, known["queries"]
        record.unlink()
    shutil.rmtree(index, ignore_errors=True)
    index.mkdir()
    file = work / "app-entries.jsonl"
    parsed = corpus.parse(folder, file, lambda _done, _total: None)
    texts = Corpus(file, parsed.entries, scale)
    ours = Searchfeed(index)
    ours.keep(texts)
    ours.build(iter(texts), len(texts))
    ours.close()
    queries = list(typed(Corpus(file, parsed.entries)))
    record.write_text(json.dumps({"stamp": stamp, "queries": queries}), "utf-8")
    return index, queries


def typed(texts: Corpus) -> Iterator[str]:
    """Queries as a person types them, of one class after the other."""
    known: set[str] = set()
    classes: dict[str, list[str]] = {}
    for question in choose(texts):
        text = " ".join(question.words)
        if question.kind in KINDS and text not in known and len(text) <= LONGEST:
            known.add(text)
            classes.setdefault(question.group, []).append(text)
    for number in range(max(map(len, classes.values()), default=0)):
        for texts_of_class in classes.values():
            yield from texts_of_class[number : number + 1]


def table(rows: Sequence[Typed]) -> Table:
    """All that was measured, for people: a column for each screen and index."""
    made = Table(title="The app, letter by letter", box=SIMPLE_HEAD)
    made.add_column("milliseconds: p50 / p95 / most", no_wrap=True)
    for row in rows:
        made.add_column(f"{row.entries:,}\n{row.size}", justify="right", no_wrap=True)
    for label, spreads in (
        ("key to letter", [row.echo for row in rows]),
        ("key to results", [row.results for row in rows]),
        ("start to first paint", [row.first for row in rows]),
        ("start to newest entries", [row.ready for row in rows]),
    ):
        made.add_row(
            label, *(f"{each.p50:,.0f} / {each.p95:,.0f} / {each.most:,.0f}" for each in spreads)
        )
    made.add_row("results within a frame", *(f"{row.within:.1%}" for row in rows))
    for label, cpus in (
        ("processor time a key, where it is painted", [row.screen_cpu for row in rows]),
        ("processor time a key, in all", [row.cpu for row in rows]),
    ):
        made.add_row(label, *("—" if cpu is None else f"{cpu:,.1f}" for cpu in cpus))
    return made


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.app", description="Measure how soon the app shows what is typed."
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=default_folder(), help="feeds, as files"
    )
    parser.add_argument("--scale", default="1,10", help="how many times the texts (default 1,10)")
    parser.add_argument("--sizes", default="80x24,200x60", help="of the screen")
    parser.add_argument("--queries", type=int, default=16, help="that are typed (default 16)")
    parser.add_argument("--starts", type=int, default=5, help="of the app (default 5)")
    parser.add_argument(
        "--keep", type=Path, help="a directory in which the indexes stay for the next run"
    )
    parser.add_argument("--output", type=Path, default=RESULTS, help="for the JSON")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, show the table, write the JSON."""
    options = _options().parse_args(arguments)
    if not options.folder.is_dir():
        sys.exit(f"{options.folder} is not a folder")
    console, talk = consoles()
    rows: list[Typed] = []
    with tempfile.TemporaryDirectory(prefix="searchfeed-app-") as temporary:
        work = options.keep or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        for scale in sorted({int(each) for each in options.scale.split(",")}):
            with talk.status(f"make the index, ×{scale}"):
                index, queries = prepare(options.folder, scale, work)
            for size in options.sizes.split(","):
                chosen = list(islice(queries, options.queries))
                with talk.status(f"type into the app, ×{scale}, {size}"):
                    rows.append(measure(index, chosen, size, options.starts))
    console.print(table(rows))
    record = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "folder": str(options.folder),
        "machine": machine(),
        "versions": versions(),
        "typed": [asdict(row) for row in rows],
    }
    write(record, options.output / "app.json", talk)


if __name__ == "__main__":
    main()
