"""Connections to the archive's database, and the border at which SQLite's errors stop.

A pool, not one connection behind a lock: a search must not wait for a feed being stored, and
SQLite's write-ahead log lets readers go on beside a writer as long as each has a connection of
its own. Not one for each thread either: threads come and go, and nobody would close theirs.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from urllib.parse import quote

from searchfeed.archive import schema
from searchfeed.errors import ArchiveError, IndexLockedError, SearchfeedError
from searchfeed.ownership import close_to_others

_OLDEST_SQLITE = (3, 37)
"""The first with strict tables (2021)."""

_TROUBLES = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space and try again, nothing stored is lost",
    sqlite3.SQLITE_READONLY: "it cannot be written; check the permissions of it and its directory",
    sqlite3.SQLITE_PERM: "it may not be used; check the permissions of it and its directory",
    sqlite3.SQLITE_CANTOPEN: (
        "it cannot be opened; check that its directory exists and that you may write there"
    ),
    sqlite3.SQLITE_CORRUPT: "it is damaged; put a backup in its place",
    sqlite3.SQLITE_NOTADB: "it is not an archive, or is damaged; put a backup in its place",
    sqlite3.SQLITE_IOERR: "the disk reports an error; check the disk and the space left on it",
}


_NO_ROOM = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
)
"""How opening fails where no file can be made or made longer."""


class Connections:
    """As many connections to one database as calls run at the same time.

    Args:
        path: the database; it is made if there is none.
        timeout: seconds to wait for another writer.
    """

    def __init__(self, path: Path, timeout: float) -> None:
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            needed = ".".join(map(str, _OLDEST_SQLITE))
            raise ArchiveError(
                f"this Python has SQLite {sqlite3.sqlite_version}; searchfeed needs {needed}"
            )
        self._path = path
        self._timeout = timeout
        self._lock = Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._prepare()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the database, whatever is written meanwhile."""
        with self._borrowed(reading=True) as connection, _transaction(connection, "BEGIN"):
            yield connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A connection whose changes are kept all together, or not at all on an exception.

        Raises:
            IndexLockedError: another process was writing for longer than the timeout.
        """
        # IMMEDIATE, for a transaction that reads first and writes then fails at once, without
        # waiting, when another has written in between.
        with self._borrowed() as connection, _transaction(connection, "BEGIN IMMEDIATE"):
            yield connection

    @contextmanager
    def outside(self) -> Iterator[sqlite3.Connection]:
        """A connection in no transaction, for statements that cannot run inside one."""
        with self._borrowed() as connection:
            yield connection

    def close(self) -> None:
        """Close all of them; those in use are closed when they are given back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _prepare(self) -> None:
        with self._translated():
            self._close_to_others()
            connection = self._connect_to_read()
            try:
                schema.check(connection, self._path)
                if schema.version(connection) < schema.VERSION:
                    self._use_log(connection)
                    with _transaction(connection, "BEGIN IMMEDIATE"):
                        # Another process may have been faster.
                        schema.check(connection, self._path)
                        schema.migrate(connection)
            except BaseException:
                connection.close()
                raise
            self._give_back(connection)

    def _close_to_others(self) -> None:
        """Let nobody else read it, whoever may look into its directory.

        SQLite gives its other files the permissions of the database.
        """
        with suppress(OSError):
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        for suffix in ("", "-wal", "-shm"):
            close_to_others(Path(f"{self._path}{suffix}"))

    def _use_log(self, connection: sqlite3.Connection) -> None:
        # SQLite does not wait for the lock that this change needs, whatever its timeout.
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if _code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=self._timeout, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            # Nothing that was reported as stored may be lost, not even when the power fails.
            connection.execute("PRAGMA synchronous = FULL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect_to_read(self) -> sqlite3.Connection:
        """A connection, where SQLite has no room for the files beside the database a frozen one.

        What is kept is thus read from full disks and from such that cannot be written. As those
        files are not there, nobody has the database open to write to it.
        """
        try:
            return self._connect()
        except sqlite3.OperationalError as error:
            if _code(error) not in _NO_ROOM or not _is_settled(self._path):
                raise
            return _Frozen(f"file:{quote(str(self._path))}?immutable=1")

    @contextmanager
    def _borrowed(self, *, reading: bool = False) -> Iterator[sqlite3.Connection]:
        with self._translated():
            with self._lock:
                if self._closed:
                    raise ArchiveError(f"the archive {self._path} has been closed")
                idle = self._idle.pop() if self._idle else None
            if idle is None:
                idle = self._connect_to_read() if reading else self._connect()
            connection = idle
            try:
                yield connection
            finally:
                self._give_back(connection)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            # One whose rollback failed is not to be trusted again, and one that is frozen does
            # not see what is written as soon as there is room again.
            once = connection.in_transaction or isinstance(connection, _Frozen)
            keep = not (self._closed or once)
            if keep:
                self._idle.append(connection)
        if not keep:
            connection.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._translation(error) from error

    def _translation(self, error: sqlite3.Error) -> SearchfeedError:
        code = _code(error)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return IndexLockedError(
                f"{_holder(self._path)} is writing to the archive {self._path} "
                f"and did not end within {self._timeout:g} s; wait for it, or end it"
            )
        trouble = _TROUBLES.get(code, str(error))
        return ArchiveError(f"the archive {self._path}: {trouble}")


def remove(database: Path) -> None:
    """Remove a database and the files beside it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)


class _Frozen(sqlite3.Connection):
    """A connection that reads a database as it lies there, and makes no file."""

    def __init__(self, address: str) -> None:
        super().__init__(address, isolation_level=None, check_same_thread=False, uri=True)


def _is_settled(path: Path) -> bool:
    """Whether there is a database, and nothing in its log that is not in it."""
    try:
        log = Path(f"{path}-wal")
        return path.stat().st_size > 0 and not (log.exists() and log.stat().st_size)
    except OSError:
        return False


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            # The error that led here tells more than one of the way back.
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise


def _code(error: sqlite3.Error) -> int:
    # Errors that the sqlite3 module itself finds have no code of SQLite's.
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _holder(path: Path) -> str:
    """Who holds the write lock, as far as the system tells: ``process 4711 (searchfeed)``.

    SQLite's write lock is a lock on byte 120 of the file beside the log ("WAL-Index Locks" in
    its file format). It is looked up in Linux's list of locks, because asking for it through the
    file would let go of our own locks on it when that file is closed again.
    """
    with suppress(OSError, ValueError):
        inode = Path(f"{path}-shm").stat().st_ino
        for line in Path("/proc/locks").read_text().splitlines():
            match line.split():
                case [_, "POSIX", _, "WRITE", pid, file, start, end] if (
                    file.endswith(f":{inode}") and int(start) <= 120 <= int(end) and int(pid) > 0
                ):
                    name = Path(f"/proc/{pid}/comm").read_text().strip()
                    return f"process {pid} ({name})"
    return "another process"
