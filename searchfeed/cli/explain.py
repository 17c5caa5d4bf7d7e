"""``searchfeed explain`` and ``explain-query``: why a search finds what it finds."""

from __future__ import annotations

import click

from searchfeed.cli.base import (
    QueryCommand,
    Settings,
    epilog,
    format_options,
    global_options,
    query_argument,
)
from searchfeed.output import EXPLANATION, QUERY


@click.command(
    cls=QueryCommand,
    epilog=epilog(
        "searchfeed explain 5ad0f3c1 silk routes",
        notes=("Exit code: 0 the entry matches, 1 it does not, 2 an error.",),
    ),
)
@click.argument("id")
@query_argument
@format_options(EXPLANATION)
@global_options(hidden=True)
@click.pass_obj
def explain(
    settings: Settings,
    /,
    *,
    id: str,
    query: tuple[str, ...],
    format: str | None,  # noqa: A002
    json: bool,
) -> int:
    """Show what the score of the entry ID for QUERY is made of.

    Of an entry that the query does not find, show which of its clauses the entry fails.
    """
    with settings.open() as index:
        explanation = index.explain(id, " ".join(query))
    settings.write(EXPLANATION, explanation, format, json=json)
    return 0 if explanation.matches else 1


@click.command(
    "explain-query",
    cls=QueryCommand,
    epilog=epilog("searchfeed explain-query 'a OR -b'"),
)
@query_argument
@format_options(QUERY)
@global_options(hidden=True)
@click.pass_obj
def explain_query(
    settings: Settings,
    /,
    *,
    query: tuple[str, ...],
    format: str | None,  # noqa: A002
    json: bool,
) -> int:
    """Show how QUERY is read and which terms it stands for."""
    with settings.open() as index:
        explained = index.explain_query(" ".join(query))
    settings.write(QUERY, explained, format, json=json)
    return 0
