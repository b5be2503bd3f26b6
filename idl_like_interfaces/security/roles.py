"""Who may call what: a pure decision from the caller, the object and the operation."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from idl_like_interfaces.declare import Role

ROLE_URI = "urn:obsorb:role:"
"""An alternative name of this form in a certificate states a role."""

LOCAL = "local"
"""How a caller on the loopback interface without TLS is called."""

_MOST_CACHED = 4096


def role_in(uris: Iterable[str]) -> Role | None:
    """Return the role that the alternative names of a certificate state.

    None when they state none, one that is unknown, or several.
    """
    stated = {each.removeprefix(ROLE_URI) for each in uris if each.startswith(ROLE_URI)}
    return next((role for role in Role if stated == {role.value}), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Changes the least role of some operations of some objects.

    Attributes:
        object: Glob over object names: ``*`` stands for anything within one component
            of the name, ``**`` for anything.
        operation: Glob over operation names.
        role: The least role.
    """

    object: str
    operation: str
    role: Role

    def fits(self, object_id: str, operation: str) -> bool:
        """Tell whether it says something about an operation of an object."""
        return bool(
            _pattern(self.object).fullmatch(object_id)
            and _pattern(self.operation).fullmatch(operation)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What an installation says about callers and operations.

    Attributes:
        roles: Of callers by the name in their certificate; wins over the certificate.
        rules: Read from the top; the first that fits counts.
        local: Role of who calls over loopback without TLS.
        network: Role of who calls from elsewhere without TLS.
    """

    roles: Mapping[str, Role] = field(default_factory=dict)
    rules: Sequence[Rule] = ()
    local: Role = Role.ADMIN
    network: Role = Role.OBSERVER

    def role_of(self, identity: str, stated: Role | None, address: str) -> Role | None:
        """Return the role of a caller; None: it has none and may do nothing.

        Args:
            identity: Name in its certificate; empty without TLS.
            stated: Role that the certificate states.
            address: Of its host; empty for one of the same process.
        """
        if identity:
            return self.roles.get(identity, stated)
        return self.local if is_local(address) else self.network

    def least_role(self, object_id: str, operation: str, declared: Role) -> Role:
        """Return the least role that may call an operation of an object."""
        for rule in self.rules:
            if rule.fits(object_id, operation):
                return rule.role
        return declared


def is_local(address: str) -> bool:
    """Tell whether a peer's address is one of this host's loopback addresses, or none."""
    if not address:
        return True
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


@lru_cache(maxsize=_MOST_CACHED)
def _pattern(glob: str) -> re.Pattern[str]:
    """Compile a glob. It comes from the installation's own file, never from a caller."""
    parts = re.split(r"(\*\*|\*)", glob)
    forms = {"**": ".*", "*": "[^/]*"}
    return re.compile("".join(forms.get(part) or re.escape(part) for part in parts), re.DOTALL)
