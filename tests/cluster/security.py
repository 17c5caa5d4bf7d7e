"""OpenSearch's own security plugin on a server of the tests: TLS, users and their rights.

Its jars come from Maven Central as those of the server do. The newest that lies there belongs to an
earlier patch of the same server, so its descriptor is written anew. The rights are those that
docs/scale.md tells to give.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
import urllib3
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from benchmarks.cluster import Cluster, Node, cached, describe, jars, java, resolve

ROOT = Path(__file__).parents[2]

PLUGIN = "2.19.4.0"
_NAME = "opensearch-security"
_MAIN = "org.opensearch.security.OpenSearchSecurityPlugin"

ADMIN, FETCHER, READER = "admin", "fetcher", "reader"

_SETTINGS = """\
plugins.security.ssl.transport.pemcert_filepath: node.pem
plugins.security.ssl.transport.pemkey_filepath: node.key
plugins.security.ssl.transport.pemtrustedcas_filepath: authority.pem
plugins.security.ssl.http.enabled: true
plugins.security.ssl.http.pemcert_filepath: node.pem
plugins.security.ssl.http.pemkey_filepath: node.key
plugins.security.ssl.http.pemtrustedcas_filepath: authority.pem
plugins.security.nodes_dn: ["CN={name},*"]
plugins.security.allow_default_init_securityindex: true
plugins.security.audit.type: noop
"""
_HEAD = '_meta: {{type: "{}", config_version: 2}}\n'
_CONFIG = """\
config:
  dynamic:
    authc:
      basic:
        http_enabled: true
        order: 0
        http_authenticator: {type: basic, challenge: true}
        authentication_backend: {type: intern}
"""
_EMPTY = ("actiongroups", "tenants", "nodesdn", "audit")
_FILES = {
    "actiongroups": "action_groups",
    "internalusers": "internal_users",
    "nodesdn": "nodes_dn",
    "rolesmapping": "roles_mapping",
}
_MAPPED = f"all_access: {{users: [{ADMIN}]}}\n"


@dataclass(frozen=True, slots=True)
class Secured:
    """A server that asks who is there.

    Attributes:
        url: where it is.
        authority: the file of the authority that its certificate is from.
        passwords: those of its users, by their names.
    """

    url: str
    authority: Path
    passwords: dict[str, str]


@contextmanager
def secured(folder: Path) -> Iterator[Secured]:
    """Run one server with the plugin, which the users of docs/scale.md may ask."""
    authority = trustme.CA()
    file = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    passwords = {name: f"correct horse of {name}" for name in (ADMIN, FETCHER, READER)}
    plugin = cached(f"{_NAME}-{PLUGIN}", _get_plugin)
    hashes = {name: _hash(plugin, password) for name, password in passwords.items()}

    def furnish(node: Node) -> str:
        config = node.home / "config"
        shutil.copytree(plugin, node.home / "plugins" / _NAME)
        leaf = authority.issue_cert(node.host, common_name=node.name)
        (config / "node.pem").write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        (config / "node.key").write_bytes(_pkcs8(leaf.private_key_pem.bytes()))
        (config / "authority.pem").write_bytes(authority.cert_pem.bytes())
        _write_users(config / _NAME, hashes)
        return _SETTINGS.format(name=node.name)

    http = urllib3.PoolManager(
        retries=False,
        timeout=10,
        ca_certs=str(file),
        headers=urllib3.make_headers(basic_auth=f"{ADMIN}:{passwords[ADMIN]}"),
    )
    with Cluster(1, heap=512, furnish=furnish, http=http) as cluster:
        yield Secured(cluster.urls[0], file, passwords)


def _get_plugin(folder: Path) -> None:
    resolve((f"org.opensearch.plugin:{_NAME}:{PLUGIN}",), folder, "zip")
    (archive,) = folder.glob("*.zip")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    archive.unlink()
    describe(folder, _NAME, _MAIN)


def _hash(plugin: Path, password: str) -> str:
    """As the plugin keeps a password."""
    classes = ":".join(f"{each}/*" for each in (plugin, jars() / "lib"))
    tool = "org.opensearch.security.tools.Hasher"
    command = [java(), "-cp", classes, tool, "-p", password]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.split()[-1]


def _pkcs8(key: bytes) -> bytes:
    """A key in the only form that the server reads."""
    private = load_pem_private_key(key, None)
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write_users(folder: Path, hashes: dict[str, str]) -> None:
    """Write who there is and what each may do."""
    folder.mkdir()
    page = (ROOT / "docs" / "scale.md").read_text("utf-8")
    told = re.search(r"```yaml\n# roles\.yml\n(.*?)# roles_mapping\.yml\n(.*?)```", page, re.DOTALL)
    assert told is not None
    users = "".join(f'{name}: {{hash: "{value}"}}\n' for name, value in hashes.items())
    files = dict.fromkeys(_EMPTY, "") | {
        "config": _CONFIG,
        "internalusers": users,
        "roles": told[1],
        "rolesmapping": _MAPPED + told[2],
    }
    for kind, text in files.items():
        name = _FILES.get(kind, kind)
        (folder / f"{name}.yml").write_text(_HEAD.format(kind) + text)
