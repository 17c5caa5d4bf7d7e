"""The scale-out engine: an index in an OpenSearch cluster, shared by any number of machines.

From the outside in: ``engine.py`` answers and writes; ``searching.py`` puts queries, which
``matching.py`` and ``scoring.py`` make of a tree and of what ``vocabulary.py`` knows of its words,
and ``paging.py`` puts what is found in order; ``facets.py`` counts, ``lexicon.py`` completes;
``writing.py`` takes changes in, ``grouping.py`` finds which are one story; ``documents.py``,
``terms.py`` and ``mapping.py`` say what is kept; ``state.py`` knows which indices there are, and
``cluster.py`` alone asks the servers, which ``address.py`` finds and ``transport.py`` reaches, and
``answers.py`` says what they answer instead of what they were asked for.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from searchfeed.engines import EngineOptions
from searchfeed.engines.opensearch.engine import OpenSearchEngine
from searchfeed.errors import EngineUnavailableError


def open_engine(path: Path, options: EngineOptions) -> OpenSearchEngine:
    """Open an index in a cluster; nothing is asked of it yet."""
    if find_spec("opensearchpy") is None:
        raise EngineUnavailableError(
            "the engine 'opensearch' is not installed; get it with: "
            "pip install 'searchfeed[opensearch]'"
        )
    return OpenSearchEngine(path, options)
