"""``searchfeed show`` and ``stats``: the commands that look at what is there."""

from __future__ import annotations

import click

from searchfeed.cli.base import Settings, epilog, format_options, global_options
from searchfeed.output import ENTRY, STATS


@click.command(
    epilog=epilog(
        "searchfeed show 5ad0f3c1",
        "searchfeed show 5ad0f3c1 --json | jq -r .body",
    )
)
@click.argument("id")
@format_options(ENTRY)
@global_options(hidden=True)
@click.pass_obj
def show(settings: Settings, /, *, id: str, format: str | None, json: bool) -> int:  # noqa: A002
    """Show the whole entry with that ID.

    The ID stands in every list of hits; its first characters do where no other ID starts so.
    """
    with settings.open() as index:
        entry = index.get(id)
    settings.write(ENTRY, entry, format, json=json)
    return 0


@click.command(epilog=epilog("searchfeed stats", "searchfeed stats --json"))
@format_options(STATS)
@global_options(hidden=True)
@click.pass_obj
def stats(settings: Settings, /, *, format: str | None, json: bool) -> int:  # noqa: A002
    """Show what the index holds, where it is and how big it is."""
    with settings.open() as index:
        state = index.stats()
    settings.write(STATS, state, format, json=json)
    return 0
