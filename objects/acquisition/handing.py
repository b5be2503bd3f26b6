"""What is said to the DPM about one acquisition; from Scheduled on the DPM knows best."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress

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
from objects.acquisition.states import Phase, Trigger
from objects.component.clock import Clock

log = logging.getLogger("daq.ocm.manager")

_AWAY = (CommFailure, TimeIsUp, Overloaded, NamingError)
"""What says that the DPM is not there now; its name is gone some seconds after itself."""


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
        record.move_if(Phase.NOT_SCHEDULED, Trigger.QUEUED)
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
        """Let the DPM abort it; with force it is aborted here whatever that answers.

        Raises:
            DaqException: The DPM refuses or cannot be reached, without force; or it
                has ended in the meantime.
        """
        try:
            self._dpm.abort_daq(record.id)
        except RemoteError as error:
            self._learn(record)
            if record.phase.is_final or not force:
                message = f"acquisition {record.id} ({record.phase}) was not aborted by the DPM"
                raise refused_for(record.id, error, message) from error
            self._complain(
                record, "aborted here only, the DPM may still finish it", error, final=True
            )
            self._abandon(record.id, record.status.file_id)
            record.move(Trigger.FORCE_ABORT)
        else:
            self._learn(record)

    def withdraw(self, record: Record) -> None:
        """Abort it where it may have been queued; the DPM need not be there for that."""
        if record.context.maybe_queued:
            try:
                self._dpm.abort_daq(record.id)
            except DaqException:
                log.info("acquisition %s was never queued", record.id)
            except RemoteError as error:
                what = "aborted here only, the DPM may have it in its queue"
                self._complain(record, what, error, final=True)
                self._abandon(record.id, record.status.file_id)

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

    def _learn(self, record: Record) -> None:
        with suppress(RemoteError):
            record.adopt(self._dpm.get_daq_status(record.id), was_asked=True)

    def _complain(
        self, record: Record, what: str, error: RemoteError, *, final: bool = False
    ) -> None:
        """Set an alert; a lost DPM is only suspicious, since it is asked again by itself."""
        away = isinstance(error, _AWAY)
        told = refusal(
            record.id,
            f"{what}: {error.message}",
            cause=error.cause or ("the DPM is not running" if away else ""),
            remedy=error.remedy
            or ("start the DPM; it is asked again by itself" if away else "see the DPM's log"),
        )
        severity = AlertSeverity.WARNING if away and not final else AlertSeverity.ERROR
        if record.set_alert(al.alert(al.DPM, told, self._clock.utc(), severity)):
            log.warning("acquisition %s: %s", record.id, told.message)
