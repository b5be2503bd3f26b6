"""``obsorb std``: the standard state machine of a server."""

from __future__ import annotations

from typing import Annotated

import typer

from controller.cli.lazy import group
from controller.cli.options import (
    JsonOption,
    NamesOption,
    OcmOption,
    PepOption,
    RepOption,
    RootOption,
    StatusOption,
)
from controller.cli.samples import watched
from controller.cli.session import Session, addressed_to_ocm
from idl_like_interfaces.logs import LogLevel
from idl_like_interfaces.stdif import LogInfo, StdCmds

app = group()

COMMANDS = {
    "init": ("init", "Load the configuration and become ready."),
    "enable": ("enable", "Accept acquisition commands from now on."),
    "disable": ("disable", "Refuse acquisition commands from now on."),
    "stop": ("stop", "Go back to NotReady."),
    "reset": ("reset", "Go back to NotReady from any state."),
    "exit": ("exit", "End the server in good order."),
    "getstate": ("get_state", "Print the state, such as Operational;Idle."),
    "getstatus": ("get_status", "Print the state and what the server is doing."),
    "getversion": ("get_version", "Print the version of the server."),
}
"""Command, operation and help of the commands without arguments."""


@app.callback()
def std(
    status: StatusOption = None,
    ocm: OcmOption = None,
    rep: RepOption = None,
    pep: PepOption = None,
    names: NamesOption = None,
    root: RootOption = None,
    as_json: JsonOption = None,
) -> None:
    """Drive the state machine of a server (the OCM unless --ocm names another)."""


def _add(name: str, operation: str, summary: str) -> None:
    def command(session: Session) -> None:
        with session.connect() as client, watched(session, client):
            server = client.narrow(f"{session.ocm}/std", StdCmds)
            reply: str = getattr(server, operation)()
        session.emit(reply, reply)

    app.command(name, help=summary)(addressed_to_ocm(command))


for _name, (_operation, _summary) in COMMANDS.items():
    _add(_name, _operation, _summary)


@app.command()
@addressed_to_ocm
def setloglevel(
    session: Session,
    logger: Annotated[
        str, typer.Argument(metavar="LOGGER", help="Name of the logger; '' is the root.")
    ],
    level: Annotated[
        LogLevel, typer.Argument(metavar="LEVEL", case_sensitive=False, help="e.g. DEBUG.")
    ],
) -> None:
    """Change the level of a logger while the server runs."""
    with session.connect() as client, watched(session, client):
        server = client.narrow(f"{session.ocm}/std", StdCmds)
        reply = server.set_log_level(LogInfo(level=level, logger=logger))
    session.emit(reply, reply)
