"""The queries that were asked, kept from run to run in a file of the user's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

MOST = 500
"""So many queries are kept."""

_LONGEST = 1_000


class Queries:
    """The queries of earlier, the newest last, each once.

    A file that cannot be read or written costs the history, and nothing else.

    Args:
        file: where they are kept; None: only until the program ends.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._queries = self._read()
        self._place = len(self._queries)
        self._draft = ""

    def __iter__(self) -> Iterator[str]:
        return iter(self._queries)

    def add(self, query: str) -> None:
        """Remember a query as the newest."""
        query = " ".join(query.split())
        if query and len(query) <= _LONGEST and self._queries[-1:] != [query]:
            # Another window may have written since.
            known = self._read() or self._queries
            self._queries = [*(each for each in known if each != query), query][-MOST:]
            self._write()
        self.leave()

    def earlier(self, current: str) -> str:
        """The query before the one shown; ``current`` comes back behind the newest."""
        if self._place == len(self._queries):
            self._draft = current
        self._place = max(self._place - 1, 0)
        if self._place and self._queries[self._place] == current:
            self._place -= 1
        return self._queries[self._place] if self._queries else current

    def later(self, current: str) -> str:
        """The query behind the one shown."""
        if self._place >= len(self._queries):
            return current
        self._place += 1
        return self._draft if self._place == len(self._queries) else self._queries[self._place]

    def leave(self) -> None:
        """Start from the newest again."""
        self._place = len(self._queries)

    def _read(self) -> list[str]:
        if self._file is None:
            return []
        try:
            lines = self._file.read_text("utf-8", "replace").splitlines()
        except OSError:
            return []
        return [each for each in lines if each.strip() and len(each) <= _LONGEST][-MOST:]

    def _write(self) -> None:
        if self._file is None:
            return
        with suppress(OSError):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Made with 0600; put in place whole, so that it is never half a file.
            with NamedTemporaryFile(
                "w", dir=self._file.parent, delete=False, encoding="utf-8"
            ) as new:
                new.write("".join(f"{query}\n" for query in self._queries))
            Path(new.name).replace(self._file)


def default_file() -> Path:
    """Where the queries of this user are kept."""
    from platformdirs import user_state_path

    return user_state_path("searchfeed") / "queries"
