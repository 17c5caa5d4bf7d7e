"""``searchfeed feeds``: the feeds there are, and what is done with one as a whole."""

from __future__ import annotations

import sys
from pathlib import Path
from time import perf_counter

import click

from searchfeed.cli import streams
from searchfeed.cli.base import (
    Group,
    QueryCommand,
    Settings,
    complete_known_feed,
    epilog,
    format_options,
    global_options,
    network_options,
)
from searchfeed.cli.progress import Bars
from searchfeed.cli.update import conclude
from searchfeed.models import FeedState
from searchfeed.output import FEEDS
from searchfeed.output.clean import clean
from searchfeed.output.human import count


@click.group(
    cls=Group,
    invoke_without_command=True,
    epilog=epilog(
        "searchfeed feeds",
        "searchfeed feeds | cut -f1",
        "searchfeed feeds add https://example.org/feed.xml --tag news",
        "searchfeed feeds export > subscriptions.opml",
        notes=(
            (
                "The format plain has a line a feed; its columns, divided by tabs, are URL, "
                "title, entries, date of the newest, last read, state (active, gone, or file "
                "where it is not subscribed to), next time, last error, tags. Times are UTC."
            ),
        ),
    ),
)
@format_options(FEEDS)
@global_options(hidden=True)
@click.pass_context
def feeds(context: click.Context, /, *, format: str | None, json: bool) -> int:  # noqa: A002
    """List the feeds in the index, or change one.

    FEED is its URL or its title, or a part of either that no other feed has.
    """
    if context.invoked_subcommand is not None:
        return 0
    settings = context.ensure_object(Settings)
    with settings.open() as index:
        known = index.feeds()
    settings.write(FEEDS, known, format, json=json)
    return 0


@feeds.command(
    epilog=epilog(
        "searchfeed feeds add https://example.org/feed.xml",
        "searchfeed feeds add https://example.org/ https://example.com/ --tag news",
        notes=("Exit code: 0 all were fetched, 2 at least one was not.",),
    )
)
@click.argument("urls", metavar="URL...", nargs=-1, required=True)
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="Give the feeds this tag, too.")
@network_options
@global_options(hidden=True)
@click.pass_obj
def add(
    settings: Settings, /, *, urls: tuple[str, ...], tags: tuple[str, ...], allow_private: bool
) -> int:
    """Subscribe to feeds, and take in what they hold now.

    URL is that of a feed, of a page that announces one, or of a list of feeds (OPML).
    """
    start = perf_counter()
    with settings.open() as index, Bars(settings) as bars:
        report = index.subscribe(urls, tags=tags, allow_private=allow_private, progress=bars)
    name = urls[0] if len(urls) == 1 else count(len(urls), "address")
    return conclude(settings, name, report, perf_counter() - start)


@feeds.command(
    epilog=epilog(
        "searchfeed feeds remove example.org",
        "searchfeed feeds remove 'Border News' --entries",
    )
)
@click.argument(
    "names", metavar="FEED...", nargs=-1, required=True, shell_complete=complete_known_feed
)
@click.option("--entries", is_flag=True, help="Take out what was read of it, too, for good.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@global_options(hidden=True)
@click.pass_obj
def remove(settings: Settings, /, *, names: tuple[str, ...], entries: bool, yes: bool) -> int:
    """Fetch a feed no more. Its entries stay and are found as before, unless they are to go."""
    declined = False
    with settings.open() as index:
        # All are looked up before any is taken out.
        known = {each.url: each for each in map(index.feed, names)}
        for feed in known.values():
            held = count(feed.entries, "entry")
            if entries and not (yes or _agreed(f"take out {_name(feed)} with {held} for good?")):
                settings.say(f"{_name(feed)}: kept")
                declined = True
                continue
            index.unsubscribe(feed.url, entries=entries)
            after = f", {held} {'taken out' if entries else 'kept'}" if feed.entries else ""
            settings.say(f"{_name(feed)}: removed{after}")
    return 1 if declined else 0


@feeds.command(
    epilog=epilog(
        "searchfeed feeds rename example.org 'Border News'",
        "searchfeed feeds rename example.org ''",
    )
)
@click.argument("feed", shell_complete=complete_known_feed)
@click.argument("name")
@global_options(hidden=True)
@click.pass_obj
def rename(settings: Settings, /, *, feed: str, name: str) -> int:
    """Call a FEED by a NAME of yours. An empty one gives it its own title back."""
    with settings.open() as index:
        before = index.feed(feed)
        after = index.rename(before.url, name)
    settings.say(f"{after.url}: now called {after.title or after.url}")
    return 0


@feeds.command(
    cls=QueryCommand,
    epilog=epilog(
        "searchfeed feeds tag example.org news +work",
        "searchfeed feeds tag example.org -work",
        "searchfeed search tag:news borders",
    ),
)
@click.argument("feed", shell_complete=complete_known_feed)
@click.argument("tags", metavar="[+]TAG|-TAG...", nargs=-1, required=True, type=click.UNPROCESSED)
@global_options(hidden=True)
@click.pass_obj
def tag(settings: Settings, /, *, feed: str, tags: tuple[str, ...]) -> int:
    """Give a FEED tags, or take them away with -TAG.

    They are tags of all its entries, those to come too, beside those that the entries have.
    """
    removed = [each[1:] for each in tags if each.startswith("-")]
    added = [each.removeprefix("+") for each in tags if not each.startswith("-")]
    if not all(each.strip() for each in (*removed, *added)):
        raise click.UsageError("a tag is empty")
    with settings.open() as index:
        after = index.tag(index.feed(feed).url, added, removed)
    settings.say(f"{_name(after)}: {', '.join(after.tags) or 'no tags'}")
    return 0


@feeds.command(
    epilog=epilog(
        "searchfeed feeds export > subscriptions.opml",
        "searchfeed feeds export subscriptions.opml",
        notes=("Users and passwords in addresses are left out.",),
    )
)
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@global_options(hidden=True)
@click.pass_obj
def export(settings: Settings, /, *, file: Path | None) -> int:
    """Write the subscriptions as OPML 2.0, to FILE or to stdout."""
    with settings.open() as index:
        listed = index.opml()
        subscribed = sum(feed.subscription is not None for feed in index.feeds())
    if file is None or str(file) == "-":
        streams.write([listed.decode()])
        return 0
    try:
        file.write_bytes(listed)
    except OSError as error:
        raise streams.OutputError(f"cannot write {file}: {error.strerror}") from error
    settings.say(f"{file}: {count(subscribed, 'feed')}")
    return 0


def _name(feed: FeedState) -> str:
    return feed.title or feed.url


def _agreed(question: str) -> bool:
    """Whether somebody says yes.

    Raises:
        click.UsageError: there is nobody to ask.
    """
    if not streams.is_terminal(sys.stdin):
        raise click.UsageError("there is nobody to ask; to take entries out, give --yes")
    return click.confirm(clean(question), err=True)
