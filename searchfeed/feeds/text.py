"""Plain text: what may stand in it, and how it is laid out.

Every text that leaves ``feeds/`` has been through `clean` (by way of `line` or `paragraphs`), so
that nothing a feed says can move a cursor, turn the reading direction or hide letters.
"""

from __future__ import annotations

import functools
import html
import re
import sys
import unicodedata

MARKS_KEPT = 4
"""Combining marks kept on one character: no script stacks more, and a page of them is abuse."""

# Whole sequences go, so that `ESC [31m` does not leave `[31m` to be read. None of the patterns
# takes a `<`, since they are used on markup too. The eight-bit forms need their parameters or an
# end to be believed: the same bytes are quotation marks in Windows-1252.
_SEQUENCE = re.compile(
    r"\x1b\[[0-9:;?]*+[ -/]*+[@-~]"
    r"|\x1b[()*+#%][0-9A-Za-z]"
    r"|\x1b[\]PX^_][^\x07\x1b\x9c\n<]{0,4096}+(?:\x07|\x1b\\|\x9c)"
    r"|\x9b[0-9:;?]++[ -/]*+[@-~]"
    r"|[\x90\x98\x9d-\x9f][^\x07\x1b\x90\x98\x9c-\x9f\n<]{0,4096}+(?:\x07|\x1b\\|\x9c)"
)

_UNWANTED = re.compile(
    "["
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"  # C0 but tab and newline, DEL, C1 but NEL
    "\u00ad\u061c\u180e"  # soft hyphen, Arabic letter mark, Mongolian vowel separator
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"  # zero width and bidirectional controls
    "\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e007f"  # tag characters
    "]+"
)
_NEWLINE = re.compile("\r\n?|[\x85\u2028\u2029]")
_JOINERS = re.compile("([\u200c\u200d])[\u200c\u200d]+")
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{3,}")

# int() refuses more than 4,300 digits, and html.unescape() lets it raise.
_LONG_REFERENCE = re.compile(r"&#[xX]?[0-9a-fA-F]{9,}+;?")
_ESCAPE_REFERENCE = re.compile(r"&#(?:0*27|[xX]0*1[bB]);?")


@functools.cache
def _marks() -> frozenset[str]:
    # Made on first use: it takes 20 ms, and a feed in ASCII never needs it.
    return frozenset(
        character
        for character in map(chr, range(0x300, 0x1F000))
        if unicodedata.category(character) in ("Mn", "Me")
    )


@functools.cache
def _excess_marks() -> re.Pattern[str]:
    marks = "".join(sorted(_marks()))
    return re.compile(f"([{marks}]{{{MARKS_KEPT}}})[{marks}]+")


def clean(text: str) -> str:
    r"""``text`` without control sequences and invisible characters, in NFC; newlines are ``\n``.

    Joiners (ZWJ, ZWNJ) stay, since Persian, Hindi and emoji need them; runs of them do not.

    >>> clean("a\x1b[31mred\u202e b")
    'ared b'
    """
    if text.isascii() and text.isprintable():
        return text
    text = _SEQUENCE.sub("", text)
    text = _NEWLINE.sub("\n", text)
    text = _UNWANTED.sub("", text)
    if text.isascii():
        return text
    # Before NFC, which sorts a run of marks in quadratic time.
    text = _JOINERS.sub(r"\1", text)
    marks = _marks()
    if not marks.isdisjoint(text) and "m" * (MARKS_KEPT + 1) in "".join(
        ["m" if character in marks else "." for character in text]
    ):
        text = _excess_marks().sub(r"\1", text)
    return unicodedata.normalize("NFC", text)


def unescape(text: str) -> str:
    """Character references resolved once, as HTML does; those of no character are dropped.

    >>> unescape("AT&amp;T &lt;b&gt; caf&eacute; &#8217;")
    'AT&T <b> café ’'
    """
    if "&" not in text:
        return text
    if "&#" in text:
        text = _LONG_REFERENCE.sub("", text)
        # html.unescape() drops ESC alone, and its parameters would be left as text.
        text = _ESCAPE_REFERENCE.sub("\x1b", text)
    return html.unescape(text)


def line(text: str, limit: int = sys.maxsize) -> str:
    """Clean ``text`` on one line with single spaces, of at most ``limit`` characters."""
    text = " ".join(clean(text).split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def paragraphs(text: str) -> str:
    """Clean ``text`` with its lines: no space around them, one blank line between paragraphs."""
    text = _SPACES.sub(" ", clean(text))
    if "\n" not in text:
        return text.strip()
    text = "\n".join([row.strip() for row in text.split("\n")])
    return _BLANK_LINES.sub("\n\n", text).strip()


_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]+")


def clean_markup(markup: str) -> str:
    """``markup`` without the control sequences and characters that XML may not hold."""
    markup = _SEQUENCE.sub("", markup)
    return _NOT_XML.sub("", markup)
