"""Judged collections: documents, queries, and which documents answer which query.

A collection is a folder with ``docs.jsonl`` (``id``, ``title``, ``body``), ``queries.tsv``
(``id``, text), ``qrels.tsv`` (query id, document id, grade) and, where it is not English,
``meta.json`` (``lang``, ``note``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import ir_measures

from searchfeed.models import Entry

DEPTH = 10
"""Hits of a query that are looked at: the first page."""

MEASURE = ir_measures.nDCG @ DEPTH

_UNFAIR_TITLES = "use text only"
"""What the note of a collection says whose titles are in another language than its texts."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A judged collection, ready to be indexed and asked.

    Attributes:
        entries: the documents, numbered ids from 1 as 16 hexadecimal digits.
        names: an entry's id → the document's id in the judgments.
        queries: (id, text); only those that were judged.
        judgments: as the measures library takes them.
    """

    name: str
    language: str
    entries: tuple[Entry, ...]
    names: Mapping[str, str]
    queries: tuple[tuple[str, str], ...]
    judgments: tuple[ir_measures.Qrel, ...]

    def score(self, answers: Mapping[str, Sequence[str]]) -> dict[str, float]:
        """nDCG@10 of each query: query id → from 0 to 1.

        Args:
            answers: query id → ids of entries, best first; a query that is missing scores 0.
        """
        run = [
            # The library sorts by score, so the rank is told as one.
            ir_measures.ScoredDoc(query, self.names[id], float(DEPTH - rank))
            for query, ids in answers.items()
            for rank, id in enumerate(ids[:DEPTH])
        ]
        scores = {query: 0.0 for query, _ in self.queries}
        for metric in ir_measures.iter_calc([MEASURE], self.judgments, run):
            scores[metric.query_id] = float(metric.value)
        return scores


def is_collection(folder: Path) -> bool:
    """Whether ``folder`` has the three files of a collection."""
    return all((folder / name).is_file() for name in ("docs.jsonl", "queries.tsv", "qrels.tsv"))


def load(folder: Path, *, most_queries: int | None = None) -> Collection:
    """Read the collection in ``folder``, with its first ``most_queries`` judged queries."""
    meta_file = folder / "meta.json"
    meta = json.loads(meta_file.read_text("utf-8")) if meta_file.exists() else {}
    titled = _UNFAIR_TITLES not in meta.get("note", "")
    language = meta.get("lang", "en")
    entries: list[Entry] = []
    names: dict[str, str] = {}
    with (folder / "docs.jsonl").open(encoding="utf-8") as lines:
        for number, document in enumerate(map(json.loads, lines), start=1):
            id = f"{number:016x}"
            names[id] = str(document["id"])
            title = document.get("title", "") if titled else ""
            entries.append(Entry(id, folder.name, "", title, document["body"], language=language))
    judgments = [
        ir_measures.Qrel(query, document, int(grade))
        for query, document, grade in _rows(folder / "qrels.tsv")
    ]
    judged = {judgment.query_id for judgment in judgments}
    queries = [(id, text) for id, text in _rows(folder / "queries.tsv") if id in judged]
    queries = queries[:most_queries]
    kept = {id for id, _ in queries}
    return Collection(
        folder.name,
        language,
        tuple(entries),
        names,
        tuple(queries),
        tuple(judgment for judgment in judgments if judgment.query_id in kept),
    )


def _rows(path: Path) -> list[list[str]]:
    # Not csv: a quotation mark in a query is one.
    return [line.split("\t") for line in path.read_text("utf-8").split("\n") if line]
