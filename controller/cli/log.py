"""``obsorb log``: the records of all components, past and coming."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from controller.cli.lazy import group
from controller.cli.log_options import (
    ComponentOption,
    LevelOption,
    LoggerOption,
    OwnerOption,
    SinceOption,
    TextOption,
    UntilOption,
    wanted,
)
from controller.cli.log_text import record_text, stats_text, terminal_width
from controller.cli.output import print_note
from controller.cli.session import Session, addressed
from idl_like_interfaces.logs import LogLevel, LogService

app = group()

SEARCH_DEADLINE_S = 60.0
"""A search for what is rare goes through all that is stored."""


@app.callback()
def log() -> None:
    """Read the logs of all components."""


@app.command()
@addressed
def query(  # noqa: PLR0913, PLR0917 (each is an option)
    session: Session,
    since: SinceOption = "",
    until: UntilOption = "",
    level: LevelOption = LogLevel.TRACE,
    component: ComponentOption = None,
    logger: LoggerOption = None,
    owner: OwnerOption = "",
    text: TextOption = "",
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=10000, help="The newest so many.")
    ] = 1000,
) -> None:
    """Find records by time, level, component, owner and text.

    Oldest first.
    """
    asked = wanted(since, until, level, component, logger, owner, text)
    with session.connect() as client:
        service = client.narrow(session.path("log"), LogService, SEARCH_DEADLINE_S)
        found = service.query(msgspec.structs.replace(asked, limit=limit))
    width = terminal_width()
    session.emit(found, "\n".join(record_text(each, width) for each in found))
    if len(found) == limit:
        print_note(f"-- the newest {limit}; --limit shows more, `obsorb log export` has all")


@app.command()
@addressed
def tail(
    session: Session,
    since: Annotated[
        str,
        typer.Option("--since", metavar="TIME", help="Show all from then on first; as for query."),
    ] = "",
    level: LevelOption = LogLevel.TRACE,
    component: ComponentOption = None,
    logger: LoggerOption = None,
    owner: OwnerOption = "",
    text: TextOption = "",
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=10000, help="Show so many older ones first.")
    ] = 10,
) -> None:
    """Print the last records and then those that come, until Ctrl-C.

    Goes on through restarts of the log service and says so.
    """
    from controller.cli.log_tail import Tail

    asked = wanted(since, "", level, component, logger, owner, text)
    try:
        with session.connect() as client:
            service = client.narrow(session.path("log"), LogService, SEARCH_DEADLINE_S)
            Tail(service, asked, as_json=session.as_json).run(limit)
    except KeyboardInterrupt:
        # Ctrl-C is the way to end it, no failure.
        return


@app.command()
@addressed
def export(  # noqa: PLR0913, PLR0917 (each is an option)
    session: Session,
    file: Annotated[
        Path,
        typer.Argument(metavar="[FILE]", help="Where to; without, or with -: to stdout."),
    ] = Path("-"),
    since: SinceOption = "",
    until: UntilOption = "",
    level: LevelOption = LogLevel.TRACE,
    component: ComponentOption = None,
    logger: LoggerOption = None,
    owner: OwnerOption = "",
    text: TextOption = "",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file that is there already.")
    ] = False,
) -> None:
    """Write all records that match as JSON lines, in the order of time."""
    from controller.cli.log_export import export_to

    asked = wanted(since, until, level, component, logger, owner, text)
    with session.connect() as client:
        service = client.narrow(session.path("log"), LogService, SEARCH_DEADLINE_S)
        export_to(file, service, asked, overwrite=overwrite)


@app.command()
@addressed
def stats(session: Session) -> None:
    """Say how much is stored, was lost, folded and removed."""
    with session.connect() as client:
        found = client.narrow(session.path("log"), LogService).get_stats()
    session.emit(found, stats_text(found))
