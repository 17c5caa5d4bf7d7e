"""What is likely to be asked next, so that it can be looked for while nobody types.

Who types most often goes on with one of the most frequent words that begin as the half-typed one
does; and it is the frequent words that take long to be looked for the first time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import monotonic

from searchfeed.memory import Memory
from searchfeed.models import Query, Results
from searchfeed.values import dataclass

GUESSES = 8
"""Letters that are looked for ahead."""

BEHIND = 3
"""So many times more a word counts that stands behind one that was found."""

_MARK = "\0"
_WORD, _BEHIND = re.compile(r"\b[^\W\d_]"), re.compile(rf"{_MARK}\W+([^\W\d_])")

FRESH = 30.0
"""Seconds after which a page is searched for again; others may have written meanwhile."""

HELD = 32 << 20
"""Bytes of pages that are kept at most."""


@dataclass(frozen=True, slots=True)
class _Page:
    results: Results
    asked: float

    @property
    def nbytes(self) -> int:
        """About what it takes."""
        return sum(4_000 + 2 * len(hit.entry.body) for hit in self.results.hits) + 1_000


class Pages:
    """The pages that were found last, those ahead among them. Any thread may use it."""

    def __init__(self) -> None:
        self._memory = Memory(HELD)
        self._state = 0

    def get(self, query: Query, search: Callable[[Query], Results]) -> Results:
        """The page of a query, searched for unless it was found a moment ago."""
        page = self._page(query, search)
        if monotonic() - page.asked > FRESH:
            self.forget()
            page = self._page(query, search)
        return page.results

    def _page(self, query: Query, search: Callable[[Query], Results]) -> _Page:
        def make() -> _Page:
            asked = monotonic()
            return _Page(search(query), asked)

        # A space behind a word finds nothing else.
        return self._memory.get((self._state, replace(query, text=query.text.rstrip())), make)

    def forget(self) -> None:
        """What was found, or is being looked for, is no more what there is."""
        self._state += 1


def guesses(text: str, completions: Sequence[str], results: Results) -> list[str]:
    """Texts of one letter more that are likely to be typed next, the likeliest first.

    Args:
        text: what has been typed.
        completions: what the half-typed word of it may become, as ``Index.complete`` gives them.
        results: what was found for it.
    """
    if not text[-1:].strip():
        return [text + letter for letter, _ in _beginning(results).most_common(GUESSES)]
    # Names of fields come first among completions, and are seldom meant.
    likely = [each for each in completions if not each.endswith(":")]
    longer = [each[: len(text) + 1] for each in likely if each.startswith(text)]
    return list(dict.fromkeys(longer))[:GUESSES]


def _beginning(results: Results) -> Counter[str]:
    """How often words begin with a letter, where what was found is shown."""
    letters = Counter[str]()
    for hit in results.hits:
        for snippet in hit.snippets:
            text = snippet.mark(_MARK, _MARK).lower()
            letters.update(_WORD.findall(text))
            for letter in _BEHIND.findall(text):
                letters[letter] += BEHIND
    return letters
