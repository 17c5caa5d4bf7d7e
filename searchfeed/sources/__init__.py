"""Sources: what the user named becomes the bytes of feeds.

``expand`` turns names into sources and into addresses of feeds, and a source gives its bytes when
it is asked to. Nothing here parses a feed: whether the bytes are one is for ``feeds/`` to say.
``discovery`` and ``opml`` find the addresses in web pages and in lists of feeds.
"""

from __future__ import annotations

from searchfeed.sources.expansion import Expansion, expand
from searchfeed.sources.opml import Outline
from searchfeed.sources.source import Source

__all__ = ("Expansion", "Outline", "Source", "expand")
