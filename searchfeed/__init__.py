"""searchfeed: every entry that your feeds ever published, kept and found again.

An index lives in a directory. ``update`` takes feeds in, ``search`` finds their entries:

    import searchfeed

    with searchfeed.Index("index/") as index:
        report = index.update(["fixtures/"])
        print(report.added, "added,", report.unchanged, "unchanged")
        for failure in report.failures:
            print(failure)                      # one line: the source, the reason, the remedy

        results = index.search("border management", limit=5)
        for hit in results:
            print(hit.score, hit.entry.title, hit.entry.link, hit.snippets[0].mark("[", "]"))
        print(results.total, "entries in", results.elapsed, "seconds")

Feeds can come from the web, too. They are subscribed to, and fetched again where that is due:

    index.update(["https://example.org/feed.xml", "subscriptions.opml"])
    index.refresh()
    [feed.subscription.last_error for feed in index.feeds() if feed.subscription]

A hit's first snippet is the best passage of the entry's body. A snippet is plain text with spans,
so it can be shown anywhere: ``mark`` puts strings around the matches, ``parts`` gives the pieces.

The same query language as in the terminal works here (``searchfeed help query`` shows it):

    index.search('title:ibm "silk routes" -ukraine after:2020-08', sort="-date")

The index's own words help to ask, and an entry can be asked by:

    index.search("kuberntes").suggestion        # what was perhaps meant: "kubernetes"
    index.search("kuberntes", fuzzy=True)       # typing mistakes too, what is as typed first
    index.complete("silk rou")                  # the query with its last word finished
    index.like(results[0].entry.id)             # related entries

What a query finds can be counted, all of it and not a page:

    index.facets("border management", ["feed", "tag", "year"])
    index.trend("border management", by="month").buckets

What can go wrong is a ``SearchfeedError``: a ``QueryError`` where a condition cannot be meant, an
``IndexNotFoundError`` where nothing was indexed yet (``errors.py`` draws the whole tree). The
library prints nothing and never ends the process; long work takes a ``progress`` callback.
"""

from searchfeed.alerting import Alert, Alerts
from searchfeed.archive import SavedSearch, Version
from searchfeed.errors import (
    ArchiveError,
    EngineError,
    EngineUnavailableError,
    EntryNotFoundError,
    FeedNotFoundError,
    FetchError,
    IndexLockedError,
    IndexNotFoundError,
    IndexVersionError,
    ParseError,
    QueryError,
    SearchfeedError,
    SourceError,
    UnsafeIndexError,
)
from searchfeed.index import Index
from searchfeed.models import (
    Bucket,
    Contribution,
    Enclosure,
    Entry,
    ExplainedQuery,
    Explanation,
    Facet,
    FacetCount,
    Feed,
    FeedState,
    Hit,
    Period,
    Query,
    Report,
    Results,
    Selection,
    Snippet,
    Sort,
    Span,
    Stats,
    Subscription,
    SubscriptionState,
    Trend,
)

__version__ = "0.2.0"

__all__ = [
    "Alert",
    "Alerts",
    "ArchiveError",
    "Bucket",
    "Contribution",
    "Enclosure",
    "EngineError",
    "EngineUnavailableError",
    "Entry",
    "EntryNotFoundError",
    "ExplainedQuery",
    "Explanation",
    "Facet",
    "FacetCount",
    "Feed",
    "FeedNotFoundError",
    "FeedState",
    "FetchError",
    "Hit",
    "Index",
    "IndexLockedError",
    "IndexNotFoundError",
    "IndexVersionError",
    "ParseError",
    "Period",
    "Query",
    "QueryError",
    "Report",
    "Results",
    "SavedSearch",
    "SearchfeedError",
    "Selection",
    "Snippet",
    "Sort",
    "SourceError",
    "Span",
    "Stats",
    "Subscription",
    "SubscriptionState",
    "Trend",
    "UnsafeIndexError",
    "Version",
    "__version__",
]
