"""What the user named becomes sources and URLs.

A name is that of a file, a folder, a list of feeds or a web page, a pattern, an address or ``-``.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from searchfeed.errors import FetchError, SourceError
from searchfeed.sources.discovery import announced
from searchfeed.sources.markup import address
from searchfeed.sources.opml import Outline, is_opml, merged, read
from searchfeed.sources.source import (
    LARGE_SIZE,
    MAX_SIZE,
    STDIN,
    Source,
    irregular,
    unreadable,
)
from searchfeed.values import dataclass

_URL = re.compile(r"(?:feed:)?[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_MAGIC = re.compile(r"[*?[]")

_FETCHED = re.compile(r"(?:feed:)?(?:https?|feed)://", re.IGNORECASE)
_CREDENTIALS = re.compile("//.*@")
_HOST = re.compile(r"(?:www\.|(?:[a-z0-9-]+\.)+[a-z]{2,}/)", re.IGNORECASE)

_ENDINGS = frozenset({".xml", ".rss", ".atom", ".rdf", ".cdf"})
_PAGE = re.compile(rb"<(?:!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE)
_LOOK = 1024
"""Bytes at the start of a file that tell whether it looks like a feed."""

# PHP writes the slashes of JSON with a backslash before them.
_FEED = re.compile(
    rb"<(?:\w+:)?(?:rss|feed|rdf|channel)[\s>/]|jsonfeed\.org\\?/version", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Expansion:
    """What names stand for.

    Attributes:
        sources: files and the standard input, which has been read, each once, in order.
        outlines: feeds to be fetched, each once, in order.
        errors: what is wrong with names that cannot be used.
    """

    sources: list[Source]
    outlines: list[Outline]
    errors: list[SourceError]


def expand(names: Iterable[str | os.PathLike[str]], *, large: bool = False) -> Expansion:
    """Find the sources and the URLs that the names stand for.

    A file that is named is always taken. One that is a list of feeds (OPML) gives the feeds that
    it lists, and a web page the first feed that it announces. A folder is walked, hidden names
    left out, and gives the files that end or begin as feeds do: nothing is fetched that nobody
    named. ``*``, ``?``, ``[…]`` and ``**`` are expanded unless a file has just that name, and so
    is a leading ``~``. ``-`` is the standard input, which is read to its end, and may be a list or
    a page as a file may. A URL may have ``feed:`` before it.

    What cannot be used (no such file, a folder without feeds, an address of another kind) becomes
    an error and costs nothing else.

    Args:
        names: as the user typed them.
        large: sources may have up to ``LARGE_SIZE`` bytes instead of ``MAX_SIZE``.
    """
    expander = _Expander(LARGE_SIZE if large else MAX_SIZE)
    for name in names:
        expander.add(os.fspath(name))
    return Expansion(expander.sources, list(merged(expander.outlines)), expander.errors)


class _Expander:
    """An expansion in the making."""

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self.sources: list[Source] = []
        self.outlines: list[Outline] = []
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
                self._add_input()
        elif not name:
            self._fail("''", "this name is empty")
        elif path.is_dir():
            self._add_folder(name, path)
        elif path.exists():
            self._add_file(name, path)
        elif path.is_symlink():
            self._fail(name, "it is a link to a file that is not there")
        elif _URL.match(name):
            self._add_url(name)
        elif _MAGIC.search(name):
            self._add_pattern(name, path)
        else:
            remedy = _nearest(path)
            if not remedy and _HOST.match(name):
                remedy = f"for an address write https://{_printable(name)}"
            self._fail(name, "there is no such file or folder", remedy)

    def _add_input(self) -> None:
        source = Source(STDIN, STDIN, self._max_size)
        try:
            source = replace(source, held=source.read())
        except SourceError as error:
            self.errors.append(error)
        else:
            self._take(source)

    def _add_url(self, name: str) -> None:
        if url := address(name):
            self.outlines.append(Outline(url))
        elif _FETCHED.match(name):
            self._fail(_CREDENTIALS.sub("//…@", name), "it is not a whole address")
        else:
            reason = "only http and https addresses are fetched"
            self._fail(_CREDENTIALS.sub("//…@", name), reason)

    def _add_file(self, name: str, path: Path) -> None:
        if not path.is_file():
            self.errors.append(irregular(_printable(name)))
        else:
            self._take_file(name, path, is_named=True)

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

    def _take_file(self, name: str, path: Path, *, is_named: bool = False) -> None:
        if not self._is_new(str(path.resolve())):
            return
        # The last part is not resolved: a link to the newest of many files stays one source.
        url = str(path.parent.resolve() / path.name)
        if url != _printable(url):
            self._fail(name, "its name is not valid UTF-8", "rename it")
        elif not os.access(path, os.R_OK):
            self.errors.append(unreadable(name, PermissionError()))
        else:
            source = Source(name, url, self._max_size)
            if is_named:
                self._take(source)
            else:
                self.sources.append(source)

    def _take(self, source: Source) -> None:
        """Take a source, or the feeds that it lists or announces."""
        if not self._take_outlines(source):
            self.sources.append(source)

    def _take_outlines(self, source: Source) -> bool:
        """Take the feeds that a source lists or announces; whether it is of that kind."""
        if source.held is not None:
            start = source.held[:_LOOK]
        else:
            with Path(source.url).open("rb") as file:
                start = file.read(_LOOK)
        try:
            if is_opml(start):
                found = read(source.read(), source.name)
                self.outlines += found
                if not found:
                    self._fail(source.name, "there is no feed in this list")
                return True
            if _PAGE.search(start.replace(b"\0", b"")):
                # The others are the same in another format, or parts of it, or comments.
                first = announced(source.read(), source.url)[:1]
                self.outlines += map(Outline, first)
                return bool(first)
        except SourceError as error:
            self.errors.append(error)
            return True
        return False

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
