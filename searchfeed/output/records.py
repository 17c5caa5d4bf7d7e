"""JSON, as ``schema.json`` beside this file describes it.

Texts are exact, so that spans fit them: what a terminal would obey is not taken out but written
as a JSON escape, which comes to the same on a screen. A result document has one hit a line, so
that line tools can be used on it as well as JSON tools.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime

from searchfeed.alerting import Alert
from searchfeed.archive import SavedSearch, Version
from searchfeed.models import (
    Entry,
    ExplainedQuery,
    Explanation,
    FeedState,
    Hit,
    Results,
    Snippet,
    Stats,
    Trend,
)
from searchfeed.output import Faceted, Screen
from searchfeed.output.clean import UNSAFE
from searchfeed.output.human import last_read, timestamp
from searchfeed.patterns import deferred

VERSION = 1
"""Rises when a field goes or changes its meaning; new fields may come without it."""

_UNSAFE = deferred(f"[{UNSAFE}]")


def results(results: Results, screen: Screen) -> Iterator[str]:
    """One document; the list of hits is empty where nothing was found."""
    return _document(results, {}, screen)


def faceted(faceted: Faceted, screen: Screen) -> Iterator[str]:
    """The same document, with the facets before the hits."""
    facets = {
        facet: [{"value": each.value, "count": each.count, "label": each.label} for each in counts]
        for facet, counts in faceted.facets.items()
    }
    return _document(faceted.results, {"facets": facets}, screen)


def trend(trend: Trend, screen: Screen) -> Iterator[str]:
    """One document with the buckets; none where nothing was found."""
    record = {
        "version": VERSION,
        "query": trend.query.text,
        "by": trend.by,
        "total": trend.total,
        "undated": trend.undated,
        "notes": list(trend.notes),
        "buckets": [
            {
                "name": bucket.name,
                "start": _moment(bucket.start),
                "end": _moment(bucket.end),
                "count": bucket.count,
            }
            for bucket in trend.buckets
        ],
    }
    yield f"{_dump(record, screen, indent=2)}\n"


def _document(results: Results, more: dict[str, object], screen: Screen) -> Iterator[str]:
    head = {
        "version": VERSION,
        "query": results.query.text,
        "total": results.total,
        "offset": results.query.offset,
        "limit": results.query.limit,
        "elapsed": round(results.elapsed, 6),
        "notes": list(results.notes),
        "suggestion": results.suggestion,
        **more,
    }
    yield f'{_dump(head, screen)[:-1]}, "hits": ['
    for number, hit in enumerate(results):
        yield f"{',' if number else ''}\n{_dump(_hit(hit, _rank(results, number)), screen)}"
    yield "\n]}\n" if results.hits else "]}\n"


def lines(results: Results, screen: Screen) -> Iterator[str]:
    """One hit an object, one object a line; nothing where nothing was found."""
    for number, hit in enumerate(results):
        record = {"version": VERSION, **_hit(hit, _rank(results, number))}
        yield f"{_dump(record, screen)}\n"


def entry(entry: Entry, screen: Screen) -> Iterator[str]:
    """One document with the whole entry."""
    record = {"version": VERSION, **_entry(entry), "body": entry.body}
    yield f"{_dump(record, screen, indent=2)}\n"


def entry_lines(entries: tuple[Entry, ...], screen: Screen) -> Iterator[str]:
    """One whole entry an object, one object a line."""
    for each in entries:
        record = {"version": VERSION, **_entry(each), "body": each.body}
        yield f"{_dump(record, screen)}\n"


def history(versions: tuple[Version, ...], screen: Screen) -> Iterator[str]:
    """One document with every version of an entry, the oldest first."""
    each = [
        {"seen": _moment(version.seen), **_entry(version.entry), "body": version.entry.body}
        for version in versions
    ]
    record = {"version": VERSION, "id": versions[0].entry.id, "versions": each}
    yield f"{_dump(record, screen, indent=2)}\n"


def feeds(feeds: tuple[FeedState, ...], screen: Screen) -> Iterator[str]:
    """One document with the list of feeds."""
    record = {"version": VERSION, "feeds": [_feed_state(feed) for feed in feeds]}
    yield f"{_dump(record, screen, indent=2)}\n"


def feed_lines(feeds: tuple[FeedState, ...], screen: Screen) -> Iterator[str]:
    """One feed an object, one object a line."""
    for feed in feeds:
        yield f"{_dump({'version': VERSION, **_feed_state(feed)}, screen)}\n"


def stats(stats: Stats, screen: Screen) -> Iterator[str]:
    """One document with the state of the index."""
    record = {
        "version": VERSION,
        "path": stats.path,
        "engine": stats.engine,
        "feeds": stats.feeds,
        "entries": stats.entries,
        "versions": stats.versions,
        "oldest": _moment(stats.oldest),
        "newest": _moment(stats.newest),
        "archive_size": stats.archive_size,
        "index_size": stats.index_size,
    }
    yield f"{_dump(record, screen, indent=2)}\n"


def searches(searches: tuple[SavedSearch, ...], screen: Screen) -> Iterator[str]:
    """One document with the list of saved searches."""
    found = [
        {
            "name": each.name,
            "query": each.text,
            "saved": _moment(each.saved),
            "alert": each.alert,
            "waiting": each.waiting,
        }
        for each in searches
    ]
    yield f"{_dump({'version': VERSION, 'searches': found}, screen, indent=2)}\n"


def alerts(alerts: tuple[Alert, ...], screen: Screen) -> Iterator[str]:
    """One document; the list of alerts is empty where nothing is new."""
    found = [_alert(each, rank) for rank, each in enumerate(alerts, 1)]
    yield f"{_dump({'version': VERSION, 'alerts': found}, screen, indent=2)}\n"


def alert_lines(alerts: tuple[Alert, ...], screen: Screen) -> Iterator[str]:
    """One alert an object, one object a line; nothing where nothing is new."""
    for rank, each in enumerate(alerts, 1):
        yield f"{_dump({'version': VERSION, **_alert(each, rank)}, screen)}\n"


def explanation(explanation: Explanation, screen: Screen) -> Iterator[str]:
    """One object: whether the entry matches, its score, and what the score is made of."""
    record = {
        "version": VERSION,
        "matches": explanation.matches,
        "score": explanation.score,
        "contributions": [
            {
                "clause": each.clause,
                "field": each.field,
                "term": each.term,
                "weight": each.weight,
                "score": each.score,
            }
            for each in explanation.contributions
        ],
        "missing": list(explanation.missing),
    }
    yield _dump(record, screen, indent=2) + "\n"


def explained_query(query: ExplainedQuery, screen: Screen) -> Iterator[str]:
    """One object: the query, its tree, the notes and what the engine makes of it."""
    record = {
        "version": VERSION,
        "query": query.text,
        "tree": query.tree,
        "notes": list(query.notes),
        "engine": query.engine,
    }
    yield _dump(record, screen, indent=2) + "\n"


def _rank(results: Results, number: int) -> int:
    return results.query.offset + number + 1


def _hit(hit: Hit, rank: int) -> dict[str, object]:
    snippets = [_snippet(snippet) for snippet in hit.snippets]
    duplicates = [
        {"id": entry.id, "feed": _feed(entry), "link": entry.link} for entry in hit.duplicates
    ]
    return {
        "rank": rank,
        "score": hit.score,
        **_entry(hit.entry),
        "snippets": snippets,
        "duplicates": duplicates,
    }


def _alert(alert: Alert, rank: int) -> dict[str, object]:
    return {"alert": alert.id, "search": alert.search, **_hit(alert.hit, rank)}


def _feed(entry: Entry) -> dict[str, str]:
    return {"url": entry.feed_url, "title": entry.feed_title}


def _feed_state(feed: FeedState) -> dict[str, object]:
    kept = feed.subscription
    return {
        "url": feed.url,
        "title": feed.title,
        "link": feed.link,
        "language": feed.language,
        "tags": list(feed.tags),
        "entries": feed.entries,
        "newest": _moment(feed.newest),
        "last_success": _moment(last_read(feed)),
        # Where it is fetched from stays out: the address may hold a password.
        "subscription": kept
        and {
            "state": kept.state,
            "last_fetch": _moment(kept.last_fetch),
            "last_success": _moment(kept.last_success),
            "last_error": kept.last_error,
            "failures": kept.failures,
            "next_fetch": _moment(kept.next_fetch),
        },
    }


def _entry(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.id,
        "title": entry.title,
        "link": entry.link,
        "feed": _feed(entry),
        "date": _moment(entry.date),
        "published": _moment(entry.published),
        "updated": _moment(entry.updated),
        "authors": list(entry.authors),
        "tags": list(entry.tags),
        "language": entry.language,
        "enclosures": [
            {"url": enclosure.url, "type": enclosure.type, "length": enclosure.length}
            for enclosure in entry.enclosures
        ],
    }


def _snippet(snippet: Snippet) -> dict[str, object]:
    return {
        "field": snippet.field,
        "text": snippet.text,
        "spans": [[span.start, span.end] for span in snippet.spans],
        "before": snippet.before,
        "after": snippet.after,
    }


def _moment(moment: datetime | None) -> str | None:
    return timestamp(moment) or None


def _dump(value: object, screen: Screen, indent: int | None = None) -> str:
    text = json.dumps(value, ensure_ascii=screen.ascii, indent=indent)
    return text if text.isascii() and "\x7f" not in text else _UNSAFE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1] if match[0] != "\x7f" else "\\u007f"
