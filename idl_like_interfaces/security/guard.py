"""The guard of a program's objects: admits by role, records in the audit log."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Protocol

from idl_like_interfaces.bucket import Bucket
from idl_like_interfaces.declare import Operation, Role
from idl_like_interfaces.errors import NoPermission, PersistStore
from idl_like_interfaces.security.audit_chain import Kind
from idl_like_interfaces.security.audit_log import AuditLog
from idl_like_interfaces.security.roles import LOCAL, Policy, is_local, role_in

ROUTINE = frozenset({"publish", "push", "append", "renew_lease", "hello", "offer"})
"""Operations by which programs keep things going all the time: counted, not recorded."""

NAMELESS = "a certificate without a name"
"""How a caller is called whose certificate has no common name."""

_MOST_CACHED = 1024
_LONGEST = 200
"""Characters of a name in a record; a caller may send longer ones."""


class Caller(Protocol):
    """What is known of who calls (``mapping.context.Caller``)."""

    @property
    def address(self) -> str:
        """Host address of the peer; empty for a call in the same process."""

    @property
    def identity(self) -> str:
        """Common name of its certificate; empty without TLS."""

    @property
    def stated(self) -> tuple[str, ...]:
        """Alternative names (URIs) in its certificate."""


class AccessGuard:
    """Decides by the policy of an installation; used from many threads.

    Args:
        policy: What the installation says.
        audit: Where it is recorded; ``None``: nowhere.
        is_required: Refuse what cannot be recorded.
        with_tls: Callers have shown a certificate; one without a name has no role, wherever
            it calls from.
    """

    def __init__(
        self,
        policy: Policy,
        audit: AuditLog | None = None,
        *,
        is_required: bool = False,
        with_tls: bool = False,
    ) -> None:
        self._policy = policy
        self._audit = audit
        self._is_required = is_required
        self._with_tls = with_tls
        self._denials = Bucket()
        self._role_of = lru_cache(_MOST_CACHED)(self._find_role)
        self._is_enough = lru_cache(_MOST_CACHED)(self._compare)
        self._least_role = lru_cache(_MOST_CACHED)(policy.least_role)

    def admit(self, caller: Caller, object_id: str, operation: Operation) -> None:
        """Let a call pass.

        Raises:
            NoPermission: The caller's role is less than the operation takes.
            PersistStore: The call must be recorded, and that is impossible now.
        """
        least = self._least_of(object_id, operation)
        if not self._is_enough(caller.identity, caller.stated, caller.address, least):
            role = self._role_of(caller.identity, caller.stated, caller.address)
            raise _denied(self._name_of(caller), role, object_id, operation, least)
        audit = self._audit
        if self._is_required and audit and not audit.is_writable and _is_recorded(operation):
            # Tried each time: the first that can be written ends the refusals.
            if audit.append(Kind.COUNT):
                return
            raise PersistStore(
                f"{operation.name} of {object_id} is refused: it could not be recorded",
                cause="the audit log cannot be written: its disk is full or fails",
                remedy="free space on the disk of the folder `audit`; reading goes on meanwhile",
            )

    def note(self, caller: Caller, object_id: str, operation: Operation, outcome: str) -> None:
        """Record a call that was executed or denied, unless it only reads."""
        if self._audit is None:
            return
        is_denied = outcome == NoPermission.repository_id
        if not is_denied and not _is_recorded(operation):
            if operation.name in ROUTINE:
                self._audit.count(operation.name)
            return
        if is_denied and not self._denials.take():
            self._audit.count("denied")
            return
        role = self._role_of(caller.identity, caller.stated, caller.address)
        self._audit.append(
            Kind.DENIED if is_denied else Kind.CALL,
            caller=_printable(self._name_of(caller)),
            address=caller.address,
            role=role or "",
            object=_printable(object_id),
            operation=_printable(operation.name),
            outcome=outcome,
        )

    def _compare(self, identity: str, stated: tuple[str, ...], address: str, least: Role) -> bool:
        role = self._role_of(identity, stated, address)
        return role is not None and role.includes(least)

    def _name_of(self, caller: Caller) -> str:
        if self._with_tls and not caller.identity:
            return NAMELESS
        return name_of(caller)

    def _least_of(self, object_id: str, operation: Operation) -> Role:
        if not self._policy.rules:
            return operation.role
        if len(object_id) > _LONGEST:
            return self._policy.least_role(object_id, operation.name, operation.role)
        return self._least_role(object_id, operation.name, operation.role)

    def _find_role(self, identity: str, stated: tuple[str, ...], address: str) -> Role | None:
        if self._with_tls and not identity:
            return None
        return self._policy.role_of(identity, role_in(stated), address)


def name_of(caller: Caller) -> str:
    """Return how a caller is called in refusals and records."""
    if caller.identity:
        return caller.identity
    return LOCAL if is_local(caller.address) else caller.address


def _printable(text: str) -> str:
    """Return a name from a stranger so that it can be written, whatever he put into it."""
    return text[:_LONGEST].encode("utf-8", "replace").decode()


def _is_recorded(operation: Operation) -> bool:
    """Tell whether an operation does more than read; what observers may do only reads."""
    return operation.role is not Role.OBSERVER and operation.name not in ROUTINE


def _denied(
    who: str, role: Role | None, object_id: str, operation: Operation, least: Role
) -> NoPermission:
    have = f"has the role {role}" if role else "has no role"
    return NoPermission(
        f"{operation.name} of {object_id} takes the role {least}; {who} {have}",
        needed=str(least),
        cause="roles are given by whoever runs the installation",
        remedy=f"ask for it: {_way(who, least)}",
    )


def _way(who: str, least: Role) -> str:
    """Say how somebody would get a role."""
    if who == NAMELESS:
        return "a certificate with a common name: `obsorb certs issue NAME`"
    if who == LOCAL or _is_address(who):
        key = "local_role" if who == LOCAL else "network_role"
        return f'{key} = "{least}" under [security], or a certificate of your own and TLS'
    return (
        f'"{who}" = "{least}" under [security.roles] of the installation file, or a certificate '
        f"made with `obsorb certs issue {who} --role {least}`"
    )


def _is_address(who: str) -> bool:
    try:
        ipaddress.ip_address(who)
    except ValueError:
        return False
    return True
