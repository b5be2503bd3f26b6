"""What hosts are called: which names mean this one, and how an address is written."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is one of this host's loopback addresses."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_and_port(host: str, port: int) -> str:
    """Write an address as in a URI: that of IPv6 stands in brackets."""
    return f"{f'[{host}]' if ':' in host else host}:{port}"
