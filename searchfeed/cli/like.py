"""``searchfeed like``."""

from __future__ import annotations

import click

from searchfeed.cli.base import Settings, epilog, format_options, global_options, page_options
from searchfeed.output import RESULTS
from searchfeed.output.human import count, duration


@click.command(
    epilog=epilog(
        "searchfeed like 5ad0f3c1",
        "searchfeed like 5ad0f3c1 --feed icmpd --sort -date",
        notes=("Exit code: 0 something was found, 1 nothing was, 2 an error.",),
    )
)
@click.argument("id")
@page_options
@format_options(RESULTS)
@global_options(hidden=True)
@click.pass_obj
def like(
    settings: Settings,
    /,
    *,
    id: str,
    limit: int,
    offset: int,
    sort: str,
    feeds: tuple[str, ...],
    format: str | None,  # noqa: A002
    json: bool,
) -> int:
    """Find entries like the one with that ID.

    They have words in common that stand in few other entries. The ID stands in every list of
    hits; its first characters do where no other ID starts so.
    """
    with settings.open() as index:
        results = index.like(id, limit=limit, offset=offset, sort=sort, feeds=feeds)
    for note in results.notes:
        settings.say(f"note: {note}")
    if results.total and not results.hits:
        settings.say(f"nothing beyond the last of {results.total:,} entries; use a lower --offset")
    elif not results.hits:
        settings.say("nothing found: no other entry there has its words")
    if settings.verbose:
        settings.say(f"{count(results.total, 'entry')} in {duration(results.elapsed)}")
    settings.write(RESULTS, results, format, json=json)
    return 0 if results.hits else 1
