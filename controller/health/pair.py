"""Two name servers: does one lead, and does the other one follow."""

from __future__ import annotations

from controller.health.finding import Finding, bad
from idl_like_interfaces.errors import RemoteError
from idl_like_interfaces.replication import ReplicaRole, ReplicaStatus
from nameserver.client import Address, Where, addresses_of, show_addresses, status_of


def examine_pair(where: Where) -> list[Finding]:
    """Examine each name server of several; nothing is said about a single one."""
    addresses = addresses_of(where)
    return [_examine(each) for each in addresses] if len(addresses) > 1 else []


def _examine(address: Address) -> Finding:
    subject = f"name server {show_addresses(address)}"
    try:
        status = status_of(address)
    except RemoteError as error:
        return bad(
            subject,
            f"does not answer: {error.message.rpartition(': ')[2]}",
            cause="it has died, or its host is gone; the other one goes on alone",
            remedy="start it again: it follows by itself",
        )
    found = describe_status(status)
    if status.role is ReplicaRole.FOLLOWING or status.acknowledges:
        return Finding(subject=subject, found=found)
    return bad(
        subject,
        found,
        cause="it must hear the other one before it takes changes",
        remedy="start the other one; if that is dead for good: "
        f"`obsorb names dismiss {show_addresses(address)}`",
    )


def describe_status(status: ReplicaStatus) -> str:
    """Say in one line what a name server does and knows of the other one."""
    takes = "" if status.role is not ReplicaRole.LEADING or status.acknowledges else ", no changes"
    if not status.peer:
        return f"{status.role}, alone by its configuration"
    return f"{status.role}{takes}, epoch {status.epoch}; {status.peer} {status.peer_state}"
