"""Whose a directory is: what lies in an index may be run as code, so it is the user's own.

A directory that somebody else can write to could hold what they want to be run.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from searchfeed.errors import UnsafeIndexError


def refuse_shared(path: Path) -> None:
    """Raise UnsafeIndexError unless only this user can have put something into ``path``."""
    status = path.stat()
    if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
        raise UnsafeIndexError(
            f"{path} belongs to another user, who could run code through it; "
            "name an index of your own with --index"
        )
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UnsafeIndexError(
            f"{path} can be written by other users, who could run code through it; "
            f"close it with: chmod go-w {path}"
        )


def close_to_others(path: Path) -> None:
    """Take from a file or directory what its mode allows other users.

    What is not ours, or lies on a disk that cannot be written, stays as it is.
    """
    with suppress(OSError):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            path.chmod(mode & 0o700)


__all__ = ("close_to_others", "refuse_shared")
