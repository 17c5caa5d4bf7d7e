"""The addresses of feeds: which are whole, when two are the same one, and what may be shown."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit, urlunsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def taken_apart(url: str) -> SplitResult | None:
    """The parts of an http(s) URL, spaces in it written as they must be; None if it is not whole.

    >>> taken_apart("https://example.org:0/")
    """
    try:
        parts = urlsplit("%20".join(url.split()))
        # Asking for the port is what finds a wrong one.
        whole = parts.scheme in _DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if whole else None


def identity(url: str) -> str:
    """``url`` as the name of a feed: without a user, a password and a fragment, spelled one way.

    Empty where it is no http(s) URL.

    >>> identity("HTTPS://user:secret@Example.org:443#top")
    'https://example.org/'
    >>> identity("mailto:a@example.org")
    ''
    """
    parts = taken_apart(url)
    if parts is None:
        return ""
    return urlunsplit((parts.scheme, _host(parts), parts.path or "/", parts.query, ""))


def has_credentials(url: str) -> bool:
    """Whether ``url`` holds a user or a password."""
    parts = taken_apart(url)
    return parts is not None and "@" in parts.netloc


def moved(old: str, new: str) -> str:
    """``new``, with the user and password of ``old`` where the server they are meant for has it.

    >>> moved("http://user:secret@example.org/a", "https://example.org/b")
    'https://user:secret@example.org/b'
    >>> moved("https://user:secret@example.org/a", "https://example.com/b")
    'https://example.com/b'
    """
    before, after = taken_apart(old), taken_apart(new)
    if before is None or after is None or "@" not in before.netloc or "@" in after.netloc:
        return new
    upgraded = (before.scheme, after.scheme) == ("http", "https") and not (
        before.port or after.port
    )
    if _host(before) != _host(after) or not (before.scheme == after.scheme or upgraded):
        return new
    user = before.netloc.rpartition("@")[0]
    return urlunsplit(after._replace(netloc=f"{user}@{after.netloc}"))


def _host(parts: SplitResult) -> str:
    host = parts.netloc.rpartition("@")[2].lower()
    return host.removesuffix(f":{_DEFAULT_PORTS[parts.scheme]}").removesuffix(":")
