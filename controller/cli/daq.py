"""``obsorb daq``: start, steer and watch acquisitions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, TypeAlias

import typer

from controller.cli.documents import read_document
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
from controller.cli.output import print_note
from controller.cli.samples import daq_line, print_samples, watched
from controller.cli.session import Session, addressed_to_ocm, open_session
from controller.dashboard.stories import story_text
from controller.failure import CommandFailed
from idl_like_interfaces.daqif import (
    DaqReply,
    DaqState,
    DaqStatus,
    DaqSubstate,
    OcmDaqControl,
)

app = group(runs_alone=True)

COMMAND_DEADLINE_S = 60.0
"""A command waits for all its sources; each of them has its own, shorter deadline."""

AWAIT_MARGIN_S = 5.0
"""Added to the timeout of ``awaitstate``: the server shall answer first."""

IdArgument: TypeAlias = Annotated[str, typer.Argument(metavar="ID", help="Id of the acquisition.")]
KeywordsArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="KEYWORDS", help="JSON array, @FILE, or @- for stdin.")
]


@app.callback(invoke_without_command=True)
def daq(
    ctx: typer.Context,
    status: StatusOption = None,
    ocm: OcmOption = None,
    rep: RepOption = None,
    pep: PepOption = None,
    names: NamesOption = None,
    root: RootOption = None,
    as_json: JsonOption = None,
) -> None:
    """Start, steer and watch acquisitions; with --status alone, watch all of them."""
    if ctx.invoked_subcommand is not None:
        return
    if not status:
        raise typer.Exit(_show_help(ctx))
    session = open_session(
        {
            **(ctx.parent.params if ctx.parent else {}),
            "names": names,
            "root": root,
            "ocm": ocm,
            "rep": rep,
            "pep": pep,
            "as_json": as_json,
            "status": status,
        }
    )
    watch(session)


def watch(session: Session) -> None:
    """Print samples of all acquisitions until Ctrl-C."""
    with session.connect() as client:
        print_samples(session, client)


@app.command()
@addressed_to_ocm
def start(
    session: Session,
    prim_sources: Annotated[
        str, typer.Argument(metavar="PRIM", help="name@rrUri items, separated by blanks.")
    ],
    meta_sources: Annotated[
        str, typer.Argument(metavar="META", help="The same for metadata sources; may be ''.")
    ] = "",
    id: Annotated[str, typer.Option("--id", help="Id; without, the server makes one.")] = "",
    file_prefix: Annotated[
        str, typer.Option("--file-prefix", help="Before the name of the result file.")
    ] = "",
    properties: Annotated[
        str, typer.Option("--properties", help="JSON object, @FILE, or @- for stdin.")
    ] = "",
) -> None:
    """Start an acquisition with primary and metadata sources."""
    properties = read_document(properties)
    with _control(session) as ocm:
        reply = ocm.start_daq(id, file_prefix, prim_sources, meta_sources, properties)
    _emit_reply(session, reply)


@app.command()
@addressed_to_ocm
def startv2(
    session: Session,
    specification: Annotated[
        str, typer.Argument(metavar="SPEC", help="JSON text, @FILE, or @- for stdin.")
    ],
) -> None:
    """Start an acquisition from a JSON specification."""
    specification = read_document(specification)
    with _control(session) as ocm:
        reply = ocm.start_daq_v2(specification)
    _emit_reply(session, reply)


def _add(name: str, summary: str, call: Callable[[OcmDaqControl, str], DaqReply]) -> None:
    def command(session: Session, id: IdArgument) -> None:
        with _control(session) as ocm:
            reply = call(ocm, id)
        _emit_reply(session, reply)

    app.command(name, help=summary)(addressed_to_ocm(command))


_add("stop", "Stop all sources and keep their data.", lambda ocm, daq_id: ocm.stop_daq(daq_id))
_add(
    "forcestop",
    "Stop whatever the sources answer; those that fail give no data.",
    lambda ocm, daq_id: ocm.force_stop_daq(daq_id),
)
_add("abort", "Abort and discard the data.", lambda ocm, daq_id: ocm.abort_daq(daq_id))
_add(
    "forceabort",
    "Abort whatever the sources or the DPM answer.",
    lambda ocm, daq_id: ocm.force_abort_daq(daq_id),
)


@app.command()
@addressed_to_ocm
def getstatus(session: Session, id: IdArgument) -> None:
    """Print the status of an acquisition, active or ended."""
    with _control(session) as ocm:
        status = ocm.get_status(id)
    session.emit(status, status_text(status))


@app.command()
@addressed_to_ocm
def awaitstate(
    session: Session,
    id: IdArgument,
    state: Annotated[str, typer.Argument(metavar="STATE", help="e.g. StateCompleted.")],
    substate: Annotated[str, typer.Argument(metavar="SUBSTATE", help="e.g. Completed.")],
    timeout_s: Annotated[float, typer.Argument(metavar="TIMEOUT", help="Seconds to wait at most.")],
) -> None:
    """Wait until an acquisition enters a state; exit code 1 when it did not in time."""
    wanted = _state_of(state, substate)
    if not math.isfinite(timeout_s):
        raise typer.BadParameter(f"TIMEOUT: {timeout_s:g} is not a time in seconds")
    print_note(
        f"the request may take {timeout_s + AWAIT_MARGIN_S:g} s: its own timeout was "
        f"raised above the {timeout_s:g} s to wait"
    )
    with _control(session, AWAIT_MARGIN_S) as ocm:
        reply = ocm.await_daq_state(id, *wanted, timeout_s)
    session.emit(reply, daq_line(reply.status))
    if reply.timeout:
        raise CommandFailed(
            f"{id} did not enter {wanted[0]}/{wanted[1]} within {timeout_s:g} s",
            cause=f"it is in {reply.status.state}/{reply.status.substate}",
            remedy="wait again, or look at its alerts with `obsorb daq getstatus`",
        )


@app.command()
@addressed_to_ocm
def updatekeywords(session: Session, id: IdArgument, keywords: KeywordsArgument) -> None:
    """Add or replace keywords of the product, all of them or none."""
    keywords = read_document(keywords)
    with _control(session) as ocm:
        reply = ocm.update_keywords(id, keywords)
    _emit_reply(session, reply)


@app.command()
@addressed_to_ocm
def getactivelist(session: Session) -> None:
    """Print all acquisitions that have not ended, oldest first."""
    with _control(session) as ocm:
        statuses = ocm.get_active_list()
    session.emit(statuses, "\n".join(map(daq_line, statuses)))


@app.command()
@addressed_to_ocm
def retry(session: Session, id: IdArgument) -> None:
    """Let an acquisition that is stuck in StateMerging go on."""
    with _control(session) as ocm:
        ocm.retry_merge_daq(id)
        status = ocm.get_status(id)
    session.emit(status, daq_line(status))


@app.command()
@addressed_to_ocm
def show(session: Session, id: IdArgument) -> None:
    """Tell the whole story of an acquisition: states, sources, alerts, product, picture."""
    with _control(session) as ocm:
        story = ocm.get_story(id)
    session.emit(story, story_text(story))


def status_text(status: DaqStatus) -> str:
    """Say a status on several lines, for people."""
    lines = [
        f"id:       {status.id}",
        f"fileId:   {status.file_id}",
        f"state:    {status.state}/{status.substate}",
        f"error:    {str(status.error).lower()}",
        f"result:   {status.result or '-'}",
    ]
    if status.start_time is not None:
        lines.append(f"begins:   {status.start_time.isoformat()}")
    for alert in status.alerts:
        lines.append(f"alert:    {alert.severity} {alert.id}: {alert.description}")
        lines += [f"  cause:  {alert.cause}"] if alert.cause else []
        lines += [f"  remedy: {alert.remedy}"] if alert.remedy else []
    return "\n".join(lines)


@contextmanager
def _control(session: Session, deadline_s: float = COMMAND_DEADLINE_S) -> Iterator[OcmDaqControl]:
    with session.connect() as client, watched(session, client):
        yield client.narrow(f"{session.ocm}/daq", OcmDaqControl, deadline_s)


def _emit_reply(session: Session, reply: DaqReply) -> None:
    session.emit(reply, f"id={reply.id}, error={str(reply.error).lower()}")


def _state_of(state: str, substate: str) -> tuple[DaqState, DaqSubstate]:
    try:
        return DaqState(state), DaqSubstate(substate)
    except ValueError as error:
        states, substates = ", ".join(DaqState), ", ".join(DaqSubstate)
        message = f"{error}; states: {states}; substates: {substates}"
        raise typer.BadParameter(message) from error


def _show_help(ctx: typer.Context) -> int:
    typer.echo(ctx.get_help())
    return 2
