"""What a terminal would obey, taken out of text that is only to be read.

``feeds/`` cleans texts when they come in. This is done again on the way out, because an archive
may come from elsewhere, and because a terminal is no place to find out that a border leaked.
"""

from __future__ import annotations

import re
from unicodedata import category

from searchfeed.patterns import deferred

UNSAFE = (
    "\x00-\x09\x0b-\x1f\x7f-\x9f"  # C0 but newline, DEL, C1
    "\xad\u180e\u200b\ufeff\ufff9-\ufffb"  # invisible: soft hyphen, zero width, annotations
    "\u061c\u200e\u200f\u202a-\u202e\u2060-\u206f"  # direction; ZWJ and ZWNJ are letters' own
    "\u2028\u2029"  # line and paragraph separator
    "\ud800-\udfff\U000e0000-\U000e007f"  # lone surrogates, tags
)
"""The characters that never reach a terminal, as the inside of a regular expression's class."""

# ECMA-48: a string (OSC, DCS, SOS, PM, APC) up to its terminator, a control sequence (CSI), any
# other escape. A string that is never ended would swallow the text behind it in a terminal; here
# it loses its introducer alone, so that no words are lost.
_SEQUENCE = deferred(
    r"(?:\x1b[\]P^_X]|[\x90\x98\x9d-\x9f])"
    r"[^\x07\x1b\x90\x98\x9c-\x9f\n]{0,4096}+(?:\x07|\x1b\\|\x9c)"
    r"|(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]?"
    r"|\x1b[ -/]*+[0-~]?"
)
_SPACE = deferred("[\t\x0b\x0c\x85\u2028\u2029]|\r(?!\n)")
_UNSAFE = deferred(f"[{UNSAFE}]")
_WHITESPACE = deferred(r"\s+")
_HYPERLINK = deferred(r"https?://[!-~]+", re.IGNORECASE)
_MARKS = 4


def clean(text: str) -> str:
    r"""The text without anything that a terminal obeys; newlines stay.

    At most four marks stay on one character: stacks of them run over the lines around.

    >>> clean("a\x1b[31mred\x1b]8;;http://x\x07 title\u202e!")
    'ared title!'
    """
    if text.isascii() and text.isprintable():
        return text
    text = _SEQUENCE.sub("", text)
    text = _SPACE.sub(" ", text)
    text = _UNSAFE.sub("", text)
    return text if text.isascii() else _limit_marks(text)


def line(text: str) -> str:
    r"""The cleaned text on one line; whitespace of any length is one space.

    It keeps one space at each end where there was any, so that pieces can be joined.

    >>> line("one\n\n two\t")
    'one two '
    """
    text = clean(text)
    # The only white space that is printable is a space.
    return text if text.isprintable() and "  " not in text else _WHITESPACE.sub(" ", text)


def hyperlink(link: str) -> str:
    """The link in the form that OSC 8 wants, or an empty string where it is not safe as one.

    Only http(s), and only printable ASCII: other characters are percent-encoded, and a link with
    a space or a control character in it is none.

    >>> hyperlink("https://example.org/é"), hyperlink("javascript:alert(1)")
    ('https://example.org/%C3%A9', '')
    """
    encoded = "".join(
        character
        if character.isascii()
        else "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "replace"))
        for character in link
    )
    return encoded if not _UNSAFE.search(link) and _HYPERLINK.fullmatch(encoded) else ""


def _limit_marks(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if category(character) in ("Mn", "Me") else 0
        if marks <= _MARKS:
            kept.append(character)
    return "".join(kept)
