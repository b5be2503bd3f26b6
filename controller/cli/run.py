"""``obsorb run``: runs over loggers and acquisitions."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from controller.cli.lazy import group
from controller.cli.project_config import read_configuration
from controller.cli.run_lease import controlling, forget, keep, kept, place, token_file
from controller.cli.run_progress import shown
from controller.cli.run_text import control_line, entry_text, run_line, run_text, status_text
from controller.cli.session import Session, addressed
from controller.cli.who import ByOption, who
from controller.failure import CommandFailed
from idl_like_interfaces.errors import CommFailure
from idl_like_interfaces.mapping.coding import from_plain
from idl_like_interfaces.run_configuration import Quality, RunBegin, RunConfiguration, RunEnd
from idl_like_interfaces.run_control import Phase, Run, RunControl

if TYPE_CHECKING:
    from nameserver.client import Names

COMMAND_S = 600.0
_LOOK_S = 0.5

app = group()

RunArgument: TypeAlias = Annotated[
    int,
    typer.Argument(
        metavar="RUN", min=0, show_default=False, help="Its number; default the only one."
    ),
]
ForceOption: TypeAlias = Annotated[
    bool, typer.Option("--force", help="Take control away from who has it.")
]
DocumentArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="FILE", help="@FILE (JSON, or TOML named *.toml), @- for stdin, or JSON itself."
    ),
]
LimitOption: TypeAlias = Annotated[
    int, typer.Option("--limit", min=1, max=10_000, help="The newest so many.")
]


@app.callback()
def run() -> None:
    """Begin, steer and end runs; see what became of them.

    \b
    obsorb run configure @night.toml
    obsorb run start --shifter Anna --comment "first light"
    obsorb run status
    obsorb run end --quality Good --comment "clouds"
    obsorb run show 1
    """  # noqa: D301 (the mark for click is the character itself)


@app.command()
@addressed
def init(
    session: Session, document: DocumentArgument, by: ByOption = "", force: ForceOption = False
) -> None:
    """Initialize all loggers of a configuration, and no more."""
    configuration = _configuration(document)
    with _commanding(session, by, force) as (service, token):
        status = service.init(token, configuration)
    session.emit(status, f"initialized: {', '.join(status.initialized)}")


@app.command()
@addressed
def configure(
    session: Session, document: DocumentArgument, by: ByOption = "", force: ForceOption = False
) -> None:
    """Check a configuration and bring all writers to it.

    Active runs keep their own. When a writer refuses, the one in force stays.
    """
    configuration = _configuration(document)
    with _commanding(session, by, force) as (service, token):
        status = service.configure(token, configuration)
    names = ", ".join(each.name for each in configuration.writers)
    session.emit(status, f"configured: {names}")


@app.command()
@addressed
def start(
    session: Session,
    comment: Annotated[str, typer.Option("--comment", metavar="TEXT", help="Why.")] = "",
    shifter: Annotated[
        str, typer.Option("--shifter", metavar="NAME", help="On shift; default as --by.")
    ] = "",
    data_type: Annotated[
        str, typer.Option("--type", metavar="TYPE", help="E.g. physics, test, calibration.")
    ] = "physics",
    no_recording: Annotated[
        bool, typer.Option("--no-recording", help="Count events, write nothing.")
    ] = False,
    by: ByOption = "",
    force: ForceOption = False,
) -> None:
    """Start a run with the next number.

    Returns when all its writers have started. When one that is essential does not, the run is
    aborted; its number stays used.
    """
    operator = who(by)
    begin = RunBegin(
        shifter=shifter or operator,
        comment=comment,
        data_type=data_type,
        recording=not no_recording,
    )
    request = uuid.uuid4().hex
    with _commanding(session, by, force) as (service, token), shown(service, 0) as progress:
        found = service.start(token, begin, request)
        found = _settled(service, found, {Phase.STARTING, Phase.ABORTING})
        progress.show(found)
    _emit(session, found)
    if found.phase is Phase.ABORTED:
        raise CommandFailed(
            f"run {found.run} has not started; its number stays used",
            cause="; ".join(found.missing),
            remedy="put right what is said of the writers, then start another run",
        )


@app.command()
@addressed
def end(
    session: Session,
    run: RunArgument = 0,
    quality: Annotated[
        Quality, typer.Option("--quality", help="How it was.", case_sensitive=False)
    ] = Quality.UNCERTAIN,
    comment: Annotated[str, typer.Option("--comment", metavar="TEXT", help="Why it ends.")] = "",
    by: ByOption = "",
    force: ForceOption = False,
) -> None:
    """End a run, and judge whether all of it is on disk."""
    said = RunEnd(quality=quality, comment=comment)
    _finish(session, run, by, force, lambda service, token, n: service.end(token, n, said))


@app.command()
@addressed
def abort(
    session: Session,
    run: RunArgument = 0,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")] = "",
    by: ByOption = "",
    force: ForceOption = False,
) -> None:
    """End a run at once; what is written is kept."""
    _finish(session, run, by, force, lambda service, token, n: service.abort(token, n, reason))


@app.command()
@addressed
def pause(
    session: Session,
    run: RunArgument = 0,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")] = "",
    by: ByOption = "",
    force: ForceOption = False,
) -> None:
    """Have the loggers of a run take nothing for now.

    Files stay open. Acquisitions go on.
    """
    with _commanding(session, by, force) as (service, token):
        _emit(session, service.pause(token, _the_run(service, run), reason))


@app.command()
@addressed
def resume(
    session: Session, run: RunArgument = 0, by: ByOption = "", force: ForceOption = False
) -> None:
    """Go on with a paused run.

    Refused while a condition that pauses it holds.
    """
    with _commanding(session, by, force) as (service, token):
        _emit(session, service.resume(token, _the_run(service, run)))


@app.command()
@addressed
def status(session: Session) -> None:
    """Show who commands, what is configured, and the active runs."""
    with session.connect() as client:
        found = _service(session, client).get_status()
    session.emit(found, status_text(found))


@app.command("list")
@addressed
def list_runs(
    session: Session,
    limit: LimitOption = 20,
    before: Annotated[
        int, typer.Option("--before", metavar="RUN", min=0, help="Only earlier ones.")
    ] = 0,
) -> None:
    """List runs, the newest first."""
    with session.connect() as client:
        found = _service(session, client).list_runs(limit, before)
    session.emit(found, "\n".join(map(run_line, found)) or "there are none")


@app.command()
@addressed
def show(session: Session, run: RunArgument = 0) -> None:
    """Show all of a run; default the newest."""
    with session.connect() as client:
        service = _service(session, client)
        found = service.get_run(run or service.get_status().last_run)
    session.emit(found, run_text(found))


@app.command()
@addressed
def logbook(session: Session, limit: LimitOption = 20) -> None:
    """Show the logbook, the newest entry last."""
    with session.connect() as client:
        found = _service(session, client).get_logbook(limit)
    session.emit(found, "\n".join(map(entry_text, found)) or "it is empty")


@app.command()
@addressed
def take(
    session: Session,
    by: ByOption = "",
    term: Annotated[
        float,
        typer.Option("--for", metavar="S", min=1, max=3600, help="Without a command so long."),
    ] = 3600.0,
    force: ForceOption = False,
) -> None:
    """Take control and keep it for later commands.

    Each of them renews it. Without this a command takes control for its own time.
    """
    file = token_file(session.root)
    with session.connect() as client:
        service = _service(session, client)
        if (mine := kept(file)) is not None:
            service.release_control(mine.token)
        taken = service.take_control(who(by), place(), term, force)
        keep(file, taken)
    session.emit(_without_token(taken), control_line(taken))


@app.command()
@addressed
def release(session: Session) -> None:
    """Give control back that was taken by `take`."""
    file = token_file(session.root)
    mine = kept(file)
    if mine is None:
        raise CommandFailed(
            "you did not take control",
            cause=f"there is no token in {file}",
            remedy="nothing has to be done; see who has it by `obsorb run status`",
        )
    with session.connect() as client:
        service = _service(session, client)
        service.release_control(mine.token)
        forget(file)
        control = service.get_status().control
    session.emit(control, control_line(control))


def _finish(
    session: Session,
    run: int,
    by: str,
    force: bool,
    command: Callable[[RunControl, str, int], Run],
) -> None:
    with _commanding(session, by, force) as (service, token):
        number = _the_run(service, run)
        with shown(service, number) as progress:
            found = command(service, token, number)
            found = _settled(service, found, {Phase.ENDING, Phase.ABORTING})
            progress.show(found)
    _emit(session, found)


def _settled(service: RunControl, found: Run, unsettled: set[Phase]) -> Run:
    """Wait for what goes on when a command has returned before it was done."""
    pause = threading.Event()
    while found.phase in unsettled or (found.ended is not None and not found.report):
        pause.wait(_LOOK_S)
        try:
            found = service.get_run(found.run)
        except CommFailure:
            continue  # it goes on when run control is there again
    return found


@contextmanager
def _commanding(session: Session, by: str, force: bool) -> Iterator[tuple[RunControl, str]]:
    with session.connect() as client:
        service = _service(session, client)
        file = token_file(session.root)
        with controlling(service, file, who(by), is_forced=force) as token:
            yield service, token


def _the_run(service: RunControl, run: int) -> int:
    if run:
        return run
    active = [each.run for each in service.get_status().active]
    if len(active) == 1:
        return active[0]
    found = f"runs {', '.join(map(str, active))} are active" if active else "no run is active"
    raise CommandFailed(
        f"which run? {found}",
        cause="without a number the command means the only active run",
        remedy="give the number" if active else "see obsorb run list",
    )


def _configuration(document: str) -> RunConfiguration:
    return from_plain(RunConfiguration, read_configuration(document), "configuration")


def _emit(session: Session, found: Run) -> None:
    report = f"\nreport: {found.report}" if found.report else ""
    session.emit(found, run_line(found) + report)


def _without_token(control: object) -> object:
    import msgspec

    return msgspec.structs.replace(control, token="")  # type: ignore[type-var]


def _service(session: Session, client: Names) -> RunControl:
    return client.narrow(session.path("run"), RunControl, COMMAND_S)
