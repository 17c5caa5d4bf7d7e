"""What a query tree matches, as conditions that score nothing.

Sets are the same as in the Whoosh engine, and so is what makes an entry complete: see
``engines/whoosh/scoring.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, TypeAlias

from searchfeed import analysis, tree
from searchfeed.engines.opensearch.documents import feed_key
from searchfeed.engines.opensearch.mapping import SPELLING, WORDS
from searchfeed.engines.opensearch.vocabulary import (
    MOST,
    Meanings,
    Sequences,
    escaped,
    kind_of,
    literal,
)
from searchfeed.engines.whoosh.formulas import SENTENCE, SOME, TYPED
from searchfeed.engines.whoosh.meaning import TEXT_FIELDS, Family, united
from searchfeed.engines.whoosh.values import date_number, plain, whole_term

Clause: TypeAlias = dict[str, Any]
"""A part of a query as the servers read it."""

NOTHING: Clause = {"match_none": {}}
EVERYTHING: Clause = {"match_all": {}}

WORDED = {"author": "authors", "link": "link", "feed": "feed_title"}
"""Condition → the field whose words it is compared with."""


class Matcher:
    """Turns parts of one query into conditions, given what its words stand for."""

    def __init__(self, meanings: Meanings) -> None:
        self._meanings = meanings

    def matches(self, node: tree.Node, level: int = SOME, *, wanted: bool = True) -> Clause:
        """What matches a node and holds at least so much of what it wants.

        ``wanted`` is False for what is to be left out: words made of several are left out whole.
        """
        match node:
            case tree.Best(children, required):
                if level > SOME:
                    return every(self.matches(child, level, wanted=wanted) for child in children)
                # Who matches one that is required matches one.
                found = [self.matches(child, wanted=wanted) for child in children]
                return every(found[:required]) if required else some(found)
            case tree.Or(children):
                return some(self.matches(child, level, wanted=wanted) for child in children)
            case tree.And(children):
                return self._all(children, level, wanted=wanted)
            case tree.Not(child):
                return without(EVERYTHING, [self.matches(child, wanted=False)])
            case tree.Everything():
                return EVERYTHING
            case tree.DateRange(start, end):
                return dated(start, end)
            case tree.Flag(name):
                return {"term": {"flag": name}}
        if node.field in tree.KEYWORD_FIELDS:
            return self._keyword(node)
        return self._leaf(node, level, wanted=wanted)

    def _all(self, children: Sequence[tree.Node], level: int, *, wanted: bool) -> Clause:
        inside = [child for child in children if not isinstance(child, tree.Not)]
        out = [
            self.matches(child.child, wanted=False)
            for child in children
            if isinstance(child, tree.Not)
        ]
        clause = every(self.matches(child, level, wanted=wanted) for child in inside)
        return without(clause, out) if out else clause

    def _leaf(self, leaf: tree.Words, level: int, *, wanted: bool) -> Clause:
        if isinstance(leaf, tree.Fuzzy) and level == TYPED:
            leaf = typed(leaf)
        if wanted and level == SOME and isinstance(leaf, tree.Word):
            return some(map(self.holds, [leaf, *parts(leaf), *borders(leaf)]))
        return self.holds(leaf)

    def sequences(self, leaf: tree.Words) -> Sequences:
        """See ``Meanings.of``."""
        return self._meanings.of(leaf, kind_of(leaf.field))

    def holds(self, leaf: tree.Words) -> Clause:
        """What holds a leaf in one of the fields that it is looked for in."""
        slop = leaf.slop if isinstance(leaf, tree.Phrase) else 0
        sequences = self.sequences(leaf)
        return some(
            [
                *(terms(field, united_singles(sequences)) for field in single_fields(leaf)),
                *(
                    phrase(field, sequence, slop)
                    for field in phrase_fields(leaf)
                    for sequence in longer(sequences)
                ),
            ]
        )

    def _keyword(self, leaf: tree.Words) -> Clause:
        if isinstance(leaf, tree.Word | tree.Phrase):
            text = leaf.text.casefold()
            match leaf.field:
                case "lang":
                    tag = text.replace("_", "-")
                    beginning = {"prefix": {"language": f"{tag}-"}}
                    return some([{"term": {"language": tag}}, beginning])
                case "id":
                    return {"prefix": {"id": text}}
                case "tag":
                    return {"term": {"tag": whole_term(text)}}
                case "feed":
                    part = {"wildcard": {"feed_key": f"*{literal(feed_key(text))}*"}}
                    return some([part, self._worded(leaf)])
        if leaf.field in WORDED:
            return self._worded(leaf)
        return self._pattern(leaf)

    def _worded(self, leaf: tree.Words) -> Clause:
        field = WORDED[leaf.field or ""]
        leaf = named(leaf)
        slop = leaf.slop if isinstance(leaf, tree.Phrase) else 0
        sequences = self._meanings.of(leaf, kind_of(field))
        return some(
            [
                terms(field, united_singles(sequences)),
                *(phrase(field, sequence, slop) for sequence in longer(sequences)),
            ]
        )

    @staticmethod
    def _pattern(leaf: tree.Words) -> Clause:
        """A pattern that values are compared with whole."""
        field = {"lang": "language"}.get(leaf.field or "", leaf.field or "")
        match leaf:
            case tree.Wildcard(pattern):
                return {"wildcard": {field: escaped(plain(pattern))}}
            case tree.Fuzzy(text, distance):
                return {
                    "fuzzy": {
                        field: {
                            "value": plain(text),
                            "fuzziness": distance,
                            "rewrite": "constant_score",
                        }
                    }
                }
            case tree.Regex(pattern):
                return {"regexp": {field: {"value": pattern, "case_insensitive": True}}}
        return NOTHING


def wanted_leaves(node: tree.Node) -> Iterator[tuple[tree.Words, str]]:
    """Every leaf whose terms have to be known to answer a query, and the kind of its fields."""
    for leaf, _ in tree.leaves(node):
        if isinstance(leaf, tree.DateRange | tree.Flag | tree.Everything):
            continue
        if leaf.field in tree.KEYWORD_FIELDS:
            if leaf.field in WORDED:
                yield named(leaf), kind_of(WORDED[leaf.field])
            continue
        kind = kind_of(leaf.field)
        yield leaf, kind
        if isinstance(leaf, tree.Fuzzy):
            yield typed(leaf), kind
        if isinstance(leaf, tree.Word):
            for part in (*parts(leaf), *borders(leaf)):
                yield part, kind


def named(leaf: tree.Words) -> tree.Words:
    """A name is no word of a language: its ending is part of it, so it is matched as a phrase."""
    return tree.Phrase(leaf.text, field=leaf.field) if isinstance(leaf, tree.Word) else leaf


def typed(leaf: tree.Fuzzy) -> tree.Word:
    """The word of a leaf as it was typed."""
    return tree.Word(leaf.text, leaf.field, exact=True)


def parts(word: tree.Word) -> tuple[tree.Word, ...]:
    """The terms that a bare word made of several is looked for by as well."""
    found = _made_of(word)
    return tuple(map(tree.Word, found))


def borders(word: tree.Word) -> tuple[tree.Word, ...]:
    """Within a script a pair of characters is a term; where scripts meet it is made one here."""
    found = _made_of(word)
    if not found or is_compound(word):
        return ()
    return tuple(
        tree.Word(one + (other if other.isascii() else other[0]))
        for one, other in pairwise(found)
        if one.isascii() != other.isascii()
    )


def is_compound(word: tree.Word) -> bool:
    """Whether a word is one term beside those that it is made of (``multi-agent``)."""
    options = analysis.query_words(word.text).alternatives or ((),)
    return len(options[0]) == 1


def _made_of(word: tree.Word) -> tuple[str, ...]:
    if word.field or word.exact:
        return ()
    options = analysis.query_words(word.text).alternatives or ((),)
    found = options[-1]
    return found if len(found) >= (2 if is_compound(word) else SENTENCE) else ()


def single_fields(leaf: tree.Words) -> tuple[str, ...]:
    """Where a leaf of single words is looked for."""
    return (leaf.field,) if leaf.field else (WORDS, "feed_title")


def phrase_fields(leaf: tree.Words) -> tuple[str, ...]:
    """Where a leaf of several words in a row is looked for."""
    return (leaf.field,) if leaf.field else TEXT_FIELDS


def united_singles(sequences: Sequences) -> Family:
    """The terms of the sequences of one word."""
    singles = [sequence for sequence in sequences if len(sequence) == 1]
    return united(singles) if singles else {}


def longer(sequences: Sequences) -> list[tuple[Family, ...]]:
    """The sequences of several words that can stand somewhere."""
    return [sequence for sequence in sequences if len(sequence) > 1 and all(sequence)]


def terms(field: str, family: Family) -> Clause:
    """What holds any of some terms."""
    return {"terms": {field: sorted(family)}} if family else NOTHING


def phrase(field: str, sequence: Sequence[Family], slop: int) -> Clause:
    """What holds words in this order, with so many others between them all."""
    text = row(sequence)
    if slop:
        return {"intervals": {field: {"match": {"query": text, "ordered": True, "max_gaps": slop}}}}
    return {"match_phrase": {field: text}}


def row(sequence: Sequence[Family]) -> str:
    """Families as a text that is searched for: place after place, any term at each."""
    return " ".join(SPELLING.join(sorted(family)) for family in sequence)


def dated(start: datetime | None, end: datetime | None) -> Clause:
    """What is dated in a half-open range."""
    span: dict[str, int] = {}
    if start is not None:
        span["gte"] = date_number(start)
    if end is not None:
        span["lt"] = date_number(end)
    return {"range": {"moment": span}} if span else {"exists": {"field": "moment"}}


def some(clauses: Iterable[Clause]) -> Clause:
    """What meets any of some conditions."""
    found = _merged(clause for clause in clauses if clause != NOTHING)
    if not found:
        return NOTHING
    if len(found) == 1:
        return found[0]
    return {"bool": {"should": found, "minimum_should_match": 1}}


def _merged(clauses: Iterable[Clause]) -> list[Clause]:
    """The same with all terms of a field in one: the servers take so many clauses and no more."""
    found: list[Clause] = []
    merged: dict[str, set[str]] = {}
    for clause in _flat(clauses):
        if "terms" not in clause:
            found.append(clause)
            continue
        ((field, values),) = clause["terms"].items()
        known = merged.setdefault(field, set())
        if len(known) + len(values) > MOST:
            found.append(clause)
        else:
            known.update(values)
    whole = [terms(field, dict.fromkeys(values, 1.0)) for field, values in merged.items()]
    return [clause for clause in whole if clause != NOTHING] + found


def _flat(clauses: Iterable[Clause]) -> Iterator[Clause]:
    for clause in clauses:
        inner = clause.get("bool", {})
        if inner.keys() == {"should", "minimum_should_match"}:
            yield from _flat(inner["should"])
        else:
            yield clause


def every(clauses: Iterable[Clause]) -> Clause:
    """What meets all of some conditions."""
    found = list(clauses)
    if NOTHING in found:
        return NOTHING
    found = [clause for clause in found if clause != EVERYTHING]
    if not found:
        return EVERYTHING
    return found[0] if len(found) == 1 else {"bool": {"filter": found}}


def without(clause: Clause, out: Sequence[Clause]) -> Clause:
    """What meets a condition and none of some others."""
    found = [each for each in out if each != NOTHING]
    return {"bool": {"filter": [clause], "must_not": found}} if found else clause
