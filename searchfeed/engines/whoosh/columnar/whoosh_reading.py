"""What Whoosh's searcher reads a segment through: its terms and its documents."""

# ruff: noqa: D102 - the methods are those of Whoosh's base classes, and documented there

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from whoosh import columns
from whoosh.codec import base
from whoosh.reading import TermInfo, TermNotFound

from searchfeed.engines.whoosh.columnar.matcher import PostingsMatcher

if TYPE_CHECKING:
    from whoosh import formats

    from searchfeed.engines.whoosh.columnar.codec import ColumnarSegment
    from searchfeed.engines.whoosh.columnar.reader import SegmentReader


class TermsReader(base.TermsReader):
    """Whoosh's way to the terms of a segment."""

    def __init__(self, segment: SegmentReader) -> None:
        self._segment = segment

    def _find(self, fieldname: str, text: bytes) -> int:
        number = self._segment.field(fieldname).terms.find(text)
        if number < 0:
            raise TermNotFound(f"No term {fieldname}:{text!r}")
        return number

    def __contains__(self, term: tuple[str, bytes]) -> bool:
        return self._segment.field(term[0]).terms.find(term[1]) >= 0

    def indexed_field_names(self) -> list[str]:
        return self._segment.fields()

    def cursor(self, fieldname: str, fieldobj: Any) -> FieldCursor:
        return FieldCursor(self._segment, fieldname, fieldobj)

    def terms(self) -> Iterator[tuple[str, bytes]]:
        for name in self._segment.fields():
            for text in self._segment.field(name).terms:
                yield name, text

    def terms_from(self, fieldname: str, prefix: bytes) -> Iterator[tuple[str, bytes]]:
        for name in self._segment.fields():
            if name >= fieldname:
                terms = self._segment.field(name).terms
                start = bisect_left(terms, prefix) if name == fieldname else 0
                for number in range(start, len(terms)):
                    yield name, terms[number]

    def _with_info(self, terms: Iterable[tuple[str, bytes]]) -> Iterator[Any]:
        return ((term, self.term_info(*term)) for term in terms)

    def items(self) -> Iterator[Any]:
        return self._with_info(self.terms())

    def items_from(self, fieldname: str, prefix: bytes) -> Iterator[Any]:
        return self._with_info(self.terms_from(fieldname, prefix))

    def term_info(self, fieldname: str, text: bytes) -> TermInfo:
        return term_info(self._segment, fieldname, self._find(fieldname, text))

    def frequency(self, fieldname: str, text: bytes) -> float:
        weight: float = self.term_info(fieldname, text).weight()
        return weight

    def doc_frequency(self, fieldname: str, text: bytes) -> int:
        number = self._segment.field(fieldname).terms.find(text)
        return self._segment.doc_freq(fieldname, number) if number >= 0 else 0

    def matcher(
        self, fieldname: str, text: bytes, format_: formats.Format, scorer: Any = None
    ) -> PostingsMatcher:
        number = self._find(fieldname, text)
        return PostingsMatcher(self._segment, fieldname, number, (fieldname, text), format_, scorer)


def term_info(segment: SegmentReader, fieldname: str, number: int) -> TermInfo:
    """What Whoosh's scoring wants to know of a term."""
    documents, frequencies = segment.postings(fieldname, number)
    weights = segment.weights(fieldname, number)
    if weights is None:
        weights = frequencies.astype(np.float32)
    lengths = segment.lengths(fieldname)[documents]
    return TermInfo(
        weight=float(weights.sum(dtype=np.float64)),
        df=len(documents),
        minlength=int(lengths.min()),
        maxlength=int(lengths.max()),
        maxweight=float(weights.max()),
        minid=int(documents[0]),
        maxid=int(documents[-1]),
    )


class FieldCursor(base.FieldCursor):
    """Moves over the terms of a field, for Whoosh's automata."""

    def __init__(self, segment: SegmentReader, fieldname: str, fieldobj: Any) -> None:
        self._segment, self._fieldname, self._fieldobj = segment, fieldname, fieldobj
        self._terms = segment.field(fieldname).terms
        self._place = 0

    def first(self) -> Any:
        self._place = 0
        return self.text()

    def find(self, term: str | bytes) -> Any:
        text = term if isinstance(term, bytes) else self._fieldobj.to_bytes(term)
        self._place = bisect_left(self._terms, text)
        return self.text()

    def next(self) -> Any:
        self._place += 1
        return self.text()

    def text(self) -> Any:
        return self._fieldobj.from_bytes(self._terms[self._place]) if self.is_valid() else None

    def term_info(self) -> TermInfo | None:
        if not self.is_valid():
            return None
        return term_info(self._segment, self._fieldname, self._place)

    def is_valid(self) -> bool:
        return self._place < len(self._terms)


class DocumentsReader(base.PerDocumentReader):
    """Whoosh's way to what a segment holds by document."""

    def __init__(self, reader: SegmentReader, owner: ColumnarSegment) -> None:
        self.segment = reader
        self._owner = owner

    def doc_count(self) -> int:
        count: int = self._owner.doc_count()
        return count

    def doc_count_all(self) -> int:
        return self.segment.doc_count

    def has_deletions(self) -> bool:
        return self._owner.live is not None

    def is_deleted(self, docnum: int) -> bool:
        return self._owner.is_deleted(docnum)

    def deleted_docs(self) -> Iterable[int]:
        return self._owner.deleted_docs()

    def supports_columns(self) -> bool:
        return True

    def has_column(self, fieldname: str) -> bool:
        return fieldname in self.segment.columns()

    def list_columns(self) -> list[str]:
        return sorted(self.segment.columns())

    def column_reader(self, fieldname: str, column: Any) -> ColumnReader:
        return ColumnReader(self.segment, fieldname, column)

    def doc_field_length(self, docnum: int, fieldname: str, default: int = 0) -> int:
        lengths = self.segment.field(fieldname).lengths
        return int(lengths[docnum]) if len(lengths) else default

    def field_length(self, fieldname: str) -> int:
        return self.segment.total_length(fieldname)

    def min_field_length(self, fieldname: str) -> int:
        return int(self.segment.field(fieldname).attributes["shortest"])

    def max_field_length(self, fieldname: str) -> int:
        return int(self.segment.field(fieldname).attributes["longest"])

    def stored_fields(self, docnum: int) -> dict[str, Any]:
        return self.segment.stored(docnum)


class ColumnReader(columns.ColumnReader):
    """A column of numbers or byte strings as Whoosh sorts by it."""

    def __init__(self, segment: SegmentReader, name: str, column: Any) -> None:
        self._doccount = segment.doc_count
        self._reversed = False
        self._default = column.default_value()
        self._column = column
        self._texts: Any = None
        if segment.columns()[name]["kind"] == "numbers":
            self._values = segment.column(name)
        else:
            self._values, self._texts = segment.text_column(name)

    def __getitem__(self, docnum: int) -> Any:
        value = self._values.item(docnum)
        return value if self._texts is None else self._texts[value]

    def sort_key(self, docnum: int) -> Any:
        value = self[docnum]
        if not self._reversed:
            return value
        # As Whoosh does it: documents without a value come last in this order too.
        return -value if value != self._default else self._column.default_value(reverse=True)

    def load(self) -> list[Any]:
        return list(self)

    def set_reverse(self) -> None:
        if self._texts is not None:
            raise NotImplementedError("a column of bytes has no reverse order")
        self._reversed = True
