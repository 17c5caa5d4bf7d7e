"""The command line: what goes where, with which exit code, in real processes where that counts."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from fcntl import ioctl
from importlib import import_module
from importlib.resources import files
from io import StringIO
from pathlib import Path
from select import select

import click
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from searchfeed import cli
from searchfeed.cli.base import QueryCommand
from searchfeed.cli.search import search
from searchfeed.errors import EntryNotFoundError, QueryError, SourceError
from searchfeed.index import Index
from searchfeed.models import Report
from searchfeed.output.clean import UNSAFE
from tests.program import PROGRAM

jsonschema = import_module("jsonschema")

ENTRIES = [
    ("Migrant Resource Centre opens in Dushanbe", "The Ministry of Labour opened a centre.", 11),
    ("IBM Silk Routes in Ukraine", "Border guards met for integrated border management.", 12),
    ("IBM Silk Routes in Dhaka", "Border management and [bold]resources[/red] discussed.", 13),
    ("東京で地震", "東京で大きな地震がありました。", 14),
    ("A day without news", "Nothing happened.", 15),
]
FEED = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>Border News</title><link>https://example.org/</link>
<description>d</description>{}</channel></rss>"""
ITEM = """<item><title>{}</title><link>https://example.org/{}</link><guid>g{}</guid>
<description>{}</description><pubDate>{} Aug 2020 10:00:00 +0000</pubDate></item>"""


def feed(entries: Sequence[tuple[str, str, int]] = ENTRIES) -> str:
    return FEED.format("".join(ITEM.format(t, day, day, body, day) for t, body, day in entries))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("feeds") / "border.xml"
    file.write_text(feed(), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, source: Path) -> Path:
    """The directory of an index with the entries above; tests only read it."""
    directory = tmp_path_factory.mktemp("index") / "index"
    with Index(directory) as index:
        assert index.update([source]).added == len(ENTRIES)
    return directory


def environment(**changes: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(
            ("SEARCHFEED", "LC_", "COLUMNS", "NO_COLOR", "_SEARCHFEED", "PYTHON")
        )
    }
    return kept | {"LANG": "C.UTF-8", "TERM": "xterm-256color", "TZ": "UTC"} | changes


def program(
    *arguments: str | Path, standard_input: str = "", **changes: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        input=standard_input,
        capture_output=True,
        encoding="utf-8",
        env=environment(**changes),
        timeout=60,
    )


def in_terminal(
    *arguments: str | Path,
    columns: int = 80,
    **changes: str,
) -> tuple[str, int]:
    """What the program writes to a terminal of that width, and its exit code."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(**changes),
        close_fds=True,
    )
    os.close(theirs)
    output = b""
    while select([ours], [], [], 60)[0]:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux's way to say that the other side is closed.
            break
        if not piece:
            break
        output += piece
    os.close(ours)
    return output.decode("utf-8").replace("\r\n", "\n"), process.wait(timeout=60)


def inside(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The program in this process, for what needs no process of its own."""
    output, errors = StringIO(), StringIO()
    with redirect_stdout(output), redirect_stderr(errors):
        code = cli.run([str(argument) for argument in arguments])
    return subprocess.CompletedProcess(arguments, code, output.getvalue(), errors.getvalue())


class TestSearch:
    def test_a_line_a_hit_on_stdout_and_nothing_on_stderr(self, filled: Path) -> None:
        done = program("--index", filled, "search", "migrant", "resource", "centre")
        assert done.returncode == 0
        assert done.stderr == ""
        columns = done.stdout.splitlines()[0].split("\t")
        assert columns[1:5] == [
            "2020-08-11T10:00:00Z",
            "Migrant Resource Centre opens in Dushanbe",
            "Border News",
            "https://example.org/11",
        ]

    def test_nothing_found(self, filled: Path) -> None:
        done = program("--index", filled, "search", "xylophone")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("nothing found for xylophone")
        assert program("-q", "--index", filled, "search", "xylophone").stderr == ""

    def test_json_that_the_schema_describes(self, filled: Path) -> None:
        schema = json.loads(files("searchfeed.output").joinpath("schema.json").read_text("utf-8"))
        found = program("search", "--json", "silk", "--index", filled)
        record = json.loads(found.stdout)
        jsonschema.validate(record, schema)
        assert record["total"] == 2
        nothing = program("search", "--json", "xylophone", "--index", filled)
        record = json.loads(nothing.stdout)
        jsonschema.validate(record, schema)
        assert record["hits"] == []
        assert nothing.returncode == 1

    @pytest.mark.parametrize(
        ("arguments", "titles"),
        [
            (["title:ibm", "-ukraine"], ["IBM Silk Routes in Dhaka"]),
            (["-ukraine", "title:ibm"], ["IBM Silk Routes in Dhaka"]),
            (["--", "title:ibm", "-ukraine"], ["IBM Silk Routes in Dhaka"]),
            (["title:ibm -ukraine"], ["IBM Silk Routes in Dhaka"]),
            (['"silk routes in dhaka"'], ["IBM Silk Routes in Dhaka"]),
            (["地震"], ["東京で地震"]),
            (["--sort", "-date", "-n1"], ["A day without news"]),
            (["--sort=-date", "-n", "1", "--offset=1"], ["東京で地震"]),
            (["--sort", "date", "--limit=1", "silk"], ["IBM Silk Routes in Ukraine"]),
            (["dushanbe", "--feed", "border"], ["Migrant Resource Centre opens in Dushanbe"]),
            (["dushanbe", "--feed", "elsewhere"], []),
        ],
    )
    def test_words_need_no_quoting(
        self, filled: Path, arguments: list[str], titles: list[str]
    ) -> None:
        done = inside("--index", filled, "search", "--json", *arguments)
        assert done.returncode == (0 if titles else 1)
        assert [hit["title"] for hit in json.loads(done.stdout)["hits"]] == titles

    def test_beyond_the_last_hit(self, filled: Path) -> None:
        done = program("--index", filled, "search", "silk", "--offset", "5")
        assert done.returncode == 1
        assert done.stderr == "nothing beyond the last of 2 entries; use a lower --offset\n"

    def test_a_query_that_cannot_be_meant_is_pointed_at(self, filled: Path) -> None:
        done = program("--index", filled, "search", "silk", "date:garbage")
        assert (done.returncode, done.stdout) == (2, "")
        first, query, carets = done.stderr.splitlines()
        assert first.startswith("searchfeed: ")
        assert query == "  silk date:garbage"
        assert set(carets.strip()) == {"^"}
        assert "garbage" in query[carets.index("^") : carets.rindex("^") + 1]


class TestQueryWords:
    """How the arguments of a search are told apart."""

    @staticmethod
    def parse(*arguments: str) -> tuple[str, dict[str, object]]:
        with search.make_context("search", list(arguments)) as context:
            values = dict(context.params)
        words = values.pop("query")
        assert isinstance(words, tuple)
        return " ".join(words), values

    @pytest.mark.parametrize(
        ("arguments", "query", "limit"),
        [
            ("-bereal trump", "-bereal trump", 10),
            ("-ukraine", "-ukraine", 10),
            ("-nasa x", "-nasa x", 10),
            ("-n5 x", "x", 5),
            ("x -n 5 y", "x y", 5),
            ("x --limit 5", "x", 5),
            ("--limit=5 x", "x", 5),
            ("-- -n5 --limit", "-n5 --limit", 10),
            ("-5 +x - a", "-5 +x - a", 10),
        ],
    )
    def test_options_and_words(self, arguments: str, query: str, limit: int) -> None:
        words, values = self.parse(*arguments.split())
        assert (words, values["limit"]) == (query, limit)

    @pytest.mark.parametrize("mistyped", ["--limt", "--limt=3", "--lim", "--jsno"])
    def test_a_mistyped_long_option_is_no_word(self, mistyped: str) -> None:
        with pytest.raises(click.NoSuchOption) as caught:
            self.parse("x", mistyped, "3")
        assert caught.value.possibilities

    @hypothesis_settings(max_examples=100, deadline=None)
    @given(st.lists(st.text(max_size=6)))
    def test_any_words_reach_the_query_behind_two_dashes(self, words: list[str]) -> None:
        assert self.parse("-n", "3", "--", *words)[0] == " ".join(words)

    @hypothesis_settings(max_examples=100, deadline=None)
    @given(st.lists(st.from_regex(r"-?[a-z0-9:\"(*~+]{2,6}", fullmatch=True)))
    def test_words_with_one_dash_reach_the_query(self, words: list[str]) -> None:
        words = [word for word in words if not re.fullmatch(r"-n\d+", word)]
        assert self.parse(*words, "--json")[0] == " ".join(words)

    def test_every_long_option_of_the_program_is_one_here(self) -> None:
        assert isinstance(search, QueryCommand)
        names = {name for option in search.params for name in option.opts}
        assert {name for option in cli.app.params for name in option.opts} - names <= {
            "-V",
            "--version",
        }


class TestIndex:
    def test_what_was_done_is_said_on_stderr(self, tmp_path: Path, source: Path) -> None:
        first = program("--index", tmp_path / "i", "index", source)
        assert (first.returncode, first.stdout) == (0, "")
        expected = rf"{re.escape(str(source))}: 5 added, 0 updated, 0 unchanged in .+\n"
        assert re.fullmatch(expected, first.stderr)
        second = program("--index", tmp_path / "i", "index", source, "-q")
        assert (second.returncode, second.stdout, second.stderr) == (0, "", "")

    def test_standard_input(self, tmp_path: Path) -> None:
        done = program("index", "-", "--index", tmp_path / "i", standard_input=feed())
        assert done.returncode == 0
        assert "5 added" in done.stderr

    def test_a_source_that_fails_costs_the_others_nothing(
        self, tmp_path: Path, source: Path
    ) -> None:
        page = tmp_path / "page.html"
        page.write_text("<html><body>no feed</body></html>")
        done = program("-q", "--index", tmp_path / "i", "index", page, source, tmp_path / "absent")
        assert done.returncode == 2
        lines = done.stderr.splitlines()
        assert len(lines) == 2
        assert all(line.startswith("searchfeed: ") for line in lines)
        assert any("page.html: " in line for line in lines)
        assert any("absent: " in line for line in lines)
        assert program("--index", tmp_path / "i", "search", "dushanbe").returncode == 0

    def test_many_warnings_do_not_bury_the_rest(self, monkeypatch: pytest.MonkeyPatch) -> None:
        report = Report(warnings=tuple(f"w{number}" for number in range(25)))
        monkeypatch.setattr(Index, "update", lambda *_, **__: report)
        assert inside("index", "x").stderr.count("warning: w") == 10
        assert "and 15 more warnings" in inside("index", "x").stderr
        assert inside("-v", "index", "x").stderr.count("warning: w") == 25
        assert inside("-q", "index", "x").stderr == ""

    def test_the_wording_of_a_failure_is_cleaned(self, monkeypatch: pytest.MonkeyPatch) -> None:
        failure = SourceError("\x1b[31mx.xml", "not a feed", "look at it")
        monkeypatch.setattr(Index, "update", lambda *_, **__: Report(failures=(failure,)))
        done = inside("-q", "index", "x")
        assert done.stderr == "searchfeed: x.xml: not a feed (look at it)\n"
        assert done.returncode == 2

    def test_the_fixtures(self, tmp_path: Path) -> None:
        fixtures = Path(__file__).parents[1] / "fixtures"
        assert inside("--index", tmp_path / "i", "index", fixtures).returncode == 0
        for query in ("migrant resource centre", "東京", "lang:ar"):
            found = inside("--index", tmp_path / "i", "search", query, "--format", "table")
            assert found.returncode == 0, query
            assert not re.search(f"(?!\n)[{UNSAFE}]", found.stdout)

    def test_rebuild(self, tmp_path: Path, source: Path) -> None:
        assert program("--index", tmp_path / "i", "index", source).returncode == 0
        done = program("--index", tmp_path / "i", "rebuild")
        assert (done.returncode, done.stdout) == (0, "")
        assert re.fullmatch(r"rebuilt: 5 entries in .+\n", done.stderr)
        assert program("--index", tmp_path / "i", "search", "dushanbe").returncode == 0

    def test_ctrl_c_is_quiet(self, tmp_path: Path) -> None:
        process = subprocess.Popen(
            [*PROGRAM, "--index", str(tmp_path / "i"), "index", "-"],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            text=True,
        )
        # It asks for what comes next as soon as it has taken what is there.
        assert process.stdin is not None
        process.stdin.write("<rss>" + " " * 200_000)
        process.stdin.flush()
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 130
        assert errors.strip() == ""


class TestLook:
    def test_show(self, filled: Path) -> None:
        hit = json.loads(inside("search", "dushanbe", "--json", "--index", filled).stdout)["hits"][
            0
        ]
        for id in (hit["id"], hit["id"][:8]):
            shown = inside("show", id, "--json", "--index", filled)
            assert json.loads(shown.stdout)["body"] == "The Ministry of Labour opened a centre."
        plain = inside("show", hit["id"], "--index", filled).stdout
        assert plain.startswith("Title: Migrant Resource Centre opens in Dushanbe\n")
        page = inside("show", hit["id"], "--index", filled, "--format", "page").stdout
        assert "published  " in page

    def test_show_what_is_not_there(self, filled: Path) -> None:
        done = program("show", "ffffffffffffffff", "--index", filled)
        assert (done.returncode, done.stdout) == (2, "")
        assert re.fullmatch(r"searchfeed: .*ffffffffffffffff.*\n", done.stderr)

    def test_feeds(self, filled: Path) -> None:
        columns = inside("feeds", "--index", filled).stdout.rstrip("\n").split("\t")
        assert columns[1:4] == ["Border News", "5", "2020-08-15T10:00:00Z"]
        (known,) = json.loads(inside("feeds", "--json", "--index", filled).stdout)["feeds"]
        assert known["entries"] == 5

    def test_stats(self, filled: Path) -> None:
        state = json.loads(inside("stats", "--json", "--index", filled).stdout)
        assert (state["feeds"], state["entries"]) == (1, 5)
        assert state["path"] == str(filled)
        assert "entries\t5\n" in inside("stats", "--index", filled).stdout


class TestHelp:
    def test_every_command_has_help_with_examples(self) -> None:
        for name, command in cli.app.commands.items():
            shown = inside(name, "--help")
            assert shown.returncode == 0
            assert "Examples:\n    searchfeed" in shown.stdout, name
            assert command.get_short_help_str(60)[-3:] != "...", name

    def test_help_of_a_topic(self) -> None:
        assert inside("help").stdout == inside("--help").stdout == inside().stdout
        assert inside("help", "search").stdout == inside("search", "--help").stdout
        assert json.loads(inside("help", "json").stdout)["title"]
        assert "title:" in inside("help", "query").stdout
        assert program("help", "nonsense").returncode == 2

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["serch", "x"], "no command 'serch'; did you mean: searchfeed search"),
            (["migrant", "x"], "to look for it: searchfeed search migrant x"),
            (["search", "x", "--limt", "3"], "'--limit'"),
            (["search", "x", "-n", "0"], "0 is not in the range"),
            (["search", "x", "--format", "yaml"], "'yaml' is not one of"),
            (["--indx", "x", "search", "y"], "'--index'"),
            (["index"], "Missing argument"),
            (["show"], "Missing argument"),
        ],
    )
    def test_wrong_use_is_a_line_and_where_to_read_on(
        self, arguments: list[str], said: str
    ) -> None:
        done = program(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        first, second = done.stderr.splitlines()
        assert first.startswith("searchfeed: ")
        assert said in first
        assert re.fullmatch(r"how to use it: searchfeed.* --help", second)

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_completion(self, shell: str) -> None:
        assert "_SEARCHFEED_COMPLETE" in inside("completion", shell).stdout

    def test_what_completion_answers(self) -> None:
        words = {"COMP_WORDS": "searchfeed search -x --li", "COMP_CWORD": "3"}
        done = program(_SEARCHFEED_COMPLETE="bash_complete", **words)
        assert done.stdout == "plain,--limit\n"

    def test_version(self) -> None:
        assert re.fullmatch(r"searchfeed \d+\.\d+\.\d+\S*\n", program("--version").stdout)


class TestErrors:
    def test_no_index(self, tmp_path: Path) -> None:
        for arguments in (["search", "x"], ["show", "x"], ["feeds"], ["stats"], ["rebuild"]):
            done = program("--index", tmp_path / "none", *arguments)
            assert (done.returncode, done.stdout) == (2, ""), arguments
            assert re.fullmatch(r"searchfeed: .*searchfeed index.*\n", done.stderr)
        assert not (tmp_path / "none").exists()

    def test_where_the_index_is(self, filled: Path, tmp_path: Path) -> None:
        assert program("search", "silk", SEARCHFEED_INDEX=str(filled)).returncode == 0
        named = program("--index", filled, "search", "silk", SEARCHFEED_INDEX=str(tmp_path / "no"))
        assert named.returncode == 0
        home = program("search", "silk", XDG_DATA_HOME=str(tmp_path))
        assert home.returncode == 2
        assert str(tmp_path / "searchfeed") in home.stderr

    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (EntryNotFoundError("no entry x"), "searchfeed: no entry x\n"),
            (
                QueryError("a b:c", 2, 5, "no field b", "body:c"),
                "searchfeed: no field b; did you mean body:c?\n  a b:c\n    ^^^\n",
            ),
            (
                ZeroDivisionError("oh"),
                (
                    "searchfeed: this is a bug in searchfeed: ZeroDivisionError: oh; "
                    "SEARCHFEED_DEBUG=1 shows where it is\n"
                ),
            ),
        ],
    )
    def test_never_a_traceback(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        error: Exception,
        expected: str,
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(Index, "search", fail)
        monkeypatch.delenv("SEARCHFEED_DEBUG", raising=False)
        assert cli.run(["search", "x"]) == 2
        assert capsys.readouterr().err == expected
        monkeypatch.setenv("SEARCHFEED_DEBUG", "1")
        with pytest.raises(type(error)):
            cli.run(["search", "x"])


class TestPipes:
    @pytest.mark.parametrize("name", ["table", "plain"])
    def test_a_closed_pipe_ends_quietly(self, filled: Path, name: str) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            [*PROGRAM, "--index", str(filled), "search", "silk", "--format", name],
            stdout=writer,
            stderr=subprocess.PIPE,
            env=environment(),
            timeout=60,
        )
        os.close(writer)
        assert (done.returncode, done.stderr) == (0, b"")

    def test_a_full_disk_is_an_error(self, filled: Path) -> None:
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [*PROGRAM, "--index", str(filled), "search", "silk"],
                stdout=full,
                stderr=subprocess.PIPE,
                env=environment(),
                text=True,
            )
        assert done.returncode == 2
        assert done.stderr == "searchfeed: cannot write the output: No space left on device\n"

    def test_closed_streams(self, filled: Path) -> None:
        command = f"{' '.join(PROGRAM)} --index {filled} search silk"
        for closed, code in ((">&-", 0), ("2>&-", 0), (">&- 2>&-", 0)):
            done = subprocess.run(["sh", "-c", f"{command} {closed}"], env=environment())
            assert done.returncode == code

    @pytest.mark.parametrize("encoding", ["ascii", "utf-16"])
    def test_an_encoding_that_lacks_characters(self, filled: Path, encoding: str) -> None:
        for name in ("plain", "table", "json"):
            done = subprocess.run(
                [*PROGRAM, "--index", str(filled), "search", "地震", "--format", name],
                capture_output=True,
                env=environment(PYTHONIOENCODING=encoding),
            )
            assert (done.returncode, done.stderr) == (0, b"")
            if name == "json":
                title = json.loads(done.stdout.decode(encoding))["hits"][0]["title"]
                assert title == "東京で地震"


class TestTerminal:
    def test_a_table_with_links_and_highlights(self, filled: Path) -> None:
        text, code = in_terminal("--index", filled, "search", "dushanbe")
        assert code == 0
        assert "\x1b[1;31mDushanbe\x1b[0m" in text
        assert "\x1b]8;id=" in text
        assert re.search(r"1 entry in [\d.]+ m?s", text)

    @pytest.mark.parametrize("columns", [80, 200])
    def test_the_width_is_that_of_the_terminal(self, filled: Path, columns: int) -> None:
        text, _ = in_terminal("--index", filled, "search", "silk", columns=columns, NO_COLOR="1")
        assert max(map(len, text.splitlines())) <= columns
        assert ("Border News · 1" in text) == (columns == 80)

    @pytest.mark.parametrize(
        ("arguments", "changes"),
        [
            (["search", "silk"], {"NO_COLOR": "1"}),
            (["search", "silk"], {"TERM": "dumb"}),
            (["search", "silk"], {"TERM": ""}),
            (["search", "date:garbage"], {"NO_COLOR": "1"}),
            (["feeds"], {"NO_COLOR": "1"}),
            (["stats"], {"TERM": "dumb"}),
            (["--help"], {"NO_COLOR": "1"}),
            (["serch"], {"TERM": "dumb"}),
        ],
    )
    def test_no_escape_where_none_is_wanted(
        self, filled: Path, arguments: list[str], changes: dict[str, str]
    ) -> None:
        text, _ = in_terminal("--index", filled, *arguments, columns=80, **changes)
        assert text
        assert "\x1b" not in text

    def test_no_escape_into_a_pipe(self, filled: Path) -> None:
        done = program("--index", filled, "search", "silk", "--format", "table")
        assert "Border News · 1" in done.stdout
        assert "\x1b" not in done.stdout + done.stderr

    def test_color_that_is_asked_for(self, filled: Path) -> None:
        table = ["--index", str(filled), "search", "silk", "--format", "table"]
        assert "\x1b[" in program(*table, "--color", "always", NO_COLOR="1").stdout
        assert "\x1b" not in in_terminal(*table, "--color", "never")[0]

    def test_indexing_draws_bars_and_takes_them_away(self, tmp_path: Path, source: Path) -> None:
        text, code = in_terminal("--index", tmp_path / "i", "index", source)
        assert code == 0
        assert "reading" in text
        assert text.rstrip().splitlines()[-1].endswith("s")
        quiet, _ = in_terminal("--index", tmp_path / "j", "index", source, "-q")
        assert quiet == ""
        plain, _ = in_terminal("--index", tmp_path / "k", "index", source, NO_COLOR="1")
        assert "\x1b" not in plain
        assert "5 added" in plain

    def test_hostile_text_stays_text(self, tmp_path: Path) -> None:
        hostile = [("[bold]x[/red] &#27;[31m&#155;2J @click", "&#27;]52;c;eA==&#7; body", 11)]
        program("--index", tmp_path / "i", "index", "-", standard_input=feed(hostile))
        text, code = in_terminal("--index", tmp_path / "i", "search", "body")
        assert code == 0
        assert "[bold]x[/red]" in text
        assert "\x1b]52" not in text
        assert "\x9b" not in text


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--version"], {"rich", "whoosh", "numpy", "platformdirs"}),
        (["--help"], {"rich", "whoosh", "numpy", "platformdirs"}),
        (["search", "silk", "--json"], {"rich", "feedparser", "html2text", "platformdirs"}),
        (["search", "silk"], {"rich", "feedparser", "html2text", "platformdirs"}),
    ],
)
def test_a_command_loads_only_what_it_uses(
    filled: Path, arguments: list[str], unwanted: set[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "searchfeed", *arguments],
        capture_output=True,
        encoding="utf-8",
        env=environment(SEARCHFEED_INDEX=str(filled)),
    )
    loaded = {
        line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()
    }
    assert done.returncode == 0
    assert "click" in loaded
    assert not loaded & unwanted
