"""Work that is given up where nobody waits for it any more.

A letter is typed while what the one before it asked for is still looked for: whoever wants the new
answer says that the old one is unwanted, and the search ends at its next pause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import local


class _Work(local):
    """What this thread does: whether it is unwanted by now."""

    unwanted: Callable[[], bool] | None = None


_work = _Work()


class Stopped(BaseException):
    """This was given up. No error: nothing that handles errors takes it for one."""


@contextmanager
def stopping(unwanted: Callable[[], bool]) -> Iterator[None]:
    """What is done inside, in this thread, ends at its next pause once it is unwanted.

    What comes behind goes on, so nothing behind may need what is done inside.
    """
    before, _work.unwanted = _work.unwanted, unwanted
    try:
        yield
    except Stopped:
        pass
    finally:
        _work.unwanted = before


def pause() -> None:
    """A place in long work where nothing is half done.

    Raises:
        Stopped: the work is unwanted.
    """
    unwanted = _work.unwanted
    if unwanted is not None and unwanted():
        raise Stopped
