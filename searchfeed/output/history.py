"""How an entry was edited: its versions, each as what it changed of the one before.

Texts are cleaned before they are compared, so that what is cut into words holds nothing that a
terminal obeys.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher, unified_diff
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from searchfeed.output import Screen
from searchfeed.output.clean import clean, line
from searchfeed.output.human import date_and_time, timestamp

if TYPE_CHECKING:
    from searchfeed.archive import Version
    from searchfeed.models import Entry

_WORK = 100_000
"""Pairs of equal words (or lines) that are looked at; beyond, a text is replaced as a whole. It
bounds the time that a hostile text takes (the same word thousands of times)."""

_LONGEST_SAME = 40
_SAME_SHOWN = 12
"""Of more unchanged words in a row than the first, so many are shown at each end."""

# Ideographs and kana have no spaces between them; a word brings what space follows it.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]\s*|[^\W\u3040-\u30ff\u3400-\u9fff]+\s*|\W\s*|\s+")


class Piece(NamedTuple):
    """A piece of a compared text: ``kind`` is `` ``, ``-`` or ``+``."""

    kind: str
    text: str


def text(versions: tuple[Version, ...], screen: Screen) -> Iterator[str]:
    """The versions for people: words taken out in red, words put in in green.

    Without colours they stand in ``[-`` ``-]`` and ``{+`` ``+}``.
    """
    from rich.style import Style
    from rich.text import Text

    from searchfeed.output import ink
    from searchfeed.output.wrapping import behind, wrap

    paper = ink.Paper.of(screen)
    width = min(paper.width, ink.READABLE)
    styles = {
        "-": Style(color="red", strike=True),
        "+": Style(color="green"),
        " ": ink.PLAIN,
        "…": ink.FAINT,
    }
    newest = versions[-1].entry
    title = ink.text(newest.title or "(no title)", ink.linked(ink.TITLE, newest.link))
    yield ink.render(wrap(title, width), paper)
    yield ink.render([ink.text(newest.feed_name, ink.FEED)], paper)
    for number, version in enumerate(versions, start=1):
        seen = date_and_time(version.seen, screen.zone)
        head = f"version {number} of {len(versions)}, first seen {seen}"
        yield ink.render([Text(), Text(head, ink.FAINT)], paper)
        if number == 1:
            continue
        for name, pieces in edits(versions[number - 2].entry, version.entry, screen):
            label = Text(f"  {name:<11}", ink.FAINT)
            shown = Text()
            for kind, value in pieces:
                words = value.rstrip()
                shown.append(_marked(kind, words, screen), styles[kind])
                shown.append(value[len(words) :])
            yield ink.render(behind(label, wrap(shown, max(width - 13, 10))), paper)


def plain(versions: tuple[Version, ...], _screen: Screen) -> Iterator[str]:
    """A unified diff from each version to the next, of what ``show --format plain`` writes."""
    from searchfeed.output.plain import entry

    for number, (old, new) in enumerate(pairwise(versions), start=1):
        before, after = (
            "".join(entry(each.entry, _screen)).splitlines(keepends=True) for each in (old, new)
        )
        yield f"--- {old.entry.id} version {number}, {timestamp(old.seen)}\n"
        yield f"+++ {new.entry.id} version {number + 1}, {timestamp(new.seen)}\n"
        if _work(before, after) > _WORK:
            yield from (f"-{row}" for row in before)
            yield from (f"+{row}" for row in after)
            continue
        rows = unified_diff(before, after)
        yield from list(rows)[2:]


def edits(old: Entry, new: Entry, screen: Screen) -> Iterator[tuple[str, list[Piece]]]:
    """The name of each part that differs, with its comparison; the body's comes in stretches."""
    for (name, before), (_, after) in zip(_facts(old, screen), _facts(new, screen), strict=True):
        if before != after:
            yield name, compare(before, after)
    name = "text"
    for stretch in _stretches(clean(old.body).split("\n"), clean(new.body).split("\n")):
        yield name, stretch
        name = ""


def _facts(entry: Entry, screen: Screen) -> Iterator[tuple[str, str]]:
    yield "title", line(entry.title).strip()
    yield "link", line(entry.link).strip()
    yield "by", line(", ".join(entry.authors)).strip()
    yield "tags", line(", ".join(entry.tags)).strip()
    yield "published", date_and_time(entry.published, screen.zone) if entry.published else ""
    yield "updated", date_and_time(entry.updated, screen.zone) if entry.updated else ""
    yield "language", line(entry.language).strip()
    files = (f"{file.url} {file.type} {file.length or ''}".rstrip() for file in entry.enclosures)
    yield "enclosures", line(", ".join(files)).strip()


def _stretches(old: Sequence[str], new: Sequence[str]) -> Iterator[list[Piece]]:
    """What differs between two texts, paragraph by paragraph; the rest is left out."""
    for kind, old_start, old_end, new_start, new_end in _opcodes(old, new):
        if kind != "equal":
            before = " ".join(filter(None, old[old_start:old_end]))
            after = " ".join(filter(None, new[new_start:new_end]))
            if before or after:
                yield compare(before, after)


def compare(old: str, new: str) -> list[Piece]:
    """Two texts on one line each, as what stays, goes and comes; long stretches that stay are cut.

    >>> [each.kind + each.text for each in compare("the ferry was late", "the ferry is late")]
    [' the ferry ', '-was ', '+is ', ' late']
    """
    pieces: list[Piece] = []
    before, after = _WORD.findall(old), _WORD.findall(new)
    # What space is behind a word makes it no other.
    keys = ([word.rstrip() for word in words] for words in (before, after))
    for kind, old_start, old_end, new_start, new_end in _opcodes(*keys):
        if kind == "equal":
            pieces += _same(after[new_start:new_end])
            continue
        if old_end > old_start:
            pieces.append(Piece("-", "".join(before[old_start:old_end])))
        if new_end > new_start:
            pieces.append(Piece("+", "".join(after[new_start:new_end])))
    return pieces


def _same(words: list[str]) -> Iterator[Piece]:
    if len(words) <= _LONGEST_SAME:
        yield Piece(" ", "".join(words))
        return
    yield Piece(" ", "".join(words[:_SAME_SHOWN]))
    yield Piece("…", "… ")
    yield Piece(" ", "".join(words[-_SAME_SHOWN:]))


def _opcodes(old: Sequence[str], new: Sequence[str]) -> Iterable[tuple[str, int, int, int, int]]:
    """As of ``SequenceMatcher.get_opcodes``; all is replaced where finding them would take long."""
    start = 0
    most = min(len(old), len(new))
    while start < most and old[start] == new[start]:
        start += 1
    end = 0
    while end < most - start and old[-1 - end] == new[-1 - end]:
        end += 1
    old_end, new_end = len(old) - end, len(new) - end
    if start:
        yield "equal", 0, start, 0, start
    left, right = old[start:old_end], new[start:new_end]
    if _work(left, right) > _WORK:
        yield "replace", start, old_end, start, new_end
    else:
        matcher = SequenceMatcher(None, left, right, autojunk=False)
        for kind, *places in matcher.get_opcodes():
            first, last, new_first, new_last = (start + place for place in places)
            yield kind, first, last, new_first, new_last
    if end:
        yield "equal", old_end, len(old), new_end, len(new)


def _work(old: Sequence[str], new: Sequence[str]) -> int:
    """How many pairs of equal elements there are."""
    counts = Counter(new)
    return sum(counts[each] for each in old)


def _marked(kind: str, value: str, screen: Screen) -> str:
    if screen.escapes or kind not in "-+":
        return value
    return f"[-{value}-]" if kind == "-" else f"{{+{value}+}}"
