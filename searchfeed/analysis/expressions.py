"""Regular expressions that take one step for each character, whatever they say.

Python's ``re`` tries one way after another, so that ``(a+)+$`` on thirty letters takes minutes,
and nothing can end it. Whether a whole term fits can be told without that: all ways are followed
at once, as the states of an automaton (K. Thompson, "Regular expression search algorithm", 1968),
each set of which is worked out when a term first leads there. What no automaton can do
(references back, looking around) is refused.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from searchfeed.patterns import deferred

STATE_LIMIT: Final = 4_000
"""States of one expression: each character and sign of it needs a few, counts written out."""

DEPTH_LIMIT: Final = 50
"""Groups within each other."""

_SETS_LIMIT: Final = 10_000
"""Steps remembered; then they are forgotten and found anew."""

_COUNT = deferred(r"\{(\d{0,4})(?:(,)(\d{0,4}))?\}")
_GROUP = deferred(r"\((?:\?(?::|P<\w+>))?")
_CLASS = deferred(r"\[\^?\]?(?:\\.|[^\\\]])*+\]", re.S)
_ESCAPE = deferred(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|0|[^0-9bBxuUN])", re.S)

_START, _END = "start", "end"
_ANCHORS: Final = {"^": _START, r"\A": _START, "$": _END, r"\Z": _END}


class ExpressionError(ValueError):
    """An expression that cannot be read, or asks for what no automaton can do."""


@dataclass(slots=True)
class _State:
    """A place in the expression.

    ``fits`` tells the characters that lead to ``target``. ``empty`` are the places that nothing
    leads to, or nothing but the start or the end of the text.
    """

    fits: Callable[[str], object] | None = None
    target: int = 0
    empty: list[tuple[int, str]] = field(default_factory=list)


class _Builder:
    """Reads an expression and lays out its states, in one descent."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.depth = 0
        self.states = [_State()]

    def build(self) -> int:
        """The number of the last state; the first is 0."""
        end = self._choice(0)
        if self.at < len(self.pattern):
            raise ExpressionError("unbalanced parenthesis")
        return end

    def _new(self) -> int:
        if len(self.states) >= STATE_LIMIT:
            raise ExpressionError("its counts make it too long")
        self.states.append(_State())
        return len(self.states) - 1

    def _link(self, source: int, target: int, when: str = "") -> None:
        self.states[source].empty.append((target, when))

    def _choice(self, start: int) -> int:
        ends = []
        while True:
            first = self._new()
            self._link(start, first)
            ends.append(self._sequence(first))
            if not self.pattern.startswith("|", self.at):
                break
            self.at += 1
        end = self._new()
        for each in ends:
            self._link(each, end)
        return end

    def _sequence(self, start: int) -> int:
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            start = self._repeated(start)
        return start

    def _repeated(self, start: int) -> int:
        begin, here = self.at, self._new()
        self._link(start, here)
        end = self._atom(here)
        low, high = self._counts()
        if (low, high) == (1, 1):
            return end
        after, last = self.at, self._new()
        if low == 0:
            self._link(start, last)
        # Counts are written out: the atom is read again for each.
        for number in range(1, max(low, 1) if high is None else high):
            if number >= low:
                self._link(end, last)
            here = self._new()
            self._link(end, here)
            self.at = begin
            end = self._atom(here)
        if high is None:
            self._link(end, here)
        if high != 0:
            self._link(end, last)
        self.at = after
        return last

    def _counts(self) -> tuple[int, int | None]:
        """How often the last atom may stand; as few as possible is the same to a whole term."""
        sign = self.pattern[self.at : self.at + 1]
        counts: tuple[int, int | None] = (1, 1)
        if sign and sign in "*+?":
            self.at += 1
            counts = {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        elif (match := _COUNT.match(self.pattern, self.at)) and match[0] not in ("{}",):
            self.at = match.end()
            low = int(match[1] or 0)
            high = low if not match[2] else int(match[3]) if match[3] else None
            if high is not None and high < low:
                raise ExpressionError("min repeat greater than max repeat")
            counts = low, high
        else:
            return counts
        if self.pattern.startswith("?", self.at):
            self.at += 1
        if self.pattern.startswith(("*", "+", "?"), self.at):
            raise ExpressionError("multiple repeat")
        return counts

    def _atom(self, start: int) -> int:
        text, at = self.pattern, self.at
        anchor = next((each for each in _ANCHORS if text.startswith(each, at)), "")
        if anchor:
            self.at += len(anchor)
            end = self._new()
            self._link(start, end, _ANCHORS[anchor])
            return end
        if text[at] == "(":
            return self._group(start)
        if text[at] in "*+?":
            raise ExpressionError("nothing to repeat")
        piece = text[at]
        if piece in "[\\":
            match = (_CLASS if piece == "[" else _ESCAPE).match(text, at)
            if match is None:
                raise ExpressionError(f"{text[at : at + 2]} is not supported")
            piece = match[0]
        self.at += len(piece)
        end = self._new()
        here = self._new()
        self._link(start, here)
        self.states[here].fits = _single(piece)
        self.states[here].target = end
        return end

    def _group(self, start: int) -> int:
        match = _GROUP.match(self.pattern, self.at)
        assert match is not None
        self.at = match.end()
        if self.pattern.startswith("?", self.at):
            raise ExpressionError(f"({self.pattern[self.at : self.at + 2]} is not supported")
        self.depth += 1
        if self.depth > DEPTH_LIMIT:
            raise ExpressionError("its groups are nested too deep")
        end = self._choice(start)
        self.depth -= 1
        if not self.pattern.startswith(")", self.at):
            raise ExpressionError("missing ), unterminated subpattern")
        self.at += 1
        return end


def _single(piece: str) -> Callable[[str], object]:
    """What tells whether one character fits a piece of an expression that stands for one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            literal = len(piece) == 1 and piece != "."
            return re.compile(re.escape(piece) if literal else piece, re.IGNORECASE).fullmatch
    except re.error as error:
        raise ExpressionError(str(error)) from error


class Expression:
    """A regular expression in Python's syntax, without regard to case.

    Raises:
        ExpressionError: it cannot be read, or has what is not supported.

    >>> Expression("(a+)+b?").fits("a" * 50), Expression("(a+)+b").fits("a" * 50)
    (True, False)
    """

    def __init__(self, pattern: str) -> None:
        builder = _Builder(pattern)
        self._end = builder.build()
        self._states = builder.states
        self._numbers: dict[str, frozenset[int]] = {}
        self._steps: dict[tuple[frozenset[int], str], frozenset[int]] = {}
        self._ends: dict[frozenset[int], bool] = {}
        self._start = self._reach({0}, _START)

    def fits(self, text: str) -> bool:
        """Whether the whole of the text fits."""
        current, steps = self._start, self._steps
        for character in text:
            following = steps.get((current, character))
            if following is None:
                following = self._step(current, character)
            if not following:
                return False
            current = following
        end = self._ends.get(current)
        if end is None or not text:
            end = self._end in self._reach(current, _END if text else f"{_START} {_END}")
            if text:
                self._ends[current] = end
        return end

    def _step(self, current: frozenset[int], character: str) -> frozenset[int]:
        fitting = self._numbers.get(character)
        if fitting is None:
            fitting = self._numbers[character] = frozenset(
                number
                for number, state in enumerate(self._states)
                if state.fits is not None and state.fits(character)
            )
        if len(self._steps) >= _SETS_LIMIT:
            self._steps.clear()
            self._ends.clear()
        following = self._reach({self._states[number].target for number in current & fitting})
        self._steps[current, character] = following
        return following

    def _reach(self, numbers: frozenset[int] | set[int], where: str = "") -> frozenset[int]:
        """These states and those that nothing more leads to at this place of the text."""
        found, open_ = set(numbers), list(numbers)
        while open_:
            for target, when in self._states[open_.pop()].empty:
                if target not in found and when in where:
                    found.add(target)
                    open_.append(target)
        return frozenset(found)


__all__ = ("Expression", "ExpressionError")
