"""The write-ahead log of a database as it lies on the disk, read without SQLite.

SQLite takes a log with a broken frame for one that ends there: what was committed after it is
gone without a word. So whether a log is whole has to be seen before SQLite opens it. The layout
is that of "WAL File Format" and "WAL-Index File Format" in SQLite's documentation.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path
from struct import Struct
from typing import TYPE_CHECKING, Any

from searchfeed.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HEADER = Struct(">8I")
"""Magic, format, page size, checkpoints so far, two salts, two checksums."""

_FRAME = Struct(">6I")
"""Page, size of the database in pages if this ends a transaction else 0, salts, checksums."""

_MAGIC = 0x377F0682
"""Its lowest bit tells that checksums are made of big-endian words."""

_FORMAT = 3_007_000
_SALTS = 16, 24
_INDEX = Struct("=3I4x2I12xQ")
"""Of the start of the file beside the log, in the machine's own order of bytes: format, unused,
changes; last frame, pages; and the salts, as they lie in the log."""


@dataclass(frozen=True, slots=True)
class Log:
    """What is in a log.

    Attributes:
        page_size: in bytes; 0 where the log holds nothing.
        frames: the number of a page, its content, and the size of the database in pages where the
            frame ends a transaction, else 0; as many as belong to the newest round of the log and
            are whole, or are followed by one that is.
        committed: how many of them SQLite would use.
        trouble: what is damaged, or empty.
    """

    page_size: int = 0
    frames: tuple[tuple[int, bytes, int], ...] = ()
    committed: int = 0
    trouble: str = ""


def read_log(database: Path) -> Log:
    """The log of a database, empty where there is none. Nobody may write to it meanwhile."""
    try:
        data = Path(f"{database}-wal").read_bytes()
    except FileNotFoundError:
        return Log()
    if len(data) <= _HEADER.size:
        # Without a frame there is nothing to lose.
        return Log()
    magic, form, page_size, *_, first, second = _HEADER.unpack_from(data)
    big = magic & 1
    sound = magic & ~1 == _MAGIC and form == _FORMAT and page_size & (page_size - 1) == 0
    if not sound or _checksums(data[: _HEADER.size - 8], big, (0, 0)) != (first, second):
        return Log(trouble="the log's header is damaged")
    frames = _frames(data, page_size)
    chain: tuple[int, ...] = (first, second)
    whole: list[bool] = []
    for head, page in frames:
        own = head[4:]
        made = _checksums(_FRAME.pack(*head)[:8] + page, big, chain)
        whole.append(head[2:4] == _HEADER.unpack_from(data)[4:6] and made == own)
        # The next frame goes on from what this one says, so a damaged page hides no other one.
        chain = own
    last = len(whole)
    while last and not whole[last - 1]:
        last -= 1
    unbroken = whole.index(False) if False in whole else len(whole)
    committed = max((at + 1 for at in range(unbroken) if frames[at][0][1]), default=0)
    known = max(last, _known_to_index(database, data))
    trouble = ""
    if unbroken < known:
        trouble = f"the log is damaged in frame {unbroken + 1} of {known}"
    kept = tuple((head[0], page, head[1]) for head, page in frames[:known])
    return Log(page_size, kept, committed, trouble)


def _frames(data: bytes, page_size: int) -> list[tuple[tuple[int, ...], bytes]]:
    """Every frame that is there in full, of older rounds too."""
    step = _FRAME.size + page_size
    starts = range(_HEADER.size, len(data) - step + 1, step)
    return [
        (_FRAME.unpack_from(data, start), data[start + _FRAME.size : start + step])
        for start in starts
    ]


def _known_to_index(database: Path, data: bytes) -> int:
    """How many frames were committed, as the file beside the log says; 0 if it does not tell."""
    with suppress(OSError):
        index = Path(f"{database}-shm").read_bytes()[: _INDEX.size]
        if len(index) == _INDEX.size:
            form, _, _, last, *_ = _INDEX.unpack(index)
            if form == _FORMAT and index[32:40] == data[slice(*_SALTS)]:
                return int(last)
    return 0


def _checksums(data: bytes, big: int, start: tuple[int, ...]) -> tuple[int, ...]:
    """The two running sums over 32-bit words that SQLite guards its log with.

    Each word and both sums so far make the next sum, so a word counts as often as a Fibonacci
    number says: all of them are added up at once.
    """
    import numpy as np

    words = np.frombuffer(data, ">u4" if big else "<u4").astype(np.uint32)
    weights = _fibonacci(len(words) + 2)
    count = len(words)
    sums = []
    for end in (count - 1, count):
        total = int(np.dot(words[:end], weights[end:0:-1]))
        total += start[0] * int(weights[end]) + start[1] * int(weights[end + 1])
        sums.append(total & 0xFFFFFFFF)
    return tuple(sums)


@cache
def _fibonacci(count: int) -> NDArray[Any]:
    """So many Fibonacci numbers from 0, the low 32 bits of each."""
    import numpy as np

    numbers = np.zeros(count, np.uint32)
    one, next_one = 0, 1
    for place in range(count):
        numbers[place] = one
        one, next_one = next_one, (one + next_one) & 0xFFFFFFFF
    return numbers


__all__ = ("Log", "read_log")
