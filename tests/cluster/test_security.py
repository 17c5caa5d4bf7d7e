"""A server that asks who is there: certificates, credentials and rights, by the real plugin."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from benchmarks.cluster import ClusterError
from searchfeed.engines.opensearch.address import PASSWORD, USER
from tests.cluster.security import FETCHER, READER, Secured, secured
from tests.program import PROGRAM

pytestmark = [
    pytest.mark.skipif(
        not os.environ.get("SEARCHFEED_TEST_SECURITY"),
        reason="starts a server of its own: SEARCHFEED_TEST_SECURITY is not set",
    ),
    pytest.mark.timeout(600),
]

WORD = "migrant"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    try:
        with secured(tmp_path_factory.mktemp("server")) as made:
            yield made
    except ClusterError as error:
        pytest.fail(str(error))


@pytest.fixture(scope="module", autouse=True)
def written(server: Secured, tmp_path_factory: pytest.TempPathFactory, fixtures: Path) -> Path:
    """The directory of who fetches, whose entries are in the cluster."""
    path = tmp_path_factory.mktemp("fetcher")
    done = run(server, path, "index", str(fixtures / "rss-2.0-typo3-migration.rss"))
    assert done.returncode == 0, done.stderr
    return path


def login(server: Secured, user: str = FETCHER, **more: str) -> dict[str, str]:
    """The environment of a user who trusts the authority."""
    known = {"SSL_CERT_FILE": str(server.authority), USER: user, PASSWORD: server.passwords[user]}
    return known | more


def run(
    server: Secured,
    path: Path,
    *command: str,
    environment: Mapping[str, str] | None = None,
    url: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run the program; as who fetches if nothing else is said."""
    options = ["--index", str(path), "--engine", "opensearch", "--engine-replicas", "0"]
    where = ["--engine-url", url or f"{server.url}/news"]
    told = login(server) if environment is None else environment
    clean = {key: value for key, value in os.environ.items() if not key.startswith("SEARCHFEED")}
    done = subprocess.run(
        [*PROGRAM, *options, *where, *command],
        env={**clean, "NETRC": os.devnull, **told},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    for password in server.passwords.values():
        assert password not in done.stdout + done.stderr
    return done


def total(done: subprocess.CompletedProcess[str]) -> int:
    assert done.returncode == 0, done.stderr
    found: int = json.loads(done.stdout)["total"]
    return found


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """What was said in the one line of a command that could not be done."""
    assert done.returncode not in (0, 1)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert len(done.stderr) < 400
    return done.stderr


def test_credentials_come_from_the_environment_netrc_or_the_url(
    server: Secured, tmp_path: Path
) -> None:
    asked = total(run(server, tmp_path, "search", WORD, "--json"))
    assert asked > 0
    trusted = {"SSL_CERT_FILE": str(server.authority)}
    password = server.passwords[READER]
    netrc = tmp_path / "netrc"
    netrc.write_text(f'machine 127.0.0.1 login {READER} password "{password}"\n')
    netrc.chmod(0o600)
    by_file = {**trusted, "NETRC": str(netrc)}
    assert total(run(server, tmp_path, "search", WORD, "--json", environment=by_file)) == asked
    quoted = password.replace(" ", "%20")
    url = server.url.replace("://", f"://{READER}:{quoted}@") + "/news"
    found = run(server, tmp_path, "search", WORD, "--json", environment=trusted, url=url)
    assert total(found) == asked
    # Not even where the URL itself is shown.
    shown = run(server, tmp_path, "config", environment=trusted, url=url)
    assert quoted not in shown.stdout + shown.stderr


def test_who_searches_has_no_need_of_more_rights(server: Secured, tmp_path: Path) -> None:
    own = login(server, READER)
    for command in (
        ("search", WORD, "--json"),
        ("search", f'"{WORD} resource"~3 OR title:resorce~', "--sort", "-date", "--json"),
        ("search", "migrnat", "--json"),
        ("trend", WORD, "--json"),
        ("stats", "--json"),
        ("feeds", "--json"),
    ):
        done = run(server, tmp_path, *command, environment=own)
        assert done.returncode in (0, 1), (command, done.stderr)
        assert "may not" not in done.stderr
    found = json.loads(run(server, tmp_path, "search", WORD, "--json", environment=own).stdout)
    id = found["hits"][0]["id"]
    assert run(server, tmp_path, "show", id, environment=own).returncode == 0
    assert run(server, tmp_path, "explain", id, WORD, environment=own).returncode == 0


def test_who_searches_cannot_write_and_loses_nothing(
    server: Secured, tmp_path: Path, fixtures: Path
) -> None:
    feed = str(fixtures / "atom-1.0-policy.atom")
    done = run(server, tmp_path, "index", feed, environment=login(server, READER))
    said = refused(done)
    assert "the cluster's user may not do that: no permissions for [indices:" in said
    assert "docs/scale.md lists the rights" in said
    # The archive took it in, so it comes as soon as that may be.
    before = total(run(server, tmp_path, "search", "", "--json", environment=login(server, READER)))
    assert total(run(server, tmp_path, "search", "", "--json")) > before


def test_a_rebuild_needs_no_more_rights_than_writing(server: Secured, written: Path) -> None:
    done = run(server, written, "rebuild")
    assert done.returncode == 0, done.stderr
    assert total(run(server, written, "search", WORD, "--json")) > 0


def test_a_certificate_of_nobody_we_know_is_refused(server: Secured, tmp_path: Path) -> None:
    unknown = {key: text for key, text in login(server).items() if key != "SSL_CERT_FILE"}
    said = refused(run(server, tmp_path, "search", WORD, environment=unknown))
    assert "the cluster's certificate is not trusted: " in said
    assert "SSL_CERT_FILE names a file of authorities that are" in said


def test_a_certificate_for_another_name_is_refused(server: Secured, tmp_path: Path) -> None:
    url = server.url.replace("127.0.0.1", "localhost") + "/news"
    said = refused(run(server, tmp_path, "search", WORD, url=url))
    assert "certificate is not valid for 'localhost'; --engine-url has to name the server" in said


@pytest.mark.parametrize("user", [FETCHER, ""])
def test_who_is_not_known_is_told_where_to_say_who_it_is(
    server: Secured, tmp_path: Path, user: str
) -> None:
    own = {"SSL_CERT_FILE": str(server.authority), USER: user, PASSWORD: "wrong"}
    said = refused(run(server, tmp_path, "search", WORD, environment=own))
    assert f"does not know this user; set {USER} and {PASSWORD}, or write them to" in said


def test_a_server_that_speaks_tls_alone_is_not_asked_in_the_clear(
    server: Secured, tmp_path: Path
) -> None:
    url = server.url.replace("https", "http") + "/news"
    said = refused(run(server, tmp_path, "search", WORD, url=url))
    assert "is --engine-url right?" in said
