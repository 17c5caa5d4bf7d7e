"""Lists for people: what was found, the state of the index."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.text import Text

from searchfeed.models import Hit, Results, Sort, Stats
from searchfeed.output import Screen
from searchfeed.output.clean import hyperlink
from searchfeed.output.human import ago, count, date, duration, other_feeds, size
from searchfeed.output.ink import (
    FAINT,
    FEED,
    PLAIN,
    READABLE,
    TITLE,
    Paper,
    linked,
    passage,
    render,
    text,
)
from searchfeed.output.wrapping import wrap

if TYPE_CHECKING:
    from rich.style import Style

_ID = 8
_GAP = 2
_ASIDE = 28
_ASIDE_MOST = 44
_FEEDS_MOST = 5
_ORDER = {Sort.RELEVANCE: "", Sort.OLDEST: ", oldest first,", Sort.NEWEST: ", newest first,"}


def results(results: Results, screen: Screen) -> Iterator[str]:
    """Each hit with its title, where and when it was published, and the passage that matched.

    Where the screen has room beside a readable line, feed and date stand there; else they stand
    below the title. Without escapes, where a title cannot be a link, the link gets a line.
    """
    paper = Paper.of(screen)
    rank_width = len(str(results.query.offset + len(results)))
    room = paper.width - rank_width - _GAP
    width = min(room, READABLE)
    aside = min(room - width - 2 * _GAP, _ASIDE_MOST)
    beside = aside >= _ASIDE
    for rank, hit in enumerate(results, results.query.offset + 1):
        left = list(wrap(_title(hit), width))
        if not beside:
            left.extend(wrap(_origin(hit, screen, width), width))
            left.extend(_elsewhere(hit, width))
        left.extend(_body(hit, screen, width))
        right = _margin(hit, screen, aside) if beside else []
        rows = []
        for number, (row, note) in enumerate(zip_longest(left, right)):
            full = Text.assemble(_label(str(rank) if number == 0 else "", rank_width), row or "")
            if note:
                full.append(" " * (rank_width + width + 3 * _GAP - full.cell_len))
                full.append_text(note)
            full.rstrip()
            rows.append(full)
        yield render([*rows, Text()], paper)
    if results.hits:
        yield render(wrap(Text(_closing(results), FAINT), paper.width), paper)


def stats(stats: Stats, screen: Screen) -> Iterator[str]:
    """The figures, a line each."""
    paper = Paper.of(screen)
    span = (
        f"{date(stats.oldest, screen.zone)} to {date(stats.newest, screen.zone)}"
        if stats.oldest and stats.newest
        else "no dates"
    )
    edits = max(stats.versions - stats.entries, 0)
    kept = f", {count(edits, 'earlier version')} kept" if edits else ""
    figures = (
        ("index", stats.path),
        ("engine", stats.engine),
        ("feeds", f"{stats.feeds:,}"),
        ("entries", f"{stats.entries:,}{kept}"),
        ("dated", span),
        ("size", f"{size(stats.archive_size)} archive, {size(stats.index_size)} index"),
    )
    label_width = max(len(label) for label, _ in figures) + _GAP
    for label, value in figures:
        for number, row in enumerate(wrap(text(value), paper.width - label_width)):
            name = label if number == 0 else ""
            yield render([Text.assemble((f"{name:<{label_width}}", FAINT), row)], paper)


def _label(label: str, width: int, style: Style = FAINT) -> Text:
    """What stands to the left of a row."""
    return Text(f"{label:>{width}}{' ' * _GAP}", style if label else PLAIN)


def _title(hit: Hit) -> Text:
    style = linked(TITLE, hit.entry.link)
    snippet = hit.snippet("title")
    title = passage(snippet, style) if snippet else text(hit.entry.title, style)
    return title if title.plain.strip() else Text("(no title)", style)


def _body(hit: Hit, screen: Screen, width: int) -> Iterator[Text]:
    snippet = hit.snippet("body")
    if snippet:
        yield from wrap(passage(snippet), width)
    if not screen.escapes and hyperlink(hit.entry.link):
        yield text(hit.entry.link)


def _origin(hit: Hit, screen: Screen, width: int) -> Text:
    """Feed, date and id on one line; where it is too narrow, the feed's title is shortened."""
    facts = Text()
    for fact, style in ((_date(hit, screen), PLAIN), (hit.entry.id[:_ID], FAINT)):
        if fact:
            facts.append(" · ", FAINT)
            facts.append(fact, style)
    feed = _feed(hit)
    feed.truncate(max(width - facts.cell_len, 8), overflow="ellipsis")
    return Text.assemble(feed, facts)


def _margin(hit: Hit, screen: Screen, width: int) -> list[Text]:
    """Feed, and below it date and id: what ``_origin`` tells, for the margin."""
    feed = _feed(hit)
    feed.truncate(width, overflow="ellipsis")
    day = _date(hit, screen)
    facts = Text.assemble((f"{day} · " if day else "", PLAIN), (hit.entry.id[:_ID], FAINT))
    return [feed, facts, *_elsewhere(hit, width)]


def _elsewhere(hit: Hit, width: int) -> Iterator[Text]:
    """The other feeds that have the same story, but not too many of them."""
    names = other_feeds(hit)
    if not names:
        return
    found = Text("also in: ", FAINT)
    for number, name in enumerate(names[:_FEEDS_MOST]):
        found.append(", " if number else "", FAINT)
        found.append_text(text(name, FEED))
    if len(names) > _FEEDS_MOST:
        found.append(f" and {count(len(names) - _FEEDS_MOST, 'other feed')}", FAINT)
    yield from wrap(found, width)


def _feed(hit: Hit) -> Text:
    return text(hit.entry.feed_name, FEED)


def _date(hit: Hit, screen: Screen) -> str:
    return ago(hit.entry.date, screen.now, screen.zone) if hit.entry.date else ""


def _closing(results: Results) -> str:
    """How many there are, which of them these are, and how to see more."""
    first = results.query.offset + 1
    last = results.query.offset + len(results)
    which = "" if len(results) == results.total else f"{first:,} to {last:,} of "
    order = _ORDER[results.query.sort]
    more = f"; more: --offset {last}" if last < results.total else ""
    return f"{which}{count(results.total, 'entry')}{order} in {duration(results.elapsed)}{more}"
