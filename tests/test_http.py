"""Feeds from the web: every behaviour of a server, played by a real one on loopback."""

from __future__ import annotations

import gzip
import re
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchfeed.errors import FetchError
from searchfeed.sources.http import Client, Request, Response, redacted
from searchfeed.sources.http.addresses import is_public, names_public
from searchfeed.sources.http.body import Body
from searchfeed.sources.http.headers import date, fresh_for, retry_after
from searchfeed.sources.http.messages import Refusal
from searchfeed.sources.http.proxies import proxy_of
from searchfeed.sources.http.target import Target
from tests.loopback import Answer, Web

RSS = b'<?xml version="1.0"?><rss version="2.0"><channel><title>A</title></channel></rss>'
NOW = datetime(2026, 11, 4, 12, tzinfo=UTC)
LARGE = bytes(range(256)) * 2_000


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of the developer's."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def client() -> Iterator[Client]:
    with Client(allow_private=True, pause=0.01) as client:
        yield client


def failure(client: Client, url: str, *, etag: str = "") -> FetchError:
    """The error that fetching a URL ends in, which is always one line and tells no secret."""
    with pytest.raises(FetchError) as caught:
        client.fetch(Request(url, etag))
    error = caught.value
    assert error.source == redacted(url)
    assert "\n" not in str(error)
    assert "secret" not in str(error)
    return error


# --- Asking and being answered


def test_a_feed_comes_with_all_that_its_server_says_of_it(client: Client, web: Web) -> None:
    web.publish("/feed", RSS, headers={"Cache-Control": "max-age=600"})
    response = client.fetch(Request(web.url("/feed")))
    assert response.url == web.url("/feed")
    assert response.data == RSS
    assert response.etag.startswith('"')
    assert response.last_modified == "Wed, 04 Nov 2026 10:00:00 GMT"
    assert response.content_type == "application/xml"
    assert response.moved_to == ""
    assert response.fresh_for == timedelta(minutes=10)


def test_a_server_learns_who_asks_and_for_what(client: Client, web: Web) -> None:
    web.publish("/feed", RSS)
    client.fetch(Request(web.url("/feed")))
    headers = web.requests[0].headers
    agent = headers["user-agent"]
    assert re.fullmatch(
        r"searchfeed/\d+\.\d+\.\d+ \(\+https://github\.com/searchfeed/searchfeed\)", agent
    )
    assert headers["accept-encoding"] == "gzip, deflate"
    assert "application/atom+xml" in headers["accept"]
    assert not {"authorization", "cookie", "if-none-match", "if-modified-since"} & set(headers)


def test_a_feed_that_is_known_is_not_sent_again(client: Client, web: Web) -> None:
    web.publish("/feed", RSS)
    first = client.fetch(Request(web.url("/feed")))
    again = client.fetch(Request(web.url("/feed"), first.etag, first.last_modified))
    assert again.data is None
    assert (again.etag, again.last_modified) == (first.etag, first.last_modified)
    headers = web.requests[1].headers
    assert headers["if-none-match"] == first.etag
    assert headers["if-modified-since"] == first.last_modified


@pytest.mark.parametrize(
    ("etag", "modified"),
    [
        ('W/"weak"', ""),
        ("not quoted", "yesterday, perhaps"),
        ('"caf\xe9"', "Wed, 4 Nov 26 10:00:00 +0100"),
        ("", "0"),
    ],
)
def test_validators_go_back_as_they_came(
    client: Client, web: Web, etag: str, modified: str
) -> None:
    head = f"HTTP/1.1 200 OK\r\nETag: {etag}\r\nLast-Modified: {modified}\r\n\r\n"
    web.play("/feed", Answer(raw=head.encode("latin-1") + RSS), Answer(304))
    response = client.fetch(Request(web.url("/feed")))
    assert (response.etag, response.last_modified) == (etag, modified)
    again = client.fetch(Request(web.url("/feed"), response.etag, response.last_modified))
    assert (again.data, again.etag, again.last_modified) == (None, etag, modified)
    headers = web.requests[1].headers
    assert headers.get("if-none-match", "") == etag
    assert headers.get("if-modified-since", "") == modified


def test_a_validator_that_cannot_be_sent_back_is_none(client: Client, web: Web) -> None:
    web.play("/feed", Answer(body=RSS, headers={"ETag": '"' + "x" * 2000 + '"'}))
    assert client.fetch(Request(web.url("/feed"))).etag == ""
    evil = Request(web.url("/feed"), etag='"a"\r\nX-Injected: 1', last_modified="☃")
    assert client.fetch(evil).data == RSS
    assert not {"if-none-match", "x-injected", "if-modified-since"} & set(web.requests[1].headers)


def test_not_modified_may_change_the_validators(client: Client, web: Web) -> None:
    web.play("/feed", Answer(304, headers={"ETag": '"2"', "Cache-Control": "max-age=60"}))
    response = client.fetch(Request(web.url("/feed"), '"1"', "then"))
    assert (response.etag, response.last_modified) == ('"2"', "then")
    assert response.fresh_for == timedelta(minutes=1)


def test_not_modified_unasked_is_an_error(client: Client, web: Web) -> None:
    web.play("/feed", Answer(304))
    assert failure(client, web.url("/feed")).reason == "its server answered 304 Not Modified"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=LARGE),
        Answer(body=LARGE, compressed=True),
        Answer(body=[LARGE[:7], LARGE[7:]], chunked=True),
        Answer(body=[LARGE[:7], LARGE[7:]]),
        Answer(body=zlib.compress(LARGE), headers={"Content-Encoding": "deflate"}),
        Answer(body=zlib.compress(LARGE)[2:-4], headers={"Content-Encoding": "Deflate"}),
        Answer(
            body=gzip.compress(LARGE[:9]) + gzip.compress(LARGE[9:]) + b"\0" * 20,
            headers={"Content-Encoding": "x-gzip, identity"},
            chunked=True,
        ),
        Answer(203, body=LARGE),
    ],
)
def test_a_body_arrives_however_it_is_packed(client: Client, web: Web, answer: Answer) -> None:
    web.play("/feed", answer)
    assert client.fetch(Request(web.url("/feed"))).data == LARGE


def test_a_connection_serves_again(client: Client, web: Web) -> None:
    web.publish("/a", LARGE)
    web.publish("/b", RSS, compressed=True)
    web.play("/c", Answer(body=[RSS], chunked=True))
    known = client.fetch(Request(web.url("/a")))
    for request in (
        Request(web.url("/b")),
        Request(web.url("/c")),
        Request(web.url("/a"), known.etag),
        Request(web.url("/a"), known.etag),
        Request(web.url("/b")),
    ):
        client.fetch(request)
    assert web.connections == 1


def test_progress_is_told(client: Client, web: Web) -> None:
    web.play("/whole", Answer(body=LARGE))
    web.play("/chunked", Answer(body=[LARGE[:100], LARGE[100:]], chunked=True))
    told: list[tuple[int, int | None]] = []
    client.fetch(Request(web.url("/whole")), progress=lambda done, all_: told.append((done, all_)))
    assert told[-1] == (len(LARGE), len(LARGE))
    assert all(one < other for (one, _), (other, _) in pairwise(told))
    client.fetch(
        Request(web.url("/chunked")), progress=lambda done, all_: told.append((done, all_))
    )
    last: tuple[int, int | None] = told[-1]
    assert last == (len(LARGE), None)


# --- Refusals in words


@pytest.mark.parametrize(
    ("status", "reason", "remedy"),
    [
        (401, "401 Unauthorized", "put the user and password"),
        (403, "403 Forbidden", "its server may want a login"),
        (404, "404 Not Found", "check its URL"),
        (410, "410 Gone", "it will not be back"),
        (418, "418 I'm a Teapot", ""),
        (429, "429 Too Many Requests", "ask less often"),
        (500, "500 Internal Server Error", "try again later"),
        (799, "799", "try again later"),
        (204, "204 No Content", ""),
        (206, "206 Partial Content", ""),
        (300, "300 Multiple Choices", ""),
    ],
)
def test_a_status_is_put_in_words(
    client: Client, web: Web, status: int, reason: str, remedy: str
) -> None:
    web.play("/feed", Answer(status, body=b"<html>secret</html>" * (status != 204)))
    error = failure(client, web.url("/feed"))
    assert error.reason == f"its server answered {reason}"
    assert error.remedy.startswith(remedy)
    assert bool(error.remedy) == bool(remedy)
    assert error.gone == (status == 410)
    assert error.retry_after is None
    assert len(web.requests) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_may_ask_to_be_left_alone(client: Client, web: Web, status: int) -> None:
    web.play("/seconds", Answer(status, headers={"Retry-After": "120"}))
    assert failure(client, web.url("/seconds")).retry_after == timedelta(minutes=2)
    later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    web.play("/date", Answer(status, headers={"Retry-After": later}))
    wait = failure(client, web.url("/date")).retry_after
    assert wait is not None
    assert timedelta(minutes=59) < wait <= timedelta(hours=1)
    web.play("/long", Answer(status, headers={"Retry-After": "9" * 5_000}))
    assert failure(client, web.url("/long")).retry_after == timedelta(days=7)
    assert len(web.requests) == 3


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.org/feed", "only http:// and https:// are fetched"),
        ("file:///etc/passwd", "only http:// and https:// are fetched"),
        ("gopher://127.0.0.1:6379/_INFO", "only http:// and https:// are fetched"),
        ("javascript:alert(1)", "only http:// and https:// are fetched"),
        ("example.org/feed", "only http:// and https:// are fetched"),
        ("", "only http:// and https:// are fetched"),
        ("http://", "this URL names no host"),
        ("http:///feed", "this URL names no host"),
        ("https://[::1/feed", "this is not a valid URL"),
        ("https://example.org:port/", "this is not a valid URL"),
        ("https://example.org:99999/", "this is not a valid URL"),
        ("https://anna:secret@example.org:x/", "this is not a valid URL"),
        (f"https://{'a' * 70}.org/", "this is not a valid URL"),
        ("https://münchen..de/", "this is not a valid URL"),
    ],
)
def test_what_is_no_url_of_the_web_is_refused(client: Client, url: str, reason: str) -> None:
    assert failure(client, url).reason == reason


def test_a_host_that_does_not_answer(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        # Bound and not listening: nobody else gets this port, and it refuses.
        error = failure(client, f"http://anna:secret@127.0.0.1:{port}/")
    assert error.reason == "its server refused the connection"

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert failure(client, "http://no.such.host/").reason == "there is no such host"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", "its server does not speak HTTP as it should"),
        (b"\x16\x03\x01\x02\x00", "its server does not speak HTTP as it should"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200, "its server does not speak HTTP as it should"),
        (
            b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000,
            "its server does not speak HTTP as it should",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab",
            "its server does not speak HTTP as it should",
        ),
    ],
)
def test_what_is_no_http_is_refused(client: Client, web: Web, raw: bytes, reason: str) -> None:
    web.play("/feed", Answer(raw=raw))
    assert failure(client, web.url("/feed")).reason == reason


# --- Time


def test_silence_ends(web: Web) -> None:
    web.play("/feed", Answer(body=RSS, delay=5))
    with Client(allow_private=True, read_timeout=0.1) as client:
        start = time.monotonic()
        assert failure(client, web.url("/feed")).reason == "its server did not answer in time"
    assert time.monotonic() - start < 1
    assert len(web.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=RSS * 100, drip=0.02),
        Answer(body=RSS * 100, drip=0.02, drip_head=True),
        Answer(body=RSS * 100, drip=0.02, chunked=True),
        Answer(body=RSS * 100, drip=0.02, compressed=True),
        Answer(404, body=RSS * 10, drip=0.02, drip_head=True),
        Answer(503, delay=0.2),
    ],
)
def test_a_slow_drip_ends(web: Web, answer: Answer) -> None:
    web.play("/feed", answer)
    with Client(allow_private=True, deadline=0.3, pause=0.2) as client:
        start = time.monotonic()
        error = failure(client, web.url("/feed"))
    assert error.reason == "its answer took longer than 0.3 s"
    assert time.monotonic() - start < 1


def test_a_slow_error_page_costs_nothing(client: Client, web: Web) -> None:
    web.play("/feed", Answer(404, body=RSS * 10, drip=1))
    start = time.monotonic()
    assert "404" in failure(client, web.url("/feed")).reason
    assert time.monotonic() - start < 1


def test_a_host_that_takes_no_connection(web: Web) -> None:
    with (
        socket.socket() as full,
        Client(allow_private=True, connect_timeout=0.1, pause=0.01) as client,
    ):
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        error = failure(client, f"http://127.0.0.1:{port}/")
        for each in waiting:
            each.close()
    assert error.reason == "no connection within 0.1 s"


# --- Trying again


def test_what_passes_is_tried_again(client: Client, web: Web) -> None:
    for path, trouble in {
        "/busy": Answer(503),
        "/gateway": Answer(502, body=b"x" * 100),
        "/late": Answer(504),
        "/reset": Answer(reset=True),
        "/hung-up": Answer(raw=b""),
    }.items():
        web.play(path, trouble, trouble, Answer(body=RSS))
        assert client.fetch(Request(web.url(path))).data == RSS
        assert len(web.asked(path)) == 3


def test_but_not_for_ever(client: Client, web: Web) -> None:
    web.play("/busy", Answer(503))
    assert failure(client, web.url("/busy")).reason == "its server answered 503 Service Unavailable"
    web.play("/reset", Answer(reset=True))
    assert failure(client, web.url("/reset")).reason == "its server broke the connection off"
    assert len(web.requests) == 6


@pytest.mark.parametrize("status", [400, 404, 408, 429, 500, 501])
def test_what_would_be_the_same_again_is_not(client: Client, web: Web, status: int) -> None:
    web.play("/feed", Answer(status), Answer(body=RSS))
    failure(client, web.url("/feed"))
    assert len(web.requests) == 1


def test_a_connection_that_its_server_closed_meanwhile_is_no_failure(
    client: Client, web: Web
) -> None:
    web.play("/a", Answer(body=RSS), Answer(reset=True), Answer(body=RSS))
    for _ in range(2):
        assert client.fetch(Request(web.url("/a"))).data == RSS


# --- Bodies that lie


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            Answer(body=RSS, headers={"Content-Length": "5000", "Connection": "close"}),
            "its answer was cut off",
        ),
        (
            Answer(body=RSS, headers={"Content-Length": "40"}),
            "its answer is longer than its server says",
        ),
        (
            Answer(body=LARGE, headers={"Content-Length": str(len(LARGE) // 2)}),
            "its answer is longer than its server says",
        ),
        (Answer(body=LARGE, cut=300_000), "its answer was cut off"),
        (Answer(body=LARGE, cut=300_000, chunked=True), "its answer was cut off"),
        (Answer(body=LARGE, cut=100, reset=True), "its server broke the connection off"),
        (Answer(body=LARGE, cut=0), "its answer was cut off"),
        (
            Answer(body=[gzip.compress(LARGE)[:-9]], headers={"Content-Encoding": "gzip"}),
            "its compressed answer ends in the middle",
        ),
        (
            Answer(body=gzip.compress(LARGE)[:300], headers={"Content-Encoding": "gzip"}),
            "its compressed answer ends in the middle",
        ),
        (
            Answer(body=RSS, headers={"Content-Encoding": "gzip"}),
            "its answer is not compressed as it claims to be",
        ),
        (
            Answer(body=RSS, headers={"Content-Encoding": "br\x1b]"}),
            "its answer is encoded as br, which was not asked for",
        ),
        (
            Answer(body=RSS, headers={"Content-Encoding": "gzip, gzip"}),
            "its answer is encoded as gzip, gzip, which was not asked for",
        ),
        (
            Answer(
                raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + RSS,
            ),
            "its answer was cut off",
        ),
    ],
)
def test_half_a_body_is_never_taken_for_all_of_it(
    client: Client, web: Web, answer: Answer, reason: str
) -> None:
    web.play("/feed", answer)
    assert failure(client, web.url("/feed")).reason == reason
    assert len(web.requests) == 1


def test_the_size_is_bounded(web: Web) -> None:
    with Client(allow_private=True, max_size=1_000_000, max_encoded=1_200) as client:
        for answer, reason in (
            (Answer(body=b"x" * 1_000_001), "it has more than 1 MB"),
            (Answer(body=[b"x" * 500_000] * 3), "it has more than 1 MB"),
            (Answer(body=[b"x" * 9_000] * 300, chunked=True), "it has more than 1 MB"),
            (Answer(body=b"x" * 1_500_000, compressed=True), "it has more than 0.0012 MB, compr"),
            (Answer(body=b"x" * 1_010_000, compressed=True), "it has more than 1 MB"),
        ):
            web.play("/feed", answer)
            error = failure(client, web.url("/feed"))
            assert error.reason.startswith(reason)
            assert error.remedy == "no feed is read that is so large"
        web.play("/feed", Answer(body=b"x" * 1_000_000))
        assert client.fetch(Request(web.url("/feed"))).data == b"x" * 1_000_000


BOMB = """
import resource, sys
from searchfeed.errors import FetchError
from searchfeed.sources.http import Client, Request
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
with Client(allow_private=True) as client:
    client.fetch(Request(sys.argv[1]))
    before = peak()
    try:
        client.fetch(Request(sys.argv[2]))
    except FetchError as error:
        print(error.reason)
    print(peak() - before)
"""


def test_a_bomb_does_not_go_off(web: Web) -> None:
    """A gigabyte of zeros."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    start = packer.flush(zlib.Z_FULL_FLUSH)
    # After such a flush nothing refers to what came before, so the block may be repeated.
    block = packer.compress(b"\0" * 10_000_000) + packer.flush(zlib.Z_FULL_FLUSH)
    bomb = start + block * 100
    web.publish("/feed", RSS)
    web.play("/bomb", Answer(body=bomb, headers={"Content-Encoding": "gzip"}))
    command = [sys.executable, "-c", BOMB, web.url("/feed"), web.url("/bomb")]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    reason, grown = ran.stdout.splitlines()
    assert reason == "it grows more than 100 times when it is decompressed"
    assert float(grown) < 30


def test_parts_without_end_are_refused() -> None:
    body = Body("gzip", max_size=1_000)
    with pytest.raises(Refusal, match="too many parts"):
        body.add(gzip.compress(b"") * 3_000)


@given(
    data=st.binary(max_size=300),
    parts=st.integers(1, 3),
    cuts=st.lists(st.integers(0, 400), max_size=5),
    packing=st.sampled_from(["gzip", "deflate", "raw", ""]),
)
@settings(max_examples=150, deadline=None)
def test_a_body_is_the_same_however_it_is_cut(
    data: bytes, parts: int, cuts: list[int], packing: str
) -> None:
    data *= 400
    packed = {
        "gzip": b"".join(gzip.compress(data, 1) for _ in range(parts)),
        "deflate": zlib.compress(data),
        "raw": zlib.compress(data)[2:-4],
        "": data,
    }[packing]
    body = Body("deflate" if packing == "raw" else packing, max_size=10**6)
    edges = [0, *sorted(cut for cut in cuts if cut < len(packed)), len(packed)]
    for start, end in pairwise(edges):
        body.add(packed[start:end])
    assert body.finish() == data * (parts if packing == "gzip" else 1)


@given(data=st.binary(min_size=1, max_size=300), cut=st.integers(1, 10_000))
@settings(max_examples=100, deadline=None)
def test_a_shortened_body_never_passes(data: bytes, cut: int) -> None:
    packed = gzip.compress(data)
    body = Body("gzip", max_size=10**6)
    body.add(packed[: 1 + cut % (len(packed) - 1)])
    with pytest.raises(Refusal):
        body.finish()


@given(data=st.binary(max_size=2_000), encoding=st.sampled_from(["gzip", "deflate"]))
@settings(max_examples=100, deadline=None)
def test_garbage_is_refused_or_read(data: bytes, encoding: str) -> None:
    body = Body(encoding, max_size=10**6)
    with suppress(Refusal):
        body.add(data)
        body.finish()


# --- Redirects


def redirect(status: int, location: str) -> Answer:
    return Answer(status, headers={"Location": location}, body=b"moved")


@pytest.mark.parametrize(
    ("chain", "moved"),
    [
        ([301], 1),
        ([308], 1),
        ([302], 0),
        ([303], 0),
        ([307], 0),
        ([301, 308, 301], 3),
        ([301, 302, 301], 1),
        ([302, 301], 0),
        ([301, 301, 307, 301, 301], 2),
    ],
)
def test_only_an_unbroken_beginning_of_permanent_redirects_moves_a_feed(
    client: Client, web: Web, chain: list[int], moved: int
) -> None:
    for number, status in enumerate(chain):
        web.play(f"/{number}", redirect(status, f"/{number + 1}"))
    web.publish(f"/{len(chain)}", RSS)
    response = client.fetch(Request(web.url("/0"), '"1"'))
    assert response.data == RSS
    assert response.url == web.url(f"/{len(chain)}")
    assert response.moved_to == (web.url(f"/{moved}") if moved else "")
    assert all(request.headers["if-none-match"] == '"1"' for request in web.requests)
    known = client.fetch(Request(web.url("/0"), response.etag))
    assert known.data is None
    assert known.moved_to == response.moved_to


def test_redirects_end(client: Client, web: Web) -> None:
    for number in range(10):
        web.play(f"/{number}", redirect(301, f"/{number + 1}"))
    assert failure(client, web.url("/0")).reason == "it redirects more than 5 times"
    assert len(web.requests) == 6
    web.play("/a", redirect(302, "/b"))
    web.play("/b", redirect(302, "/a#again"))
    assert failure(client, web.url("/a")).reason == "its redirects lead in a circle"


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "ftp://example.org/",
        "javascript:alert(1)",
        "gopher://127.0.0.1:70/",
        "http://[::1",
        "//:80/",
    ],
)
def test_redirects_lead_nowhere_else(client: Client, web: Web, location: str) -> None:
    web.play("/feed", redirect(302, location))
    assert failure(client, web.url("/feed")).reason == (
        "it redirects to what is not a URL of http or https"
    )


def test_a_redirect_is_read_as_browsers_read_it(client: Client, web: Web) -> None:
    web.publish("/f%C3%BC%C3%9Fe%20x?q=1", RSS)
    web.play(
        "/utf-8",
        Answer(raw="HTTP/1.1 302 Found\r\nLocation:  /füße x?q=1#part \r\n\r\n".encode()),
    )
    assert client.fetch(Request(web.url("/utf-8"))).url == web.url("/f%C3%BC%C3%9Fe%20x?q=1")
    web.play("/none", Answer(302))
    assert failure(client, web.url("/none")).reason == "its server answered 302 Found"


def test_gone_only_where_the_feed_itself_is(client: Client, web: Web) -> None:
    web.play("/gone", Answer(410))
    web.play("/moved", redirect(301, "/gone"))
    web.play("/lent", redirect(302, "/gone"))
    assert failure(client, web.url("/gone")).gone
    assert failure(client, web.url("/moved")).gone
    assert not failure(client, web.url("/lent")).gone


def test_no_way_back_from_tls_is_stored(
    client: Client, web: Web, secure_web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(secure_web.authority))
    web.publish("/plain", RSS)
    secure_web.publish("/safe", RSS)
    secure_web.play("/feed", redirect(301, web.url("/plain")))
    web.play("/feed", redirect(301, secure_web.url("/safe")))
    down = client.fetch(Request(secure_web.url("/feed")))
    assert (down.data, down.moved_to) == (RSS, "")
    up = client.fetch(Request(web.url("/feed")))
    assert (up.data, up.moved_to) == (RSS, secure_web.url("/safe"))


# --- Secrets


def test_a_password_goes_to_its_origin_alone(client: Client, web: Web) -> None:
    with Web().running() as other:
        other.play("/feed", redirect(302, web.url("/end")))
        web.play("/feed", redirect(301, "/next"))
        web.play("/next", redirect(301, other.url("/feed", user="eve:secret")))
        web.publish("/end", RSS)
        response = client.fetch(Request(web.url("/feed", user="anna:s%C3%A4cret%3A1")))
        assert response.url == web.url("/end")
        assert response.moved_to == other.url("/feed")
        assert "authorization" not in other.requests[0].headers
        sent = [request.headers["authorization"] for request in web.requests]
        # "anna:säcret:1"
        assert sent == ["Basic YW5uYTpzw6RjcmV0OjE="] * 3
        # The same host by another name is another origin.
        web.play("/feed", redirect(302, web.url("/end", host="localhost")))
        client.fetch(Request(web.url("/feed", user="anna:x")))
        assert "authorization" not in web.requests[-1].headers


def test_a_password_is_not_shown(client: Client, web: Web) -> None:
    url = web.url("/feed", user="anna:secret")
    web.publish("/feed", RSS)
    assert "secret" not in repr(Request(url))
    assert "anna" not in repr(Request(url))
    response = client.fetch(Request(url))
    assert "secret" not in repr(response)
    assert response.url == web.url("/feed")
    web.play("/feed", Answer(401))
    assert failure(client, url).source == web.url("/feed")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@h/x?a@b", "https://h/x?a@b"),
        ("https://u@h", "https://h"),
        ("HTTPS://u:p@h@i/x", "HTTPS://i/x"),
        ("https://medium.com/feed/@someone", "https://medium.com/feed/@someone"),
        ("https://h:8080/@someone", "https://h:8080/@someone"),
        ("https://h?mail=a@b", "https://h?mail=a@b"),
        ("https://[::1]:80/@x", "https://[::1]:80/@x"),
        ("https://u:p/w#?@h/x", "https://h/x"),
        ("feed:https://u:p@h/x", "feed:https://h/x"),
        ("//u:p@h/x", "//h/x"),
        ("https:/u:p@h/x", "https:/h/x"),
        ("u:p@h/x", "h/x"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_urls_are_shown_without_their_users(url: str, shown: str) -> None:
    assert redacted(url) == shown
    assert redacted(shown) == shown


@given(
    # A host with a port before a path is just that.
    user=st.text("abcXYZ019%-._~!$&'()*+,;=/?#: ü", min_size=1).filter(
        lambda user: not re.match(r"\d*[/?#]", user)
    )
)
@settings(max_examples=200, deadline=None)
def test_no_password_survives(user: str) -> None:
    shown = redacted(f"https://x:{user}@example.org/feed")
    assert shown == "https://example.org/feed"


# --- Whom we talk to


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.0.1",
        "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192",
        "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.9",
        "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
        "::ffff:0:10.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::8.8.8.8",
        "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "2002:a9fe:a9fe::1", "3fff::1",
        "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
        "ff0e::1", "4000::1", "not an address", "",
    ],
)  # fmt: skip
def test_addresses_that_are_not_of_the_public_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.32.0.1", "192.0.1.1",
        "223.255.255.255", "2606:4700:4700::1111", "2a00:1450:4001:82a::200e",
        "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
    ],
)  # fmt: skip
def test_addresses_that_are(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
@settings(max_examples=300, deadline=None)
def test_wrapping_an_address_changes_nothing(address: object) -> None:
    number = int(address)  # type: ignore[call-overload]
    wrapped = (
        f"::ffff:{address}",
        f"64:ff9b::{address}",
        f"2002:{number >> 16:x}:{number & 0xFFFF:x}::",
    )
    assert {is_public(each) for each in wrapped} == {is_public(str(address))}


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "localhost",
        "LOCALHOST.", "[::1]", "[::ffff:7f00:1]", "[::]",
    ],
)  # fmt: skip
def test_no_spelling_leads_inside(web: Web, host: str) -> None:
    with Client() as client:
        error = failure(client, web.url("/", host=host))
    assert "is a private address" in error.reason
    assert error.remedy.startswith("--allow-private")
    assert web.connections == 0
    assert not names_public(host)


def test_no_redirect_leads_inside(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first step is public as far as the check can tell, the second is not."""
    with Web().running() as inside:
        inside.publish("/", RSS)
        web.play("/feed", redirect(302, inside.url("/", host="127.0.0.2")))
        monkeypatch.setattr(
            "searchfeed.sources.http.connections.is_public", lambda text: text == "127.0.0.1"
        )
        with Client() as client:
            error = failure(client, web.url("/feed"))
        assert error.reason.startswith("127.0.0.2 is a private address")
        assert inside.connections == 0
        assert len(web.requests) == 1


def test_a_name_is_looked_up_once_and_only_what_was_checked_is_used(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        """A resolver in the hands of an attacker: public to who checks, private to who connects."""
        asked.append(host)
        address = "203.0.114.1" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    tried: list[tuple[str, int]] = []

    def connect(_: socket.socket, address: tuple[str, int]) -> None:
        tried.append(address)
        raise OSError(113, "No route to host")

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(
        "searchfeed.sources.http.connections._Socket.connect", connect, raising=False
    )
    with Client() as client:
        error = failure(client, f"http://rebinding.example:{web.port}/")
        assert error.reason == "its server cannot be reached: no route to host"
        assert tried == [("203.0.114.1", web.port)]
        error = failure(client, f"http://rebinding.example:{web.port}/")
    assert error.reason.startswith("rebinding.example (127.0.0.1) is a private address")
    assert len(asked) == 2
    assert len(tried) == 1
    assert web.connections == 0


# --- TLS


def test_a_certificate_is_checked(
    secure_web: Web, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    secure_web.publish("/feed", RSS, compressed=True)
    with Client(allow_private=True) as client:
        error = failure(client, secure_web.url("/feed", user="anna:secret"))
        assert error.reason.startswith("its certificate is not valid: ")
        assert "SSL_CERT_FILE" in error.remedy
        assert secure_web.requests == []
    monkeypatch.setenv("SSL_CERT_FILE", str(secure_web.authority))
    with Client(allow_private=True) as client:
        for _ in range(2):
            assert client.fetch(Request(secure_web.url("/feed"))).data == RSS
        assert len({request.connection for request in secure_web.requests}) == 1
        error = failure(client, secure_web.url("/feed", host="127.1"))
        assert "certificate is not valid for '127.1'" in error.reason
        error = failure(client, f"https://127.0.0.1:{web.port}/")
        assert error.reason == "its server does not speak TLS there"


def test_tls_is_bounded_too(secure_web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(secure_web.authority))
    secure_web.play("/drip", Answer(body=RSS * 10, drip=0.02))
    secure_web.play("/short", Answer(body=RSS, headers={"Content-Length": "40"}))
    secure_web.play("/cut", Answer(body=LARGE, cut=300_000))
    with Client(allow_private=True, deadline=0.4) as client:
        assert "took longer" in failure(client, secure_web.url("/drip")).reason
    with Client(allow_private=True) as client:
        assert "is longer than" in failure(client, secure_web.url("/short")).reason
        assert "cut off" in failure(client, secure_web.url("/cut")).reason


def test_a_handshake_without_end_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        with Client(allow_private=True, connect_timeout=5, deadline=0.2) as client:
            start = time.monotonic()
            assert "took longer" in failure(client, url).reason
            assert time.monotonic() - start < 1


# --- Proxies


def test_a_proxy_is_used(
    client: Client, web: Web, secure_web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain HTTP through a real one, which is asked for whole URLs."""
    monkeypatch.setenv("HTTP_PROXY", web.url("", user="me:secret"))
    web.publish("http://feeds.example/feed", RSS)
    assert client.fetch(Request("http://feeds.example/feed")).data == RSS
    assert web.requests[0].headers["host"] == "feeds.example"
    assert web.requests[0].headers["proxy-authorization"] == "Basic bWU6c2VjcmV0"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    web.publish("/feed", RSS)
    assert client.fetch(Request(web.url("/feed"))).data == RSS
    assert web.requests[-1].path == "/feed"
    monkeypatch.setenv("HTTPS_PROXY", web.url("", user="me:secret"))
    web.play("feeds.example:443", Answer(407))
    error = failure(client, "https://feeds.example/feed")
    assert error.reason == "the proxy answered 407 Proxy Authentication Required"
    assert error.remedy == "put the user and password into HTTPS_PROXY"
    monkeypatch.setenv("HTTP_PROXY", "127.0.0.1:1")
    assert failure(client, "http://feeds.example/").reason == "the proxy cannot be reached"
    monkeypatch.setenv("HTTP_PROXY", "socks5://127.0.0.1:1")
    assert "proxy" in failure(client, "http://feeds.example/").reason


@contextmanager
def tunnel() -> Iterator[tuple[int, list[bytes]]]:
    """A proxy that connects its clients to where they want to go: its port, and what it is told."""
    told: list[bytes] = []

    def relay(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def serve(near: socket.socket) -> None:
        with near:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += near.recv(1)
            told.append(head)
            host, _, port = head.split()[1].decode().rpartition(":")
            with socket.create_connection((host, int(port))) as far:
                near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=relay, args=(far, near), daemon=True)
                back.start()
                relay(near, far)
                back.join(5)

    def accept() -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                threading.Thread(target=serve, args=(near,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        yield listener.getsockname()[1], told
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join(5)


def test_tls_goes_through_a_tunnel(
    client: Client, secure_web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    secure_web.publish("/feed", RSS)
    secure_web.play("/drip", Answer(body=RSS * 10, drip=0.02))
    monkeypatch.setenv("SSL_CERT_FILE", str(secure_web.authority))
    with tunnel() as (port, told), Client(allow_private=True, deadline=0.5) as hasty:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@127.0.0.1:{port}")
        url = secure_web.url("/feed", user="anna:secret")
        assert client.fetch(Request(url)).data == RSS
        assert client.fetch(Request(url)).data == RSS
        assert "took longer" in failure(hasty, secure_web.url("/drip")).reason
        client.close()
    # One connection for both, and the feed's own password is not for the proxy to read.
    assert len(told) == 2
    assert told[0].startswith(b"CONNECT 127.0.0.1:")
    assert b"\r\nproxy-authorization: Basic bWU6c2VjcmV0\r\n" in told[0]
    assert b"\r\nauthorization" not in told[0].lower()
    sent = secure_web.requests[0].headers
    assert sent["authorization"] == "Basic YW5uYTpzZWNyZXQ="
    assert "proxy-authorization" not in sent


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://[::1]/", "http://2130706433/", "http://a.internal/"]
)
def test_a_proxy_is_not_asked_for_private_addresses(
    web: Web, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", web.url(""))
    web.play("http://public.example/", redirect(302, url))
    with Client() as client:
        assert "is a private address" in failure(client, url).reason
        assert web.requests == []
        assert "is a private address" in failure(client, "http://public.example/").reason
        assert len(web.requests) == 1


def test_the_environment_names_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proxy_of("http", "a.org:80") == ""
    monkeypatch.setenv("https_proxy", "proxy:3128")
    assert proxy_of("http", "a.org:80") == ""
    assert proxy_of("https", "a.org:443") == "http://proxy:3128"
    monkeypatch.setenv("ALL_PROXY", "https://other")
    assert proxy_of("http", "a.org:80") == "https://other"
    monkeypatch.setenv("NO_PROXY", ".a.org")
    assert proxy_of("http", "feeds.a.org:80") == ""


# --- Headers


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Cache-Control": "max-age=60"}, 60),
        ({"Cache-Control": 'public, MAX-AGE = "60"'}, 60),
        ({"Cache-Control": "max-age=60", "Age": "20"}, 40),
        ({"Cache-Control": "max-age=60", "Age": "90"}, 0),
        ({"Cache-Control": "max-age=99999999999999999999"}, 7 * 86_400),
        ({"Cache-Control": "s-maxage=60"}, None),
        ({"Cache-Control": 'private="no-cache", max-age=5'}, 5),
        ({"Cache-Control": "no-cache, max-age=60"}, 0),
        ({"Cache-Control": "no-store"}, 0),
        ({"Cache-Control": "max-age=soon"}, None),
        ({"Cache-Control": "max-age=-1", "Expires": "0"}, 0),
        ({"Expires": "Wed, 04 Nov 2026 13:00:00 GMT"}, 3600),
        ({"Expires": "Wed, 04 Nov 2026 11:00:00 GMT"}, 0),
        ({"Expires": "-1"}, 0),
        (
            {
                "Expires": "Sat, 01 Jan 2000 00:05:00 GMT",
                "Date": "Sat, 01 Jan 2000 00:00:00 GMT",
            },
            300,
        ),
        ({"Expires": "Thu, 01 Jan 9999 00:00:00 GMT"}, 7 * 86_400),
        ({"Cache-Control": "max-age=60", "Expires": "0"}, 60),
    ],
)
def test_how_long_an_answer_holds(headers: Mapping[str, str], expected: int | None) -> None:
    fresh = fresh_for(headers, NOW)
    assert fresh == (None if expected is None else timedelta(seconds=expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("60", 60),
        (" 60.7 ", 60),
        ("0", None),
        ("-5", None),
        ("soon", None),
        ("Wed, 04 Nov 2026 12:01:00 GMT", 60),
        ("Wed, 04 Nov 2026 11:01:00 GMT", None),
        ("00000000000000000060", 60),
        ("999999999999", 7 * 86_400),
    ],
)
def test_how_long_to_wait(text: str, expected: int | None) -> None:
    wait = retry_after({"Retry-After": text}, NOW)
    assert wait == (None if expected is None else timedelta(seconds=expected))


@pytest.mark.parametrize(
    "text",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ],
)
def test_dates_have_three_forms(text: str) -> None:
    assert date(text) == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_no_header_is_a_fault_of_ours(text: str) -> None:
    for name in ("Cache-Control", "Expires", "Age", "Date", "Retry-After"):
        headers = {"Cache-Control": "max-age=9", "Expires": "x"} | {name: text}
        retry_after(headers, NOW)
        fresh = fresh_for(headers, NOW)
        assert fresh is None or timedelta() <= fresh <= timedelta(days=7)


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_no_url_is_a_fault_of_ours(text: str) -> None:
    for url in (text, f"http://{text}", f"https://example.org/{text}"):
        try:
            target = Target.of(redacted(url))
        except Refusal:
            continue
        assert target.url.isascii()
        assert target.scheme in {"http", "https"}
        assert Target.of(target.url).origin == target.origin
        with suppress(Refusal):
            target.joined(text)


# --- Many at once


def test_many_are_fetched_at_once_and_all_come_back(web: Web) -> None:
    requests = [Request(web.url(f"/{number}")) for number in range(40)]
    for number in range(0, 40, 2):
        web.play(f"/{number}", Answer(body=b"%d" % number, delay=0.01))
    with Client(allow_private=True, per_host=8) as client:
        answers = dict(client.fetch_all(requests))
    assert set(answers) == set(requests)
    for number, request in enumerate(requests):
        answer = answers[request]
        if number % 2:
            assert isinstance(answer, FetchError)
            assert answer.reason == "its server answered 404 Not Found"
        else:
            assert isinstance(answer, Response)
            assert answer.data == b"%d" % number
    assert 2 < web.most <= 8


def test_a_host_is_not_crowded_and_holds_up_no_other(web: Web) -> None:
    slow = [Request(web.url(f"/slow/{number}", host="localhost")) for number in range(6)]
    quick = [Request(web.url(f"/quick/{number}")) for number in range(6)]
    for number in range(6):
        web.play(f"/slow/{number}", Answer(body=RSS, delay=0.15))
        web.play(f"/quick/{number}", Answer(body=RSS))
    with Client(allow_private=True, connections=16, per_host=2) as client:
        order = [request for request, _ in client.fetch_all([*slow, *quick])]
    assert web.most <= 4
    assert set(order[:6]) == set(quick)


def test_nothing_runs_ahead_of_a_slow_caller(web: Web) -> None:
    requests = [Request(web.url(f"/{number}")) for number in range(30)]
    with Client(allow_private=True, connections=3, per_host=3) as client:
        answers = client.fetch_all(requests)
        next(answers)
        time.sleep(0.3)
        # One was taken, four wait, and three may have been under way when the fourth came.
        assert len(web.requests) <= 8
        assert len(list(answers)) == 29


def test_large_bodies_come_one_after_the_other(web: Web) -> None:
    requests = [Request(web.url(f"/{number}")) for number in range(6)]
    for number in range(6):
        web.play(f"/{number}", Answer(body=b"x" * 9_000_000))
    large: set[Request] = set()
    most = 0

    def progress(request: Request, done: int, _: int | None) -> None:
        nonlocal most
        if done > 8_000_000:
            large.add(request)
            most = max(most, len(large))

    with Client(allow_private=True, per_host=6) as client:
        for request, answer in client.fetch_all(requests, progress=progress):
            assert isinstance(answer, Response)
            time.sleep(0.02)
            large.discard(request)
        # The one just taken, and the next.
        assert most <= 2
        web.play("/0", Answer(body=b"x" * 9_000_000, cut=8_500_000))
        assert len(list(client.fetch_all(requests))) == 6
        # Whoever stops while others wait for their turn waits for nobody.
        answers = client.fetch_all(requests[1:])
        next(answers)
        time.sleep(0.1)
        answers.close()
        assert threads() == []


def test_nothing_is_asked_before_the_first_is_taken(client: Client, web: Web) -> None:
    answers = client.fetch_all([Request(web.url("/"))])
    time.sleep(0.05)
    assert web.connections == 0
    del answers
    assert list(client.fetch_all([])) == []


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("fetch-")]


@pytest.mark.parametrize("slow", [{"delay": 30.0}, {"drip": 0.3}])
def test_whoever_stops_taking_ends_what_is_running(web: Web, slow: dict[str, float]) -> None:
    web.play("/first", Answer(body=RSS))
    for number in range(8):
        web.play(f"/{number}", Answer(body=RSS * 9, **slow))  # type: ignore[arg-type]
    requests = [Request(web.url(f"/{number}")) for number in ("first", *range(8))]
    with Client(allow_private=True, per_host=4) as client:
        answers = client.fetch_all(requests)
        next(answers)
        time.sleep(0.1)
        start = time.monotonic()
        answers.close()
        assert time.monotonic() - start < 1
        assert threads() == []
        # The client itself goes on.
        assert client.fetch(Request(web.url("/first"))).data == RSS


def test_closing_the_client_ends_a_fetch_of_another_thread(web: Web) -> None:
    web.play("/slow", Answer(body=RSS, delay=30))
    client = Client(allow_private=True)
    errors: list[FetchError] = []
    thread = threading.Thread(target=lambda: errors.append(failure(client, web.url("/slow"))))
    thread.start()
    while not web.requests:
        time.sleep(0.01)
    client.close()
    thread.join(2)
    assert [error.reason for error in errors] == ["its fetch was stopped"]
    assert failure(client, web.url("/slow")).reason == "its fetch was stopped"


def test_a_fault_is_raised_where_the_answers_are_taken(client: Client, web: Web) -> None:
    web.publish("/feed", RSS)

    def progress(*_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(client.fetch_all([Request(web.url("/feed"))], progress=progress))
    assert threads() == []


def test_progress_names_the_request(client: Client, web: Web) -> None:
    requests = [Request(web.url(f"/{number}")) for number in range(3)]
    for number in range(3):
        web.play(f"/{number}", Answer(body=b"x" * (number + 1)))
    told: dict[Request, tuple[int, int | None]] = {}
    list(client.fetch_all(requests, progress=lambda request, *sizes: told.update({request: sizes})))
    assert told == {request: (number + 1, number + 1) for number, request in enumerate(requests)}


INTERRUPTED = """
import sys
from searchfeed.sources.http import Client, Request
with Client(allow_private=True) as client:
    try:
        for request, answer in client.fetch_all([Request(url) for url in sys.argv[1:]]):
            print(answer.data, flush=True)
    except KeyboardInterrupt:
        print("interrupted")
"""


def test_an_interrupt_ends_it_cleanly(web: Web) -> None:
    web.play("/quick", Answer(body=b"here"))
    web.play("/slow", Answer(body=RSS, delay=60))
    command = [sys.executable, "-c", INTERRUPTED, web.url("/quick"), web.url("/slow")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "b'here'\n"
        process.send_signal(2)
        out, err = process.communicate(timeout=5)
    assert (out, err, process.returncode) == ("interrupted\n", "", 0)


def test_importing_it_loads_no_urllib3() -> None:
    code = "import searchfeed.sources.http, sys; print({'urllib3', 'ssl'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout == "set()\n"
