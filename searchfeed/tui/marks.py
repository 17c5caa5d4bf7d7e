"""The entries that the user has marked."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from searchfeed.models import Entry
from searchfeed.output import ENTRIES, Screen
from searchfeed.output.human import count, size

FORMATS = {".md": "markdown", ".markdown": "markdown", ".jsonl": "ndjson", ".ndjson": "ndjson"}
"""The end of a file's name → the format that it is written in: one for people, one for programs."""


class Marks(Collection[str]):
    """The ids of the entries that are marked, in the order in which they were."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def __contains__(self, id: object) -> bool:
        return id in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries themselves."""
        return tuple(self._entries.values())

    def toggle(self, entry: Entry) -> bool:
        """Mark an entry, or no longer; return whether it is marked now."""
        if self._entries.pop(entry.id, None) is not None:
            return False
        self._entries[entry.id] = entry
        return True

    def clear(self) -> None:
        """Mark nothing any more."""
        self._entries.clear()

    def export(self, name: str, screen: Screen) -> str:
        """Write the entries to a new file.

        Args:
            name: of the file, whose end tells the format (see ``FORMATS``); ``~`` is the home.
            screen: tells the zone of dates.

        Returns:
            A line that says what was done.

        Raises:
            ValueError: nothing is marked, or the name has another end.
            OSError: the file could not be written; nothing that was there is written over.
        """
        if not self._entries:
            raise ValueError("nothing is marked")
        path = Path(name).expanduser()
        format_name = FORMATS.get(path.suffix.casefold())
        if format_name is None:
            raise ValueError(f"the file's name has to end in {' or '.join(FORMATS)}")
        text = "".join(ENTRIES.render(self.entries, format_name, screen))
        try:
            file = path.open("x", encoding="utf-8", errors="replace", newline="\n")
        except FileExistsError as error:
            raise FileExistsError(f"{path} is there already, and stays as it is") from error
        try:
            with file:
                file.write(text)
        except OSError:
            # What was begun is of no use, and would be in the way of the next try.
            with suppress(OSError):
                path.unlink()
            raise
        return f"{count(len(self), 'entry')} written to {path} ({size(path.stat().st_size)})"


def free_name(now: datetime, folder: Path | None = None) -> str:
    """A name for an export that no file has: ``searchfeed-2020-08-12.md``, ``…-2.md`` and so on.

    Args:
        now: in the user's zone.
        folder: where it is to be; the working directory by default.
    """
    stem = str((folder or Path()) / f"searchfeed-{now:%Y-%m-%d}")
    name, number = f"{stem}.md", 1
    while Path(name).exists():
        number += 1
        name = f"{stem}-{number}.md"
    return name
