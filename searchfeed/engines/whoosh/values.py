"""How values other than words stand in the index: the same when writing and when searching."""

from __future__ import annotations

from datetime import UTC, datetime

from searchfeed import analysis

UPDATED, ENCLOSURE = "updated", "enclosure"
"""Terms of the field ``flag``."""

NO_DATE = 2**64 - 1
"""What the ``date`` column holds where an entry has no date."""

SKETCH = tuple(f"sketch{number}" for number in range(7))
"""The columns that hold the sketch of an entry's text; 0 in all of them where it has none.

They are as many as ``analysis.sketch.WORDS``, which cannot be had without numpy.
"""

_EPOCH = datetime(1, 1, 1, tzinfo=UTC)


def date_number(date: datetime) -> int:
    """A date as the ``date`` column counts it: microseconds of UTC since the year 1."""
    delta = date - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def plain(text: str) -> str:
    """A word, or a part of one, as it is compared with folded terms."""
    return analysis.fold(analysis.spell(text))


def whole_term(value: str) -> str:
    """A tag or a name as one term, as it is compared: folded, one space between words.

    >>> whole_term("Économie  Politique")
    'economie politique'
    """
    return " ".join(plain(value).split())
