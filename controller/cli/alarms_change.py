"""What people do to alarms: take note, put aside, take back, end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec
import typer

from controller.cli.alarms_options import AllOption, IdsArgument, filtered, parse_span
from controller.cli.output import print_json
from controller.cli.session import Session, addressed
from controller.cli.styled import Styled, print_styled
from controller.cli.who import ByOption, who
from idl_like_interfaces.alarms import Alarm, AlarmFilter, AlarmService, AlarmState

MOST = 10_000
"""Alarms that a service tells at once."""


def add_changes(app: typer.Typer) -> None:
    """Add the verbs to the group."""
    for verb in (ack, unack, shelve, unshelve, clear):
        app.command()(verb)


@addressed
@filtered
def ack(
    session: Session,
    filter: AlarmFilter,
    ids: IdsArgument = None,
    all_: AllOption = False,
    comment: Annotated[str, typer.Option("--comment", metavar="TEXT", help="What you do.")] = "",
    by: ByOption = "",
) -> None:
    """Take note of alarms: they are silent until this is taken back."""
    _by_hand(
        session,
        _chosen(ids, filter, [AlarmState.RAISED], all_=all_),
        lambda service, numbers: service.acknowledge(numbers, who(by), comment),
    )


@addressed
@filtered
def unack(
    session: Session,
    filter: AlarmFilter,
    ids: IdsArgument = None,
    all_: AllOption = False,
    by: ByOption = "",
) -> None:
    """Have acknowledged alarms announced again."""
    _by_hand(
        session,
        _chosen(ids, filter, [AlarmState.ACKNOWLEDGED], all_=all_),
        lambda service, numbers: service.unacknowledge(numbers, who(by)),
    )


@addressed
@filtered
def shelve(
    session: Session,
    filter: AlarmFilter,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")],
    ids: IdsArgument = None,
    all_: AllOption = False,
    for_: Annotated[
        str, typer.Option("--for", metavar="TIME", help="90s, 10m, 2h, 1d; at most a week.")
    ] = "1h",
    by: ByOption = "",
) -> None:
    """Put alarms aside for a time."""
    for_s = parse_span(for_)
    _by_hand(
        session,
        _chosen(ids, filter, [AlarmState.RAISED, AlarmState.ACKNOWLEDGED], all_=all_),
        lambda service, numbers: service.shelve(numbers, who(by), reason, for_s),
    )


@addressed
@filtered
def unshelve(
    session: Session,
    filter: AlarmFilter,
    ids: IdsArgument = None,
    all_: AllOption = False,
    by: ByOption = "",
) -> None:
    """Take alarms back that were put aside."""
    _by_hand(
        session,
        _chosen(ids, filter, [AlarmState.SHELVED], all_=all_),
        lambda service, numbers: service.unshelve(numbers, who(by)),
    )


@addressed
@filtered
def clear(
    session: Session,
    filter: AlarmFilter,
    ids: IdsArgument = None,
    all_: AllOption = False,
    comment: Annotated[str, typer.Option("--comment", metavar="TEXT", help="Why.")] = "",
    by: ByOption = "",
) -> None:
    """Declare conditions to be over that no component can clear."""
    states = [AlarmState.RAISED, AlarmState.ACKNOWLEDGED, AlarmState.SHELVED]
    _by_hand(
        session,
        _chosen(ids, filter, states, all_=all_),
        lambda service, numbers: service.clear(numbers, who(by), comment),
    )


def _chosen(
    ids: list[int] | None, filter: AlarmFilter, states: list[AlarmState], *, all_: bool
) -> Callable[[AlarmService], list[int]]:
    """Return what finds the numbers: those that were given, or all that the options choose."""
    if bool(ids) == (all_ or filter != AlarmFilter()):
        message = "give either numbers of alarms, or options that choose them (--all: all)"
        raise typer.BadParameter(message)

    def find(service: AlarmService) -> list[int]:
        if ids:
            return ids
        wanted = msgspec.structs.replace(filter, states=states)
        return [alarm.alarm_id for alarm in service.get_alarms(wanted, MOST)]

    return find


def _by_hand(
    session: Session,
    find: Callable[[AlarmService], list[int]],
    act: Callable[[AlarmService, list[int]], list[Alarm]],
) -> None:
    with session.connect() as client:
        service = client.narrow(session.path("alarms"), AlarmService)
        numbers = find(service)
        found = act(service, numbers) if numbers else []
    if session.as_json:
        print_json(found)
        return
    print_styled(
        Styled(f"{alarm.alarm_id:>6}  {alarm.report.object}: {alarm.report.name} is {alarm.state}")
        for alarm in found
    )
    if not found:
        print_styled([Styled("there are none", "dim")])
