"""Acquisitions are handed to the DPM, whose word counts from then on."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from idl_like_interfaces.daqif import (
    AlertSeverity,
    DaqAlert,
    DaqException,
    DaqStatus,
)
from idl_like_interfaces.errors import RemoteError, TimeIsUp, Transient
from idl_like_interfaces.events import Gap, GapReason
from idl_like_interfaces.naming import NotFound, NotFoundReason
from objects.acquisition.states import Phase
from tests.support.daq import Bench, event_of
from tests.support.eventually import eventually

DEAD = Transient("nobody answers")
NO_NAME = NotFound("no such name", why=NotFoundReason.MISSING_NODE, rest_of_name="dpm")


def scheduled(bench: Bench) -> str:
    """Return an acquisition that the DPM has."""
    id = bench.start("", "m")
    bench.daq.stop_daq(id)
    bench.queued(id)
    return id


@pytest.mark.spec("ESO-086")
@pytest.mark.parametrize(
    "away", [DEAD, NO_NAME, TimeIsUp("no time")], ids=lambda it: type(it).__name__
)
def test_a_dpm_that_is_away_is_asked_again(bench: Bench, away: RemoteError) -> None:
    """NotScheduled with a warning until it returns; the oldest is handed over first."""
    bench.dpm.faults["*"] = away
    first, second = bench.start("", "m"), bench.start("", "n")
    for id in (first, second):
        bench.daq.stop_daq(id)
    eventually(lambda: bench.daq.get_status(first).alerts)
    status = bench.daq.get_status(first)
    assert (status.substate, status.error) == ("NotScheduled", False)
    assert status.alerts[0].severity is AlertSeverity.WARNING
    # More often than anything happens here: it is asked again by itself.
    eventually(lambda: bench.dpm.calls.count("queue_daq") > 6)
    bench.dpm.faults.clear()
    bench.queued(second)
    assert list(bench.dpm.specifications) == [first, second]
    eventually(lambda: bench.daq.get_status(first).message == "[]")


def test_a_refused_one_does_not_hold_up_the_others(bench: Bench) -> None:
    """An alert says why; the others are handed over."""
    bench.dpm.faults["queue_daq"] = DaqException("another specification is queued", id="x")
    first, second = bench.start("", "m"), bench.start("", "n")
    bench.daq.stop_daq(first)
    eventually(lambda: bench.daq.get_status(first).error)
    assert "another specification" in bench.daq.get_status(first).message
    with pytest.raises(DaqException, match="could not be queued"):
        bench.daq.retry_merge_daq(first)
    bench.dpm.faults.clear()
    bench.daq.stop_daq(second)
    bench.queued(second)
    bench.queued(first)


def test_its_events_are_followed(bench: Bench) -> None:
    """Each state that it tells of is entered here, with its time and its alerts."""
    id = scheduled(bench)
    link = bench.component.coordinator.dpm_link
    alert = DaqAlert(
        id="collect",
        severity=AlertSeverity.ERROR,
        description="file is missing",
        time=bench.site.clock.utc(),
    )
    bench.dpm.tell = lambda status: link.hear([event_of(status)])
    bench.dpm.go(id, Phase.COLLECTING, alerts=[alert])
    status = bench.daq.get_status(id)
    assert (status.substate, status.error, status.alerts) == ("Collecting", True, [alert])
    assert "file is missing" in status.message
    assert status.timestamp == bench.dpm.statuses[id].timestamp
    bench.dpm.go(id, Phase.MERGING)
    assert bench.daq.get_status(id).message == "[]"


def test_old_and_foreign_news_change_nothing(bench: Bench) -> None:
    """Of a state that has passed, of another product, of states that are not the DPM's."""
    id = scheduled(bench)
    old = bench.dpm.statuses[id]
    bench.dpm.go(id, Phase.COLLECTING, Phase.MERGING)
    before = bench.daq.get_status(id)
    bench.component.coordinator.adopt(old)
    bench.dpm.statuses[id] = DaqStatus(
        id=id,
        file_id="OTHER.2026-01-02T03:04:05.678",
        state=Phase.COMPLETED.state,
        substate=Phase.COMPLETED.substate,
        timestamp=1e10,
    )
    bench.component.coordinator.adopt(bench.dpm.statuses[id])
    assert bench.daq.get_status(id) == before


def test_what_cannot_be_read_is_passed_over(bench: Bench) -> None:
    """An event of another type does not end the listening."""
    id = scheduled(bench)
    link = bench.component.coordinator.dpm_link
    bench.dpm.tell = lambda status: link.hear([event_of(7), event_of(status)])
    bench.dpm.go(id, Phase.COLLECTING)
    assert bench.phase(id) is Phase.COLLECTING


@pytest.mark.parametrize("after", ["silence", "gap"])
def test_the_truth_is_asked_for(bench: Bench, after: str) -> None:
    """After some seconds without news, and at once after a gap in the events."""
    id = scheduled(bench)
    bench.dpm.tell = lambda _: None
    bench.dpm.go(id, Phase.COLLECTING, Phase.MERGING)
    assert bench.phase(id) is Phase.SCHEDULED
    if after == "gap":
        bench.component.coordinator.dpm_link.hear([Gap(reason=GapReason.NEW_EPOCH, count=-1)])
    else:
        bench.site.clock.advance(6)
    bench.await_phase(id, Phase.MERGING)


def test_a_silent_dpm_is_a_warning(bench: Bench) -> None:
    """It goes when the DPM answers."""
    id = scheduled(bench)
    bench.dpm.faults["*"] = DEAD
    bench.site.clock.advance(6)
    eventually(lambda: "does not tell" in bench.daq.get_status(id).message)
    assert not bench.daq.get_status(id).error
    bench.dpm.faults.clear()
    bench.site.clock.advance(6)
    eventually(lambda: bench.daq.get_status(id).message == "[]")


def test_a_retry_is_forwarded(bench: Bench) -> None:
    """To the DPM, in StateMerging only."""
    id = scheduled(bench)
    bench.daq.retry_merge_daq(id)
    assert bench.dpm.calls.count("retry_merge_daq") == 1
    bench.dpm.faults["*"] = DEAD
    with pytest.raises(DaqException, match="did not try again"):
        bench.daq.retry_merge_daq(id)
    other = bench.start("", "n")
    with pytest.raises(DaqException, match="retry_merge_daq is not possible"):
        bench.daq.retry_merge_daq(other)


def test_the_truth_counts_although_the_clock_of_the_dpm_was_set_back(bench: Bench) -> None:
    """An alert that seems to be older than the last event is shown once the DPM is asked."""
    id = scheduled(bench)
    link = bench.component.coordinator.dpm_link
    bench.dpm.tell = lambda status: link.hear([event_of(status)])
    bench.dpm.go(id, Phase.COLLECTING)
    alert = DaqAlert(
        id="collect",
        severity=AlertSeverity.ERROR,
        description="file is missing",
        time=bench.site.clock.utc(),
    )
    bench.dpm.statuses[id] = replace(bench.dpm.statuses[id], timestamp=-3600.0)
    bench.dpm.go(id, Phase.COLLECTING, alerts=[alert])
    # It does not wait for a silence, which would not come: the DPM goes on sending.
    eventually(lambda: bench.daq.get_status(id).alerts == [alert])
