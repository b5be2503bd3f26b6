"""``obsorb log``: the records of all components, past and coming."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, TypeAlias

import msgspec
import typer

from controller.cli.lazy import group
from controller.cli.output import print_json, print_line
from controller.cli.session import Session, addressed
from controller.cli.times import parse_time
from idl_like_interfaces.logs import LogLevel, LogQuery, LogService, StoredRecord

app = group()

_FOLLOW_S = 25.0

LevelOption: TypeAlias = Annotated[
    LogLevel,
    typer.Option(
        "--level", metavar="LEVEL", case_sensitive=False, help="At least this severe, e.g. WARNING."
    ),
]
ComponentOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--component", metavar="GLOB", help="Only of these; may be repeated."),
]
TextOption: TypeAlias = Annotated[
    str, typer.Option("--text", help="Contained in the text, regardless of case.")
]
SinceOption: TypeAlias = Annotated[
    str,
    typer.Option("--since", metavar="TIME", help="ISO-8601 (UTC) or an age: 90s, 10m, 2h, 1d."),
]
UntilOption: TypeAlias = Annotated[
    str, typer.Option("--until", metavar="TIME", help="As --since; records older than this.")
]


@app.callback()
def log() -> None:
    """Read the logs of all components."""


@app.command()
@addressed
def query(
    session: Session,
    since: SinceOption = "",
    until: UntilOption = "",
    level: LevelOption = LogLevel.TRACE,
    component: ComponentOption = None,
    text: TextOption = "",
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=10000, help="The newest so many.")
    ] = 1000,
) -> None:
    """Find records by time, level, component and text; oldest first."""
    now = datetime.now(UTC)
    wanted = LogQuery(
        since=parse_time(since, now, "--since"),
        until=parse_time(until, now, "--until"),
        level=level,
        components=component or [],
        text=text,
        limit=limit,
    )
    with session.connect() as client:
        found = client.narrow(session.path("log"), LogService).query(wanted)
    session.emit(found, "\n".join(map(record_text, found)))


@app.command()
@addressed
def tail(
    session: Session,
    level: LevelOption = LogLevel.TRACE,
    component: ComponentOption = None,
    text: TextOption = "",
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=10000, help="Show so many older ones first.")
    ] = 10,
) -> None:
    """Print the last records and then those that come, until Ctrl-C."""
    wanted = LogQuery(level=level, components=component or [], text=text, limit=limit)
    with session.connect() as client:
        service = client.narrow(session.path("log"), LogService)
        after = service.get_stats().last
        shown = service.query(wanted)
        # What arrives between the two calls is in both: numbers tell.
        after = max([after, *(each.number for each in shown)])
        while True:
            for each in shown:
                _print_record(each, as_json=session.as_json)
            follow = msgspec.structs.replace(wanted, after=after, limit=1000, newest=False)
            shown = service.follow(follow, _FOLLOW_S)
            after = max([after, *(each.number for each in shown)])


def record_text(stored: StoredRecord) -> str:
    """Say a record on one line, with its traceback below."""
    record = stored.record
    moment = record.time.astimezone(UTC)
    line = (
        f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z {record.level:<8} "
        f"{record.component:<10} {record.logger}: {record.text}"
    )
    return f"{line}\n{record.traceback.rstrip()}" if record.traceback else line


def _print_record(stored: StoredRecord, *, as_json: bool) -> None:
    if as_json:
        print_json(stored, lines=True)
    else:
        print_line(record_text(stored))
