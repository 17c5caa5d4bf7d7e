"""Bars on stderr while long work runs."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from searchfeed.cli import streams
from searchfeed.cli.base import Settings

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_LABELS = {"read": "reading", "index": "indexing"}


class Bars:
    """A progress callback that draws a bar for each kind of work, and takes them away at the end.

    Without a terminal that can move its cursor it draws nothing, and rich is not loaded.
    """

    def __init__(self, settings: Settings) -> None:
        self._shown = (
            not settings.quiet
            and streams.is_terminal(sys.stderr)
            and streams.takes_escapes(sys.stderr, settings.color)
        )
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._progress:
            self._progress.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` is done; a total of 0 is not known yet."""
        if not self._shown:
            return
        if self._progress is None:
            self._progress = _start()
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(_LABELS.get(what, what), total=None)
        self._progress.update(self._tasks[what], completed=done, total=total or None)


def _start() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    progress = Progress(
        TextColumn("{task.description:<8}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    progress.start()
    return progress
