"""The one screen: a search line, what it finds, and the entry that is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal
from textual.widgets import Static

from searchfeed.models import Entry, Sort
from searchfeed.tui.chips import Chips
from searchfeed.tui.criteria import half_word
from searchfeed.tui.facets import FacetBar
from searchfeed.tui.footer import KeyLine, StatusLine
from searchfeed.tui.hints import Hints
from searchfeed.tui.keys import FACETS, SCREEN, told
from searchfeed.tui.line import Figures, SearchLine
from searchfeed.tui.lined import Covered, Ground
from searchfeed.tui.listing import Listing
from searchfeed.tui.naming import NameLine
from searchfeed.tui.queries import Queries
from searchfeed.tui.reading import Reading
from searchfeed.tui.results import ResultList
from searchfeed.tui.saving import Saving
from searchfeed.tui.themes import CONTRAST
from searchfeed.tui.timeline import Timeline
from searchfeed.tui.welcome import Welcome

if TYPE_CHECKING:
    from textual import events
    from textual.theme import Theme

    from searchfeed.index import Index

SINGLE = (80, 30)
"""With fewer columns or rows than these, results or the entry are shown, not both."""

WIDE, FACETS_WIDE, LOW = 120, 150, 14
"""Columns from which the entry stands beside the results, and the facets too; rows under which
only what is indispensable is shown."""

_PREVIEW, _TYPED_PREVIEW = 0.04, 0.6
"""Seconds that the cursor rests on a hit before it is shown: not each is while a key is held, or
while somebody types, who would wait for the next letter's results until it is laid out."""

_ORDERS = {
    Sort.RELEVANCE: "by relevance",
    Sort.NEWEST: "newest first",
    Sort.OLDEST: "oldest first",
}


class Row(Horizontal, Covered):
    """Widgets side by side."""


class Pane(Container, Covered):
    """Widgets in the order that the style sheet gives."""


class SearchScreen(Saving, Ground):
    """Search, results, reading; facets, timeline and status around them.

    Args:
        index: what is searched.
        query: what stands in the search line at first.
        now: the time, for dates that are relative to it.
        queries: those asked earlier.
        allow_private: whether addresses inside the user's own network may be fetched.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*SCREEN, *FACETS]

    def __init__(
        self,
        index: Index,
        query: str,
        *,
        now: Callable[[], datetime],
        queries: Queries,
        allow_private: bool,
    ) -> None:
        super().__init__(index, query, now=now, allow_private=allow_private)
        self._queries = queries
        self._facets_wanted: bool | None = None
        self._has_entry = False
        self._previewing = False

    def compose(self) -> ComposeResult:
        """From top to bottom, in the order in which it is read."""
        hints = Hints(id="hints")
        with Row(id="ask"):
            yield Static(id="prompt", markup=False)
            yield SearchLine(self.criteria.text, hints, self._queries, self.take_line, id="query")
            yield Figures(id="figures")
        yield hints
        yield NameLine(id="naming")
        yield Timeline(id="timeline")
        yield Chips(id="chips")
        with Row(id="panes"):
            yield FacetBar(id="facets")
            with Pane(id="main"):
                yield ResultList(now=self.now, marked=self.marks, id="results")
                yield Reading(self.index, now=self.now, id="reading")
        yield Welcome(id="welcome")
        yield StatusLine(id="status")
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Have a line to type in; then show the newest entries, or what was asked for."""
        self.line = self.query_one("#query", SearchLine)
        self.figures = self.query_one("#figures", Figures)
        self.hints = self.query_one("#hints", Hints)
        self.naming = self.query_one("#naming", NameLine)
        self.timeline = self.query_one("#timeline", Timeline)
        self.chips = self.query_one("#chips", Chips)
        self.facets = self.query_one("#facets", FacetBar)
        self.results = self.query_one("#results", ResultList)
        self.reading = self.query_one("#reading", Reading)
        self.welcome = self.query_one("#welcome", Welcome)
        self.status = self.query_one("#status", StatusLine)
        self._preview = self.set_timer(_PREVIEW, self._show_entry)
        self.app.theme_changed_signal.subscribe(self, self._dress)
        self._dress(self.app.current_theme)
        self.line.focus()
        # Not at once: to open the index would be in the way of the first paint.
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.searcher.fold()
        if not self.searcher.generation:
            # Else something has been typed meanwhile.
            self.search()

    def _dress(self, theme: Theme) -> None:
        spoken = theme.name == CONTRAST
        self.set_class(spoken, "-spoken")
        self.query_one("#prompt", Static).update(">" if spoken else "❯", layout=False)

    def action_results(self) -> None:
        """To the results; what was asked is remembered."""
        self._queries.add(self.line.value)
        self.set_focus(self.results)

    def action_facets(self) -> None:
        """Show the facets and go there; or away again."""
        shown = self.has_class("-facets")
        if shown and self.focused is self.facets:
            self._facets_wanted = False
            self._arrange()
            self.results.focus()
            return
        self._facets_wanted = True
        self._arrange()
        self.facets.focus()

    def action_facet(self, number: int) -> None:
        """Narrow to a value of the facets, or no longer."""
        self.facets.toggle(number)

    def action_timeline(self) -> None:
        """Go to the timeline."""
        self.timeline.focus()

    @on(Listing.Moved, "#results")
    def _moved(self) -> None:
        self.tell_figures()
        if self._has_entry != (self.entry is not None):
            # Not each time, for it draws the line of keys anew.
            self._has_entry = self.entry is not None
            self.refresh_bindings()
        if self.reading.display:
            self._previewing = True
            self._preview_soon()

    def _preview_soon(self) -> None:
        self._preview.stop()
        typing = self.focused is self.line
        self._preview = self.set_timer(_TYPED_PREVIEW if typing else _PREVIEW, self._show_entry)

    def search(self, *, keep: bool = False) -> None:
        """Look for what is asked for now; what has been found before is shown no sooner."""
        super().search(keep=keep)
        self.reading.disturb()
        if self._previewing:
            self._preview_soon()

    @on(Listing.Chosen, "#results")
    def _chosen(self) -> None:
        self.action_read()

    def _show_entry(self) -> None:
        hit = self.results.hit
        self._preview.stop()
        self._previewing = False
        if hit:
            self.show_entry(hit.entry)
        else:
            self.reading.clear()

    def show_entry(self, entry: Entry) -> None:
        """Show an entry where entries are read."""
        self.reading.show(entry, self.shown.query() if not self.shown.like else "")

    def action_read(self) -> None:
        """Read the entry under the cursor."""
        if self.results.hit is None:
            return
        self._queries.add(self.criteria.text)
        self.add_class("-reading")
        self._show_entry()
        self.reading.focus()
        self.refresh_bindings()

    @property
    def entry(self) -> Entry | None:
        """The entry that keys are about: the one that is read, else the one under the cursor."""
        if self.focused is self.reading and self.reading.entry:
            return self.reading.entry
        return self.results.hit.entry if self.results.hit else None

    @on(Reading.Related)
    def _related(self, message: Reading.Related) -> None:
        self.show_entry(message.entry)

    @on(Reading.Opened)
    def _follow(self, message: Reading.Opened) -> None:
        self.open_link(message.url)

    def look_like(self, entry: Entry) -> None:
        """Show what is like an entry."""
        self._close_reading()
        self.results.focus()
        self.narrow(replace(self.criteria, like=entry))

    def _close_reading(self) -> None:
        self.remove_class("-reading")
        self.refresh_bindings()

    def on_descendant_focus(self) -> None:
        """Completions are for who types."""
        self.hints.offer(typing=self.focused is self.line)
        self.tell_figures()

    def action_search(self) -> None:
        """To the search line."""
        self._close_reading()
        self.line.focus()

    def action_back(self) -> None:
        """One step back."""
        if self.greeted:
            self.leave_welcome()
        elif self.asking:
            self.leave_naming()
        elif self.focused is self.reading:
            self._close_reading()
            self.results.focus()
        elif self.focused is self.facets and self.has_class("-single"):
            self.action_facets()
        elif self.focused is not self.results:
            self.results.focus()
        elif self.criteria.like:
            self.narrow(replace(self.criteria, like=None))
        elif self.criteria.conditions:
            self.narrow(self.criteria.toggled(self.criteria.conditions[-1]))

    def action_move(self, by: int) -> None:
        """Move the cursor of the results from where keys go elsewhere."""
        self.results.move(by)

    def action_help(self) -> None:
        """What works here."""
        from searchfeed.tui.help import Help

        self.app.push_screen(Help(told(self.active_bindings.values(), self.app.get_key_display)))

    def action_quit(self) -> None:
        """End the program."""
        self.app.exit()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Whether a key works now; those that do not are not shown."""
        if not self.is_mounted or not hasattr(self, "results"):
            return True
        if self.greeted:
            return action in ("back", "quit", "help")
        if action == "search":
            return self.focused is not self.line
        if action in ("read", "open", "copy_link", "copy_markdown", "mark", "like"):
            return self.entry is not None and (action != "read" or self.focused is self.results)
        if action == "facet":
            return self.has_class("-facets")
        if action == "export":
            return bool(self.marks)
        return True

    def go_back(self) -> None:
        """Go to where queries are typed."""
        self.line.focus()

    @property
    def settled(self) -> bool:
        """Whether all that was asked for has been answered."""
        busy = any(each.busy for each in (self.searcher, self.updater, self.saver))
        return not (busy or self._previewing) and self.reading.settled

    def close(self) -> bool:
        """End what runs beside the screen; return whether it has ended."""
        self.saver.close()
        return self.searcher.close() and self.updater.close(0.1) and self.saver.wait(0.1)

    def tell(self, message: str) -> None:
        """Show a line about what has just been done."""
        self.status.tell(message)

    def tell_figures(self) -> None:
        """Show where one is in what was found."""
        facts = []
        if self.results.count:
            if self.focused is not self.line:
                facts.append(f"{self.results.cursor + 1:,} of {self.results.count:,}")
            if self.shown.begun:
                facts.append(f"beginning with {half_word(self.shown.text)}")
            facts.append(_ORDERS[self.shown.request(1).sort])
        if self.marks:
            facts.append(f"{len(self.marks)} marked")
        self.status.show(" · ".join(facts))

    def on_resize(self, event: events.Resize) -> None:
        """Show as much as there is room for."""
        width, height = event.size
        single = width < SINGLE[0] or height < SINGLE[1]
        self.set_class(single, "-single")
        self.set_class(not single and width >= WIDE, "-wide")
        self.set_class(not single and width < WIDE, "-stacked")
        self.set_class(not single, "-roomy")
        self.set_class(height < LOW, "-low")
        self._arrange()

    def _arrange(self) -> None:
        roomy = self.size.width >= FACETS_WIDE and not self.has_class("-single")
        self.set_class(roomy if self._facets_wanted is None else self._facets_wanted, "-facets")
