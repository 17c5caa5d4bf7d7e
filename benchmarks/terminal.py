"""A terminal with a program in it: what stands on its screen, and when that was painted.

It knows as much of the control sequences as the app writes, and answers that it takes paints as a
whole (synchronized output, as most terminals do), so that the end of each is known.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator, Mapping, Sequence
from time import perf_counter

from rich.cells import cell_len

PATIENCE = 30.0
"""Seconds after which what is waited for will not come."""

_TOKEN = re.compile(
    r"\x1b\[([?<=>]?)([\d;:]*)([ $!]?)([@-~])"  # a control sequence
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\)"  # a string, as a title or a link
    r"|\x1b[()#].|\x1b[^\[\]PX^_()#]"
    r"|([^\x1b\x00-\x1f\x7f]+)"  # text
    r"|([\x00-\x1a\x1c-\x1f\x7f])",
    re.DOTALL,
)
_BEGUN, _ENDED = "\x1b[?2026h", "\x1b[?2026l"
_ASKED = "\x1b[?2026$p"
_ANSWER = b"\x1b[?2026;2$y"


class Screen:
    """The characters of a screen, as a program has painted them.

    Attributes:
        cursor: its row and column, from 0.
        written: the cells written since ``forget``, as rows and half-open ranges of columns.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.cursor = (0, 0)
        self.written: list[tuple[int, int, int]] = []
        self._cells = [[" "] * columns for _ in range(rows)]
        self._rest = ""

    @property
    def lines(self) -> list[str]:
        """The rows from top to bottom."""
        return ["".join(row) for row in self._cells]

    def forget(self) -> None:
        """Begin anew to note what is written."""
        self.written = []

    def feed(self, text: str) -> Iterator[None]:
        """Take what a program writes; yield at the end of each paint."""
        text, place = self._rest + text, 0
        while found := _TOKEN.match(text, place):
            place = found.end()
            mode, numbers, _, final, written, control = found.groups()
            if written:
                self._write(written)
            elif control:
                self._control(control)
            elif final and not mode:
                self._command(final, numbers)
            elif found.group() == _ENDED:
                yield
        self._rest = text[place:]

    def _write(self, text: str) -> None:
        row, column = self.cursor
        cells = [*text] if text.isascii() else list(_cells(text))
        cells = cells[: self.columns - column]
        self._cells[row][column : column + len(cells)] = cells
        self.written.append((row, column, column + len(cells)))
        self.cursor = row, min(column + len(cells), self.columns - 1)

    def _control(self, control: str) -> None:
        row, column = self.cursor
        if control == "\r":
            self.cursor = row, 0
        elif control == "\n":
            self.cursor = min(row + 1, self.rows - 1), column

    def _command(self, final: str, numbers: str) -> None:
        if final == "H":
            row, _, column = numbers.partition(";")
            self.cursor = (
                min(int(row or 1), self.rows) - 1,
                min(int(column or 1), self.columns) - 1,
            )
        elif final == "J":
            self._cells = [[" "] * self.columns for _ in range(self.rows)]


def _cells(text: str) -> Iterator[str]:
    """A text by its cells; that behind a wide character is empty."""
    for character in text:
        width = cell_len(character)
        if width:
            yield character
            yield from [""] * (width - 1)


class Terminal:
    """A program in a terminal of its own.

    Args:
        command: the program.
        environment: its variables.
        columns, rows: the size of its screen.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], columns: int, rows: int
    ) -> None:
        self.screen = Screen(columns, rows)
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.started = perf_counter()
        self._process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, process_group=0
        )
        os.close(theirs)
        self.process = self._process.pid

    def press(self, keys: str) -> float:
        """Type, and return the time just before."""
        self.screen.forget()
        pressed = perf_counter()
        os.write(self._ours, keys.encode())
        return pressed

    def watch(self, **seen: Callable[[Screen], bool]) -> dict[str, float]:
        """Wait until the screen shows everything that is looked for, each at the end of a paint.

        Returns:
            By its name when the last byte of the paint came that showed it.

        Raises:
            TimeoutError: something of it does not come; the message shows the screen.
        """
        times: dict[str, float] = {}
        deadline = perf_counter() + PATIENCE
        while len(times) < len(seen):
            chunk = self._read(deadline - perf_counter())
            now = perf_counter()
            if chunk is None:
                missing = ", ".join(seen.keys() - times)
                shown = "\n".join(line.rstrip() for line in self.screen.lines)
                raise TimeoutError(f"no {missing} on the screen:\n{shown}")
            for _ in self.screen.feed(chunk):
                for name, shows in seen.items():
                    if name not in times and shows(self.screen):
                        times[name] = now
        return times

    def rest(self, seconds: float) -> None:
        """Let so much time pass, and take what is painted meanwhile."""
        until = perf_counter() + seconds
        while (chunk := self._read(until - perf_counter())) is not None:
            for _ in self.screen.feed(chunk):
                pass

    def close(self) -> None:
        """End the program, whatever it is doing."""
        if self._process.poll() is None:
            os.killpg(self.process, signal.SIGKILL)
        self._process.wait()
        os.close(self._ours)

    def _read(self, seconds: float) -> str | None:
        """What comes next; None where nothing does for so long, or the program has ended.

        A paint is taken whole: to look at its first half would keep the second one waiting.
        """
        text = ""
        until = perf_counter() + max(seconds, 0)
        while not text or text.rfind(_BEGUN) > text.rfind(_ENDED):
            if not select.select([self._ours], [], [], max(until - perf_counter(), 0))[0]:
                return text or None
            try:
                text += self._decoder.decode(os.read(self._ours, 65_536))
            except OSError:  # a terminal whose other end is closed says so
                return text or None
        if _ASKED in text:
            os.write(self._ours, _ANSWER)
        return text
