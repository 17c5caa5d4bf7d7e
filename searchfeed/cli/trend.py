"""``searchfeed trend``."""

from __future__ import annotations

import click

from searchfeed.cli.base import (
    QueryCommand,
    Settings,
    epilog,
    feeds_option,
    format_options,
    global_options,
    query_argument,
)
from searchfeed.models import Period
from searchfeed.output import TREND


@click.command(
    cls=QueryCommand,
    epilog=epilog(
        "searchfeed trend silk routes",
        "searchfeed trend title:ibm --by week",
        "searchfeed trend earthquake --by year --json | jq '.buckets[] | [.name, .count]'",
        notes=(
            (
                "The format plain has a line a period; its columns, divided by tabs, are "
                "name (date:NAME finds its entries), count, start and end (UTC)."
            ),
            "Exit code: 0 something was found, 1 nothing was, 2 an error.",
        ),
    ),
)
@query_argument
@click.option(
    "--by",
    type=click.Choice([period.value for period in Period]),
    default=Period.MONTH.value,
    show_default=True,
    help="What to count by; weeks begin on Monday.",
)
@feeds_option
@format_options(TREND)
@global_options(hidden=True)
@click.pass_obj
def trend(
    settings: Settings,
    /,
    *,
    query: tuple[str, ...],
    by: str,
    feeds: tuple[str, ...],
    format: str | None,  # noqa: A002
    json: bool,
) -> int:
    """Show how many entries match QUERY over time.

    Days begin and end in your time zone. Without a query, all entries are counted.
    """
    with settings.open() as index:
        counted = index.trend(" ".join(query), by=by, feeds=feeds)
    for note in counted.notes:
        settings.say(f"note: {note}")
    if not counted.total:
        sought = counted.query.text.strip()
        settings.say(
            f"nothing found{f' for {sought}' if sought else ''}; how to ask: searchfeed help query"
        )
    settings.write(TREND, counted, format, json=json)
    return 0 if counted.total else 1
