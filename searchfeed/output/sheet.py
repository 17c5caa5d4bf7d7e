"""CSV (RFC 4180) that a spreadsheet can open without running any of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from searchfeed.models import FeedState, Hit, Results
from searchfeed.output import Screen
from searchfeed.output.clean import line
from searchfeed.output.human import last_read, other_feeds, state, timestamp

COLUMNS = (
    "rank",
    "score",
    "id",
    "date",
    "title",
    "feed",
    "link",
    "authors",
    "tags",
    "language",
    "snippet",
    "also_in",
)

FEED_COLUMNS = (
    "url",
    "title",
    "link",
    "language",
    "tags",
    "entries",
    "newest",
    "last_success",
    "state",
    "next_fetch",
    "failures",
    "last_error",
)

# https://owasp.org/www-community/attacks/CSV_Injection; the wide forms are what a Japanese
# spreadsheet takes for the same.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def results(results: Results, _screen: Screen) -> Iterator[str]:
    """A header and one row a hit; several authors, tags or feeds are divided by ``; ``.

    Texts that a spreadsheet would take for a formula start with an apostrophe.
    """
    yield from _written(
        COLUMNS,
        (
            [rank, hit.score, *map(_cell, _texts(hit))]
            for rank, hit in enumerate(results, results.query.offset + 1)
        ),
    )


def feeds(feeds: tuple[FeedState, ...], _screen: Screen) -> Iterator[str]:
    """A header and one row a feed; several tags are divided by ``; ``."""
    yield from _written(FEED_COLUMNS, map(_feed, feeds))


def _written(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in chain([header], rows):
        writer.writerow(row)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _feed(feed: FeedState) -> list[object]:
    kept = feed.subscription
    return [
        *map(_cell, (feed.url, feed.title, feed.link, feed.language, "; ".join(feed.tags))),
        feed.entries,
        timestamp(feed.newest),
        timestamp(last_read(feed)),
        state(feed),
        timestamp(kept.next_fetch if kept else None),
        kept.failures if kept else 0,
        _cell(kept.last_error if kept else ""),
    ]


def _texts(hit: Hit) -> tuple[str, ...]:
    entry = hit.entry
    return (
        entry.id,
        timestamp(entry.date),
        entry.title,
        entry.feed_name,
        entry.link,
        "; ".join(entry.authors),
        "; ".join(entry.tags),
        entry.language,
        hit.snippets[0].text,
        "; ".join(other_feeds(hit)),
    )


def _cell(text: str) -> str:
    text = line(text).strip()
    return f"'{text}" if text.startswith(_FORMULA) else text
