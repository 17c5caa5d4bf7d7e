"""Lists of feeds in OPML, the format in which feed readers give them to each other.

Versions 1 and 2 are read (http://opml.org/spec2.opml), and whatever is meant to be either.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from searchfeed.errors import ParseError
from searchfeed.sources.markup import Tag, address, decoded, line, resolved, tags

SIZE_LIMIT: Final = 25_000_000
"""Bytes of a list; one of 100,000 feeds has 20 million."""

OUTLINE_LIMIT: Final = 100_000
DEPTH_LIMIT: Final = 100
TAGS_LIMIT: Final = 64

_LOOK: Final = 4096
_ROOT = re.compile(
    r"[^<]{0,100}+(?:<\?[^>]{0,400}+>\s*+|<!--(?:[^-]++|-(?!->)){0,400}+-->\s*+|<!DOCTYPE[^>]{0,400}+>\s*+){0,9}+"
    r"<opml[\s>]",
    re.I,
)
_DEFINITION = re.compile(r"<!(?:ENTITY|ELEMENT|ATTLIST)", re.I)
_LOST_URL = re.compile(r"xmlurl\s*=\s*[\"']?([^\s\"'<>]+)", re.I)
_FEED_TYPES: Final = frozenset(("rss", "atom", "rdf", "feed", "json", "pie"))

# OPML has no way to write a comma or a slash in a category.
_CATEGORY_WRITTEN: Final = str.maketrans({"%": "%25", ",": "%2C", "/": "%2F"})
_CATEGORY_READ = re.compile("%(25|2C|2F)")
_CATEGORY_CHARACTERS: Final = {"25": "%", "2C": ",", "2F": "/"}


@dataclass(frozen=True, slots=True)
class Outline:
    """A feed that a list names.

    Attributes:
        url: http(s); it may hold a user and a password, so never show it.
        title: what the list calls the feed, on one line; may be empty.
        tags: no two of them differ in case alone.
    """

    url: str
    title: str = ""
    tags: tuple[str, ...] = ()


def is_opml(data: bytes) -> bool:
    """Whether a document, or the start of one, is a list of feeds."""
    return _ROOT.match(decoded(data[:_LOOK])) is not None


def read(data: bytes, source: str) -> tuple[Outline, ...]:
    """The feeds of a list in order, each once, whatever is wrong with its XML.

    Each folder that a feed lies in is a tag, from the outermost; so is each level of each of its
    categories. A feed that lies in several folders has the tags of all.

    Args:
        data: the document.
        source: what the list is called in an error.

    Raises:
        ParseError: it is no OPML, or none that is read: it defines entities, or is too large.
    """
    if len(data) > SIZE_LIMIT:
        raise _refusal(source, f"it has more than {SIZE_LIMIT // 1_000_000} MB")
    text = decoded(data)
    if not _ROOT.match(text):
        raise ParseError(source, "not a list of feeds (OPML)")
    if _DEFINITION.search(text):
        raise _refusal(source, "it defines entities, which no list of feeds needs")
    outlines: list[Tag] = []
    starts = 0
    for tag in tags(text):
        if tag.name == "outline":
            outlines.append(tag)
            starts += not tag.is_end
            if starts > OUTLINE_LIMIT or len(outlines) > 2 * OUTLINE_LIMIT:
                raise _refusal(source, f"it has more than {OUTLINE_LIMIT:,} outlines")
    return merged(_feeds(outlines, source))


def merged(outlines: Iterable[Outline]) -> tuple[Outline, ...]:
    """Each feed once, where it came first, with the first title and all of its tags."""
    found: dict[str, Outline] = {}
    for outline in outlines:
        known = found.get(outline.url, outline)
        found[outline.url] = Outline(
            outline.url, known.title or outline.title, _distinct(known.tags + outline.tags)
        )
    return tuple(found.values())


def write(outlines: Iterable[Outline], title: str) -> bytes:
    """A list of feeds, OPML 2.0 in UTF-8, which ``read`` reads as the same outlines.

    Feeds are grouped by their first tag, which is their folder, because folders are all that
    most readers know; those with more tags have them all as categories.

    Args:
        outlines: no two with the same URL.
        title: of the list.
    """
    folders: dict[str, list[Outline]] = {}
    for outline in outlines:
        folders.setdefault(outline.tags[0] if outline.tags else "", []).append(outline)
    rows = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<opml version="2.0">',
        "  <head>",
        f"    <title>{html.escape(line(title), quote=False)}</title>",
        "  </head>",
        "  <body>",
    ]
    for folder, inside in folders.items():
        if not folder:
            rows += [f"    {_row(outline)}" for outline in inside]
            continue
        rows.append(f"    <outline {_named(folder)}>")
        rows += [f"      {_row(outline)}" for outline in inside]
        rows.append("    </outline>")
    rows += ["  </body>", "</opml>", ""]
    return "\n".join(rows).encode()


def _refusal(source: str, reason: str) -> ParseError:
    return ParseError(source, f"not read, because {reason}")


def _feeds(outlines: list[Tag], source: str) -> Iterator[Outline]:
    """The feeds among the outlines, each with the names of the folders around it."""
    never_closed = _feeds_are_never_closed(outlines)
    open_folders: list[str] = []
    for tag in outlines:
        if tag.is_end:
            if open_folders:
                open_folders.pop()
            continue
        attributes = tag.attributes()
        url = _url(tag, attributes)
        name = _name(attributes)
        if address(url):
            categories = _categories(attributes.get("category", ""))
            yield Outline(address(url), name, _distinct([*open_folders, *categories]))
        if tag.is_empty or (url and never_closed):
            continue
        # A feed is no folder, even one with outlines in it.
        open_folders.append("" if url else name)
        if len(open_folders) > DEPTH_LIMIT:
            raise _refusal(source, f"its outlines are nested more than {DEPTH_LIMIT} deep")


def _feeds_are_never_closed(outlines: list[Tag]) -> bool:
    """Whether feeds have start tags and no end tags, as in HTML; end tags are then of folders.

    A list that is only cut off lacks the end tags of the few outlines around its end.
    """
    starts = [tag for tag in outlines if not (tag.is_end or tag.is_empty)]
    feeds = sum(bool(_url(tag, tag.attributes())) for tag in starts)
    ends = sum(tag.is_end for tag in outlines)
    return feeds > 0 and len(starts) - ends >= feeds


def _url(tag: Tag, attributes: dict[str, str]) -> str:
    """Where the feed of an outline is, as it is written; empty for one that is no feed."""
    if url := attributes.get("xmlurl", ""):
        return url
    if attributes.get("type", "").lower() in _FEED_TYPES and (url := attributes.get("url", "")):
        return url
    # A quote that is missing before it makes it a part of another value.
    lost = _LOST_URL.search(tag.source) if tag.source.count('"') % 2 else None
    return resolved(lost[1]) if lost else ""


def _name(attributes: dict[str, str]) -> str:
    # The text is what its owner calls it. Names are escaped once too often by many.
    for key in ("text", "title"):
        if name := line(resolved(attributes.get(key, ""))):
            return name
    return ""


def _categories(text: str) -> Iterator[str]:
    for name in re.split("[,/]", resolved(text)):
        yield line(_CATEGORY_READ.sub(lambda match: _CATEGORY_CHARACTERS[match[1]], name))


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    kept: dict[str, str] = {}
    for name in names:
        if name and len(kept) < TAGS_LIMIT:
            kept.setdefault(name.casefold(), name)
    return tuple(kept.values())


def _row(outline: Outline) -> str:
    categories = ",".join(tag.translate(_CATEGORY_WRITTEN) for tag in outline.tags)
    category = f' category="{_escaped(categories)}"' if len(outline.tags) > 1 else ""
    url = html.escape(outline.url)
    return f'<outline type="rss" {_named(outline.title)} xmlUrl="{url}"{category}/>'


def _named(name: str) -> str:
    return f'text="{_escaped(name)}" title="{_escaped(name)}"'


def _escaped(text: str) -> str:
    """``text`` as a value.

    What looks like a reference is escaped twice, as ``read`` resolves references twice.
    """
    text = line(text)
    return html.escape(html.escape(text) if resolved(text) != text else text)
