"""The coordinator on a full disk: nothing is lost, it is told, and goes on by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from idl_like_interfaces.daqif import STATUS_TOPIC, AlertSeverity, DaqException
from idl_like_interfaces.errors import Transient
from objects.acquisition import alerts
from objects.acquisition.states import Phase
from tests.support.daq import Bench
from tests.support.disk import fill, small_disk
from tests.support.eventually import eventually

DEAD = Transient("nobody answers")
PAGE = 4096
ASKED_AGAIN_S = 6.0
COMMENT = '[{"type": "literalKeyword", "value": "COMMENT seen"}]'


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Yield a coordinator whose data root is a real disk of 256 KiB."""
    with small_disk(tmp_path / "disk", "256k") as folder:
        running = Bench(folder)
        yield running
        running.close()


def substate_on_disk(bench: Bench, id: str, folder: str = "in-progress") -> str:
    """Return the substate that stands on the disk."""
    file = bench.data_root / "ocm" / folder / f"{id}-status.json"
    return str(json.loads(file.read_text())["substate"])


def listed(bench: Bench) -> list[str]:
    """Return the ids of list.json."""
    found: list[str] = json.loads((bench.data_root / "ocm" / "list.json").read_text())
    return found


def in_progress(bench: Bench) -> list[Path]:
    """Return the files of acquisitions in progress."""
    return list((bench.data_root / "ocm" / "in-progress").iterdir())


def check_told(bench: Bench, id: str) -> None:
    """See that status and component say what is wrong, and what to do."""
    told = [each for each in bench.daq.get_status(id).alerts if each.id == alerts.WORKSPACE]
    assert [each.severity for each in told] == [AlertSeverity.WARNING]
    assert "No space left" in told[0].description
    assert "full" in told[0].cause
    assert "by itself" in told[0].remedy
    assert f"acquisition {id}" in bench.component.problem()


def check_kept(bench: Bench, id: str) -> None:
    """See that nobody says anything any more, and that this was published."""
    told = [each for each in bench.daq.get_status(id).alerts if each.id == alerts.WORKSPACE]
    assert told == []
    assert bench.component.problem() == ""
    statuses = [body for topic, body in bench.site.events if topic == STATUS_TOPIC]
    assert statuses[-1] == bench.daq.get_status(id)


@pytest.mark.parametrize("room", [0, PAGE, 2 * PAGE])
def test_a_start_is_refused_and_nothing_is_left_of_it(bench: Bench, room: int) -> None:
    """There is room for nothing, for its context, or for all but the list."""
    ballast = fill(bench.data_root, but=room)
    with pytest.raises(DaqException, match="No space left") as refused:
        bench.start(id="x")
    assert "free some space" in refused.value.remedy
    assert (bench.journal, in_progress(bench), bench.daq.get_active_list()) == ([], [], [])
    assert not [body for topic, body in bench.site.events if topic == STATUS_TOPIC]
    bench.restart()
    assert bench.daq.get_active_list() == []
    ballast.unlink()
    assert bench.start(id="x") == "x"
    assert (listed(bench), bench.component.problem()) == (["x"], "")


def test_while_it_records(bench: Bench) -> None:
    """It goes on in memory; with room everything is kept without another change."""
    id = bench.start("a", "m")
    ballast = fill(bench.data_root)
    bench.daq.update_keywords(id, COMMENT)
    check_told(bench, id)
    published = len(bench.site.events)
    bench.site.clock.advance(ASKED_AGAIN_S)
    bench.site.tick()
    check_told(bench, id)
    assert STATUS_TOPIC not in [topic for topic, _ in bench.site.events[published:]]
    assert not bench.daq.get_status(id).error
    ballast.unlink()
    bench.site.tick()
    check_kept(bench, id)
    bench.restart()
    bench.a.end()
    assert "COMMENT seen" in str(bench.queued(id).sources)


def test_what_a_source_did_is_told_as_well(bench: Bench) -> None:
    """The end of one of two recordings is no public change; that it is not kept, is."""
    id = bench.start("ab")
    fill(bench.data_root)
    bench.a.end()
    bench.site.await_event(
        lambda topic, body: (
            topic == STATUS_TOPIC and [each.id for each in body.alerts] == [alerts.WORKSPACE]
        )
    )
    check_told(bench, id)


def to_stopping(bench: Bench, id: str) -> None:
    bench.m.faults["stop_daq"] = DEAD
    bench.daq.stop_daq(id)


def to_aborting(bench: Bench, id: str) -> None:
    bench.m.faults["abort_daq"] = DEAD
    with pytest.raises(DaqException):
        bench.daq.abort_daq(id)


def to_not_scheduled(bench: Bench, id: str) -> None:
    bench.dpm.faults["*"] = DEAD
    bench.daq.stop_daq(id)


def to_scheduled(bench: Bench, id: str) -> None:
    bench.daq.stop_daq(id)
    bench.queued(id)


def at_dpm(*phases: Phase) -> Callable[[Bench, str], None]:
    """Return what lets the DPM go on."""

    def go(bench: Bench, id: str) -> None:
        to_scheduled(bench, id)
        bench.dpm.go(id, *phases)

    return go


COLLECTED = (Phase.COLLECTING, Phase.MERGING, Phase.RELEASING)

WAYS: dict[Phase, Callable[[Bench, str], None]] = {
    Phase.STOPPING: to_stopping,
    Phase.ABORTING: to_aborting,
    Phase.NOT_SCHEDULED: to_not_scheduled,
    Phase.SCHEDULED: to_scheduled,
    Phase.COLLECTING: at_dpm(*COLLECTED[:1]),
    Phase.MERGING: at_dpm(*COLLECTED[:2]),
    Phase.RELEASING: at_dpm(*COLLECTED),
    Phase.ABORTING_MERGE: at_dpm(Phase.ABORTING_MERGE),
}


@pytest.mark.parametrize("by", ["itself", "the end of the process"])
@pytest.mark.parametrize("phase", WAYS)
def test_in_every_state(bench: Bench, phase: Phase, by: str) -> None:
    """It comes there, says so, and is there still after a restart."""
    id = bench.start("a", "m")
    ballast = fill(bench.data_root)
    WAYS[phase](bench, id)
    eventually(lambda: bench.phase(id) is phase)
    check_told(bench, id)
    assert substate_on_disk(bench, id) == Phase.ACQUIRING.substate
    ballast.unlink()
    if by == "itself":
        bench.site.tick()
        check_kept(bench, id)
    else:
        bench.component.stop()
    assert substate_on_disk(bench, id) == phase.substate
    bench.restart()
    assert bench.phase(id) is phase
    assert listed(bench) == [id]


def aborted(bench: Bench, id: str) -> None:
    bench.daq.abort_daq(id)


@pytest.mark.parametrize("by", ["itself", "the end of the process"])
@pytest.mark.parametrize(
    ("phase", "way"),
    [
        (Phase.ABORTED, aborted),
        (Phase.ABORTED, at_dpm(Phase.ABORTING_MERGE, Phase.ABORTED)),
        (Phase.COMPLETED, at_dpm(*COLLECTED, Phase.COMPLETED)),
    ],
    ids=["aborted at its sources", "aborted at the DPM", "completed"],
)
def test_at_its_end(bench: Bench, phase: Phase, way: Callable[[Bench, str], None], by: str) -> None:
    """It has ended for everybody and is answered for; with room it is in the archive."""
    id = bench.start("a", "m")
    ballast = fill(bench.data_root)
    way(bench, id)
    assert bench.phase(id) is phase
    check_told(bench, id)
    assert bench.daq.get_active_list() == []
    assert bench.component.std.get_state() == "Operational;Idle"
    assert bench.component.detail() == "0 acquisitions in progress"
    assert bench.daq.get_story(id).status.substate is phase.substate
    assert not bench.daq.await_daq_state(id, *phase.value, 1.0).timeout
    with pytest.raises(DaqException, match="has ended"):
        bench.daq.stop_daq(id)
    assert listed(bench) == [id]
    ballast.unlink()
    if by == "itself":
        bench.site.tick()
        check_kept(bench, id)
    bench.restart()
    assert substate_on_disk(bench, id, "archive") == phase.substate
    assert (in_progress(bench), listed(bench)) == ([], [])
    status = bench.daq.get_status(id)
    assert (Phase((status.state, status.substate)), status.alerts) == (phase, [])


def test_an_id_is_free_again_when_its_end_is_archived(bench: Bench) -> None:
    """Not before; with room a start with that id does both."""
    bench.start(id="x")
    ballast = fill(bench.data_root)
    bench.daq.abort_daq("x")
    with pytest.raises(DaqException, match="not in the archive yet") as refused:
        bench.start(id="x")
    assert refused.value.remedy
    assert bench.phase("x") is Phase.ABORTED
    ballast.unlink()
    bench.start(id="x")
    assert bench.phase("x") is Phase.ACQUIRING
    assert substate_on_disk(bench, "x", "archive") == Phase.ABORTED.substate


def test_a_list_that_cannot_be_written_is_written_later(bench: Bench) -> None:
    """The acquisition is in the archive; the component says what is missing."""
    id = bench.start()
    file = bench.data_root / "ocm" / "list.json"
    file.unlink()
    file.mkdir()
    bench.daq.abort_daq(id)
    assert substate_on_disk(bench, id, "archive") == Phase.ABORTED.substate
    assert "list.json" in bench.component.problem()
    file.rmdir()
    bench.site.tick()
    assert (listed(bench), bench.component.problem()) == ([], "")


def test_it_starts_on_a_full_disk(bench: Bench) -> None:
    """What was kept is taken up, and goes on."""
    id = bench.start("a", "m")
    ballast = fill(bench.data_root)
    bench.restart()
    assert [each.id for each in bench.daq.get_active_list()] == [id]
    assert "list.json" in bench.component.problem()
    bench.a.end()
    bench.await_phase(id, Phase.SCHEDULED)
    check_told(bench, id)
    ballast.unlink()
    bench.site.tick()
    check_kept(bench, id)
    assert substate_on_disk(bench, id) == Phase.SCHEDULED.substate


def test_the_last_word_of_the_dpm_waits_for_the_archive(bench: Bench) -> None:
    """It completes what was aborted here only; that is not lost between memory and disk."""
    id = bench.start("", "m")
    to_scheduled(bench, id)
    ballast = fill(bench.data_root)
    bench.dpm.faults["*"] = DEAD
    bench.daq.force_abort_daq(id)
    assert "abandoned.json" in bench.component.problem()
    bench.dpm.faults.clear()
    bench.dpm.go(id, *COLLECTED, Phase.COMPLETED, result="/data/p.fits")
    bench.site.clock.advance(ASKED_AGAIN_S)
    bench.component.coordinator.dpm_link.attend()
    assert bench.phase(id) is Phase.ABORTED
    ballast.unlink()
    bench.site.tick()
    assert bench.component.problem() == ""
    bench.site.clock.advance(ASKED_AGAIN_S)
    eventually(lambda: bench.phase(id) is Phase.COMPLETED)
    assert bench.daq.get_status(id).result == "/data/p.fits"
