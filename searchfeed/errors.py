"""Every deliberate error of searchfeed.

    SearchfeedError
    ├── SourceError              a named source could not be used
    │   ├── FetchError           its bytes could not be had
    │   └── ParseError           its bytes are not a feed
    ├── IndexNotFoundError       there is no index where one was named
    ├── IndexLockedError         another process is writing to the index
    ├── IndexVersionError        the index is of a version that this release cannot read
    ├── UnsafeIndexError         the index directory could have been prepared by somebody else
    ├── ArchiveError             the archive could not be read or written
    ├── EntryNotFoundError       no entry, or more than one, has that id
    ├── FeedNotFoundError        no feed, or more than one, is called that
    ├── EngineError              the search engine failed
    │   └── EngineUnavailableError   it cannot be reached, or is not installed
    └── QueryError               a condition in the query cannot be meant

Anything else that leaves the library is a bug. Errors of the packages below (Whoosh, SQLite,
feedparser) are translated where they arise, with the original as ``__cause__``.
"""

from __future__ import annotations

from datetime import timedelta


class SearchfeedError(Exception):
    """Base of every deliberate error; ``str()`` is one line fit for a person."""


class SourceError(SearchfeedError):
    """A source that was named could not be used.

    Attributes:
        source: the source as it was named (a path, a URL, ``-``).
        reason: what is wrong with it, in a few words.
        remedy: what the user can do about it; empty where there is nothing to say.
    """

    def __init__(self, source: str, reason: str, remedy: str = "") -> None:
        super().__init__(source, reason, remedy)
        self.source = source
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        text = f"{self.source}: {self.reason}"
        return f"{text} ({self.remedy})" if self.remedy else text


class FetchError(SourceError):
    """The bytes of a source could not be had.

    Attributes:
        retry_after: how long its server asked to be left alone, where it did.
        gone: whether its server says that it will never be back.
    """

    def __init__(
        self,
        source: str,
        reason: str,
        remedy: str = "",
        *,
        retry_after: timedelta | None = None,
        gone: bool = False,
    ) -> None:
        super().__init__(source, reason, remedy)
        self.retry_after = retry_after
        self.gone = gone


class ParseError(SourceError):
    """The bytes of a source are not a feed, or not one that can be read safely."""


class IndexNotFoundError(SearchfeedError):
    """There is no index at the place named."""


class IndexLockedError(SearchfeedError):
    """Another process is writing to the index."""


class IndexVersionError(SearchfeedError):
    """The index or its archive is of a version that this release cannot read."""


class UnsafeIndexError(SearchfeedError):
    """The index directory is owned, or can be written, by somebody else."""


class ArchiveError(SearchfeedError):
    """The archive could not be read or written."""


class EntryNotFoundError(SearchfeedError):
    """No entry has the id asked for, or a shortened id fits more than one."""


class FeedNotFoundError(SearchfeedError):
    """No feed has the URL or title asked for, or a part of one fits more than one."""


class EngineError(SearchfeedError):
    """The search engine failed."""


class EngineUnavailableError(EngineError):
    """The search engine cannot be reached, or its package is not installed."""


class QueryError(SearchfeedError):
    """A condition in the query cannot be meant (a bad date, an unknown field).

    Attributes:
        query: the whole text of the query.
        start, end: the half-open range of characters that is wrong.
        reason: what is wrong, in a few words.
        suggestion: the nearest right spelling of that range, or an empty string.
    """

    def __init__(self, query: str, start: int, end: int, reason: str, suggestion: str = "") -> None:
        super().__init__(query, start, end, reason, suggestion)
        self.query = query
        self.start = start
        self.end = end
        self.reason = reason
        self.suggestion = suggestion

    def __str__(self) -> str:
        return f"{self.reason}; did you mean {self.suggestion}?" if self.suggestion else self.reason
