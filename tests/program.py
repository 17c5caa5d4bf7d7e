"""The real program in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAM = [sys.executable, "-m", "searchfeed"]


@contextmanager
def watching(path: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """``searchfeed watch``, of servers on loopback too, until the block ends."""
    process = subprocess.Popen(
        [*PROGRAM, "--index", str(path), "watch", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "SEARCHFEED_ALLOW_PRIVATE": "1"},
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
