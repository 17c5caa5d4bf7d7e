"""Documents to a segment without an object for a token or a posting.

Terms become numbers as they come; what a document holds is appended to arrays that grow. One
stable sort at the end turns them into postings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from searchfeed.engines.whoosh.columnar.columns import ColumnBuilder, ColumnKind
from searchfeed.engines.whoosh.columnar.cutting import pick
from searchfeed.engines.whoosh.columnar.documents import gaps_of
from searchfeed.engines.whoosh.columnar.occurrences import (
    OCCURRENCE_BYTES,
    Analyze,
    Collected,
    Numbers,
    Occurrences,
    Spread,
    Stretches,
)
from searchfeed.engines.whoosh.columnar.segment import Keys, Postings, SegmentFile
from searchfeed.engines.whoosh.columnar.stored import StoredWriter, to_line
from searchfeed.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.columnar.container import Array

    Integers = NDArray[np.int32]

TERM_BYTES = 160
"""What a distinct term costs in memory."""

Part: TypeAlias = tuple[Collected, Spread]
"""A field, and the terms that documents have there."""

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
class Documents:
    """Documents side by side: for each field what each of them has there, in their order.

    Attributes:
        stored: what is to be given back of each as it is.
        values: for a field with positions the texts of each, to be analyzed.
        texts: for another one with positions the terms of each, and the position of each term,
            never descending.
        keywords: for a field without, the terms of each; bytes are taken as they are.
        columns: the value of each in a column; None where it has none.
    """

    stored: Sequence[Mapping[str, object]]
    values: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    texts: Mapping[str, Sequence[tuple[Sequence[str], Sequence[int]]]] = field(default_factory=dict)
    keywords: Mapping[str, Sequence[Sequence[str | bytes]]] = field(default_factory=dict)
    columns: Mapping[str, Sequence[float | bytes | None]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.stored)


def write_field(
    name: str, kind: FieldKind, found: Occurrences, file: SegmentFile, keys: Keys
) -> None:
    """Sort the occurrences of a field, and write them as one batch."""
    amounts = np.bincount(found.terms, minlength=len(found.words))
    ordered = sorted(np.flatnonzero(amounts).tolist(), key=found.words.__getitem__)
    ranks = np.zeros(len(found.words), dtype=np.int32)
    ranks[ordered] = np.arange(len(ordered), dtype=np.int32)
    file.field(
        name,
        lambda: [found.words[number] for number in ordered],
        [_postings(kind, found, ranks, amounts[ordered])] if ordered else (),
        found.counts if kind.lengths else None,
        keys.get(name),
    )


def _postings(
    kind: FieldKind, found: Occurrences, ranks: Integers, amounts: NDArray[np.int64]
) -> Postings:
    """The occurrences of a field as postings.

    Args:
        kind: what is kept of the field.
        found: its occurrences, in the order of documents and positions.
        ranks: for each number of a term which one it is, in the order of those that occur.
        amounts: how often each of these occurs.
    """
    order = _order(pick(ranks, found.terms))
    documents = pick(found.documents(), order)
    firsts = np.cumsum(amounts) - amounts
    new = np.ones(len(documents), dtype=bool)
    np.not_equal(documents[1:], documents[:-1], out=new[1:])
    new[firsts] = True
    starts = np.flatnonzero(new)
    counts = np.diff(np.searchsorted(starts, firsts), append=len(starts))
    gaps = None if found.positions is None else gaps_of(pick(found.positions, order), starts)
    frequencies = np.diff(starts, append=len(documents)).astype(np.int32)
    if not kind.frequencies:
        frequencies[:] = 1
    weights = None if kind.boost == 1 else (frequencies * kind.boost).astype("<f4")
    return Postings(counts, documents[starts], frequencies, gaps, weights)


def _order(numbers: Integers) -> NDArray[np.int64]:
    """The places of numbers (not negative) from the least to the greatest, equal ones as they are.

    Only of numbers of 16 bits numpy sorts the places without comparing them, in a fraction of the
    time. So they are sorted by their lower halves, and then by their upper ones.
    """
    order = np.argsort(numbers.astype(np.uint16), kind="stable")
    upper = (numbers >> 16).astype(np.uint16)
    if upper.any():
        order = pick(order, np.argsort(pick(upper, order), kind="stable"))
    return order


def _has_texts(rows: Sequence[Sequence[object]]) -> bool:
    """Whether a text stands where a list of texts is wanted, which goes unnoticed otherwise."""
    return not {str, bytes}.isdisjoint(map(type, rows))


def _encoded(terms: Iterable[str | bytes]) -> list[bytes]:
    return [term.encode() if isinstance(term, str) else term for term in terms]


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
        self._columns = {name: ColumnBuilder(kind) for name, kind in (columns or {}).items()}
        self._keys: Keys = keys or {}
        self._derive = derive
        self._stored = StoredWriter()
        self._occurrences = 0
        self.doc_count = 0

    @property
    def size(self) -> int:
        """About how many bytes of memory it will have taken once it is written."""
        terms = len(self._words) + sum([len(field.numbers) for field in self._keywords])
        columns = len(self._columns) * self.doc_count * 40
        stretches = self._stretches.size if self._stretches else 0
        occurrences = self._occurrences * OCCURRENCE_BYTES
        return occurrences + terms * TERM_BYTES + stretches + columns + self._stored.size

    def extend(self, documents: Documents) -> None:
        """Take documents; if one of them cannot be taken, none is.

        It is quick for many at once: a few hundred thousand characters.

        Raises:
            KeyError: they have a field or column that the segment has not.
            ValueError: positions descend, are negative, or are not one for each term; or there
                is not a value for each document.
            TypeError: a value is of the wrong type, or there is nothing to analyze texts with.
            UnicodeEncodeError: a term cannot be written as UTF-8.
        """
        count, first = len(documents), self.doc_count
        fields = (documents.values, documents.texts, documents.keywords, documents.columns)
        if any(len(rows) != count for field in fields for rows in field.values()):
            raise ValueError("there is not a value for each document")
        if not documents.values.keys().isdisjoint(documents.texts):
            raise ValueError("a field cannot have both texts and their terms")
        columns = [
            (self._columns[name], self._columns[name].checked(values))
            for name, values in documents.columns.items()
        ]
        lines = list(map(to_line, documents.stored))
        parts = [self._keyword(name, rows) for name, rows in documents.keywords.items()]
        parts += [self._text(name, rows) for name, rows in documents.texts.items()]
        parts += self._spread(documents.values)
        for collected, found in parts:
            self._occurrences += collected.extend(first, found)
        for column, values in columns:
            column.extend(first, values)
        self._stored.extend(lines)
        self.doc_count += count

    def _field(self, name: str, *, positions: bool) -> Collected:
        if self._kinds[name].positions != positions:
            raise KeyError(name)
        return self._fields[name]

    def _spread(self, values: Mapping[str, Sequence[Sequence[str]]]) -> list[Part]:
        """The terms of the texts in all fields, which are analyzed together."""
        fields = [self._field(name, positions=True) for name in values]
        if not fields:
            return []
        if self._stretches is None:
            raise TypeError(f"{', '.join(values)}: there is nothing to analyze texts with")
        for name, texts in values.items():
            if _has_texts(texts):
                raise TypeError(f"{name}: lists of texts are wanted, not {texts!r}")
        found = self._stretches.spread(chain.from_iterable(values.values()))
        return list(zip(fields, found.split(len(fields)), strict=True))

    def _text(self, name: str, rows: Sequence[tuple[Sequence[str], Sequence[int]]]) -> Part:
        field = self._field(name, positions=True)
        for terms, positions in rows:
            places = list(positions)
            if len(places) != len(terms):
                raise ValueError(f"{len(terms)} terms, {len(places)} positions")
            if places and (places[0] < 0 or sorted(places) != places):
                raise ValueError("positions must not be negative, and not descend")
        numbers = field.numbers.of([term for terms, _ in rows for term in terms])
        counts = [len(terms) for terms, _ in rows]
        every = chain.from_iterable(positions for _, positions in rows)
        return field, Spread.of(numbers, counts, every)

    def _keyword(self, name: str, rows: Sequence[Sequence[str | bytes]]) -> Part:
        field = self._field(name, positions=False)
        if _has_texts(rows):
            raise TypeError(f"{name}: lists of terms are wanted, not {rows!r}")
        if not self._kinds[name].frequencies:
            rows = [
                terms if len(terms) < 2 else list(dict.fromkeys(_encoded(terms))) for terms in rows
            ]
        numbers = field.numbers.of(_encoded(chain.from_iterable(rows)))
        return field, Spread.of(numbers, list(map(len, rows)))

    def write(self, path: Path) -> None:
        """Write the segment; what the builder holds is then of no more use.

        Raises:
            OSError: it could not be written; nothing is left of it.
        """

        def occurrences(name: str) -> Occurrences:
            return self._fields[name].occurrences(self.doc_count)

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
