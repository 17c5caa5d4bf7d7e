"""The app on a screen of the tests: feeds to look at, keys, and what the screen then shows."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from textual.pilot import Pilot
from textual.widgets import Input

from searchfeed import Index
from searchfeed.tui.app import SearchfeedApp

NOW = datetime(2026, 8, 12, 12, tzinfo=UTC)
"""When everything on this stage happens."""

SUBJECTS = ("ferry", "herring", "lighthouse", "storm", "harbour tram")
PLACES = ("Aqaba", "Bergen", "Cork", "Derry", "Esbjerg", "Faro")


def entry(guid: str, title: str, body: str, moment: datetime, tag: str = "sea") -> str:
    return (
        f"<item><title>{escape(title)}</title><guid isPermaLink='false'>{guid}</guid>"
        f"<link>https://x.example/{guid}</link><category>{escape(tag)}</category>"
        f"<description>{escape(body)}</description>"
        f"<pubDate>{moment:%a, %d %b %Y %H:%M:%S} GMT</pubDate></item>"
    )


def rss(name: str, items: str, language: str = "en") -> str:
    return (
        f"<rss version='2.0'><channel><title>{name}</title>"
        f"<link>https://x.example/{name.split(maxsplit=1)[0].lower()}</link>"
        f"<language>{language}</language>{items}</channel></rss>"
    )


def fill(folder: Path) -> Index:
    """An index of ninety entries in three feeds, two languages and eight months."""
    feeds = {"Harbour News": "en", "Port Authority": "en", "Journal du port": "fr"}
    for at, (name, language) in enumerate(feeds.items()):
        items = ""
        for number in range(30):
            subject = SUBJECTS[(number + at) % len(SUBJECTS)]
            place = PLACES[(number * 7 + at) % len(PLACES)]
            items += entry(
                f"{at}-{number}",
                f"The {subject} of {place}, part {number}",
                f"What is new about the {subject}: number {number * 13 + at} has come to {place}. "
                f"It was seen by {number + 2} people, who waited for it since the morning, and "
                "then went home along the quay.",
                NOW - timedelta(days=number * 8, hours=at * 5 + 1),
                ("sea", "city")[number % 2],
            )
        (folder / f"{at}.xml").write_text(rss(name, items, language))
    index = Index(folder / "index")
    index.update(folder)
    return index


def played(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """A test that runs in an event loop of its own."""

    @functools.wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        async def whole() -> None:
            await test(*arguments, **named)

        asyncio.run(whole())

    return run


class Stage:
    """The app, what a user does with it and what they see."""

    def __init__(self, app: SearchfeedApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.main = app.main
        self.pilot = pilot

    async def press(self, *keys: str) -> None:
        """Press keys; what starts with = is put into the field at once. Wait for what comes."""
        for key in keys:
            if key.startswith("="):
                assert isinstance(self.app.focused, Input)
                self.app.focused.insert_text_at_cursor(key[1:])
            else:
                await self.pilot.press(key)
            await self.settle()

    async def click(self, selector: str, x: int, y: int = 0, times: int = 1) -> None:
        await self.pilot.click(selector, offset=(x, y), times=times)
        await self.settle()

    async def settle(self) -> None:
        """Wait until all is answered and painted."""
        quiet = 0
        for _ in range(1_000):
            await self.pilot.pause()
            quiet = quiet + 1 if self.main.settled else 0
            if quiet > 1:
                return
            await asyncio.sleep(0 if quiet else 0.005)
        raise AssertionError("the app does not come to rest")

    async def until(self, happened: Callable[[], bool]) -> None:
        for _ in range(2_000):
            if happened():
                await self.settle()
                return
            await asyncio.sleep(0.005)
        raise AssertionError(f"it does not happen; the screen:\n{self.text}")

    @property
    def lines(self) -> list[str]:
        strips = self.app.screen._compositor.render_strips()
        return [strip.text.rstrip() for strip in strips]

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)

    @property
    def query(self) -> str:
        return self.main.line.value

    @property
    def title(self) -> str:
        """That of the entry under the cursor."""
        hit = self.main.results.hit
        return hit.entry.title if hit else ""

    @property
    def status(self) -> str:
        return next(line for line in self.lines[::-1] if " of " in line or "·" in line).strip()

    @property
    def focused(self) -> str:
        return (self.app.focused and self.app.focused.id) or ""


@asynccontextmanager
async def stage(
    index: Index, size: tuple[int, int] = (80, 24), query: str = "", **options: Any
) -> AsyncIterator[Stage]:
    """The app on a screen of this size, at rest."""
    app = SearchfeedApp(index, query, now=lambda: NOW, **options)
    async with app.run_test(size=size) as pilot:
        scene = Stage(app, pilot)
        await scene.until(lambda: app.main.results.count > 0 or app.main.greeted)
        yield scene
    app.main.close()
