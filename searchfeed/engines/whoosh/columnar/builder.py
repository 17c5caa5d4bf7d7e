"""Documents to a segment without an object for a token or a posting.

Terms become numbers as they come; what a document holds is appended to arrays that grow. One
stable sort at the end turns them into postings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from searchfeed.engines.whoosh.columnar.columns import ColumnBuilder, ColumnKind
from searchfeed.engines.whoosh.columnar.documents import gaps_of
from searchfeed.engines.whoosh.columnar.occurrences import (
    OCCURRENCE_BYTES,
    Analyze,
    Collected,
    Numbers,
    Occurrences,
    Stretches,
)
from searchfeed.engines.whoosh.columnar.segment import Keys, Postings, SegmentFile
from searchfeed.engines.whoosh.columnar.stored import StoredWriter, to_line
from searchfeed.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.columnar.container import Array

TERM_BYTES = 160
"""What a distinct term costs in memory."""

AT_ONCE = 500_000
"""Characters of texts that are analyzed at once."""

Part: TypeAlias = tuple[Collected, list[int], Sequence[int]]
"""A field, and the numbers and positions of the terms that a document has there."""


Derive: TypeAlias = Callable[[Callable[[str], Occurrences]], Mapping[str, "Array"]]
"""Makes columns of numbers, a value for each document, of the occurrences in fields by name."""


@dataclass(frozen=True, slots=True)
class FieldKind:
    """What is kept of an indexed field: how often a term stands, where, the field's length.

    ``boost`` is what Whoosh multiplies the frequencies by when it scores.
    """

    frequencies: bool = False
    positions: bool = False
    lengths: bool = False
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Document:
    """A document in pieces that need no more than to be copied.

    Attributes:
        texts: for a field with positions its terms and the position of each, never descending.
        keywords: for a field without, its terms; bytes are taken as they are.
        columns: the value in each column.
        stored: what is to be given back as it is.
        values: for a field with positions its texts, at least one, for the builder to analyze.
    """

    texts: Mapping[str, tuple[Sequence[str], Sequence[int]]] = field(default_factory=dict)
    keywords: Mapping[str, Sequence[str | bytes]] = field(default_factory=dict)
    columns: Mapping[str, float | bytes] = field(default_factory=dict)
    stored: Mapping[str, object] = field(default_factory=dict)
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)


def write_field(
    name: str, kind: FieldKind, found: Occurrences, file: SegmentFile, keys: Keys
) -> None:
    """Sort the occurrences of a field, and write them as one batch."""
    present = np.bincount(found.terms, minlength=len(found.words)).astype(bool)
    ordered = sorted(np.flatnonzero(present).tolist(), key=found.words.__getitem__)
    ranks = np.zeros(len(found.words), dtype=np.int32)
    ranks[ordered] = np.arange(len(ordered), dtype=np.int32)
    file.field(
        name,
        lambda: [found.words[number] for number in ordered],
        _sorted(kind, found, ranks),
        found.counts if kind.lengths else None,
        keys.get(name),
    )


def _sorted(kind: FieldKind, found: Occurrences, ranks: NDArray[np.int32]) -> Iterator[Postings]:
    terms = ranks[found.terms]
    if not len(terms):
        return
    # One key for the term and the place is sorted faster than a stable sort finds the places.
    order = terms.astype(np.int64) << 32
    order |= np.arange(len(terms))
    order.sort()
    terms = (order >> 32).astype(np.int32)
    order &= 0xFFFFFFFF
    positions = None if found.positions is None else found.positions[order]
    yield group(kind, terms, found.documents()[order], positions)


def group(kind: FieldKind, terms: Array, documents: Array, positions: Array | None) -> Postings:
    """Occurrences in the order of term, document and position, as postings."""
    new_term = np.diff(terms, prepend=-1) != 0
    new = new_term | (np.diff(documents, prepend=-1) != 0)
    starts = np.flatnonzero(new)
    counts = np.diff(np.flatnonzero(new_term[starts]), append=len(starts))
    gaps = None
    if positions is not None:
        gaps = gaps_of(positions, starts)
    amounts = np.diff(starts, append=len(terms)).astype(np.int32)
    if not kind.frequencies:
        amounts[:] = 1
    weights = None if kind.boost == 1 else (amounts * kind.boost).astype("<f4")
    return Postings(counts, documents[starts], amounts, gaps, weights)


class SegmentBuilder:
    """Collects documents in memory and writes them as one segment.

    Args:
        fields: the indexed fields.
        columns: the columns.
        keys: second keys for the terms of some fields.
        analyze: what stretches of text are indexed as; None where no text comes.
        derive: makes columns of what stands in fields.
    """

    def __init__(
        self,
        fields: Mapping[str, FieldKind],
        columns: Mapping[str, ColumnKind] | None = None,
        keys: Keys | None = None,
        analyze: Analyze | None = None,
        derive: Derive | None = None,
    ) -> None:
        self._kinds = fields
        # One text has much the same words as another; the terms of other fields are their own.
        self._words = Numbers()
        self._fields = {
            name: Collected(self._words if kind.positions else Numbers())
            for name, kind in fields.items()
        }
        self._keywords = [self._fields[name] for name in fields if not fields[name].positions]
        self._stretches = Stretches(self._words, analyze) if analyze else None
        self._waiting: dict[str, dict[int, Sequence[str]]] = {
            name: {} for name, kind in fields.items() if kind.positions
        }
        self._characters = 0
        self._columns = {name: ColumnBuilder(kind) for name, kind in (columns or {}).items()}
        self._keys: Keys = keys or {}
        self._derive = derive
        self._stored = StoredWriter()
        self._occurrences = 0
        self.doc_count = 0

    @property
    def size(self) -> int:
        """About how many bytes of memory it will have taken once it is written.

        Texts that wait to be analyzed, at most ``AT_ONCE`` characters, are not counted.
        """
        terms = len(self._words) + sum([len(field.numbers) for field in self._keywords])
        columns = len(self._columns) * self.doc_count * 40
        stretches = self._stretches.size if self._stretches else 0
        occurrences = self._occurrences * OCCURRENCE_BYTES
        return occurrences + terms * TERM_BYTES + stretches + columns + self._stored.size

    def add(self, document: Document) -> None:
        """Take a document; if it cannot be taken, nothing of it is.

        Raises:
            KeyError: it has a field or column that the segment has not.
            ValueError: positions descend, are negative, or are not one for each term.
            TypeError: a value is of the wrong type, or there is nothing to analyze texts with.
            UnicodeEncodeError: a term cannot be written as UTF-8.
        """
        for name, values in document.values.items():
            self._check(name, values)
        parts = [
            *(self._text(name, *text) for name, text in document.texts.items()),
            *(self._keyword(name, terms) for name, terms in document.keywords.items()),
        ]
        for name, value in document.columns.items():
            self._columns[name].check(value)
        self._stored.add(to_line(document.stored))
        number = self.doc_count
        for collected, terms, positions in parts:
            self._occurrences += collected.add(number, terms, positions)
        for name, values in document.values.items():
            self._waiting[name][number] = values
            self._characters += sum(map(len, values))
        for name, value in document.columns.items():
            self._columns[name].add(number, value)
        self.doc_count += 1
        if self._characters > AT_ONCE:
            self._analyze()

    def _field(self, name: str, *, positions: bool) -> Collected:
        if self._kinds[name].positions != positions:
            raise KeyError(name)
        return self._fields[name]

    def _check(self, name: str, values: Sequence[str]) -> None:
        self._field(name, positions=True)
        if self._stretches is None:
            raise TypeError(f"{name}: there is nothing to analyze texts with")
        if isinstance(values, str) or not values or {*map(type, values)} != {str}:
            raise TypeError(f"{name}: a list of texts is wanted, not {values!r}")

    def _text(self, name: str, terms: Sequence[str], positions: Sequence[int]) -> Part:
        field = self._field(name, positions=True)
        places = list(positions)
        if len(places) != len(terms):
            raise ValueError(f"{len(terms)} terms, {len(places)} positions")
        if places and (places[0] < 0 or sorted(places) != places):
            raise ValueError("positions must not be negative, and not descend")
        numbers = list(map(self._words.__getitem__, terms))
        # The texts of the documents before this one come first.
        self._analyze()
        return field, numbers, places

    def _keyword(self, name: str, terms: Sequence[str | bytes]) -> Part:
        field = self._field(name, positions=False)
        if isinstance(terms, str | bytes):
            raise TypeError(f"{name}: a list of terms is wanted, not {terms!r}")
        words = [term.encode() if isinstance(term, str) else term for term in terms]
        if len(words) > 1 and not self._kinds[name].frequencies:
            words = list(dict.fromkeys(words))
        return field, list(map(field.numbers.__getitem__, words)), ()

    def _analyze(self) -> None:
        """Put the terms of the texts that wait in their place."""
        if self._stretches is not None and self._characters:
            for name, texts in self._waiting.items():
                spread = self._stretches.spread(texts.values())
                self._occurrences += self._fields[name].extend(list(texts), spread)
                texts.clear()
            self._characters = 0

    def write(self, path: Path) -> None:
        """Write the segment; what the builder holds is then of no more use.

        Raises:
            OSError: it could not be written; nothing is left of it.
        """

        def occurrences(name: str) -> Occurrences:
            return self._fields[name].occurrences(self.doc_count)

        self._analyze()
        derived = self._derive(occurrences) if self._derive else {}
        with SegmentFile(path, self.doc_count) as file:
            for name, kind in self._kinds.items():
                write_field(name, kind, occurrences(name), file, self._keys)
            for name, column in self._columns.items():
                if name in derived:
                    file.numbers(name, derived[name], column.kind.default)
                else:
                    column.write(name, file, self.doc_count)
            file.finish(self._stored)
