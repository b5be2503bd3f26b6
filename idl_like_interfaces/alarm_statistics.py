"""How much there is to do for who looks after the alarms."""

from __future__ import annotations

from idl_like_interfaces.declare import Value


class Offender(Value, frozen=True, kw_only=True):
    """An alarm that comes often."""

    object: str
    name: str
    count: int


class AlarmStats(Value, frozen=True, kw_only=True):
    """How much there is to do.

    Attributes:
        columns: Alarms in each column.
        by_severity: Active ones of each severity.
        per_10_min: Raised within the last ten minutes.
        peak_per_10_min: The most within any ten minutes of the last day.
        top_offenders: Those that came most often within the last day.
        chattering: Those that come and go.
        stale: Those whose component is silent, or that have been active for more than a day.
        shelved: Those that are put aside.
        silent: Components whose heartbeat is missed.
        lost: Reports that components had to drop before they got here.
        problem: Why the history is not stored at the moment; empty: it is.
    """

    columns: dict[str, int]
    by_severity: dict[str, int]
    per_10_min: int
    peak_per_10_min: int
    top_offenders: list[Offender]
    chattering: list[Offender]
    stale: list[Offender]
    shelved: int
    silent: list[str]
    lost: int
    problem: str = ""
