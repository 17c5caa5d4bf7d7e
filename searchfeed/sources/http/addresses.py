"""Which addresses a feed may come from: those of the public internet."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# ``ipaddress`` differs in these from one release of Python to the next.
_PRIVATE = tuple(
    IPv4Network(network)
    for network in (
        "100.64.0.0/10",  # shared by the customers of a provider; Alibaba's metadata
        "168.63.129.16/32",  # Azure's metadata, at an address that looks public
        "192.0.0.0/24",  # protocols; Oracle's metadata
        "192.88.99.0/24",  # relays to IPv6, no longer in use
    )
)
_GLOBAL = IPv6Network("2000::/3")
_PRIVATE_6 = (IPv6Network("2001::/23"), IPv6Network("2001:db8::/32"), IPv6Network("3fff::/20"))
_NAT64 = IPv6Network("64:ff9b::/96")
_LOCAL_NAMES = ("localhost", "local", "internal")


def is_public(text: str) -> bool:
    """Whether an address, as the system writes it, belongs to the public internet.

    An IPv6 address that only wraps one of IPv4 is judged by that.
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        wrapped = _wrapped(address)
        if wrapped is None:
            inside = address in _GLOBAL and not any(address in network for network in _PRIVATE_6)
            return inside and address.is_global
        address = wrapped
    if any(address in network for network in _PRIVATE):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def names_public(host: str) -> bool:
    """The same of a host that somebody else will look up: False where its name says enough."""
    name = host.strip("[]").rstrip(".").lower()
    if name.rpartition(".")[2] in _LOCAL_NAMES:
        return False
    try:
        # Also 127.1, 0x7f.1 and 2130706433, as the system reads them.
        found = socket.getaddrinfo(name, None, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return True
    return all(is_public(str(address[0])) for *_, address in found)


def _wrapped(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return None
