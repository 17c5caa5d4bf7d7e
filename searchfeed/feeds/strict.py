"""feedparser's strict parser, without what takes quadratic time or loses text.

feedparser's own ``parse()`` decides on encodings, and falls back on a second parser, in ways that
`guard` has made needless; so the parser is driven here directly.
"""

from __future__ import annotations

import re
import xml.sax.expatreader
import xml.sax.handler
import xml.sax.xmlreader
from contextlib import suppress
from io import BytesIO
from typing import Any, Final

import feedparser.api

from searchfeed.feeds.draft import VALUES_LIMIT
from searchfeed.feeds.guard import Document

LEADS: Final = ("subtitle", "description", "summary")
TEXTS: Final = frozenset((*LEADS, "content"))
"""The elements, by feedparser's names for them, whose texts make up the body."""

_AUTHOR_LIMIT: Final = 320
"""Characters in which an author's name and address are looked for."""

_ADDRESS = re.compile(
    r"(?:mailto:)?([\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})(?:\?subject=\S+)?"
)

_TEXTS_LIMIT: Final = 16
"""Texts of one entry: each is compared with all others."""

_STUMBLES: Final = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What feedparser raises where an element stands in a place that it did not think of."""


class _Parser(feedparser.api.StrictFeedParser):  # type: ignore[misc, unused-ignore]
    """feedparser's parser, which keeps every text of an entry and does nothing twice."""

    guidislink: bool | int
    resolve_relative_uris = False
    sanitize_html = False

    def __init__(self, base: str, base_language: str | None) -> None:
        super().__init__(base, base_language, "utf-8")
        self._characters: list[str] = []

    # expat hands text over in a piece for each line and reference; feedparser looks at each, and
    # drops blank ones from the front in quadratic time.
    def characters(self, text: str) -> None:
        self._characters.append(text)

    def _flush(self) -> None:
        if self._characters:
            self.handle_data("".join(self._characters))
            self._characters.clear()

    # Elements where no feed has them (a feed inside a link) trip feedparser up; each costs what it
    # says, and not the feed.
    def startElementNS(self, name: Any, qname: Any, attributes: Any) -> None:  # noqa: N802
        self._flush()
        with suppress(*_STUMBLES):
            super().startElementNS(name, qname, attributes)

    def endElementNS(self, name: Any, qname: Any) -> None:  # noqa: N802
        self._flush()
        with suppress(*_STUMBLES):
            super().endElementNS(name, qname)

    def pop_content(self, tag: str) -> Any:
        # feedparser keeps one summary, the last; which of them is worth keeping is for `body`.
        value = self.pop(tag)
        if value and tag in TEXTS and self.inentry and not self.insource:
            kind = self.map_content_type(self.contentparams.get("type") or "")
            texts = self.entries[-1].setdefault("texts", [])
            if len(texts) < _TEXTS_LIMIT:
                texts.append((tag, kind, value, self.contentparams.get("language")))
        self.incontent -= 1
        self.contentparams.clear()
        return value

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
        # A guid is kept as it is written: resolved, it would change with the feed's address, and
        # `<guid>123</guid>`, which says by default that it is a link, would become one.
        is_link, self.guidislink = self.guidislink, False
        guid = self.pop("id")
        if is_link and isinstance(guid, str) and guid.lower().startswith(("http://", "https://")):
            self._save("link", guid)

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


def run(document: Document, base: str, base_language: str) -> Any:
    """Feedparser's parser after it has read the document.

    Its ``feeddata``, ``entries`` and ``version`` are feedparser's, and each entry has ``texts``:
    a list of tag, media type, text and language, in the order of the document.

    Args:
        document: as `guard.repair` gives it.
        base: what relative links are resolved against, or empty.
        base_language: the language where the document does not say, or empty.
    """
    parser = _Parser(base, base_language or None)
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
