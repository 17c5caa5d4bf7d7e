"""What is made of answers that lack a part, or refuse; a server on loopback plays the cluster."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest

from searchfeed.engines import EngineOptions, open_engine
from searchfeed.engines.opensearch import bulk
from searchfeed.engines.opensearch.address import read_address
from searchfeed.engines.opensearch.bulk import Bulk
from searchfeed.engines.opensearch.cluster import Cluster
from searchfeed.errors import EngineError, EngineUnavailableError, IndexVersionError
from searchfeed.tree import Everything
from tests.loopback import Answer, Received, Web
from tests.program import PROGRAM

SHORT = 0.5
"""Seconds of patience with what stays as it is."""

WHOLE = {"_shards": {"total": 2, "failed": 0}, "timed_out": False, "hits": {"hits": []}}

FAILED = WHOLE | {
    "_shards": {
        "total": 2,
        "failed": 1,
        "failures": [{"shard": 1, "reason": {"type": "node_disconnected", "reason": "it left"}}],
    }
}
LATE = WHOLE | {"timed_out": True}
NO_SHARD = {"type": "no_shard_available_action_exception", "reason": "no copy of [news][1]"}
DISK = {
    "type": "cluster_block_exception",
    "reason": "index [news-000001] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded "
    "flood-stage watermark, index has read-only-allow-delete block];",
}
CLOSED = {
    "type": "cluster_block_exception",
    "reason": "index [news-000001] blocked by: [FORBIDDEN/8/index write (api)];",
}
LEADERLESS = {
    "type": "cluster_block_exception",
    "reason": "blocked by: [SERVICE_UNAVAILABLE/2/no cluster-manager];",
}
LEFT = {
    "type": "search_phase_execution_exception",
    "reason": "all shards failed",
    "root_cause": [{"type": "node_disconnected_exception", "reason": "[node0] disconnected"}],
}
BUSY = {"type": "rejected_execution_exception", "reason": "the queue of writes is full"}


def said(value: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode(), headers={"Content-Type": "application/json"})


@pytest.fixture
def cluster(web: Web) -> Iterator[Cluster]:
    with closing(Cluster(read_address(web.url("/news"), {}))) as opened:
        yield opened


def asked(web: Web, path: str) -> list[Received]:
    """The requests for a path, whatever their query."""
    return [request for request in web.requests if request.path.partition("?")[0] == path]


def one_line(error: object) -> str:
    text = str(error)
    assert "\n" not in text
    assert len(text) < 300
    return text


# A part is no answer


@pytest.mark.parametrize(
    "part", [FAILED, LATE, WHOLE | {"_shards": {"total": 2, "failed": 1}}], ids=str
)
def test_a_search_that_passed_over_a_part_is_made_again(
    web: Web, cluster: Cluster, part: object
) -> None:
    web.play("/news/_search", said(part), said(part), said(WHOLE))
    assert cluster.search("news", {}) == WHOLE
    requests = asked(web, "/news/_search")
    assert len(requests) == 3
    assert all("allow_partial_search_results=false" in request.path for request in requests)


@pytest.mark.parametrize(
    ("part", "line"),
    [
        (FAILED, r"^the cluster is not whole: it left \(its state: http://.*/_cluster/health\)$"),
        (LATE, r"^the cluster did not finish in time: the search was broken off \(its state: "),
    ],
)
def test_a_part_that_stays_away_is_told(
    web: Web, cluster: Cluster, part: object, line: str
) -> None:
    web.play("/news/_search", said(part))
    with pytest.raises(EngineUnavailableError, match=line) as caught:
        cluster.search("news", {}, patience=SHORT)
    one_line(caught.value)
    assert len(asked(web, "/news/_search")) > 1


@pytest.mark.parametrize("part", [FAILED, LATE, {"status": 503, "error": NO_SHARD}], ids=str)
def test_of_several_searches_none_is_passed_over(web: Web, cluster: Cluster, part: object) -> None:
    both = {"responses": [WHOLE, WHOLE]}
    web.play("/_msearch", said({"responses": [WHOLE, part]}), said(both))
    assert cluster.several([("news", {}), ("news-terms", {})]) == [WHOLE, WHOLE]
    bodies = [request.body for request in asked(web, "/_msearch")]
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]
    assert bodies[0].count(b'"allow_partial_search_results":"false"') == 2


def test_whoever_asked_a_server_that_just_went_is_answered_by_another(
    web: Web, cluster: Cluster
) -> None:
    web.play("/news/_search", said({"error": LEFT}, 500), said(WHOLE))
    assert cluster.search("news", {}) == WHOLE
    left = said({"responses": [{"status": 500, "error": LEFT}]})
    web.play("/_msearch", left, said({"responses": [WHOLE]}))
    assert cluster.several([("news", {})]) == [WHOLE]
    web.play("/_bulk", taking(lambda _, time: (500, LEFT) if time == 1 else (201, None)))
    bulk.send(cluster, writes(1))
    assert [request.path.partition("?")[0] for request in web.requests] == [
        path for path in ("/news/_search", "/_msearch", "/_bulk") for _ in range(2)
    ]


def test_a_search_that_is_refused_among_several_is_not_made_again(
    web: Web, cluster: Cluster
) -> None:
    clauses = {"type": "too_many_nested_clauses", "reason": "Query contains too many clauses"}
    web.play("/_msearch", said({"responses": [WHOLE, {"status": 400, "error": clauses}]}))
    with pytest.raises(EngineError, match="too many words for the cluster; leave some out"):
        cluster.several([("news", {}), ("news", {})])
    assert len(asked(web, "/_msearch")) == 1


def test_a_document_that_cannot_be_read_is_not_taken_for_one_that_is_not_there(
    web: Web, cluster: Cluster
) -> None:
    there = {"_id": "1", "found": True, "_source": {}}
    gone = {"_id": "3", "found": False}
    part = {"docs": [there, {"_id": "2", "error": NO_SHARD}, gone]}
    whole = {"docs": [there, {"_id": "2", "found": True}, gone]}
    web.play("/news/_mget", said(part), said(whole))
    assert [each["_id"] for each in cluster.read("news", ["1", "2", "3"])] == ["1", "2"]
    assert len(asked(web, "/news/_mget")) == 2


@pytest.mark.parametrize("status", [200, 500])
def test_what_a_copy_does_not_show_yet_is_refreshed_again(
    web: Web, cluster: Cluster, status: int
) -> None:
    reason = "[news][0] operation primary term [1] is too old (current [2])"
    failure = {"shard": 0, "reason": {"type": "illegal_state_exception", "reason": reason}}
    part = said({"_shards": {"total": 4, "failed": 1, "failures": [failure]}}, status)
    web.play("/news,news-terms/_refresh", part, said({"_shards": {"total": 4}}))
    cluster.refresh("news", "news-terms")
    assert len(asked(web, "/news,news-terms/_refresh")) == 2
    web.play("/news,news-terms/_refresh", part)
    with pytest.raises(EngineUnavailableError, match=r"not whole: .*term.* is too old") as told:
        cluster.refresh("news", "news-terms", patience=SHORT)
    one_line(told.value)


# Writes


def ids_of(request: Received) -> list[str]:
    """The documents of a request to write."""
    return [json.loads(line)["index"]["_id"] for line in request.body.splitlines()[::2]]


def writes(count: int) -> list[bulk.Write]:
    return [bulk.index("news", f"{number}", {"n": number}, 1) for number in range(count)]


def taking(status: Callable[[str, int], tuple[int, object]]) -> Callable[[Received], Answer]:
    """Answers writes: ``status`` gives that of a document at its first, second ... time."""
    times: dict[str, int] = {}

    def answer(request: Received) -> Answer:
        items = []
        for id in ids_of(request):
            times[id] = times.get(id, 0) + 1
            code, error = status(id, times[id])
            items.append({"index": {"status": code} | ({"error": error} if error else {})})
        errors = any("error" in item["index"] for item in items)
        return said({"errors": errors, "items": items})

    return answer


def test_only_the_writes_that_there_was_no_room_for_are_sent_again(
    web: Web, cluster: Cluster
) -> None:
    tries = {"2": 2, "5": 4, "7": 2}
    web.play(
        "/_bulk", taking(lambda id, time: (429, BUSY) if time < tries.get(id, 1) else (201, None))
    )
    bulk.send(cluster, writes(10))
    requests = asked(web, "/_bulk")
    assert [ids_of(request) for request in requests] == [
        [str(number) for number in range(10)],
        ["2", "5", "7"],
        ["5"],
        ["5"],
    ]
    # Each pause is twice the one before, and then up to as much again.
    pauses = [after.at - before.at for before, after in pairwise(requests)]
    assert all(pause >= least for pause, least in zip(pauses, (0.1, 0.2, 0.4), strict=True))


def test_who_writes_waits_while_servers_are_full(
    web: Web, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST", 5)
    room = False
    web.play("/_bulk", taking(lambda id, time: (201, None) if room else (429, BUSY)))
    added: list[str] = []

    def write() -> None:
        with Bulk(cluster) as target:
            for each in writes(50):
                target.add(each)
                added.append(each.id)

    writer = Thread(target=write)
    writer.start()
    sleep(1)
    # Two requests are on their way, and the third is full.
    assert len(added) == 5 * (bulk.UNDER_WAY + 1) - 1
    assert {id for request in web.requests for id in ids_of(request)} == set(map(str, range(10)))
    room = True
    writer.join(20)
    assert not writer.is_alive()
    assert web.most <= bulk.UNDER_WAY
    assert {id for request in web.requests for id in ids_of(request)} == set(map(str, range(50)))


def test_writes_for_which_there_never_is_room_are_named(
    web: Web, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "PATIENCE", SHORT)
    web.play("/_bulk", taking(lambda id, _: (429, BUSY) if int(id) > 5 else (201, None)))
    line = r"too much to do: the queue of writes is full .*\(document 6, 7, 8 and 1 more\)$"
    with pytest.raises(EngineUnavailableError, match=line) as caught:
        bulk.send(cluster, writes(10))
    one_line(caught.value)


@pytest.mark.parametrize(
    ("status", "error", "line"),
    [
        (429, DISK, r"takes no writes: .*watermark.*\(make room on its disks, .*\(document 3\)$"),
        (403, CLOSED, r"takes no writes: .*\(who closed it to writes has to open it again\)"),
        (400, {"type": "strict_dynamic_mapping_exception", "reason": "[x] is not allowed"}, "x"),
    ],
)
def test_a_write_that_is_refused_for_good_is_not_sent_again(
    web: Web, cluster: Cluster, status: int, error: object, line: str
) -> None:
    web.play("/_bulk", taking(lambda id, _: (status, error) if id == "3" else (201, None)))
    with pytest.raises(EngineError, match=line) as caught:
        bulk.send(cluster, writes(5))
    one_line(caught.value)
    assert len(web.requests) == 1


def test_writes_wait_for_a_part_that_has_no_server_and_for_one_that_leads(
    web: Web, cluster: Cluster
) -> None:
    done = {"errors": False}
    missing = taking(lambda id, _: (503, NO_SHARD) if id == "1" else (201, None))
    led = said({"error": LEADERLESS}, 503)
    web.play("/_bulk", led, missing, said(done))
    bulk.send(cluster, writes(3))
    assert [ids_of(request) for request in web.requests] == [["0", "1", "2"]] * 2 + [["1"]]


# What cannot be done is a line, with what can be done about it


@pytest.mark.parametrize(
    ("status", "error", "line"),
    [
        (401, "Unauthorized", r"does not know this user; set SEARCHFEED_ENGINE_USER and .*netrc"),
        (
            403,
            {"type": "security_exception", "reason": "no permissions for [indices:admin/create]"},
            r"user may not do that: no permissions .*\(docs/scale\.md lists the rights\)",
        ),
        (403, CLOSED, r"takes no writes: .*\(who closed it to writes has to open it again\)"),
        (429, DISK, r"takes no writes: .*\(make room on its disks, then it opens by itself\)"),
        (429, BUSY, r"too much to do: .*\(try again later, or give it more nodes\)"),
        (502, "Bad Gateway", r"is not whole: .*its state: http://127\.0\.0\.1:\d+/_cluster/health"),
        (500, LEFT, r"is not whole: \[node0\] disconnected \(its state: .*/_cluster/health"),
        (503, NO_SHARD, r"is not whole: no copy of \[news\]\[1\] \(its state: .*/_cluster/health"),
        (503, LEADERLESS, r"is not whole: .*no cluster-manager.* \(its state: .*/_cluster/health"),
        (504, "Gateway Time-out", r"did not finish in time: .*\(its state: "),
    ],
)
def test_what_a_cluster_will_not_do_is_a_line_with_a_remedy(
    web: Web, cluster: Cluster, status: int, error: object, line: str
) -> None:
    web.play("/news/_doc/1", said({"error": error, "status": status}, status))
    with pytest.raises(EngineUnavailableError, match=line) as caught:
        cluster.ask("PUT", "/news/_doc/1", {}, patience=SHORT)
    one_line(caught.value)
    # What another try cannot change is not tried again.
    lasting = status in (401, 403) or error is DISK
    assert (len(web.requests) == 1) == lasting


def test_a_cluster_that_elects_who_leads_it_is_waited_for(web: Web, cluster: Cluster) -> None:
    web.play("/news", said({"error": LEADERLESS}, 503), said({"acknowledged": True}))
    assert cluster.ask("PUT", "/news", {}) == {"acknowledged": True}


def test_a_slow_server_is_told_with_where_to_look(web: Web, cluster: Cluster) -> None:
    web.play("/news/_search", Answer(delay=5))
    start = monotonic()
    line = r"did not answer within 0\.3 s, .*again \(its state: http://.*/_cluster/health\)"
    with pytest.raises(EngineUnavailableError, match=line) as caught:
        cluster.search("news", {}, answer=0.3, patience=SHORT)
    one_line(caught.value)
    assert monotonic() - start < 4


@pytest.mark.parametrize("host", ["127.0.0.1:1", "no-such-host.invalid"])
def test_a_cluster_that_is_not_there_is_told_soon(host: str) -> None:
    start = monotonic()
    with (
        closing(Cluster(read_address(f"http://{host}/news", {}))) as cluster,
        pytest.raises(
            EngineUnavailableError, match=r"cannot be reached: .*; is it running"
        ) as told,
    ):
        cluster.search("news", {})
    one_line(told.value)
    assert monotonic() - start < 15


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux shows its timers")
def test_a_server_that_is_cut_off_would_be_noticed(web: Web, cluster: Cluster) -> None:
    web.play("/news/_search", said(WHOLE))
    cluster.search("news", {})
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    # An open connection to it, and which timer runs there: 2 is that of keepalive.
    timers = [row[5][:2] for row in rows if row[2].endswith(f":{web.port:04X}") and row[3] == "01"]
    assert timers == ["02"]


def test_where_one_server_is_away_and_one_hangs_another_answers(web: Web) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as deaf:
        port = deaf.getsockname()[1]
        address = f"http://127.0.0.1:1,http://127.0.0.1:{port},{web.url('/news')}"
        web.play("/news/_search", said(WHOLE))
        with closing(Cluster(read_address(address, {}))) as cluster:
            for _ in range(4):
                assert cluster.search("news", {}, answer=0.3) == WHOLE


def test_an_index_of_another_release_is_told_with_what_to_do(tmp_path: Path, web: Web) -> None:
    web.play("/news-0*/_alias/news", said({"news-000002": {"aliases": {"news": {}}}}))
    other = {"news-000002": {"mappings": {"_meta": {"fingerprint": "0-of-another"}}}}
    web.play("/news-000002/_mapping", said(other))
    with closing(open_engine("opensearch", tmp_path, EngineOptions(web.url("/news")))) as engine:
        line = "'news' in the cluster was made by another release; run: searchfeed rebuild, or"
        with pytest.raises(IndexVersionError, match=line) as caught:
            engine.search(Everything(), limit=1)
    one_line(caught.value)


def test_certificates_are_verified(
    secure_web: Web, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    secure_web.play("/news/_search", said(WHOLE))
    url = secure_web.url("/news")
    line = r"is not trusted: [^:;]*certificate[^:;]*; SSL_CERT_FILE names a file of authorities"
    with (
        closing(Cluster(read_address(url, {}))) as cluster,
        pytest.raises(EngineUnavailableError, match=line) as caught,
    ):
        cluster.search("news", {})
    one_line(caught.value)
    assert secure_web.requests == []
    monkeypatch.setenv("SSL_CERT_FILE", str(secure_web.authority))
    with closing(Cluster(read_address(url, {}))) as cluster:
        assert cluster.search("news", {}) == WHOLE
    plain = web.url("/news").replace("http:", "https:")
    line = r"no TLS can be spoken with https://127\.0\.0\.1:\d+ \(.*\); is --engine-url right\?"
    with (
        closing(Cluster(read_address(plain, {}))) as cluster,
        pytest.raises(EngineUnavailableError, match=line) as caught,
    ):
        cluster.search("news", {})
    one_line(caught.value)


@pytest.mark.parametrize("away", [True, False])
def test_the_program_says_it_in_one_line(tmp_path: Path, web: Web, *, away: bool) -> None:
    web.play("/news-0*/_alias/news", said({"error": "Unauthorized"}, 401))
    url = "http://ann:secret@127.0.0.1:1/news" if away else web.url("/news", user="ann:secret")
    command = [*PROGRAM, "--index", str(tmp_path), "--engine", "opensearch", "--engine-url", url]
    done = subprocess.run(
        [*command, "search", "word"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode not in (0, 1)
    assert done.stdout == ""
    unreached = "cannot be reached: no server answers at http://127.0.0.1:1 (connection refused)"
    assert (unreached if away else "does not know this user") in done.stderr
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr
