"""What all parts of an index use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from pathlib import Path

from searchfeed import tree
from searchfeed.models import Query
from searchfeed.store import Store


class Base:
    """An index as its parts see it: its directory, its engine's name, and what lies there."""

    path: Path
    engine: str
    _store: Store

    def _read(self, query: Query, zone: tzinfo | None = None) -> tuple[tree.Node, tuple[str, ...]]:
        """The tree of a query, its feeds among the conditions, and what had to be guessed."""
        from searchfeed.query import names_searches, parse
        from searchfeed.query.spelling import loosened

        known = self._store.archive().search_texts() if names_searches(query.text) else {}
        parsed = parse(query.text, zone=zone, searches=known)
        node = loosened(parsed.node) if query.fuzzy else parsed.node
        return kept_to(query.feeds, node), parsed.notes


def system_zone() -> tzinfo:
    """The zone of whoever names none."""
    from searchfeed.query import SystemZone

    return SystemZone()


def kept_to(feeds: Sequence[str], node: tree.Node) -> tree.Node:
    """The same query, kept to feeds whose URL or title holds one of the texts, if there are any."""
    if not feeds:
        return node
    return tree.And((node, tree.Or(tuple(tree.Phrase(text, field="feed") for text in feeds))))
