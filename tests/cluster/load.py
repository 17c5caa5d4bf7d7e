"""Who works on a cluster while something fails: writers (processes with archives), and readers.

A writer is this module as a program: it takes in one small feed after the other and says after each
how many entries of its archive have been acknowledged, until its standard input ends.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

from searchfeed.engines import EngineOptions
from searchfeed.errors import SearchfeedError
from searchfeed.index import Index

ROOT = Path(__file__).parents[2]

WORD = "harbour"
"""Every entry has it."""

TOGETHER = 10
"""Entries of one update."""

BETWEEN = 0.1
"""Seconds that writers and readers rest: the machine has the servers to run as well."""


class Writer:
    """A process that writes from an archive of its own in ``folder``."""

    def __init__(self, folder: Path, options: EngineOptions) -> None:
        self.folder = folder
        self.acknowledged = 0
        self.failures: list[str] = []
        folder.mkdir()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cluster.load", str(folder), options.url],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._listener = Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            kind, _, text = line.strip().partition(" ")
            if kind == "acknowledged":
                self.acknowledged = int(text)
            else:
                self.failures.append(text)

    def stop(self) -> None:
        """Let it end after what it is at."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(300)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            self._listener.join()
            if self._process.stdout is not None:
                self._process.stdout.close()


@dataclass
class Work:
    """What became of the work.

    Attributes:
        writers: who wrote.
        failed: what searches failed with.
        missing: how many entries were acknowledged before a search began, the fewer that it found,
            and when it ended.
        waits: seconds of each search, in the order in which they ended.
    """

    writers: Sequence[Writer]
    failed: list[str] = field(default_factory=list)
    missing: list[tuple[int, int, float]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    @property
    def acknowledged(self) -> int:
        """Entries that a writer was told are in the cluster."""
        return sum(writer.acknowledged for writer in self.writers)

    def progress(self, entries: int, seconds: float = 300) -> float:
        """Wait until so many more are acknowledged; return how long it took."""
        start = monotonic()
        wanted = self.acknowledged + entries
        while self.acknowledged < wanted:
            if monotonic() - start > seconds:
                failures = [each for writer in self.writers for each in writer.failures[-3:]]
                raise AssertionError(f"the writers stand still: {failures}")
            sleep(0.05)
        return monotonic() - start

    def __str__(self) -> str:
        waits = sorted(self.waits) or [0.0]
        refused = sum(len(writer.failures) for writer in self.writers)
        return (
            f"{self.acknowledged} entries acknowledged, {refused} updates refused; "
            f"{len(self.waits)} searches, {len(self.failed)} failed, {len(self.missing)} missed "
            f"some; p50 {waits[len(waits) // 2] * 1e3:.0f} ms, "
            f"p95 {waits[int(len(waits) * 0.95)] * 1e3:.0f} ms, longest {waits[-1]:.1f} s"
        )


@contextmanager
def working(
    folder: Path, options: EngineOptions, *, writers: int = 2, readers: int = 8
) -> Iterator[Work]:
    """Have writers and readers work for as long as the block runs."""
    folder.mkdir()
    work = Work([Writer(folder / f"writer{number}", options) for number in range(writers)])
    ended = Event()
    threads = [
        Thread(target=_read, args=(folder / "nothing", options, work, ended))
        for _ in range(readers)
    ]
    try:
        if writers:
            work.progress(2 * TOGETHER)
        for thread in threads:
            thread.start()
        yield work
    finally:
        ended.set()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
        for writer in work.writers:
            writer.stop()


def _read(folder: Path, options: EngineOptions, work: Work, ended: Event) -> None:
    """Search with a client that has no archive, again and again."""
    index = Index(folder, engine="opensearch", options=options)
    while not ended.wait(BETWEEN):
        known = work.acknowledged
        start = monotonic()
        try:
            found = index.search(WORD, limit=3, dedupe=False)
        except SearchfeedError as error:
            work.failed.append(f"{type(error).__name__}: {error}")
            continue
        work.waits.append(monotonic() - start)
        if found.total < known:
            work.missing.append((known, found.total, monotonic()))
    index.close()


def feed(number: int, folder: Path) -> Path:
    """A document with entries of its own, of the feed that belongs to a folder."""
    home = f"https://{folder.name}.example"
    items = [
        {
            "id": f"{number}-{each}",
            "title": f"Ship {number} of {folder.name} comes in, the {each}th",
            "content_text": f"It lies in the {WORD}, berth {number * TOGETHER + each}.",
        }
        for each in range(TOGETHER)
    ]
    file = folder / f"{number}.json"
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": f"Ships of {folder.name}",
        "feed_url": f"{home}/feed.json",
        "items": items,
    }
    file.write_text(json.dumps(document), "utf-8")
    return file


def main(folder: Path, url: str) -> None:
    """Write until standard input ends, and say what was acknowledged."""
    ended = Event()

    def listen() -> None:
        sys.stdin.read()
        ended.set()

    Thread(target=listen, daemon=True).start()
    index = Index(folder / "index", engine="opensearch", options=EngineOptions(url))
    number = 0
    while not ended.wait(BETWEEN):
        number += 1
        try:
            index.update(feed(number, folder))
        except SearchfeedError as error:
            # The archive has them; the next update that succeeds brings them along.
            print(f"failed {type(error).__name__}: {error}", flush=True)
        else:
            print(f"acknowledged {number * TOGETHER}", flush=True)
    index.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
