"""Is an index whole, and do its two halves agree? And what can be done where not.

The archive is the truth, so a search index that is damaged costs nothing: it is made anew. From a
damaged archive every row is taken that can still be read, and the damaged file is kept beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from searchfeed.archive.examining import Examination, examine
from searchfeed.archive.log import read_log
from searchfeed.archive.salvage import salvage
from searchfeed.errors import ArchiveError, EngineError, IndexVersionError
from searchfeed.values import dataclass

if TYPE_CHECKING:
    from searchfeed.engines import Condition
    from searchfeed.store import Progress, Store

_NAMED = 5
"""Entries that a sentence names at most."""


@dataclass(frozen=True, slots=True)
class Checkup:
    """What was found wrong with an index, and what was done about it; a sentence each.

    Attributes:
        archive: what is wrong with the archive.
        index: what is wrong with the search index, or with how it agrees with the archive.
        repairs: what was done.
        losses: what could not be saved.
        entries, versions: how many the archive holds.
        waiting: how many changes the search index has not taken in yet. The next search takes
            them in, so that is nothing wrong.
    """

    archive: tuple[str, ...] = ()
    index: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    entries: int = 0
    versions: int = 0
    waiting: int = 0

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong now: nothing was found, or all of it was repaired."""
        return not self.losses and (bool(self.repairs) or not (self.archive or self.index))


def check_up(store: Store, *, repair: bool, progress: Progress | None) -> Checkup:
    """See ``Index.check``."""
    file = store.archive_file()
    with store.writing():
        found, ids = _look(store, progress)
        if not repair or not (found.archive or found.index):
            return found
        repairs: list[str] = []
        losses: list[str] = []
        if found.archive:
            store.close()
            kept, losses = salvage(file, datetime.now().astimezone(), ids)
            repairs.append(f"the archive was made anew; the damaged one is kept as {kept}")
    entries = store.rebuild(progress)
    repairs.append(f"the search index was made anew from the archive ({entries:,} entries)")
    with store.writing():
        after, _ = _look(store, progress)
    losses += [f"still wrong: {each}" for each in (*after.archive, *after.index)]
    return replace(
        after,
        archive=found.archive,
        index=found.index,
        repairs=tuple(repairs),
        losses=tuple(losses),
    )


def _look(store: Store, progress: Progress | None) -> tuple[Checkup, frozenset[str]]:
    """What is wrong, and the ids that the engine has; whoever calls is the only one to write."""

    def compared(done: int, total: int) -> None:
        if progress is not None:
            progress("check", done, total)

    store.close()
    file = store.archive_file()
    if not read_log(file).trouble:
        # An archive of an older release is brought up to date first; what keeps it from being
        # opened shows again below.
        with suppress(ArchiveError, IndexVersionError, UnicodeDecodeError):
            store.archive()
        store.close()
    archive = examine(file, compared)
    problems: tuple[str, ...]
    waiting = 0
    ids: frozenset[str] = frozenset()
    try:
        engine = store.engine()
        condition = engine.check()
        problems, ids = condition.problems, frozenset(condition.ids)
        if not problems and engine.stale:
            problems = ("it was made by another release",)
        elif archive.complete and not problems:
            problems = tuple(_disagreements(archive, condition))
            waiting = max(0, archive.sequence - condition.reached)
    except (EngineError, IndexVersionError) as error:
        problems = (str(error),)
    found = Checkup(
        tuple(archive.problems),
        problems,
        entries=len(archive.entries),
        versions=archive.versions,
        waiting=waiting,
    )
    return found, ids


def _disagreements(archive: Examination, condition: Condition) -> Iterator[str]:
    """Where the engine does not hold what it must have of the archive up to ``reached``."""
    reached = condition.reached
    if reached > archive.sequence:
        yield f"it is at change {reached:,}, but the archive only at {archive.sequence:,}"
    held = Counter(condition.ids)
    twice = [id for id, count in held.items() if count > 1]
    missing = [
        id for id, sequence in archive.entries.items() if sequence <= reached and id not in held
    ]
    strange = [
        id
        for id in held
        if id not in archive.entries
        and archive.removed.get(id, 0) <= reached
        and not condition.shared
    ]
    for told, ids in (
        ("stand twice in it", twice),
        ("are not in it", missing),
        ("are in it, but not in the archive", strange),
    ):
        if ids:
            yield f"{len(ids):,} entries {told}: {_listed(ids)}"


def _listed(ids: Iterable[str]) -> str:
    first, *more = sorted(ids)
    return ", ".join([first, *more[: _NAMED - 1], *["…"] * (len(more) >= _NAMED)])


__all__ = ("Checkup", "check_up")
