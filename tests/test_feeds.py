"""Feeds in XML: identity, titles, dates, people, links, languages, and what is no feed."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchfeed.errors import ParseError
from searchfeed.feeds import dates, parse
from searchfeed.feeds.encoding import read
from searchfeed.feeds.identity import safe_link
from searchfeed.keys import normalised_link
from searchfeed.models import Enclosure, Entry, Feed

URL = "https://example.org/feed.xml"
NAMESPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom" '
    'xmlns:media="http://search.yahoo.com/mrss/" '
    'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
)


def _rss(*items: str, channel: str = "<title>T</title><link>https://example.org/</link>") -> bytes:
    entries = "".join(f"<item>{item}</item>" for item in items)
    return f'<rss version="2.0" {NAMESPACES}><channel>{channel}{entries}</channel></rss>'.encode()


def _atom(*entries: str, head: str = "<title>T</title>") -> bytes:
    inside = "".join(f"<entry>{entry}</entry>" for entry in entries)
    return f'<feed xmlns="http://www.w3.org/2005/Atom">{head}{inside}</feed>'.encode()


def _one(item: str) -> Entry:
    (entry,) = parse(_rss(item), url=URL).entries
    return entry


def _one_atom(entry: str, head: str = "<title>T</title>") -> Entry:
    (found,) = parse(_atom(entry, head=head), url=URL).entries
    return found


# Titles


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("A &amp; B", "A & B"),
        ("AT&amp;amp;T", "AT&T"),
        ("a &lt; b", "a < b"),
        ("C++ &lt;vector&gt; &amp;amp; more", "C++ <vector> & more"),
        ("&amp;lt;b&amp;gt;", "<b>"),
        ("An &lt;em&gt;italic&lt;/em&gt; word", "An italic word"),
        ("An <em>italic</em> word", "An italic word"),
        ("<![CDATA[Tom &#8217;s &amp; Jerry]]>", "Tom ’s & Jerry"),
        ("  on\n two  lines ", "on two lines"),
        ("Project News:IBM Silk Routes", "Project News:IBM Silk Routes"),
        ("caf&#233; &#x27;x&#39;", "café 'x'"),
        ("", ""),
    ],
)
def test_title_of_rss(title: str, expected: str) -> None:
    assert _one(f"<title>{title}</title>").title == expected


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("<title>A &amp;amp; B &lt;b&gt;</title>", "A &amp; B <b>"),
        ('<title type="html">A &amp;amp; &lt;b&gt;B&lt;/b&gt;</title>', "A & B"),
        (
            '<title type="xhtml"><b xmlns="http://www.w3.org/1999/xhtml">1 &lt; 2</b></title>',
            "1 < 2",
        ),
    ],
)
def test_title_of_atom_says_what_it_is(title: str, expected: str) -> None:
    assert _one_atom(title).title == expected


def test_media_title_does_not_replace_the_title() -> None:
    assert _one("<title>Own</title><media:title>Other</media:title>").title == "Own"


def test_very_long_title_is_shortened() -> None:
    assert len(_one(f"<title>{'word ' * 1000}</title>").title) <= 1000


# Bodies


def test_every_text_is_kept_once_with_the_lead_first() -> None:
    entry = _one(
        "<content:encoded>&lt;p&gt;The content.&lt;/p&gt;</content:encoded>"
        "<description>The lead of...</description><itunes:summary>The content.</itunes:summary>"
        "<media:description>Of the picture</media:description>"
    )
    assert sorted(entry.body.split("\n\n")) == ["Of the picture", "The content.", "The lead of..."]
    assert entry.body.startswith("The lead of...")


def test_plain_text_is_not_read_as_html() -> None:
    assert _one_atom("<content>a &lt;b&gt; c &amp;amp; d</content>").body == "a <b> c &amp; d"


def test_picture_in_base64_is_no_text() -> None:
    assert _one_atom('<content type="image/png">iVBORw0KGgoAAAANSUhEUg==</content>').body == ""


def test_source_of_an_entry_lends_it_no_text() -> None:
    entry = _one_atom("<title>E</title><source><title>S</title><subtitle>Sub</subtitle></source>")
    assert (entry.title, entry.body) == ("E", "")


def test_very_long_body_is_cut_with_a_warning() -> None:
    feed = parse(_rss(f"<description>{'word ' * 300_000}</description>"), url=URL)
    assert len(feed.entries[0].body) <= 1_000_000
    assert feed.warnings == (
        "1 of its texts were cut after 1,000,000 characters (8,000,000 of HTML)",
    )


# Dates


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Fri, 11 Sep 2020 10:00:17 +0200", "2020-09-11T08:00:17"),
        ("Fri, 11 Sep 2020 10:00:17 CEST", "2020-09-11T08:00:17"),
        ("Fri, 11 Sep 2020 10:00 EST", "2020-09-11T15:00:00"),
        ("Fri, 11 Sep 2020 10:00:17 GMT+02:00", "2020-09-11T08:00:17"),
        ("Fri, 11 Sep 2020 10:00:17 +0200 (CEST)", "2020-09-11T08:00:17"),
        ("11 Sep 20 10:00:17 GMT", "2020-09-11T10:00:17"),
        ("Fri, 11 Sep 2020 24:00:00 GMT", "2020-09-12T00:00:00"),
        ("Fri, 11 Sep 2020 23:59:60 GMT", "2020-09-11T23:59:59"),
        ("September 11, 2020 3:04 PM", "2020-09-11T15:04:00"),
        ("Fri Sep 11 10:00:17 UTC 2020", "2020-09-11T10:00:17"),
        ("1598954400", "2020-09-01T10:00:00"),
        ("1598954400000", "2020-09-01T10:00:00"),
        ("20200901100000", "2020-09-01T10:00:00"),
        ("2020", "2020-01-01T00:00:00"),
        ("2020-09", "2020-09-01T00:00:00"),
        ("2020-9-1", "2020-09-01T00:00:00"),
        ("20200901T1000Z", "2020-09-01T10:00:00"),
        ("2020-09-01T10:00:00.123456789+02:00", "2020-09-01T08:00:00"),
        ("2020-09-01 10:00:00 CEST", "2020-09-01T08:00:00"),
        ("2020-W36-2", "2020-09-01T00:00:00"),
        ("2020-245", "2020-09-01T00:00:00"),
        ("25/12/2019", "2019-12-25T00:00:00"),
        ("12/25/2019", "2019-12-25T00:00:00"),
        ("25.12.2019, 14:30 Uhr", "2019-12-25T14:30:00"),
        ("11-09-2020", "2020-09-11T00:00:00"),
        ("2020/09/01 10:00", "2020-09-01T10:00:00"),
        ("Mo, 1. März 2021 08:00:00 +0100", "2021-03-01T07:00:00"),
        ("Di, 03 Dez 2019 12:00:00 MEZ", "2019-12-03T11:00:00"),
        ("Mer, 05 Fév 2020 10:00:00 +0100", "2020-02-05T09:00:00"),
        ("mar., 5 mai 2020 à 10h30", "2020-05-05T10:30:00"),
        ("1er août 2020", "2020-08-01T00:00:00"),
        ("11 de septiembre de 2020", "2020-09-11T00:00:00"),
        ("11 сентября 2020 10:00", "2020-09-11T10:00:00"),
        ("2020년 9월 11일 오후 3:04:05", "2020-09-11T15:04:05"),
        ("2020年9月11日 下午3:04", "2020-09-11T15:04:00"),
        ("Δευ, 11 Ιουλ 2016 16:01:52 +0300", "2016-07-11T13:01:52"),
        ("26-FEB-1987 15:01:01.79", "1987-02-26T15:01:01"),
    ],
)
def test_date(text: str, expected: str) -> None:
    date = dates.parse(text)
    assert date is not None
    assert date.tzinfo is UTC
    assert date.replace(tzinfo=None).isoformat() == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "tomorrow", "30 Feb 2020", "Sun, 30 Feb 2025 10:00:00 GMT", "2025-02-30"),
        *("Thu, 01 Jan 1970 00:00:00 GMT", "0000-00-00T00:00:00Z", "-0001-11-30T00:00:00+00:00"),
        *("Mon, 01 Jul 2999 10:00:00 GMT", "Fri, 11 Sep 2020 25:00:00 GMT", "9" * 10),
        *("Fri, 11 Sep 2020 10:00:17 +2400", "1" * 5000, "32/13/2020", "2020-13-01", "12:30"),
    ],
)
def test_no_date(text: str) -> None:
    assert dates.parse(text) is None


def test_a_date_may_lie_a_day_ahead() -> None:
    now = datetime(2020, 9, 11, 12, tzinfo=UTC)
    assert dates.parse("2020-09-12T11:59:00Z", now) is not None
    assert dates.parse("2020-09-12T12:01:00Z", now) is None


@settings(max_examples=200, deadline=None)
@given(st.integers(100_000_000, 1_767_225_600), st.integers(-12 * 60, 14 * 60))
def test_every_moment_is_read_back(seconds: int, minutes: int) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    sign, (hours, rest) = "+-"[minutes < 0], divmod(abs(minutes), 60)
    local = datetime.fromtimestamp(seconds + minutes * 60, UTC)
    zone = f"{sign}{hours:02}{rest:02}"
    assert dates.parse(f"{local:%a, %d %b %Y %H:%M:%S} {zone}") == moment
    assert dates.parse(f"{local:%Y-%m-%dT%H:%M:%S}{zone}") == moment
    assert dates.parse(str(seconds)) == moment


@settings(max_examples=300, deadline=None)
@given(st.text("0123456789:-+/. TZtazmrsepdfév年월", max_size=40) | st.text(max_size=40))
def test_any_text_is_a_date_or_none(text: str) -> None:
    date = dates.parse(text)
    assert date is None or date >= dates.EARLIEST


def test_published_and_updated_each_have_their_own_element() -> None:
    entry = _one("<pubDate>Fri, 11 Sep 2020 10:00:17 +0200</pubDate>")
    assert (entry.published is not None, entry.updated) == (True, None)
    entry = _one_atom("<updated>2020-09-11T10:00:00Z</updated>")
    assert (entry.published, entry.updated) == (None, datetime(2020, 9, 11, 10, tzinfo=UTC))
    entry = _one("<dc:date>2020-09-11</dc:date>")
    assert (entry.published, entry.updated) == (datetime(2020, 9, 11, tzinfo=UTC), None)
    assert _one("<title>x</title>").date is None


# People, tags, files, links, languages


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("<author>ada@example.org (Ada)</author>", ("Ada",)),
        ("<author>Ada &lt;ada@port.example&gt;</author>", ("Ada",)),
        ("<author>ada@example.org</author>", ("ada@example.org",)),
        ("<dc:creator>Ada</dc:creator><dc:creator>Bo</dc:creator>", ("Ada", "Bo")),
        ("<dc:creator>Ada</dc:creator><author>ada</author>", ("Ada",)),
        ("<itunes:author>A &amp;amp; B</itunes:author>", ("A & B",)),
        ("<author> </author>", ()),
        ("", ()),
    ],
)
def test_authors(item: str, expected: tuple[str, ...]) -> None:
    assert _one(item).authors == expected


def test_authors_of_an_atom_feed_are_those_of_entries_without() -> None:
    author = "<author><name>{}</name><email>a@b.example</email></author>"
    assert _one_atom("<title>x</title>", head=author.format("Ada")).authors == ("Ada",)
    assert _one_atom(author.format("Bo"), head=author.format("Ada")).authors == ("Bo",)


def test_tags() -> None:
    entry = _one(
        "<category>a, b</category><category> a,  b </category><category>C</category>"
        "<dc:subject>c</dc:subject><category/>"
    )
    assert entry.tags == ("a, b", "C")
    assert len(_one("".join(f"<category>c{n}</category>" for n in range(100))).tags) == 64
    assert _one_atom('<category term="t" label="L"/><category label="M"/>').tags == ("t", "M")


def test_enclosures() -> None:
    entry = _one(
        '<enclosure url="/a.mp3" length="12" type="audio/mpeg"/><enclosure url="/a.mp3"/>'
        '<enclosure url="javascript:x" length="1"/>'
        '<enclosure url="https://b.example/b" length="?"/>'
        '<media:content url="https://b.example/c.jpg" fileSize="7" type="image/jpeg"/>'
    )
    assert entry.enclosures == (
        Enclosure("https://example.org/a.mp3", "audio/mpeg", 12),
        Enclosure("https://b.example/b", "", None),
        Enclosure("https://b.example/c.jpg", "image/jpeg", 7),
    )
    assert entry.link == ""


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("<link>/a b</link>", "https://example.org/a%20b"),
        ("<link>https://a.example//x/?b=1&amp;c=2#d</link>", "https://a.example//x/?b=1&c=2#d"),
        ("<link>javascript:alert(1)</link>", ""),
        ("<link>https://a.example/\u202ex\n</link>", "https://a.example/x"),
        ("<guid>https://a.example/g</guid>", "https://a.example/g"),
        ("<guid>123</guid>", ""),
        ('<guid isPermaLink="false">https://a.example/g</guid>', ""),
        ("<link>https://a.example/l</link><guid>https://a.example/g</guid>", "https://a.example/l"),
        ("<link/>", ""),
    ],
)
def test_link(item: str, expected: str) -> None:
    assert _one(item).link == expected


def test_link_of_atom_prefers_a_page() -> None:
    link = '<link rel="{}" type="{}" href="https://a.example/{}"/>'
    entry = _one_atom(
        link.format("edit", "text/html", "edit")
        + link.format("alternate", "application/pdf", "pdf")
        + link.format("alternate", "text/html", "page")
    )
    assert entry.link == "https://a.example/page"
    assert _one_atom(link.format("alternate", "application/pdf", "pdf")).link.endswith("/pdf")


@pytest.mark.parametrize(
    "link", ["https://[", "http://", "//x y", "ftp://a/", "http://a/" + "x" * 9000]
)
def test_link_that_is_none(link: str) -> None:
    assert safe_link(link) == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HTTP://A.example:80/x", "http://a.example/x"),
        ("https://a.example", "https://a.example/"),
        ("https://a.example//x///y", "https://a.example/x/y"),
        ("https://a.example/x?utm_source=rss&b=1&UTM_medium=f#top", "https://a.example/x?b=1"),
    ],
)
def test_normalised_link(one: str, other: str) -> None:
    assert normalised_link(one) == normalised_link(other)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30) | st.text(":/?#[]@aé%. \t", max_size=30).map("http://".__add__))
def test_any_link_is_safe_or_empty(link: str) -> None:
    safe = safe_link(link, "https://base.example/")
    assert safe == "" or safe.lower().startswith(("http://", "https://"))
    assert not any(character.isspace() for character in safe)
    assert normalised_link(normalised_link(safe)) == normalised_link(safe)


def test_language_of_the_entry_stands_above_that_of_the_feed() -> None:
    head = "<title>T</title>"
    data = _atom(
        "<title>a</title>", '<title xml:lang="DE">b</title>', "<summary>c</summary>", head=head
    ).replace(b"<feed", b'<feed xml:lang="fr_CA"')
    assert [entry.language for entry in parse(data, url=URL).entries] == ["fr-ca", "de", "fr-ca"]
    channel = "<title>T</title><language>en_GB</language>"
    feed = parse(
        _rss("<dc:language>es</dc:language>", "<title>x</title>", channel=channel), url=URL
    )
    assert (feed.language, [entry.language for entry in feed.entries]) == ("en-gb", ["es", "en-gb"])
    assert (
        parse(_rss("<title>x</title>"), url=URL, headers={"Content-Language": "it"}).language
        == "it"
    )


# Identity


def test_identity_of_a_feed() -> None:
    own = '<title>T</title><link>https://h.example/</link><atom:link rel="self" href="{}"/>'
    data = _rss("<title>x</title>", channel=own.format("https://own.example/feed"))
    assert parse(data, url=URL).url == URL
    assert parse(data, url="saved.xml").url == "https://own.example/feed"
    data = _rss("<title>x</title>", channel=own.format("file:///tmp/x"))
    assert parse(data, url="saved.xml").url == "https://h.example/#T"
    data = _rss("<title>x</title>", channel="<title>T</title>")
    assert parse(data, url="saved.xml").url == "saved.xml"


def _ids(*items: str) -> list[str]:
    return [entry.id for entry in parse(_rss(*items), url=URL).entries]


def test_identity_of_an_entry() -> None:
    guid, link = "<guid>g</guid>", "<link>https://a.example/{}</link>"
    assert _ids(guid + "<title>a</title>") == _ids(guid + "<title>b</title>" + link.format("x"))
    assert _ids(link.format("x") + "<title>a</title>") == _ids(link.format("/x?utm_source=y"))
    dated = "<pubDate>Fri, 11 Sep 2020 10:00:17 GMT</pubDate><title>{}</title>"
    assert _ids(dated.format("a") + "<description>x</description>") == _ids(dated.format("a"))
    assert _ids(dated.format("a")) != _ids(dated.format("b"))
    bodies = [f"<description>{text}</description>" for text in "ab"]
    assert len(set(_ids(*bodies))) == 2
    assert (
        parse(_rss(guid), url=URL).entries[0].id != parse(_rss(guid), url=f"{URL}2").entries[0].id
    )


def test_same_guid_with_other_links_is_another_entry() -> None:
    items = [f"<guid>same</guid><link>https://a.example/{n}</link>" for n in range(3)]
    assert len(set(_ids(*items))) == 3


def test_of_duplicates_the_newest_is_kept_in_the_place_of_the_first() -> None:
    item = "<guid>{}</guid><title>{}</title><pubDate>Fri, {:02} Sep 2020 10:00:17 GMT</pubDate>"
    feed = parse(
        _rss(item.format("a", "old", 1), item.format("b", "b", 2), item.format("a", "new", 3)),
        url=URL,
    )
    assert [entry.title for entry in feed.entries] == ["new", "b"]


# Documents


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \r\n\x00", "empty"),
        (b"\x1f\x8b\x08\x00", "compressed"),
        (b"<!DOCTYPE html><html><p>Hello", "an HTML page, not a feed"),
        (b"\n<!-- x -->\n<HTML><head>", "an HTML page, not a feed"),
        (
            b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>',
            "HTML page, not a feed",
        ),
        (b"Dear Sir or Madam,", "not a feed"),
        (b"%PDF-1.7 \xff\xfe", "not a feed"),
        (b"<catalog><book/></catalog>", "not a feed: its outermost element is <catalog>"),
        (b'<opml version="2.0"><body/></opml>', "list of feeds"),
        (b"<urlset/>", "sitemap"),
        (b"<<<>>>", "not read, because there is no element in it"),
    ],
)
def test_what_is_no_feed(data: bytes, reason: str) -> None:
    with pytest.raises(ParseError, match=reason) as caught:
        parse(data, url="folder/x.xml")
    assert caught.value.source == "folder/x.xml"
    assert str(caught.value).startswith("folder/x.xml: ")


def test_a_feed_without_entries_is_a_feed() -> None:
    assert parse(_rss(), url=URL).entries == ()
    assert parse(_atom(), url=URL).title == "T"


FIVE = [f"<title>Entry {n}</title><link>https://a.example/{n}</link>" for n in range(5)]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.replace(b"Entry 2", b"Entry & 2"),
        lambda data: data.replace(b"</channel></rss>", b"<item><title>cut o"),
        lambda data: data.replace(b"Entry 2", b"Entry <b>2"),
        lambda data: data.replace(b"<item>", b"<item><x:y>z</x:y>", 1),
        lambda data: data.replace(b"Entry 2", b"Entry&nbsp;2"),
        lambda data: data.replace(b"</item><item>", b"<item>", 1),
        lambda data: data.replace(b"<item>", b"<item a=b c>", 1),
        lambda data: data + b"</rss><script>junk</script>",
        lambda data: b"Warning: PHP in <b>line</b> 3\n" + data,
        lambda data: data.replace(b"<item>", b"<item <", 1),
        lambda data: data.replace(b"Entry 2", b"Entry \xff 2"),
        lambda data: b'<?xml version="1.0" encoding="none"?>' + data,
    ],
)  # fmt: skip
def test_broken_feed_keeps_its_entries_with_one_warning(damage: object) -> None:
    feed = _damaged(damage)
    titles = [entry.title for entry in feed.entries if entry.title.startswith("Entry")]
    assert len(titles) == 5
    assert [entry.link for entry in feed.entries][:5] == [
        f"https://a.example/{n}" for n in range(5)
    ]
    assert len(feed.warnings) == 1


def _damaged(damage: object) -> Feed:
    assert callable(damage)
    return parse(damage(_rss(*FIVE)), url=URL)


def test_namespace_declared_in_every_entry_is_one() -> None:
    div = '<div xmlns="http://www.w3.org/1999/xhtml">words {}</div>'
    contents = [f'<content type="xhtml">{div.format(n)}</content>' for n in range(1500)]
    assert len(parse(_atom(*contents), url=URL).entries) == 1500


def test_entities_of_the_doctype_and_of_html_are_resolved() -> None:
    prolog = b'<!DOCTYPE rss [<!ENTITY own "Own &#38; name"><!ENTITY w "World">]>'
    item = "<title>&w;&copy;&unknown;</title><link>https://a.example/?&QUOT;b&amp;c</link>"
    (entry,) = parse(prolog + _rss(item), url=URL).entries
    assert entry.title == "World©&unknown;"
    assert entry.link == 'https://a.example/?"b&c'


@pytest.mark.parametrize(
    ("codec", "declared"),
    [
        *(("latin-1", name) for name in ("iso-8859-1", "ISO_8859-1", "windows-1252")),
        *((codec, codec) for codec in ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32")),
        *(("cp1252", ""), ("utf-8-sig", ""), ("mac-roman", "macintosh"), ("cp037", "cp037")),
    ],
)
def test_encoding(codec: str, declared: str) -> None:
    prolog = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    text = prolog + _rss("<title>Crème brûlée</title>").decode()
    (entry,) = parse(text.encode(codec), url=URL).entries
    assert entry.title == "Crème brûlée"


@pytest.mark.parametrize("kind", ["rss", "json"])
def test_relative_links_start_from_where_the_document_lies(kind: str) -> None:
    data = (
        _rss("<title>x</title><link>a/1</link>")
        if kind == "rss"
        else b'{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": 1, "url": "a/1"}]}'
    )
    headers = {"Content-Location": "https://cdn.example/news/feed"}
    feed = parse(data, url=URL, headers=headers)
    assert (feed.url, feed.entries[0].link) == (URL, "https://cdn.example/news/a/1")
    # One that cannot be meant is as good as none.
    other = parse(data, url=URL, headers={"content-location": "ftp://x.example/"})
    assert other.entries[0].link == parse(data, url=URL).entries[0].link != ""


@pytest.mark.parametrize(
    ("codec", "declared", "word"),
    [
        *(
            ("shift_jis", "Shift_JIS", "東京"),
            ("euc_jp", "EUC-JP", "東京"),
            ("gbk", "gb2312", "北京"),
        ),
        *(("big5", "Big5", "臺北"), ("euc_kr", "euc-kr", "서울"), ("koi8-r", "koi8-r", "Москва")),
        *(("cp1251", "windows-1251", "Москва"), ("iso8859-7", "ISO-8859-7", "Αθήνα")),
        *(("iso8859-8", "iso-8859-8", "ירושלים"), ("cp874", "tis-620", "กรุงเทพ")),
        *(("iso2022_jp", "iso-2022-jp", "東京"), ("iso8859-2", "iso-8859-2", "Łódź")),
    ],
)
def test_encoding_of_other_scripts(codec: str, declared: str, word: str) -> None:
    text = f'<?xml version="1.0" encoding="{declared}"?>' + _rss(f"<title>{word}</title>").decode()
    (entry,) = parse(text.encode(codec), url=URL).entries
    assert entry.title == word
    headers = {"Content-Type": f"application/rss+xml; charset={declared}"}
    (entry,) = parse(
        _rss(f"<title>{word}</title>").decode().encode(codec), url=URL, headers=headers
    ).entries
    assert entry.title == word


def test_encoding_that_lies() -> None:
    assert read("café".encode(), {"content-type": "text/xml; charset=ascii"}) == ("café", "")
    text, problem = read(b"caf\xe9 \x93x\x94", {})
    assert (text, problem != "") == ("café “x”", True)
    assert read(b"x", {"content-type": "text/xml; charset=utf-7"}) == ("x", "")


def test_importing_the_package_loads_neither_feedparser_nor_html2text() -> None:
    program = (
        "import sys, searchfeed.feeds; "
        "sys.exit(bool({'feedparser', 'html2text', 'xml'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


SHARED = Path(__file__).parents[2] / "shared" / "feeds"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real feeds are not here")
def test_lead_that_stands_only_in_the_description() -> None:
    feed = parse((SHARED / "icmpd-news.xml").read_bytes(), url="icmpd-news.xml")
    assert (feed.url, len(feed.entries)) == ("https://www.icmpd.org/#www.icmpd.org", 10)
    assert feed.warnings == ()
    first = feed.entries[0]
    assert first.body.startswith(
        "On 10 September, the Ministry of Labour, Migration and Employment of Population of the "
        "Republic of...\n\nThe MOU will become the cornerstone"
    )
    assert first.link.startswith("https://www.icmpd.org//news-centre/")
    assert first.published == datetime(2020, 9, 11, 8, 0, 17, tzinfo=UTC)
    assert any(entry.title.startswith("Project News:IBM Silk Routes") for entry in feed.entries)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real feeds are not here")
def test_lead_that_the_content_repeats() -> None:
    feed = parse((SHARED / "reuters" / "reuters-01.xml").read_bytes(), url="reuters-01.xml")
    assert len(feed.entries) == 1000
    assert feed.entries[0].body.count("Showers continued throughout the week") == 1
    assert all(entry.date and entry.date.year == 1987 for entry in feed.entries)


# How long a feed asks to be left alone


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", None),
        ("<ttl>60</ttl>", timedelta(hours=1)),
        ("<ttl>\n 15 </ttl>", timedelta(minutes=15)),
        ("<ttl>0</ttl>", None),
        ("<ttl>-5</ttl>", None),
        ("<ttl>soon</ttl>", None),
        ("<ttl>٣</ttl>", None),
        (f"<ttl>{'9' * 5000}</ttl>", timedelta(weeks=1)),
        ("<sy:updatePeriod>hourly</sy:updatePeriod>", timedelta(hours=1)),
        (
            "<sy:updatePeriod>\tDaily\n</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>",
            timedelta(hours=6),
        ),
        (
            "<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>",
            timedelta(days=1),
        ),
        ("<sy:updatePeriod>yearly</sy:updatePeriod>", timedelta(weeks=1)),
        ("<sy:updatePeriod>often</sy:updatePeriod>", None),
        ("<sy:updateFrequency>2</sy:updateFrequency>", None),
        ("<ttl>30</ttl><sy:updatePeriod>hourly</sy:updatePeriod>", timedelta(hours=1)),
        ("<item><title>x</title><ttl>60</ttl></item>", None),
    ],
)
def test_how_long_a_feed_asks_to_be_left_alone(said: str, expected: timedelta | None) -> None:
    namespace = "http://purl.org/rss/1.0/modules/syndication/"
    data = (
        f"<rss version='2.0' xmlns:sy='{namespace}'><channel><title>T</title>{said}</channel></rss>"
    )
    assert parse(data.encode(), url=URL).ttl == expected
