"""``searchfeed browse``, and ``searchfeed`` alone on a terminal: the app."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import click

from searchfeed.cli import keymap
from searchfeed.cli.base import (
    QueryCommand,
    Settings,
    epilog,
    global_options,
    network_options,
    query_argument,
)
from searchfeed.cli.streams import is_terminal


@click.command(
    cls=QueryCommand,
    epilog=epilog(
        "searchfeed browse",
        "searchfeed browse migrant resource centre",
        "searchfeed browse --theme light",
        notes=("Inside, ? or F1 lists the keys, and Ctrl+P all that can be done.",),
    ),
)
@query_argument
@click.option(
    "--theme",
    type=click.Choice(["dark", "light", "contrast"]),
    default="dark",
    show_default=True,
    help="Its colours; NO_COLOR leaves them out.",
)
@network_options
@global_options(hidden=True)
@click.pass_obj
def browse(
    settings: Settings, /, *, query: tuple[str, ...], theme: str, allow_private: bool
) -> int:
    """Search as you type, and read, in full screen.

    Without a command, searchfeed does this too.
    """
    if not can_browse():
        raise click.UsageError("this needs a terminal; without one: searchfeed search")
    from searchfeed.tui import browse as run

    index = settings.open()
    keys: Mapping[str, str] = {}
    if settings.configuration:
        keymap.checked(settings.configuration).check()
        keys = settings.configuration.keymap
    words = " ".join(query)
    if run(index, words, theme=theme, keymap=keys, allow_private=allow_private):
        # Else an update still uses it; it leaves nothing half done, however it ends.
        index.close()
    return 0


def can_browse() -> bool:
    """Whether somebody is there to type and to look."""
    return is_terminal(sys.stdin) and is_terminal(sys.stdout)
