"""The frozen values that every layer shares.

None of them does any work: they are what one layer hands to the next. Dates are aware and in
UTC; texts are plain (no markup, no control characters) once they have left ``feeds/``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import overload

from searchfeed.errors import SourceError
from searchfeed.values import dataclass


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that comes with an entry: a podcast episode, a picture.

    ``length`` is in bytes, None where the feed does not say.
    """

    url: str
    type: str = ""
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed, as it was last published.

    Attributes:
        id: 16 hexadecimal digits made from the feed's identity and the entry's own key; stable
            for as long as both are.
        feed_url: the identity of its feed (see ``Feed.url``).
        title: one line of plain text; empty where the feed gives none.
        body: summary and content, each once, as plain text; paragraphs are divided by a blank
            line.
        link: an http(s) URL, or empty.
        published, updated: aware UTC; None where the feed gives no date that can be meant.
        language: a BCP 47 tag in lower case (``en``, ``pt-br``), or empty.
    """

    id: str
    feed_url: str
    feed_title: str
    title: str
    body: str
    link: str = ""
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    published: datetime | None = None
    updated: datetime | None = None
    language: str = ""
    enclosures: tuple[Enclosure, ...] = ()

    @property
    def date(self) -> datetime | None:
        """When it was published, else when it was updated, else None."""
        return self.published or self.updated

    @property
    def feed_name(self) -> str:
        """What to call its feed: the title, or the URL of one that has none."""
        return self.feed_title or self.feed_url


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed as read from one document.

    Attributes:
        url: its identity: the URL it was fetched from; for a file its own ``self`` link, else
            its home link and title, else its path.
        link: its home page, or empty.
        entries: in the order of the document; no two have the same id.
        warnings: what was wrong with the document although its entries could be read; one line
            each.
        ttl: how long it asks to be left alone after it was fetched; None where it does not say.
    """

    url: str
    title: str
    link: str = ""
    language: str = ""
    entries: tuple[Entry, ...] = ()
    warnings: tuple[str, ...] = ()
    ttl: timedelta | None = None


class SubscriptionState(StrEnum):
    """Whether a subscription is fetched: ``gone`` is one whose server said it will not be back."""

    ACTIVE = "active"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A feed that is fetched again and again. Dates are aware UTC.

    Attributes:
        feed_url: the feed's identity, which stays when it moves: the URL first subscribed to.
        url: where it is fetched from now; it may hold a name and a password, so never show it.
        state: whether it is fetched at all.
        etag, last_modified: what the server last sent, verbatim; empty where it sent none.
        last_fetch: when it was last tried.
        last_success: when that last worked, also where nothing was new.
        last_error: why the last try failed; empty where it did not.
        failures: tries in a row that failed.
        next_fetch: it is not fetched before that; None is any time.
        moved_to: where the server last said that the feed has moved for good; empty for nowhere.
        moves: how many times in a row it said so.
        ttl: see ``Feed.ttl``.
    """

    feed_url: str
    url: str
    state: SubscriptionState = SubscriptionState.ACTIVE
    etag: str = ""
    last_modified: str = ""
    last_fetch: datetime | None = None
    last_success: datetime | None = None
    last_error: str = ""
    failures: int = 0
    next_fetch: datetime | None = None
    moved_to: str = ""
    moves: int = 0
    ttl: timedelta | None = None


@dataclass(frozen=True, slots=True)
class FeedState:
    """What the archive knows of a feed. ``entries`` counts those kept; dates are aware UTC.

    ``title`` is the user's own where there is one. ``subscription`` is None for feeds of files.
    """

    url: str
    title: str
    link: str
    language: str
    entries: int
    newest: datetime | None
    last_success: datetime | None
    tags: tuple[str, ...] = ()
    subscription: Subscription | None = None


class Sort(StrEnum):
    """The order of results: by relevance, oldest first, or newest first.

    Entries without a date come last in both orders by date.
    """

    RELEVANCE = "relevance"
    OLDEST = "date"
    NEWEST = "-date"


class Period(StrEnum):
    """A stretch of the calendar. Weeks are those of ISO 8601, from Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Facet(StrEnum):
    """What the entries that were found can be counted by."""

    FEED = "feed"
    AUTHOR = "author"
    TAG = "tag"
    LANGUAGE = "lang"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class FacetCount:
    """How many entries share a value; an entry counts once, however often it has it.

    Attributes:
        value: as the condition of a query takes it: the feed's URL, the author or the tag without
            regard to case and accents, ``en-gb``, ``2020-08`` (see ``Facet`` and ``date:``).
        label: the value for people: the feed's title, the author or the tag as it is most often
            written.
    """

    value: str
    count: int
    label: str


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked for.

    ``feeds`` keeps to feeds whose URL or title holds one of these texts. ``recency`` is a half-life
    by which newer entries are preferred, None for no preference. ``fuzzy`` also finds entries that
    have the words with typing mistakes. With ``dedupe`` entries that tell the same story are one
    hit. ``suggest`` asks what was perhaps meant by words that stand in no entry.
    """

    text: str
    limit: int = 10
    offset: int = 0
    sort: Sort = Sort.RELEVANCE
    feeds: tuple[str, ...] = ()
    recency: timedelta | None = None
    fuzzy: bool = False
    dedupe: bool = True
    suggest: bool = True

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ValueError(f"limit must be at least 1, not {self.limit}")
        if self.offset < 0:
            raise ValueError(f"offset must not be negative, not {self.offset}")
        if self.recency is not None and self.recency <= timedelta(0):
            raise ValueError("recency must be a length of time above 0")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of characters."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"not a span: {self.start}..{self.end}")


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a leaf of a query looks for, as the analyzer's terms: the engine's word to the snippets.

    Attributes:
        terms: one set of index terms for each word, in order; a single word has one set, a
            phrase several.
        weight: how much finding it says (rare words say more), never negative.
        field: ``title`` or ``body``, or None for both.
        slop: how many other words may stand between the words of a phrase.
    """

    terms: tuple[frozenset[str], ...]
    weight: float
    field: str | None = None
    slop: int = 0


@dataclass(frozen=True, slots=True)
class Snippet:
    """A passage of an entry's ``field``, found in it verbatim, and what matched inside it.

    ``spans`` are relative to ``text``, in order, and do not overlap. ``before`` and ``after``
    tell whether the field goes on beyond the passage.
    """

    field: str
    text: str
    spans: tuple[Span, ...] = ()
    before: bool = False
    after: bool = False

    def parts(self) -> Iterator[tuple[str, bool]]:
        """The text in pieces, each with whether it matched; joined they are the text."""
        position = 0
        for span in self.spans:
            if span.start > position:
                yield self.text[position : span.start], False
            yield self.text[span.start : span.end], True
            position = span.end
        if position < len(self.text):
            yield self.text[position:], False

    def mark(self, start: str, end: str) -> str:
        """The text with each match between ``start`` and ``end``.

        >>> Snippet("title", "Silk Routes", (Span(0, 4),)).mark("[", "]")
        '[Silk] Routes'
        """
        return "".join(f"{start}{text}{end}" if hit else text for text, hit in self.parts())


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that was found. A higher ``score`` is a better match.

    ``snippets`` is never empty: the best passage of the body comes first (the title, where there
    is no body), then the title. ``duplicates`` are other entries that match and tell the same
    story, in the order of the results.
    """

    entry: Entry
    score: float
    snippets: tuple[Snippet, ...]
    duplicates: tuple[Entry, ...] = ()

    def snippet(self, field: str) -> Snippet | None:
        """The snippet of ``field`` (``title`` or ``body``), or None where that field is empty."""
        return next((snippet for snippet in self.snippets if snippet.field == field), None)


@dataclass(frozen=True, slots=True)
class Results:
    """One page of hits, best first (or as ``query.sort`` says).

    Attributes:
        total: how many entries match, on all pages; exact. Those of one story count once, unless
            ``query.dedupe`` is off.
        elapsed: seconds from the text to the snippets.
        notes: what the parser had to guess and what the user may want to know, a sentence each.
        suggestion: the text of the query with words that stand in no entry replaced by those that
            may have been meant; empty if there are none.
    """

    query: Query
    hits: tuple[Hit, ...]
    total: int
    elapsed: float
    notes: tuple[str, ...] = ()
    suggestion: str = ""

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Hit, ...]: ...
    def __getitem__(self, index: int | slice) -> Hit | tuple[Hit, ...]:
        return self.hits[index]


@dataclass(frozen=True, slots=True)
class Selection:
    """Entries chosen to be taken out.

    Attributes:
        ids: theirs.
        oldest, newest: the dates of the oldest and the newest that has one, aware UTC.
        feeds: how many are of each feed, the largest count first; the label is the feed's title.
        notes: what had to be guessed to choose them, a sentence each.
    """

    ids: tuple[str, ...]
    oldest: datetime | None = None
    newest: datetime | None = None
    feeds: tuple[FacetCount, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many entries are dated in the half-open range [start, end), aware UTC.

    ``name`` is that of the period, as a query's ``date:`` takes it: ``2020-08``, ``2020-W33``.
    """

    name: str
    start: datetime
    end: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Trend:
    """How many entries match in each stretch of time, the oldest first, none left out between.

    Attributes:
        total: how many entries match, exact, be they in a bucket or not.
        undated: how many of them have no date, and so are in no bucket.
        notes: what had to be guessed or left out, a sentence each.
    """

    query: Query
    by: Period
    buckets: tuple[Bucket, ...]
    total: int
    undated: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contribution:
    """A piece of a score: what a clause of the query brought through a term of a field.

    ``field`` and ``term`` are empty for a bonus; ``weight`` is how often the term stands there,
    weighted by field, form and length.
    """

    clause: str
    score: float
    field: str = ""
    term: str = ""
    weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an entry has the score it has: the ``contributions`` add up to ``score``.

    Of an entry that does not match, ``missing`` names the clauses of the query that it fails.
    """

    matches: bool
    score: float = 0.0
    contributions: tuple[Contribution, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExplainedQuery:
    """How a query was read: its tree, what had to be guessed, and what the engine makes of it.

    ``tree`` and ``engine`` are for people: several lines each.
    """

    text: str
    tree: str
    notes: tuple[str, ...]
    engine: str


@dataclass(frozen=True, slots=True)
class Report:
    """What an update did: entries added, updated and unchanged, and what went wrong where.

    Reports add up with ``+``.

    Attributes:
        failures: the sources that could not be read, and why.
        warnings: a line each for what was read although something is wrong with it, and for what
            has become of a source (its feed has moved, say).
        fetched: subscriptions that were fetched, whatever came of it.
        waiting: subscriptions that were not, because it was not their time yet.
        next_fetch: when the first of those waiting may be fetched; None where none waits.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    failures: tuple[SourceError, ...] = field(default=())
    warnings: tuple[str, ...] = ()
    fetched: int = 0
    waiting: int = 0
    next_fetch: datetime | None = None

    def __add__(self, other: Report) -> Report:
        moments = [each for each in (self.next_fetch, other.next_fetch) if each is not None]
        return Report(
            self.added + other.added,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.failures + other.failures,
            self.warnings + other.warnings,
            self.fetched + other.fetched,
            self.waiting + other.waiting,
            min(moments, default=None),
        )


@dataclass(frozen=True, slots=True)
class Stats:
    """The state of an index. Sizes are in bytes, dates are aware UTC."""

    path: str
    engine: str
    feeds: int
    entries: int
    versions: int
    oldest: datetime | None
    newest: datetime | None
    archive_size: int
    index_size: int
