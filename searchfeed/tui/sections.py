"""What a page about an entry is made of, each part as a sheet."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from searchfeed.models import Entry, Hit, Span
from searchfeed.output import Screen
from searchfeed.output.clean import hyperlink, line
from searchfeed.output.history import edits
from searchfeed.output.human import ago, count, date, date_and_time, size
from searchfeed.output.links import addresses
from searchfeed.tui.typesetting import Composer, Part, Sheet, Target

if TYPE_CHECKING:
    from searchfeed.archive import Version

MOST_LINKS = 40
"""Addresses that are listed below a text; those further on can be chosen where they stand."""

_LONGEST_TITLE = 1_000
_LONGEST_FACT = 500
_MONTH, _YEAR = 30.44, 365.25

# The kinds of pieces of a comparison, as they are drawn.
_ROLES = {"-": "removed", "+": "added", "…": "aside", " ": ""}


def title_of(entry: Entry) -> str:
    """The title on one line, clean; it may be empty."""
    return line(entry.title[:_LONGEST_TITLE]).strip()


def head(entry: Entry, matches: Sequence[Span], screen: Screen) -> Sheet:
    """The title of an entry, with what matches in it, and what is known of the entry."""
    page = Composer()
    page.add(title_of(entry) or "(no title)", "title", matches=matches)
    page.add("\n")
    page.add(_fact(entry.feed_name), "feed")
    if entry.authors:
        page.add(f" · by {_fact(', '.join(entry.authors))}", "aside")
    told = [_when(entry, screen)]
    told += [f"in {_fact(entry.language)}"] if entry.language else []
    told += [_fact(", ".join(entry.tags))] if entry.tags else []
    page.add("\n")
    page.add(" · ".join(each for each in told if each), "aside")
    if url := hyperlink(entry.link):
        page.add("\n")
        page.add(url, "link", goal=url)
    page.add("\n")
    return page.sheet()


def body(text: str, matches: Sequence[Span] = ()) -> Sheet:
    """A piece of a clean body, with what matches in it and the addresses that it holds."""
    found = list(addresses(text))
    return Sheet(
        text,
        [Part(each.start, each.end, "link") for each in found],
        matches,
        [Target(each.start, each.end, each.url) for each in found],
    )


def empty_body() -> Sheet:
    """What stands in the place of a body where there is none."""
    page = Composer()
    page.add("(this entry has no text)", "aside")
    return page.sheet()


def links(entry: Entry, addresses: Collection[str]) -> Sheet | None:
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
    if addresses:
        page.add("\n\n" if files else "\n")
        page.add("Links", "heading")
    for url in islice(addresses, MOST_LINKS):
        number += 1
        _numbered(page, number, url, "link", url)
    if len(addresses) > MOST_LINKS:
        page.add(f"\nand {count(len(addresses) - MOST_LINKS, 'more link')} in the text", "aside")
    return page.sheet() if number else None


def related(hits: Iterable[Hit], numbered: int, screen: Screen) -> Sheet | None:
    """Entries like the one that is read, numbered from after ``numbered`` on; None without any."""
    page = Composer()
    page.add("\n")
    page.add("More like this", "heading")
    number = numbered
    for number, hit in enumerate(hits, numbered + 1):
        entry = hit.entry
        _numbered(page, number, title_of(entry) or "(no title)", "related", entry)
        told = [_fact(entry.feed_name)]
        told += [date(entry.date, screen.zone)] if entry.date else []
        page.add(f"  {', '.join(told)}", "aside")
    return page.sheet() if number > numbered else None


def history(versions: Sequence[Version], screen: Screen) -> Iterator[Sheet]:
    """How an entry came to say what it says: what each version changed, the newest first."""
    for number in range(len(versions), 1, -1):
        page = _version(number, versions, screen)
        old, new = versions[number - 2], versions[number - 1]
        for name, pieces in edits(old.entry, new.entry, screen):
            page.add("\n\n" if name else "\n")
            page.add(f"{name}: " if name else "", "aside")
            taken_out = ""
            for kind, text in pieces:
                # What was taken out at the end of a text has no space behind it.
                page.add(" " if kind == "+" and taken_out and not taken_out[-1].isspace() else "")
                words = text.rstrip()
                page.add(words, _ROLES[kind])
                page.add(text[len(words) :])
                taken_out = text if kind == "-" else ""
        page.add("\n")
        yield page.sheet()
    yield _version(1, versions, screen).sheet()


def _version(number: int, versions: Sequence[Version], screen: Screen) -> Composer:
    page = Composer()
    page.add(f"Version {number} of {len(versions)}", "heading")
    seen = date_and_time(versions[number - 1].seen, screen.zone)
    page.add(f", first seen {seen}", "aside")
    return page


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
