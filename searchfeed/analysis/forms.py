"""Looser forms of a term: without its accents, and as a stem.

The index holds exact forms only. That two of them mean the same is worked out here, over the
index's dictionary of terms, so that the exact form can rank first and no text is indexed twice.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from unicodedata import category, decimal, name, normalize

from searchfeed.analysis.characters import SHAPES
from searchfeed.analysis.words import ELISIONS
from searchfeed.patterns import deferred

_MOST_REMEMBERED = 65_536

_STEMMERS = {
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "eo": "esperanto",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "st": "sesotho",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}

STEMMED: frozenset[str] = frozenset(_STEMMERS)
"""Primary language subtags that ``stem`` has a stemmer for, given a recent PyStemmer."""

# Letters whose accent Unicode does not take apart, and letters typed one for the other.
_PAIRS = """
ı=i ø=o ł=l đ=d ħ=h ŧ=t ð=d þ=th æ=ae œ=oe ß=ss ŋ=n ɨ=i ƶ=z
ё=е ѐ=е ѝ=и
ٱ=ا ى=ي ی=ي ک=ك ة=ه ہ=ه
"""
_LETTERS = dict(pair.split("=") for pair in _PAIRS.split())
# The marks of these are accents and points. Elsewhere a mark makes another letter (が, й) or is
# a vowel. So begin the names of their letters.
_ACCENTED = ("LATIN ", "GREEK ", "HEBREW ", "ARABIC ")
# Stress, which Cyrillic shows in dictionaries and to beginners.
_STRESS = frozenset("\u0300\u0301")
_STRESSED = frozenset("аеиоуыэюяіїє")
# Written apart these are words of their own; without the apostrophe some are others (she'll).
_ENDINGS = frozenset({"s", "ll", "re", "ve", "d", "m"})

_WORD_SHAPE = deferred("[LH][LHM]*(?:'[LH][LHM]*)*")
_DOT_OF_TURKISH_I = "i\u0307"


def fold(term: str) -> str:
    """A term without accents, points and inner apostrophes, in European digits.

    Folding twice is folding once. Terms with the same fold are spellings of one word.

    >>> [fold(term) for term in ("café", "łódź", "œuvre", "o'brien", "пётр", "й", "が")]
    ['cafe', 'lodz', 'oeuvre', 'obrien', 'петр', 'й', 'が']
    """
    if term.isascii() and "'" not in term:
        return term
    return _fold(term)


@lru_cache(_MOST_REMEMBERED)
def _fold(term: str) -> str:
    # First what stands inside a word without dividing it: marks after it are those of the word.
    if "'" in term:
        head, _, tail = term.partition("'")
        if head not in ELISIONS and tail not in _ENDINGS:
            term = term.replace("'", "")
    term = normalize("NFD", term).replace("·", "").replace('"', "")
    folded: list[str] = []
    accented = stressed = False
    for character in term:
        kind = category(character)
        if kind == "Mn":
            if not accented and not (stressed and character in _STRESS):
                folded.append(character)
            continue
        accented = name(character, "").startswith(_ACCENTED)
        stressed = character in _STRESSED
        if kind == "Nd":
            folded.append(str(decimal(character)))
        else:
            folded.append(_LETTERS.get(character, character))
    # ё and й are taken apart above, and stand in the table whole.
    whole = normalize("NFC", "".join(folded))
    return "".join(_LETTERS.get(character, character) for character in whole)


@lru_cache(_MOST_REMEMBERED)
def stem(term: str, language: str) -> str:
    """The stem of a term in a language, folded.

    Words with digits or signs, and words of languages without a stemmer, are only folded.

    Args:
        term: a term as the analyzer makes it.
        language: a BCP 47 tag (``en``, ``pt-br``), or empty.

    >>> stem("négociations", "fr-ca") == stem("négociation", "fr") == stem("negociation", "fr")
    True
    """
    primary = language.partition("-")[0].lower()
    if primary in _STEMMERS and _is_word(term):
        stemmer = _stemmer(primary)
        if stemmer is not None:
            return fold(stemmer.stemWord(term.replace(_DOT_OF_TURKISH_I, "i")))
    return fold(term)


def stems(terms: Sequence[str], language: str) -> list[str]:
    """The stem of each term, in half the time.

    >>> stems(["oils", "négociations"], "en")
    ['oil', 'negociat']
    """
    primary = language.partition("-")[0].lower()
    stemmer = _stemmer(primary) if primary in _STEMMERS else None
    if stemmer is None:
        return list(map(fold, terms))
    plain = [term for term in terms if term.isascii() and term.isalpha()]
    stemmed = map(fold, stemmer.stemWords(plain))
    return [
        # The next of those, or a number or the like, or one to be looked at.
        (next(stemmed) if term.isalpha() else term)
        if term.isascii() and "'" not in term
        else stem(term, language)
        for term in terms
    ]


def typing_mistakes(word: str) -> int:
    """How many typing mistakes a word of this length can have and still be told.

    >>> [typing_mistakes(word) for word in ("eu", "visa", "border")]
    [0, 1, 2]
    """
    return 0 if len(word) < 3 else 1 if len(word) < 6 else 2


def _is_word(term: str) -> bool:
    """Whether a term has nothing but letters, their marks and apostrophes inside it."""
    if term.isascii() and term.isalpha():
        return True
    return _WORD_SHAPE.fullmatch(term.translate(SHAPES)) is not None


class _Stemmers(threading.local):
    """The stemmers of a thread: they keep state while they work."""

    def __init__(self) -> None:
        self.made: dict[str, Any] = {}


_MADE = _Stemmers()


def _stemmer(primary: str) -> Any:
    if primary not in _MADE.made:
        import Stemmer

        algorithm = _STEMMERS[primary]
        # Stems are remembered by stem(); PyStemmer's own cache would only slow it down.
        _MADE.made[primary] = (
            Stemmer.Stemmer(algorithm, 0) if algorithm in Stemmer.algorithms() else None
        )
    return _MADE.made[primary]
