"""Changes into a writer: by this process, or where there are many by several others.

Each of the others gets a share of the changes and builds segments of it, which the writer takes in
with the same commit. They get plain values in a pickle; what comes back is names of files.
"""

from __future__ import annotations

import json
import pickle
import secrets
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import fields
from itertools import chain, cycle
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from searchfeed.engines import Change
from searchfeed.engines.whoosh.columnar.snapshot import INDEX_NAME
from searchfeed.engines.whoosh.schema import to_documents
from searchfeed.errors import EngineError
from searchfeed.models import Entry
from searchfeed.processes import Patience, Process, default_count

if TYPE_CHECKING:
    from searchfeed.engines.whoosh.columnar.writer import BulkWriter

LARGE = 10_000_000
"""Characters of titles and bodies that take this process longer than others take to start."""

BATCH = 250_000
"""Characters that are handed over at once."""

AT_ONCE = 500_000
"""Characters that become documents at once."""

LEAST = 100
"""Characters that an entry counts as beside those of its title and body."""

PATIENCE = 600.0
"""Seconds that a process may take for a batch, or for writing what it has left."""

_MODULE = "searchfeed.engines.whoosh.builder_process"
_VALUES = attrgetter(*(each.name for each in fields(Entry)))


class Setting(NamedTuple):
    """What a process that builds segments has to know.

    Attributes:
        path: what the path of each segment begins with.
        memory: bytes that documents may take before they are written as a segment.
        languages: those that terms have stems of, beside those of the entries.
    """

    path: str
    memory: int
    languages: tuple[str, ...]


def pack_changes(changes: Iterable[Change]) -> bytes:
    """For ``unpack_changes``; a change as it is would take several times as long."""
    rows = [(change.sequence, _VALUES(change.entry), change.edited) for change in changes]
    return pickle.dumps(rows)


def unpack_changes(packed: bytes) -> Iterator[Change]:
    """What was packed by ``pack_changes``, by the process that started this one."""
    rows: list[tuple[int, tuple[Any, ...], bool]] = pickle.loads(packed)  # noqa: S301
    return (Change(sequence, Entry(*values), edited) for sequence, values, edited in rows)


def build(
    changes: Iterable[Change],
    writer: BulkWriter,
    directory: Path,
    *,
    memory: int,
    languages: Iterable[str],
) -> None:
    """Add the document of each change to the writer, or a segment that it is in.

    Args:
        changes: are read as they are needed.
        writer: commits nothing by itself.
        directory: where the index lies.
        memory: megabytes that documents may take before they are written as a segment.
        languages: those that terms have stems of, beside those of the entries.

    Raises:
        EngineError: another process could not do its part.
    """
    count = default_count()
    changes = iter(changes)
    head = _first(changes, LARGE) if count > 1 else []
    if sum(map(_size, head)) < LARGE:
        _add(chain(head, changes), writer)
        return
    prefix = directory / f"{INDEX_NAME}_{secrets.token_hex(8)}"
    with ExitStack() as stack:
        # Those that were taken in have another name by then.
        stack.callback(_remove, prefix)
        builders = _start(count, stack)
        if not builders:
            _add(chain(head, changes), writer)
            return
        for number, builder in enumerate(builders):
            path = f"{prefix}{number}x"
            setting = Setting(path, memory * 1_000_000 // count, tuple(languages))
            _send(builder, pickle.dumps(setting))
        everything = chain(head, changes)
        for builder in cycle(builders):
            batch = _first(everything, BATCH)
            if not batch:
                break
            _send(builder, pack_changes(batch))
        for builder in builders:
            _send(builder, b"")
        for builder in builders:
            for path in _receive(builder):
                writer.adopt(Path(path))


def _add(changes: Iterator[Change], writer: BulkWriter) -> None:
    while batch := _first(changes, AT_ONCE):
        writer.extend(to_documents(batch))


def _first(changes: Iterator[Change], size: int) -> list[Change]:
    """The next changes, as many as have at least so many characters; fewer at the end."""
    found: list[Change] = []
    for change in changes:
        found.append(change)
        size -= _size(change)
        if size <= 0:
            break
    return found


def _size(change: Change) -> int:
    return LEAST + len(change.entry.title) + len(change.entry.body)


def _start(count: int, stack: ExitStack) -> list[Process]:
    """So many processes, which end with the stack; none if they cannot all be started."""
    builders: list[Process] = []
    try:
        for _ in range(count):
            builders.append(Process(_MODULE))
            stack.callback(builders[-1].close)
    except OSError:
        return []
    return builders if all(builder.is_ready() for builder in builders) else []


def _send(builder: Process, message: bytes) -> None:
    try:
        builder.send(message, Patience(PATIENCE))
    except BrokenPipeError:
        # It has ended, and may have said why.
        _receive(builder)
        raise


def _receive(builder: Process) -> list[str]:
    """The paths of the segments that it has built.

    Raises:
        EngineError: it could not.
    """
    try:
        answer = json.loads(builder.receive(Patience(PATIENCE)))
    except (OSError, EOFError, ValueError) as error:
        raise EngineError("a process that built a part of the index broke off") from error
    if isinstance(answer, str):
        raise EngineError(f"a part of the index could not be built: {answer}")
    paths: list[str] = answer
    return paths


def _remove(prefix: Path) -> None:
    for path in prefix.parent.glob(f"*{prefix.name}*"):
        path.unlink(missing_ok=True)


__all__ = ("Setting", "build", "pack_changes", "unpack_changes")
