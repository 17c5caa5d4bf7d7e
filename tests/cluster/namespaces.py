"""A network of its own for each node, so that a cable can be pulled.

Each namespace has one end of a cable, whose other end lies in a bridge on this machine. The
addresses are of 127/8, which is made to be routed here: on any other the server wants limits of
open files that not every machine gives. It takes root and the right to make namespaces.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

IP = shutil.which("ip", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") or "ip"


class NoNamespacesError(Exception):
    """They cannot be made here; the text says why."""


@dataclass(frozen=True, slots=True)
class Network:
    """Namespaces side by side.

    Attributes:
        hosts: the address of each.
        launchers: what runs a command as the user nobody in each.
        cables: the name of each one's cable on this machine.
    """

    hosts: tuple[str, ...]
    launchers: tuple[tuple[str, ...], ...]
    cables: tuple[str, ...]

    def cut(self, number: int) -> None:
        """Pull a cable: nothing comes through, and nobody is told."""
        _ip("link", "set", self.cables[number], "down")

    def mend(self, number: int) -> None:
        """Put it back in."""
        _ip("link", "set", self.cables[number], "up")


@contextmanager
def network(count: int) -> Iterator[Network]:
    """Make so many namespaces; they go with the block.

    Raises:
        NoNamespacesError: that is not allowed here.
    """
    # Names of interfaces have 15 letters at most, and another run may have its own.
    own = f"sf{os.getpid() % 100_000}"
    part = os.getpid() % 250 + 1
    spaces = tuple(f"{own}n{number}" for number in range(count))
    cables = tuple(f"{own}c{number}" for number in range(count))
    hosts = tuple(f"127.77.{part}.{number + 2}" for number in range(count))
    try:
        _ip("link", "add", own, "type", "bridge")
        _ip("address", "add", f"127.77.{part}.1/24", "dev", own)
        _ip("link", "set", own, "up")
        _route(part, own, 1)
        for number, (space, cable) in enumerate(zip(spaces, cables, strict=True), start=2):
            _ip("netns", "add", space)
            _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", space)
            _ip("link", "set", cable, "master", own, "up")
            _ip("-n", space, "address", "add", f"127.77.{part}.{number}/24", "dev", "eth0")
            _ip("-n", space, "link", "set", "eth0", "up")
            _ip("-n", space, "link", "set", "lo", "up")
            _route(part, "eth0", number, space)
        yield Network(hosts, tuple(map(_launcher, spaces)), cables)
    finally:
        for arguments in (
            *(("link", "delete", cable) for cable in cables),
            *(("netns", "delete", space) for space in spaces),
            ("link", "delete", own),
        ):
            subprocess.run([IP, *arguments], capture_output=True, check=False)


def _launcher(space: str) -> tuple[str, ...]:
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    return (IP, "netns", "exec", space, *nobody)


def _route(part: int, device: str, number: int, space: str = "") -> None:
    """Let addresses of 127/8 come and go through a device."""
    run = (IP, "netns", "exec", space) if space else ()
    own = f"127.77.{part}.{number}"
    setting = f"/proc/sys/net/ipv4/conf/{device}/route_localnet"
    _run(*run, "sh", "-c", f"echo 1 > {setting}")
    route = ("route", "add", f"127.77.{part}.0/24", "dev", device, "src", own, "table", "local")
    _run(*run, IP, *route)


def _ip(*arguments: str) -> None:
    _run(IP, *arguments)


def _run(*command: str) -> None:
    try:
        subprocess.run(command, capture_output=True, check=True, text=True)
    except FileNotFoundError as error:
        raise NoNamespacesError(f"there is no program {command[0]!r}") from error
    except subprocess.CalledProcessError as error:
        raise NoNamespacesError(f"{' '.join(command)}: {error.stderr.strip()}") from error
