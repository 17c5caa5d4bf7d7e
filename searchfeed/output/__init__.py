"""Values to text: every way to write down results, an entry, feeds or the state of an index.

A renderer is one function: it takes a value and a ``Screen`` and yields the text in pieces. It
never prints and looks nothing up, so it says the same to a terminal, a file and a test. To add a
format, write that function and name it below; the command line offers it from then on. Renderers
are imported when they are first used, because rich takes five times as long to load as a search
takes to run.

Text from feeds is data: no renderer reads it as markup, and none lets it reach a terminal before
``clean`` has taken out what a terminal would obey.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from datetime import UTC, datetime, tzinfo
from importlib import import_module
from typing import TYPE_CHECKING, Generic, TypeVar

from searchfeed.models import (
    Entry,
    ExplainedQuery,
    Explanation,
    Facet,
    FacetCount,
    FeedState,
    Results,
    Stats,
    Trend,
)
from searchfeed.values import dataclass

if TYPE_CHECKING:
    from searchfeed.alerting import Alert
    from searchfeed.archive import SavedSearch, Version

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Screen:
    """What a renderer may assume of the place its text goes to.

    Attributes:
        width: in cells.
        escapes: whether colours and links may be written; if not, no ESC byte ever is.
        ascii: whether formats for programs keep to ASCII (the place is not UTF-8).
        now: what relative dates are relative to.
        zone: the user's time zone; None is the one of the system.
    """

    width: int = 80
    escapes: bool = False
    ascii: bool = False
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    zone: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class Renderers(Generic[Value]):
    """The formats for one kind of value: their names, and where each one's function is.

    ``people`` is the default on a terminal, and ``programs`` where the output goes elsewhere.
    """

    people: str
    programs: str
    functions: Mapping[str, str]

    @property
    def formats(self) -> tuple[str, ...]:
        """The names of the formats."""
        return tuple(self.functions)

    def render(self, value: Value, format: str, screen: Screen) -> Iterator[str]:  # noqa: A002
        """The value in the format named, as pieces of text that end with a newline.

        Raises:
            KeyError: there is no such format.
        """
        module, _, name = self.functions[format].partition(":")
        function: Callable[[Value, Screen], Iterator[str]] = getattr(
            import_module(f"searchfeed.output.{module}"), name
        )
        return function(value, screen)


RESULTS: Renderers[Results] = Renderers(
    people="table",
    programs="plain",
    functions={
        "table": "table:results",
        "plain": "plain:results",
        "json": "records:results",
        "ndjson": "records:lines",
        "csv": "sheet:results",
        "markdown": "markdown:results",
        "atom": "atom:results",
    },
)


@dataclass(frozen=True, slots=True)
class Faceted:
    """Results, and what all entries of the query have in common (see ``Index.facets``)."""

    results: Results
    facets: Mapping[Facet, tuple[FacetCount, ...]]


FACETED: Renderers[Faceted] = Renderers(
    people="table",
    programs="plain",
    functions={"table": "facets:table", "plain": "plain:faceted", "json": "records:faceted"},
)

TREND: Renderers[Trend] = Renderers(
    people="table",
    programs="plain",
    functions={"table": "chart:trend", "plain": "plain:trend", "json": "records:trend"},
)

ENTRY: Renderers[Entry] = Renderers(
    people="page",
    programs="plain",
    functions={
        "page": "page:entry",
        "plain": "plain:entry",
        "json": "records:entry",
        "markdown": "markdown:entry",
    },
)

ENTRIES: Renderers[tuple[Entry, ...]] = Renderers(
    people="markdown",
    programs="ndjson",
    functions={"markdown": "markdown:entries", "ndjson": "records:entry_lines"},
)

HISTORY: Renderers[tuple[Version, ...]] = Renderers(
    people="text",
    programs="plain",
    functions={"text": "history:text", "plain": "history:plain", "json": "records:history"},
)

FEEDS: Renderers[tuple[FeedState, ...]] = Renderers(
    people="table",
    programs="plain",
    functions={
        "table": "roster:feeds",
        "plain": "plain:feeds",
        "json": "records:feeds",
        "ndjson": "records:feed_lines",
        "csv": "sheet:feeds",
    },
)

SEARCHES: Renderers[tuple[SavedSearch, ...]] = Renderers(
    people="table",
    programs="plain",
    functions={"table": "saved:searches", "plain": "plain:searches", "json": "records:searches"},
)

ALERTS: Renderers[tuple[Alert, ...]] = Renderers(
    people="table",
    programs="plain",
    functions={
        "table": "saved:alerts",
        "plain": "plain:alerts",
        "json": "records:alerts",
        "ndjson": "records:alert_lines",
    },
)

STATS: Renderers[Stats] = Renderers(
    people="table",
    programs="plain",
    functions={"table": "table:stats", "plain": "plain:stats", "json": "records:stats"},
)

EXPLANATION: Renderers[Explanation] = Renderers(
    people="text",
    programs="text",
    functions={"text": "explanation:explanation", "json": "records:explanation"},
)

QUERY: Renderers[ExplainedQuery] = Renderers(
    people="text",
    programs="text",
    functions={"text": "explanation:query", "json": "records:explained_query"},
)
