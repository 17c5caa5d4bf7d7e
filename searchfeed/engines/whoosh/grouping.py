"""Finds which documents of a committed state tell the same story.

``searchfeed.engines.stories`` says when they do. A commit looks only at what it changed, and at
what that is near to. Nobody has to keep track of it: two states tell by themselves in what they
differ.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from searchfeed.analysis.sketch import Sketches
from searchfeed.engines.stories import Texts, find_changed, find_stories
from searchfeed.engines.whoosh.columnar.container import CorruptFileError
from searchfeed.engines.whoosh.folding import Groups
from searchfeed.engines.whoosh.storyfile import (
    groups_of,
    known_groups,
    read_stories,
    story_file,
    write_file,
)
from searchfeed.engines.whoosh.values import SKETCH
from searchfeed.engines.whoosh.view import View
from searchfeed.errors import IndexVersionError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from searchfeed.engines.stories import Led
    from searchfeed.engines.whoosh.columnar import Snapshot
    from searchfeed.engines.whoosh.view import Documents, Mask

TEXT = ("title", "body")
"""The fields that a sketch is of."""


def find_groups(view: View) -> Groups:
    """Every group of entries that tell the same story, among the live documents of a view."""
    documents, texts = _read(view, view.everything())
    return _groups(documents, find_stories(texts))


def write_groups(
    directory: Path, before: Snapshot | None, after: Snapshot, contents: bytes
) -> None:
    """Write the groups of a state that is about to be committed.

    Args:
        directory: where the index lies.
        before: the state that it follows; None where nothing of that is to be used.
        after: the state.
        contents: Whoosh's table of contents of it.
    """
    groups = known_groups(directory, before.generation) if before else None
    if before is None or groups is None:
        groups = find_groups(View(after))
    else:
        groups = update_groups(groups, before, after)
    # Searches do without; and what keeps it from being written may leave room for the commit.
    with suppress(OSError):
        write_file(directory, after.generation, contents, groups)


def check_groups(directory: Path, generation: int, view: View) -> tuple[str, ...]:
    """What is wrong with the file of a commit, a sentence each; that there is none is not.

    Args:
        directory: where the index lies.
        generation: the number of the commit.
        view: of its documents.
    """
    try:
        stories = read_stories(directory, generation)
    except (CorruptFileError, IndexVersionError) as error:
        return (str(error),)
    if stories is not None:
        groups, found = groups_of(stories), find_groups(view)
        pairs = ((groups.documents, found.documents), (groups.leaders, found.leaders))
        if not all(np.array_equal(one, other) for one, other in pairs):
            path = story_file(directory, generation)
            return (f"{path}: what it says are the same stories are not those of the texts",)
    return ()


def update_groups(groups: Groups, before: Snapshot, after: Snapshot) -> Groups:
    """The groups of a state from those of another: only where the two differ is looked at again.

    They are those that ``find_groups`` finds in the state.
    """
    old, new = View(before), View(after)
    numbers = _numbers(before, old, after, new)
    documents, texts = _read(new, new.everything())
    _, gone = _read(old, _without(old, numbers >= 0))
    fresh = ~_marked(numbers[numbers >= 0], new.size)
    places, led = find_changed(texts, np.flatnonzero(fresh[documents]), gone.sketches)
    again = _marked(documents[places], new.size)
    found = _groups(documents, led)
    told, leaders = numbers[groups.documents], numbers[groups.leaders]
    same = (told >= 0) & ~again[told]
    told = np.concatenate([told[same], found.documents])
    # Of what ascends in a few stretches this makes one by merging.
    order = np.argsort(told, kind="stable")
    return Groups(told[order], np.concatenate([leaders[same], found.leaders])[order])


def _read(view: View, documents: Documents) -> tuple[Documents, Texts]:
    """Those of some documents that have a sketch, and what is told of them."""
    words = np.stack([view.column(name)[documents] for name in SKETCH], axis=1)
    told = words.any(axis=1)
    documents, words = documents[told], words[told]
    lengths = np.zeros(len(documents), dtype=np.int64)
    for field in TEXT:
        lengths += view.lengths(field)[documents].astype(np.int64)
    dates, keys = (view.column(name)[documents] for name in ("date", "key"))
    return documents, Texts(Sketches(words, lengths), dates, keys)


def _groups(documents: Documents, led: Led) -> Groups:
    """The groups of those of some documents whose places are given."""
    grouped, leaders = documents[led.places], documents[led.leaders]
    order = np.argsort(grouped)
    return Groups(grouped[order], leaders[order])


def _numbers(before: Snapshot, old: View, after: Snapshot, new: View) -> Documents:
    """For each document number of a state that in another one; -1 where it is not there so.

    Of a segment that both states have all documents are the same. What was merged, or written
    again as it was, is known by its key.
    """
    starts, places = _starts(before), _starts(after)
    numbers = np.full(old.size, -1, dtype=np.int32)
    for segment in before.segments:
        if segment.name in places:
            start, place = starts[segment.name], places[segment.name]
            there = np.arange(place, place + segment.doc_count, dtype=np.int32)
            numbers[start : start + segment.doc_count] = there
    if old.live is not None:
        numbers[~old.live] = -1
    if new.live is not None:
        numbers[(numbers >= 0) & ~new.live[numbers]] = -1
    gone = _without(old, numbers >= 0)
    come = _without(new, _marked(numbers[numbers >= 0], new.size))
    if len(gone) and len(come):
        come = come[np.argsort(new.column("key")[come])]
        at = np.searchsorted(new.column("key")[come], old.column("key")[gone])
        there = come[np.minimum(at, len(come) - 1)]
        same = np.ones(len(gone), dtype=bool)
        for one, other in zip(_columns(old), _columns(new), strict=True):
            same &= one[gone] == other[there]
        numbers[gone[same]] = there[same]
    return numbers


def _starts(snapshot: Snapshot) -> dict[str, int]:
    """The number of the first document of each segment, by its name."""
    names = [segment.name for segment in snapshot.segments]
    starts = accumulate((segment.doc_count for segment in snapshot.segments), initial=0)
    return dict(zip(names, starts, strict=False))


def _marked(documents: Documents, size: int) -> Mask:
    mask = np.zeros(size, dtype=bool)
    mask[documents] = True
    return mask


def _without(view: View, mask: Mask) -> Documents:
    """The documents of a view that a mask does not mark."""
    documents = view.everything()
    return documents[~mask[documents]]


def _columns(view: View) -> Iterator[NDArray[Any]]:
    """All that decides which group a document is in, for each document number."""
    for name in ("key", "date", *SKETCH):
        yield view.column(name)
    for field in TEXT:
        yield view.lengths(field)
