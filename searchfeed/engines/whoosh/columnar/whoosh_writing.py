"""What Whoosh's own writer writes a segment through, when it adds documents or merges."""

# ruff: noqa: D102 - the methods are those of Whoosh's base classes, and documented there

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from whoosh import columns, formats
from whoosh.codec import base
from whoosh.fields import DATETIME, NUMERIC

from searchfeed.engines.whoosh.columnar.builder import FieldKind
from searchfeed.engines.whoosh.columnar.columns import ColumnBuilder, ColumnKind
from searchfeed.engines.whoosh.columnar.segment import Postings, SegmentFile
from searchfeed.engines.whoosh.columnar.stored import StoredWriter, to_line

if TYPE_CHECKING:
    from pathlib import Path

    from whoosh.fields import FieldType, Schema


def check_format(name: str, format_: formats.Format) -> type[formats.Format]:
    """The kind of a field's format.

    Raises:
        TypeError: it is of a kind that is not kept.
    """
    kind = type(format_)
    if kind not in (formats.Existence, formats.Frequency, formats.Positions):
        raise TypeError(f"{name}: the format {format_!r} is not kept")
    return kind


def field_kinds(schema: Schema) -> dict[str, FieldKind]:
    """What is kept of each indexed field of a schema, as Whoosh's own writer would keep it.

    Raises:
        TypeError: a field's format is not kept.
    """
    kinds = {}
    for name, field in schema.items():
        if not field.indexed:
            continue
        format_ = check_format(name, field.format)
        kinds[name] = FieldKind(
            frequencies=format_ is not formats.Existence,
            positions=format_ is formats.Positions,
            lengths=bool(field.scorable),
            boost=field.format.field_boost,
        )
    return kinds


def column_kind(column: Any) -> ColumnKind:
    """What is needed to keep one of Whoosh's columns.

    Raises:
        TypeError: it is of a kind that is not kept.
    """
    if isinstance(column, columns.NumericColumn):
        # Of the same names numpy and struct think differently where the machine differs.
        size = {"b": 1, "h": 2, "i": 4, "l": 4, "q": 8, "f": 4, "d": 8}[column._typecode.lower()]  # noqa: SLF001
        kind = "f" if column._typecode in "fd" else "i" if column._typecode.islower() else "u"  # noqa: SLF001
        return ColumnKind(f"{kind}{size}", column.default_value())
    if isinstance(column, columns.BitColumn):
        return ColumnKind("u1", int(column.default_value()))
    if isinstance(column, columns.VarBytesColumn | columns.CompressedBytesColumn):
        return ColumnKind()
    if isinstance(column, columns.RefBytesColumn) and not column.default_value().strip(b"\0"):
        return ColumnKind()
    raise TypeError(f"columns of the kind {type(column).__name__} are not kept")


def with_terms(kind: ColumnKind, field: FieldType) -> ColumnKind:
    """The column of a field of dates that its terms are made of.

    Raises:
        TypeError: they cannot be.
    """
    if type(field) is not DATETIME or not field.shift_step or kind.type != "u8":
        raise TypeError(f"the terms of {field!r} cannot be made of its column")
    return replace(kind, step=field.shift_step)


def number_terms(kind: FieldType, value: object) -> list[bytes]:
    """The terms that Whoosh makes of a number or date in a field; see ``BulkWriter.terms``."""
    if not isinstance(kind, NUMERIC) or not kind.shift_step:
        return [item[0] for item in kind.index(value)]
    # The shifted terms follow from the first; Whoosh converts the value anew for each.
    whole: bytes = kind.to_bytes(value)
    number, size = int.from_bytes(whole[1:], "big"), len(whole) - 1
    shifts = range(kind.shift_step, kind.bits, kind.shift_step)
    return [whole, *(bytes((s,)) + (number >> s).to_bytes(size, "big") for s in shifts)]


class DocumentsWriter(base.PerDocumentWriter):
    """Collects lengths, columns and stored values, and writes the file once the terms are there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._doc_count = 0
        self._lengths: dict[str, array[int]] = {}
        self._columns: dict[str, ColumnBuilder] = {}
        self._line: dict[str, object] = {}
        self._stored = StoredWriter()
        self.is_closed = False

    def start_doc(self, docnum: int) -> None:
        if docnum != self._doc_count:
            raise ValueError(f"document {docnum} follows {self._doc_count - 1}")
        self._line = {}

    def add_field(self, fieldname: str, _fieldobj: Any, value: object, length: int) -> None:
        if value is not None:
            self._line[fieldname] = value
        if length:
            lengths = self._lengths.setdefault(fieldname, array("i"))
            lengths.extend([0] * (self._doc_count - len(lengths)))
            lengths.append(length)

    def add_column_value(self, fieldname: str, columnobj: Any, value: object) -> None:
        if fieldname not in self._columns:
            self._columns[fieldname] = ColumnBuilder(column_kind(columnobj))
        column = self._columns[fieldname]
        column.extend(self._doc_count, column.checked([value]))

    def add_vector_items(self, fieldname: str, _fieldobj: Any, _items: object) -> None:
        raise TypeError(f"{fieldname}: term vectors are not kept")

    def finish_doc(self) -> None:
        self._stored.add(to_line(self._line))
        self._doc_count += 1

    def close(self) -> None:
        self.is_closed = True

    def write(self, terms: dict[str, _FieldTerms]) -> None:
        """Write the segment's file."""
        with SegmentFile(self._path, self._doc_count) as file:
            for name in sorted(terms.keys() | self._lengths.keys()):
                lengths = None
                if name in self._lengths:
                    lengths = np.zeros(self._doc_count, dtype=np.int32)
                    lengths[: len(self._lengths[name])] = self._lengths[name]
                field = terms.get(name) or _FieldTerms()
                file.field(name, field.words.copy, field.postings(), lengths)
            for name, column in sorted(self._columns.items()):
                column.write(name, file, self._doc_count)
            file.finish(self._stored)


class _FieldTerms:
    """The postings of one field as Whoosh hands them over: sorted by term and document."""

    def __init__(self) -> None:
        self.words: list[bytes] = []
        self.counts = array("i")
        self.documents = array("i")
        self.frequencies = array("i")
        self.weights = array("f")
        self.gaps = array("i")

    def postings(self) -> list[Postings]:
        if not self.words:
            return []
        frequencies = np.array(self.frequencies, np.int32)
        weights = np.array(self.weights, np.float32)
        return [
            Postings(
                np.array(self.counts, np.int64),
                np.array(self.documents, np.int32),
                frequencies,
                np.array(self.gaps, np.int32) if len(self.gaps) else None,
                None if np.array_equal(weights, frequencies) else weights,
            )
        ]


class TermsWriter(base.FieldWriter):
    """Collects postings. Whoosh closes it without any where a writer is cancelled."""

    def __init__(self, documents: DocumentsWriter | None) -> None:
        assert documents is not None, "Whoosh opens the documents' writer first"
        self._documents = documents
        self._fields: dict[str, _FieldTerms] = {}
        self._field = _FieldTerms()
        self._format: Any = None
        self._latest: tuple[int, list[int]] = (-1, [])
        self._complete = False
        self.is_closed = False

    def add_postings(self, schema: Any, lengths: Any, items: Iterable[Any]) -> None:
        super().add_postings(schema, lengths, items)
        self._complete = True

    def start_field(self, fieldname: str, fieldobj: Any) -> None:
        self._format = fieldobj.format
        check_format(fieldname, self._format)
        self._field = self._fields.setdefault(fieldname, _FieldTerms())

    def start_term(self, text: bytes) -> None:
        self._field.words.append(text)
        self._field.counts.append(0)
        self._latest = (-1, [])

    def add(self, docnum: int, weight: float, vbytes: bytes, _length: int) -> None:
        field = self._field
        latest, positions = self._latest
        again = docnum == latest
        if isinstance(self._format, formats.Positions):
            new = self._format.decode_positions(vbytes)
            if again:
                del field.gaps[-len(positions) :]
                new = [*positions, *new]
            positions = sorted(new)
            field.gaps.extend(
                place - before for before, place in zip([0, *positions], positions, strict=False)
            )
            frequency = len(positions)
        else:
            frequency = self._format.decode_frequency(vbytes)
            if again and isinstance(self._format, formats.Frequency):
                frequency += field.frequencies[-1]
        self._latest = docnum, positions
        if again:
            field.frequencies[-1] = frequency
            if not isinstance(self._format, formats.Existence):
                field.weights[-1] += weight
            return
        field.counts[-1] += 1
        field.documents.append(docnum)
        field.frequencies.append(frequency)
        field.weights.append(weight)

    def finish_term(self) -> None:
        pass

    def close(self) -> None:
        if self._complete and not self.is_closed:
            self._documents.write(self._fields)
        self.is_closed = True
