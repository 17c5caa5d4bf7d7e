"""How the index grows while it is looked at: updates, and the first feeds of somebody new."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from textual import on

from searchfeed.errors import SearchfeedError
from searchfeed.tui.deeds import Deeds
from searchfeed.tui.updating import Progressed, Updated, Updater, outcome
from searchfeed.tui.welcome import SAMPLE, Welcome

if TYPE_CHECKING:
    from searchfeed.index import Index

_GREETED = "-greeted"
"""The class of the screen while ``Welcome`` has the place of all else."""


class Growing(Deeds):
    """Updates beside the screen, and ``Welcome`` in its place while there is nothing to show.

    Args:
        index: what grows.
        now: the time.
        allow_private: whether addresses inside the user's own network may be fetched.
    """

    welcome: Welcome

    def __init__(self, index: Index, now: Callable[[], datetime], *, allow_private: bool) -> None:
        super().__init__(index, now)
        self.updater = Updater(index, self.post_message, allow_private=allow_private)
        self.empty = False

    def grown(self) -> None:
        """Show what has come."""
        raise NotImplementedError

    def go_back(self) -> None:
        """Go to where queries are typed."""
        raise NotImplementedError

    @property
    def greeted(self) -> bool:
        """Whether ``Welcome`` is shown."""
        return self.has_class(_GREETED)

    def set_empty(self, *, empty: bool) -> None:
        """Greet whoever has no entries yet."""
        if empty and not self.empty:
            self.empty = True
            self._greet()
        elif self.empty and not empty:
            self.empty = False
            self.leave_welcome()

    def leave_welcome(self) -> None:
        """Show the results again, where there are any."""
        if self.greeted and not self.empty:
            self.remove_class(_GREETED)
            self.go_back()
            self.refresh_bindings()

    def _greet(self) -> None:
        self.add_class(_GREETED)
        self.welcome.greet(new=self.empty)
        self.refresh_bindings()

    def action_add(self) -> None:
        """Ask for more feeds."""
        self._greet()

    def action_update(self) -> None:
        """Fetch the feeds that are due."""
        if not self.updater.busy:
            self.tell("updating")
            self.updater.refresh()

    @on(Welcome.Named)
    def _take_in(self, message: Welcome.Named) -> None:
        self.welcome.tell("reading")
        self.updater.take_in(message.source)

    @on(Progressed)
    def _show_progress(self, message: Progressed) -> None:
        self._say(message.text)

    @on(Updated)
    def _show_outcome(self, message: Updated) -> None:
        report = message.report
        if report is None:
            self._say(said(message.error))
            return
        what = "the sample" if message.what == str(SAMPLE) else message.what
        told = outcome(what, report)
        if report.added or report.updated or (report.unchanged and message.what):
            self.tell(told)
            # The answer to what is looked for then shows whether there is still nothing.
            self.grown()
            self.leave_welcome()
        else:
            self._say(told)

    def _say(self, text: str) -> None:
        if self.greeted:
            self.welcome.tell(text)
        else:
            self.tell(text)


def said(error: Exception | None) -> str:
    """What went wrong, in a line."""
    if error is None or isinstance(error, SearchfeedError):
        return str(error or "")
    return f"this is a bug in searchfeed: {type(error).__name__}: {error}"
