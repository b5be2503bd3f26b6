"""An acquisition of the coordinator in a run: started with it, stopped with it.

Its product is the file that confirms it. An acquisition cannot pause; it goes on.
"""

from __future__ import annotations

from contextlib import suppress

import msgspec
from typing_extensions import override

from idl_like_interfaces.daqif import (
    DaqException,
    DaqState,
    DaqStatus,
    DaqSubstate,
    OcmDaqControl,
    ProductStory,
)
from idl_like_interfaces.event_logger import FileState, RunCertificate, RunState, WrittenFile
from idl_like_interfaces.run_configuration import Writer
from objects.component.site import Site
from objects.run_control.graph import acquisition
from objects.run_control.links import SLICE_S, STATUS_S, Seen, WriterLink
from objects.run_control.records import RunRecord

COMMAND_S = 30.0
"""The coordinator waits for its sources, each within a deadline of its own."""

_ABOVE_S = 3.0

_STOPPABLE = frozenset({DaqSubstate.ACQUIRING, DaqSubstate.STOPPING})
_BEGINNING = frozenset({DaqSubstate.NOT_STARTED, DaqSubstate.STARTING})


class AcquisitionLink(WriterLink):
    """Commands one acquisition through the coordinator.

    Args:
        site: Finds it.
        reference: The coordinator's acquisition control.
    """

    can_pause = False

    def __init__(self, site: Site, reference: str) -> None:
        self._quick = site.narrow(reference, OcmDaqControl, STATUS_S)
        self._control = site.narrow(reference, OcmDaqControl, COMMAND_S)
        self._slow = site.narrow(reference, OcmDaqControl, SLICE_S + _ABOVE_S)

    @override
    def prepare(self, writer: Writer, fence: int) -> None:
        self._quick.get_active_list()

    @override
    def configure(self, writer: Writer, fence: int) -> None:
        self.prepare(writer, fence)

    @override
    def obstacles(self, writer: Writer, number: int) -> list[str]:
        id = _id(writer, number)
        active = self._quick.get_active_list()
        if any(each.id == id for each in active):
            return [f"there is an acquisition {id} already"]
        return []

    @override
    def start(self, writer: Writer, record: RunRecord, fence: int) -> None:
        specification = acquisition(writer, record.number)
        assert specification.id is not None
        known = self._status(specification.id)
        # After a crash of ours it may have been started already.
        if known is None or known.substate in _BEGINNING:
            self._control.start_daq_v2(msgspec.json.encode(specification).decode())

    @override
    def pause(self, number: int, reason: str, fence: int) -> None:
        """An acquisition goes on while a run is paused."""

    @override
    def resume(self, number: int, fence: int) -> None:
        """It never was paused."""

    @override
    def look(self, writer: Writer, number: int) -> Seen:
        status = self._status(_id(writer, number))
        if status is None:
            return Seen(is_gone="the coordinator does not know the acquisition")
        problem = _problem(status)
        if status.substate in {DaqSubstate.ABORTED, DaqSubstate.ABORTING}:
            return Seen(is_gone=f"the acquisition is {status.substate.value}", problem=problem)
        return Seen(problem=problem)

    @override
    def end(
        self, writer: Writer, number: int, fence: int, *, is_urgent: bool
    ) -> RunCertificate | None:
        id = _id(writer, number)
        status = self._quick.get_status(id)
        if status.substate in _STOPPABLE:
            stop = self._control.force_stop_daq if is_urgent else self._control.stop_daq
            stop(id)
        return self._await_end(id, number)

    @override
    def abort(
        self, writer: Writer, number: int, reason: str, fence: int, *, is_urgent: bool
    ) -> RunCertificate | None:
        id = _id(writer, number)
        status = self._status(id)
        if status is None:
            return _certificate(number, RunState.ABORTED, [], [])
        if status.state is not DaqState.COMPLETED:
            abort = self._control.force_abort_daq if is_urgent else self._control.abort_daq
            abort(id)
        return self._await_end(id, number)

    def _await_end(self, id: str, number: int) -> RunCertificate | None:
        status = self._quick.get_status(id)
        if status.state is not DaqState.COMPLETED:
            with suppress(DaqException):  # it cannot come there any more: it was aborted
                self._slow.await_daq_state(id, DaqState.COMPLETED, DaqSubstate.COMPLETED, SLICE_S)
            status = self._quick.get_status(id)
        if status.state is not DaqState.COMPLETED:
            return None
        if status.substate is DaqSubstate.ABORTED:
            return _certificate(number, RunState.ABORTED, [], [])
        return self._of_product(id, number)

    def _of_product(self, id: str, number: int) -> RunCertificate | None:
        story = self._quick.get_story(id)
        if story.making is None:
            return None  # the DPM is away: it is asked again
        file = _file_of(story.making)
        if file is None:
            missing = [f"the product {story.status.result or 'of ' + id} is not there"]
            return _certificate(number, RunState.ENDED, [], missing)
        return _certificate(number, RunState.ENDED, [file], [])

    def _status(self, id: str) -> DaqStatus | None:
        try:
            return self._quick.get_status(id)
        except DaqException:
            return None


def _id(writer: Writer, number: int) -> str:
    return acquisition(writer, number).id or ""


def _problem(status: DaqStatus) -> str:
    return next((each.description for each in status.alerts if status.error), "")


def _file_of(story: ProductStory) -> WrittenFile | None:
    product = story.product
    if product is None or product.size_bytes is None:
        return None
    return WrittenFile(
        path=product.path,
        stream="product",
        state=FileState.CLOSED,
        events=0,
        size_bytes=product.size_bytes,
        durable_bytes=product.size_bytes,
        digest=story.digest,
        reason_closed="end of run",
    )


def _certificate(
    number: int, state: RunState, files: list[WrittenFile], missing: list[str]
) -> RunCertificate:
    return RunCertificate(
        run=number,
        state=state,
        recording=True,
        events=len(files),
        bytes=sum(each.size_bytes for each in files),
        files=files,
        missing=missing,
    )
