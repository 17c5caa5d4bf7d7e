"""RSS, RDF, Atom and CDF: what feedparser reads, as entries of ours.

feedparser's own ``parse()`` decides on encodings, and falls back on a second parser, in ways that
`guard` has made needless; so its strict parser is driven here directly. The subclass replaces
what takes quadratic time or loses text.
"""

from __future__ import annotations

import re
import xml.sax.expatreader
import xml.sax.handler
import xml.sax.xmlreader
from collections.abc import Iterator
from io import BytesIO
from typing import Any, Final

import feedparser.api

from searchfeed.errors import ParseError
from searchfeed.feeds import body, dates, language, markup
from searchfeed.feeds.draft import TITLE_LIMIT, VALUES_LIMIT, Draft, FeedDraft, distinct
from searchfeed.feeds.guard import Document
from searchfeed.feeds.identity import safe_link
from searchfeed.feeds.text import line, paragraphs, unescape
from searchfeed.models import Enclosure, Entry

_AUTHOR_LIMIT: Final = 320
"""Characters in which an author's name and address are looked for."""

_ADDRESS = re.compile(
    r"(?:mailto:)?([\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})(?:\?subject=\S+)?"
)

_PIECES_LIMIT: Final = 100

_TEXTS_LIMIT: Final = 16
"""Texts of one entry: each is compared with all others."""

_LEADS: Final = ("subtitle", "description", "summary")
_TEXTS: Final = frozenset((*_LEADS, "content"))
_PUBLISHED: Final = ("published", "created", "dc_date")
_HTML: Final = frozenset(("text/html", "application/xhtml+xml"))
_FEED_ROOTS: Final = frozenset(("rss", "rdf", "feed", "channel"))
_OTHER_ROOTS: Final = {
    "html": ("an HTML page, not a feed", "give the address of the feed that the page announces"),
    "opml": ("a list of feeds (OPML), not a feed", "index the feeds that it lists"),
    "urlset": ("a sitemap, not a feed", ""),
    "sitemapindex": ("a sitemap, not a feed", ""),
    "svg": ("a picture, not a feed", ""),
}


class _Parser(feedparser.api.StrictFeedParser):  # type: ignore[misc, unused-ignore]
    """feedparser's parser, which keeps every text of an entry and does nothing twice."""

    guidislink: bool | int
    resolve_relative_uris = False
    sanitize_html = False

    def pop_content(self, tag: str) -> Any:
        # feedparser keeps one summary, the last; which of them is worth keeping is for `body`.
        value = self.pop(tag)
        if value and tag in _TEXTS and self.inentry and not self.insource:
            kind = self.map_content_type(self.contentparams.get("type") or "")
            texts = self.entries[-1].setdefault("texts", [])
            if len(texts) < _TEXTS_LIMIT:
                texts.append((tag, kind, value, self.contentparams.get("language")))
        self.incontent -= 1
        self.contentparams.clear()
        return value

    def pop(self, element: str, strip_whitespace: int = 1) -> Any:
        # feedparser drops blank pieces from the front one by one, in quadratic time.
        if self.elementstack and len(self.elementstack[-1][2]) > _PIECES_LIMIT:
            pieces = self.elementstack[-1][2]
            while len(pieces) > 1 and not pieces[-1].strip():
                pieces.pop()
            start = next((at for at, piece in enumerate(pieces) if piece.strip()), 0)
            del pieces[:start]
        return super().pop(element, strip_whitespace)

    def _sync_author_detail(self, key: str = "author") -> None:
        # feedparser's pattern for addresses takes quadratic time, and cuts `.example` in two.
        context = self._get_context()
        people = context.get(f"{key}s") or [{}]
        author = context.get(key)
        if people[-1] or not isinstance(author, str):
            return
        author = author[:_AUTHOR_LIMIT]
        if address := _ADDRESS.search(author):
            people[-1]["email"] = address[1]
            author = f"{author[: address.start()]} {author[address.end() :]}"
        if name := author.strip(" ()<>\"'"):
            people[-1]["name"] = name

    def _add_tag(self, term: str | None, scheme: str | None, label: str | None) -> None:
        if len(self._get_context().setdefault("tags", [])) < VALUES_LIMIT:
            super()._add_tag(term, scheme, label)

    def _end_guid(self) -> None:
        # `<guid>123</guid>` says by default that it is a link; resolving it would make one up.
        if self.guidislink and self.elementstack:
            raw = "".join(self.elementstack[-1][2]).strip().lower()
            self.guidislink = raw.startswith(("http://", "https://"))
        super()._end_guid()

    _end_id = _end_guid

    # `dates` reads the texts; feedparser's readings are wrong in ways that nobody can see.
    def _end_published(self) -> None:
        self.pop("published")

    _end_issued = _end_pubdate = _end_published

    def _end_updated(self) -> None:
        self.pop("updated")

    _end_modified = _end_lastbuilddate = _end_updated

    # In RSS it is the only date, and stands for the first.
    def _start_dc_date(self, _attributes: Any) -> None:
        self.push("dc_date", 1)

    def _end_dc_date(self) -> None:
        self.pop("dc_date")

    def _end_created(self) -> None:
        self.pop("created")

    def _end_expirationdate(self) -> None:
        self.pop("expired")

    def _end_dcterms_valid(self) -> None:
        self.pop("validity")


def _run(document: Document, base: str, base_language: str) -> Any:
    parser = _Parser(base, base_language or None, "utf-8")
    reader = xml.sax.expatreader.ExpatParser()
    reader.setFeature(xml.sax.handler.feature_namespaces, 1)
    reader.setFeature(xml.sax.handler.feature_external_ges, 0)
    reader.setContentHandler(parser)
    reader.setErrorHandler(parser)
    source = xml.sax.xmlreader.InputSource()
    source.setEncoding("utf-8")
    source.setByteStream(BytesIO(document.xml))
    reader.parse(source)
    return parser


def read(document: Document, url: str, base_language: str) -> FeedDraft:
    """The feed in ``document``.

    Args:
        document: as `guard.repair` gives it.
        url: where it came from; relative links are resolved against it if it is http(s).
        base_language: the server's word on the language, or empty.

    Raises:
        ParseError: it is XML, but no feed.
    """
    if document.root in _OTHER_ROOTS:
        raise ParseError(url, *_OTHER_ROOTS[document.root])
    base = safe_link(url)
    try:
        parser = _run(document, base, base_language)
    except Exception as error:  # the border: feedparser documents no error of its own
        raise ParseError(url, "it could not be read as a feed") from error
    # CDF has no version, and a channel is the root of nothing else.
    known = document.root == "channel" or (parser.version and document.root in _FEED_ROOTS)
    if not parser.entries and not known:
        raise ParseError(url, f"XML, but not a feed: its outermost element is <{document.root}>")
    return _Reader(parser, base).feed(document.problem)


class _Reader:
    """Turns what feedparser collected into drafts."""

    def __init__(self, parser: Any, base: str) -> None:
        self.atom = parser.version.startswith("atom")
        self.found = parser.feeddata
        self.entries = parser.entries
        self.title = self._line(self.found, "title")
        self.link = safe_link(_home(self.found), base)
        self.base = base or self.link
        self.language = language.first(self.found.get("language"))
        self.authors = _authors(self.found) if self.atom else ()
        self.shortened = 0

    def feed(self, problem: str) -> FeedDraft:
        drafts = tuple(self._draft(found) for found in self.entries)
        warnings = [f"not sound XML, read as far as it goes: {line(problem)}"] if problem else []
        if self.shortened:
            warnings.append(
                f"{self.shortened} of its texts were cut after {body.BODY_LIMIT:,} characters"
            )
        return FeedDraft(
            self.title, self.link, self._own_link(), self.language, drafts, tuple(warnings)
        )

    def _own_link(self) -> str:
        links = self.found.get("links", [])
        return next(
            (
                link
                for found in links
                if found.get("rel") == "self"
                and (link := safe_link(found.get("href", ""), self.base))
            ),
            "",
        )

    def _draft(self, found: Any) -> Draft:
        texts = found.get("texts", [])
        title_detail = found.get("title_detail", {})
        joined = body.join(_as_text(kind, text) for tag, kind, text, _ in sorted(texts, key=_rank))
        if len(joined) > body.BODY_LIMIT:
            self.shortened += 1
            joined = joined[: body.BODY_LIMIT].rstrip()
        entry = Entry(
            id="",
            feed_url="",
            feed_title=self.title,
            title=self._line(found, "title"),
            body=joined,
            link=self._link(found),
            authors=_authors(found) or _authors(found.get("source", {})) or self.authors,
            tags=distinct(
                tag.get("term") or tag.get("label") or "" for tag in found.get("tags", ())
            ),
            published=next(
                (date for key in _PUBLISHED if (date := _date(found, key))),
                None,
            ),
            updated=_date(found, "updated"),
            language=language.first(
                found.get("language"),
                *(own for *_, own in texts),
                title_detail.get("language"),
                self.language,
            ),
            enclosures=tuple(self._enclosures(found)),
        )
        guid = found.get("id")
        return Draft(line(guid, 2000) if isinstance(guid, str) else "", entry)

    def _line(self, found: Any, key: str) -> str:
        value = found.get(key)
        if not isinstance(value, str):
            return ""
        if found.get(f"{key}_detail", {}).get("type") in _HTML:
            return line(markup.to_line(value), TITLE_LIMIT)
        # RSS titles are said to be plain, and are escaped once too often more often than not.
        return line(value if self.atom else unescape(value), TITLE_LIMIT)

    def _link(self, found: Any) -> str:
        alternates = [link for link in found.get("links", []) if link.get("rel") == "alternate"]
        alternates.sort(key=lambda link: link.get("type") not in _HTML)
        candidates = [*(link.get("href") for link in alternates), found.get("link")]
        return next(
            (
                link
                for candidate in candidates
                if isinstance(candidate, str) and (link := safe_link(candidate, self.base))
            ),
            "",
        )

    def _enclosures(self, found: Any) -> Iterator[Enclosure]:
        links = [link for link in found.get("links", []) if link.get("rel") == "enclosure"]
        media = found.get("media_content", [])
        seen: set[str] = set()
        for file in (*links, *media):
            url = safe_link(file.get("href") or file.get("url") or "", self.base)
            if url and url not in seen and len(seen) < VALUES_LIMIT:
                seen.add(url)
                length = file.get("length") or file.get("filesize") or ""
                yield Enclosure(url, line(file.get("type") or "", 100), length_in_bytes(length))


def length_in_bytes(text: str) -> int | None:
    """The number that ``text`` is; None for what is no size of a file."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) <= 15 else None


def _rank(text: tuple[str, str, str, str]) -> int:
    # The lead stands before the content, in whichever order the feed has them.
    return 0 if text[0] in _LEADS else 1


def _as_text(kind: str, text: str) -> str:
    return markup.to_text(text) if kind in _HTML else paragraphs(text)


def _date(found: Any, key: str) -> Any:
    # Not get(): feedparser answers `updated` with `published`.
    value = dict.get(found, key)
    return dates.parse(value) if isinstance(value, str) else None


def _home(found: Any) -> str:
    links = [link for link in found.get("links", []) if link.get("rel") == "alternate"]
    return found.get("link") or next((link["href"] for link in links if link.get("href")), "")


def _authors(found: Any) -> tuple[str, ...]:
    return distinct(
        unescape(author.get("name") or author.get("email") or "")
        for author in found.get("authors", ())
    )
