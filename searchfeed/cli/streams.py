"""Where the command line writes: data to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TextIO

import click

from searchfeed.output import Screen
from searchfeed.output.clean import clean


class OutputError(click.ClickException):
    """Standard output cannot be written (a full disk, say)."""

    exit_code = 2


def prepare() -> None:
    """Let no character end the program because the locale's encoding does not have it."""
    for stream in (sys.stdout, sys.stderr):
        # None where the process was started with the stream closed.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace")


def write(pieces: Iterable[str]) -> None:
    """Write data to stdout and flush it.

    A reader that has gone away (``| head``) has what it wanted: the program ends with success.

    Raises:
        OutputError: it cannot be written.
    """
    if sys.stdout is None:
        return
    try:
        for piece in pieces:
            sys.stdout.write(piece)
        sys.stdout.flush()
    except BrokenPipeError:
        _let_go(sys.stdout)
        raise click.exceptions.Exit(0) from None
    except OSError as error:
        _let_go(sys.stdout)
        raise OutputError(f"cannot write the output: {error.strerror}") from error


def say(message: str) -> None:
    """Write a line for the user to stderr; control characters in it are taken out."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"{clean(message)}\n")
        sys.stderr.flush()
    except OSError:
        # There is nobody to tell it to.
        _let_go(sys.stderr)


def complain(message: str) -> None:
    """Say what is wrong."""
    say(f"searchfeed: {message}")


def takes_escapes(stream: TextIO, color: str) -> bool:
    """Whether colours, links and cursor movements may be written to the stream.

    ``color`` is ``auto``, ``always`` or ``never``; auto keeps to terminals that can, and to
    https://no-color.org.
    """
    if color != "auto":
        return color == "always"
    terminal = os.environ.get("TERM", "")
    return (
        is_terminal(stream)
        and terminal not in ("", "dumb", "unknown")
        and not os.environ.get("NO_COLOR")
    )


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody sees what is written to the stream; never for a closed one."""
    return stream is not None and not stream.closed and stream.isatty()


def screen(color: str) -> Screen:
    """Stdout, as a renderer wants it described."""
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "")
    return Screen(
        width=_width(),
        escapes=sys.stdout is not None and takes_escapes(sys.stdout, color),
        ascii=encoding not in ("utf8", "utf8sig"),
    )


def _width() -> int:
    """The columns of the terminal, or what ``COLUMNS`` says; 80 where there is none.

    It is what ``shutil.get_terminal_size`` says, which takes modules for archives along.
    """
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):
        # It is closed, or no terminal.
        return 80


def _let_go(stream: TextIO) -> None:
    """Keep Python's flush at exit from failing on the stream and saying so."""
    try:
        descriptor = stream.fileno()
    except OSError:
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)
