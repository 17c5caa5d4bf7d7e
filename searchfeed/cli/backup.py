"""``searchfeed backup``: the archive in one file, while others go on writing."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import click

from searchfeed.cli.base import Settings, epilog, global_options
from searchfeed.output.human import count, duration


@click.command(
    epilog=epilog(
        "searchfeed backup feeds.sqlite",
        notes=(
            (
                "The file is an archive itself. To use it, put it into an empty folder under the "
                "name archive.sqlite; the first search there makes the search index:"
            ),
            (
                "\b\n  mkdir again && cp feeds.sqlite again/archive.sqlite\n"
                "  searchfeed --index again search migrants"
            ),
        ),
    ),
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Take the place of a file that is there already.")
@global_options(hidden=True)
@click.pass_obj
def backup(settings: Settings, /, *, file: Path, force: bool) -> int:
    """Copy the archive of all entries to a file.

    The copy is of one state, whatever others write meanwhile. It is compared with its checksums
    before it gets its name, and only you can read it.
    """
    if file.exists() and not force:
        raise click.ClickException(f"{file} is there already; --force takes its place")
    start = perf_counter()
    with settings.open() as opened:
        entries = opened.backup(file, overwrite=force)
    settings.say(f"{file}: {count(entries, 'entry')} in {duration(perf_counter() - start)}")
    return 0
