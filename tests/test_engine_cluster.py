"""How a cluster is addressed, and what is said where it does not answer; no server is needed."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path

import pytest

from searchfeed.engines import Change, EngineOptions, open_engine
from searchfeed.engines.opensearch.address import PASSWORD, USER, read_address
from searchfeed.engines.opensearch.cluster import Cluster
from searchfeed.engines.opensearch.documents import documents, places, read_change
from searchfeed.errors import EngineUnavailableError
from searchfeed.models import Enclosure, Entry
from tests.loopback import Answer, Web


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((401, ""), "does not know this user"),
        ((403, json.dumps({"error": {"type": "security", "reason": "no"}})), "may not do that: no"),
        ((429, json.dumps({"error": {"type": "x", "reason": "busy"}})), "too much to do: busy"),
        ((503, json.dumps({"error": {"type": "x", "reason": "red"}})), "is not whole: red"),
    ],
)
def test_what_a_server_refuses_is_a_line_without_credentials(
    web: Web, answer: tuple[int, str], said: str
) -> None:
    status, body = answer
    told = {"Content-Type": "application/json"}
    web.play("/news/_search", Answer(status, body.encode(), headers=told))
    address = read_address(web.url("/news", user="ann:secret"), {})
    with pytest.raises(EngineUnavailableError, match=said) as caught:
        Cluster(address).ask("GET", "/news/_search", patience=0.2)
    sent = web.asked("/news/_search")[0].headers["authorization"]
    assert b64decode(sent.removeprefix("Basic ")) == b"ann:secret"
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_cluster_that_is_not_there_is_told_in_a_line() -> None:
    away = Cluster(read_address("http://127.0.0.1:1/x", {}))
    with pytest.raises(EngineUnavailableError, match=r"at http://127\.0\.0\.1:1 \(") as caught:
        away.ask("GET", "/", patience=0.2)
    assert "\n" not in str(caught.value)


def test_credentials_come_from_the_url_the_environment_or_netrc(tmp_path: Path) -> None:
    file = tmp_path / "netrc"
    file.write_text("machine one login rc password three\n")
    file.chmod(0o600)
    environment = {"NETRC": str(file)}
    login = {USER: "ann", PASSWORD: "two"}

    def known(url: str, environment: dict[str, str]) -> object:
        return read_address(url, environment).servers[0].get("http_auth")

    assert known("https://one:9200/x", environment) == ("rc", "three")
    assert known("https://one:9200/x", environment | login) == ("ann", "two")
    assert known("https://eve:o%40ne@one:9200/x", environment | login) == ("eve", "o@ne")
    assert known("https://two:9200/x", environment) is None
    for bad in ("", "ftp://x/y", "http://x:y/z", "http://one/UPPER", "http://one/a/b"):
        with pytest.raises(EngineUnavailableError):
            read_address(bad, {})


def test_an_engine_without_a_url_says_where_to_put_it(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailableError, match="--engine-url or SEARCHFEED_ENGINE_URL"):
        open_engine("opensearch", tmp_path, EngineOptions())


def test_texts_are_ready_made_by_place() -> None:
    assert places("The multi-agent U.S. of C++, 東京都") == (
        "the multi-agent|multi agent u.s.|us of c++ 東京 京都 都"
    )
    assert places(" \u00a0 ... ") == ""


def test_what_the_cluster_keeps_makes_the_same_document_again() -> None:
    entry = Entry(
        "00000000000000ab",
        "https://f.example/",
        "Feed",
        "Title of eight words, to have a sketch",
        "Body",
        authors=("Ann",),
        enclosures=(Enclosure("u", "t", 3),),
    )
    (made,) = documents([Change(1, entry, edited=True)])
    (again,) = documents([read_change(json.loads(json.dumps(made.values["entry"])))])
    assert again.values == made.values
    assert made.values["band"]
