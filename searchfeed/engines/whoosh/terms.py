"""The terms of a committed state, its segments seen as one, looked up where they lie in the map."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Generic, TypeAlias, TypeVar

from searchfeed.engines.whoosh.columnar.mapped import MappedSegment

Segment = TypeVar("Segment", bound=MappedSegment)

Numbered: TypeAlias = tuple[tuple[Segment, int, int], ...]
"""The segments that have a term, where their documents begin, and its number in each."""

REMEMBERED_TERMS = 16_384
"""Terms whose place in the dictionaries is kept."""


class Terms(Generic[Segment]):
    """The terms of some segments, whose documents are numbered one after the other.

    Attributes:
        size: how many document numbers there are, those deleted included.
    """

    def __init__(self, segments: Iterable[Segment]) -> None:
        self._segments: list[tuple[Segment, int]] = []
        self.size = 0
        for segment in segments:
            self._segments.append((segment, self.size))
            self.size += segment.doc_count
        # They live as long as their state is the newest, so what is remembered is bounded.
        self.terms = cache(self._terms)
        self._found: dict[tuple[str, str], Numbered[Segment]] = {}

    def _terms(self, field: str) -> list[str]:
        """Every term of a field, sorted; some may stand in no live document."""
        found = [segment.terms(field) for segment, _ in self._segments]
        return found[0] if len(found) == 1 else sorted({term for each in found for term in each})

    def has_term(self, field: str, term: str) -> bool:
        """Whether a term stands in some document, deleted ones included."""
        return bool(self._numbers(field, term))

    def starting(self, field: str, prefix: str) -> set[str]:
        """The terms of a field that start with ``prefix``."""
        found: dict[str, list[tuple[Segment, int, int]]] = {}
        for segment, base in self._segments:
            low, high = segment.term_range(field, prefix)
            for number, term in enumerate(segment.terms(field, low, high), start=low):
                found.setdefault(term, []).append((segment, base, number))
        self._keep_all(field, found)
        return set(found)

    def sharing(self, field: str, kind: str, key: str, *, prefix: bool = False) -> set[str]:
        """The terms of a field whose other form (``fold``, ``stem-en``) is, or starts with, key."""
        found: dict[str, list[tuple[Segment, int, int]]] = {}
        everywhere = True
        for segment, base in self._segments:
            if segment.has_key(field, kind):
                for number in segment.terms_by_key(field, kind, key, prefix=prefix):
                    term = segment.term(field, number)
                    found.setdefault(term, []).append((segment, base, number))
            elif segment.term_count(field):
                everywhere = False
        if everywhere:
            self._keep_all(field, found)
        return set(found)

    def stemmed(self) -> set[str]:
        """The languages that terms have stems of."""
        return {
            kind.removeprefix("stem-")
            for segment, _ in self._segments
            for kind in segment.attributes("body")["keys"]
            if kind.startswith("stem-")
        }

    def _numbers(self, field: str, term: str) -> Numbered[Segment]:
        known = self._found.get((field, term))
        if known is None:
            known = tuple(
                (segment, base, number)
                for segment, base in self._segments
                if (number := segment.term_id(field, term)) >= 0
            )
            self._keep(field, term, known)
        return known

    def _keep(self, field: str, term: str, numbered: Numbered[Segment]) -> None:
        if len(self._found) >= REMEMBERED_TERMS:
            self._found = {}
        self._found[field, term] = numbered

    def _keep_all(self, field: str, found: dict[str, list[tuple[Segment, int, int]]]) -> None:
        """Keep what was found on the way: it is asked for next, and not looked for again."""
        if len(found) < REMEMBERED_TERMS // 2:
            for term, numbered in found.items():
                self._keep(field, term, tuple(numbered))
