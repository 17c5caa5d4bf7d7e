"""What stands between a stranger's text and the XML parser.

`repair` turns it into XML that is well formed, small in every direction that the parser pays for,
and free of what makes it raise: it takes out the declaration, the DOCTYPE, comments and
processing instructions, resolves entities, fixes character references and bare ampersands, and
counts depth, elements and namespaces with expat before anything is built.
"""

from __future__ import annotations

import html
import re
import xml.parsers.expat as expat
from collections.abc import Mapping
from dataclasses import field
from html.entities import html5
from typing import Final

from searchfeed.feeds.limits import Limits
from searchfeed.feeds.mend import mend
from searchfeed.feeds.text import clean_markup
from searchfeed.values import dataclass

DEPTH_LIMIT: Final = 200
ATTRIBUTE_LIMIT: Final = 200
"""Of one element: feedparser compares each with all others."""
NAMESPACE_LIMIT: Final = 1_000
LOOKUP_LIMIT: Final = 20_000_000
"""Elements times namespaces: feedparser looks each element up among them all."""


class UnsafeError(Exception):
    """The document is built to exhaust whoever reads it; the message says how.

    Attributes:
        remedy: what the user can do about it; empty where there is nothing to say.
    """

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.remedy = remedy


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
_TOO_SHORT: Final = frozenset(
    expat.errors.codes[message]
    for message in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
    )
)
_DOCTYPE_LIMIT: Final = 65_536
_ENTRY_NAMES = frozenset(("item", "entry"))
_ENTRY = re.compile(rb"<(?:\w{1,32}:)?(?:item|entry)[\s/>]")

# The same as that of the parser: expat refuses the name of a namespace that holds it.
_SEPARATOR: Final = " "


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

    def __init__(self) -> None:
        self.entities: Mapping[str, str] = {}
        self.problem = ""
        self._had_doctype = False

    def doctype(self, text: str, start: int) -> re.Match[str] | None:
        """The DOCTYPE at ``start``, its entities taken over; only the first one is looked at."""
        if self._had_doctype:
            return None
        self._had_doctype = True
        match = _DOCTYPE.match(text, start, start + _DOCTYPE_LIMIT)
        if match:
            self.entities = _entities(match[1] or "")
        return match

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
        return f"&amp;{name};" if value is None else html.escape(value)


def _sections(text: str, repairer: _Repairer) -> str:
    """``text`` without comments, instructions and declarations, its references repaired."""
    ends = {closer: text.rfind(closer) for closer in (*_CLOSERS.values(), ">")}
    pieces: list[str] = []
    position = 0
    while match := _OPENER.search(text, position):
        start, opener = match.start(), match[0]
        pieces.append(repairer.text(text[position:start]))
        if opener == "<!" and (doctype := repairer.doctype(text, start)):
            position = doctype.end()
            continue
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

    xml: bytes
    limits: Limits
    root: str = ""
    depth: int = 0
    elements: int = 0
    entries: int = 0
    namespaces: set[tuple[str | None, str | None]] = field(default_factory=set)

    def start(self, name: str, attributes: list[str]) -> None:
        self.depth += 1
        self.elements += 1
        local = name.rpartition(_SEPARATOR)[2].lower()
        if not self.root:
            self.root = local
        if self.depth > DEPTH_LIMIT:
            raise UnsafeError(f"its elements are nested more than {DEPTH_LIMIT} deep")
        if self.elements > self.limits.elements:
            raise self._too_many(f"{self.limits.elements:,} elements")
        if local in _ENTRY_NAMES:
            self.entries += 1
            if self.entries > self.limits.items:
                raise self._too_many(f"{self.limits.items:,} entries")
        if len(attributes) > 2 * ATTRIBUTE_LIMIT:  # names and values
            raise UnsafeError(f"an element of it has more than {ATTRIBUTE_LIMIT} attributes")

    def _too_many(self, limit: str) -> UnsafeError:
        found = f"{len(_ENTRY.findall(self.xml)):,} entries, {len(self.xml) / 1e6:.1f} MB"
        return UnsafeError(f"it has more than {limit} ({found})", self.limits.remedy)

    def end(self, _name: str) -> None:
        self.depth -= 1

    def namespace(self, prefix: str | None, uri: str | None) -> None:
        # Those that differ: XHTML in Atom declares the same one in every entry.
        self.namespaces.add((prefix, uri))
        if len(self.namespaces) > NAMESPACE_LIMIT:
            raise UnsafeError(f"it declares more than {NAMESPACE_LIMIT:,} namespaces")


def _scan(xml: bytes, limits: Limits) -> tuple[_Counter, str]:
    """What the document holds, and why it is not well formed (empty if it is)."""
    counter = _Counter(xml, limits)
    parser = expat.ParserCreate("utf-8", _SEPARATOR)
    parser.ordered_attributes = True
    parser.StartElementHandler = counter.start
    parser.EndElementHandler = counter.end
    parser.StartNamespaceDeclHandler = counter.namespace
    try:
        parser.Parse(xml, True)  # noqa: FBT003 - it takes no keywords
    except expat.ExpatError as error:
        if error.code in _TOO_SHORT:
            return counter, "it ends too early"
        return counter, f"{expat.ErrorString(error.code)} in line {error.lineno}"
    if counter.elements * len(counter.namespaces) > LOOKUP_LIMIT:
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


def repair(text: str, limits: Limits) -> Document:
    """``text`` as XML that can be parsed.

    Args:
        text: starts with ``<``.
        limits: how many elements it may have.

    Raises:
        UnsafeError: it is too deep, too large or too odd to be read.
    """
    repairer = _Repairer()
    text = clean_markup(_sections(text, repairer)).strip()
    xml = text.encode("utf-8", "replace")
    counter, malformed = _scan(xml, limits)
    if not malformed:
        return Document(xml, counter.root, repairer.problem)
    xml = mend(text, DEPTH_LIMIT).encode("utf-8", "replace")
    if not xml:
        raise UnsafeError("there is no element in it")
    counter, beyond = _scan(xml, limits)
    if beyond:
        raise UnsafeError(f"it is broken beyond repair: {beyond}")
    return Document(xml, counter.root, repairer.problem or malformed)
