"""From a word of a query to the terms that it stands for, asked of the index of terms.

The same as in the Whoosh engine, where ``engines/whoosh/vocabulary.py`` says why; the weights are
those. Everything that a query needs is asked at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, TypeAlias

from searchfeed import analysis, tree
from searchfeed.analysis import WordQuery
from searchfeed.engines.opensearch import mapping
from searchfeed.engines.opensearch.cluster import SOON, Cluster
from searchfeed.engines.opensearch.documents import GROUPS
from searchfeed.engines.opensearch.state import Indices
from searchfeed.engines.opensearch.terms import stems
from searchfeed.engines.whoosh.meaning import Family
from searchfeed.engines.whoosh.spelling import Spellings
from searchfeed.engines.whoosh.values import plain
from searchfeed.engines.whoosh.vocabulary import (
    EXACT,
    EXPANDED,
    FOLDED,
    STEMMED,
    families,
    fitting,
    mistyped,
)
from searchfeed.values import dataclass

Sequences: TypeAlias = tuple[tuple[Family, ...], ...]
"""The ways in which a field can hold what a leaf asks for, each as a family a word."""

MOST = 65_536
"""Terms that a pattern may stand for: as many as the servers take in one condition."""

SCANNED = 200_000
"""Terms that are looked at one by one, where an expression does not say how they begin."""

_LITERAL = re.compile(r"[^\W_]*")


@dataclass(frozen=True, slots=True)
class Term:
    """A term of the index, with the forms that it is found by."""

    text: str
    fold: str
    stems: frozenset[str] = frozenset()


@dataclass(slots=True)
class Meanings:
    """What the leaves of a query stand for.

    ``cut`` are the leaves that stand for more terms than are looked for.
    """

    found: dict[tuple[tree.Words, str], Sequences] = field(default_factory=dict)
    cut: list[tree.Words] = field(default_factory=list)

    def of(self, leaf: tree.Words, kind: str) -> Sequences:
        """The sequences of a leaf in the fields of a kind (see ``kind_of``)."""
        return self.found[leaf, kind]

    def described(self, leaf: tree.Words) -> Iterator[tuple[str, Sequences]]:
        """By kind what a leaf stands for; nothing for a condition on whole values."""
        for (known, kind), sequences in self.found.items():
            if known == leaf:
                yield kind, sequences


def kind_of(name: str | None) -> str:
    """Which groups of terms a field is searched with: those of one kind share their families."""
    return GROUPS.get(name or "", "any")


_KINDS = {"any": ("text", "tags", "feed_title")}


class Vocabulary:
    """The terms of an index in a cluster."""

    def __init__(self, cluster: Cluster, indices: Indices) -> None:
        self._cluster = cluster
        self._indices = indices

    def meanings(self, leaves: Iterable[tuple[tree.Words, str]]) -> Meanings:
        """What leaves stand for, each in the fields of a kind."""
        meanings = Meanings()
        asked: dict[tuple[tree.Words, str], list[dict[str, Any]]] = {}
        languages: frozenset[str] | None = None
        for leaf, kind in dict.fromkeys(leaves):
            if _needs_stems(leaf) and languages is None:
                languages = self._indices.languages(self._indices.generation())
            asked[leaf, kind] = list(_conditions(leaf, languages or frozenset()))
        found = self._find(
            [
                (conditions, _KINDS.get(kind, (kind,)), _most(leaf))
                for (leaf, kind), conditions in asked.items()
            ]
        )
        for (leaf, kind), terms in zip(asked, found, strict=True):
            if len(terms) >= _most(leaf):
                meanings.cut.append(leaf)
            meanings.found[leaf, kind] = _sequences(leaf, terms, languages or frozenset())
        return meanings

    def starting(self, groups: Sequence[str], prefix: str, *, inside: bool = False) -> list[Term]:
        """Terms whose folded form starts with a prefix, or (``inside``) a word of it does."""
        conditions: list[dict[str, Any]] = [{"prefix": {"fold": prefix}}]
        if inside and prefix:
            conditions.append({"wildcard": {"fold": f"* {literal(prefix)}*"}})
        return self._find([(conditions, groups, MOST)])[0]

    def near(self, groups: Sequence[str], text: str, distance: int) -> dict[Term, int]:
        """Terms at most so many edits away from a folded one, each with how many."""
        terms = self._find([([_fuzzy(text, distance)], groups, MOST)])[0]
        places, edits = Spellings([term.fold for term in terms]).near(text, distance)
        return {terms[at]: count for at, count in zip(places.tolist(), edits.tolist(), strict=True)}

    def _find(
        self, wanted: Sequence[tuple[list[dict[str, Any]], Sequence[str], int]]
    ) -> list[list[Term]]:
        """The terms of each of some conditions, any of which will do, in some groups."""
        bodies = [_body(conditions, groups) for conditions, groups, _ in wanted]
        index = self._indices.terms
        some = [(at, body) for at, body in enumerate(bodies) if wanted[at][0]]
        answers = self._cluster.several(((index, body) for _, body in some), answer=SOON)
        found: list[list[Term]] = [[] for _ in wanted]
        for (at, body), answer in zip(some, answers, strict=True):
            hits = answer["hits"]["hits"]
            most = wanted[at][2]
            # The same term may stand in several groups.
            terms = {hit["_source"]["term"]: _term(hit["_source"]) for hit in hits}
            while len(hits) == body["size"] and len(terms) < most:
                body["search_after"] = hits[-1]["sort"]
                hits = self._cluster.search(index, body)["hits"]["hits"]
                terms |= {hit["_source"]["term"]: _term(hit["_source"]) for hit in hits}
            found[at] = [terms[text] for text in sorted(terms)][:most]
        return found


def _body(conditions: list[dict[str, Any]], groups: Sequence[str]) -> dict[str, Any]:
    condition = {"bool": {"should": conditions, "minimum_should_match": 1}}
    return {
        "size": mapping.PAGE,
        "query": {"bool": {"filter": [{"terms": {"group": list(groups)}}, condition]}},
        "sort": [{"term": "asc"}],
        "track_total_hits": False,
    }


def _term(values: Mapping[str, Any]) -> Term:
    return Term(values["term"], values["fold"], frozenset(values.get("stem", ())))


def _most(leaf: tree.Words) -> int:
    return SCANNED if isinstance(leaf, tree.Regex) else MOST


def _needs_stems(leaf: tree.Words) -> bool:
    return isinstance(leaf, tree.Word) and not leaf.exact


def _conditions(leaf: tree.Words, languages: frozenset[str]) -> Iterator[dict[str, Any]]:
    """What terms have to meet, one of these conditions each, to be in a family of a leaf."""
    match leaf:
        case tree.Word(text, _, exact):
            yield from _word_conditions(analysis.query_words(text), languages, exact=exact)
        case tree.Phrase(text):
            yield from _word_conditions(analysis.query_words(text), languages, exact=True)
        case tree.Wildcard(pattern):
            yield {"wildcard": {"fold": escaped(plain(pattern))}}
        case tree.Fuzzy(text, distance):
            yield _fuzzy(plain(text), distance)
        case tree.Regex(pattern):
            # Read here, so that one that cannot be is an error before anything is asked.
            analysis.Expression(pattern)
            head = _head(pattern)
            yield {"prefix": {"fold": head}} if head else {"match_all": {}}


def _word_conditions(
    words: WordQuery, languages: frozenset[str], *, exact: bool
) -> Iterator[dict[str, Any]]:
    terms, begun = set[str](), set[str]()
    for option in words.alternatives:
        terms.update(option[:-1] if words.prefix else option)
        if words.prefix and option:
            begun.add(plain(option[-1]))
    if terms:
        yield {"terms": {"fold": sorted({analysis.fold(term) for term in terms})}}
        if not exact and languages:
            found = {stem for term in terms for stem in stems(term, languages)}
            yield {"terms": {"stem": sorted(found)}}
    for text in sorted(begun):
        yield {"prefix": {"fold": text}}
        yield {"prefix": {"term": text}}


def _fuzzy(text: str, distance: int) -> dict[str, Any]:
    # Without a rewrite of its own it would stop at some number of terms.
    return {
        "fuzzy": {
            "fold": {
                "value": text,
                "fuzziness": distance,
                "transpositions": True,
                "rewrite": "constant_score",
            }
        }
    }


def literal(text: str) -> str:
    """A text as a part of a wildcard pattern that stands for itself."""
    return re.sub(r"([\\*?])", r"\\\1", text)


def escaped(pattern: str) -> str:
    """A pattern of ``*`` and ``?`` as the servers read it: a backslash is one there too."""
    return pattern.replace("\\", "\\\\")


def _head(pattern: str) -> str:
    """What every folded term that fits an expression starts with, if that can be told at once."""
    if "|" in pattern:
        return ""
    match = _LITERAL.match(pattern)
    head = match[0] if match else ""
    # What follows may say that the last letter need not be there.
    if head and pattern[len(head) : len(head) + 1] in ("*", "?", "{"):
        head = head[:-1]
    return plain(head)


def _sequences(leaf: tree.Words, terms: list[Term], languages: frozenset[str]) -> Sequences:
    match leaf:
        case tree.Word(text, _, exact):
            return _word_sequences(text, terms, frozenset() if exact else languages)
        case tree.Phrase(text):
            return _word_sequences(text, terms, frozenset())
        case tree.Wildcard():
            return ((dict.fromkeys((term.text for term in terms), EXPANDED),),)
        case tree.Fuzzy(text, distance):
            spellings = Spellings([term.fold for term in terms])
            texts = [term.text for term in terms]
            return ((mistyped(plain(text), distance, texts, spellings),),)
        case tree.Regex(pattern):
            return ((fitting(pattern, ((term.fold, term.text) for term in terms)),),)


def _word_sequences(text: str, terms: list[Term], languages: frozenset[str]) -> Sequences:
    by_fold: dict[str, list[str]] = {}
    by_stem: dict[str, list[str]] = {}
    for term in terms:
        by_fold.setdefault(term.fold, []).append(term.text)
        for stem in term.stems:
            by_stem.setdefault(stem, []).append(term.text)

    def family(word: str) -> Family:
        found = {
            other: STEMMED for stem in stems(word, languages) for other in by_stem.get(stem, ())
        }
        found |= dict.fromkeys(by_fold.get(analysis.fold(word), ()), FOLDED)
        if word in found:
            found[word] = EXACT
        return found

    def prefixed(word: str) -> Family:
        start = plain(word)
        return {
            term.text: EXPANDED
            for term in terms
            if term.fold.startswith(start) or term.text.startswith(start)
        }

    return families(analysis.query_words(text), whole=family, begun=prefixed)
