"""``searchfeed config``: what is set, and where."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import asdict, replace
from typing import Any

import click

from searchfeed.cli import streams
from searchfeed.cli.base import Group, Settings, epilog, global_options
from searchfeed.cli.configurable import KEYMAP, KEYS, Key
from searchfeed.cli.configuration import Configuration, nearest, read
from searchfeed.cli.streams import complain
from searchfeed.output.clean import line
from searchfeed.output.human import count
from searchfeed.values import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """What holds for a key, and who says so: ``flag``, ``env``, ``file`` or ``default``."""

    key: str
    value: Any
    origin: str


@click.group(
    cls=Group,
    invoke_without_command=True,
    epilog=epilog(
        "searchfeed config show",
        'mkdir -p "$(dirname "$(searchfeed config path)")"',
        'searchfeed config example > "$(searchfeed config path)"',
        notes=(
            (
                "An option on the command line counts most, then the environment (SEARCHFEED_LIMIT "
                "for search.limit, and so for every other), then the file, then the default. "
                "SEARCHFEED_CONFIG names another file."
            ),
        ),
    ),
)
@global_options(hidden=True)
@click.pass_context
def config(context: click.Context, /) -> None:
    """Show what is set in the config file and elsewhere."""
    if context.invoked_subcommand is None:
        streams.write([f"{context.get_help()}\n"])


def _complete_key(context: click.Context, _: click.Parameter, typed: str) -> list[str]:
    chosen = context.params.get("keys") or ()
    return [key.name for key in KEYS if key.name.startswith(typed) and key.name not in chosen]


@config.command(
    epilog=epilog(
        "searchfeed config show",
        "searchfeed config show search.limit",
        "searchfeed config show --json | jq -r '.settings[] | select(.origin == \"file\") | .key'",
        notes=(
            (
                "Each line has the key, its value and where that is from: flag, env, file or "
                "default. Into a pipe they are divided by tabs."
            ),
        ),
    )
)
@click.argument("keys", metavar="[KEY]...", nargs=-1, shell_complete=_complete_key)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@global_options(hidden=True)
@click.pass_context
def show(context: click.Context, /, *, keys: tuple[str, ...], as_json: bool) -> int:
    """Show each setting, its value and where that is from."""
    configuration = _configuration(context)
    configuration.check()
    known = [key.name for key in KEYS]
    for name in keys:
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean {near}?" if near else f"there are: {', '.join(known)}"
            raise click.UsageError(f"no key {name!r}; {hint}", context)
    settings = [_setting(context, configuration, key) for key in KEYS]
    settings += [
        Setting(f"{KEYMAP}.{action}", chosen, "file")
        for action, chosen in configuration.keymap.items()
    ]
    settings = [_without_password(each) for each in settings if not keys or each.key in keys]
    if as_json:
        document = {
            "version": 1,
            "file": str(configuration.path) if configuration.found else None,
            "settings": [asdict(each) for each in settings],
        }
        streams.write([f"{json.dumps(document, ensure_ascii=False, indent=2)}\n"])
        return 0
    rows = [(each.key, _shown(each.value), each.origin) for each in settings]
    gap, widths = "\t", [0, 0, 0]
    if streams.is_terminal(sys.stdout):
        gap, widths = "  ", [max(map(len, column)) for column in zip(*rows, strict=True)]
    streams.write(f"{gap.join(map(str.ljust, row, widths)).rstrip(' ')}\n" for row in rows)
    return 0


@config.command(epilog=epilog("searchfeed config path", '$EDITOR "$(searchfeed config path)"'))
@global_options(hidden=True)
@click.pass_context
def path(context: click.Context, /) -> int:
    """Print where the config file is, or would be."""
    configuration = _configuration(context)
    streams.write([f"{line(str(configuration.path))}\n"])
    if not configuration.found:
        context.ensure_object(Settings).say("there is no such file; nothing needs one")
    return 0


@config.command(
    epilog=epilog(
        "searchfeed config validate",
        "SEARCHFEED_CONFIG=new.toml searchfeed config validate",
        notes=("Exit code: 0 nothing is wrong, or there is no file, 2 something is.",),
    )
)
@global_options(hidden=True)
@click.pass_context
def validate(context: click.Context, /) -> int:
    """Say all that is wrong with the config file, a line each."""
    from searchfeed.cli import keymap

    configuration = keymap.checked(_configuration(context))
    for problem in configuration.problems:
        complain(problem)
    if configuration.problems:
        return 2
    settings = context.ensure_object(Settings)
    if configuration.found:
        number = len(configuration.values) + len(configuration.keymap)
        settings.say(f"{configuration.path}: {count(number, 'setting')}, nothing is wrong")
    else:
        settings.say(f"{configuration.path}: there is no such file; nothing needs one")
    return 0


@config.command(epilog=epilog("searchfeed config example | less"))
@global_options(hidden=True)
def example() -> int:
    """Print a config file with every key, what it means, and its default."""
    streams.write(f"{row}\n" for row in _example())
    return 0


def _configuration(context: click.Context) -> Configuration:
    settings = context.ensure_object(Settings)
    root = context.find_root().command
    assert isinstance(root, click.Group)
    return settings.configuration or read(root)


def _setting(context: click.Context, configuration: Configuration, key: Key) -> Setting:
    """What holds for a key, as click works it out for its options.

    Raises:
        click.UsageError: the environment says what may not be.
    """
    root = context.find_root()
    assert isinstance(root.command, click.Group)
    option = next(key.options(root.command))
    # An option of the program may stand before and behind each command on the way here.
    place: click.Context | None = context if "" in key.commands else None
    while place is not None:
        source = place.get_parameter_source(key.option)
        if source is click.core.ParameterSource.COMMANDLINE:
            return Setting(key.name, getattr(context.obj, key.option), "flag")
        place = place.parent
    if os.environ.get(key.variable):
        value = option.value_from_envvar(context)
        try:
            checked = option.type_cast_value(context, value)
        except click.BadParameter as error:
            raise click.UsageError(f"{key.variable}: {error.message}", context) from error
        # What the file would have in its place: a length of time stays the text that it is.
        plain = isinstance(checked, bool | int)
        return Setting(key.name, checked if plain else value, "env")
    if key.name in configuration.values:
        return Setting(key.name, configuration.values[key.name], "file")
    value = str(context.obj.path) if key.name == "index" else key.default
    return Setting(key.name, value, "default")


def _without_password(setting: Setting) -> Setting:
    """The same, fit for a report of a mistake: addresses without a user and a password."""
    if not isinstance(setting.value, str):
        return setting
    return replace(setting, value=re.sub(r"(?<=://)[^/@\s]*@", "", setting.value))


def _shown(value: object) -> str:
    """A value as the file would have it, without the quotes; nothing where there is none."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return _toml(value)
    return line(str(value).lower() if isinstance(value, bool) else str(value))


def _toml(value: object) -> str:
    """A value as the file has it."""
    # JSON's are TOML's: true, 10, "text" with \\u escapes, ["a list"].
    return json.dumps(value, ensure_ascii=False)


def _example() -> list[str]:
    from searchfeed.cli import keymap

    rows = [
        "# The config file of searchfeed, with every key and its default.",
        "# Take the # in front of a key away to set it.",
    ]
    table = ""
    for key in KEYS:
        head, _, name = key.name.rpartition(".")
        if head != table:
            rows += ["", f"[{head}]"]
            table = head
        value = key.sample if key.default is None else key.default
        rows += ["", f"# {key.meaning}", f"#{name} = {_toml(value)}"]
    rows += [
        "",
        f"[{KEYMAP}]",
        "",
        "# The keys for what can be done in the terminal app, divided by commas.",
    ]
    for action, (keys, meaning) in keymap.actions().items():
        rows += ["", f"# {meaning}.", f"#{action} = {_toml(keys)}"]
    return rows
