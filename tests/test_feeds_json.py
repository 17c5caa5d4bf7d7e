"""JSON Feed 1.0 and 1.1."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchfeed.errors import ParseError
from searchfeed.feeds import parse
from searchfeed.models import Enclosure, Entry, Feed

URL = "https://example.org/feed.json"


def _parse(source: str = URL, /, **found: Any) -> Feed:
    found.setdefault("version", "https://jsonfeed.org/version/1.1")
    return parse(json.dumps(found).encode(), url=source)


def _entry(**item: Any) -> Entry:
    (entry,) = _parse(items=[item]).entries
    return entry


def test_everything() -> None:
    feed = _parse(
        title="Notes &amp; queries",
        home_page_url="https://example.org/",
        feed_url="https://example.org/feed.json",
        language="en_GB",
        authors=[{"name": "Ada"}],
        items=[
            {
                "id": 1,
                "url": "/one",
                "title": "One",
                "summary": "A lead...",
                "content_html": "<p>The <b>content</b>.</p>",
                "date_published": "2020-09-11T10:00:00+02:00",
                "date_modified": "2020-09-12T10:00:00Z",
                "tags": ["a", "b", "A", 3, ""],
                "language": "de",
                "authors": [{"name": "Bo"}, {"url": "https://bo.example/"}],
                "attachments": [
                    {"url": "one.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 12},
                    {"url": "javascript:x"},
                ],
            },
            {"id": "2", "external_url": "https://other.example/", "content_text": "1 < 2"},
        ],
    )
    assert (feed.url, feed.title, feed.link) == (URL, "Notes & queries", "https://example.org/")
    assert (feed.language, feed.warnings) == ("en-gb", ())
    one, two = feed.entries
    assert one == Entry(
        id=one.id,
        feed_url=URL,
        feed_title="Notes & queries",
        title="One",
        body="A lead...\n\nThe content.",
        link="https://example.org/one",
        authors=("Bo",),
        tags=("a", "b"),
        published=datetime(2020, 9, 11, 8, tzinfo=UTC),
        updated=datetime(2020, 9, 12, 10, tzinfo=UTC),
        language="de",
        enclosures=(Enclosure("https://example.org/one.mp3", "audio/mpeg", 12),),
    )
    assert (two.body, two.link, two.authors) == ("1 < 2", "https://other.example/", ("Ada",))


def test_version_1_0_has_one_author() -> None:
    feed = _parse(
        version="https://jsonfeed.org/version/1",
        author={"name": "Ada"},
        items=[{"id": "1", "author": {"name": "Bo"}}, {"id": "2"}],
    )
    assert [entry.authors for entry in feed.entries] == [("Bo",), ("Ada",)]


def test_identity_is_kept_from_a_number_to_its_text() -> None:
    assert _entry(id=7, title="x").id == _entry(id="7", title="y").id
    assert _entry(id=7).id != _entry(id=8).id
    assert _entry(id="a", url="https://a.example/").id == _entry(id="a").id


def test_own_address_is_the_identity_of_a_file() -> None:
    assert _parse("notes.json", feed_url=URL).url == URL
    assert _parse("notes.json", home_page_url="https://e.org/", title="T").url == "https://e.org/#T"
    assert _parse("notes.json", title="T").url == "notes.json"


def test_items_may_be_missing_and_entries_may_be_wrong() -> None:
    assert _parse().entries == ()
    assert _parse(items=None).entries == ()
    feed = _parse(items=[7, {"id": "1", "title": ["x"], "tags": "x", "authors": {"name": 1}}, None])
    assert [entry.title for entry in feed.entries] == [""]
    assert feed.warnings == ("2 of its items are not objects",)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"version": "https://jsonfeed.org/version/1", "items": [', "from line 1 on"),
        (b'{"title": "Catalogue", "items": []}', "does not say it is a JSON Feed"),
        (b'{"version": "https://jsonfeed.org/version/1", "a": ' + b"[" * 200_000, "too deep"),
        (b'{"a":' * 200_000, "too deep"),
        (b"{}", "does not say"),
        (b"[1, 2]", "neither XML nor JSON"),
    ],
)
def test_what_is_no_feed(data: bytes, reason: str) -> None:
    with pytest.raises(ParseError, match=reason) as caught:
        parse(data, url="x.json")
    assert caught.value.source == "x.json"


def test_hostile_values() -> None:
    head = b'\xef\xbb\xbf{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": '
    feed = parse(
        head
        + b"9" * 5000
        + b', "title": "a\\ud800b\\u001b[31mc\\u202e", "content_html": "x\\ufdd0\\ufdd5y<p>z",'
        b' "attachments": [{"url": "https://e.org/a", "size_in_bytes": 1e999}, {"url":'
        b' "https://e.org/b", "size_in_bytes": NaN}]}]}',
        url="x.json",
    )
    (entry,) = feed.entries
    assert (entry.title, entry.body) == ("abc", "xy\n\nz")
    assert [file.length for file in entry.enclosures] == [None, None]


def test_other_encodings() -> None:
    text = json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "Žluťoučký"})
    text = text.encode().decode("unicode_escape")
    for codec in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        assert parse(text.encode(codec), url=URL).title == "Žluťoučký", codec


KEYS = st.sampled_from(
    [
        "title", "home_page_url", "feed_url", "language", "author", "authors", "items",
        "id", "url", "external_url", "summary", "tags", "content_html", "content_text",
        "date_published", "date_modified", "attachments", "name", "size_in_bytes",
    ]
)  # fmt: skip
json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(KEYS, json_values, max_size=6), json_values)
def test_any_json_is_read(found: dict[str, Any], items: Any) -> None:
    feed = _parse(**{**found, "items": items})
    assert len({entry.id for entry in feed.entries}) == len(feed.entries)
