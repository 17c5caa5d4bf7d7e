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
from searchfeed.engines.whoosh.columnar.builder import Documents
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

    def add_language_of(self, entry: Entry) -> None:
        """Have stems of the language that an entry states, or else is found to be in."""
        # What it states is most often known, and its text need not be asked.
        if entry.language not in self.languages:
            self.add_language(analysis.language_of(entry.language, entry.body))

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


def _whole_terms(names: Sequence[str]) -> list[str]:
    return list(map(whole_term, names))


def _stemmer(language: str) -> MakeKeys:
    return lambda terms: stems(terms, language)


def to_documents(changes: Sequence[Change]) -> Documents:
    """Entries in the pieces that the index is written from."""
    entries = [change.entry for change in changes]
    dates = [entry.date for entry in entries]
    return Documents(
        list(map(_stored, entries)),
        values={
            "title": [(entry.title,) for entry in entries],
            "body": [(entry.body,) for entry in entries],
            "link": [(entry.link,) for entry in entries],
            "feed_title": [(entry.feed_title,) for entry in entries],
            "authors": [entry.authors for entry in entries],
            "tags": [entry.tags for entry in entries],
        },
        keywords={
            "id": [(entry.id,) for entry in entries],
            "feed": [(entry.feed_url,) for entry in entries],
            "language": [(entry.language,) if entry.language else () for entry in entries],
            "author": [_folded(entry.authors) for entry in entries],
            "author_name": [_spaced(entry.authors) for entry in entries],
            "tag": [_folded(entry.tags) for entry in entries],
            "tag_name": [_spaced(entry.tags) for entry in entries],
            "flag": list(map(_flags, changes)),
        },
        columns={
            "key": [int(entry.id, 16) for entry in entries],
            "date": [None if each is None else date_number(each) for each in dates],
        },
    )


def _stored(entry: Entry) -> dict[str, object]:
    stored: dict[str, object] = {
        "id": entry.id,
        "title": entry.title,
        "link": entry.link,
        "feed": entry.feed_url,
    }
    if (date := entry.date) is not None:
        # Whoosh drops the zone of a date without converting it.
        stored["date"] = date.astimezone(UTC).replace(tzinfo=None)
    return stored


def _flags(change: Change) -> tuple[str, ...]:
    return (UPDATED,) * change.edited + (ENCLOSURE,) * bool(change.entry.enclosures)


@lru_cache(8192)
def _spaced(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Each text once, without needless spaces."""
    spaced = (" ".join(text.split()) for text in texts)
    return tuple(dict.fromkeys(text for text in spaced if text))


@lru_cache(8192)
def _folded(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names as whole terms."""
    return _spaced(tuple(map(whole_term, names)))


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
