"""One body from the texts of an entry: its summary and its content, each once."""

from __future__ import annotations

import re
from collections.abc import Iterable

from searchfeed.feeds.reducer import SOURCE_LIMIT

BODY_LIMIT = 1_000_000
"""Characters kept of one body."""

_TEXTS_LIMIT = 2 * BODY_LIMIT
"""Characters of all texts of one entry that are compared with each other."""

_PREFIX = 40
"""Characters that a lead cut without a mark must share with the content's start to be its copy."""

_CUT = re.compile(r"(?:\.{2,}|…|[\[(]\s*(?:\.{2,}|…)\s*[\])])(?:\s*(?:→|»|›|&raquo;))?\s*\Z")
_CUT_LENGTH = 32
"""Characters at the end of a text in which the mark that it was cut is looked for."""

_COMPARISONS = 10_000_000
"""Paragraphs of one text times characters of another above which only the whole is compared."""

_MARKS = re.compile(r"(?m)^[^\S\n]*+(?:\*|\d++\.)\s")
_WORDS = re.compile(r"\w+")


def cut_warning(texts: int) -> str:
    """The warning that so many texts of a feed have lost their ends."""
    return (
        f"{texts} of its texts were cut after {BODY_LIMIT:,} characters ({SOURCE_LIMIT:,} of HTML)"
    )


def _words(text: str) -> str:
    """The words alone, each between spaces: layout and punctuation do not make a difference."""
    return f" {' '.join(_WORDS.findall(_MARKS.sub('', text).casefold()))} "


def _repeats(paragraph: str, words: str) -> bool:
    """Whether a text with ``words`` says all that ``paragraph`` says."""
    if mark := _CUT.search(paragraph, max(len(paragraph) - _CUT_LENGTH, 0)):
        # The last word may be cut as well, so it need not end where the text's word ends.
        return _words(paragraph[: mark.start()]).rstrip() in words
    own = _words(paragraph)
    return own in words or (len(own) > _PREFIX and words.startswith(own.rstrip()))


def _without_repeats(text: str, words: str) -> str:
    if _repeats(text, words):
        return ""
    parts = text.split("\n\n")
    if len(parts) * len(words) > _COMPARISONS:
        return text
    return "\n\n".join(part for part in parts if not _repeats(part, words))


def join(texts: Iterable[str]) -> str:
    r"""The texts in order, divided by a blank line, without what a longer one of them repeats.

    A lead that was cut (it ends in ``...`` or ``…``) is a repetition if its words stand in the
    content, and stays in front of the content if they do not.

    >>> join(["On 10 September, the...", "On 10 September, the Ministry met."])
    'On 10 September, the Ministry met.'
    >>> join(["On 10 September, the...", "It will be a cornerstone."])
    'On 10 September, the...\n\nIt will be a cornerstone.'
    """
    kept: list[tuple[str, str]] = []
    room = _TEXTS_LIMIT
    for given in texts:
        text = given[:room].rstrip()
        room -= len(text)
        if not text:
            continue
        words = _words(text)
        # Of two texts with the same words the one with paragraphs or a list is kept.
        if any(
            _repeats(text, known) and not (words == known and "\n" in text and "\n" not in other)
            for other, known in kept
        ):
            continue
        shorter = [(_without_repeats(other, words), known) for other, known in kept]
        kept = [(other, known) for other, known in shorter if other]
        kept.append((text, words))
    return "\n\n".join(text for text, _ in kept)
