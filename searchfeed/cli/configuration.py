"""The config file: where it is, what may stand in it, and what is wrong with one.

What each setting accepts is what its option accepts, so the two cannot disagree. It is taken from
the option, else from the environment, else from the file, else it has its default: click's own
order, with the file as its ``default_map``.

Without a file this costs one look for it, and tomllib is not loaded.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

import click

from searchfeed.cli.configurable import KEYMAP, KEYS, Key
from searchfeed.values import dataclass

VARIABLE = "SEARCHFEED_CONFIG"
"""The environment variable that names another config file."""

_LONGEST = 1_000_000
_LINUX = sys.platform.startswith("linux")


class ConfigError(click.ClickException):
    """The config file cannot be used."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Configuration:
    """A config file as it was read.

    Attributes:
        path: where it is, or would be.
        found: whether it is there.
        values: the name of each setting in it → its value as TOML has it.
        keymap: action of the terminal app → its keys, divided by commas.
        problems: what is wrong with it, a line each. If there are any, nothing of it holds.
    """

    path: Path
    found: bool = False
    values: Mapping[str, Any] = field(default_factory=dict)
    keymap: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def check(self) -> None:
        """Do nothing if the file can be used.

        Raises:
            ConfigError: it cannot; the message is one line.
        """
        if self.problems:
            more = len(self.problems) - 1
            rest = f" (and {more} more: searchfeed config validate)" if more else ""
            raise ConfigError(f"{self.problems[0]}{rest}")

    def defaults(self) -> dict[str, Any]:
        """The settings as click's ``default_map``; empty where something is wrong with them."""
        defaults: dict[str, Any] = {}
        for key in KEYS if self.values and not self.problems else ():
            if key.name in self.values:
                for path in key.commands:
                    place = defaults
                    for name in path.split():
                        place = place.setdefault(name, {})
                    place[key.option] = self.values[key.name]
        return defaults


def location() -> Path:
    """Where the config file is looked for."""
    if named := os.environ.get(VARIABLE):
        return Path(_home(named))
    if _LINUX:
        # What platformdirs says there; every command comes by here, and loading it takes as long
        # as a search does.
        folder = os.environ.get("XDG_CONFIG_HOME", "")
        return Path(folder if folder.startswith("/") else _home("~/.config"), *_NAME)
    from platformdirs import user_config_path

    return user_config_path(_NAME[0]) / _NAME[1]


def read(app: click.Group) -> Configuration:
    """The config file with what is wrong with it.

    Args:
        app: the program, whose options say what each setting may be.
    """
    path = location()
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST + 1)
    except FileNotFoundError:
        if os.environ.get(VARIABLE):
            return Configuration(path, problems=(f"{path}: no such file ({VARIABLE} names it)",))
        return Configuration(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return Configuration(path, problems=(f"{path}: cannot be read: {reason}",))
    if len(data) > _LONGEST:
        return Configuration(path, found=True, problems=(f"{path}: longer than a megabyte",))
    import tomllib

    try:
        # Editors of Windows write a byte order mark.
        text = data.decode("utf-8-sig")
        tables = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Configuration(path, found=True, problems=(f"{path}: line {line}: not UTF-8",))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return Configuration(path, found=True, problems=(f"{path}: not TOML: {error}",))
    return _checked(app, path, text, tables)


def _checked(app: click.Group, path: Path, text: str, tables: dict[str, Any]) -> Configuration:
    known = {key.name: key for key in KEYS}
    values: dict[str, Any] = {}
    keymap: dict[str, str] = {}
    problems = []
    for name, value in _flat(tables):
        table, _, action = name.partition(".")
        try:
            if table == KEYMAP and action:
                keymap[action] = _keys(value)
            elif name in known:
                values[name] = _value(app, path, known[name], value)
            else:
                raise ValueError(_unknown(name, value))
        except ValueError as error:
            problems.append(f"{path}: {_place(text, name)}{name}: {error}")
    return Configuration(path, found=True, values=values, keymap=keymap, problems=tuple(problems))


def _flat(tables: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each key behind the name of its table, of which there is one level."""
    for name, value in tables.items():
        if isinstance(value, dict) and name in _TABLES:
            yield from ((f"{name}.{inner}", each) for inner, each in value.items())
        else:
            yield name, value


def _value(app: click.Group, path: Path, key: Key, value: object) -> object:
    """The value of a setting, checked by the option that it sets.

    Raises:
        ValueError: it may not be that.
    """
    # Those of all its commands are alike, and the others need not be loaded.
    option = next(key.options(app))
    if option.multiple:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise ValueError(f'takes a list of texts, such as ["a", "b"], not {_kind(value)}')
        return value
    kind: type
    kind, named = str, "a text in quotes"
    if option.is_flag:
        kind, named = bool, "true or false"
    elif isinstance(option.type, type(click.INT)):
        kind, named = int, "a whole number"
    # To Python, True is a number.
    if type(value) is not kind:
        raise ValueError(f"takes {named}, not {_kind(value)}")
    try:
        option.type.convert(value, option, None)
    except click.BadParameter as error:
        raise ValueError(error.message.rstrip(".") + _meant(value, option)) from error
    if key.name == "index":
        if not value:
            raise ValueError("names no folder")
        return str(path.parent.absolute() / _home(str(value)))
    return value


def _keys(value: object) -> str:
    """The keys for an action of the terminal app.

    Raises:
        ValueError: it is no text with the names of keys.
    """
    if not isinstance(value, str):
        raise ValueError(f'takes keys as one text, such as "j,down", not {_kind(value)}')
    names = [each.strip() for each in value.split(",")]
    if not all(re.fullmatch(r"\S+", each) for each in names):
        raise ValueError(f'{value!r} is not a list of keys such as "j,down"')
    return ",".join(names)


def _unknown(name: str, value: object) -> str:
    table, _, inner = name.rpartition(".")
    if name in _TABLES:
        return f"is a table: [{name}]"
    if isinstance(value, dict) and not table:
        near = nearest(name, _TABLES)
        return f"no such table{f'; did you mean [{near}]?' if near else _there_are(_TABLES)}"
    names = [key.name for key in KEYS]
    # Often it is the right key in the wrong table.
    whole = {each.rpartition(".")[2]: each for each in names}
    near = nearest(inner.casefold().replace("-", "_"), whole)
    return f"no such key{f'; did you mean {whole[near]}?' if near else _there_are(names)}"


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of the names that was probably meant."""
    from difflib import get_close_matches

    near = get_close_matches(name, list(names), n=1)
    return near[0] if near else None


def _there_are(names: list[str]) -> str:
    return f"; there are: {', '.join(names)}"


def _meant(value: object, option: click.Option) -> str:
    if not isinstance(option.type, click.Choice):
        return ""
    near = nearest(str(value), option.type.choices)
    return f"; did you mean {near!r}?" if near else ""


def _kind(value: object) -> str:
    """What a value of TOML is called."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {value!r}"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a table"
    return "a date or time"


def _place(text: str, name: str) -> str:
    """The line that a key stands on, where only one line can be it."""
    last = re.escape(name.rpartition(".")[2])
    found = list(
        re.finditer(rf"""^[ \t]*\[?(?:[\w-]+\.)?["']?{last}["']?[ \t]*[=\]]""", text, re.M)
    )
    return f"line {text.count(chr(10), 0, found[0].start()) + 1}: " if len(found) == 1 else ""


def _home(path: str) -> str:
    # Path's own raises where there is no home.
    return os.path.expanduser(path)  # noqa: PTH111


_NAME = ("searchfeed", "config.toml")
_TABLES = sorted({key.name.partition(".")[0] for key in KEYS if "." in key.name} | {KEYMAP})
