"""The alarms that the service raises by itself."""

from __future__ import annotations

from datetime import datetime

from idl_like_interfaces.alarms import AlarmReport, Severity
from objects.alarms.heartbeats import Pulse

SILENT = "component silent"
NOT_STORED = "history not stored"
TOO_MANY = "too many alarms"
DEAF = "event channel away"

_SUBSYSTEM = "alarms"


def silent(source: str, pulse: Pulse, now: datetime) -> AlarmReport:
    """Say that a component has not beaten for its period."""
    component = source.rpartition("/")[2]
    was = f"was {pulse.state}" if pulse.incarnation else "has never beaten"
    return AlarmReport(
        object=source,
        name=SILENT,
        severity=Severity.MAJOR,
        text=f"no heartbeat for {pulse.period_s:g} s; it {was}",
        cause="it was killed, hangs, cannot reach the event channel, or was never started",
        remedy=f"see `obsorb log query --component {component}` and `obsorb names ping`, and start it again; "
        "if it is not to run any more, `obsorb alarms clear` ends its supervision",
        time=now,
        subsystem=_SUBSYSTEM,
        attribute="heartbeat",
    )


def not_stored(source: str, problem: str, now: datetime) -> AlarmReport:
    """Say that the alarm log takes nothing at the moment."""
    return AlarmReport(
        object=source,
        name=NOT_STORED,
        severity=Severity.MAJOR,
        text=f"{problem}; what happens is kept in memory",
        cause="the disk is full, read-only or has a fault",
        remedy="free some space or look after the disk; what waits is written then",
        time=now,
        subsystem=_SUBSYSTEM,
        attribute="history",
    )


def too_many(source: str, now: datetime) -> AlarmReport:
    """Say that further conditions are not taken."""
    return AlarmReport(
        object=source,
        name=TOO_MANY,
        severity=Severity.MAJOR,
        text="there is no room for the alarms that components report; new ones are counted as lost",
        cause="a component invents names of conditions without end",
        remedy="see `obsorb alarms stats` and `list` for who it is; correct it, clear its alarms",
        time=now,
        subsystem=_SUBSYSTEM,
        latch=True,
    )


def deaf(source: str, now: datetime) -> AlarmReport:
    """Say that the event channel does not answer."""
    return AlarmReport(
        object=source,
        name=DEAF,
        severity=Severity.MAJOR,
        text="the event channel does not answer: heartbeats are not heard, changes are told late",
        cause="the event channel was killed, hangs, or its host or network is away",
        remedy="see `obsorb names ping` and the log; `obsorb up` starts it again by itself",
        time=now,
        subsystem=_SUBSYSTEM,
        attribute="heartbeat",
    )
