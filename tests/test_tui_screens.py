"""What the app looks like: whole screens kept as pictures, colours, and entries that mean harm.

The pictures are in tests/screens. To draw them anew after a change that is meant, run these tests
with SEARCHFEED_SCREENS=write, and look at what git shows as changed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.style import Style
from textual.color import Color
from textual.theme import Theme

from docs.drawing import draw
from searchfeed import Index
from searchfeed.output.clean import UNSAFE
from searchfeed.tui import looking, pagemaker, searcher
from searchfeed.tui import screen as screens
from searchfeed.tui.themes import THEMES
from tests.pictures import compare, difference
from tests.stage import NOW, Stage, entry, fill, played, rss, stage

ROOT = Path(__file__).parents[1]
SIZES = ((40, 10), (80, 24), (200, 60))

HOSTILE = (
    "\x1b[2J\x1b]8;;http://evil.example\x07click\x1b]8;;\x07 \x9b31mred\x1b[0m",
    "[@click=app.quit]quit[/] [bold red]loud[/] [/nothing] [link=http://evil.example]x[/link]",
    "\u202eright to left\u202c \u2066isolate\u2069 zero\u200bwidth \u00adsoft",
    "e" + "\u0301" * 40 + " stacked o" + "\u0338" * 30,
    "w" * 3_000,
    "漢字かな交じり文" * 60,
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇫🇷 👍🏽 ⚠️ " * 20,
    "שלום עולם العربية نص",
    "a\nb\tc\rd\x00e\x7f",
    "",
)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with fill(tmp_path_factory.mktemp("screens")) as index:
        index.save("gales", "storm")
        yield index


@pytest.fixture(autouse=True)
def one_moment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing rests, everything takes four milliseconds, and it is always the same time in UTC."""
    monkeypatch.setattr(pagemaker, "REST", 0.0)
    monkeypatch.setattr(searcher, "REST", 0.0)
    monkeypatch.setattr(screens, "_TYPED_PREVIEW", 0.001)
    monkeypatch.setattr(looking, "duration", lambda _: "4 ms")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("theme", ["dark", "light", "contrast"])
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@played
async def test_every_state_looks_as_it_did(
    index: Index, size: tuple[int, int], theme: str, tmp_path: Path
) -> None:
    name = f"{size[0]}x{size[1]}-{theme}"
    async with stage(index, size, theme=theme) as scene:
        await scene.press("=lighthouse tag:sea")
        compare(f"searching-{name}", scene.app)
        await scene.press("enter", "down", "m")
        compare(f"marked-{name}", scene.app)
        await scene.press("enter")
        compare(f"reading-{name}", scene.app)
        await scene.press("escape", "f", "1")
        compare(f"facets-{name}", scene.app)
        await scene.press("slash", "ctrl+s", "=gales", "enter")
        compare(f"saving-{name}", scene.app)
        await scene.press("escape", "= date:never")
        compare(f"mistake-{name}", scene.app)
        await scene.press("f1")
        compare(f"help-{name}", scene.app)
    with Index(tmp_path / "index") as nothing:
        async with stage(nothing, size, theme=theme) as scene:
            compare(f"welcome-{name}", scene.app)


@played
async def test_a_difference_says_what_has_changed(index: Index) -> None:
    pictures = []
    for theme in ("dark", "light"):
        async with stage(index, query="storm", theme=theme) as scene:
            pictures.append(draw(scene.app))
            await scene.press("enter", "j")
            pictures.append(draw(scene.app))
    before, moved, light, _ = pictures
    assert difference(before, before) == ""
    assert "-24 | ⏎ To the results" in difference(before, moved)
    assert "+23 |" in difference(before, moved)
    changed = [line for line in difference(before, light).splitlines() if line[:1] in "+-"]
    assert any("storm fill=#9c3d00 font-weight=bold" in line for line in changed)
    assert not any(line[1:6].strip(" |").isdigit() for line in changed)  # The text is the same.


def test_the_readme_has_a_picture_of_the_app_of_today(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "docs.picture", str(tmp_path / "app.svg")]
    subprocess.run(command, check=True, cwd=ROOT)
    kept, drawn = (
        # How long a search took, which stands at the right, is another each time.
        re.sub(r"<text [^>]*>(\d+ entries) · [^<]*<", r"<text>\1<", file.read_text("utf-8"))
        for file in (ROOT / "docs" / "app.svg", tmp_path / "app.svg")
    )
    assert not difference(kept, drawn), "it is old: make picture"


@pytest.mark.parametrize("theme", ["light", "contrast"])
@played
async def test_the_screen_reader_gets_no_drawings(index: Index, theme: str) -> None:
    async with stage(index, (200, 60), "storm", theme=theme) as scene:
        await scene.press("enter", "m", "t")
        drawn = {each for each in scene.text if "\u2500" <= each <= "\u27bf"}
        assert bool(drawn) == (theme == "light")


class TestColours:
    @pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
    def test_everything_can_be_read(self, theme: Theme) -> None:
        colours = {**vars(theme), **theme.variables}
        for ground in ("background", "surface", "panel", "chosen"):
            behind = Color.parse(colours[ground])
            for name, least in (
                ("foreground", 7),
                ("match", 4.5),
                ("feed", 4.5),
                ("aside", 4.5),
                ("error", 4.5),
                ("primary", 3),
            ):
                ratio = contrast(Color.parse(colours[name]), behind)
                assert ratio >= least, f"{name} on {ground}: {ratio:.1f}"

    @played
    async def test_any_theme_of_textual_works(self, index: Index) -> None:
        async with stage(index, query="storm", theme="gruvbox") as scene:
            assert scene.app.theme == "gruvbox"
            assert "storm" in scene.text
        async with stage(index, theme="no such theme") as scene:
            assert scene.app.theme == "searchfeed-dark"

    @pytest.mark.parametrize("size", [(80, 24), (200, 60)])
    @played
    async def test_none_where_none_are_wanted(
        self, index: Index, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        async with stage(index, size, "storm") as scene:
            await scene.press("enter", "j")
            seen = painted(scene)
            assert all(
                colour is None or colour.is_default
                for style, _ in seen
                for colour in (style.color, style.bgcolor)
            )
            marked = [style for style, text in seen if text == "storm"]
            assert marked
            assert all(style.bold and (style.reverse or style.underline) for style in marked)

    @played
    async def test_matches_stand_out(self, index: Index) -> None:
        async with stage(index, query="storm") as scene:
            marked = {str(style.color) for style, text in painted(scene) if text == "storm"}
            others = {str(style.color) for style, text in painted(scene) if "What is" in text}
            assert len(marked) == 1
            assert not marked & others


class TestHarm:
    @pytest.fixture(scope="class")
    @staticmethod
    def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
        """An index whose archive was not cleaned when it was filled, as one from elsewhere."""
        import sqlite3

        folder = tmp_path_factory.mktemp("hostile")
        items = "".join(
            entry(str(at), f"title {at}", f"body {at}", NOW, f"tag {at}")
            for at in range(len(HOSTILE))
        )
        (folder / "feed.xml").write_text(rss("Harbour", items))
        with Index(folder / "index") as index:
            index.update(folder / "feed.xml")
        archive = sqlite3.connect(folder / "index" / "archive.sqlite")
        tables = [
            name for (name,) in archive.execute("select name from sqlite_master where type='table'")
        ]
        table = next(
            each
            for each in tables
            if {"title", "body"}
            <= {row[1] for row in archive.execute(f"pragma table_info({each})")}
        )
        for at, text in enumerate(HOSTILE):
            archive.execute(
                f"update {table} set title = ?, body = ? where title = ?",
                (text, f"{text}\n\n{text} storm", f"title {at}"),
            )
        archive.commit()
        archive.close()
        with Index(folder / "index") as index:
            yield index

    @pytest.mark.parametrize("size", [(40, 10), (200, 60)])
    @played
    async def test_it_is_shown_unharmed(self, hostile: Index, size: tuple[int, int]) -> None:
        async with stage(hostile, size) as scene:
            await scene.press("enter")
            for _ in HOSTILE:
                self.check(scene, size)
                await scene.press("enter")
                self.check(scene, size)
                await scene.press("escape", "j")
            assert scene.app.is_running
            assert scene.focused == "results"

    @played
    async def test_markup_is_text(self, hostile: Index) -> None:
        async with stage(hostile, (200, 60)) as scene:
            await scene.press("enter")
            line = next(y for y, each in enumerate(scene.lines) if "[@click=app.quit]" in each)
            await scene.pilot.click(offset=(scene.lines[line].index("[@click"), line))
            await scene.settle()
            assert scene.app.is_running
            assert "[bold red]loud[/]" in scene.text
            await scene.press("y")
            assert not any(style.link for style, _ in painted(scene))

    @staticmethod
    def check(scene: Stage, size: tuple[int, int]) -> None:
        unsafe = re.compile(f"[{UNSAFE}]")
        strips = scene.app.screen._compositor.render_strips()
        assert len(strips) == size[1]
        for strip in strips:
            assert cell_len(strip.text) == size[0]
            assert not unsafe.search(strip.text)
            assert "\u0301" * 5 not in strip.text


class TestTerminal:
    """The real program in a real terminal."""

    @pytest.fixture
    @staticmethod
    def terminal(index: Index, tmp_path: Path) -> Iterator[Terminal]:
        program = shutil.which("tmux")
        if program is None:
            pytest.skip("tmux is not here")
        terminal = Terminal(program, tmp_path)
        try:
            yield terminal
        finally:
            terminal.run("kill-server")

    def test_type_read_and_leave(self, index: Index, terminal: Terminal) -> None:
        terminal.start(f"{sys.executable} -m searchfeed --index {index.path}")
        terminal.until("90 entries")
        terminal.type("lighthouse")
        terminal.until("18 entries")
        assert "lighthouse" in terminal.text.splitlines()[0]
        terminal.run("send-keys", "-t", "0", "Enter", "Enter")
        terminal.until("https://x.example/")
        terminal.run("send-keys", "-t", "0", "Escape")
        terminal.until("⏎ Read")
        terminal.run("send-keys", "-t", "0", "q")
        terminal.until("left with 0")
        assert "Traceback" not in terminal.text
        assert (terminal.home / "state" / "searchfeed" / "queries").read_text() == "lighthouse\n"


class Terminal:
    """A terminal of 80 by 24, with a home of its own."""

    def __init__(self, program: str, home: Path) -> None:
        self.program = program
        self.home = home

    def run(self, *arguments: str) -> str:
        command = [self.program, "-S", str(self.home / "socket"), "-f", "/dev/null", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT).stdout

    def start(self, command: str) -> None:
        variables = f"env -u NO_COLOR XDG_STATE_HOME={self.home / 'state'} HOME={self.home}"
        line = f"{variables} {command}; echo left with $?; sleep 60"
        self.run("new-session", "-d", "-x", "80", "-y", "24", line)

    def type(self, text: str) -> None:
        self.run("send-keys", "-t", "0", "-l", text)

    @property
    def text(self) -> str:
        return self.run("capture-pane", "-p", "-t", "0")

    def until(self, text: str) -> None:
        deadline = time.monotonic() + 60
        while text not in self.text:
            assert time.monotonic() < deadline, f"no {text!r} on the screen:\n{self.text}"
            time.sleep(0.1)


class TestProgram:
    def test_without_a_terminal_there_is_help_and_a_word_about_it(self) -> None:
        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", "searchfeed", *arguments]
            return subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=ROOT
            )

        assert run().stdout.startswith("Usage: searchfeed")
        done = run("browse", "storm")
        assert (done.returncode, done.stdout) == (2, "")
        assert "this needs a terminal" in done.stderr

    def test_textual_is_not_loaded_by_other_commands(self, index: Index) -> None:
        code = (
            "import sys; from searchfeed.cli import run\n"
            f"run(['--index', {str(index.path)!r}, 'search', 'storm'])\n"
            "print('textual' in sys.modules, file=sys.stderr)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT
        )
        assert done.stderr.splitlines()[-1] == "False"


def painted(scene: Stage) -> list[tuple[Style, str]]:
    """Every piece of the screen as it goes to the terminal, with its style."""
    strips = scene.app.screen._compositor.render_strips()[1:]  # Without the search line.
    return [(segment.style or Style(), segment.text) for strip in strips for segment in strip]


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of WCAG 2.2."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: Color) -> float:
    parts = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in colour.normalized
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
