"""What looks after the entries that are kept: reading, moving, taking out, mending."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from searchfeed import tree
from searchfeed.archive import Figures, Version
from searchfeed.engines import Keeper
from searchfeed.errors import FeedNotFoundError
from searchfeed.index.base import Base
from searchfeed.models import (
    Entry,
    Query,
    Report,
    Selection,
    Sort,
    Stats,
)
from searchfeed.store import Progress

if TYPE_CHECKING:
    from searchfeed.doctor import Checkup


class Keeping(Base):
    """What looks after the entries that are kept.

    ``Index`` says what every method raises.
    """

    def get(self, id: str) -> Entry:
        """The entry with this id, or with the only id that starts so.

        Raises:
            EntryNotFoundError: there is none, or more than one.
        """
        return self._store.reader().find(id)

    def versions(self, id: str) -> tuple[Version, ...]:
        """Every state of an entry that was seen, the oldest first.

        Raises:
            EntryNotFoundError: there is no such entry, or more than one.
        """
        return self._store.archive().versions(id)

    def stats(self) -> Stats:
        """How much there is, and how much room it takes."""
        keeper = self._store.lone_keeper()
        figures = _figures(keeper) if keeper else self._store.archive().figures()
        return Stats(
            path=str(self.path),
            engine=self.engine,
            feeds=figures.feeds,
            entries=figures.entries,
            versions=figures.versions,
            oldest=figures.oldest,
            newest=figures.newest,
            archive_size=figures.size,
            index_size=self._store.index_size(),
        )

    def export(self, *, feeds: Iterable[str] = ()) -> Iterator[str]:
        """Everything that is kept, as lines of JSON for ``import_``, read as they are taken.

        docs/export-format.md describes them. None holds a password.

        Args:
            feeds: keep to feeds whose URL or title holds one of these texts.

        Raises:
            FeedNotFoundError: no feed is called so.
        """
        archive = self._store.archive()
        texts = [text.casefold() for text in feeds]
        if not texts:
            return archive.export()
        names = {feed.url: f"{feed.url}\n{feed.title}".casefold() for feed in archive.feeds()}
        urls = [url for url, name in names.items() if any(text in name for text in texts)]
        if not urls:
            raise FeedNotFoundError(
                f"no feed has {' or '.join(texts)} in its URL or title; "
                "the feeds are: searchfeed feeds"
            )
        return archive.export(urls)

    def import_(
        self,
        lines: Iterable[str | bytes],
        *,
        name: str = "the export",
        progress: Progress | None = None,
    ) -> Report:
        """Take in what ``export`` gave, here or elsewhere; what is here stays.

        The versions of an entry are put in the order in which they were seen; nothing comes to
        stand twice. Entries that were pruned here are wanted back, then, and come back. A bad line
        costs no other and is in ``Report.failures``.

        Args:
            lines: read as they are needed.
            name: what failures call them.
            progress: called now and then, with the number of lines and while indexing.

        Raises:
            ParseError: they are no export.
            IndexVersionError: a newer release is needed to read it.
            IndexLockedError: another process went on writing for a minute.
        """

        def read(done: int) -> None:
            if progress is not None:
                progress("read", done, 0)

        with self._store.writing():
            archive = self._store.archive(create=True)
            try:
                return archive.take_in(lines, name=name, progress=read)
            finally:
                # What was stored before an error is to be found as well.
                self._store.catch_up(progress)

    def select(
        self, query: str = "", *, before: datetime | None = None, feeds: Iterable[str] = ()
    ) -> Selection:
        """Choose the entries that ``prune`` is to take out.

        Of a query's words all have to match, while a search also shows what has only some.

        Args:
            query: as for ``search``.
            before: aware; keep to entries with a date before it, the undated are not among them.
            feeds: keep to feeds whose URL or title holds one of these texts.

        Raises:
            QueryError: a condition in the query cannot be meant.
            IndexVersionError: as ``search``.
        """
        from searchfeed.query.strictness import demanding

        node, notes = self._read(Query(query, feeds=tuple(feeds)))
        node = demanding(node)
        if before is not None:
            node = tree.And((node, tree.DateRange(None, before)))
        engine, more_notes = self._store.ready()
        archive = self._store.archive()
        # A shared index may hold more than this archive does.
        most = engine.search(tree.Everything(), limit=0).total + 1
        answer = engine.search(node, limit=most, sort=Sort.OLDEST)
        chosen = archive.selection([match.id for match in answer.matches])
        return replace(chosen, notes=(*notes, *answer.notes, *more_notes))

    def prune(self, ids: Iterable[str], *, progress: Progress | None = None) -> int:
        """Take entries out for good, with all their versions: feeds do not bring them back.

        Args:
            ids: of ``select``, say; those of no entry are passed over.
            progress: called while the search index is brought up to date.

        Returns:
            How many went.

        Raises:
            IndexLockedError: another process went on writing for a minute.
        """
        self._store.archive()
        with self._store.writing():
            count = self._store.archive().remove(tuple(ids))
            self._store.catch_up(progress)
            self._store.archive().free_space()
        return count

    def rebuild(self, *, progress: Progress | None = None) -> int:
        """Make the search index anew from the archive; no feed is read.

        Searches see the old index until the new one is whole.

        Returns:
            How many entries were indexed.

        Raises:
            IndexLockedError: another process went on writing for a minute.
        """
        return self._store.rebuild(progress)

    def backup(self, file: str | os.PathLike[str], *, overwrite: bool = False) -> int:
        """Copy the archive to one file, while others go on writing.

        To use it, put it into a directory of its own as ``archive.sqlite`` and open that: the
        first search makes the search index.

        Args:
            file: is there in full or not at all, and only the user can read it.
            overwrite: whether it takes the place of a file that is there already.

        Returns:
            How many entries the copy has.
        """
        return self._store.archive().backup(Path(file), overwrite=overwrite)

    def check(self, *, repair: bool = False, progress: Progress | None = None) -> Checkup:
        """Look for damage: in the archive, in the search index, and in how they agree.

        Both are read whole and compared with their checksums, and nobody writes meanwhile. What
        the search index has lost is made anew from the archive; of a damaged archive all is taken
        over that can be read, and the damaged file is kept beside it.

        No other thread may use an index in the same directory meanwhile.

        Args:
            repair: mend what is wrong.
            progress: called now and then while entries are checked or indexed.

        Raises:
            IndexLockedError: another process went on writing for a minute.
            IndexVersionError: a newer release made the archive.
        """
        from searchfeed.doctor import check_up

        return check_up(self._store, repair=repair, progress=progress)


def _figures(keeper: Keeper) -> Figures:
    """What an index holds that was filled by other machines; it has an entry's newest version."""
    feeds = keeper.feeds()
    oldest = keeper.search(tree.DateRange(None, None), limit=1, sort=Sort.OLDEST).matches
    entries = keeper.entries([match.id for match in oldest])
    return Figures(
        feeds=len(feeds),
        entries=sum(feed.entries for feed in feeds),
        versions=sum(feed.entries for feed in feeds),
        oldest=next((entry.date for entry in entries.values()), None),
        newest=max((feed.newest for feed in feeds if feed.newest), default=None),
        size=0,
    )
