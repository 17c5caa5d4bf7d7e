"""Where the servers of a cluster are, and who asks them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from netrc import NetrcParseError, netrc
from typing import Any
from urllib.parse import unquote, urlsplit

from searchfeed.errors import EngineUnavailableError

DEFAULT_NAME = "searchfeed"
"""What an index is called whose URL does not say."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}")

USER, PASSWORD = "SEARCHFEED_ENGINE_USER", "SEARCHFEED_ENGINE_PASSWORD"


@dataclass(frozen=True, slots=True)
class Address:
    """Where the servers of a cluster are, and what the index is called there.

    ``servers`` are as opensearch-py takes them, credentials included: never to be shown.
    """

    servers: tuple[dict[str, Any], ...]
    name: str

    def __str__(self) -> str:
        return ", ".join(map(_shown, self.servers))

    @property
    def first(self) -> str:
        """The URL of one of the servers, for a person."""
        return _shown(self.servers[0])


def read_address(url: str, environment: Mapping[str, str] = os.environ) -> Address:
    """Read the URL of an index: servers divided by commas, its name as the path of the last.

    Credentials are those in the URL, else of the environment, else of netrc.

    >>> address = read_address("http://one:9200,http://two:9200/news", {})
    >>> str(address), address.name
    ('http://one:9200, http://two:9200', 'news')

    Raises:
        EngineUnavailableError: it is no such URL.
    """
    servers: list[dict[str, Any]] = []
    name = ""
    for part in filter(None, (each.strip() for each in url.split(","))):
        try:
            parts = urlsplit(part if "://" in part else f"https://{part}")
            port, host = parts.port, parts.hostname
        except ValueError:
            port = host = None
        if not host or parts.scheme not in ("http", "https"):
            raise EngineUnavailableError(
                "the engine's URL should look like https://search.example:9200/searchfeed"
            )
        secure = parts.scheme == "https"
        server = {"host": host, "port": port or (443 if secure else 9200), "use_ssl": secure}
        credentials = _credentials(host, parts.username, parts.password, environment)
        if credentials:
            server["http_auth"] = credentials
        servers.append(server)
        name = parts.path.strip("/") or name
    if not servers:
        raise EngineUnavailableError(
            "where the cluster is has to be said with --engine-url or SEARCHFEED_ENGINE_URL"
        )
    name = name or DEFAULT_NAME
    if not _NAME.fullmatch(name):
        raise EngineUnavailableError(
            f"an index in a cluster cannot be called {name!r}; "
            "its name has small letters, digits, '-', '_' and '.'"
        )
    return Address(tuple(servers), name)


def _shown(server: Mapping[str, Any]) -> str:
    return f"{'https' if server['use_ssl'] else 'http'}://{server['host']}:{server['port']}"


def _credentials(
    host: str, user: str | None, password: str | None, environment: Mapping[str, str]
) -> tuple[str, str] | None:
    if user:
        return unquote(user), unquote(password or "")
    if environment.get(USER):
        return environment[USER], environment.get(PASSWORD, "")
    with suppress(OSError, NetrcParseError):
        found = netrc(environment.get("NETRC")).authenticators(host)
        if found:
            return found[0], found[2] or ""
    return None
