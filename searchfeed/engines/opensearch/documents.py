"""Entries as the documents of a cluster, and back."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from searchfeed import analysis
from searchfeed.analysis.sketch import Sketches, Texts, sketches
from searchfeed.engines import Change
from searchfeed.engines.opensearch.mapping import SPELLING
from searchfeed.engines.stories import NO_DATE
from searchfeed.engines.whoosh.formulas import FIELDS
from searchfeed.engines.whoosh.values import ENCLOSURE, UPDATED, date_number, whole_term
from searchfeed.models import Enclosure, Entry
from searchfeed.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST_VALUE = 8_000
"""Characters of a value that is compared as a whole; the server takes 32,766 bytes."""

GROUPS = {
    "title": "text",
    "body": "text",
    "tags": "tags",
    "feed_title": "feed_title",
    "authors": "authors",
    "link": "link",
}
"""Field → the group of terms that its own are in: those of one group are told apart by no query."""

NAMES = {"author": "author_name", "tag": "tag_name"}
"""Field of values that are compared → the field and group that has them as they are written."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND, _MICROSECOND = timedelta(milliseconds=1), timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Story:
    """What tells whether an entry is the same story as another.

    Attributes:
        sketch: see ``analysis.sketch``: shape (WORDS,).
        length: terms of its title and body.
        moment: its date in microseconds, or ``NO_DATE``.
    """

    sketch: NDArray[np.uint64]
    length: int
    moment: int

    @property
    def bands(self) -> list[str]:
        """What texts like it are looked up by; nothing for one that is like none."""
        if not self.sketch.any():
            return []
        one = Sketches(self.sketch[None, :], np.array([self.length], dtype=np.int64))
        return [f"{at}{int(band[0]):06x}" for at, band in enumerate(one.bands())]


@dataclass(frozen=True, slots=True)
class Document:
    """An entry as it goes into the cluster.

    Attributes:
        version: later states of an entry have a higher one, on whatever machine they were seen.
        values: by field, all but the story it belongs to.
        terms: what its texts consist of, by group.
    """

    id: str
    version: int
    values: dict[str, Any]
    story: Story
    terms: dict[str, set[str]]
    language: str


def documents(changes: Sequence[Change]) -> Iterator[Document]:
    """The documents of some changes, which are worked on together."""
    texts = [
        (analysis.terms(each.entry.title), analysis.terms(each.entry.body)) for each in changes
    ]
    numbers: dict[str, int] = {}
    titles = _numbered([title for title, _ in texts], numbers)
    bodies = _numbered([body for _, body in texts], numbers)
    found = sketches([term.encode() for term in numbers], titles, bodies)
    for change, (title, body), sketch in zip(changes, texts, found, strict=True):
        entry = change.entry
        moment = NO_DATE if entry.date is None else date_number(entry.date)
        story = Story(sketch, len(title) + len(body), moment)
        terms = {"text": {*title, *body}}
        for field, values in _more_texts(entry).items():
            terms.setdefault(GROUPS[field], set()).update(*map(analysis.terms, values))
        for field, names in (("author", entry.authors), ("tag", entry.tags)):
            terms[NAMES[field]] = set(_spaced(names))
        yield Document(
            entry.id,
            version(change),
            _values(change, story),
            story,
            terms,
            analysis.language_of(entry.language, entry.body).partition("-")[0],
        )


def version(change: Change) -> int:
    """When this state of an entry was first seen, else what it says of its own date.

    Sequence numbers of two archives have nothing to do with each other, the clock has.
    """
    entry = change.entry
    moment = change.seen or max(
        filter(None, (entry.published, entry.updated)), default=_EPOCH + _MICROSECOND
    )
    return max(1, (moment - _EPOCH) // _MICROSECOND)


def _numbered(texts: Sequence[Sequence[str]], numbers: dict[str, int]) -> Texts:
    """The terms of texts by their ``numbers``, which grow by those that are new."""
    every = [numbers.setdefault(term, len(numbers)) for text in texts for term in text]
    return Texts(
        np.array(every, dtype=np.int32), np.array([len(text) for text in texts], dtype=np.int32)
    )


def _more_texts(entry: Entry) -> dict[str, Sequence[str]]:
    return {
        "link": (entry.link,),
        "feed_title": (entry.feed_title,),
        "authors": entry.authors,
        "tags": entry.tags,
    }


def _values(change: Change, story: Story) -> dict[str, Any]:
    entry = change.entry
    texts = {"title": [entry.title], "body": [entry.body], **_more_texts(entry)}
    prepared = {field: [places(text) for text in values] for field, values in texts.items()}
    values: dict[str, Any] = {field: found for field, found in prepared.items() if any(found)}
    # The weight of a field is how often its words are there: BM25 over them all is BM25F.
    values["words"] = [
        text
        for field in ("title", "body", "tags")
        for text in prepared[field] * int(FIELDS[field][0])
        if text
    ]
    values |= {
        "id": entry.id,
        "feed": _whole(entry.feed_url),
        "feed_key": feed_key(entry.feed_url),
        "flag": [UPDATED] * change.edited + [ENCLOSURE] * bool(entry.enclosures),
        "band": story.bands,
        "entry": kept(change, story),
    }
    for field, names in (("author", entry.authors), ("tag", entry.tags)):
        values[field] = sorted({_whole(whole_term(name)) for name in _spaced(names)} - {""})
        values[NAMES[field]] = _spaced(names)
    if entry.language:
        values["language"] = _whole(entry.language)
    if entry.date is not None:
        values["moment"] = story.moment
        values["date"] = (entry.date - _EPOCH) // _MILLISECOND
    return {field: value for field, value in values.items() if value != []}


def places(text: str) -> str:
    """The terms of a text, ready-made: by place, its spellings divided by bars.

    >>> places("A multi-agent system")
    'a multi-agent|multi agent system'
    """
    terms, positions = analysis.index_terms(text)
    if not terms or positions[-1] + 1 == len(terms):
        return " ".join(terms)
    found: list[str] = []
    for term, position in zip(terms, positions, strict=True):
        if position < len(found):
            found[position] += SPELLING + term
        else:
            found.append(term)
    return " ".join(found)


def feed_key(url: str) -> str:
    """A feed's URL as parts of it are looked for, without regard to case."""
    return _whole(url.casefold())


def _spaced(names: Iterable[str]) -> list[str]:
    """Each name once, without needless spaces."""
    spaced = (_whole(" ".join(name.split())) for name in names)
    return list(dict.fromkeys(name for name in spaced if name))


def _whole(value: str) -> str:
    return value[:LONGEST_VALUE]


def kept(change: Change, story: Story) -> dict[str, Any]:
    """All that can be known of an entry from the cluster alone, as values for JSON."""
    entry = change.entry
    return {
        "id": entry.id,
        "feed_url": entry.feed_url,
        "feed_title": entry.feed_title,
        "title": entry.title,
        "body": entry.body,
        "link": entry.link,
        "authors": entry.authors,
        "tags": entry.tags,
        "published": entry.published and entry.published.isoformat(),
        "updated": entry.updated and entry.updated.isoformat(),
        "language": entry.language,
        "enclosures": [[each.url, each.type, each.length] for each in entry.enclosures],
        "edited": change.edited,
        "sketch": b64encode(story.sketch.astype("<u8").tobytes()).decode(),
        "length": story.length,
    }


def read_entry(values: dict[str, Any]) -> Entry:
    """The entry that ``kept`` gave."""
    return Entry(
        values["id"],
        values["feed_url"],
        values["feed_title"],
        values["title"],
        values["body"],
        values["link"],
        tuple(values["authors"]),
        tuple(values["tags"]),
        _date(values["published"]),
        _date(values["updated"]),
        values["language"],
        tuple(Enclosure(*each) for each in values["enclosures"]),
    )


def read_story(values: dict[str, Any]) -> Story:
    """The story of what ``kept`` gave."""
    date = _date(values["published"]) or _date(values["updated"])
    return Story(
        np.frombuffer(b64decode(values["sketch"]), dtype="<u8").astype(np.uint64),
        values["length"],
        NO_DATE if date is None else date_number(date),
    )


def read_change(values: dict[str, Any]) -> Change:
    """A change that makes the same document again, but for its version."""
    return Change(0, read_entry(values), values["edited"])


def _date(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
