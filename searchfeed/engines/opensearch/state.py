"""Which indices there are, and how far each archive has been taken into them."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

from searchfeed.engines import EngineOptions
from searchfeed.engines.opensearch import mapping
from searchfeed.engines.opensearch.answers import Missing, Refused
from searchfeed.engines.opensearch.cluster import SOON, Cluster
from searchfeed.errors import EngineError, IndexVersionError

IDENTITY = "archive"
"""The file that names an archive to the cluster."""

_EXISTS = "resource_already_exists_exception"
_CONFLICT = "version_conflict_engine_exception"
_ATTEMPTS = 10


class Indices:
    """The indices of one name in a cluster, and what is noted of them."""

    def __init__(self, cluster: Cluster, name: str, options: EngineOptions) -> None:
        self._cluster = cluster
        self._options = options
        self._lock = Lock()
        self._checked = 0
        self.name = name
        self.entries = mapping.entries_alias(name)
        self.terms = mapping.terms_alias(name)
        self.state = mapping.state_index(name)

    def generation(self, *, check: bool = True) -> int:
        """The number of the indices behind the aliases now; 0 where there are none.

        Raises:
            IndexVersionError: another release made them (not if ``check`` is off).
        """
        # Any server knows, even while they look for one to lead them.
        found = self._behind(self.entries, local="true", answer=SOON)
        if not found:
            return 0
        generation = max(map(mapping.generation_of, found))
        if check and generation != self._checked:
            self._check(generation)
        return generation

    def _behind(self, alias: str, **parameters: Any) -> list[str]:
        # Not of all indices there are: others may be none of this user's business.
        path = f"/{mapping.all_numbered(alias)}/_alias/{alias}"
        try:
            found = self._cluster.ask("GET", path, **parameters)
        except Missing:
            return []
        return list(found)

    def _check(self, generation: int) -> None:
        index = mapping.numbered(self.entries, generation)
        found = self._cluster.ask("GET", f"/{index}/_mapping")
        made = found.get(index, {}).get("mappings", {}).get("_meta", {}).get("fingerprint")
        if not made:
            raise EngineError(
                f"the index {index!r} was not made from searchfeed's template; take away those "
                f"that have a higher priority ({self._cluster.place}/_index_template)"
            )
        if made != mapping.fingerprint():
            raise IndexVersionError(
                f"the index {self.name!r} in the cluster was made by another release; "
                "run: searchfeed rebuild, or use that release"
            )
        with self._lock:
            self._checked = generation

    def ready(self) -> int:
        """The number of the indices, which are made where there are none.

        Raises:
            IndexVersionError: another release made them.
        """
        generation = self.generation()
        if generation:
            return generation
        # Another machine may do the same at this moment, which is just as well. The entries come
        # last: who sees their alias finds the rest.
        self._prepare()
        self._create_numbered(1, [[self.terms], [self.entries]])
        return self.generation() or 1

    def begin_building(self) -> int:
        """Make empty indices beside those that are searched; return their number."""
        self._prepare()
        generation = max(self._numbers(), default=0)
        while True:
            generation += 1
            aliases = [
                [mapping.building(alias, generation)] for alias in (self.terms, self.entries)
            ]
            if self._create_numbered(generation, aliases):
                self._check(generation)
                return generation

    def finish_building(self, generation: int) -> None:
        """Let these indices be searched instead of all others, at one moment; the others go."""
        actions: list[dict[str, Any]] = []
        for alias in (self.terms, self.entries):
            new = mapping.numbered(alias, generation)
            actions += [
                {"remove": {"index": old, "alias": alias}}
                for old in self._behind(alias)
                if old != new
            ]
            actions.append({"add": {"index": new, "alias": alias}})
            building = mapping.building(alias, generation)
            actions.append({"remove": {"index": new, "alias": building}})
        try:
            self._cluster.ask("POST", "/_aliases", {"actions": actions})
        except Missing:
            # It was done, but the answer was lost, and the second time there was nothing to do.
            if self._behind(self.entries) != [mapping.numbered(self.entries, generation)]:
                raise
        # What a rebuild left behind that was killed goes as well.
        self._remove(number for number in self._numbers() if number < generation)

    def give_up_building(self, generation: int) -> None:
        """Take indices away that did not become whole."""
        with suppress(EngineError):
            self._remove([generation])

    def _numbers(self) -> set[int]:
        """The numbers of all indices of this name, searched or not."""
        pattern = f"{self.entries}-*,{self.terms}-*"
        found = self._cluster.ask("GET", f"/{pattern}/_alias", expand_wildcards="all")
        own = re.compile(rf"{re.escape(self.entries)}(?:-terms)?-\d{{6,}}")
        return {mapping.generation_of(index) for index in found if own.fullmatch(index)}

    def _remove(self, generations: Iterable[int]) -> None:
        for generation in generations:
            for alias in (self.entries, self.terms):
                with suppress(Missing):
                    self._cluster.ask("DELETE", f"/{mapping.numbered(alias, generation)}")
            with suppress(Missing):
                self._cluster.ask("DELETE", f"/{self.state}/_doc/{_languages_id(generation)}")

    def _prepare(self) -> None:
        """Put the templates that new indices are made from, and make the index of the state."""
        for name, template in mapping.templates(self.name, self._options).items():
            known = self._template(name)
            if known.get("version", 0) > template["version"]:
                raise IndexVersionError(
                    f"the index template {name!r} in the cluster is of a newer release; use that "
                    f"release (or DELETE {self._cluster.place}/_index_template/{name})"
                )
            if any(known.get(key) != template[key] for key in ("version", "_meta")):
                self._cluster.ask("PUT", f"/_index_template/{name}", template)
        self._create(self.state)

    def _template(self, name: str) -> dict[str, Any]:
        try:
            found = self._cluster.ask("GET", f"/_index_template/{name}")
        except Missing:
            return {}
        known: dict[str, Any] = found["index_templates"][0]["index_template"]
        return known

    def _create_numbered(self, generation: int, aliases: Iterable[Iterable[str]]) -> bool:
        """Make the indices of a number; return whether both were not there."""
        made = [
            self._create(mapping.numbered(alias, generation), names)
            for alias, names in zip((self.terms, self.entries), aliases, strict=True)
        ]
        return all(made)

    def _create(self, index: str, aliases: Iterable[str] = ()) -> bool:
        """Make an index from its template; return whether it was not there."""
        body: dict[str, Any] = {"aliases": {alias: {} for alias in aliases}}
        try:
            self._cluster.ask("PUT", f"/{index}", body)
        except Refused as error:
            if error.kind != _EXISTS:
                raise
            return False
        return True

    def size(self) -> int:
        """Bytes of the entries and the terms, without the copies of them."""
        found = self._cluster.ask("GET", f"/{self.entries},{self.terms}/_stats/store")
        return int(found["_all"]["primaries"]["store"]["size_in_bytes"])

    # How far

    def reached(self, archive: str, generation: int) -> int:
        """The sequence number up to which these indices hold an archive."""
        found = self._noted(f"archive-{archive}")[0]
        return int(found["reached"]) if found.get("generation") == generation else 0

    def note_reached(self, archive: str, generation: int, reached: int) -> None:
        """Note it, once everything up to there can be found."""
        values = {"generation": generation, "reached": reached}
        self._cluster.ask("PUT", f"/{self.state}/_doc/archive-{archive}", values)

    def languages(self, generation: int) -> frozenset[str]:
        """The languages that terms have stems of."""
        found = self._noted(_languages_id(generation))[0]
        return frozenset(found.get("languages", ()))

    def add_languages(self, generation: int, languages: Iterable[str]) -> frozenset[str]:
        """Note that terms have stems of these languages too; return all that they have."""
        id = _languages_id(generation)
        wanted = frozenset(languages)
        for _ in range(_ATTEMPTS):
            values, place = self._noted(id)
            known = frozenset(values.get("languages", ()))
            if wanted <= known:
                return known
            new = {"generation": generation, "languages": sorted(known | wanted)}
            try:
                self._cluster.ask("PUT", f"/{self.state}/_doc/{id}", new, **place)
            except Refused as error:
                # Another machine was quicker; its languages count as well.
                if error.kind != _CONFLICT:
                    raise
            else:
                return known | wanted
        raise EngineError("other machines go on changing the languages of the index")

    def _noted(self, id: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """What is noted, and what makes sure that nobody has changed it since."""
        try:
            found = self._cluster.ask("GET", f"/{self.state}/_doc/{id}")
        except Missing:
            return {}, {"op_type": "create"}
        return found["_source"], {
            "if_seq_no": found["_seq_no"],
            "if_primary_term": found["_primary_term"],
        }


def _languages_id(generation: int) -> str:
    return f"languages-{generation}"


def archive_name(path: Path, *, create: bool) -> str:
    """What the archive beside ``path`` is called in the cluster; empty where it has no name yet.

    Sequence numbers of two archives have nothing to do with each other, so each has its own name.
    """
    file = path / IDENTITY
    with suppress(FileNotFoundError):
        return file.read_text("ascii").strip()
    if not create:
        return ""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path / f"{IDENTITY}.{secrets.token_hex(4)}"
    draft.write_text(f"{secrets.token_hex(16)}\n", "ascii")
    try:
        # A link is made whole or not at all, and never over what another process made.
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return file.read_text("ascii").strip()


__all__ = ("Indices", "archive_name")
