"""Work beside the screen: threads that run the newest of what they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition, Thread

Job = Callable[[], None]


class Lane:
    """A thread that runs one job at a time; of those waiting only the newest is ever run.

    So a job starts at once while nothing runs, and whoever asks faster than jobs are done skips
    what has become stale: no fixed delay is needed between keystrokes. The thread never keeps the
    program from ending.

    Args:
        name: what the thread is called.
    """

    def __init__(self, name: str) -> None:
        self._changed = Condition()
        self._job: Job | None = None
        self._busy = False
        self._closed = False
        self._thread = Thread(target=self._serve, name=name, daemon=True)

    def ask(self, job: Job) -> None:
        """Run this next, in the place of what is waiting."""
        with self._changed:
            if self._closed:
                return
            self._job = job
            if not self._thread.is_alive():
                self._thread.start()
            self._changed.notify_all()

    @property
    def busy(self) -> bool:
        """Whether a job runs or waits."""
        return self._busy or self._job is not None

    def settle(self, seconds: float) -> None:
        """Wait until no job runs or waits, at most so long."""
        with self._changed:
            self._changed.wait_for(lambda: not self.busy, seconds)

    def close(self) -> None:
        """Take no more jobs; what runs goes on to its end."""
        with self._changed:
            self._closed = True
            self._job = None
            self._changed.notify_all()

    def wait(self, seconds: float) -> bool:
        """Whether, at most so much later, nothing runs any more."""
        if self._thread.is_alive():
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                while self._job is None:
                    if self._closed:
                        return
                    self._changed.wait()
                job, self._job = self._job, None
                self._busy = True
            job()
