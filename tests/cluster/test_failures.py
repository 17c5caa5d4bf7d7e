"""What a cluster of three nodes does when something fails: killed, cut off, slow, full, away.

It runs its own cluster, whose nodes it kills and cuts off, so it is run by itself:

    SEARCHFEED_TEST_FAILURES=5 python -m pytest tests/cluster/test_failures.py -s

The number is how many seconds the work goes on before and after each failure. From 5 on a node is
also cut off and stopped, which costs minutes, as a cluster is slow to give up one that is silent;
from 60 on a node stays away for so long that its copies are made anew on the others.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from time import monotonic, sleep

import pytest
import urllib3

from benchmarks.cluster import Cluster, ClusterError
from searchfeed.archive import Archive
from searchfeed.engines import EngineOptions
from searchfeed.errors import EngineUnavailableError, IndexVersionError
from searchfeed.index import Index
from searchfeed.store import ARCHIVE
from tests.cluster.load import ROOT, TOGETHER, WORD, Work, feed, working
from tests.cluster.namespaces import Network, NoNamespacesError, network

SECONDS = float(os.environ.get("SEARCHFEED_TEST_FAILURES") or 0)

DELAYED = 60.0
"""Seconds that a cluster waits for a node before it makes its copies anew on the others."""

PATIENT = 5.0
"""Seconds from which on silent nodes are tried as well."""

patient = pytest.mark.skipif(
    SECONDS < PATIENT, reason=f"takes minutes: SEARCHFEED_TEST_FAILURES is below {PATIENT:.0f}"
)

pytestmark = [
    pytest.mark.skipif(
        not SECONDS, reason="kills servers of its own: SEARCHFEED_TEST_FAILURES holds no seconds"
    ),
    pytest.mark.timeout(1800),
]


class Servers:
    """The cluster, and the network that its nodes are in, if there may be one."""

    def __init__(self, cluster: Cluster, network: Network | None, reason: str) -> None:
        self.cluster = cluster
        self.network = network
        self.reason = reason
        self._http = urllib3.PoolManager(timeout=30)

    def options(self, name: str) -> EngineOptions:
        return EngineOptions(f"{','.join(self.cluster.urls)}/{name}", shards=2, replicas=1)

    def ask(self, method: str, path: str, body: object = None) -> object:
        """Ask the cluster itself, past the engine."""
        answer = self._http.request(
            method,
            self.cluster.urls[-1] + path,
            body=None if body is None else json.dumps(body),
            headers={"content-type": "application/json"},
        )
        assert answer.status < 300, answer.data
        return answer.json()

    def signal(self, number: int, kind: signal.Signals) -> None:
        process = self.cluster.nodes[number].process
        assert process is not None
        process.send_signal(kind)


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with ExitStack() as stack:
        made: Network | None = None
        reason = ""
        try:
            made = stack.enter_context(network(3))
        except NoNamespacesError as error:
            reason = str(error)
        hosts, launchers = (made.hosts, made.launchers) if made else ((), ())
        try:
            cluster = stack.enter_context(Cluster(3, hosts=hosts, launchers=launchers))
        except ClusterError as error:
            pytest.fail(str(error))
        yield Servers(cluster, made, reason)


def report(text: str) -> None:
    """Say a figure; pytest shows it with -s."""
    print(f"\n  {text}", flush=True)


def all_there(
    work: Work, options: EngineOptions, *, back: tuple[float, float] = (0.0, 0.0)
) -> None:
    """Nothing that was acknowledged is lost, no search failed, and none found too few.

    A server that comes to itself answers from what it knew before, until it learns that the others
    went on without it: between its coming ``back`` and the cluster's being whole.
    """
    report(str(work))
    for writer in work.writers:
        for text in writer.failures:
            report(f"an update was refused: {text}")
    assert not work.failed
    assert [each for each in work.missing if not back[0] <= each[-1] <= back[1]] == []
    for writer in work.writers:
        with closing(Index(writer.folder / "index", engine="opensearch", options=options)) as index:
            index.search(WORD)  # brings the cluster what the archive has and it had not
            sequence = index._store.archive().sequence
            assert index._store.engine().reached == sequence >= writer.acknowledged
    with closing(
        Index(work.writers[0].folder / "none", engine="opensearch", options=options)
    ) as one:
        kept = sum(
            Archive(writer.folder / "index" / ARCHIVE).figures().entries for writer in work.writers
        )
        ids = one._store.engine().check().ids
        assert len(ids) == len(set(ids)) == kept >= work.acknowledged
        assert one.search(WORD, dedupe=False).total == kept


# A node is gone


def test_a_node_is_killed(servers: Servers, tmp_path: Path) -> None:
    cluster = servers.cluster
    options = servers.options("killed")
    node = cluster.nodes[0]
    with working(tmp_path / "work", options) as work:
        sleep(SECONDS)
        cluster.kill(node)
        killed = monotonic()
        cluster.wait("yellow", nodes=2)
        report(f"yellow {monotonic() - killed:.1f} s after a node was killed")
        again = work.progress(2 * TOGETHER)
        report(f"the next entries acknowledged {again:.1f} s after that")
        if SECONDS >= DELAYED:
            cluster.wait("green", nodes=2)
            report(f"green with two nodes {monotonic() - killed:.1f} s after it was killed")
        sleep(SECONDS)
        started = monotonic()
        cluster.start(node)
        cluster.wait("green", nodes=3)
        report(f"back, and green with three nodes, {monotonic() - started:.1f} s after its start")
        work.progress(2 * TOGETHER)
    all_there(work, options)


@patient
def test_a_node_is_cut_off(servers: Servers, tmp_path: Path) -> None:
    if servers.network is None:
        pytest.skip(f"no namespaces to pull cables in: {servers.reason}")
    cluster = servers.cluster
    options = servers.options("cut")
    with working(tmp_path / "work", options) as work:
        sleep(SECONDS)
        servers.network.cut(1)
        cut = monotonic()
        try:
            cluster.wait("yellow", nodes=2)
            report(f"yellow {monotonic() - cut:.1f} s after a cable was pulled")
            again = work.progress(2 * TOGETHER)
            report(f"the next entries acknowledged {again:.1f} s after that")
            sleep(SECONDS)
        finally:
            servers.network.mend(1)
        mended = monotonic()
        cluster.wait("green", nodes=3)
        whole = monotonic()
        report(f"green with three nodes {whole - mended:.1f} s after it was put back")
        work.progress(2 * TOGETHER)
    all_there(work, options, back=(mended, whole))


@patient
def test_a_node_is_slow(servers: Servers, tmp_path: Path) -> None:
    cluster = servers.cluster
    options = servers.options("slow")
    with working(tmp_path / "work", options) as work:
        sleep(SECONDS)
        servers.signal(0, signal.SIGSTOP)
        stopped = monotonic()
        try:
            cluster.wait("yellow", nodes=2)
            report(f"yellow {monotonic() - stopped:.1f} s after a node was stopped")
            again = work.progress(2 * TOGETHER)
            report(f"the next entries acknowledged {again:.1f} s after that")
            sleep(SECONDS)
        finally:
            servers.signal(0, signal.SIGCONT)
        report(f"it was stopped for {monotonic() - stopped:.1f} s")
        went_on = monotonic()
        cluster.wait("green", nodes=3)
        whole = monotonic()
        report(f"green with three nodes {whole - went_on:.1f} s after it went on")
        work.progress(2 * TOGETHER)
    all_there(work, options, back=(went_on, whole))


# A rebuild


def test_a_rebuild_swaps_the_indices_under_load(servers: Servers, tmp_path: Path) -> None:
    options = servers.options("swap")
    own = Index(tmp_path / "own", engine="opensearch", options=options)
    own.update([feed(number, _folder(tmp_path)) for number in range(20)])
    with working(tmp_path / "work", options, writers=0) as work:
        work_total = own.search(WORD, dedupe=False).total
        start = monotonic()
        count = 0
        while count < 2 or monotonic() - start < SECONDS:
            own.rebuild()
            count += 1
            assert own.search(WORD, dedupe=False).total == work_total
    report(f"{count} rebuilds of {work_total} entries in {monotonic() - start:.1f} s; {work}")
    assert not work.failed
    assert len(work.waits) > count
    own.close()


def test_what_a_killed_rebuild_left_goes_with_the_next(servers: Servers, tmp_path: Path) -> None:
    options = servers.options("halted")
    own = Index(tmp_path / "own", engine="opensearch", options=options)
    own.update([feed(number, _folder(tmp_path)) for number in range(20)])
    before = own.search(WORD, dedupe=False).total
    program = (
        "import os, sys; from searchfeed.engines import EngineOptions\n"
        "from searchfeed.index import Index\n"
        "def halt(what, done, total):\n"
        "    if done >= 100: os.kill(os.getpid(), 9)\n"
        "options = EngineOptions(sys.argv[2])\n"
        "Index(sys.argv[1], engine='opensearch', options=options).rebuild(progress=halt)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(own.path), options.url], cwd=ROOT, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert _indices(servers, "halted") == {"halted-000001", "halted-000002"}
    assert own.search(WORD, dedupe=False).total == before
    own.rebuild()
    assert _indices(servers, "halted") == {"halted-000003"}
    assert own.search(WORD, dedupe=False).total == before
    own.close()


def _folder(path: Path) -> Path:
    folder = path / "ships"
    folder.mkdir(exist_ok=True)
    return folder


def _indices(servers: Servers, name: str) -> set[str]:
    found = servers.ask("GET", f"/{name}-0*/_alias")
    assert isinstance(found, dict)
    return set(found)


# The cluster does not do what it should


def test_what_the_archive_took_comes_into_a_cluster_that_is_back(
    servers: Servers, tmp_path: Path
) -> None:
    folder = _folder(tmp_path)
    away = EngineOptions("http://127.0.0.1:1/away")
    with closing(Index(tmp_path / "own", engine="opensearch", options=away)) as index:
        start = monotonic()
        with pytest.raises(EngineUnavailableError, match="cannot be reached") as raised:
            index.update(feed(1, folder))
        waited = monotonic() - start
        one_line(raised.value)
        assert waited < 10
        with pytest.raises(EngineUnavailableError, match="cannot be reached"):
            index.search(WORD)
    report(f"that a cluster is away is told after {waited:.1f} s")
    back = servers.options("away")
    with closing(Index(tmp_path / "own", engine="opensearch", options=back)) as index:
        assert index.search(WORD, dedupe=False).total == TOGETHER


def test_an_index_that_takes_no_writes(servers: Servers, tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    options = servers.options("full")
    with closing(Index(tmp_path / "own", engine="opensearch", options=options)) as index:
        index.update(feed(1, folder))
        # What a node does when its disk is nearly full.
        block = {"index.blocks.read_only_allow_delete": True}
        servers.ask("PUT", "/full-000001/_settings", block)
        start = monotonic()
        with pytest.raises(EngineUnavailableError, match="takes no writes") as raised:
            index.update(feed(2, folder))
        one_line(raised.value)
        assert monotonic() - start < 10
        found = index.search(WORD, dedupe=False)
        assert found.total == TOGETHER
        assert "takes no writes" in " ".join(found.notes)
        servers.ask("PUT", "/full-000001/_settings", dict.fromkeys(block))
        assert index.search(WORD, dedupe=False).total == 2 * TOGETHER


def test_an_index_of_another_release(servers: Servers, tmp_path: Path) -> None:
    options = servers.options("other")
    with closing(Index(tmp_path / "own", engine="opensearch", options=options)) as index:
        index.update(feed(1, _folder(tmp_path)))
        other = {"_meta": {"fingerprint": "0-other"}}
        servers.ask("PUT", "/other-000001/_mapping", other)
    with closing(Index(tmp_path / "own", engine="opensearch", options=options)) as index:
        with pytest.raises(IndexVersionError, match="another release") as raised:
            index.search(WORD)
        one_line(raised.value)
        index.rebuild()
        assert index.search(WORD, dedupe=False).total == TOGETHER


def one_line(error: Exception) -> None:
    assert "\n" not in str(error)
    assert len(str(error)) < 300
