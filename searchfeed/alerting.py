"""New matches of saved searches, each of which is told once.

What is told of is decided in one transaction: which entries a search had not looked at yet, which
of them it finds, and that it has looked. So nothing is passed over and nothing is found twice,
wherever a process is killed. Telling is no part of a transaction: a message that was sent cannot
be taken back. An alert is noted as told after it was told, so one whose teller is killed between
the two is told again, with the same id, and none is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from searchfeed import tree
from searchfeed.archive import Archive
from searchfeed.engines import Answer, Engine
from searchfeed.errors import QueryError
from searchfeed.keys import search_key
from searchfeed.locks import WriteLock
from searchfeed.models import Hit
from searchfeed.snippets import Highlighter
from searchfeed.store import Store
from searchfeed.values import dataclass

LIMIT = 1_000
"""Alerts that are had at once; each holds a whole entry."""

_FEW = 200
"""Entries that the engine is told to keep to; of more all that match are asked for."""

PATIENCE = 10.0
"""Seconds to wait for another process that is telling alerts."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A new match of a saved search.

    Attributes:
        search: the name of the search.
        hit: the entry as it is now. Its score is 0 where it has been edited since it was found and
            is found no more.
    """

    search: str
    hit: Hit

    @property
    def id(self) -> str:
        """The same whenever it is told, and of no other alert."""
        return f"{search_key(self.search)}/{self.hit.entry.id}"


class Alerts:
    """What is to be told, by search and in the order in which it came, failed ones last.

    Attributes:
        waiting: how many more there are, which are had once these have been told.
        failures: of searches that cannot be read any more, their names and why.
    """

    def __init__(self, archive: Archive, searches: Sequence[str], limit: int) -> None:
        self._archive = archive
        self._alerts: list[Alert] = []
        self._limit = limit
        self._names = searches
        self.failures: list[tuple[str, QueryError]] = []
        self.waiting = 0

    def look(self, engine: Engine) -> None:
        """Find what is new, and gather what is to be told."""
        # What the engine does not hold yet is looked at once it does.
        upto = min(engine.reached, self._archive.sequence)
        for name in self._names:
            try:
                self._look(engine, name, upto)
            except QueryError as error:
                self.failures.append((name, error))
        waiting = {each.name: each.waiting for each in self._archive.searches()}
        self.waiting = sum(waiting.get(name, 0) for name in self._names) - len(self)

    def _look(self, engine: Engine, name: str, upto: int) -> None:
        from searchfeed.query import parse
        from searchfeed.query.strictness import demanding

        new = self._archive.unlooked(name, upto)
        waiting = self._archive.waiting(name, self._limit)
        found = Answer((), 0)
        if new or waiting:
            known = self._archive.search_texts()
            # Nothing ranks them, so that weak matches would stand below: all words have to match.
            node = demanding(parse(f"@{name}", searches=known).node)
            looked_at = {*new, *waiting}
            if len(looked_at) <= _FEW:
                ids = tuple(tree.Word(id, field="id") for id in sorted(looked_at))
                node = tree.And((node, tree.Or(ids)))
            # A shared index may hold more than this archive does.
            most = max(engine.search(node, limit=0).total, 1)
            found = engine.search(node, limit=most)
        scores = {match.id: match.score for match in found.matches}
        self._archive.found(name, [id for id in new if id in scores], upto)
        if new or waiting:
            self._gather(name, found, scores)

    def _gather(self, name: str, found: Answer, scores: dict[str, float]) -> None:
        ids = self._archive.waiting(name, self._limit - len(self))
        entries = self._archive.entries(ids)
        highlighter = Highlighter(found.patterns)
        for id in ids:
            if (entry := entries.get(id)) is not None:
                passages = highlighter.make(entry)
                self._alerts.append(Alert(name, Hit(entry, scores.get(id, 0.0), passages)))

    def told(self, *alerts: Alert) -> None:
        """Note that these have been told: they never come again.

        Raises:
            IndexLockedError: another process was writing for longer than the timeout.
        """
        for name in dict.fromkeys(alert.search for alert in alerts):
            ids = [alert.hit.entry.id for alert in alerts if alert.search == name]
            self._archive.told(name, ids)

    def not_told(self, alert: Alert) -> None:
        """Note that one could not be told: it comes again, behind those that did not fail.

        Raises:
            IndexLockedError: another process was writing for longer than the timeout.
        """
        self._archive.not_told(alert.search, [alert.hit.entry.id])

    def __len__(self) -> int:
        return len(self._alerts)

    def __iter__(self) -> Iterator[Alert]:
        return iter(self._alerts)


@contextmanager
def alerts(store: Store, names: Sequence[str], limit: int) -> Iterator[Alerts]:
    """Do what ``Index.alerts`` promises."""
    archive = store.archive()
    chosen = _chosen(archive, names)
    with WriteLock(store.archive_file().with_name("alerts.lock"), PATIENCE):
        found = Alerts(archive, chosen, limit)
        if chosen:
            found.look(store.ready()[0])
        yield found


def _chosen(archive: Archive, names: Sequence[str]) -> list[str]:
    """The names of the searches with an alert, or of those that are meant."""
    from searchfeed.query import meant

    searches = {search_key(each.name): each for each in archive.searches()}
    if not names:
        return [each.name for each in searches.values() if each.alert]
    known = archive.search_texts()
    chosen = [searches[meant(name, known)] for name in dict.fromkeys(names)]
    for each in chosen:
        if not each.alert:
            whole = f"@{each.name}"
            raise QueryError(whole, 0, len(whole), f"the saved search {whole} has no alert")
    return list(dict.fromkeys(each.name for each in chosen))


__all__ = ("LIMIT", "Alert", "Alerts", "alerts")
