"""Saved searches, and what they have found: tables for people, and lines."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from searchfeed.alerting import Alert
from searchfeed.archive import SavedSearch
from searchfeed.models import Query, Results
from searchfeed.output import Screen, plain
from searchfeed.output.clean import line
from searchfeed.output.human import count, timestamp


def searches_table(searches: tuple[SavedSearch, ...], screen: Screen) -> Iterator[str]:
    """The name and the query of each, and what waits to be told."""
    from rich.text import Text

    from searchfeed.output.ink import FAINT, TITLE, console, render, text
    from searchfeed.output.wrapping import wrap

    paper = console(screen)
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
        indent = Text(" " * width)
        yield render(
            [Text.assemble(indent if at else name, row) for at, row in enumerate(rows)], paper
        )


def searches_plain(searches: tuple[SavedSearch, ...], _screen: Screen) -> Iterator[str]:
    """A line a search: name, query, ``alert`` or nothing, how many wait, when it was saved."""
    for each in searches:
        columns = (
            each.name,
            each.text,
            "alert" if each.alert else "",
            str(each.waiting),
            timestamp(each.saved),
        )
        yield "\t".join(line(column).strip() for column in columns) + "\n"


def alerts_table(alerts: tuple[Alert, ...], screen: Screen) -> Iterator[str]:
    """Each search that has found something, and below it the hits as in a list of results."""
    from searchfeed.output import table
    from searchfeed.output.ink import FEED, console, render, text

    paper = console(screen)
    for name, found in _by_search(alerts):
        yield render([text(f"@{name}", FEED)], paper)
        *hits, _closing = table.results(found, screen)
        yield from hits


def alerts_plain(alerts: tuple[Alert, ...], screen: Screen) -> Iterator[str]:
    """The lines of ``plain.results`` with one more column, the name of the search."""
    for name, found in _by_search(alerts):
        for row in plain.results(found, screen):
            yield f"{row[:-1]}\t{line(name)}\n"


def _by_search(alerts: tuple[Alert, ...]) -> Iterator[tuple[str, Results]]:
    for name, group in groupby(alerts, key=lambda alert: alert.search):
        hits = tuple(alert.hit for alert in group)
        yield name, Results(Query(f"@{name}", limit=len(hits)), hits, len(hits), 0.0)
