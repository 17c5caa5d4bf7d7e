"""What stands between the bytes of a stranger and the XML parser.

`read` turns bytes into text in an encoding that it is safe to decode; `repair` turns that text
into XML that is well formed, small in every direction that the parser pays for, and free of
what makes it raise: it takes out the declaration, the DOCTYPE, comments and processing
instructions, resolves entities, fixes character references and bare ampersands, and counts
depth, elements and namespaces with expat before anything is built.
"""

from __future__ import annotations

import codecs
import html
import re
import xml.parsers.expat as expat
from collections.abc import Mapping
from dataclasses import dataclass
from html.entities import html5
from typing import Final

from searchfeed.feeds.mend import mend
from searchfeed.feeds.text import clean_markup

DEPTH_LIMIT: Final = 200
ELEMENT_LIMIT: Final = 200_000
"""feedparser takes 20 µs an element; a feed of 10,000 entries has 100,000."""
NAMESPACE_LIMIT: Final = 1_000
LOOKUP_LIMIT: Final = 20_000_000
"""Elements times namespaces: feedparser looks each element up among them all."""


class UnsafeError(Exception):
    """The document is built to exhaust whoever reads it; the message says how."""


@dataclass(frozen=True, slots=True)
class Document:
    """XML that can be parsed.

    Attributes:
        xml: well-formed UTF-8, without a declaration.
        root: the local name of its outermost element, in lower case.
        problem: what was wrong with it as it came, in a few words; empty if nothing.
    """

    xml: bytes
    root: str
    problem: str


# By the name that codecs.lookup() gives; what is read instead is what those who declare it mean.
# Codecs that run code of their own kind (idna, unicode_escape, zlib) or can be made slow stay out.
_CODECS: Final = {
    "utf-8": "utf-8", "utf-8-sig": "utf-8", "ascii": "utf-8",
    "utf-16": "utf-16", "utf-16-le": "utf-16-le", "utf-16-be": "utf-16-be",
    "utf-32": "utf-32", "utf-32-le": "utf-32-le", "utf-32-be": "utf-32-be",
    "iso8859-1": "cp1252", "cp1252": "cp1252", "iso8859-9": "cp1254",
    "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "hz": "hz",
    "big5": "big5hkscs", "big5hkscs": "big5hkscs", "cp950": "cp950",
    "shift_jis": "cp932", "cp932": "cp932", "euc_jp": "euc_jp", "iso2022_jp": "iso2022_jp",
    "euc_kr": "cp949", "cp949": "cp949", "johab": "johab", "iso2022_kr": "iso2022_kr",
    "tis-620": "cp874", "iso8859-11": "cp874", "cp874": "cp874",
    "mac-roman": "mac-roman", "mac-cyrillic": "mac-cyrillic",
    "koi8-r": "koi8-r", "koi8-u": "koi8-u", "ptcp154": "ptcp154",
} | {
    name: name
    for name in (
        *(f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)),
        *(f"cp125{page}" for page in (0, 1, 3, 4, 5, 6, 7, 8)),
        *(f"cp{page}" for page in (37, 437, 500, 850, 852, 855, 857, 858, 862, 866, 1140)),
    )
}  # fmt: skip

_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED: Final = (
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
    (b"{\0", "utf-16-le"),
    (b"\0{", "utf-16-be"),
    (b"\x4c\x6f\xa7\x94", "cp037"),
)
_DECLARED = re.compile(r"<\?xml[^>]{0,400}?encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']", re.A)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.A | re.I)
_UNDECODED = re.compile("[\udc80-\udcff]")


def _codec(name: str) -> str:
    """The codec to read ``name`` with; empty for one that is unknown or not let in."""
    try:
        return _CODECS.get(codecs.lookup(name).name, "")
    except (LookupError, ValueError):
        return ""


def read(data: bytes, headers: Mapping[str, str]) -> tuple[str, str]:
    """The text of ``data``, and what was wrong with its encoding (empty if nothing).

    The order is that of RFC 7303: a byte order mark, then the server, then the document. UTF-8
    that decodes stands above a declaration that does not.

    Args:
        data: the document.
        headers: of the response, with names in lower case.
    """
    for mark, codec in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _decode(data[len(mark) :], [codec])
    data = data.lstrip(b" \t\r\n")
    sniffed = next((codec for mark, codec in _UNMARKED if data.startswith(mark)), "")
    candidates = [sniffed]
    if charset := _CHARSET.search(headers.get("content-type", "")):
        candidates.append(_codec(charset[1]))
    head = data[:2048].decode(sniffed or "latin-1", "replace")
    problem = ""
    if declared := _DECLARED.match(head):
        codec = _codec(declared[1])
        # A declaration that could be read byte by byte is not in an encoding of two bytes.
        if not codec:
            problem = f"its encoding, {declared[1]}, is not known"
        elif sniffed or not codec.startswith(("utf-16", "utf-32")):
            candidates.append(codec)
    text, undecoded = _decode(data, [codec for codec in candidates if codec])
    return text, undecoded or problem


def _decode(data: bytes, candidates: list[str]) -> tuple[str, str]:
    for codec in [*candidates, "utf-8"]:
        try:
            return data.decode(codec), ""
        except UnicodeError:
            continue
    if candidates and candidates[0] not in ("utf-8", "cp1252"):
        return data.decode(candidates[0], "replace"), "some bytes are not in its encoding"
    # Byte by byte, so that a Latin-1 document is read whole and a stray byte harms nothing else.
    text = data.decode("utf-8", "surrogateescape")
    text = _UNDECODED.sub(
        lambda match: bytes([ord(match[0]) - 0xDC00]).decode("cp1252", "replace"), text
    )
    return text, "some bytes are not in its encoding"


_OPENER = re.compile(r"<!--|<!\[CDATA\[|<\?|<!(?=[A-Za-z])")
_CLOSERS: Final = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>"}
_DOCTYPE = re.compile(
    r"<!DOCTYPE[^\[<>]*+"
    r"(?:\[((?:[^\]\"'<]++|\"[^\"]*+\"|'[^']*+'|<!--(?:[^-]++|-(?!->))*+-->|<)*+)\]\s*+)?>",
    re.I,
)
_ENTITY = re.compile(
    r"<!ENTITY\s+([A-Za-z][\w.-]{0,31})\s+(?:\"([^\"&%<]{0,64})\"|'([^'&%<]{0,64})')"
)
_REFERENCE = re.compile(r"&(?:#(?:[xX]([0-9a-fA-F]++)|([0-9]++));?|([A-Za-z][\w.-]{0,31});)?")
_CHARACTER_REFERENCE = re.compile(r"&#(?:[xX]([0-9a-fA-F]++)|([0-9]++));?")
_PREDEFINED: Final = frozenset(("lt", "gt", "amp", "quot", "apos"))
_ENTITY_LIMIT: Final = 100


def _character(hexadecimal: str | None, decimal: str | None) -> str:
    """The character of a reference, as XML may hold it; empty where there is none."""
    digits = hexadecimal or decimal or ""
    digits = digits.lstrip("0")
    if not digits or len(digits) > 7:
        return ""
    code = int(digits, 16 if hexadecimal else 10)
    if code == 0x1B:
        return "\x1b"  # for clean_markup, which takes the whole sequence out
    if 0x80 <= code <= 0x9F:
        return html.unescape(f"&#{code};")  # Windows-1252, as HTML reads them
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF or (code < 0x20 and code not in (9, 10, 13)):
        return ""
    return f"&#{code};" if code < 0x80 else chr(code)


class _Repairer:
    """Resolves what may stand after an ampersand, and remembers whether XML would have minded."""

    def __init__(self, entities: Mapping[str, str]) -> None:
        self.entities = entities
        self.problem = ""

    def text(self, chunk: str) -> str:
        return _REFERENCE.sub(self._reference, chunk) if "&" in chunk else chunk

    def _reference(self, match: re.Match[str]) -> str:
        hexadecimal, decimal, name = match.groups()
        if hexadecimal or decimal:
            return _character(hexadecimal, decimal)
        if not name:
            self.problem = self.problem or "it holds an & that is not escaped"
            return "&amp;"
        if name in _PREDEFINED:
            return match[0]
        value = self.entities.get(name)
        if value is None:
            value = html5.get(f"{name};")
            self.problem = self.problem or f"the entity &{name}; is not known in XML"
        return f"&amp;{name};" if value is None else html.escape(value, quote=False)


def _sections(text: str, repairer: _Repairer) -> str:
    """``text`` without comments, instructions and declarations, its references repaired."""
    ends = {closer: text.rfind(closer) for closer in (*_CLOSERS.values(), ">")}
    pieces: list[str] = []
    position = 0
    while match := _OPENER.search(text, position):
        start, opener = match.start(), match[0]
        pieces.append(repairer.text(text[position:start]))
        closer = _CLOSERS.get(opener, ">")
        # Looking for an end that is not there, again and again, is what takes quadratic time.
        found = ends[closer] >= match.end()
        end = text.find(closer, match.end()) if found else -1
        if opener == "<![CDATA[":
            inside = text[match.end() : end if found else len(text)]
            inside = _CHARACTER_REFERENCE.sub(lambda match: _character(match[1], match[2]), inside)
            pieces.append(f"<![CDATA[{inside}]]>")
            if not found:
                repairer.problem = repairer.problem or "it ends inside a CDATA section"
                return "".join(pieces)
        elif not found:
            repairer.problem = repairer.problem or f"{opener} has no end"
            end = match.end() - len(closer)
        position = end + len(closer)
    pieces.append(repairer.text(text[position:]))
    return "".join(pieces)


@dataclass(slots=True)
class _Counter:
    """Counts what a parser pays for; raises `UnsafeError` as soon as there is too much of it."""

    root: str = ""
    depth: int = 0
    elements: int = 0
    namespaces: int = 0

    def start(self, name: str, _attributes: list[str]) -> None:
        self.depth += 1
        self.elements += 1
        if not self.root:
            self.root = name.rpartition("\x1f")[2].lower()
        if self.depth > DEPTH_LIMIT:
            raise UnsafeError(f"its elements are nested more than {DEPTH_LIMIT} deep")
        if self.elements > ELEMENT_LIMIT:
            raise UnsafeError(f"it has more than {ELEMENT_LIMIT:,} elements")

    def end(self, _name: str) -> None:
        self.depth -= 1

    def namespace(self, _prefix: str | None, _uri: str | None) -> None:
        self.namespaces += 1
        if self.namespaces > NAMESPACE_LIMIT:
            raise UnsafeError(f"it declares more than {NAMESPACE_LIMIT:,} namespaces")


def _scan(xml: bytes) -> tuple[_Counter, str]:
    """What the document holds, and why it is not well formed (empty if it is)."""
    counter = _Counter()
    parser = expat.ParserCreate("utf-8", "\x1f")
    parser.ordered_attributes = True
    parser.StartElementHandler = counter.start
    parser.EndElementHandler = counter.end
    parser.StartNamespaceDeclHandler = counter.namespace
    try:
        parser.Parse(xml, True)  # noqa: FBT003 - it takes no keywords
    except expat.ExpatError as error:
        return counter, f"{expat.ErrorString(error.code)} in line {error.lineno}"
    if counter.elements * counter.namespaces > LOOKUP_LIMIT:
        raise UnsafeError("it has too many namespaces for its size")
    return counter, ""


def _entities(subset: str) -> dict[str, str]:
    """Entities that a DOCTYPE defines as a few plain characters; others are left unresolved."""
    found: dict[str, str] = {}
    for match in _ENTITY.finditer(subset):
        found.setdefault(match[1], match[2] or match[3] or "")
        if len(found) == _ENTITY_LIMIT:
            break
    return found


def repair(text: str) -> Document:
    """``text`` as XML that can be parsed.

    Args:
        text: starts with ``<``.

    Raises:
        UnsafeError: it is too deep, too large or too odd to be read.
    """
    doctype = _DOCTYPE.search(text[:65536])
    entities = _entities(doctype[1] or "") if doctype else {}
    if doctype:
        text = text[: doctype.start()] + text[doctype.end() :]
    repairer = _Repairer(entities)
    text = clean_markup(_sections(text, repairer)).strip()
    xml = text.encode("utf-8", "replace")
    counter, malformed = _scan(xml)
    if not malformed:
        return Document(xml, counter.root, repairer.problem)
    xml = mend(text, DEPTH_LIMIT).encode("utf-8", "replace")
    if not xml:
        raise UnsafeError("there is no element in it")
    counter, beyond = _scan(xml)
    if beyond:
        raise UnsafeError(f"it is broken beyond repair: {beyond}")
    return Document(xml, counter.root, repairer.problem or malformed)
