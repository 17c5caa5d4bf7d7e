"""What is looked for ahead: which letters, how long it holds, and that a letter then finds it."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from searchfeed import Index
from searchfeed.models import Query, Results
from searchfeed.tui import ahead, searcher
from searchfeed.tui.ahead import GUESSES, Pages, guesses
from searchfeed.tui.criteria import Criteria
from searchfeed.tui.searcher import WORDS
from tests.stage import NOW, entry, fill, played, rss, stage


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with fill(tmp_path_factory.mktemp("ahead")) as index:
        yield index


class TestGuesses:
    def guessed(self, index: Index, text: str) -> list[str]:
        return guesses(text, index.complete(text, limit=WORDS), index.search(text))

    @pytest.mark.parametrize(
        ("text", "first"), [("sto", "stor"), ("the lig", "the ligh"), ("harbour tr", "harbour tra")]
    )
    def test_a_half_typed_word_goes_on_as_words_do(
        self, index: Index, text: str, first: str
    ) -> None:
        assert self.guessed(index, text)[0] == first

    def test_a_name_of_a_field_is_not_guessed(self, index: Index) -> None:
        assert "title:" in index.complete("t")
        assert "ti" not in self.guessed(index, "t")

    def test_behind_a_word_begins_what_stands_behind_it(self, index: Index) -> None:
        # As in "The storm of Cork" and "the storm: number 3"; no word but these two begins so.
        assert {"storm o", "storm n"} <= set(self.guessed(index, "storm "))

    def test_before_the_first_letter_any_word_may_begin(self, index: Index) -> None:
        found = self.guessed(index, "")
        assert len(found) == GUESSES
        assert all(len(each) == 1 and each.isalpha() for each in found)

    def test_where_nothing_goes_on_nothing_is_guessed(self, index: Index) -> None:
        assert self.guessed(index, "xylophon") == []
        assert self.guessed(index, "xylophon ") == []


class Asked:
    """An index that remembers what it was asked."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self.texts: list[str] = []

    def __call__(self, query: Query) -> Results:
        self.texts.append(query.text)
        return self._index.search(query)


class TestPages:
    def test_a_page_is_found_once(self, index: Index) -> None:
        pages, asked = Pages(), Asked(index)
        query = Query("storm", limit=3)
        assert pages.get(query, asked) == replace(
            index.search(query), elapsed=pages.get(query, asked).elapsed
        )
        assert pages.get(Query("storm ", limit=3), asked).total == 18
        assert asked.texts == ["storm"]
        pages.get(replace(query, offset=3), asked)
        pages.get(replace(query, dedupe=False), asked)
        assert len(asked.texts) == 3

    def test_until_the_index_has_changed(self, index: Index) -> None:
        pages, asked = Pages(), Asked(index)
        pages.get(Query("storm"), asked)
        pages.forget()
        pages.get(Query("storm"), asked)
        assert asked.texts == ["storm"] * 2

    def test_what_is_looked_for_while_it_changes_is_not_kept(self, index: Index) -> None:
        pages, asked = Pages(), Asked(index)

        def search(query: Query) -> Results:
            pages.forget()
            return asked(query)

        pages.get(Query("storm"), search)
        pages.get(Query("storm"), asked)
        assert asked.texts == ["storm"] * 2

    def test_or_some_time_has_passed(self, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
        pages, asked = Pages(), Asked(index)
        now = 100.0
        monkeypatch.setattr(ahead, "monotonic", lambda: now)
        pages.get(Query("storm"), asked)
        now += ahead.FRESH
        pages.get(Query("storm"), asked)
        assert asked.texts == ["storm"]
        now += 1
        pages.get(Query("storm"), asked)
        pages.get(Query("storm"), asked)
        assert asked.texts == ["storm"] * 2

    def test_long_entries_do_not_fill_the_memory(
        self, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ahead, "HELD", 3 * 10 * 4_500)
        pages, asked = Pages(), Asked(index)
        for text in ("storm", "ferry", "herring", "lighthouse", "storm"):
            pages.get(Query(text), asked)
        assert asked.texts[-1] == "storm"
        assert len(asked.texts) == 5


TYPED = ("s", "st", "sto", "stor")


class TestLookingAhead:
    @played
    async def test_a_likely_letter_is_not_searched_for_anymore(
        self, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(searcher, "AHEAD", 5.0)
        monkeypatch.setattr(searcher, "LONG", 5.0)
        asked: list[str] = []

        class Watched(Index):
            def search(self, *arguments: Any, **named: Any) -> Results:
                found = super().search(*arguments, **named)
                if not found.query.offset:
                    asked.append(found.query.text.strip())
                return found

        with Watched(index.path) as watched:
            async with stage(watched) as scene:
                await scene.press(*"stor")
                await scene.until(lambda: "storm" in asked)
                asked.clear()
                await scene.press("m")
                assert scene.main.results.count == 18
                assert scene.main.shown.text == "storm"
                await scene.press("space")
                await scene.until(lambda: "storm t" in asked)
                assert "storm" not in asked

    @played
    async def test_a_cluster_is_not_asked_ahead(
        self, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(searcher, "LONG", 5.0)
        asked: list[str] = []
        search = Pages.get

        def watched(self: Pages, query: Query, *more: Any) -> Results:
            asked.append(query.text.strip())
            return search(self, query, *more)

        monkeypatch.setattr(Pages, "get", watched)
        with Index(index.path) as opened:
            # As if it were one: it is opened by the name that the store has.
            opened.engine = "opensearch"
            async with stage(opened) as scene:
                await scene.press(*"stor")
                assert scene.main.results.count == 18
                assert "storm" not in asked
                assert set(asked) <= {"", *(f"{text}{end}" for text in TYPED for end in ("", "*"))}

    @played
    async def test_an_update_is_seen_at_once(
        self, index: Index, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        folder = tmp_path_factory.mktemp("grown")
        with fill(folder) as grown:
            async with stage(grown) as scene:
                await scene.press(*"storm")
                assert scene.main.results.count == 18
                new = entry("new", "One more storm", "It blows.", NOW)
                (folder / "new.xml").write_text(rss("New", new))
                grown.update(folder / "new.xml")
                scene.main.grown()
                await scene.settle()
                assert scene.main.results.count == 19

    @played
    async def test_nothing_is_looked_for_ahead_of_what_is_changed_in_the_middle(
        self, index: Index
    ) -> None:
        async with stage(index) as scene:
            await scene.press(*"storm")
            await scene.press("home", "a")
            assert scene.main.criteria == Criteria("astorm")
            assert scene.main.results.count == 0


@pytest.mark.skipif(sys.platform != "linux", reason="glibc alone has what is set")
def test_the_heap_keeps_what_is_free() -> None:
    """Without it each array of some megabytes brings page faults; in a process of its own."""
    if not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"):
        pytest.skip("the C library is another than glibc")
    program = """
import resource, sys
import numpy as np
from searchfeed.tui import heap
if "keep" in sys.argv:
    heap.keep()
    heap.take_ahead(100_000)
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(10), faults()
before = faults()
for _ in range(50):
    np.ones(500_000)
print(faults() - before)
"""

    def counted(*arguments: str) -> int:
        command = [sys.executable, "-c", program, *arguments]
        return int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)

    assert counted("keep") * 20 < counted()
