"""The renderers, on values made here: what they say, and what they never let through."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from importlib import import_module
from importlib.resources import files
from io import StringIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from searchfeed.models import (
    Enclosure,
    Entry,
    FeedState,
    Hit,
    Query,
    Results,
    Snippet,
    Sort,
    Span,
    Stats,
    Subscription,
    SubscriptionState,
)
from searchfeed.output import ENTRY, FEEDS, RESULTS, STATS, Screen
from searchfeed.output.clean import UNSAFE, clean, hyperlink, line
from searchfeed.output.human import ago, count, date_and_time, duration, size, timestamp
from searchfeed.output.wrapping import wrap

jsonschema = import_module("jsonschema")

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CEST = timezone(timedelta(hours=2), "CEST")
HOSTILE = (
    "[bold]x[/red] \x1b[31mred\x1b[0m \x1b]52;c;ZXZpbA==\x07 \x9b2J \x1b]8;;http://evil\x1b\\y"
    " \u202egnp.exe \u200b\xad\x00\x07\x7f\x85 \U000e0041 @click=app.bell \ud800 :smile:"
)


def snippet(
    field: str, text: str, *words: str, before: bool = False, after: bool = False
) -> Snippet:
    spans = sorted(Span(text.index(word), text.index(word) + len(word)) for word in words)
    return Snippet(field, text, tuple(spans), before, after)


def entry(**changes: Any) -> Entry:
    values: dict[str, Any] = {
        "id": "5ad0f3c1aa00bb11",
        "feed_url": "https://www.icmpd.org/news.rss",
        "feed_title": "ICMPD News",
        "title": "Migrant Resource Centre opens in Dushanbe",
        "body": "The lead.\n\nThe Ministry of Labour opened the centre.",
        "link": "https://www.icmpd.org/news/dushanbe",
        "authors": ("A. Person", "B. Person"),
        "tags": ("migration", "labour"),
        "published": NOW - timedelta(days=3),
        "updated": NOW - timedelta(days=1),
        "language": "en",
        "enclosures": (Enclosure("https://www.icmpd.org/a.mp3", "audio/mpeg", 1_234_567),),
    }
    return Entry(**(values | changes))


def results(*hits: Hit, total: int | None = None, **query: Any) -> Results:
    asked = Query(**({"text": "migrant centre"} | query))
    return Results(asked, hits, len(hits) if total is None else total, 0.0042, ("A note.",))


PASSAGE = (
    "The Ministry of Labour, Migration and Employment of the Population of the Republic of "
    "Tajikistan has opened the first Migrant Resource Centre in the capital"
)
HIT = Hit(
    entry(),
    12.5,
    (
        snippet("body", PASSAGE, "Migrant", "Centre", before=True, after=True),
        snippet("title", entry().title, "Migrant", "Centre"),
    ),
)
TWICE = replace(
    HIT,
    duplicates=(
        entry(id="1", feed_title="Labour News", link="https://labour.example/1"),
        entry(id="2", feed_title="Labour News"),
        entry(id="3", feed_title="", feed_url="https://x.org/f.rss"),
    ),
)
ONE = results(HIT)
NONE = results()
STATE = FeedState("https://x.org/f.rss", "X", "https://x.org", "en", 12, NOW, NOW)
FIGURES = Stats("/home/me/index", "whoosh", 3, 19040, 19050, NOW, NOW, 123_456_789, 3000)


def written(pieces: Iterator[str]) -> str:
    return "".join(pieces)


def seen_on(**changes: Any) -> Screen:
    values: dict[str, Any] = {"now": NOW, "zone": UTC}
    return Screen(**(values | changes))


def shown(value: Results, name: str, **screen: Any) -> str:
    return written(RESULTS.render(value, name, seen_on(**screen)))


def bare(text: str) -> str:
    """The text without the escape sequences that are ours, in exactly the forms we write."""
    text = re.sub(r"\x1b\[(?:0|[1-9]\d?(?:;\d\d?)*)m", "", text)
    return re.sub(r"\x1b\]8;(?:id=[0-9a-f]+;https?://[!-~]+|;)\x1b\\", "", text)


class TestClean:
    @pytest.mark.parametrize(
        ("dirty", "expected"),
        [
            ("plain", "plain"),
            ("two\nlines", "two\nlines"),
            ("\x1b[1;31mred\x1b[m", "red"),
            ("\x1b]0;title\x07x", "x"),
            ("\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\", "link"),
            ("\x9d52;c;eA==\x9cx", "x"),
            ("\x1bPq#0\x1b\\x", "x"),
            ("\x1b]0;never ended, but kept", "0;never ended, but kept"),
            ("\x1b\x1b[0m[31mx", "[31mx"),
            ("a\tb\r\nc\x0bd\x85e\u2028f", "a b\nc d e f"),
            ("a\u202eb\u2066c\u061cd\ufeffe", "abcde"),
            ("so\xadft zero\u200bwidth", "soft zerowidth"),
            ("tag\U000e0041\U000e007f", "tag"),
            ("lone \ud800", "lone "),
            ("نمی‌خواهم", "نمی‌خواهم"),
            ("👩‍💻 ❤️", "👩‍💻 ❤️"),
            ("z" + "\u0301" * 40 + "a", "z" + "\u0301" * 4 + "a"),
            ("हिन्दी", "हिन्दी"),
        ],
    )
    def test_takes_out_what_a_terminal_obeys(self, dirty: str, expected: str) -> None:
        assert clean(dirty) == expected

    @settings(max_examples=300, deadline=None)
    @given(st.text(st.one_of(st.characters(), st.sampled_from("\x1b[]\\\x07\x9b\x9c\x9dm;0"))))
    def test_nothing_unsafe_is_left_and_cleaning_twice_is_cleaning_once(self, text: str) -> None:
        once = clean(text)
        assert not re.search(f"[{UNSAFE}]", once)
        assert clean(once) == once

    def test_a_line_is_one_line(self) -> None:
        assert line(" one\n\n  two\t") == " one two "

    @pytest.mark.parametrize(
        ("link", "expected"),
        [
            ("https://x.org/a?b=c#d", "https://x.org/a?b=c#d"),
            ("HTTP://x.org", "HTTP://x.org"),
            ("https://x.org/é", "https://x.org/%C3%A9"),
            ("javascript:alert(1)", ""),
            ("file:///etc/passwd", ""),
            ("data:text/html,x", ""),
            ("https://x.org/a b", ""),
            ("https://x.org/\x1b\\\x1b[31m", ""),
            ("https://x.org/\n", ""),
            ("https://x.org/\u202e", ""),
            ("https://", ""),
            ("", ""),
        ],
    )
    def test_only_safe_links_are_links(self, link: str, expected: str) -> None:
        assert hyperlink(link) == expected


class TestHuman:
    @pytest.mark.parametrize(
        ("before", "expected"),
        [
            (timedelta(seconds=5), "just now"),
            (timedelta(minutes=1), "1 minute ago"),
            (timedelta(hours=11), "11 hours ago"),
            (timedelta(hours=25), "yesterday"),
            (timedelta(days=3), "3 days ago"),
            (timedelta(days=13), "13 days ago"),
            (timedelta(days=14), "6 Nov 2026"),
            (timedelta(days=900), "3 Jun 2024"),
            (timedelta(hours=-5), "20 Nov 2026"),
        ],
    )
    def test_ago(self, before: timedelta, expected: str) -> None:
        assert ago(NOW - before, NOW, UTC) == expected

    def test_days_are_those_of_the_user(self) -> None:
        evening = datetime(2026, 11, 18, 23, tzinfo=UTC)
        assert ago(evening, NOW, UTC) == "2 days ago"
        assert ago(evening, NOW, CEST) == "yesterday"
        assert date_and_time(evening, CEST) == "19 Nov 2026 01:00 CEST"

    def test_timestamps_are_utc_to_the_second(self) -> None:
        moment = datetime(2020, 9, 11, 1, 2, 3, 456, tzinfo=CEST)
        assert timestamp(moment) == "2020-09-10T23:02:03Z"
        assert timestamp(None) == ""

    def test_figures(self) -> None:
        assert [size(n) for n in (0, 999, 1000, 99_950, 10**10)] == [
            "0 B",
            "999 B",
            "1.0 kB",
            "100 kB",
            "10 GB",
        ]
        assert [duration(s) for s in (0.0004, 0.9996, 59.99, 3600)] == [
            "0.4 ms",
            "1.0 s",
            "1 min 0 s",
            "60 min 0 s",
        ]
        assert count(0, "source") == "0 sources"


class TestTable:
    def test_at_80_columns(self) -> None:
        assert shown(ONE, "table", width=80) == (
            "1  Migrant Resource Centre opens in Dushanbe\n"
            "   ICMPD News · 3 days ago · 5ad0f3c1\n"
            "   …The Ministry of Labour, Migration and Employment of the Population of the\n"
            "   Republic of Tajikistan has opened the first Migrant Resource Centre in the\n"
            "   capital…\n"
            "   https://www.icmpd.org/news/dushanbe\n"
            "\n"
            "1 entry in 4 ms\n"
        )

    def test_at_200_columns_feed_and_date_stand_beside_a_readable_line(self) -> None:
        rows = shown(ONE, "table", width=200).splitlines()
        left = "1  Migrant Resource Centre opens in Dushanbe"
        assert rows[0] == f"{left:<107}ICMPD News"
        assert rows[1][:107].rstrip().endswith("of the Population of the Republic of Tajikistan")
        assert rows[1][107:] == "3 days ago · 5ad0f3c1"
        assert all(cell_len(row[3:107].rstrip()) <= 100 for row in rows)

    def test_other_feeds_with_the_same_story_are_named(self) -> None:
        rows = shown(results(TWICE), "table", width=80).splitlines()
        assert rows[2] == "   also in: Labour News, https://x.org/f.rss"
        rows = shown(results(TWICE), "table", width=200).splitlines()
        assert rows[2][107:] == "also in: Labour News, https://x.org/f.rss"
        many = tuple(entry(feed_title=f"Feed {number}") for number in range(9))
        rows = shown(results(replace(HIT, duplicates=many)), "table", width=80).splitlines()
        assert rows[2].endswith("Feed 3, Feed 4 and 4 other feeds")

    @pytest.mark.parametrize("width", [20, 40, 80, 119, 135, 200, 400])
    def test_no_line_is_wider_than_the_screen(self, width: int) -> None:
        wide = "東京で地震がありました" * 30
        hit = Hit(
            entry(title=wide, feed_title=wide, link=""),
            1.0,
            (Snippet("body", wide + " 👩‍💻" * 40),),
        )
        for row in shown(results(HIT, hit), "table", width=width, escapes=True).splitlines():
            assert cell_len(bare(row)) <= width
            assert bare(row) == bare(row).rstrip()

    def test_wide_characters_line_up(self) -> None:
        hit = Hit(entry(title="東京 👩‍💻 naïve", link=""), 1.0, (Snippet("body", "一二三"),))
        first, second, *_ = shown(results(hit), "table", width=200).splitlines()
        assert cell_len(first[: first.index("ICMPD")]) == 107
        assert cell_len(second[: second.index("3 days")]) == 107

    def test_matches_are_marked_and_titles_are_links(self) -> None:
        text = shown(ONE, "table", width=80, escapes=True)
        assert text.count("\x1b[1;31mMigrant\x1b[0m") == 2
        assert "Migration\x1b" not in text
        opened = re.findall(r"\x1b\]8;(id=[0-9a-f]+;[!-~]+)\x1b\\", text)
        assert set(opened) == {opened[0]}
        assert opened[0].endswith(";https://www.icmpd.org/news/dushanbe")
        assert bare(text) == shown(ONE, "table", width=80).replace(f"   {HIT.entry.link}\n", "")

    def test_a_link_that_is_not_safe_is_none(self) -> None:
        hit = Hit(entry(link="javascript:alert(1)"), 1.0, HIT.snippets)
        assert "\x1b]8" not in shown(results(hit), "table", escapes=True)
        assert "javascript" not in shown(results(hit), "table")

    def test_what_is_missing_leaves_no_hole(self) -> None:
        empty = Entry("7ad0f3c1aa00bb11", "/home/me/feed.xml", "", "", "")
        hit = Hit(empty, 1.0, (Snippet("title", ""),))
        assert shown(results(hit), "table").startswith(
            "1  (no title)\n   /home/me/feed.xml · 7ad0f3c1\n\n"
        )

    @pytest.mark.parametrize(
        ("total", "query", "expected"),
        [
            (1, {}, "1 entry in 4 ms"),
            (27, {}, "1 to 1 of 27 entries in 4 ms; more: --offset 1"),
            (27, {"offset": 26}, "27 to 27 of 27 entries in 4 ms"),
            (1, {"sort": Sort.NEWEST}, "1 entry, newest first, in 4 ms"),
        ],
    )
    def test_the_closing_line(self, total: int, query: dict[str, Any], expected: str) -> None:
        assert shown(results(HIT, total=total, **query), "table").splitlines()[-1] == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("cut here", "cut here…"),
            ("A whole one.", "A whole one."),
            ("“Said so!” ", "“Said so!”"),
        ],
    )
    def test_dots_stand_where_a_sentence_is_cut(self, text: str, expected: str) -> None:
        hit = Hit(entry(), 1.0, (snippet("body", text, after=True),))
        assert shown(results(hit), "table").splitlines()[2].strip() == expected

    def test_nothing_found_is_nothing_shown(self) -> None:
        assert shown(NONE, "table") == ""

    def test_ranks_go_on_through_the_pages(self) -> None:
        rows = shown(results(HIT, HIT, total=30, offset=8), "table").splitlines()
        assert rows[0].startswith(" 9  Migrant")
        assert any(row.startswith("10  Migrant") for row in rows)


class TestWrap:
    def rows(self, text: str, width: int) -> list[str]:
        return [row.plain for row in wrap(Text(text), width)]

    def test_words(self) -> None:
        assert self.rows("one two  three", 8) == ["one two", "three"]
        assert self.rows("a https://x.org/long", 8) == ["a", "https://", "x.org/lo", "ng"]
        assert self.rows("", 8) == [""]

    def test_a_line_may_end_behind_any_ideograph_but_not_before_what_closes(self) -> None:
        assert self.rows("Tokyo 東京の図書館で、防災", 12) == ["Tokyo 東京の", "図書館で、防", "災"]
        assert self.rows("東京の図書館で、防", 14) == ["東京の図書館", "で、防"]
        assert self.rows("東京「図書館」", 6) == ["東京", "「図書", "館」"]
        assert self.rows("한국어를 배우다", 10) == ["한국어를", "배우다"]

    @settings(max_examples=200, deadline=None)
    @given(
        st.text(st.sampled_from("ab  東京、「」か\u3099ー👩\u200d💻é\u0301한ไ")), st.integers(8, 20)
    )
    def test_nothing_is_lost_and_no_line_is_too_wide(self, text: str, width: int) -> None:
        rows = self.rows(text, width)
        assert "".join("".join(rows).split()) == "".join(text.split())
        assert all(cell_len(row) <= width for row in rows)


class TestPlain:
    def test_a_line_a_hit(self) -> None:
        assert shown(ONE, "plain").split("\t") == [
            "5ad0f3c1aa00bb11",
            "2026-11-17T12:00:00Z",
            "Migrant Resource Centre opens in Dushanbe",
            "ICMPD News",
            "https://www.icmpd.org/news/dushanbe",
            PASSAGE,
            "\n",
        ]
        assert shown(NONE, "plain") == ""
        assert shown(results(TWICE), "plain").endswith("\tLabour News; https://x.org/f.rss\n")

    def test_no_column_breaks_its_line(self) -> None:
        broken = "a\tb\nc\r\nd"
        hit = Hit(entry(title=broken, feed_title=broken), 1.0, (Snippet("body", broken),))
        assert shown(results(hit), "plain").count("\t") == 6
        assert shown(results(hit), "plain").count("\n") == 1


class TestJSON:
    schema = json.loads(files("searchfeed.output").joinpath("schema.json").read_text("utf-8"))

    def check(self, value: object, definition: str = "") -> None:
        schema = self.schema
        if definition:
            schema = {"$ref": f"#/$defs/{definition}", "$defs": schema["$defs"]}
        jsonschema.validate(
            value,
            {"unevaluatedProperties": False, **closed(schema)},
            cls=jsonschema.Draft202012Validator,
        )

    def test_the_schema_is_one(self) -> None:
        jsonschema.Draft202012Validator.check_schema(self.schema)

    def test_results(self) -> None:
        record = json.loads(shown(results(HIT, TWICE, total=30, offset=8), "json"))
        self.check(record)
        assert record["hits"][0]["duplicates"] == []
        assert record["hits"][1]["duplicates"][0] == {
            "id": "1",
            "feed": {"url": "https://www.icmpd.org/news.rss", "title": "Labour News"},
            "link": "https://labour.example/1",
        }
        assert record["total"] == 30
        assert record["notes"] == ["A note."]
        assert [hit["rank"] for hit in record["hits"]] == [9, 10]
        hit = record["hits"][0]
        assert hit["score"] == 12.5
        assert hit["date"] == hit["published"] == "2026-11-17T12:00:00Z"
        best = hit["snippets"][0]
        assert best["text"] in PASSAGE
        assert [best["text"][start:end] for start, end in best["spans"]] == ["Migrant", "Centre"]
        assert (best["before"], best["after"]) == (True, True)

    def test_nothing_found_is_an_empty_list(self) -> None:
        record = json.loads(shown(NONE, "json"))
        self.check(record)
        assert record["hits"] == []
        assert record["total"] == 0
        assert shown(NONE, "ndjson") == ""

    def test_lines(self) -> None:
        rows = shown(results(HIT, HIT), "ndjson").splitlines()
        assert len(rows) == 2
        for row in rows:
            self.check(json.loads(row), "line")

    def test_an_entry_without_dates(self) -> None:
        hit = Hit(entry(published=None, updated=None), 0.0, HIT.snippets)
        record = json.loads(shown(results(hit), "json"))
        self.check(record)
        assert record["hits"][0]["date"] is None

    def test_the_other_documents(self) -> None:
        screen = Screen(now=NOW)
        self.check(json.loads(written(ENTRY.render(entry(), "json", screen))), "entry_document")
        self.check(json.loads(written(FEEDS.render((STATE,), "json", screen))), "feeds_document")
        self.check(json.loads(written(FEEDS.render((), "json", screen))), "feeds_document")
        states = (STATE, subscribed(), subscribed(next_fetch=None, last_error="HTTP 503"))
        self.check(json.loads(written(FEEDS.render(states, "json", screen))), "feeds_document")
        for row in written(FEEDS.render(states, "ndjson", screen)).splitlines():
            self.check(json.loads(row), "feed_line")
        self.check(json.loads(written(STATS.render(FIGURES, "json", screen))), "stats_document")

    def test_texts_are_exact_and_what_a_terminal_obeys_is_escaped(self) -> None:
        hit = Hit(entry(title=HOSTILE), 1.0, (Snippet("title", HOSTILE, (Span(0, 6),)),))
        for only in (False, True):
            text = shown(results(hit), "json", ascii=only)
            assert not re.search(f"[{UNSAFE}]", text)
            read = json.loads(text)["hits"][0]
            assert read["title"] == read["snippets"][0]["text"] == HOSTILE

    def test_ascii_where_the_place_is_not_utf_8(self) -> None:
        hit = Hit(entry(title="東京"), 1.0, (Snippet("title", "東京"),))
        assert shown(results(hit), "json", ascii=True).isascii()
        assert "東京" in shown(results(hit), "json")


def closed(schema: Any) -> Any:
    """The schema with its objects closed, so that an undocumented field is found."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {name: closed(part) for name, part in schema.items()}
    # A hit extends an entry, and a line of feeds the state of one, so these are not closed here.
    extended = not {"enclosures", "subscription"}.isdisjoint(schema.get("properties", ()))
    if schema.get("type") == "object" and "properties" in schema and not extended:
        parts["additionalProperties"] = False
    if schema.get("items") in ({"$ref": "#/$defs/hit"}, {"$ref": "#/$defs/feed_state"}):
        parts["items"]["unevaluatedProperties"] = False
    return parts


class TestCSV:
    def rows(self, value: Results) -> list[dict[str, str]]:
        return list(csv.DictReader(StringIO(shown(value, "csv"), newline="")))

    def test_rows(self) -> None:
        (row,) = self.rows(ONE)
        assert row == {
            "rank": "1",
            "score": "12.5",
            "id": "5ad0f3c1aa00bb11",
            "date": "2026-11-17T12:00:00Z",
            "title": "Migrant Resource Centre opens in Dushanbe",
            "feed": "ICMPD News",
            "link": "https://www.icmpd.org/news/dushanbe",
            "authors": "A. Person; B. Person",
            "tags": "migration; labour",
            "language": "en",
            "snippet": PASSAGE,
            "also_in": "",
        }
        (row,) = self.rows(results(TWICE))
        assert row["also_in"] == "Labour News; https://x.org/f.rss"
        assert shown(ONE, "csv").endswith("\r\n")

    def test_the_header_stands_also_above_nothing(self) -> None:
        assert shown(NONE, "csv") == (
            "rank,score,id,date,title,feed,link,authors,tags,language,snippet,also_in\r\n"
        )

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r\n=", " =", "\x00=", "＝"])
    def test_a_text_is_never_a_formula(self, start: str) -> None:
        title = f'{start}HYPERLINK("http://evil","x")'
        (row,) = self.rows(results(Hit(entry(title=title), 1.0, HIT.snippets)))
        assert row["title"].startswith("'")
        assert row["title"].endswith('HYPERLINK("http://evil","x")')


class TestEntry:
    def page(self, value: Entry, **screen: Any) -> str:
        return written(ENTRY.render(value, "page", seen_on(zone=CEST, **screen)))

    def test_page(self) -> None:
        assert self.page(entry()) == (
            "Migrant Resource Centre opens in Dushanbe\n"
            "feed       ICMPD News\n"
            "published  17 Nov 2026 14:00 CEST\n"
            "updated    19 Nov 2026 14:00 CEST\n"
            "by         A. Person, B. Person\n"
            "tags       migration, labour\n"
            "language   en\n"
            "link       https://www.icmpd.org/news/dushanbe\n"
            "enclosure  https://www.icmpd.org/a.mp3 (audio/mpeg, 1.2 MB)\n"
            "id         5ad0f3c1aa00bb11\n"
            "\n"
            "The lead.\n"
            "\n"
            "The Ministry of Labour opened the centre.\n"
        )

    def test_lines_are_readable_and_lists_hang(self) -> None:
        body = f"  * {'word ' * 60}\n  * short\n\n{'prose ' * 60}"
        rows = self.page(entry(body=body), width=200).splitlines()
        assert all(cell_len(row) <= 100 for row in rows)
        bullet = next(number for number, row in enumerate(rows) if row.startswith("  * word"))
        assert rows[bullet + 1].startswith("    word")
        assert "  * short" in rows

    def test_an_address_is_not_broken(self) -> None:
        link = f"https://x.org/{'a-long-path/' * 12}"
        assert f"link       {link}" in self.page(entry(link=link), width=40).splitlines()

    def test_without_a_body(self) -> None:
        assert self.page(entry(body="")).endswith("id         5ad0f3c1aa00bb11\n")

    def test_plain_is_headers_and_the_body_as_it_is(self) -> None:
        text = written(ENTRY.render(entry(), "plain", Screen()))
        head, body = text.split("\n\n", 1)
        assert "Title: Migrant Resource Centre opens in Dushanbe\n" in head
        assert "Published: 2026-11-17T12:00:00Z\n" in head
        assert body == "The lead.\n\nThe Ministry of Labour opened the centre.\n"


def test_feeds_for_people_and_for_programs() -> None:
    untitled = FeedState("/home/me/x.xml", "", "", "", 19040, None, None)
    screen = Screen(now=NOW, zone=UTC)
    assert written(FEEDS.render((STATE, untitled), "table", screen)) == (
        "    12  X  just now\n"
        "        https://x.org/f.rss\n"
        "19,040  /home/me/x.xml  no dates\n"
        "2 feeds, 19,052 entries\n"
    )
    assert written(FEEDS.render((STATE, untitled), "plain", screen)) == (
        "https://x.org/f.rss\tX\t12\t2026-11-20T12:00:00Z\t2026-11-20T12:00:00Z\tfile\t\t\t\n"
        "/home/me/x.xml\t\t19040\t\t\tfile\t\t\t\n"
    )


def subscribed(**changes: Any) -> FeedState:
    url = "https://x.org/f.rss"
    kept = Subscription(
        url, url, last_fetch=NOW, last_success=NOW, next_fetch=NOW + timedelta(minutes=25)
    )
    return replace(STATE, tags=("news", "far away"), subscription=replace(kept, **changes))


def test_how_it_stands_with_a_subscription() -> None:
    screen = Screen(now=NOW, zone=UTC)
    failing = subscribed(last_error="HTTP 503", failures=3, last_success=None, next_fetch=None)
    gone = subscribed(state=SubscriptionState.GONE, last_success=NOW - timedelta(hours=2))
    new = replace(failing, title="", entries=0, newest=None, tags=())
    new = replace(new, subscription=Subscription(new.url, new.url))
    assert written(FEEDS.render((subscribed(), failing, gone, new), "table", screen)) == (
        "12  X  just now\n"
        "    https://x.org/f.rss · #news #far away · read just now, due in 25 minutes\n"
        "12  X  just now\n"
        "    https://x.org/f.rss · #news #far away · never read, due now\n"
        "    failed just now, 3 times in a row: HTTP 503\n"
        "12  X  just now\n"
        "    https://x.org/f.rss · #news #far away · read 2 hours ago\n"
        "    gone: its server says that it will not be back; it is not asked again\n"
        " 0  https://x.org/f.rss  no entries yet\n"
        "    never read, due now\n"
        "4 feeds, 36 entries\n"
    )
    plain = written(FEEDS.render((subscribed(), failing, gone), "plain", screen)).splitlines()
    assert [row.split("\t")[5:] for row in plain] == [
        ["active", "2026-11-20T12:25:00Z", "", "news; far away"],
        ["active", "", "HTTP 503", "news; far away"],
        ["gone", "2026-11-20T12:25:00Z", "", "news; far away"],
    ]
    sheet = list(csv.DictReader(StringIO(written(FEEDS.render((failing,), "csv", screen)))))
    assert sheet[0]["failures"] == "3"
    assert sheet[0]["last_error"] == "HTTP 503"
    assert (sheet[0]["state"], sheet[0]["tags"]) == ("active", "news; far away")


def test_where_a_feed_is_fetched_from_is_never_written() -> None:
    state = subscribed(url="https://me:secret@x.org/f.rss")
    for name in FEEDS.formats:
        assert "secret" not in written(FEEDS.render((state,), name, Screen()))


def test_stats_for_people_and_for_programs() -> None:
    screen = Screen(now=NOW, zone=UTC)
    table = written(STATS.render(FIGURES, "table", screen))
    assert "entries  19,040, 10 earlier versions kept\n" in table
    assert "size     123 MB archive, 3.0 kB index\n" in table
    assert "entries\t19040\n" in written(STATS.render(FIGURES, "plain", screen))


texts = st.text(
    st.one_of(st.characters(), st.sampled_from("\x1b\x9b\x9d[]\\/;\x07 \n=東\u0301\u202e")),
    max_size=40,
)


@st.composite
def hits(draw: st.DrawFn) -> Hit:
    text = draw(texts)
    ends = sorted(draw(st.sets(st.integers(0, len(text)), max_size=4)))
    spans = tuple(Span(a, b) for a, b in zip(ends[::2], ends[1::2], strict=False))
    made = entry(
        title=draw(texts),
        body=draw(texts),
        feed_title=draw(texts),
        feed_url=draw(texts),
        link=draw(st.one_of(texts, texts.map(lambda rest: f"https://{rest}"))),
        authors=(draw(texts),),
        tags=(draw(texts),),
        language=draw(texts),
        enclosures=(Enclosure(draw(texts), draw(texts)),),
    )
    field = draw(st.sampled_from(["title", "body"]))
    return Hit(made, 1.0, (Snippet(field, text, spans, draw(st.booleans()), draw(st.booleans())),))


@settings(max_examples=60, deadline=None)
@given(hits(), st.booleans(), st.sampled_from([20, 80, 200]))
def test_no_renderer_lets_anything_through_that_a_terminal_obeys(
    hit: Hit, escapes: bool, width: int
) -> None:
    screen = Screen(width, escapes, now=NOW, zone=UTC)
    found = results(hit, text=hit.entry.title)
    title, link = hit.entry.feed_title, hit.entry.link
    kept = Subscription(hit.entry.feed_url, link, last_error=title, next_fetch=NOW, failures=2)
    state = FeedState(kept.feed_url, title, link, "", 1, NOW, NOW, hit.entry.tags, kept)
    figures = Stats(hit.entry.title, "whoosh", 1, 1, 1, NOW, NOW, 1, 1)
    runs: list[tuple[tuple[str, ...], Callable[[str], Iterator[str]]]] = [
        (RESULTS.formats, lambda name: RESULTS.render(found, name, screen)),
        (ENTRY.formats, lambda name: ENTRY.render(hit.entry, name, screen)),
        (FEEDS.formats, lambda name: FEEDS.render((state,), name, screen)),
        (STATS.formats, lambda name: STATS.render(figures, name, screen)),
    ]
    for formats, render in runs:
        for name in formats:
            text = written(render(name))
            own = "\r\n" if name == "csv" else "\t" if name == "plain" else ""
            rest = bare(text) if name in ("table", "page") and escapes else text
            assert not re.search(f"(?![{own} ])[{UNSAFE}]", rest), (name, text)
            text.encode()


@pytest.mark.parametrize("name", ["plain", "json", "ndjson", "csv"])
def test_formats_for_programs_do_not_load_rich(name: str) -> None:
    code = (
        "import sys\n"
        "from searchfeed.models import Query, Results\n"
        "from searchfeed.output import RESULTS, Screen\n"
        f"list(RESULTS.render(Results(Query('x'), (), 0, 0.0), {name!r}, Screen()))\n"
        "sys.exit(any(module.partition('.')[0] in ('rich', 'click') for module in sys.modules))\n"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_an_unknown_format_is_an_error_at_once() -> None:
    with pytest.raises(KeyError):
        RESULTS.render(ONE, "yaml", Screen())
