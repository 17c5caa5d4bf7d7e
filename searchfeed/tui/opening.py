"""Links into the browser."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL

from searchfeed.output.clean import hyperlink

PATIENCE = 5.0
"""Seconds after which a browser that is still running is taken to show the page."""

# In a process of its own, because browsers write what they please, and those for a terminal
# take it: it gets neither ours nor any other. Isolated (-I), lest a webbrowser.py lie about.
_OPEN = "import sys, webbrowser; sys.exit(not webbrowser.open(sys.argv[1]))"


async def open_link(link: str, *, patience: float = PATIENCE) -> str:
    """Open an http(s) link in the user's browser; nothing waits for it but the caller.

    Args:
        link: of an entry; other schemes are refused, whatever handles them here.
        patience: seconds for which the browser is waited for.

    Returns:
        A line that says what was done.
    """
    url = hyperlink(link)
    if not url:
        return "There is no link" if not link.strip() else "Only http and https links are opened"
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-c", _OPEN, url),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        return f"The browser could not be started: {error.strerror or error}"
    try:
        failed = await asyncio.wait_for(process.wait(), patience)
    except TimeoutError:
        failed = 0
    return f"No browser was found to open {url}" if failed else f"Opened {url}"
