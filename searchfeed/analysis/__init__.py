"""The one analyzer, made for news in many languages: for the index, queries and snippets alike.

The index holds the exact form of every word (``tokens``, ``index_terms``, ``analyze``), and a
``Finder`` tells where some stand in a text. What
else a word of a query may find is worked out on the index's dictionary of terms (``query_words``,
``fold``, ``stem``). Where a text may be cut is told by ``grapheme_start``, ``word_start``,
``sentences``. ``Expression`` is a regular expression for whole terms.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from searchfeed.analysis.analyzer import (
    Token,
    WordQuery,
    index_terms,
    query_words,
    terms,
    tokens,
)
from searchfeed.analysis.borders import grapheme_start, sentences, word_start
from searchfeed.analysis.characters import spell
from searchfeed.analysis.finding import Finder
from searchfeed.analysis.forms import STEMMED, fold, stem, typing_mistakes
from searchfeed.analysis.sample import fingerprint

if TYPE_CHECKING:
    from searchfeed.analysis.detection import language_of
    from searchfeed.analysis.expressions import Expression
    from searchfeed.analysis.stretches import analyze

FINGERPRINT: str

_LATER = {"Expression": "expressions", "analyze": "stretches", "language_of": "detection"}
"""What most searches do without, and the module of each."""


def __getattr__(name: str) -> object:
    if name == "FINGERPRINT":
        return fingerprint()
    if name in _LATER:
        return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = (
    "FINGERPRINT",
    "STEMMED",
    "Expression",
    "Finder",
    "Token",
    "WordQuery",
    "analyze",
    "fold",
    "grapheme_start",
    "index_terms",
    "language_of",
    "query_words",
    "sentences",
    "spell",
    "stem",
    "terms",
    "tokens",
    "typing_mistakes",
    "word_start",
)
