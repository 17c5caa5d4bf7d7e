"""``searchfeed search``."""

from __future__ import annotations

from datetime import timedelta

import click

from searchfeed.cli.base import QueryCommand, Settings, epilog, format_options, global_options
from searchfeed.models import Results, Sort
from searchfeed.output import RESULTS
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


@click.command(
    cls=QueryCommand,
    epilog=epilog(
        "searchfeed search migrant resource centre",
        "searchfeed search title:ibm -ukraine --sort -date",
        "searchfeed search '\"assisted voluntary return\"' --feed icmpd",
        "searchfeed search silk routes --json | jq -r '.hits[].link'",
        notes=(
            (
                "The format plain has a line a hit; its columns, divided by tabs, are "
                'id, date (UTC), title, feed, link, passage. "searchfeed help json" '
                "describes json and ndjson."
            ),
            "Exit code: 0 something was found, 1 nothing was, 2 an error.",
        ),
    ),
)
@click.argument("query", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "-n",
    "--limit",
    metavar="N",
    type=click.IntRange(min=1),
    default=10,
    show_default="10",
    help="Hits at most.",
)
@click.option(
    "--offset",
    metavar="N",
    type=click.IntRange(min=0),
    default=0,
    show_default="0",
    help="Hits to pass over.",
)
@click.option(
    "--sort",
    type=click.Choice([order.value for order in Sort]),
    default=Sort.RELEVANCE.value,
    show_default=True,
    help="The order: the best, the oldest or (-date) the newest first.",
)
@click.option(
    "--feed",
    "feeds",
    metavar="TEXT",
    multiple=True,
    help="Only feeds whose title or URL holds this; may be given more than once.",
)
@click.option(
    "--recency",
    metavar="AGE",
    type=Age(),
    help="Prefer newer entries: one so old (30d, 6m) counts half as much more as one of today.",
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
    recency: timedelta | None,
    format: str | None,  # noqa: A002
    json: bool,
) -> int:
    """Find entries that match QUERY.

    Words need no quoting, and -word leaves out the entries that hold it; see "searchfeed help
    query" for phrases, fields, dates and the rest. Without a query, the newest entries are shown.
    """
    with settings.open() as index:
        results = index.search(
            " ".join(query), limit=limit, offset=offset, sort=sort, feeds=feeds, recency=recency
        )
        for note in results.notes:
            settings.say(f"note: {note}")
        if not results.hits:
            settings.say(_nothing(results, empty=not results.total and not index.stats().entries))
    if settings.verbose:
        settings.say(f"{count(results.total, 'entry')} in {duration(results.elapsed)}")
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
    if query.feeds:
        return f"{sought} in feeds with {' or '.join(query.feeds)}; the feeds are: searchfeed feeds"
    return f"{sought}; how to ask: searchfeed help query"
