"""Where terms stand in a row in the documents of one segment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from searchfeed.engines.whoosh.arrays import beginnings, common, members
from searchfeed.engines.whoosh.columnar.located import matched

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.columnar.located import Located
    from searchfeed.engines.whoosh.view import Documents, Mask, Numbers, Places

Integer = TypeVar("Integer", np.int32, np.int64)

POSITION_BITS = 32
"""A place is document number << POSITION_BITS | position: one sorted array holds both."""

LAST_POSITION = (1 << POSITION_BITS) - 1


def row_starts(located: Sequence[Located], live: Mask | None) -> Places:
    """The places in live documents where terms stand in a row, those of the first, ascending.

    Args:
        located: the terms, in their order, all in one field of a segment.
        live: which documents of the segment are still there; None where all are.
    """
    # From the rarest term on, ever fewer documents have to be looked into.
    first, *rest = sorted(range(len(located)), key=lambda at: len(located[at].documents))
    documents = located[first].documents
    which: dict[int, Places] = {first: np.arange(len(documents))}
    for at in rest:
        hits, found = matched(documents, located[at].documents)
        documents = documents[hits]
        which = {known: chosen[hits] for known, chosen in which.items()}
        which[at] = found

    def places(at: int) -> Places:
        known = located[at]
        # Where most are wanted, those that are not cost less than picking the others out.
        if 2 * len(documents) > len(known.documents):
            return added_up(known.documents, *known.gaps())
        return added_up(documents, *known.gaps(which[at]))

    if live is not None:
        keep = live[documents]
        documents, which = documents[keep], {at: chosen[keep] for at, chosen in which.items()}
    if not len(documents):
        return np.zeros(0, dtype=np.int64)
    starts = places(first)
    starts = starts[(starts & LAST_POSITION) >= first] - first if first else starts
    for at in rest:
        held = starts >> POSITION_BITS
        if len(held) < len(documents):
            keep = members(documents, held[beginnings(held)].astype(np.int32))
            documents, which = documents[keep], {at: chosen[keep] for at, chosen in which.items()}
        if not len(starts):
            break
        starts = common(starts + at, places(at)) - at
    if live is not None:
        starts = starts[live[starts >> POSITION_BITS]]
    return starts


def added_up(documents: Documents, gaps: NDArray[np.int32], amounts: NDArray[np.int32]) -> Places:
    """Places from the gaps between positions, of which each document has some."""
    stops = np.cumsum(amounts, dtype=np.int64)
    origins = documents.astype(np.int64) << POSITION_BITS
    return from_origins(
        origins, gaps.astype(np.int64), stops - amounts, last_positions(gaps, stops)
    )


def last_positions(gaps: NDArray[np.int32], stops: NDArray[Any]) -> NDArray[np.int32]:
    """The last position in each document, whose gaps stop at ``stops``."""
    # Where this overflows, differences are right all the same.
    lasts: NDArray[np.int32] = np.cumsum(gaps, dtype=np.int32)[stops - 1]
    lasts[1:] -= lasts[:-1].copy()
    return lasts


def from_origins(
    origins: NDArray[Integer],
    gaps: NDArray[Integer],
    starts: NDArray[Any],
    lasts: NDArray[np.int32],
) -> NDArray[Integer]:
    """Where positions lie, counted from an origin of each document; made in the place of ``gaps``.

    Args:
        origins: where the documents begin, ascending; changed as well.
        gaps: between the positions of each, the first of which is one itself.
        starts: where the gaps of each start.
        lasts: the last position of each.
    """
    # One running sum goes through all documents: where one begins, it leaves the last behind.
    origins[1:] -= origins[:-1] + lasts[:-1]
    gaps[starts] += origins
    return np.cumsum(gaps, dtype=gaps.dtype, out=gaps)


def tally(places: Places) -> tuple[Documents, Numbers]:
    """The documents of some places, which ascend, and how many are in each."""
    documents = (places >> POSITION_BITS).astype(np.int32)
    if not len(documents):
        return documents, np.zeros(0)
    firsts = beginnings(documents)
    counts = np.empty(len(firsts))
    counts[:-1] = firsts[1:] - firsts[:-1]
    counts[-1] = len(documents) - firsts[-1]
    return documents[firsts], counts
