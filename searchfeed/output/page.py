"""An entry as a page to read."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from searchfeed.models import Enclosure, Entry
from searchfeed.output import Screen
from searchfeed.output.clean import clean
from searchfeed.output.human import date_and_time, size
from searchfeed.output.ink import (
    FAINT,
    FEED,
    PLAIN,
    READABLE,
    TITLE,
    Paper,
    linked,
    render,
    text,
)
from searchfeed.output.wrapping import behind, lead, wrap


def entry(entry: Entry, screen: Screen) -> Iterator[str]:
    """Title, what is known of it, and the body, in lines that are good to read."""
    paper = Paper.of(screen)
    width = min(paper.width, READABLE)
    title = text(entry.title or "(no title)", linked(TITLE, entry.link))
    yield render(wrap(title, width), paper)
    for label, value in _facts(entry, screen):
        name = Text(f"{label:<11}", FAINT)
        # An address is not wrapped, so that it can be copied.
        rows = [value] if "://" in value.plain else wrap(value, max(width - 11, 10))
        yield render(behind(name, rows), paper)
    body = clean(entry.body).strip("\n").rstrip()
    if body:
        yield "\n"
    for paragraph in body.split("\n") if body else ():
        indent = lead(paragraph)
        rest = Text(paragraph[indent:])
        first = paragraph[:indent]
        rows = list(wrap(rest, width - indent)) or [Text()]
        for number, row in enumerate(rows):
            full = Text.assemble(first if number == 0 else " " * indent, row)
            full.rstrip()
            yield render([full], paper)


def _facts(entry: Entry, screen: Screen) -> Iterator[tuple[str, Text]]:
    feed = text(entry.feed_name, FEED)
    yield "feed", feed
    if entry.published:
        yield "published", Text(date_and_time(entry.published, screen.zone))
    if entry.updated and entry.updated != entry.published:
        yield "updated", Text(date_and_time(entry.updated, screen.zone))
    if entry.authors:
        yield "by", text(", ".join(entry.authors))
    if entry.tags:
        yield "tags", text(", ".join(entry.tags))
    if entry.language:
        yield "language", text(entry.language)
    if entry.link:
        yield "link", text(entry.link, linked(PLAIN, entry.link))
    for enclosure in entry.enclosures:
        yield "enclosure", _enclosure(enclosure)
    yield "id", text(entry.id, FAINT)


def _enclosure(enclosure: Enclosure) -> Text:
    details = [
        detail
        for detail in (enclosure.type, size(enclosure.length) if enclosure.length else "")
        if detail
    ]
    suffix = f" ({', '.join(details)})" if details else ""
    return text(f"{enclosure.url}{suffix}", linked(PLAIN, enclosure.url))
