"""What tests of several modules share."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import engines
from tests.loopback import Web

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """The feeds that every checkout has."""
    return ROOT / "fixtures"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real feeds of other people, which lie beside the checkout of a developer and of CI."""
    path = ROOT.parent / "shared"
    if not (path / "feeds").is_dir():
        pytest.skip("real feeds are not here: they are not ours to copy (expected in ../shared)")
    return path


@pytest.fixture(scope="session", autouse=True)
def _no_config_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the developer has set for himself changes no test, in this process or another."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("home")))
        patch.delenv("SEARCHFEED_CONFIG", raising=False)
        yield


@pytest.fixture(autouse=True)
def _no_index_is_left_behind() -> Iterator[None]:
    """What a test made in a cluster goes with it."""
    yield
    engines.forget()


@pytest.fixture(autouse=True, scope="session")
def _no_kept_index_is_left_behind() -> Iterator[None]:
    yield
    engines.forget(all=True)


@pytest.fixture
def web() -> Iterator[Web]:
    """An HTTP server on loopback; tests/loopback.py says how to write its answers."""
    with Web().running() as web:
        yield web


@pytest.fixture
def secure_web(tmp_path: Path) -> Iterator[Web]:
    """The same with TLS; clients trust it if ``SSL_CERT_FILE`` names its ``authority``."""
    import trustme

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    with Web(context, file).running() as web:
        yield web
