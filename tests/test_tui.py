"""The app: every key and every state, as somebody who uses it sees them."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.widgets import Input

from searchfeed import Index
from searchfeed.models import Facet, Results, Sort
from searchfeed.tui import deeds, pagemaker, searcher
from searchfeed.tui import screen as screens
from searchfeed.tui.app import SearchfeedApp
from searchfeed.tui.criteria import Condition, Criteria
from searchfeed.tui.queries import MOST, Queries
from searchfeed.tui.searcher import Found, Refused
from tests.loopback import Web
from tests.stage import NOW, entry, fill, played, rss, stage


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with fill(tmp_path_factory.mktemp("tui")) as index:
        yield index


@pytest.fixture(autouse=True)
def nobody_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagemaker, "REST", 0.0)
    monkeypatch.setattr(searcher, "REST", 0.0)
    monkeypatch.setattr(screens, "_TYPED_PREVIEW", 0.001)
    monkeypatch.delenv("NO_COLOR", raising=False)


class TestSearching:
    @played
    async def test_it_begins_with_the_newest(self, index: Index) -> None:
        async with stage(index) as scene:
            assert scene.focused == "query"
            assert scene.title == "The ferry of Aqaba, part 0"
            assert scene.main.results.count == 90
            assert "90 entries" in scene.lines[0]
            assert scene.lines[-2].strip() == "newest first"
            await scene.press("enter")
            assert "1 of 90 · newest first" in scene.text

    @played
    async def test_or_with_what_was_asked_for(self, index: Index) -> None:
        async with stage(index, query="lighthouse") as scene:
            assert scene.query == "lighthouse"
            assert scene.main.results.count == 18
            assert "by relevance" in scene.text

    @played
    async def test_results_follow_each_key(self, index: Index) -> None:
        async with stage(index) as scene:
            counts = []
            for key in "storm":
                await scene.press(key)
                counts.append(scene.main.results.count)
            assert counts[-1] == 18
            assert "storm" in scene.title
            await scene.press("backspace", "backspace")
            assert scene.query == "sto"

    @pytest.mark.parametrize("size", [(80, 24), (200, 60)])
    @played
    async def test_a_letter_brings_what_is_in_sight_and_a_rest_all_else(
        self, index: Index, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with stage(index, size) as scene:
            results = scene.main.results
            monkeypatch.setattr(searcher, "REST", 2.0)
            await scene.pilot.press(*"what")
            while scene.main.shown.text != "what":
                await scene.pilot.pause(0.005)
            await scene.pilot.pause(0.05)
            assert results.count > results.page + 1 == len(results.hits)
            assert f"{results.count} entries" in scene.lines[0]
            drawn = [line for line in scene.lines if "▌" in line or ", part " in line]
            assert len(drawn) >= results.page
            await scene.settle()
            assert len(results.hits) > 2 * results.page

    @played
    async def test_there_is_a_line_to_type_in_before_the_index_is_opened(
        self, index: Index
    ) -> None:
        seen: list[int] = []

        class Watched(Index):
            def search(self, *arguments: Any, **named: Any) -> Results:
                seen.append(app.main.line.size.width)
                return super().search(*arguments, **named)

        with Watched(index.path) as watched:
            app = SearchfeedApp(watched, now=lambda: NOW)
            async with app.run_test() as pilot:
                while not app.main.results.count:
                    await pilot.pause(0.005)
            app.main.close()
        assert seen[0] > 0

    @played
    async def test_what_is_stale_is_dropped(self, index: Index) -> None:
        async with stage(index, query="storm") as scene:
            results = index.search("ferry")
            scene.main.post_message(Found(0, Criteria("ferry"), results, folded=True))
            scene.main.post_message(Refused(0, Criteria("ferry"), ValueError("no")))
            await scene.settle()
            assert "storm" in scene.title
            assert "bug" not in scene.text

    @played
    async def test_a_mistake_is_shown_below_its_place(self, index: Index) -> None:
        async with stage(index) as scene:
            await scene.press("=storm ", "=date:garb")
            assert scene.lines[0].startswith("❯ storm date:garb")
            assert scene.lines[1].startswith(" " * 13 + "^^^^ 'garb' is neither a date")
            assert scene.main.results.count == 18  # What was found for the words before stays.
            await scene.press("ctrl+w", "=2026")
            assert "^^" not in scene.text
            assert scene.main.results.count == index.search("storm date:2026").total

    @played
    async def test_a_long_one_has_a_line_of_its_own(self, index: Index) -> None:
        async with stage(index, (60, 24)) as scene:
            await scene.press("=storm date:never")
            assert scene.lines[1] == " " * 13 + "^^^^^"
            assert scene.lines[2].startswith(" 'never' is neither a date")
            await scene.press("ctrl+w")
            assert "never" not in scene.text

    @played
    async def test_a_mistake_is_below_its_place_beside_conditions_too(self, index: Index) -> None:
        async with stage(index) as scene:
            scene.main.narrow(scene.main.criteria.toggled(Condition(Facet.TAG, "sea", "sea")))
            await scene.press("=date:x")
            assert scene.lines[1].startswith(" " * 7 + "^ ")

    @played
    async def test_nothing_found_says_so_and_what_was_meant(self, index: Index) -> None:
        async with stage(index) as scene:
            await scene.press("=lihgthouse")
            assert scene.main.results.count == 0
            assert "did you mean  lighthouse" in scene.lines[1]
            assert "nothing found" in scene.lines[1]
            await scene.click("#hints", 17)
            assert scene.query == "lighthouse"
            assert scene.main.results.count == 18

    @played
    async def test_a_half_typed_word_stands_for_all_that_begin_so(self, index: Index) -> None:
        async with stage(index, (100, 40)) as scene:
            await scene.press(*"lighth")
            assert scene.main.results.count == 18 == index.search("lighth*").total
            assert scene.title.startswith("The lighthouse of ")
            assert "18 entries" in scene.lines[0]
            assert scene.lines[-2].endswith("beginning with lighth · by relevance")
            assert scene.main.criteria.query() == "lighth"
            assert scene.main.shown.query() == "lighth*"
            assert sum(bucket.count for bucket in scene.main.timeline._buckets) == 18
            await scene.press(*["down"] * 17)
            assert scene.main.results.hit is not None
            await scene.press(*"ouse")
            assert scene.main.results.count == 18
            assert "beginning" not in scene.text
            await scene.press("ctrl+u", *"storm AND lig")
            assert scene.main.results.count == 0
            await scene.press("ctrl+u", *"ferry AND aqa")
            assert scene.main.results.count == index.search("ferry AND aqa*").total == 3
            await scene.press("enter")
            assert "beginning with aqa · by relevance" in scene.text
            await scene.press("slash", "ctrl+s", *"half", "enter")
            assert index.forget("half").text == "ferry AND aqa"

    @pytest.mark.parametrize(
        "text",
        ["lighth ", '"lighth', "title:lighth", "ferry AND NOT lighth -ferry", "l", "lighth~0"],
    )
    @played
    async def test_but_no_whole_word_and_nothing_else(self, index: Index, text: str) -> None:
        async with stage(index) as scene:
            await scene.press(f"={text}")
            assert scene.main.shown.text == text
            assert scene.main.results.count == 0
            assert "beginning" not in scene.text

    @played
    async def test_nor_a_word_that_was_not_typed_here_or_that_goes_on(self, index: Index) -> None:
        async with stage(index) as scene:
            await scene.press("=ighth", "home", "l")
            assert scene.query == "lighth"
            assert scene.main.results.count == 0
        app = SearchfeedApp(index, "lighth", now=lambda: NOW)
        async with app.run_test() as pilot:
            while app.main.results.count or not app.main.settled or not app.main.shown.text:
                await pilot.pause(0.005)
            assert app.main.shown.query() == "lighth"
        app.main.close()

    @played
    async def test_an_error_is_a_line_and_a_bug_is_called_one(
        self, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with stage(index) as scene:

            def broken(*_: object, **__: object) -> None:
                raise ZeroDivisionError("[bold]by zero")

            monkeypatch.setattr(index, "search", broken)
            await scene.press("=zebra")
            assert "this is a bug in searchfeed: ZeroDivisionError: [bold]by zero" in scene.text


class TestCompletion:
    @played
    @pytest.mark.parametrize("key", ["tab", "right"])
    async def test_a_key_takes_it(self, index: Index, key: str) -> None:
        async with stage(index) as scene:
            await scene.press("=ligh")
            assert "lighthouse" in scene.lines[1]
            await scene.press(key)
            assert scene.query == "lighthouse"
            assert scene.focused == "query"

    @played
    async def test_fields_feeds_and_tags_are_completed(self, index: Index) -> None:
        async with stage(index) as scene:
            await scene.press("=tit", "tab")
            assert scene.query == "title:"
            await scene.press("ctrl+u", "=tag:c", "tab")
            assert scene.query == "tag:city"
            await scene.press("ctrl+u", "=feed:har", "tab")
            assert scene.query == "feed:harbour"

    @played
    async def test_another_one_is_marked_and_taken(self, index: Index) -> None:
        async with stage(index) as scene:
            await scene.press("=h")
            first, second = scene.main.hints._completions[:2]
            await scene.press("shift+tab", "tab")
            assert scene.query == second != first

    @played
    async def test_a_click_takes_it(self, index: Index) -> None:
        async with stage(index) as scene:
            await scene.press("=storm ligh")
            await scene.click("#hints", 4)
            assert scene.query == "storm lighthouse"

    @played
    async def test_it_is_offered_only_to_who_types(self, index: Index) -> None:
        async with stage(index) as scene:
            await scene.press("=ligh", "enter")
            assert "lighthouse " not in scene.lines[1]

    @played
    async def test_without_one_tab_leaves_the_line(self, index: Index) -> None:
        async with stage(index) as scene:
            await scene.press("tab")
            assert scene.focused == "timeline"
            await scene.press("shift+tab")
            assert scene.focused == "query"


class TestHistory:
    @played
    async def test_queries_are_kept_from_run_to_run(self, index: Index, tmp_path: Path) -> None:
        file = tmp_path / "state" / "queries"
        async with stage(index, history=file) as scene:
            await scene.press("=storm", "enter", "slash", "ctrl+u", "=ferry", "enter")
        assert file.read_text() == "storm\nferry\n"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        async with stage(index, history=file) as scene:
            await scene.press("=half")
            seen = []
            for key in ("ctrl+up", "ctrl+up", "ctrl+up", "ctrl+down", "ctrl+down", "ctrl+down"):
                await scene.press(key)
                seen.append(scene.query)
            assert seen == ["ferry", "storm", "storm", "ferry", "half", "half"]

    def test_they_are_bounded_and_each_there_once(self, tmp_path: Path) -> None:
        queries = Queries(tmp_path / "queries")
        for number in range(MOST + 10):
            queries.add(f"query {number}")
        queries.add("query 300")
        queries.add("x" * 2_000)
        queries.add("  ")
        again = list(Queries(tmp_path / "queries"))
        assert len(again) == MOST
        assert again[-2:] == [f"query {MOST + 9}", "query 300"]
        assert again.count("query 300") == 1
        assert [each.name for each in tmp_path.iterdir()] == ["queries"]

    def test_a_file_that_cannot_be_used_costs_nothing_else(self, tmp_path: Path) -> None:
        (tmp_path / "queries").mkdir()
        queries = Queries(tmp_path / "queries")
        queries.add("storm")
        assert queries.earlier("") == "storm"
        (tmp_path / "binary").write_bytes(b"\xff\xfe\n\nferry\n")
        assert Queries(tmp_path / "binary").earlier("") == "ferry"


class TestResults:
    @played
    async def test_keys_move_the_cursor(self, index: Index) -> None:
        async with stage(index) as scene:
            await scene.press("enter")
            assert scene.focused == "results"
            rows = []
            for key in (
                "j",
                "down",
                "k",
                "up",
                "up",
                "G",
                "g",
                "end",
                "home",
                "pagedown",
                "pageup",
            ):
                await scene.press(key)
                rows.append(scene.main.results.cursor)
            assert rows == [1, 2, 1, 0, 0, 89, 0, 89, 0, 6, 0]

    @played
    async def test_arrows_move_it_from_the_search_line(self, index: Index) -> None:
        async with stage(index) as scene:
            await scene.press("down", "down", "up")
            assert (scene.focused, scene.main.results.cursor) == ("query", 1)

    @played
    async def test_the_list_is_read_on_without_end(self, index: Index) -> None:
        async with stage(index) as scene:
            await scene.press("enter", "G")
            assert (
                scene.title
                == index.search("", limit=1, offset=89, sort="-date").hits[0].entry.title
            )
            assert "90 of 90" in scene.text
            for _ in range(14):
                await scene.press("pageup")
            await scene.press("g")
            titles = [hit.entry.title for hit in scene.main.results.hits]
            everything = index.search("", limit=90, sort="-date")
            assert titles == [hit.entry.title for hit in everything]

    @played
    async def test_the_wheel_scrolls_and_reads_on(self, index: Index) -> None:
        async with stage(index) as scene:
            scene.main.results.scroll_to(y=200, animate=False)
            await scene.settle()
            assert 70 in scene.main.results._hits
            assert scene.main.results.cursor == 0

    @played
    async def test_a_click_moves_and_two_read(self, index: Index) -> None:
        async with stage(index) as scene:
            await scene.click("#results", 10, 4)
            assert (scene.focused, scene.main.results.cursor) == ("results", 1)
            await scene.click("#results", 10, 7, times=2)
            assert scene.focused == "reading"
            assert scene.main.reading.entry == scene.main.results.hit.entry  # type: ignore[union-attr]

    @played
    async def test_orders(self, index: Index) -> None:
        async with stage(index, query="storm") as scene:
            await scene.press("enter", "s")
            assert "newest first" in scene.text
            assert scene.main.results.hits[0].entry == index.search("storm", sort="-date")[0].entry
            await scene.press("s", "g")
            assert "oldest first" in scene.text
            assert scene.title == index.search("storm", sort="date")[0].entry.title
            await scene.press("s")
            assert scene.main.criteria.sort is Sort.RELEVANCE


class TestReading:
    @played
    async def test_one_pane_at_a_time_where_there_is_no_room(self, index: Index) -> None:
        async with stage(index, query="storm") as scene:
            await scene.press("enter", "enter")
            assert scene.focused == "reading"
            assert "https://x.example/" in scene.text
            assert not scene.main.results.display
            await scene.press("escape")
            assert scene.focused == "results"
            assert not scene.main.reading.display

    @played
    async def test_both_where_there_is(self, index: Index) -> None:
        async with stage(index, (200, 60), "storm") as scene:
            assert scene.main.reading.entry == scene.main.results.hit.entry  # type: ignore[union-attr]
            await scene.press("enter", "j")
            assert scene.title in scene.text
            assert scene.main.reading.entry == scene.main.results.hit.entry  # type: ignore[union-attr]
            await scene.press("enter")
            assert scene.focused == "reading"
            await scene.press("slash")
            assert scene.focused == "query"

    @played
    async def test_a_related_entry_is_read_in_its_place(self, index: Index) -> None:
        async with stage(index, (200, 60), "storm") as scene:
            other = index.search("ferry").hits[0].entry
            scene.main.reading.post_message(scene.main.reading.Related(other))
            await scene.settle()
            assert scene.main.reading.entry == other
            await scene.press("enter", "enter")
            assert scene.main.entry == scene.main.results.hit.entry  # type: ignore[union-attr]

    @played
    async def test_more_like_it_and_back(self, index: Index) -> None:
        async with stage(index, query="storm") as scene:
            await scene.press("enter", "j", "L")
            assert "more like: The storm of" in scene.text
            assert scene.main.results.count == index.like(scene.main.criteria.like.id).total  # type: ignore[union-attr]
            await scene.press("escape")
            assert "more like" not in scene.text
            assert scene.main.results.count == 18
            await scene.press("L", "slash", "=s")
            assert "more like" not in scene.text


class TestDeeds:
    @played
    async def test_open(self, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
        opened = []

        async def note(link: str) -> str:
            opened.append(link)
            return f"Opened {link}"

        monkeypatch.setattr(deeds, "open_link", note)
        async with stage(index, query="storm") as scene:
            await scene.press("enter", "o")
            await scene.until(lambda: "Opened" in scene.text)
            scene.main.reading.post_message(scene.main.reading.Opened("https://x.example/other"))
            await scene.until(lambda: len(opened) == 2)
            assert opened == [scene.main.results.hit.entry.link, "https://x.example/other"]  # type: ignore[union-attr]

    @played
    async def test_copy(self, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("searchfeed.tui.clipboard.command", lambda _: ())
        async with stage(index, query="storm") as scene:
            await scene.press("enter", "y")
            await scene.until(lambda: "Link copied" in scene.text)
            assert scene.app.clipboard == scene.main.results.hit.entry.link  # type: ignore[union-attr]
            await scene.press("Y")
            await scene.until(lambda: "Markdown copied" in scene.text)
            assert scene.title in scene.app.clipboard.replace("\\", "")

    @played
    async def test_mark_and_export(
        self, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        async with stage(index, query="storm") as scene:
            await scene.press("enter", "e")
            assert "written" not in scene.text
            await scene.press("m", "m")
            assert scene.main.results.cursor == 2
            assert "2 marked" in scene.text
            assert scene.text.count("● ") == 2
            await scene.press("k", "m")
            assert "1 marked" in scene.text
            await scene.press("e")
            assert "1 entry written to searchfeed-2026-08-12.md" in scene.text
        assert "The storm of" in (tmp_path / "searchfeed-2026-08-12.md").read_text()

    @played
    async def test_what_cannot_be_done_has_no_key(self, index: Index) -> None:
        async with stage(index) as scene:
            await scene.press("=qqqqzzzz", "enter")
            for key in ("enter", "o", "y", "Y", "m", "e", "L"):
                await scene.press(key)
            assert scene.focused == "results"
            assert "Read" not in scene.lines[-1]


class TestNarrowing:
    @played
    async def test_facets_by_keys(self, index: Index) -> None:
        async with stage(index, (200, 60), "storm") as scene:
            assert "Harbour News" in scene.text
            await scene.press("enter", "f")
            assert scene.focused == "facets"
            await scene.press("enter")
            assert "feed: Harbour News ×" in scene.text
            assert scene.main.results.count == 6
            await scene.press("down", "space")  # Of feeds, either is enough.
            assert scene.main.results.count == 12
            await scene.press("escape", "escape")
            assert scene.main.results.count == 6
            await scene.press("escape")
            assert scene.main.results.count == 18
            assert "×" not in scene.text

    @played
    async def test_facets_by_their_numbers(self, index: Index) -> None:
        async with stage(index, (200, 60), "storm") as scene:
            assert " 1 Harbour News" in scene.text
            await scene.press("enter", "4")
            assert scene.main.criteria.conditions == (Condition(Facet.TAG, "city", "city"),)
            await scene.press("4", "t", "7")
            assert scene.main.criteria.conditions == (Condition(Facet.LANGUAGE, "fr", "fr"),)
            assert scene.main.results.count == 6
            await scene.press("f", "f", "7")  # Nobody sees the numbers then.
            assert scene.main.results.count == 6

    @played
    async def test_tags_have_to_hold_all(self, index: Index) -> None:
        sea, city = Condition(Facet.TAG, "sea", "sea"), Condition(Facet.TAG, "city", "city")
        async with stage(index, query="storm") as scene:
            scene.main.narrow(scene.main.criteria.toggled(sea))
            await scene.settle()
            assert scene.main.results.count == 9
            scene.main.narrow(scene.main.criteria.toggled(city))
            await scene.settle()
            assert scene.main.results.count == 0

    @played
    async def test_facets_by_clicks_and_chips(self, index: Index) -> None:
        async with stage(index, (200, 60), "storm") as scene:
            row = next(row for row, line in enumerate(scene.lines) if line.startswith(" Languages"))
            top = scene.main.facets.region.y
            await scene.click("#facets", 5, row - top + 2)
            assert scene.main.criteria.conditions == (Condition(Facet.LANGUAGE, "fr", "fr"),)
            assert scene.main.results.count == 6
            await scene.click("#chips", 4)
            assert scene.main.results.count == 18

    @played
    async def test_facets_have_the_screen_where_it_is_small(self, index: Index) -> None:
        async with stage(index, query="storm") as scene:
            await scene.press("enter", "f")
            assert not scene.main.results.display or not scene.main.query_one("#main").display
            await scene.press("escape")
            assert scene.focused == "results"
            assert scene.main.query_one("#main").display
            await scene.press("f", "f")
            assert scene.focused == "results"

    @played
    async def test_the_timeline_by_keys(self, index: Index) -> None:
        async with stage(index) as scene:
            bars = len(scene.main.timeline.columns)
            await scene.press("enter", "t", "left", "left", "H")
            assert list(scene.main.timeline.chosen) == [bars - 4, bars - 3]
            assert "2026-05 to 2026-06: " in scene.text
            await scene.press("enter")
            condition = scene.main.criteria.conditions[0]
            assert (condition.name, condition.value) == ("date", "2026-05..2026-06")
            assert scene.main.results.count == index.search("date:2026-05..2026-06").total
            assert scene.focused == "results"
            await scene.press("t", "right", "h", "l", "L", "space")
            assert len(scene.main.criteria.conditions) == 1

    @played
    async def test_the_timeline_by_the_mouse(self, index: Index) -> None:
        async with stage(index, (100, 40)) as scene:
            line = scene.main.timeline
            start = line._label_width + 1
            await scene.pilot.mouse_down("#timeline", offset=(start + line._cell, 1))
            await scene.pilot.hover("#timeline", offset=(start + 3 * line._cell, 1))
            await scene.pilot.mouse_up("#timeline", offset=(start + 3 * line._cell, 1))
            await scene.settle()
            assert scene.main.criteria.conditions[0].value == "2026-01..2026-03"

    def test_conditions_and_words_as_a_query(self) -> None:
        criteria = Criteria('storm OR "ferry')
        for condition in (
            Condition(Facet.YEAR, "2025", "2025"),
            Condition(Facet.FEED, 'http://x/"a b"', "x"),
            Condition(Facet.TAG, "sea", "sea"),
            Condition(Facet.TAG, "two words", "two words"),
            Condition(Facet.YEAR, "2026", "2026"),
        ):
            criteria = criteria.toggled(condition)
        query = criteria.query()
        assert query == (
            'feed:"http://x/a b" tag:sea tag:"two words" date:(2025 OR 2026) (storm OR "ferry'
        )
        assert query[criteria.shift :] == criteria.text
        assert "date" not in criteria.query(without=Facet.YEAR)
        assert Criteria("storm").query() == "storm"
        assert Criteria("storm").shift == 0
        assert replace(criteria, text="a").query().endswith(" (a)")
        assert replace(criteria, text=" ").query().endswith(")")


class TestUpdating:
    @played
    async def test_feeds_are_fetched_while_one_searches(self, tmp_path: Path, web: Web) -> None:
        one = entry("1", "Old ferry", "It leaves.", NOW)
        web.publish("/feed", rss("Harbour", one).encode())
        with Index(tmp_path / "index") as index:
            index.subscribe(web.url("/feed"), allow_private=True)
            async with stage(index, allow_private=True) as scene:
                await scene.press("enter", "u")
                assert "nothing new" in scene.text
                two = one + entry("2", "New ferry", "!", NOW)
                web.publish("/feed", rss("Harbour", two).encode())
                await scene.press("u")
                await scene.until(lambda: "1 added" in scene.text)
                assert scene.main.results.count == 2

    @played
    async def test_who_has_no_subscriptions_is_told(self, index: Index) -> None:
        async with stage(index) as scene:
            await scene.press("enter", "u")
            assert "no feeds are subscribed to; press a to add one" in scene.text


class TestFirstRun:
    @played
    async def test_it_greets_and_takes_the_sample(self, tmp_path: Path) -> None:
        with Index(tmp_path / "index") as index:
            async with stage(index) as scene:
                assert "Nothing is here yet." in scene.text
                assert "searchfeed index https://example.org/feed.xml" in scene.text
                assert scene.focused == "source"
                await scene.press("escape")
                assert scene.main.greeted
                await scene.press("enter")
                await scene.until(lambda: scene.main.results.count == 7)
                assert "the sample: 7 added" in scene.text
                assert scene.focused == "query"

    @played
    async def test_it_takes_what_is_typed(self, tmp_path: Path) -> None:
        (tmp_path / "feeds").mkdir()
        (tmp_path / "feeds" / "a.xml").write_text(rss("Harbour", entry("1", "Ferry", "!", NOW)))
        with Index(tmp_path / "index") as index:
            async with stage(index) as scene:
                await scene.press("=/nowhere", "enter")
                await scene.until(lambda: "there is no such file or folder" in scene.text)
                assert scene.main.greeted
                scene.main.welcome.query_one("#source", Input).value = str(tmp_path / "feeds")
                await scene.press("enter")
                await scene.until(lambda: scene.main.results.count == 1)

    @played
    async def test_more_can_be_added_later(self, tmp_path: Path) -> None:
        (tmp_path / "a.xml").write_text(rss("Harbour", entry("1", "Ferry", "!", NOW)))
        (tmp_path / "b.xml").write_text(rss("Coast", entry("1", "Coast", "!", NOW)))
        with Index(tmp_path / "index") as index:
            index.update(tmp_path / "a.xml")
            async with stage(index) as scene:
                await scene.press("enter", "a")
                assert "where more feeds are" in scene.text
                await scene.press("escape")
                assert (scene.main.greeted, scene.focused) == (False, "query")
                await scene.press("enter", "a")
                scene.main.welcome.query_one("#source", Input).value = str(tmp_path / "b.xml")
                await scene.press("enter")
                await scene.until(lambda: scene.main.results.count == 2)


class TestKeys:
    @played
    async def test_none_overtakes_another(self, index: Index) -> None:
        async with stage(index) as scene:
            for key in ("s", "t", "o", "tab", "enter", "j", "j", "k", "s"):
                scene.app.post_message(events.Key(key, key if len(key) == 1 else None))
            await scene.settle()
            assert scene.focused == "results"
            assert scene.main.criteria.sort is Sort.NEWEST

    @played
    async def test_help_lists_what_works_here(self, index: Index) -> None:
        async with stage(index, (100, 60), query="storm") as scene:
            await scene.press("f1")
            assert len(scene.app.screen_stack) == 2
            assert "In the search line" in scene.text
            assert "Later query" in scene.text
            assert "More like this" not in scene.text.split("Words")[0].split("Anywhere")[0]
            await scene.press("escape", "enter", "question_mark")
            assert "In the search line" not in scene.text
            assert "L                    More like this" in scene.text
            assert "Export what is marked" not in scene.text
            await scene.press("down", "pagedown", "up", "pageup", "q")
            assert len(scene.app.screen_stack) < 2
            await scene.press("m", "question_mark")
            assert "Export what is marked" in scene.text

    @played
    async def test_keys_can_be_changed(self, index: Index) -> None:
        async with stage(index, (100, 60), keymap={"sort": "z", "down": "n,down"}) as scene:
            await scene.press("enter", "s")
            assert "newest first" in scene.text
            await scene.press("z", "n")
            assert scene.main.criteria.sort is Sort.NEWEST
            assert scene.main.results.cursor == 1
            await scene.press("question_mark")
            assert "z                    Sort" in scene.text

    @played
    async def test_numbers_can_be_changed_too(self, index: Index) -> None:
        keymap = {"facet-4": "f8", "link-1": "f9"}
        async with stage(index, (200, 60), "storm", keymap=keymap) as scene:
            await scene.press("enter", "4")
            assert scene.main.results.count == 18
            await scene.press("f8")
            assert scene.main.results.count == 9
            await scene.press("enter", "1")
            assert not scene.main.reading._chosen
            await scene.press("f9")
            assert scene.main.reading._chosen

    def test_every_key_has_an_id_of_its_own(self) -> None:
        from searchfeed.tui.app import SearchfeedApp
        from searchfeed.tui.keys import SCREEN

        ids = [binding.id for binding in (*SCREEN, *SearchfeedApp.BINDINGS)]  # type: ignore[union-attr]
        assert None not in ids
        assert len(set(ids)) == len(ids)

    @played
    async def test_the_palette_does_the_same(self, index: Index) -> None:
        async with stage(index, query="storm") as scene:
            await scene.pilot.press("ctrl+p")
            await scene.press("=timeline")
            await scene.until(lambda: "Timeline" in scene.text)
            await scene.press("enter")
            await scene.until(lambda: scene.focused == "timeline")
            await scene.press("ctrl+p", "=theme: light")
            await scene.until(lambda: "Theme: light" in scene.text)
            await scene.press("enter")
            await scene.until(lambda: scene.app.theme == "searchfeed-light")

    @played
    async def test_the_line_of_keys_can_be_clicked(self, index: Index) -> None:
        async with stage(index, query="storm") as scene:
            await scene.press("enter")
            await scene.click("#keys", scene.lines[-1].index("Sort"))
            assert scene.main.criteria.sort is Sort.NEWEST

    @played
    @pytest.mark.parametrize("keys", [("enter", "q"), ("ctrl+q",), ("ctrl+c",)])
    async def test_quit(self, index: Index, keys: tuple[str, ...]) -> None:
        async with stage(index) as scene:
            await scene.pilot.press(*keys)
            await scene.pilot.pause()
            assert not scene.app.is_running


class TestResizing:
    @played
    async def test_the_screen_is_used_as_it_is(self, index: Index) -> None:
        async with stage(index, query="storm") as scene:
            await scene.press("enter", "j")
            shown: dict[tuple[int, int], tuple[bool, ...]] = {}
            for size in ((200, 60), (100, 40), (80, 24), (40, 10), (10, 3), (80, 30), (79, 60)):
                await scene.pilot.resize_terminal(*size)
                await scene.settle()
                parts = (scene.main.results, scene.main.reading, scene.main.facets)
                shown[size] = tuple(part.display for part in parts)
                assert scene.main.results.cursor == 1
                assert scene.focused == "results"
                assert all(len(line) <= size[0] for line in scene.lines)
            assert shown == {
                (200, 60): (True, True, True),
                (100, 40): (True, True, False),
                (80, 24): (True, False, False),
                (40, 10): (True, False, False),
                (10, 3): (True, False, False),
                (80, 30): (True, True, False),
                (79, 60): (True, False, False),
            }

    @played
    async def test_what_is_read_stays_so(self, index: Index) -> None:
        async with stage(index, query="storm") as scene:
            await scene.press("enter", "enter")
            await scene.pilot.resize_terminal(200, 60)
            await scene.settle()
            assert "1 of 18" in scene.text
            assert "The storm of Cork" in scene.text
            await scene.pilot.resize_terminal(40, 10)
            await scene.settle()
            assert scene.main.results.display is False
            assert scene.focused == "reading"
