"""Saved searches, and what they have found, for people."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from rich.text import Text

from searchfeed.alerting import Alert
from searchfeed.archive import SavedSearch
from searchfeed.models import Query, Results
from searchfeed.output import Screen, table
from searchfeed.output.human import count
from searchfeed.output.ink import FAINT, FEED, TITLE, Paper, render, text
from searchfeed.output.wrapping import behind, wrap


def searches(searches: tuple[SavedSearch, ...], screen: Screen) -> Iterator[str]:
    """The name and the query of each, and what waits to be told."""
    paper = Paper.of(screen)
    names = [text(f"@{each.name}", TITLE) for each in searches]
    width = min(max((name.cell_len for name in names), default=0), paper.width // 3) + 2
    for each, name in zip(searches, names, strict=True):
        told = text(each.text)
        if each.alert:
            waiting = f"{count(each.waiting, 'entry')} to tell" if each.waiting else "alert"
            told.append(f"  {waiting}", FAINT)
        rows = list(wrap(told, paper.width - width)) or [Text()]
        if name.cell_len > width - 2:
            yield render([name], paper)
            name = Text()  # noqa: PLW2901
        name.append(" " * (width - name.cell_len))
        yield render(behind(name, rows), paper)


def alerts(alerts: tuple[Alert, ...], screen: Screen) -> Iterator[str]:
    """Each search that has found something, and below it the hits as in a list of results."""
    paper = Paper.of(screen)
    for name, group in groupby(alerts, key=lambda alert: alert.search):
        hits = tuple(alert.hit for alert in group)
        found = Results(Query(f"@{name}", limit=len(hits)), hits, len(hits), 0.0)
        yield render([text(f"@{name}", FEED)], paper)
        *rows, _closing = table.results(found, screen)
        yield from rows
