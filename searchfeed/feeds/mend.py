"""Broken XML → well-formed XML that keeps every word.

What feedparser does with a document that is not well formed (an SGML parser made of regular
expressions) can be made to run for minutes, and reads such feeds by other rules than sound ones.
Mended here in one linear pass, a broken feed takes the same road as the others.
"""

from __future__ import annotations

import re
from typing import Final

_TAG = re.compile(
    r"<(/?)([A-Za-z_][\w.-]*+(?::[A-Za-z_][\w.-]*+)?)"
    r"((?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+'){0,128}+)>"
    r"|<(/?)([A-Za-z_][\w.-]*+(?::[A-Za-z_][\w.-]*+)?)(?=[\s/>])([^<>]*+)>"
    r"|<(/?)([A-Za-z_][\w.-]*+(?::[A-Za-z_][\w.-]*+)?)\s*+(?=<)"
    r"|<!\[CDATA\[.*?\]\]>"
    r"|<",
    re.A | re.S,
)
# A name is tried at its start alone: a long one that has no value would be tried at each letter.
_ATTRIBUTE = re.compile(
    r"(?<![\w.:-])([A-Za-z_][\w.-]*+(?::[A-Za-z_][\w.-]*+)?)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'<>]++))",
    re.A,
)
_TRUNCATED = re.compile(r"<[^<>]*+\Z")

# HTML that was put into a feed without being escaped, and has no end tags.
_VOID: Final = frozenset(("br", "hr", "img", "wbr", "input"))
_REOPENED: Final = frozenset(("p", "li", "tr", "td", "th", "dt", "dd", "option"))
_ENTRIES: Final = frozenset(("item", "entry"))

_PREFIXES: Final = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "slash": "http://purl.org/rss/1.0/modules/slash/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "thr": "http://purl.org/syndication/thread/1.0",
    "wfw": "http://wellformedweb.org/CommentAPI/",
    "xhtml": "http://www.w3.org/1999/xhtml",
}


class _Mender:
    def __init__(self, depth_limit: int) -> None:
        self.depth_limit = depth_limit
        self.pieces: list[str] = []
        self.stack: list[str] = []
        self.used: set[str] = set()
        self.declared: dict[str, str] = {}
        self.root_end = 0

    def run(self, text: str) -> None:
        position = 0
        for match in _TAG.finditer(text):
            self._text(text[position : match.start()])
            position = match.end()
            name = match[2] or match[5] or match[8]
            if name is None:
                self._text("&lt;" if match[0] == "<" else match[0], literal=True)
            elif match[1] or match[4] or match[7]:
                self._close(name)
            else:
                self._open(name, match[3] or match[6] or "")
        self._text(text[position:])
        while self.stack:
            self.pieces.append(f"</{self.stack.pop()}>")

    def _text(self, chunk: str, *, literal: bool = False) -> None:
        if self.stack:  # text before the root has no place in XML
            self.pieces.append(chunk if literal else chunk.replace("]]>", "]]&gt;"))

    def _open(self, name: str, attributes: str) -> None:
        again = name in self.stack if name in _ENTRIES else self.stack[-1:] == [name]
        if again and name in _ENTRIES | _REOPENED:
            self._close(name)
        if len(self.stack) >= self.depth_limit:
            return
        empty = attributes.rstrip().endswith("/") or name.lower() in _VOID
        self.pieces.append(f"<{name}{self._attributes(attributes)}")
        self._use(name)
        if not self.stack:
            self.root_end = len(self.pieces)
            self.pieces.append("")
            empty = False
        self.pieces.append("/>" if empty else ">")
        if not empty:
            self.stack.append(name)

    def _attributes(self, source: str) -> str:
        kept: dict[str, str] = {}
        for name, double, single, bare in _ATTRIBUTE.findall(source):
            value = (double or single or bare).replace("<", "&lt;").replace('"', "&quot;")
            prefix, _, local = name.rpartition(":")
            if prefix == "xmlns" or name == "xmlns":
                value = "".join(value.split())  # XML parsers refuse those with a space in them
                # Namespaces are declared on the root, where one that an entry forgot is known too.
                if value and prefix and local not in ("xml", "xmlns"):
                    self.declared.setdefault(local, value)
                if prefix or not value:
                    continue
            kept.setdefault(name, value)
            self._use(name)
        return "".join([f' {name}="{value}"' for name, value in kept.items()])

    def _use(self, name: str) -> None:
        prefix, colon, _ = name.partition(":")
        if colon and prefix != "xml":
            self.used.add(prefix)

    def _close(self, name: str) -> None:
        # The root stays open to the end: what follows a stray end tag is not lost.
        if name not in self.stack[1:]:
            return
        while True:
            closed = self.stack.pop()
            self.pieces.append(f"</{closed}>")
            if closed == name:
                return

    def declare_namespaces(self) -> None:
        self.pieces[self.root_end] = "".join(
            [
                f' xmlns:{prefix}="{self.declared.get(prefix) or _PREFIXES.get(prefix, prefix)}"'
                for prefix in sorted(self.used)
            ]
        )


def mend(text: str, depth_limit: int) -> str:
    """``text`` as well-formed XML.

    Tags that do not match are closed or dropped, ``<`` that starts no tag becomes text,
    prefixes that nobody declared are, and what was cut off is closed.

    Args:
        text: XML without comments, declarations and bare ampersands.
        depth_limit: elements that are nested deeper lose their tags and keep their text.
    """
    mender = _Mender(depth_limit)
    mender.run(_TRUNCATED.sub("", text))
    if mender.pieces:
        mender.declare_namespaces()
    return "".join(mender.pieces)
