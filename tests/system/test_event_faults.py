"""Faults of disks in a run: they cost time and nothing else."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks.processes import memory
from idl_like_interfaces.event_logger import RunState, StreamStatus, VolumeStatus
from idl_like_interfaces.run_control import Phase, Verdict
from tests.support.disk import fill, small_disk
from tests.support.eventually import eventually
from tests.support.installation import OBSORB
from tests.support.slow_disk import SlowDisk
from tests.system.event_fault_judge import faults_of_counts, files_of
from tests.system.event_fault_load import Load
from tests.system.event_fault_place import LOGGER, RUN, Place, place
from tests.system.event_fault_run import STREAM, await_more, judged

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

DISK = "64m"


def volume_of(ready: Place, folder: Path) -> VolumeStatus:
    """Return how a volume stands."""
    return next(each for each in ready.status.volumes if each.path == str(folder))


@pytest.mark.spec("D44")
def test_a_disk_that_fills_up_pauses_the_run(tmp_path: Path) -> None:
    """Warned of, paused for, told of; with room again it goes on by command and is whole."""
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(tmp_path / "disk", DISK))
        ready = stack.enter_context(place(tmp_path))
        mib = 1 << 20
        run = ready.begin([{**STREAM, "parameters": {"volumes": [str(disk)]}}], minFreeWarning=0.5,
                          minFreePause=0.25)  # fmt: skip
        load = stack.enter_context(Load(ready.server, run, spool_bytes=mib))
        await_more(load, 100)
        ballast = fill(disk, but=26 * mib)
        eventually(lambda: volume_of(ready, disk).level == "warning", "the warning")
        assert ready.known().phase is Phase.ACTIVE
        fill(disk, but=12 * mib)
        paused = ready.await_phase(Phase.PAUSED)
        assert str(disk) in paused.pause_reason
        assert str(disk) in shown(ready)
        assert ready.status.runs[0].state is RunState.PAUSED
        eventually(lambda: load.sender.counters.waiting > 100, "the sender is held back")
        ballast.unlink()
        eventually(lambda: volume_of(ready, disk).level == "ok", "there is room")
        eventually(lambda: not ready.control.get_status().pause_conditions, "the wish is over")
        assert ready.known().phase is Phase.PAUSED, "it does not go on by itself"
        ready.control.resume(ready.token, run)
        ready.await_phase(Phase.ACTIVE)
        load.stop()
        ended = ready.end()
        assert judged(ready, ended, load, disk) == []
        assert ended.verdict is Verdict.GOOD


def shown(ready: Place) -> str:
    """Return what an operator is told of the runs, without the breaks of the lines."""
    command = [str(OBSORB), "run", "status"]
    environment = {**os.environ, "OBSORB_NAMES": ready.address, "COLUMNS": "400"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.spec("D45", "D46")
@pytest.mark.parametrize("has_second", [False, True], ids=["one volume", "a second volume"])
def test_a_disk_that_is_full_at_once(tmp_path: Path, has_second: bool) -> None:
    """Nothing crashes; the events go to the second volume, or wait until there is room."""
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(tmp_path / "disk", DISK))
        ready = stack.enter_context(place(tmp_path))
        second = tmp_path / "second"
        volumes = [str(disk), *([str(second)] if has_second else [])]
        run = ready.begin([{**STREAM, "parameters": {"volumes": volumes}}])
        load = stack.enter_context(Load(ready.server, run, spool_bytes=8 << 20))
        await_more(load, 100)
        ballast = fill(disk)
        if has_second:
            eventually(lambda: list(second.rglob("*.raw*")), "it goes on elsewhere")
            await_more(load, 200)
        else:
            eventually(lambda: volume_of(ready, disk).level == "close", "it is full")
            ready.await_phase(Phase.PAUSED)
        ballast.unlink()
        eventually(lambda: volume_of(ready, disk).level == "ok", "there is room")
        eventually(lambda: not ready.control.get_status().pause_conditions, "the wish is over")
        if ready.known().phase is Phase.PAUSED:
            ready.control.resume(ready.token, run)
            ready.await_phase(Phase.ACTIVE)
        load.stop()
        ended = ready.end()
        assert judged(ready, ended, load, disk, second) == []
        assert ended.verdict is Verdict.GOOD


QUEUE_BYTES = 4 << 20
GROWTH = 6.0
"""So many times the bounds of its queues a logger may grow: queues, batches on their way to the
disk, what connections have read, and what the allocator keeps."""


def test_a_slow_disk_holds_back_its_senders_only(  # noqa: PLR0915 (one fault from begin to end)
    tmp_path: Path,
) -> None:
    """Memory stays within the bounds of the queues; the stream of another disk goes on."""
    bounds = {"queueBytes": QUEUE_BYTES, "flushBytes": 1 << 20}
    slow_folder, fast_folder = tmp_path / "slow", tmp_path / "fast"
    slow_folder.mkdir()
    disk = SlowDisk(slow_folder, tmp_path, each_s=0.5)
    with ExitStack() as stack:
        ready = stack.enter_context(place(tmp_path, (RUN,)))
        ready.start(LOGGER, environment=disk.environment)
        run = ready.begin(
            [
                {"name": "slow", "id": 1, "parameters": {**bounds, "volumes": [str(slow_folder)]}},
                {"name": "fast", "id": 2, "parameters": {**bounds, "volumes": [str(fast_folder)]}},
            ]
        )
        held = stack.enter_context(
            Load(ready.server, run, size=50_000, name="held", spool_bytes=16 << 20)
        )
        free = stack.enter_context(
            Load(
                ready.server, run, ((2,),), first=1_000_000, size=50_000, name="free", pause_s=0.01
            )
        )
        for load in (held, free):
            await_more(load, 200)
        before, most = memory(ready.pid)["RSS"], 0.0
        disk.slow_down()
        eventually(lambda: stream(ready, "slow").blocked_s > 0.5, "the queue is full")
        for _ in range(4):
            await_more(free, 50)
            most = max(most, memory(ready.pid)["RSS"])
            assert stream(ready, "slow").queue_bytes <= QUEUE_BYTES
        assert held.sender.counters.waiting_bytes > QUEUE_BYTES
        assert stream(ready, "fast").blocked_s < 5.0
        disk.speed_up()
        held.stop()
        free.stop()
        ended = ready.end()
        ratio = (most - before) * (1 << 20) / (2 * QUEUE_BYTES)
        print(f"the logger grew by {ratio:.1f} times the bounds of its queues")  # noqa: T201
        assert ratio < GROWTH
        sent = held.events(1) | free.events(2)
        files = files_of(slow_folder, fast_folder)
        by_stream = {name: {e for f in files if f.stream == name for e in f.events} for name in
                     ("slow", "fast")}  # fmt: skip
        assert by_stream == {"slow": held.events(1), "fast": free.events(2)}
        assert [*ready.died(), *faults_of_counts(ended, files, sent)] == []
        assert ended.verdict is Verdict.GOOD


def stream(ready: Place, name: str) -> StreamStatus:
    """Return how a stream of the run stands."""
    return next(each for run in ready.status.runs for each in run.streams if each.name == name)
