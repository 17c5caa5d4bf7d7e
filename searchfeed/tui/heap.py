"""Keeps memory that is free for the next search, where the system would take it back.

The arrays of a search take megabytes, each for less than a millisecond. glibc gives such memory
back at once, and the system makes its pages anew for the next array, at up to 3 µs for each 4 KB:
that took more than half of the time in which a frequent word is first scored.
"""

from __future__ import annotations

KEPT = 96 << 20
"""Bytes that are kept."""

AHEAD = 320
"""Bytes for each entry that are taken before they are needed: what is worked out for frequent
words, of which each takes 22, and what it takes to work it out."""

# From malloc.h: how much may be free at the end of the heap, from which size on an array is not
# taken from it (at most so much), and how many heaps there are: a thread would have its own.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_LARGEST = 32 << 20
_BLOCK = 1 << 20


def keep() -> None:
    """From now on, keep what is free; does nothing where the C library is another than glibc."""
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(_ARENA_MAX, 1)
    mallopt(_TRIM_THRESHOLD, KEPT)
    mallopt(_MMAP_THRESHOLD, _LARGEST)


def take_ahead(entries: int) -> None:
    """Have the pages made that the first searches in an index of so many entries need."""
    import numpy as np

    blocks = min(KEPT * 2 // 3, AHEAD * entries) // _BLOCK
    # All at once, so that none is the one before it; then they are free again.
    for block in [np.empty(_BLOCK, dtype=np.uint8) for _ in range(blocks)]:
        block.fill(0)
