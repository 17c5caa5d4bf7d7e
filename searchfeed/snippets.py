"""The passage of an entry that shows best why it was found.

A passage is chosen for the distinct words of the query that it holds, each weighing as much as it
is rare, then for how close together they stand. What is marked is what the text has (``cafés`` for
a query of ``cafe``), found with the same analyzer that the index was made with.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

from searchfeed import analysis
from searchfeed.models import Entry, Pattern, Snippet, Span
from searchfeed.stopping import pause

WIDTH = 240
"""Characters of a passage, at most: three lines of a terminal, as search engines show."""

REPEATED = 0.1
"""What a word weighs that the passage already holds, beside what it weighed the first time."""

CAUTION = 1 - 1e-6
"""Weights added up in another order differ in the last digits: bounds are this much wider."""

MOST_PLACES = 2_000
"""Matches that are looked at; an entry that has more shows its best among its first ones."""


Range = tuple[int, int]
"""A half-open range of characters; there are too many of them to be checked as a ``Span`` is."""


class Found(NamedTuple):
    """A place where a pattern matches: all of it, the words of it, and which pattern it was."""

    start: int
    end: int
    words: tuple[Range, ...]
    pattern: int


class Highlighter:
    """Marks what a query found, in any number of entries.

    Args:
        patterns: what the words of the query look like.
    """

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._patterns = patterns
        self._fields = {field: _Field(patterns, field) for field in ("title", "body")}

    def make(self, entry: Entry) -> tuple[Snippet, ...]:
        """The best passage of the body, then the whole title; only what is not empty.

        An entry with neither has one empty snippet, of its title.
        """
        pause()
        title = Snippet("title", entry.title, _spans(self.find(entry.title, "title")))
        if not entry.body:
            return (title,)
        body = passage(entry.body, self.find(entry.body, "body"), self._patterns)
        return (body, title) if entry.title else (body,)

    def whole(self, entry: Entry) -> tuple[Snippet, ...]:
        """The whole body, then the whole title, with all that matches; only what is not empty."""
        fields = (("body", entry.body), ("title", entry.title))
        return tuple(
            Snippet(field, text, _spans(self.find(text, field, most=None)))
            for field, text in fields
            if text
        )

    def find(self, text: str, field: str, most: int | None = MOST_PLACES) -> list[Found]:
        """Every place in a text where a pattern matches, in order.

        Args:
            text: of the field.
            field: ``title`` or ``body``; patterns of other fields find nothing.
            most: how many of the first places of each pattern; None: all.
        """
        return self._fields[field].find(text, most)


class _Field:
    """Looks for the patterns that texts of one field can match."""

    def __init__(self, patterns: Sequence[Pattern], field: str) -> None:
        self._words: dict[str, list[int]] = {}
        self._phrases: list[tuple[int, Pattern]] = []
        wanted: set[str] = set()
        for number, pattern in enumerate(patterns):
            if pattern.field not in (None, field):
                continue
            wanted.update(*pattern.terms)
            if len(pattern.terms) > 1:
                self._phrases.append((number, pattern))
                continue
            for term in pattern.terms[0]:
                self._words.setdefault(term, []).append(number)
        self._finder = analysis.Finder(wanted) if wanted else None

    def find(self, text: str, most: int | None) -> list[Found]:
        """See ``Highlighter.find``."""
        if self._finder is None:
            return []
        if self._phrases:
            tokens = self._finder.tokens(text)
            found = self._single(((term, start, end) for term, _, start, end in tokens), most)
            found += [
                Found(words[0][0], words[-1][1], words, number)
                for number, pattern in self._phrases
                for words in islice(_match(tokens, pattern), most)
            ]
        else:
            found = self._single(self._finder.ranges(text), most)
        found.sort(key=itemgetter(0, 1))
        return found

    def _single(self, ranges: Iterable[tuple[str, int, int]], most: int | None) -> list[Found]:
        """The places of patterns of one word."""
        found = [
            Found(start, end, ((start, end),), number)
            for term, start, end in ranges
            for number in self._words.get(term, ())
        ]
        if most is None or len(found) <= most:
            return found
        places: defaultdict[int, list[Found]] = defaultdict(list)
        for place in found:
            places[place.pattern].append(place)
        return [place for each in places.values() for place in each[:most]]


def _match(tokens: Sequence[analysis.Token], pattern: Pattern) -> Iterator[tuple[Range, ...]]:
    """The places of a pattern among the tokens, which hold every word that any pattern wants."""
    first, *following = pattern.terms
    for number, token in enumerate(tokens):
        if token.term not in first:
            continue
        words = [(token.start, token.end)]
        last = token.position
        spare = pattern.slop
        for terms in following:
            for at in range(number + 1, len(tokens)):
                other = tokens[at]
                if last < other.position <= last + 1 + spare and other.term in terms:
                    spare -= other.position - last - 1
                    last = other.position
                    words.append((other.start, other.end))
                    break
                if other.position > last + 1 + spare:
                    break
            else:
                break
        if len(words) == len(pattern.terms):
            yield tuple(words)


def passage(
    text: str, found: Sequence[Found], patterns: Sequence[Pattern], width: int = WIDTH
) -> Snippet:
    """The passage of at most about ``width`` characters that says most of what was found."""
    start, end = _best_window(found, patterns, width)
    start, end = _widen(text, start, end, width)
    inside = [place for place in found if start <= place.start and place.end <= end]
    spans = _spans(inside, start)
    return Snippet(
        "body",
        text[start:end],
        spans,
        before=bool(text[:start].strip()),
        after=bool(text[end:].strip()),
    )


def _best_window(
    found: Sequence[Found], patterns: Sequence[Pattern], width: int
) -> tuple[int, int]:
    """The stretch between two matches that weighs most; the shortest, then the first, of equals."""
    if not found:
        return 0, 0
    weights = [pattern.weight or REPEATED for pattern in patterns]
    again = [pattern.weight * REPEATED or REPEATED for pattern in patterns]
    reached = _reached(found, weights, again, width)
    bound = max(reached) * CAUTION
    best: tuple[float, int, int] = (0.0, 0, 0)
    window = (0, 0)
    for number, about in enumerate(reached):
        if about < bound:
            continue
        start, end, _, _ = found[number]
        held: set[int] = set()
        weight = 0.0
        last = start + width
        for at in range(number, len(found)):
            _, stop, _, pattern = found[at]
            if stop > last and held:
                break
            weight += again[pattern] if pattern in held else weights[pattern]
            held.add(pattern)
            end = max(end, stop)
        key = (weight, start - end, -start)
        if key > best:
            best, window = key, (start, end)
    return window


def _reached(
    found: Sequence[Found], weights: Sequence[float], again: Sequence[float], width: int
) -> list[float]:
    """What the stretch from each match on weighs, but for the last digits.

    One sum goes along, from which is taken what is left behind: a text in which every third word
    is marked has a hundred matches in each stretch.
    """
    times = [0] * len(weights)
    reached: list[float] = []
    weight, at, count = 0.0, 0, len(found)
    for number, (start, _, _, first) in enumerate(found):
        last = start + width
        while at < count:
            _, stop, _, pattern = found[at]
            if stop > last and at > number:
                break
            weight += again[pattern] if times[pattern] else weights[pattern]
            times[pattern] += 1
            at += 1
        reached.append(weight)
        times[first] -= 1
        weight -= again[first] if times[first] else weights[first]
    return reached


def _widen(text: str, start: int, end: int, width: int) -> tuple[int, int]:
    """Let a window grow to the borders of its sentences where there is room, else of words."""
    room = max(0, width - (end - start))
    # What is at the ends of the stretch looked at may be cut, so it is longer than what is used.
    around = analysis.sentences(text, max(0, start - room - 1), min(len(text), end + width + 1))
    begins = [span.start for span in around if max(0, start - room) <= span.start <= start]
    # A third of the room goes before the match: what follows explains more.
    begin = begins[-1] if begins else analysis.word_start(text, start - room // 3)
    begin += len(text[begin:start]) - len(text[begin:start].lstrip())
    latest = max(end, begin + width)
    paragraph = text.find("\n\n", end, latest)
    if paragraph >= 0:
        latest = paragraph
    # A sentence that ends soon behind the match would leave most of the room unused.
    ends = [span.end for span in around if (end + latest) // 2 <= span.end <= latest]
    if latest >= len(text) or paragraph >= 0:
        stop = min(latest, len(text))
    else:
        stop = ends[-1] if ends else max(end, analysis.word_start(text, latest))
    stop = max(end, begin + len(text[begin:stop].rstrip()))
    return begin, stop


def _spans(found: Sequence[Found], start: int = 0) -> tuple[Span, ...]:
    """The words of all the places, those that touch or overlap joined, counted from ``start``."""
    joined: list[Range] = []
    for word in sorted(word for place in found for word in place.words):
        if joined and word[0] <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], word[1])
        else:
            joined.append(word)
    return tuple(Span(first - start, last - start) for first, last in joined)
