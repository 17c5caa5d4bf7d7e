"""Work that is given up: where, whose, and that nothing is left half done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Thread

import pytest

from searchfeed import Index
from searchfeed.stopping import Stopped, pause, stopping
from tests.stage import fill


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with fill(tmp_path_factory.mktemp("stopping")) as index:
        yield index


def test_it_ends_at_the_first_pause_after_it_is_unwanted() -> None:
    done: list[int] = []
    with stopping(lambda: len(done) == 2):
        for step in range(5):
            pause()
            done.append(step)
    assert done == [0, 1]


def test_nothing_that_handles_errors_keeps_it_from_ending() -> None:
    reached = False
    with stopping(lambda: True), suppress(Exception):
        pause()
        reached = True
    assert not reached
    assert not issubclass(Stopped, Exception)


def test_outside_nothing_is_unwanted() -> None:
    with stopping(lambda: False):
        with stopping(lambda: True):
            pause()
        pause()
    pause()
    with pytest.raises(KeyError), stopping(lambda: True):
        raise KeyError
    pause()


def test_it_is_about_its_own_thread_alone() -> None:
    ended: list[str] = []

    def other() -> None:
        pause()
        ended.append("other")

    with stopping(lambda: True):
        thread = Thread(target=other)
        thread.start()
        thread.join()
        pause()
        ended.append("this")
    assert ended == ["other"]


ASKED: dict[str, Callable[[Index], object]] = {
    "search": lambda index: [
        (hit.entry.id, hit.score, hit.snippets) for hit in index.search("harbour storm st*").hits
    ],
    "phrase": lambda index: [hit.entry.id for hit in index.search('"the storm" ferry~').hits],
    "facets": lambda index: index.facets("storm", ["feed", "year", "lang"]),
}


@pytest.mark.parametrize("asked", ASKED)
def test_wherever_a_search_is_given_up_the_next_one_finds_the_same(
    index: Index, asked: str
) -> None:
    ask = ASKED[asked]
    expected = ask(index)
    at = 0
    while True:
        # Nothing of it is in memory.
        with Index(index.path) as opened:
            left = at
            answers = []

            def unwanted() -> bool:
                nonlocal left
                left -= 1
                return left < 0

            with stopping(unwanted):
                answers.append(ask(opened))
            if answers:
                break
            assert ask(opened) == expected
        at += 1
    assert answers == [expected]
    assert at >= (3 if asked == "facets" else 10)
