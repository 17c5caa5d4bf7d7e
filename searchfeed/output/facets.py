"""Results for people, and below them the facets side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from rich.text import Text

from searchfeed.models import Facet, FacetCount
from searchfeed.output import Faceted, Screen
from searchfeed.output.ink import FAINT, FEED, PLAIN, Paper, render, text
from searchfeed.output.table import results

_GAP = 3
_WIDEST = 40
"""Cells of a facet's list; a longer label is cut, so that more lists stand side by side."""


def table(faceted: Faceted, screen: Screen) -> Iterator[str]:
    """The results, and each facet as a list of counts and labels."""
    yield from results(faceted.results, screen)
    paper = Paper.of(screen)
    lists = [
        _list(facet, counts, min(paper.width, _WIDEST))
        for facet, counts in faceted.facets.items()
        if counts
    ]
    for group in _side_by_side(lists, paper.width):
        widths = [max(row.cell_len for row in rows) for rows in group]
        yield render([Text()], paper)
        for row in zip_longest(*group, fillvalue=Text()):
            full = Text()
            for cell, width in zip(row, widths, strict=True):
                full.append_text(cell)
                full.append(" " * (width - cell.cell_len + _GAP))
            full.rstrip()
            yield render([full], paper)


def _list(facet: Facet, counts: Sequence[FacetCount], width: int) -> list[Text]:
    number_width = max(len(f"{each.count:,}") for each in counts)
    rows = [Text(str(facet), FAINT)]
    for each in counts:
        label = text(each.label, FEED if facet is Facet.FEED else PLAIN)
        label.truncate(max(width - number_width - 2, 1), overflow="ellipsis")
        rows.append(Text.assemble(f"{each.count:>{number_width},}  ", label))
    return rows


def _side_by_side(lists: Sequence[list[Text]], width: int) -> Iterator[list[list[Text]]]:
    """The lists in groups that fit beside each other."""
    group: list[list[Text]] = []
    used = 0
    for rows in lists:
        needed = max(row.cell_len for row in rows) + _GAP
        if group and used + needed - _GAP > width:
            yield group
            group, used = [], 0
        group.append(rows)
        used += needed
    if group:
        yield group
