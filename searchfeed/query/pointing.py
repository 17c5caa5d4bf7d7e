"""Showing the place of a query that is wrong."""

from __future__ import annotations

from unicodedata import category, east_asian_width

from searchfeed.errors import QueryError

WIDEST = 76
"""Columns of a terminal that a query takes at most; of a longer one a part is shown."""

_UNSHOWN = ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")
"""Categories of characters that could move what a terminal shows after them."""


def caret(error: QueryError) -> str:
    """The query, and below it carets under the place that is wrong: two lines.

    >>> print(caret(QueryError("ibm date:garbage", 9, 16, "not a date")))
    ibm date:garbage
             ^^^^^^^
    """
    shown = "".join(" " if category(each) in _UNSHOWN else each for each in error.query)
    before, wrong, after = (
        shown[: error.start],
        shown[error.start : error.end],
        shown[error.end :],
    )
    if _width(shown) > WIDEST:
        wrong = _kept(wrong, WIDEST // 2)
        room = WIDEST - _width(wrong)
        before = _kept(before[::-1], max(room // 2, room - _width(after)))[::-1]
        after = _kept(after, room - _width(before))
    return f"{before}{wrong}{after}\n{' ' * _width(before)}{'^' * max(1, _width(wrong))}"


def _kept(text: str, room: int) -> str:
    """As many of the first characters as fit, an ellipsis standing for the rest."""
    if _width(text) <= room:
        return text
    left = room - 1
    for at, character in enumerate(text):
        left -= _width(character)
        if left < 0:
            return f"{text[:at]}…"
    return text


def _width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(
        0 if category(each) in ("Mn", "Me") else 2 if east_asian_width(each) in "WF" else 1
        for each in text
    )
