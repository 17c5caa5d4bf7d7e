"""Characters: their plain spelling, and what part each can play in a word.

A text is analysed by its *shape*: a string of the same length that holds, for each character, one
letter for the part it can play. The grammar of words (``words.py``) is then a few expressions
over a dozen plain letters, whatever the script, and needs no table of Unicode ranges.

    L  letter or other number     H  Hebrew letter            N  decimal digit
    M  mark on the one before     B  character of a script that is searched by pairs
    E  emoji                      F  half of a flag           X  to be looked through
    ' " - . , & @ _ + # :         themselves (``:`` is the middle dot of Catalan)
    (space)                       anything else: it divides
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from unicodedata import category, is_normalized, normalize

# A mark can follow its base after others; Unicode's stream-safe format allows 30. Normalising is
# quadratic in the length of such a sequence, so a longer one is taken in pieces.
_LONGEST_CLUSTER = 32
_TOO_MANY_MARKS = "M" * _LONGEST_CLUSTER

# The default-ignorable characters of Unicode, the Arabic tatweel, and the skin tones of emoji.
_IGNORED = re.compile(
    "[\u00ad\u034f\u0640\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff]"
)
# Thai and Khmer are typed with this between words where the writer cares to show them.
_ZERO_WIDTH_SPACE = "\u200b"
# Persian writes prefixes and suffixes with it: no space, yet a border inside the word.
ZERO_WIDTH_NON_JOINER = "\u200c"

# Scripts written without spaces, and Korean, whose words carry their particles: Thai, Lao,
# Burmese, Khmer, Hangul, kana with their length and iteration marks, Bopomofo, Han.
_PAIRED = re.compile(
    "[\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ecf\u0edc-\u0edf\u1000-\u103f\u1050-\u1089\u108e\u108f"
    "\u109a-\u109d\u1100-\u11ff\u1780-\u17d3\u17d7\u17dc\u17dd\u3005-\u3007\u303b\u303c"
    "\u3041-\u309f\u30a1-\u30fa\u30fc-\u312f\u3131-\u318e\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\ua960-\ua97c\ua9e0-\ua9ef\ua9fa-\ua9fe\uaa60-\uaa7f\uac00-\ud7fb\uf900-\ufaff"
    "\U0001aff0-\U0001b16f\U00020000-\U0003ffff]"
)
_EMOJI = re.compile("[\u2600-\u27bf\u2b50\u2b55\U0001f000-\U0001f1e5\U0001f200-\U0001faff]")
_HEBREW = re.compile("[\u05d0-\u05f2]")
_ARABIC = re.compile("[\u0620-\u063f\u0641-\u0652\u066e-\u06d3\u06fa-\u06ff\u0750-\u077f]")
# Jamo that compose with the one before although they are no marks.
_COMPOSING = re.compile("[\u1160-\u11ff\ud7b0-\ud7fb]")

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("’‘‛ʼʻʹ׳′ꞌ", "'"),
        **dict.fromkeys("”“‟״″", '"'),
        **dict.fromkeys("‐‑–−־", "-"),
        "♯": "#",
    }
)
_THEMSELVES = {ord(sign): sign for sign in "'\"-.,&@_+#"} | {ord("·"): ":"}
# Their compatibility forms would run into the word before them.
_DIVIDING = frozenset("™℠")
_FRACTION_SLASH = "\u2044"
# Unassigned, private and surrogate code points: too many to remember, too rare to be worth it.
_UNASSIGNED = frozenset({"Cn", "Co", "Cs"})


class _Shapes(dict[int, str]):
    """The table for ``str.translate`` that gives shapes, filled as characters are met."""

    def __missing__(self, code: int) -> str:
        shape = _shape(chr(code))
        if category(chr(code)) not in _UNASSIGNED:
            self[code] = shape
        return shape


def _shape(character: str) -> str:
    kind = category(character)
    if character == _ZERO_WIDTH_SPACE:
        return " "
    if _IGNORED.match(character):
        return "X"
    if kind[0] == "M":
        return "M"
    if kind == "Nd":
        return "N"
    if "\U0001f1e6" <= character <= "\U0001f1ff":
        return "F"
    if _EMOJI.match(character):
        return "E"
    if kind[0] in "LN":
        if _PAIRED.match(character):
            return "B"
        return "H" if _HEBREW.match(character) else "L"
    return " "


SHAPES: dict[int, str] = _Shapes(
    _THEMSELVES | {code: _THEMSELVES[ord(plain)] for code, plain in _PLAIN.items()}
)


class _Continuing(dict[str, bool]):
    """Whether a character can compose with the one before it, filled as characters are met."""

    def __missing__(self, character: str) -> bool:
        first = normalize("NFKD", character)[0]
        found = category(first)[0] == "M" or _COMPOSING.match(first) is not None
        if category(character) not in _UNASSIGNED:
            self[character] = found
        return found


_CONTINUING = _Continuing()


def spell(text: str) -> str:
    """A text in the spelling of index terms: NFKC, full case folding, plain quotes and hyphens.

    >>> spell("Ｃａｆé – Straße")
    'café - strasse'
    """
    return align(text)[0].replace(ZERO_WIDTH_NON_JOINER, "")


def align(text: str) -> tuple[str, str, Sequence[int] | None, Sequence[int] | None]:
    """The plain spelling of a text, its shape, and where each of its characters came from.

    Returns:
        The spelling; its shape, of the same length; for each of its characters the start and the
        end, in ``text``, of what it came from. The last two are None where they would be
        ``range(n)`` and ``range(1, n + 1)``.
    """
    shape = text.translate(SHAPES)
    if text.isascii():
        return text.lower(), shape, None, None
    if "X" not in shape and _TOO_MANY_MARKS not in shape and is_normalized("NFKC", text):
        folded = text.casefold()
        # Folding never takes a character away, so equal lengths mean one for each.
        if len(folded) == len(text) and is_normalized("NFKC", folded):
            return folded.translate(_PLAIN), shape, None, None
    return _align_clusters(text)


def _align_clusters(text: str) -> tuple[str, str, Sequence[int], Sequence[int]]:
    spelled: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for cluster, start, end in _clusters(text):
        plain = _spell_cluster(cluster)
        spelled.append(plain)
        starts.extend([start] * len(plain))
        ends.extend([end] * len(plain))
    joined = "".join(spelled)
    return joined, joined.translate(SHAPES), starts, ends


def _clusters(text: str) -> list[tuple[str, int, int]]:
    """Cut a text where normalising one side cannot change the other; ignored characters go."""
    clusters: list[tuple[str, int, int]] = []
    characters: list[str] = []
    start = end = 0
    for index, character in enumerate(text):
        if SHAPES[ord(character)] == "X" and not _is_joint(text, index):
            if characters:
                end = index + 1
            continue
        if not (characters and len(characters) < _LONGEST_CLUSTER and _CONTINUING[character]):
            if characters:
                clusters.append(("".join(characters), start, end))
            characters = []
            start = index
        characters.append(character)
        end = index + 1
    if characters:
        clusters.append(("".join(characters), start, end))
    return clusters


def _is_joint(text: str, index: int) -> bool:
    return (
        text[index] == ZERO_WIDTH_NON_JOINER
        and 0 < index < len(text) - 1
        and _ARABIC.match(text[index - 1]) is not None
        and _ARABIC.match(text[index + 1]) is not None
    )


def _spell_cluster(cluster: str) -> str:
    if cluster in _DIVIDING:
        return " "
    plain = normalize("NFKC", normalize("NFKC", cluster).casefold()).translate(_PLAIN)
    if _FRACTION_SLASH in plain and plain != cluster:
        return " " + plain
    if cluster != ZERO_WIDTH_NON_JOINER and "X" in plain.translate(SHAPES):
        return _IGNORED.sub("", plain)
    return plain
