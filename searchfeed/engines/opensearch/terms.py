"""The distinct terms of the texts: written as they come up, each once.

A term has the forms that it can be found by: without its accents, and its stems in every language
that the index has entries in. A language that is new to the index gives stems to the terms that
are there already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any

from searchfeed import analysis
from searchfeed.engines.whoosh.values import whole_term

ALWAYS = "en"
"""What states no language is most often English, and a stem too many does no harm."""

REMEMBERED = 1_000_000
"""Terms that are known to be in the index, so that they are not written again."""

_STEMMED = frozenset({"text", "tags", "feed_title"})
_WRITTEN = frozenset({"author_name", "tag_name"})


class KnownTerms:
    """The terms that an index is known to have; those of another generation are forgotten.

    ``languages`` are those that its terms are known to have stems of.
    """

    def __init__(self) -> None:
        self._generation = 0
        self._known: set[str] = set()
        self.languages: frozenset[str] = frozenset()

    def begin(self, generation: int) -> None:
        """Go on with this generation of the index."""
        if generation != self._generation:
            self.forget()
        # Another machine may have brought one in since.
        self.languages = frozenset()
        self._generation = generation

    def forget(self) -> None:
        """Take nothing for known: they have to be written again."""
        self._known.clear()
        self.languages = frozenset()

    def new(self, terms: Mapping[str, Iterable[str]]) -> list[tuple[str, str]]:
        """The group and term of those that are not known, which then are."""
        found = []
        for group, each in terms.items():
            for term in each:
                key = f"{group}:{term}"
                if key not in self._known:
                    if len(self._known) >= REMEMBERED:
                        self._known.clear()
                    self._known.add(key)
                    found.append((group, term))
        return found


def stemming(tags: Iterable[str]) -> frozenset[str]:
    """The languages among some tags that there is a stemmer for."""
    languages = {tag.partition("-")[0] for tag in tags}
    return frozenset(languages & analysis.STEMMED)


def term_id(group: str, term: str) -> str:
    """The id of a term's document."""
    return blake2b(f"{group}:{term}".encode(), digest_size=12).hexdigest()


def term_document(group: str, term: str, languages: Iterable[str]) -> dict[str, Any]:
    """A term with the forms that it is found by."""
    if group in _WRITTEN:
        return {"term": term, "fold": whole_term(term), "group": group}
    values: dict[str, Any] = {"term": term, "fold": analysis.fold(term), "group": group}
    if group in _STEMMED:
        values["stem"] = list(stems(term, languages))
    return values


def stems(term: str, languages: Iterable[str]) -> Iterator[str]:
    """The stems of a term, each with its language: ``en:run``."""
    for language in sorted(languages):
        yield f"{language}:{analysis.stem(term, language)}"
