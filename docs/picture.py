"""Make docs/app.svg, the README's picture: the app as it runs, over an index of the fixtures.

Run by ``make picture``; another file can be named instead.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from docs.drawing import draw
from searchfeed import Index
from searchfeed.tui.app import SearchfeedApp

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "app.svg"

SIZE = (132, 34)
KEYS = (*"harbour", "space", *"ferry", "enter", "f", "escape", "j")
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


async def picture(index: Index) -> str:
    """The app in the middle of a search."""
    app = SearchfeedApp(index, now=lambda: NOW)
    async with app.run_test(size=SIZE) as pilot:
        for key in KEYS:
            await pilot.press(key)
            while not app.main.settled:
                await pilot.pause(0.05)
        await pilot.pause(0.2)
        drawn = draw(app)
    app.main.close()
    return drawn


def main(file: Path = PICTURE) -> None:
    """Take in the fixtures, and draw what the app shows of them."""
    os.environ["TZ"] = "UTC"
    os.environ.pop("NO_COLOR", None)
    time.tzset()
    with TemporaryDirectory() as folder, Index(folder) as index:
        index.update(ROOT / "fixtures")
        file.write_text(asyncio.run(picture(index)), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
