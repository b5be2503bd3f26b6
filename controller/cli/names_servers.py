"""The name servers themselves: which one leads, and an end to the wait for a dead one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from controller.cli.output import print_json, print_line
from controller.cli.session import Session, addressed
from controller.failure import CommandFailed
from idl_like_interfaces.errors import CommFailure, RemoteError
from idl_like_interfaces.replication import ReplicaStatus

if TYPE_CHECKING:
    from nameserver.client import Address

AddressArgument = Annotated[
    str, typer.Argument(metavar="HOST:PORT", help="The name server that shall lead alone.")
]


class ServerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a name server says about itself.

    Attributes:
        address: Where it is.
        status: Its answer; None: it gave none.
        error: Why there was none.
    """

    address: str
    status: ReplicaStatus | None = None
    error: str = ""


def ping_servers(session: Session) -> None:
    """Print what each name server does; fail when none takes changes."""
    from controller.health.pair import is_away
    from nameserver.client import addresses_of, name_server_address

    refusals: list[RemoteError] = []
    answers = [_ask(each, refusals) for each in addresses_of(name_server_address(session.names))]
    if session.as_json:
        print_json(answers)
    else:
        print_line("\n".join(map(_line, answers)))
    if not any(each.status is not None and each.status.acknowledges for each in answers):
        for each in refusals:  # who runs and refuses us is not to be started, let alone dismissed
            if not is_away(each):
                raise each
        raise CommandFailed(
            "no name server takes changes",
            cause="none of them runs, or who runs must hear the other one first",
            remedy="start them; if one is dead for good, tell the other one with "
            "`obsorb names dismiss`",
        )


@addressed
def dismiss(session: Session, address: AddressArgument) -> None:
    """Let a name server lead alone that waits for the other one, which is dead for good."""
    from controller.health.pair import is_away
    from nameserver.client import dismiss_peer_of, parse_address

    try:
        status = dismiss_peer_of(parse_address(address, "address"))
    except CommFailure as error:
        if not is_away(error):
            raise
        raise CommandFailed(
            f"the name server {address} does not answer: {error.briefly()}",
            cause="the one that lives is told to go on alone, and this one does not seem to live",
            remedy="give the address of the other one; see with `obsorb names ping` which one lives",
        ) from error
    session.emit(status, f"{address:<21} {_text(status)}")


def _ask(address: Address, refusals: list[RemoteError]) -> ServerAnswer:
    from nameserver.client import show_addresses, status_of

    shown = show_addresses(address)
    try:
        return ServerAnswer(address=shown, status=status_of(address))
    except RemoteError as error:
        refusals.append(error)
        return ServerAnswer(address=shown, error=error.briefly())


def _line(answer: ServerAnswer) -> str:
    if answer.status is None:
        return f"{answer.address:<21} no answer: {answer.error}"
    return f"{answer.address:<21} {_text(answer.status)}"


def _text(status: ReplicaStatus) -> str:
    from controller.health.pair import describe_status

    return describe_status(status)
