"""Completion in shells: what the program answers, and what becomes of it in real ones."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchfeed.cli.shells import Typed, read
from searchfeed.index import Index

ROOT = Path(__file__).parents[1]
ENTRY = """<item><title>{title}</title><guid>{title}</guid><category>{tag}</category>
<description>{title}</description></item>"""
FEED = """<rss version="2.0"><channel><title>{0}</title><link>https://{1}/</link>
<description>d</description>{2}</channel></rss>"""
ENTRIES = [
    ("Camels", "economic policy"),
    ("Caravans", "economy"),
    ("Silk", "déjà vu"),
    ("Spice", "C++"),
    ("Salt", "it's $HOME"),
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("completion")
    entries = "".join(ENTRY.format(title=title, tag=tag) for title, tag in ENTRIES)
    (folder / "a.xml").write_text(FEED.format("Border &amp; News", "b.example", entries))
    (folder / "b.xml").write_text(
        FEED.format("Trade's Journal", "t.example", ENTRY.format(title="Tea", tag="drinks"))
    )
    with Index(folder / "index") as index:
        assert index.update([folder / "a.xml", folder / "b.xml"]).added == len(ENTRIES) + 1
        index.save("silk-roads", "silk")
    return folder / "index"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, index: Path) -> Path:
    """A home with the program in it, under its own name."""
    home = tmp_path_factory.mktemp("home")
    program = home / "bin" / "searchfeed"
    program.parent.mkdir()
    program.write_text(
        f"#!/bin/sh\nexport PYTHONPATH={shlex.quote(str(ROOT))}\n"
        f'exec {shlex.quote(sys.executable)} -m searchfeed "$@"\n'
    )
    program.chmod(0o755)
    (home / "feeds").symlink_to(index)
    return home


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    return {
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        **kept,
        "PATH": f"{home / 'bin'}:{kept['PATH']}",
        "HOME": str(home),
        "SEARCHFEED_INDEX": str(home / "feeds"),
        **more,
    }


class Shell:
    """An interactive shell, in which keys are typed and the line is looked at.

    Args:
        home: see ``home``.
        command: starts it, without the user's own settings.
        settings: typed at first; they let Control-G show the line between angles, and empty it.
    """

    def __init__(self, home: Path, command: list[str], settings: str) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment(home, PS1="", HISTFILE="", INPUTRC="/dev/null", ZDOTDIR=str(home)),
            cwd=home,
            start_new_session=True,
        )
        os.close(slave)
        for line in settings.splitlines():
            os.write(self._master, f"{line}\n".encode())
        self._read(r"ready")

    def line(self, keys: str) -> str:
        """The line after these keys and a Tab."""
        os.write(self._master, f"{keys}\t\x07".encode())
        return self._read(r"<<(.*)>>")[1]

    def choices(self, keys: str) -> list[str]:
        """What is listed at the second Tab."""
        os.write(self._master, f"{keys}\t\t\x07".encode())
        seen = self._read(r"(.*)<<.*>>")[1]
        listed = [row for row in seen.splitlines() if "  " in row or not row.startswith("search")]
        return [each for row in listed for each in re.split(r"\s{2,}", row.strip()) if each]

    def close(self) -> None:
        self._process.kill()
        self._process.wait(10)
        os.close(self._master)

    def _read(self, pattern: str) -> re.Match[str]:
        seen = b""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if select.select([self._master], [], [], 0.2)[0]:
                seen += os.read(self._master, 65536)
                if found := re.search(pattern, seen.decode("utf-8", "replace"), re.DOTALL):
                    return found
        raise AssertionError(f"no {pattern} in {seen!r}")


BASH = r"""
stty -echo cols 200; bind 'set completion-query-items 0'
bind 'set bell-style none'; bind 'set page-completions off'
bind -x '"\C-g": printf "<<%s>>" "$READLINE_LINE"; READLINE_LINE='
source <(searchfeed completion bash); printf 'rea''dy'
"""
ZSH = r"""
PROMPT= RPROMPT=; unsetopt zle_bracketed_paste prompt_cr prompt_sp; stty -echo cols 200
autoload -U compinit; compinit -u -D; setopt no_beep no_list_beep
show() { print -rn -- "<<$BUFFER>>"; BUFFER= }; zle -N show; bindkey '^G' show
source <(searchfeed completion zsh); print rea''dy
"""


@pytest.fixture(scope="module")
def bash(home: Path) -> Iterator[Shell]:
    yield from interactive(home, ["bash", "--norc", "--noprofile", "-i"], BASH)


@pytest.fixture(scope="module")
def zsh(home: Path) -> Iterator[Shell]:
    yield from interactive(home, ["zsh", "-f", "-i"], ZSH)


def interactive(home: Path, command: list[str], settings: str) -> Iterator[Shell]:
    if shutil.which(command[0]) is None:
        pytest.skip(f"there is no {command[0]} here")
    shell = Shell(home, command, settings)
    yield shell
    shell.close()


LINES = [
    # Commands, their commands, options, and what these take.
    ("searchfeed hist", "searchfeed history "),
    ("searchfeed feeds ren", "searchfeed feeds rename "),
    ("searchfeed config show search.li", "searchfeed config show search.limit "),
    ("searchfeed search --form", "searchfeed search --format "),
    ("searchfeed search --format nd", "searchfeed search --format ndjson "),
    ("searchfeed search --format=nd", "searchfeed search --format=ndjson "),
    ("searchfeed completion fi", "searchfeed completion fish "),
    # Words and fields; a value follows behind a colon at once.
    ("searchfeed search silk carav", "searchfeed search silk caravans "),
    ("searchfeed search ti", "searchfeed search title:"),
    ("searchfeed search -tit", "searchfeed search -title:"),
    ("searchfeed search tag:dr", "searchfeed search tag:drinks "),
    ("searchfeed search -tag:dr", "searchfeed search -tag:drinks "),
    ("searchfeed search is:", "searchfeed search is:updated "),
    ("searchfeed search @si", "searchfeed search @silk-roads "),
    ("searchfeed trend -tag:dr", "searchfeed trend -tag:drinks "),
    ("searchfeed explain 5ad0 carav", "searchfeed explain 5ad0 caravans "),
    # The query needs quotes around a value with spaces, and the shell quotes around those.
    ("searchfeed search tag:déjà", r"searchfeed search tag:\"déjà\ vu\" "),
    ("searchfeed search tag:economic", r"searchfeed search tag:\"economic\ policy\" "),
    (r"searchfeed search tag:\"economic\ p", r"searchfeed search tag:\"economic\ policy\" "),
    ("searchfeed search 'tag:economic", """searchfeed search 'tag:"economic policy"' """),
    ("""searchfeed search 'tag:"economic p""", """searchfeed search 'tag:"economic policy"' """),
    ('searchfeed search tag:"economic', r'searchfeed search tag:"\"economic policy\"" '),
    ("searchfeed search tag:it", r"searchfeed search tag:\"it\'s\ \$HOME\" "),
    ("searchfeed search 'tag:it", r"""searchfeed search 'tag:"it'\''s $HOME"' """),
    ("searchfeed search tag:c+", "searchfeed search tag:C++ "),
    # Feeds, whole.
    ("searchfeed search --feed bor", r"searchfeed search --feed Border\ \&\ News "),
    ("searchfeed search --feed 'bor", "searchfeed search --feed 'Border & News' "),
    ("searchfeed search --feed jour", r"searchfeed search --feed Trade\'s\ Journal "),
    # The program's own options, and where another index is.
    ("searchfeed --index ~/feeds search carav", "searchfeed --index ~/feeds search caravans "),
    ("searchfeed --index ~/none search carav", "searchfeed --index ~/none search carav"),
    ("cd . && searchfeed search carav", "cd . && searchfeed search caravans "),
]


class TestBash:
    @pytest.mark.parametrize(("keys", "line"), LINES)
    def test_what_a_tab_makes_of_a_line(self, bash: Shell, keys: str, line: str) -> None:
        assert bash.line(keys) == line

    def test_the_line_finds_what_was_completed(self, bash: Shell, home: Path) -> None:
        line = bash.line("searchfeed search tag:economic")
        found = subprocess.run(
            ["bash", "-c", line], capture_output=True, text=True, env=environment(home)
        )
        assert "Camels" in found.stdout, found.stderr

    def test_what_is_listed(self, bash: Shell) -> None:
        choices = bash.choices("searchfeed search tag:econ")
        assert sorted(choices) == [r"\"economic\ policy\"", "economy"]

    def test_the_cursor_in_the_middle_of_the_line(self, bash: Shell) -> None:
        assert bash.line("searchfeed hist silk\x1bb\x1b[D") == "searchfeed history silk"


def answers(home: Path, line: str, shell: str) -> list[str]:
    """What the program answers a shell."""
    words = line.split(" ")
    cursor = words[-1] if shell == "fish" else str(len(words) - 1)
    done = subprocess.run(
        [sys.executable, "-m", "searchfeed"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(
            home, COMP_WORDS=line, COMP_CWORD=cursor, _SEARCHFEED_COMPLETE=f"{shell}_complete"
        ),
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


class TestZsh:
    @pytest.mark.parametrize(
        ("keys", "line"),
        [
            ("searchfeed hist", "searchfeed history "),
            ("searchfeed feeds ren", "searchfeed feeds rename "),
            ("searchfeed search --form", "searchfeed search --format "),
            ("searchfeed search --format nd", "searchfeed search --format ndjson "),
            ("searchfeed search silk carav", "searchfeed search silk caravans "),
            ("searchfeed search ti", "searchfeed search title:"),
            ("searchfeed search tag:dr", "searchfeed search tag:drinks "),
            ("searchfeed search @si", "searchfeed search @silk-roads "),
            ("searchfeed search tag:economic", r"searchfeed search tag:\"economic\ policy\" "),
            ("searchfeed search 'tag:economic", """searchfeed search 'tag:"economic policy"' """),
            ("searchfeed search --feed bor", r"searchfeed search --feed Border\ \&\ News "),
            (
                "searchfeed feeds remove https://t",
                r"searchfeed feeds remove https://t.example/\#Trade\'s\ Journal ",
            ),
        ],
    )
    def test_what_a_tab_makes_of_a_line(self, zsh: Shell, keys: str, line: str) -> None:
        assert zsh.line(keys) == line


class TestOtherShells:
    """zsh and fish take a word as it is and quote what they put in; they ask the same."""

    def test_what_is_answered(self, home: Path) -> None:
        assert answers(home, "searchfeed search tag:economic", "fish") == [
            'plain,tag:"economic policy"'
        ]
        assert answers(home, "searchfeed search tag:economic", "zsh") == [
            "plain",
            'tag:"economic policy"',
            "_",
        ]
        # The script of the first release, in bash.
        assert answers(home, "searchfeed search carav", "bash") == ["plain,caravans"]

    def test_a_broken_config_file_is_not_told_while_somebody_types(self, home: Path) -> None:
        (home / ".config" / "searchfeed").mkdir(parents=True)
        file = home / ".config" / "searchfeed" / "config.toml"
        file.write_text("[")
        try:
            assert answers(home, "searchfeed search carav", "fish") == [""]
            assert answers(home, "searchfeed search --feed b", "zsh") == [""]
            assert answers(home, "searchfeed sea", "fish")
        finally:
            file.unlink()

    @pytest.mark.parametrize("shell", ["zsh", "fish"])
    def test_the_script_is_one(self, home: Path, shell: str) -> None:
        script = subprocess.run(
            ["searchfeed", "completion", shell],
            capture_output=True,
            text=True,
            env=environment(home),
        ).stdout
        assert f"{shell}_complete" in script
        if shell == "fish":
            assert 'string split --max 1 "," $completion' in script
        if shutil.which(shell) is None:
            pytest.skip(f"there is no {shell} here to read it")
        done = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize(
        ("line", "completions"),
        [
            ("searchfeed search tag:economic", ['tag:"economic policy"']),
            ("searchfeed search carav", ["caravans"]),
            ("searchfeed search @si", ["@silk-roads"]),
            ("searchfeed search --feed bor", ["Border & News"]),
        ],
    )
    def test_fish(self, home: Path, line: str, completions: list[str]) -> None:
        if shutil.which("fish") is None:
            pytest.skip("there is no fish here")
        code = f"searchfeed completion fish | source; complete -C {shlex.quote(line)}"
        done = subprocess.run(
            ["fish", "--no-config", "-c", code],
            capture_output=True,
            text=True,
            env=environment(home),
        )
        assert [row.partition("\t")[0] for row in done.stdout.splitlines()] == completions


class TestReading:
    @given(words=st.lists(st.text(max_size=8), max_size=4), last=st.text(max_size=8))
    @settings(max_examples=200, deadline=None)
    def test_a_line_is_read_as_a_shell_reads_it(self, words: list[str], last: str) -> None:
        typed = read(" ".join(map(shlex.quote, [*words, last])))
        assert typed == Typed((*words,), last, typed.kept)

    @given(start=st.text(max_size=6), rest=st.text(max_size=6), quote=st.sampled_from(["'", '"']))
    @settings(max_examples=200, deadline=None)
    def test_what_is_put_in_is_the_completion(self, start: str, rest: str, quote: str) -> None:
        """In the place of what bash replaces it makes the completion of the argument."""
        start = start.replace("'", "")
        completion = start + rest
        raw = re.sub(r'["\\$`]', r"\\\g<0>", start) if quote == '"' else start
        line = f"search tag:{quote}{raw}"
        typed = read(line)
        assert (typed.word, typed.quote) == (f"tag:{start}", quote)
        written = typed.written(f"tag:{completion}")
        assert written is not None
        # Readline adds the closing quote, unless the last character looks like one already.
        closing = "" if written.endswith(quote) else quote
        closed = read(f"search tag:{quote}{written}{closing} ")
        assert closed.words == ("search", f"tag:{completion}")

    @given(text=st.text(max_size=20))
    @settings(max_examples=300, deadline=None)
    def test_whatever_was_typed_is_read(self, text: str) -> None:
        typed = read(text)
        assert 0 <= typed.kept <= len(typed.word)
        assert typed.written(typed.word) is not None
