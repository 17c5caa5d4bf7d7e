"""Names become sources, and sources give their bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from searchfeed.errors import FetchError
from searchfeed.sources import Outline, Source, expand
from searchfeed.sources import source as source_module

RSS = b'<?xml version="1.0"?><rss version="2.0"><channel><title>A</title></channel></rss>'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory: a folder ``feeds`` of feeds and other files."""
    files = {
        "feeds/b.xml": b"anything",
        "feeds/a/2.rss": RSS,
        "feeds/a/1.ATOM": RSS,
        "feeds/a/deep/feed": RSS,
        "feeds/c.json": b'{"version": "https://jsonfeed.org/version/1.1", "items": []}',
        "feeds/c.expected.json": b'{"entries": []}',
        "feeds/notes.txt": b"the feed of channel rss",
        "feeds/.hidden.xml": RSS,
        "feeds/.git/config.xml": RSS,
        "empty/readme.md": b"# nothing",
    }
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    monkeypatch.chdir(tmp_path)
    return tmp_path


ALL = ["feeds/a/1.ATOM", "feeds/a/2.rss", "feeds/a/deep/feed", "feeds/b.xml", "feeds/c.json"]


def names(*given: str | Path) -> list[str]:
    found = expand(given)
    assert (found.errors, found.outlines) == ([], [])
    return [source.name for source in found.sources]


def error(name: str) -> FetchError:
    found = expand([name])
    assert (found.sources, found.outlines) == ([], [])
    [error] = found.errors
    assert isinstance(error, FetchError)
    assert error.source == name
    return error


def test_a_named_file_is_always_taken(folder: Path) -> None:
    sources = expand(["./feeds/notes.txt", Path("feeds/.hidden.xml")]).sources
    assert sources == [
        Source("./feeds/notes.txt", str(folder / "feeds/notes.txt")),
        Source("feeds/.hidden.xml", str(folder / "feeds/.hidden.xml")),
    ]
    assert sources[0].read() == b"the feed of channel rss"


def test_a_folder_gives_what_looks_like_a_feed_in_sorted_order(folder: Path) -> None:
    assert names("feeds") == ALL
    assert names(folder / "feeds") == [str(folder / name) for name in ALL]


@pytest.mark.parametrize(
    ("start", "taken"),
    [
        (RSS, True),
        (RSS.decode().encode("utf-16"), True),
        (RSS.decode().encode("utf-32"), True),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'>", True),
        (b"<a:feed xmlns:a='http://www.w3.org/2005/Atom'>", True),
        (b"<rdf:RDF>", True),
        (b"<RDF:rdf\n>", True),
        (b"<CHANNEL HREF='x'>", True),
        (rb'{"version": "https:\/\/jsonfeed.org\/version\/1"}', True),
        (b" " * 1000 + b"<rss version='2.0'>", True),
        (b" " * 1024 + b"<rss version='2.0'>", False),
        (b"<feedback>", False),
        (b"<!doctype html><title>rss feed channel</title>", False),
        (b"", False),
    ],
)
def test_a_file_of_another_ending_is_taken_by_its_start(
    tmp_path: Path, start: bytes, taken: bool
) -> None:
    (tmp_path / "a.xml").write_bytes(b"")
    (tmp_path / "feed").write_bytes(start)
    assert (str(tmp_path / "feed") in names(tmp_path)) is taken


def test_each_file_comes_once_where_it_came_first(folder: Path) -> None:
    (folder / "link.xml").symlink_to("feeds/b.xml")
    found = names("link.xml", "feeds", "./feeds/b.xml", "feeds/a/../a/2.rss", "feeds/**/*.rss")
    assert found == ["link.xml", *(name for name in ALL if name != "feeds/b.xml")]


def test_a_link_keeps_its_own_name_but_not_that_of_its_folders(folder: Path) -> None:
    (folder / "newest.xml").symlink_to("feeds/b.xml")
    (folder / "elsewhere").symlink_to("feeds/a")
    assert expand(["newest.xml", "elsewhere/../c.json"]).sources == [
        Source("newest.xml", str(folder / "newest.xml")),
        Source("elsewhere/../c.json", str(folder / "feeds/c.json")),
    ]


def test_links_that_lead_back_up_end(folder: Path) -> None:
    for name in ("up", "a/up", "a/deep/up"):
        (folder / "feeds" / name).symlink_to(folder / "feeds")
    (folder / "feeds/self").symlink_to("self")
    (folder / "feeds/gone.xml").symlink_to("nowhere")
    assert names("feeds") == ALL
    assert names("feeds/**/*.rss") == ["feeds/a/2.rss"]


def test_a_linked_folder_is_walked(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "x.xml").write_bytes(RSS)
    (folder / "feeds/z").symlink_to(elsewhere)
    assert names("feeds") == [*ALL, "feeds/z/x.xml"]


def test_folders_deeper_than_the_stack_are_walked(tmp_path: Path) -> None:
    folders = [tmp_path]
    for _ in range(sys.getrecursionlimit() + 100):
        folders.append(folders[-1] / "d")
        folders[-1].mkdir()
    file = folders[-1] / "x.xml"
    file.write_bytes(RSS)
    found = names(tmp_path)
    # pytest could not delete them.
    file.unlink()
    for folder in reversed(folders):
        folder.rmdir()
    assert found == [str(file)]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("feeds/*.xml", ["feeds/b.xml"]),
        ("feeds/?.[jx]*", ["feeds/b.xml", "feeds/c.json"]),
        ("feeds/[a-b]/*.rss", ["feeds/a/2.rss"]),
        ("feeds/[!b].xml", None),
        ("*/*.txt", ["feeds/notes.txt"]),
        ("feeds/.*.xml", ["feeds/.hidden.xml"]),
        ("**/*.rss", ["feeds/a/2.rss"]),
        ("**/deep/**/feed", ["feeds/a/deep/feed"]),
        ("**", ALL),
        ("feeds/**", ALL),
        ("f*", ALL),
        ("*", ALL),
        ("empt*", None),
        ("nowhere/*.xml", None),
        ("feeds/b.xml/*", None),
    ],
)
def test_patterns(folder: Path, pattern: str, found: list[str] | None) -> None:
    if found is None:
        assert error(pattern).reason == "no feed matches this pattern"
    else:
        assert names(pattern) == found
        assert names(folder / pattern) == [str(folder / name) for name in found]


def test_a_file_of_that_very_name_wins_over_the_pattern(folder: Path) -> None:
    (folder / "feeds/[b].xml").write_bytes(RSS)
    (folder / "feeds/*.xml").write_bytes(RSS)
    assert names("feeds/[b].xml", "feeds/*.xml") == ["feeds/[b].xml", "feeds/*.xml"]


def test_tilde_is_the_home_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert expand(["~/feeds/b.xml"]).sources == [
        Source("~/feeds/b.xml", str(folder / "feeds/b.xml"))
    ]
    assert names("~/feeds/*.xml") == [str(folder / "feeds/b.xml")]
    assert error("~nobody-of-this-name/x").reason == "there is no such file or folder"


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("feeds/b.xlm", "did you mean feeds/b.xml?"),
        ("fedes/a/2.rss", "did you mean feeds/a/2.rss?"),
        ("fedes/q.rss", "did you mean feeds?"),
        ("feed", "did you mean feeds?"),
        ("quite/another", ""),
        ("a\0b/c", ""),
    ],
)
def test_a_name_that_is_not_there(folder: Path, name: str, remedy: str) -> None:
    assert error(name).reason == "there is no such file or folder"
    assert error(name).remedy == remedy


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("empty", "there is no feed in this folder"),
        ("ftp://example.org/feed.xml", "only http and https addresses are fetched"),
        ("feed:javascript://example.org/", "only http and https addresses are fetched"),
        ("https:///feed.xml", "it is not a whole address"),
        ("http://example.org:99999/", "it is not a whole address"),
        ("http://[/", "it is not a whole address"),
        ("broken.xml", "it is a link to a file that is not there"),
        ("pipe", "it is not a regular file"),
        ("/dev/zero", "it is not a regular file"),
        ("x" * 5000, "it cannot be read: file name too long"),
    ],
)
def test_names_that_cannot_be_used(folder: Path, name: str, reason: str) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "broken.xml").symlink_to("nowhere")
    assert error(name).reason == reason


# Feeds to be fetched


OPML = (
    b'<opml><outline text="x"><outline text="A" xmlUrl="http://a/"/></outline>'
    b'<outline text="B" xmlUrl="http://b/"/></opml>'
)
PAGE = b"""<!doctype html><title>P</title><base href="https://example.org/">
<link rel=alternate type=application/rss+xml href=comments/feed>
<link rel=alternate type=application/rss+xml href=feed>"""


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("http://example.org/feed?a=b#c", "http://example.org/feed?a=b#c"),
        ("HTTPS://user:secret@Example.org/x y", "https://user:secret@Example.org/x%20y"),
        ("feed:https://example.org/*.xml", "https://example.org/*.xml"),
        ("FEED://example.org/feed", "http://example.org/feed"),
    ],
)
def test_addresses(folder: Path, name: str, url: str) -> None:
    found = expand([name])
    assert (found.sources, found.errors) == ([], [])
    assert found.outlines == [Outline(url)]


@pytest.mark.parametrize("file", ["list.opml", "list.xml", "list"])
@pytest.mark.parametrize("name", ["{}", "{}*", "./{}"])
def test_a_list_of_feeds_that_is_named(folder: Path, file: str, name: str) -> None:
    (folder / file).write_bytes(OPML)
    found = expand([name.format(file)])
    assert (found.sources, found.errors) == ([], [])
    assert found.outlines == [Outline("http://a/", "A", ("x",)), Outline("http://b/", "B")]


def test_a_feed_that_is_named_twice_comes_once(folder: Path) -> None:
    (folder / "list.opml").write_bytes(OPML)
    (folder / "more.opml").write_bytes(OPML.replace(b'"x"', b'"y"'))
    assert expand(["http://b/", "list.opml", "more.opml", "list.opml", "http://b/"]).outlines == [
        Outline("http://b/", "B"),
        Outline("http://a/", "A", ("x", "y")),
    ]


def test_nothing_is_fetched_that_only_lies_in_a_folder(folder: Path) -> None:
    (folder / "feeds/list.opml").write_bytes(OPML)
    (folder / "feeds/page.html").write_bytes(PAGE)
    assert names("feeds") == ALL


def test_a_page_stands_for_its_main_feed(folder: Path) -> None:
    (folder / "page.html").write_bytes(PAGE)
    found = expand(["page.html", "feeds/b.xml"])
    assert [source.name for source in found.sources] == ["feeds/b.xml"]
    assert (found.outlines, found.errors) == ([Outline("https://example.org/feed")], [])


def test_a_page_that_announces_nothing_is_a_source_that_tells_so(folder: Path) -> None:
    (folder / "page.html").write_bytes(b"<!doctype html><title>no feed</title>")
    assert names("page.html") == ["page.html"]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"<opml><body/></opml>", "list.opml: there is no feed in this list"),
        (b"<opml>" + b"<outline text='x'>" * 20_000, "nested more than 100 deep"),
        (b"<!DOCTYPE opml [<!ENTITY x 'y'>]><opml>", "defines entities"),
    ],
)
def test_a_list_that_cannot_be_used(folder: Path, data: bytes, error: str) -> None:
    (folder / "list.opml").write_bytes(data)
    found = expand(["list.opml", "http://b/"])
    assert (found.sources, found.outlines) == ([], [Outline("http://b/")])
    assert len(found.errors) == 1
    assert error in str(found.errors[0])


def test_passwords_are_not_shown(folder: Path) -> None:
    for name in ("ftp://user:secret@x.org/", "https://user:se/cr@et@/", "http://u:secret@x.org:0/"):
        [error] = expand([name]).errors
        assert "cr" not in str(error)
        assert "…@" in str(error)


@pytest.mark.parametrize("name", ["www.example.org", "example.org/feed.xml", "blog.example.org/"])
def test_an_address_without_its_start(folder: Path, name: str) -> None:
    assert error(name).remedy == f"for an address write https://{name}"


# What goes wrong


def test_an_error_costs_nothing_else(folder: Path) -> None:
    found = expand(["gone.xml", "feeds/b.xml", "empty", "", "feeds/c.json", "x://x/", "http://x/"])
    assert [source.name for source in found.sources] == ["feeds/b.xml", "feeds/c.json"]
    assert [error.source for error in found.errors] == ["gone.xml", "empty", "''", "x://x/"]
    assert found.outlines == [Outline("http://x/")]


def test_pipes_in_a_folder_are_passed_over(folder: Path) -> None:
    os.mkfifo(folder / "feeds/pipe.xml")
    os.mkfifo(folder / "feeds/pipe")
    assert names("feeds") == ALL


def test_a_name_that_is_not_text_is_refused(folder: Path) -> None:
    (folder / "feeds" / os.fsdecode(b"\xff.xml")).write_bytes(RSS)
    found = expand(["feeds"])
    assert [source.name for source in found.sources] == ALL
    assert [str(error) for error in found.errors] == [
        "feeds/?.xml: its name is not valid UTF-8 (rename it)"
    ]


PRIVATE = """
import os, sys
from searchfeed.sources import expand
if os.geteuid() == 0:
    os.setuid(65534)
found = expand(sys.argv[1:])
print(*sorted(source.name for source in found.sources), *sorted(map(str, found.errors)), sep="\\n")
"""


def test_what_may_not_be_read_costs_nothing_else() -> None:
    # Not in tmp_path, to which the user nobody has no way.
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "feeds/deep").mkdir(parents=True)
        for file in ("feeds/a.xml", "feeds/b.xml", "feeds/notes.txt", "feeds/deep/feed"):
            (folder / file).write_bytes(RSS)
        closed = [folder / file for file in ("feeds/b.xml", "feeds/notes.txt", "feeds/deep")]
        for path in closed:
            path.chmod(0)
        run = subprocess.run(
            [sys.executable, "-c", PRIVATE, "feeds", "feeds/b.xml", "feeds/deep/feed"],
            capture_output=True,
            text=True,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )
        for path in closed:
            path.chmod(0o700)
    assert run.stderr == ""
    remedy = "it may not be read (check its permissions)"
    assert run.stdout.splitlines() == [
        "feeds/a.xml",
        f"feeds/b.xml: {remedy}",
        f"feeds/deep/feed: {remedy}",
        f"feeds/deep: {remedy}",
        f"feeds/notes.txt: {remedy}",
    ]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (os.mkfifo, "it is not a regular file"),
        (os.mkdir, "it is not a regular file"),
        (lambda path: None, "it cannot be read: no such file or directory"),
    ],
)
def test_a_file_that_became_something_else_is_refused_when_read(
    tmp_path: Path, make: object, reason: str
) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(RSS)
    [source] = expand([path]).sources
    path.unlink()
    assert callable(make)
    make(path)
    with pytest.raises(FetchError) as caught:
        source.read()
    assert caught.value.reason == reason


def test_a_device_is_refused_when_read() -> None:
    with pytest.raises(FetchError, match="not a regular file"):
        Source("/dev/zero", "/dev/zero").read()


def test_what_is_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(b"x" * 3_000_000)
    [source] = expand([path]).sources
    assert source.max_size == source_module.MAX_SIZE
    source = replace(source, max_size=3_000_000)
    assert len(source.read()) == 3_000_000
    with path.open("ab") as file:
        file.write(b"x")
    with pytest.raises(FetchError, match=r"more than 3 MB \(3.0 MB\).*index --large /.*a.xml"):
        source.read()
    largest = replace(source, max_size=source_module.LARGE_SIZE)
    assert len(largest.read()) == 3_000_001
    with path.open("r+b") as file:
        file.truncate(source_module.LARGE_SIZE + 1)
    with pytest.raises(FetchError, match=r"more than 100 MB .*divide it"):
        largest.read()


def test_what_comes_in_by_a_pipe_and_is_too_large_is_refused() -> None:
    script = (
        "from searchfeed.sources.source import Source, FetchError\n"
        "try: Source('-', '-', 3_000_000).read()\n"
        "except FetchError as error: print(error)"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], input=b"x" * 3_000_001, capture_output=True, timeout=60
    )
    assert b"-: not read, because it has more than 3 MB (if you trust it" in run.stdout


def expanded_with_stdin(*names: str, data: bytes = b"", closed: bool = False) -> list[Any]:
    """What names stand for in a process with this standard input: sources, URLs, errors."""
    script = (
        "import json, sys; from searchfeed.sources import expand\n"
        "found = expand(sys.argv[1:])\n"
        "sources = [[each.name, each.read().decode()] for each in found.sources]\n"
        "urls = [[each.url, each.tags] for each in found.outlines]\n"
        "print(json.dumps([sources, urls, [str(each) for each in found.errors]]))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, *names],
        input=None if closed else data,
        preexec_fn=(lambda: os.close(0)) if closed else None,
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    found: list[Any] = json.loads(run.stdout)
    return found


def test_the_standard_input() -> None:
    data = RSS * 5000
    assert expanded_with_stdin("-", "-", data=data) == [[["-", data.decode()]], [], []]
    assert expanded_with_stdin("-", closed=True) == [[], [], ["-: the standard input is closed"]]


def test_the_standard_input_may_be_a_list_or_a_page() -> None:
    outline = b'<outline text="news"><outline xmlUrl="https://a/feed"/></outline>'
    listed = b"<opml version='2.0'><body>" + outline + b"</body></opml>"
    assert expanded_with_stdin("-", data=listed) == [[], [["https://a/feed", ["news"]]], []]
    page = (
        b"<!doctype html><base href='https://b/'>"
        b"<link rel=alternate type='application/rss+xml' href=feed>"
    )
    assert expanded_with_stdin("-", data=page) == [[], [["https://b/feed", []]], []]
    silent = b"<!doctype html><p>Nothing is announced here."
    assert expanded_with_stdin("-", data=silent) == [[["-", silent.decode()]], [], []]


def test_a_file_named_like_the_standard_input(folder: Path) -> None:
    (folder / "-").write_bytes(RSS)
    [sources, _, _] = expanded_with_stdin("./-", "-", data=b"<rss/>")
    assert sources == [["./-", RSS.decode()], ["-", "<rss/>"]]
