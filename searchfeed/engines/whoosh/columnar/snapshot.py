"""Which segments make up the index: a small file of ours beside Whoosh's table of contents.

Whoosh names the segments of each generation in a pickle. Reading that takes Whoosh; reading this
takes neither Whoosh nor a pickle. A side file is written before the table of contents that it
belongs to and holds its checksum: what counts is always Whoosh's file, and a side file that does
not fit it (a commit that was cut short, a commit by Whoosh itself) is not used.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from searchfeed.engines.whoosh.columnar.container import (
    Container,
    CorruptFileError,
    FileWriter,
    OlderFileError,
)
from searchfeed.engines.whoosh.columnar.layout import EXTENSION
from searchfeed.engines.whoosh.columnar.mapped import Bits, MappedSegment
from searchfeed.errors import IndexNotFoundError, IndexVersionError
from searchfeed.patterns import deferred
from searchfeed.values import dataclass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.columnar.reader import SegmentReader

INDEX_NAME = "MAIN"
CONTENTS = deferred(rf"_{INDEX_NAME}_([0-9]+)\.toc")
SIDE_FILE = deferred(rf"_{INDEX_NAME}_([0-9]+)\.sf[a-z]")
"""A file of ours that belongs to one commit."""

ATTEMPTS = 10
"""How often to start again when a commit takes files away while they are being opened."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One committed state of the index.

    Attributes:
        generation: Whoosh's number of the commit.
        segments: in the order in which Whoosh numbers their documents; none where an earlier
            release wrote one, which can only be replaced.
        extra: what the writer committed along with it; empty after a commit by Whoosh itself.
    """

    generation: int
    segments: tuple[MappedSegment, ...]
    extra: Mapping[str, str] = field(default_factory=dict)


def latest_generation(directory: Path) -> int:
    """The number of the newest commit; -1 if there is no index."""
    try:
        # Every search asks this first.
        matches = [CONTENTS.fullmatch(name) for name in os.listdir(directory)]  # noqa: PTH208
    except (FileNotFoundError, NotADirectoryError):
        return -1
    return max((int(match[1]) for match in matches if match), default=-1)


def open_segments(directory: Path) -> list[SegmentReader]:
    """The segments of the newest commit, as arrays; see ``open_snapshot``."""
    return [segment.arrays for segment in open_snapshot(directory).segments]


def open_snapshot(directory: Path, reuse: Snapshot | None = None) -> Snapshot:
    """Open the newest commit, without importing Whoosh if the last writer was ours.

    Args:
        directory: where the index lies.
        reuse: an earlier snapshot, whose open segments are taken over where they still stand.

    Raises:
        IndexNotFoundError: there is no index.
        CorruptFileError: a file of it is damaged.
        IndexVersionError: it was written by a later release.
    """
    for attempt in range(ATTEMPTS):
        generation = latest_generation(directory)
        if generation < 0:
            raise IndexNotFoundError(f"there is no index in {directory}")
        try:
            return _open(directory, generation, reuse)
        except FileNotFoundError:
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _open(directory: Path, generation: int, reuse: Snapshot | None) -> Snapshot:
    named, extra = read_state(directory, generation)
    known = {segment.name: segment for segment in reuse.segments} if reuse else {}
    segments = []
    for name, doc_count, deleted in named:
        if name in known:
            segments.append(known[name].with_deleted(deleted))
        else:
            try:
                segments.append(MappedSegment(directory / f"{name}{EXTENSION}", deleted))
            except OlderFileError:
                return Snapshot(generation, (), extra)
        if segments[-1].doc_count != doc_count:
            raise segments[-1].container.damaged("its deletions are of another segment")
    return Snapshot(generation, tuple(segments), extra)


Named = list[tuple[str, int, Bits]]
"""Segments: the name of each, how many documents it has, and which of them are deleted."""


def verify(directory: Path) -> tuple[str, ...]:
    """Read every file of the newest commit; what is damaged in them, a sentence each.

    Nothing is unpickled, nothing of an earlier release is read, and nobody may write meanwhile. A
    commit by Whoosh itself, which has no side file, counts as damaged: this program makes none.
    """
    generation = latest_generation(directory)
    contents = (directory / f"_{INDEX_NAME}_{generation}.toc").read_bytes()
    try:
        state = _read_side_file(directory, generation, contents)
    except (CorruptFileError, IndexVersionError) as error:
        return (str(error),)
    if state is None:
        return (f"{directory}: the table of contents and its side file do not fit each other",)
    problems: list[str] = []
    for name, doc_count, _ in state[0]:
        path = directory / f"{name}{EXTENSION}"
        try:
            segment = MappedSegment(path)
            segment.verify()
            if segment.doc_count != doc_count:
                raise segment.container.damaged("its deletions are of another segment")
        except OlderFileError:
            continue
        except (CorruptFileError, IndexVersionError) as error:
            problems.append(str(error))
        except FileNotFoundError:
            problems.append(f"{path}: the file is missing")
    return tuple(problems)


def read_state(directory: Path, generation: int) -> tuple[Named, dict[str, str]]:
    """The segments of a commit, and the extra it was made with; from Whoosh's file if need be."""
    contents = (directory / f"_{INDEX_NAME}_{generation}.toc").read_bytes()
    state = _read_side_file(directory, generation, contents)
    if state is None:
        from searchfeed.engines.whoosh.columnar.codec import read_contents

        return read_contents(directory, generation), {}
    return state


def _read_side_file(
    directory: Path, generation: int, contents: bytes
) -> tuple[Named, dict[str, str]] | None:
    try:
        container = Container(directory / f"_{INDEX_NAME}_{generation}.sfm")
    except FileNotFoundError:
        return None
    container.verify()
    attributes = container.attributes
    if attributes.get("contents") != checksum(contents):
        return None
    named: Named = []
    try:
        for name, doc_count in attributes["segments"]:
            if not re.fullmatch(rf"{INDEX_NAME}_[0-9a-z]+", name):
                raise container.damaged("the name of a segment")
            deleted = container.section(name, "deleted")
            if len(deleted) not in (0, -(-doc_count // 8)):
                raise ValueError("deletions of another number of documents")
            named.append((name, doc_count, deleted))
        extra = {str(key): str(value) for key, value in attributes["extra"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise container.damaged("the list of its segments") from error
    return named, extra


def write_side_file(
    directory: Path,
    generation: int,
    contents: bytes,
    segments: list[tuple[str, int, bytes]],
    extra: Mapping[str, str],
) -> None:
    """Write the side file of a generation.

    Args:
        directory: where the index lies.
        generation: the number of the commit.
        contents: Whoosh's table of contents, as it is about to be written.
        segments: name, number of documents and packed deletions of each segment.
        extra: what is to be committed along with it.
    """
    attributes: dict[str, Any] = {
        "contents": checksum(contents),
        "segments": [[name, doc_count] for name, doc_count, _ in segments],
        "extra": dict(extra),
    }
    import numpy as np

    with FileWriter(directory / f"_{INDEX_NAME}_{generation}.sfm") as writer:
        for name, _, deleted in segments:
            writer.add(name, "deleted", np.frombuffer(deleted, np.uint8))
        writer.finish(attributes)


def checksum(contents: bytes) -> list[int]:
    """What ties a file to the table of contents that it belongs to: its length and its crc32."""
    return [len(contents), zlib.crc32(contents)]


def pack_deleted(live: NDArray[np.bool_] | None) -> bytes:
    """Deletions as a bit for each document; empty if there are none."""
    import numpy as np

    return b"" if live is None or live.all() else np.packbits(~live).tobytes()


def unpack_live(deleted: Bits, doc_count: int) -> NDArray[np.bool_] | None:
    """The reverse of ``pack_deleted``; None where nothing is deleted."""
    import numpy as np

    if not len(deleted):
        return None
    bits = np.frombuffer(deleted, np.uint8)
    if len(bits) != -(-doc_count // 8):
        raise ValueError("deletions of another number of documents")
    return ~np.unpackbits(bits, count=doc_count).astype(bool)
