"""What the app sends to the terminal: at once what follows a letter, and nothing that is wrong."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver
from textual.events import Key, Paste
from textual.message import Message

from benchmarks.terminal import Screen as Sent
from searchfeed import Index
from searchfeed.tui import pagemaker, searcher
from searchfeed.tui import screen as screens
from searchfeed.tui.painting import Lines, whole
from tests.stage import fill, played, stage

Updates = list[CompositorUpdate]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with fill(tmp_path_factory.mktemp("painting")) as index:
        yield index


@pytest.fixture
def updates(monkeypatch: pytest.MonkeyPatch) -> Updates:
    """All paints."""
    seen: Updates = []

    def display(self: App[None], screen: object, update: object) -> None:
        if isinstance(update, CompositorUpdate) and not self._batch_count:
            seen.append(update)

    monkeypatch.setattr(App, "_display", display)
    monkeypatch.setattr(pagemaker, "REST", 0.0)
    monkeypatch.setattr(searcher, "REST", 0.0)
    monkeypatch.setattr(screens, "_TYPED_PREVIEW", 0.001)
    return seen


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (100, 40), (200, 60)])
@played
async def test_the_terminal_shows_what_is_on_the_screen(
    index: Index, size: tuple[int, int], updates: Updates
) -> None:
    terminal = Sent(*size)
    keys = [*"storm date:x", "ctrl+w", *"of", "enter", *"jjmGg", "slash", *" zzz", "ctrl+u"]
    keys += [
        *"=漢字 ",
        "ctrl+u",
        "s",
        "t",
        "enter",
        "f",
        "1",
        "escape",
        "f1",
        "escape",
        "question_mark",
    ]
    async with stage(index, size) as scene:
        for key in ["down", *keys]:
            await scene.press(key)
            for update in updates:
                for _ in terminal.feed(update.render_segments(scene.app.console)):
                    pass
            updates.clear()
            shown = [line.rstrip() for line in terminal.lines]
            assert shown == [line.rstrip() for line in scene.lines], key


@pytest.mark.parametrize(
    ("row", "count", "painted"),
    [(0, 70_000, False), (0, 40, True), (35, 70_000, True), (35, 89_999, True)],
)
@played
async def test_a_scroll_bar_is_painted_unless_its_thumb_stays_at_the_top(
    index: Index, row: int, count: int, painted: bool, updates: Updates
) -> None:
    terminal = Sent(80, 24)
    async with stage(index) as scene:
        results = scene.main.results
        results.count = 90_000
        results.cursor = row
        results.resize_rows()
        await scene.settle()
        updates.clear()
        results.count = count
        results.resize_rows()
        scene.main.paint(results)
        await scene.settle()
        for update in updates:
            [*terminal.feed(update.render_segments(scene.app.console))]
        rows = {y for y, _, end in terminal.written if end == 80}
        assert bool(rows & set(results.region.line_range)) is painted
        assert results.vertical_scrollbar.window_virtual_size == 3 * count


@played
async def test_a_letter_and_what_it_finds_are_painted_at_once(
    index: Index, updates: Updates
) -> None:
    async with stage(index) as scene:
        for letter in "ferry":
            updates.clear()
            await scene.press(letter)
            echo, found = updates[0], updates[1]
            assert isinstance(echo, Lines)
            assert isinstance(found, Lines)
            assert [y for _, y, _ in echo.lines] == [0]
            assert scene.query in echo.lines[0][2].text
            places = {y for _, y, _ in found.lines}
            assert {0, *range(3, 22)} <= places


@played
async def test_a_paint_is_written_in_one_piece() -> None:
    written: list[str] = []

    class Plain(HeadlessDriver):
        def write(self, data: str) -> None:
            written.append(data)

    driver = whole(Plain, list)(App())
    for data in ("title", SYNC_START, "a", "b", SYNC_END, "c", SYNC_START, SYNC_END):
        driver.write(data)
    paint = f"{SYNC_START}ab{SYNC_END}"
    assert written == ["title", paint, "c", f"{SYNC_START}{SYNC_END}"]


@played
async def test_that_a_key_was_pressed_is_told_before_anything_is_done_about_it() -> None:
    done: list[str] = []

    class Plain(HeadlessDriver):
        def process_message(self, message: Message) -> None:
            done.append(type(message).__name__)

    driver = whole(Plain, lambda: done.append("pressed"))(App())
    for message in (Key("a", "a"), Paste("b"), Key("escape", None)):
        driver.process_message(message)
    assert done == ["pressed", "Key", "Paste", "pressed", "Key"]
