"""``searchfeed index`` and ``searchfeed rebuild``: the commands that write."""

from __future__ import annotations

from time import perf_counter

import click

from searchfeed.cli.base import Settings, epilog, global_options
from searchfeed.cli.progress import Bars
from searchfeed.cli.streams import complain
from searchfeed.models import Report
from searchfeed.output.human import count, duration

_WARNINGS = 10


@click.command(
    "index",
    epilog=epilog(
        "searchfeed index fixtures/",
        "searchfeed index news.xml 'archive/**/*.json'",
        "curl -s https://example.org/feed | searchfeed index -",
        notes=(
            (
                "Exit code: 0 every source was read, 2 at least one was not; what the "
                "others hold is in the index all the same."
            ),
        ),
    ),
)
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@global_options(hidden=True)
@click.pass_obj
def index(settings: Settings, /, *, sources: tuple[str, ...]) -> int:
    """Take the entries of feeds into the index.

    SOURCE is a file, a folder (with all below it), a glob, or - for standard input. What is known
    already is passed over, an edited entry keeps its old version, and nothing is ever dropped.
    """
    start = perf_counter()
    with settings.open() as opened, Bars(settings) as bars:
        report = opened.update(sources, progress=bars)
    seconds = perf_counter() - start
    _warn(settings, report)
    for failure in report.failures:
        complain(str(failure))
    name = sources[0] if len(sources) == 1 else count(len(sources), "source")
    changes = f"{report.added:,} added, {report.updated:,} updated, {report.unchanged:,} unchanged"
    failed = f"; {count(len(report.failures), 'source')} failed" if report.failures else ""
    settings.say(f"{name}: {changes} in {duration(seconds)}{failed}")
    return 2 if report.failures else 0


@click.command(epilog=epilog("searchfeed rebuild"))
@global_options(hidden=True)
@click.pass_obj
def rebuild(settings: Settings, /) -> int:
    """Make the search index anew from the archive of entries.

    No feed is read, and searches go on meanwhile. It is of use after an upgrade, or where the
    index was damaged.
    """
    start = perf_counter()
    with settings.open() as opened, Bars(settings) as bars:
        entries = opened.rebuild(progress=bars)
    settings.say(f"rebuilt: {count(entries, 'entry')} in {duration(perf_counter() - start)}")
    return 0


def _warn(settings: Settings, report: Report) -> None:
    """Say what was odd, but do not bury the rest under it."""
    if settings.quiet:
        return
    shown = report.warnings if settings.verbose else report.warnings[:_WARNINGS]
    for warning in shown:
        complain(f"warning: {warning}")
    if len(shown) < len(report.warnings):
        rest = count(len(report.warnings) - len(shown), "more warning")
        complain(f"warning: and {rest}; all of them: searchfeed -v index")
