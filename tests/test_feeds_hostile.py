"""Documents of any bytes, any tags and any length: each ends in entries or in a `ParseError`.

Those made to exhaust whoever reads them are in ``test_hostile.py``; what html2text alone could be
made to suffer is in ``test_feeds_text.py``.
"""

from __future__ import annotations

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from searchfeed.errors import ParseError
from searchfeed.feeds import parse
from searchfeed.models import Feed


def _rss(entries: str, prolog: str = '<?xml version="1.0"?>') -> bytes:
    channel = f"<channel><title>T</title><link>https://e.org/</link>{entries}</channel>"
    return f'{prolog}<rss version="2.0">{channel}</rss>'.encode()


def _item(more: str = "", title: str = "x") -> str:
    return f"<item><title>{title}</title><guid>1</guid>{more}</item>"


def _outcome(data: bytes) -> tuple[Feed | None, ParseError | None]:
    try:
        return parse(data, url="any"), None
    except ParseError as error:
        return None, error


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
