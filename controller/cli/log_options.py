"""The filters that the commands on the log share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, TypeAlias

import typer

from controller.cli.times import parse_time
from idl_like_interfaces.logs import LogLevel, LogQuery

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
LoggerOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--logger", metavar="GLOB", help="Only by these, e.g. 'daq.ocm*'; repeatable."),
]
OwnerOption: TypeAlias = Annotated[
    str,
    typer.Option("--owner", metavar="GLOB", help="Only of this run, acquisition or session."),
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


def wanted(
    since: str,
    until: str,
    level: LogLevel,
    components: list[str] | None,
    loggers: list[str] | None,
    owner: str,
    text: str,
) -> LogQuery:
    """Return the query that the options ask for.

    Raises:
        typer.BadParameter: A time is none.
    """
    now = datetime.now(UTC)
    return LogQuery(
        since=parse_time(since, now, "--since"),
        until=parse_time(until, now, "--until"),
        level=level,
        components=components or [],
        loggers=loggers or [],
        owner=owner,
        text=text,
    )
