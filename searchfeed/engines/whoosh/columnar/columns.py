"""The columns of a segment, as they are collected."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from searchfeed.engines.whoosh.columnar.container import TYPES
from searchfeed.engines.whoosh.columnar.occurrences import view
from searchfeed.engines.whoosh.columnar.segment import SegmentFile
from searchfeed.values import dataclass

Values: TypeAlias = tuple[list[int], Sequence[Any]]
"""Which of some documents have a value in a column, and these values."""


@dataclass(frozen=True, slots=True)
class ColumnKind:
    """A column: of numbers of a type as numpy writes it (``u8``), or of byte strings (empty).

    ``default`` stands where a document has no value; for ``step`` see ``SegmentFile.numbers``.
    """

    type: str = ""
    default: float = 0
    step: int = 0


class ColumnBuilder:
    """The values of one column, in the order of the documents."""

    def __init__(self, kind: ColumnKind) -> None:
        self.kind = kind
        self._documents = array("i")
        self._numbers = array(TYPES[kind.type or "u1"])
        self._texts: list[bytes] = []

    def checked(self, values: Sequence[Any]) -> Values:
        """The values of documents, None where one has none, for ``extend``.

        Raises:
            TypeError, OverflowError: the column cannot hold one of them.
        """
        places = [place for place, value in enumerate(values) if value is not None]
        there = values if len(places) == len(values) else [values[place] for place in places]
        if self.kind.type:
            return places, array(self._numbers.typecode, there)
        for value in there:
            if not isinstance(value, bytes):
                raise TypeError(f"a column of bytes cannot hold {value!r}")
        return places, there

    def extend(self, first: int, values: Values) -> None:
        """Take the values of documents from ``first`` on, which come in ascending order."""
        places, there = values
        self._documents.extend([first + place for place in places])
        if self.kind.type:
            self._numbers.extend(there)
        else:
            self._texts.extend(there)

    def write(self, name: str, file: SegmentFile, doc_count: int) -> None:
        """Fill up with the default and write."""
        places = view(self._documents)
        if self.kind.type:
            values = np.full(doc_count, self.kind.default, dtype=f"<{self.kind.type}")
            values[places] = self._numbers
            file.numbers(name, values, self.kind.default, self.kind.step)
            return
        texts = sorted({b"", *self._texts})
        numbers = {text: number for number, text in enumerate(texts)}
        codes = np.zeros(doc_count, dtype=np.int64)
        codes[places] = [numbers[text] for text in self._texts]
        file.texts(name, codes, texts)
