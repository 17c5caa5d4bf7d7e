"""Results as an Atom feed (RFC 4287), for feed readers and for other indexes.

It is made of the results alone, so that the same results are the same feed to the byte:

- The id of an entry is a URN of its own id, which is made of its feed and its key there and is thus
  the same everywhere. Indexed again, an entry gets an id of the new feed, not that one: else any
  feed could claim the entries of others. It stays one entry however often it is read, and as it
  says the same as the original, searches show the two as one story.
- The id of the feed is one of what was asked for.
- ``updated`` of an entry is required. Where the entry was never updated it is when it was
  published, and where it has no date it is the beginning of 1970, which readers (ours too) take
  for none. That of the feed is the newest of its entries'.
- An author is required too. That of the feed counts for every entry that names none, so it has no
  name: whoever wrote them, it was not searchfeed.
- There is no ``self`` link, as nobody knows where the output will lie. That of the ``source``, and
  its id, are the address of the original feed.
- A file without a type gets the one that stands for any; readers take none at all for a page.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import blake2b

from searchfeed.models import Enclosure, Entry, Query, Results
from searchfeed.output import Screen
from searchfeed.output.clean import clean, hyperlink, line

_UNDATED = datetime(1970, 1, 1, tzinfo=UTC)

# XML 1.0, section 2.2; ``clean`` has taken out all others that it forbids.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
_MEDIA_TYPE = re.compile(r"[\w.+!#$&^-]+/[\w.+!#$&^-]+(?:\s*;[^\"<>\x00-\x1f]*)?", re.ASCII)
_ANY_TYPE = "application/octet-stream"


def results(results: Results, screen: Screen) -> Iterator[str]:
    """One document; a feed without entries where nothing was found."""
    entries = [hit.entry for hit in results]
    dates = [each.updated or each.published for each in entries]
    # Where no entry says when, the clock has to.
    newest = max((date for date in dates if date), default=screen.now)
    sought = line(results.query.text).strip()
    head = [
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n',
        _element("id", _feed_id(results.query)),
        _element("title", f"searchfeed: {sought}" if sought else "searchfeed"),
        _element("updated", _moment(newest)),
        "<author><name/></author>\n",
        _element("generator", "searchfeed"),
    ]
    yield _written("".join(head), screen)
    for entry in entries:
        yield _written(_entry(entry), screen)
    yield "</feed>\n"


def _entry(entry: Entry) -> str:
    language = entry.language if _LANGUAGE.fullmatch(entry.language) else ""
    authors = "".join(
        f"<author><name>{_text(name)}</name></author>\n"
        for each in entry.authors
        if (name := line(each).strip())
    )
    pieces = [
        f'<entry xml:lang="{language}">\n' if language else "<entry>\n",
        _element("id", f"urn:searchfeed:entry:{entry.id}"),
        _element("title", line(entry.title).strip()),
        _element("updated", _moment(entry.updated or entry.published or _UNDATED)),
        _element("published", _moment(entry.published)) if entry.published else "",
        authors,
        _link("alternate", entry.link),
        *(_enclosure(each) for each in entry.enclosures),
        *(f"<category{_attribute('term', line(each).strip())}/>\n" for each in entry.tags),
        _source(entry),
        f'<content type="html">{_text(_paragraphs(entry.body))}</content>\n',
        "</entry>\n",
    ]
    return "".join(pieces)


def _source(entry: Entry) -> str:
    """Where the entry is from; a file's path is nobody else's business."""
    url = hyperlink(entry.feed_url) and entry.feed_url
    name = blake2b(entry.feed_url.encode(errors="replace"), digest_size=8).hexdigest()
    identity = url or f"urn:searchfeed:feed:{name}"
    title = _element("title", line(entry.feed_title).strip())
    return f"<source>\n{_element('id', identity)}{title}{_link('self', url)}</source>\n"


def _enclosure(file: Enclosure) -> str:
    kind = file.type if _MEDIA_TYPE.fullmatch(file.type) else _ANY_TYPE
    length = "" if file.length is None else _attribute("length", str(file.length))
    return _link("enclosure", file.url, f"{_attribute('type', kind)}{length}")


def _link(relation: str, url: str, more: str = "") -> str:
    """A link, or nothing where it is none that can be followed safely."""
    if not hyperlink(url):
        return ""
    return f'<link rel="{relation}"{_attribute("href", url)}{more}/>\n'


def _paragraphs(body: str) -> str:
    """The body as HTML: its paragraphs, and as it stands what is laid out by spaces."""
    pieces = []
    for paragraph in re.split(r"\n{2,}", clean(body).strip("\n")):
        rows = paragraph.split("\n")
        if any(" ".join(row.split()) != row for row in rows):
            pieces.append(f"<pre>{html.escape(paragraph, quote=False)}</pre>")
        elif paragraph:
            text = "<br/>".join(html.escape(row, quote=False) for row in rows)
            pieces.append(f"<p>{text}</p>")
    return "\n".join(pieces)


def _feed_id(query: Query) -> str:
    """A URN of what was asked for, whichever page of it this is."""
    asked = json.dumps([query.text, sorted(query.feeds), query.fuzzy, query.dedupe])
    return f"urn:searchfeed:search:{blake2b(asked.encode(), digest_size=8).hexdigest()}"


def _element(name: str, text: str) -> str:
    return f"<{name}>{_text(text)}</{name}>\n"


def _attribute(name: str, value: str) -> str:
    return f' {name}="{html.escape(_ILLEGAL.sub("", value))}"'


def _text(text: str) -> str:
    return html.escape(_ILLEGAL.sub("", text), quote=False)


def _moment(moment: datetime) -> str:
    """RFC 3339 in UTC, as exact as it is known."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"


def _written(xml: str, screen: Screen) -> str:
    return xml.encode("ascii", "xmlcharrefreplace").decode() if screen.ascii else xml
