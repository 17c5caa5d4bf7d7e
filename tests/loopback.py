"""A real HTTP server on loopback that plays what a test writes for it.

A test asks for the fixture ``web`` (or ``secure_web``, the same with TLS) and scripts answers:

    def test_something(web: Web) -> None:
        web.play("/feed", Answer(503, headers={"Retry-After": "60"}), Answer(body=RSS))
        fetch(web.url("/feed"))            # gets the 503
        fetch(web.url("/feed"))            # gets the feed, as does everyone after: the last stays
        assert web.requests[0].headers["user-agent"].startswith("searchfeed/")

    def test_conditional(web: Web) -> None:
        web.publish("/feed", RSS)          # with ETag and Last-Modified; 304 to who knows them
        web.publish("/feed", NEWER)        # a new body has a new ETag

A path that nothing was written for answers 404. An answer may be a function of the request, too.
"""

from __future__ import annotations

import gzip
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, cast

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came.

    Attributes:
        headers: their names in small letters.
        at: seconds of the monotonic clock.
        connection: the number of its connection, from 1; the same for requests that share one.
        body: of as many bytes as its head says.
    """

    method: str
    path: str
    headers: Headers
    at: float
    connection: int
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server says, and how badly.

    Attributes:
        status: the status code.
        body: the bytes, whole or as pieces made while they are sent.
        headers: sent as given; ``Content-Length`` is added unless it stands here, the body comes
            in pieces, or it is chunked.
        compressed: send the body as gzip, and say so.
        chunked: send each piece as a chunk.
        delay: seconds before the first byte of the answer.
        drip: seconds before each byte of the body (with ``drip_head`` of the head, too).
        drip_head: drip from the first byte of the head.
        cut: bytes of the body after which the connection ends.
        reset: end it by a reset where it ends early; with ``cut`` None, before any answer.
        raw: sent in place of everything, after which the connection ends.
    """

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    headers: Headers = field(default_factory=dict)
    compressed: bool = False
    chunked: bool = False
    delay: float = 0.0
    drip: float = 0.0
    drip_head: bool = False
    cut: int | None = None
    reset: bool = False
    raw: bytes | None = None


Script = Answer | Callable[[Received], Answer]


class Web:
    """The server.

    Attributes:
        requests: everything received, in order.
        connections: how many connections were accepted.
        most: the most requests that waited for the first byte of their answers at one time.
        authority: a file with the certificate of its authority, for ``SSL_CERT_FILE``.
    """

    def __init__(self, context: ssl.SSLContext | None = None, authority: Path | None = None):
        self.requests: list[Received] = []
        self.connections = 0
        self.most = 0
        self.authority = authority
        self._context = context
        self._scripts: dict[str, list[Script]] = {}
        self._running = 0
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._server = _Server(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def port(self) -> int:
        return cast("tuple[str, int]", self._server.server_address)[1]

    def url(self, path: str = "/", *, host: str = "127.0.0.1", user: str = "") -> str:
        """The URL of a path; ``user`` is ``name:password``."""
        scheme = "https" if self._context else "http"
        return f"{scheme}://{user}{'@' if user else ''}{host}:{self.port}{path}"

    def play(self, path: str, *answers: Script) -> None:
        """Answer requests for a path in this order; the last one stays.

        A path with a query is one of its own; one without is answered whatever its query.
        """
        with self._lock:
            self._scripts[path] = list(answers)

    def publish(
        self, path: str, body: bytes, *, headers: Headers | None = None, compressed: bool = False
    ) -> None:
        """Answer with this body and validators, and with 304 whoever has it."""
        etag = f'"{sha256(body).hexdigest()[:16]}"'
        modified = "Wed, 04 Nov 2026 10:00:00 GMT"
        told = {"Content-Type": "application/xml", "ETag": etag, "Last-Modified": modified}
        told |= headers or {}

        def answer(request: Received) -> Answer:
            if request.headers.get("if-none-match") == etag:
                return Answer(304, headers=told)
            return Answer(body=body, headers=told, compressed=compressed)

        self.play(path, answer)

    def asked(self, path: str) -> list[Received]:
        """The requests for a path."""
        return [request for request in self.requests if request.path == path]

    @contextmanager
    def running(self) -> Iterator[Web]:
        """Serve while the block runs."""
        self._thread.start()
        try:
            yield self
        finally:
            self._stopped.set()
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    def serve(self, connection: socket.socket) -> None:
        """Answer the requests of one connection."""
        with self._lock:
            self.connections += 1
            number = self.connections
        # Head and body are written apart, and the second would wait for word of the first.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A client that goes away or breaks its side off is what many tests are about.
        with suppress(OSError):
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            try:
                with connection.makefile("rb") as reader:
                    while request := _received(reader, number):
                        if not self._answer(connection, request):
                            break
            except ValueError:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            finally:
                connection.close()

    def _answer(self, connection: socket.socket, request: Received) -> bool:
        """Answer one request; whether the connection goes on."""
        with self._lock:
            self.requests.append(request)
            self._running += 1
            self.most = max(self.most, self._running)
            plain = self._scripts.get(request.path.partition("?")[0], [Answer(404)])
            script = self._scripts.get(request.path, plain)
            answer = script.pop(0) if len(script) > 1 else script[0]
        if not isinstance(answer, Answer):
            answer = answer(request)
        self._stopped.wait(answer.delay)
        # Not once it is sent: by then its client may have asked for the next.
        with self._lock:
            self._running -= 1
        return self._send(connection, answer)

    def _send(self, connection: socket.socket, answer: Answer) -> bool:
        if answer.reset and answer.cut is None:
            return _reset(connection)
        if answer.raw is not None:
            connection.sendall(answer.raw)
            return False
        sent = 0
        head, pieces = _written(answer)
        self._write(connection, head, answer.drip if answer.drip_head else 0)
        for piece in pieces:
            if answer.cut is not None and sent + len(piece) >= answer.cut:
                self._write(connection, piece[: answer.cut - sent], answer.drip)
                return _reset(connection) if answer.reset else False
            self._write(connection, piece, answer.drip)
            sent += len(piece)
        if answer.headers.get("Connection") == "close":
            return False
        ends = answer.chunked or answer.status == HTTPStatus.NOT_MODIFIED
        return ends or b"\r\nContent-Length: " in head

    def _write(self, connection: socket.socket, data: bytes, drip: float) -> None:
        if not drip:
            connection.sendall(data)
            return
        for start in range(len(data)):
            if self._stopped.wait(drip):
                raise ConnectionAbortedError
            connection.sendall(data[start : start + 1])


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, web: Web) -> None:
        self.web = web
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        server.web.serve(self.request)


def _received(reader: BinaryIO, number: int) -> Received | None:
    """The next request; None where there is none any more.

    Raises:
        ValueError: this is no request.
    """
    first = reader.read(1)
    if not first:
        return None
    if not first.isalpha():
        # Where TLS begins there may be no line to wait for.
        raise ValueError
    line = first + reader.readline(65_536)
    method, path, _ = line.decode("latin-1").split()
    headers = {}
    while (header := reader.readline(65_536).decode("latin-1").rstrip("\r\n")) != "":
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    body = reader.read(int(headers.get("content-length", 0)))
    return Received(method, path, headers, time.monotonic(), number, body)


def _written(answer: Answer) -> tuple[bytes, Iterable[bytes]]:
    """The head of an answer, and its body as pieces."""
    headers = dict(answer.headers)
    body = answer.body
    if answer.compressed:
        whole = body if isinstance(body, bytes) else b"".join(body)
        body = gzip.compress(whole, mtime=0)
        headers.setdefault("Content-Encoding", "gzip")
    if answer.chunked:
        headers["Transfer-Encoding"] = "chunked"
        pieces: Iterable[bytes] = [body] if isinstance(body, bytes) else body
        pieces = _chunks(pieces)
    elif isinstance(body, bytes):
        if answer.status != HTTPStatus.NOT_MODIFIED:
            headers.setdefault("Content-Length", str(len(body)))
        pieces = [body]
    else:
        pieces = body
    lines = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode(), pieces


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        if piece:
            yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def _reset(connection: socket.socket) -> bool:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # Not by way of a shutdown, which would end it in good order.
    connection.close()
    return False
