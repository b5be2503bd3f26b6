"""The conditions of an acquisition: set and cleared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace

from idl_like_interfaces.daqif import AlertSeverity, DaqAlert
from idl_like_interfaces.errors import RemoteError

DPM = "dpm"
"""Id of the alert that tells of requests to the DPM."""

WORKSPACE = "workspace"
"""Id of the alert that tells of the coordinator's own disk."""

RESTART = "restart"
"""Id of the alert that tells of a restart in the middle of a command."""

STALE = "stale"
"""Id of the alert that tells that it was too old to be taken up."""

PROPERTIES = "properties"
"""Id of the alert that tells of members of a document that nobody knows."""


def of_source(name: str, request: str) -> str:
    """Return the id of the alert that tells of a request (``start``, ...) to a source."""
    return f"source:{name}:{request}"


def alert(
    id: str,
    error: RemoteError,
    time: datetime,
    severity: AlertSeverity = AlertSeverity.ERROR,
) -> DaqAlert:
    """Make an alert of a refusal or a lost peer."""
    return DaqAlert(
        id=id,
        severity=severity,
        description=error.message,
        cause=error.cause,
        remedy=error.remedy,
        time=time,
    )


def with_alert(alerts: Sequence[DaqAlert], new: DaqAlert) -> list[DaqAlert]:
    """Return the alerts with one set, in the place of the one with its id."""
    return [*without_alert(alerts, new.id), new]


def with_unkept(alerts: Sequence[DaqAlert], error: OSError, time: datetime) -> list[DaqAlert]:
    """Return the alerts with one that the workspace is not written; the same again changes nothing."""
    new = DaqAlert(
        id=WORKSPACE,
        severity=AlertSeverity.WARNING,
        description=f"the workspace cannot be written: {error.strerror or error}",
        cause="the disk is full, read-only or gone",
        remedy="free some space or look after the disk: it is tried again by itself;"
        " a restart of the coordinator before that loses this state",
        time=time,
    )
    old = next((each for each in alerts if each.id == WORKSPACE), None)
    is_known = old is not None and replace(old, time=time) == new
    return list(alerts) if is_known else with_alert(alerts, new)


def without_alert(alerts: Sequence[DaqAlert], id: str) -> list[DaqAlert]:
    """Return the alerts without the one of an id."""
    return [each for each in alerts if each.id != id]


def is_error(alerts: Iterable[DaqAlert]) -> bool:
    """Tell whether one of them needs somebody to act."""
    return any(each.severity is AlertSeverity.ERROR for each in alerts)
