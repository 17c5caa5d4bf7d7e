"""What an engine in a cluster promises beyond what every engine does, on real servers."""

from __future__ import annotations

import json
import os
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from searchfeed import cli
from searchfeed.engines import Change, EngineOptions, open_engine
from searchfeed.engines.opensearch import bulk
from searchfeed.engines.opensearch.address import read_address
from searchfeed.engines.opensearch.answers import Missing
from searchfeed.engines.opensearch.cluster import Cluster
from searchfeed.engines.opensearch.engine import OpenSearchEngine
from searchfeed.engines.opensearch.mapping import FORMAT, fingerprint, templates
from searchfeed.errors import (
    EngineError,
    EngineUnavailableError,
    EntryNotFoundError,
    IndexVersionError,
)
from searchfeed.index import Index
from searchfeed.models import Enclosure, Entry, Sort
from searchfeed.query import parse
from searchfeed.tree import And, Everything, Word
from tests import engines

pytestmark = engines.needs_cluster

NOW = datetime(2020, 8, 12, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)

QUERIES = int(os.environ.get("SEARCHFEED_QUERIES", "60"))
"""Generated queries that both engines have to answer alike."""


def entry(number: int, title: str = "", body: str = "", **more: object) -> Entry:
    values: dict[str, object] = {
        "id": f"{number:016x}",
        "feed_url": "https://feeds.example/news",
        "feed_title": "Example News",
        "published": NOW,
        "language": "en",
    }
    return Entry(title=title, body=body, **(values | more))  # type: ignore[arg-type]


LANGUAGES = (("en", "houses"), ("de", "Häuser"), ("fr", "maisons"), ("es", "casas"))

Machine = Callable[[str], OpenSearchEngine]


@pytest.fixture
def options(tmp_path: Path) -> EngineOptions:
    return engines.options(tmp_path)


@pytest.fixture
def machine(tmp_path: Path, options: EngineOptions) -> Iterator[Machine]:
    """Opens the index as another machine would, which has an archive of its own."""
    opened: list[OpenSearchEngine] = []

    def open_on(name: str) -> OpenSearchEngine:
        engine = open_engine("opensearch", tmp_path / name, options)
        assert isinstance(engine, OpenSearchEngine)
        opened.append(engine)
        return engine

    yield open_on
    for engine in opened:
        engine.close()


@pytest.fixture
def cluster(options: EngineOptions) -> Iterator[Cluster]:
    opened = Cluster(read_address(options.url))
    yield opened
    opened.close()


def name(options: EngineOptions) -> str:
    return options.url.rpartition("/")[2]


def change(sequence: int, one: Entry, seen: datetime | None = None) -> Change:
    return Change(sequence, one, seen=seen)


def ids(engine: OpenSearchEngine, text: str = "") -> list[int]:
    answer = engine.search(parse(text).node, limit=1000)
    return sorted(int(match.id, 16) for match in answer.matches)


# Several machines


def test_each_archive_has_a_number_of_its_own(machine: Machine) -> None:
    one, two = machine("one"), machine("two")
    one.write([change(1, entry(1, "silk"))], reached=7)
    assert (one.reached, two.reached) == (7, 0)
    two.write([change(1, entry(2, "routes"))], reached=3)
    assert (one.reached, two.reached) == (7, 3)
    assert ids(one) == ids(two) == [1, 2]
    assert machine("one").reached == 7


def test_the_state_that_was_seen_last_stays(machine: Machine) -> None:
    one, two = machine("one"), machine("two")
    one.write([change(1, entry(1, "newer"), NOW + HOUR)], reached=1)
    two.write([change(9, entry(1, "older"), NOW)], reached=9)
    assert ids(one, "newer") == [1]
    assert ids(one, "older") == []
    # The same again, and what is newer still, changes what is there or nothing.
    one.write([change(2, entry(1, "newer"), NOW + HOUR)], reached=2)
    two.write([change(10, entry(1, "newest"), NOW + 2 * HOUR)], reached=10)
    assert ids(one, "newest") == [1]


def test_machines_that_write_at_once_lose_nothing_of_each_other(machine: Machine) -> None:
    failures: list[BaseException] = []

    def write(at: int) -> None:
        try:
            engine = machine(f"machine{at}")
            for number in range(3):
                # Every machine has the first ten, and ten of its own, in a language of its own.
                language, houses = LANGUAGES[at]
                some = [entry(each, "shared words", language="en") for each in range(10)]
                some += [
                    entry(1000 * (at + 1) + each, houses, language=language) for each in range(10)
                ]
                changes = [change(each, one, NOW) for each, one in enumerate(some, start=1)]
                engine.write(changes, reached=number + 1)
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            failures.append(error)

    threads = [threading.Thread(target=write, args=(at,)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    engine = machine("reader")
    assert engine.search(Everything(), limit=1).total == 50
    assert engine.search(Word("shared"), limit=1).total == 10
    # Each language came to the index while others wrote, and all terms have its stems.
    assert engine.frequencies(["house", "Haus", "maison", "casa", "word"]) == (10,) * 5


def test_who_has_no_archive_finds_and_shows_everything(
    tmp_path: Path, fixtures: Path, options: EngineOptions, capsys: pytest.CaptureFixture[str]
) -> None:
    with Index(tmp_path / "index", engine="opensearch", options=options) as index:
        index.update([fixtures / "rss-2.0-typo3-migration.rss"])
        theirs = index.search("migrant resource centre")
        stats = index.stats()
        assert stats.index_size > 0
    with Index(tmp_path / "nowhere", engine="opensearch", options=options) as index:
        ours = index.search("migrant resource centre")
        assert ours.hits == theirs.hits
        assert index.get(ours[0].entry.id[:10]) == ours[0].entry
        assert index.explain(ours[0].entry.id, "migrant").matches
        assert index.complete("mig")
        assert index.facets("", ["feed"])
        assert index.trend("", by="year").total == index.stats().entries == stats.entries
        assert [feed.url for feed in index.feeds()] == [ours[0].entry.feed_url]
        with pytest.raises(EntryNotFoundError, match="no entry has"):
            index.get("ffffffff")
    assert not (tmp_path / "nowhere").exists()
    command = ["--index", str(tmp_path / "nowhere"), "--engine", "opensearch"]
    command += ["--engine-url", options.url, "search", "migrant", "--json"]
    assert cli.run(command) == 0
    assert json.loads(capsys.readouterr().out)["total"] > 0


def test_an_index_moves_to_the_cluster_and_back(
    tmp_path: Path, fixtures: Path, options: EngineOptions
) -> None:
    seen: list[tuple[str, int, int]] = []
    with Index(tmp_path / "index") as index:
        index.update([fixtures])
        whoosh = {hit.entry.id for hit in index.search("border OR migrant", limit=100)}
    with Index(tmp_path / "index", engine="opensearch", options=options) as index:
        count = index.rebuild(progress=lambda *done: seen.append(done))
        assert count == index.stats().entries
        assert seen[-1] == ("index", count, count)
        found = {hit.entry.id for hit in index.search("border OR migrant", limit=100)}
    with Index(tmp_path / "index") as index:
        assert index.rebuild() == count
        assert {hit.entry.id for hit in index.search("border OR migrant", limit=100)} == found
    assert found == whoosh


def test_an_entry_comes_back_as_it_went(machine: Machine) -> None:
    whole = entry(
        1,
        "A title",
        "A body.\n\nOf two paragraphs, \ud83d\ude80 and 東京.".encode(
            "utf-16", "surrogatepass"
        ).decode("utf-16"),
        link="https://news.example/1",
        authors=("Ann Lee", "Bob"),
        tags=("C++", "x  y"),
        updated=NOW + timedelta(microseconds=1),
        enclosures=(Enclosure("https://x.example/a.mp3", "audio/mpeg", 5), Enclosure("u")),
    )
    engine = machine("one")
    engine.write([change(1, whole)], reached=1)
    assert engine.entries([whole.id, "f" * 16]) == {whole.id: whole}
    assert engine.titles([whole.feed_url, "x"]) == {whole.feed_url: "Example News"}


# Rebuilding


def test_searches_see_one_index_or_the_other_while_it_is_rebuilt(machine: Machine) -> None:
    writer = machine("one")
    writer.write([change(at, entry(at, "word")) for at in range(1, 30)], reached=29)
    failures: list[BaseException] = []
    totals: set[int] = set()
    done = threading.Event()

    def search() -> None:
        engine = machine("reader")
        try:
            while not done.is_set():
                answer = engine.search(Word("word"), limit=100, dedupe=True)
                totals.add(answer.total)
                assert len(answer.matches) == answer.total
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            failures.append(error)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for size in (40, 29, 40):
        changes = [change(at, entry(at, "word")) for at in range(size)]
        writer.write(changes, reached=size, replace=True)
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert totals <= {29, 40}
    assert writer.reached == 40


def test_a_rebuild_that_fails_or_is_killed_leaves_the_old_index(
    machine: Machine, cluster: Cluster, options: EngineOptions
) -> None:
    engine = machine("one")
    engine.write([change(1, entry(1, "old"))], reached=1)

    def failing() -> Iterator[Change]:
        yield change(2, entry(2, "lost"))
        raise RuntimeError("the source of the changes failed")

    with pytest.raises(RuntimeError, match="source of the changes"):
        engine.write(failing(), reached=2, replace=True)
    assert (ids(engine), engine.reached) == ([1], 1)
    # One that is killed cannot take its indices away; the next one does.
    engine._indices.begin_building()
    assert (ids(engine), engine.reached) == ([1], 1)
    engine.write([change(3, entry(3, "new"))], reached=3, replace=True)
    assert (ids(engine), engine.reached) == ([3], 3)
    left = cluster.ask("GET", f"/{name(options)}-*/_alias", expand_wildcards="all")
    assert len(left) == 3, sorted(left)


def test_a_rebuild_makes_other_archives_come_again(machine: Machine) -> None:
    one, two = machine("one"), machine("two")
    one.write([change(1, entry(1, "one"))], reached=1)
    two.write([change(1, entry(2, "two"))], reached=5)
    one.write([change(1, entry(1, "one"))], reached=1, replace=True)
    assert (one.reached, two.reached) == (1, 0)


def test_terms_get_the_stems_of_a_language_that_comes_later(machine: Machine) -> None:
    engine = machine("one")
    engine.write([change(1, entry(1, "Häuser am See"))], reached=1)
    assert ids(engine, "Haus") == []
    other = machine("two")
    other.write([change(1, entry(2, "Boote", language="de"))], reached=1)
    assert ids(engine, "Haus") == [1]
    engine.write([change(2, entry(3, "Mäuse"))], reached=2)
    assert ids(engine, "Maus") == [3]


# Templates


def template_of(cluster: Cluster, name: str) -> dict[str, Any]:
    found = cluster.ask("GET", f"/_index_template/{name}")["index_templates"]
    assert len(found) == 1
    template: dict[str, Any] = found[0]["index_template"]
    return template


def test_what_a_cluster_makes_by_itself_is_like_the_rest(
    machine: Machine, cluster: Cluster, options: EngineOptions
) -> None:
    machine("one").write([change(1, entry(1, "one"))], reached=1)
    made, rolled = f"{name(options)}-000001", f"{name(options)}-000002"
    # Once: a second one would make another.
    cluster.ask("POST", f"/{name(options)}/_rollover", {}, answer=300)
    found = cluster.ask("GET", f"/{name(options)}-0*")
    assert found.keys() == {made, rolled}
    assert found[made]["mappings"] == found[rolled]["mappings"]
    assert found[rolled]["mappings"]["_meta"] == {"fingerprint": fingerprint()}
    assert found[rolled]["mappings"]["dynamic"] == "strict"
    for index in found.values():
        settings = index["settings"]["index"]
        assert int(settings["number_of_shards"]) == options.shards
        assert int(settings["number_of_replicas"]) == options.replicas
    with pytest.raises(EngineError, match="nonsense"):
        cluster.ask("PUT", f"/{rolled}/_doc/1", {"nonsense": 1})


def test_templates_are_put_where_they_are_absent_older_or_of_other_options(
    tmp_path: Path, machine: Machine, cluster: Cluster, options: EngineOptions
) -> None:
    made = templates(name(options), options)
    assert len(made) == 3
    older = {"index_patterns": [f"{name(options)}-0*"], "version": FORMAT - 1, "priority": 999}
    cluster.ask("PUT", f"/_index_template/{name(options)}", older)
    machine("one").write([change(1, entry(1, "one"))], reached=1)
    for each, template in made.items():
        known = template_of(cluster, each)
        assert {key: known[key] for key in ("version", "_meta", "priority")} == {
            key: template[key] for key in ("version", "_meta", "priority")
        }
    other = replace(options, shards=options.shards + 1)
    engine = open_engine("opensearch", tmp_path / "other", other)
    engine.write([change(1, entry(1, "one"))], reached=1, replace=True)
    engine.close()
    assert template_of(cluster, name(options))["_meta"]["shards"] == other.shards
    settings = cluster.ask("GET", f"/{name(options)}/_settings")
    (index,) = settings.values()
    assert int(index["settings"]["index"]["number_of_shards"]) == other.shards


def test_a_template_of_a_newer_release_stays(
    machine: Machine, cluster: Cluster, options: EngineOptions
) -> None:
    engine = machine("one")
    engine.write([change(1, entry(1, "one"))], reached=1)
    newer = template_of(cluster, name(options)) | {"version": FORMAT + 1}
    cluster.ask("PUT", f"/_index_template/{name(options)}", newer)
    with pytest.raises(IndexVersionError, match="is of a newer release; use that release") as told:
        engine.write([change(1, entry(2, "two"))], reached=1, replace=True)
    assert "\n" not in str(told.value)
    assert template_of(cluster, name(options))["version"] == FORMAT + 1
    assert ids(engine) == [1]


def test_an_index_that_another_template_was_used_for_is_not_written_to(
    machine: Machine, cluster: Cluster, options: EngineOptions
) -> None:
    other = {"index_patterns": [f"{name(options)}-0*"], "priority": 9_999}
    cluster.ask("PUT", f"/_index_template/{name(options)}-of-others", other)
    with pytest.raises(EngineError, match="not made from searchfeed's template; take away") as told:
        machine("one").write([change(1, entry(1, "one"))], reached=1)
    assert "\n" not in str(told.value)


def test_one_name_may_begin_with_another(
    tmp_path: Path, cluster: Cluster, options: EngineOptions
) -> None:
    longer = replace(options, url=f"{options.url}-0x", shards=1)
    for each in (options, longer):
        engine = open_engine("opensearch", tmp_path / name(each), each)
        engine.write([change(1, entry(1, "one"))], reached=1)
        engine.close()
        (index,) = cluster.ask("GET", f"/{name(each)}/_settings").values()
        assert int(index["settings"]["index"]["number_of_shards"]) == each.shards


# What goes wrong


def test_a_document_that_is_refused_is_named_and_nothing_is_noted(
    machine: Machine, cluster: Cluster, options: EngineOptions
) -> None:
    engine = machine("one")
    engine.write([change(1, entry(1, "one"))], reached=1)
    alias = name(options)
    bad = bulk.index(alias, "0000000000000bad", {"nonsense": 1}, 1)
    good = bulk.index(alias, "00000000000000aa", {"id": "00000000000000aa"}, 1)
    with pytest.raises(EngineError, match=r"nonsense.*document 0000000000000bad"):
        bulk.send(cluster, [good, bad])
    with pytest.raises(Missing, match="require_alias"):
        bulk.send(cluster, [bulk.index(f"{alias}-other", "1", {"a": 1}, 1)])
    with pytest.raises(Missing):
        cluster.ask("GET", f"/{alias}-other")


def test_an_index_that_takes_no_writes_says_so_and_loses_nothing(
    machine: Machine, cluster: Cluster, options: EngineOptions
) -> None:
    engine = machine("one")
    engine.write([change(1, entry(1, "one"))], reached=1)
    block = "index.blocks.read_only_allow_delete"
    cluster.ask("PUT", f"/{name(options)}/_settings", {block: True})
    with pytest.raises(EngineUnavailableError, match=r"takes no writes.*disk") as caught:
        engine.write([change(2, entry(2, "two"))], reached=2)
    assert "\n" not in str(caught.value)
    assert (ids(engine), engine.reached) == ([1], 1)
    cluster.ask("PUT", f"/{name(options)}/_settings", {block: None})
    engine.write([change(2, entry(2, "two"))], reached=2)
    assert (ids(engine, "one OR two"), engine.reached) == ([1, 2], 2)


def test_an_index_of_another_release_is_not_searched(
    machine: Machine, cluster: Cluster, options: EngineOptions
) -> None:
    machine("one").write([change(1, entry(1, "one"))], reached=1)
    mapping = {"_meta": {"fingerprint": "0-of-another"}}
    cluster.ask("PUT", f"/{name(options)}/_mapping", mapping, patience=300)
    engine = machine("one")
    for ask in (
        lambda: engine.reached,
        lambda: engine.search(Everything(), limit=1),
        lambda: engine.write([change(2, entry(2, "two"))], reached=2),
    ):
        with pytest.raises(IndexVersionError, match="searchfeed rebuild"):
            ask()
    engine.write([change(1, entry(1, "one"))], reached=1, replace=True)
    assert ids(engine) == [1]


def test_an_index_with_a_part_that_is_lost_is_waited_for_and_then_told(
    machine: Machine, cluster: Cluster, options: EngineOptions
) -> None:
    engine = machine("one")
    engine._indices._prepare()
    # A part that no server may have is one that is lost.
    body = {
        "settings": {"index.routing.allocation.require._name": "nobody"},
        "aliases": {name(options): {}},
    }
    index = f"/{name(options)}-000001"
    cluster.ask("PUT", index, body, wait_for_active_shards=0)
    assert engine.reached == 0
    start = monotonic()
    with pytest.raises(EngineUnavailableError, match="not whole") as caught:
        cluster.ask("POST", f"{index}/_search", {}, patience=1.0)
    assert 0.5 < monotonic() - start < 10
    assert "\n" not in str(caught.value)
    assert "_cluster/health" in str(caught.value)


def test_a_slow_server_is_told_so() -> None:
    slow = Cluster(read_address(engines.URLS, {}))
    with pytest.raises(EngineUnavailableError, match="did not answer within"):
        slow.ask("GET", "/_cluster/health/none", wait_for_nodes=9, answer=0.2, patience=0.3)


def test_another_server_answers_where_one_is_away() -> None:
    cluster = Cluster(read_address(f"http://127.0.0.1:1,{engines.URLS}", {}))
    for _ in range(5):
        assert cluster.ask("GET", "/")["version"]


def test_a_checkup_does_not_take_what_others_wrote_for_damage(
    tmp_path: Path, fixtures: Path, options: EngineOptions, machine: Machine
) -> None:
    machine("other").write([change(1, entry(1, "of another archive"))], reached=1)
    with Index(tmp_path / "index", engine="opensearch", options=options) as index:
        index.update([fixtures / "rss-2.0-typo3-migration.rss"])
        assert index.check().sound


# The same entries as the engine of one directory


def words_of(entries: list[Entry]) -> list[str]:
    found = {word for one in entries for word in f"{one.title} {one.body}".split()}
    return sorted(word for word in found if len(word) < 30)


SHAPES = (
    *("{word}",) * 4,
    "{half}*",
    "{word}~",
    '"{word} {other}"',
    "title:{word}",
    "body:{word}",
    "-{word}",
    "+{word}",
    "after:{year}",
    "feed:{half}",
    "tag:{word}",
    "{half}",
)


def generated(words: list[str], some: random.Random) -> str:
    """A query of the language, of the words that are there and their like."""

    def word() -> str:
        text = some.choice(words)
        return some.choice(SHAPES).format(
            word=text,
            half=text[: max(2, len(text) // 2)],
            other=some.choice(words),
            year=some.randrange(1985, 2027),
        )

    joined = [word()]
    for _ in range(some.randrange(4)):
        joined += [some.choice(("", "", "", "OR", "AND")), word()]
    return " ".join(filter(None, joined))


def real_phrases(entries: list[Entry], some: random.Random) -> str:
    text = some.choice(entries).body.split()
    at = some.randrange(max(1, len(text) - 4))
    slop = some.choice(("", "", "~2"))
    return f'"{" ".join(text[at : at + some.randrange(2, 5)])}"{slop}'


def compared(tmp_path: Path, entries: list[Entry], count: int) -> None:
    whoosh = open_engine("whoosh", tmp_path / "whoosh")
    cluster = engines.open_at("opensearch", tmp_path / "opensearch")
    for engine in (whoosh, cluster):
        changes = [change(at, one) for at, one in enumerate(entries, start=1)]
        engine.write(changes, reached=len(entries))
    some = random.Random(7)
    words = words_of(entries)
    asked = 0
    while asked < count:
        text = real_phrases(entries, some) if some.random() < 0.2 else generated(words, some)
        try:
            node = parse(text).node
        except Exception:  # noqa: BLE001 - not every text is a query
            continue
        asked += 1
        answers = [
            engine.search(node, limit=len(entries), dedupe=dedupe)
            for engine in (whoosh, cluster)
            for dedupe in (False, True)
        ]
        one, one_folded, other, other_folded = answers
        assert {match.id for match in one.matches} == {match.id for match in other.matches}, text
        assert one.total == other.total, text
        assert one_folded.total == other_folded.total, text
    newest = [
        [match.id for match in engine.search(Everything(), limit=9, sort=Sort.NEWEST).matches]
        for engine in (whoosh, cluster)
    ]
    assert newest[0] == newest[1]
    for engine in (whoosh, cluster):
        engine.close()


def entries_of(path: Path, *feeds: Path) -> list[Entry]:
    with Index(path) as index:
        index.update(list(feeds))
        return [one for _, one, _ in index._store.archive().changes(0)]


def test_generated_queries_find_the_same_in_the_fixtures(tmp_path: Path, fixtures: Path) -> None:
    compared(tmp_path, entries_of(tmp_path / "index", fixtures), QUERIES)


def test_generated_queries_find_the_same_in_real_feeds(tmp_path: Path, shared: Path) -> None:
    feeds = sorted((shared / "feeds/reuters").iterdir())[: 1 + QUERIES // 200]
    entries = entries_of(tmp_path / "index", shared / "feeds/icmpd-news.xml", *feeds)
    compared(tmp_path, entries, QUERIES)


def test_deep_pages_go_on_where_the_servers_stop(tmp_path: Path) -> None:
    engine = engines.open_at("opensearch", tmp_path / "engine")
    count = 10_050
    engine.write(
        [change(at, entry(at, "same words" if at % 3 else "words")) for at in range(count)],
        reached=count,
    )
    answer = engine.search(And((Word("words"),)), limit=count + 5)
    found = [match.id for match in answer.matches]
    assert answer.total == len(set(found)) == len(found) == count
    later = engine.search(And((Word("words"),)), limit=20, offset=count - 10)
    assert [match.id for match in later.matches] == found[-10:]
    engine.close()
