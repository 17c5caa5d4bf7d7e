"""CSV (RFC 4180) that a spreadsheet can open without running any of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from searchfeed.models import Hit, Results
from searchfeed.output import Screen
from searchfeed.output.clean import line
from searchfeed.output.human import other_feeds, timestamp

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

# https://owasp.org/www-community/attacks/CSV_Injection; the wide forms are what a Japanese
# spreadsheet takes for the same.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def results(results: Results, _screen: Screen) -> Iterator[str]:
    """A header and one row a hit; several authors, tags or feeds are divided by ``; ``.

    Texts that a spreadsheet would take for a formula start with an apostrophe.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for rank, hit in enumerate(results, results.query.offset + 1):
        writer.writerow([rank, hit.score, *(_cell(text) for text in _texts(hit))])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _texts(hit: Hit) -> tuple[str, ...]:
    entry = hit.entry
    return (
        entry.id,
        timestamp(entry.date),
        entry.title,
        entry.feed_title or entry.feed_url,
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
