"""Counts over time, drawn with blocks; nothing but text, so it needs no colours and no rich."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from searchfeed.models import Trend
from searchfeed.output import Screen
from searchfeed.output.human import count

ROWS = 60
"""More buckets than so many (five years of months, a year of weeks) become columns, not rows."""

LONGEST = 100
"""Cells of the longest bar."""

HEIGHT = 8
"""Rows of the columns."""

LYING, STANDING = " ▏▎▍▌▋▊▉█", " ▁▂▃▄▅▆▇█"
PLAIN_LYING, PLAIN_STANDING = " #", " .:-=+*#"
"""What a cell filled to none, a part, and all of it looks like; the plain ones where the place
that the text goes to has no blocks."""

_GAP = 2


def trend(trend: Trend, screen: Screen) -> Iterator[str]:
    """A bar for each bucket or, where there are many, columns; and what they add up to."""
    if not trend.total:
        return
    width = max(screen.width, 20)
    counts = [bucket.count for bucket in trend.buckets]
    closing = _closing(trend)
    if len(counts) > ROWS:
        yield from _columns(trend, counts, width, ascii=screen.ascii)
    elif counts:
        yield from _bars(trend, counts, width, ascii=screen.ascii)
        line = sparkline(counts, ascii=screen.ascii)
        if len(line) + _GAP + len(closing) <= width:
            closing = f"{line}{' ' * _GAP}{closing}"
        elif len(line) <= width:
            closing = f"{line}\n{closing}"
    yield f"{closing}\n"


def sparkline(counts: Sequence[int], *, ascii: bool = False) -> str:  # noqa: A002
    """A character for each count, the higher the larger; a space for 0 alone.

    >>> sparkline([1, 0, 4, 8])
    '▁ ▄█'
    """
    marks = PLAIN_STANDING if ascii else STANDING
    return "".join(marks[scaled(number, max(counts), len(marks) - 1)] for number in counts)


def _bars(trend: Trend, counts: Sequence[int], width: int, *, ascii: bool) -> Iterator[str]:  # noqa: A002
    name_width = max(len(bucket.name) for bucket in trend.buckets)
    count_width = len(f"{max(counts):,}")
    room = min(max(width - name_width - count_width - 2 * _GAP, 0), LONGEST)
    marks = PLAIN_LYING if ascii else LYING
    full = len(marks) - 1
    for bucket in trend.buckets:
        cells, rest = divmod(scaled(bucket.count, max(counts), room * full), full)
        bar = marks[full] * cells + marks[rest].strip()
        label = f"{bucket.name:<{name_width}}  {bucket.count:>{count_width},}"
        yield f"{label}  {bar}".rstrip() + "\n"
    yield "\n"


def _columns(trend: Trend, counts: Sequence[int], width: int, *, ascii: bool) -> Iterator[str]:  # noqa: A002
    """Columns of several rows; neighbours share one where the screen is too narrow for all."""
    together, column_counts, label_width = _fitted(counts, width)
    most = max(column_counts)
    marks = PLAIN_LYING if ascii else STANDING
    full = len(marks) - 1
    levels = [scaled(number, most, HEIGHT * full) for number in column_counts]
    for row in reversed(range(HEIGHT)):
        label = f"{most:,}" if row == HEIGHT - 1 else ""
        cells = "".join(mark(level, row, marks) for level in levels)
        yield f"{label:>{label_width}}  {cells}".rstrip() + "\n"
    first, last = trend.buckets[0].name, trend.buckets[-1].name
    between = max(len(levels) - len(first) - len(last), 1)
    yield f"{'':>{label_width}}  {first}{' ' * between}{last}\n\n"
    if together > 1:
        yield f"{together} {trend.by}s a column; "


def _fitted(counts: Sequence[int], width: int) -> tuple[int, list[int], int]:
    """How many neighbours share a column, what each column counts, the width of the labels."""
    together = 1
    while True:
        starts = range(0, len(counts), together)
        columns = [sum(counts[start : start + together]) for start in starts]
        label_width = len(f"{max(columns):,}")
        if len(columns) <= max(width - label_width - _GAP, 1):
            return together, columns, label_width
        together += 1


def scaled(number: int, most: int, steps: int) -> int:
    """A number as steps of the way to the largest; at least one for any but 0."""
    return -(-number * steps // most) if number else 0


def mark(level: int, row: int, marks: str) -> str:
    """What a column shows in a row, from 0 at its foot; ``level`` is its height in steps.

    >>> [mark(11, row, STANDING) for row in (0, 1, 2)]
    ['█', '▃', ' ']
    """
    full = len(marks) - 1
    return marks[min(max(level - row * full, 0), full)]


def _closing(trend: Trend) -> str:
    if not trend.buckets:
        return f"{count(trend.undated, 'entry')} without a date"
    shown = sum(bucket.count for bucket in trend.buckets)
    undated = f", {trend.undated:,} more without a date" if trend.undated else ""
    first, last = trend.buckets[0].name, trend.buckets[-1].name
    when = f"in {first}" if first == last else f"from {first} to {last}"
    return f"{count(shown, 'entry')} {when}{undated}"
