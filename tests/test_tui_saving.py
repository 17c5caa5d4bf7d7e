"""Saving a search in the app: the name, what is wrong with it, and what it is good for then."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from searchfeed import Index
from searchfeed.models import Facet
from searchfeed.tui import pagemaker, searcher
from searchfeed.tui.criteria import Condition
from searchfeed.tui.saving import NotSaved
from tests.stage import fill, played, stage


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with fill(tmp_path_factory.mktemp("saving")) as index:
        yield index


@pytest.fixture
def index(filled: Index) -> Iterator[Index]:
    """One in which no search is saved."""
    yield filled
    while saved := filled.searches():
        for each in saved:
            if not any(f"@{each.name}" in other.text for other in saved):
                filled.forget(each.name)


@pytest.fixture(autouse=True)
def nobody_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagemaker, "REST", 0.0)
    monkeypatch.setattr(searcher, "REST", 0.0)


@played
async def test_a_search_gets_a_name_and_is_found_by_it(index: Index) -> None:
    async with stage(index, query="storm") as scene:
        await scene.press("ctrl+s")
        assert scene.focused == "name"
        assert scene.lines[1] == " @name"
        assert scene.lines[2] == "  will stand for: storm"
        assert "The storm of Derry" in scene.text
        await scene.press("=gales")
        assert scene.lines[1] == " @gales"
        await scene.press("enter")
        assert "@gales stands for: storm" in scene.text
        assert scene.focused == "query"
        assert [(each.name, each.text) for each in index.searches()] == [("gales", "storm")]
        await scene.press("ctrl+u", "=@ga", "tab")
        assert scene.query == "@gales"
        assert scene.main.results.count == 18


@played
async def test_conditions_are_saved_too(index: Index) -> None:
    async with stage(index, query="storm") as scene:
        scene.main.narrow(scene.main.criteria.toggled(Condition(Facet.TAG, "sea", "sea")))
        await scene.press("ctrl+s", "=@gales", "enter")
        assert [each.text for each in index.searches()] == ["tag:sea (storm)"]
    assert index.search("@gales").total == 9


@played
async def test_a_name_that_is_taken_is_given_twice(index: Index) -> None:
    index.save("gales", "storm")
    async with stage(index, query="ferry") as scene:
        await scene.press("enter", "ctrl+s", "=Gales", "enter")
        assert scene.lines[2] == "  ^^^^^ @Gales is taken; Enter again replaces: storm"
        assert index.searches()[0].text == "storm"
        await scene.press("s", "backspace")  # Whoever goes on typing has seen that it is taken.
        assert "taken" not in scene.text
        await scene.press("enter")
        assert "taken" in scene.text
        await scene.press("enter")
        assert "@Gales stands for: ferry, and no longer for: storm" in scene.text
        assert scene.focused == "results"
        await scene.press("ctrl+s", "=gales", "enter")  # It stands for the same already.
        assert "@gales stands for: ferry " in scene.text


@pytest.mark.parametrize(
    ("query", "name", "mistake"),
    [
        ("storm", "-x", "'-x' is no name for a search"),
        ("storm", "", "'' is no name for a search"),
        ("@gales ferry", "a", "saved searches go round in a circle: @a → @gales → @a"),
        ("@nowhere storm", "x", "there is no saved search @nowhere"),
        ("date:never", "x", "'never' is neither a date nor an age"),
    ],
)
@played
async def test_mistakes_are_shown_under_the_line(
    index: Index, query: str, name: str, mistake: str
) -> None:
    index.save("a", "storm")
    index.save("gales", "@a")
    async with stage(index, (120, 24)) as scene:
        await scene.press(f"={query}", "ctrl+s", f"={name}", "enter")
        if name == "a":
            await scene.press("enter")
        below = scene.lines[next(y for y, line in enumerate(scene.lines) if line[:2] == " @") :]
        assert mistake in "".join(below[1:4])
        assert scene.focused == "name"
        assert {each.name: each.text for each in index.searches()} == {"a": "storm", "gales": "@a"}


@played
async def test_who_goes_elsewhere_saves_nothing(index: Index) -> None:
    async with stage(index, query="storm") as scene:
        await scene.press("ctrl+s", "=a", "escape")
        assert (scene.main.asking, scene.focused) == (False, "query")
        await scene.press("enter", "ctrl+s")
        assert scene.lines[1] == " @name"
        await scene.press("ctrl+s", "escape")
        assert (scene.main.asking, scene.focused) == (False, "results")
        await scene.press("ctrl+s")
        await scene.click("#results", 10, 4)
        assert (scene.main.asking, scene.focused) == (False, "results")
    assert index.searches() == ()


@played
async def test_nothing_and_more_like_this_are_not_saved(index: Index) -> None:
    async with stage(index) as scene:
        await scene.press("ctrl+s")
        assert "there is nothing to save; type a search first" in scene.text
        assert not scene.main.asking
        await scene.press("enter", "L", "ctrl+s")
        assert "there is nothing to save" in scene.text


@played
async def test_another_writer_is_waited_for_beside_the_screen(index: Index) -> None:
    other = sqlite3.connect(Path(index.path) / "archive.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    async with stage(index, query="storm") as scene:
        await scene.press("ctrl+s", "=gales")
        await scene.pilot.press("enter", "escape", "x")
        await scene.pilot.pause(0.1)
        assert scene.query == "stormx"
        assert scene.main.saver.busy
        other.execute("ROLLBACK")
        await scene.until(lambda: "@gales stands for: storm" in scene.text)
        assert scene.query == "stormx"
        scene.main.post_message(NotSaved("the index is locked"))
        await scene.until(lambda: "not saved: the index is locked" in scene.text)
        other.execute("BEGIN IMMEDIATE")
        await scene.press("ctrl+s", "=a")
        await scene.pilot.press("enter")
        await scene.pilot.pause(0.1)
        assert scene.main.saver.busy
        assert not scene.main.close()  # The index is in use.
        other.execute("ROLLBACK")
    other.close()


@played
async def test_the_palette_does_the_same(index: Index) -> None:
    async with stage(index, query="storm") as scene:
        await scene.pilot.press("ctrl+p")
        await scene.press("=save the")
        await scene.until(lambda: "Save the search" in scene.text)
        await scene.press("enter")
        await scene.until(lambda: scene.focused == "name")
        await scene.press("=gales", "enter")
        assert index.searches()[0].name == "gales"
