"""What the files of a segment have in common, whoever writes or reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

EXTENSION = ".sfc"

BLOCK = 128
"""Of so many postings the place of the first one's positions is kept."""

SPAN = 256
"""So many packed numbers share a list of those among them that need more bits."""

LARGEST = 2**31 - 1
"""No document number, frequency or position is larger."""

NO_FIELD: Mapping[str, Any] = {
    "terms": 0,
    "positions": 0,
    "repeated": False,
    "total": 0,
    "shortest": 0,
    "longest": 0,
    "keys": (),
    "column": 0,
}
"""What a segment tells of a field that it has nothing of.

How many terms and positions it holds, whether a term stands more than once in a document, the sum
of its lengths, the shortest (but 0) and the longest, the names of its second keys, and by how many
bits less each of the terms says that are made of the column of that name (0 where none are).
"""
