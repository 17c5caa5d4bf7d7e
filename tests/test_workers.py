"""Documents in processes of their own: in order, each for itself, and nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchfeed import Index
from searchfeed.errors import ParseError
from searchfeed.feeds import parse, wire, workers
from searchfeed.feeds.workers import Document, Workers
from searchfeed.models import Enclosure, Entry, Feed
from tests.program import wait_until

ROOT = Path(__file__).parents[1]

linux = pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes are seen in /proc")


def rss(name: str, entries: int, words: int = 20) -> bytes:
    items = "".join(
        f"<item><title>{name} {at}</title><guid>{name}-{at}</guid>"
        f"<description>{'word ' * words}</description></item>"
        for at in range(entries)
    )
    link = f"<link>https://{name}.example/</link>"
    return f"<rss><channel><title>{name}</title>{link}{items}</channel></rss>".encode()


def document(name: str, entries: int = 2, words: int = 20) -> Document:
    return Document(rss(name, entries, words), f"/feeds/{name}.xml")


@pytest.fixture
def pool() -> Iterator[Workers]:
    with Workers(2, small=0) as opened:
        yield opened


def titles(outcomes: Iterable[Feed | ParseError]) -> list[str]:
    return [
        outcome.reason if isinstance(outcome, ParseError) else outcome.title for outcome in outcomes
    ]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def pids(pool: Workers) -> list[int]:
    return [worker.pid for worker in tuple(pool._all)]


def test_feeds_come_in_the_order_of_the_documents(pool: Workers) -> None:
    # Every third one takes a hundred times as long as the next.
    documents = [document(f"n{at}", 300 if at % 3 == 0 else 3) for at in range(25)]
    expected = [parse(each.data, url=each.url) for each in documents]
    assert list(pool.parse(iter(documents))) == expected
    assert list(pool.parse(documents[:3])) == expected[:3]
    assert len(pids(pool)) == 2


def test_a_document_brings_its_address_and_headers(pool: Workers) -> None:
    data = "<rss><channel><title>Fjærland</title><link>/</link></channel></rss>".encode("latin-1")
    headers = {"Content-Type": "text/xml; charset=iso-8859-1", "content-language": "no"}
    (feed,) = pool.parse([Document(data, "https://x.example/\udcff", headers)])
    assert feed == parse(data, url="https://x.example/\udcff", headers=headers)


def test_every_fixture_is_read_as_in_this_process(pool: Workers, fixtures: Path) -> None:
    files = [file for file in sorted(fixtures.rglob("*.*")) if file.suffix != ".md"]
    documents = [Document(file.read_bytes(), str(file)) for file in files]
    for each, outcome in zip(documents, pool.parse(documents), strict=True):
        if isinstance(outcome, Feed):
            assert outcome == parse(each.data, url=each.url)
        else:
            with pytest.raises(ParseError, match=re.escape(str(outcome))):
                parse(each.data, url=each.url)


texts = st.text(max_size=8) | st.just("\udcff\0\n")
dates = st.none() | st.datetimes(timezones=st.just(UTC))
entries = st.builds(
    Entry,
    *(texts,) * 6,
    st.lists(texts, max_size=2).map(tuple),
    st.lists(texts, max_size=2).map(tuple),
    dates,
    dates,
    texts,
    st.lists(st.builds(Enclosure, texts, texts, st.none() | st.integers(0)), max_size=2).map(tuple),
)
feeds = st.builds(
    Feed,
    *(texts,) * 4,
    st.lists(entries, max_size=3).map(tuple),
    st.lists(texts).map(tuple),
    st.none() | st.timedeltas(timedelta(), timedelta(weeks=1)),
)


@settings(max_examples=60, deadline=None)
@given(feeds | st.builds(ParseError, texts, texts, texts))
def test_what_is_packed_is_what_is_unpacked(outcome: Feed | ParseError) -> None:
    unpacked = wire.unpack_outcome(wire.pack_outcome(outcome))
    if isinstance(outcome, ParseError):
        assert isinstance(unpacked, ParseError)
        assert unpacked.args == outcome.args
    else:
        assert unpacked == outcome


def test_a_bad_document_costs_the_others_nothing(pool: Workers) -> None:
    bad = Document(b"<html><body>no feed</body></html>", "/feeds/page.html")
    documents = [document("a"), bad, document("b"), Document(b"", "/feeds/empty"), document("c")]
    outcomes = list(pool.parse(documents))
    assert titles(outcomes) == ["a", "an HTML page, not a feed", "b", "it is empty", "c"]
    assert isinstance(outcomes[1], ParseError)
    assert outcomes[1].source == "/feeds/page.html"
    assert outcomes[1].remedy


@linux
def test_a_worker_that_is_killed_costs_the_one_document(
    pool: Workers, capfd: pytest.CaptureFixture[str]
) -> None:
    huge = document("huge", 20_000)
    found = pool.parse([document("a"), huge, *(document(f"n{at}") for at in range(6))])
    assert titles([next(found)]) == ["a"]
    wait_until(lambda: any(busy(pid, 0.3) for pid in pids(pool)))
    (victim,) = [pid for pid in pids(pool) if busy(pid, 0.3)]
    os.kill(victim, signal.SIGKILL)
    broken, *others = titles(found)
    assert broken == "the process that read it broke off (signal 9)"
    assert others == [f"n{at}" for at in range(6)]
    assert victim not in pids(pool)
    assert titles(pool.parse([document("b"), document("c")])) == ["b", "c"]
    assert capfd.readouterr() == ("", "")


def busy(pid: int, seconds: float) -> bool:
    """Whether a process has used more than so much of a processor since it was ready to read."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) / os.sysconf("SC_CLK_TCK") > 0.5 + seconds


def test_a_document_that_takes_too_long_is_given_up(
    pool: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "SECONDS", 0.3)
    monkeypatch.setattr(workers, "SECONDS_A_MEGABYTE", 0)
    documents = [document("a"), document("slow", 20_000), document("b"), document("c")]
    assert titles(pool.parse(documents)) == ["a", "it takes more than 0 s to be read", "b", "c"]


def test_a_worker_that_stands_still_is_given_up(
    pool: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert titles(pool.parse([document("a")])) == ["a"]
    monkeypatch.setattr(workers, "SECONDS", 0.2)
    (pid,) = pids(pool)
    os.kill(pid, signal.SIGSTOP)
    still, *others = titles(pool.parse([document("b"), document("c"), document("d")]))
    assert still == "it takes more than 0 s to be read"
    assert others == ["c", "d"]
    assert pid not in pids(pool)


@linux
def test_a_document_that_needs_too_much_memory_is_given_up(
    pool: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "MEMORY", 20_000_000)
    large = document("large", 10, 500_000)
    documents = [document("a"), large, document("b")]
    assert titles(pool.parse(documents)) == ["a", "it needs more than 20 MB to be read", "b"]
    (trusted,) = pool.parse([replace(large, large=True)])
    assert isinstance(trusted, Feed)


def test_few_documents_are_read_ahead(pool: Workers) -> None:
    taken = 0

    def documents() -> Iterator[Document]:
        nonlocal taken
        for at in range(100):
            taken += 1
            yield document(f"n{at}", 1)

    found = pool.parse(documents())
    next(found)
    assert taken == 2 * workers.AHEAD + 1
    assert len(list(found)) == 99


def test_large_documents_are_not_read_ahead(pool: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "AHEAD_BYTES", 1)
    taken: list[str] = []

    def documents() -> Iterator[Document]:
        for name in "abcd":
            taken.append(name)
            yield document(name)

    assert [(outcome, len(taken)) for outcome in map(str, titles(pool.parse(documents())))]
    found = pool.parse(documents())
    taken.clear()
    assert titles([next(found)]) == ["a"]
    assert taken == ["a", "b"]
    assert titles(found) == ["b", "c", "d"]


@pytest.mark.parametrize(
    ("variable", "count", "running"),
    [("0", None, 0), ("2", None, 2), ("2", 0, 0), ("many", 1, 1)],
)
def test_how_many_workers_there_are(
    variable: str, count: int | None, running: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEARCHFEED_WORKERS", variable)
    with Workers(count, small=0) as pool:
        assert titles(pool.parse([document(name) for name in "abcdef"])) == list("abcdef")
        assert len(pids(pool)) == running


def test_few_bytes_start_no_worker() -> None:
    with Workers(2) as pool:
        assert titles(pool.parse([document(name) for name in "abc"])) == list("abc")
        assert pids(pool) == []
        assert titles(pool.parse([])) == []


@pytest.mark.parametrize("program", ["/bin/false", "/bin/echo", "/nowhere/python"])
def test_where_no_worker_can_be_started_documents_are_read_all_the_same(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    with Workers(2, small=0) as pool:
        assert titles(pool.parse([document(name) for name in "abcdef"])) == list("abcdef")
        assert pids(pool) == []


@linux
def test_no_worker_is_left_when_it_is_closed_in_the_middle() -> None:
    with Workers(2, small=0) as pool:
        found = pool.parse([document("a"), *(document(name, 20_000) for name in "bcd")])
        assert titles([next(found)]) == ["a"]
        wait_until(lambda: len(pids(pool)) == 2)
        running = pids(pool)
        assert all(map(is_running, running))
    assert not any(Path(f"/proc/{pid}").exists() for pid in running)
    assert pids(pool) == []


SCRIPT = """
import sys
from searchfeed import Index

print("started")
with Index(sys.argv[1]) as index:
    print(index.update(sys.argv[2:]))
    print(index.search("word").total)
"""


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Feeds too large to be read in the process that wants them."""
    paths = [tmp_path / f"{name}.xml" for name in ("a", "b", "c", "d")]
    for path in paths:
        path.write_bytes(rss(path.stem, 3, 25_000))
    paths[1].write_text("<html></html>")
    return list(map(str, paths))


@pytest.mark.parametrize("command", ["exec", "ulimit -n 64; exec"])
def test_a_script_needs_no_guard_and_few_files(
    command: str, tmp_path: Path, files: list[str]
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        ["sh", "-c", f'{command} "$@"', "sh", sys.executable, str(script), "index", *files],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stderr == ""
    started, report, total = done.stdout.splitlines()
    assert (started, total) == ("started", "9")
    assert "added=9" in report
    assert "an HTML page, not a feed" in report


@linux
def test_workers_end_with_the_process_that_started_them() -> None:
    code = """
        import sys
        sys.path.insert(0, sys.argv[1])
        from searchfeed.feeds.workers import Document, Workers
        pool = Workers(2, small=0)
        item = "<item><title>x</title><description>y</description></item>"
        def documents():
            while True:
                yield Document(f"<rss><channel>{item * 5000}</channel></rss>".encode(), "x")
        found = pool.parse(documents())
        next(found)
        print(*(worker.pid for worker in pool._all), flush=True)
        for _ in found:
            pass
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(ROOT)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    assert parent.stderr is not None
    with parent.stdout, parent.stderr:
        running = list(map(int, parent.stdout.readline().split()))
        assert running
        assert all(map(is_running, running))
        parent.kill()
        parent.wait()
        wait_until(lambda: not any(map(is_running, running)))
        assert parent.stderr.read() == ""


def test_ctrl_c_reaches_the_program_and_ends_its_workers(tmp_path: Path) -> None:
    code = """
        import os, signal, sys
        sys.path.insert(0, sys.argv[1])
        from searchfeed.feeds.workers import Document, Workers
        item = "<item><title>x</title><description>y</description></item>"
        data = f"<rss><channel>{item * 2000}</channel></rss>".encode()
        try:
            with Workers(2, small=0) as pool:
                for at, _ in enumerate(pool.parse(Document(data, str(n)) for n in range(50))):
                    if at == 2:
                        os.killpg(0, signal.SIGINT)
        except KeyboardInterrupt:
            print("interrupted", len(pool._all))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(ROOT)],
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("interrupted 0\n", "")


def test_several_threads_have_workers_of_their_own() -> None:
    found: dict[str, list[str]] = {}

    def work(name: str) -> None:
        with Workers(1, small=0) as pool:
            found[name] = titles(pool.parse(document(f"{name}{at}") for at in range(10)))

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {name: [f"{name}{at}" for at in range(10)] for name in "abcd"}


def test_an_index_is_updated_in_order(tmp_path: Path, files: list[str]) -> None:
    missing = str(tmp_path / "missing.xml")
    Path(files[2]).write_bytes(b"not a feed " * 50_000)
    seen: list[tuple[str, int, int]] = []
    sources = [*files[:2], missing, *files[2:]]
    with Index(tmp_path / "index") as index:
        report = index.update(sources, progress=lambda *step: seen.append(step))
        assert (report.added, report.updated, report.unchanged) == (6, 0, 0)
        assert {failure.source for failure in report.failures} == {missing, files[1], files[2]}
        parsing = [failure for failure in report.failures if isinstance(failure, ParseError)]
        assert [failure.source for failure in parsing] == files[1:3]
        assert [step for step in seen if step[0] == "read"] == [
            ("read", done, 4) for done in range(5)
        ]
        assert [feed.title for feed in index.feeds()] == ["a", "d"]
        again = index.update(files)
        assert (again.unchanged, len(again.failures)) == (6, 2)


def test_an_entry_keeps_its_date_and_its_files(pool: Workers) -> None:
    data = (
        b"<rss><channel><title>t</title><item><title>x</title>"
        b"<pubDate>Fri, 01 Mar 2024 10:00:00 GMT</pubDate>"
        b"<enclosure url='https://e.org/a.mp3' type='audio/mpeg' length='12'/>"
        b"</item></channel></rss>"
    )
    (feed,) = pool.parse([Document(data, "x")])
    assert isinstance(feed, Feed)
    assert feed.entries[0].published == datetime(2024, 3, 1, 10, tzinfo=UTC)
    assert feed.entries[0].enclosures == (Enclosure("https://e.org/a.mp3", "audio/mpeg", 12),)
