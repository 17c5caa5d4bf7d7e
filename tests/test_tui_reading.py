"""The reading pane: what it shows, its keys, and what a hostile entry can do (nothing)."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.selection import Selection
from textual.widgets import Input

from searchfeed import Index
from searchfeed.models import Enclosure, Entry, Results
from searchfeed.output import Screen
from searchfeed.output.clean import UNSAFE, clean
from searchfeed.stopping import Stopped, pause
from searchfeed.tui import clipboard, opening, pagemaker, sections
from searchfeed.tui.marks import Marks, free_name
from searchfeed.tui.pagemaker import RELATED, PageMaker
from searchfeed.tui.reading import MEASURE, Reading
from searchfeed.tui.themes import CONTRAST, DARK, DEFAULTS, LIGHT, THEMES
from searchfeed.tui.typesetting import Sheet, chunks, lay_out
from tests.program import wait_until

ITEM = """<item><title>{title}</title><guid isPermaLink="false">{guid}</guid>
<link>https://x.example/{guid}</link><author>a@x.example (Ana Lis)</author>
<category>sea</category><category>ports</category><description>{body}</description>
<pubDate>Wed, 12 Aug 2020 12:05:00 GMT</pubDate></item>"""


def rss(*entries: tuple[str, str, str]) -> str:
    items = "".join(ITEM.format(guid=guid, title=title, body=body) for guid, title, body in entries)
    return (
        '<?xml version="1.0"?><rss version="2.0"><channel><title>Harbour News</title>'
        f"<link>https://x.example/</link><language>en</language>{items}</channel></rss>"
    )


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder: Path = tmp_path_factory.mktemp("reading")
    feed = folder / "feed.xml"
    others = [
        (f"other-{at}", f"Ferry to port {at}", f"The ferry to Aqaba left port {at} late.")
        for at in range(4)
    ]
    others.append(("sun", "Sunshine", "It was warm."))
    with Index(folder / "index") as opened:
        feed.write_text(rss(("1", "Ferry late", "The ferry to Aqaba was late."), *others))
        opened.update(feed)
        feed.write_text(rss(("1", "Ferry late", "The ferry to Aqaba is very late."), *others))
        opened.update(feed)
        yield opened


@pytest.fixture(autouse=True)
def nobody_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagemaker, "REST", 0.0)


@pytest.fixture
def entry(index: Index) -> Entry:
    return index.get(index.search("title:late").hits[0].entry.id)


class Host(App[None]):
    def __init__(self, index: Index, theme: str = DARK) -> None:
        super().__init__()
        self.index = index
        self.told: list[object] = []
        for each in THEMES:
            self.register_theme(each)
        self.theme = theme
        self.animation_level = "none"

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return DEFAULTS

    def compose(self) -> ComposeResult:
        yield Reading(self.index, id="reading")
        yield Input(id="elsewhere")

    def on_reading_related(self, message: Reading.Related) -> None:
        self.told.append(message.entry)

    def on_reading_opened(self, message: Reading.Opened) -> None:
        self.told.append(message.url)


class Scene:
    """The pane on a screen, and what a user sees of it and does."""

    def __init__(self, app: Host, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot
        self.reading = app.query_one(Reading)

    async def show(self, entry: Entry, query: str = "") -> None:
        self.reading.focus()
        self.reading.show(entry, query)
        await self.settle()

    async def settle(self) -> None:
        await self.until(lambda: self.reading.settled)

    async def until(self, reached: Callable[[], bool]) -> None:
        for _ in range(1000):
            await self.pilot.pause(0.01)
            if reached():
                break
        else:
            raise AssertionError("it takes too long")
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    @property
    def rows(self) -> list[str]:
        lines = [self.reading.render_line(y) for y in range(self.reading.size.height)]
        return [line.text.rstrip() for line in lines]

    @property
    def text(self) -> str:
        return "\n".join(self.rows)

    def styled(self, color: str) -> list[str]:
        """The pieces of text that stand on a colour, or are written in it."""
        wanted = color.casefold()
        return [
            segment.text
            for y in range(self.reading.size.height - 1)
            for segment in self.reading.render_line(y)
            if segment.style
            and wanted in (_name(segment.style.color), _name(segment.style.bgcolor))
        ]


def _name(color: Any) -> str:
    return "" if color is None else color.name.casefold()


@pytest.fixture
def scene(index: Index) -> Callable[..., Any]:
    @asynccontextmanager
    async def opened(size: tuple[int, int] = (80, 24), theme: str = DARK) -> AsyncIterator[Scene]:
        app = Host(index, theme)
        async with app.run_test(size=size) as pilot:
            yield Scene(app, pilot)

    return opened


def run(steps: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(steps(), 60)

    asyncio.run(bounded())


MATCH = "#ffc66d"


def test_it_shows_what_is_known_of_an_entry(scene: Callable[..., Any], entry: Entry) -> None:
    file = Enclosure("https://x.example/a.mp3", "audio/mpeg", 12_000_000)
    full = replace(
        entry, enclosures=(file,), body=f"{entry.body}\n\nSee https://y.example/b, or not."
    )

    async def steps() -> None:
        async with scene((100, 40)) as seen:
            await seen.show(full, "ferry")
            text = seen.text
            assert " Ferry late\n Harbour News · by Ana Lis\n" in text
            assert re.search(
                r"12 Aug 2020 \d\d:\d\d \w+ \(\d+ years ago\) · in en · sea, ports", text
            )
            assert "https://x.example/1\n" in text
            assert "Files\n 1. https://x.example/a.mp3  audio/mpeg, 12 MB\n" in text
            assert "Links\n 2. https://y.example/b\n" in text
            assert "More like this\n 3. Ferry to port" in text
            assert "edited once; h shows how" in seen.rows[-1]
            assert "2 matches" in seen.rows[-1]
            assert seen.styled(MATCH) == ["Ferry", "ferry"]

    run(steps)


def test_the_reader_goes_from_match_to_match(scene: Callable[..., Any], entry: Entry) -> None:
    body = "\n\n".join(
        f"Paragraph {at}. {'The ferry.' if at % 40 == 0 else 'Sea.'}" for at in range(120)
    )

    async def steps() -> None:
        async with scene() as seen:
            await seen.show(replace(entry, body=body), "ferry")
            assert seen.reading.match == (0, 4)
            await seen.press("n")
            assert seen.reading.match == (1, 4)
            assert seen.reading.scroll_offset.y == 0
            await seen.press("n", "n")
            assert "Paragraph 40. The ferry." in seen.text
            assert "3/4" in seen.rows[-1]
            assert seen.styled(MATCH) == ["ferry"]
            await seen.press("n", "n")
            assert seen.reading.match == (1, 4)
            assert "Ferry late" in seen.text
            await seen.press("N")
            assert seen.reading.match == (4, 4)
            assert "Paragraph 80." in seen.text

    run(steps)


def test_keys_scroll(scene: Callable[..., Any], entry: Entry) -> None:
    body = "\n".join(f"Line {at}" for at in range(200))

    async def steps() -> None:
        async with scene() as seen:
            await seen.show(replace(entry, body=body))
            tops = []
            for key in ("j", "down", "k", "space", "b", "pagedown", "G", "g", "end", "home"):
                await seen.press(key)
                tops.append(int(seen.reading.scroll_offset.y))
            bottom = seen.reading.max_scroll_y
            page = seen.reading.size.height
            assert tops == [1, 2, 1, 1 + page, 1, 1 + page, bottom, 0, bottom, 0]
            assert bottom > 150
            await seen.press("G")
            assert "More like this" in seen.text
            assert "100 %" in seen.rows[-1]

    run(steps)


def test_links_are_chosen_with_keys_and_clicks(scene: Callable[..., Any], entry: Entry) -> None:
    full = replace(entry, body="At https://y.example/b and (https://z.example/c).")

    async def steps() -> None:
        async with scene((100, 40)) as seen:
            await seen.show(full)
            await seen.press("enter", "tab", "enter", "tab", "enter")
            assert seen.app.told == ["https://x.example/1", "https://y.example/b"]
            await seen.press("shift+tab", "enter", "2", "enter", "9", "enter")
            assert seen.app.told[2:] == ["https://x.example/1", *["https://z.example/c"] * 2]
            seen.app.told.clear()
            await seen.press("3", "enter")
            assert [each.title[:13] for each in seen.app.told] == ["Ferry to port"]
            seen.app.told.clear()
            row = next(y for y, line in enumerate(seen.rows) if line.startswith(" At https"))
            for x in (2, 4, 22, 30, 50, 60):
                await seen.pilot.click(Reading, offset=(x, row))
            assert seen.app.told == [
                "https://y.example/b",
                "https://y.example/b",
                "https://z.example/c",
            ]
            for _ in range(20):
                await seen.press("tab")
                if not seen.reading.has_focus:
                    break
            assert seen.app.focused is seen.app.query_one(Input)

    run(steps)


def test_the_history_stands_in_the_place_of_the_text(
    scene: Callable[..., Any], entry: Entry
) -> None:
    async def steps() -> None:
        async with scene() as seen:
            await seen.show(entry, "ferry")
            await seen.press("h")
            await seen.until(lambda: "Version 2 of 2, first seen" in seen.text)
            assert "The ferry to Aqaba was is very late." in seen.text
            assert "Version 1 of 2, first seen" in seen.text
            struck = [
                segment.text
                for y in range(20)
                for segment in seen.reading.render_line(y)
                if segment.style and segment.style.strike
            ]
            assert struck == ["was"]
            assert "h shows the text" in seen.rows[-1]
            await seen.pilot.resize_terminal(40, 20)
            await seen.until(lambda: "Version 1 of 2" in seen.text)
            assert seen.text.count("Version 2 of 2") == 1
            await seen.press("h")
            assert "The ferry to Aqaba is very" in seen.text
            await seen.press("h", "n")
            assert "The ferry to Aqaba is very" in seen.text
            await seen.press("h")
            await seen.show(replace(entry, body="Another text."))
            assert "Another text." in seen.text

    run(steps)


def test_the_newest_wish_wins(scene: Callable[..., Any], index: Index, entry: Entry) -> None:
    others = [hit.entry for hit in index.search("port").hits]
    long = replace(entry, body="ferry " * 100_000)

    async def steps() -> None:
        async with scene() as seen:
            for each in (long, *others, long, others[0]):
                seen.reading.show(each, "port")
            assert seen.reading.entry == others[0]
            await seen.settle()
            assert others[0].title in seen.text
            assert seen.reading.match == (2, 2) or seen.reading.match[1] == 2
            seen.reading.show(long, "ferry")
            seen.reading.clear()
            await seen.settle()
            assert seen.text.strip() == ""
            assert seen.reading.match == (0, 0)
            await seen.press("n", "N", "h", "enter", "1", "j", "G")

    run(steps)


def test_a_long_text_is_whole_and_comes_in_pieces(scene: Callable[..., Any], entry: Entry) -> None:
    body = "\n\n".join(
        f"Paragraph {at} of the ferry. " + "Sea and port. " * 30 for at in range(900)
    )
    assert len(body) > 400_000

    async def steps() -> None:
        async with scene() as seen:
            seen.reading.show(replace(entry, body=body), "ferry")
            await seen.until(lambda: "Paragraph 0 of" in seen.text)
            await seen.settle()
            assert seen.reading.match == (0, 901)
            await seen.press("N")
            assert "Paragraph 899 of the ferry." in seen.text
            assert "901/901" in seen.rows[-1]

    run(steps)


def test_the_reader_stays_in_place_when_the_width_changes(
    scene: Callable[..., Any], entry: Entry
) -> None:
    body = "\n\n".join(f"Paragraph {at}. " + "Sea and port and land. " * 12 for at in range(90))

    async def steps() -> None:
        async with scene((120, 30)) as seen:
            await seen.show(replace(entry, body=body))
            seen.reading.scroll_to(y=152, animate=False, immediate=True)
            await seen.pilot.pause()
            top = next(line for line in seen.rows if "Paragraph" in line)[:14]
            for width in (60, 120):
                await seen.pilot.resize_terminal(width, 30)
                await seen.settle()
                assert any(line.startswith(top) for line in seen.rows[:8]), (top, seen.rows)
            assert max(map(len, seen.rows)) <= MEASURE + 2

    run(steps)


@pytest.mark.parametrize("query", ["date:2020-13-99", "ferry"])
def test_an_entry_that_is_gone_or_a_wrong_query_is_shown_all_the_same(
    scene: Callable[..., Any], entry: Entry, query: str
) -> None:
    async def steps() -> None:
        async with scene() as seen:
            await seen.show(replace(entry, id="f" * 16, body=""), query)
            assert "Ferry late" in seen.text
            assert "(this entry has no text)" in seen.text

    run(steps)


HOSTILE = {
    "escapes": "a\x1b[31mred\x1b]8;;http://x\x07link\x1b]52;c;aGk=\x07 \x9b31m \x90x\x9c \x00\x08",
    "markup": "[@click=app.bell]bell[/] [b]bold[/b] [/x] [link=http://x]y[/link] $(id) {self}",
    "bidi": "abc\u202edcba\u2066x\u2069 \u200b\u00ad\ufeff שלום עולם مرحبا",
    "marks": "Z" + "\u0301" * 500 + "algo e\u0301e\u0301",
    "wide": "東京で地震がありました。" * 30 + "👩‍👩‍👧" * 50 + "🇩🇪" * 40,
    "long": "x" * 5_000 + " " + "é" * 3_000,
    "surrogates": "a\ud800b\U000e0041c",
    "newlines": "\n\n\n" + "\r\n" * 20 + "a\u2028b\vc\x85d",
    "spaces": " " * 4_000 + "x",
    "list": "* " * 300 + "\n" + "> " * 300 + "\n123456789. x",
}
FORBIDDEN = re.compile(f"[{UNSAFE}\n]")


@pytest.mark.parametrize(("size", "theme"), [((80, 24), LIGHT), ((30, 10), CONTRAST)])
def test_hostile_entries_are_shown_unharmed(
    scene: Callable[..., Any], entry: Entry, size: tuple[int, int], theme: str
) -> None:
    async def steps() -> None:
        async with scene(size, theme) as seen:
            for name, text in HOSTILE.items():
                hostile = replace(
                    entry,
                    title=text,
                    body=text,
                    feed_title=text,
                    authors=(text,),
                    tags=(text,) * 50,
                    language=text,
                    link=f"https://x.example/{text}",
                    enclosures=(
                        Enclosure("javascript:alert(1)", text),
                        Enclosure("https://x.example/é", text, 3),
                    ),
                )
                await seen.show(hostile, "red bold algo")
                for place in (0, 5, 40, 10**6):
                    seen.reading.scroll_to(y=place, animate=False, immediate=True)
                    await seen.pilot.pause()
                    for y in range(seen.reading.size.height):
                        line = seen.reading.render_line(y)
                        assert not FORBIDDEN.search(line.text), (name, line.text)
                        assert line.cell_length == seen.reading.size.width
                        assert cell_len(line.text) == seen.reading.size.width, (name, line.text)
                await seen.press("tab", "enter", "n", "h")
            assert all(str(each).startswith("http") for each in seen.app.told), seen.app.told

    run(steps)


def test_text_can_be_selected(scene: Callable[..., Any], entry: Entry) -> None:
    async def steps() -> None:
        async with scene() as seen:
            await seen.show(entry)
            row = next(y for y, line in enumerate(seen.rows) if "Aqaba is" in line)
            selection = Selection(Offset(5, row), Offset(10, row))
            assert seen.reading.get_selection(selection) == ("ferry", "\n")
            seen.app.screen.selections = {seen.reading: selection}
            await seen.pilot.pause()
            assert " The ferry to Aqaba is very late." in seen.rows
            assert "ferry" in [segment.text for segment in seen.reading.render_line(row)]

    run(steps)


PIECES = ("word ", "* ", "12. ", "\n", "\n\n", "東京で", "e\u0301", "x" * 30, "👩‍👩‍👧", "क्षि", "> ")


@settings(max_examples=200, deadline=None)
@given(text=st.lists(st.sampled_from(PIECES), max_size=60).map("".join), width=st.integers(4, 40))
def test_rows_hold_all_of_a_text_and_keep_their_width(text: str, width: int) -> None:
    rows = list(lay_out(text, width))
    for row in rows:
        assert row.indent + cell_len(text[row.start : row.end]) <= width
    shown = "".join(text[row.start : row.end] for row in rows)
    assert re.sub(r"\s", "", shown) == re.sub(r"\s", "", text)
    starts = [row.start for row in rows]
    assert starts == sorted(starts)
    sheet = Sheet(text)
    assert "".join(piece.text for row in rows for piece in sheet.pieces(row)) == shown


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab \n"), st.integers(1, 9_000)), max_size=20))
@example([("a", 4_961), ("\n", 9_000), ("a", 27_000)])
def test_pieces_of_a_long_text_are_short_and_lose_nothing(runs: list[tuple[str, int]]) -> None:
    text = "".join(character * count for character, count in runs)
    pieces = list(chunks(text))
    assert max(map(len, pieces)) <= 32_768
    assert len(pieces[0]) <= 8_192
    # In a run of newlines it cannot be told from a piece alone which one was cut out before it.
    positions = {0} if text.startswith(pieces[0]) else set()
    for before, piece in pairwise(pieces):
        ends = {position + len(before) for position in positions}
        begins = ends | {end + 1 for end in ends if text[end : end + 1] == "\n"}
        positions = {begin for begin in begins if text.startswith(piece, begin)}
        assert positions
    assert len(text) in {position + len(pieces[-1]) for position in positions}


def test_dates_far_away_have_an_age_too(entry: Entry) -> None:
    screen = Screen(now=datetime(2020, 11, 1, tzinfo=UTC), zone=UTC)
    for date, age in [
        (datetime(2020, 10, 31, 23, tzinfo=UTC), "1 hour ago"),
        (datetime(2020, 10, 1, tzinfo=UTC), "31 days ago"),
        (datetime(2020, 1, 1, tzinfo=UTC), "10 months ago"),
        (datetime(2011, 1, 1, tzinfo=UTC), "9 years ago"),
        (datetime(2020, 11, 4, tzinfo=UTC), "in 3 days"),
        (None, "no date"),
    ]:
        assert age in sections.head(replace(entry, published=date, updated=None), (), screen).text


def executable(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_what_is_related_is_looked_for_anew_once_nothing_else_is_asked_for(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pagemaker, "REST", 0.01)
    begun: list[str] = []
    ended: list[str] = []
    told: list[Any] = []

    class Slow(Index):
        def like(self, id: str, **named: Any) -> Results:
            begun.append(id)
            if len(begun) == 1:
                try:
                    while True:
                        pause()
                except Stopped:
                    ended.append(id)
                    raise
            return super().like(id, **named)

    with Slow(index.path) as slow:
        maker = PageMaker(slow, told.append, lambda: datetime.now(UTC))
        entry = slow.search("ferry", limit=1).hits[0].entry
        maker.learn(entry)
        wait_until(lambda: bool(begun))
        maker.disturb()
        wait_until(lambda: not maker.busy)
        found = [message for message in told if isinstance(message, pagemaker.Alike)]
        assert (begun, ended) == ([entry.id] * 2, [entry.id])
        assert [message.hits for message in found] == [slow.like(entry.id, limit=RELATED).hits]
        # Nobody looks at the entry any more.
        begun.clear()
        told.clear()
        maker.learn(entry)
        wait_until(lambda: bool(begun))
        maker.forget()
        wait_until(lambda: not maker.busy)
        assert not any(isinstance(message, pagemaker.Alike) for message in told)
        maker.close()


@pytest.fixture
def xclip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where what sets the clipboard of this computer is looked for."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.defpath}")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return tmp_path / "xclip"


def test_the_clipboard_is_set_in_the_terminal_and_on_this_computer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: Index, xclip: Path
) -> None:
    executable(xclip, f'cat > "{tmp_path}/copied"; echo noise; echo noise >&2')

    async def steps() -> None:
        app = Host(index)
        async with app.run_test():
            text = "https://x.example/$(id) \N{SNOWMAN}"
            assert await clipboard.copy(app, text, "Link") == "Link copied"
            assert app.clipboard == text
            assert (tmp_path / "copied").read_text(encoding="utf-8") == text
            executable(xclip, "exit 1")
            told = await clipboard.copy(app, "b", "Text")
            assert (app.clipboard, told) == ("b", "Text copied, if the terminal allows it")
            executable(xclip, "exec sleep 30")
            monkeypatch.setattr(clipboard, "PATIENCE", 0.1)
            assert (
                await clipboard.copy(app, "c", "Text") == "Text copied, if the terminal allows it"
            )
            told = await clipboard.copy(app, "d" * 100_000, "Text")
            assert told == "Text not copied: 100 kB are too much for the terminal"
            assert app.clipboard == "c"

    run(steps)


def test_what_was_copied_as_the_program_quits_is_in_the_clipboard(
    tmp_path: Path, index: Index, xclip: Path
) -> None:
    executable(xclip, f'sleep 0.3; cat > "{tmp_path}/copied"')

    async def steps() -> None:
        app = Host(index)
        async with app.run_test():
            app.run_worker(clipboard.copy(app, "the link", "Link"))
            await asyncio.sleep(0.1)
        assert not (tmp_path / "copied").exists()

    run(steps)
    assert (tmp_path / "copied").read_text(encoding="utf-8") == "the link"


def test_the_clipboard_of_the_screen_that_there_is_is_used(tmp_path: Path) -> None:
    for name in ("wl-copy", "xsel", "pbcopy"):
        executable(tmp_path / name, "")
    path = {"PATH": str(tmp_path)}
    assert clipboard.command({**path}, "linux") == ()
    assert clipboard.command({**path, "DISPLAY": ":0"}, "linux")[1:] == ("--clipboard", "--input")
    both = {**path, "DISPLAY": ":0", "WAYLAND_DISPLAY": "w"}
    assert clipboard.command(both, "linux") == (str(tmp_path / "wl-copy"),)
    assert clipboard.command(path, "darwin") == (str(tmp_path / "pbcopy"),)


def test_only_web_links_are_opened_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    browser = executable(tmp_path / "browser", f'echo "$1" >> "{tmp_path}/opened"; echo noise >&2')
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "webbrowser.py").write_text("raise SystemExit(3)")

    async def steps() -> None:
        link = "https://x.example/?a=$(id)&b=é"
        assert await opening.open_link(link) == "Opened https://x.example/?a=$(id)&b=%C3%A9"
        for refused in ("javascript:alert(1)", "file:///etc/passwd", "https://x.example/ -e x"):
            assert await opening.open_link(refused) == "Only http and https links are opened"
        assert await opening.open_link("") == "There is no link"
        executable(browser, "exit 1")
        failed = await opening.open_link("http://x.example/", patience=30)
        assert failed.startswith("No browser")
        executable(browser, f'sleep 0.5; echo late >> "{tmp_path}/late"')
        slow = await opening.open_link("http://x.example/", patience=0.1)
        assert slow == "Opened http://x.example/"

    run(steps)
    # A browser outlives the program, which leaves nothing that would complain of it.
    gc.collect()
    wait_until((tmp_path / "late").exists)
    gc.collect()
    assert (tmp_path / "opened").read_text() == "https://x.example/?a=$(id)&b=%C3%A9\n"
    assert capfd.readouterr() == ("", "")


def test_marks_keep_their_order(entry: Entry) -> None:
    marks = Marks()
    entries = [replace(entry, id=f"{at:016x}") for at in range(3)]
    assert [marks.toggle(each) for each in reversed(entries)] == [True] * 3
    assert not marks.toggle(entries[1])
    assert list(marks) == [entries[2].id, entries[0].id]
    assert marks.entries == (entries[2], entries[0])
    assert entries[0].id in marks
    assert entries[1].id not in marks
    marks.clear()
    assert not marks


def test_marks_are_written_to_a_new_file(
    tmp_path: Path, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    marks, screen = Marks(), Screen(zone=UTC)
    with pytest.raises(ValueError, match="nothing is marked"):
        marks.export("a.md", screen)
    marks.toggle(entry)
    marks.toggle(replace(entry, id="f" * 16, title="\x1b[31mRed *bold*\ud800"))
    name = free_name(datetime(2020, 8, 12, tzinfo=UTC))
    assert name == "searchfeed-2020-08-12.md"
    assert re.fullmatch(rf"2 entries written to {name} \(\d+ B\)", marks.export(name, screen))
    text = Path(name).read_text(encoding="utf-8")
    assert [line for line in text.split("\n") if line.startswith("## ")] == [
        "## [Ferry late](https://x.example/1)",
        "## [Red \\*bold\\*](https://x.example/1)",
    ]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(Path(name).stat().st_mode) == 0o666 & ~umask
    assert free_name(datetime(2020, 8, 12, tzinfo=UTC)) == "searchfeed-2020-08-12-2.md"
    with pytest.raises(FileExistsError, match="is there already, and stays as it is"):
        marks.export(name, screen)
    assert Path(name).read_text(encoding="utf-8") == text
    marks.export("~/all.JSONL", screen)
    lines = (tmp_path / "all.JSONL").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == list(marks)
    assert json.loads(lines[0])["body"] == entry.body
    with pytest.raises(ValueError, match=r"has to end in \.md or"):
        marks.export("notes.pdf", screen)
    with pytest.raises(OSError, match="none"):
        marks.export(str(tmp_path / "none" / "a.md"), screen)


def test_what_is_shown_is_clean() -> None:
    assert not FORBIDDEN.search(clean(HOSTILE["escapes"]))
