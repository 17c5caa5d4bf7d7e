"""A process that reads documents for another one: ``python -m searchfeed.feeds.worker``.

``searchfeed.feeds.workers`` starts it, and says on its standard input what it is to read. It ends
when that input does. A document that takes too much time ends it by a signal, one that takes too
much memory with ``OUT_OF_MEMORY``.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from searchfeed.errors import ParseError
from searchfeed.feeds import parse, wire
from searchfeed.feeds.wire import Document
from searchfeed.models import Feed


def main() -> None:
    """Answer requests until there are no more."""
    # Ctrl-C goes to all processes of a terminal; the one that started this one decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    _warm_up()
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    start = _memory()
    _answer(replies, b"")
    while len(head := requests.read(wire.REQUEST.size)) == wire.REQUEST.size:
        seconds, memory, *lengths = wire.REQUEST.unpack(head)
        _limit_memory(start + memory if start else resource.RLIM_INFINITY)
        # Seconds of this processor: a busy machine is no fault of a document. It holds even
        # when whoever started this process has gone.
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            origin, data = map(requests.read, lengths)
            packed = wire.pack_outcome(_outcome(wire.unpack_document(origin, data)))
        except MemoryError:
            os._exit(wire.OUT_OF_MEMORY)
        signal.setitimer(signal.ITIMER_PROF, 0)
        _answer(replies, packed)


def _outcome(document: Document) -> Feed | ParseError:
    try:
        return parse(document.data, url=document.url, headers=document.headers)
    except ParseError as error:
        if isinstance(error.__cause__, MemoryError):
            raise MemoryError from error
        return error
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - the border: one document must not cost the others
        return ParseError(document.url, f"it could not be read as a feed ({type(error).__name__})")


def _answer(replies: BinaryIO, packed: bytes) -> None:
    replies.write(wire.REPLY.pack(len(packed)))
    replies.write(packed)
    replies.flush()


def _warm_up() -> None:
    """Load what ``parse`` loads when it is first called, so that no document is charged with it."""
    feed = parse(b"<rss><channel><item><title>1</title></item></channel></rss>", url="")
    wire.unpack_outcome(wire.pack_outcome(feed))


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
    with suppress(BrokenPipeError):
        main()
