"""New matches of saved searches: told once, by whatever means, wherever somebody is killed."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from searchfeed import Index, QueryError, cli
from searchfeed.archive import Archive
from searchfeed.models import Entry, Feed
from tests.loopback import Web
from tests.program import PROGRAM, wait_until, watching

ROOT = Path(__file__).parents[1]
NOON = datetime(2020, 8, 12, 12, tzinfo=UTC)
KILLS = int(os.environ.get("SEARCHFEED_KILLS", "3"))


def rss(**entries: str) -> bytes:
    items = "".join(
        f"<item><guid>{guid}</guid><title><![CDATA[{title}]]></title>"
        f"<link>https://a.example/{guid}</link></item>"
        for guid, title in entries.items()
    )
    return f"<rss version='2.0'><channel><title>News</title>{items}</channel></rss>".encode()


class Newsroom:
    """An index and one feed of it."""

    def __init__(self, path: Path) -> None:
        self.file = path / "feed.xml"
        self.path = path / "index"
        self.index = Index(self.path)
        self.entries: dict[str, str] = {}

    def publish(self, **entries: str) -> None:
        self.entries |= entries
        self.file.write_bytes(rss(**self.entries))
        assert not self.index.update(self.file).failures

    def told(self, *names: str) -> list[str]:
        """What is new, by search and title; it has been told then."""
        with self.index.alerts(names) as alerts:
            found = [f"{alert.search}: {alert.hit.entry.title}" for alert in alerts]
            alerts.told(*alerts)
        return found


@pytest.fixture
def news(tmp_path: Path) -> Iterator[Newsroom]:
    news = Newsroom(tmp_path)
    with news.index:
        yield news


# What is new


def test_what_is_stored_after_the_alert_was_made_is_told_once(news: Newsroom) -> None:
    news.publish(a="llm before")
    news.index.save("ai", "llm -ad", alert=True)
    news.index.save("quiet", "llm")
    assert news.told() == []
    news.publish(b="llm agents", c="llm ad", d="rust")
    assert news.told() == ["ai: llm agents"]
    assert news.told() == []
    news.publish(a="llm before, edited", b="llm agents, edited", d="rust, edited")
    assert news.told() == []
    news.publish(e="llm two", f="llm three")
    assert news.told() == ["ai: llm two", "ai: llm three"]


def test_an_edit_that_makes_a_match_of_a_new_entry_is_told(news: Newsroom) -> None:
    news.publish(a="before")
    news.index.save("ai", "llm", alert=True)
    news.publish(b="draft")
    assert news.told() == []
    news.publish(a="before, now llm", b="draft, now llm")
    assert news.told() == ["ai: draft, now llm"]
    news.index.save("changed", "is:updated", alert=True)
    news.publish(c="note")
    assert news.told() == []
    news.publish(c="note, edited")
    assert news.told() == ["changed: note, edited"]


def test_all_words_have_to_match(news: Newsroom) -> None:
    news.publish(a="x")
    news.index.save("ai", "llm agents", alert=True)
    news.publish(b="llm", c="agents", d="agents and an llm")
    assert news.told() == ["ai: agents and an llm"]


def test_each_search_tells_for_itself(news: Newsroom) -> None:
    news.publish(a="x")
    news.index.save("ai", "llm", alert=True)
    news.publish(b="llm one")
    news.index.save("Rust", "rust OR @ai", alert=True)
    news.publish(c="llm two", d="rust")
    assert news.told("rust") == ["Rust: llm two", "Rust: rust"]
    assert news.told("AI") == ["ai: llm one", "ai: llm two"]
    assert news.told() == []


def test_another_text_is_for_what_is_still_to_come(news: Newsroom) -> None:
    news.publish(a="x")
    news.index.save("ai", "llm", alert=True)
    news.publish(b="llm", c="gpt old")
    assert news.told() == ["ai: llm"]
    news.index.save("ai", "llm OR gpt")
    assert news.told() == []
    news.publish(d="gpt new")
    assert news.told() == ["ai: gpt new"]


def test_an_alert_ends_and_begins_anew(news: Newsroom) -> None:
    news.publish(a="x")
    news.index.save("ai", "llm", alert=True)
    news.publish(b="llm one")
    with news.index.alerts() as alerts:
        assert len(alerts) == 1
    assert news.index.searches()[0].waiting == 1
    news.index.save("ai", "llm", alert=False)
    news.publish(c="llm two")
    assert news.told() == []
    news.index.save("ai", "llm", alert=True)
    assert news.told() == []
    news.publish(d="llm three")
    news.index.save("ai", "llm", alert=True)
    assert news.told() == ["ai: llm three"]
    news.index.forget("ai")
    assert news.told() == []


def test_entries_that_are_taken_out_and_come_again(news: Newsroom) -> None:
    news.publish(a="x")
    news.index.save("ai", "llm", alert=True)
    news.publish(b="llm one")
    assert news.told() == ["ai: llm one"]
    news.index.unsubscribe("News", entries=True)
    news.publish(c="llm two")
    assert news.told() == ["ai: llm two"]


def test_the_number_of_an_entry_that_went_does_not_hide_the_next(news: Newsroom) -> None:
    news.publish(a="llm old")
    news.index.save("ai", "llm", alert=True)
    news.index.prune(news.index.select("").ids)
    news.entries.clear()
    news.publish(b="llm new")
    assert news.told() == ["ai: llm new"]


def test_other_names_of_a_feed_are_no_news(news: Newsroom) -> None:
    news.publish(a="llm")
    news.index.save("ai", "llm OR feed:mine", alert=True)
    news.index.rename("News", "Mine")
    news.index.tag("Mine", ["x"])
    assert news.told() == []


def test_an_import_brings_no_news_along_with_the_alert(news: Newsroom, tmp_path: Path) -> None:
    news.publish(a="llm one")
    news.index.save("ai", "llm", alert=True)
    news.publish(b="llm two")
    with Index(tmp_path / "other") as other:
        other.import_(news.index.export())
        with other.alerts() as alerts:
            assert len(alerts) == 0
        news.publish(c="llm three")
        other.import_(news.index.export())
        with other.alerts() as alerts:
            assert [alert.hit.entry.title for alert in alerts] == ["llm three"]


def test_what_the_engine_does_not_hold_yet_is_not_passed_over(tmp_path: Path) -> None:
    def entry(number: int, title: str) -> Entry:
        return Entry(f"{number:016x}", "http://a/feed", "A", title, "")

    with Index(tmp_path) as index, Archive(tmp_path / "archive.sqlite") as archive:
        archive.store(Feed("http://a/feed", "A", entries=(entry(1, "x"),)), now=NOON)
        index.save("ai", "llm", alert=True)
        archive.store(Feed("http://a/feed", "A", entries=(entry(2, "llm one"),)), now=NOON)
        # Somebody who writes meanwhile keeps the engine from catching up.
        with index._store.writing():
            other = Index(tmp_path)
            with other.alerts() as alerts:
                assert len(alerts) == 0
        with other.alerts() as alerts:
            assert [alert.hit.entry.title for alert in alerts] == ["llm one"]
        other.close()


def test_many_come_in_turns_and_failed_ones_last(news: Newsroom) -> None:
    news.publish(a="x")
    news.index.save("ai", "llm", alert=True)
    news.publish(b="llm 1", c="llm 2", d="llm 3")
    with news.index.alerts(limit=2) as alerts:
        assert [alert.hit.entry.title for alert in alerts] == ["llm 1", "llm 2"]
        assert alerts.waiting == 1
        alerts.not_told(next(iter(alerts)))
    assert news.told() == ["ai: llm 2", "ai: llm 3", "ai: llm 1"]


def test_a_search_that_cannot_be_read_any_more_stops_no_other(news: Newsroom) -> None:
    news.publish(a="x")
    news.index.save("ai", "llm", alert=True)
    archive = news.index._store.archive()
    archive.save_search("broken", "@gone", alert=True)
    news.publish(b="llm one")
    with news.index.alerts() as alerts:
        assert [alert.search for alert in alerts] == ["ai"]
        ((name, error),) = alerts.failures
        assert (name, error.reason) == (
            "broken",
            "there is no saved search @gone, which @broken names",
        )
        alerts.told(*alerts)
    archive.save_search("broken", "one")
    assert news.told() == ["broken: llm one"]


def test_names_that_are_none(news: Newsroom) -> None:
    news.publish(a="x")
    news.index.save("ai", "llm")
    for name, reason in (("ia", "there is no saved search @ia"), ("ai", "has no alert")):
        with pytest.raises(QueryError, match=reason), news.index.alerts(name):
            pass


class Telling(RuleBasedStateMachine):
    """Whatever is published, edited, taken out and told, each new match is told once."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = TemporaryDirectory()
        self.index = Index(self.directory.name)
        self.archive = self.index._store.archive(create=True)
        self.new: set[int] = set()
        self.known: dict[int, bool] = {}
        self.due: set[int] = set()
        self.told: Counter[int] = Counter()
        self.alert = False

    def teardown(self) -> None:
        self.index.close()
        self.directory.cleanup()

    @rule(number=st.integers(1, 6), match=st.booleans(), text=st.integers(0, 99))
    def publish(self, number: int, match: bool, text: int) -> None:
        entry = Entry(
            f"{number:016x}", "http://a/feed", "A", f"{text}{' llm' if match else ''}", ""
        )
        if number not in self.known and self.alert:
            self.new.add(number)
        self.known[number] = match
        self.archive.store(Feed("http://a/feed", "A", entries=(entry,)))

    @precondition(lambda self: not self.alert)
    @rule()
    def make(self) -> None:
        self.index.save("ai", "llm", alert=True)
        self.alert = True

    @rule(told=st.booleans())
    def tell(self, told: bool) -> None:
        self.due |= {each for each in self.new if self.known[each] and not self.told[each]}
        with self.index.alerts() as alerts:
            found = {int(alert.hit.entry.id, 16) for alert in alerts}
            assert found == self.due
            for alert in alerts:
                if told:
                    alerts.told(alert)
                else:
                    alerts.not_told(alert)
        if told:
            self.told.update(found)
            self.due.clear()

    @rule()
    def restart(self) -> None:
        self.index.close()
        self.archive = self.index._store.archive()

    @invariant()
    def once(self) -> None:
        assert all(count == 1 for count in self.told.values())


TestTelling = Telling.TestCase
TestTelling.settings = settings(max_examples=8, stateful_step_count=12, deadline=None)


# The command line


def run(path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, "--index", str(path), *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, **environment},
    )


Call: TypeAlias = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(news: Newsroom, capsys: pytest.CaptureFixture[str]) -> Call:
    """The command line in this process: exit code, stdout and stderr."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = cli.run(["--index", str(news.path), *arguments])
        return code, *capsys.readouterr()

    return call


def test_searches_are_saved_listed_and_forgotten(news: Newsroom, call: Call) -> None:
    news.publish(a="llm agents", b="llm ad")
    code, output, errors = call("save", "ai", "llm", "-ad")
    assert (code, output) == (0, "")
    assert errors == "@ai stands for: llm -ad\n"
    code, output, errors = call("save", "@AI", "--alert", "llm")
    assert errors == (
        "@AI stands for: llm, and no longer for: llm -ad\nwhat it finds is told from now on\n"
    )
    assert "llm agents" in call("search", "@ai", "-ad")[1]
    rows = call("searches")[1].splitlines()
    assert [row.split("\t")[:4] for row in rows] == [["AI", "llm", "alert", "0"]]
    assert call("searches", "--format", "table")[1] == "@AI  llm  alert\n"
    document = json.loads(call("searches", "--json")[1])
    check(document, "searches_document")
    assert document["searches"][0]["query"] == "llm"
    code, output, errors = call("save", "ai", "--no-alert")
    assert errors == "@ai stands for: llm\nwhat it finds is told no more\n"
    assert call("unsave", "@ai")[2] == "@ai is forgotten; it stood for: llm\n"
    assert call("searches")[2].startswith("no search is saved yet")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["save", "a b", "llm"], "'a b' is no name for a search"),
        (["save", "ai"], "say what @ai is to stand for"),
        (["save", "ai", "--alert"], "say what @ai is to stand for"),
        (["save", "ai", "tilte:x"], "there is no field 'tilte'; did you mean title?"),
        (["save", "ai", "@ai"], "go round in a circle: @ai → @ai"),
        (["unsave", "ai"], "there is no saved search @ai"),
        (["alerts", "ai"], "there is no saved search @ai"),
        (["alerts", "--exec", "a 'b"], "cannot be split into words: no closing quotation"),
        (["alerts", "--exec", " "], "names no command"),
        (["alerts", "--exec", "true", "--json"], "it goes with no format"),
        (["alerts", "--timeout", "soon"], "is not a time such as 30s"),
        (["watch", "--exec", ""], "names no command"),
    ],
)
def test_mistakes(news: Newsroom, call: Call, arguments: list[str], complaint: str) -> None:
    news.publish(a="llm")
    code, output, errors = call(*arguments)
    assert (code, output) == (2, "")
    assert complaint in errors
    assert "Traceback" not in errors


def check(document: object, definition: str) -> None:
    schema = json.loads((ROOT / "searchfeed" / "output" / "schema.json").read_text())
    schema = {"$defs": schema["$defs"], "$ref": f"#/$defs/{definition}"}
    import_module("jsonschema").Draft202012Validator(schema).validate(document)


def test_alerts_are_shown_in_every_format(news: Newsroom, call: Call) -> None:
    news.publish(a="x")
    news.index.save("ai", "llm", alert=True)
    news.index.save("two", "two", alert=True)
    assert call("alerts")[0] == 1
    shown = {}
    for number, name in enumerate(("plain", "table", "ndjson", "json")):
        news.publish(**{f"{name}1": f"llm two \x1b[31m{number}", f"{name}2": f"llm {number}"})
        code, output, errors = call("alerts", "--format", name)
        assert (code, errors) == (0, "")
        assert "\x1b" not in output
        shown[name] = output
        code, output, errors = call("alerts", "--format", name)
        assert code == 1
        assert errors == "nothing is new\n"
    rows = [row.split("\t") for row in shown["plain"].splitlines()]
    assert [(row[2], row[-1]) for row in rows] == [
        ("llm two 0", "ai"),
        ("llm 0", "ai"),
        ("llm two 0", "two"),
    ]
    assert [line for line in shown["table"].splitlines() if line.startswith("@")] == ["@ai", "@two"]
    assert "llm two 1" in shown["table"]
    lines = [json.loads(line) for line in shown["ndjson"].splitlines()]
    for line in lines:
        check(line, "alert_line")
    assert [(line["alert"], line["search"]) for line in lines] == [
        (f"{line['search']}/{line['id']}", name)
        for line, name in zip(lines, ("ai", "ai", "two"), strict=True)
    ]
    document = json.loads(shown["json"])
    check(document, "alerts_document")
    assert [each["title"] for each in document["alerts"]] == ["llm two 3", "llm 3", "llm two 3"]


def test_how_to_make_one_is_said(news: Newsroom, call: Call) -> None:
    news.publish(a="x")
    code, _, errors = call("alerts")
    assert code == 1
    assert "make an alert with: searchfeed save NAME QUERY --alert" in errors


# A command for each


def script(path: Path, text: str) -> str:
    """A program of its own, as the word that names it."""
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return f"'{path}'"


RECORD = """
import json, os, sys
with open({out!r}, "a") as file:
    values = {{k: v for k, v in os.environ.items() if k.startswith("SEARCHFEED_")}}
    file.write(json.dumps([sys.argv[1:], values]) + "\\n")
"""


def records(path: Path) -> list[tuple[list[str], dict[str, str]]]:
    if not path.exists():
        return []
    # The last one may be half written.
    return [tuple(json.loads(line)) for line in path.read_text().split("\n")[:-1]]


def titles(path: Path) -> set[str]:
    return {arguments[-2] for arguments, _ in records(path)}


def test_values_come_as_arguments_and_variables(news: Newsroom, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = script(tmp_path / "my tell", RECORD.format(out=str(out)))
    news.publish(x="x")
    news.index.save("ai", "llm", alert=True)
    hostile = "--help; $(touch pwned) `id` \"'\\ \x1b[31mllm\u202e {} %s"
    news.publish(b=hostile, c="llm\tplain")
    done = run(news.path, "alerts", "--exec", f"{command} --urgent 'two words' {{}}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (first, values), (second, _) = records(out)
    title = "--help; $(touch pwned) `id` \"'\\ llm {} %s"
    assert first == ["--urgent", "two words", "{}", f" {title}", "https://a.example/b"]
    assert second[-2:] == ["llm plain", "https://a.example/c"]
    entry = news.index.search("llm help")[0].entry
    assert values == values | {
        "SEARCHFEED_ALERT": f"ai/{entry.id}",
        "SEARCHFEED_SEARCH": "ai",
        "SEARCHFEED_ID": entry.id,
        "SEARCHFEED_TITLE": title,
        "SEARCHFEED_LINK": "https://a.example/b",
        "SEARCHFEED_FEED": "News",
        "SEARCHFEED_DATE": "",
        "SEARCHFEED_INDEX": str(news.path),
    }
    assert all(value.isprintable() for value in values.values())
    done = run(news.path, "alerts", "--exec", command)
    assert (done.returncode, done.stderr) == (1, "")
    assert len(records(out)) == 2


def test_a_command_that_fails_is_tried_again_and_stops_nothing(
    news: Newsroom, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    choosy = RECORD + "\nsys.exit(3 if 'bad' in sys.argv[1] and not os.environ.get('FINE') else 0)"
    command = script(tmp_path / "tell", choosy.format(out=str(out)))
    news.publish(x="x")
    news.index.save("ai", "llm", alert=True)
    news.publish(b="llm bad", c="llm good")
    done = run(news.path, "alerts", "--exec", command)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.endswith(", which comes again: exit code 3")
    assert line.startswith(f"searchfeed: {tmp_path / 'tell'} failed for ai/")
    news.publish(d="llm new")
    run(news.path, "alerts", "--exec", command)
    done = run(news.path, "alerts", "--exec", command, FINE="1")
    assert (done.returncode, done.stderr) == (0, "")
    titles = [arguments[0] for arguments, _ in records(out)]
    assert titles == ["llm bad", "llm good", "llm new", "llm bad", "llm bad"]
    assert len({values["SEARCHFEED_ALERT"] for _, values in records(out)}) == 3


def test_one_that_hangs_is_ended_with_what_it_started(news: Newsroom, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = script(
        tmp_path / "hang",
        "import os, signal, subprocess, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen(['sleep', '100'])\n"
        f"open({str(pids)!r}, 'a').write(f'{{os.getpid()}} {{child.pid}} ')\n"
        "time.sleep(100)\n",
    )
    news.publish(x="x")
    news.index.save("ai", "llm", alert=True)
    news.publish(b="llm")
    done = run(news.path, "alerts", "--exec", command, "--timeout", "1s")
    assert done.returncode == 2
    assert "it took longer than 1 second and was ended" in done.stderr
    wait_until(lambda: not any(map(running, map(int, pids.read_text().split()))))
    assert news.told() == ["ai: llm"]


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_what_cannot_be_run_is_not_tried_for_every_entry(news: Newsroom) -> None:
    news.publish(x="x")
    news.index.save("ai", "llm", alert=True)
    news.publish(**{f"a{number}": f"llm {number}" for number in range(8)})
    done = run(news.path, "alerts", "--exec", "/no/such/program")
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert len(lines) == 6
    assert lines[0].endswith("which comes again: No such file or directory")
    assert lines[-1] == "searchfeed: it failed 5 times in a row; 3 alerts left to the next time"
    # Those that were left are the first of the next time.
    assert news.told()[:3] == ["ai: llm 5", "ai: llm 6", "ai: llm 7"]


def test_killed_at_any_time_none_is_lost_and_few_come_twice(news: Newsroom, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = script(
        tmp_path / "tell", f"{RECORD.format(out=str(out))}\nimport time; time.sleep(.05)"
    )
    news.publish(x="x")
    news.index.save("ai", "llm", alert=True)
    news.publish(**{f"a{number}": f"llm {number}" for number in range(20)})
    arguments = ["--index", str(news.path), "alerts", "--exec", command]
    killed = 0
    for number in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-m", "searchfeed", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        before = lines_of(out)
        wait_until(lambda: process.poll() is not None or lines_of(out) > before)  # noqa: B023
        time.sleep(0.017 * (number % 7))
        process.kill()
        killed += process.wait() == -signal.SIGKILL
    assert killed
    run(news.path, "alerts", "--exec", command)
    assert run(news.path, "alerts", "--exec", command).returncode == 1
    told = Counter(values["SEARCHFEED_ALERT"] for _, values in records(out))
    assert len(told) == 20
    # Of each kill at most the one that was being told.
    assert sum(told.values()) - 20 <= killed
    assert max(told.values()) <= 1 + killed


def lines_of(path: Path) -> int:
    return path.read_text().count("\n") if path.exists() else 0


# Round after round


def test_watch_tells_across_restarts(tmp_path: Path, web: Web) -> None:
    out, path = tmp_path / "out", tmp_path / "index"
    command = script(tmp_path / "tell", RECORD.format(out=str(out)))
    web.publish("/feed", rss(a="llm before"))
    with Index(path) as index:
        index.subscribe(web.url("/feed"), allow_private=True)
        index.save("ai", "llm", alert=True)
    with watching(path, "--every", "1s", "--exec", command) as process:
        web.publish("/feed", rss(a="llm before, edited", b="llm one", c="rust"))
        wait_until(lambda: titles(out) == {"llm one"})
        web.publish("/feed", rss(b="llm one, edited", d="llm two"))
        wait_until(lambda: "llm two" in titles(out))
        process.kill()
    web.publish("/feed", rss(b="llm one", d="llm two", e="llm three"))
    with watching(path, "--every", "1s", "--exec", command) as process:
        wait_until(lambda: "llm three" in titles(out))
        asked = len(web.requests)
        wait_until(lambda: len(web.requests) >= asked + 2)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 0
    # One that was killed before it had noted what it told tells it again, by the same id.
    told = {values["SEARCHFEED_ALERT"]: arguments[0] for arguments, values in records(out)}
    assert list(told.values()) == ["llm one", "llm two", "llm three"]
    assert len(records(out)) <= 4
    assert " told\n" in errors


def test_a_command_that_hangs_does_not_keep_watch_from_stopping(tmp_path: Path, web: Web) -> None:
    path, pid = tmp_path / "index", tmp_path / "pid"
    command = script(
        tmp_path / "hang",
        f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(100)",
    )
    web.publish("/feed", rss(a="x"))
    with Index(path) as index:
        index.subscribe(web.url("/feed"), allow_private=True)
        index.save("ai", "llm", alert=True)
    web.publish("/feed", rss(a="x", b="llm"))
    with watching(path, "--every", "1s", "--exec", command) as process:
        wait_until(lambda: pid.exists() and bool(pid.read_text()))
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 0
        assert errors.endswith(" stopped\n")
    wait_until(lambda: not running(int(pid.read_text())))
    with Index(path) as index, index.alerts() as alerts:
        assert [alert.hit.entry.title for alert in alerts] == ["llm"]
