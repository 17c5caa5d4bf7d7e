"""The text of a query → its parts: words, phrases, signs, field names, brackets.

Typographic and full-width signs are read as their plain forms, and what has no width as a space.
Each of them is one character like its plain form, so a place in the one text is the same place in
the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

from searchfeed.models import Span
from searchfeed.patterns import deferred
from searchfeed.query.fields import DATES, nearest, resolve
from searchfeed.values import dataclass

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»＂「」『』", '"'),
        **dict.fromkeys("‘’‚‛＇", "'"),
        **dict.fromkeys("‐‑‒–—―−－", "-"),
        **{
            chr(code): chr(code - 0xFEE0)
            for code in range(0xFF01, 0xFF5F)
            if chr(code) not in "＂＇－"
        },
        **dict.fromkeys("\u3000\u200b\u200e\u200f\ufeff", " "),
        "〜": "~",
    }
)
_FIELD = deferred(r"([A-Za-z]+):")
_SLOP = deferred(r"~(\d{1,3})(?=[\s)]|$)")
_REGEX = deferred(r"/((?:\\.|[^\\/\s])+)/(?=[\s)]|$)")
_SIGNS = deferred(r"[-+]+(?=[^\s)+-])")
_WORD = deferred(r"[^\s()]+")
# A comma between two digits belongs to their number.
_LISTED = deferred(r"(?:[^\s(),;、。]|(?<=\d),(?=\d))+")
_SCHEME = deferred(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SHOWN = deferred(r"\S{1,30}")
_PLAIN_SIGNS = frozenset("-+－＋−")
_SYMBOLS = {"&&": "AND", "||": "OR"}
_OPERATORS = {"AND": "AND", "OR": "OR", "NOT": "NOT", **_SYMBOLS}
_CLOSING = {"「": "」", "『": "』", "«": "»", "“": "”"}
_SENTENCE = 6
"""A text of so many words, all in capitals, is a sentence; its AND is no operator."""


class Kind(Enum):
    """What a part of a query is."""

    WORD = "word"
    PHRASE = "phrase"
    REGEX = "regex"
    OPERATOR = "operator"
    OPEN = "("
    CLOSE = ")"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a query.

    Attributes:
        text: of a word, a phrase or a regular expression, without quotes or slashes; of an
            operator its plain name.
        span: all of it, sign and field name included.
        value: what stands behind them.
        sign: ``-``, ``+`` or empty; ``title:-x`` is meant as ``-title:x`` is.
        field: the name before the colon, as it was typed; empty without one.
        slop: how many words may stand between those of a phrase.
    """

    kind: Kind
    text: str
    span: Span
    value: Span
    sign: str = ""
    field: str = ""
    slop: int = 0


def plain(text: str) -> str:
    """The text with typographic and full-width signs in their plain forms, as long as before."""
    return text.translate(_PLAIN)


def _in_capitals(text: str) -> bool:
    return text.isupper() and len(text.split()) >= _SENTENCE


class Lexer:
    """Cuts one query into parts; what it has to guess is gathered in ``notes``."""

    def __init__(self, text: str) -> None:
        self._original = text
        self._text = plain(text)
        self._operators = _SYMBOLS if _in_capitals(self._text) else _OPERATORS
        self.notes: list[str] = []

    def parts(self) -> Iterator[Part]:
        """Every part from left to right."""
        at, end = 0, len(self._text)
        while at < end:
            if self._text[at].isspace():
                at += 1
                continue
            part = self._next(at)
            if part is not None:
                yield part
                at = part.span.end
            else:
                at += 1

    def _next(self, start: int) -> Part | None:
        text, at, sign = self._text, start, ""
        if text[at] == ")":
            return Part(Kind.CLOSE, ")", Span(at, at + 1), Span(at, at + 1))
        if match := _SIGNS.match(text, at):
            sign, at = self._sign(match), match.end()
        name = ""
        if (match := _FIELD.match(text, at)) and self._is_field(match):
            name, at = match[1], match.end()
        field = resolve(name)
        if field and field not in DATES and (match := _SIGNS.match(text, at)):
            sign, at = "-" if sign == "-" else self._sign(match), match.end()
        if text[at] == "(":
            return Part(Kind.OPEN, "(", Span(start, at + 1), Span(at, at + 1), sign, name)
        if text[at] == '"':
            return self._phrase(start, at, sign, name)
        if match := _REGEX.match(text, at):
            value = Span(at, match.end())
            return Part(Kind.REGEX, match[1], Span(start, match.end()), value, sign, name)
        end = self._word_end(at, field, alone=not (sign or name))
        if end == at:
            return None
        word = text[at:end]
        if word in self._operators and not (sign or name):
            return Part(Kind.OPERATOR, self._operators[word], Span(at, end), Span(at, end))
        if word in _OPERATORS and word not in self._operators:
            self.notes.append(f"All of it is in capitals, so {word} is read as a word.")
        return Part(Kind.WORD, self._original[at:end], Span(start, end), Span(at, end), sign, name)

    def _sign(self, match: re.Match[str]) -> str:
        """The sign that signs side by side stand for; dashes are told what they were taken for."""
        sign = match[0][-1]
        if sign == "-" and self._original[match.start() : match.end()] not in _PLAIN_SIGNS:
            shown = _SHOWN.match(self._original, match.start())
            self.notes.append(
                f"{shown[0] if shown else sign}: the dash is read as a minus, "
                "so entries with what follows it are left out."
            )
        return sign

    def _is_field(self, match: re.Match[str]) -> bool:
        """Whether ``name:`` is a condition; natural text has colons too."""
        name, behind = match[1], self._text[match.end() : match.end() + 1]
        if not behind or behind.isspace() or behind == ")":
            if resolve(name):
                self.notes.append(
                    f"{name}: has nothing behind it, so it is searched as a word; "
                    f"write {name}:something without a space"
                )
            return False
        if resolve(name):
            return True
        # A slip is taken for a field only where nothing else is likely: std::vector, http://.
        return name.islower() and behind not in ":/\\" and nearest(name) is not None

    def _phrase(self, start: int, at: int, sign: str, name: str) -> Part:
        # Quotes that come in pairs can hold others: 「マイ・ヘヴン("My Heaven")」.
        close = self._original.find(_CLOSING.get(self._original[at], '"'), at + 1)
        if close < 0:
            close = self._text.find('"', at + 1)
        if close < 0:
            close = end = len(self._text)
            self.notes.append("A quote is not closed, so the phrase runs to the end.")
        else:
            end = close + 1
        slop = 0
        if match := _SLOP.match(self._text, end):
            slop, end = int(match[1]), match.end()
        text = self._original[at + 1 : close]
        return Part(Kind.PHRASE, text, Span(start, end), Span(at, end), sign, name, slop)

    def _word_end(self, at: int, field: str | None, *, alone: bool) -> int:
        """Where a word ends: at a space or a bracket.

        One that stands ``alone`` also ends at a comma, unless it is an address. The value of a
        keyword field holds brackets in pairs, and a comma at its end is not part of it.
        """
        if field in (None, "title", "body"):
            listed = alone and not _SCHEME.match(self._text, at)
            match = (_LISTED if listed else _WORD).match(self._text, at)
            return match.end() if match else at
        depth, end = 0, at
        while end < len(self._text):
            character = self._text[end]
            depth += (character == "(") - (character == ")")
            if character.isspace() or depth < 0:
                break
            end += 1
        kept = len(self._text[at:end].rstrip(",;"))
        return at + kept if kept else end
