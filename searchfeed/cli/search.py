"""``searchfeed search``."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain

import click

from searchfeed.cli.base import (
    QueryCommand,
    Settings,
    epilog,
    format_options,
    given,
    global_options,
    page_options,
    query_argument,
)
from searchfeed.models import Facet, Results
from searchfeed.output import FACETED, RESULTS, Faceted
from searchfeed.output.human import count, duration


class Age(click.ParamType[timedelta]):
    """A length of time, written as in a query: 30d, 6m, 1y6m; a month has 30 days."""

    name = "age"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read it, or say what it should look like."""
        if isinstance(value, timedelta):
            return value
        from searchfeed.query.clock import read_length

        length = read_length(str(value).casefold())
        if length is None or not any(length):
            self.fail(f"{value!r} is not a length of time such as 30d, 2w or 6m", param, ctx)
        months, days, minutes = length
        return timedelta(days=months * 30 + days, minutes=minutes)


class FacetNames(click.ParamType[tuple[Facet, ...]]):
    """Names of facets, divided by commas."""

    name = "names"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Facet, ...]:
        """Read them, or name those that there are."""
        if isinstance(value, tuple):
            return value
        names = [name.strip().casefold() for name in str(value).split(",")]
        for name in names:
            if name not in set(Facet):
                self.fail(f"there is no facet {name!r}; there are: {', '.join(Facet)}", param, ctx)
        return tuple(map(Facet, names))


@click.command(
    cls=QueryCommand,
    epilog=epilog(
        "searchfeed search migrant resource centre",
        "searchfeed search title:ibm -ukraine --sort -date",
        "searchfeed search '\"assisted voluntary return\"' --feed icmpd",
        "searchfeed search silk routes --json | jq -r '.hits[].link'",
        "searchfeed search silk routes --facet feed,year",
        notes=(
            (
                "The format plain has a line a hit; its columns, divided by tabs, are "
                "id, date (UTC), title, feed, link, passage, other feeds with the same story. "
                "With --facet, an empty line and a line a value follow: facet, value, count, "
                'label. "searchfeed help json" describes json and ndjson.'
            ),
            "Exit code: 0 something was found, 1 nothing was, 2 an error.",
        ),
    ),
)
@query_argument
@page_options
@click.option(
    "--fuzzy/--no-fuzzy",
    default=False,
    help="Find words with typing mistakes too; entries with the words as typed come first.",
)
@click.option(
    "--dedupe/--no-dedupe",
    default=True,
    show_default=True,
    help="Show the same story once, or as often as feeds have it.",
)
@click.option(
    "--recency",
    metavar="AGE",
    type=Age(),
    help="Prefer newer entries: one so old (30d, 6m) counts half as much more as one of today.",
)
@click.option(
    "--facet",
    "facets",
    metavar="NAMES",
    type=FacetNames(),
    multiple=True,
    help=(
        "Count all that was found by feed, author, tag, lang, year, month, week or day; "
        "several are divided by commas."
    ),
)
@format_options(RESULTS)
@global_options(hidden=True)
@click.pass_obj
def search(
    settings: Settings,
    /,
    *,
    query: tuple[str, ...],
    limit: int,
    offset: int,
    sort: str,
    feeds: tuple[str, ...],
    fuzzy: bool,
    dedupe: bool,
    recency: timedelta | None,
    facets: tuple[tuple[Facet, ...], ...],
    format: str | None,  # noqa: A002
    json: bool,
) -> int:
    """Find entries that match QUERY.

    Words need no quoting, and -word leaves out the entries that hold it; see "searchfeed help
    query" for phrases, fields, dates and the rest. Without a query, the newest entries are shown.
    """
    names = tuple(dict.fromkeys(chain.from_iterable(facets)))
    if names and not json and format not in (None, *FACETED.formats):
        if given("format"):
            formats = ", ".join(FACETED.formats)
            raise click.UsageError(
                f"--facet does not go with --format {format}; take one of: {formats}"
            )
        format = None  # noqa: A001
    with settings.open() as index:
        results = index.search(
            " ".join(query),
            limit=limit,
            offset=offset,
            sort=sort,
            feeds=feeds,
            recency=recency,
            fuzzy=fuzzy,
            dedupe=dedupe,
        )
        for note in results.notes:
            settings.say(f"note: {note}")
        if not results.hits:
            settings.say(_nothing(results, empty=not results.total and not index.stats().entries))
        elif results.suggestion:
            settings.say(f"did you mean: {results.suggestion}?")
        counts = index.facets(results.query, names) if names else {}
    if settings.verbose:
        settings.say(f"{count(results.total, 'entry')} in {duration(results.elapsed)}")
    if names:
        settings.write(FACETED, Faceted(results, counts), format, json=json)
    else:
        settings.write(RESULTS, results, format, json=json)
    return 0 if results.hits else 1


def _nothing(results: Results, *, empty: bool) -> str:
    """Why there is nothing to see, and what to do about it."""
    query = results.query
    if results.total:
        return f"nothing beyond the last of {results.total:,} entries; use a lower --offset"
    if empty:
        return "the index holds no entries yet; add some: searchfeed index SOURCE"
    sought = f"nothing found for {query.text}" if query.text.strip() else "nothing found"
    if results.suggestion:
        return f"{sought}; did you mean: {results.suggestion}?"
    if query.feeds:
        return f"{sought} in feeds with {' or '.join(query.feeds)}; the feeds are: searchfeed feeds"
    return f"{sought}; how to ask: searchfeed help query"
