"""``obsorb alarms``: what is wrong, why, what to do about it, and who knows of it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from controller.cli.alarms_change import add_changes
from controller.cli.alarms_options import filtered
from controller.cli.alarms_text import (
    alarm_lines,
    detail_lines,
    history_lines,
    overview_lines,
    stats_lines,
)
from controller.cli.alarms_watch import follow, watch_alarms
from controller.cli.lazy import group
from controller.cli.output import print_json
from controller.cli.session import Session, addressed
from controller.cli.styled import Styled, print_styled, width
from controller.cli.times import parse_time
from controller.failure import CommandFailed
from idl_like_interfaces.alarms import (
    Alarm,
    AlarmFilter,
    AlarmService,
    Change,
    Column,
    HistoryQuery,
    NoSuchAlarm,
)

if TYPE_CHECKING:
    from nameserver.client import Names

app = group()

_MOST = 10_000
_STANDING = [Column.BAD, Column.ACKNOWLEDGED]


@app.callback()
def alarms() -> None:
    """See what is wrong, take note of it, put it aside, look back."""


@app.command("list")
@addressed
@filtered
def list_alarms(
    session: Session,
    filter: AlarmFilter,
    good: Annotated[bool, typer.Option("--good", help="Also those that are good again.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=_MOST, help="At most so many.")] = 100,
    follow_on: Annotated[
        bool, typer.Option("--follow", "-f", help="Then print each change, until Ctrl-C.")
    ] = False,
) -> None:
    """List alarms with cause and remedy, the worst first."""
    wanted = filter if good or filter.columns or filter.negate else _standing(filter)
    with session.connect() as client:
        if follow_on:
            with suppress(KeyboardInterrupt):  # the way to end it, no failure
                follow(session, client, filter)
            return
        found = _service(session, client).get_alarms(wanted, limit)
    _emit(session, found)
    if len(found) == limit and not session.as_json:
        print_styled([Styled("there may be more: see `obsorb alarms overview`", "dim")])


@app.command()
@addressed
@filtered
def overview(
    session: Session,
    filter: AlarmFilter,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=1, max=1000, help="At most so many.")
    ] = 10,
) -> None:
    """Say in a few lines what is wrong, however much it is."""
    with session.connect() as client:
        found = _service(session, client).overview(filter, lines)
    if session.as_json:
        print_json(found)
    else:
        print_styled(overview_lines(found, datetime.now(UTC), width()))


@app.command()
@addressed
def show(
    session: Session,
    ids: Annotated[list[int], typer.Argument(metavar="ID...", help="Numbers of alarms.")],
) -> None:
    """Show all that is known of alarms."""
    with session.connect() as client:
        found = _of(_service(session, client).get_alarms(limit=_MOST), ids)
    if session.as_json:
        print_json(found)
        return
    now = datetime.now(UTC)
    for alarm in found:
        print_styled(detail_lines(alarm, now, width()))


add_changes(app)


@app.command()
@addressed
@filtered
def history(
    session: Session,
    filter: AlarmFilter,
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="ISO-8601 (UTC) or an age: 10m, 2h, 1d.")
    ] = "",
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="As --since.")] = "",
    change: Annotated[
        list[Change] | None,
        typer.Option("--change", case_sensitive=False, help="What happened; may be repeated."),
    ] = None,
    text: Annotated[str, typer.Option("--text", help="Contained, regardless of case.")] = "",
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=_MOST, help="The newest so many.")
    ] = 1000,
) -> None:
    """Look back: what was wrong, and who did what about it."""
    now = datetime.now(UTC)
    query = HistoryQuery(
        since=parse_time(since, now, "--since"),
        until=parse_time(until, now, "--until"),
        changes=change or [],
        filter=filter,
        text=text,
        limit=limit,
    )
    with session.connect() as client:
        found = _service(session, client).history(query)
    if session.as_json:
        print_json(found)
    else:
        print_styled(line for entry in found for line in history_lines(entry))


@app.command()
@addressed
def stats(session: Session) -> None:
    """Say how much there is to do, and what comes most often."""
    with session.connect() as client:
        found = _service(session, client).get_stats()
    if session.as_json:
        print_json(found)
    else:
        print_styled(stats_lines(found))


@app.command()
@addressed
@filtered
def watch(
    session: Session,
    filter: AlarmFilter,
    channel: Annotated[
        list[str] | None,
        typer.Option(
            "--channel", metavar="NAME", help="Event channels; default ROOT/events; repeatable."
        ),
    ] = None,
    log: Annotated[
        str, typer.Option("--log", metavar="FILE", help="Append all that passes on the channels.")
    ] = "",
    count: Annotated[
        int, typer.Option("--count", "-n", min=0, help="End after so many troubles; 0: never.")
    ] = 0,
) -> None:
    """Watch alarms and event channels; errors pop up."""
    with session.connect() as client:
        names = channel or [session.path("events")]
        with suppress(KeyboardInterrupt):
            watch_alarms(session, client, filter, names, log, count)


def _standing(filter: AlarmFilter) -> AlarmFilter:
    import msgspec

    return msgspec.structs.replace(filter, columns=_STANDING)


def _emit(session: Session, found: list[Alarm]) -> None:
    if session.as_json:
        print_json(found)
        return
    now = datetime.now(UTC)
    print_styled(line for alarm in found for line in alarm_lines(alarm, now, width()))
    if not found:
        print_styled([Styled("nothing is wrong", "green")])


def _of(alarms: Iterable[Alarm], ids: list[int]) -> list[Alarm]:
    known = {alarm.alarm_id: alarm for alarm in alarms}
    missing = [each for each in ids if each not in known]
    if missing:
        error = NoSuchAlarm(f"there is no alarm {missing[0]}", alarm_id=missing[0])
        raise CommandFailed(
            error.message,
            cause="it has been good for an hour, or never was",
            remedy="see `obsorb alarms list --good` and `obsorb alarms history`",
        )
    return [known[each] for each in ids]


def _service(session: Session, client: Names) -> AlarmService:
    return client.narrow(session.path("alarms"), AlarmService)
