"""The groups of a committed state in a file beside it, which ``docs/index-format.md`` draws.

It says nothing that the segments do not say. Where it is missing, damaged, or belongs to another
state (as after a commit by Whoosh itself), groups are found anew in memory. It is written before
the commit that it belongs to and holds the checksum of what makes that commit, so no search meets
a state of ours that has none yet.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from searchfeed.engines.whoosh.columnar.container import Container, CorruptFileError, FileWriter
from searchfeed.engines.whoosh.columnar.snapshot import INDEX_NAME, checksum
from searchfeed.errors import IndexVersionError

if TYPE_CHECKING:
    from pathlib import Path

    from searchfeed.engines.whoosh.folding import Groups

RULES = 1
"""Raised when other texts are one story than before: groups by other rules are found anew."""


class Stories(NamedTuple):
    """The documents that share their story with another, ascending, and the first of each's.

    They are ``folding.Groups`` as they lie in the file.
    """

    documents: memoryview
    leaders: memoryview


def known_stories(directory: Path, generation: int) -> Stories | None:
    """The stories of a commit, if there is a file of them that is right; see ``read_stories``."""
    with suppress(CorruptFileError, IndexVersionError, OSError):
        return read_stories(directory, generation)
    return None


def known_groups(directory: Path, generation: int) -> Groups | None:
    """The same as arrays."""
    stories = known_stories(directory, generation)
    return stories and groups_of(stories)


def groups_of(stories: Stories) -> Groups:
    """Stories as arrays."""
    import numpy as np

    from searchfeed.engines.whoosh.folding import Groups

    return Groups(*(np.array(numbers, dtype=np.int32) for numbers in stories))


def read_stories(directory: Path, generation: int) -> Stories | None:
    """The stories of a commit from its file; None where there is none, or one by other rules.

    Raises:
        CorruptFileError: the file is damaged, or belongs to another commit.
        IndexVersionError: it was written by a later release.
        FileNotFoundError: there is no such commit any more.
    """
    contents = (directory / f"_{INDEX_NAME}_{generation}.toc").read_bytes()
    try:
        file = Container(story_file(directory, generation))
    except FileNotFoundError:
        return None
    file.verify()
    if file.attributes.get("contents") != checksum(contents):
        raise file.damaged("it belongs to another commit")
    if file.attributes.get("rules") != RULES:
        return None
    stories = Stories(file.section("", "documents"), file.section("", "leaders"))
    if len(stories.documents) != len(stories.leaders):
        raise file.damaged("the number of its documents")
    return stories


def write_file(directory: Path, generation: int, contents: bytes, groups: Groups) -> None:
    """Write the groups of a commit.

    Args:
        directory: where the index lies.
        generation: the number of the commit.
        contents: Whoosh's table of contents, as it is about to be written.
        groups: of the state that is about to be committed.

    Raises:
        OSError: it could not be written.
    """
    from searchfeed.engines.whoosh.columnar.packing import narrow

    with FileWriter(story_file(directory, generation)) as file:
        file.add("", "documents", narrow(groups.documents))
        file.add("", "leaders", narrow(groups.leaders))
        file.finish({"contents": checksum(contents), "rules": RULES})


def story_file(directory: Path, generation: int) -> Path:
    """Where the groups of a commit stand."""
    return directory / f"_{INDEX_NAME}_{generation}.sfs"
