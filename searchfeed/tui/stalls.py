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

SELDOM = 10
"""Rests after which all that came since the start is looked through."""

TURN = 0.0005
"""Seconds after which a thread that works gives way to one that waits. A letter comes through
three threads to the search, and at each it would wait for ten times as long."""

_NEVER = 1_000_000


@contextmanager
def short() -> Iterator[None]:
    """Stalls inside are short; older objects are looked through when ``rest`` says so."""
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


def rest() -> None:
    """Look for garbage now, while nobody types."""
    gc.collect(2 if gc.get_count()[2] >= SELDOM else 1)
