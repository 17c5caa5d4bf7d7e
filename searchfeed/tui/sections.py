"""What a page about an entry is made of, each part as a sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from searchfeed.models import Entry, Hit, Snippet
from searchfeed.output import Screen
from searchfeed.output.clean import hyperlink, line
from searchfeed.output.history import edits
from searchfeed.output.human import ago, count, date, date_and_time, size
from searchfeed.output.links import addresses
from searchfeed.tui.typesetting import Composer, Part, Sheet, Target, cleaned

if TYPE_CHECKING:
    from searchfeed.archive import Version

MOST_LINKS = 40
"""Addresses that are listed below a text; those further on can be chosen where they stand."""

_LONGEST_TITLE = 1_000
_LONGEST_FACT = 500
_MONTH, _YEAR = 30.44, 365.25


def clean_entry(entry: Entry) -> Entry:
    """The entry with a title and a body that hold nothing that a terminal would obey."""
    title = line(entry.title[:_LONGEST_TITLE]).strip()
    return replace(entry, title=title, body=cleaned(entry.body).strip("\n").rstrip())


def head(entry: Entry, title: Snippet | None, screen: Screen) -> Sheet:
    """The title of a clean entry and what is known of it; ``title`` tells what matches there."""
    page = Composer()
    spans = title.spans if title else ()
    page.add(entry.title or "(no title)", "title", matches=spans)
    page.add("\n")
    page.add(_fact(entry.feed_title or entry.feed_url), "feed")
    if entry.authors:
        page.add(f" · by {_fact(', '.join(entry.authors))}", "aside")
    told = [_when(entry, screen)]
    told += [f"in {_fact(entry.language)}"] if entry.language else []
    told += [_fact(", ".join(entry.tags))] if entry.tags else []
    if told := [each for each in told if each]:
        page.add("\n")
        page.add(" · ".join(told), "aside")
    if url := hyperlink(entry.link):
        page.add("\n")
        page.add(url, "link", goal=url)
    page.add("\n")
    return page.sheet()


def body(entry: Entry, text: Snippet | None) -> Sheet:
    """The body of a clean entry, with what matches in it and the addresses that it holds."""
    if not entry.body:
        page = Composer()
        page.add("(this entry has no text)", "aside")
        return page.sheet()
    found = list(addresses(entry.body))
    return Sheet(
        entry.body,
        [Part(each.start, each.end, "link") for each in found],
        text.spans if text else (),
        [Target(each.start, each.end, each.url) for each in found],
    )


def links(entry: Entry, text: Sheet) -> Sheet | None:
    """The files that come with an entry, and the addresses in its text; None where there are none.

    They are numbered, as ``related`` goes on to number what it lists.
    """
    page = Composer()
    number = 0
    files = [(url, file) for file in entry.enclosures if (url := hyperlink(file.url))]
    if files:
        page.add("\n")
        page.add("Files", "heading")
    for url, file in files[:MOST_LINKS]:
        number += 1
        told = [_fact(file.type), size(file.length) if file.length else ""]
        _numbered(page, number, url, "link", url)
        if details := ", ".join(each for each in told if each):
            page.add(f"  {details}", "aside")
    urls = dict.fromkeys(str(each.goal) for each in text.targets)
    if urls:
        page.add("\n\n" if files else "\n")
        page.add("Links", "heading")
    for url in islice(urls, MOST_LINKS):
        number += 1
        _numbered(page, number, url, "link", url)
    if len(urls) > MOST_LINKS:
        page.add(f"\nand {count(len(urls) - MOST_LINKS, 'more link')} in the text", "aside")
    return page.sheet() if number else None


def related(hits: Iterable[Hit], numbered: int, screen: Screen) -> Sheet | None:
    """Entries like the one that is read, numbered from after ``numbered`` on; None without any."""
    page = Composer()
    page.add("\n")
    page.add("More like this", "heading")
    number = numbered
    for number, hit in enumerate(hits, numbered + 1):
        entry = hit.entry
        title = line(entry.title[:_LONGEST_TITLE]).strip() or "(no title)"
        _numbered(page, number, title, "related", entry)
        told = [_fact(entry.feed_title or entry.feed_url)]
        told += [date(entry.date, screen.zone)] if entry.date else []
        page.add(f"  {', '.join(told)}", "aside")
    return page.sheet() if number > numbered else None


def history(versions: Sequence[Version], screen: Screen) -> Sheet:
    """How an entry came to say what it says: what each version changed, the newest first."""
    page = Composer()
    roles = {"-": "removed", "+": "added", "…": "aside"}
    for number in range(len(versions), 1, -1):
        old, new = versions[number - 2], versions[number - 1]
        page.add("" if number == len(versions) else "\n\n")
        page.add(f"Version {number} of {len(versions)}", "heading")
        page.add(f", first seen {date_and_time(new.seen, screen.zone)}", "aside")
        for name, pieces in edits(old.entry, new.entry, screen):
            page.add("\n\n" if name else "\n")
            page.add(f"{name}: " if name else "", "aside")
            for before, piece in pairwise([None, *pieces]):
                assert piece is not None
                if before and before.kind == "-" and piece.kind == "+":
                    page.add("" if before.text.endswith(" ") else " ")
                words = piece.text.rstrip()
                page.add(words, roles.get(piece.kind, ""))
                page.add(piece.text[len(words) :])
    first = versions[0]
    page.add("\n\n")
    page.add(f"Version 1 of {len(versions)}", "heading")
    page.add(f", first seen {date_and_time(first.seen, screen.zone)}", "aside")
    return page.sheet()


def _numbered(page: Composer, number: int, text: str, role: str, goal: str | Entry) -> None:
    page.add("\n")
    page.add(f"{number}. ", "aside")
    page.add(text, role, goal=goal)


def _fact(text: str) -> str:
    fact = line(text[: 2 * _LONGEST_FACT]).strip()
    return fact if len(fact) <= _LONGEST_FACT else f"{fact[: _LONGEST_FACT - 1]}…"


def _when(entry: Entry, screen: Screen) -> str:
    if entry.date is None:
        return "no date"
    told = f"{date_and_time(entry.date, screen.zone)} ({_age(entry.date, screen)})"
    if entry.published and entry.updated and entry.updated > entry.published:
        told += f", updated {date_and_time(entry.updated, screen.zone)}"
    return told


def _age(moment: datetime, screen: Screen) -> str:
    """As ``ago``, also for what is long ago or still to come."""
    told = ago(moment, screen.now, screen.zone)
    if told != date(moment, screen.zone):
        return told
    days = abs((screen.now - moment).days)
    if days < 2 * _MONTH:
        told = count(days, "day")
    elif days < 2 * _YEAR:
        told = count(int(days / _MONTH), "month")
    else:
        told = count(int(days / _YEAR), "year")
    return f"{told} ago" if moment <= screen.now else f"in {told}"
