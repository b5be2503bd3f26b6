"""After an outage of OCM, DPM or both, what the coordinator says is true again."""

from __future__ import annotations

import json

import pytest

from idl_like_interfaces.daqif import STATUS_TOPIC, DaqStatus
from idl_like_interfaces.errors import OutcomeUnknown, Transient
from objects.acquisition.states import Phase
from tests.support.daq import Bench, event_of
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


def kept(bench: Bench) -> dict[str, str]:
    """Return what is remembered of those that were aborted here only: ids by file id."""
    file = bench.data_root / "ocm" / "abandoned.json"
    told = json.loads(file.read_text()) if file.exists() else []
    return {each["fileId"]: each["id"] for each in told}


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


def test_what_was_given_up_as_stale_is_asked_for(bench: Bench) -> None:
    """The DPM finishes it in the end: the product is told, and the alert is gone."""
    id = scheduled(bench)
    bench.site.clock.advance(49 * 3600)
    bench.restart()
    assert [each.id for each in bench.daq.get_status(id).alerts] == ["stale"]
    unheard(bench, id, Phase.COLLECTING, Phase.COMPLETED)
    bench.site.clock.advance(ASKED_AGAIN_S)
    eventually(lambda: bench.phase(id) is Phase.COMPLETED)
    status = bench.daq.get_status(id)
    assert (status.result, status.alerts) == (PRODUCT, [])


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


def test_the_end_of_an_abandoned_one_is_known_although_its_id_is_in_use(bench: Bench) -> None:
    """It stands in the archive, and who watches the id hears nothing of it."""
    forced_without_dpm(bench, id="x")
    old = bench.daq.get_status("x").file_id
    new = bench.start("", "n", id="x")
    bench.dpm.faults.clear()
    before = bench.published("x")
    bench.dpm.go("x", Phase.COLLECTING, Phase.COMPLETED, result=PRODUCT)
    corrected = bench.component.workspace.past.of_file_id("x", old)
    assert corrected is not None
    assert (corrected[0].substate, corrected[0].result) == ("Completed", PRODUCT)
    assert (bench.phase(new), bench.published("x")) == (Phase.ACQUIRING, before)


def test_an_older_one_in_the_archive_is_corrected_too(bench: Bench) -> None:
    """The one that had its id after it has ended as well, and is as it was."""
    forced_without_dpm(bench, id="x")
    old = bench.daq.get_status("x").file_id
    bench.start("", "n", id="x")
    bench.daq.abort_daq("x")
    ended = bench.daq.get_status("x")
    bench.dpm.faults.clear()
    bench.dpm.go("x", Phase.COLLECTING, Phase.COMPLETED, result=PRODUCT)
    corrected = bench.component.workspace.past.of_file_id("x", old)
    assert corrected is not None
    assert corrected[0].result == PRODUCT
    assert bench.daq.get_status("x") == ended


def test_each_abandoned_one_of_an_id_is_remembered(bench: Bench) -> None:
    """An id may be given up twice while the DPM is away."""
    forced_without_dpm(bench, id="x")
    first = bench.daq.get_status("x").file_id
    bench.dpm.faults["queue_daq"] = OutcomeUnknown("no answer")
    bench.start("", "n", id="x")
    bench.daq.stop_daq("x")
    record = bench.component.coordinator.find("x").record
    eventually(lambda: record.context.maybe_queued)
    bench.daq.abort_daq("x")
    assert kept(bench) == {first: "x", record.status.file_id: "x"}


def test_the_list_of_an_earlier_version_is_read(bench: Bench) -> None:
    """It has file ids by id."""
    id = forced_without_dpm(bench, id="x")
    file_id = bench.daq.get_status(id).file_id
    file = bench.data_root / "ocm" / "abandoned.json"
    file.write_text(json.dumps({"x": file_id}))
    bench.restart()
    unheard(bench, id, Phase.COMPLETED)
    bench.dpm.faults.clear()
    bench.site.clock.advance(ASKED_AGAIN_S)
    eventually(lambda: bench.phase(id) is Phase.COMPLETED)
    eventually(lambda: json.loads(file.read_text()) == [])


def test_an_archive_that_cannot_be_read_now_costs_no_news(bench: Bench) -> None:
    """Those of others are taken, and the end of the abandoned one is asked for again."""
    id = forced_without_dpm(bench)
    bench.dpm.faults.clear()
    other = scheduled(bench, "n")
    archive, aside = bench.data_root / "ocm" / "archive", bench.data_root / "aside"
    archive.rename(aside)
    archive.write_text("this is no folder")
    told: list[DaqStatus] = []
    bench.dpm.tell = told.append
    bench.dpm.go(id, Phase.COMPLETED, result=PRODUCT)
    bench.dpm.go(other, Phase.COLLECTING)
    link = bench.component.coordinator.dpm_link
    link.hear([event_of(each) for each in told])
    assert bench.phase(other) is Phase.COLLECTING
    asked = bench.dpm.calls.count("get_daq_status")
    bench.site.clock.advance(ASKED_AGAIN_S)
    # For the other one, for the abandoned one, and then for one of them once more.
    eventually(lambda: bench.dpm.calls.count("get_daq_status") >= asked + 2)
    bench.site.clock.advance(ASKED_AGAIN_S)
    eventually(lambda: bench.dpm.calls.count("get_daq_status") >= asked + 3)
    archive.unlink()
    aside.rename(archive)
    bench.site.clock.advance(ASKED_AGAIN_S)
    eventually(lambda: bench.phase(id) is Phase.COMPLETED)
    assert bench.daq.get_status(id).result == PRODUCT


def test_news_of_an_older_one_do_not_count_as_news_of_its_successor(patient: Bench) -> None:
    """The successor is asked for although the DPM speaks of its id."""
    forced_without_dpm(patient, id="x")
    old = patient.dpm.statuses["x"]
    patient.dpm.faults.clear()
    new = scheduled(patient, "n", id="x")
    eventually(lambda: patient.phase(new) is Phase.SCHEDULED)
    unheard(patient, new, Phase.COLLECTING)
    link, site = patient.component.coordinator.dpm_link, patient.site

    def hears_of_the_old_one_only() -> bool:
        link.hear([event_of(old)])
        site.clock.advance(1.0)
        return patient.phase(new) is Phase.COLLECTING

    eventually(hears_of_the_old_one_only)


def test_a_seldom_tried_dpm_is_asked_in_time(patient: Bench) -> None:
    """The time between attempts to hand over is not that between questions."""
    id = scheduled(patient)
    abandoned = forced_without_dpm(patient, id="x")
    patient.dpm.faults.clear()
    for each in (id, abandoned):
        unheard(patient, each, Phase.COMPLETED)
    patient.site.clock.advance(ASKED_AGAIN_S)
    eventually(lambda: patient.phase(id) is patient.phase(abandoned) is Phase.COMPLETED)


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
