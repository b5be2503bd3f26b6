"""What every implementation of ``DpmDaqControl`` does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from idl_like_interfaces.daqif import (
    DaqException,
    DaqState,
    DaqStatus,
    DaqSubstate,
    DpmDaqControl,
)

WaitFor = Callable[[str, DaqSubstate, bool], DaqStatus]
"""Waits until an acquisition is in a substate with that error flag."""


class DpmDaqControlContract:
    """Inherit it and give the three fixtures; the merger joins the sources' octets."""

    @pytest.fixture
    def daq(self) -> Iterator[DpmDaqControl]:
        """Yield a client of an empty, running DPM."""
        raise NotImplementedError

    @pytest.fixture
    def wait_for(self) -> WaitFor:
        """Return a way to wait."""
        raise NotImplementedError

    @pytest.fixture
    def source(self) -> Path:
        """Return a file that can be merged."""
        raise NotImplementedError

    @staticmethod
    def specification(id: str, file: Path | str) -> str:
        """Return the specification of a product of one file."""
        source = {"type": "fitsFile", "sourceName": "s", "location": str(file)}
        return json.dumps({"id": id, "sources": [source], "target": {"fileId": f"F.{id}"}})

    def test_a_queued_acquisition_is_completed(
        self, daq: DpmDaqControl, wait_for: WaitFor, source: Path
    ) -> None:
        """The reply has its id; at its end the status has the product."""
        assert daq.queue_daq(self.specification("A.1", source)).id == "A.1"
        status = wait_for("A.1", DaqSubstate.COMPLETED, False)
        assert (status.id, status.file_id, status.state) == ("A.1", "F.A.1", DaqState.COMPLETED)
        assert Path(status.result).is_file()
        assert daq.get_daq_status("A.1") == status

    @pytest.mark.spec("ESO-099")
    def test_only_unended_ones_are_active(
        self, daq: DpmDaqControl, wait_for: WaitFor, source: Path
    ) -> None:
        """In the order of the queue; what has ended is not listed."""
        daq.queue_daq(self.specification("B.1", source.with_name("missing")))
        daq.queue_daq(self.specification("A.1", source))
        daq.queue_daq(self.specification("C.1", source.with_name("missing")))
        wait_for("A.1", DaqSubstate.COMPLETED, False)
        assert [status.id for status in daq.get_active_daqs()] == ["B.1", "C.1"]

    def test_queueing_the_same_again_changes_nothing(
        self, daq: DpmDaqControl, wait_for: WaitFor, source: Path
    ) -> None:
        """A repeated request is answered as the first, before and after the end."""
        text = self.specification("A.1", source)
        first = daq.queue_daq(text)
        assert daq.queue_daq(text) == first
        ended = wait_for("A.1", DaqSubstate.COMPLETED, False)
        assert daq.queue_daq(text) == first
        assert daq.get_daq_status("A.1") == ended
        assert daq.get_active_daqs() == []

    def test_another_specification_of_a_queued_id_is_refused(
        self, daq: DpmDaqControl, wait_for: WaitFor, source: Path
    ) -> None:
        """The first one stays as it is."""
        missing = source.with_name("missing")
        daq.queue_daq(self.specification("A.1", missing))
        before = wait_for("A.1", DaqSubstate.COLLECTING, True)
        with pytest.raises(DaqException, match="queued already") as refused:
            daq.queue_daq(self.specification("A.1", source))
        assert refused.value.id == "A.1"
        assert refused.value.remedy
        assert daq.get_daq_status("A.1") == before

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"id": "A.1"}', "null"])
    def test_a_malformed_specification_is_refused(self, daq: DpmDaqControl, text: str) -> None:
        """Nothing is queued."""
        with pytest.raises(DaqException, match="specification"):
            daq.queue_daq(text)
        assert daq.get_active_daqs() == []

    @pytest.mark.spec("ESO-098")
    @pytest.mark.parametrize("id", ["unknown", "", "..", "../archive", "a/b"])
    def test_an_unknown_id_is_refused_everywhere(self, daq: DpmDaqControl, id: str) -> None:
        """Status, abort and retry say which id is not known."""
        for operation in (daq.get_daq_status, daq.abort_daq, daq.retry_merge_daq):
            with pytest.raises(DaqException, match="not known") as refused:
                operation(id)
            assert refused.value.id == id

    def test_an_aborted_one_ends(self, daq: DpmDaqControl, wait_for: WaitFor, source: Path) -> None:
        """It is Aborted without a product, and then cannot be aborted or retried."""
        daq.queue_daq(self.specification("A.1", source.with_name("missing")))
        assert daq.abort_daq("A.1").id == "A.1"
        status = wait_for("A.1", DaqSubstate.ABORTED, False)
        assert (status.state, status.result) == (DaqState.COMPLETED, "")
        for operation in (daq.abort_daq, daq.retry_merge_daq):
            with pytest.raises(DaqException, match="has ended") as refused:
                operation("A.1")
            assert refused.value.id == "A.1"

    @pytest.mark.spec("ESO-095", "ESO-097")
    def test_a_stuck_one_goes_on_after_a_retry(
        self, daq: DpmDaqControl, wait_for: WaitFor, source: Path
    ) -> None:
        """Its alert says what is missing; repaired and retried it completes."""
        late = source.with_name("late.fits")
        daq.queue_daq(self.specification("A.1", late))
        status = wait_for("A.1", DaqSubstate.COLLECTING, True)
        assert status.alerts
        assert str(late) in status.message
        late.write_bytes(source.read_bytes())
        daq.retry_merge_daq("A.1")
        wait_for("A.1", DaqSubstate.COMPLETED, False)

    @pytest.mark.spec("ESO-068")
    def test_without_alerts_the_message_is_an_empty_list(
        self, daq: DpmDaqControl, wait_for: WaitFor, source: Path
    ) -> None:
        """The text ``[]``, as clients of the original expect."""
        daq.queue_daq(self.specification("A.1", source))
        status = wait_for("A.1", DaqSubstate.COMPLETED, False)
        assert (status.message, status.alerts, status.error) == ("[]", [], False)

    def test_the_story_of_a_product_is_told(
        self, daq: DpmDaqControl, wait_for: WaitFor, source: Path
    ) -> None:
        """States without a hole, files with their sizes, product; also of one in progress."""
        daq.queue_daq(self.specification("B.1", source.with_name("missing")))
        daq.queue_daq(self.specification("A.1", source))
        wait_for("A.1", DaqSubstate.COMPLETED, False)
        story = daq.get_story("A.1")
        assert story.status == daq.get_daq_status("A.1")
        assert [each.substate for each in story.states] == [
            DaqSubstate.SCHEDULED,
            DaqSubstate.COLLECTING,
            DaqSubstate.MERGING,
            DaqSubstate.RELEASING,
            DaqSubstate.COMPLETED,
        ]
        assert [each.duration_s is None for each in story.states] == [False] * 4 + [True]
        assert [(each.path, each.size_bytes) for each in story.files] == [
            (str(source), source.stat().st_size)
        ]
        assert story.product is not None
        assert story.product.path == story.status.result
        (alert,) = daq.get_story("B.1").alerts
        assert (alert.cleared, alert.alert.id) == (None, "collect/0_s_missing")

    def test_the_story_of_an_unknown_one_is_refused(self, daq: DpmDaqControl) -> None:
        """As its status."""
        with pytest.raises(DaqException, match="not known"):
            daq.get_story("unknown")
