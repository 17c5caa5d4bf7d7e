"""One part of a query → the leaf of the tree that it asks for."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from itertools import takewhile

from searchfeed import analysis, tree
from searchfeed.errors import QueryError
from searchfeed.models import Span
from searchfeed.patterns import deferred
from searchfeed.query.clock import Clock
from searchfeed.query.dates import BadDateError, Instants, nearest, ranged, since, until
from searchfeed.query.fields import DATES, FLAGS, LANGUAGES
from searchfeed.query.lexer import Kind, Part, plain

AHEAD = 6
"""Parts that a date can have behind its first: ``1 aug 2020 .. 20 aug 2020``."""

LONGEST_REGEX = 200

MOST_EXPANDED = 32
"""Patterns, expressions and words with typing mistakes of one query, each of which is compared
with all words of the index."""

_LONGEST_REASON = 200

_FUZZY = deferred(r"([^~/]+)~(\d{0,2})")
_LANGUAGE = deferred(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")
# In scripts without spaces a question mark between two letters ends a sentence.
_SPACELESS = "\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
_INNER_MARK = deferred(rf"(?<=[\w*])(?<![{_SPACELESS}])\?+(?![{_SPACELESS}])(?=[\w*])")
_ADDRESS = deferred(r"www\.|[^/]*/")


class Leaves:
    """Reads single parts of one query; what it has to guess is added to ``notes``.

    ``expanded`` counts what ``MOST_EXPANDED`` limits, for all texts that a query is made of.
    """

    def __init__(
        self, query: str, clock: Clock, notes: list[str], expanded: list[int] | None = None
    ) -> None:
        self._query = query
        self._clock = clock
        self._notes = notes
        self.expanded = [0] if expanded is None else expanded

    def read(
        self, part: Part, field: str, following: Sequence[Part]
    ) -> tuple[tree.Leaf | None, int]:
        """The leaf of ``part``, and how many of the ``following`` parts it takes with it.

        None stands for a part in which nothing can be searched for. ``field`` is empty where the
        words of all text fields are meant.

        Raises:
            QueryError: a condition that cannot be meant.
        """
        if field in DATES:
            return self._date(field, part, following)
        leaf = self._leaf(part, field or None)
        if isinstance(leaf, tree.Wildcard | tree.Regex | tree.Fuzzy):
            self.expanded[0] += 1
            if self.expanded[0] > MOST_EXPANDED:
                reason = f"a query has at most {MOST_EXPANDED} patterns and words with mistakes"
                raise self._error(part, reason)
        if leaf is None and part.kind is Kind.PHRASE:
            quoted = self._query[part.value.start : part.value.end]
            self._notes.append(f"There is nothing to search for in {quoted}: it is left out.")
        return leaf, 0

    def _leaf(self, part: Part, field: str | None) -> tree.Leaf | None:
        if field in ("is", "has"):
            return self._flag(field, part)
        if field == "lang":
            return self._language(part)
        if part.kind is Kind.REGEX:
            return self._regex(part, field)
        if field in tree.KEYWORD_FIELDS:
            return self._keyword(part, field)
        return self._words(part, field)

    def _words(self, part: Part, field: str | None) -> tree.Leaf | None:
        """A word or a phrase of the text fields."""
        text = part.text
        if part.kind is Kind.WORD:
            form = plain(text)
            if (typo := self._fuzzy(part, field)) is not None:
                return typo
            # Most words have no mark, and its expression takes long to compile.
            marked = "*" in form or ("?" in form and _INNER_MARK.search(form))
            if marked and not _ADDRESS.match(form):
                return self._pattern(form, field, part.span)
        if not analysis.query_words(text).alternatives:
            return None
        if part.kind is Kind.PHRASE and len(text.split()) > 1:
            return tree.Phrase(text, part.slop, field, part.span)
        return tree.Word(text, field, part.kind is Kind.PHRASE, part.span)

    def _fuzzy(self, part: Part, field: str | None) -> tree.Leaf | None:
        form = plain(part.text)
        match = _FUZZY.fullmatch(form) if "~" in form else None
        if match is None:
            return None
        text, distance = part.text[: match.end(1)], int(match[2] or 1)
        if not analysis.query_words(text).alternatives:
            return None
        if distance > 2:
            self._notes.append(f"{part.text}: at most two typing mistakes are looked for.")
        if distance == 0:
            return tree.Word(text, field, exact=True, span=part.span)
        return tree.Fuzzy(text, min(distance, 2), field, part.span)

    def _pattern(self, form: str, field: str | None, span: Span) -> tree.Leaf | None:
        pattern = form.strip("?.,;:!'\"[]{}<>")
        if any(character.isalnum() for character in pattern):
            return tree.Wildcard(pattern, field, span)
        if "*" in pattern and not pattern.strip("*?"):
            self._notes.append("* alone stands for every entry.")
            return tree.Everything(span)
        return None

    def _keyword(self, part: Part, field: str) -> tree.Leaf | None:
        """A condition on a keyword field; only tags are compared with their own signs."""
        text = (part.text if field == "tag" else plain(part.text)).strip()
        # The start of an id and a part of an address are found without a star.
        if part.kind is Kind.WORD and (
            field == "id" or (field in ("link", "feed") and "/" in text)
        ):
            text = text.strip("*")
        elif part.kind is Kind.WORD:
            if "*" in (form := plain(text)):
                return tree.Wildcard(form, field, part.span)
            if field != "link" and (typo := self._fuzzy(part, field)) is not None:
                return typo
        if not text:
            return None
        if part.kind is Kind.PHRASE and len(text.split()) > 1:
            return tree.Phrase(text, part.slop, field, part.span)
        return tree.Word(text, field, span=part.span)

    def _regex(self, part: Part, field: str | None) -> tree.Leaf:
        if len(part.text) > LONGEST_REGEX:
            raise self._error(part, f"an expression has at most {LONGEST_REGEX} characters")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                re.compile(part.text)
            # What Python can do beyond that is what takes it for ever on some words.
            analysis.Expression(part.text)
        except (re.error, ValueError, OverflowError, RecursionError) as error:
            raise self._error(part, f"not a regular expression: {error}") from error
        return tree.Regex(part.text, field, part.span)

    def _date(
        self, field: str, part: Part, following: Sequence[Part]
    ) -> tuple[tree.DateRange, int]:
        """A date; its words need no quotes, since a shell takes those of ``since:"last week"``."""
        parts = [part]
        if part.kind is Kind.WORD:
            parts += takewhile(_is_bare_word, following)
        while len(parts) > 1:
            text = plain(self._query[part.value.start : parts[-1].value.end])
            if self._is_date(field, text):
                break
            parts.pop()
        else:
            text = plain(part.text)
        try:
            start, end = self._instants(field, text)
        except BadDateError as error:
            near = error.suggestion or nearest(text)
            raise self._error(part, error.reason, near, error.place) from error
        if len(parts) > 1 and self._is_date(field, plain(part.text)):
            self._notes.append(f"{text} is read as one date; quotes tell where a date ends.")
        span = Span(part.span.start, parts[-1].span.end)
        return tree.DateRange(start, end, span), len(parts) - 1

    def _is_date(self, field: str, text: str) -> bool:
        try:
            self._instants(field, text)
        except BadDateError:
            return False
        return True

    def _instants(self, field: str, text: str) -> Instants:
        match field:
            case "after" | "since" | "newer":
                return since(text, self._clock), None
            case "before" | "older":
                return None, since(text, self._clock)
            case "until":
                return None, until(text, self._clock)
        return ranged(text, self._clock)

    def _flag(self, name: str, part: Part) -> tree.Leaf:
        flag = FLAGS.get((name, plain(part.text).casefold()))
        if flag is None:
            known = next(value for field, value in FLAGS if field == name)
            raise self._error(part, f"there is no {name}:{part.text}", known)
        return tree.Flag(flag, part.span)

    def _language(self, part: Part) -> tree.Leaf:
        text = plain(part.text).casefold().replace("_", "-").strip().rstrip("*-")
        text = LANGUAGES.get(text, text)
        if not _LANGUAGE.fullmatch(text):
            from difflib import get_close_matches

            near = get_close_matches(text, LANGUAGES, n=1)
            reason = f"{part.text!r} is not a language, as en, pt-br and german are"
            raise self._error(part, reason, near[0] if near else "")
        return tree.Word(text, "lang", span=part.span)

    def _error(
        self, part: Part, reason: str, suggestion: str = "", place: tuple[int, int] | None = None
    ) -> QueryError:
        """An error in a part, or at a place in its text."""
        start, end = part.value.start, part.value.end
        if place is not None:
            text = start + (part.kind is not Kind.WORD)
            start, end = text + place[0], text + place[1]
        if len(reason) > _LONGEST_REASON:
            reason = f"{reason[: _LONGEST_REASON // 2]}…{reason[-_LONGEST_REASON // 2 :]}"
        return QueryError(self._query, start, end, reason, suggestion)


def _is_bare_word(part: Part) -> bool:
    return part.kind is Kind.WORD and not (part.sign or part.field)
