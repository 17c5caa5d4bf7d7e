"""Searches that are kept under a name, and the alerts of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from searchfeed.archive import SavedSearch, query_line
from searchfeed.errors import QueryError
from searchfeed.index.base import Base
from searchfeed.keys import SEARCH_TEXT_LIMIT, search_key

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from searchfeed.alerting import Alerts


class Saving(Base):
    """What keeps searches under a name.

    ``Index`` says what every method raises.
    """

    def save(self, name: str, query: str, *, alert: bool | None = None) -> SavedSearch:
        """Give a query a name: ``@name`` stands for it in others from then on, as a group.

        It is read anew whenever it is used: its relative dates are of that moment, and searches
        that it names may change. The one that had the name before is replaced.

        Args:
            name: letters, digits, ``-``, ``_`` and ``.``; any case of the letters is the same name.
            query: as for ``search``.
            alert: whether ``alerts`` tells matches that are stored from now on; None leaves it as
                it is, which is off for a new name.

        Raises:
            QueryError: a condition in the query cannot be meant, it names a search that is not
                saved, or comes back to itself.
            ValueError: it is no name, or there is no query.
        """
        from searchfeed.query import parse

        archive = self._store.archive()
        known = archive.search_texts()
        key, text = search_key(name), query_line(query)
        if not 0 < len(text) <= SEARCH_TEXT_LIMIT:
            raise ValueError(f"a query to be saved has 1 to {SEARCH_TEXT_LIMIT:,} characters")
        # The engine has a say too: some expressions it cannot answer.
        node = parse(text, searches=known, naming=name).node
        self._store.ready()[0].search(node, limit=0)
        archive.save_search(name, text, alert=alert)
        return next(each for each in archive.searches() if search_key(each.name) == key)

    def searches(self) -> tuple[SavedSearch, ...]:
        """Every saved search, in the order of their names."""
        return self._store.archive().searches()

    def forget(self, name: str) -> SavedSearch:
        """Keep a saved search no more, nor its alert.

        Returns:
            What it was.

        Raises:
            QueryError: no search is saved under that name, or others name it.
        """
        from searchfeed.query import meant, named

        archive = self._store.archive()
        known = archive.search_texts()
        key = meant(name, known)
        others = [f"@{other}" for other, text in known.values() if key in named(text, known)]
        if others:
            whole = f"@{name}"
            reason = f"it is a part of {', '.join(others)}"
            raise QueryError(whole, 0, len(whole), reason)
        (found,) = (each for each in archive.searches() if search_key(each.name) == key)
        archive.forget_search(name)
        return found

    def alerts(
        self, names: str | Iterable[str] = (), *, limit: int = 1_000
    ) -> AbstractContextManager[Alerts]:
        """What saved searches have found since it was last told, to be told once.

        New is what was stored after the alert was made; of a query's words all have to match. What
        has been told does not come again, though it is edited.

            with index.alerts() as alerts:
                for alert in alerts:
                    print(alert.search, alert.hit.entry.title)
                    alerts.told(alert)

        What is not noted as told comes again the next time, also after a crash: an alert is told
        at least once, and its ``id`` is the same each time.

        Args:
            names: of searches with an alert; all that have one if none is named.
            limit: how many at most; the others come the next time.

        Raises:
            QueryError: no search has that name, or it has no alert.
            IndexLockedError: another process is telling alerts, and went on for ten seconds.
        """
        from searchfeed.alerting import alerts

        return alerts(self._store, (names,) if isinstance(names, str) else tuple(names), limit)
