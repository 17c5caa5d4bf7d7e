"""What can be done with the entry that is looked at, and with those that are marked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING

from searchfeed import output
from searchfeed.models import Entry
from searchfeed.output.clean import line
from searchfeed.tui.clipboard import copy
from searchfeed.tui.marks import Marks, free_name
from searchfeed.tui.opening import open_link
from searchfeed.tui.painting import Painter
from searchfeed.tui.results import ResultList

if TYPE_CHECKING:
    from searchfeed.index import Index


class Deeds(Painter):
    """Open, copy, mark, export.

    Args:
        index: where entries are from.
        now: the time.
    """

    results: ResultList

    def __init__(self, index: Index, now: Callable[[], datetime]) -> None:
        super().__init__()
        self.index = index
        self.now = now
        self.marks = Marks()

    @property
    def entry(self) -> Entry | None:
        """The entry that keys are about."""
        raise NotImplementedError

    def tell(self, message: str) -> None:
        """Show a line about what has just been done."""
        raise NotImplementedError

    def tell_figures(self) -> None:
        """Show how much was found, and how much is marked."""
        raise NotImplementedError

    def look_like(self, entry: Entry) -> None:
        """Show what is like an entry."""
        raise NotImplementedError

    def open_link(self, link: str) -> None:
        """Open an address in the browser."""
        self._do(open_link(link))

    def _do(self, deed: Awaitable[str]) -> None:
        """Do it without waiting for it, and tell what came of it."""

        async def work() -> None:
            self.tell(await deed)

        self.run_worker(work(), group="deeds")

    def action_open(self) -> None:
        """Open the entry's link in the browser."""
        if self.entry:
            self.open_link(self.entry.link)

    def action_copy_link(self) -> None:
        """Copy the entry's link."""
        if self.entry is None:
            return
        link = line(self.entry.link).strip()
        if link:
            self._do(copy(self.app, link, "Link"))
        else:
            self.tell("There is no link")

    def action_copy_markdown(self) -> None:
        """Copy the entry as Markdown."""
        if self.entry:
            screen = output.Screen(now=self.now())
            text = "".join(output.ENTRIES.render((self.entry,), "markdown", screen))
            self._do(copy(self.app, text, "Markdown"))

    def action_mark(self) -> None:
        """Mark the entry, or no longer, and go on to the next."""
        if self.entry is None:
            return
        marked = self.marks.toggle(self.entry)
        self.tell("")
        self.tell_figures()
        self.results.redraw()
        if self.focused is self.results and marked:
            self.results.move(1)
        self.refresh_bindings()

    def action_export(self) -> None:
        """Write what is marked to a new file in the working directory."""
        screen = output.Screen(now=self.now())
        try:
            self.tell(self.marks.export(free_name(self.now().astimezone()), screen))
        except OSError as error:
            self.tell(f"not exported: {error.strerror or error}")
        except ValueError as error:
            self.tell(f"not exported: {error}")

    def action_like(self) -> None:
        """Show what is like it."""
        if self.entry:
            self.look_like(self.entry)
