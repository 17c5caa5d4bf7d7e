"""Every engine that can be tested here: always the one of a directory, and one in a cluster where
``SEARCHFEED_TEST_OPENSEARCH`` says where its servers are (``make test-cluster`` does)."""

from __future__ import annotations

import math
import os
from hashlib import blake2b
from pathlib import Path

import pytest

from searchfeed.engines import Engine, EngineOptions, open_engine
from searchfeed.engines.whoosh.engine import WhooshEngine
from searchfeed.errors import EngineError

URLS = os.environ.get("SEARCHFEED_TEST_OPENSEARCH", "")
"""The URLs of a cluster's servers, divided by commas, without the name of an index."""

needs_cluster = pytest.mark.skipif(
    not URLS, reason="no OpenSearch cluster: SEARCHFEED_TEST_OPENSEARCH holds no URLs"
)

NAMES = ("whoosh", "scalar", pytest.param("opensearch", marks=needs_cluster))
"""The engines, as parameters of a test; the one of a directory on arrays and without them."""


class OneByOne(WhooshEngine):
    """Answers without arrays whatever can be answered so."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, few=math.inf)


FEWEST = 8
PART = 100


def examples(count: int, *, long: int = 0) -> int:
    """How many examples hypothesis makes: fewer of a cluster, which is asked ten times for one.

    ``SEARCHFEED_QUERIES`` asks for the long form: ``long`` if it is another number.
    """
    if os.environ.get("SEARCHFEED_QUERIES"):
        return long or count
    return max(FEWEST, (long or count) // PART) if URLS else count


_made: set[str] = set()
_kept: set[str] = set()


def options(path: Path, *, shards: int = 2) -> EngineOptions:
    """Of an index in the cluster that belongs to a directory."""
    name = f"test-{blake2b(bytes(path), digest_size=8).hexdigest()}"
    _made.add(name)
    # On a single node there is nowhere to put a replica.
    return EngineOptions(f"{URLS}/{name}", shards, min(1, URLS.count(",")))


def open_at(name: str, path: Path, *, keep: bool = False) -> Engine:
    """Open the index of an engine that belongs to a directory; the same one each time.

    With ``keep`` it outlives the test.
    """
    if name != "opensearch":
        return OneByOne(path) if name == "scalar" else WhooshEngine(path, few=0)
    chosen = options(path)
    if keep:
        _kept.add(chosen.url.rpartition("/")[2])
    return open_engine(name, path, chosen)


def forget(*, all: bool = False) -> None:  # noqa: A002
    """Take away the indices that were made in the cluster."""
    from searchfeed.engines.opensearch.address import read_address
    from searchfeed.engines.opensearch.cluster import Cluster

    gone = sorted(_made if all else _made - _kept)
    if not gone:
        return
    cluster = Cluster(read_address(URLS))
    for name in gone:
        try:
            cluster.ask("DELETE", f"/{name}-*", expand_wildcards="all")
            cluster.ask("DELETE", f"/_index_template/{name}*")
        except EngineError:
            continue
    _made.difference_update(gone)
    cluster.close()
