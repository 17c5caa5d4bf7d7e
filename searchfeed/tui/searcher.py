"""Asks the index off the screen's thread, and drops answers that nobody waits for any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from time import monotonic, sleep

from textual.message import Message

from searchfeed.engines import LOCAL
from searchfeed.errors import QueryError
from searchfeed.index import Index
from searchfeed.models import Facet, FacetCount, Hit, Period, Query, Results, Trend
from searchfeed.stopping import pause, stopping
from searchfeed.tui.ahead import Pages, guesses
from searchfeed.tui.criteria import Criteria
from searchfeed.tui.facets import TITLES
from searchfeed.tui.heap import take_ahead
from searchfeed.tui.lanes import Lane

PATIENCE = 0.3
"""Seconds for which the first search waits until it is known which entries tell the same story."""

FRAME = 1 / 60
"""Seconds in which an answer is painted."""

REST = 0.4
"""Seconds without a new letter after which what was found is counted, and read on in. A letter
takes people 0.24 s, give or take 0.11 (Dhakal and others, CHI 2018); one that came meanwhile would
have to wait for a part of it."""

AHEAD, LONG = 0.25, 0.045
"""Seconds for which what is likely to be asked next is looked for; not where a search takes so
long, for it would be in the way of the letter that comes."""

HUSH, GLANCE = 0.02, 0.0005
"""Seconds that it takes at most until it is known what a key does, and between two looks."""

SHOWN, WORDS = 8, 256
"""Completions that are shown, and that tell which letters are likely: the most frequent words."""

_SHORT = 3
"""Months that are few enough for days to be shown."""


@dataclass
class Found(Message):
    """The first page of what was asked for, and whether entries of one story are one hit.

    ``criteria`` are those that were asked for, or these with the half-typed word begun.
    """

    generation: int
    criteria: Criteria
    results: Results
    folded: bool


@dataclass
class More(Message):
    """Further hits of the same search, from ``offset`` on."""

    generation: int
    offset: int
    hits: tuple[Hit, ...]


@dataclass
class Counted(Message):
    """What the entries that were found have in common, and how many there are over time.

    ``suggestion`` is what was perhaps meant.
    """

    generation: int
    facets: Mapping[Facet, tuple[FacetCount, ...]]
    trend: Trend | None
    suggestion: str


@dataclass
class Refused(Message):
    """There is no answer: ``error`` says why."""

    generation: int
    criteria: Criteria
    error: Exception


@dataclass
class Completed(Message):
    """What the half-typed word of ``text`` may become: whole texts."""

    text: str
    completions: tuple[str, ...]


class Folded(Message):
    """From now on entries of one story are one hit."""


class Searcher:
    """The index, asked in threads; the answers come as messages.

    Args:
        index: what is asked.
        post: takes a message, from any thread.
    """

    def __init__(self, index: Index, post: Callable[[Message], object]) -> None:
        self._index = index
        self._post = post
        self._searching = Lane("search")
        self._paging = Lane("pages")
        self._counting = Lane("counts")
        self._completing = Lane("completion")
        self._folding = Lane("stories")
        self._lanes = (
            self._searching,
            self._paging,
            self._counting,
            self._completing,
            self._folding,
        )
        self._pages = Pages()
        self._folds = Event()
        self._waited = False
        self._answered = 0.0
        self._rest = 0.0
        self._hushed = 0.0
        self._asked = (Criteria(), 1)
        self.generation = 0

    def search(self, criteria: Criteria, limit: int, *, typed: bool = False) -> int:
        """Look for entries; what was asked for before is dropped. Return its generation.

        Args:
            criteria: which, and in which order.
            limit: how many of the first at most.
            typed: whether the next letter may come soon.
        """
        self.expect(criteria, limit)
        generation = self.generation
        self._rest = REST if typed else 0.0

        def job() -> None:
            self._guarded(generation, criteria, lambda: self._answer(generation, criteria, limit))

        self._searching.ask(job)
        return generation

    def expect(self, criteria: Criteria, limit: int) -> None:
        """Have done with all that is in the way of what will be looked for next."""
        # First what it is: it may be what is just looked for ahead.
        self._asked = criteria, limit
        self.generation += 1
        self._hushed = 0.0

    def hush(self) -> None:
        """Have all that runs wait at its next pause until it is known what was pressed."""
        self._hushed = monotonic() + HUSH

    def _unwanted(self, generation: int, asked: tuple[Criteria, int] | None = None) -> bool:
        """Whether an answer of that generation, or what was looked for ahead, is not asked for."""
        while generation == self.generation and monotonic() < self._hushed:
            sleep(GLANCE)
        return generation != self.generation and self._asked != asked

    def more(self, criteria: Criteria, offset: int, limit: int) -> None:
        """Read on in what was found."""
        generation = self.generation

        def page() -> None:
            sleep(max(0.0, self._answered + self._rest - monotonic()))
            pause()
            results, _ = self._page(criteria, limit, offset)
            self._post(More(generation, offset, results.hits))

        self._paging.ask(lambda: self._guarded(generation, criteria, page))

    def complete(self, text: str, cursor: int) -> None:
        """Find what the word before the cursor may become, once results are on the screen.

        Then what the next letter is likely to bring.
        """
        generation = self.generation

        def job() -> None:
            self._searching.settle(PATIENCE)
            sleep(FRAME)
            completions = self._completions(text, cursor)
            self._post(Completed(text, completions[:SHOWN]))
            if cursor == len(text):
                self._look_ahead(generation, completions)

        self._completing.ask(job)

    def _completions(self, text: str, cursor: int) -> tuple[str, ...]:
        try:
            return self._index.complete(text, cursor, limit=WORDS)
        except Exception:  # noqa: BLE001 - the search itself says what is wrong
            return ()

    def _look_ahead(self, generation: int, completions: tuple[str, ...]) -> None:
        """Find what the next letter is likely to bring, as long as it does not come."""
        criteria, limit = self._asked
        until = monotonic() + AHEAD
        with suppress(Exception), stopping(partial(self._unwanted, generation)):
            # A cluster has others to answer as well.
            if generation != self.generation or criteria.like or self._index.engine != LOCAL:
                return
            found, results, _ = self._first_page(generation, criteria, limit)
            if results.elapsed > LONG:
                return
            text, whole = criteria.text, found == criteria
            siblings = self._completions(text[:-1], len(text) - 1) if whole and text else ()
            for guess in guesses(text, completions, results, whole=whole, siblings=siblings):
                if generation != self.generation or monotonic() > until:
                    return
                guessed = criteria.typed(guess, typing=True), limit
                with stopping(partial(self._unwanted, generation, guessed)):
                    self._first_page(generation, *guessed)

    def fold(self) -> None:
        """Find out which entries tell the same story; searches do without until it is known.

        Then what words there are. In a large index that takes seconds, once for each state of it.
        Last, all that is loaded or made for a first search: it would be in the way of a letter.
        """
        self._folds.clear()
        self._pages.forget()

        def job() -> None:
            try:
                entries = self._index.search("", limit=1, sort="-date").total
            except Exception:  # noqa: BLE001 - searches say what is wrong
                return
            self._folds.set()
            self._post(Folded())
            sleep(FRAME)
            with suppress(Exception):
                take_ahead(entries)
                words = self._index.complete("a")
                self._index.search(Query(" ".join(words[:2]), suggest=False))
            generation, (criteria, _) = self.generation, self._asked
            self._look_ahead(generation, self._completions(criteria.text, len(criteria.text)))

        self._folding.ask(job)

    @property
    def busy(self) -> bool:
        """Whether a question is being answered."""
        return any(lane.busy for lane in self._lanes)

    def close(self) -> bool:
        """Take no more questions; return whether none is being answered any more."""
        self.generation += 1
        for lane in self._lanes:
            lane.close()
        return sum(lane.wait(PATIENCE) for lane in self._lanes) == len(self._lanes)

    def _guarded(self, generation: int, criteria: Criteria, job: Callable[[], None]) -> None:
        try:
            with stopping(partial(self._unwanted, generation)):
                job()
        except Exception as error:  # noqa: BLE001 - the screen shows it
            self._post(Refused(generation, criteria, error))

    def _answer(self, generation: int, criteria: Criteria, limit: int) -> None:
        if not self._waited:
            self._waited = True
            self._folds.wait(PATIENCE)
        criteria, results, folded = self._first_page(generation, criteria, limit)
        self._answered = monotonic()
        self._post(Found(generation, criteria, results, folded))
        if not criteria.like:
            count = partial(self._count, generation, criteria)
            self._counting.ask(lambda: self._guarded(generation, criteria, count))

    def _count(self, generation: int, criteria: Criteria) -> None:
        # Results come first: while somebody types, counts would be in their way.
        sleep(max(FRAME, self._rest))
        pause()
        # Without conditions, which do not stand in the line.
        suggestion = "" if criteria.conditions else self._index.suggestion(criteria.query())
        facets: dict[Facet, tuple[FacetCount, ...]] = {}
        for facet in TITLES:
            pause()
            facets |= self._facet(criteria, facet)
        pause()
        self._post(Counted(generation, facets, self._trend(criteria), suggestion))

    def _first_page(
        self, generation: int, criteria: Criteria, limit: int
    ) -> tuple[Criteria, Results, bool]:
        """What is found; where that is nothing, with the half-typed word begun."""
        results, folded = self._page(criteria, limit)
        longer = None if results.total else criteria.longer
        if longer and generation == self.generation:
            # What can be asked for as it was typed may be too much with one pattern more.
            with suppress(QueryError):
                more, folded = self._page(longer, limit)
                if more.total:
                    elapsed = results.elapsed + more.elapsed
                    return longer, replace(more, elapsed=elapsed), folded
        return criteria, results, folded

    def _page(self, criteria: Criteria, limit: int, offset: int = 0) -> tuple[Results, bool]:
        folded = self._folds.is_set()
        query = criteria.request(limit, offset, dedupe=folded)
        if criteria.like:
            id, sort = criteria.like.id, query.sort
            return self._index.like(id, limit=limit, offset=offset, sort=sort), True
        return self._pages.get(query, self._index.search), folded

    def _facet(self, criteria: Criteria, facet: Facet) -> dict[Facet, tuple[FacetCount, ...]]:
        """The counts of a facet; where any of several values may hold, of the others too."""
        chosen = {each.facet for each in criteria.conditions} - {Facet.TAG}
        query = criteria.query(without=facet if facet in chosen else None)
        return self._index.facets(query, [facet])

    def _trend(self, criteria: Criteria) -> Trend:
        trend = self._index.trend(criteria.query(), by=Period.MONTH)
        if len(trend.buckets) <= _SHORT:
            return self._index.trend(criteria.query(), by=Period.DAY)
        return trend
