"""Links into the browser."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time

from searchfeed.output.clean import hyperlink

PATIENCE = 5.0
"""Seconds after which a browser that is still running is taken to show the page."""

_GLANCE = 0.05
"""Seconds between two looks at whether the browser could be started."""

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
        browser = _start(url)
    except OSError as error:
        return f"The browser could not be started: {error.strerror or error}"
    until = time.monotonic() + patience
    while (failed := browser.poll()) is None and time.monotonic() < until:  # noqa: ASYNC110
        await asyncio.sleep(_GLANCE)
    return f"No browser was found to open {url}" if failed else f"Opened {url}"


def _start(url: str) -> subprocess.Popen[bytes]:
    """A browser, which may outlive the program, as a process of asyncio's may not.

    Raises:
        OSError: no process could be started.
    """
    process = subprocess.Popen(  # noqa: S603 - this interpreter, and a script of ours
        (sys.executable, "-I", "-c", _OPEN, url),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # Whenever it ends, it leaves no zombie.
    threading.Thread(target=process.wait, name="browser", daemon=True).start()
    return process
