"""The test feeds of four other parsers: none breaks ours, and where one says what must be read,
ours agrees or the difference is listed here with its reason.

feedparser's files state their expectation in a comment, as a Python expression. It is parsed and
compared here, never evaluated.
"""

from __future__ import annotations

import ast
import re
from calendar import timegm
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from searchfeed.errors import ParseError
from searchfeed.feeds import parse
from searchfeed.feeds.draft import Draft
from searchfeed.feeds.identity import with_ids
from searchfeed.models import Entry, Feed

TORTURE = Path(__file__).parents[2] / "shared" / "feeds" / "torture"
pytestmark = pytest.mark.skipif(not TORTURE.is_dir(), reason="the torture feeds are not here")

STATING = (
    "feedparser-encoding",
    "feedparser-illformed",
    "feedparser-json",
    "feedparser-wellformed",
)
WITH_ENTRIES = {
    "feed-rs": 65,
    "feedjira": 36,
    "feedparser-encoding": 14,
    "feedparser-illformed": 13,
    "feedparser-json": 1,
    "feedparser-wellformed": 1164,
    "node-feedparser": 26,
}

MARKUP = "a title is plain text here: tags are dropped and references resolved"
ADDRESS = "an e-mail address is kept only where there is no name"
GUID = "a guid is kept as it is written: resolved, it would change with the feed's address"
CASE = "languages are in lower case"
DC_DATE = "dc:date, the only date of RSS 1.0, is when an entry was published"

# By reason, directory and what is stated: the names of the files, without their ending.
DIFFERENCES: dict[str, dict[tuple[str, str], str]] = {
    MARKUP: {
        ("wellformed/amp", "entries.0.title_detail.value"): (
            "amp01 amp02 amp04 amp05 amp06 amp08 amp09 amp10 amp12 amp13 amp14 amp15 amp16 amp17 "
            "amp18 amp19 amp20 amp21 amp22 amp23 amp24 amp25 amp26 amp27 amp28 amp29 amp30 amp31 "
            "amp32 amp33 amp34 amp35 amp36 amp37 amp38 amp39 amp40 amp41 amp42 amp43 amp44 amp45 "
            "amp46 amp47 amp48 amp49 amp50 amp52 amp53 amp54 amp55 amp56 amp57 amp58 amp59 amp60 "
            "amp61 amp62 amp63 amp64 attr01 attr02 attr03 attr04 attr05 attr06"
        ),
        ("wellformed/atom", "entries.0.title"): (
            "entry_title_escaped_markup entry_title_inline_markup entry_title_inline_markup_2 "
            "entry_title_naked_markup"
        ),
        ("wellformed/atom", "feed.title"): (
            "feed_title_escaped_markup feed_title_inline_markup feed_title_inline_markup_2 "
            "feed_title_naked_markup"
        ),
        ("wellformed/atom", "feed.title_detail.value"): (
            "relative_uri relative_uri_inherit relative_uri_inherit_2"
        ),
        ("wellformed/atom10", "feed.title_detail.value"): (
            "ampersand_in_attr missing_quote_in_attr quote_in_attr relative_uri "
            "relative_uri_inherit relative_uri_inherit_2 tag_in_attr"
        ),
        ("wellformed/atom10", "entries.0.title"): (
            "entry_title_base64 entry_title_base64_2 entry_title_escaped_markup "
            "entry_title_inline_markup entry_title_inline_markup_2"
        ),
        ("wellformed/atom10", "feed.title"): (
            "feed_title_base64 feed_title_base64_2 feed_title_escaped_markup "
            "feed_title_inline_markup feed_title_inline_markup_2"
        ),
        ("wellformed/atom10", "entries.0.title_detail.value"): "qna",
        ("wellformed/base", "entries.0.title"): (
            "http_entry_title_base64_base_content_location http_entry_title_base64_base_docuri "
            "http_entry_title_base_content_location http_entry_title_base_docuri "
            "http_entry_title_inline_base_content_location http_entry_title_inline_base_docuri"
        ),
        ("wellformed/base", "feed.title"): (
            "http_feed_title_base64_base_content_location http_feed_title_base64_base_docuri "
            "http_feed_title_base_content_location http_feed_title_base_docuri "
            "http_feed_title_inline_base_content_location http_feed_title_inline_base_docuri"
        ),
        ("wellformed/sanitize", "entries.0.title"): (
            "entry_title_onabort entry_title_onblur entry_title_onchange entry_title_onclick "
            "entry_title_ondblclick entry_title_onerror entry_title_onfocus entry_title_onkeydown "
            "entry_title_onkeypress entry_title_onkeyup entry_title_onload "
            "entry_title_onmousedown entry_title_onmouseout entry_title_onmouseover "
            "entry_title_onmouseup entry_title_onreset entry_title_onresize entry_title_onsubmit "
            "entry_title_onunload entry_title_script_inline entry_title_style"
        ),
        ("wellformed/sanitize", "feed.title"): (
            "feed_title_onabort feed_title_onblur feed_title_onchange feed_title_onclick "
            "feed_title_ondblclick feed_title_onerror feed_title_onfocus feed_title_onkeydown "
            "feed_title_onkeypress feed_title_onkeyup feed_title_onload feed_title_onmousedown "
            "feed_title_onmouseout feed_title_onmouseover feed_title_onmouseup feed_title_onreset "
            "feed_title_onresize feed_title_onsubmit feed_title_onunload feed_title_script_inline "
            "feed_title_style feed_title_unacceptable_uri xml_declaration_unexpected_character"
        ),
    },
    ADDRESS: {
        ("wellformed/atom", "entries.0.author_detail.email"): "entry_author_email",
        ("wellformed/atom", "entries.0.author"): "entry_author_map_author",
        ("wellformed/atom10", "entries.0.author_detail.email"): "entry_author_email",
        ("wellformed/atom10", "entries.0.author"): "entry_author_map_author",
        ("wellformed/rss", "entries.0.author_detail.email"): (
            "item_author_map_author_detail_email item_author_map_author_detail_email2 "
            "item_author_map_author_detail_email3 item_dc_author_map_author_detail_email "
            "item_dc_creator_map_author_detail_email"
        ),
    },
    GUID: {
        ("wellformed/base", "entries.0.id"): (
            "http_entry_id_base_content_location http_entry_id_base_docuri"
        ),
    },
    CASE: {
        ("wellformed/lang", "feed.language"): "feed_xml_lang_underscore",
    },
    DC_DATE: {
        ("wellformed/rss", "entries.0.updated"): "item_dc_date",
        ("wellformed/rss", "entries.0.updated_parsed"): "item_dc_date_parsed",
    },
}

_CODECS = (
    "utf-8",
    "utf-16",
    "utf-32",
    "utf-16-le",
    "utf-16-be",
    "utf-32-le",
    "utf-32-be",
    "latin-1",
)
_EXPECT = re.compile(r"Expect:\s*(.*?)\s*-->", re.DOTALL)
_HEADER = re.compile(r"Header:\s*([\w-]+):[ \t]*(.*)")
_NOT_OURS = object()
MISSING = Entry(id="", feed_url="", feed_title="missing", title="missing", body="missing")


@dataclass(frozen=True)
class Claim:
    """That what ``path`` leads to (``("entries", 0, "title")``) is ``expected``."""

    path: tuple[str | int, ...]
    expected: Any


def _files(directory: str) -> list[Path]:
    return sorted(path for path in (TORTURE / directory).rglob("*") if path.is_file())


def _name(path: Path) -> str:
    return path.relative_to(TORTURE).as_posix()


def _comment(path: Path) -> str:
    """The document, decoded in the first way in which it states something."""
    data = path.read_bytes()
    for codec in _CODECS:
        text = data.decode(codec, "replace")
        if _EXPECT.search(text):
            return text
    return ""


@cache
def _read(path: Path) -> Feed | None:
    headers = {name.lower(): value.strip() for name, value in _HEADER.findall(_comment(path))}
    # The address that feedparser's test server gives the file.
    served = f"http://127.0.0.1:8097/{_name(path)}"
    url = urljoin(served, headers.get("content-location", ""))
    if not url.startswith("http"):
        url = served
    try:
        return parse(path.read_bytes(), url=url, headers=headers)
    except ParseError:
        return None


def _path(node: ast.expr) -> tuple[str | int, ...] | None:
    """``entries[0]['title']`` or ``entries[0].title`` as a tuple."""
    match node:
        case ast.Name(id=name):
            return (name,)
        case ast.Attribute(value=value, attr=attribute):
            before, last = _path(value), attribute
        case ast.Subscript(value=value, slice=ast.Constant(value=str() | int())) as subscript:
            before, last = _path(value), ast.literal_eval(subscript.slice)
        case ast.Call(func=ast.Name(id="len"), args=[argument]):
            before, last = _path(argument), "len"
        case _:
            return None
    return None if before is None else (*before, last)


def _claims(path: Path) -> Iterator[Claim]:
    found = _EXPECT.search(_comment(path))
    if not found:
        return
    try:
        tree = ast.parse(found[1], mode="eval").body
    except SyntaxError:
        return
    every = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]
    for part in every:
        match part:
            case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
                where = _path(left)
                try:
                    expected = ast.literal_eval(right)
                except ValueError:
                    continue
                if where is not None:
                    yield Claim(where, expected)


def _of_entry(entry: Entry, feed: Feed, key: tuple[str | int, ...], expected: Any) -> Any:
    match key:
        case ("title",) | ("title_detail", "value"):
            return entry.title
        case ("link",):
            return entry.link
        case ("language",):
            return entry.language
        case ("id",) | ("guid",):
            (wanted,) = with_ids(feed.url, [Draft(expected, entry)])
            return expected if wanted.id == entry.id else entry.id
        case ("author",) | ("author_detail", "name" | "email") | ("authors", 0, "name" | "email"):
            return entry.authors[0] if entry.authors else ""
        case ("authors", int(index), "name" | "email"):
            return entry.authors[index] if index < len(entry.authors) else ""
        case ("tags", int(index), "term"):
            return entry.tags[index] if index < len(entry.tags) else ""
        case ("tags", "len"):
            return len(entry.tags)
        case ("category",):
            return entry.tags[0] if entry.tags else ""
        case ("published" | "published_parsed" | "created" | "created_parsed",):
            return entry.published
        case ("updated" | "updated_parsed",):
            return entry.updated
    return _NOT_OURS


def _ours(feed: Feed, claim: Claim) -> Any:
    match claim.path:
        case ("feed", "title") | ("feed", "title_detail", "value"):
            return feed.title
        case ("feed", "link"):
            return feed.link
        case ("feed", "language"):
            return feed.language
        case ("entries", "len"):
            return len(feed.entries)
        case ("entries", int(index), *key):
            entry = feed.entries[index] if index < len(feed.entries) else MISSING
            return _of_entry(entry, feed, tuple(key), claim.expected)
    return _NOT_OURS


def _as_date(expected: Any) -> Any:
    if isinstance(expected, tuple):
        return datetime.fromtimestamp(timegm(expected), UTC)
    if expected[:4].isdigit():
        return datetime.fromisoformat(expected)
    return parsedate_to_datetime(expected)


def _compare(path: Path) -> tuple[int, list[str]]:
    """How many of its claims were compared, and those that ours does not agree with."""
    compared, differing = 0, []
    feed = _read(path)
    for claim in _claims(path):
        ours = _NOT_OURS if feed is None else _ours(feed, claim)
        if ours is _NOT_OURS:
            continue
        compared += 1
        expected = claim.expected
        if str(claim.path[-1]).removesuffix("_parsed") in ("published", "updated", "created"):
            expected = _as_date(expected)
        if ours != expected:
            differing.append(f"{_name(path)}: {'.'.join(map(str, claim.path))}")
    return compared, differing


def _listed(reason: str) -> set[str]:
    return {
        f"feedparser-{directory}/{stem}.xml: {stated}"
        for (directory, stated), stems in DIFFERENCES[reason].items()
        for stem in stems.split()
    }


class _Words(HTMLParser):
    """The text of HTML and of its ``alt`` attributes, by Python's own parser."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.text += dict(attrs).get("alt") or ""

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("directory", WITH_ENTRIES)
def test_nothing_but_parse_error(directory: str) -> None:
    feeds = [_read(path) for path in _files(directory)]
    assert sum(bool(feed and feed.entries) for feed in feeds) >= WITH_ENTRIES[directory]


@pytest.mark.parametrize("directory", STATING)
def test_agrees_or_says_why_not(directory: str) -> None:
    listed = {name for reason in DIFFERENCES for name in _listed(reason)}
    differing = {claim for path in _files(directory) for claim in _compare(path)[1]}
    here = {claim for claim in listed if claim.startswith(f"{directory}/")}
    assert sorted(differing - here) == [], "differs from what the file states"
    assert sorted(here - differing) == [], "listed as a difference, and agrees"


def test_titles_that_differ_are_the_text_of_what_is_stated() -> None:
    for name in sorted(_listed(MARKUP)):
        file, stated = name.split(": ")
        (claim,) = [
            claim for claim in _claims(TORTURE / file) if ".".join(map(str, claim.path)) == stated
        ]
        feed = _read(TORTURE / file)
        assert feed is not None
        assert _ours(feed, claim) == _Words(claim.expected).text, name


def test_enough_is_compared() -> None:
    compared = sum(_compare(path)[0] for directory in STATING for path in _files(directory))
    assert compared >= 358
