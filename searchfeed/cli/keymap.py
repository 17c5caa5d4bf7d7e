"""The keys of the terminal app, as the config file may change them.

Only the app knows them, and it takes a third of a second to load; so they are looked at where that
is loaded anyway, and by ``searchfeed config``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from searchfeed.cli.configurable import KEYMAP
from searchfeed.cli.configuration import Configuration, nearest

if TYPE_CHECKING:
    from textual.binding import Binding

_MODIFIERS = {"ctrl", "shift", "alt", "super", "hyper", "meta"}


def actions() -> dict[str, tuple[str, str]]:
    """Every action → its keys, divided by commas, and what it does."""
    from textual.binding import Binding

    found: dict[str, tuple[str, str]] = {}
    for each in _bindings():
        if isinstance(each, Binding) and each.id:
            found.setdefault(each.id, (each.key, each.description))
    return found


def checked(configuration: Configuration) -> Configuration:
    """The same file, with what is wrong with its keys among its problems."""
    if not configuration.keymap:
        return configuration
    known = actions()
    problems = list(configuration.problems)
    for action, keys in configuration.keymap.items():
        where = f"{configuration.path}: {KEYMAP}.{action}"
        if action not in known:
            near = nearest(action.casefold().replace("_", "-"), known)
            hint = f"did you mean {near}?" if near else f"there are: {', '.join(known)}"
            problems.append(f"{where}: no such action; {hint}")
        wrong = {key: _wrong(key) for key in keys.split(",")}
        problems += [
            f"{where}: {key!r} is no key{hint}" for key, hint in wrong.items() if hint is not None
        ]
    return replace(configuration, problems=tuple(problems))


def _bindings() -> Iterator[Binding | tuple[str, ...]]:
    """The bindings of the app, of its screens and of their parts."""
    from textual.dom import DOMNode

    from searchfeed.tui import app, help, keys  # noqa: A004

    yield from keys.SCREEN
    package = app.__name__.rpartition(".")[0]
    assert help.__name__.startswith(package)
    waiting: list[type[DOMNode]] = [DOMNode]
    while waiting:
        kind = waiting.pop()
        waiting += reversed(kind.__subclasses__())
        if kind.__module__.startswith(package):
            yield from vars(kind).get("BINDINGS", ())


def _wrong(key: str) -> str | None:
    """What to say about a key that there is not, or None where there is."""
    from textual.keys import Keys, key_to_character

    *modifiers, name = key.split("+")
    names = {each.value for each in Keys}
    if set(modifiers) <= _MODIFIERS and (name in names or key_to_character(name) is not None):
        return None
    parts = [
        each if each in known or len(each) == 1 else nearest(each, known)
        for each, known in [*((each, _MODIFIERS) for each in modifiers), (name, names)]
    ]
    return f"; did you mean {'+'.join(filter(None, parts))}?" if all(parts) else ""
