"""Feeds from the web, fetched politely and safely.

    with Client() as client:
        for request, answer in client.fetch_all(requests):
            ...                         # a Response, or the FetchError that says why not

A server is told what is known already, so most answers are a short "not modified". Nobody on the
other side can make a fetch take longer than its deadline or more memory than its limits, nor lead
it to an address inside the user's own network: whoever controls a feed, or the name of its host,
controls neither.

``client`` holds what fetches share; ``exchange`` is one fetch with its redirects and retries,
``guard`` what bounds it, and ``rounds`` many at once; ``connections`` and ``addresses`` say whom
we talk to; ``headers`` and ``body`` read what comes back; ``failures`` says in words what went
wrong. urllib3 is imported here alone, when the first fetch begins.
"""

from __future__ import annotations

from searchfeed.sources.http.client import Client
from searchfeed.sources.http.messages import Request, Response, redacted

__all__ = ("Client", "Request", "Response", "redacted")
