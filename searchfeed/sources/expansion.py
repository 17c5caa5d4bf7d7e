"""Names that the user typed become sources: files, folders, patterns and the standard input."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from searchfeed.errors import FetchError, SourceError
from searchfeed.sources.source import STDIN, Source, irregular, unreadable

_URL = re.compile(r"(?:feed:)?[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_MAGIC = re.compile(r"[*?[]")

_ENDINGS = frozenset({".xml", ".rss", ".atom", ".rdf", ".cdf"})
_LOOK = 1024
"""Bytes at the start of a file that tell whether it looks like a feed."""

# PHP writes the slashes of JSON with a backslash before them.
_FEED = re.compile(
    rb"<(?:\w+:)?(?:rss|feed|rdf|channel)[\s>/]|jsonfeed\.org\\?/version", re.IGNORECASE
)


def expand(
    names: Iterable[str | os.PathLike[str]],
) -> tuple[list[Source], list[SourceError]]:
    """Find the sources that the names stand for, in order, each file once.

    A file that is named is always taken. A folder is walked, hidden names left out, and gives
    the files that end or begin as feeds do. ``*``, ``?``, ``[…]`` and ``**`` are expanded unless
    a file has just that name, and so is a leading ``~``. ``-`` is the standard input.

    What cannot be used (no such file, a folder without feeds, a URL) becomes an error in the
    second list and costs nothing else.
    """
    expansion = _Expansion()
    for name in names:
        expansion.add(os.fspath(name))
    return expansion.sources, expansion.errors


class _Expansion:
    """Sources and errors in the making."""

    def __init__(self) -> None:
        self.sources: list[Source] = []
        self.errors: list[SourceError] = []
        self._known: set[str] = set()

    def add(self, name: str) -> None:
        """Take in whatever a name stands for."""
        try:
            self._add(name)
        except OSError as error:
            self.errors.append(unreadable(_printable(name), error))

    def _add(self, name: str) -> None:
        path = Path(name)
        if not (path.exists() or path.is_symlink()):
            # An unknown user has no home to put in.
            with suppress(RuntimeError):
                path = path.expanduser()
        if name == STDIN:
            if self._is_new(STDIN):
                self.sources.append(Source(STDIN, STDIN))
        elif not name:
            self._fail("''", "this name is empty")
        elif path.is_dir():
            self._add_folder(name, path)
        elif path.exists():
            self._add_file(name, path)
        elif path.is_symlink():
            self._fail(name, "it is a link to a file that is not there")
        elif _URL.match(name):
            remedy = "save it to a file and name that"
            self._fail(name, "fetching URLs is not in this release", remedy)
        elif _MAGIC.search(name):
            self._add_pattern(name, path)
        else:
            self._fail(name, "there is no such file or folder", _nearest(path))

    def _add_file(self, name: str, path: Path) -> None:
        if not path.is_file():
            self.errors.append(irregular(_printable(name)))
        else:
            self._take_file(name, path)

    def _add_folder(self, name: str, path: Path) -> None:
        failures = len(self.errors)
        if not self._take_feeds(path) and len(self.errors) == failures:
            self._fail(name, "there is no feed in this folder")

    def _add_pattern(self, name: str, path: Path) -> None:
        failures = len(self.errors)
        found = False
        start = Path(path.anchor)
        for match in self._matches(start, path.relative_to(start).parts):
            if match.is_dir():
                found |= self._take_feeds(match)
            else:
                found = True
                self._add_file(str(match), match)
        if not found and len(self.errors) == failures:
            self._fail(name, "no feed matches this pattern")

    def _take_feeds(self, folder: Path) -> bool:
        """Take the files below a folder that look like feeds; whether there are any."""
        found = False
        for path, is_folder in self._walk(folder):
            if not is_folder and self._looks_like_feed(path):
                found = True
                self._take_file(str(path), path)
        return found

    def _take_file(self, name: str, path: Path) -> None:
        if not self._is_new(str(path.resolve())):
            return
        # The last part is not resolved: a link to the newest of many files stays one source.
        url = str(path.parent.resolve() / path.name)
        if url != _printable(url):
            self._fail(name, "its name is not valid UTF-8", "rename it")
        elif not os.access(path, os.R_OK):
            self.errors.append(unreadable(name, PermissionError()))
        else:
            self.sources.append(Source(name, url))

    def _is_new(self, identity: str) -> bool:
        if identity in self._known:
            return False
        self._known.add(identity)
        return True

    def _fail(self, name: str, reason: str, remedy: str = "") -> None:
        self.errors.append(FetchError(_printable(name), reason, remedy))

    def _looks_like_feed(self, path: Path) -> bool:
        if path.suffix.lower() in _ENDINGS:
            return True
        try:
            with path.open("rb") as file:
                start = file.read(_LOOK)
        except OSError as error:
            self.errors.append(unreadable(_printable(str(path)), error))
            return False
        # Without its zeros UTF-16 reads like ASCII.
        return _FEED.search(start.replace(b"\0", b"")) is not None

    def _matches(self, base: Path, parts: tuple[str, ...]) -> Iterator[Path]:
        """The paths that a pattern below ``base`` stands for, sorted.

        Not ``glob``, which follows links that lead back up until the system refuses.
        """
        if not parts or parts == ("**",):
            yield base
            return
        first, *rest = parts
        if first == "**":
            for path, is_folder in self._walk(base):
                if is_folder:
                    yield from self._matches(path, tuple(rest))
        elif _MAGIC.search(first):
            for name in self._names(base, hidden=first.startswith(".")):
                if fnmatchcase(name, first):
                    yield from self._matches(base / name, tuple(rest))
        elif (base / first).exists():
            yield from self._matches(base / first, tuple(rest))

    def _walk(self, root: Path) -> Iterator[tuple[Path, bool]]:
        """Files and folders at and below ``root``, sorted, each with whether it is a folder.

        Links are followed, but no folder is entered twice.
        """
        entered: set[tuple[int, int]] = set()
        waiting = [root]
        while waiting:
            path = waiting.pop()
            try:
                status = path.stat()
            except PermissionError as error:
                self.errors.append(unreadable(_printable(str(path)), error))
                continue
            except OSError:
                # A link to nothing or to itself, or a file deleted meanwhile.
                continue
            if stat.S_ISREG(status.st_mode):
                yield path, False
            elif stat.S_ISDIR(status.st_mode) and (status.st_dev, status.st_ino) not in entered:
                entered.add((status.st_dev, status.st_ino))
                yield path, True
                waiting.extend(path / name for name in reversed(self._names(path)))

    def _names(self, folder: Path, *, hidden: bool = False) -> list[str]:
        try:
            names = sorted(path.name for path in folder.iterdir())
        except NotADirectoryError:
            return []
        except OSError as error:
            self.errors.append(unreadable(_printable(str(folder)), error))
            return []
        return [name for name in names if name.startswith(".") == hidden]


def _nearest(path: Path) -> str:
    """What may have been meant by a path that is not there, as a question, or nothing."""
    missing = path
    while missing.parent != missing and not missing.parent.is_dir():
        missing = missing.parent
    try:
        names = [sibling.name for sibling in missing.parent.iterdir()]
    except OSError:
        return ""
    for name in get_close_matches(missing.name, names, n=1):
        near = missing.with_name(name)
        whole = near / path.relative_to(missing)
        return _printable(f"did you mean {whole if whole.exists() else near}?")
    return ""


def _printable(name: str) -> str:
    """A name without the stand-ins that Python has for bytes that are not UTF-8."""
    return name.encode(errors="replace").decode()
