"""``obsorb sim router``: a simulated collector/router in the foreground."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from controller.cli.output import print_line, print_note
from controller.cli.session import Session, addressed
from controller.cli.tools import load_tool, log_to_stderr
from controller.failure import REFUSED, CommandFailed


def _part(name: str, help_: str) -> float:
    option: float = typer.Option(0.0, name, metavar="PART", min=0, max=1, help=help_)
    return option


@addressed
def router(  # noqa: PLR0913, PLR0917 (each is an option)
    session: Session,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Its name as the loggers know it, e.g. cr1.")
    ],
    run: Annotated[
        int,
        typer.Option("--run", metavar="N", min=0, help="Run number; 0: that of replayed events."),
    ] = 0,
    logger: Annotated[
        list[str] | None,
        typer.Option(
            "--logger", metavar="NAME", help="A logger; may be repeated; default logger/1."
        ),
    ] = None,
    rate: Annotated[
        float, typer.Option("--rate", metavar="HZ", min=0, help="Events per second; 0: all it can.")
    ] = 0.0,
    size: Annotated[
        str,
        typer.Option(
            "--size", metavar="BYTES", help="1024, 200..4000, exp:250k or normal:250k,50k."
        ),
    ] = "1024",
    streams: Annotated[
        str,
        typer.Option("--streams", metavar="MIX", help="Ids with shares, e.g. 1:0.7,2:0.2,1+2:0.1."),
    ] = "1",
    lbn_every: Annotated[
        int, typer.Option("--lbn-every", metavar="N", min=1, help="Events of a luminosity block.")
    ] = 1000,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="The same seed makes the same events.")
    ] = 1,
    first: Annotated[
        int, typer.Option("--first", metavar="N", min=1, help="Number of the first event.")
    ] = 1,
    count: Annotated[
        int, typer.Option("--count", metavar="N", min=0, help="Events to send; 0: no limit.")
    ] = 0,
    seconds: Annotated[
        float, typer.Option("--seconds", metavar="SECONDS", min=0, help="So long; 0: no limit.")
    ] = 0.0,
    replay: Annotated[
        list[Path] | None,
        typer.Option("--replay", metavar="FILE", help="Send this event file; may be repeated."),
    ] = None,
    spool: Annotated[
        Path | None,
        typer.Option("--spool", metavar="DIR", help="Keep on disk here what is not durable."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Write its own count there, as JSON."),
    ] = None,
    damage: float = _part("--damage", "Send so many events with a wrong bit first."),
    other: float = _part("--other", "Send a message of another type before so many."),
    wrong_run: float = _part("--wrong-run", "Send so many under a run that there is not."),
    unknown_stream: float = _part("--unknown-stream", "Assign so many to an unknown stream, too."),
    die_after: Annotated[
        int, typer.Option("--die-after", metavar="N", min=0, help="Die (kill -9) after so many.")
    ] = 0,
    wait: Annotated[
        float,
        typer.Option(
            "--wait", metavar="SECONDS", min=0, help="Wait so long at the end for the disk."
        ),
    ] = 60.0,
) -> None:
    """Simulate a collector/router: send made-up or recorded events; Ctrl-C ends it.

    Exit codes: 0 everything is durable, 1 not everything, or refused, 2 wrong usage.
    """
    log_to_stderr("WARNING")
    chances = {
        "damage": damage, "other": other, "wrong_run": wrong_run,
        "unknown_stream": unknown_stream, "die_after": die_after,
    }  # fmt: skip
    found = load_tool("sim_router")(
        on_message=functools.partial(_say, to_stderr=session.as_json), name=name, names=session.names, run=run, rate=rate, size=size,
        loggers=tuple(_full(session, each) for each in logger or ["logger/1"]),
        streams=streams, lbn_every=lbn_every, seed=seed, first=first, count=count,
        seconds=seconds, replay=tuple(replay or ()), spool=spool, report=report,
        chances=chances, wait_s=wait,
    )  # fmt: skip
    session.emit(found, "")
    if not found.is_durable:
        raise CommandFailed(
            "not everything that was sent is on the disk of the loggers",
            cause="a logger is away, paused, or too slow",
            remedy="look at `obsorb run status`; with --spool DIR the next start sends the rest",
            exit_code=REFUSED,
        )


def _full(session: Session, name: str) -> str:
    return name if name.startswith(f"{session.root}/") else session.path(name)


def _say(text: str, *, to_stderr: bool) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = f"{now[11:23]} {text}"
    say = print_note if to_stderr else print_line
    say(line)
