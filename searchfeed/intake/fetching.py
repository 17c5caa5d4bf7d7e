"""Fetching in a thread of its own."""

from __future__ import annotations

from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import TYPE_CHECKING, Any

from searchfeed.errors import FetchError
from searchfeed.values import dataclass

if TYPE_CHECKING:
    from searchfeed.intake.subscriptions import Progress
    from searchfeed.sources.http import Client, Request, Response


@dataclass(frozen=True, slots=True)
class Answered:
    """A request, and what came of it."""

    request: Request
    answer: Response | FetchError


class Fetching:
    """Fetches in a thread of its own, so that one slow server keeps nobody from storing the rest.

    What has come goes into a queue, and None behind the last; each takes one of the slots.
    """

    def __init__(
        self,
        client: Client,
        requests: list[Request],
        events: SimpleQueue[Any],
        slots: Semaphore,
        progress: Progress | None,
    ) -> None:
        self.goes_on = True
        self._client = client
        self._requests = requests
        self._events = events
        self._slots = slots
        self._progress = progress
        self._thread = Thread(target=self._run, name="searchfeed-fetching", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Let it end, whatever it is doing."""
        if self.goes_on:
            self.goes_on = False
            self._slots.release()
            self._client.close()
        self._thread.join()

    def _run(self) -> None:
        try:
            answers = self._client.fetch_all(self._requests, progress=self._on_its_way)
            for request, answer in answers:
                self._arrived(request, answer)
                self._slots.acquire()
                if not self.goes_on:
                    return
                self._events.put(Answered(request, answer))
            self._events.put(None)
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            self._events.put(error)

    def _on_its_way(self, request: Request, received: int, size: int | None) -> None:
        if self._progress:
            self._progress(self._shown(request), received, size if size and size > received else 0)

    def _arrived(self, request: Request, answer: Response | FetchError) -> None:
        if self._progress:
            data = b"" if isinstance(answer, FetchError) else answer.data or b""
            size = len(data) or 1
            self._progress(self._shown(request), size, size)

    @staticmethod
    def _shown(request: Request) -> str:
        from searchfeed.sources.http import redacted

        return redacted(request.url)
