"""The Whoosh schema, and how an entry becomes a document of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from whoosh.analysis import Analyzer, Token
from whoosh.columns import NumericColumn
from whoosh.fields import COLUMN, DATETIME, ID, KEYWORD, TEXT, Schema

from searchfeed import analysis

if TYPE_CHECKING:
    from searchfeed.engines import Change

VALUE_GAP = 100
"""Positions left free between two values of a field, so that no phrase spans them."""

UPDATED, ENCLOSURE = "updated", "enclosure"


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


class Text(TEXT):
    """Words with their positions, indexed without an object for each.

    A value is a text, or several (authors, tags) between which no phrase reaches.
    """

    def __init__(self, *, stored: bool = False) -> None:
        super().__init__(analyzer=FeedAnalyzer(), phrase=True, stored=stored)

    def index(
        self, value: str | Iterable[str], **_options: Any
    ) -> Iterator[tuple[bytes, int, float, bytes]]:
        """Yield (term, frequency, weight, encoded positions) for each distinct term."""
        places: dict[str, list[int]] = {}
        offset = 0
        for text in (value,) if isinstance(value, str) else value:
            last = -1
            for term, position in zip(*analysis.index_terms(text), strict=True):
                places.setdefault(term, []).append(offset + position)
                last = position
            offset += last + 1 + VALUE_GAP
        encode = self.format.encode
        for term, positions in places.items():
            count = len(positions)
            yield term.encode(), count, float(count), encode(positions)


def make_schema() -> Schema:
    """Title, body, date and link, and what belongs beside them.

    ``tag`` holds each tag whole, for conditions; ``tags`` its words, for ranking. ``key`` is the
    entry's id as a number, which breaks ties.
    """
    return Schema(
        id=ID(unique=True, stored=True),
        key=COLUMN(NumericColumn("Q")),
        title=Text(stored=True),
        body=Text(),
        link=Text(stored=True),
        date=DATETIME(sortable=True, stored=True),
        feed=ID(stored=True),
        feed_title=Text(),
        authors=Text(),
        tags=Text(),
        tag=KEYWORD(commas=True),
        language=ID(),
        flag=KEYWORD(commas=True),
    )


def tag_term(tag: str) -> str:
    """A whole tag in the form it is compared in: folded, one space between words, no comma."""
    return " ".join(analysis.fold(tag.casefold()).replace(",", " ").split())


def to_document(change: Change) -> dict[str, object]:
    """The keyword arguments of ``writer.add_document`` for an entry."""
    entry = change.entry
    flags = [UPDATED] * change.edited + [ENCLOSURE] * bool(entry.enclosures)
    document: dict[str, object] = {
        "id": entry.id,
        "key": int(entry.id, 16),
        "title": entry.title,
        "body": entry.body,
        "link": entry.link,
        "feed": entry.feed_url,
        "feed_title": entry.feed_title,
        "authors": entry.authors,
        "tags": entry.tags,
        "tag": ",".join(filter(None, map(tag_term, entry.tags))),
        "language": entry.language,
        "flag": ",".join(flags),
    }
    if entry.date is not None:
        # Whoosh drops the zone of a date without converting it.
        document["date"] = entry.date.astimezone(UTC).replace(tzinfo=None)
    return {name: value for name, value in document.items() if value not in ("", ())}


EPOCH = datetime(1, 1, 1)  # noqa: DTZ001 - Whoosh counts the microseconds from here, in no zone


def to_number(date: datetime) -> int:
    """A date as the ``date`` field counts it: microseconds of UTC since the year 1."""
    delta = date.astimezone(UTC).replace(tzinfo=None) - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
