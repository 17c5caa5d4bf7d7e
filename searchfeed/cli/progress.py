"""Bars on stderr while long work runs."""

from __future__ import annotations

import sys
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Self

from searchfeed.cli import streams
from searchfeed.cli.base import Settings
from searchfeed.output.clean import line
from searchfeed.output.human import size

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_LABELS = {
    "fetch": "fetching",
    "read": "reading",
    "index": "indexing",
    "check": "checking",
}

_ROWS = 6
"""Feeds that have a row of their own at most; those beyond wait until one is done."""

_WIDTH = 40


class Bars:
    """A progress callback that draws a bar for each kind of work, and takes them away at the end.

    Each feed that is being fetched has a row too. Without a terminal that can move its cursor
    nothing is drawn, and rich is not loaded. Any thread may call it.
    """

    def __init__(self, settings: Settings) -> None:
        self._shown = (
            not settings.quiet
            and streams.is_terminal(sys.stderr)
            and streams.takes_escapes(sys.stderr, settings.color)
        )
        self._lock = Lock()
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._feeds: set[str] = set()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            self._closed = True
            if self._progress:
                self._progress.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` is done; a total of 0 is not known yet."""
        if not self._shown:
            return
        with self._lock:
            if self._closed:
                return
            if self._progress is None:
                self._progress = _start()
            if "://" in what:
                self._show_feed(self._progress, what, done, total)
            else:
                amount = f"{done:,}/{total:,}" if total else f"{done:,}"
                self._show(self._progress, what, _LABELS.get(what, what), done, total, amount)

    def _show_feed(self, progress: Progress, url: str, done: int, total: int) -> None:
        if total and done >= total:
            self._feeds.discard(url)
            if url in self._tasks:
                progress.remove_task(self._tasks.pop(url))
        elif url in self._feeds or len(self._feeds) < _ROWS:
            self._feeds.add(url)
            label = line(url.partition("://")[2])
            label = label if len(label) <= _WIDTH else f"{label[: _WIDTH - 1]}…"
            amount = size(done) if done else ""
            self._show(progress, url, f"  {label}", done, total, amount)

    def _show(
        self, progress: Progress, what: str, label: str, done: int, total: int, amount: str
    ) -> None:
        if what not in self._tasks:
            self._tasks[what] = progress.add_task(label, total=None, amount=amount)
        progress.update(self._tasks[what], completed=done, total=total or None, amount=amount)


def _start() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    progress = Progress(
        TextColumn("{task.description:<8}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[amount]}", markup=False),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    progress.start()
    return progress
