r"""Text for pipes: one line a thing, its columns divided by tabs, never an escape sequence.

The columns and their order are a promise; new ones come at the end. No column holds a tab or a
newline, so ``cut -f``, ``awk -F'\t'``, ``sort`` and ``fzf`` work as they are. Dates are UTC,
because lines are compared and sorted.
"""

from __future__ import annotations

from collections.abc import Iterator

from searchfeed.alerting import Alert
from searchfeed.archive import SavedSearch
from searchfeed.models import Entry, FeedState, Hit, Results, Stats, Trend
from searchfeed.output import Faceted, Screen
from searchfeed.output.clean import clean, line
from searchfeed.output.human import last_read, other_feeds, state, timestamp


def results(results: Results, _screen: Screen) -> Iterator[str]:
    """A line a hit: id, date, title, feed, link, the best passage, other feeds of the story."""
    for hit in results:
        yield _row(*_hit(hit))


def faceted(faceted: Faceted, screen: Screen) -> Iterator[str]:
    """The hits, an empty line, and a line a value: facet, value, count, label."""
    yield from results(faceted.results, screen)
    if any(faceted.facets.values()):
        yield "\n"
    for facet, counts in faceted.facets.items():
        for each in counts:
            yield _row(facet, each.value, str(each.count), each.label)


def trend(trend: Trend, _screen: Screen) -> Iterator[str]:
    """A line a bucket, empty ones too: name, count, start, end."""
    for bucket in trend.buckets:
        start, end = timestamp(bucket.start), timestamp(bucket.end)
        yield _row(bucket.name, str(bucket.count), start, end)


def entry(entry: Entry, _screen: Screen) -> Iterator[str]:
    """Headers as of a mail, an empty line, and the body with its own line breaks."""
    yield _header("Title", entry.title)
    yield _header("Feed", entry.feed_title)
    yield _header("Feed-URL", entry.feed_url)
    yield _header("Published", timestamp(entry.published))
    yield _header("Updated", timestamp(entry.updated))
    yield _header("Authors", ", ".join(entry.authors))
    yield _header("Tags", ", ".join(entry.tags))
    yield _header("Language", entry.language)
    yield _header("Link", entry.link)
    for enclosure in entry.enclosures:
        yield _header("Enclosure", f"{enclosure.url} {enclosure.type}")
    yield _header("Id", entry.id)
    if entry.body:
        yield f"\n{clean(entry.body).strip()}\n"


def feeds(feeds: tuple[FeedState, ...], _screen: Screen) -> Iterator[str]:
    """A line a feed.

    URL, title, number of entries, date of the newest, when it was last read, state (``active``,
    ``gone``, or ``file`` where there is no subscription), when it is next fetched, why the last
    try failed, tags.
    """
    for feed in feeds:
        kept = feed.subscription
        yield _row(
            feed.url,
            feed.title,
            str(feed.entries),
            timestamp(feed.newest),
            timestamp(last_read(feed)),
            state(feed),
            timestamp(kept.next_fetch if kept else None),
            kept.last_error if kept else "",
            "; ".join(feed.tags),
        )


def searches(searches: tuple[SavedSearch, ...], _screen: Screen) -> Iterator[str]:
    """A line a search: name, query, ``alert`` or nothing, how many wait, when it was saved."""
    for each in searches:
        alert = "alert" if each.alert else ""
        yield _row(each.name, each.text, alert, str(each.waiting), timestamp(each.saved))


def alerts(alerts: tuple[Alert, ...], _screen: Screen) -> Iterator[str]:
    """A line an alert: the columns of a hit and one more, the name of the search."""
    for alert in alerts:
        yield _row(*_hit(alert.hit), alert.search)


def stats(stats: Stats, _screen: Screen) -> Iterator[str]:
    """A line a figure: its name as in the JSON, and its value; sizes are in bytes."""
    yield _row("path", stats.path)
    yield _row("engine", stats.engine)
    yield _row("feeds", str(stats.feeds))
    yield _row("entries", str(stats.entries))
    yield _row("versions", str(stats.versions))
    yield _row("oldest", timestamp(stats.oldest))
    yield _row("newest", timestamp(stats.newest))
    yield _row("archive_size", str(stats.archive_size))
    yield _row("index_size", str(stats.index_size))


def _hit(hit: Hit) -> tuple[str, ...]:
    entry = hit.entry
    return (
        entry.id,
        timestamp(entry.date),
        entry.title,
        entry.feed_name,
        entry.link,
        hit.snippets[0].text,
        "; ".join(other_feeds(hit)),
    )


def _row(*columns: str) -> str:
    return "\t".join(line(column).strip() for column in columns) + "\n"


def _header(name: str, value: str) -> str:
    value = line(value).strip()
    return f"{name}: {value}\n" if value else ""
