"""Every feed in ``fixtures/`` gives the entries that the JSON beside it expects."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from searchfeed.errors import ParseError
from searchfeed.feeds import parse
from searchfeed.models import Entry, Feed

FIXTURES = Path(__file__).parents[1] / "fixtures"
EXPECTED = ".expected.json"

DEFAULTS: dict[str, Any] = {
    "title": "",
    "link": "",
    "published": None,
    "updated": None,
    "authors": [],
    "tags": [],
    "language": "",
    "enclosures": [],
}
BODY_KEYS = {"body", "body_contains", "body_lacks"}
DOCUMENT_KEYS = {"feed", "warnings", "entries"}

# Overrides, embeddings and isolates; zero-width space, byte order mark, soft hyphen.
INVISIBLE = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff\u00ad")


def _is_feed_file(path: Path) -> bool:
    return (
        path.is_file()
        and not path.name.startswith(".")
        and not path.name.endswith(EXPECTED)
        and path.suffix != ".md"
    )


def _expectation(path: Path) -> Path:
    return path.with_name(path.stem + EXPECTED)


def _name(path: Path) -> str:
    return path.relative_to(FIXTURES).as_posix()


def _read(path: Path) -> dict[str, Any]:
    expected: dict[str, Any] = json.loads(_expectation(path).read_text("utf-8"))
    return expected


DOCUMENTS = sorted(path for path in FIXTURES.rglob("*") if _is_feed_file(path))
PAIRED = [path for path in DOCUMENTS if _expectation(path).is_file()]
FEEDS = [path for path in PAIRED if "error" not in _read(path)]
REFUSED = [path for path in PAIRED if "error" in _read(path)]


def _parse(path: Path, url: str | None = None) -> Feed:
    return parse(path.read_bytes(), url=url or str(path))


def _date(text: str | None) -> datetime | None:
    if text is None:
        return None
    date = datetime.fromisoformat(text)
    assert date.tzinfo is not None, f"{text} does not say its offset"
    return date.astimezone(UTC)


def _as_expected(entry: Entry) -> dict[str, Any]:
    return {
        "title": entry.title,
        "link": entry.link,
        "published": entry.published,
        "updated": entry.updated,
        "authors": list(entry.authors),
        "tags": list(entry.tags),
        "language": entry.language,
        "enclosures": [
            {"url": enclosure.url, "type": enclosure.type, "length": enclosure.length}
            for enclosure in entry.enclosures
        ],
    }


def _texts(feed: Feed) -> Iterator[str]:
    yield from (feed.url, feed.title, feed.link, feed.language, *feed.warnings)
    for entry in feed.entries:
        yield from (entry.title, entry.body, entry.link, entry.language)
        yield from (*entry.authors, *entry.tags)
        yield from (part for file in entry.enclosures for part in (file.url, file.type))


def test_there_are_enough_fixtures() -> None:
    assert len(FEEDS) >= 16
    assert len(REFUSED) >= 3


def test_every_document_has_an_expectation() -> None:
    assert [_name(path) for path in DOCUMENTS if not _expectation(path).is_file()] == []


def test_every_expectation_has_one_document() -> None:
    expectations = sorted(_name(path) for path in FIXTURES.rglob(f"*{EXPECTED}"))
    assert expectations == sorted(_name(_expectation(path)) for path in DOCUMENTS)


def test_every_fixture_is_in_the_read_me() -> None:
    text = (FIXTURES / "README.md").read_text("utf-8")
    assert [_name(path) for path in DOCUMENTS if f"`{_name(path)}`" not in text] == []


@pytest.mark.parametrize("path", FEEDS, ids=_name)
def test_expectation_has_no_unknown_key(path: Path) -> None:
    expected = _read(path)
    assert set(expected) == DOCUMENT_KEYS
    assert set(expected["feed"]) <= {"url", "title", "link", "language"}
    for entry in expected["entries"]:
        assert set(entry) <= set(DEFAULTS) | BODY_KEYS
        assert "title" in entry
        assert ("body" in entry) != ("body_contains" in entry)


@pytest.mark.parametrize("path", FEEDS, ids=_name)
def test_feed_is_as_expected(path: Path) -> None:
    feed = _parse(path)
    expected = _read(path)
    for key, value in expected["feed"].items():
        assert getattr(feed, key) == value, key
    assert len(feed.warnings) == expected["warnings"], feed.warnings


@pytest.mark.parametrize("path", FEEDS, ids=_name)
def test_entries_are_as_expected(path: Path) -> None:
    feed = _parse(path)
    expected = _read(path)["entries"]
    assert [entry.title for entry in feed.entries] == [entry["title"] for entry in expected]
    for entry, wanted in zip(feed.entries, expected, strict=True):
        values = DEFAULTS | {key: wanted[key] for key in wanted.keys() - BODY_KEYS}
        values |= {key: _date(values[key]) for key in ("published", "updated")}
        assert _as_expected(entry) == values
        assert entry.body == wanted.get("body", entry.body)
        for passage in wanted.get("body_contains", ()):
            assert passage in entry.body
        for passage in wanted.get("body_lacks", ()):
            assert passage not in entry.body


@pytest.mark.parametrize("path", FEEDS, ids=_name)
def test_entries_hold_what_the_model_promises(path: Path) -> None:
    feed = _parse(path)
    for entry in feed.entries:
        assert re.fullmatch(r"[0-9a-f]{16}", entry.id)
        assert (entry.feed_url, entry.feed_title) == (feed.url, feed.title)
        assert entry.title == entry.title.strip()
        assert not set("\n\r\t") & set(entry.title)
        assert entry.body == entry.body.strip()
        assert "\n\n\n" not in entry.body
        for url in (feed.link, entry.link, *(file.url for file in entry.enclosures)):
            assert re.fullmatch(r"(https?://\S+)?", url)
        for date in (entry.published, entry.updated):
            assert date is None or date.tzinfo is UTC
    assert len({entry.id for entry in feed.entries}) == len(feed.entries)


@pytest.mark.parametrize("path", FEEDS, ids=_name)
def test_text_holds_no_control_or_invisible_character(path: Path) -> None:
    for text in _texts(_parse(path)):
        controls = {char for char in text if unicodedata.category(char) in {"Cc", "Cs"}}
        assert controls <= {"\n"}
        assert not INVISIBLE & set(text)
        assert not any("\U000e0000" <= char <= "\U000e007f" for char in text)


@pytest.mark.parametrize("path", FEEDS, ids=_name)
def test_parsing_twice_gives_the_same(path: Path) -> None:
    assert _parse(path) == _parse(path)


@pytest.mark.parametrize("path", FEEDS, ids=_name)
def test_identity_does_not_hang_on_the_path(path: Path, tmp_path: Path) -> None:
    feed = _parse(path)
    copy = _parse(path, str(tmp_path / "another" / "name.xml"))
    if "url" not in _read(path)["feed"] and not feed.link:
        pytest.skip("neither a self link nor a home page: the path is this feed's identity")
    assert copy == feed


@pytest.mark.parametrize("path", FEEDS, ids=_name)
def test_fetched_feed_has_the_same_entries(path: Path) -> None:
    address = "https://fetched.example/feed"
    fetched = _parse(path, address)
    assert fetched.url == address
    assert fetched.link == _parse(path).link
    for ours, theirs in zip(_parse(path).entries, fetched.entries, strict=True):
        assert theirs == replace(ours, id=theirs.id, feed_url=address)


@pytest.mark.parametrize("path", REFUSED, ids=_name)
def test_refused_document_says_why(path: Path) -> None:
    with pytest.raises(ParseError, match=re.escape(_read(path)["error"])) as caught:
        _parse(path)
    assert caught.value.source == str(path)
    assert "\n" not in str(caught.value)


def test_an_edited_entry_keeps_its_id() -> None:
    before, after = (_parse(FIXTURES / "life" / f"day{day}.xml") for day in (1, 2))
    assert before.url == after.url
    old = {entry.id: entry for entry in before.entries}
    new = {entry.id: entry for entry in after.entries}
    assert sorted(old[key].title for key in old.keys() - new.keys()) == ["Last swim of the season"]
    assert sorted(new[key].title for key in new.keys() - old.keys()) == ["Two seals on the slipway"]
    assert [
        (old[key].title, new[key].title)
        for key in sorted(old.keys() & new.keys())
        if old[key] != new[key]
    ] == [("Morning ferry delayed by fog", "Morning ferry sailed at eight")]
