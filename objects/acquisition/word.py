"""The DPM's word on an acquisition: which news count, and which are a reason to ask."""

from __future__ import annotations

from dataclasses import dataclass

from idl_like_interfaces.daqif import DaqAlert, DaqStatus
from objects.acquisition import alerts as al
from objects.acquisition.context import Context
from objects.acquisition.states import AT_DPM, Phase, phase_of, reachable


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What the DPM has said last.

    Attributes:
        alerts: Its alerts.
        error: It needs somebody to act.
        time_s: When it said so, by its own clock; 0: in an earlier run of the coordinator.
    """

    alerts: list[DaqAlert]
    error: bool
    time_s: float = 0.0

    def is_news(self, known: DaqStatus, told: DaqStatus, *, was_asked: bool) -> bool:
        """Tell whether what it says now counts: about this product, and not of the past.

        Args:
            known: The status as it is.
            told: What it says.
            was_asked: It is an answer, not an event.
        """
        now, then = phase_of(known.state, known.substate), phase_of(told.state, told.substate)
        if now is None or then is None or told.file_id != known.file_id or now.is_final:
            return False
        if then not in AT_DPM and not then.is_final:
            return False
        if now not in AT_DPM and now is not Phase.NOT_SCHEDULED:
            return False
        if then is not now:
            return reachable(now, then)
        is_late = told.timestamp < self.time_s and not was_asked
        return not is_late and self._differs(known, told)

    def is_doubtful(self, known: DaqStatus, told: DaqStatus) -> bool:
        """Tell whether what does not count contradicts what is known, so that it must be asked."""
        now, then = phase_of(known.state, known.substate), phase_of(told.state, told.substate)
        if now is None or then is None or told.file_id != known.file_id:
            return False
        if now.is_final:
            # Aborted here only, and not in the archive yet: it is corrected when it is there.
            return then.is_final and then is not now
        return then is now and then in AT_DPM and self._differs(known, told)

    def _differs(self, known: DaqStatus, told: DaqStatus) -> bool:
        return (
            told.alerts != self.alerts
            or told.error != self.error
            or (bool(told.result) and told.result != known.result)
        )


def word_in(status: DaqStatus, context: Context) -> Word:
    """Return what the DPM had said when a status was kept."""
    own = {each.id for each in context.alerts}
    alerts = [each for each in status.alerts if each.id not in own]
    return Word(alerts=alerts, error=al.is_error(alerts))


def word_of(told: DaqStatus) -> Word:
    """Return what the DPM says by a status."""
    return Word(alerts=list(told.alerts), error=told.error, time_s=told.timestamp)
