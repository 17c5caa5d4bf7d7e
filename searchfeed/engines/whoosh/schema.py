"""The Whoosh schema, and how an entry becomes a document of it. Only writing needs this."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from whoosh.analysis import Analyzer, Token
from whoosh.columns import NumericColumn
from whoosh.fields import COLUMN, DATETIME, ID, KEYWORD, TEXT, Schema

from searchfeed import analysis
from searchfeed.analysis.forms import stems
from searchfeed.analysis.sketch import Texts, sketches
from searchfeed.engines.whoosh.columnar.builder import Document
from searchfeed.engines.whoosh.columnar.cutting import GAP
from searchfeed.engines.whoosh.values import ENCLOSURE, SKETCH, UPDATED, date_number, whole_term

if TYPE_CHECKING:
    from searchfeed.analysis.stretches import Analyzed
    from searchfeed.engines import Change
    from searchfeed.engines.whoosh.columnar.occurrences import Occurrences
    from searchfeed.engines.whoosh.columnar.segment import MakeKeys
    from searchfeed.models import Entry

FROM_COLUMNS = ("date",)
"""Fields whose terms are made of their columns."""

VALUE_GAP = 100
"""Positions left free between two values of a field, so that no phrase spans them."""


class FeedAnalyzer(Analyzer):
    """``searchfeed.analysis`` as Whoosh wants it, for those who use Whoosh's own query parser."""

    def __call__(self, value: str, **options: Any) -> Iterator[Token]:
        """Yield Whoosh's one token object again and again, as its analyzers do."""
        token = Token(positions=True, chars=True, mode=options.get("mode", ""))
        for term, position, start, end in analysis.tokens(value):
            token.text = token.original = term
            token.boost = 1.0
            token.pos = options.get("start_pos", 0) + position
            token.startchar = options.get("start_char", 0) + start
            token.endchar = options.get("start_char", 0) + end
            token.stopped = False
            yield token


def make_schema() -> Schema:
    """Title, body, date and link, and what belongs beside them.

    ``tag`` and ``author`` hold each value whole and folded, for conditions and counts,
    ``tag_name`` and ``author_name`` as it is written; ``tags`` and ``authors`` hold the words.
    ``key`` is the entry's id as a number, which breaks ties; the columns of ``SKETCH`` tell whether
    two entries are the same story.
    """

    def text(*, stored: bool = False) -> TEXT:
        return TEXT(analyzer=FeedAnalyzer(), phrase=True, stored=stored)

    return Schema(
        id=ID(unique=True, stored=True),
        key=COLUMN(NumericColumn("Q")),
        **{name: COLUMN(NumericColumn("Q")) for name in SKETCH},
        title=text(stored=True),
        body=text(),
        link=text(stored=True),
        date=DATETIME(sortable=True, stored=True),
        feed=ID(stored=True),
        feed_title=text(),
        authors=text(),
        tags=text(),
        author=KEYWORD(commas=True),
        author_name=KEYWORD(commas=True),
        tag=KEYWORD(commas=True),
        tag_name=KEYWORD(commas=True),
        language=ID(),
        flag=KEYWORD(commas=True),
    )


class Keys(dict[str, dict[str, "MakeKeys"]]):
    """For each field of words the other forms that its terms can be found by.

    ``fold`` is the form without accents; ``stem-en`` and its like are stems, of every language
    that an entry is in and of those given. A name as it is written has its whole folded form.
    """

    FIELDS = ("title", "body", "tags", "feed_title", "authors", "link")
    NAMES = ("author_name", "tag_name")

    def __init__(self, languages: Iterable[str]) -> None:
        super().__init__({field: {"fold": _other_folds} for field in self.FIELDS})
        self.update({field: {"fold": _whole_terms} for field in self.NAMES})
        self.languages: set[str] = set()
        # What states no language is most often English, and a stem too many does no harm.
        for language in ("en", *languages):
            self.add_language(language)

    def add_language(self, tag: str) -> None:
        """Have stems of a language in what is written from now on."""
        language = tag.partition("-")[0]
        if language in self.languages or language not in analysis.STEMMED:
            return
        self.languages.add(language)
        for field in ("title", "body", "tags", "feed_title"):
            self[field][f"stem-{language}"] = _stemmer(language)


def _other_folds(terms: Sequence[str]) -> list[str | None]:
    folds = map(analysis.fold, terms)
    return [None if fold == term else fold for term, fold in zip(terms, folds, strict=True)]


_whole_term = lru_cache(8192)(whole_term)


def _whole_terms(names: Sequence[str]) -> list[str]:
    return list(map(whole_term, names))


def _stemmer(language: str) -> MakeKeys:
    return lambda terms: stems(terms, language)


def to_document(change: Change) -> Document:
    """An entry in the pieces that the index is written from."""
    entry = change.entry
    flags = [UPDATED] * change.edited + [ENCLOSURE] * bool(entry.enclosures)
    keywords: dict[str, list[str | bytes]] = {"id": [entry.id], "feed": [entry.feed_url]}
    for name, values in (("author", entry.authors), ("tag", entry.tags)):
        if values:
            keywords[name] = _values(map(_whole_term, values))
            keywords[f"{name}_name"] = _values(values)
    if entry.language:
        keywords["language"] = [entry.language]
    if flags:
        keywords["flag"] = [*flags]
    columns: dict[str, float | bytes] = {"key": int(entry.id, 16)}
    stored: dict[str, object] = {
        "id": entry.id,
        "title": entry.title,
        "link": entry.link,
        "feed": entry.feed_url,
    }
    if entry.date is not None:
        # Whoosh drops the zone of a date without converting it.
        date = entry.date.astimezone(UTC).replace(tzinfo=None)
        columns["date"] = date_number(entry.date)
        stored["date"] = date
    return Document({}, keywords, columns, stored, _texts(entry))


def _values(texts: Iterable[str]) -> list[str | bytes]:
    """Each text once, without needless spaces."""
    spaced = (" ".join(text.split()) for text in texts)
    return list(dict.fromkeys(text for text in spaced if text))


def _texts(entry: Entry) -> dict[str, tuple[str, ...]]:
    values = {
        "title": (entry.title,),
        "body": (entry.body,),
        "link": (entry.link,),
        "feed_title": (entry.feed_title,),
        "authors": entry.authors,
        "tags": entry.tags,
    }
    return {field: texts for field, texts in values.items() if any(texts)}


def analyze(stretches: Sequence[str]) -> Analyzed:
    """What stretches of texts are indexed as; see ``columnar.occurrences.Analyze``."""
    found = analysis.analyze(stretches)
    if GAP in stretches:
        found.widths[stretches.index(GAP)] = VALUE_GAP
    return found


def derive(occurrences: Callable[[str], Occurrences]) -> dict[str, Any]:
    """The columns of ``SKETCH``, made of what stands in titles and bodies."""
    title, body = map(occurrences, ("title", "body"))
    texts = (Texts(found.terms, found.counts) for found in (title, body))
    return dict(zip(SKETCH, sketches(title.words, *texts).T, strict=True))
