"""The proxy that the environment names for a URL."""

from __future__ import annotations

import os


def proxy_of(scheme: str, host: str) -> str:
    """The URL of the proxy that leads to a host; empty where it is reached straight.

    ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` are read, in either case of
    letters, as curl and Python read them.

    Args:
        scheme: ``http`` or ``https``.
        host: with its port, where the URL has one.
    """
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return ""
    # The second is in no stub file; on a Mac ``proxy_bypass`` would ask the system settings.
    from urllib.request import (  # type: ignore[attr-defined]
        getproxies_environment,
        proxy_bypass_environment,
    )

    proxies = getproxies_environment()
    proxy = proxies.get(scheme) or proxies.get("all", "")
    if not proxy or proxy_bypass_environment(host, proxies):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"
