"""What the speed benchmark asks of every peer, and the list of the peers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from benchmarks.questions import Question
from searchfeed.models import Entry

LIMIT = 10
"""Hits of a question: the first page."""

Ask = Callable[[], Sequence[str]]
"""Asks one prepared question and returns the ids of its hits (or the months, for a facet)."""


class Peer(Protocol):
    """An index of a peer in a directory of its own, made with that directory."""

    def keep(self, entries: Iterable[Entry]) -> None:
        """Store the texts, where they are kept apart from the index (else do nothing)."""
        ...

    def build(self, entries: Iterable[Entry], count: int) -> None:
        """Index the ``count`` entries, in their order, so that they can be searched."""
        ...

    def open(self) -> None:
        """Make ready for questions, after ``build`` or for an index built by another process."""
        ...

    def add(self, entries: Sequence[Entry]) -> None:
        """Index further entries, texts included; the next question finds them."""
        ...

    def prepare(self, question: Question, *, snippets: bool) -> Ask | None:
        """A question as the peer's own query; None where the peer cannot answer it.

        What is prepared is not measured, asking is. With ``snippets`` a passage with its matches
        marked is made for each hit.
        """
        ...

    def texts_size(self) -> int | None:
        """Bytes in the directory that are the texts themselves; None where that is not known."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


@dataclass(frozen=True, slots=True)
class Description:
    """How a peer is called and where it is.

    Attributes:
        label: in tables and plots.
        package: the module that has to be installed.
        distribution: the name of that package in an index of packages.
        place: ``module:class``, made with the directory of its index.
        largest: the largest scale that is measured unless the peer is asked for by name.
        bare: whether it can answer without snippets.
    """

    label: str
    package: str
    distribution: str
    place: str
    largest: int = 1_000_000
    bare: bool = True


PEERS: dict[str, Description] = {
    "ours": Description("ours", "searchfeed", "searchfeed", "benchmarks.peers.ours:Searchfeed"),
    "whoosh": Description(
        "Whoosh", "whoosh", "Whoosh", "benchmarks.peers.stock_whoosh:StockWhoosh", largest=10
    ),
    "fts5": Description("FTS5", "sqlite3", "", "benchmarks.peers.fts5:Fts5"),
    "tantivy": Description("Tantivy", "tantivy", "tantivy", "benchmarks.peers.tantivies:Tantivy"),
    "reader": Description(
        "reader", "reader", "reader", "benchmarks.peers.readers:Reader", largest=10, bare=False
    ),
}


def installed() -> list[str]:
    """The names of the peers whose packages are here, in the order of the tables."""
    return [name for name, peer in PEERS.items() if find_spec(peer.package)]


def make(name: str, directory: Path) -> Peer:
    """Import the peer ``name`` and make it."""
    module, _, cls = PEERS[name].place.partition(":")
    peer: Peer = getattr(import_module(module), cls)(directory)
    return peer


def stamp(name: str) -> str:
    """Stands for what makes a peer's index: our set-up of it and the version of its package."""
    description = PEERS[name]
    module = find_spec(description.place.partition(":")[0])
    source = Path(module.origin).read_bytes() if module and module.origin else b""
    version = metadata.version(description.distribution) if description.distribution else ""
    return f"{version} {blake2b(source, digest_size=8).hexdigest()}"


def size(directory: Path) -> int:
    """Bytes of all files below a directory."""
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
