"""``dataclass`` as in ``dataclasses``, but the methods of a value are made when one is needed.

The standard one writes and compiles six functions for each class, which takes half a millisecond:
for all values of this package together as long as a search takes. Most commands use but a few of
them. To type checkers, and in all that one can do with a class, this is the standard one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from inspect import get_annotations
from typing import TYPE_CHECKING, Any, Generic, NoReturn

__all__ = ("dataclass",)

_DEFERRED = {"frozen": True, "slots": True}
"""The options of a class that can wait. What others ask for is made at once."""

_MADE = (
    "__init__",
    "__repr__",
    "__eq__",
    "__hash__",
    "__getstate__",
    "__setstate__",
)


class _Later:
    """An attribute of a class that is there once its methods are made.

    Where they bring none, there is none: ``inspect`` looks for ``__signature__`` in this way.
    """

    def __init__(self, name: str, complete: Callable[[], type]) -> None:
        self._name = name
        self._complete = complete

    def __get__(self, instance: object, owner: type) -> Any:
        made = self._complete()
        if self._name not in made.__dict__:
            raise AttributeError(self._name)
        return made.__dict__[self._name]


def _defer(written: type) -> type:
    """The class with slots, and with methods that replace themselves by those of ``dataclasses``.

    Args:
        written: the class as it was written down.
    """
    names = tuple(get_annotations(written))
    body = dict(written.__dict__)
    mine = {
        name: value
        for name, value in body.items()
        if name not in names and name not in ("__dict__", "__weakref__")
    }
    mine |= {
        "__slots__": names,
        "__match_args__": names,
        "__setattr__": _refuse_to_set,
        "__delattr__": _refuse_to_delete,
        "__qualname__": written.__qualname__,
    }
    made: type | None = None

    def complete() -> type:
        nonlocal made
        if made is None:
            found: type = dataclasses.dataclass(written, frozen=True, slots=True)
            for name in (*_MADE, "__replace__", "__dataclass_params__", "__dataclass_fields__"):
                if name in found.__dict__ and name not in body:
                    setattr(value, name, found.__dict__[name])
            # Last: until then another thread makes them, too, and nothing comes of it.
            made = found
        return made

    for name in _MADE:
        if name not in body:
            mine[name] = _first(name, complete)
    for name in ("__dataclass_fields__", "__dataclass_params__", "__signature__"):
        mine[name] = _Later(name, complete)
    value = type(written)(written.__name__, written.__bases__, mine)
    return value


def _first(name: str, complete: Callable[[], type]) -> Callable[..., Any]:
    """A method that makes itself."""

    def call(self: object, *values: object, **named: object) -> Any:
        return getattr(complete(), name)(self, *values, **named)

    call.__name__ = name
    return call


def _refuse_to_set(_: object, name: str, value: object) -> NoReturn:  # noqa: ARG001
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_: object, name: str) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(written=None, /, **options):
        """See ``dataclasses.dataclass``."""
        if written is None:
            return lambda written: dataclass(written, **options)
        # A value that is made from another one needs the fields of that.
        if options != _DEFERRED or written.__bases__ not in ((object,), (Generic,)):
            return dataclasses.dataclass(written, **options)
        return _defer(written)
