"""The way to the servers of a cluster: connections that notice when theirs is cut off."""

from __future__ import annotations

import socket
from typing import Any

from searchfeed.engines.opensearch.address import Address

DEAD = 5.0
"""Seconds that a server which did not answer is passed over where there are others; twice as long
when it does not answer then, and twice that from then on."""

_ALIVE = (
    ("TCP_KEEPIDLE", 5),
    ("TCP_KEEPINTVL", 2),
    ("TCP_KEEPCNT", 3),
    ("TCP_USER_TIMEOUT", 10_000),
)
"""Whose machine says nothing for ten seconds, not even that a byte has come, is cut off: an answer
that may take longer is not waited for. In seconds and milliseconds, as the system takes them."""


def open_transport(address: Address) -> Any:
    """What carries requests to one of the servers, and to others where it does not answer."""
    from opensearchpy import Transport, Urllib3HttpConnection
    from urllib3.connection import HTTPConnection

    class Connection(Urllib3HttpConnection):
        """One that notices when its server is cut off."""

        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            self.pool.conn_kw["socket_options"] = [
                *HTTPConnection.default_socket_options,
                (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
                *(
                    (socket.IPPROTO_TCP, getattr(socket, name), value)
                    for name, value in _ALIVE
                    # Not every system has each.
                    if hasattr(socket, name)
                ),
            ]

    options: dict[str, Any] = {}
    if any(each["use_ssl"] for each in address.servers):
        import ssl

        options["ssl_context"] = ssl.create_default_context()
    return Transport(
        [dict(each) for each in address.servers],
        connection_class=Connection,
        # Once for each other server; what comes after that is counted by the clock.
        max_retries=len(address.servers) - 1,
        retry_on_timeout=True,
        retry_on_status=(502, 503, 504),
        dead_timeout=DEAD,
        timeout_cutoff=2,
        http_compress=False,
        **options,
    )
