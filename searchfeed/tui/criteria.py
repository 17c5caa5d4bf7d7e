"""What is looked for: the words in the search line, and the conditions that were chosen beside it.

The conditions are kept apart from the words, so that a half-typed quote cannot swallow them and a
mistake in the words is shown at its place.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import groupby

from searchfeed.models import Entry, Facet, Query, Sort
from searchfeed.values import dataclass

PERIODS = frozenset((Facet.DAY, Facet.WEEK, Facet.MONTH, Facet.YEAR))
"""Facets whose values are dates."""

SORTS = (Sort.RELEVANCE, Sort.NEWEST, Sort.OLDEST)
"""The orders, in the order in which a key goes through them."""

# Of two characters or more, for one would stand for a tenth of all words; none that is left out.
_BARE = re.compile(r"(?:^|(?<!\bNOT)[\s(])(?P<word>\w[\w'’-]*\w)$")
_PLAIN = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class Condition:
    """A value of a facet that results are kept to; ``label`` is the value for people.

    A value of ``Facet.DAY`` may also be a range, as the timeline gives it: ``2020-08..2020-10``.
    """

    facet: Facet
    value: str
    label: str

    @property
    def key(self) -> tuple[Facet, str]:
        """What tells it from others: its label does not."""
        return self.facet, self.value

    @property
    def name(self) -> str:
        """What is before the colon of its condition."""
        return "date" if self.facet in PERIODS else self.facet.value


@dataclass(frozen=True, slots=True)
class Criteria:
    """All that says which entries are shown, and in which order.

    Attributes:
        text: the words, as they were typed.
        conditions: of one facet any has to hold, but of tags all.
        like: show what is like this entry instead; words and conditions then count for nothing.
        typing: whether the text is still being typed, so that its last word may be half of one.
        begun: whether its last word stands for all words that begin with it.
    """

    text: str = ""
    conditions: tuple[Condition, ...] = ()
    sort: Sort = Sort.RELEVANCE
    like: Entry | None = None
    typing: bool = False
    begun: bool = False

    @property
    def everything(self) -> bool:
        """Whether every entry is shown."""
        return not (self.text.strip() or self.conditions or self.like)

    @property
    def shift(self) -> int:
        """How many characters stand before ``text`` in ``query()``."""
        return len(self.query()) - len(self._words()) if self.conditions and self.text else 0

    def query(self, without: Facet | None = None) -> str:
        """Words and conditions as one query, its conditions on one facet perhaps left out."""
        kept = sorted(
            (each for each in self.conditions if each.facet is not without),
            key=lambda each: list(Facet).index(each.facet),
        )
        if not kept:
            return self._written
        parts = []
        for facet, group in groupby(kept, lambda each: each.facet):
            conditions = list(group)
            name = conditions[0].name
            values = [_quoted(each.value) for each in conditions]
            if facet is Facet.TAG:
                parts += [f"{name}:{value}" for value in values]
            else:
                alternatives = " OR ".join(values)
                parts.append(f"{name}:{f'({alternatives})' if len(values) > 1 else alternatives}")
        words = self._words()
        return " ".join([*parts, f"({words}" if words else ""]).strip()

    def request(self, limit: int, offset: int = 0, *, dedupe: bool = True) -> Query:
        """What to ask the index for."""
        sort = self.sort
        if sort is Sort.RELEVANCE and not self.text.strip():
            # Without words all are equally relevant.
            sort = Sort.NEWEST
        # What was perhaps meant is asked for by itself, once nobody types.
        return Query(self.query(), limit, offset, sort, dedupe=dedupe, suggest=False)

    def typed(self, text: str, *, typing: bool = False) -> Criteria:
        """The same with other words."""
        return replace(self, text=text, like=None, typing=typing, begun=False)

    @property
    def longer(self) -> Criteria | None:
        """The same with the half-typed word as the beginning of others, for where nothing is found.

        With a space behind it, a word is whole.
        """
        half_typed = self.typing and not self.like and half_word(self.text)
        return replace(self, begun=True) if half_typed else None

    def toggled(self, condition: Condition) -> Criteria:
        """The same with a condition more or, where it has it already, less."""
        kept = tuple(each for each in self.conditions if each.key != condition.key)
        added = () if len(kept) < len(self.conditions) else (condition,)
        return replace(self, conditions=(*kept, *added), like=None)

    def within(self, condition: Condition) -> Criteria:
        """The same, kept to a stretch of time in the place of the one before."""
        others = tuple(each for each in self.conditions if each.facet is not condition.facet)
        return replace(self, conditions=(*others, condition), like=None)

    def resorted(self) -> Criteria:
        """The same in the next order."""
        return replace(self, sort=SORTS[(SORTS.index(self.sort) + 1) % len(SORTS)])

    def _words(self) -> str:
        """The text as the inside of a bracket, and the bracket's end where no quote hides it."""
        if not self.text.strip():
            return ""
        return self.text if self.text.count('"') % 2 else f"{self._written})"

    @property
    def _written(self) -> str:
        return f"{self.text}*" if self.begun else self.text


def half_word(text: str) -> str:
    """The bare word that a text ends with; empty where it ends with something else.

    >>> [half_word(each) for each in ("silk trac", "silk ", "title:trac", '"silk trac', "-trac")]
    ['trac', '', '', '', '']
    """
    match = _BARE.search(text)
    return match["word"] if match and text.count('"') % 2 == 0 else ""


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else '"{}"'.format(value.replace('"', ""))
