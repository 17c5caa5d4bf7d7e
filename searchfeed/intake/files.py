"""Files into the archive: read, looked up, parsed in other processes, stored in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

from searchfeed.errors import ParseError, SourceError
from searchfeed.models import Feed, Report

if TYPE_CHECKING:
    from searchfeed.archive import Archive, Changes
    from searchfeed.feeds.workers import Document
    from searchfeed.intake.subscriptions import Keeper, Progress
    from searchfeed.sources import Source


def take_in(
    keeper: Keeper, sources: Sequence[Source], progress: Progress | None, *, large: bool = False
) -> Report:
    """Store what the sources hold now, and make it searchable; return what came of it.

    A document that was read before is not parsed. A source that cannot be read or is no feed
    costs the others nothing.

    Args:
        keeper: where they are stored, each in one transaction, in this order.
        sources: files, and the standard input.
        progress: called first, and after each source, with ``read``, how many are done, and of how
            many.
        large: the user trusts them all, and waits for those that are too large for others.

    Raises:
        IndexLockedError: another process went on writing.
        ArchiveError, EngineError: they could not be stored.
    """

    def read(done: int) -> None:
        if progress is not None:
            progress("read", done, len(sources))

    with keeper.writing():
        report = _stored(keeper.archive(create=True), sources, read, large=large)
        keeper.catch_up(progress)
    return report


def _stored(
    archive: Archive, sources: Sequence[Source], read: Callable[[int], None], *, large: bool
) -> Report:
    from searchfeed.feeds.workers import Document, Workers

    reports = [Report()] * len(sources)
    done = 0
    parsed: deque[tuple[int, bytes]] = deque()

    def finish(place: int, report: Report) -> None:
        nonlocal done
        reports[place] = report
        done += 1
        read(done)

    def documents() -> Iterator[Document]:
        for place, source in enumerate(sources):
            try:
                data = source.read()
            except SourceError as error:
                finish(place, Report(failures=(error,)))
                continue
            mark = digest(data)
            entries = archive.seen(source.url, mark)
            if entries is not None:
                finish(place, Report(unchanged=entries))
                continue
            parsed.append((place, mark))
            yield Document(data, source.url, large=large)

    read(0)
    with Workers() as workers:
        for outcome in workers.parse(documents()):
            place, mark = parsed.popleft()
            if isinstance(outcome, ParseError):
                finish(place, Report(failures=(outcome,)))
                continue
            source = sources[place]
            changes = archive.store(outcome, source=source.url, digest=mark)
            finish(place, report_of(source.name, outcome, changes))
    return sum(reports, Report())


def report_of(name: str, feed: Feed, changes: Changes) -> Report:
    """What came of a feed that was stored; ``name`` says whose the warnings are."""
    warnings = tuple(f"{name}: {each}" for each in feed.warnings + changes.warnings)
    return Report(changes.added, changes.updated, changes.unchanged, warnings=warnings)


def digest(data: bytes, content_type: str = "") -> bytes:
    """What stands for a document that is read from these bytes, and from this header."""
    from searchfeed.feeds import PARSER

    # The bytes are other letters where the server names another encoding than the usual one.
    _, _, charset = content_type.lower().partition("charset=")
    unusual = "" if "utf-8" in charset else charset
    return blake2b(unusual.encode() + data, digest_size=16, person=PARSER).digest()


__all__ = ("digest", "report_of", "take_in")
