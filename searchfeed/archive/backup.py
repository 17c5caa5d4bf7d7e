"""A copy of the archive in one file, of one state, whatever is written meanwhile."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from searchfeed.archive.connections import Connections, remove
from searchfeed.errors import ArchiveError


class Backups:
    """The part of an archive that copies it; ``Archive`` tells the rest."""

    _connections: Connections

    def backup(self, file: Path, *, overwrite: bool = False) -> int:
        """Copy all of it to a file, which is an archive itself; return how many entries it has.

        The copy is read whole and compared with its checksums before it gets its name.

        Args:
            file: is there in full or not at all, and only the user can read it.
            overwrite: whether it takes the place of a file that is there already.

        Raises:
            ArchiveError: there is such a file, it cannot be written, or the archive is damaged.
        """
        from searchfeed.archive.examining import examine

        if file.exists() and not overwrite:
            raise _taken(file)
        temporary = file.with_name(f"{file.name}.part")
        try:
            descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                with (
                    self._connections.read() as connection,
                    closing(sqlite3.connect(temporary, isolation_level=None)) as target,
                ):
                    connection.backup(target)
                found = examine(temporary)
                if found.problems:
                    raise ArchiveError(
                        f"the archive is damaged ({found.problems[0]}); run: searchfeed doctor"
                    )
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            _name(temporary, file, overwrite=overwrite)
        except OSError as error:
            raise ArchiveError(f"cannot write {file}: {error.strerror or error}") from error
        finally:
            remove(temporary)
        return len(found.entries)


def _name(temporary: Path, file: Path, *, overwrite: bool) -> None:
    if not overwrite:
        try:
            # Unlike a rename it never takes the place of a file that somebody else made meanwhile.
            os.link(temporary, file)
        except FileExistsError as error:
            raise _taken(file) from error
        except OSError:
            # Some disks have no second names for a file.
            overwrite = True
    if overwrite:
        temporary.replace(file)
    directory = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _taken(file: Path) -> ArchiveError:
    return ArchiveError(f"{file} is there already")


__all__ = ("Backups",)
