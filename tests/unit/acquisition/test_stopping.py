"""Acquisitions stop by themselves, by command, or by force."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from idl_like_interfaces.daqif import DaqException
from idl_like_interfaces.documents import FitsFileSource, FitsKeywordsSource
from idl_like_interfaces.errors import Transient
from idl_like_interfaces.keywords import ValueKeyword
from idl_like_interfaces.metadaqif import MetaDaqException
from idl_like_interfaces.recif import RecExceptionErr, RecStatusName
from objects.acquisition.states import Phase
from tests.support.daq import Bench
from tests.support.eventually import eventually

DEAD = Transient("nobody answers")


@pytest.mark.spec("ESO-030", "ESO-034", "ESO-046")
@pytest.mark.parametrize("end", [RecStatusName.COMPLETED, RecStatusName.STOPPED])
def test_it_stops_when_the_primary_has_ended(bench: Bench, end: RecStatusName) -> None:
    """Stopping, Stopped and NotScheduled follow without a command."""
    id = bench.start()
    bench.a.end(end)
    bench.await_phase(id, Phase.SCHEDULED)
    assert bench.published(id) == [
        Phase.NOT_STARTED,
        Phase.STARTING,
        Phase.ACQUIRING,
        Phase.STOPPING,
        Phase.STOPPED,
        Phase.NOT_SCHEDULED,
        Phase.SCHEDULED,
    ]


def test_it_is_handed_over_at_once(tmp_path: Path) -> None:
    """After the end of the last primary nobody waits for the next attempt to hand over."""
    bench = Bench(tmp_path, dpm_retry_s=3600)
    try:
        id = bench.start("ab")
        bench.a.end()
        bench.b.end()
        bench.await_phase(id, Phase.SCHEDULED)
    finally:
        bench.close()


@pytest.mark.spec("ESO-031", "ESO-032")
def test_it_waits_for_the_last_primary(bench: Bench) -> None:
    """The metadata sources are stopped only after both primaries have ended."""
    id = bench.start("ab", "m")
    bench.a.end()
    session = bench.daq.get_status(id).file_id
    record = bench.component.coordinator.find(id).record
    eventually(lambda: record.context.result_of("a").state == "ended")
    assert bench.phase(id) is Phase.ACQUIRING
    assert "stop_daq" not in bench.m.calls
    bench.b.end()
    bench.await_phase(id, Phase.STOPPED)
    assert bench.m.states[session] == "Stopped"
    assert "rec_stop" not in bench.a.calls + bench.b.calls


@pytest.mark.spec("ESO-033")
def test_metadata_sources_alone_wait_for_a_command(bench: Bench) -> None:
    """Nothing ends them but a stop."""
    id = bench.start("", "mn")
    reply = bench.daq.await_daq_state(id, *Phase.STOPPED.value, 0.2)
    assert reply.timeout
    bench.daq.stop_daq(id)
    bench.await_phase(id, Phase.STOPPED)


@pytest.mark.spec("ESO-035")
def test_wait_requests_are_as_long_as_asked_and_repeated(bench: Bench) -> None:
    """Never longer than the interval."""
    id = bench.start(properties=json.dumps({"awaitInterval": 0.15}))
    eventually(lambda: len(bench.a.waits) >= 3)
    bench.a.end()
    bench.await_phase(id, Phase.STOPPED)
    assert set(bench.a.waits) == {0.15}


@pytest.mark.spec("ESO-036")
def test_an_early_end_is_noticed_at_once(bench: Bench) -> None:
    """Not at the end of an interval of an hour."""
    id = bench.start(properties=json.dumps({"awaitInterval": 3600}))
    eventually(lambda: bench.a.waits)
    bench.a.end()
    bench.await_phase(id, Phase.STOPPED)


@pytest.mark.spec("ESO-032", "ESO-037", "ESO-038")
def test_a_stop_ends_the_recordings(bench: Bench) -> None:
    """With rec_stop, before the metadata sources; no error, and it is Stopped or later."""
    id = bench.start("ab", "m")
    reply = bench.daq.stop_daq(id)
    assert (reply.id, reply.error) == (id, False)
    stops = [name for name, call in bench.journal if call in ("rec_stop", "stop_daq")]
    assert (sorted(stops[:2]), stops[2:]) == (["a", "b"], ["m"])
    assert bench.phase(id) in (Phase.NOT_SCHEDULED, Phase.SCHEDULED)


def test_stop_is_refused_outside_acquiring(bench: Bench) -> None:
    """The message says where it is and where stopping is possible."""
    bench.dpm.faults["*"] = DEAD
    id = bench.start("", "m")
    bench.daq.stop_daq(id)
    with pytest.raises(DaqException, match="StateMerging/NotScheduled") as refused:
        bench.daq.stop_daq(id)
    assert "StateAcquiring/Acquiring" in refused.value.remedy


@pytest.mark.spec("ESO-039", "ESO-041")
def test_when_every_source_fails_it_stays_and_may_be_repeated(bench: Bench) -> None:
    """An exception, Stopping, and a second stop succeeds once they are repaired."""
    id = bench.start("a", "m")
    bench.a.faults["*"] = bench.m.faults["*"] = DEAD
    with pytest.raises(DaqException, match="no source could be stopped"):
        bench.daq.stop_daq(id)
    assert bench.phase(id) is Phase.STOPPING
    assert bench.daq.get_status(id).error
    bench.a.faults.clear()
    bench.m.faults.clear()
    assert not bench.daq.stop_daq(id).error
    assert bench.daq.get_status(id).message == "[]"
    bench.await_phase(id, Phase.STOPPED)


@pytest.mark.spec("ESO-040", "ESO-085")
def test_when_some_fail_the_reply_says_so(bench: Bench) -> None:
    """No exception, error true, it stays in Stopping; those that stopped are not asked again."""
    id = bench.start("a", "m")
    bench.m.faults["stop_daq"] = MetaDaqException("disk full", id="")
    assert bench.daq.stop_daq(id).error
    status = bench.daq.get_status(id)
    assert (status.substate, status.error) == ("Stopping", True)
    assert "disk full" in status.message
    assert json.loads(status.message) == [f"Error: {each.description}" for each in status.alerts]
    bench.m.faults.clear()
    assert not bench.daq.stop_daq(id).error
    assert bench.a.calls.count("rec_stop") == 1


@pytest.mark.spec("ESO-042", "ESO-043", "ESO-044")
def test_force_goes_on_without_the_dead(bench: Bench) -> None:
    """Stopped with error true; the data of the dead source are not in the product."""
    id = bench.start("ab", "m")
    bench.a.faults["*"] = DEAD
    assert bench.daq.stop_daq(id).error
    assert bench.phase(id) is Phase.STOPPING
    assert bench.daq.force_stop_daq(id).error
    files = [each.location for each in bench.queued(id).sources if isinstance(each, FitsFileSource)]
    assert files == ["/data/b.fits", "/data/m.fits"]


@pytest.mark.spec("ESO-032", "ESO-041")
def test_metadata_goes_on_while_a_primary_may_record(bench: Bench) -> None:
    """One primary does not stop: the metadata sources wait for it, and a second stop ends both."""
    id = bench.start("ab", "m")
    bench.a.faults["rec_stop"] = DEAD
    assert bench.daq.stop_daq(id).error
    assert bench.phase(id) is Phase.STOPPING
    assert bench.m.calls == ["start_daq"]
    bench.a.faults.clear()
    assert not bench.daq.stop_daq(id).error
    stops = [name for name, call in bench.journal if call in ("rec_stop", "stop_daq")]
    assert stops[-2:] == ["a", "m"]
    files = [each.location for each in bench.queued(id).sources if isinstance(each, FitsFileSource)]
    assert sorted(files) == ["/data/a.fits", "/data/b.fits", "/data/m.fits"]


@pytest.mark.spec("ESO-032", "ESO-039")
def test_nothing_is_stopped_when_the_only_primary_is_not(bench: Bench) -> None:
    """That is a failure of the whole command; by force the metadata source is stopped, too."""
    id = bench.start("a", "m")
    bench.a.faults["*"] = DEAD
    with pytest.raises(DaqException, match="no source could be stopped"):
        bench.daq.stop_daq(id)
    assert bench.m.calls == ["start_daq"]
    assert bench.daq.force_stop_daq(id).error
    files = [each.location for each in bench.queued(id).sources if isinstance(each, FitsFileSource)]
    assert files == ["/data/m.fits"]


def test_metadata_does_not_wait_for_a_primary_that_has_failed(bench: Bench) -> None:
    """Its recording is over, though badly: the metadata source is stopped once."""
    id = bench.start("a", "m")
    bench.a.end(RecStatusName.FAILED, "shutter stuck")
    eventually(lambda: "stop_daq" in bench.m.calls)
    assert bench.phase(id) is Phase.STOPPING
    assert bench.daq.stop_daq(id).error
    assert bench.m.calls.count("stop_daq") == 1


@pytest.mark.spec("ESO-045")
def test_what_a_metadata_source_says_is_used(bench: Bench) -> None:
    """Files and keywords of its stop reply are in the specification of the product."""
    bench.m.keywords = [ValueKeyword(name="AIRMASS", value=1.2)]
    id = bench.start("", "m")
    bench.daq.stop_daq(id)
    _, keywords, file = bench.queued(id).sources
    assert keywords == FitsKeywordsSource(source_name="m", keywords=bench.m.keywords)
    assert file == FitsFileSource(source_name="m", location="/data/m.fits")


@pytest.mark.spec("ESO-047")
def test_no_source_is_asked_after_stopped(bench: Bench) -> None:
    """The stop is the last that a source hears, up to the end of the product."""
    id = bench.start("ab", "mn")
    bench.daq.stop_daq(id)
    bench.queued(id)
    before = [entry for entry in bench.journal if entry[0] != "dpm"]
    for source, last in ((bench.a, "rec_stop"), (bench.m, "stop_daq")):
        # The wait that the stop ends may be noted beside it.
        assert [call for call in source.calls if call != "rec_wait"][-1] == last
    bench.dpm.go(id, Phase.COLLECTING, Phase.MERGING, Phase.RELEASING, Phase.COMPLETED)
    bench.await_phase(id, Phase.COMPLETED)
    assert [entry for entry in bench.journal if entry[0] != "dpm"] == before


def test_a_recording_that_ended_badly_waits_for_the_operator(bench: Bench) -> None:
    """Its data would be missing: forced, or aborted, never by itself."""
    id = bench.start("ab")
    bench.a.end(RecStatusName.FAILED, "shutter stuck")
    bench.b.end()
    bench.await_phase(id, Phase.STOPPING)
    eventually(lambda: "shutter stuck" in bench.daq.get_status(id).message)
    assert bench.phase(id) is Phase.STOPPING
    bench.daq.force_stop_daq(id)
    assert [getattr(e, "location", "") for e in bench.queued(id).sources] == ["", "/data/b.fits"]


@pytest.mark.spec("ESO-059")
def test_a_lost_primary_is_an_alert_and_no_end(bench: Bench) -> None:
    """It is asked again, and the alert goes when it answers."""
    id = bench.start(properties=json.dumps({"awaitInterval": 0.1}))
    bench.a.faults["rec_wait"] = DEAD
    eventually(lambda: bench.daq.get_status(id).error)
    assert "nobody answers" in bench.daq.get_status(id).message
    assert bench.phase(id) is Phase.ACQUIRING
    bench.a.faults.clear()
    eventually(lambda: bench.daq.get_status(id).message == "[]")
    assert not bench.daq.get_status(id).error
    assert bench.phase(id) is Phase.ACQUIRING
    assert bench.published(id)[-1] is Phase.ACQUIRING
    assert "rec_abort" not in bench.a.calls


def test_an_unexpected_end_of_watching_is_told(bench: Bench) -> None:
    """A fault of our own: nobody would notice the end of the source, so the operator must."""
    bench.a.faults["rec_wait"] = ZeroDivisionError("a fault")
    id = bench.start()
    eventually(lambda: bench.daq.get_status(id).error)
    (alert,) = bench.daq.get_status(id).alerts
    assert "a is not watched any more: ZeroDivisionError: a fault" in alert.description
    assert "stop_daq" in alert.remedy
    bench.a.end()
    assert not bench.daq.stop_daq(id).error
    assert bench.daq.get_status(id).alerts == []


def test_a_primary_that_lost_its_session_tells_how_to_go_on(bench: Bench) -> None:
    """It was restarted while it recorded: waiting is in vain, a command must follow."""
    id = bench.start(properties=json.dumps({"awaitInterval": 0.1}))
    bench.a.faults["rec_wait"] = RecExceptionErr("no such session", remedy="start one", id="")
    eventually(lambda: bench.daq.get_status(id).error)
    (alert,) = bench.daq.get_status(id).alerts
    assert "restart" in alert.cause
    assert "force_stop_daq" in alert.remedy


def test_a_stop_whose_answer_was_lost_is_not_lost(bench: Bench) -> None:
    """A source that has stopped already is asked what it made."""
    id = bench.start("a", "m")
    session = bench.daq.get_status(id).file_id
    bench.m.stop_daq(session)
    assert not bench.daq.stop_daq(id).error
    assert [getattr(e, "location", "") for e in bench.queued(id).sources][1:] == ["/data/m.fits"]


def test_the_recording_of_somebody_else_is_not_stopped(bench: Bench) -> None:
    """The source has begun another session since: only the own one is taken."""
    id = bench.start("ab")
    bench.a.end(RecStatusName.COMPLETED)
    bench.daq.stop_daq(id)
    assert "rec_stop" not in bench.a.calls
    assert bench.b.calls.count("rec_stop") == 1


def test_its_way_is_shown_in_the_online_database(bench: Bench) -> None:
    """Where it stands and how many there are; nothing of it is left when it has ended."""
    id = bench.start()
    recorded = bench.site.recorded
    assert recorded["daq/active_count"] == 1
    assert recorded[f"daq/{id}/substate"] == "Acquiring"
    assert recorded["std/state"] == "Operational;Active"
    bench.daq.abort_daq(id)
    eventually(lambda: recorded["daq/active_count"] == 0)
    assert not [key for key in recorded if key.startswith(f"daq/{id}")]
