"""What a query is worth where it matches, as the servers reckon it.

The constants are those of the Whoosh engine (``engines/whoosh/scoring.py`` and its neighbours), and
so is the form of the score as far as BM25 of the servers can say it:

- a word is scored on the field ``words``, which has the title as often as it weighs: BM25 over that
  is BM25F. Its family is a synonym, so that its forms count as one term;
- rarity is stretched by a boost, phrases and neighbours are scored by how often they stand there;
- entries that hold all that was wanted get more than any score on top. What a score can be at most
  is known here, what the highest of all is could only be known by asking twice.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

from searchfeed import tree
from searchfeed.engines.opensearch.mapping import WORDS, own_saturation
from searchfeed.engines.opensearch.matching import (
    NOTHING,
    Clause,
    Matcher,
    borders,
    is_compound,
    longer,
    parts,
    phrase,
    phrase_fields,
    row,
    single_fields,
    some,
    terms,
    typed,
    united_singles,
)
from searchfeed.engines.whoosh.formulas import (
    ALL,
    BORDER,
    FIELDS,
    NEAR,
    NEAR_FIELDS,
    SATURATION,
    STRETCH,
    TYPED,
    WHOLE,
    WINDOW,
    inverse_document_frequency,
)
from searchfeed.engines.whoosh.meaning import Family, united
from searchfeed.engines.whoosh.vocabulary import EXPANDED
from searchfeed.models import Pattern
from searchfeed.values import dataclass

SYNONYMS = 500
"""Terms that are scored as one by how often they stand there; more are only looked for."""

PLACED = 40
"""Terms of a phrase, or of two neighbours, that are scored by how often they stand so. The servers
take 1,024 clauses, and each of these terms is one in each field."""

PAIRS = 30
"""Pairs of neighbours that are looked for; who gives more words has pasted a text."""

FULL = "all that was wanted is there"
NEWER = "newer entries are preferred"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a score: what says so, what it is of, and what it is worth at most."""

    clause: Clause
    label: str
    most: float
    leaf: tree.Words | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many entries there are, and how many of them hold each leaf."""

    entries: int
    holding: Mapping[tree.Words, int]

    def rarity(self, leaf: tree.Words) -> float:
        """See ``inverse_document_frequency``."""
        return inverse_document_frequency(self.holding.get(leaf, 0), max(self.entries, 1))

    @property
    def most(self) -> float:
        """What the servers can take for the rarity of a term at most; those deleted count too."""
        return math.log1p(2 * self.entries + 1_000)


class Scorer:
    """Scores one query."""

    def __init__(self, matcher: Matcher, counts: Counts) -> None:
        self._matcher = matcher
        self._counts = counts

    def pieces(self, node: tree.Node) -> list[Piece]:
        """All that adds to the score of what matches, but for what is worth more than it."""
        found = list(self._pieces(node, every=True))
        return found + list(self._neighbours(node))

    def query(self, node: tree.Node, recency: timedelta | None, now: datetime) -> Clause:
        """The whole query: what matches, and how it scores."""
        pieces = self.pieces(node)
        clause = scored(self._matcher.matches(node), [piece.clause for piece in pieces])
        if not pieces:
            return clause
        if recency is not None:
            clause = preferring(clause, recency, now)
        lifts = [piece.clause for piece in self.lifts(node, pieces)]
        return {"bool": {"must": [clause], "should": lifts}} if lifts else clause

    def lifts(self, node: tree.Node, pieces: Sequence[Piece]) -> list[Piece]:
        """What entries get that hold all that was wanted, and again what holds it as typed."""
        if not pieces or not can_be_partial(node):
            return []
        # Twice, for what a preference for newer entries may add.
        most = float(math.ceil(2 * sum(piece.most for piece in pieces)))
        levels = (ALL, TYPED) if can_be_mistaken(node) else (TYPED,)
        return [
            Piece(constant(self._matcher.matches(node, level), most), FULL, most)
            for level in levels
        ]

    def _pieces(self, node: tree.Node, *, every: bool) -> Iterator[Piece]:
        match node:
            case tree.Not() | tree.Everything() | tree.DateRange() | tree.Flag():
                return
            case tree.Or(children):
                for child in children:
                    yield from self._pieces(child, every=False)
            case tree.Best(children, required) if every or not required:
                for child in children:
                    yield from self._pieces(child, every=False)
            case tree.And(children) if every:
                for child in children:
                    yield from self._pieces(child, every=True)
            case tree.And() | tree.Best():
                # It counts only where all of it is there.
                condition = self._matcher.matches(node)
                for piece in self._pieces(node, every=True):
                    clause = scored(condition, [piece.clause])
                    yield Piece(clause, piece.label, piece.most, piece.leaf)
            case _:
                yield from self._words(node)

    def _words(self, leaf: tree.Words) -> Iterator[Piece]:
        if leaf.field in tree.KEYWORD_FIELDS:
            return
        if isinstance(leaf, tree.Word):
            yield from self._word(leaf)
        elif isinstance(leaf, tree.Fuzzy):
            yield from self._fuzzy(leaf)
        else:
            yield from self._leaf(leaf)

    def _word(self, word: tree.Word) -> Iterator[Piece]:
        within = parts(word)
        yield from self._leaf(word, WHOLE if within and is_compound(word) else 1.0)
        for part in within:
            yield from self._leaf(part)
        for border in borders(word):
            yield from self._leaf(border, BORDER)

    def _fuzzy(self, leaf: tree.Fuzzy) -> Iterator[Piece]:
        """An entry with the word as it was typed stands above any with a typing mistake."""
        found = list(self._leaf(leaf))
        yield from found
        condition = self._matcher.holds(typed(leaf))
        most = sum(piece.most for piece in found)
        if most and condition != NOTHING:
            yield Piece(constant(condition, most), f"{leaf.text} as it was typed", most)

    def _leaf(self, leaf: tree.Words, worth: float = 1.0) -> Iterator[Piece]:
        sequences = self._matcher.sequences(leaf)
        rarity = self._counts.rarity(leaf)
        words = max(map(len, sequences), default=1)
        queries: list[tuple[Clause, float]] = []
        singles = united_singles(sequences)
        if singles:
            each = [self._single(field, singles, worth, rarity) for field in single_fields(leaf)]
            queries.append((added(clause for clause, _ in each), sum(most for _, most in each)))
        rows = [row(sequence) for sequence in longer(sequences)]
        if rows:
            slop = leaf.slop if isinstance(leaf, tree.Phrase) else 0
            boost = worth * words * rarity
            few = sum(len(family) for each in longer(sequences) for family in each) <= PLACED
            for field in phrase_fields(leaf):
                # A phrase that stands there once has half the boost, and one in the body
                # should have all of what it is worth.
                weight = 2 * boost * once(FIELDS[field][0])
                if few:
                    queries.append((intervals(field, rows, slop, weight), weight))
                else:
                    condition = some(phrase(field, each, slop) for each in longer(sequences))
                    queries.append((constant(condition, weight / 2), weight / 2))
        if not queries:
            return
        most = max(most for _, most in queries)
        clause = queries[0][0]
        if len(queries) > 1:
            clause = {"dis_max": {"queries": [clause for clause, _ in queries]}}
        yield Piece(clause, tree.label(leaf), most, leaf)

    def _single(
        self, field: str, family: Family, worth: float, rarity: float
    ) -> tuple[Clause, float]:
        """A family of terms in one field, and what it is worth at most."""
        weight = FIELDS[field][0] if field in FIELDS else 1.0
        if len(family) > SYNONYMS:
            boost = worth * rarity * EXPANDED * once(weight)
            return constant(terms(field, family), boost), boost
        saturation = SATURATION if field == WORDS else own_saturation(field)
        # The servers take the rarity as it is, and count up to the field's own saturation.
        stretched = worth * rarity ** (1 - 1 / STRETCH)
        stretched *= (SATURATION + 1) / (saturation + 1)
        layers: list[Clause] = []
        below = 0.0
        for value in sorted(set(family.values())):
            reaching = sorted(term for term, each in family.items() if each >= value)
            boost = stretched * (value - below)
            layers.append({"match": {field: {"query": "|".join(reaching), "boost": boost}}})
            below = value
        most = stretched * below * (saturation + 1) * self._counts.most
        return added(layers), most

    def _neighbours(self, node: tree.Node) -> Iterator[Piece]:
        for one, other in islice(pairs(node), PAIRS):
            firsts = [
                united(
                    [option[:1] for option in self._matcher.sequences(word) if option] or [({},)]
                )
                for word in (one, other)
            ]
            if not all(firsts) or sum(map(len, firsts)) > PLACED:
                continue
            # How often they stand together is not asked; not more often than the rarer one.
            rarity = max(self._counts.rarity(one), self._counts.rarity(other))
            boost = NEAR * rarity * (SATURATION + 1)
            for field in NEAR_FIELDS:
                label = f"{one.text} near {other.text} in the {field}"
                yield Piece(near(field, firsts, boost), label, boost)

    def patterns(self, leaves: Iterable[tree.Words]) -> Iterator[Pattern]:
        """What leaves that are wanted look like in a text."""
        for leaf in leaves:
            slop = leaf.slop if isinstance(leaf, tree.Phrase) else 0
            sequences = self._matcher.sequences(leaf)
            words = max(map(len, sequences), default=1)
            for option in sequences:
                if option and all(option):
                    families = tuple(map(frozenset, option))
                    weight = words * self._counts.rarity(leaf)
                    yield Pattern(families, weight, leaf.field, slop)


def once(weight: float) -> float:
    """What a word is worth that stands once in a field of this weight, and is 1 in the body."""
    return weight * (SATURATION + 1) / (weight + SATURATION)


def scored(condition: Clause, clauses: Sequence[Clause]) -> Clause:
    """What meets a condition, with the scores of all clauses that match too."""
    if condition == NOTHING:
        return NOTHING
    return {"bool": {"filter": [condition], "should": [*clauses]}}


def added(clauses: Iterable[Clause]) -> Clause:
    """What matches any of some clauses, their scores added."""
    found = [clause for clause in clauses if clause != NOTHING]
    if not found:
        return NOTHING
    return found[0] if len(found) == 1 else {"bool": {"should": found}}


def constant(condition: Clause, score: float) -> Clause:
    """What meets a condition, all with the same score."""
    return {"constant_score": {"filter": condition, "boost": score}}


def intervals(field: str, rows: Sequence[str], slop: int, boost: float) -> Clause:
    """Words in their order, scored by how often they stand so."""
    found = [{"match": {"query": text, "ordered": True, "max_gaps": slop}} for text in rows]
    rule: Clause = found[0] if len(found) == 1 else {"any_of": {"intervals": found}}
    return {"intervals": {field: {**rule, "boost": boost}}}


def near(field: str, families: Sequence[Family], boost: float) -> Clause:
    """Two words within the window, in any order."""
    words = [{"match": {"query": "|".join(sorted(family))}} for family in families]
    rule = {"intervals": words, "ordered": False, "max_gaps": WINDOW - 1}
    return {"intervals": {field: {"all_of": rule, "boost": boost}}}


def preferring(clause: Clause, half_life: timedelta, now: datetime) -> Clause:
    """The score of an entry of now doubled, of one a half-life old 1.5 times, and so on."""
    moment = int(now.astimezone(UTC).timestamp() * 1_000)
    decay = {
        "exp": {
            "date": {
                "origin": moment,
                "scale": f"{max(1, half_life // timedelta(milliseconds=1))}ms",
                "decay": 0.5,
            }
        }
    }
    past = {"range": {"date": {"lte": moment}}}
    return {
        "function_score": {
            "query": clause,
            "functions": [
                {"weight": 1},
                {"filter": past, **decay},
                {"filter": {"range": {"date": {"gt": moment}}}, "weight": 1},
            ],
            "score_mode": "sum",
            "boost_mode": "multiply",
        }
    }


def pairs(node: tree.Node) -> Iterator[tuple[tree.Word, tree.Word]]:
    """The words that are neighbours in a query, of all that is wanted."""
    match node:
        case tree.Best(children):
            words = [child for child in children if isinstance(child, tree.Word)]
            # Required words stand first among the children, wherever they stand in the query.
            words.sort(key=lambda word: word.span.start)
            yield from pairwise(word for word in words if not word.field)
            for child in children:
                yield from pairs(child)
        case tree.And(children) | tree.Or(children):
            for child in children:
                yield from pairs(child)


def wanted(node: tree.Node) -> Iterator[tree.Words]:
    """The leaves that score, parts of words among them; nothing of what is to be left out."""
    match node:
        case tree.Best(children) | tree.And(children) | tree.Or(children):
            for child in children:
                yield from wanted(child)
        case tree.Not() | tree.DateRange() | tree.Flag() | tree.Everything():
            return
        case _ if node.field in tree.KEYWORD_FIELDS:
            return
        case tree.Word():
            yield node
            yield from parts(node)
            yield from borders(node)
        case _:
            yield node


def can_be_partial(node: tree.Node) -> bool:
    """Whether what matches may lack something that was wanted."""
    match node:
        case tree.Best(children):
            return len(children) > 1 or any(map(can_be_partial, children))
        case tree.And(children) | tree.Or(children):
            return any(map(can_be_partial, children))
        case tree.Word():
            return bool(parts(node))
        case tree.Fuzzy():
            return node.field not in tree.KEYWORD_FIELDS
    return False


def can_be_mistaken(node: tree.Node) -> bool:
    """Whether what matches may have a word with a typing mistake."""
    match node:
        case tree.Best(children) | tree.And(children) | tree.Or(children):
            return any(map(can_be_mistaken, children))
        case tree.Fuzzy():
            return node.field not in tree.KEYWORD_FIELDS
    return False
