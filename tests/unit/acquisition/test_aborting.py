"""Acquisitions are aborted at the sources, in between, and at the DPM."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from idl_like_interfaces.daqif import DaqException
from idl_like_interfaces.errors import BadOperation, OutcomeUnknown, Transient
from idl_like_interfaces.mapping.coding import to_json
from idl_like_interfaces.metadaqif import MetaDaqState
from idl_like_interfaces.recif import RecStatusName
from objects.acquisition import alerts
from objects.acquisition.handing import Handing
from objects.acquisition.states import Phase
from tests.support.daq import Bench
from tests.support.eventually import eventually

DEAD = Transient("nobody answers")
ENDED = DaqException("it has ended", id="x")


def taken_unheard(bench: Bench) -> str:
    """Return an acquisition that the DPM has taken without the coordinator hearing of it."""
    bench.dpm.faults["queue_daq"] = OutcomeUnknown("no answer")
    id = bench.start("", "m")
    bench.daq.stop_daq(id)
    record = bench.component.coordinator.find(id).record
    eventually(lambda: record.context.maybe_queued)
    bench.dpm.faults.clear()
    bench.dpm.queue_daq(to_json(record.context.specification()))
    return id


@pytest.mark.spec("ESO-053", "ESO-054", "ESO-058")
def test_an_abort_discards_everything(bench: Bench) -> None:
    """Aborting, Aborted; rec_abort at the primaries, abort_daq at the metadata sources."""
    id = bench.start("ab", "m")
    assert not bench.daq.abort_daq(id).error
    assert bench.published(id)[-2:] == [Phase.ABORTING, Phase.ABORTED]
    for rec in (bench.a, bench.b):
        assert rec.sessions[rec.current].status is RecStatusName.ABORTED
    assert list(bench.m.states.values()) == [MetaDaqState.ABORTED]
    assert bench.dpm.calls == []


@pytest.mark.spec("ESO-055", "ESO-056")
def test_a_failing_source_keeps_it_in_aborting(bench: Bench) -> None:
    """An exception; repeated once the source is repaired, it succeeds."""
    id = bench.start("ab")
    bench.a.faults["rec_abort"] = BadOperation("rec_abort is not implemented")
    with pytest.raises(DaqException, match="not implemented"):
        bench.daq.abort_daq(id)
    assert bench.phase(id) is Phase.ABORTING
    bench.a.faults.clear()
    assert not bench.daq.abort_daq(id).error
    assert bench.phase(id) is Phase.ABORTED
    assert bench.b.calls.count("rec_abort") == 1


@pytest.mark.spec("ESO-057", "ESO-058")
def test_force_aborts_whatever_the_sources_answer(bench: Bench) -> None:
    """The reply has error true."""
    id = bench.start("a", "m")
    bench.a.faults["*"] = DEAD
    assert bench.daq.force_abort_daq(id).error
    assert bench.daq.get_status(id).error
    assert bench.phase(id) is Phase.ABORTED


@pytest.mark.spec("ESO-060")
def test_in_not_scheduled_the_dpm_need_not_be_there(bench: Bench) -> None:
    """Nothing was handed over."""
    bench.dpm.faults["*"] = DEAD
    id = bench.start("", "m")
    bench.daq.stop_daq(id)
    assert bench.phase(id) is Phase.NOT_SCHEDULED
    bench.daq.abort_daq(id)
    assert bench.phase(id) is Phase.ABORTED
    assert "abort_daq" not in bench.dpm.calls


def test_what_the_dpm_may_have_is_withdrawn(bench: Bench) -> None:
    """The answer to the hand-over was lost: the DPM is told of the abort, too."""
    bench.dpm.faults["queue_daq"] = OutcomeUnknown("no answer")
    id = bench.start("", "m")
    bench.daq.stop_daq(id)
    record = bench.component.coordinator.find(id).record
    eventually(lambda: record.context.maybe_queued)
    assert not bench.daq.abort_daq(id).error
    assert "abort_daq" in bench.dpm.calls
    assert bench.phase(id) is Phase.ABORTED


def test_news_of_the_abort_may_be_faster_than_its_answer(patient: Bench) -> None:
    """The DPM tells its states before the request to abort returns: no more is done here."""
    id = taken_unheard(patient)
    assert not patient.daq.abort_daq(id).error
    assert patient.published(id)[-2:] == [Phase.ABORTING_MERGE, Phase.ABORTED]


@pytest.mark.parametrize("end", [Phase.COMPLETED, Phase.ABORTED])
def test_what_the_dpm_has_ended_is_not_taken_for_never_queued(patient: Bench, end: Phase) -> None:
    """Its refusal has two reasons, so it is asked: a product stands, an abort is what was wanted."""
    id = taken_unheard(patient)
    patient.dpm.tell = lambda _: None
    patient.dpm.go(id, Phase.COLLECTING, end, result="/p.fits")
    patient.dpm.faults["abort_daq"] = ENDED
    if end is Phase.COMPLETED:
        with pytest.raises(DaqException, match=r"Completed.*was not aborted"):
            patient.daq.abort_daq(id)
    else:
        assert not patient.daq.abort_daq(id).error
    status = patient.daq.get_status(id)
    assert ((status.state, status.substate), status.result) == (end.value, "/p.fits")


def test_another_acquisition_of_the_id_is_not_taken_for_it(patient: Bench) -> None:
    """What the DPM has ended is of another time: this one was never queued."""
    id = taken_unheard(patient)
    patient.dpm.statuses[id] = replace(
        patient.dpm.statuses[id], file_id="TEST.2020-01-01T00:00:00.000"
    )
    patient.dpm.go(id, Phase.COMPLETED, result="/p.fits")
    patient.dpm.faults["abort_daq"] = ENDED
    assert not patient.daq.abort_daq(id).error
    assert (patient.phase(id), patient.daq.get_status(id).result) == (Phase.ABORTED, "")


@pytest.mark.spec("ESO-061")
def test_from_scheduled_on_it_is_forwarded(bench: Bench) -> None:
    """The DPM aborts; its word is taken over."""
    id = bench.start("", "m")
    bench.daq.stop_daq(id)
    bench.queued(id)
    bench.daq.abort_daq(id)
    assert bench.dpm.calls.count("abort_daq") == 1
    assert bench.published(id)[-2:] == [Phase.ABORTING_MERGE, Phase.ABORTED]


@pytest.mark.spec("ESO-062", "ESO-063", "ESO-064")
def test_a_dpm_that_is_down(bench: Bench) -> None:
    """Abort fails and changes nothing; force aborts here; later the DPM has the last word."""
    id = bench.start("", "m")
    bench.daq.stop_daq(id)
    bench.queued(id)
    bench.dpm.faults["*"] = DEAD
    with pytest.raises(DaqException, match="not aborted by the DPM"):
        bench.daq.abort_daq(id)
    assert bench.phase(id) is Phase.SCHEDULED
    assert bench.daq.force_abort_daq(id).error
    assert bench.phase(id) is Phase.ABORTED
    bench.dpm.faults.clear()
    bench.dpm.go(id, Phase.COLLECTING, Phase.COMPLETED, result="/p.fits")
    status = bench.daq.get_status(id)
    assert (status.substate, status.result) == ("Completed", "/p.fits")


@pytest.mark.spec("ESO-066")
@pytest.mark.parametrize("command", ["stop_daq", "abort_daq", "force_stop_daq", "force_abort_daq"])
def test_an_unknown_id_is_refused(bench: Bench, command: str) -> None:
    """With that id in the error."""
    with pytest.raises(DaqException, match="no such id") as refused:
        getattr(bench.daq, command)("no such id")
    assert refused.value.id == "no such id"


def test_an_ended_one_is_refused(bench: Bench) -> None:
    """It says how it ended."""
    id = bench.start()
    bench.daq.abort_daq(id)
    with pytest.raises(DaqException, match="has ended"):
        bench.daq.abort_daq(id)


def test_an_alert_that_comes_behind_the_end_changes_nothing(bench: Bench) -> None:
    """The DPM hangs, the operator aborts by force, then the old question to the DPM fails."""
    id = bench.start("", "m")
    bench.daq.stop_daq(id)
    bench.await_phase(id, Phase.SCHEDULED)
    acquisition = bench.component.coordinator.find(id)
    bench.dpm.faults["*"] = DEAD
    bench.daq.force_abort_daq(id)
    ended, published = bench.daq.get_status(id), len(bench.published(id))
    archive = sorted(each.name for each in bench.component.workspace.folder.rglob(f"{id}*"))
    acquisition.refresh()
    acquisition.record.set_alert(alerts.alert("late", DEAD, bench.site.clock.utc()))
    acquisition.record.set_maybe_queued()
    assert bench.daq.get_status(id) == ended
    assert len(bench.published(id)) == published
    assert archive == sorted(e.name for e in bench.component.workspace.folder.rglob(f"{id}*"))


def test_the_dpm_may_complete_it_while_it_is_aborted_here(bench: Bench) -> None:
    """Its word comes between the decision to force and the end here: the product stands."""
    id = bench.start("", "m")
    bench.daq.stop_daq(id)
    bench.queued(id)
    record = bench.component.coordinator.find(id).record
    bench.dpm.faults["abort_daq"] = DEAD
    handing = Handing(
        bench.dpm, bench.site.clock, lambda who, _: bench.dpm.go(who, Phase.COMPLETED, result="/p")
    )
    with pytest.raises(DaqException, match=r"Completed.*was not aborted"):
        handing.abort(record, force=True)
    status = bench.daq.get_status(id)
    assert (status.substate, status.result, status.alerts) == ("Completed", "/p", [])


def test_a_forced_abort_asks_a_hanging_dpm_once(patient: Bench) -> None:
    """Each further question would cost the operator the deadline again."""
    id = patient.start("", "m")
    patient.daq.stop_daq(id)
    patient.queued(id)
    before = len(patient.dpm.calls)
    patient.dpm.faults["*"] = OutcomeUnknown("no answer")
    assert patient.daq.force_abort_daq(id).error
    assert patient.dpm.calls[before:] == ["abort_daq"]
    assert "aborted here only" in patient.daq.get_status(id).message
