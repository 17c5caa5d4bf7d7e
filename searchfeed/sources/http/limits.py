"""How much one fetch may take."""

from __future__ import annotations

from searchfeed.values import dataclass

CONNECT_TIMEOUT = 10.0
"""Seconds for each address of a host to take a connection."""

READ_TIMEOUT = 20.0
"""Seconds in which a server may be silent."""

DEADLINE = 120.0
"""Seconds for one fetch in all, with its redirects and retries."""

MAX_REDIRECTS = 5

RETRIES = 2
"""Times that a fetch is tried again where that may help."""

PAUSE = 0.5
"""Seconds before the first of these, half as many at least; twice as many before the next."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds, sizes in bytes."""

    connect_timeout: float
    read_timeout: float
    deadline: float
    pause: float
    max_size: int
    max_encoded: int
