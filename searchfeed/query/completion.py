"""What stands before the cursor: a half-typed word, a name, or the value of a field."""

from __future__ import annotations

import re
from collections.abc import Iterable

from searchfeed.query.fields import DATES, FIELDS, FLAGS, resolve
from searchfeed.query.lexer import plain
from searchfeed.query.references import SIGN
from searchfeed.values import dataclass

WHOLE = ("author", "tag")
"""Fields whose values are completed whole, of several words perhaps."""

_HALF = re.compile(r"[-+]*(?:(?P<field>[A-Za-z]+):[-+]*)?(?P<word>[^\s()\"]*)$")
_FIELD = re.compile(r"(?<![^\s(+-])(?P<field>[A-Za-z]+):[-+]*$")
_WORD = re.compile(r"(?P<word>[^\s()\"]*)$")
_LONGEST_NAME = 40
_GOES_ON = re.compile(r"[^\s()\"]")
_NEEDS_QUOTES = re.compile(r"[\s()*?~]|^[-+/]")


@dataclass(frozen=True, slots=True)
class Half:
    """A half-typed word.

    Attributes:
        start: where it starts in the text of the query.
        word: what there is of it; may be empty behind the name of a field.
        field: the field that it is looked for in, None where none is named.
        quoted: whether it stands behind an open quote.
    """

    start: int
    word: str
    field: str | None = None
    quoted: bool = False

    def words(self) -> list[str]:
        """What it may become in every index: the name of a field with its colon, or a flag."""
        start = self.word.casefold()
        if self.field:
            return [
                value for field, value in _FLAGS if field == self.field and _begins(value, start)
            ]
        return [f"{name}:" for name in FIELDS if not self.quoted and _begins(name, start)]

    @property
    def names_a_search(self) -> bool:
        """Whether it is the name of a saved search, or will be."""
        return not (self.quoted or self.field) and plain(self.word).startswith(SIGN)

    def searches(self, names: Iterable[str]) -> list[str]:
        """Which of the saved searches it may become."""
        start = plain(self.word).casefold()
        return [whole for name in names if _begins((whole := f"{SIGN}{name}").casefold(), start)]

    def completed(self, word: str, text: str, cursor: int) -> str:
        """The text of the query with ``word`` in the place of the half-typed one."""
        # A quote inside quotes would end them; the analyzer passes over it anyway.
        word = word.replace('"', "")
        if self.quoted:
            word += '"' if self.field in WHOLE else ""
        elif _NEEDS_QUOTES.search(word):
            word = f'"{word}"'
        return text[: self.start] + word + text[cursor:]


_FLAGS = [(field, value) for (field, value), flag in FLAGS.items() if value == flag]


def _begins(word: str, start: str) -> bool:
    return word.startswith(start) and word != start


def half_typed(text: str, cursor: int) -> Half | None:
    """The half-typed word that ends at the cursor, or None where there is none.

    >>> half_typed("silk ti", 7)
    Half(start=5, word='ti', field=None, quoted=False)
    >>> half_typed('tag:"econ pol', 13)
    Half(start=5, word='econ pol', field='tag', quoted=True)
    """
    head = plain(text[:cursor])
    if _GOES_ON.match(text, cursor):
        return None
    quoted = head.count('"') % 2 == 1
    opened = head.rfind('"')
    if quoted:
        named = _FIELD.search(head, max(0, opened - _LONGEST_NAME), opened)
        last = _WORD.search(head, opened + 1)
    else:
        named = last = _HALF.search(head)
    name = named["field"] if named else None
    field = resolve(name) if name else None
    if last is None or (name and not field) or field in DATES:
        return None
    start = opened + 1 if quoted and field in WHOLE else last.start("word")
    # As it was typed: accents and signs are for the engine to fold.
    word = text[start:cursor]
    return Half(start, word, field, quoted) if word.strip() or field else None
