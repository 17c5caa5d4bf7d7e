"""Feeds updated beside the screen, with what is being done shown as it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from textual.message import Message

from searchfeed.index import Index
from searchfeed.models import Report
from searchfeed.output.clean import line
from searchfeed.output.human import count, size
from searchfeed.tui.lanes import Lane

_EVERY = 0.05
"""Seconds between two messages about progress at least."""

_LABELS = {"fetch": "fetching", "read": "reading", "index": "indexing"}


@dataclass
class Progressed(Message):
    """What is being done now, in words."""

    text: str


@dataclass
class Updated(Message):
    """It is done: what came of it, or why it could not be.

    ``what`` is the source that was taken in; empty for the feeds that are subscribed to.
    """

    what: str
    report: Report | None = None
    error: Exception | None = None


class Updater:
    """Updates the index in a thread; one thing at a time.

    Args:
        index: what is updated.
        post: takes a message, from any thread.
        allow_private: whether addresses inside the user's own network may be fetched.
    """

    def __init__(
        self, index: Index, post: Callable[[Message], object], *, allow_private: bool
    ) -> None:
        self._index = index
        self._post = post
        self._allow_private = allow_private
        self._lane = Lane("update")
        self._lock = Lock()
        self._told = 0.0
        self._figures: dict[str, tuple[int, int]] = {}

    @property
    def busy(self) -> bool:
        """Whether something is being updated."""
        return self._lane.busy

    def refresh(self) -> None:
        """Fetch the feeds that are subscribed to and due."""
        self._start(
            "",
            lambda: self._index.refresh(allow_private=self._allow_private, progress=self._progress),
        )

    def take_in(self, source: str) -> None:
        """Take in a file, a folder, a list of feeds or a URL."""
        self._start(
            source,
            lambda: self._index.update(
                [source], allow_private=self._allow_private, progress=self._progress
            ),
        )

    def close(self, seconds: float) -> bool:
        """Begin nothing more; return whether what was begun is done within so many seconds."""
        self._lane.close()
        return self._lane.wait(seconds)

    def _start(self, what: str, work: Callable[[], Report]) -> None:
        if self.busy:
            return
        self._figures = {}

        def job() -> None:
            try:
                report = work()
            except Exception as error:  # noqa: BLE001 - the screen shows it
                self._post(Updated(what, error=error))
            else:
                self._post(Updated(what, report))

        self._lane.ask(job)

    def _progress(self, what: str, done: int, total: int) -> None:
        with self._lock:
            self._figures[what] = done, total
            if total and done >= total and "://" in what:
                del self._figures[what]
            now = monotonic()
            if now - self._told < _EVERY:
                return
            self._told = now
            text = _told(self._figures)
        self._post(Progressed(text))


def _told(figures: dict[str, tuple[int, int]]) -> str:
    parts = []
    for what, label in _LABELS.items():
        if what in figures:
            done, total = figures[what]
            parts.append(f"{label} {done:,}/{total:,}" if total else f"{label} {done:,}")
    feeds = [(url, *numbers) for url, numbers in figures.items() if "://" in url]
    if feeds:
        url, done, _ = feeds[-1]
        name = line(url.partition("://")[2])[:40]
        parts.append(f"{name} {size(done) if done else ''}".strip())
    return ", ".join(parts) or "updating"


def outcome(what: str, report: Report) -> str:
    """What came of an update, in a line; ``what`` is as in ``Updated``."""
    if not what and not (report.fetched or report.waiting):
        return "no feeds are subscribed to; press a to add one"
    changes = [
        f"{number:,} {label}"
        for number, label in ((report.added, "added"), (report.updated, "updated"))
        if number
    ]
    told = ", ".join(changes)
    if told and what:
        told = f"{line(what)}: {told}"
    if report.failures:
        others = len(report.failures) - 1
        more = f" (and {count(others, 'source')} more)" if others else ""
        failed = f"failed: {line(str(report.failures[0]))}{more}"
        return f"{told}; {failed}" if told else failed
    if report.waiting:
        waiting = f"{count(report.waiting, 'feed')} not due yet"
        return f"{told}; {waiting}" if told else waiting
    return told or "nothing new"
