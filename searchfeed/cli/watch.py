"""``searchfeed watch``: updates, again and again."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import perf_counter
from types import FrameType

import click

from searchfeed.cli.alerts import tell
from searchfeed.cli.base import Settings, epilog, global_options, network_options
from searchfeed.cli.execution import NOTES, Execution, exec_options
from searchfeed.cli.progress import Bars
from searchfeed.cli.streams import complain
from searchfeed.cli.update import summary
from searchfeed.errors import SearchfeedError
from searchfeed.output.human import count

_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_LENGTH = re.compile(r"(\d{1,6})\s*(s|m|min|h|d)")
_SHORTEST, _LONGEST = timedelta(seconds=1), timedelta(days=30)


class Interval(click.ParamType[timedelta]):
    """A time between two rounds: 90s, 15m (minutes), 2h, 1d."""

    name = "interval"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read it, or say what it should look like."""
        if isinstance(value, timedelta):
            return value
        read = _LENGTH.fullmatch(str(value).strip().lower())
        interval = timedelta(seconds=int(read[1]) * _UNITS[read[2]]) if read else timedelta()
        if not _SHORTEST <= interval <= _LONGEST:
            self.fail(f"{value!r} is not a time such as 90s, 15m (minutes) or 2h", param, ctx)
        return interval


@click.command(
    epilog=epilog(
        "searchfeed watch",
        "searchfeed watch --every 1h",
        "searchfeed watch --exec notify-send",
        notes=(
            (
                "Each round fetches the feeds that are due and leaves the others alone, so that "
                "rounds may be short. It ends at Ctrl+C or when it is told to (SIGTERM), at once "
                "and with exit code 0; what was stored by then stays stored."
            ),
            *NOTES,
        ),
    )
)
@click.option(
    "--every",
    metavar="TIME",
    type=Interval(),
    default="15m",
    show_default=True,
    help="From the start of one round to the next: 90s, 15m (minutes), 2h.",
)
@exec_options
@network_options
@global_options(hidden=True)
@click.pass_obj
def watch(
    settings: Settings,
    /,
    *,
    every: timedelta,
    command: tuple[str, ...] | None,
    timeout: timedelta,
    allow_private: bool,
) -> int:
    """Keep updating until stopped. A line a round tells what came of it.

    With --exec each round then tells what saved searches have found; see "searchfeed alerts".
    """
    execution = Execution(command, timeout, settings.path) if command else None
    try:
        with _stopped_by_signals():
            with settings.open() as index:
                subscribed = sum(feed.subscription is not None for feed in index.feeds())
            _log(settings, f"watching {count(subscribed, 'feed')}; Ctrl+C ends it")
            while True:
                start = perf_counter()
                _round(settings, execution, allow_private=allow_private)
                time.sleep(max(every.total_seconds() - (perf_counter() - start), 0))
    except KeyboardInterrupt:
        _log(settings, "stopped")
        return 0


def _round(settings: Settings, execution: Execution | None, *, allow_private: bool) -> None:
    """Update and tell once; whatever went wrong may be right the next time."""
    try:
        _update(settings, allow_private=allow_private)
        if execution:
            _tell(settings, execution)
    except SearchfeedError as error:
        complain(f"{_now()} {error}")
    except Exception as error:
        # A program that runs for months must outlive a bug that one round met.
        if os.environ.get("SEARCHFEED_DEBUG"):
            raise
        complain(f"{_now()} this is a bug in searchfeed: {type(error).__name__}: {error}")


def _update(settings: Settings, *, allow_private: bool) -> None:
    start = perf_counter()
    with settings.open() as index, Bars(settings) as bars:
        report = index.refresh(allow_private=allow_private, progress=bars)
    for warning in report.warnings if not settings.quiet else ():
        complain(f"{_now()} warning: {warning}")
    for failure in report.failures:
        complain(f"{_now()} {failure}")
    _log(settings, summary(count(report.fetched, "feed"), report, perf_counter() - start))


def _tell(settings: Settings, execution: Execution) -> None:
    """Run the command for what saved searches have found."""
    with settings.open() as index, index.alerts() as found:
        told, _ = tell(found, execution, lambda text: complain(f"{_now()} {text}"))
    if told:
        _log(settings, f"{count(told, 'alert')} told")


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """End the block by KeyboardInterrupt at SIGTERM too."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    # SIGINT as well: a shell that starts a program in the background has it ignored.
    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _log(settings: Settings, message: str) -> None:
    settings.say(f"{_now()} {message}")


def _now() -> str:
    return datetime.now().astimezone().isoformat(" ", "seconds")
