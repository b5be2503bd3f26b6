"""Status, list, await and what is published."""

from __future__ import annotations

import json
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from idl_like_interfaces.daqif import AwaitDaqReply, DaqException, DaqState, DaqSubstate
from idl_like_interfaces.errors import Transient
from idl_like_interfaces.mapping.coding import to_plain
from objects.acquisition.states import Phase
from tests.support.daq import Bench
from tests.support.eventually import eventually

NOT_LONG_S = 0.05


def finish(bench: Bench, id: str) -> None:
    """Bring an acquisition of one metadata source to its good end."""
    bench.daq.stop_daq(id)
    bench.queued(id)
    bench.dpm.go(id, Phase.COLLECTING, Phase.MERGING)
    bench.dpm.go(id, Phase.RELEASING, Phase.COMPLETED, result="/data/p.fits")


@pytest.mark.spec("ESO-067", "ESO-068")
def test_a_status_has_all_its_fields(bench: Bench) -> None:
    """The eight of the original by their names, and the time as seconds since 1970."""
    id = bench.start()
    status = to_plain(bench.daq.get_status(id))
    eight = {"id", "fileId", "state", "substate", "timestamp", "error", "message", "result"}
    assert eight < set(status)
    assert status["timestamp"] == bench.site.clock.utc().timestamp()
    assert (status["message"], status["result"], status["error"]) == ("[]", "", False)
    assert bench.daq.get_daq_status(id) == bench.daq.get_status(id)


@pytest.mark.spec("ESO-069", "ESO-070")
def test_the_result_comes_with_releasing(bench: Bench) -> None:
    """Empty before, then the absolute path."""
    id = bench.start("", "m")
    finish(bench, id)
    assert bench.await_phase(id, Phase.MERGING).result == ""
    assert bench.await_phase(id, Phase.RELEASING).result == "/data/p.fits"
    assert bench.daq.get_status(id).result == "/data/p.fits"


@pytest.mark.spec("ESO-071", "ESO-072")
def test_an_ended_one_is_in_the_archive_only(bench: Bench) -> None:
    """The list has the others, oldest first; its status is still told, after a restart too."""
    ended, first, second = (bench.start("", letter) for letter in ("m", "n", "m"))
    finish(bench, ended)
    assert [each.id for each in bench.daq.get_active_list()] == [first, second]
    before = bench.daq.get_status(ended)
    assert before.substate is DaqSubstate.COMPLETED
    bench.restart()
    assert bench.daq.get_status(ended) == before


@pytest.mark.spec("ESO-073")
def test_of_several_with_one_id_the_newest_is_told(bench: Bench) -> None:
    """The older ones stay in the archive."""
    file_ids = []
    for letter in "mnm":
        bench.start("", letter, id="x")
        file_ids.append(bench.daq.get_status("x").file_id)
        bench.daq.abort_daq("x")
    assert bench.daq.get_status("x").file_id == file_ids[-1]
    assert len(set(file_ids)) == 3
    archived = list((bench.data_root / "ocm" / "archive").glob("x*-status.json"))
    assert len(archived) == 3


def test_an_unknown_one_is_refused(bench: Bench) -> None:
    """By every query that names it, also with characters or a length that no id has."""
    for id in ("x", "../x", "", "x" * 100_000):
        with pytest.raises(DaqException):
            bench.daq.get_status(id)
        with pytest.raises(DaqException):
            bench.daq.await_daq_state(id, *Phase.STOPPED.value, 1.0)


@pytest.mark.spec("ESO-075")
def test_a_wait_for_what_is_returns_at_once(bench: Bench) -> None:
    """No timeout."""
    id = bench.start()
    reply = bench.daq.await_daq_state(id, *Phase.ACQUIRING.value, 20.0)
    assert not reply.timeout
    assert reply.status == bench.daq.get_status(id)


@pytest.mark.spec("ESO-077")
def test_a_wait_may_end_without_the_state(bench: Bench) -> None:
    """With timeout true and the present status."""
    id = bench.start()
    reply = bench.daq.await_daq_state(id, *Phase.COMPLETED.value, NOT_LONG_S)
    assert reply.timeout
    assert reply.status.substate is DaqSubstate.ACQUIRING


@pytest.mark.spec("ESO-078")
@pytest.mark.parametrize("timeout_s", [0.0, -1.0])
def test_a_wait_needs_time(bench: Bench, timeout_s: float) -> None:
    """0 and less are refused."""
    id = bench.start()
    with pytest.raises(DaqException, match="timeout_s"):
        bench.daq.await_daq_state(id, *Phase.STOPPED.value, timeout_s)


def test_a_wait_for_a_pair_that_is_no_state_is_refused(bench: Bench) -> None:
    """StateAcquiring/Merging is never entered."""
    id = bench.start()
    with pytest.raises(DaqException, match="StateAcquiring/Merging"):
        bench.daq.await_daq_state(id, DaqState.ACQUIRING, DaqSubstate.MERGING, 1.0)


@pytest.mark.spec("ESO-074", "ESO-079", "ESO-081")
def test_each_waiting_client_gets_its_own_moment(bench: Bench) -> None:
    """Stopped is answered with Stopped although it moves on; two others wait for the end."""
    id = bench.start("", "m")
    wanted = (Phase.STOPPED, Phase.COMPLETED, Phase.COMPLETED)
    with ThreadPoolExecutor() as pool:
        waiting = [_await(pool, bench, id, phase) for phase in wanted]
        finish(bench, id)
        replies: list[AwaitDaqReply] = [each.result() for each in waiting]
    assert [reply.status.substate for reply in replies] == [phase.substate for phase in wanted]
    assert not any(reply.timeout for reply in replies)


@pytest.mark.spec("ESO-081")
def test_one_change_answers_all_who_wait(bench: Bench) -> None:
    """Also those for different states, and when nothing follows that change."""
    bench.dpm.faults["*"] = Transient("nobody answers")
    id = bench.start("", "m")
    bench.daq.stop_daq(id)
    eventually(lambda: bench.daq.get_status(id).alerts)
    with ThreadPoolExecutor() as pool:
        waiting = [_await(pool, bench, id, phase) for phase in (Phase.COMPLETED, Phase.ABORTED)]
        bench.daq.abort_daq(id)
        replies = [each.result() for each in waiting]
    assert [(r.timeout, r.status.substate) for r in replies] == [(False, "Aborted")] * 2


@pytest.mark.spec("ESO-076")
def test_a_wait_ends_when_the_state_is_impossible(bench: Bench) -> None:
    """No timeout, another state; also for a state that has passed already."""
    id = bench.start("", "m")
    with ThreadPoolExecutor() as pool:
        waiting = _await(pool, bench, id, Phase.COMPLETED)
        bench.daq.abort_daq(id)
        reply = waiting.result()
    assert (reply.timeout, reply.status.substate) in ((False, "Aborting"), (False, "Aborted"))
    other = bench.start("", "n")
    reply = bench.daq.await_daq_state(other, *Phase.STARTING.value, 20.0)
    assert (reply.timeout, reply.status.substate) == (False, "Acquiring")


@pytest.mark.spec("ESO-080")
def test_a_wait_on_an_ended_one(bench: Bench) -> None:
    """Answered when it was in that state, else refused."""
    id = bench.start("", "m")
    bench.daq.abort_daq(id)
    for phase in (Phase.ABORTED, Phase.ACQUIRING):
        reply = bench.daq.await_daq_state(id, *phase.value, 1.0)
        assert (reply.timeout, reply.status.substate) == (False, "Aborted")
    with pytest.raises(DaqException, match="never was"):
        bench.daq.await_daq_state(id, *Phase.COMPLETED.value, 1.0)


def test_who_waits_is_let_go_at_the_end(bench: Bench) -> None:
    """The server ends: an error, not silence."""
    id = bench.start()
    with ThreadPoolExecutor() as pool:
        waiting = _await(pool, bench, id, Phase.COMPLETED)
        bench.close()
        with pytest.raises(DaqException, match="ends"):
            waiting.result()


@pytest.mark.spec("ESO-082", "ESO-084")
def test_the_nominal_path_is_published_in_order(bench: Bench) -> None:
    """From NotStarted to Completed."""
    id = bench.start()
    bench.a.end()
    bench.await_phase(id, Phase.SCHEDULED)
    bench.dpm.go(id, Phase.COLLECTING, Phase.MERGING, Phase.RELEASING, Phase.COMPLETED)
    bench.await_phase(id, Phase.COMPLETED)
    assert [phase.substate for phase in bench.published(id)] == [
        "NotStarted",
        "Starting",
        "Acquiring",
        "Stopping",
        "Stopped",
        "NotScheduled",
        "Scheduled",
        "Collecting",
        "Merging",
        "Releasing",
        "Completed",
    ]


@pytest.mark.spec("ESO-083")
def test_the_server_is_active_while_one_is_in_progress(bench: Bench) -> None:
    """Active with the first, Idle after the last has completed."""
    first = bench.start("", "m")
    assert bench.component.std.get_state() == "Operational;Active"
    second = bench.start("", "n")
    finish(bench, first)
    assert bench.component.std.get_state() == "Operational;Active"
    finish(bench, second)
    assert bench.std_published()[-3:] == [
        "Operational;Idle",
        "Operational;Active",
        "Operational;Idle",
    ]


@pytest.mark.spec("ESO-048", "ESO-049", "ESO-051")
def test_keywords_are_updated_all_or_none(bench: Bench) -> None:
    """Added, replaced; a bad list changes nothing."""
    good = [_keyword("A", 1), _keyword("B", 2)]
    id = bench.start("", "m", properties=json.dumps({"keywords": good}))
    bench.daq.update_keywords(id, json.dumps([_keyword("B", 3), _keyword("C", 4)]))
    for bad in ("{", json.dumps([_keyword("A", 9), {"type": "valueKeyword"}])):
        with pytest.raises(DaqException):
            bench.daq.update_keywords(id, bad)
    bench.daq.stop_daq(id)
    own = bench.queued(id).sources[0].keywords[2:]  # type: ignore[union-attr]
    assert [(each.name, each.value) for each in own] == [("A", 1), ("B", 3), ("C", 4)]  # type: ignore[union-attr]


def test_keywords_come_too_late_after_stopping(bench: Bench) -> None:
    """The product's specification has gone to the DPM."""
    id = bench.start("", "m")
    bench.daq.stop_daq(id)
    with pytest.raises(DaqException, match="update_keywords is not possible"):
        bench.daq.update_keywords(id, "[]")


def _keyword(name: str, value: int) -> dict[str, object]:
    return {"type": "valueKeyword", "name": name, "value": value}


def _await(
    pool: ThreadPoolExecutor, bench: Bench, id: str, phase: Phase, timeout_s: float = 20.0
) -> Future[AwaitDaqReply]:
    """Begin to wait in another thread; return when the coordinator knows of it."""
    record = bench.component.coordinator.find(id).record
    before = record.waiting
    future: Future[AwaitDaqReply] = pool.submit(
        lambda: bench.daq.await_daq_state(id, *phase.value, timeout_s)
    )
    eventually(lambda: record.waiting > before or future.done())
    return future


def test_a_wait_may_be_of_any_length(bench: Bench) -> None:
    """One that is longer than a lock takes ends with the state all the same."""
    id = bench.start("a")
    with ThreadPoolExecutor(1) as pool:
        waiting = _await(pool, bench, id, Phase.ABORTED, 1e300)
        bench.daq.abort_daq(id)
        assert not waiting.result(20).timeout
