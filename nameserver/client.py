"""The public client of the name service: find it, resolve, narrow, register."""

from __future__ import annotations

from nameserver.changeover import (
    ENVIRONMENT,
    Address,
    Where,
    addresses_of,
    dismiss_peer_of,
    name_server_address,
    parse_address,
    parse_addresses,
    show_addresses,
    status_of,
)
from nameserver.lookup import Names
from nameserver.registration import LEASE_RENEWAL_S, LEASE_TERM_S, Offer, Registration

__all__ = [
    "ENVIRONMENT",
    "LEASE_RENEWAL_S",
    "LEASE_TERM_S",
    "Address",
    "Names",
    "Offer",
    "Registration",
    "Where",
    "addresses_of",
    "dismiss_peer_of",
    "name_server_address",
    "parse_address",
    "parse_addresses",
    "show_addresses",
    "status_of",
]
