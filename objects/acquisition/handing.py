"""What is said to the DPM about one acquisition; from Scheduled on the DPM knows best."""

from __future__ import annotations

import logging
from collections.abc import Callable

from idl_like_interfaces.daqif import AlertSeverity, DaqException, DpmDaqControl
from idl_like_interfaces.errors import (
    CommFailure,
    OutcomeUnknown,
    Overloaded,
    RemoteError,
    TimeIsUp,
)
from idl_like_interfaces.mapping.coding import to_json
from idl_like_interfaces.naming import NamingError
from objects.acquisition import alerts as al
from objects.acquisition.record import Record
from objects.acquisition.refusals import refusal, refused_for
from objects.acquisition.states import AT_DPM, Phase, Trigger
from objects.component.clock import Clock

log = logging.getLogger("daq.ocm.manager")

_AWAY = (CommFailure, TimeIsUp, Overloaded, NamingError)
"""What says that the DPM is not there now; its name is gone some seconds after itself."""

_NOT_HANDED = {Phase.STOPPED: Trigger.ABORT, Phase.NOT_SCHEDULED: Trigger.ABORT}
"""How one is aborted that the DPM has not taken, as far as is known here."""

_FORCED = _NOT_HANDED | dict.fromkeys(AT_DPM, Trigger.FORCE_ABORT)
"""How one is aborted here only."""


class Handing:
    """Hands acquisitions to the DPM and speaks for them there; the caller has the turn.

    Args:
        dpm: The DPM.
        clock: The time.
        abandon: Told the id and file id of one that is aborted here only.
    """

    def __init__(
        self, dpm: DpmDaqControl, clock: Clock, abandon: Callable[[str, str], None]
    ) -> None:
        self._dpm = dpm
        self._clock = clock
        self._abandon = abandon

    def queue(self, record: Record) -> bool:
        """Hand it over, or set an alert that says why not; tell whether the DPM is there."""
        try:
            self._dpm.queue_daq(to_json(record.context.specification()))
        except RemoteError as error:
            if isinstance(error, OutcomeUnknown):
                record.set_maybe_queued()
            self._complain(record, "the DPM did not take the acquisition", error)
            return not isinstance(error, _AWAY)
        record.clear_alert(al.DPM)
        record.move_if({Phase.NOT_SCHEDULED: Trigger.QUEUED})
        return True

    def refresh(self, record: Record) -> None:
        """Ask the DPM for the truth; set an alert when it does not say."""
        try:
            record.adopt(self._dpm.get_daq_status(record.id), was_asked=True)
        except RemoteError as error:
            self._complain(record, "the DPM does not tell the status", error)
        else:
            record.clear_alert(al.DPM)

    def abort(self, record: Record, *, force: bool) -> None:
        """Abort it: at the DPM if that has it or may have it, else here.

        Up to NotScheduled the DPM need not be there for that; from Scheduled on it aborts,
        and with force it is aborted here whatever the DPM answers.

        Raises:
            DaqException: The DPM refuses or cannot be reached, without force; or it
                has completed it in the meantime.
        """
        if not record.context.maybe_queued and record.move_if(_NOT_HANDED):
            return
        try:
            self._dpm.abort_daq(record.id)
        except RemoteError as error:
            self._abort_without(record, error, force=force)
        else:
            self._has(record)
            # Its word could not be had: that it obeys is known all the same.
            record.move_if(_NOT_HANDED)

    def _abort_without(self, record: Record, error: RemoteError, *, force: bool) -> None:
        """Abort it here after the DPM did not, as far as that may be.

        What ends it is decided in one step, since news of the DPM may come at any time.
        """
        # Who did not answer once would cost a forced command the same time again.
        was_heard = not isinstance(error, _AWAY)
        if was_heard and not self._has(record) and record.move_if(_NOT_HANDED):
            log.info("acquisition %s was never queued", record.id)
            return
        triggers = _FORCED if force else _NOT_HANDED
        if record.phase in triggers:
            self._abandon(record.id, record.status.file_id)
            told = self._told(record, "aborted here only, the DPM may still finish it", error)
            now = self._clock.utc()
            if record.move_if(triggers, al.alert(al.DPM, told, now)):
                log.warning("acquisition %s: %s", record.id, told.message)
        if record.phase is not Phase.ABORTED:
            message = f"acquisition {record.id} ({record.phase}) was not aborted by the DPM"
            raise refused_for(record.id, error, message) from error

    def retry(self, record: Record) -> None:
        """Let the DPM go on with it.

        Raises:
            DaqException: The DPM refuses or cannot be reached.
        """
        try:
            self._dpm.retry_merge_daq(record.id)
        except RemoteError as error:
            message = f"acquisition {record.id}: the DPM did not try again"
            raise refused_for(record.id, error, message) from error

    def _has(self, record: Record) -> bool:
        """Take over what the DPM knows of it; tell whether it has or had it, or may have."""
        try:
            found = self._dpm.get_daq_status(record.id)
        except DaqException:
            return False
        except RemoteError:
            return True
        record.adopt(found, was_asked=True)
        return found.file_id == record.status.file_id

    def _complain(self, record: Record, what: str, error: RemoteError) -> None:
        """Set an alert; a lost DPM is only suspicious, since it is asked again by itself."""
        told = self._told(record, what, error)
        severity = AlertSeverity.WARNING if isinstance(error, _AWAY) else AlertSeverity.ERROR
        if record.set_alert(al.alert(al.DPM, told, self._clock.utc(), severity)):
            log.warning("acquisition %s: %s", record.id, told.message)

    @staticmethod
    def _told(record: Record, what: str, error: RemoteError) -> DaqException:
        away = isinstance(error, _AWAY)
        return refusal(
            record.id,
            f"{what}: {error.message}",
            cause=error.cause or ("the DPM is not running" if away else ""),
            remedy=error.remedy
            or ("start the DPM; it is asked again by itself" if away else "see the DPM's log"),
        )
