"""Results as Atom: valid whatever the entries hold, and the same entries when they are read."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from searchfeed import Enclosure, Entry, Hit, Index, Query, Results, Snippet
from searchfeed.feeds import parse
from searchfeed.output import RESULTS, Screen
from searchfeed.output.clean import UNSAFE

NOON = datetime(2020, 8, 12, 12, tzinfo=UTC)
ENTRY = Entry(
    id="5ad0f3c15ad0f3c1",
    feed_url="https://a.example/feed",
    feed_title="Harbour News",
    title="Ferry <late> & “lost”",
    body="It came late.\nVery late.\n\n* one\n* two\n  * half of it\n\n1. x < y && z",
    link="https://a.example/é?q=1&r=2",
    authors=("Ann & Ben", "Cy, D."),
    tags=("sea", 'x "y"'),
    published=NOON,
    updated=NOON + timedelta(days=1),
    language="pt-br",
    enclosures=(Enclosure("https://a.example/1.mp3", "audio/mpeg", 9000),),
)


def atom(*entries: Entry, query: str | Query = "@ai", screen: Screen | None = None) -> str:
    hits = tuple(Hit(each, 1.0, (Snippet("title", each.title),)) for each in entries)
    query = query if isinstance(query, Query) else Query(query)
    results = Results(query, hits, len(hits), 0.1)
    return "".join(RESULTS.render(results, "atom", screen or Screen(now=NOON)))


# RFC 4287

NAMESPACE = "{http://www.w3.org/2005/Atom}"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x20]+")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
MEDIA_TYPE = re.compile(r".+/.+")
ANY = 10**6
FEED = {"id": (1, 1), "title": (1, 1), "updated": (1, 1), "author": (1, ANY), "generator": (0, 1)}
PART = {
    "id": (1, 1),
    "title": (1, 1),
    "updated": (1, 1),
    "published": (0, 1),
    "author": (0, ANY),
    "link": (0, ANY),
    "category": (0, ANY),
    "source": (0, 1),
    "content": (1, 1),
}
SOURCE = {"id": (0, 1), "title": (0, 1), "updated": (0, 1), "link": (0, ANY)}


def children(element: ET.Element, allowed: dict[str, tuple[int, int]]) -> dict[str, ET.Element]:
    names = [child.tag.removeprefix(NAMESPACE) for child in element]
    counts = Counter(names)
    assert set(names) <= set(allowed), names
    for name, (least, most) in allowed.items():
        assert least <= counts[name] <= most, name
    return dict(zip(names, element, strict=True))


def check_leaves(element: ET.Element) -> None:
    """What the grammar says of the elements that only hold text or attributes."""
    for child in element.iter():
        name, text = child.tag.removeprefix(NAMESPACE), child.text or ""
        if name == "id":
            assert IRI.fullmatch(text), text
        elif name in ("updated", "published"):
            assert DATE.fullmatch(text)
            datetime.fromisoformat(text)
        elif name == "link":
            assert set(child.attrib) <= {"rel", "href", "type", "length"}
            assert child.attrib["href"].lower().startswith(("http://", "https://"))
            assert MEDIA_TYPE.fullmatch(child.get("type", "text/html"))
            assert child.get("length", "0").isdigit()
        elif name == "category":
            assert set(child.attrib) == {"term"}
        elif name == "author":
            assert [each.tag for each in child] == [f"{NAMESPACE}name"]
        elif name == "title":
            assert child.get("type", "text") == "text"
        elif name == "content":
            assert child.get("type") == "html"
            assert not list(child)


def validate(text: str) -> ET.Element:
    """The feed as a tree, if it keeps to RFC 4287."""
    assert text.startswith('<?xml version="1.0" encoding="utf-8"?>\n')
    root = ET.fromstring(text.encode())
    assert root.tag == f"{NAMESPACE}feed"
    entries = root.findall(f"{NAMESPACE}entry")
    head = ET.Element(root.tag)
    head.extend(child for child in root if child.tag != f"{NAMESPACE}entry")
    children(head, FEED)
    check_leaves(root)
    ids = []
    for entry in entries:
        parts = children(entry, PART)
        ids.append(parts["id"].text)
        children(parts["source"], SOURCE)
        links = entry.findall(f"{NAMESPACE}link[@rel='alternate']")
        assert len(links) <= 1
        assert re.fullmatch(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*", entry.get(LANGUAGE, "en"))
    assert len(ids) == len(set(ids))
    assert root.findtext(f"{NAMESPACE}id") not in ids
    return root


def well_read(text: str) -> Any:
    """What feedparser makes of it, without a complaint."""
    import feedparser

    found = feedparser.parse(BytesIO(text.encode()))
    assert not found.bozo, found.get("bozo_exception")
    assert found.version == "atom10"
    return found


# What is in it


def test_an_entry_with_everything() -> None:
    text = atom(ENTRY, query="ferry -lost")
    root = validate(text)
    found = well_read(text)
    assert found.feed.title == "searchfeed: ferry -lost"
    (entry,) = found.entries
    assert entry.id == "urn:searchfeed:entry:5ad0f3c15ad0f3c1"
    assert entry.title == ENTRY.title
    assert entry.link == ENTRY.link
    assert (entry.published, entry.updated) == ("2020-08-12T12:00:00Z", "2020-08-13T12:00:00Z")
    assert [author.name for author in entry.authors] == list(ENTRY.authors)
    assert [tag.term for tag in entry.tags] == list(ENTRY.tags)
    assert entry.source.title == "Harbour News"
    assert entry.source.id == ENTRY.feed_url
    assert [(file.href, file.type, file.length) for file in entry.enclosures] == [
        ("https://a.example/1.mp3", "audio/mpeg", "9000")
    ]
    assert root.findtext(f"{NAMESPACE}updated") == "2020-08-13T12:00:00Z"
    assert root.find(f"{NAMESPACE}entry").get(LANGUAGE) == "pt-br"  # type: ignore[union-attr]
    assert root.findtext(f"{NAMESPACE}entry/{NAMESPACE}content") == (
        "<p>It came late.<br/>Very late.</p>\n"
        "<pre>* one\n* two\n  * half of it</pre>\n"
        "<p>1. x &lt; y &amp;&amp; z</p>"
    )


def test_an_entry_with_nothing_and_no_entry_at_all() -> None:
    bare = Entry("0" * 16, "/home/ann/secret.xml", "", "", "")
    text = atom(bare)
    root = validate(text)
    assert root.findtext(f"{NAMESPACE}entry/{NAMESPACE}updated") == "1970-01-01T00:00:00Z"
    assert "ann" not in text
    (back,) = parse(text.encode(), url="/x").entries
    assert (back.title, back.body, back.date, back.authors) == ("", "", None, ())
    empty = validate(atom(query=""))
    assert empty.findtext(f"{NAMESPACE}updated") == "2020-08-12T12:00:00Z"
    assert empty.findtext(f"{NAMESPACE}title") == "searchfeed"


def test_the_same_results_are_the_same_feed() -> None:
    later = Screen(now=NOON + timedelta(days=9))
    assert atom(ENTRY) == atom(ENTRY, screen=later)
    ids = [validate(atom(ENTRY, query=each)).findtext(f"{NAMESPACE}id") for each in QUERIES]
    assert len(set(ids[:4])) == 4
    assert ids[4] == ids[0]


QUERIES = [
    Query("@ai"),
    Query("@ai", feeds=("a",)),
    Query("@ai", fuzzy=True),
    Query("x"),
    Query("@ai", limit=50, offset=10),
]


def test_where_the_place_takes_ascii_alone_it_says_the_same() -> None:
    plain = atom(ENTRY, screen=Screen(ascii=True, now=NOON))
    assert plain.isascii()
    assert ET.canonicalize(plain) == ET.canonicalize(atom(ENTRY))


# Hostile

NASTY = (
    "]]> <![CDATA[ </entry> &lt; &#0; <!DOCTYPE x> '\""
    "\x00\x1b[31m\x9b2J\u202e\ufffe\ud800\x7f\r\n\t "
)
HOSTILE = replace(
    ENTRY,
    feed_url=f"https://evil.example/{NASTY}",
    feed_title=NASTY,
    title=NASTY,
    body=f"{NASTY}\n\n<script>alert(1)</script>\n\n  {NASTY}",
    link="javascript:alert(1)",
    authors=(NASTY, "\x00", " "),
    tags=(NASTY, '" onload="x'),
    language='en" x="',
    enclosures=(
        Enclosure("file:///etc/passwd", "x/y"),
        Enclosure('https://e.example/"><x', 'audio/mpeg" x="', 5),
        Enclosure("https://e.example/a b", "nothing"),
    ),
)


def test_hostile_text_stays_text() -> None:
    text = atom(HOSTILE, query=f'"{NASTY}')
    root = validate(text)
    well_read(text)
    assert not re.search(f"[{UNSAFE}\ufffe\uffff]", text)
    assert len(root.findall(f"{NAMESPACE}entry")) == 1
    assert "javascript" not in text
    assert "passwd" not in text
    assert "<script" not in text
    content = root.findtext(f"{NAMESPACE}entry/{NAMESPACE}content") or ""
    assert set(re.findall(r"<[^>]*>", content)) <= {"<p>", "</p>", "<br/>", "<pre>", "</pre>"}
    assert "&lt;script&gt;" in content


ANYTHING = st.text(max_size=30) | st.just(NASTY)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_whatever_an_archive_holds_is_a_valid_feed(data: st.DataObject) -> None:
    texts = st.lists(ANYTHING, max_size=3).map(tuple)
    dates = st.none() | st.datetimes(timezones=st.just(UTC))
    entry = Entry(
        id="5ad0f3c15ad0f3c1",
        feed_url=data.draw(ANYTHING),
        feed_title=data.draw(ANYTHING),
        title=data.draw(ANYTHING),
        body=data.draw(ANYTHING),
        link=data.draw(ANYTHING | st.just("https://a/1")),
        authors=data.draw(texts),
        tags=data.draw(texts),
        published=data.draw(dates),
        updated=data.draw(dates),
        language=data.draw(ANYTHING),
        enclosures=tuple(Enclosure(url, url, 5) for url in data.draw(texts)),
    )
    validate(atom(entry, query=data.draw(ANYTHING)))


# And back


SPELLED = st.text(
    st.characters(
        exclude_categories=("Cs", "Cc"),
        include_characters="\n\t",
        # feedparser takes some of them for UTF-8 that was read as Latin-1, and puts them right.
        exclude_characters="".join(map(chr, range(0xA0, 0xC0))),
    ),
    max_size=40,
)
LAID_OUT = st.lists(
    SPELLED
    | st.sampled_from(
        ["* a", "  * b", "1. x", "# y", "> q", "- z", "---", "`c`", "*em*", "a_b_c", "|x|y|", "\\_"]
    ),
    max_size=6,
).map("\n".join)
MARKUP = st.lists(
    st.sampled_from(
        [
            "<p>a &amp; b</p>",
            "<ul><li>one<ul><li>two</li></ul></li></ul>",
            "<ol start=3><li>x<li>y</ol>",
            "<pre>  a\n\n    b  c</pre>",
            "<table><tr><td>1<td>2</table>",
            "a<br>b",
            "<blockquote>q</blockquote>",
            "&lt;b&gt; 1 &lt; 2",
            "<h2>h</h2>",
        ]
    ),
    max_size=5,
).map("".join)
# Names are unescaped once more in every dialect.
NAMES = st.lists(SPELLED.map(lambda name: name.replace("&", "+")), max_size=3)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_it_is_read_as_the_same_entries(data: st.DataObject) -> None:
    draw = data.draw
    body = (
        {"content_text": draw(LAID_OUT)} if draw(st.booleans()) else {"content_html": draw(MARKUP)}
    )
    moments = st.none() | st.datetimes(
        datetime(1990, 1, 2),  # noqa: DTZ001
        datetime(2025, 1, 1),  # noqa: DTZ001
    ).map(lambda date: f"{date.replace(microsecond=0).isoformat()}Z")
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "A",
        "items": [
            {
                "id": str(number),
                "url": draw(st.sampled_from(["", "https://a/1", "http://b/é?q=ü&x=%20#y"])),
                "title": draw(SPELLED),
                **body,
                "authors": [{"name": name} for name in draw(NAMES)],
                "tags": draw(st.lists(SPELLED, max_size=3)),
                "date_published": draw(moments),
                "date_modified": draw(moments),
                "language": draw(st.sampled_from(["", "en", "pt-BR", "zh-hant"])),
                "attachments": [
                    {"url": f"https://a/{name}", "mime_type": "audio/mpeg", "size_in_bytes": 5}
                    for name in draw(st.sets(st.sampled_from("abc")))
                ],
            }
            for number in range(draw(st.integers(1, 2)))
        ],
    }
    entries = parse(json.dumps(document).encode(), url="https://a/feed").entries
    text = atom(*entries)
    validate(text)
    feed = parse(text.encode(), url="/saved/ai.xml")
    assert feed.warnings == ()
    assert len({each.id for each in feed.entries}) == len(entries)
    for before, after in zip(entries, feed.entries, strict=True):
        assert after == replace(
            before,
            id=after.id,
            feed_url=feed.url,
            feed_title="searchfeed: @ai",
            updated=before.updated or before.published,
        )
    # Once more changes nothing at all.
    again = parse(atom(*feed.entries).encode(), url="/saved/ai.xml")
    assert [replace(each, id="") for each in again.entries] == [
        replace(each, id="") for each in feed.entries
    ]


def program(*arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "searchfeed", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_from_one_index_into_another(tmp_path: Path, fixtures: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    with Index(one) as index:
        index.update([fixtures])
        index.save("all", "lang:en OR -lang:en")
    text = program("--index", one, "search", "@all", "-n", 500, "--no-dedupe", "--format", "atom")
    validate(text)
    well_read(text)
    saved = tmp_path / "all.xml"
    saved.write_text(text, "utf-8")
    with Index(one) as index, Index(two) as other:
        for expected in ("added", "unchanged"):
            report = other.update(saved)
            assert not report.failures
            assert getattr(report, expected) == index.stats().entries
        before = {hit.entry.title: hit.entry for hit in index.search("", limit=500, dedupe=False)}
        for hit in other.search("", limit=500, dedupe=False):
            entry = hit.entry
            if entry.title in before and entry.link == before[entry.title].link:
                assert entry.body == before[entry.title].body
                assert entry.authors == before[entry.title].authors
        # Beside the originals, each is the same story as its original.
        total = index.search("migrant").total
        index.update(saved)
        assert index.search("migrant").total == total


def test_it_goes_with_no_facets(tmp_path: Path, fixtures: Path) -> None:
    with Index(tmp_path / "index") as index:
        index.update([fixtures])
    command = ["search", "x", "--facet", "feed", "--format", "atom"]
    done = subprocess.run(
        [sys.executable, "-m", "searchfeed", "--index", tmp_path / "index", *command],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "--facet does not go with --format atom" in done.stderr
