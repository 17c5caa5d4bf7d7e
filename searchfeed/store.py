"""The archive and the engine of one directory, opened when they are needed and kept in step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace as altered
from itertools import islice
from pathlib import Path
from threading import RLock
from typing import cast

from searchfeed import engines
from searchfeed.archive import Archive
from searchfeed.engines import Change, Engine, EngineOptions, Keeper
from searchfeed.errors import (
    ArchiveError,
    EngineError,
    IndexLockedError,
    IndexNotFoundError,
    IndexVersionError,
)
from searchfeed.locks import Waiting, WriteLock
from searchfeed.ownership import refuse_shared

Progress = Callable[[str, int, int], None]
"""Called with what is being done (``read`` documents, ``index`` entries), how many, of how many."""

ARCHIVE = "archive.sqlite"

PATIENCE = 60.0
"""Seconds that a writer waits for another one."""

TOGETHER = 256
"""Changes whose times are looked up together."""

SMALL = 2_000
"""An index with at most so many entries is rebuilt in seconds, so it is done without asking."""


class Store:
    """What lies in the directory of an index. ``Index`` says what its methods raise."""

    def __init__(
        self,
        path: Path,
        engine: str,
        waiting: Waiting | None = None,
        options: EngineOptions | None = None,
    ) -> None:
        self._path = path
        self._name = engine
        self._options = options
        self._waiting = waiting
        self._lock = RLock()
        self._archive: Archive | None = None
        self._file: tuple[int, int] | None = None
        self._engine: Engine | None = None

    def ready(self) -> tuple[Engine, tuple[str, ...]]:
        """The engine, holding all that the archive holds, and what to tell where it does not."""
        keeper = self.lone_keeper()
        if keeper is not None:
            # Who only searches has no archive that could be ahead of it.
            return keeper, ()
        archive = self.archive()
        engine = self.engine()
        if not engine.stale and engine.reached == archive.sequence:
            return engine, ()
        behind = not engine.stale and engine.reached < archive.sequence
        try:
            with self.writing(patience=0):
                if not engine.stale and engine.reached <= archive.sequence:
                    self.catch_up(None)
                elif self._shared:
                    # The archive is an older copy; what others wrote to the index is to stay.
                    self._write(0, replace=False, progress=None)
                elif archive.figures().entries <= SMALL:
                    self._write(0, replace=True, progress=None)
                    return engine, ("The search index was made anew from the archive.",)
                else:
                    raise IndexVersionError(
                        f"the index in {self._path} was made by another release; "
                        "run: searchfeed rebuild"
                    )
        except IndexLockedError:
            # Whoever holds the lock brings the index up to date.
            missing = "most" if engine.stale else "the newest"
            return engine, (f"The index is being updated: {missing} entries may be missing.",)
        except (ArchiveError, EngineError) as error:
            # What it holds is right, and a full disk must not take that away as well.
            if not behind:
                raise
            return engine, (f"The newest entries are missing: {error}.",)
        return engine, ()

    def catch_up(self, progress: Progress | None) -> None:
        """Hand the engine what the archive has and it has not."""
        reached = self.engine().reached
        if reached < self.archive().sequence:
            self._write(reached, replace=False, progress=progress)

    def _write(self, after: int, *, replace: bool, progress: Progress | None) -> int:
        """Hand the engine every change after the sequence number ``after``; return how many."""
        archive = self.archive()
        upto = archive.sequence
        # An entry that changed twice since counts once, so fewer may come.
        most = min(upto - after, archive.figures().entries)
        written = 0

        def report(done: int) -> None:
            nonlocal written
            written = done
            if progress is not None:
                progress("index", done, most)

        # Read before the changes: one that comes back meanwhile is then among neither.
        removed = () if replace else archive.removed(after, upto)
        changed = (Change(*change) for change in archive.changes(after, upto))
        changes = _with_times(archive, changed) if self._shared else changed
        self.engine().write(
            changes, reached=upto, removed=removed, replace=replace, progress=report
        )
        return written

    def archive(self, *, create: bool = False) -> Archive:
        """The archive; a new one is made only if that is asked for."""
        with self._lock:
            file = self._path / ARCHIVE
            if self._archive is not None and self._file != _identity(file):
                # It was repaired, or a backup was put in its place.
                self.close()
            if self._archive is None:
                self._archive = Archive(self.archive_file(create=create))
                self._file = _identity(file)
            return self._archive

    def archive_file(self, *, create: bool = False) -> Path:
        """The archive's database, which is there unless it is to be created."""
        file = self._path / ARCHIVE
        if not create and not file.exists():
            raise IndexNotFoundError(
                f"there is no index in {self._path}; make one with: searchfeed index SOURCE"
            )
        refuse_shared(self._path)
        return file

    @property
    def _shared(self) -> bool:
        """Whether other machines may search the index and write to it as well."""
        return self._name != engines.LOCAL

    def reader(self) -> Archive | Keeper:
        """What has the entries that a search finds: of a shared index not all are in the archive.

        Raises:
            IndexNotFoundError: there is no archive where the index is of this machine alone.
        """
        return cast("Keeper", self.engine()) if self._shared else self.archive()

    def lone_keeper(self) -> Keeper | None:
        """The engine, where it has the entries and there is no archive here."""
        if self._shared and not (self._path / ARCHIVE).exists():
            return cast("Keeper", self.engine())
        return None

    def index_size(self) -> int:
        """The bytes that the search index takes."""
        if self._shared:
            return cast("Keeper", self.engine()).size()
        files = (self._path / self._name).rglob("*")
        return sum(file.stat().st_size for file in files if file.is_file())

    def engine(self) -> Engine:
        """The engine, as it is."""
        with self._lock:
            if self._engine is None:
                if self._path.exists() or not self._shared:
                    refuse_shared(self._path)
                place = self._path / self._name
                self._engine = engines.open_engine(self._name, place, self._options)
            return self._engine

    def _close_engine(self) -> None:
        with self._lock:
            if self._engine is not None:
                self._engine.close()
            self._engine = None

    @contextmanager
    def writing(self, patience: float | None = None) -> Iterator[None]:
        """Be the only one, of all threads and processes, that writes to this index."""
        try:
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise ArchiveError(
                f"{self._path} cannot be made: {reason}; name another place with --index"
            ) from error
        refuse_shared(self._path)
        patience = PATIENCE if patience is None else patience
        with WriteLock(self._path / "write.lock", patience, self._waiting):
            yield

    def rebuild(self, progress: Progress | None) -> int:
        """Make the search index anew from the archive; return how many entries it has."""
        self.archive()
        with self.writing():
            if not self._shared and self._damaged():
                # The writer would read of it what it goes on from, and searches are wrong anyway.
                self._close_engine()
                import shutil

                shutil.rmtree(self._path / self._name, ignore_errors=True)
            return self._write(0, replace=True, progress=progress)

    def _damaged(self) -> bool:
        try:
            return bool(self.engine().check().problems)
        except (EngineError, IndexVersionError):
            return True

    def close(self) -> None:
        """Let go of the files; they are opened again when they are needed."""
        with self._lock:
            self._close_engine()
            if self._archive is not None:
                self._archive.close()
            self._archive = None


def _with_times(archive: Archive, changes: Iterable[Change]) -> Iterator[Change]:
    """Changes with the times at which they were seen, by which machines agree on the newest."""
    rest = iter(changes)
    while some := list(islice(rest, TOGETHER)):
        seen = archive.last_seen([change.entry.id for change in some])
        for change in some:
            yield altered(change, seen=seen.get(change.entry.id))


def _identity(file: Path) -> tuple[int, int] | None:
    """What tells a file from another one of the same name; None where there is none."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
