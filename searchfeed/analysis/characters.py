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

from bisect import bisect_right
from collections.abc import Sequence
from unicodedata import bidirectional, category, is_normalized, normalize

# A mark can follow its base after others; Unicode's stream-safe format allows 30. Normalising is
# quadratic in the length of such a sequence, so a longer one is taken in pieces.
_LONGEST_CLUSTER = 32
_TOO_MANY_MARKS = "M" * _LONGEST_CLUSTER

# Persian writes prefixes and suffixes with it: no space, yet a border inside the word.
ZERO_WIDTH_NON_JOINER = "\u200c"

# Ranges of code points by shape, in hexadecimal. X: the default-ignorable characters of Unicode,
# the Arabic tatweel, what encloses a character (the key of a keycap), the skin tones of emoji.
# B: the scripts written without spaces, and Korean, whose words carry their particles: Thai, Lao,
# Burmese, Khmer, Hangul, kana with their length and iteration marks, Bopomofo, Han.
_RANGES = {
    "X": """
        ad 34f 640 61c 115f-1160 17b4-17b5 180b-180f 200c-200f 202a-202e 2060-206f 20dd-20e4 3164
        fe00-fe0f feff ffa0 fff9-fffb 1bca0-1bca3 1d173-1d17a 1f3fb-1f3ff e0000-e0fff
    """,
    "B": """
        e01-e3a e40-e4e e81-ecf edc-edf 1000-103f 1050-1089 108e-108f 109a-109d 1100-115e 1161-11ff
        1780-17b3 17b6-17d3 17d7 17dc-17dd 3005-3007 303b-303c 3041-309f 30a1-30fa 30fc-312f
        3131-3163 3165-318e 31a0-31bf 31f0-31ff 3400-4dbf 4e00-9fff a960-a97c a9e0-a9ef a9fa-a9fe
        aa60-aa7f ac00-d7fb f900-faff 1aff0-1b16f 20000-3ffff
    """,
    "H": "5d0-5f2",
    "E": "2600-27bf 2b50 2b55 1f000-1f1e5 1f200-1f3fa 1f400-1faff",
    "F": "1f1e6-1f1ff",
}


def _borders() -> tuple[list[int], list[str]]:
    """Where ranges begin and end, in order, and the shape from there on (none between them)."""
    found: dict[int, str] = {0: ""}
    for shape, listed in _RANGES.items():
        for each in listed.split():
            first, _, last = each.partition("-")
            found[int(first, 16)] = shape
            found.setdefault(int(last or first, 16) + 1, "")
    return sorted(found), [shape for _, shape in sorted(found.items())]


_STARTS, _SHAPES_FROM = _borders()
_SYMBOLS = frozenset("EF")

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
        shape = _shape(code)
        if category(chr(code)) not in _UNASSIGNED:
            self[code] = shape
        return shape


def _shape(code: int) -> str:
    kind = category(chr(code))
    special = _SHAPES_FROM[bisect_right(_STARTS, code) - 1]
    if special == "X":
        return "X"
    if kind[0] == "M":
        return "M"
    if kind == "Nd":
        return "N"
    if kind[0] in "LN":
        return special or "L"
    return special if special in _SYMBOLS else " "


SHAPES: dict[int, str] = _Shapes(
    _THEMSELVES | {code: _THEMSELVES[ord(plain)] for code, plain in _PLAIN.items()}
)


class _Continuing(dict[str, bool]):
    """Whether a character can compose with the one before it, filled as characters are met."""

    def __missing__(self, character: str) -> bool:
        first = normalize("NFKD", character)[0]
        # Vowels and trailing consonants of Hangul compose although they are no marks.
        found = (
            category(first)[0] == "M"
            or "\u1160" <= first <= "\u11ff"
            or "\ud7b0" <= first <= "\ud7fb"
        )
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
        and (bidirectional(text[index - 1]) == "AL" or "\u064b" <= text[index - 1] <= "\u065f")
        and bidirectional(text[index + 1]) == "AL"
    )


def _spell_cluster(cluster: str) -> str:
    if cluster in _DIVIDING:
        return " "
    plain = normalize("NFKC", normalize("NFKC", cluster).casefold()).translate(_PLAIN)
    if _FRACTION_SLASH in plain and plain != cluster:
        return " " + plain
    if cluster != ZERO_WIDTH_NON_JOINER and "X" in plain.translate(SHAPES):
        return "".join(each for each in plain if SHAPES[ord(each)] != "X")
    return plain
