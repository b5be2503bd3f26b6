"""What every implementation of ``OcmDaqControl`` does, whatever carries the calls."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from idl_like_interfaces.daqif import DaqException, DaqState, DaqSubstate, OcmDaqControl
from idl_like_interfaces.errors import BadParam

ACQUIRING = (DaqState.ACQUIRING, DaqSubstate.ACQUIRING)
ABORTED = (DaqState.COMPLETED, DaqSubstate.ABORTED)


class OcmDaqControlContract:
    """Inherit it and give the fixture.

    The server is Operational; ``obs/a`` is a primary source that records until it is
    stopped, ``obs/m`` a metadata source; there is nothing at ``obs/nobody``.
    """

    @pytest.fixture
    def daq(self) -> Iterator[OcmDaqControl]:
        """Yield a coordinator without acquisitions."""
        raise NotImplementedError

    def test_an_acquisition_from_start_to_stop(self, daq: OcmDaqControl) -> None:
        """Started, listed, waited for, stopped."""
        reply = daq.start_daq(id="x", prim_sources="a@obs/a", meta_sources="m@obs/m")
        assert (reply.id, reply.error) == ("x", False)
        status = daq.get_status("x")
        assert (status.state, status.substate) == ACQUIRING
        assert daq.get_active_list() == [status]
        assert not daq.await_daq_state("x", *ACQUIRING, 5.0).timeout
        assert not daq.stop_daq("x").error
        assert daq.get_daq_status("x").state is not DaqState.ACQUIRING

    def test_a_document_starts_one_too(self, daq: OcmDaqControl) -> None:
        """And an abort ends it."""
        source = {"type": "metadataSource", "sourceName": "m", "rrUri": "obs/m"}
        id = daq.start_daq_v2(json.dumps({"sources": [source]})).id
        assert daq.update_keywords(id, "[]").id == id
        daq.abort_daq(id)
        status = daq.get_status(id)
        assert (status.state, status.substate) == ABORTED
        assert daq.get_active_list() == []

    def test_a_wait_may_time_out(self, daq: OcmDaqControl) -> None:
        """The reply says so and has the status."""
        id = daq.start_daq(meta_sources="m@obs/m").id
        reply = daq.await_daq_state(id, *ABORTED, 0.05)
        assert reply.timeout
        assert reply.status.id == id

    def test_the_story_tells_states_and_sources(self, daq: OcmDaqControl) -> None:
        """In the order of states, and of the plan; the DPM has no part in it yet."""
        daq.start_daq(id="x", prim_sources="a@obs/a", meta_sources="m@obs/m")
        story = daq.get_story("x")
        assert story.status == daq.get_status("x")
        assert [each.substate for each in story.states] == [
            DaqSubstate.NOT_STARTED,
            DaqSubstate.STARTING,
            DaqSubstate.ACQUIRING,
        ]
        assert story.states[-1].duration_s is None
        assert [(each.name, each.kind, each.reference, each.state) for each in story.sources] == [
            ("a", "primarySource", "obs/a", "active"),
            ("m", "metadataSource", "obs/m", "active"),
        ]
        assert (story.making, story.alerts) == (None, [])
        assert "not handed to the DPM" in story.making_note

    def test_the_story_of_an_ended_one_is_told_too(self, daq: OcmDaqControl) -> None:
        """With what was wrong."""
        with pytest.raises(DaqException):
            daq.start_daq(id="x", prim_sources="c@obs/nobody")
        daq.force_abort_daq("x") if daq.get_active_list() else None
        story = daq.get_story("x")
        assert (story.status.state, story.status.substate) == ABORTED
        assert "obs/nobody" in story.sources[0].answer
        assert "obs/nobody" in story.alerts[0].alert.description

    @pytest.mark.spec("ESO-066")
    @pytest.mark.parametrize(
        "command",
        ["stop_daq", "force_stop_daq", "abort_daq", "force_abort_daq", "get_status", "get_story"],
    )
    def test_an_unknown_id_is_refused(self, daq: OcmDaqControl, command: str) -> None:
        """The error has the id, the message names it, the remedy helps."""
        with pytest.raises(DaqException, match="no such id") as refused:
            getattr(daq, command)("no such id")
        assert refused.value.id == "no such id"
        assert "get_active_list" in refused.value.remedy

    def test_a_source_that_is_not_there_is_named(self, daq: OcmDaqControl) -> None:
        """Nothing keeps running; force gets rid of what is left."""
        with pytest.raises(DaqException, match="obs/nobody"):
            daq.start_daq(id="x", prim_sources="a@obs/a c@obs/nobody", meta_sources="m@obs/m")
        assert daq.get_status("x").error
        if daq.get_active_list():
            daq.force_abort_daq("x")
        status = daq.get_status("x")
        assert (status.state, status.substate) == ABORTED

    def test_malformed_documents_are_refused_by_their_path(self, daq: OcmDaqControl) -> None:
        """No acquisition is made."""
        with pytest.raises(DaqException, match=r"specification\.sources"):
            daq.start_daq_v2("{}")
        with pytest.raises(DaqException, match=r"properties\.awaitInterval"):
            daq.start_daq(prim_sources="a@obs/a", properties='{"awaitInterval": "5"}')
        assert daq.get_active_list() == []


class OcmDaqControlOverTheWire:
    """What the carrier adds; inherit it beside the contract when there is one."""

    def test_wrong_types_are_refused_by_their_argument(self, daq: OcmDaqControl) -> None:
        """Before the servant sees them."""
        with pytest.raises(BadParam) as refused:
            daq.get_status(7)  # type: ignore[arg-type]
        assert "id" in refused.value.field
        with pytest.raises(BadParam):
            daq.await_daq_state("x", "Acquiring", "Acquiring", 1.0)  # type: ignore[arg-type]
        with pytest.raises(BadParam):
            daq.await_daq_state("x", *ACQUIRING, float("nan"))
