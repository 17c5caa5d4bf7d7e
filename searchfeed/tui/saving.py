"""Searches saved under a name, which then stands for them in others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from textual import events, on
from textual.message import Message
from textual.widget import Widget

from searchfeed.keys import search_key
from searchfeed.tui.growing import said
from searchfeed.tui.lanes import Lane
from searchfeed.tui.looking import Looking
from searchfeed.tui.naming import NameLine

if TYPE_CHECKING:
    from searchfeed.index import Index

_ASKING = "-naming"
"""The class of the screen while a name is asked for."""


@dataclass
class Saved(Message):
    """``@name`` stands for ``text`` now, and no longer for ``before``, which may be empty."""

    name: str
    text: str
    before: str


@dataclass
class NotSaved(Message):
    """It is not saved: why, and the name as it was typed where it is ``taken``."""

    reason: str
    taken: str = ""


class Saving(Looking):
    """Asks for a name, and saves what is looked for under it.

    Args:
        index: what is searched, and where searches are kept.
        query: what stands in the search line at first.
        now: the time.
        allow_private: whether addresses inside the user's own network may be fetched.
    """

    naming: NameLine

    def __init__(
        self, index: Index, query: str, *, now: Callable[[], datetime], allow_private: bool
    ) -> None:
        super().__init__(index, query, now=now, allow_private=allow_private)
        # Another process may be writing, and is waited for.
        self.saver = Lane("saving")
        self._before: Widget | None = None

    @property
    def asking(self) -> bool:
        """Whether a name is asked for."""
        return self.has_class(_ASKING)

    def action_save(self) -> None:
        """Ask what the search is to be called."""
        if self.criteria.like or self.criteria.everything:
            self.tell("there is nothing to save; type a search first")
        elif not self.asking:
            self._before = self.focused
            self.add_class(_ASKING)
            self.naming.ask(self.criteria.query())

    def leave_naming(self) -> None:
        """Back to where keys went before."""
        if self.focused is self.naming.field:
            self.set_focus(self._before)
        self.remove_class(_ASKING)

    @on(events.DescendantFocus)
    def _went_elsewhere(self) -> None:
        if self.focused is not self.naming.field:
            self.remove_class(_ASKING)

    @on(NameLine.Named)
    def _save(self, message: NameLine.Named) -> None:
        text = self.criteria.query()

        def job() -> None:
            self.post_message(save(self.index, message.name, text, message.replace))

        self.saver.ask(job)

    @on(Saved)
    def _saved(self, message: Saved) -> None:
        self.leave_naming()
        instead = f", and no longer for: {message.before}" if message.before else ""
        self.tell(f"@{message.name} stands for: {message.text}{instead}")

    @on(NotSaved)
    def _not_saved(self, message: NotSaved) -> None:
        if self.asking:
            self.naming.refuse(message.reason, message.taken)
        else:
            self.tell(f"not saved: {message.reason}")


def save(index: Index, typed: str, text: str, replace: bool) -> Saved | NotSaved:  # noqa: FBT001
    """Save a search, unless another has the name and is not to be replaced."""
    name = typed.strip().removeprefix("@")
    try:
        key = search_key(name)
        before = {search_key(each.name): each.text for each in index.searches()}.get(key, "")
        if before not in ("", text) and not replace:
            reason = f"@{name} is taken; Enter again replaces: {before}"
            return NotSaved(reason, typed)
        saved = index.save(name, text)
    except ValueError as error:
        return NotSaved(str(error))
    except Exception as error:  # noqa: BLE001 - the screen shows it
        return NotSaved(said(error))
    return Saved(saved.name, saved.text, before if before != saved.text else "")
