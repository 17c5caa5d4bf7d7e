"""``searchfeed index``, ``update`` and ``rebuild``: the commands that write entries."""

from __future__ import annotations

from datetime import UTC, datetime
from time import perf_counter

import click

from searchfeed.cli.base import (
    Settings,
    complete_subscription,
    epilog,
    global_options,
    network_options,
)
from searchfeed.cli.progress import Bars
from searchfeed.cli.streams import complain
from searchfeed.models import Report
from searchfeed.output.human import count, duration, until

_WARNINGS = 10


@click.command(
    "index",
    epilog=epilog(
        "searchfeed index fixtures/",
        "searchfeed index news.xml 'archive/**/*.json'",
        "searchfeed index https://example.org/feed.xml https://example.com/",
        "searchfeed index subscriptions.opml",
        "curl -s https://example.org/feed | searchfeed index -",
        "searchfeed index --large archive.xml",
        notes=(
            (
                "A URL is remembered, and searchfeed update fetches it again. An OPML file "
                "stands for the feeds it lists, their folders becoming tags, and an HTML page for "
                "the feed it announces; either may come by standard input."
            ),
            (
                "A file with more than some 20,000 entries or 32 MB is refused, as what a server "
                "sends would be. With --large it may have up to 100 MB and is waited for; this is "
                "true of files and standard input, and of nothing that is fetched."
            ),
            (
                "Exit code: 0 every source was read, 2 at least one was not; what the "
                "others hold is in the index all the same."
            ),
        ),
    ),
)
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option(
    "--large",
    is_flag=True,
    help="Take in files whole, however many entries they have, if you trust them.",
)
@network_options
@global_options(hidden=True)
@click.pass_obj
def index(
    settings: Settings, /, *, sources: tuple[str, ...], large: bool, allow_private: bool
) -> int:
    """Take the entries of feeds into the index.

    SOURCE is a file, a folder (with all below it), a glob, - for standard input, or the URL of a
    feed, of a page that announces one or of a list of feeds. What is known already is passed over,
    an edited entry keeps its old version, and nothing is ever dropped.
    """
    start = perf_counter()
    with settings.open() as opened, Bars(settings) as bars:
        report = opened.update(sources, allow_private=allow_private, large=large, progress=bars)
    name = sources[0] if len(sources) == 1 else count(len(sources), "source")
    return conclude(settings, name, report, perf_counter() - start)


@click.command(
    epilog=epilog(
        "searchfeed update",
        "searchfeed update --force",
        "searchfeed update example.org",
        notes=(
            (
                "Feeds are not asked more often than their servers want; searchfeed feeds tells "
                "when each is due. One that is named is fetched at once, and with --force all are, "
                "but not while a server that was overloaded asks to be left alone."
            ),
            "Exit code: 0 every feed was fetched that was due, 2 at least one was not.",
        ),
    )
)
@click.argument("feeds", metavar="[FEED]...", nargs=-1, shell_complete=complete_subscription)
@click.option("--force", is_flag=True, help="Fetch all feeds, be they due or not.")
@network_options
@global_options(hidden=True)
@click.pass_obj
def update(
    settings: Settings, /, *, feeds: tuple[str, ...], force: bool, allow_private: bool
) -> int:
    """Fetch the feeds that are subscribed to and due.

    FEED is the URL or the title of one, or a part of either that no other has.
    """
    start = perf_counter()
    with settings.open() as opened, Bars(settings) as bars:
        report = opened.refresh(feeds, force=force, allow_private=allow_private, progress=bars)
    if not report.fetched and not report.waiting and not report.warnings:
        settings.say("there is no feed to fetch; subscribe with: searchfeed feeds add URL")
        return 0
    name = count(report.fetched, "feed")
    return conclude(settings, name, report, perf_counter() - start)


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


def conclude(settings: Settings, name: str, report: Report, seconds: float) -> int:
    """Say what came of it, what was odd and what failed; return the exit code."""
    _warn(settings, report)
    for failure in report.failures:
        complain(str(failure))
    settings.say(summary(name, report, seconds))
    return 2 if report.failures else 0


def summary(name: str, report: Report, seconds: float) -> str:
    """What came of it, on one line."""
    failed = f"; {count(len(report.failures), 'source')} failed" if report.failures else ""
    due = ""
    if report.waiting and report.next_fetch:
        first = "it is" if report.waiting == 1 else "the first is"
        when = until(report.next_fetch, datetime.now(UTC))
        due = f"; {count(report.waiting, 'feed')} not due yet, {first} {when}"
    return f"{name}: {changes(report)} in {duration(seconds)}{failed}{due}"


def changes(report: Report) -> str:
    """How many entries came, were edited and stayed as they were."""
    return f"{report.added:,} added, {report.updated:,} updated, {report.unchanged:,} unchanged"


def _warn(settings: Settings, report: Report) -> None:
    """Say what was odd, but do not bury the rest under it."""
    if settings.quiet:
        return
    shown = report.warnings if settings.verbose else report.warnings[:_WARNINGS]
    for warning in shown:
        complain(f"warning: {warning}")
    if len(shown) < len(report.warnings):
        rest = count(len(report.warnings) - len(shown), "more warning")
        complain(f"warning: and {rest}; -v shows all of them")
