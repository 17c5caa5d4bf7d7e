"""The default engine: Whoosh's schema and index, searched on arrays, or for little without.

The only place that imports whoosh. From the outside in: ``engine.py`` opens and writes, and has
``searching.py`` or ``scalar`` answer;
``scoring.py`` turns a query tree into documents and scores; ``vocabulary.py`` finds the terms that
a word stands for; ``view.py`` reads a committed state; ``schema.py`` says what is kept of an entry.
"""

from __future__ import annotations

from pathlib import Path

from searchfeed.engines import EngineOptions
from searchfeed.engines.whoosh.engine import WhooshEngine


def open_engine(path: Path, options: EngineOptions) -> WhooshEngine:  # noqa: ARG001
    """Open or create the index in ``path``; see ``searchfeed.engines.open_engine``."""
    return WhooshEngine(path)
