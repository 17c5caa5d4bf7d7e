"""RSS, RDF, Atom and CDF: what feedparser reads, as entries of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from searchfeed.errors import ParseError
from searchfeed.feeds import body, dates, language, markup, pace, strict
from searchfeed.feeds.draft import TITLE_LIMIT, VALUES_LIMIT, Draft, FeedDraft, distinct
from searchfeed.feeds.guard import Document
from searchfeed.feeds.identity import safe_link
from searchfeed.feeds.reducer import SOURCE_LIMIT
from searchfeed.feeds.text import line, paragraphs, unescape
from searchfeed.models import Enclosure, Entry

_PUBLISHED: Final = ("published", "created", "dc_date")
_HTML: Final = frozenset(("text/html", "application/xhtml+xml"))
_MARKUP: Final = _HTML | {"text/xml", "application/xml"}
_FEED_ROOTS: Final = frozenset(("rss", "rdf", "feed", "channel"))
_OTHER_ROOTS: Final = {
    "html": ("an HTML page, not a feed", "give the address of the feed that the page announces"),
    "opml": ("a list of feeds (OPML), not a feed", "index the feeds that it lists"),
    "urlset": ("a sitemap, not a feed", ""),
    "sitemapindex": ("a sitemap, not a feed", ""),
    "svg": ("a picture, not a feed", ""),
}


def read(document: Document, url: str, base: str, base_language: str) -> FeedDraft:
    """The feed in ``document``.

    Args:
        document: as `guard.repair` gives it.
        url: where it came from, for errors.
        base: what relative links are resolved against, or empty.
        base_language: the server's word on the language, or empty.

    Raises:
        ParseError: it is XML, but no feed.
    """
    if document.root in _OTHER_ROOTS:
        raise ParseError(url, *_OTHER_ROOTS[document.root])
    try:
        parser = strict.run(document, base, base_language)
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
            warnings.append(body.cut_warning(self.shortened))
        return FeedDraft(
            title=self.title,
            link=self.link,
            own_link=self._own_link(),
            language=self.language,
            drafts=drafts,
            warnings=tuple(warnings),
            ttl=pace.ttl(*map(self._text, ("ttl", "sy_updateperiod", "sy_updatefrequency"))),
        )

    def _text(self, key: str) -> str:
        value = self.found.get(key)
        return value if isinstance(value, str) else ""

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
        if len(joined) > body.BODY_LIMIT or any(len(text[2]) > SOURCE_LIMIT for text in texts):
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
        kind = found.get(f"{key}_detail", {}).get("type") or "text/plain"
        if kind in _MARKUP or not kind.startswith("text/"):
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
                yield Enclosure(url, line(file.get("type") or "", 100), _size(length))


def _size(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) <= 15 else None


def _rank(text: tuple[str, str, str, str]) -> int:
    # The lead stands before the content, in whichever order the feed has them.
    return 0 if text[0] in strict.LEADS else 1


def _as_text(kind: str, text: str) -> str:
    if not kind or (kind.startswith("text/") and kind not in _MARKUP):
        return paragraphs(text)
    # feedparser decodes base64 that is text; what still has no space in it is a picture.
    return markup.to_text(text) if kind in _MARKUP or " " in text else ""


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
