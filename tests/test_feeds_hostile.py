"""Documents made to exhaust, mislead or break whoever reads them.

Each ends quickly, in entries or in a `ParseError`. What html2text alone could be made to suffer is
in ``test_feeds_text.py``.
"""

from __future__ import annotations

import re
import time
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from searchfeed.errors import ParseError
from searchfeed.feeds import parse
from searchfeed.models import Feed

SECONDS = 5
MEGABYTES = 300


def _rss(entries: str, prolog: str = '<?xml version="1.0"?>') -> bytes:
    channel = f"<channel><title>T</title><link>https://e.org/</link>{entries}</channel>"
    return f'{prolog}<rss version="2.0">{channel}</rss>'.encode()


def _item(more: str = "", title: str = "x") -> str:
    return f"<item><title>{title}</title><guid>1</guid>{more}</item>"


def _atom(content: str) -> bytes:
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>x</title><content type="xhtml">'
        f"{content}</content></entry></feed>"
    ).encode()


ENTITY = f'<!DOCTYPE r [<!ENTITY a "{"A" * 50_000}">]>'
LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
CUT = _rss(_item())[:-20]

READ: dict[str, bytes] = {
    "quadratic entity": _rss(_item(title="&a;" * 20_000), ENTITY),
    "quadratic entity, malformed": _rss(_item(title="&a;" * 20_000), ENTITY)[:-30],
    "billion laughs": _rss(_item(title="&a9;"), f'<!DOCTYPE r [<!ENTITY a0 "ha">{LAUGHS}]>'),
    "external entity": _rss(
        _item(title="&f;"), '<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    ),
    "external doctype": _rss(_item(), '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd">'),
    "entity used often": _rss(
        f"<item><title>x</title><description>{'&a;' * 100_000}</description></item>",
        f'<!DOCTYPE r [<!ENTITY a "{"A" * 64}">]>',
    ),
    "leading newlines": b"\n" * 200_000 + _rss(_item()),
    "encoding= repeated": b"<?xml " + b'encoding="encoding=' * 20_000 + _rss(_item()),
    "author": _rss(_item(f"<author>{'a@' * 100_000}</author>")),
    "author with dots": _rss(_item(f"<author>{'a.' * 100_000}</author>")),
    "many categories": _rss(_item("".join(f"<category>{n}</category>" for n in range(10_000)))),
    "many authors": _rss(_item("".join(f"<author>n{n}</author>" for n in range(10_000)))),
    "many descriptions": _rss(
        _item("".join(f"<description>word {n}</description>" for n in range(10_000)))
    ),
    "depth, malformed": CUT + b"<a>" * 100_000,
    "unfinished tags": CUT + b"<a" * 100_000,
    "references": _rss(
        _item(
            "<description>&#99999999; &#xD800; &#0; &#27;[31m &#"
            f"{'9' * 5000}; &#x{'f' * 5000};</description>"
        )
    ),
    "undefined encoding": _rss(_item(), '<?xml version="1.0" encoding="undefined"?>'),
    "punycode encoding": _rss(_item(), '<?xml version="1.0" encoding="punycode"?>'),
    "NUL in a name": _rss(_item()).replace(b"<guid>", b"<gu\0id>"),
    "0xFF in a name": _rss(_item()).replace(b"<guid>", b"<gu\xffid>"),
    "megabyte title": _rss(_item(title="word " * 200_000)),
    "megabyte link": _rss(_item(f"<link>https://e.org/{'a' * 1_000_000}</link>")),
    "megabyte date": _rss(_item(f"<pubDate>{'1' * 1_000_000}</pubDate>")),
    "megabyte language": _rss(f"<language>{'en-' * 300_000}</language>{_item()}"),
    "blank pieces": _atom("<!-- -->\n" * 100_000),
    "comments": _rss("<!-- x -->" * 100_000 + _item()),
    "open comments": _rss("<!--" * 100_000 + _item()),
    "instructions": _rss("<?x ?>" * 100_000 + _item()),
    "open instructions": _rss("<?" * 100_000 + _item()),
    "doctypes": b"<!DOCTYPE a [" * 50_000 + b">" + _rss(_item(), ""),
    "open CDATA": _rss(_item(f"<description>{'<![CDATA[' * 50_000}")),
    "stray <": CUT + b"<" * 200_000,
    "stray quotes": CUT + b"<a \"<a' " * 50_000,
    "attributes": CUT + b"<a " + b'b="c" ' * 50_000 + b">",
    "stray end tags": CUT + b"<b>" * 150 + b"</c>" * 200_000,
    "raw sequences": _rss(_item(f"<description>{chr(0x9D)}0;x</description>" * 50)),
}

REFUSED: dict[str, tuple[bytes, str]] = {
    "depth": (_rss(_item("<a>" * 50_000 + "</a>" * 50_000)), "nested more than 200 deep"),
    "depth, cut off": (_rss(_item("<a>" * 100_000)), "nested more than 200 deep"),
    "elements": (_rss("<a/>" * 250_000), "more than 1[0-9,]* elements"),
    "entries": (_rss("<item><title>x</title></item>" * 110_000), "more than 1[0-9,]* elements"),
    "namespaces": (
        _rss(_item()).replace(
            b"<channel>",
            ("<channel " + " ".join(f'xmlns:a{n}="u{n}"' for n in range(20_000)) + ">").encode(),
        ),
        "more than 1,000 namespaces",
    ),
    "namespaces times elements": (
        _rss("<a0:b/>" * 30_000).replace(
            b"<channel>",
            ("<channel " + " ".join(f'xmlns:a{n}="u{n}"' for n in range(900)) + ">").encode(),
        ),
        "too many namespaces",
    ),
}


def _timed(data: bytes) -> Feed:
    start = time.perf_counter()
    try:
        return parse(data, url="hostile.xml")
    finally:
        assert time.perf_counter() - start < SECONDS


def _outcome(data: bytes) -> tuple[Feed | None, ParseError | None]:
    try:
        return parse(data, url="any"), None
    except ParseError as error:
        return None, error


@pytest.mark.parametrize("name", READ)
def test_is_read_in_time(name: str) -> None:
    feed = _timed(READ[name])
    assert len(feed.entries) == 1
    assert len(feed.warnings) <= 2


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_in_time(name: str) -> None:
    data, reason = REFUSED[name]
    with pytest.raises(ParseError, match=reason):
        _timed(data)


@pytest.mark.parametrize(
    "name", ["quadratic entity", "entity used often", "megabyte title", "doctypes"]
)
def test_memory_is_bounded(name: str) -> None:
    parse(_rss(_item()), url="warm.xml")
    tracemalloc.start()
    try:
        parse(READ[name], url="hostile.xml")
        assert tracemalloc.get_traced_memory()[1] < MEGABYTES * 1_000_000
    finally:
        tracemalloc.stop()


def test_entities_reach_no_file_and_do_not_grow() -> None:
    for name in ("external entity", "quadratic entity", "billion laughs"):
        (entry,) = parse(READ[name], url="hostile.xml").entries
        assert "root:" not in entry.title
        assert "AA" not in entry.title
        assert "haha" not in entry.title


def test_a_namespace_with_a_space_in_its_name_costs_nothing() -> None:
    # XML lets it pass, and expat calls it a syntax error.
    for name in (" http://purl.org/dc/elements/1.1/", "http://purl.org/dc/elements/1.1/\n"):
        data = _rss(_item("<dc:creator>Ann</dc:creator>")).replace(
            b"<rss", f'<rss xmlns:dc="{name}"'.encode()
        )
        (entry,) = parse(data, url="space.xml").entries
        assert entry.authors == ("Ann",)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_end_in_a_feed_or_a_parse_error(data: bytes) -> None:
    for prefix in (b"", b"<rss><channel><item><title>", b"<?xml version='1.0'?><feed>", b"{"):
        _, error = _outcome(prefix + data)
        assert "\n" not in str(error)


PIECES = st.sampled_from(
    [
        *("<rss version='2.0'>", "<channel>", "<item>", "</item>", "<title>", "</title>", "<a>"),
        *("<description>", "</description>", "<content type='xhtml'>", "<guid>", "<link>", "<p>"),
        *("<![CDATA[", "]]>", "<!--", "-->", "<?", "?>", "<!DOCTYPE a [", "]>", "&amp;", "&nbsp;"),
        *("&", "<", ">", "<a:b>", "</a:b>", "<a b='c", "<x y=z>", "&#27;", "&#1;", "text", " "),
        *("<category>", "<author>", "a@b.c", "<pubDate>", "2020", "</channel>", "</rss>", "\x00"),
        *("<feed xmlns='http://www.w3.org/2005/Atom'>", "<div xmlns='http://www.w3.org/1999/xhtml'>"),
        *("<media:content url='x'>", "<itunes:author>", "<source url=''>", "<image>", "xmlns=''"),
    ]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join))
@example("<source url=''><category>]]><source url=''>")
@example("<image><link><rss version='2.0'>")
def test_any_soup_of_tags_ends_in_a_feed_or_a_parse_error(soup: str) -> None:
    feed, error = _outcome(f"<rss><channel>{soup}".encode())
    if feed is None:
        # What feedparser or the mending could not cope with would show here.
        assert not re.search("could not be read|beyond repair", str(error))
        return
    assert len({entry.id for entry in feed.entries}) == len(feed.entries)
    for entry in feed.entries:
        assert "\x1b" not in entry.title + entry.body


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_feed_cut_off_anywhere_keeps_the_entries_before_the_cut(data: st.DataObject) -> None:
    entries = [f"<item><title>T{n}</title><link>https://e.org/{n}</link></item>" for n in range(5)]
    whole = _rss("".join(entries))
    end = data.draw(st.integers(whole.index(b"<item>"), len(whole) - 1))
    feed = parse(whole[:end], url="cut.xml")
    complete = whole[:end].count(b"</item>")
    assert [entry.title for entry in feed.entries][:complete] == [f"T{n}" for n in range(complete)]
    assert len(feed.warnings) == 1
