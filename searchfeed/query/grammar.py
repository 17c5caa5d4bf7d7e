"""The parts of a query → its tree.

    query    = branch { OR branch }
    branch   = sequence { AND sequence }
    sequence = { [NOT] clause }
    clause   = [ - | + ] [ field: ] ( word | phrase | regex | "(" query ")" )

In a sequence bare words are all wanted, best first; phrases, fields, expressions and what has a
``+`` are required; what has a ``-`` or a NOT is excluded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from searchfeed import analysis, tree
from searchfeed.errors import QueryError
from searchfeed.models import Span
from searchfeed.query import dates, fields
from searchfeed.query.lexer import Kind, Part, plain

DEEPEST = 50
"""Brackets nest so deep at most; further ones are read as if they were not there."""

LONGEST_REGEX = 200

_FUZZY = re.compile(r"(.*\w.*?)~(\d*)")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")
_INNER_MARK = re.compile(r"(?<=[\w*])\?+(?=[\w*])")
_ADDRESS = re.compile(r"\w+://|www\.")

_LANGUAGES = {
    "arabic": "ar",
    "chinese": "zh",
    "dutch": "nl",
    "english": "en",
    "french": "fr",
    "german": "de",
    "greek": "el",
    "hebrew": "he",
    "hindi": "hi",
    "italian": "it",
    "japanese": "ja",
    "korean": "ko",
    "polish": "pl",
    "portuguese": "pt",
    "russian": "ru",
    "spanish": "es",
    "swedish": "sv",
    "turkish": "tr",
    "ukrainian": "uk",
}


class Grammar:
    """Reads the parts of one query; what it has to guess is gathered in ``notes``."""

    def __init__(self, query: str, parts: Sequence[Part], clock: dates.Clock) -> None:
        self._query = query
        self._clock = clock
        self.notes: list[str] = []
        self._parts = self._tidy(parts)
        self._at = 0

    def read(self) -> tree.Node | None:
        """The tree of the whole query, or None where nothing in it can be searched for."""
        return self._alternatives("")

    def _tidy(self, parts: Sequence[Part]) -> list[Part]:
        """The parts with brackets in pairs, and operators only where they join something."""
        paired: list[Part] = []
        opened: list[bool] = []
        for part in parts:
            if part.kind is Kind.OPEN:
                opened.append(len(opened) < DEEPEST)
                if not opened[-1]:
                    self.notes.append(f"Brackets deeper than {DEEPEST} are left out.")
                    continue
            elif part.kind is Kind.CLOSE and not (opened and opened.pop()):
                continue
            paired.append(part)
        tidy: list[Part] = []
        for at, part in enumerate(paired):
            if part.kind is Kind.OPERATOR and not self._joins(paired, tidy, at):
                self.notes.append(f"{part.text} has nothing to join, so it is searched as a word.")
                text = self._query[part.span.start : part.span.end]
                tidy.append(Part(Kind.WORD, text, part.span, part.span))
            else:
                tidy.append(part)
        return tidy

    @staticmethod
    def _joins(parts: Sequence[Part], before: Sequence[Part], at: int) -> bool:
        """Whether an operator has something on each side that it needs."""
        following = parts[at + 1] if at + 1 < len(parts) else None
        right = following is not None and (
            following.kind not in (Kind.CLOSE, Kind.OPERATOR) or following.text == "NOT"
        )
        if parts[at].text == "NOT":
            return right and following is not None and following.kind is not Kind.OPERATOR
        left = bool(before) and before[-1].kind not in (Kind.OPEN, Kind.OPERATOR)
        return right and left

    def _peek(self) -> Part | None:
        return self._parts[self._at] if self._at < len(self._parts) else None

    def _take_operator(self, name: str) -> bool:
        part = self._peek()
        if part is not None and part.kind is Kind.OPERATOR and part.text == name:
            self._at += 1
            return True
        return False

    def _alternatives(self, field: str) -> tree.Node | None:
        branches = [self._branch(field)]
        while self._take_operator("OR"):
            branches.append(self._branch(field))
        return _joined(tree.Or, branches)

    def _branch(self, field: str) -> tree.Node | None:
        sequences = [self._sequence(field)]
        while self._take_operator("AND"):
            sequences.append(self._sequence(field))
        flat = [
            child
            for node in sequences
            for child in (node.children if isinstance(node, tree.And) else (node,))
        ]
        return _joined(tree.And, flat)

    def _sequence(self, field: str) -> tree.Node | None:
        wanted: list[tree.Node] = []
        required: list[tree.Node] = []
        while (part := self._peek()) is not None and part.kind is not Kind.CLOSE:
            if part.kind is Kind.OPERATOR and part.text != "NOT":
                break
            excluded = self._take_operator("NOT")
            part = self._parts[self._at]
            node = self._clause(part, field)
            if node is None:
                continue
            if excluded != (part.sign == "-"):
                required.append(tree.Not(node, part.span))
            elif part.sign == "+" or part.field or part.kind in (Kind.PHRASE, Kind.REGEX):
                required.append(node)
            else:
                wanted.append(node)
        best = _joined(tree.Best, wanted)
        # What excludes comes last: the tree then reads as a person would say it.
        required.sort(key=lambda node: isinstance(node, tree.Not))
        return _joined(tree.And, [best, *required])

    def _clause(self, part: Part, field: str) -> tree.Node | None:
        self._at += 1
        name = field
        if part.field:
            resolved = fields.resolve(part.field)
            if resolved is None:
                start = part.value.start - len(part.field) - 1
                raise QueryError(
                    self._query,
                    start,
                    start + len(part.field),
                    f"there is no field {part.field!r}",
                    fields.nearest(part.field) or "",
                )
            name = resolved
        if part.kind is Kind.OPEN:
            node = self._alternatives(name)
            closing = self._peek()
            if closing is not None:
                self._at += 1
            return node
        if name in fields.DATES:
            return self._date(name, part)
        if name in ("is", "has"):
            return self._flag(name, part)
        if name == "lang":
            return self._language(part)
        if part.kind is Kind.REGEX:
            return self._regex(part, name or None)
        if name in tree.KEYWORD_FIELDS:
            return self._keyword(part, name)
        return self._words(part, name or None)

    def _words(self, part: Part, field: str | None) -> tree.Node | None:
        """A word or a phrase of the text fields."""
        text = part.text
        if part.kind is Kind.WORD:
            form = plain(text)
            if match := _FUZZY.fullmatch(form):
                distance = int(match[2] or 1)
                if distance > 2:
                    self.notes.append(f"{text}: at most two typing mistakes are looked for.")
                if distance and analysis.query_words(match[1]).alternatives:
                    return tree.Fuzzy(text[: match.end(1)], min(distance, 2), field, part.span)
            if not _ADDRESS.match(form) and ("*" in form or _INNER_MARK.search(form)):
                return self._pattern(form, field, part.span)
        if not analysis.query_words(text).alternatives:
            return None
        if part.kind is Kind.PHRASE and len(text.split()) > 1:
            return tree.Phrase(text, part.slop, field, part.span)
        return tree.Word(text, field, part.kind is Kind.PHRASE, part.span)

    def _pattern(self, form: str, field: str | None, span: Span) -> tree.Node | None:
        pattern = form.strip("?.,;:!'\"[]{}<>")
        if not pattern.strip("*?"):
            if "*" in pattern:
                self.notes.append("* alone stands for every entry.")
                return tree.Everything(span)
            return None
        return tree.Wildcard(pattern, field, span)

    def _keyword(self, part: Part, field: str) -> tree.Node | None:
        text = part.text.strip()
        if field in ("feed", "author", "tag", "link") and part.kind is Kind.WORD:
            form = plain(text)
            if "*" in form and form.strip("*"):
                return tree.Wildcard(form, field, part.span)
        if not text:
            return None
        if part.kind is Kind.PHRASE and len(text.split()) > 1:
            return tree.Phrase(text, part.slop, field, part.span)
        return tree.Word(text, field, span=part.span)

    def _regex(self, part: Part, field: str | None) -> tree.Node:
        if len(part.text) > LONGEST_REGEX:
            raise self._error(part, f"an expression has at most {LONGEST_REGEX} characters")
        try:
            re.compile(part.text)
        except (re.error, OverflowError, RecursionError) as error:
            raise self._error(part, f"not a regular expression: {error}") from error
        return tree.Regex(part.text, field, part.span)

    def _date(self, name: str, part: Part) -> tree.Node:
        text, clock = plain(part.text).strip(), self._clock
        try:
            start, end = self._instants(name, text, clock)
        except dates.BadDateError as error:
            raise self._error(part, error.reason, error.suggestion) from error
        return tree.DateRange(start, end, part.span)

    @staticmethod
    def _instants(name: str, text: str, clock: dates.Clock) -> dates.Instants:
        match name:
            case "newer":
                return dates.ago(text, clock), None
            case "older":
                return None, dates.ago(text, clock)
            case "after" | "since":
                return dates.period(text, clock)[0], None
            case "before":
                return None, dates.period(text, clock)[0]
            case "until":
                return None, dates.period(text, clock)[1]
        return dates.ranged(text, clock)

    def _flag(self, name: str, part: Part) -> tree.Node:
        flag = fields.FLAGS.get((name, plain(part.text).casefold()))
        if flag is None:
            known = next(value for field, value in fields.FLAGS if field == name)
            raise self._error(part, f"{name}: does not know {part.text!r}", known)
        return tree.Flag(flag, part.span)

    def _language(self, part: Part) -> tree.Node:
        text = plain(part.text).casefold().replace("_", "-").strip()
        text = _LANGUAGES.get(text, text)
        if not _LANGUAGE.fullmatch(text):
            raise self._error(part, f"{part.text!r} is not a language", "en")
        return tree.Word(text, "lang", span=part.span)

    def _error(self, part: Part, reason: str, suggestion: str = "") -> QueryError:
        return QueryError(self._query, part.value.start, part.value.end, reason, suggestion)


def _joined(
    kind: type[tree.Or | tree.And | tree.Best], nodes: Sequence[tree.Node | None]
) -> tree.Node | None:
    """The nodes under one of ``kind``; one alone stands for itself."""
    found = tuple(node for node in nodes if node is not None)
    if len(found) < 2:
        return found[0] if found else None
    start = min(node.span.start for node in found)
    return kind(found, Span(start, max(node.span.end for node in found)))
