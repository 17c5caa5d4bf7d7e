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
        return {
            term
            for segment, _ in self._segments
            for term in segment.terms(field, *segment.term_range(field, prefix))
        }

    def sharing(self, field: str, kind: str, key: str, *, prefix: bool = False) -> set[str]:
        """The terms of a field whose other form (``fold``, ``stem-en``) is, or starts with, key."""
        found: set[str] = set()
        for segment, base in self._segments:
            if segment.has_key(field, kind):
                for number in segment.terms_by_key(field, kind, key, prefix=prefix):
                    term = segment.term(field, number)
                    found.add(term)
                    if len(self._segments) == 1:
                        # It is asked for next, and need not be looked for again.
                        self._keep(field, term, ((segment, base, number),))
        return found

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
