"""A process that reads documents for another one: ``python -m searchfeed.feeds.worker``.

``searchfeed.feeds.workers`` starts it and says what it is to read. A document that takes too much
time ends it by a signal, one that takes too much memory with ``OUT_OF_MEMORY``.
"""

from __future__ import annotations

import os
import resource
import signal
from contextlib import suppress
from pathlib import Path

from searchfeed.errors import ParseError
from searchfeed.feeds import parse, wire
from searchfeed.models import Feed
from searchfeed.processes import Service, serve


def work(service: Service) -> None:
    """Answer requests until there are no more."""
    start = _memory()
    while packed := service.receive():
        request = wire.unpack_request(packed)
        _limit_memory(start + request.memory if start else resource.RLIM_INFINITY)
        # Seconds of this processor: a busy machine is no fault of a document. It holds even
        # when whoever started this process has gone.
        signal.setitimer(signal.ITIMER_PROF, request.seconds)
        try:
            data = service.receive()
            if data is None:
                return
            answer = wire.pack_outcome(_outcome(request, data))
        except MemoryError:
            os._exit(wire.OUT_OF_MEMORY)
        signal.setitimer(signal.ITIMER_PROF, 0)
        service.send(answer)


def warm_up() -> None:
    """Load what ``parse`` loads when it is first called, so that no document is charged with it."""
    feed = parse(b"<rss><channel><item><title>1</title></item></channel></rss>", url="")
    wire.unpack_outcome(wire.pack_outcome(feed))


def _outcome(request: wire.Request, data: bytes) -> Feed | ParseError:
    try:
        return parse(data, url=request.url, headers=request.headers, large=request.large)
    except ParseError as error:
        if isinstance(error.__cause__, MemoryError):
            raise MemoryError from error
        return error
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - the border: one document must not cost the others
        return ParseError(request.url, f"it could not be read as a feed ({type(error).__name__})")


def _memory() -> int:
    """Bytes of addresses in use; 0 where the system does not tell, and would not limit them."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
    except OSError:
        return 0
    return int(pages) * resource.getpagesize()


def _limit_memory(limit: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if hard != resource.RLIM_INFINITY:
        limit = hard if limit == resource.RLIM_INFINITY else min(limit, hard)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


if __name__ == "__main__":
    serve(work, warm_up)
