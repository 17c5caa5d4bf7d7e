"""A command of the user's that is run for an alert.

Nothing from a feed comes near a shell: the command is split once, before anything is known of an
entry, and an entry's values are single arguments and variables of its environment.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from searchfeed.alerting import Alert
from searchfeed.output.clean import hyperlink, line
from searchfeed.output.human import count, timestamp
from searchfeed.values import dataclass

Function = TypeVar("Function", bound=Callable[..., Any])

_GRACE = 1.0
"""Seconds that a command has to end once it is told to."""

_LONGEST = 10_000
"""Characters of a value; a system refuses to run a command with very long ones."""


class Exec(click.ParamType[tuple[str, ...]]):
    """A command with its own arguments, quoted as in a shell."""

    name = "command"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Split it, or say what is wrong with it."""
        if isinstance(value, tuple):
            return value
        try:
            words = tuple(shlex.split(str(value)))
        except ValueError as error:
            self.fail(f"{value!r} cannot be split into words: {str(error).lower()}", param, ctx)
        if not words or not words[0] or any("\0" in word for word in words):
            self.fail(f"{value!r} names no command", param, ctx)
        return words


class Seconds(click.ParamType[timedelta]):
    """A length of time: 30s, 5m (minutes), 1h."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read it, or say what it should look like."""
        if isinstance(value, timedelta):
            return value
        text = str(value).strip().lower()
        units = {"s": 1, "m": 60, "h": 3600}
        number, unit = text[:-1], units.get(text[-1:])
        if not unit or not (number.isascii() and number.isdigit()) or not 0 < int(number) < 10**6:
            self.fail(f"{value!r} is not a time such as 30s or 5m (minutes)", param, ctx)
        return timedelta(seconds=int(number) * unit)


def exec_options(function: Function) -> Function:
    """What is run for each alert, and for how long at most."""
    function = click.option(
        "--timeout",
        metavar="TIME",
        type=Seconds(),
        default="1m",
        show_default=True,
        help="How long CMD may take: 30s, 5m (minutes).",
    )(function)
    return click.option(
        "--exec",
        "command",
        metavar="CMD",
        type=Exec(),
        help="Run this for each alert; title and link are added as arguments.",
    )(function)


NOTES = (
    (
        "CMD is run without a shell, once for each alert. Two arguments are added to its own, the "
        "title and the link, and its environment has SEARCHFEED_SEARCH, _TITLE, _LINK, _FEED, "
        "_FEED_URL, _DATE (UTC), _AUTHORS, _TAGS, _PASSAGE, _ID, _INDEX and _ALERT. An alert for "
        "which it fails or takes too long comes again the next time. So does one during which "
        "searchfeed was killed: _ALERT is the same then, and of no other alert."
    ),
)
"""What the help of a command says that has these options."""


@dataclass(frozen=True, slots=True)
class Execution:
    """A command, how long it may take, and the index that it is told of."""

    command: tuple[str, ...]
    timeout: timedelta
    index: Path

    def run(self, alert: Alert) -> str:
        """Run it for an alert; why it failed, in a few words, or an empty string."""
        values = _values(alert)
        title = values["SEARCHFEED_TITLE"]
        # A title such as --help would be an option to the command.
        arguments = [f" {title}" if title.startswith("-") else title, values["SEARCHFEED_LINK"]]
        try:
            process = subprocess.Popen(  # noqa: S603 - it is the user's own
                [*self.command, *arguments],
                stdin=subprocess.DEVNULL,
                env={**os.environ, **values, "SEARCHFEED_INDEX": str(self.index.absolute())},
                # Of its own, so that what it starts ends with it.
                process_group=0,
            )
        except OSError as error:
            return error.strerror or str(error)
        try:
            code = process.wait(self.timeout.total_seconds())
        except subprocess.TimeoutExpired:
            _end(process)
            seconds = int(self.timeout.total_seconds())
            return f"it took longer than {count(seconds, 'second')} and was ended"
        except BaseException:
            _end(process)
            raise
        if code < 0:
            with suppress(ValueError):
                return f"it was ended by {signal.Signals(-code).name}"
        return f"exit code {code}" if code else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command and all that it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)


def _values(alert: Alert) -> dict[str, str]:
    entry = alert.hit.entry
    values = {
        "ALERT": alert.id,
        "SEARCH": alert.search,
        "ID": entry.id,
        "TITLE": entry.title,
        "LINK": hyperlink(entry.link),
        "FEED": entry.feed_name,
        "FEED_URL": entry.feed_url,
        "DATE": timestamp(entry.date),
        "AUTHORS": ", ".join(entry.authors),
        "TAGS": ", ".join(entry.tags),
        "PASSAGE": alert.hit.snippets[0].text,
    }
    return {f"SEARCHFEED_{name}": line(each)[:_LONGEST].strip() for name, each in values.items()}
