"""What is likely to be asked next, so that it can be looked for while nobody types.

Who types most often goes on with one of the most frequent words that begin as the half-typed one
does; and it is the frequent words that take long to be looked for the first time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from itertools import zip_longest
from threading import Condition
from time import monotonic

from searchfeed.memory import Memory
from searchfeed.models import Query, Results
from searchfeed.stopping import pause
from searchfeed.values import dataclass

GUESSES = 24
"""Letters that are looked for ahead, with which a word goes on and with which the next begins."""

READ = 4_000
"""Characters of each entry that was found that are looked at for words."""

_WORD, _LAST = re.compile(r"\b[^\W\d_]"), re.compile(r"\w+$")

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
        self._sought: set[Hashable] = set()
        self._changed = Condition()

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
        key = self._state, replace(query, text=query.text.rstrip())
        # What is looked for already is had sooner than by looking for it a second time.
        with self._changed:
            self._changed.wait_for(lambda: key not in self._sought)
            self._sought.add(key)
        try:
            return self._memory.get(key, make)
        finally:
            with self._changed:
                self._sought.remove(key)
                self._changed.notify_all()

    def forget(self) -> None:
        """What was found, or is being looked for, is no more what there is."""
        self._state += 1


def guesses(
    text: str,
    completions: Sequence[str],
    results: Results,
    *,
    whole: bool = True,
    siblings: Sequence[str] = (),
) -> list[str]:
    """Texts of one letter more that are likely to be typed next, the likeliest first.

    A space behind a word that was found finds nothing else, so that of the next word the first
    letter is guessed.

    Args:
        text: what has been typed.
        completions: what the half-typed word of it may become, as ``Index.complete`` gives them.
        results: what was found for it.
        whole: whether they were found for the last word as it stands.
        siblings: completions of the text without its last letter. Those in front of the text
            itself are likelier than that the word is whole; where it is not among them, all are.
    """
    # Names of fields come first among completions, and are seldom meant.
    likely = [each for each in completions if not each.endswith(":")]
    space = " " if text[-1:].strip() else ""
    within = _longer(text, likely)[:GUESSES] if space else []
    letters = _beginning(text, results).most_common(GUESSES) if whole else ()
    behind = [f"{text}{space}{letter}" for letter, _ in letters]
    likelier = siblings[: siblings.index(text)] if text in siblings else completions
    first = len(_longer(text, likelier))
    # Then in turn, for either is likely.
    pairs = zip_longest(within[first:], behind)
    return within[:first] + [guess for pair in pairs for guess in pair if guess is not None]


def _longer(text: str, completions: Sequence[str]) -> list[str]:
    """The text with the next letter of its completions, each once."""
    longer = dict.fromkeys(each[: len(text) + 1] for each in completions if each.startswith(text))
    longer.pop(text, None)
    return list(longer)


def _beginning(text: str, results: Results) -> Counter[str]:
    """How often words begin with a letter where something was found, most of all behind a word."""
    last = _LAST.search(text.rstrip().lower())
    # Any form of it: whoever looks for rates finds what stands behind a rate.
    follows = re.compile(rf"\b{last[0]}\w*\W+([^\W\d_])") if last else None
    letters, behind = Counter[str](), Counter[str]()
    for hit in results.hits:
        pause()
        read = f"{hit.entry.title}\n{hit.entry.body[:READ]}".lower()
        letters.update(_WORD.findall(read))
        if follows:
            behind.update(follows.findall(read))
    # All that stand behind it count together as much as all there are.
    worth = letters.total() // max(1, behind.total())
    for letter, count in behind.items():
        letters[letter] += worth * count
    return letters
