"""The archive as lines, to be kept elsewhere and to be taken in again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from searchfeed.archive.connections import Connections
from searchfeed.errors import ParseError
from searchfeed.models import Report

if TYPE_CHECKING:
    from searchfeed.archive.lines import Line, VersionLine

_NAMED = 100
"""Bad lines that are named; the others are only counted."""


class Transfer:
    """The part of an archive that hands out all that it holds; ``Archive`` tells the rest."""

    _connections: Connections

    def export(self, feeds: Collection[str] | None = None) -> Iterator[str]:
        """What the archive holds, as lines of JSON that ``take_in`` reads.

        They are of one state, whatever is written meanwhile, and are read as they are taken, so
        memory stays bounded. No line holds a password.

        Args:
            feeds: the URLs of those to keep to; None for all.
        """
        from searchfeed.archive import exporting

        with self._connections.read() as connection:
            yield from exporting.export(connection, feeds)

    def take_in(
        self,
        exported: Iterable[str | bytes],
        *,
        name: str,
        progress: Callable[[int], None] | None = None,
    ) -> Report:
        """Add what the lines of an export tell, in transactions of bounded size.

        What is here stays, and is not there twice: the versions of an entry stand in the order in
        which they were seen, here or there; of two in a row that say the same the first stays. An
        entry that was taken out here comes back, and one that was taken out there stays. The name
        that the user gave to a feed here stays, and so does where it is fetched from.

        A bad line costs no other and is in ``Report.failures`` by its number.

        Args:
            exported: the lines, with or without their ends.
            name: what failures call the export.
            progress: called with the number of lines after each transaction.

        Raises:
            ParseError: the first line does not say that it is an export.
            IndexVersionError: a newer release is needed to read it.
            IndexLockedError: another process was writing for longer than the timeout.
        """
        from searchfeed.archive import merging
        from searchfeed.archive.lines import DocumentLine

        reading = _Reading(exported, name)
        report = Report()
        for batch in merging.batches(reading):
            if reading.bad:
                # A document that counts as read is never read again, so none may stand for
                # entries that did not come.
                batch = [line for line in batch if not isinstance(line, DocumentLine)]  # noqa: PLW2901
            with self._connections.write() as connection:
                done, foreign = merging.merge(connection, batch)
            report += done
            for line in foreign:
                reading.refuse(line)
            if progress is not None:
                progress(reading.number)
        return report + Report(failures=tuple(reading.failures()))


class _Reading:
    """The lines as they are read, with those that were bad."""

    def __init__(self, exported: Iterable[str | bytes], name: str) -> None:
        self._exported = exported
        self._name = name
        self._named: list[ParseError] = []
        self.number = 0
        self.bad = 0

    def __iter__(self) -> Iterator[Line]:
        from searchfeed.archive import lines

        for text in self._exported:
            self.number += 1
            if self.number == 1 and not lines.is_header(text):
                raise self._stranger()
            if not text.strip():
                continue
            try:
                line = lines.read(text)
            except lines.BadLineError as error:
                self._refuse(f"line {self.number}", str(error))
            else:
                if line is not None:
                    yield line
        if not self.number:
            raise self._stranger()

    def refuse(self, line: VersionLine) -> None:
        """Count a line as bad whose entry is one of another feed here."""
        self._refuse(f"entry {line.id}", "another feed has an entry of that id")

    def failures(self) -> Iterator[ParseError]:
        """One for each bad line, and one for those that are too many to be named."""
        yield from self._named
        if self.bad > _NAMED:
            yield ParseError(self._name, f"{self.bad - _NAMED:,} more of its lines are bad")

    def _stranger(self) -> ParseError:
        return ParseError(
            self._name,
            "it is not an export of searchfeed: its first line does not say so",
            "to read a feed: searchfeed index",
        )

    def _refuse(self, place: str, reason: str) -> None:
        self.bad += 1
        if self.bad <= _NAMED:
            self._named.append(ParseError(f"{self._name}, {place}", reason))
