"""Markdown, for notes, issues and mails: CommonMark that says what the text said, and no more.

Text from feeds is escaped: it makes no heading, link, picture or HTML of its own. What stays is
the layout that html2text gave a body: its lists and its quotations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from searchfeed.models import Entry, Results, Snippet
from searchfeed.output import Screen
from searchfeed.output.clean import clean, hyperlink, line
from searchfeed.output.human import date, size
from searchfeed.output.links import addresses

# An underscore between letters is one in every dialect. A sign of numbers ($, #) is none before
# a letter or digit, but two can enclose a formula.
_SPECIAL = re.compile(r"[\\`*\[\]<|~$]|(?<![^\W_])_|_(?![^\W_])|(?<!\S)#|&(?=#?\w{1,32};)|==")
_STARTS_BLOCK = re.compile(r"(?:[-+=>:]|[0-9]{1,9}(?=[.)]))")
_LAYOUT = re.compile(r"( *)((?:[*+-]|[0-9]{1,3}\.) +|(?:> ?){1,8})(?=\S)")
_CLOSING = str.maketrans({each: f"%{ord(each):02X}" for each in "()<>\\"})
_REFERENCE = re.compile(r"&(?=#?\w{1,32};)")


def entry(entry: Entry, screen: Screen) -> Iterator[str]:
    """A heading, what is known of the entry, its text and its files."""
    return _entry(entry, screen, "#")


def entries(entries: tuple[Entry, ...], screen: Screen) -> Iterator[str]:
    """One entry after the other, as chapters."""
    for number, each in enumerate(entries):
        yield "\n" if number else ""
        yield from _entry(each, screen, "##")


def results(results: Results, screen: Screen) -> Iterator[str]:
    """A numbered list: title, feed and date, and the best passage with its matches in bold."""
    for number, hit in enumerate(results, results.query.offset + 1):
        mark = f"{number}. "
        title = hit.snippet("title")
        name = _marked(title) if title else ""
        told = [escape(hit.entry.feed_name)]
        told += [date(hit.entry.date, screen.zone)] if hit.entry.date else []
        yield f"{mark}{_link(name or '(no title)', hit.entry.link)}: {', '.join(told)}\n"
        body = hit.snippet("body")
        passage = _marked(body) if body else ""
        if body and passage:
            before, after = "…" if body.before else "", "…" if body.after else ""
            yield f"\n{' ' * len(mark)}{before}{_start_escaped(passage)}{after}\n"
        yield "\n"


def escape(text: str) -> str:
    r"""The text on one line, as Markdown that shows it as it is; addresses become links.

    >>> escape("**C#** <b>, see https://x.example/a_b.")
    '\\*\\*C#\\*\\* \\<b>, see <https://x.example/a_b>.'
    """
    return _inline(line(text).strip())


def _inline(text: str) -> str:
    pieces: list[str] = []
    position = 0
    for start, end, url in addresses(text):
        pieces += [_SPECIAL.sub(_backslash, text[position:start]), f"<{url}>"]
        position = end
    pieces.append(_SPECIAL.sub(_backslash, text[position:]))
    return "".join(pieces)


def _backslash(match: re.Match[str]) -> str:
    return "".join(f"\\{each}" for each in match[0])


def _start_escaped(text: str) -> str:
    """What is escaped already, made safe to begin a line with."""
    match = _STARTS_BLOCK.match(text)
    if not match:
        return text
    digits = match[0] if match[0].isdigit() else ""
    return f"{digits}\\{text[len(digits) :]}"


def _marked(snippet: Snippet) -> str:
    pieces = ((line(text), matched) for text, matched in snippet.parts())
    return "".join(
        f"**{_inline(text)}**" if matched and text == text.strip() else _inline(text)
        for text, matched in pieces
    ).strip()


def _link(text: str, link: str) -> str:
    url = hyperlink(link).translate(_CLOSING)
    return f"[{text}]({_REFERENCE.sub('&amp;', url)})" if url else text


def _entry(entry: Entry, screen: Screen, heading: str) -> Iterator[str]:
    title = _SPECIAL.sub(_backslash, line(entry.title).strip()) or "(no title)"
    yield f"{heading} {_link(title, entry.link) if entry.link else _start_escaped(title)}\n\n"
    told = [escape(entry.feed_name)]
    told += [f"by {escape(', '.join(entry.authors))}"] if entry.authors else []
    told += [date(entry.date, screen.zone)] if entry.date else []
    told += [f"tags: {escape(', '.join(entry.tags))}"] if entry.tags else []
    yield f"{_start_escaped(' · '.join(told))}\n"
    yield from _body(clean(entry.body).strip("\n").rstrip())
    files = [(url, file) for file in entry.enclosures if (url := hyperlink(file.url))]
    yield "\n" if files else ""
    for url, file in files:
        known = [escape(file.type), size(file.length) if file.length else ""]
        details = ", ".join(each for each in known if each)
        address = url.replace("<", "%3C").replace(">", "%3E")
        yield f"* <{address}>{f' ({details})' if details else ''}\n"


def _body(text: str) -> Iterator[str]:
    """The lines of a body; those of a paragraph stay lines."""
    if not text:
        return
    yield "\n"
    # How far the entries of a list that is going on may be indented; deeper ones would be code.
    room = 0
    rows = text.split("\n")
    for number, row in enumerate(rows):
        if not row.strip():
            yield "\n"
            continue
        if match := _LAYOUT.match(row):
            indent = min(len(match[1]), room)
            # More spaces than one behind a mark could begin a piece of code.
            mark = f"{' '.join(match[2].split())} "
            room = 0 if mark.startswith(">") else indent + len(mark)
            start = " " * indent + mark
            shown = start + _start_escaped(_inline(row[match.end() :].strip()))
        else:
            shown = _start_escaped(_inline(row.strip()))
            room = room if row.startswith(" ") else 0
        following = rows[number + 1] if number + 1 < len(rows) else ""
        goes_on = following.strip() and not _LAYOUT.match(following)
        yield f"{shown}{'  ' if goes_on else ''}\n"
