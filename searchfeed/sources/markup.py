"""The tags of a stranger's XML or HTML, in one pass, however broken it is.

Lists of feeds are written by programs that forget to escape and to close, and only their tags
matter; an XML parser would refuse them. ``html.parser`` takes quadratic time over what never ends
and raises on ``<![``. No pattern here goes back over what it has read, so the time a document
takes grows with its length alone.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator
from itertools import islice
from typing import Final
from urllib.parse import urljoin

from searchfeed.addresses import taken_apart
from searchfeed.values import dataclass

VALUE_LIMIT: Final = 4096
"""Characters of a value of an attribute; what is longer is cut."""

_ATTRIBUTES_LIMIT: Final = 100

_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_DECLARED = re.compile(rb"(?:encoding|charset)\s{0,9}=\s{0,9}[\"']?([\w.:-]{1,40})", re.I)
# Python knows codecs that run code of another kind (idna, zlib) or can be made slow.
_SAFE_CODEC = re.compile(
    r"iso8859-\d+|cp125\d|cp874|cp93[26]|cp949|cp950|koi8-[ru]|gb2312|gbk|gb18030|big5|euc_jp|euc_kr"
    r"|shift_jis|iso2022_jp|mac-roman"
)
_LOOK: Final = 2048

_TAG = re.compile(
    r"<(?:(!--|!\[CDATA\[|\?|!)"
    r"|(/?)([A-Za-z_][\w.:-]*+)(?:"
    r"((?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*+)>"
    # One with a tag in a value, and then one with a quote too many.
    r"|((?:[^<>\"']++|\"[^\"]*+\"(?=[\s/>])|'[^']*+'(?=[\s/>]))*+)>"
    r"|([^<>]*+)>"
    r"))"
)
_ENDS: Final = {"!--": "-->", "![CDATA[": "]]>", "?": ">", "!": ">"}
_ATTRIBUTE = re.compile(
    r"([^\s\"'<>/=]++)(?:\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'<>]++)))?+"
)
_REFERENCE = re.compile(r"&(?:#[0-9]{1,9}|#[xX][0-9a-fA-F]{1,8}|[A-Za-z][A-Za-z0-9]{0,31});")
_UNWANTED = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]+"
)


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag. ``name`` is in lower case; ``source`` is what stands behind it, as it is written."""

    name: str
    is_end: bool
    source: str

    @property
    def is_empty(self) -> bool:
        """Whether it is closed in itself, as in XML: ``<outline/>``."""
        return self.source.rstrip().endswith("/")

    def attributes(self) -> dict[str, str]:
        """Values by name in lower case, references resolved; of a name given twice the first.

        >>> Tag("link", False, ' REL=next href="/?a=1&amp;b=2" ').attributes()
        {'rel': 'next', 'href': '/?a=1&b=2'}
        """
        found: dict[str, str] = {}
        for match in islice(_ATTRIBUTE.finditer(self.source), _ATTRIBUTES_LIMIT):
            name, *values = match.groups("")
            found.setdefault(name.lower(), resolved("".join(values)[:VALUE_LIMIT]))
        return found


def decoded(data: bytes) -> str:
    """The text of an XML or HTML document: UTF-8 if it can be, else in the encoding it declares."""
    for mark, codec in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data.decode(codec, "replace").removeprefix("\ufeff")
    declared = _DECLARED.search(data, 0, _LOOK)
    codec = _codec(declared[1].decode("ascii", "replace")) if declared else ""
    # Its bytes are those of ASCII, so it would pass for UTF-8.
    for candidate in ("iso2022_jp",) if codec == "iso2022_jp" else ("utf-8", codec or "cp1252"):
        try:
            return data.decode(candidate)
        except UnicodeError:
            continue
    return data.decode(codec or "cp1252", "replace")


def tags(text: str, *, opaque: frozenset[str] = frozenset()) -> Iterator[Tag]:
    """The tags of a document in order, without those in comments and in ``opaque`` elements.

    Args:
        text: the document.
        opaque: names of elements whose content is no markup (``script``).
    """
    position = 0
    while match := _TAG.search(text, position):
        position = match.end()
        opener, slash, name, *sources = match.groups()
        if opener:
            position = text.find(_ENDS[opener], position)
            if position < 0:
                # All that follows belongs to it, as it does to every other reader.
                return
            continue
        tag = Tag(
            name.lower(), bool(slash), next(source for source in sources if source is not None)
        )
        yield tag
        if tag.name in opaque and not tag.is_end:
            end = re.compile(f"</{re.escape(tag.name)}(?=[\\s/>])", re.I).search(text, position)
            if end is None:
                return
            position = end.start()


def resolved(text: str) -> str:
    """``text`` with its character references resolved, once; those without an end are left.

    >>> resolved("&eacute;t&#xe9; &amp;lt; a&copy=1")
    'été &lt; a&copy=1'
    """
    return _REFERENCE.sub(lambda match: html.unescape(match[0]), text) if "&" in text else text


def line(text: str) -> str:
    """``text`` on one line, without what moves a cursor, hides or turns letters, or is not XML."""
    text = " ".join(text.split())
    return text if text.isascii() and text.isprintable() else _without_unwanted(text)


def _without_unwanted(text: str) -> str:
    return " ".join(_UNWANTED.sub("", text).split())


def address(text: str, base: str = "") -> str:
    """``text`` as an absolute http(s) URL; empty where it is none.

    Args:
        text: as it is written; ``feed:`` before it says that it is a feed, and nothing else.
        base: what it is resolved against where it is relative; empty for nothing.

    >>> address("feed://example.org/a b")
    'http://example.org/a%20b'
    >>> address("javascript:alert(1)")
    ''
    """
    text = line(text)
    if text[:5].lower() == "feed:":
        text = text[5:]
        text = f"http:{text}" if text.startswith("//") else text
    if not text or len(text) >= VALUE_LIMIT:
        return ""
    try:
        url = urljoin(base, "%20".join(text.split()))
    except ValueError:
        return ""
    parts = taken_apart(url)
    return "" if parts is None else f"{parts.scheme}:{url.partition(':')[2]}"


def _codec(name: str) -> str:
    """The codec to read ``name`` with; empty for one that is unknown or not let in."""
    try:
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):
        return ""
    if codec == "iso8859-1":
        return "cp1252"
    return codec if _SAFE_CODEC.fullmatch(codec) else ""
