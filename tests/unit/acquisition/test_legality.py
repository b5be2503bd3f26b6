"""Every command in every state, through the servant, against the table of the specification."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest

from idl_like_interfaces.daqif import DaqException
from idl_like_interfaces.errors import Transient
from objects.acquisition.acquisition import Acquisition
from objects.acquisition.record import Record
from objects.acquisition.states import Command, Phase, Trigger
from objects.acquisition.turn import Turn
from tests.support.daq import Bench
from tests.support.eventually import eventually

PATIENCE_S = 20.0
DEAD = Transient("nobody answers")
KEYWORDS = json.dumps([{"type": "valueKeyword", "name": "OBJECT", "value": "M 31"}])

#                  stop, force stop, abort, force abort, update keywords, retry the merge
TABLE: dict[Phase, str] = {
    Phase.NOT_STARTED: "nnyyyn",
    Phase.STARTING: "nnyyyn",
    Phase.ACQUIRING: "yyyyyn",
    Phase.STOPPING: "yyyyyn",
    Phase.STOPPED: "nnyynn",
    Phase.ABORTING: "nnyynn",
    Phase.NOT_SCHEDULED: "nnyyny",
    Phase.SCHEDULED: "nnyyny",
    Phase.COLLECTING: "nnyyny",
    Phase.MERGING: "nnyyny",
    Phase.RELEASING: "nnyyny",
    Phase.ABORTING_MERGE: "nnyyny",
    Phase.COMPLETED: "nnnnnn",
    Phase.ABORTED: "nnnnnn",
}
"""Section 3.5 of the specification, its open questions as they are proposed there."""

AT_DPM = [Phase.COLLECTING, Phase.MERGING, Phase.RELEASING, Phase.COMPLETED]


class Stage:
    """Brings acquisitions into any state, also into those that are left at once."""

    def __init__(self, bench: Bench, patch: pytest.MonkeyPatch) -> None:
        self.bench = bench
        self._patch = patch
        self._pool = ThreadPoolExecutor()
        self._gate = threading.Event()
        self._count = 0

    @contextmanager
    def at(self, phase: Phase) -> Iterator[str]:
        """Yield the id of an acquisition in a state; what holds it there ends with ``go``."""
        self._count += 1
        id = f"x{self._count}"
        self._gate = threading.Event()
        try:
            with self._patch.context() as patch:
                self._enter(phase, id, patch)
                assert self.bench.phase(id) is phase
                yield id
        finally:
            self.go()
            self._finish(id)

    def go(self) -> None:
        """Let everything take its course."""
        self._gate.set()
        self.bench.m.faults.clear()
        self.bench.dpm.faults.clear()

    def call(self, command: Command, id: str) -> Future[object]:
        """Give a command; return when it is answered or waits for its turn."""
        operation = getattr(self.bench.daq, command.value)
        arguments = (id, KEYWORDS) if command is Command.UPDATE_KEYWORDS else (id,)
        turn = self.turn(id)
        future: Future[object] = self._pool.submit(operation, *arguments)
        eventually(lambda: future.done() or (turn is not None and turn._waiting))
        return future

    def turn(self, id: str) -> Turn | None:
        """Return the turn of an acquisition, None when it has ended."""
        found = self.bench.component.coordinator._active.get(id)
        return None if found is None else found._turn

    def close(self) -> None:
        """End all threads."""
        self._pool.shutdown()

    def _enter(self, phase: Phase, id: str, patch: pytest.MonkeyPatch) -> None:
        match phase:
            case Phase.NOT_STARTED:
                self._hold(patch, Acquisition, "start", lambda *_: True)
                self._begin(id, phase)
            case Phase.STARTING:
                self.bench.m.gates["start_daq"] = self._gate
                self._begin(id, phase)
            case Phase.ACQUIRING:
                self.bench.start("", "m", id=id)
            case Phase.STOPPED:
                self._hold(patch, Record, "move", lambda _, it: it is Trigger.HAND_OVER)
                self.bench.start("", "m", id=id)
                self._pool.submit(self.bench.daq.stop_daq, id)
                eventually(lambda: self.bench.phase(id) is phase)
            case Phase.ABORTED:
                self.bench.start("", "m", id=id)
                self.bench.daq.abort_daq(id)
            case Phase.STOPPING | Phase.ABORTING:
                self.bench.start("", "m", id=id)
                self.bench.m.faults["*"] = DEAD
                stop = self.bench.daq.stop_daq
                with pytest.raises(DaqException):
                    (stop if phase is Phase.STOPPING else self.bench.daq.abort_daq)(id)
            case _:
                self._merge(phase, id)

    def _merge(self, phase: Phase, id: str) -> None:
        if phase is Phase.NOT_SCHEDULED:
            self.bench.dpm.faults["*"] = DEAD
        self.bench.start("", "m", id=id)
        self.bench.daq.stop_daq(id)
        if phase is Phase.NOT_SCHEDULED:
            return
        self.bench.queued(id)
        eventually(lambda: self.bench.phase(id) is Phase.SCHEDULED)
        if phase is Phase.ABORTING_MERGE:
            self.bench.dpm.go(id, phase)
        for each in AT_DPM[: AT_DPM.index(phase) + 1 if phase in AT_DPM else 0]:
            self.bench.dpm.go(id, each)

    def _hold(
        self,
        patch: pytest.MonkeyPatch,
        owner: type,
        method: str,
        is_wanted: Callable[..., bool],
    ) -> None:
        """Let calls of a method wait until ``go``."""
        original, gate = getattr(owner, method), self._gate

        def held(*arguments: object) -> object:
            if is_wanted(*arguments):
                assert gate.wait(PATIENCE_S)
            return original(*arguments)

        patch.setattr(owner, method, held)

    def _begin(self, id: str, phase: Phase) -> None:
        self._pool.submit(self.bench.start, "", "m", id)
        active = self.bench.component.coordinator._active
        eventually(lambda: id in active and self.bench.phase(id) is phase)

    def _finish(self, id: str) -> None:
        """Bring it to an end: its neighbours shall find the sources and the DPM idle."""

        def has_ended() -> bool:
            if not self.bench.phase(id).is_final:
                with suppress(DaqException):
                    self.bench.daq.force_abort_daq(id)
            return self.bench.phase(id).is_final

        eventually(has_ended)
        self.bench.m.gates.clear()


@pytest.fixture
def stage(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Yield a stage."""
    ready = Stage(bench, monkeypatch)
    yield ready
    ready.go()
    ready.close()


def cases(phase: Phase, wanted: str) -> list[Command]:
    """Return the commands that the table marks so."""
    return [command for command, mark in zip(Command, TABLE[phase], strict=True) if mark == wanted]


@pytest.mark.spec("ESO-066")
@pytest.mark.parametrize("phase", Phase)
def test_what_is_not_legal_is_refused_at_once(stage: Stage, phase: Phase) -> None:
    """It says where it would be; nothing is changed, and nobody waits for a busy source."""
    for command in cases(phase, "n"):
        with stage.at(phase) as id:
            refused = stage.call(command, id).exception(PATIENCE_S)
            assert isinstance(refused, DaqException), (command, refused)
            assert refused.id == id
            assert str(phase.substate) in refused.message
            assert refused.remedy
            assert stage.bench.phase(id) is phase


@pytest.mark.parametrize("phase", [each for each in Phase if "y" in TABLE[each]])
def test_what_is_legal_is_done(stage: Stage, phase: Phase) -> None:
    """An abort ends in Aborted, a stop in merging, keywords are there, a retry reaches the DPM."""
    for command in cases(phase, "y"):
        with stage.at(phase) as id:
            queued = stage.bench.dpm.calls.count("queue_daq")
            future = stage.call(command, id)
            if command is not Command.UPDATE_KEYWORDS:
                stage.go()
                if phase in (Phase.STOPPING, Phase.ABORTING, Phase.NOT_SCHEDULED):
                    future = _again(stage, command, id, future)
            reply = future.result(PATIENCE_S)
            CHECKS[command](stage, id, reply, queued)


def _again(stage: Stage, command: Command, id: str, first: Future[object]) -> Future[object]:
    """Repeat what was answered while a source or the DPM was dead: that is what a retry is."""
    if first.exception(PATIENCE_S) is None:
        return first
    return stage.call(command, id)


def _is_aborted(stage: Stage, id: str, reply: object, _: int) -> None:
    eventually(lambda: stage.bench.phase(id) is Phase.ABORTED)


def _is_handed_over(stage: Stage, id: str, reply: object, _: int) -> None:
    eventually(lambda: stage.bench.phase(id) is Phase.SCHEDULED)


def _has_keywords(stage: Stage, id: str, reply: object, _: int) -> None:
    context = stage.bench.component.coordinator.find(id).record.context
    assert [getattr(each, "name", "") for each in context.keywords] == ["OBJECT"]


def _is_retried(stage: Stage, id: str, reply: object, queued: int) -> None:
    calls = stage.bench.dpm.calls
    assert "retry_merge_daq" in calls or calls.count("queue_daq") > queued


CHECKS: dict[Command, Callable[[Stage, str, object, int], None]] = {
    Command.STOP: _is_handed_over,
    Command.FORCE_STOP: _is_handed_over,
    Command.ABORT: _is_aborted,
    Command.FORCE_ABORT: _is_aborted,
    Command.UPDATE_KEYWORDS: _has_keywords,
    Command.RETRY_MERGE: _is_retried,
}


@pytest.mark.parametrize("phase", Phase)
def test_queries_are_legal_everywhere(stage: Stage, phase: Phase) -> None:
    """The status is told, and a wait for what is returns at once."""
    with stage.at(phase) as id:
        status = stage.bench.daq.get_status(id)
        assert (status.state, status.substate) == phase.value
        reply = stage.bench.daq.await_daq_state(id, *phase.value, PATIENCE_S)
        assert (reply.timeout, reply.status.substate) == (False, phase.substate)


@pytest.mark.parametrize("phase", [Phase.SCHEDULED, Phase.MERGING, Phase.ABORTING_MERGE])
def test_at_the_dpm_an_abort_needs_the_dpm(stage: Stage, phase: Phase) -> None:
    """Without it abort fails and changes nothing, and force aborts here."""
    with stage.at(phase) as id:
        stage.bench.dpm.faults["*"] = DEAD
        with pytest.raises(DaqException, match="not aborted by the DPM"):
            stage.bench.daq.abort_daq(id)
        assert stage.bench.phase(id) is phase
        assert stage.bench.daq.force_abort_daq(id).error
        assert stage.bench.phase(id) is Phase.ABORTED


def test_the_table_has_every_state_and_command() -> None:
    """None was forgotten."""
    assert set(TABLE) == set(Phase)
    assert all(len(row) == len(Command) for row in TABLE.values())
