"""Why an entry has its score, and how a query was read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from searchfeed.output.clean import clean, line

if TYPE_CHECKING:
    from searchfeed.models import ExplainedQuery, Explanation
    from searchfeed.output import Screen


def explanation(value: Explanation, _screen: Screen) -> Iterator[str]:
    """A line for each piece of the score and the sum below, or what is missing."""
    if not value.matches:
        yield "It does not match; it lacks:\n"
        for clause in value.missing:
            yield f"  {line(clause)}\n"
        return
    yield f"{'score':>10}  {'weight':>7}  from\n"
    for each in value.contributions:
        weight = f"{each.weight:.3f}" if each.field else ""
        where = f"{each.term} in {each.field}" if each.field else ""
        source = where if each.clause == each.term else f"{each.clause}  {where}".rstrip()
        yield f"{each.score:>10.6f}  {weight:>7}  {line(source)}\n"
    yield f"{value.score:>10.6f}  {'':>7}  in all\n"


def query(value: ExplainedQuery, _screen: Screen) -> Iterator[str]:
    """The tree, the notes and the engine's own query, each under its heading."""
    notes = "\n".join(value.notes)
    for heading, text in (("tree", value.tree), ("notes", notes), ("engine", value.engine)):
        if text:
            yield f"{heading}\n"
            for each in text.splitlines():
                yield f"  {clean(each)}\n"
