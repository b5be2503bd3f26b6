"""``obsorb supervisor``: the processes of an installation, and who keeps them running."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from controller.cli.lazy import group
from controller.cli.session import Session, addressed
from controller.dashboard.text import duration
from idl_like_interfaces.supervision import PartStatus, Supervisor, SupervisorStatus

if TYPE_CHECKING:
    from nameserver.client import Names

app = group()


@app.callback()
def supervisor() -> None:
    """See the processes of an installation, and have one started again."""


@app.command()
@addressed
def status(session: Session) -> None:
    """List the parts: state, since when, process, how often they died, and how."""
    with session.connect() as client:
        found = _supervisor(session, client).get_status()
    session.emit(found, status_text(found, datetime.now(UTC)))


@app.command()
@addressed
def restart(
    session: Session,
    part: Annotated[str, typer.Argument(metavar="PART", help="Its name in the installation.")],
) -> None:
    """End a part in good order and start it again; at once when it waits for its restart."""
    with session.connect() as client:
        _supervisor(session, client).restart(part)
    session.emit({"restarted": part}, f"{part} is started again")


def status_text(found: SupervisorStatus, now: datetime) -> str:
    """Say how all parts stand, a line for each."""
    up = duration((now - found.started).total_seconds())
    head = f"{found.installation} on {found.host}, up {up}, {found.file}"
    return "\n".join([head, *(part_line(each, now) for each in found.parts)])


def part_line(each: PartStatus, now: datetime) -> str:
    """Say how a part stands."""
    since = duration((now - each.since).total_seconds())
    process = f"pid {each.pid}" if each.pid else "-"
    line = f"  {each.name:<18} {each.kind:<12} {each.state:<9} for {since:<7} {process:<12}"
    return f"{line}{trouble_of(each)}".rstrip()


def trouble_of(each: PartStatus) -> str:
    """Say what is wrong with a part; empty when nothing ever was."""
    said = []
    if each.is_alarming:
        said.append("CRASH LOOP")
    if each.deaths:
        times = "once" if each.deaths == 1 else f"{each.deaths} times"
        said.append(f"died {times}, last: {each.last_death}")
    if each.restart_in_s:
        said.append(f"starts in {duration(each.restart_in_s)}")
    return ", ".join(said)


def _supervisor(session: Session, client: Names) -> Supervisor:
    return client.narrow(session.path("supervisor"), Supervisor)
