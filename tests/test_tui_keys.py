"""Every key of the app: a table of what each does, and that none is missing in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

from searchfeed import Index
from searchfeed.cli import keymap
from searchfeed.models import Sort
from searchfeed.tui import deeds, pagemaker, searcher
from searchfeed.tui import screen as screens
from searchfeed.tui.help import Help
from tests.stage import NOW, Stage, entry, fill, played, rss, stage

Seen = Callable[[Stage], Any]

LINKS = [f"https://x.example/{number}" for number in range(1, 10)]
LOG = "\n\n".join(["The gale of today.", *LINKS, *(f"Hour {hour}: wind." for hour in range(80))])


class Play(NamedTuple):
    """Keys that bring the app to a state, and what keys do there, one after the other.

    Each step has the keys before it, which need not be of this part, the key, what is looked at
    and what is then seen there.
    """

    part: str
    start: tuple[str, ...]
    steps: tuple[tuple[tuple[str, ...], str, Seen, Any], ...]
    query: str = ""
    size: tuple[int, int] = (80, 24)


def focused(scene: Stage) -> str:
    return scene.focused


def query(scene: Stage) -> str:
    return scene.query


def row(scene: Stage) -> int:
    return scene.main.results.cursor


def bars(scene: Stage) -> tuple[int, int]:
    """How many bars from the newest the ones that are chosen begin, and how many these are."""
    line = scene.main.timeline
    return len(line.columns) - line.chosen.start, len(line.chosen)


def kept_to(scene: Stage) -> list[str]:
    return [each.label for each in scene.main.criteria.conditions]


def top(scene: Stage) -> int:
    return int(scene.main.reading.scroll_offset.y)


def link(scene: Stage) -> Any:
    reading = scene.main.reading
    target = reading._chosen and reading._page.target(reading._chosen)
    return target.goal if target else None


def scrolled(scene: Stage) -> int:
    return int(scene.app.screen.query_one("#help").scroll_offset.y)


def helped(scene: Stage) -> bool:
    return isinstance(scene.app.screen, Help)


def says(text: str) -> Seen:
    return lambda scene: text in scene.text


def facet(number: int) -> tuple[tuple[str, ...], str, Seen, Any]:
    values = ["Harbour News", "Journal du port", "Port Authority", "city", "sea", "en", "fr"]
    return ("escape",), str(number), kept_to, [[*values, "2026", "2025"][number - 1]]


PLAYS = (
    Play(
        "SearchLine",
        ("=ligh",),
        (
            ((), "tab", query, "lighthouse"),
            ((), "down", row, 1),
            ((), "up", row, 0),
            ((), "enter", focused, "results"),
            (("slash", "ctrl+u", "=storm", "enter", "slash"), "ctrl+up", query, "lighthouse"),
            ((), "ctrl+down", query, "storm"),
            (("ctrl+u", "=h"), "shift+tab", lambda scene: scene.main.hints._marked, 1),
        ),
    ),
    Play(
        "Listing",
        ("enter",),
        (
            ((), "j", row, 1),
            ((), "down", row, 2),
            ((), "k", row, 1),
            ((), "up", row, 0),
            ((), "G", row, 90),
            ((), "g", row, 0),
            ((), "end", row, 90),
            ((), "home", row, 0),
            ((), "pagedown", row, 6),
            ((), "pageup", row, 0),
            ((), "ctrl+f", row, 6),
            ((), "ctrl+b", row, 0),
        ),
    ),
    Play(
        "FacetBar",
        ("enter", "f"),
        (((), "enter", kept_to, ["Harbour News"]), ((), "space", kept_to, [])),
        "storm",
        (200, 60),
    ),
    Play(
        "Timeline",
        ("enter", "t"),
        (
            ((), "left", bars, (2, 1)),
            ((), "h", bars, (3, 1)),
            ((), "right", bars, (2, 1)),
            ((), "l", bars, (1, 1)),
            ((), "shift+left", bars, (2, 2)),
            ((), "H", bars, (3, 3)),
            ((), "shift+right", bars, (2, 2)),
            ((), "L", bars, (1, 1)),
            ((), "enter", kept_to, ["2026-08"]),
            (("escape", "t", "left"), "space", kept_to, ["2026-07"]),
        ),
    ),
    Play(
        "NameField",
        ("=storm", "ctrl+s"),
        (
            ((), "escape", lambda scene: scene.main.asking, False),
            (("ctrl+s", "=gales"), "enter", says("@gales stands for: storm"), True),
        ),
    ),
    Play(
        "SearchScreen",
        ("enter",),
        (
            ((), "slash", focused, "query"),
            ((), "escape", focused, "results"),
            ((), "enter", focused, "reading"),
            (("escape",), "o", says("Opened https://x.example/"), True),
            ((), "y", says("Link copied"), True),
            ((), "Y", says("Markdown copied"), True),
            ((), "m", says("1 marked"), True),
            ((), "e", says("1 entry written to searchfeed-"), True),
            ((), "L", says("more like: "), True),
            (("escape",), "s", lambda scene: scene.main.criteria.sort, Sort.NEWEST),
            ((), "f", focused, "facets"),
            (("f",), "t", focused, "timeline"),
            ((), "u", says("no feeds are subscribed to"), True),
            ((), "a", focused, "source"),
            (("escape", "enter"), "question_mark", helped, True),
            (("q",), "f1", helped, True),
            (("q",), "ctrl+s", focused, "name"),
            (("escape",), "q", lambda scene: scene.app.is_running, False),
        ),
        "storm",
    ),
    Play(
        "SearchScreen",
        ("enter",),
        tuple(facet(number) for number in range(1, 10)),
        "storm",
        (200, 60),
    ),
    Play(
        "Reading",
        ("enter", "enter"),
        (
            ((), "n", lambda scene: scene.main.reading.match, (1, 2)),
            ((), "N", lambda scene: scene.main.reading.match, (2, 2)),
            ((), "h", says("Version 2 of 2"), True),
            (("h",), "tab", link, "https://x.example/log"),
            (("tab",), "shift+tab", link, "https://x.example/log"),
            ((), "enter", says("Opened https://x.example/log"), True),
            (("g",), "j", top, 1),
            ((), "down", top, 2),
            ((), "k", top, 1),
            ((), "up", top, 0),
            ((), "space", top, 20),
            ((), "b", top, 0),
            ((), "pagedown", top, 20),
            ((), "pageup", top, 0),
            ((), "ctrl+f", top, 20),
            ((), "ctrl+b", top, 0),
            ((), "G", lambda scene: top(scene) == scene.main.reading.max_scroll_y > 80, True),
            ((), "g", top, 0),
            ((), "end", lambda scene: top(scene) == scene.main.reading.max_scroll_y > 80, True),
            ((), "home", top, 0),
            *(((), str(number), link, address) for number, address in enumerate(LINKS, 1)),
        ),
        "gale",
    ),
    Play(
        "Help",
        ("enter", "question_mark"),
        (
            ((), "j", scrolled, 1),
            ((), "down", scrolled, 2),
            ((), "k", scrolled, 1),
            ((), "up", scrolled, 0),
            ((), "space", scrolled, 18),
            ((), "b", scrolled, 0),
            ((), "pagedown", scrolled, 18),
            ((), "pageup", scrolled, 0),
            ((), "ctrl+f", scrolled, 18),
            ((), "ctrl+b", scrolled, 0),
            *(
                (before, key, helped, False)
                for before, key in (
                    ((), "escape"),
                    (("f1",), "q"),
                    (("f1",), "question_mark"),
                    (("f1",), "f1"),
                    (("f1",), "enter"),
                )
            ),
        ),
    ),
    Play(
        "SearchfeedApp",
        (),
        ((("=storm",), "ctrl+p", lambda scene: len(scene.app.screen_stack), 2),),
    ),
    Play("SearchfeedApp", (), (((), "ctrl+c", lambda scene: scene.app.is_running, False),)),
    Play("SearchfeedApp", (), (((), "ctrl+q", lambda scene: scene.app.is_running, False),)),
)


def parts() -> Iterator[type[DOMNode]]:
    """The parts of the app that have keys."""
    keymap.actions()  # Loads them all.
    waiting: list[type[DOMNode]] = [DOMNode]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith("searchfeed.tui.") and "BINDINGS" in vars(kind):
            yield kind


def bindings() -> set[tuple[str, Binding]]:
    return {
        (part.__name__, binding)
        for part in parts()
        for binding in Binding.make_bindings(vars(part)["BINDINGS"])
    }


def test_none_is_missing_in_the_table() -> None:
    there_are = {(part, binding.key) for part, binding in bindings()}
    assert len(there_are) > 90
    assert there_are == {(play.part, key) for play in PLAYS for _, key, _, _ in play.steps}


def test_each_can_be_changed() -> None:
    nameless = [(part, binding.key) for part, binding in bindings() if not binding.id]
    assert nameless == []
    assert {binding.id for _, binding in bindings()} == set(keymap.actions())


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("keys")
    with fill(folder) as index:
        for text in (LOG.replace("today", "yesterday"), LOG):
            item = entry("log", "Log of the gale", text, NOW - timedelta(days=400), "log")
            (folder / "log.xml").write_text(rss("Log", item))
            index.update(folder / "log.xml")
        yield index


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.part)
@played
async def test_each_does_what_it_says(
    index: Index, play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def opened(address: str) -> str:
        return f"Opened {address}"

    monkeypatch.setattr(deeds, "open_link", opened)
    monkeypatch.setattr("searchfeed.tui.clipboard.command", lambda _: ())
    monkeypatch.setattr(pagemaker, "REST", 0.0)
    monkeypatch.setattr(searcher, "REST", 0.0)
    monkeypatch.setattr(screens, "_TYPED_PREVIEW", 0.001)
    monkeypatch.chdir(tmp_path)
    async with stage(index, play.size, query=play.query) as scene:
        await scene.press(*play.start)
        for before, key, look, expected in play.steps:
            await scene.press(*before)
            assert look(scene) != expected, f"{key} has nothing to do"
            await scene.pilot.press(key)
            if scene.app.is_running:
                await scene.settle()
            for _ in range(400):
                if look(scene) == expected:
                    break
                await scene.pilot.pause(0.005)
            assert look(scene) == expected, f"{key}\n{scene.text}"
