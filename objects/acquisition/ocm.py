"""The servant of ``OcmDaqControl``: reads arguments, checks the server's state, delegates."""

from __future__ import annotations

from collections.abc import Callable

from typing_extensions import override

from idl_like_interfaces.daqif import (
    AwaitDaqReply,
    DaqReply,
    DaqState,
    DaqStatus,
    DaqStatuses,
    DaqStory,
    DaqSubstate,
    OcmDaqControl,
)
from objects.acquisition.bounds import check_plan
from objects.acquisition.coordinator import Coordinator
from objects.acquisition.event_log import note_command
from objects.acquisition.refusals import refusal
from objects.acquisition.specification import keywords_of, plan_v1, plan_v2
from objects.acquisition.states import phase_of
from objects.acquisition.vocabulary import ANY, Vocabulary


class OcmServant(OcmDaqControl):
    """Refuses commands while the server is not Operational; queries are always answered.

    Args:
        coordinator: Does the work.
        vocabulary: Which keywords clients may give.
        server_state: Returns the server's state.
        is_operational: Tells whether commands are accepted.
    """

    def __init__(
        self,
        coordinator: Coordinator,
        vocabulary: Vocabulary = ANY,
        *,
        server_state: Callable[[], str],
        is_operational: Callable[[], bool],
    ) -> None:
        self._coordinator = coordinator
        self._vocabulary = vocabulary
        self._server_state = server_state
        self._is_operational = is_operational

    @override
    def start_daq(
        self,
        id: str = "",
        file_prefix: str = "",
        prim_sources: str = "",
        meta_sources: str = "",
        properties: str = "",
    ) -> DaqReply:
        self._take("start_daq", id)
        plan = plan_v1(id, file_prefix, prim_sources, meta_sources, properties)
        plan = self._vocabulary.plan(plan, "properties.keywords", "sources")
        check_plan(plan, "properties")
        return self._coordinator.begin(plan)

    @override
    def start_daq_v2(self, specification: str) -> DaqReply:
        self._take("start_daq_v2", "")
        plan = self._vocabulary.plan(
            plan_v2(specification), "specification.keywords", "specification.sources"
        )
        check_plan(plan, "specification")
        return self._coordinator.begin(plan)

    @override
    def stop_daq(self, id: str) -> DaqReply:
        self._take("stop_daq", id)
        return self._coordinator.stop(id, force=False)

    @override
    def force_stop_daq(self, id: str) -> DaqReply:
        self._take("force_stop_daq", id)
        return self._coordinator.stop(id, force=True)

    @override
    def abort_daq(self, id: str) -> DaqReply:
        self._take("abort_daq", id)
        return self._coordinator.find(id).abort(force=False)

    @override
    def force_abort_daq(self, id: str) -> DaqReply:
        self._take("force_abort_daq", id)
        return self._coordinator.find(id).abort(force=True)

    @override
    def update_keywords(self, id: str, keywords: str) -> DaqReply:
        self._take("update_keywords", id)
        acquisition = self._coordinator.find(id)
        found = self._vocabulary.update(id, keywords_of(id, keywords))
        return acquisition.update_keywords(found)

    @override
    def await_daq_state(
        self, id: str, state: DaqState, substate: DaqSubstate, timeout_s: float
    ) -> AwaitDaqReply:
        if timeout_s <= 0:
            raise refusal(
                id, f"timeout_s is {timeout_s:g}", remedy="give a time in seconds above 0"
            )
        wanted = phase_of(state, substate)
        if wanted is None:
            raise refusal(
                id,
                f"no acquisition is ever in {state}/{substate}",
                remedy="give a substate together with its own state, see the table of states",
            )
        return self._coordinator.await_phase(id, wanted, timeout_s)

    @override
    def get_status(self, id: str) -> DaqStatus:
        return self._coordinator.status(id)

    @override
    def get_daq_status(self, id: str) -> DaqStatus:
        return self._coordinator.status(id)

    @override
    def get_active_list(self) -> DaqStatuses:
        statuses = [each.record.status for each in self._coordinator.acquisitions()]
        # One that has ended just now is on its way into the archive.
        return [each for each in statuses if each.state is not DaqState.COMPLETED]

    @override
    def get_story(self, id: str) -> DaqStory:
        return self._coordinator.story(id)

    @override
    def retry_merge_daq(self, id: str) -> None:
        self._take("retry_merge_daq", id)
        self._coordinator.find(id).retry_merge()

    def _take(self, operation: str, id: str) -> None:
        """Log a command, and refuse it while the server is not Operational."""
        note_command(operation, id)
        if not self._is_operational():
            raise refusal(
                id,
                f"the server is not Operational but {self._server_state()}",
                remedy="give it the commands init and enable (obsorb std init, obsorb std enable)",
            )
