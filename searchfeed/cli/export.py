"""``searchfeed export`` and ``import``: all that an index keeps, as lines of JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import BinaryIO

import click

from searchfeed.cli import streams
from searchfeed.cli.base import Settings, epilog, feeds_option, global_options
from searchfeed.cli.progress import Bars
from searchfeed.cli.streams import OutputError, complain
from searchfeed.cli.update import changes
from searchfeed.output.human import count, duration

_LONGEST = 64_000_001
"""Bytes of a line that are read: one more than any that is accepted has."""


@click.command(
    epilog=epilog(
        "searchfeed export feeds.ndjson",
        "searchfeed export | gzip > feeds.ndjson.gz",
        "searchfeed export | ssh other searchfeed import -",
        "searchfeed export --feed icmpd | jq -r 'select(.entry) | .title'",
        notes=(
            (
                "The lines are described in docs/export-format.md. They hold no password: a feed "
                "that needs one has to be subscribed to again."
            ),
        ),
    )
)
@click.argument("file", default="-", type=click.Path(dir_okay=False, path_type=Path))
@feeds_option
@global_options(hidden=True)
@click.pass_obj
def export(settings: Settings, /, *, file: Path, feeds: tuple[str, ...]) -> int:
    """Write down all that the index keeps, a line a record.

    Without FILE, or with -, the lines go to standard output. They tell of every feed, every
    version of every entry and what was pruned, as of one moment, whatever is written meanwhile.
    """
    with settings.open() as index:
        lines = index.export(feeds=feeds)
        if str(file) == "-":
            streams.write(lines)
            return 0
        number = _save(file, lines)
    settings.say(f"{file}: {count(number, 'line')}")
    return 0


@click.command(
    "import",
    epilog=epilog(
        "searchfeed import feeds.ndjson",
        "gunzip -c feeds.ndjson.gz | searchfeed import -",
        notes=(
            (
                "Exit code: 0 every line was taken in, 2 at least one was not; what the others "
                "say is in the index all the same."
            ),
        ),
    ),
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@global_options(hidden=True)
@click.pass_obj
def import_(settings: Settings, /, *, file: Path) -> int:
    """Take in what "searchfeed export" wrote; - is standard input.

    What is in the index stays, and nothing comes to be there twice: taking a file in again changes
    nothing. Entries that were pruned here come back, if the file has them.
    """
    start = perf_counter()
    name = "standard input" if str(file) == "-" else str(file)
    with _opened(file) as source, settings.open() as index, Bars(settings) as bars:
        report = index.import_(_lines(source), name=name, progress=bars)
    for failure in report.failures:
        complain(str(failure))
    settings.say(f"{name}: {changes(report)} in {duration(perf_counter() - start)}")
    return 2 if report.failures else 0


def _save(file: Path, lines: Iterator[str]) -> int:
    """Write a file, whole or not at all, that only the user can read; return how many lines."""
    temporary = file.with_name(f"{file.name}.part")
    number = 0
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as target:
            for line in lines:
                target.write(line)
                number += 1
            target.flush()
            # It may be all that is left of what is pruned next.
            os.fsync(descriptor)
        temporary.replace(file)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(f"cannot write {file}: {error.strerror or error}") from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return number


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if str(file) == "-":
        if sys.stdin is None:
            raise click.UsageError("standard input is closed")
        yield sys.stdin.buffer
        return
    try:
        source = file.open("rb")
    except OSError as error:
        raise click.FileError(str(file), error.strerror or str(error)) from error
    with source:
        yield source


def _lines(source: BinaryIO) -> Iterator[bytes]:
    """The lines, so much of each as is needed to see that it is too long."""
    while line := source.readline(_LONGEST):
        yield line
        while len(line) == _LONGEST and not line.endswith(b"\n"):
            line = source.readline(_LONGEST)
