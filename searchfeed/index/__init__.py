"""The one door: an index of feeds, kept in a directory."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from searchfeed.engines import LOCAL, EngineOptions
from searchfeed.index.feeding import Feeding
from searchfeed.index.keeping import Keeping
from searchfeed.index.saving import Saving
from searchfeed.index.searching import Searching
from searchfeed.store import Progress, Store

if TYPE_CHECKING:
    from searchfeed.locks import Waiting


class Index(Feeding, Searching, Saving, Keeping):
    """Every entry that its feeds ever published, and a search over them.

    Nothing is created or opened before it is needed. Any thread may call any method; any number
    of processes may use the same directory, one of them writing at a time.

    Args:
        path: the directory of the index; ``update`` creates it.
        engine: the name of a search engine (see ``searchfeed.engines.ENGINES``).
        options: of the engine, where it is a cluster.
        waiting: called once by a method that has to wait for another writer, with who that is.

    Every method raises IndexNotFoundError where there is no index yet (``update`` never does),
    UnsafeIndexError where the directory belongs to another user, and ArchiveError or EngineError
    where the disk or the files fail.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        engine: str = LOCAL,
        options: EngineOptions | None = None,
        waiting: Waiting | None = None,
    ) -> None:
        self.path = Path(path)
        self.engine = engine
        self._store = Store(self.path, engine, waiting, options)

    def close(self) -> None:
        """Let go of the files. The index opens again when it is used."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


__all__ = ("Index", "Progress")
