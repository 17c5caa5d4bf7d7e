"""``searchfeed feeds``: what is subscribed to, named, tagged, and handed to other programs."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from importlib.resources import files
from io import StringIO
from pathlib import Path

import click
import pytest

from searchfeed import Index, cli
from searchfeed.cli import streams
from tests.loopback import Answer, Web

jsonschema = import_module("jsonschema")


def rss(title: str, *entries: str) -> bytes:
    items = "".join(f"<item><title>{each}</title><guid>{each}</guid></item>" for each in entries)
    return f"<rss version='2.0'><channel><title>{title}</title>{items}</channel></rss>".encode()


class Program:
    """The command line, in this process, on one index."""

    def __init__(self, index: Path) -> None:
        self.index = index

    def __call__(self, *arguments: str) -> str:
        """What a command that ends well writes to stdout; what it says is in ``said``."""
        code, output, self.said = self.run(*arguments)
        assert code == 0, self.said
        return output

    def run(self, *arguments: str) -> tuple[int, str, str]:
        output, errors = StringIO(), StringIO()
        with redirect_stdout(output), redirect_stderr(errors):
            code = cli.run(["--index", str(self.index), *arguments])
        return code, output.getvalue(), errors.getvalue()

    def fails(self, *arguments: str) -> str:
        code, output, errors = self.run(*arguments)
        assert (code, output) == (2, "")
        return errors


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    monkeypatch.setenv("SEARCHFEED_ALLOW_PRIVATE", "1")
    monkeypatch.setenv("SEARCHFEED_WORKERS", "0")
    return Program(tmp_path / "index")


@pytest.fixture
def filled(program: Program, web: Web) -> Program:
    """With two subscriptions, of one and of two entries."""
    web.publish("/border", rss("Border News", "ferry", "storm"))
    web.publish("/harbour", rss("Harbour Notes", "herring"))
    program("feeds", "add", web.url("/border"), web.url("/harbour"))
    return program


def titles(program: Program, *query: str) -> list[str]:
    output = program.run("search", "--json", *query)[1]
    return [hit["title"] for hit in json.loads(output)["hits"]]


def test_the_list_in_every_format(filled: Program, web: Web) -> None:
    filled.run("index", web.url("/missing"))
    plain = [row.split("\t") for row in filled("feeds").splitlines()]
    assert [(row[0], row[1], row[2], row[5]) for row in plain] == [
        (web.url("/border"), "Border News", "2", "active"),
        (web.url("/harbour"), "Harbour Notes", "1", "active"),
        (web.url("/missing"), "", "0", "active"),
    ]
    assert "404" in plain[2][7]
    document = json.loads(filled("feeds", "--json"))
    schema = json.loads(files("searchfeed.output").joinpath("schema.json").read_text("utf-8"))
    jsonschema.validate(document, {**schema, "$ref": "#/$defs/feeds_document"} | {"required": []})
    assert document["feeds"][0]["subscription"]["state"] == "active"
    assert len(filled("feeds", "--format", "ndjson").splitlines()) == 3
    assert filled("feeds", "--format", "csv").startswith("url,title,")
    table = filled("feeds", "--format", "table")
    assert f"2  Border News  no dates\n   {web.url('/border')} · read just now, due now\n" in table
    assert "   failed just now: " in table


def test_adding_gives_tags_and_takes_pages(program: Program, web: Web) -> None:
    web.publish("/feed", rss("Harbour Notes", "herring"))
    page = b"<html><head><link rel=alternate type=application/rss+xml href=/feed></head></html>"
    web.play("/", Answer(body=page))
    program("feeds", "add", web.url("/"), "--tag", "sea", "--tag", "work")
    (feed,) = json.loads(program("feeds", "--json"))["feeds"]
    assert (feed["url"], feed["tags"]) == (web.url("/feed"), ["sea", "work"])
    assert titles(program, "tag:sea") == ["herring"]
    assert "not a whole" in program.fails("feeds", "add", "example.org/feed")


def test_names_and_tags_are_found_at_once(filled: Program) -> None:
    filled("feeds", "rename", "border", "Grenze")
    assert titles(filled, "feed:grenze", "ferry") == ["ferry"]
    filled("feeds", "tag", "grenze", "news", "+work", "-old")
    assert filled.said == "Grenze: news, work\n"
    assert sorted(titles(filled, "tag:news")) == ["ferry", "storm"]
    filled("feeds", "tag", "grenze", "-news", "-work")
    assert filled.said == "Grenze: no tags\n"
    assert titles(filled, "tag:news") == []
    filled("feeds", "rename", "grenze", "")
    assert filled.said.endswith(": now called Border News\n")
    assert "a tag is empty" in filled.fails("feeds", "tag", "border", "+")


def test_a_feed_that_is_removed_keeps_its_entries(filled: Program, web: Web) -> None:
    filled("feeds", "remove", "border", "harbour")
    assert filled.said == (
        "Border News: removed, 2 entries kept\nHarbour Notes: removed, 1 entry kept\n"
    )
    assert titles(filled, "ferry") == ["ferry"]
    assert [row.split("\t")[5] for row in filled("feeds").splitlines()] == ["file", "file"]
    filled("update")
    assert filled.said.startswith("there is no feed to fetch")
    assert len(web.requests) == 2


def test_entries_go_only_where_that_is_said_twice(
    filled: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = filled.fails("feeds", "remove", "border", "--entries")
    assert said.startswith("searchfeed: there is nobody to ask; to take entries out, give --yes\n")
    monkeypatch.setattr(streams, "is_terminal", lambda _: True)
    monkeypatch.setattr("sys.stdin", StringIO("n\n"))
    code, _, said = filled.run("-q", "feeds", "remove", "border", "--entries")
    assert (code, said) == (1, "take out Border News with 2 entries for good? [y/N]: ")
    monkeypatch.undo()
    assert titles(filled, "ferry") == ["ferry"]
    filled("feeds", "remove", "border", "--entries", "--yes")
    assert filled.said == "Border News: removed, 2 entries taken out\n"
    assert titles(filled, "ferry") == []
    assert len(filled("feeds").splitlines()) == 1


def test_export_is_what_index_takes(filled: Program, tmp_path: Path) -> None:
    filled("feeds", "tag", "border", "news", "far away")
    filled("feeds", "rename", "harbour", "<Häfen> & more")
    file = tmp_path / "list.opml"
    filled("feeds", "export", str(file))
    assert filled.said == f"{file}: 2 feeds\n"
    assert filled("feeds", "export").encode() == file.read_bytes()
    other = Program(tmp_path / "other")
    other("index", str(file))
    kept = [
        [(feed["url"], feed["title"], sorted(feed["tags"])) for feed in document["feeds"]]
        for document in (json.loads(each("feeds", "--json")) for each in (filled, other))
    ]
    assert sorted(kept[0]) == sorted(kept[1])
    nowhere = tmp_path / "none" / "list"
    said = f"searchfeed: cannot write {nowhere}: No such file or directory\n"
    assert filled.fails("feeds", "export", str(nowhere)) == said


def test_a_name_that_fits_none_or_many(filled: Program) -> None:
    assert "near it are Border News (" in filled.fails("feeds", "rename", "Bordr News", "x")
    assert "more than one feed is called" in filled.fails("feeds", "tag", "127.0.0.1", "x")
    said = filled.fails("feeds", "remove", "border", "nowhere")
    assert said.startswith("searchfeed: no feed is called 'nowhere'")
    assert len(filled("feeds").splitlines()) == 2


def test_a_command_that_there_is_not(filled: Program) -> None:
    assert "no command 'renam'; did you mean: searchfeed feeds rename" in (
        filled.fails("feeds", "renam", "x")
    )
    assert "there are: add, remove, rename, tag, export" in filled.fails("feeds", "xyzzy")


def test_every_command_has_help_with_examples(program: Program) -> None:
    group = cli.app.commands["feeds"]
    assert isinstance(group, click.Group)
    for name, command in group.commands.items():
        assert f"Examples:\n    searchfeed feeds {name}" in program("feeds", name, "--help")
        assert command.get_short_help_str(60)[-3:] != "...", name


def test_the_shell_completes_feeds(filled: Program, web: Web) -> None:
    def completed(line: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-m", "searchfeed"],
            env={
                "PATH": "",
                "SEARCHFEED_INDEX": str(filled.index),
                "_SEARCHFEED_COMPLETE": "bash_complete",
                "COMP_WORDS": f"searchfeed {line}",
                "COMP_CWORD": str(len(line.split(" "))),
            },
            capture_output=True,
            text=True,
        )
        return [row.partition(",")[2] for row in done.stdout.splitlines()]

    border, harbour = (f"127.0.0.1:{web.port}/{name}" for name in ("border", "harbour"))
    assert completed("update 12") == [border, harbour]
    assert completed("feeds rename Harb") == [harbour]
    assert completed(f"feeds remove {web.url('/b')}") == [web.url("/border")]
    with Index(filled.index) as index:
        index.unsubscribe("border")
    assert completed("update 12") == [harbour]
    assert completed("feeds tag 12") == [border, harbour]
