"""Makes pages beside the screen, a piece at a time.

What they hold comes as messages to the pane that shows it, and to nothing around it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from textual.message import Message

from searchfeed.errors import SearchfeedError
from searchfeed.models import Entry, Hit, Query, Snippet, Span
from searchfeed.output import Screen
from searchfeed.output.clean import clean
from searchfeed.stopping import pause, stopping
from searchfeed.tui import sections
from searchfeed.tui.lanes import Lane
from searchfeed.tui.page import Laid, laid
from searchfeed.tui.typesetting import Sheet, chunks

if TYPE_CHECKING:
    from searchfeed.archive import Version
    from searchfeed.index import Index

RELATED = 5
"""Entries like the one that is read that are listed."""

REST = 0.5
"""Seconds for which an entry has to stay before related ones are looked for, which takes as long
as many searches: nobody who runs through a list waits for them."""


@dataclass
class Begun(Message, bubble=False):
    """The first sheets of a page, which take the place of what is shown."""

    run: int
    head: Laid
    body: Laid


@dataclass
class More(Message, bubble=False):
    """A further sheet of a section."""

    run: int
    section: str
    laid: Laid


@dataclass
class Found(Message, bubble=False):
    """What matches in a sheet of the body."""

    run: int
    sheet: int
    matches: tuple[Span, ...]


@dataclass
class Ended(Message, bubble=False):
    """All of the text is there; only what matches further on may still be looked for."""

    run: int


@dataclass
class Edited(Message, bubble=False):
    """The versions of the entry that is shown."""

    shown: int
    versions: tuple[Version, ...]


@dataclass
class Alike(Message, bubble=False):
    """What is like the entry that is shown."""

    shown: int
    hits: tuple[Hit, ...]


class PageMaker:
    """Lays out an entry, finds out what else is known of it; only the newest wish is worked on.

    Args:
        index: where it is looked up.
        post: takes a message, from any thread.
        now: the time, which the age of an entry is told by.

    Attributes:
        run: counts layouts: what messages of an older one bring is of no use.
        shown: counts entries, in the same way.
    """

    def __init__(
        self, index: Index, post: Callable[[Message], object], now: Callable[[], datetime]
    ) -> None:
        self._index = index
        self._post = post
        self._now = now
        self._texts = Lane("reading")
        self._histories = Lane("history")
        self._likes = Lane("related")
        self.run = 0
        self.shown = 0
        self._disturbed = 0

    @property
    def busy(self) -> bool:
        """Whether anything is worked on."""
        return any(lane.busy for lane in (self._texts, self._histories, self._likes))

    def forget(self) -> None:
        """Work for nobody any more."""
        self.run += 1
        self.shown += 1

    def disturb(self) -> None:
        """Begin anew, after a rest, with what takes long: something else is asked for now."""
        self._disturbed += 1

    def close(self) -> None:
        """Take no more wishes."""
        self.forget()
        for lane in (self._texts, self._histories, self._likes):
            lane.close()

    def make(self, entry: Entry, query: str | Query, width: int) -> None:
        """Lay out an entry in rows of so many cells, with what the query finds in it."""
        self.run += 1
        run = self.run
        self._texts.ask(lambda: self._make(run, entry, query, width))

    def learn(self, entry: Entry) -> None:
        """Find out how an entry was edited, and what is like it."""
        self.shown += 1
        shown = self.shown
        self._histories.ask(lambda: self._learn_versions(shown, entry))
        self._likes.ask(lambda: self._learn_related(shown, entry))

    def compare(self, versions: tuple[Version, ...], width: int) -> None:
        """Lay out how an entry was edited."""
        run = self.run

        def job() -> None:
            for sheet in sections.history(versions, Screen()):
                if run != self.run:
                    return
                self._post(More(run, "history", laid(sheet, width)))

        self._histories.ask(job)

    def _make(self, run: int, entry: Entry, query: str | Query, width: int) -> None:
        # Pieces of the text are short enough that no other thread waits for long, the screen's
        # least of all. First comes what is in sight, then all of the text, then its matches.
        pieces = chunks(entry.body.strip("\n").rstrip())
        first = clean(next(pieces))
        title = sections.title_of(entry)
        found = self._find(entry, query, title, first)
        if run != self.run:
            return
        head = sections.head(entry, found.get("title", ()), Screen(now=self._now()))
        body = sections.body(first, found.get("body", ())) if first else sections.empty_body()
        self._post(Begun(run, laid(head, width), laid(body, width)))
        links = dict.fromkeys(_addresses(body))
        rest: list[str] = []
        for piece in pieces:
            sheet = sections.body(clean(piece))
            rest.append(sheet.text)
            links.update(dict.fromkeys(_addresses(sheet)))
            more = laid(sheet, width)
            if run != self.run:
                return
            self._post(More(run, "body", more))
        if listed := sections.links(entry, links):
            self._post(More(run, "links", laid(listed, width)))
        self._post(Ended(run))
        for number, text in enumerate(rest, start=1):
            if run != self.run:
                return
            if spans := self._find(entry, query, "", text).get("body"):
                self._post(Found(run, number, spans))

    def _find(
        self, entry: Entry, query: str | Query, title: str, body: str
    ) -> dict[str, tuple[Span, ...]]:
        found: tuple[Snippet, ...] = ()
        # Where the query is wrong or the index is gone, the text is there to be read all the same.
        with suppress(SearchfeedError):
            found = self._index.highlight(replace(entry, title=title, body=body), query)
        return {each.field: each.spans for each in found}

    def _learn_versions(self, shown: int, entry: Entry) -> None:
        # The entry may be gone from the index meanwhile.
        with suppress(SearchfeedError):
            if shown == self.shown:
                self._post(Edited(shown, self._index.versions(entry.id)))

    def _learn_related(self, shown: int, entry: Entry) -> None:
        while shown == self.shown:
            disturbed = self._disturbed
            time.sleep(REST)
            with stopping(lambda: (shown, disturbed) != (self.shown, self._disturbed)):  # noqa: B023
                pause()
                with suppress(SearchfeedError):
                    self._post(Alike(shown, self._index.like(entry.id, limit=RELATED).hits))
                return


def _addresses(sheet: Sheet) -> Collection[str]:
    return [target.goal for target in sheet.targets if isinstance(target.goal, str)]
