"""HTML as feeds send it → a handful of bare tags and text, in one pass of linear time.

What nobody is meant to read (scripts, comments, hidden elements) is gone, character references
are resolved, and the characters that mean something to html2text have become noncharacters.
"""

from __future__ import annotations

import re
from typing import Final

from searchfeed.feeds import text as plain_text

SOURCE_LIMIT: Final = 8_000_000
"""Characters of HTML looked at; what follows is not read."""

LIST_DEPTH: Final = 24
"""Nested lists shown as such; html2text indents every line by its depth."""

_LOOK_BACK: Final = 64

BLOCK: Final = "<p>"
_LINE: Final = "<br>"
CELL: Final = "\ufdd5"

_LT, _AMP, _BACKSLASH, _PRE_NEWLINE, _PRE_SPACE = "\ufdd0\ufdd1\ufdd2\ufdd3\ufdd4"
_PROTECT = str.maketrans({"<": _LT, "&": _AMP, "\\": _BACKSLASH})
_PROTECT_PRE = str.maketrans(
    {"<": _LT, "&": _AMP, "\\": _BACKSLASH, "\n": _PRE_NEWLINE, " ": _PRE_SPACE, "\t": _PRE_SPACE}
)
RESTORE = str.maketrans(
    {_LT: "<", _AMP: "&", _BACKSLASH: "\\", _PRE_NEWLINE: "\n", _PRE_SPACE: " ", CELL: "|"}
)
_SENTINELS = re.compile("[\ufdd0-\ufdd5]")

# Each `<` can be tried once without passing another one outside quotes, and no more than 128
# pieces on: together that bounds the time on input made to be ambiguous.
_TAG = re.compile(r"<(/?)([a-zA-Z][\w:.-]*+)((?:[^<>\"']++|\"[^\"]*+\"|'[^']*+'){0,128}+)>", re.A)
# One with a quotation mark too many; and one that the end of a shortened text cut in two.
_BROKEN_TAG = re.compile(r"<(/?)([a-zA-Z][\w:.-]*+)([\s/][^<>]*+)?>", re.A)
_CUT_TAG = re.compile(r"<(?:[a-zA-Z]\w*\s+[a-zA-Z-]+\s*=[^<>]*|!--.*)\Z", re.A | re.S)
_OPENING = re.compile(r"<(?=[a-zA-Z/!?])")
_WHITESPACE = re.compile(r"\s+")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_ALT = re.compile(r"(?:^|[\s\"'/])alt\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))", re.I)
_START = re.compile(r"\bstart\s*=\s*[\"']?(\d{1,6})", re.I)
_HIDDEN_ATTRIBUTE = re.compile(r"(?:^|[\s/])hidden(?=[\s=/]|$)", re.I)
_HIDDEN_STYLE = re.compile(
    r"style\s*=\s*(?:\"[^\"]*?|'[^']*?)(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.I
)
_CLOSING = re.compile(r"</([a-zA-Z][\w:.-]*)", re.A)

_BLOCKS = frozenset(
    (
        "address", "article", "aside", "blockquote", "body", "center", "details", "dialog",
        "dir", "div", "dl", "fieldset", "figcaption", "figure", "footer", "form", "h1",
        "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr", "html", "legend", "main",
        "menu", "nav", "p", "pre", "search", "section", "summary", "table",
    )
)  # fmt: skip
_LINES = frozenset(
    (
        "br", "caption", "dd", "dt", "option", "optgroup", "select", "tbody", "textarea",
        "tfoot", "thead", "tr",
    )
)  # fmt: skip
_RAW = frozenset(("script", "style", "xmp", "plaintext"))
_UNREAD = frozenset(
    (
        "annotation", "applet", "audio", "canvas", "datalist", "head", "iframe", "noembed",
        "noframes", "noscript", "object", "script", "style", "svg", "template", "title",
        "video",
    )
)  # fmt: skip
_VOID = frozenset(
    (
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param",
        "source", "track", "wbr",
    )
)  # fmt: skip
_INLINE = frozenset(
    (
        "a", "abbr", "acronym", "b", "basefont", "bdi", "bdo", "big", "blink", "button",
        "cite", "code", "colgroup", "data", "del", "dfn", "em", "font", "frame", "frameset",
        "i", "ins", "kbd", "label", "li", "map", "mark", "marquee", "math", "meter", "nobr",
        "ol", "output", "picture", "progress", "q", "rb", "rp", "rt", "rtc", "ruby", "s",
        "samp", "small", "slot", "span", "strike", "strong", "sub", "sup", "td", "th",
        "time", "tt", "u", "ul", "var",
    )
)  # fmt: skip
_KNOWN = _BLOCKS | _LINES | _UNREAD | _RAW | _VOID | _INLINE


class Reducer:
    """One pass over HTML.

    Attributes:
        pieces: layout tags (they start with ``<``), and text in which nothing is special.
        layout: how many of the pieces are tags.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.pieces: list[str] = []
        self.layout = 0
        self._lists: list[str] = []
        self._lists_ignored = 0
        self._cells = 0
        self._pre = 0
        self._skipping = ""
        self._skip_depth = 0
        self._skip_from = 0
        self._closing_names: frozenset[str] | None = None

    def run(self) -> None:
        """Read the source from end to end."""
        source = self.source
        last_end = source.rfind(">")
        last_comment_end = source.rfind("-->")
        last_section_end = source.rfind("]]>")
        position = 0
        while (opening := _OPENING.search(source, position, last_end + 1)) is not None:
            start = opening.start()
            self._text(source[position:start])
            match = _TAG.match(source, start) or _BROKEN_TAG.match(source, start)
            if match is not None and self._is_tag(match):
                position = self._tag(match)
            elif source.startswith("<!--", start) and start < last_comment_end:
                position = source.find("-->", start) + 3
            elif source.startswith("<![CDATA[", start) and start < last_section_end:
                end = source.find("]]>", start)
                self._text(source[start + 9 : end])
                position = end + 3
            elif source.startswith(("<!", "<?", "</"), start):
                position = source.find(">", start) + 1
            else:
                self._text("<")
                position = start + 1
        self._text(_CUT_TAG.sub("", source[position:]))

    def _is_tag(self, match: re.Match[str]) -> bool:
        # `std::vector<int>` in a text that was not escaped is to be found, not dropped.
        name = match[2].lower()
        if name in _KNOWN or match[1] or match[3] or ":" in name or "-" in name:
            return True
        if self._closing_names is None:
            self._closing_names = frozenset(
                closing.lower() for closing in _CLOSING.findall(self.source)
            )
        return name in self._closing_names

    def _text(self, chunk: str) -> None:
        if chunk:
            chunk = plain_text.unescape(chunk)
            if self._pre:
                self.pieces.append(chunk.translate(_PROTECT_PRE))
            else:
                # html2text takes quadratic time over newlines.
                self.pieces.append(_WHITESPACE.sub(" ", chunk).translate(_PROTECT))

    def _emit(self, tag: str) -> None:
        self.layout += 1
        self.pieces.append(tag)

    def _tag(self, match: re.Match[str]) -> int:
        """Take one tag in; returns where to read on."""
        closing, name, attributes = bool(match[1]), match[2].lower(), match[3] or ""
        if self._skipping:
            self._skip(name, closing=closing, empty=attributes.endswith("/"))
        elif not closing and name not in _VOID and _is_hidden(name, attributes):
            if not attributes.endswith("/"):
                self._skipping, self._skip_depth = name, 1
                self._skip_from = len(self.pieces)
        elif name == "img" or (name in ("area", "input") and "alt" in attributes):
            self._image(attributes)
        elif name in ("ul", "ol", "menu"):
            self._list(name, attributes, closing=closing)
        elif name == "li":
            self._item(closing=closing)
        elif name in ("td", "th"):
            self._cell(closing=closing)
        elif name == "q":
            self.pieces.append('"')
        elif name in _BLOCKS:
            self._block(name, closing=closing)
        elif name in _LINES:
            self._cells = 0
            self._emit(_LINE if name == "br" else "</dt>")
        if name in _RAW and not closing:
            end = re.compile(rf"</{name}", re.I).search(self.source, match.end())
            return end.start() if end else len(self.source)
        return match.end()

    def _skip(self, name: str, *, closing: bool, empty: bool) -> None:
        if name != self._skipping:
            return
        if closing:
            self._skip_depth -= 1
        elif not empty:
            self._skip_depth += 1
        if not self._skip_depth:
            del self.pieces[self._skip_from :]
            self._skipping = ""

    def _image(self, attributes: str) -> None:
        match = _ALT.search(attributes)
        if match and not _is_hidden("img", attributes):
            self._text(f" {match[1] or match[2] or match[3] or ''} ")

    def _list(self, name: str, attributes: str, *, closing: bool) -> None:
        if not closing and len(self._lists) >= LIST_DEPTH:
            self._lists_ignored += 1
        elif not closing:
            if not self._lists:
                self._emit(BLOCK)
            name = "ol" if name == "ol" else "ul"
            start = _START.search(attributes)
            self._lists.append(name)
            self._emit(f"<{name} start={start[1]}>" if start else f"<{name}>")
        elif self._lists_ignored:
            self._lists_ignored -= 1
        elif self._lists:
            self._emit(f"</{self._lists.pop()}>")
            if not self._lists:
                self._emit(BLOCK)

    def _item(self, *, closing: bool) -> None:
        # html2text puts the next item onto the line of an empty one. Looking back has an end, or
        # each of many empty items would pass the same spaces again.
        end = len(self.pieces)
        last = next(
            (at for at in range(end, max(end - _LOOK_BACK, 0), -1) if self.pieces[at - 1] != " "), 0
        )
        if last and self.pieces[last - 1] == "<li>":
            del self.pieces[last - 1 :]
            if closing:
                return
        self._emit("</li>" if closing else "<li>")

    def _cell(self, *, closing: bool) -> None:
        if closing:
            self.pieces.append(" ")
            return
        if self._cells:
            self.pieces.append(f" {CELL} ")
        self._cells += 1

    def _block(self, name: str, *, closing: bool) -> None:
        self._emit(BLOCK)
        if name == "table":
            self._cells = 0
        if name == "pre":
            self._pre = max(0, self._pre - 1) if closing else self._pre + 1


def _is_hidden(name: str, attributes: str) -> bool:
    if name in _UNREAD:
        return True
    folded = attributes.lower()
    if "hidden" in folded and _HIDDEN_ATTRIBUTE.search(_QUOTED.sub('""', attributes)):
        return True
    return "style" in folded and bool(_HIDDEN_STYLE.search(attributes))


def reduce(source: str) -> Reducer:
    """What is left of a piece of HTML."""
    source = _SENTINELS.sub("", source[:SOURCE_LIMIT]).replace("\r\n", "\n").replace("\r", "\n")
    reducer = Reducer(source)
    reducer.run()
    return reducer
