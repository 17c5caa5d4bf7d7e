"""Documents to a segment without an object for a token or a posting.

Terms become numbers as they come; what a document holds is appended to arrays that grow. One
stable sort at the end turns them into postings.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from searchfeed.engines.whoosh.columnar.columns import ColumnBuilder, ColumnKind
from searchfeed.engines.whoosh.columnar.documents import gaps_of
from searchfeed.engines.whoosh.columnar.occurrences import (
    OCCURRENCE_BYTES,
    Analyze,
    Numbers,
    Occurrences,
    Stretches,
    view,
)
from searchfeed.engines.whoosh.columnar.segment import Keys, Postings, SegmentFile
from searchfeed.engines.whoosh.columnar.stored import StoredWriter, to_line
from searchfeed.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.columnar.container import Array

TERM_BYTES = 160
"""What a distinct term costs in memory."""


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


class _FieldBuilder:
    """What one field has in the documents that have it, in their order.

    A field with positions is kept as stretches of text, another one as terms.
    """

    def __init__(self, kind: FieldKind, stretches: Stretches) -> None:
        self.kind = kind
        self.numbers = stretches.numbers if kind.positions else Numbers()
        self._stretches = stretches
        self._values = array("i")
        self._documents = array("i")
        self._counts = array("i")

    def add(self, document: int, values: array[int]) -> None:
        if values:
            self._values.extend(values)
            self._documents.append(document)
            self._counts.append(len(values))

    def occurrences(self, doc_count: int) -> Occurrences:
        """The terms, in the order in which they stand in the documents."""
        terms, amounts, positions = view(self._values), view(self._counts), None
        if self.kind.positions:
            terms, positions, amounts = self._stretches.expand(terms, amounts)
        counts = np.zeros(doc_count, dtype=np.int32)
        counts[view(self._documents)] = amounts
        return Occurrences(self.numbers.words, terms, positions, counts)


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
    order = np.argsort(terms, kind="stable")
    positions = None if found.positions is None else found.positions[order]
    yield group(kind, terms[order], found.documents()[order], positions)


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


def _nothing(_stretches: Sequence[str]) -> tuple[tuple[()], tuple[()], tuple[()], tuple[()]]:
    return (), (), (), ()


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
        self._analyzes = analyze is not None
        self._stretches = Stretches(analyze or _nothing)
        self._fields = {name: _FieldBuilder(kind, self._stretches) for name, kind in fields.items()}
        self._columns = {name: ColumnBuilder(kind) for name, kind in (columns or {}).items()}
        self._numbers = [self._stretches.numbers] + [
            field.numbers for field in self._fields.values() if not field.kind.positions
        ]
        self._keys: Keys = keys or {}
        self._derive = derive
        self._stored = StoredWriter()
        self._occurrences = 0
        self.doc_count = 0

    @property
    def size(self) -> int:
        """About how many bytes of memory it will have taken once it is written."""
        terms = sum(map(len, self._numbers)) * TERM_BYTES
        columns = len(self._columns) * self.doc_count * 40
        occurrences = self._occurrences * OCCURRENCE_BYTES
        return occurrences + terms + self._stretches.size + columns + self._stored.size

    def add(self, document: Document) -> None:
        """Take a document; if it cannot be taken, nothing of it is.

        Raises:
            KeyError: it has a field or column that the segment has not.
            ValueError: positions descend, are negative, or are not one for each term.
            TypeError: a value is of the wrong type, or there is nothing to analyze texts with.
            UnicodeEncodeError: a term cannot be written as UTF-8.
        """
        parts = [
            *(self._text(name, *text) for name, text in document.texts.items()),
            *(self._analyzed(name, values) for name, values in document.values.items()),
            *(self._keyword(name, terms) for name, terms in document.keywords.items()),
        ]
        for name, value in document.columns.items():
            self._columns[name].check(value)
        self._stored.add(to_line(document.stored))
        for builder, values in parts:
            builder.add(self.doc_count, values)
            self._occurrences += len(values)
        for name, value in document.columns.items():
            self._columns[name].add(self.doc_count, value)
        self.doc_count += 1

    def _field(self, name: str, *, positions: bool) -> _FieldBuilder:
        builder = self._fields[name]
        if builder.kind.positions != positions:
            raise KeyError(name)
        return builder

    def _text(
        self, name: str, terms: Sequence[str], positions: Sequence[int]
    ) -> tuple[_FieldBuilder, array[int]]:
        builder = self._field(name, positions=True)
        return builder, array("i", (self._stretches.make(terms, positions),))

    def _analyzed(self, name: str, values: Sequence[str]) -> tuple[_FieldBuilder, array[int]]:
        builder = self._field(name, positions=True)
        if not self._analyzes:
            raise TypeError(f"{name}: there is nothing to analyze texts with")
        return builder, self._stretches.split(values)

    def _keyword(self, name: str, terms: Sequence[str | bytes]) -> tuple[_FieldBuilder, array[int]]:
        builder = self._field(name, positions=False)
        if isinstance(terms, str | bytes):
            raise TypeError(f"{name}: a list of terms is wanted, not {terms!r}")
        words = [term.encode() if isinstance(term, str) else term for term in terms]
        if len(words) > 1 and not builder.kind.frequencies:
            words = list(dict.fromkeys(words))
        return builder, array("i", [builder.numbers[word] for word in words])

    def write(self, path: Path) -> None:
        """Write the segment; what the builder holds is then of no more use.

        Raises:
            OSError: it could not be written; nothing is left of it.
        """

        @cache
        def occurrences(name: str) -> Occurrences:
            return self._fields[name].occurrences(self.doc_count)

        derived = self._derive(occurrences) if self._derive else {}
        with SegmentFile(path, self.doc_count) as file:
            for name, field_builder in self._fields.items():
                write_field(name, field_builder.kind, occurrences(name), file, self._keys)
            for name, column in self._columns.items():
                if name in derived:
                    file.numbers(name, derived[name], column.kind.default)
                else:
                    column.write(name, file, self.doc_count)
            file.finish(self._stored)
