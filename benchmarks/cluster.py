"""A real OpenSearch cluster on this machine, for the tests and the measurements.

The server's jars come from Maven Central, once, into a cache; each node is a process of its own,
with the server's own main class. It takes Java 17 to 21 and Maven.

    python -m benchmarks.cluster [--nodes 3]               runs one until it is interrupted
    python -m benchmarks.cluster [--nodes 3] -- COMMAND    runs one for a command, which finds it by
                                                           SEARCHFEED_TEST_OPENSEARCH
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Self

import urllib3

VERSION = "2.19.6"
LOGGING = "2.25.4"
"""Of log4j-core, which the server's pom calls optional and the server does not start without."""

_SERVER = (
    f"org.opensearch:opensearch:{VERSION}",
    f"org.opensearch:opensearch-plugin-classloader:{VERSION}",
    f"org.apache.logging.log4j:log4j-core:{LOGGING}",
)
_MODULES = {
    "transport-netty4-client": "org.opensearch.transport.Netty4Plugin",
    "analysis-common": "org.opensearch.analysis.common.CommonAnalysisPlugin",
}
_NOBODY = 65534
"""The server refuses to run as root."""

_DESCRIPTOR = """\
name={name}
description={name}
version={version}
opensearch.version={version}
java.version=11
classname={main}
"""
_POLICY = """\
grant {
  permission java.lang.RuntimePermission "getClassLoader";
  permission java.lang.RuntimePermission "accessDeclaredMembers";
  permission java.lang.RuntimePermission "accessClassInPackage.sun.nio.ch";
  permission java.lang.reflect.ReflectPermission "suppressAccessChecks";
  permission java.net.NetPermission "getNetworkInformation";
  permission java.net.SocketPermission "*", "accept,connect,listen,resolve";
  permission java.util.PropertyPermission "*", "read,write";
};
"""
_LOG = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%c] %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""


class ClusterError(Exception):
    """There is no cluster: the text says what is missing, or what the server said."""


@dataclass
class Node:
    """One server: where it listens, and its process while it runs."""

    name: str
    host: str
    http: int
    transport: int
    home: Path
    launcher: tuple[str, ...] = ()
    secure: bool = False
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http{'s' if self.secure else ''}://{self.host}:{self.http}"

    @property
    def log(self) -> str:
        """What it wrote last."""
        path = self.home / "output.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""


class Cluster:
    """Nodes that find each other on loopback. It is a context manager: the nodes end with it.

    Args:
        count: how many nodes.
        heap: megabytes of each one's heap.
        hosts: an address for each node, where they are not all on 127.0.0.1.
        launchers: a command for each node that runs another one, for example in a namespace.
        furnish: puts more into the home of a node, and returns more lines of its settings; with it
            the nodes speak TLS.
        http: who asks the nodes how they are.
        lasting: have Java make the most of what is used often, which costs each node ten seconds
            of a processor and more before it pays.
    """

    def __init__(
        self,
        count: int = 3,
        *,
        heap: int = 384,
        hosts: Sequence[str] = (),
        launchers: Sequence[Sequence[str]] = (),
        furnish: Callable[[Node], str] | None = None,
        http: urllib3.PoolManager | None = None,
        lasting: bool = False,
    ) -> None:
        self._heap = heap
        self._lasting = lasting
        self._java = java()
        self._root = Path(tempfile.mkdtemp(prefix="searchfeed-cluster-"))
        self._root.chmod(0o755)
        server = jars()
        # The user nobody may not be able to enter the checkout.
        shutil.copytree(server, self._root / "server", copy_function=_link_or_copy)
        self.nodes = [
            Node(
                name=f"node{number}",
                host=hosts[number] if hosts else "127.0.0.1",
                http=_free_port(),
                transport=_free_port(),
                home=self._root / f"node{number}",
                launcher=tuple(launchers[number]) if launchers else (),
                secure=furnish is not None,
            )
            for number in range(count)
        ]
        self._more = furnish
        self._http = http or urllib3.PoolManager(retries=False, timeout=5)
        self._answering = self.nodes[:1]

    @property
    def urls(self) -> tuple[str, ...]:
        return tuple(node.url for node in self.nodes)

    def __enter__(self) -> Self:
        try:
            for node in self.nodes:
                self._furnish(node)
                self.start(node)
            self.wait("green", nodes=len(self.nodes))
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the nodes, by their processes, and remove what they wrote."""
        running = [node.process for node in self.nodes if node.process is not None]
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self._root, ignore_errors=True)

    def start(self, node: Node) -> None:
        """Start a node that does not run; it joins the others by itself."""
        log = (node.home / "output.log").open("ab")
        root = os.geteuid() == 0
        with log:
            node.process = subprocess.Popen(
                [
                    *node.launcher,
                    self._java,
                    f"-Xms{self._heap}m",
                    f"-Xmx{self._heap}m",
                    "-XX:+UseSerialGC",
                    f"-XX:TieredStopAtLevel={4 if self._lasting else 1}",
                    "-XX:-UsePerfData",
                    "-Djava.security.manager=allow",
                    "-Dlog4j2.disable.jmx=true",
                    f"-Djava.io.tmpdir={node.home}/temporary",
                    f"-Dopensearch.path.home={node.home}",
                    f"-Dopensearch.path.conf={node.home}/config",
                    "-cp",
                    f"{self._root}/server/lib/*",
                    "org.opensearch.bootstrap.OpenSearch",
                ],
                cwd=node.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A launcher that enters a namespace needs root itself and lets go of it later.
                user=_NOBODY if root and not node.launcher else None,
                group=_NOBODY if root and not node.launcher else None,
                extra_groups=[] if root and not node.launcher else None,
            )

    def kill(self, node: Node) -> None:
        """End a node as a power cut would."""
        if node.process is not None:
            node.process.send_signal(signal.SIGKILL)
            node.process.wait()
            node.process = None

    def health(self) -> dict[str, Any]:
        """What the first node that answers says of the cluster; empty where none does.

        The one that answered last is asked first: another may hang, or not know what has happened.
        """
        for node in (*self._answering, *self.nodes):
            try:
                answer = self._http.request("GET", f"{node.url}/_cluster/health")
            except urllib3.exceptions.HTTPError:
                continue
            if answer.status == 200:
                self._answering = [node]
                found: dict[str, Any] = answer.json()
                return found
        return {}

    def wait(self, status: str, *, nodes: int, seconds: float = 300) -> float:
        """Wait for a status (``green``, ``yellow``) of so many nodes; return how long it took.

        ``seconds`` end a wait for what never comes; a machine with much else to do takes its time.
        """
        start = monotonic()
        good = {"green": ("green",), "yellow": ("green", "yellow")}[status]
        while monotonic() - start < seconds:
            health = self.health()
            if health.get("status") in good and health.get("number_of_nodes") == nodes:
                return monotonic() - start
            for node in self.nodes:
                if node.process is not None and node.process.poll() is not None:
                    raise ClusterError(f"{node.name} ended: {node.log}")
            sleep(0.1)
        raise ClusterError(f"no {status} cluster of {nodes} after {seconds:.0f} s: {health}")

    def _furnish(self, node: Node) -> None:
        config = node.home / "config"
        for name in ("config", "plugins", "data", "logs", "temporary"):
            (node.home / name).mkdir(parents=True)
        (node.home / "modules").symlink_to(self._root / "server" / "modules")
        seeds = ", ".join(f'"{each.host}:{each.transport}"' for each in self.nodes)
        names = ", ".join(f'"{each.name}"' for each in self.nodes)
        (config / "opensearch.yml").write_text(
            f"cluster.name: {self._root.name}\n"
            f"node.name: {node.name}\n"
            f"network.host: {node.host}\n"
            f"http.port: {node.http}\n"
            f"transport.port: {node.transport}\n"
            f"discovery.seed_hosts: [{seeds}]\n"
            f"cluster.initial_cluster_manager_nodes: [{names}]\n"
            "cluster.routing.allocation.disk.threshold_enabled: false\n"
            "node.store.allow_mmap: false\n"
            # A test that takes a node away does not want to wait a minute for its replica.
            "cluster.fault_detection.follower_check.interval: 500ms\n"
            "cluster.fault_detection.follower_check.timeout: 2s\n"
            "cluster.fault_detection.leader_check.interval: 500ms\n"
            "cluster.fault_detection.leader_check.timeout: 2s\n"
        )
        (config / "log4j2.properties").write_text(_LOG)
        if self._more is not None:
            with (config / "opensearch.yml").open("a") as settings:
                settings.write(self._more(node))
        if os.geteuid() == 0:
            for path in (node.home, *node.home.rglob("*")):
                os.chown(path, _NOBODY, _NOBODY, follow_symlinks=False)


def java() -> str:
    """The program; ``ClusterError`` where there is none."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin" if home else None)
    if found is None:
        raise ClusterError(f"there is no java; OpenSearch {VERSION} runs on Java 17 to 21")
    return found


def jars() -> Path:
    """The folder of the server's jars and modules."""
    return cached(f"opensearch-{VERSION}", _get_server)


def _get_server(folder: Path) -> None:
    resolve(_SERVER, folder / "lib")
    for name, main in _MODULES.items():
        module = folder / "modules" / name
        resolve((f"org.opensearch.plugin:{name}:{VERSION}",), module)
        describe(module, name, main)
        (module / "plugin-security.policy").write_text(_POLICY)


def describe(module: Path, name: str, main: str) -> None:
    """Write what a server wants to be told of a plugin: its name and its main class."""
    descriptor = _DESCRIPTOR.format(name=name, version=VERSION, main=main)
    (module / "plugin-descriptor.properties").write_text(descriptor)


def cached(name: str, fill: Callable[[Path], None]) -> Path:
    """A folder in the cache, which is filled the first time, as a whole or not at all."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "searchfeed" / name
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
            whole = Path(draft) / name
            whole.mkdir()
            fill(whole)
            whole.rename(folder)
    return folder


def resolve(artifacts: Sequence[str], target: Path, kind: str = "jar") -> None:
    """Have Maven bring artifacts (``group:name:version``) into a folder, and what they need.

    Raises:
        ClusterError: there is no Maven, or it could not.
    """
    maven = shutil.which("mvn")
    if maven is None:
        raise ClusterError("there is no mvn (Maven) to get the server with")
    with tempfile.TemporaryDirectory() as work:
        _resolve(maven, Path(work), artifacts, target, kind)


def _resolve(maven: str, work: Path, artifacts: Sequence[str], target: Path, kind: str) -> None:
    dependencies = "".join(
        "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version>"
        "<type>{}</type></dependency>".format(*artifact.split(":"), kind)
        for artifact in artifacts
    )
    (work / "pom.xml").write_text(
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>searchfeed</groupId><artifactId>server</artifactId><version>1</version>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )
    done = subprocess.run(
        [
            maven,
            "--quiet",
            "--batch-mode",
            f"--file={work}/pom.xml",
            "dependency:copy-dependencies",
            f"-DoutputDirectory={target}",
            "-DincludeScope=runtime",
        ],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if done.returncode:
        raise ClusterError(f"Maven could not get {', '.join(artifacts)}: {done.stdout[-2000:]}")


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    Path(target).chmod(0o644)


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> int:
    """Run a cluster until it is interrupted, or for a command, whose exit code is returned."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("command", nargs="*", help="behind --")
    options = parser.parse_args()
    # Without this a signal would end this process and leave the servers behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with Cluster(options.nodes) as cluster:
            urls = ",".join(cluster.urls)
            if options.command:
                environment = os.environ | {"SEARCHFEED_TEST_OPENSEARCH": urls}
                return subprocess.run(options.command, env=environment, check=False).returncode
            print(urls, flush=True)
            signal.pause()
    except ClusterError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
