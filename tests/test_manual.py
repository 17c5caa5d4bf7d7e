"""The man page: that it says what the commands say now, and that it is one."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator

import click
import pytest

from docs import manual
from searchfeed import cli


def commands(
    group: click.Group = cli.app, path: str = "searchfeed"
) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


def test_the_page_is_what_the_commands_say() -> None:
    assert manual.PAGE.read_text(encoding="ascii") == manual.page(), "it is old: make man"


def test_every_command_with_its_options_is_told() -> None:
    page = manual.page()
    for path, command in commands():
        _, _, rest = page.partition(f'.SS "{path} '.replace("-", r"\-"))
        assert rest, path
        told = re.split(r"^\.S[SH] ", rest, flags=re.MULTILINE)[0]
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert option.opts[-1].replace("-", r"\-") in told, (path, option.name)


@pytest.mark.parametrize("text", [".dot", "'quote", 'a "b" \\n c', "--x", "é ~ ^ `", ". "])
def test_any_text_is_printed_as_it_is(text: str) -> None:
    if shutil.which("groff") is None:
        pytest.skip("there is no groff here")
    source = f".TH X 1\n.nf\n{manual._text(text, wrap=False)}\n.fi\n"
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-P-c"], input=source, capture_output=True, text=True
    )
    assert done.stderr == ""
    assert text.strip() in [row.strip() for row in done.stdout.splitlines()]


def test_it_is_set_without_a_warning() -> None:
    if shutil.which("groff") is None:
        pytest.skip("there is no groff here")
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-P-cbou", str(manual.PAGE)],
        capture_output=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "searchfeed search [OPTIONS] [QUERY]..." in done.stdout
    assert not re.search(r"^\.\w", done.stdout, re.MULTILINE)


def test_man_shows_it() -> None:
    if shutil.which("man") is None:
        pytest.skip("there is no man here")
    done = subprocess.run(
        ["man", "--warnings", "-l", str(manual.PAGE)], capture_output=True, encoding="utf-8"
    )
    if done.returncode:
        pytest.skip(f"man shows no file here: {done.stderr.strip()}")
    assert done.stderr == ""
    assert "searchfeed completion" in done.stdout
