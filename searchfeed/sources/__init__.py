"""Sources: what the user named becomes the bytes of feeds.

``expand`` turns names into sources, and a source gives its bytes when it is asked to. Neither
parses anything: whether the bytes are a feed is for ``feeds/`` to say.
"""

from __future__ import annotations

from searchfeed.sources.expansion import expand
from searchfeed.sources.source import Source

__all__ = ("Source", "expand")
