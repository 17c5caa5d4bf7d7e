"""The feeds that a web page announces, and the tags of whatever calls itself one."""

from __future__ import annotations

from html.parser import HTMLParser
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchfeed.sources import markup
from searchfeed.sources.discovery import announced

BASE = "https://example.org/blog/"
RSS, ATOM = "application/rss+xml", "application/atom+xml"


def page(*links: str, start: str = "<!doctype html><html><head><title>T</title>") -> bytes:
    return f"{start}{''.join(links)}</head><body>text</body></html>".encode()


def link(href: str, kind: str = RSS, more: str = 'rel="alternate"') -> str:
    return f'<link {more} type="{kind}" href="{href}">'


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        (link("/feed"), "https://example.org/feed"),
        (link("feed.xml", ATOM), f"{BASE}feed.xml"),
        (link("//feeds.example.net/x"), "https://feeds.example.net/x"),
        (link("http://x.org/?a=1&amp;b=2"), "http://x.org/?a=1&b=2"),
        (link("http://x.org/?a=1&b=2"), "http://x.org/?a=1&b=2"),
        (link("feed:http://x.org/f"), "http://x.org/f"),
        (link(" feed \n"), f"{BASE}feed"),
        (link("f", "application/feed+json"), f"{BASE}f"),
        (link("f", "application/rdf+xml"), f"{BASE}f"),
        (link("f", "Application/RSS+XML; charset=utf-8"), f"{BASE}f"),
        (link("f", "application/x.atom+xml"), f"{BASE}f"),
        (link("f", "text/rss"), f"{BASE}f"),
        (link("feed.json", "application/json"), f"{BASE}feed.json"),
        (link("rss", "text/xml"), f"{BASE}rss"),
        (link("x", "application/xml", 'rel="alternate" title="Our feed"'), f"{BASE}x"),
        (f"<LINK TYPE='{RSS}' HREF='/feed' REL='Alternate'/>", "https://example.org/feed"),
        (f"<link href=/feed rel=alternate type={RSS}>", "https://example.org/feed"),
        (f'<link\n\trel = "home  ALTERNATE"\n type="{RSS}" href="f" >', f"{BASE}f"),
        ('<link rel="feed" href="f">', f"{BASE}f"),
        (f'<a title="1 < 2">x</a><link title="a > b" rel=alternate type={RSS} href=f>', f"{BASE}f"),
        (link("f", more='rel="alternate" rel="stylesheet"'), f"{BASE}f"),
        (link("f", more='rel="alternate stylesheet"'), None),
        (link("f", more='rel="next"'), None),
        (link("f", "text/html"), None),
        (link("f", "application/json+oembed"), None),
        (link("/wp-json/wp/v2/pages/2", "application/json"), None),
        (link("/de/", ""), None),
        (link(""), None),
        (link("javascript:alert(1)"), None),
        (link("data:text/xml,x"), None),
        (link("http://[/"), None),
        (link("http://x.org:99999/"), None),
        (link("/" + "x" * 5000), None),
        (f"<!-- {link('f')} -->", None),
        (f"<script>document.write('{link('f')}')</script>", None),
        (f"<style>{link('f')}</STYLE >{link('g')}", f"{BASE}g"),
        (f"<script>{link('f')}", None),
        (f"<a rel=alternate type={RSS} href=f>", None),
    ],
)
def test_one_announcement(tag: str, expected: str | None) -> None:
    assert announced(page(tag), BASE) == (() if expected is None else (expected,))


def test_the_main_feed_comes_first_and_comments_last() -> None:
    assert announced(
        page(
            link("/api", "application/json", 'rel="alternate" title="JSON feed"'),
            link("/a/feed/", more='rel="alternate" title="A » Kommentar-Feed"'),
            link("/comments/feed/", more='rel="alternate" title="A"'),
            link("/feed/"),
            link("/feed/atom/", ATOM),
            link("/feed/"),
        ),
        BASE,
    ) == tuple(
        f"https://example.org{path}"
        for path in ("/feed/", "/feed/atom/", "/api", "/a/feed/", "/comments/feed/")
    )


def test_the_first_base_counts_wherever_it_stands() -> None:
    links = link("feed"), '<base href="/other/">', '<base href="/third/">'
    assert announced(page(*links), BASE) == ("https://example.org/other/feed",)
    bad = link("feed"), '<base target="_top">', '<base href="javascript:x">'
    assert announced(page(*bad), BASE) == (f"{BASE}feed",)


@pytest.mark.parametrize("base", ["", "/home/me/page.html", "page.html"])
def test_a_file_knows_its_address_from_itself(base: str) -> None:
    assert announced(page(link("feed")), base) == ()
    assert announced(page(link("feed"), link("http://x.org/f")), base) == ("http://x.org/f",)
    canonical = '<link rel="canonical" href="https://example.org/blog/1">'
    assert announced(page(link("feed"), canonical), base) == (f"{BASE}feed",)
    based = f'<base href="{BASE}">'
    assert announced(page(based, link("feed"), canonical), base) == (f"{BASE}feed",)


@pytest.mark.parametrize(
    "start",
    [
        "",
        "text before <head>",
        "<!-- x --><html>",
        '<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "x.dtd">',
        "<meta charset=utf-8>",
        "<body>",
    ],
)
def test_how_pages_begin(start: str) -> None:
    data = page(link("/feed"), start=start)
    assert announced(data, BASE) == ("https://example.org/feed",)
    assert announced(data.decode().encode("utf-16"), BASE) == ("https://example.org/feed",)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"plain text",
        b"\xff\xfe\0",
        f'<feed xmlns="http://www.w3.org/2005/Atom">{link("/feed")}</feed>'.encode(),
        f"<rss><channel>{link('/feed')}</channel></rss>".encode(),
        f"<opml>{link('/feed')}</opml>".encode(),
    ],
)
def test_what_is_no_page(data: bytes) -> None:
    assert announced(data, BASE) == ()


def test_a_page_announces_so_many_at_most() -> None:
    assert len(announced(page(*(link(f"/{number}") for number in range(500))), BASE)) == 32


@pytest.mark.parametrize(
    "unit",
    [
        "<link ",
        "<a ",
        "<![",
        "<!--",
        "<script>",
        "</script",
        "<style></style",
        "&#" + "9" * 5000,
        "<link rel='",
        "<link \"'",
        '<link " " "',
        "<link a=" + "b" * 999,
        "<link " + "a " * 999 + ">",
        link("f", more='rel="next"'),
        link("/feed") + "\n",
        "<",
        "<div>",
        "\n",
    ],
)
def test_hostile_pages_cost_little(unit: str) -> None:
    data = page(unit * (3_000_000 // len(unit)))
    started = process_time()
    assert len(announced(data, BASE)) <= 1
    # It takes a tenth of this; CI is slow and busy.
    assert process_time() - started < 5


CHARACTERS = "<>/!-?[]'\"=&; \né\0"
PIECES = (
    "--",
    "&amp;",
    "&#",
    "link",
    "base",
    "script",
    "html",
    "rel",
    "href",
    "alternate",
    RSS,
    "/f",
)
OPENERS = ("<link ", "<!--", "-->", "<script>", "</script>", "<![CDATA[", "]]>")
pieces = st.sampled_from([*CHARACTERS, *PIECES, *OPENERS])


@given(st.lists(pieces, max_size=40).map("".join) | st.text(max_size=40), st.text(max_size=9))
@settings(max_examples=300, deadline=None)
def test_nothing_is_ever_raised(text: str, base: str) -> None:
    data = f"<html>{text}{link('/f')}".encode(errors="replace")
    for url in announced(data, base):
        assert url.startswith(("http://", "https://"))


class Links(HTMLParser):
    """What the parser of Python's library sees."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "link":
            self.seen.append({name: value or "" for name, value in reversed(attrs)})


words = st.text(st.sampled_from("ab<>&;=é'/ \n"), max_size=8)
names = st.sampled_from(["rel", "HREF", "Title", "x-y"])
attributes = st.lists(
    st.builds('{}="{}"'.format, names, words)
    | st.builds("{} = '{}'".format, names, words.map(lambda text: text.replace("'", '"')))
    | st.builds("{}={}".format, names, st.text(st.sampled_from("ab/&;?é"), min_size=1, max_size=6))
    | names,
    max_size=4,
)
sound = st.lists(
    st.builds("<link {} >".format, attributes.map(" ".join))
    | st.builds("<p>{}</p>".format, st.text(st.sampled_from("ab &;é\n"), max_size=8))
    | st.builds("<!--{}-->".format, st.sampled_from(["", "<link rel=x>", " - ", "<!"]))
    | st.builds("<script>{}</script>".format, st.sampled_from(["", "<link rel=x>", "a<b && c>d"])),
    max_size=6,
)


@given(sound.map("".join))
@settings(max_examples=300, deadline=None)
def test_sound_pages_are_read_as_others_read_them(text: str) -> None:
    others = Links()
    others.feed(text)
    others.close()
    found = [
        tag.attributes()
        for tag in markup.tags(text, opaque=frozenset(["script"]))
        if tag.name == "link" and not tag.is_end
    ]
    assert found == others.seen
