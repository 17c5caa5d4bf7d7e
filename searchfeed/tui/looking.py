"""What is looked for, and where the answers go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.widgets import Input

from searchfeed.errors import IndexNotFoundError, QueryError
from searchfeed.output.human import count, duration
from searchfeed.tui import stalls
from searchfeed.tui.chips import Chips
from searchfeed.tui.criteria import Criteria
from searchfeed.tui.facets import FacetBar
from searchfeed.tui.growing import Growing, said
from searchfeed.tui.hints import Hints
from searchfeed.tui.line import Figures, SearchLine
from searchfeed.tui.painting import give_way
from searchfeed.tui.results import ResultList
from searchfeed.tui.searcher import Completed, Counted, Folded, Found, More, Refused, Searcher
from searchfeed.tui.timeline import Timeline

if TYPE_CHECKING:
    from searchfeed.index import Index


class Looking(Growing):
    """Asks for what the search line, the facets and the timeline say, and shows what comes.

    Args:
        index: what is searched.
        query: what stands in the search line at first.
        now: the time.
        allow_private: whether addresses inside the user's own network may be fetched.
    """

    line: SearchLine
    figures: Figures
    hints: Hints
    timeline: Timeline
    chips: Chips
    facets: FacetBar

    def __init__(
        self, index: Index, query: str, *, now: Callable[[], datetime], allow_private: bool
    ) -> None:
        super().__init__(index, now, allow_private=allow_private)
        self.searcher = Searcher(index, self.post_message)
        self.criteria = Criteria(query)
        self.shown = self.criteria
        self._folded = False
        self._keep = False

    def grown(self) -> None:
        """Look again, for what is there now."""
        self.searcher.fold()
        self.search(keep=True)

    def search(self, *, keep: bool = False) -> None:
        """Look for what is asked for now."""
        self._keep = keep
        typed = self.focused is self.line
        self.searcher.search(self.criteria, self.limit, typed=typed)

    @property
    def limit(self) -> int:
        """As many as can be in sight: each takes time, to be found in its text and to be drawn."""
        return self.results.page + 1

    def narrow(self, criteria: Criteria) -> None:
        """Look for something else."""
        self.criteria = criteria
        self.tell("")
        self.chips.show(criteria)
        self.search()

    def take_line(self) -> None:
        """Look for what stands in the search line, unless that is what was asked for already."""
        if self.line.value != self.criteria.text or self.criteria.like:
            criteria = self.criteria.typed(self.line.value, typing=self.line.cursor_at_end)
            self.searcher.expect(criteria, self.limit)
            # Before the search, for only one thread runs at a time.
            self.paint(self.line)
            self.narrow(criteria)
            give_way()

    @on(Input.Changed, "#query")
    def _typed(self, event: Input.Changed) -> None:
        self.take_line()
        self.searcher.complete(event.value, self.line.cursor_position)

    @on(Found)
    def _found(self, message: Found) -> None:
        if message.generation != self.searcher.generation:
            return
        results = message.results
        self.set_empty(empty=not results.total and message.criteria.everything)
        self.shown, self._folded = message.criteria, message.folded
        self.results.show(results, keep=self._keep)
        self._tell_found(message)

    def _tell_found(self, message: Found) -> None:
        results = message.results
        self.hints.point_out(None)
        nothing = "" if results.total or self.empty else "nothing found"
        note = " ".join([nothing, *results.notes]).strip()
        self.hints.tell(note)
        self.figures.tell(f"{count(results.total, 'entry')} · {duration(results.elapsed)}")
        self.paint(self.figures, self.hints, self.results)
        give_way()
        self.tell_figures()
        if message.criteria.like:
            self.timeline.show(None)
            self.facets.clear()

    @on(More)
    def _more(self, message: More) -> None:
        if message.generation == self.searcher.generation:
            self.results.add(message.offset, message.hits)

    @on(Counted)
    def _counted(self, message: Counted) -> None:
        if message.generation == self.searcher.generation:
            self.hints.suggest(message.suggestion)
            self.timeline.show(message.trend)
            self.facets.show(message.facets, self.criteria)
            self.paint(self.hints, self.timeline, self.facets)
            self.set_timer(stalls.LULL, partial(self._lull, message.generation))

    def _lull(self, generation: int) -> None:
        if generation == self.searcher.generation:
            stalls.lull()

    @on(Refused)
    def _refused(self, message: Refused) -> None:
        if message.generation != self.searcher.generation:
            return
        error = message.error
        if isinstance(error, QueryError):
            self._point_out(error, message.criteria)
        elif isinstance(error, IndexNotFoundError):
            self.set_empty(empty=True)
        else:
            self.tell(said(error))

    def _point_out(self, error: QueryError, criteria: Criteria) -> None:
        shift = criteria.shift
        text = criteria.text
        start = min(max(error.start - shift, 0), len(text))
        end = min(max(error.end - shift, start), len(text))
        moved = QueryError(text, start, end, error.reason, error.suggestion)
        self.hints.point_out(moved, self.line.column(start) - self.hints.region.x)

    @on(Folded)
    def _folds(self) -> None:
        if not self._folded:
            self.search(keep=True)

    @on(ResultList.Wanted)
    def _read_on(self, message: ResultList.Wanted) -> None:
        self.searcher.more(self.shown, message.offset, message.limit)

    @on(Completed)
    def _completed(self, message: Completed) -> None:
        if message.text == self.line.value:
            self.hints.complete(message.text, message.completions)

    @on(Hints.Taken)
    def _taken(self, message: Hints.Taken) -> None:
        self.line.replace_with(message.text)
        self.line.focus()

    @on(FacetBar.Toggled)
    def _toggled(self, message: FacetBar.Toggled) -> None:
        self.narrow(self.criteria.toggled(message.condition))

    @on(Timeline.Pointed)
    def _pointed(self, message: Timeline.Pointed) -> None:
        if message.text or self.focused is self.timeline:
            self.tell(message.text)

    @on(Timeline.Narrowed)
    def _narrowed(self, message: Timeline.Narrowed) -> None:
        self.narrow(self.criteria.within(message.condition))
        self.results.focus()

    @on(Chips.Removed)
    def _removed(self, message: Chips.Removed) -> None:
        if message.condition:
            self.narrow(self.criteria.toggled(message.condition))
        else:
            self.narrow(replace(self.criteria, like=None))

    def action_sort(self) -> None:
        """The next order."""
        self.criteria = self.criteria.resorted()
        self.search(keep=True)
