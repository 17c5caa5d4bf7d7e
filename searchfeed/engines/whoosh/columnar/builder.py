"""Documents to a segment without an object for a token or a posting.

Terms become numbers as they come; what a document holds is appended to arrays that grow. One
stable sort at the end turns them into postings.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from searchfeed.engines.whoosh.columnar.segment import Keys, Postings, SegmentFile
from searchfeed.engines.whoosh.columnar.stored import StoredWriter, to_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.columnar.container import Array

OCCURRENCE_BYTES = 48
"""What an occurrence of a term costs in memory, the sort at the end included."""

TERM_BYTES = 160
"""What a distinct term costs in memory."""


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
class ColumnKind:
    """A column: of numbers of a type as numpy writes it (``u8``), or of byte strings (empty)."""

    type: str = ""
    default: float = 0


@dataclass(frozen=True, slots=True)
class Document:
    """A document in pieces that need no more than to be copied.

    Attributes:
        texts: for a field with positions its terms and the position of each, never descending.
        keywords: for a field without, its terms; bytes are taken as they are.
        columns: the value in each column.
        stored: what is to be given back as it is.
    """

    texts: Mapping[str, tuple[Sequence[str], Sequence[int]]] = field(default_factory=dict)
    keywords: Mapping[str, Sequence[str | bytes]] = field(default_factory=dict)
    columns: Mapping[str, float | bytes] = field(default_factory=dict)
    stored: Mapping[str, object] = field(default_factory=dict)


class _Numbers(dict[str | bytes, int]):
    """Terms to numbers, in the order in which they are first asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[bytes] = []

    def __missing__(self, term: str | bytes) -> int:
        self.words.append(term if isinstance(term, bytes) else term.encode())
        number = self[term] = len(self.words) - 1
        return number


class _FieldBuilder:
    """The occurrences of one field's terms, in the order of the documents."""

    def __init__(self, kind: FieldKind) -> None:
        self.kind = kind
        self.numbers = _Numbers()
        self._terms = array("i")
        self._positions = array("i")
        self._documents = array("i")
        self._counts = array("i")

    def add(self, document: int, terms: array[int], positions: array[int] | None) -> None:
        self._terms.extend(terms)
        if positions is not None:
            self._positions.extend(positions)
        self._documents.append(document)
        self._counts.append(len(terms))

    def write(self, name: str, file: SegmentFile, doc_count: int, keys: Keys) -> None:
        """Sort, and write as one batch."""
        lengths = None
        if self.kind.lengths:
            lengths = np.zeros(doc_count, dtype=np.int32)
            lengths[_view(self._documents)] = _view(self._counts)
        words = self.numbers.words
        present = np.bincount(_view(self._terms), minlength=len(words)).astype(bool)
        ordered = sorted(np.flatnonzero(present).tolist(), key=words.__getitem__)
        ranks = np.zeros(len(words), dtype=np.int32)
        ranks[ordered] = np.arange(len(ordered), dtype=np.int32)
        file.field(
            name,
            lambda: [words[number] for number in ordered],
            self._sorted(ranks),
            lengths,
            keys.get(name),
        )

    def _sorted(self, ranks: NDArray[np.int32]) -> Iterator[Postings]:
        terms = ranks[_view(self._terms)]
        if not len(terms):
            return
        order = np.argsort(terms, kind="stable")
        terms = terms[order]
        documents = np.repeat(_view(self._documents), _view(self._counts))[order]
        positions = _view(self._positions)[order] if self.kind.positions else None
        yield group(self.kind, terms, documents, positions)


def group(kind: FieldKind, terms: Array, documents: Array, positions: Array | None) -> Postings:
    """Occurrences in the order of term, document and position, as postings."""
    new_term = np.diff(terms, prepend=-1) != 0
    new = new_term | (np.diff(documents, prepend=-1) != 0)
    starts = np.flatnonzero(new)
    counts = np.diff(np.flatnonzero(new_term[starts]), append=len(starts))
    gaps = None
    if positions is not None:
        gaps = np.diff(positions, prepend=np.int32(0))
        gaps[starts] = positions[starts]
    amounts = np.diff(starts, append=len(terms)).astype(np.int32)
    if not kind.frequencies:
        amounts[:] = 1
    weights = None if kind.boost == 1 else (amounts * kind.boost).astype("<f4")
    return Postings(counts, documents[starts], amounts, gaps, weights)


def _view(numbers: array[int]) -> NDArray[np.int32]:
    return np.frombuffer(numbers, dtype=np.int32) if numbers else np.zeros(0, dtype=np.int32)


TYPE_CODES = dict(
    zip(("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8"), "BHIQbhiqfd", strict=True)
)
"""What ``array`` calls the types of numpy."""


class ColumnBuilder:
    """The values of one column, in the order of the documents."""

    def __init__(self, kind: ColumnKind) -> None:
        self.kind = kind
        self._documents = array("i")
        self._numbers = array(TYPE_CODES[kind.type or "u1"])
        self._texts: list[bytes] = []

    def check(self, value: Any) -> None:
        """Raise TypeError or OverflowError if the column cannot hold a value."""
        if self.kind.type:
            array(self._numbers.typecode, (value,))
        elif not isinstance(value, bytes):
            raise TypeError(f"a column of bytes cannot hold {value!r}")

    def add(self, document: int, value: Any) -> None:
        """Take the value of a document; the documents come in ascending order."""
        if self.kind.type:
            self._numbers.append(value)
        else:
            self._texts.append(value)
        self._documents.append(document)

    def write(self, name: str, file: SegmentFile, doc_count: int) -> None:
        """Fill up with the default and write."""
        places = _view(self._documents)
        if self.kind.type:
            values = np.full(doc_count, self.kind.default, dtype=f"<{self.kind.type}")
            values[places] = self._numbers
            file.numbers(name, values, self.kind.default)
            return
        texts = sorted({b"", *self._texts})
        numbers = {text: number for number, text in enumerate(texts)}
        codes = np.zeros(doc_count, dtype=np.int64)
        codes[places] = [numbers[text] for text in self._texts]
        file.texts(name, codes, texts)


class SegmentBuilder:
    """Collects documents in memory and writes them as one segment.

    Args:
        fields: the indexed fields.
        columns: the columns.
        keys: second keys for the terms of some fields.
    """

    def __init__(
        self,
        fields: Mapping[str, FieldKind],
        columns: Mapping[str, ColumnKind] | None = None,
        keys: Keys | None = None,
    ) -> None:
        self._fields = {name: _FieldBuilder(kind) for name, kind in fields.items()}
        self._columns = {name: ColumnBuilder(kind) for name, kind in (columns or {}).items()}
        self._keys: Keys = keys or {}
        self._stored = StoredWriter()
        self._occurrences = 0
        self.doc_count = 0

    @property
    def size(self) -> int:
        """About how many bytes of memory it will have taken once it is written."""
        terms = sum(len(field.numbers) for field in self._fields.values())
        columns = len(self._columns) * self.doc_count * 40
        occurrences = self._occurrences * OCCURRENCE_BYTES
        return occurrences + terms * TERM_BYTES + columns + self._stored.size

    def add(self, document: Document) -> None:
        """Take a document; if it cannot be taken, nothing of it is.

        Raises:
            KeyError: it has a field or column that the segment has not.
            ValueError: positions descend, are negative, or are not one for each term.
            TypeError: a value is of the wrong type.
            UnicodeEncodeError: a term cannot be written as UTF-8.
        """
        parts = [
            *(self._text(name, *text) for name, text in document.texts.items()),
            *(self._keyword(name, terms) for name, terms in document.keywords.items()),
        ]
        for name, value in document.columns.items():
            self._columns[name].check(value)
        self._stored.add(to_line(document.stored))
        for builder, terms, positions in parts:
            builder.add(self.doc_count, terms, positions)
            self._occurrences += len(terms)
        for name, value in document.columns.items():
            self._columns[name].add(self.doc_count, value)
        self.doc_count += 1

    def _text(
        self, name: str, terms: Sequence[str], positions: Sequence[int]
    ) -> tuple[_FieldBuilder, array[int], array[int]]:
        builder = self._fields[name]
        if not builder.kind.positions:
            raise KeyError(name)
        numbers = array("i", list(map(builder.numbers.__getitem__, terms)))
        places = list(positions)
        if len(places) != len(numbers):
            raise ValueError(f"{name}: {len(numbers)} terms, {len(places)} positions")
        if places and (places[0] < 0 or sorted(places) != places):
            raise ValueError(f"{name}: positions must not be negative, and not descend")
        return builder, numbers, array("i", places)

    def _keyword(
        self, name: str, terms: Sequence[str | bytes]
    ) -> tuple[_FieldBuilder, array[int], None]:
        builder = self._fields[name]
        if builder.kind.positions:
            raise KeyError(name)
        if isinstance(terms, str | bytes):
            raise TypeError(f"{name}: a list of terms is wanted, not {terms!r}")
        words = [term.encode() if isinstance(term, str) else term for term in terms]
        if not builder.kind.frequencies:
            words = list(dict.fromkeys(words))
        return builder, array("i", map(builder.numbers.__getitem__, words)), None

    def write(self, path: Path) -> None:
        """Write the segment; what the builder holds is then of no more use.

        Raises:
            OSError: it could not be written; nothing is left of it.
        """
        with SegmentFile(path, self.doc_count) as file:
            for name, field_builder in self._fields.items():
                field_builder.write(name, file, self.doc_count, self._keys)
            for name, column in self._columns.items():
                column.write(name, file, self.doc_count)
            file.finish(self._stored)
