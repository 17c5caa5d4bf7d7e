"""What the index holds, for those who have not typed their word to the end or have mistyped it.

Words come from the index of terms, and are shown only where entries hold them. Forms that differ
by their accents alone are one word here, shown as it is written most often.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from searchfeed import analysis
from searchfeed.engines.opensearch.cluster import Cluster
from searchfeed.engines.opensearch.documents import GROUPS
from searchfeed.engines.opensearch.facets import values
from searchfeed.engines.opensearch.matching import EVERYTHING
from searchfeed.engines.opensearch.searching import Searcher
from searchfeed.engines.opensearch.state import Indices
from searchfeed.engines.opensearch.vocabulary import Term, Vocabulary
from searchfeed.engines.whoosh.lexicon import COMPLETED, WRITTEN, digits, misspelt
from searchfeed.engines.whoosh.values import plain

COUNTED = 500
"""Terms whose entries are counted; where more begin alike, they are those most frequent in one
shard, which is quick to ask."""

_POSSESSIVE = "'s"


class Lexicon:
    """The words of an index in a cluster."""

    def __init__(
        self, cluster: Cluster, indices: Indices, searcher: Searcher, vocabulary: Vocabulary
    ) -> None:
        self._cluster = cluster
        self._indices = indices
        self._searcher = searcher
        self._vocabulary = vocabulary

    def complete(self, field: str | None, prefix: str, limit: int) -> tuple[str, ...]:
        """See ``Engine.complete``."""
        if field not in COMPLETED:
            return ()
        fields = COMPLETED[field]
        prefix = plain(prefix)
        if field == "lang":
            counts = dict(values(self._searcher, EVERYTHING, "language"))
            found = {tag: number for tag, number in counts.items() if tag.startswith(prefix)}
            return tuple(sorted(found, key=lambda tag: (-found[tag], tag))[:limit])
        written = fields[0] in WRITTEN
        groups = list(fields) if written else [GROUPS[name] for name in fields]
        terms = self._vocabulary.starting(groups, prefix, inside=written)
        counts = self._counts(fields, [term.text for term in terms])
        ranked = _ranked(terms, counts)
        return tuple(_form(forms, counts) for forms in ranked[:limit])

    def suggest(self, word: str, limit: int) -> tuple[str, ...]:
        """See ``Engine.suggest``."""
        word = misspelt(word)
        distance = analysis.typing_mistakes(word)
        if not distance:
            return ()
        fields = COMPLETED[None]
        near = self._vocabulary.near([GROUPS[fields[0]]], word, distance)
        edits = {
            term: count
            for term, count in near.items()
            if count and digits(term.fold) == digits(word)
        }
        counts = self._counts(fields, [term.text for term in edits])
        distances = {term.fold: count for term, count in edits.items()}
        ranked = _ranked(edits, counts)
        ranked.sort(key=lambda forms: distances[forms[0].fold])
        return tuple(_form(forms, counts) for forms in ranked[:limit])

    def _counts(self, fields: Sequence[str], texts: Sequence[str]) -> dict[str, int]:
        """In how many fields of entries terms stand, of those that do."""
        wanted = [text for text in texts if not text.endswith(_POSSESSIVE)]
        if len(wanted) > COUNTED:
            wanted = self._most_frequent(fields, wanted)
        pairs = [(field, text) for text in wanted for field in fields]
        conditions = [{"term": {field: text}} for field, text in pairs]
        counts: dict[str, int] = {}
        for (_, text), number in zip(pairs, self._searcher.counts(conditions)[1:], strict=True):
            if number:
                counts[text] = counts.get(text, 0) + number
        return counts

    def _most_frequent(self, fields: Sequence[str], texts: Sequence[str]) -> list[str]:
        if fields[0] in WRITTEN:
            every = dict(values(self._searcher, EVERYTHING, fields[0]))
            rough = {text: every.get(text, 0) for text in texts}
        else:
            rough = dict.fromkeys(texts, 0)
            body = {
                "doc": {field: " ".join(texts) for field in fields},
                "fields": list(fields),
                "term_statistics": True,
                "field_statistics": False,
                "positions": False,
                "offsets": False,
                "payloads": False,
            }
            found = self._cluster.ask("POST", f"/{self._indices.entries}/_termvectors", body)
            for vector in found.get("term_vectors", {}).values():
                for text, about in vector["terms"].items():
                    rough[text] = rough.get(text, 0) + int(about.get("doc_freq", 0))
        return sorted(texts, key=lambda text: (-rough[text], text))[:COUNTED]


def _ranked(terms: Iterable[Term], counts: dict[str, int]) -> list[list[Term]]:
    """The forms of each word that stands in some entry, the most frequent word first."""
    words: dict[str, list[Term]] = {}
    for term in terms:
        if counts.get(term.text):
            words.setdefault(term.fold, []).append(term)
    totals = {fold: sum(counts[term.text] for term in forms) for fold, forms in words.items()}
    return [words[fold] for fold in sorted(words, key=lambda fold: (-totals[fold], fold))]


def _form(forms: Sequence[Term], counts: dict[str, int]) -> str:
    """How a word is written most often."""
    return max(forms, key=lambda term: (counts[term.text], term.text)).text
