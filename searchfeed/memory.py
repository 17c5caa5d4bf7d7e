"""What was worked out and may be asked for again, in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Protocol, TypeVar, cast


class Sized(Protocol):
    """A value that knows how much memory it takes."""

    @property
    def nbytes(self) -> int:
        """Bytes."""
        ...


Value = TypeVar("Value", bound=Sized)


class Memory:
    """Values by key; beyond ``limit`` bytes the least recently used are forgotten.

    Any thread may use it. Two that ask for the same key at once may both make its value, which is
    why a value must not depend on who makes it.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: OrderedDict[Hashable, Sized] = OrderedDict()
        self._held = 0
        self._lock = Lock()

    @property
    def nbytes(self) -> int:
        """What all that is remembered takes."""
        return self._held

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of ``key``, made if it is not known."""
        with self._lock:
            known = self._values.get(key)
            if known is not None:
                self._values.move_to_end(key)
                return cast("Value", known)
        value = make()
        size = value.nbytes
        if size <= self._limit // 2:
            with self._lock:
                if key not in self._values:
                    self._values[key] = value
                    self._held += size
                while self._held > self._limit:
                    self._held -= self._values.popitem(last=False)[1].nbytes
        return value
