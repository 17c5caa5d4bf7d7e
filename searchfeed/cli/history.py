"""``searchfeed history``: what an entry said before."""

from __future__ import annotations

import click

from searchfeed.cli.base import Settings, epilog, format_options, global_options
from searchfeed.output import HISTORY


@click.command(
    epilog=epilog(
        "searchfeed history 5ad0f3c1",
        "searchfeed history 5ad0f3c1 --json | jq -r '.versions[0].body'",
        "searchfeed search is:updated",
        notes=("Exit code: 0 it was edited, 1 there is one version only, 2 an error.",),
    )
)
@click.argument("id")
@format_options(HISTORY)
@global_options(hidden=True)
@click.pass_obj
def history(settings: Settings, /, *, id: str, format: str | None, json: bool) -> int:  # noqa: A002
    """Show how the entry with that ID was edited.

    Each version stands with when it was first seen and what it changed.
    """
    with settings.open() as index:
        versions = index.versions(id)
    settings.write(HISTORY, versions, format, json=json)
    if len(versions) > 1:
        return 0
    settings.say(f"{versions[0].entry.id} has one version only: no edit of it was seen")
    return 1
