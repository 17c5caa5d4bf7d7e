"""Connections of urllib3 that look at whom they connect to, and at the time.

The name of a host is looked up once and what was found is checked and then connected to, so a name
that means another address the next time gains nothing by it.

Through a proxy it is the proxy that looks names up, so only addresses written out in a URL, and
names that are local by definition, can be told there (``addresses.names_public``).
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import unquote

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    ProxySchemeUnknown,
)
from urllib3.util import make_headers

from searchfeed.sources.http.addresses import is_public
from searchfeed.sources.http.guard import Guard, current
from searchfeed.sources.http.messages import Refusal, split

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_Options = Sequence[tuple[int, int, int | bytes]]


class SurplusError(http.client.HTTPException):
    """A body goes on after the length that was stated for it."""


class _Socket(socket.socket):
    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int:
        _enter(self)
        return super().recv_into(buffer, nbytes, flags)


class _TlsSocket(ssl.SSLSocket):
    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002
        _enter(self)
        super().do_handshake(block)

    def recv_into(self, buffer: WriteableBuffer, nbytes: int | None = None, flags: int = 0) -> int:
        _enter(self)
        return super().recv_into(buffer, nbytes, flags)


class _Reply(http.client.HTTPResponse):
    """A reply that believes one ``Content-Length``, and notices when there is more than it says.

    Half a document would be taken for all of it otherwise.
    """

    def __init__(self, sock: socket.socket, *arguments: object, **options: object) -> None:
        super().__init__(sock, *arguments, **options)  # type: ignore[arg-type]
        self._socket = sock

    def begin(self) -> None:
        super().begin()
        lengths = ",".join(self.headers.get_all("Content-Length", []))
        if len({length.strip() for length in lengths.split(",")}) > 1:
            # urllib3 refuses it, too, but leaves the connection open.
            raise http.client.HTTPException("contradicting lengths")

    def _close_conn(self) -> None:
        is_more = self._is_more()
        super()._close_conn()  # type: ignore[misc]
        if is_more:
            raise SurplusError

    def _is_more(self) -> bool:
        if self.status != http.client.OK or self.chunked or self.length != 0:
            return False
        timeout = self._socket.gettimeout()
        try:
            self._socket.settimeout(0)
            # A stray line end is a fault of old servers, and harmless.
            return bool(self.fp.peek(1).strip())
        except (OSError, ValueError):
            return False
        finally:
            self._socket.settimeout(timeout)


class _Connection(HTTPConnection):
    response_class = _Reply

    def _new_conn(self) -> socket.socket:
        return _connected(self)


class _TlsConnection(HTTPSConnection):
    response_class = _Reply

    def _new_conn(self) -> socket.socket:
        return _connected(self)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS: dict[str, type[HTTPConnectionPool]] = {"http": _Pool, "https": _TlsPool}


def tls_context() -> ssl.SSLContext:
    """Trust whom the system trusts, or ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` where set."""
    context = ssl.create_default_context()
    context.sslsocket_class = _TlsSocket
    return context


def pools(proxy: str, *, context: ssl.SSLContext | None, hosts: int, each: int) -> PoolManager:
    """Pools of connections, straight or through a proxy.

    Args:
        proxy: its URL, which may hold a user and a password, or nothing.
        context: for hosts that speak TLS.
        hosts: for how many hosts connections are kept.
        each: how many connections to a host are kept.

    Raises:
        Refusal: the proxy is of a kind that is not spoken.
    """
    manager: PoolManager
    if proxy:
        url, user = split(proxy)
        login = make_headers(proxy_basic_auth=unquote(user)) if user else None
        try:
            manager = ProxyManager(
                url, num_pools=hosts, maxsize=each, ssl_context=context, proxy_headers=login
            )
        except (ProxySchemeUnknown, LocationParseError) as error:
            raise Refusal(
                "the proxy is not one of http:// or https://", "check HTTP_PROXY and HTTPS_PROXY"
            ) from error
    else:
        manager = PoolManager(num_pools=hosts, maxsize=each, ssl_context=context)
    manager.pool_classes_by_scheme = _POOLS
    return manager


def _connected(connection: HTTPConnection) -> socket.socket:
    """A socket connected to where a connection is meant to go.

    Raises:
        Refusal: that is no public address, and the guard of this thread allows no other.
    """
    guard = current()
    # Whoever set the proxy up trusts it, and it is mostly near.
    trusted = connection.proxy is not None or (guard is not None and guard.allow_private)
    host = connection.host.strip("[]")
    timeout = connection.timeout
    assert timeout is None or isinstance(timeout, (int, float))
    try:
        found = socket.getaddrinfo(host, connection.port, type=socket.SOCK_STREAM)
        targets = [target for target in found if trusted or is_public(str(target[4][0]))]
        if not targets:
            raise private(host, str(found[0][4][0]))
        return _dial(targets, timeout, connection.socket_options or (), guard)
    except socket.gaierror as error:
        raise NameResolutionError(host, connection, error) from error
    except UnicodeError as error:
        raise LocationParseError(host) from error
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, "the connection timed out") from error
    except OSError as error:
        raise NewConnectionError(connection, str(error)) from error


def private(host: str, address: str = "") -> Refusal:
    """The refusal of a host inside the user's own network."""
    at = f" ({address})" if address not in {"", host} else ""
    return Refusal(
        f"{host}{at} is a private address, and a feed could use it to reach your network",
        "--allow-private if you trust it",
    )


def _dial(
    targets: Sequence[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[object, ...]]],
    timeout: float | None,
    options: _Options,
    guard: Guard | None,
) -> socket.socket:
    """Connect to the first of some addresses that can be reached."""
    failure: OSError = OSError("there is no address")
    for family, kind, protocol, _, address in targets:
        connection = _Socket(family, kind, protocol)
        try:
            for option in options:
                connection.setsockopt(*option)
            connection.settimeout(timeout)
            if guard is not None:
                guard.enter(connection)
            connection.connect(address)
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure


def _enter(connection: socket.socket) -> None:
    guard = current()
    if guard is not None:
        guard.enter(connection)
