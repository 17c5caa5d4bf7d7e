"""Changes into the cluster.

They are made ready first and kept in a file, so that a change that cannot be made ready leaves the
cluster as it was; a rebuild writes to indices that nobody searches yet and needs no file. Terms
come before the entries that they stand in. Nothing shows before the last step.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import IO, Any, NamedTuple

from searchfeed.engines import Change, Progress
from searchfeed.engines.opensearch import bulk, mapping
from searchfeed.engines.opensearch.answers import Missing
from searchfeed.engines.opensearch.bulk import Bulk
from searchfeed.engines.opensearch.cluster import Cluster
from searchfeed.engines.opensearch.documents import Document, documents, read_change, read_story
from searchfeed.engines.opensearch.grouping import Told, regroup
from searchfeed.engines.opensearch.state import Indices
from searchfeed.engines.opensearch.terms import ALWAYS, KnownTerms, stemming, term_document, term_id
from searchfeed.errors import EngineError, IndexLockedError

TOGETHER = 100
"""Entries that are made ready together; progress is reported after each so many."""

IN_MEMORY = 32_000_000
"""Bytes of documents that are kept in memory before a file is used."""

AT_ONCE = 500
"""Documents that are read at once."""

TERMS_AT_ONCE = 1_000


class _Target(NamedTuple):
    """The aliases that are written to, and the number of the indices behind them."""

    entries: str
    terms: str
    generation: int


class Writer:
    """Writes to the indices of a name."""

    def __init__(self, cluster: Cluster, indices: Indices, known: KnownTerms) -> None:
        self._cluster = cluster
        self._indices = indices
        self._known = known

    def update(
        self, changes: Iterable[Change], removed: Iterable[str], progress: Progress | None
    ) -> int:
        """Take changes in and entries out; return the number of the indices."""
        with SpooledTemporaryFile(IN_MEMORY) as file:
            told: dict[str, Told] = {}
            terms: dict[str, set[str]] = {}
            languages: set[str] = set()
            for document in _prepared(changes, progress):
                told[document.id] = Told(document.story)
                for group, each in document.terms.items():
                    terms.setdefault(group, set()).update(each)
                languages.add(document.language)
                file.write(_packed(document))
            gone = sorted(set(removed) - told.keys())
            generation = self._indices.ready()
            target = _Target(self._indices.entries, self._indices.terms, generation)
            self._known.begin(generation)
            try:
                with Bulk(self._cluster) as writes:
                    self._write_terms(writes, target, terms, languages)
                    writes.finish()
                    self._refresh(target.terms)
                    self._write_entries(writes, target, file, told, gone)
            except BaseException:
                # Who knows which terms are there now.
                self._known.forget()
                raise
            self._refresh(target.entries)
            if self._indices.languages(generation) != self._known.languages:
                # Another machine brought one in while these terms were on their way.
                self._known.begin(generation)
                with Bulk(self._cluster) as writes:
                    self._languages(writes, target, languages)
                    self._stem_again(writes, target)
                self._refresh(target.terms)
        if progress is not None:
            progress(len(told))
        return generation

    def _write_entries(
        self,
        writes: Bulk,
        target: _Target,
        file: IO[bytes],
        told: dict[str, Told],
        gone: list[str],
    ) -> None:
        before = self._read([*told, *gone], target)
        stories = regroup(self._cluster, target.entries, told, _stories_of(before), gone)
        file.seek(0)
        for id, version, values in _unpacked(file):
            writes.add(_entry(target, id, version, values, stories.get(id, "")))
        for id in gone:
            if id in before:
                # Of the version that is there: a newer one that is on its way stays.
                writes.add(bulk.delete(target.entries, id, int(before[id]["_version"])))
        self._write_again(writes, target, stories.keys() - told.keys(), stories)

    def replace(self, changes: Iterable[Change], progress: Progress | None) -> int:
        """Build the indices anew, and let them take the place of those there are."""
        generation = self._indices.begin_building()
        target = _Target(
            mapping.building(self._indices.entries, generation),
            mapping.building(self._indices.terms, generation),
            generation,
        )
        self._known.begin(generation)
        try:
            count = self._build(target, changes, progress)
            self._indices.finish_building(generation)
        except BaseException:
            self._indices.give_up_building(generation)
            self._known.forget()
            raise
        if progress is not None:
            progress(count)
        return generation

    def _build(self, target: _Target, changes: Iterable[Change], progress: Progress | None) -> int:
        told: dict[str, Told] = {}
        try:
            with Bulk(self._cluster) as writes:
                for document in _prepared(changes, progress):
                    told[document.id] = Told(document.story)
                    self._write_terms(writes, target, document.terms, {document.language})
                    values = document.values
                    writes.add(_entry(target, document.id, document.version, values, ""))
                writes.finish()
                self._refresh(target.entries, target.terms)
                stories = regroup(self._cluster, target.entries, told, {}, ())
                self._write_again(writes, target, stories, stories)
            self._refresh(target.entries)
        except Missing as error:
            raise IndexLockedError(
                "another machine has rebuilt the index in the cluster meanwhile"
            ) from error
        return len(told)

    def _write_terms(
        self,
        writes: Bulk,
        target: _Target,
        terms: dict[str, set[str]],
        languages: set[str],
    ) -> None:
        known = self._languages(writes, target, languages)
        for group, term in self._known.new(terms):
            values = term_document(group, term, known)
            writes.add(bulk.create(target.terms, term_id(group, term), values))

    def _languages(self, writes: Bulk, target: _Target, languages: set[str]) -> frozenset[str]:
        """The languages of the index, those of some entries among them."""
        wanted = stemming(languages) | {ALWAYS}
        if wanted <= self._known.languages:
            return self._known.languages
        before = self._indices.languages(target.generation)
        self._known.languages = self._indices.add_languages(target.generation, wanted)
        if before and before != self._known.languages:
            writes.finish()
            self._stem_again(writes, target)
        return self._known.languages

    def _stem_again(self, writes: Bulk, target: _Target) -> None:
        """Give all terms that are there the stems of all languages."""
        self._refresh(target.terms)
        every = {"size": TERMS_AT_ONCE, "sort": [{"term": "asc"}, {"_id": "asc"}]}
        for hit in self._cluster.hits(target.terms, every):
            values = hit["_source"]
            if "stem" in values:
                values = term_document(values["group"], values["term"], self._known.languages)
                writes.add(bulk.overwrite(target.terms, hit["_id"], values))

    def _read(self, ids: list[str], target: _Target) -> dict[str, dict[str, Any]]:
        """The documents of some entries as they are now, seen or not yet."""
        found: dict[str, dict[str, Any]] = {}
        for at in range(0, len(ids), AT_ONCE):
            for each in self._cluster.read(target.entries, ids[at : at + AT_ONCE]):
                found[each["_id"]] = each
        return found

    def _write_again(
        self, writes: Bulk, target: _Target, ids: Iterable[str], stories: dict[str, str]
    ) -> None:
        """Write entries that stay as they are, but for the story that they belong to."""
        wanted = sorted(ids)
        for at in range(0, len(wanted), TOGETHER):
            found = self._read(wanted[at : at + TOGETHER], target)
            changes = [read_change(each["_source"]["entry"]) for each in found.values()]
            for document, each in zip(documents(changes), found.values(), strict=True):
                version = int(each["_version"])
                story = stories[document.id]
                writes.add(_entry(target, document.id, version, document.values, story))

    def _refresh(self, *indices: str) -> None:
        """Let what was written be found."""
        self._cluster.refresh(*indices, patience=bulk.PATIENCE)


def _prepared(changes: Iterable[Change], progress: Progress | None) -> Iterator[Document]:
    """The documents of changes, none of which comes twice."""
    taken: set[str] = set()
    rest = iter(changes)
    while together := list(islice(rest, TOGETHER)):
        for change in together:
            if change.entry.id in taken:
                raise EngineError(f"entry {change.entry.id} stands twice in a batch of changes")
            taken.add(change.entry.id)
        yield from documents(together)
        if progress is not None:
            progress(len(taken))


def _entry(
    target: _Target, id: str, version: int, values: dict[str, Any], story: str
) -> bulk.Write:
    if story:
        values = values | {"story": story}
    return bulk.index(target.entries, id, values, version)


def _packed(document: Document) -> bytes:
    row = [document.id, document.version, document.values]
    return json.dumps(row, separators=(",", ":")).encode() + b"\n"


def _unpacked(file: IO[bytes]) -> Iterator[tuple[str, int, dict[str, Any]]]:
    for line in file:
        id, version, values = json.loads(line)
        yield id, version, values


def _stories_of(found: dict[str, dict[str, Any]]) -> dict[str, Told]:
    return {id: Told(read_story(each["_source"]["entry"])) for id, each in found.items()}
