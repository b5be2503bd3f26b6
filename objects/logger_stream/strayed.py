"""What follows from events of wrong run numbers: alarms, and files that are written no more."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from typing_extensions import override

from objects.component.clock import Clock
from objects.logger_stream.alerts import Alerts
from objects.logger_stream.orphans import OrphanListener
from objects.logger_stream.run import ActiveRun
from objects.logger_stream.surroundings import MISMATCH

PAUSED_WITHIN_S: Final = 60.0
"""When closed files did not help within so many seconds the run is paused."""


class StrayWatch(OrphanListener):
    """Closes the files at which events of a wrong run are aimed, and pauses the run at the second time.

    Args:
        alerts: Where it is reported.
        clock: The time.
    """

    def __init__(self, alerts: Alerts, clock: Clock) -> None:
        self._alerts = alerts
        self._clock = clock
        self._closed_at: dict[int, float] = {}

    @override
    def orphans_came(self, run: int, sender: str, path: Path) -> None:
        self._alerts.orphans(run, sender, str(path))

    @override
    def mismatch_persists(self, of: ActiveRun, wrong: int, sender: str, ids: list[int]) -> None:
        now = self._clock.monotonic()
        before = self._closed_at.get(of.number)
        self._closed_at[of.number] = now
        self._alerts.mismatch(of.number, wrong, sender)
        for each in ids:
            stream = of.streams.get(each)
            if stream is not None:
                stream.close_files(MISMATCH)
        if before is not None and now - before <= PAUSED_WITHIN_S and not of.is_paused:
            of.pause(f"{sender} goes on sending events of run {wrong}")
