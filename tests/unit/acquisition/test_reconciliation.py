"""After an outage of OCM, DPM or both, what the coordinator says is true again."""

from __future__ import annotations

import json

import pytest

from idl_like_interfaces.daqif import STATUS_TOPIC, DaqStatus
from idl_like_interfaces.errors import OutcomeUnknown, Transient
from objects.acquisition.states import Phase
from tests.support.daq import Bench
from tests.support.eventually import eventually

DEAD = Transient("nobody answers")
PRODUCT = "/data/p.fits"
ASKED_AGAIN_S = 6.0


def scheduled(bench: Bench, meta: str = "m", id: str = "") -> str:
    """Return an acquisition that the DPM has."""
    found = bench.start("", meta, id=id)
    bench.daq.stop_daq(found)
    bench.queued(found)
    return found


def unheard(bench: Bench, id: str, *phases: Phase) -> None:
    """Let the DPM go on without anybody hearing of it."""
    bench.dpm.tell = lambda _: None
    bench.dpm.go(id, *phases, result=PRODUCT)


def kept(bench: Bench) -> object:
    """Return what is remembered of those that were aborted here only."""
    file = bench.data_root / "ocm" / "abandoned.json"
    return json.loads(file.read_text()) if file.exists() else {}


def forced_without_dpm(bench: Bench, id: str = "") -> str:
    """Return an acquisition that was aborted here while the DPM was away."""
    found = scheduled(bench, id=id)
    bench.dpm.faults["*"] = DEAD
    assert bench.daq.force_abort_daq(found).error
    assert bench.phase(found) is Phase.ABORTED
    return found


@pytest.mark.parametrize("end", [Phase.COMPLETED, Phase.ABORTED])
def test_the_dpm_ended_it_while_the_coordinator_was_down(bench: Bench, end: Phase) -> None:
    """It is asked at the start; the end is published and archived."""
    id = scheduled(bench)
    bench.component.stop()
    unheard(bench, id, Phase.COLLECTING, end)
    bench.restart()
    eventually(lambda: bench.phase(id) is end)
    assert bench.daq.get_active_list() == []
    assert bench.daq.get_status(id).result == PRODUCT


def test_both_were_down(bench: Bench) -> None:
    """Until the DPM is back the last that was known stands, with a warning."""
    first, second = scheduled(bench, "m"), scheduled(bench, "n")
    unheard(bench, first, Phase.COLLECTING, Phase.COMPLETED)
    unheard(bench, second, Phase.COLLECTING, Phase.MERGING)
    bench.dpm.faults["*"] = DEAD
    bench.restart()
    eventually(lambda: "does not tell" in bench.daq.get_status(first).message)
    assert bench.phase(first) is Phase.SCHEDULED
    assert not bench.daq.get_status(first).error
    bench.dpm.faults.clear()
    bench.site.clock.advance(ASKED_AGAIN_S)
    eventually(lambda: bench.phase(first) is Phase.COMPLETED)
    eventually(lambda: bench.phase(second) is Phase.MERGING)
    eventually(lambda: bench.daq.get_status(second).message == "[]")


@pytest.mark.spec("ESO-063", "ESO-064")
@pytest.mark.parametrize("restarted", [False, True])
def test_what_was_aborted_here_only_is_asked_for(bench: Bench, *, restarted: bool) -> None:
    """The DPM finished it, and its event was lost: the product is told all the same."""
    id = forced_without_dpm(bench)
    assert kept(bench) == {id: id}
    if restarted:
        bench.restart()
    unheard(bench, id, Phase.COLLECTING, Phase.MERGING)
    bench.dpm.faults.clear()
    bench.site.clock.advance(ASKED_AGAIN_S)
    eventually(lambda: "get_daq_status" in bench.dpm.calls)
    assert bench.phase(id) is Phase.ABORTED
    bench.dpm.go(id, Phase.RELEASING, Phase.COMPLETED, result=PRODUCT)
    bench.site.clock.advance(ASKED_AGAIN_S)
    eventually(lambda: bench.phase(id) is Phase.COMPLETED)
    eventually(lambda: kept(bench) == {})
    assert bench.daq.get_status(id).result == PRODUCT
    told = [b for t, b in bench.site.events if t == STATUS_TOPIC and isinstance(b, DaqStatus)]
    assert (told[-1].id, told[-1].result) == (id, PRODUCT)


def test_what_the_dpm_never_had_is_forgotten(bench: Bench) -> None:
    """The answer to the hand-over was lost, and the request as well."""
    bench.dpm.faults["queue_daq"] = OutcomeUnknown("no answer")
    bench.dpm.faults["abort_daq"] = DEAD
    id = bench.start("", "m")
    bench.daq.stop_daq(id)
    record = bench.component.coordinator.find(id).record
    eventually(lambda: record.context.maybe_queued)
    bench.daq.abort_daq(id)
    bench.dpm.faults.clear()
    bench.site.clock.advance(ASKED_AGAIN_S)
    eventually(lambda: "get_daq_status" in bench.dpm.calls and kept(bench) == {})
    assert bench.phase(id) is Phase.ABORTED


def test_an_id_in_use_again_is_another_acquisition(bench: Bench) -> None:
    """What the DPM says of the abandoned one does not touch the new one."""
    forced_without_dpm(bench, id="x")
    bench.start("", "n", id="x")
    bench.dpm.faults.clear()
    unheard(bench, "x", Phase.COLLECTING, Phase.COMPLETED)
    bench.site.clock.advance(ASKED_AGAIN_S)
    eventually(lambda: kept(bench) == {})
    assert bench.phase("x") is Phase.ACQUIRING


def test_a_damaged_list_of_the_abandoned_is_passed_over(bench: Bench) -> None:
    """The coordinator starts; only the DPM's events tell of them then."""
    forced_without_dpm(bench)
    (bench.data_root / "ocm" / "abandoned.json").write_text("[")
    bench.restart()
    assert bench.daq.get_active_list() == []


def test_a_disk_that_does_not_take_the_list_does_not_keep_from_aborting(bench: Bench) -> None:
    """It is remembered until the end of the process."""
    id = scheduled(bench)
    (bench.data_root / "ocm" / "abandoned.json").mkdir()
    bench.dpm.faults["*"] = DEAD
    bench.daq.force_abort_daq(id)
    assert bench.phase(id) is Phase.ABORTED
    unheard(bench, id, Phase.COMPLETED)
    bench.dpm.faults.clear()
    bench.site.clock.advance(ASKED_AGAIN_S)
    eventually(lambda: bench.phase(id) is Phase.COMPLETED)
