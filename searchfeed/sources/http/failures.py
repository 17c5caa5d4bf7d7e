"""What went wrong, in words for the person who subscribed to the feed."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from http import HTTPStatus
from http.client import IncompleteRead, RemoteDisconnected

from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from searchfeed.sources.http.connections import SurplusError
from searchfeed.sources.http.guard import STOPPED, Guard
from searchfeed.sources.http.limits import Limits
from searchfeed.sources.http.messages import Refusal

_LATER = "try again later"

_REMEDIES: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "put the user and password into its URL: https://user:password@…",
    HTTPStatus.FORBIDDEN: "its server may want a login, or refuse programs",
    HTTPStatus.NOT_FOUND: "check its URL, or look for a new one on its home page",
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: "put the user and password into HTTPS_PROXY",
    HTTPStatus.GONE: "it will not be back",
    HTTPStatus.TOO_MANY_REQUESTS: "ask less often",
}

_PROXY = "check HTTP_PROXY, HTTPS_PROXY and NO_PROXY"
_UNTRUSTED = "if you trust who issued it, name their certificate's file in SSL_CERT_FILE"
_CERTIFICATES = {
    9: "is this computer's clock right?",
    10: "its owner has to renew it, if this computer's clock is right",
    62: "check its URL",
    64: "check its URL",
}
"""By what OpenSSL calls the faults (X509_V_ERR_…): not yet valid, expired, of another host."""


def status_words(status: int) -> str:
    """A status as a sentence: ``its server answered 404 Not Found``."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        return f"its server answered {status}"
    return f"its server answered {status} {phrase}"


def status_remedy(status: int) -> str:
    """What can be done about a status."""
    is_servers_fault = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return _REMEDIES.get(status, _LATER if is_servers_fault else "")


def explained(error: HTTPError | OSError, guard: Guard, limits: Limits) -> Refusal:
    """Why no answer came, by the error that ended the fetch."""
    if guard.is_stopped:
        return Refusal(STOPPED)
    if not guard.remaining:
        return Refusal(f"its answer took longer than {limits.deadline:g} s", _LATER)
    match error:
        case ProxyError():
            return _proxy(error)
        case NameResolutionError():
            return _name(error)
        case NewConnectionError():
            return _connection(error.__cause__)
        case ConnectTimeoutError():
            return Refusal(f"no connection within {limits.connect_timeout:g} s", _LATER)
        case ReadTimeoutError():
            return Refusal("its server did not answer in time", _LATER)
        case SSLError():
            return _tls(error)
        case ProtocolError():
            return _protocol(error)
        case LocationParseError():
            return Refusal("this is not a valid URL")
    return Refusal("its server does not speak HTTP as it should")


def is_passing(error: HTTPError | OSError) -> bool:
    """Whether the same may well work a moment later."""
    if isinstance(error, ConnectTimeoutError):
        return not isinstance(error, NewConnectionError)
    return isinstance(error, ProtocolError) and _is_reset(error)


def _is_reset(error: ProtocolError) -> bool:
    return isinstance(error.args[-1], (ConnectionError, RemoteDisconnected))


def _name(error: NameResolutionError) -> Refusal:
    cause = error.__cause__
    if isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_AGAIN:
        return Refusal("the name of its host cannot be looked up now", "is there a network?")
    return Refusal("there is no such host", "check its URL")


def _connection(cause: BaseException | None) -> Refusal:
    if isinstance(cause, ConnectionRefusedError):
        return Refusal("its server refused the connection", "check its URL, or try again later")
    if isinstance(cause, OSError) and cause.strerror:
        reason = cause.strerror[:1].lower() + cause.strerror[1:]
        return Refusal(f"its server cannot be reached: {reason}", _LATER)
    return Refusal("its server cannot be reached", _LATER)


def _tls(error: SSLError) -> Refusal:
    cause = next((each for each in _chain(error) if isinstance(each, ssl.SSLError)), None)
    if isinstance(cause, ssl.SSLCertVerificationError):
        reason = f"its certificate is not valid: {_line(cause.verify_message)}"
        return Refusal(reason, _CERTIFICATES.get(cause.verify_code, _UNTRUSTED))
    if cause is not None and cause.reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"}:
        return Refusal("its server does not speak TLS there", "try http:// in place of https://")
    return Refusal("no safe connection to its server could be agreed on", _LATER)


def _proxy(error: ProxyError) -> Refusal:
    said = re.search(r"Tunnel connection failed: (\d{3})", str(error.original_error))
    if said:
        status = int(said[1])
        words = status_words(status).replace("its server", "the proxy")
        is_login = status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED
        return Refusal(words, _REMEDIES[status] if is_login else _PROXY)
    return Refusal("the proxy cannot be reached", _PROXY)


def _protocol(error: ProtocolError) -> Refusal:
    cause = error.args[-1]
    if isinstance(cause, SurplusError):
        return Refusal("its answer is longer than its server says", _LATER)
    if isinstance(cause, IncompleteRead):
        return Refusal("its answer was cut off", _LATER)
    if _is_reset(error):
        return Refusal("its server broke the connection off", _LATER)
    return Refusal("its server does not speak HTTP as it should", "check its URL")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what it came from, also where urllib3 keeps that as an argument."""
    yield error
    for cause in (*error.args, error.__cause__):
        if isinstance(cause, BaseException):
            yield from _chain(cause)


def _line(text: str) -> str:
    return " ".join(text.split())[:200]
