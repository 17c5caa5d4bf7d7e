"""Reading one segment: arrays mapped from its file, and nothing read that is not asked for.

This module needs neither Whoosh nor its table of contents; ``open_segments`` is the short way in.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from searchfeed.engines.whoosh.columnar.dictionary import Dictionary
from searchfeed.engines.whoosh.columnar.documents import absolute, spread
from searchfeed.engines.whoosh.columnar.field import FieldReader
from searchfeed.engines.whoosh.columnar.layout import NO_FIELD
from searchfeed.engines.whoosh.columnar.located import Located
from searchfeed.engines.whoosh.columnar.mapped import Bits, MappedSegment
from searchfeed.engines.whoosh.columnar.packing import counts
from searchfeed.engines.whoosh.columnar.snapshot import pack_deleted, unpack_live
from searchfeed.engines.whoosh.columnar.stored import Stored

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.columnar.container import Array

    Integers = NDArray[np.int32]


FEW_RANGES = 16
"""Up to so many ranges of postings are quicker read one by one."""


class SegmentReader(MappedSegment):
    """A segment of the index, as arrays. Any thread may use it.

    Terms are numbered from 0 within a field, in the order of their UTF-8; documents from 0 to
    ``doc_count``, those deleted included. A field or term that is not there has no postings.

    Attributes:
        live: for each document number whether it is still there; None where all are.
    """

    def __init__(self, path: Path, live: NDArray[np.bool_] | None = None) -> None:
        super().__init__(path)
        self._read(live)

    def _read(self, live: NDArray[np.bool_] | None) -> None:
        if live is not None and len(live) != self.doc_count:
            raise self.container.damaged("its deletions are of another segment")
        self.live = live
        self._open: dict[str, FieldReader] = {}
        self._stored: Stored | None = None
        self._keywords: dict[str, tuple[Integers, Integers]] = {}

    @classmethod
    def of(cls, mapped: MappedSegment) -> SegmentReader:
        """The arrays of a segment whose file is open already."""
        reader = object.__new__(cls)
        reader.__dict__.update(mapped.__dict__)
        reader._read(unpack_live(mapped.deleted, mapped.doc_count))
        return reader

    def with_live(self, live: NDArray[np.bool_] | None) -> SegmentReader:
        """The same segment with other deletions; it shares the map and what was read from it."""
        other = object.__new__(SegmentReader)
        other.__dict__.update(self.__dict__)
        other.live = live
        return other

    def with_deleted(self, deleted: Bits) -> SegmentReader:
        """See ``MappedSegment.with_deleted``."""
        return self.with_live(unpack_live(deleted, self.doc_count))

    @property
    def deleted(self) -> Bits:
        """See ``MappedSegment.deleted``."""
        return pack_deleted(self.live)

    @property
    def arrays(self) -> SegmentReader:
        """See ``MappedSegment.arrays``."""
        return self

    @property
    def live_count(self) -> int:
        """How many documents are still there."""
        return self.doc_count if self.live is None else int(np.count_nonzero(self.live))

    def fields(self) -> list[str]:
        """The names of the fields that have terms, sorted."""
        fields = self._fields.items()
        return sorted(name for name, field in fields if field["terms"] or field["column"])

    def field(self, name: str) -> FieldReader:
        """The arrays of one field; empty ones where it does not exist."""
        reader = self._open.get(name)
        if reader is None:
            attributes = self._fields.get(name, NO_FIELD)
            if attributes["column"]:
                reader = self._number_field(name, attributes)
            else:
                reader = FieldReader(self.container, name, attributes, self.doc_count)
            self._open[name] = reader
        return reader

    def dictionary(self, field: str) -> Dictionary:
        """See ``MappedSegment.dictionary``; here also the terms that are made of a column."""
        return self.field(field).terms

    def _number_field(self, name: str, attributes: Mapping[str, Any]) -> FieldReader:
        from searchfeed.engines.whoosh.columnar.numbers import BITS, number_field

        kind, step = self._columns.get(name, {}), attributes["column"]
        if kind.get("type") != f"u{BITS // 8}" or type(step) is not int or not 0 < step <= BITS:
            raise self.container.damaged(f"the field {name}")
        return number_field(name, attributes, self.column(name), kind["default"])

    def terms_step(self, name: str) -> int:
        """The step of a field whose terms are made of a column; see ``SegmentFile.numbers``."""
        step: int = self._fields.get(name, NO_FIELD)["column"]
        return step

    def doc_freq(self, field: str, number: int) -> int:
        """In how many documents a term stands, those deleted included."""
        start, stop = self.field(field).bounds(number)
        return stop - start

    def doc_freqs(self, field: str, low: int = 0, high: int | None = None) -> NDArray[np.int64]:
        """``doc_freq`` of the terms from ``low`` to ``high``."""
        starts = self.field(field).starts
        return counts(starts.range(low, len(starts) if high is None else high + 1))

    def postings(self, field: str, number: int) -> tuple[Integers, Integers]:
        """The documents of a term, ascending, deleted ones included, and its frequency in each."""
        reader = self.field(field)
        start, stop = reader.bounds(number)
        return reader.documents.one(number, start, stop), reader.counted(start, stop)

    def documents(self, field: str) -> Integers:
        """The documents of all terms of a field, term after term, deleted ones included."""
        reader = self.field(field)
        return reader.documents.neighbours(0, len(reader.terms))

    def spread(self, field: str, numbers: Array) -> tuple[Integers, Integers, Integers]:
        """The postings of several terms, one term after the other, read together.

        Args:
            field: the field's name.
            numbers: those of the terms, ascending.

        Returns:
            Documents and frequencies as ``postings``, and how many postings each term has.
        """
        reader = self.field(field)
        starts = reader.starts.take(numbers).astype(np.int64)
        stops = reader.starts.take(numbers + 1).astype(np.int64)
        amounts = (stops - starts).astype(np.int32)
        breaks = np.flatnonzero(starts[1:] != stops[:-1])
        if len(breaks) < FEW_RANGES:
            firsts = [0, *(breaks + 1).tolist()]
            lasts = [*breaks.tolist(), len(numbers) - 1]
            documents = [
                reader.documents.neighbours(int(numbers[first]), int(numbers[last]) + 1)
                for first, last in zip(firsts, lasts, strict=True)
            ]
            frequencies = [
                reader.counted(starts.item(first), stops.item(last))
                for first, last in zip(firsts, lasts, strict=True)
            ]
            return np.concatenate(documents), np.concatenate(frequencies), amounts
        start, stop = starts.item(0), stops.item(-1)
        return (
            reader.documents.some(numbers, starts, amounts),
            reader.counted_at(start, stop, spread(starts - start, amounts)),
            amounts,
        )

    def weights(self, field: str, number: int) -> NDArray[np.float32] | None:
        """What Whoosh scores each posting by, where that is not the frequency."""
        reader = self.field(field)
        start, stop = reader.bounds(number)
        return reader.weights[start:stop] if len(reader.weights) else None

    def positions(
        self, field: str, number: int, which: Array | None = None
    ) -> tuple[Integers, Integers, Integers]:
        """Documents and frequencies as ``postings``, and the positions of each, all in one array.

        Args:
            field: a field that keeps positions; of one that does not, there are none.
            number: the number of the term.
            which: the places of the postings that are wanted, ascending; None for all.
        """
        located = Located(self.field(field), number)
        gaps, amounts = located.gaps(which)
        documents = located.documents if which is None else located.documents[which]
        if not self.field(field).has_positions:
            return documents, amounts, gaps
        return documents, amounts, absolute(gaps, amounts, np.cumsum(amounts, dtype=np.int32))

    def lengths(self, field: str) -> Array:
        """For each document how many terms the field has in it, exactly."""
        lengths = self.field(field).lengths
        return lengths if len(lengths) else np.zeros(self.doc_count, dtype=np.uint8)

    def total_length(self, field: str) -> int:
        """How many terms the field has in all documents, those deleted included."""
        return int(self.field(field).attributes["total"])

    def columns(self) -> dict[str, dict[str, Any]]:
        """The columns by name, each with its kind (numbers, with a default, or texts)."""
        return self._columns

    def column(self, name: str) -> Array:
        """A column of numbers; where a document has none stands the default of the column.

        Raises:
            KeyError: there is no such column.
        """
        self.numbers(name)
        return self.container.array(name, "column")

    def text_column(self, name: str) -> tuple[Array, Dictionary]:
        """A column of byte strings: for each document a number, and what the numbers stand for."""
        if self._columns[name]["kind"] != "texts":
            raise KeyError(name)
        return self.container.array(name, "column"), Dictionary(
            self.container, name, "column.texts"
        )

    def keyword_column(self, name: str) -> tuple[Integers, Integers]:
        """The terms of an indexed field by document, turned round from its postings.

        Returns:
            ``offsets`` (one more than documents) and ``terms``: document ``d`` has the terms
            numbered ``terms[offsets[d]:offsets[d + 1]]``, ascending.
        """
        if name not in self._keywords:
            reader = self.field(name)
            documents = self.documents(name)
            terms = np.repeat(np.arange(len(reader.terms), dtype=np.int32), self.doc_freqs(name))
            amounts = np.bincount(documents, minlength=self.doc_count)
            offsets = np.concatenate(([0], np.cumsum(amounts))).astype(np.int32)
            self._keywords[name] = offsets, terms[np.argsort(documents, kind="stable")]
        return self._keywords[name]

    def stored(self, document: int) -> dict[str, Any]:
        """What was stored with a document.

        Raises:
            IndexError: there is no document of that number.
        """
        return self.all_stored().get(document)

    def all_stored(self) -> Stored:
        """The stored fields of all documents."""
        if self._stored is None:
            self._stored = Stored(self.container, self.doc_count)
        return self._stored
