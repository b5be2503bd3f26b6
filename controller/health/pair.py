"""Two name servers: does one lead, and does the other one follow."""

from __future__ import annotations

from controller.health.finding import Finding, bad
from idl_like_interfaces.errors import CommFailure, RemoteError
from idl_like_interfaces.replication import ReplicaRole, ReplicaStatus
from nameserver.client import Address, Where, addresses_of, show_addresses, status_of

NO_TLS = "no TLS with "
"""So begins what says by itself why the two sides do not trust each other."""


def examine_pair(where: Where) -> list[Finding]:
    """Examine each name server of several; nothing is said about a single one."""
    addresses = addresses_of(where)
    return [_examine(each) for each in addresses] if len(addresses) > 1 else []


def _examine(address: Address) -> Finding:
    subject = f"name server {show_addresses(address)}"
    try:
        status = status_of(address)
    except RemoteError as error:
        return judge_silence(
            subject,
            error,
            cause="it has died, or its host is gone",
            remedy="start it again: it follows the other one by itself",
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


def judge_silence(subject: str, error: RemoteError, *, cause: str, remedy: str) -> Finding:
    """Judge a name server that gave no answer.

    Args:
        subject: Which.
        error: What was found instead.
        cause: Why nobody answers there.
        remedy: What to do then. Who runs and refuses us says both itself.
    """
    found = f"does not answer: {error.briefly()}"
    if is_away(error):
        return bad(subject, found, cause=cause, remedy=remedy)
    return bad(subject, found, cause=error.cause, remedy=error.remedy)


def is_away(error: RemoteError) -> bool:
    """Tell whether nobody answers, rather than that somebody refuses us."""
    return isinstance(error, CommFailure) and not error.message.startswith(NO_TLS)


def describe_status(status: ReplicaStatus) -> str:
    """Say in one line what a name server does and knows of the other one."""
    takes = "" if status.role is not ReplicaRole.LEADING or status.acknowledges else ", no changes"
    if not status.peer:
        return f"{status.role}, alone by its configuration"
    return f"{status.role}{takes}, epoch {status.epoch}; {status.peer} {status.peer_state}"
