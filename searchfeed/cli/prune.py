"""``searchfeed prune``: entries that are wanted no more."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from time import perf_counter

import click

from searchfeed.cli import streams
from searchfeed.cli.base import (
    QueryCommand,
    Settings,
    epilog,
    feeds_option,
    global_options,
    query_argument,
)
from searchfeed.cli.progress import Bars
from searchfeed.models import Selection
from searchfeed.output.clean import line
from searchfeed.output.human import count, date, duration

_FEEDS = 10


class Before(click.ParamType[datetime]):
    """An age or a date as in a query: 5y, 90d, 2020-08; the instant that entries are older than."""

    name = "age"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read it, or say what is wrong with it."""
        if isinstance(value, datetime):
            return value
        from searchfeed.query import SystemZone
        from searchfeed.query.clock import Clock
        from searchfeed.query.dates import BadDateError, since

        try:
            return since(str(value), Clock(datetime.now(UTC), SystemZone()))
        except BadDateError as error:
            hint = f"; did you mean {error.suggestion}?" if error.suggestion else ""
            self.fail(f"{error.reason}{hint}", param, ctx)


@click.command(
    cls=QueryCommand,
    epilog=epilog(
        "searchfeed prune --older 5y --dry-run",
        "searchfeed prune --older 2015 --feed reuters",
        "searchfeed export old.ndjson && searchfeed prune --older 5y --yes",
        notes=(
            (
                "What is pruned stays away, though its feed may still have it; only searchfeed "
                "import brings it back, from an export made before."
            ),
            "Exit code: 0 entries were, or would be, taken out, 1 none were, 2 an error.",
        ),
    ),
)
@query_argument
@click.option(
    "--older",
    "before",
    metavar="AGE",
    type=Before(),
    help="Only what is older: 5y, 90d, or than a date: 2020-08. What has no date stays.",
)
@feeds_option
@click.option("--dry-run", is_flag=True, help="Show what would go, and let it stay.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@global_options(hidden=True)
@click.pass_obj
def prune(
    settings: Settings,
    /,
    *,
    query: tuple[str, ...],
    before: datetime | None,
    feeds: tuple[str, ...],
    dry_run: bool,
    yes: bool,
) -> int:
    """Take entries out of the index for good.

    They are those that match QUERY, all words of it, and the options; they go with all their
    versions. What would go is shown, and you are asked.
    """
    text = " ".join(query)
    if not text.strip() and before is None and not feeds:
        raise click.UsageError("say what is to go: by --older AGE, --feed TEXT or a query")
    if not (yes or dry_run or streams.is_terminal(sys.stdin)):
        raise click.UsageError(
            "there is nobody to ask; look at it with --dry-run, then do it with --yes"
        )
    with settings.open() as index:
        chosen = index.select(text, before=before, feeds=feeds)
        for note in chosen.notes:
            settings.say(f"note: {note}")
        if not chosen.ids:
            settings.say("no entry is to go")
            return 1
        if dry_run:
            streams.write(f"{row}\n" for row in _rows(chosen))
            return 0
        for row in _rows(chosen):
            streams.say(row)
        if not yes and not click.confirm("Take them out for good?", err=True):
            settings.say("nothing was taken out")
            return 1
        start = perf_counter()
        with Bars(settings) as bars:
            number = index.prune(chosen.ids, progress=bars)
    settings.say(f"{count(number, 'entry')} taken out in {duration(perf_counter() - start)}")
    return 0


def _rows(chosen: Selection) -> Iterator[str]:
    """What would go: how many, of which time, of which feeds."""
    dates = ""
    if chosen.oldest and chosen.newest:
        oldest, newest = date(chosen.oldest, None), date(chosen.newest, None)
        dates = f", of {oldest}" if oldest == newest else f", from {oldest} to {newest}"
    yield f"{count(len(chosen), 'entry')}{dates}:"
    for feed in chosen.feeds[:_FEEDS]:
        yield f"  {feed.count:>9,}  {line(feed.label).strip()}"
    if rest := chosen.feeds[_FEEDS:]:
        yield f"  {sum(feed.count for feed in rest):>9,}  in {count(len(rest), 'other feed')}"
