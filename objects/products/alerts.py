"""Alerts of an acquisition in the DPM: one id for each condition, by step."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from idl_like_interfaces.daqif import AlertSeverity, DaqAlert

_TIMELESS = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def error(id: str, description: str, *, cause: str = "", remedy: str = "") -> DaqAlert:
    """Return an alert that stops the acquisition until somebody acts; not timed yet."""
    return alert(AlertSeverity.ERROR, id, description, cause=cause, remedy=remedy)


def warning(id: str, description: str, *, cause: str = "", remedy: str = "") -> DaqAlert:
    """Return an alert of something suspicious; not timed yet."""
    return alert(AlertSeverity.WARNING, id, description, cause=cause, remedy=remedy)


def alert(
    severity: AlertSeverity, id: str, description: str, *, cause: str = "", remedy: str = ""
) -> DaqAlert:
    """Return an alert that is not timed yet."""
    return DaqAlert(
        id=id,
        severity=severity,
        description=description,
        cause=cause,
        remedy=remedy,
        time=_TIMELESS,
    )


def has_error(alerts: Iterable[DaqAlert]) -> bool:
    """Tell whether somebody must act."""
    return any(each.severity is AlertSeverity.ERROR for each in alerts)


def without_errors(alerts: Iterable[DaqAlert]) -> list[DaqAlert]:
    """Return the alerts that stop nothing."""
    return [each for each in alerts if each.severity is not AlertSeverity.ERROR]


def replaced(
    old: Iterable[DaqAlert], prefix: str, new: Iterable[DaqAlert], now: datetime
) -> list[DaqAlert]:
    """Exchange the alerts of one step; one that says the same as before keeps its time."""
    before = {each.id: each for each in old}
    kept = [each for each in before.values() if not each.id.startswith(prefix)]
    return kept + [_timed(each, before.get(each.id), now) for each in new]


def _timed(new: DaqAlert, before: DaqAlert | None, now: datetime) -> DaqAlert:
    if before is not None and msgspec.structs.replace(new, time=before.time) == before:
        return before
    return msgspec.structs.replace(new, time=now)
