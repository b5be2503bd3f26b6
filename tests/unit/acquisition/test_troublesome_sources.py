"""Sources that are late, dead, hanging or lying hold up nobody else, and nobody is told a lie."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace
from typing_extensions import override

from idl_like_interfaces.daqif import DaqException
from idl_like_interfaces.documents import FitsFileSource
from idl_like_interfaces.metadaqif import MetaDaqReply, MetaDaqStopReply
from idl_like_interfaces.recif import RecProperties, RecStatus, RecStatusName, RecWaitStatus
from objects.acquisition.product import SourceState
from objects.acquisition.states import Phase
from tests.support.daq import Bench, ScriptedMeta, ScriptedRec
from tests.support.eventually import eventually

PATIENCE_S = 20.0
COUNT = 12

REQUESTS = {
    "start": ("rec_start", "start_daq"),
    "stop": ("rec_stop", "stop_daq"),
    "abort": ("rec_abort", "abort_daq"),
}


class Together(threading.Event):
    """Opens only when so many wait at it at the same time."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._barrier = threading.Barrier(count)

    @override
    def wait(self, timeout: float | None = None) -> bool:
        self._barrier.wait(timeout)
        return True


def many(bench: Bench) -> tuple[str, str, list[ScriptedRec], list[ScriptedMeta]]:
    """Bind many sources; return them as the arguments of a start name them, and themselves."""
    recs = [ScriptedRec(f"r{number}", bench.journal) for number in range(COUNT)]
    metas = [ScriptedMeta(f"m{number}", bench.journal) for number in range(COUNT)]
    for source in (*recs, *metas):
        bench.site.bind(f"obs/{source.name}", source)
    prim = " ".join(f"{each.name}@obs/{each.name}" for each in recs)
    meta = " ".join(f"{each.name}@obs/{each.name}" for each in metas)
    return prim, meta, recs, metas


@pytest.mark.parametrize("command", ["stop", "abort"])
def test_all_sources_are_asked_at_the_same_time(bench: Bench, command: str) -> None:
    """None answers before all of its kind have been asked: one after the other would never end."""
    prim, meta, recs, metas = many(bench)
    for what in ("start", command):
        of_rec, of_meta = REQUESTS[what]
        together, also = Together(COUNT), Together(COUNT)
        if what == "abort":
            together = also = Together(2 * COUNT)
        for rec in recs:
            rec.gates[of_rec] = together
        for metadata in metas:
            metadata.gates[of_meta] = also
    id = bench.daq.start_daq(prim_sources=prim, meta_sources=meta).id
    getattr(bench.daq, f"{command}_daq")(id)
    for what in ("start", command):
        assert [len(each.calls) and each.calls.count(REQUESTS[what][0]) for each in recs] == (
            [1] * COUNT
        )
    for rec in recs:
        rec.close()


def test_a_hanging_source_holds_up_no_other_acquisition(bench: Bench) -> None:
    """Others start, stop and end; status and list are told; keywords are updated."""
    gate = bench.a.gates["rec_start"] = threading.Event()
    with ThreadPoolExecutor() as pool:
        try:
            hanging = pool.submit(bench.start, "a", "m", id="x")
            eventually(lambda: "rec_start" in bench.a.calls)
            other = bench.start("b", "n")
            assert bench.phase("x") is Phase.STARTING
            assert {each.id for each in bench.daq.get_active_list()} == {"x", other}
            assert bench.daq.update_keywords("x", "[]").id == "x"
            assert not bench.daq.stop_daq(other).error
            bench.queued(other)
        finally:
            gate.set()
        assert hanging.result(PATIENCE_S) == "x"


def test_force_aborts_a_start_that_hangs(bench: Bench) -> None:
    """It does not wait for the source, and what that starts too late is aborted all the same."""
    gate = bench.a.gates["rec_start"] = threading.Event()
    with ThreadPoolExecutor() as pool:
        try:
            hanging = pool.submit(bench.start, "a", "m", id="x")
            eventually(lambda: "rec_start" in bench.a.calls)
            bench.daq.force_abort_daq("x")
            assert bench.phase("x") is Phase.ABORTED
            with pytest.raises(DaqException, match="given up") as refused:
                hanging.result(PATIENCE_S)
            assert "force_abort" in refused.value.cause
            assert bench.a.sessions == {}
        finally:
            gate.set()
    eventually(lambda: bench.a.current and bench.a.sessions[bench.a.current].status.is_final)
    assert bench.a.sessions[bench.a.current].status is RecStatusName.ABORTED


def test_an_abort_waits_for_the_answer_of_a_source_that_starts(bench: Bench) -> None:
    """Nobody says aborted while it may begin to record; but no further source is started."""
    gate = bench.m.gates["start_daq"] = threading.Event()
    with ThreadPoolExecutor() as pool:
        try:
            starting = pool.submit(bench.start, "a", "m", id="x")
            eventually(lambda: "start_daq" in bench.m.calls)
            aborting = pool.submit(bench.daq.abort_daq, "x")
            turn = bench.component.coordinator.find("x")._turn
            eventually(lambda: turn._waiting)
            assert bench.phase("x") is Phase.STARTING
        finally:
            gate.set()
        assert not aborting.result(PATIENCE_S).error
        assert isinstance(starting.exception(PATIENCE_S), DaqException)
    assert bench.phase("x") is Phase.ABORTED
    assert bench.a.calls == []
    assert "abort_daq" in bench.m.calls


def test_force_stops_a_stop_that_hangs(bench: Bench) -> None:
    """What the hanging source made is taken all the same when it has answered meanwhile."""
    id = bench.start("ab")
    gate = bench.a.gates["rec_stop"] = threading.Event()
    with ThreadPoolExecutor() as pool:
        stopping = pool.submit(bench.daq.stop_daq, id)
        eventually(lambda: "rec_stop" in bench.a.calls and "rec_stop" in bench.b.calls)
        forcing = pool.submit(bench.daq.force_stop_daq, id)
        assert isinstance(stopping.exception(PATIENCE_S), DaqException)
        gate.set()
        forcing.result(PATIENCE_S)
    assert len(bench.queued(id).sources) == 3


@pytest.mark.parametrize("command", ["stop", "abort"])
def test_an_end_between_question_and_command_is_no_failure(bench: Bench, command: str) -> None:
    """The source recorded when it was asked, and does not any more when it is told to end."""
    id = bench.start("a", "m")
    rec, meta = REQUESTS[command]

    class Ending(threading.Event):
        def __init__(self, end: Callable[[], object]) -> None:
            super().__init__()
            self._end = end

        @override
        def wait(self, timeout: float | None = None) -> bool:
            bench.a.gates.clear()
            bench.m.gates.clear()
            self._end()
            return True

    bench.a.gates[rec] = Ending(bench.a.end)
    bench.m.gates[meta] = Ending(lambda: bench.m.stop_daq(id))
    assert not getattr(bench.daq, f"{command}_daq")(id).error
    assert bench.phase(id) is not Phase.ABORTING


class Liar(ScriptedRec):
    """A detector whose answers can be made up."""

    def __init__(self, name: str, journal: list[tuple[str, str]]) -> None:
        super().__init__(name, journal)
        self.start_answer: RecStatus | None = None
        self.stop_answer: RecStatus | None = None
        self.wait_answer: RecWaitStatus | None = None

    @override
    def rec_start(self, properties: RecProperties) -> RecStatus:
        true = super().rec_start(properties)
        return self.start_answer or true

    @override
    def rec_stop(self) -> RecStatus:
        if self.stop_answer is None:
            return super().rec_stop()
        self.note("rec_stop")
        return self.stop_answer

    @override
    def rec_wait(self, timeout_s: float) -> RecWaitStatus:
        true = super().rec_wait(timeout_s)
        return self.wait_answer or true


@pytest.fixture
def liar(bench: Bench) -> Liar:
    """Put a liar in the place of the primary source a."""
    found = Liar("a", bench.journal)
    bench.a = found
    bench.site.bind("obs/a", found)
    return found


def of_other(status: RecStatusName) -> RecStatus:
    """Return the status of a session of somebody else."""
    return RecStatus(id="another", status=status, dp_files=["/data/other.fits"])


def test_a_start_of_another_session_is_no_start(bench: Bench, liar: Liar) -> None:
    """The own session is aborted, that of somebody else is not."""
    liar.start_answer = of_other(RecStatusName.RECORDING)
    with pytest.raises(DaqException, match="answers for the session 'another'"):
        bench.start(id="x")
    assert bench.phase("x") is Phase.ABORTED
    assert liar.sessions[liar.current].status is RecStatusName.ABORTED


def test_a_metadata_source_that_starts_another_id_is_refused(bench: Bench) -> None:
    """The acquisition is not started."""
    setattr(bench.m, "start_daq", lambda it: MetaDaqReply(id=f"not {it}"))  # noqa: B010 (a liar)
    with pytest.raises(DaqException, match="answers for the acquisition 'not "):
        bench.start("a", "m", id="x")
    assert bench.phase("x") is Phase.ABORTED


def test_a_stop_of_another_session_is_no_stop(bench: Bench, liar: Liar) -> None:
    """It stays in Stopping; what the other one made is in no product."""
    id = bench.start("ab")
    liar.stop_answer = of_other(RecStatusName.STOPPED)
    assert bench.daq.stop_daq(id).error
    assert bench.phase(id) is Phase.STOPPING
    liar.stop_answer = None
    assert not bench.daq.stop_daq(id).error
    files = [each.location for each in bench.queued(id).sources if isinstance(each, FitsFileSource)]
    assert files == ["/data/a.fits", "/data/b.fits"]


def test_a_stop_that_leaves_it_recording_is_no_stop(bench: Bench, liar: Liar) -> None:
    """It can be given again, and an abort still reaches it."""
    id = bench.start("ab")
    liar.stop_answer = RecStatus(id=id, status=RecStatusName.RECORDING)
    assert bench.daq.stop_daq(id).error
    record = bench.component.coordinator.find(id).record
    assert record.context.result_of("a").state is SourceState.ACTIVE
    bench.daq.abort_daq(id)
    assert "rec_abort" in liar.calls


@pytest.mark.parametrize("timed_out", [False, True])
def test_only_a_final_state_is_an_end(bench: Bench, liar: Liar, *, timed_out: bool) -> None:
    """Whatever the answer says about its time; nobody stops a source that records."""
    status = RecStatus(id="", status=RecStatusName.RECORDING)
    liar.wait_answer = RecWaitStatus(timed_out=timed_out, status=status)
    id = bench.start(properties='{"awaitInterval": 0.1}')
    liar.wait_answer = replace(liar.wait_answer, status=replace(status, id=id))
    eventually(lambda: liar.calls.count("rec_wait") > 3)
    assert bench.phase(id) is Phase.ACQUIRING
    assert "rec_stop" not in liar.calls
    liar.wait_answer = RecWaitStatus(
        timed_out=timed_out,
        status=RecStatus(id=id, status=RecStatusName.COMPLETED, dp_files=["/data/a.fits"]),
    )
    bench.await_phase(id, Phase.STOPPED)


def test_the_first_final_state_counts(bench: Bench) -> None:
    """A source that has completed and then says that it failed is not asked again."""
    id = bench.start("ab")
    bench.a.end()
    record = bench.component.coordinator.find(id).record
    eventually(lambda: record.context.result_of("a").state is SourceState.ENDED)
    bench.a.sessions[id] = RecStatus(id=id, status=RecStatusName.FAILED)
    bench.b.end()
    files = [each.location for each in bench.queued(id).sources if isinstance(each, FitsFileSource)]
    assert files == ["/data/a.fits", "/data/b.fits"]


@pytest.mark.parametrize("files", [["relative.fits"], [""], ["/data/"], ["host:relative"]])
def test_a_file_that_nobody_can_find_is_no_result(bench: Bench, files: list[str]) -> None:
    """The stop fails at this source; force goes on without it."""
    bench.a.files = files
    id = bench.start("ab")
    assert bench.daq.stop_daq(id).error
    status = bench.daq.get_status(id)
    assert (status.substate, repr(files[0]) in status.message) == ("Stopping", True)
    bench.daq.force_stop_daq(id)
    assert [getattr(e, "location", "") for e in bench.queued(id).sources] == ["", "/data/b.fits"]


def test_a_metadata_source_with_such_a_file_is_no_better(bench: Bench) -> None:
    """The same."""
    bench.m.files = ["nowhere.fits"]
    id = bench.start("a", "m")
    assert bench.daq.stop_daq(id).error
    assert bench.phase(id) is Phase.STOPPING
    bench.m.files = ["/data/m.fits"]
    assert not bench.daq.stop_daq(id).error


def test_a_metadata_source_that_stops_another_one_has_not_stopped(bench: Bench) -> None:
    """Its files are not taken."""
    id = bench.start("a", "m")
    liar = MetaDaqStopReply(id="another", files=["/x"])
    setattr(bench.m, "stop_daq", lambda _: liar)  # noqa: B010 (a liar)
    assert bench.daq.stop_daq(id).error
    assert bench.phase(id) is Phase.STOPPING


def test_a_file_that_is_named_twice_is_taken_once(bench: Bench) -> None:
    """In the order of the first time."""
    bench.a.files = ["/data/1.fits", "/data/2.fits", "/data/1.fits"]
    bench.m.files = []
    id = bench.start("a", "m")
    assert not bench.daq.stop_daq(id).error
    queued = bench.queued(id)
    files = [each.location for each in queued.sources if isinstance(each, FitsFileSource)]
    assert files == ["/data/1.fits", "/data/2.fits"]


def test_a_recording_that_fails_in_its_start_has_not_started(bench: Bench, liar: Liar) -> None:
    """It acknowledges, with a bad end."""
    clock = bench.site.clock.utc().replace(tzinfo=None).isoformat(timespec="milliseconds")
    liar.start_answer = RecStatus(id=f"TEST.{clock}", status=RecStatusName.FAILED, info="no light")
    with pytest.raises(DaqException, match=r"ended badly.*no light"):
        bench.start(id="x")
    assert bench.phase("x") is Phase.ABORTED
