"""The terms that Whoosh searches dates by, made of their column when Whoosh asks for them.

Whoosh finds a range of dates by terms for the leading parts of their numbers, eight for each
document. Searches of ours go by the column alone, so these terms take no room in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from searchfeed.engines.whoosh.arrays import beginnings
from searchfeed.engines.whoosh.columnar.container import Sheet
from searchfeed.engines.whoosh.columnar.field import FieldReader
from searchfeed.engines.whoosh.columnar.segment import Postings, write_postings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.columnar.container import Array

BITS = 64
"""Columns of such numbers are unsigned and have so many."""

SIGN = np.uint64(1 << (BITS - 1))
"""What Whoosh adds, so that negative numbers would come before the others."""


def number_field(
    name: str, attributes: Mapping[str, Any], values: NDArray[np.uint64], default: int
) -> FieldReader:
    """The field whose terms stand for the numbers of a column, but for its default."""
    words, batches = _terms(values, default, attributes["column"])
    sheet = Sheet()
    write_postings(sheet, name, len(values), batches, lambda: words)
    return FieldReader(sheet, name, {**attributes, "terms": len(words)}, len(values))


def _terms(
    values: NDArray[np.uint64], default: int, step: int
) -> tuple[list[bytes], list[Postings]]:
    """The terms, sorted, and their postings: first those of the whole numbers."""
    there = np.flatnonzero(values != np.uint64(default)).astype(np.int32)
    words: list[bytes] = []
    batches = []
    for shift in range(0, BITS, step):
        parts = (values[there] ^ SIGN) >> np.uint64(shift)
        order = np.argsort(parts, kind="stable")
        ordered = parts[order]
        firsts = beginnings(ordered)
        words += [bytes((shift,)) + number for number in _big_endian(ordered[firsts])]
        amounts = np.diff(firsts, append=len(there))
        batches.append(Postings(amounts, there[order], np.ones(len(there), dtype=np.int32)))
    return words, batches


def _big_endian(numbers: Array) -> list[bytes]:
    raw = numbers.astype(">u8").tobytes()
    return [raw[at : at + 8] for at in range(0, len(raw), 8)]
