"""What the DPM tells of the making of a product, or why it tells nothing."""

from __future__ import annotations

from idl_like_interfaces.daqif import DaqState, DaqStatus, DaqSubstate, DpmDaqControl, ProductStory
from idl_like_interfaces.errors import CommFailure, RemoteError
from objects.acquisition.context import Context

TELLING_S = 3.0
"""Who wants a story does not wait longer for a DPM that does not answer."""

_AT_SOURCES = "it was not handed to the DPM"


class Teller:
    """Asks the DPM for its part of a story; never fails."""

    def __init__(self, dpm: DpmDaqControl) -> None:
        self._dpm = dpm

    def making(self, status: DaqStatus, context: Context) -> tuple[ProductStory | None, str]:
        """Return how a product was made; else None and the reason."""
        if not _was_handed(status, context):
            return None, _AT_SOURCES
        try:
            found = self._dpm.get_story(status.id)
        except RemoteError as error:
            away = isinstance(error, CommFailure)
            said = error.briefly() if isinstance(error, CommFailure) else error.message
            return None, f"the DPM {'cannot be asked' if away else 'does not tell'}: {said}"
        if found.status.file_id != status.file_id:
            return None, f"the DPM has another acquisition of that id ({found.status.file_id})"
        return found, ""


def _was_handed(status: DaqStatus, context: Context) -> bool:
    entered = {each.substate for each in context.entered} | {status.substate}
    by_dpm = {DaqSubstate.SCHEDULED, DaqSubstate.COLLECTING, DaqSubstate.MERGING}
    return context.maybe_queued or (
        status.state is not DaqState.ACQUIRING and bool(entered & by_dpm)
    )
