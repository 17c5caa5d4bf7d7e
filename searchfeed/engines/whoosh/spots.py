"""Where terms stand in some of the documents, read only for those in which it matters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from searchfeed.engines.whoosh.arrays import once
from searchfeed.engines.whoosh.rows import added_up
from searchfeed.stopping import pause

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from searchfeed.engines.whoosh.columnar.located import Located
    from searchfeed.engines.whoosh.view import Documents, Mask, Places

    Integers = NDArray[np.int32]


class Spots(NamedTuple):
    """The documents of a term in one segment, among some that were asked about.

    Attributes:
        owners: their places among those asked about, ascending.
        located: the term.
        which: the places of the documents among those of the term.
    """

    owners: Places
    located: Located
    which: NDArray[Any]

    def only(self, wanted: Mask) -> Spots:
        """Those in documents that are wanted of those asked about."""
        keep = wanted[self.owners]
        return Spots(self.owners[keep], self.located, self.which[keep])


def places(spots: Iterable[Spots], among: Documents) -> Places:
    """Every place of some terms in the documents that were asked about, ascending."""
    pause()
    found: list[tuple[Documents, Integers, Integers]] = []
    for owners, located, which in spots:
        if len(owners):
            # All of a term are read at once for less.
            all_of_them = len(which) == len(located.documents)
            found.append((among[owners], *located.gaps(None if all_of_them else which)))
    return joined(found)


def joined(parts: Sequence[tuple[Documents, Integers, Integers]]) -> Places:
    """The places of several terms: of each its documents, the gaps in them and how many."""
    # Where a field keeps no positions there are documents without any gaps.
    parts = [part for part in parts if len(part[1])]
    if not parts:
        return np.zeros(0, dtype=np.int64)
    if len(parts) == 1:
        return added_up(*parts[0])
    # All are added up together: where one is done with, the next is another document.
    found = added_up(*(np.concatenate(part) for part in zip(*parts, strict=True)))
    return found if (found[1:] > found[:-1]).all() else once([found])
