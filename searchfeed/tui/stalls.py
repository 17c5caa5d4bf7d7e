"""Keeps what a letter waits for short: garbage, and threads that have their turn.

What is looked for ahead runs while a letter comes, and makes thousands of objects.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG = 5_000
"""New objects that are looked through for garbage whoever types, in about a millisecond: those of
seven pages of hits."""

LULL = 10.0
"""Seconds without a letter after which nobody types any more: there is time for all that came since
the last lull, which takes that of some frames."""

TURN = 0.0005
"""Seconds after which a thread that works gives way to one that waits. A letter comes through
three threads to the search, and at each it would wait for ten times as long."""

_NEVER = 1_000_000


@contextmanager
def short() -> Iterator[None]:
    """Stalls inside are short; what is not young is left to ``lull``."""
    thresholds, turn = gc.get_threshold(), sys.getswitchinterval()
    gc.set_threshold(YOUNG, _NEVER, _NEVER)
    sys.setswitchinterval(TURN)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        sys.setswitchinterval(turn)


def keep() -> None:
    """What is there now stays: it is not looked through again."""
    gc.freeze()


def lull() -> None:
    """Look for garbage among all that came since the last time; what is none, stays.

    Pages that were found are forgotten all the same: nothing in them refers to itself.
    """
    gc.collect()
    keep()
