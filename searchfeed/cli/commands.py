"""The commands by name, each loaded when it is asked for: a search pays for no other.

To add a command, write it in a module of its own, name it here, and nothing else is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module

import click

from searchfeed.cli.configurable import KEYS

COMPLETE = "_SEARCHFEED_COMPLETE"
"""The environment variable by which a shell asks for completions."""

PLACES = {
    "index": "update:index",
    "update": "update:update",
    "watch": "watch:watch",
    "browse": "browse:browse",
    "search": "search:search",
    "like": "like:like",
    "trend": "trend:trend",
    "save": "save:save",
    "unsave": "save:unsave",
    "searches": "save:searches",
    "alerts": "alerts:alerts",
    "show": "look:show",
    "history": "history:history",
    "feeds": "feeds:feeds",
    "stats": "look:stats",
    "explain": "explain:explain",
    "explain-query": "explain:explain_query",
    "export": "export:export",
    "import": "export:import_",
    "prune": "prune:prune",
    "rebuild": "update:rebuild",
    "doctor": "doctor:doctor",
    "backup": "backup:backup",
    "config": "config:config",
    "help": "guide:help",
    "completion": "guide:completion",
}
"""Name → module and function, in the order of a first acquaintance."""


class Commands(MutableMapping[str, click.Command]):
    """The commands of the program; ``places`` is as ``PLACES``."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = dict(places)
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            module, _, function = self._places[name].partition(":")
            self[name] = getattr(import_module(f"{__package__}.{module}"), function)
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        for key in KEYS:
            key.take_from_environment(name, command)
        self._places.setdefault(name, "")
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._places[name]
        self._loaded.pop(name, None)

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
