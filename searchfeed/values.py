"""``dataclass`` as in ``dataclasses``, but the methods of a value are made when one is needed.

The standard one writes and compiles six functions for each class, which takes half a millisecond:
for all values of this package together as long as a search takes. Most commands use but a few of
them, and of those the ``__init__`` alone. To type checkers, and in all that one can do with a
class, this is the standard one.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping
from inspect import get_annotations
from threading import RLock
from typing import TYPE_CHECKING, Any, Generic, NoReturn

__all__ = ("dataclass",)

_DEFERRED = {"frozen": True, "slots": True}
"""The options of a class that can wait. What others ask for is made at once."""

FEW = 32
"""So many values of a class are made in the time in which its ``__init__`` is compiled."""

_REQUIRED = object()
"""Stands for the default of a field that has none."""

_FACTORY = object()
"""Stands for a value that was not given, and that a new one is made for each time."""

_making = RLock()

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


def _can_wait(written: type) -> bool:
    """Whether all that is annotated in a class is a field of its own, given by place or by name."""
    # A value that is made from another one needs the fields of that.
    if written.__bases__ not in ((object,), (Generic,)):
        return False
    for name, annotation in get_annotations(written).items():
        # These are no fields to the standard one, which tells them by their text, too.
        if any(word in str(annotation) for word in ("ClassVar", "InitVar", "KW_ONLY")):
            return False
        default = written.__dict__.get(name)
        if isinstance(default, dataclasses.Field) and (default.kw_only is True or not default.init):
            return False
    return True


def _defer(written: type) -> type:
    """The class with slots, and with methods that replace themselves by those of ``dataclasses``.

    Args:
        written: the class as it was written down.
    """
    annotations = get_annotations(written)
    names = tuple(annotations)
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
        # The standard one changes what it is given, so that it cannot be given twice.
        with _making:
            if made is None:
                found: type = dataclasses.dataclass(written, frozen=True, slots=True)
                for name in (*_MADE, "__replace__", "__dataclass_params__", "__dataclass_fields__"):
                    if name in found.__dict__ and name not in body:
                        setattr(value, name, found.__dict__[name])
                made = found
        return made

    defaults = {name: body.get(name, _REQUIRED) for name in names}
    simple = not any(isinstance(default, dataclasses.Field) for default in defaults.values())
    uses = 0

    def initialise(self: object, *values: object, **named: object) -> None:
        nonlocal uses
        uses += 1
        if uses <= FEW and simple and _fill(self, defaults, values, named):
            return
        made_of = _initialiser(value, annotations, defaults)
        if value.__init__ is initialise:  # type: ignore[misc]
            value.__init__ = made_of  # type: ignore[misc]
        made_of(self, *values, **named)

    for name in _MADE:
        if name not in body:
            mine[name] = _first(name, complete)
    if "__init__" not in body:
        mine["__init__"] = initialise
    for name in ("__dataclass_fields__", "__dataclass_params__", "__signature__"):
        mine[name] = _Later(name, complete)
    value = type(written)(written.__name__, written.__bases__, mine)
    return value


def _fill(
    value: object,
    defaults: Mapping[str, object],
    given: tuple[object, ...],
    named: Mapping[str, object],
) -> bool:
    """Set the fields of a new value, unless what is given for them is wrong.

    Args:
        value: has nothing yet.
        defaults: its fields, with what stands where nothing is given.
        given: by place.
        named: by name.
    """
    fields = {**defaults, **dict(zip(defaults, given, strict=False)), **named}
    known = len(fields) == len(defaults) and named.keys().isdisjoint([*defaults][: len(given)])
    if not known or len(given) > len(defaults) or any(v is _REQUIRED for v in fields.values()):
        return False
    for name, each in fields.items():
        object.__setattr__(value, name, each)
    if hasattr(value, "__post_init__"):
        value.__post_init__()
    return True


def _first(name: str, complete: Callable[[], type]) -> Callable[..., Any]:
    """A method that makes itself."""

    def call(self: object, *values: object, **named: object) -> Any:
        return getattr(complete(), name)(self, *values, **named)

    call.__name__ = name
    return call


def _initialiser(
    kind: type, annotations: dict[str, Any], defaults: dict[str, Any]
) -> Callable[..., None]:
    """The ``__init__`` that ``dataclasses`` makes.

    It alone is what most values ever need, and it takes a quarter of the time of all methods.

    Args:
        kind: the class.
        annotations: its fields, and the types of them.
        defaults: what is written behind each.
    """
    known: dict[str, Any] = {"_set": object.__setattr__, "_factory": _FACTORY}
    parameters, rows = ["self"], []
    for name, default in defaults.items():
        parameter, value = name, name
        if isinstance(default, dataclasses.Field):
            if default.default_factory is not dataclasses.MISSING:
                known[f"_make_{name}"] = default.default_factory
                parameter = f"{name}=_factory"
                value = f"_make_{name}() if {name} is _factory else {name}"
            default = default.default  # noqa: PLW2901
        if default is not _REQUIRED and default is not dataclasses.MISSING:
            known[f"_default_{name}"] = default
            parameter = f"{name}=_default_{name}"
        parameters.append(parameter)
        rows.append(f"  _set(self, {name!r}, {value})\n")
    if hasattr(kind, "__post_init__"):
        rows.append("  self.__post_init__()\n")
    rows.append("  return None\n")
    text = (
        f"def _create({', '.join(known)}):\n"
        f" def __init__({', '.join(parameters)}):\n{''.join(rows)} return __init__"
    )
    # Nothing but the names of fields, which are Python's own names already, is in that text.
    module = sys.modules.get(kind.__module__)
    scope: dict[str, Any] = {}
    exec(text, vars(module) if module else {}, scope)  # noqa: S102
    made: Callable[..., None] = scope["_create"](**known)
    made.__annotations__ = {**annotations, "return": None}
    made.__qualname__ = f"{kind.__qualname__}.__init__"
    return made


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
        if options != _DEFERRED or not _can_wait(written):
            return dataclasses.dataclass(written, **options)
        return _defer(written)
