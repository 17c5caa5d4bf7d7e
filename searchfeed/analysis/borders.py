"""Where a text may be cut: between graphemes, between words, between sentences.

Graphemes follow Unicode's Annex 29 as far as ``unicodedata`` tells; where it cannot tell, there
is no border, so that nothing that belongs together is ever cut.
"""

from __future__ import annotations

import re
from unicodedata import category, combining

from searchfeed.analysis.characters import SHAPES
from searchfeed.models import Span
from searchfeed.patterns import deferred

_ZERO_WIDTH_JOINER = "\u200d"
_VIRAMA = 9
# What can follow a base besides marks and what is looked through: half-width voicing, and the
# vowel am of Thai and Lao.
_EXTENDING = frozenset("\uff9e\uff9f\u0e33\u0eb3")
# Signs written before what they enclose: the number signs of Arabic and their like.
_PREPENDED = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
_CONTROLS = frozenset({"Cc", "Zl", "Zp"})

_HALVES_OF_FLAGS = "".join(map(chr, range(0x1F1E6, 0x1F200)))

# Far enough for any word of prose; what is longer may be cut anywhere.
_LONGEST_WORD = 64

# One set of characters comes first, as ``re`` passes by all others three times as fast then.
_SENTENCE_END = deferred(
    r"""[\n。！？｡.!?…।॥؟۔]
    (?: (?<=\n)
      | (?<=[。！？｡]) [」』）”’)]*+
      | (?<=[.!?…।॥؟۔]) (?<![.!?…।॥؟۔].) [.!?…।॥؟۔]*+ ["'”’»)\]]*+ (?=\s|$) )""",
    re.VERBOSE,
)
# What the last word before a full stop can be without ending a sentence: common abbreviations
# of the European languages. Single letters and numbers of one or two digits are told by shape.
_ABBREVIATIONS = """
mr mrs ms dr prof rev hon gen gov sen rep col capt lt sgt st mt jr sr messrs no nos vol fig
pp ca cf vs etc approx dept est inc corp ltd co bros jan feb mar apr jun jul aug sep sept
oct nov dec
bzw ggf usw evtl inkl nr str abb bd hrsg sog vgl tel mio mrd
mme mlle mm av env art chap
sig dott ing avv pag
sra srta dra ud uds pág
г гг ул им тыс млн млрд руб см др
"""
_ABBREVIATED = frozenset(_ABBREVIATIONS.split())
_LAST_WORD = deferred(r"[^\W_](?:[^\W_]|\.(?=\w))*$")
_REACH = 24


def grapheme_start(text: str, index: int) -> int:
    """The last border between graphemes at or before ``index``.

    An index before the text is taken as its start, one behind it as its end.

    >>> grapheme_start("cafe\u0301", 4)
    3
    """
    index = min(max(index, 0), len(text))
    while 0 < index < len(text) and not _is_border(text, index):
        index -= 1
    return index


def _is_border(text: str, index: int) -> bool:
    before, after = text[index - 1], text[index]
    if before == "\r":
        return after != "\n"
    if before < "\u0300" and after < "\u0300":
        return True
    if SHAPES[ord(after)] in "MX" or after in _EXTENDING:
        return category(before) in _CONTROLS
    if before in _PREPENDED:
        return category(after) in _CONTROLS
    if before == _ZERO_WIDTH_JOINER and SHAPES[ord(after)] == "E":
        return False
    if before in _HALVES_OF_FLAGS and after in _HALVES_OF_FLAGS:
        # Two make a flag, counted from where they begin.
        return (index - len(text[:index].rstrip(_HALVES_OF_FLAGS))) % 2 == 0
    if category(after) == "Lo" and (combining(before) == _VIRAMA or before == _ZERO_WIDTH_JOINER):
        return False
    return not _is_one_syllable(before, after)


def _is_one_syllable(before: str, after: str) -> bool:
    """Whether two parts of Hangul stand in one syllable: leading, vowel, trailing, or joined."""
    if "\u1160" <= after <= "\u11ff" or "\ud7b0" <= after <= "\ud7fb":
        return "\u1100" <= before <= "\u11ff" or "\uac00" <= before <= "\ud7fb"
    leading = "\u1100" <= before <= "\u115f" or "\ua960" <= before <= "\ua97c"
    return leading and (
        "\u1100" <= after <= "\u115f" or "\ua960" <= after <= "\ua97c" or "\uac00" <= after <= "힣"
    )


def word_start(text: str, index: int) -> int:
    """The last border at or before ``index`` that cuts no word, nor a grapheme.

    Punctuation belongs to the word it touches. Scripts without spaces can be cut after each
    grapheme, and so can a word of more than 64 characters.

    >>> word_start("silk routes", 8)
    5
    """
    border = index = grapheme_start(text, index)
    lowest = max(0, index - _LONGEST_WORD)
    while lowest < border < len(text) and _is_inside_word(text, border):
        border = grapheme_start(text, border - 1)
    return border if border > lowest or border == 0 else index


def _is_inside_word(text: str, index: int) -> bool:
    before, after = text[index - 1], text[index]
    return not (before.isspace() or after.isspace()) and not (
        SHAPES[ord(before)] == "B" or SHAPES[ord(after)] == "B"
    )


def sentences(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """The sentences of ``text[start:end]``, without the white space between them.

    A line break always ends a sentence. No other sign does before a word in lower case, nor a
    full stop after an abbreviation, an initial or a number of one or two digits.

    >>> [text[span.start:span.end] for text in ["Dr. No met J. Bond. Why?"]
    ...     for span in sentences(text)]
    ['Dr. No met J. Bond.', 'Why?']
    """
    end = len(text) if end is None else min(end, len(text))
    found: list[Span] = []
    for match in _SENTENCE_END.finditer(text, start, end):
        if match[0][0] in ".!?…" and not _ends_sentence(text, match, start, end):
            continue
        _add(found, text, start, match.end())
        start = match.end()
    _add(found, text, start, end)
    return found


def _add(found: list[Span], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    if start < end:
        found.append(Span(start, end))


def _ends_sentence(text: str, match: re.Match[str], start: int, end: int) -> bool:
    following = _FOLLOWING.match(text, match.end(), end)
    if following is not None and following[1].islower():
        return False
    if match[0] != ".":
        return True
    last = _LAST_WORD.search(text[max(start, match.start() - _REACH) : match.start()])
    if last is None:
        return True
    word = last[0].casefold()
    if word.isdecimal():
        return len(word) > 2
    return len(word.rpartition(".")[2]) > 1 and word not in _ABBREVIATED


_FOLLOWING = deferred(r"[^\S\n]*[\"'“‘«(\[]*([^\W\d_])")
