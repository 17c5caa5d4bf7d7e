"""The config file: what may stand in it, what is wrong with one, and what counts for more."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import click
import platformdirs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from searchfeed import cli
from searchfeed.cli.configurable import KEYMAP, KEYS, Key
from searchfeed.cli.configuration import location, read
from searchfeed.cli.keymap import actions
from searchfeed.index import Index

ROOT = Path(__file__).parents[1]
ENTRY = """<item><title>Silk road {0}</title><guid>{0}</guid><link>https://example.org/{0}</link>
<description>Camels, {0} of them.</description></item>"""
FEED = """<rss version="2.0"><channel><title>Caravans</title><link>https://example.org/</link>
<description>d</description>{}</channel></rss>"""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index with four entries; tests only read it."""
    folder = tmp_path_factory.mktemp("config")
    source = folder / "feed.xml"
    source.write_text(FEED.format("".join(map(ENTRY.format, range(4)))), encoding="utf-8")
    with Index(folder / "index") as index:
        assert index.update([source]).added == 4
    return folder / "index"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the config file is looked for; it is not there yet."""
    path = tmp_path / "config.toml"
    monkeypatch.setenv("SEARCHFEED_CONFIG", str(path))
    return path


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    output, errors = StringIO(), StringIO()
    with redirect_stdout(output), redirect_stderr(errors):
        code = cli.run([str(argument) for argument in arguments])
    return subprocess.CompletedProcess(arguments, code, output.getvalue(), errors.getvalue())


def shown(*arguments: str | Path) -> dict[str, tuple[object, str]]:
    """What ``config show`` says: key → its value, and where that is from."""
    done = run("config", "show", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)["settings"]
    return {each["key"]: (each["value"], each["origin"]) for each in listed}


def uncommented(text: str) -> str:
    return re.sub(r"^#(?! )", "", text, flags=re.M)


class TestLocation:
    @pytest.mark.parametrize("folder", [None, "", "/etc/somewhere", "relative", "/with space/é"])
    def test_it_is_where_platformdirs_says(
        self, folder: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("SEARCHFEED_CONFIG", raising=False)
        if folder is None:
            monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
        else:
            monkeypatch.setenv("XDG_CONFIG_HOME", folder)
        expected = platformdirs.user_config_path("searchfeed") / "config.toml"
        assert location() == expected
        assert run("config", "path").stdout == f"{expected}\n"

    def test_the_environment_names_another(self, file: Path) -> None:
        assert location() == file

    def test_a_home_is_short_for_its_path(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SEARCHFEED_CONFIG", "~/mine.toml")
        assert location() == Path.home() / "mine.toml"

    def test_no_file_is_no_mistake(self, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SEARCHFEED_CONFIG", raising=False)
        assert run("config", "validate").returncode == 0
        assert run("--index", index, "search", "silk").returncode == 0

    def test_a_file_that_was_named_has_to_be_there(self, file: Path, index: Path) -> None:
        done = run("--index", index, "search", "silk")
        assert done.returncode == 2
        assert done.stderr == (f"searchfeed: {file}: no such file (SEARCHFEED_CONFIG names it)\n")


class TestWhatCounts:
    def test_flag_then_environment_then_file_then_default(
        self, file: Path, index: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def hits(*arguments: str) -> int:
            found = run("--index", index, "search", "silk", *arguments)
            return len(found.stdout.splitlines())

        file.touch()
        assert hits() == 4
        file.write_text("[search]\nlimit = 3\n")
        assert hits() == 3
        monkeypatch.setenv("SEARCHFEED_LIMIT", "2")
        assert hits() == 2
        assert hits("-n", "1") == 1

    def test_what_is_shown_is_what_counts(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file.write_text("[search]\nlimit = 3\nfuzzy = true\n")
        monkeypatch.setenv("SEARCHFEED_FUZZY", "no")
        monkeypatch.setenv("SEARCHFEED_RECENCY", "30d")
        monkeypatch.setenv("SEARCHFEED_COLOR", "never")
        assert shown() == {
            **shown(),
            "search.limit": (3, "file"),
            "search.fuzzy": (False, "env"),
            "search.recency": ("30d", "env"),
            "search.sort": ("relevance", "default"),
            "color": ("never", "env"),
        }
        assert shown("--color", "always")["color"] == ("always", "flag")
        done = run("--color", "always", "config", "show", "color")
        assert done.stdout == "color\talways\tflag\n"

    def test_the_index(self, file: Path, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SEARCHFEED_INDEX", raising=False)
        # A path is relative to the file, wherever the program is started.
        file.write_text(f"index = {json.dumps(os.path.relpath(index, file.parent))}\n")
        monkeypatch.chdir("/")
        assert run("search", "silk").returncode == 0
        assert index.samefile(str(shown()["index"][0]))
        monkeypatch.setenv("SEARCHFEED_INDEX", "/nowhere")
        assert shown()["index"] == ("/nowhere", "env")
        assert run("search", "silk").returncode == 2
        assert run("--index", index, "search", "silk").returncode == 0
        assert run("search", "silk", "--index", index).returncode == 0

    def test_a_home_in_the_path_of_the_index(self, file: Path) -> None:
        file.write_text('index = "~/feeds"\n')
        assert shown()["index"] == (str(Path.home() / "feeds"), "file")

    @pytest.mark.parametrize(
        ("text", "against", "value"),
        [
            ("[search]\nfuzzy = true", ["search", "--no-fuzzy"], False),
            ("[search]\ndedupe = false", ["search", "--dedupe"], True),
            ("[network]\nallow_private = true", ["update", "--no-allow-private"], False),
            ("[network]\nallow_private = true", ["feeds add", "--no-allow-private"], False),
        ],
    )
    def test_what_the_file_switches_on_an_option_switches_off(
        self, file: Path, text: str, against: list[str], value: bool
    ) -> None:
        file.write_text(text)
        configuration = read(cli.app)
        (name,) = configuration.values
        key = next(key for key in KEYS if key.name == name)
        for options, expected in ([], not value), (against[1:], value):
            context = cli.app.make_context("searchfeed", [], default_map=configuration.defaults())
            command: click.Command = cli.app
            for part in against[0].split():
                assert isinstance(command, click.Group)
                command = command.commands[part]
                last = part == against[0].split()[-1]
                arguments = [*options, "x"] if last else [*against[0].split()[1:], "x"]
                context = command.make_context(part, list(arguments), parent=context)
            assert context.params[key.option] is expected

    def test_help_shows_the_default_of_the_file(self, file: Path) -> None:
        file.write_text("[search]\nlimit = 37\n")
        assert "default: 37" in run("search", "--help").stdout

    def test_a_format_that_facets_do_not_have_is_passed_over(self, file: Path, index: Path) -> None:
        file.write_text('[search]\nformat = "csv"\n')
        assert run("--index", index, "search", "silk").stdout.startswith("rank,")
        faceted = run("--index", index, "search", "silk", "--facet", "feed")
        assert faceted.returncode == 0
        assert "\tCaravans" in faceted.stdout
        refused = run("--index", index, "search", "x", "--facet", "feed", "--format", "csv")
        assert refused.returncode == 2

    def test_feeds_of_the_file_are_given_up_by_naming_others(self, file: Path, index: Path) -> None:
        file.write_text('[search]\nfeeds = ["nothing like it"]\n')
        assert run("--index", index, "search", "silk").returncode == 1
        assert run("--index", index, "search", "silk", "--feed", "caravan").returncode == 0

    def test_the_environment_is_named_where_it_is_wrong(
        self, index: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SEARCHFEED_LIMIT", "many")
        done = run("--index", index, "search", "silk")
        assert done.returncode == 2
        assert "(SEARCHFEED_LIMIT says so)" in done.stderr
        assert "SEARCHFEED_LIMIT: 'many'" in run("config", "show").stderr
        assert run("search", "--help").returncode == 0


MISTAKES = [
    ("colour = 'never'", "line 1: colour: no such key; did you mean color?"),
    ("\n[search]\nlimt = 3", "line 3: search.limt: no such key; did you mean search.limit?"),
    ("limit = 3", "line 1: limit: no such key; did you mean search.limit?"),
    ("[network]\nallow-private = true", "did you mean network.allow_private?"),
    ("[serach]\nlimit = 3", "line 1: serach: no such table; did you mean [search]?"),
    ("[zzz]\na = 1", "there are: "),
    ("qqqqq = 1", "there are: index, "),
    ("search = 3", "line 1: search: is a table: [search]"),
    ("[search]\nlimit = '3'", "line 2: search.limit: takes a whole number, not the text '3'"),
    ("[search]\nlimit = true", "search.limit: takes a whole number, not true"),
    ("[search]\nlimit = 3.5", "search.limit: takes a whole number, not the number 3.5"),
    ("[search]\nlimit = 0", "search.limit: 0 is not in the range x>=1"),
    ("[search]\nfuzzy = 1", "search.fuzzy: takes true or false, not the number 1"),
    ("[search]\nsort = 'relevant'", "search.sort: 'relevant' is not one of"),
    ("[search]\nsort = 'relevant'", "did you mean 'relevance'?"),
    ("[search]\nfeeds = 'bbc'", "search.feeds: takes a list of texts"),
    ("[search]\nfeeds = [1]", "search.feeds: takes a list of texts"),
    ("[search]\nrecency = 'soon'", "search.recency: 'soon' is not a length of time"),
    ("[search]\nrecency = 2020-08-01", "search.recency: takes a text in quotes, not a date"),
    ("[network]\nevery = '0s'", "network.every: '0s' is not a time such as"),
    ("index = ''", "index: names no folder"),
    ("index = {a = 1}", "index: takes a text in quotes, not a table"),
    ("[keys]\ndown = 3", 'keys.down: takes keys as one text, such as "j,down", not the number 3'),
    ("[keys]\ndown = 'j,,k'", "keys.down: 'j,,k' is not a list of keys"),
    ("[search\n", "not TOML: "),
    ("[search]\nlimit = 3\nlimit = 4\n", "at line 3"),
    ("a = " + "[" * 20_000, "not TOML: "),
    ("color = 'nev\x00er'", "at line 1"),
]


class TestMistakes:
    @pytest.mark.parametrize(("text", "said"), MISTAKES)
    def test_each_is_a_line_that_names_the_file_and_the_place(
        self, file: Path, index: Path, text: str, said: str
    ) -> None:
        file.write_text(text)
        done = run("--index", index, "search", "silk")
        assert (done.returncode, done.stdout) == (2, "")
        assert re.fullmatch(rf"searchfeed: {re.escape(str(file))}: .*\n", done.stderr)
        assert said in done.stderr
        checked = run("config", "validate")
        assert (checked.returncode, checked.stdout) == (2, "")
        assert said in checked.stderr

    def test_all_are_told_by_validate_and_the_first_by_everything_else(
        self, file: Path, index: Path
    ) -> None:
        file.write_text("colour = 1\n[search]\nlimt = 3\nsort = 4\n")
        assert len(run("config", "validate").stderr.splitlines()) == 3
        done = run("--index", index, "stats")
        assert done.stderr.endswith(
            "did you mean color? (and 2 more: searchfeed config validate)\n"
        )

    def test_a_broken_file_leaves_help_and_what_mends_it(self, file: Path) -> None:
        file.write_text("[search\n")
        for arguments in (
            ["--help"],
            ["--version"],
            ["search", "--help"],
            ["help", "query"],
            ["config", "path"],
            ["config", "example"],
            ["completion", "bash"],
        ):
            done = run(*arguments)
            assert (done.returncode, done.stderr) == (0, ""), arguments
        for arguments in (["config", "show"], ["feeds"], ["watch"], ["update"]):
            assert run(*arguments).returncode == 2, arguments

    def test_bytes_that_are_not_utf_8(self, file: Path) -> None:
        file.write_bytes(b"[search]\nlimit = 3\n# caf\xe9\n")
        assert run("config", "validate").stderr == f"searchfeed: {file}: line 3: not UTF-8\n"

    def test_the_mark_of_windows_editors(self, file: Path) -> None:
        file.write_bytes(b"\xef\xbb\xbf[search]\r\nlimit = 3\r\n")
        assert shown()["search.limit"] == (3, "file")

    def test_a_folder_in_its_place(self, file: Path) -> None:
        file.mkdir()
        assert "cannot be read" in run("config", "validate").stderr

    def test_a_file_without_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SEARCHFEED_CONFIG", "/dev/zero")
        assert "longer than a megabyte" in run("config", "validate").stderr

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ('dwon = "j"', "keys.dwon: no such action; did you mean down?"),
            ('page_down = "j"', "did you mean page-down?"),
            ('zzzzz = "j"', "no such action; there are: search, read,"),
            ('down = "crtl+j,n"', "keys.down: 'crtl+j' is no key; did you mean ctrl+j?"),
            ('down = "escpe"', "keys.down: 'escpe' is no key; did you mean escape?"),
            ('down = "zzz"', "keys.down: 'zzz' is no key\n"),
        ],
    )
    def test_actions_and_keys_of_the_app(self, file: Path, text: str, said: str) -> None:
        file.write_text(f"[keys]\n{text}\n")
        done = run("config", "validate")
        assert done.returncode == 2
        assert said in done.stderr

    def test_the_app_does_not_start_with_keys_that_there_are_not(
        self, file: Path, tmp_path: Path
    ) -> None:
        file.write_text('[keys]\ndwon = "j"\n')
        code = (
            "import pty, os; os.environ['TERM'] = 'xterm'\n"
            f"os._exit(os.waitstatus_to_exitcode(pty.spawn([{sys.executable!r}, '-m', "
            f"'searchfeed', '--index', {str(tmp_path)!r}])))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60
        )
        assert done.returncode == 2
        assert "did you mean down?" in done.stdout

    def test_every_action_of_the_app_is_known(self) -> None:
        sources = "".join(each.read_text() for each in (ROOT / "searchfeed" / "tui").glob("*.py"))
        names = re.findall(r"Binding\([^()]*(?:\([^()]*\)[^()]*)*\bid=f?\"([^\"]+)\"", sources)
        numbers = map(str, range(1, 10))
        assert set(actions()) == {
            name.replace("{number}", number) for number in numbers for name in names
        }

    def test_control_characters_do_not_reach_the_terminal(self, file: Path) -> None:
        file.write_text('"\\u001b[31m" = 1\n')
        assert "\x1b" not in run("config", "validate").stderr

    @given(text=st.text(max_size=60) | st.from_regex(r"(\[?\w{1,9}\]?( = .{0,9})?\n){1,4}"))
    @settings(
        max_examples=150,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    def test_whatever_is_in_the_file_is_taken_or_told(self, file: Path, text: str) -> None:
        file.write_bytes(text.encode("utf-8", "replace"))
        configuration = read(cli.app)
        assert configuration.found
        assert all(problem.startswith(f"{file}: ") for problem in configuration.problems)
        if configuration.problems:
            assert configuration.defaults() == {}


class TestCommands:
    def test_the_example_has_every_key_and_is_valid(self, file: Path) -> None:
        example = run("config", "example").stdout
        file.write_text(example)
        assert read(cli.app).values == {}
        assert run("config", "validate").returncode == 0
        file.write_text(uncommented(example))
        configuration = read(cli.app)
        assert configuration.problems == ()
        assert list(configuration.values) == [key.name for key in KEYS]
        assert configuration.keymap == {name: keys for name, (keys, _) in actions().items()}
        for key in KEYS:
            if key.default is not None:
                stands = configuration.values[key.name]
                assert (tuple(stands) if isinstance(stands, list) else stands) == key.default

    def test_show_for_people(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file.write_text('[search]\nfeeds = ["a b", "é"]\n[keys]\ndown = "j, n"\n')
        rows = [row.split("\t") for row in run("config", "show").stdout.splitlines()]
        assert ["search.feeds", '["a b", "é"]', "file"] in rows
        assert ["search.format", "", "default"] in rows
        assert rows[-1] == ["keys.down", "j,n", "file"]

    def test_show_of_a_key_that_is_not_there(self) -> None:
        assert "did you mean search.limit?" in run("config", "show", "search.limt").stderr

    def test_show_is_what_the_file_takes(self, file: Path) -> None:
        file.write_text('[search]\nlimit = 3\nfeeds = ["x"]\nrecency = "1y"\n')
        set_there = {key: value for key, (value, origin) in shown().items() if origin == "file"}
        assert set_there == {
            f"search.{key}": value
            for key, value in tomllib.loads(file.read_text())["search"].items()
        }

    def test_show_keeps_passwords_to_itself(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SEARCHFEED_INDEX", "https://me:secret@search.example:9200/news")
        assert shown()["index"] == ("https://search.example:9200/news", "env")

    def test_without_a_command_it_is_help(self) -> None:
        done = run("config")
        assert done.returncode == 0
        assert done.stdout == run("config", "--help").stdout


def keys() -> Iterator[tuple[Key, click.Option]]:
    for key in KEYS:
        yield from ((key, option) for option in key.options(cli.app))


class TestKeys:
    @pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
    def test_each_sets_an_option_of_each_of_its_commands(self, key: Key) -> None:
        options = list(key.options(cli.app))
        assert len(options) == len(key.commands)
        for option in options:
            assert option.envvar == key.variable
            default = option.to_info_dict()["default"]
            if key.default and default is not None:
                assert default == key.default
            assert repr(option.type) == repr(options[0].type)
            assert (option.is_flag, option.multiple) == (options[0].is_flag, options[0].multiple)

    def test_no_two_have_one_variable(self) -> None:
        names = [key.variable for key in KEYS]
        assert len(names) == len(set(names))
        assert KEYMAP not in {key.name.partition(".")[0] for key in KEYS}

    def test_nothing_but_settings_is_taken_from_the_environment(self) -> None:
        def options(command: click.Command) -> Iterator[click.Option]:
            yield from (each for each in command.params if isinstance(each, click.Option))
            if isinstance(command, click.Group):
                for inner in command.commands.values():
                    yield from options(inner)

        known = {id(option) for _, option in keys()}
        assert all(id(each) in known for each in options(cli.app) if each.envvar)


@pytest.mark.parametrize("there", [False, True])
def test_a_file_is_what_loads_the_reader_of_toml(file: Path, there: bool) -> None:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    if there:
        file.write_text("[search]\nlimit = 3\n")
    else:
        del environment["SEARCHFEED_CONFIG"]
    code = (
        "import sys; from searchfeed.cli import run; run(['--version'])\n"
        "print([name for name in ('tomllib', 'platformdirs') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert done.stdout.splitlines()[1:] == ["['tomllib']" if there else "[]"], done.stderr
