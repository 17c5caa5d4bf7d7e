"""What is looked for ahead: which letters, how long it holds, and that a letter then finds it."""

from __future__ import annotations

import asyncio
import ctypes
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Event
from time import monotonic, sleep
from typing import Any

import pytest

from searchfeed import Index
from searchfeed.models import Query, Results
from searchfeed.stopping import Stopped, pause, stopping
from searchfeed.tui import ahead, searcher
from searchfeed.tui.ahead import GUESSES, Pages, guesses
from searchfeed.tui.criteria import Criteria
from searchfeed.tui.searcher import HUSH, WORDS, Searcher
from tests.program import wait_until
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

    def test_most_of_all_what_stands_behind_any_form_of_it(self, index: Index) -> None:
        hit = index.search("storm", limit=1).hits[0]
        body = (
            "A rate zigzags. A big banking boom began about big banks, all at once. Rates quiver."
        )
        found = replace(hit, entry=replace(hit.entry, title="", body=body))
        results = replace(index.search("rate"), hits=(found,))
        # More words begin with a and b than with any other letter, but behind a rate none does.
        assert guesses("Rate ", (), results)[:4] == ["Rate z", "Rate q", "Rate b", "Rate a"]
        assert guesses("", (), results)[:2] == ["b", "a"]

    def test_a_word_that_was_found_may_be_whole_and_go_on(self, index: Index) -> None:
        found = self.guessed(index, "the")
        behind = [each for each in found if " " in each]
        longer = [each for each in found if " " not in each]
        assert found[:3] == [longer[0], behind[0], (longer[1:] + behind[1:])[0]]
        assert behind == self.guessed(index, "the ")
        assert longer[0] == "then"
        results = index.search("the")
        within = guesses("the", index.complete("the", limit=WORDS), results, whole=False)
        assert within == longer

    def test_before_the_first_letter_any_word_may_begin(self, index: Index) -> None:
        found = self.guessed(index, "")
        assert 10 < len(found) <= GUESSES
        assert len(set(found)) == len(found)
        assert all(len(each) == 1 and each.isalpha() for each in found)

    def test_a_word_is_as_likely_whole_as_it_is_frequent(self, index: Index) -> None:
        results = index.search("storm")
        longer = ("the sta", "the sailor", "the sun")

        def found(*siblings: str) -> list[str]:
            guessed = guesses("the s", longer, results, siblings=siblings)
            assert set(guessed) >= {"the st", "the sa", "the su"}
            return [" ".join(each.split()[2:]) for each in guessed]

        # None is more frequent: a word goes on as often as another begins.
        assert found("the s", "the sta", "the sailor")[:6:2] == [""] * 3
        assert all(found("the s", "the sta", "the sailor")[1:6:2])
        # One is: first of all it goes on so.
        assert found("the sta", "the stop", "the s")[:5:2] == ["", *found("the s")[1:5:2]]
        # It is none of the frequent words: all of them are likelier.
        assert not any(found("the sta", "the sailor")[:3])
        assert all(found("the sta", "the sailor")[3:])
        assert not any(found()[:3])

    def test_there_are_not_too_many(self, index: Index) -> None:
        results = index.search("")
        letters = [chr(ord("a") + at) for at in range(26)]
        many = guesses("s", [f"s{letter}" for letter in letters], results, whole=False)
        assert many == [f"s{letter}" for letter in letters[:GUESSES]]

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

    def test_what_is_looked_for_already_is_not_looked_for_a_second_time(self, index: Index) -> None:
        pages, begun, goes_on = Pages(), Event(), Event()
        asked: list[str] = []

        def search(query: Query) -> Results:
            asked.append(query.text)
            begun.set()
            assert goes_on.wait(20)
            return index.search(query)

        with ThreadPoolExecutor() as threads:
            first = threads.submit(pages.get, Query("storm"), search)
            assert begun.wait(20)
            second = threads.submit(pages.get, Query("storm"), search)
            other = threads.submit(pages.get, Query("ferry"), index.search)
            assert other.result(20).total
            goes_on.set()
            assert second.result(20) is first.result(20)
        assert asked == ["storm"]

    def test_unless_that_is_given_up(self, index: Index) -> None:
        pages, begun, given_up = Pages(), Event(), Event()

        def search(query: Query) -> Results:
            begun.set()
            assert given_up.wait(20)
            raise Stopped

        with ThreadPoolExecutor() as threads:
            first = threads.submit(pages.get, Query("storm"), search)
            assert begun.wait(20)
            second = threads.submit(pages.get, Query("storm"), index.search)
            given_up.set()
            assert second.result(20).total == 18
            with pytest.raises(Stopped):
                first.result(20)

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

    @pytest.mark.parametrize("letter", ["m", "x"])
    @played
    async def test_a_letter_ends_what_is_looked_for_ahead_but_not_what_it_asks_for(
        self, index: Index, monkeypatch: pytest.MonkeyPatch, letter: str
    ) -> None:
        monkeypatch.setattr(searcher, "LONG", 5.0)
        ahead: list[str] = []
        ended: list[str] = []

        class Slow(Index):
            def search(self, *arguments: Any, **named: Any) -> Results:
                query = arguments[0]
                if query.text != "storm" or query.offset:
                    return super().search(*arguments, **named)
                ahead.append(query.text)
                try:
                    while scene.query == "stor":
                        pause()
                        sleep(0.001)
                    for _ in range(100 if letter == "m" else 20_000):
                        pause()
                        sleep(0.001)
                except Stopped:
                    ended.append(query.text)
                    raise
                return super().search(*arguments, **named)

        with Slow(index.path) as slow:
            async with stage(slow) as scene:
                await scene.pilot.press(*"stor")
                await scene.pilot.pause()
                while not ahead:  # noqa: ASYNC110 - a thread sets it
                    await asyncio.sleep(0.005)
                await scene.press(letter)
                assert scene.main.shown.text == f"stor{letter}"
                assert scene.main.results.count == (18 if letter == "m" else 0)
                assert ahead == ["storm"]
                assert ended == ([] if letter == "m" else ["storm"])

    def test_what_runs_waits_until_it_is_known_what_was_pressed(self, index: Index) -> None:
        asked = Searcher(index, lambda _: None)
        generation = asked.search(Criteria("storm"), 3)
        steps: list[float] = []

        def work() -> None:
            with stopping(partial(asked._unwanted, generation)):
                while len(steps) < most:
                    pause()
                    steps.append(monotonic())
                    sleep(0.0001)

        with ThreadPoolExecutor() as threads:
            for ends_it in (False, True):
                most = 100_000 if ends_it else 1_000
                steps.clear()
                worker = threads.submit(work)
                wait_until(lambda: len(steps) > 5)
                pressed = monotonic()
                asked.hush()
                hushed = monotonic()
                sleep(HUSH / 2)
                if ends_it:
                    asked.expect(Criteria("ferry"), 3)
                worker.result(20)
                # One that began to wait before it was told may go on once.
                behind = [step for step in steps if step > hushed][1:]
                assert not any(step < pressed + HUSH for step in behind)
                assert (len(steps) < most) is ends_it
        assert asked.close()

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


def test_the_app_is_not_stopped_for_long_and_python_is_as_it_was_behind_it() -> None:
    """In a process of its own, for what is kept is kept for good."""
    program = """
import gc, sys, weakref
from searchfeed.tui import stalls

class Node:
    pass

def garbage():
    node = Node()
    node.itself = node
    return weakref.ref(node)

def settings():
    return gc.get_threshold(), sys.getswitchinterval()

before = settings()
with stalls.short():
    assert all(new != old for new, old in zip(settings(), before))
    stalls.keep()
    assert gc.get_freeze_count() > 1_000
    young = garbage()
    held = [[] for _ in range(2 * stalls.YOUNG)]
    assert young() is None
    # What has been looked through once waits for a lull, be it garbage by then.
    old = Node()
    ref = weakref.ref(old)
    gc.collect(0)
    old.itself = old
    del old
    held += [[] for _ in range(20 * stalls.YOUNG)]
    assert ref() is not None
    stalls.lull()
    assert ref() is None
    # Then what is there stays, and is not looked through in the next one.
    assert gc.get_count() < (1_000, 1, 1)
    frozen = gc.get_freeze_count()
    assert frozen > 22 * stalls.YOUNG
    del held
    assert gc.get_freeze_count() < frozen - 22 * stalls.YOUNG
assert settings() == before
"""
    subprocess.run([sys.executable, "-c", program], check=True)


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
