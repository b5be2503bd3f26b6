"""Taking up what a workspace holds at a start; what is too old is given up."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from msgspec.structs import replace

from idl_like_interfaces.daqif import DaqException, DaqState, DaqStatus
from objects.acquisition import alerts as al
from objects.acquisition.refusals import refusal
from objects.acquisition.rules import Rules
from objects.acquisition.salvage import Kept
from objects.acquisition.start_time import age_of
from objects.acquisition.store import Workspace
from objects.component.alert_texts import as_text

log = logging.getLogger("daq.ocm.manager")

_HOUR = timedelta(hours=1)


def take_up(
    workspace: Workspace, rules: Rules, now: datetime
) -> tuple[list[Kept], list[DaqStatus]]:
    """Return what goes on, and the last status of each that is archived since it is stale."""
    going_on: list[Kept] = []
    stale: list[DaqStatus] = []
    for kept in workspace.load():
        status, context = kept
        age = age_of(context.creation_time, context.plan, now)
        if age > rules.oldest(status.state):
            stale.append(_give_up(workspace, kept, age, now))
        else:
            going_on.append(kept)
    return going_on, stale


def _give_up(workspace: Workspace, kept: Kept, age: timedelta, now: datetime) -> DaqStatus:
    """Put away one that is stale, with an alert that says so."""
    told = _told(kept[0], age)
    log.warning("acquisition %s is stale: %s", told.id, told.message)
    alert = al.alert(al.STALE, told, now)
    status = replace(kept[0], timestamp=now.timestamp(), error=True)
    status = replace(status, alerts=al.with_alert(status.alerts, alert))
    status = replace(status, message=as_text(status.alerts))
    context = replace(kept[1], alerts=al.with_alert(kept[1].alerts, alert))
    try:
        workspace.save(status, context, kept)
    except OSError as error:
        log.error("acquisition %s is archived without that: %s", told.id, error)
    workspace.archive(told.id)
    return status


def _told(status: DaqStatus, age: timedelta) -> DaqException:
    at_sources = status.state is DaqState.ACQUIRING
    return refusal(
        status.id,
        f"given up in {status.state}/{status.substate}: {age / _HOUR:.1f} h old",
        cause="nobody has ended it, and the coordinator was restarted",
        remedy="see what its sources do and end that by hand; its files are where they keep them"
        if at_sources
        else "see what the DPM makes of it; if that has it still, its end there stands then",
    )
