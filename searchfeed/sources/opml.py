"""Lists of feeds in OPML, the format in which feed readers give them to each other.

Versions 1 and 2 are read (http://opml.org/spec2.opml), and whatever is meant to be either.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from typing import Final

from searchfeed.errors import ParseError
from searchfeed.sources.markup import Tag, address, decoded, line, resolved, tags
from searchfeed.values import dataclass

SIZE_LIMIT: Final = 12_000_000
"""Bytes of a list; one of 50,000 feeds has 10 million."""

OUTLINE_LIMIT: Final = 50_000
DEPTH_LIMIT: Final = 100
TAGS_LIMIT: Final = 64

_LOOK: Final = 4096
_ROOT = re.compile(
    r"[^<{]{0,100}+(?:(?:<\?[^>]{0,400}+>|<!--(?:[^-]++|-(?!->)){0,400}+-->"
    r"|<!DOCTYPE[^>\[]{0,400}+(?:\[[^\]]{0,2000}+\]\s{0,9}+)?+>)\s*+){0,9}+<opml[\s>]",
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
    elements: list[_Element] = []
    starts = 0
    for tag in tags(text):
        if tag.name == "outline":
            elements.append(_element(tag))
            starts += not tag.is_end
            if starts > OUTLINE_LIMIT or len(elements) > 2 * OUTLINE_LIMIT:
                raise _refusal(source, f"it has more than {OUTLINE_LIMIT:,} outlines")
    return merged(_feeds(elements, source))


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


@dataclass(frozen=True, slots=True)
class _Element:
    """The start or the end of an outline. ``tags`` are its categories, ``name`` may be a folder's.

    A feed that cannot be fetched has no ``url``; it is no folder all the same.
    """

    is_end: bool = False
    is_empty: bool = False
    is_feed: bool = False
    url: str = ""
    name: str = ""
    tags: tuple[str, ...] = ()


def _element(tag: Tag) -> _Element:
    if tag.is_end:
        return _END
    attributes = tag.attributes()
    written = _url(tag, attributes)
    return _Element(
        is_empty=tag.is_empty,
        is_feed=bool(written),
        url=address(written) if written else "",
        name=_name(attributes),
        tags=tuple(_categories(attributes["category"])) if "category" in attributes else (),
    )


_END = _Element(is_end=True)


def _feeds(elements: list[_Element], source: str) -> Iterator[Outline]:
    """The feeds among the outlines, each with the names of the folders around it."""
    never_closed = _feeds_are_never_closed(elements)
    open_folders: list[str] = []
    for element in elements:
        if element.is_end:
            if open_folders:
                open_folders.pop()
            continue
        if element.url:
            # Who knows no title writes the URL, because every outline must have a text.
            name = "" if element.name == element.url else element.name
            yield Outline(element.url, name, _distinct([*open_folders, *element.tags]))
        if element.is_empty or (element.is_feed and never_closed):
            continue
        # A feed is no folder, even one with outlines in it.
        open_folders.append("" if element.is_feed else element.name)
        if len(open_folders) > DEPTH_LIMIT:
            raise _refusal(source, f"its outlines are nested more than {DEPTH_LIMIT} deep")


def _feeds_are_never_closed(elements: list[_Element]) -> bool:
    """Whether feeds have start tags and no end tags, as in HTML; end tags are then of folders.

    A list that is only cut off lacks the end tags of the few outlines around its end.
    """
    starts = sum(not (each.is_end or each.is_empty) for each in elements)
    feeds = sum(each.is_feed and not each.is_empty for each in elements)
    return feeds > 0 and starts - sum(each.is_end for each in elements) >= feeds


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
    name = _named(outline.title or outline.url)
    return f'<outline type="rss" {name} xmlUrl="{url}"{category}/>'


def _named(name: str) -> str:
    return f'text="{_escaped(name)}" title="{_escaped(name)}"'


def _escaped(text: str) -> str:
    """``text`` as a value.

    What looks like a reference is escaped twice, as ``read`` resolves references twice.
    """
    text = line(text)
    return html.escape(html.escape(text) if resolved(text) != text else text)
