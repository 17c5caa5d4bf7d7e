"""The texts that every peer gets: the entries of a folder of feeds, parsed once.

They are kept as lines of JSON, so that each peer, in a process of its own, reads them one by one
and its memory is its own. Larger corpora are made from the same entries on the way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from time import perf_counter

from searchfeed.errors import SourceError
from searchfeed.models import Entry

Tick = Callable[[int, int], object]
"""Called with how much is done, and of how much."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What reading and cleaning a folder took, with nothing else done: the floor of an update.

    Attributes:
        entries: how many there are, each id once.
        seconds: in one process.
    """

    entries: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Corpus:
    """The entries in ``file``, ``scale`` times, each time as different ones.

    A copy has ids of its own, two words more (one of its copy, one of its own, as growing texts
    bring new words) and dates six days earlier: it is news of its own, and not the same story told
    again, of which ours would show one hit and read the others.
    """

    file: Path
    entries: int
    scale: int = 1

    def __len__(self) -> int:
        return self.entries * self.scale

    def __iter__(self) -> Iterator[Entry]:
        for copy in range(self.scale):
            for number, entry in enumerate(read(self.file)):
                yield copied(entry, copy, copy * self.entries + number) if copy else entry

    def fresh(self, count: int, marker: str) -> list[Entry]:
        """Entries that are not in it yet, with the word ``marker`` in each."""
        found: list[Entry] = []
        while len(found) < count:
            for entry in read(self.file):
                id = _digest(f"{entry.id} {marker} {len(found)}")
                found.append(replace(entry, id=id, body=f"{entry.body}\n\n{marker}"))
                if len(found) == count:
                    break
        return found


def parse(folder: Path, file: Path, tick: Tick) -> Parsed:
    """Parse every feed in ``folder`` and write the entries that have words to ``file``.

    Raises:
        SourceError: there is no feed that can be read.
    """
    from searchfeed import feeds, sources

    expansion = sources.expand([folder])
    found, errors = expansion.sources, expansion.errors
    known: set[str] = set()
    seconds = 0.0
    with file.open("w", encoding="utf-8") as lines:
        for done, source in enumerate(found, start=1):
            started = perf_counter()
            try:
                entries = feeds.parse(source.read(), url=source.url).entries
            except SourceError as error:
                errors.append(error)
                continue
            finally:
                seconds += perf_counter() - started
                tick(done, len(found))
            for entry in entries:
                if entry.id not in known:
                    known.add(entry.id)
                    lines.write(json.dumps(_to_json(entry), ensure_ascii=False) + "\n")
    if not known:
        raise errors[0] if errors else SourceError(str(folder), "no feed in it has an entry")
    return Parsed(len(known), seconds)


def read(file: Path) -> Iterator[Entry]:
    """The entries in a file that ``parse`` wrote."""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield _from_json(json.loads(line))


def copied(entry: Entry, copy: int, number: int) -> Entry:
    """Another entry like this one."""
    words = f"copy{letters(copy)} {letters(number)}x"
    return replace(
        entry,
        id=_digest(f"{entry.id} {copy}"),
        body=f"{entry.body}\n\n{words}",
        link=f"{entry.link}#{copy}",
        published=entry.published and entry.published - timedelta(days=6 * copy),
        updated=entry.updated and entry.updated - timedelta(days=6 * copy),
    )


def letters(number: int) -> str:
    """A number as letters, since engines differ in what they take digits for.

    >>> letters(0), letters(25), letters(26)
    ('a', 'z', 'ba')
    """
    found = ""
    while True:
        number, digit = divmod(number, 26)
        found = chr(ord("a") + digit) + found
        if not number:
            return found


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()


_TEXTS = ("id", "feed_url", "feed_title", "title", "body", "link", "language")
_TUPLES = ("authors", "tags")
_DATES = ("published", "updated")


def _to_json(entry: Entry) -> dict[str, object]:
    values: dict[str, object] = {name: getattr(entry, name) for name in (*_TEXTS, *_TUPLES)}
    for name in _DATES:
        date = getattr(entry, name)
        values[name] = date and date.isoformat()
    return values


def _from_json(values: dict[str, object]) -> Entry:
    made = dict(values)
    for name in _TUPLES:
        made[name] = tuple(values[name])  # type: ignore[arg-type]
    for name in _DATES:
        made[name] = values[name] and datetime.fromisoformat(str(values[name]))
    return Entry(**made)  # type: ignore[arg-type]
