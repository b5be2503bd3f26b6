"""What the dashboard makes of what it hears."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from controller.dashboard.picture import Picture
from idl_like_interfaces.announcements import ComponentState, Heartbeat
from idl_like_interfaces.daqif import DaqState, DaqSubstate
from idl_like_interfaces.events import ChannelStats
from idl_like_interfaces.naming import Binding, BindingType, Lease
from tests.support.clock import ManualClock
from tests.support.small import status

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def picture_of(clock: ManualClock) -> Picture:
    """An empty picture on a clock that stands."""
    return Picture("localhost:9090", "obs", clock.monotonic, lambda: NOON)


def heartbeat(**changes: Any) -> Heartbeat:
    """A heartbeat of the OCM."""
    values: dict[str, Any] = {
        "component": "ocm",
        "kind": "ocm",
        "incarnation": "1",
        "state": ComponentState.RUNNING,
        "pid": 7,
    }
    return Heartbeat(**(values | changes))


def binding(name: str = "obs/ocm/daq", **changes: Any) -> Binding:
    """A name of the OCM."""
    values: dict[str, Any] = {
        "name": name,
        "uri": "PYRO:x@localhost:1",
        "metadata": {"component": "ocm", "kind": "ocm", "pid": "7"},
        "lease_id": "L",
        "bound_at": NOON,
    }
    return Binding(**(values | changes))


LEASE = Lease(lease_id="L", holder="ocm", term_s=6.0, remaining_s=5.0)


def test_component_is_known_from_its_names_alone() -> None:
    """Marks of the binder tell kind and process before a heartbeat comes."""
    picture = picture_of(ManualClock())
    picture.put_names([binding(), binding("obs", type=BindingType.CONTEXT, metadata={})], [LEASE])
    (line,) = picture.snapshot().components
    assert (line.name, line.kind, line.pid, line.state, line.names) == (
        "ocm", "ocm", 7, None, ("obs/ocm/daq",),
    )  # fmt: skip


def test_lease_runs_down_between_questions() -> None:
    """What is left is counted down from the last answer, never below nothing."""
    clock = ManualClock()
    picture = picture_of(clock)
    picture.put_names([binding()], [LEASE])
    clock.advance(2.0)
    assert picture.snapshot().components[0].lease_s == 3.0
    clock.advance(9.0)
    assert picture.snapshot().components[0].lease_s == 0.0


def test_component_becomes_silent() -> None:
    """Without heartbeats for more than three seconds it is silent."""
    clock = ManualClock()
    picture = picture_of(clock)
    picture.put_names([binding()], [LEASE])
    picture.put_heartbeat(heartbeat())
    assert not picture.snapshot().components[0].is_silent
    clock.advance(3.5)
    assert picture.snapshot().components[0].is_silent


def test_stopped_component_leaves_the_picture() -> None:
    """One that said goodbye and holds no lease is forgotten soon; a silent one after a minute."""
    clock = ManualClock()
    picture = picture_of(clock)
    picture.put_heartbeat(heartbeat(state=ComponentState.STOPPED))
    picture.put_heartbeat(heartbeat(component="dpm"))
    clock.advance(4.0)
    assert [each.name for each in picture.snapshot().components] == ["dpm"]
    clock.advance(60.0)
    assert picture.snapshot().components == ()


def test_older_status_does_not_replace_a_newer_one() -> None:
    """Answers to questions and events may overtake each other."""
    picture = picture_of(ManualClock())
    picture.put_status(status(timestamp=5.0, substate=DaqSubstate.STOPPING))
    picture.put_status(status(timestamp=4.0))
    assert picture.snapshot().acquisitions[0].substate is DaqSubstate.STOPPING


def test_active_acquisitions_come_first_then_the_newest() -> None:
    """And of the ended ones only the newest are kept."""
    picture = picture_of(ManualClock())
    picture.put_status(status("active", timestamp=1.0))
    for number in range(40):
        picture.put_status(
            status(
                f"d{number}",
                timestamp=2.0 + number,
                state=DaqState.COMPLETED,
                substate=DaqSubstate.COMPLETED,
            )
        )
    ids = [each.id for each in picture.snapshot().acquisitions]
    assert ids[:3] == ["active", "d39", "d38"]
    assert len(ids) == 21
    assert picture.active_ids() == {"active"}


def test_age_is_the_time_since_the_last_change() -> None:
    """Counted by the clock of the host."""
    picture = picture_of(ManualClock())
    picture.put_status(status(timestamp=(NOON - timedelta(seconds=7)).timestamp()))
    assert picture.snapshot().acquisitions[0].age_s == 7.0


def test_service_that_failed_is_a_trouble_until_it_answers() -> None:
    """The time counts from its last answer."""
    clock = ManualClock()
    picture = picture_of(clock)
    picture.watch("event channel")
    clock.advance(2.0)
    picture.failed("event channel", "Connection refused")
    clock.advance(3.0)
    (trouble,) = picture.snapshot().troubles
    assert (trouble.what, trouble.since_s, trouble.why) == (
        "event channel", 5.0, "Connection refused",
    )  # fmt: skip
    picture.answered("event channel")
    assert picture.snapshot().troubles == ()


def test_service_that_hangs_is_a_trouble_too() -> None:
    """No answer and no failure for more than three seconds."""
    clock = ManualClock()
    picture = picture_of(clock)
    picture.watch("name server")
    clock.advance(3.5)
    assert picture.snapshot().troubles[0].why == "no answer"


def test_rates_become_a_history() -> None:
    """Each statistics of the channel adds a point."""
    picture = picture_of(ManualClock())
    for rate in (1.0, 2.0):
        picture.put_stats(
            ChannelStats(
                epoch="e", first=1, last=9, held_bytes=10, events_per_s=rate,
                topics={"a": 1, "b": 8}, suppliers=[], consumers=[],
            )
        )  # fmt: skip
    channel = picture.snapshot().channel
    assert channel is not None
    assert channel.history == (1.0, 2.0)
    assert channel.topics[0] == ("b", 8)


def test_waiting_ends_when_all_was_heard() -> None:
    """Every service has answered, every holder of a lease has sent a heartbeat."""
    picture = picture_of(ManualClock())
    picture.put_names([binding()], [LEASE])
    picture.answered("name server")
    assert not picture.wait_until_heard(["name server"], 0.0)
    picture.put_heartbeat(heartbeat())
    assert picture.wait_until_heard(["name server"], 0.0)
