"""Heartbeats, conditions that pause a run, and what the service says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.alarms import (
    AlarmFilter,
    Change,
    Column,
    HistoryQuery,
    Severity,
)
from idl_like_interfaces.announcements import ComponentState
from idl_like_interfaces.errors import BadParam
from objects.alarms import own
from objects.alarms.heartbeats import Heartbeats
from tests.support.alarms import SERVICE, AlarmBench, batch, clear, heart, report

DPM = "obs/dpm"


def beat(bench: AlarmBench, *sources: str, seconds: float = 1.0) -> None:
    """Let time pass while some components, and the service itself, beat once a second."""
    for _ in range(int(seconds)):
        for source in (SERVICE, *sources):
            bench.servant.beat(source, heart(component=source))
        bench.wait(1.0)


def silent(bench: AlarmBench) -> list[str]:
    """Return the objects of the bad alarms that somebody is silent."""
    wanted = AlarmFilter(names=[own.SILENT], columns=[Column.BAD])
    return [each.report.object for each in bench.servant.get_alarms(wanted)]


@pytest.mark.spec("D59")
def test_a_missing_heartbeat_raises_an_alarm(tmp_path: Path) -> None:
    """By the service itself, after three seconds, until it beats again."""
    with AlarmBench(tmp_path) as bench:
        beat(bench, DPM, seconds=5)
        beat(bench, seconds=2)
        assert silent(bench) == []
        beat(bench, seconds=3)
        assert silent(bench) == [DPM]
        alarm = bench.alarm(own.SILENT)
        assert (alarm.source, alarm.report.severity) == (SERVICE, Severity.MAJOR)
        assert alarm.report.cause
        assert alarm.report.remedy
        assert bench.servant.get_stats().silent == [DPM]
        beat(bench, DPM)
        assert silent(bench) == []
        assert bench.servant.get_stats().silent == []


@pytest.mark.spec("D59")
def test_who_stops_in_good_order_is_not_missed(tmp_path: Path) -> None:
    """It said so in its last heartbeat."""
    with AlarmBench(tmp_path) as bench:
        beat(bench, DPM, seconds=3)
        bench.servant.beat(DPM, heart(ComponentState.STOPPED))
        beat(bench, seconds=10)
        assert silent(bench) == []


@pytest.mark.spec("D59")
def test_a_listed_component_is_missed_before_it_ever_beat(tmp_path: Path) -> None:
    """After its own period."""
    with AlarmBench(tmp_path, listed={"obs/ocm": 8.0, DPM: 4.0}) as bench:
        beat(bench, seconds=6)
        assert silent(bench) == [DPM]
        beat(bench, seconds=4)
        assert sorted(silent(bench)) == [DPM, "obs/ocm"]


def test_nobody_is_silent_while_nobody_can_be_heard(tmp_path: Path) -> None:
    """The event channel was away for a minute: afterwards each has its period anew."""
    with AlarmBench(tmp_path) as bench:
        beat(bench, DPM, "obs/ocm", seconds=3)
        bench.wait(60.0)
        assert silent(bench) == []
        beat(bench, "obs/ocm", seconds=2)
        assert silent(bench) == []
        beat(bench, "obs/ocm", seconds=4)
        assert silent(bench) == [DPM]


def test_a_killed_service_still_knows_whom_to_expect(tmp_path: Path) -> None:
    """Who died meanwhile is missed; who came back is not, and his alarm ends."""
    with AlarmBench(tmp_path) as bench:
        beat(bench, DPM, "obs/ocm", seconds=2)
        beat(bench, "obs/ocm", seconds=5)
        assert silent(bench) == [DPM]
        bench.restart()
        beat(bench, DPM, seconds=2)
        assert silent(bench) == []
        beat(bench, DPM, seconds=4)
        assert silent(bench) == ["obs/ocm"]


def test_clearing_the_alarm_ends_the_supervision(tmp_path: Path) -> None:
    """A component that was taken out is not missed for ever, also after a restart."""
    with AlarmBench(tmp_path) as bench:
        beat(bench, DPM, seconds=2)
        beat(bench, seconds=5)
        bench.servant.clear([bench.alarm(own.SILENT).alarm_id], "anna", "taken out")
        beat(bench, seconds=5)
        assert silent(bench) == []
        bench.restart()
        beat(bench, seconds=6)
        assert silent(bench) == []


@pytest.mark.spec("D60")
def test_states_of_components_enter_the_history(tmp_path: Path) -> None:
    """Each change once, distributed and remembered."""
    with AlarmBench(tmp_path) as bench:
        for state in ("started", "running", "running", "error", "running", "stopped"):
            bench.servant.beat(DPM, heart(ComponentState(state)))
        bench.servant.beat(DPM, heart(ComponentState.STARTED, incarnation="i2"))
        noted = [body.text for body in bench.published("alarms/noted")]
        assert noted == [
            "obs/dpm is started",
            "obs/dpm is running (it was started)",
            "obs/dpm is error (it was running)",
            "obs/dpm is running (it was error)",
            "obs/dpm is stopped (it was running)",
            "obs/dpm is started, started anew (it was stopped)",
        ]
        found = bench.servant.history(HistoryQuery(changes=[Change.NOTED], text="error"))
        assert [each.number for each in found] == [3, 4]


def test_alarms_of_a_silent_component_are_stale(tmp_path: Path) -> None:
    """Until it lives again, or, started anew, says them again."""
    with AlarmBench(tmp_path) as bench:
        bench.say(report("a"), report("b"))
        beat(bench, DPM, seconds=2)
        beat(bench, seconds=5)
        assert {each.name for each in bench.servant.get_stats().stale} == {"a", "b"}
        beat(bench, DPM)
        assert bench.servant.get_stats().stale == []
        bench.servant.beat(DPM, heart(incarnation="i2"))
        assert {each.name for each in bench.servant.get_stats().stale} == {"a", "b"}
        bench.servant.report(batch(1, report("a"), clear("b"), incarnation="i2"))
        assert bench.servant.get_stats().stale == []
        assert [each.change for each in bench.servant.history()].count(Change.STALE) == 4


def test_an_alarm_of_yesterday_is_stale(tmp_path: Path) -> None:
    """Somebody should look whether it still means something."""
    with AlarmBench(tmp_path) as bench:
        bench.say(report())
        bench.wait(90_000.0)
        (stale,) = bench.servant.get_stats().stale
        assert stale.name == "disk full"


@pytest.mark.spec("D55")
def test_a_pause_condition_is_announced_again_every_two_minutes(tmp_path: Path) -> None:
    """With its number, and no sooner; it can be asked for at any time."""
    with AlarmBench(tmp_path) as bench:
        bench.say(report(pauses_run=True), report("fan broken"))
        assert bench.pauses() == []
        bench.wait(1.0)
        assert bench.pauses() == [(1, False)]
        bench.wait(118.0)
        assert bench.pauses() == [(1, False)]
        bench.wait(4.0)
        assert bench.pauses() == [(1, False), (2, False)]
        bench.wait(240.0)
        assert [number for number, _ in bench.pauses()] == [1, 2, 3, 4]
        (pause,) = bench.servant.pause_conditions()
        assert (pause.alarm.report.name, pause.number) == ("disk full", 4)
        assert pause.since == pause.alarm.raised


@pytest.mark.spec("D56")
@pytest.mark.parametrize("how", ["resolved", "acknowledged", "shelved", "cleared"])
def test_a_pause_condition_ends_when_it_is_resolved_or_acknowledged(
    tmp_path: Path, how: str
) -> None:
    """That is announced once, and nothing after it."""
    with AlarmBench(tmp_path) as bench:
        bench.say(report(pauses_run=True))
        bench.wait(1.0)
        number = bench.alarm().alarm_id
        match how:
            case "resolved":
                bench.say(clear())
            case "acknowledged":
                bench.servant.acknowledge([number], "anna")
            case "shelved":
                bench.servant.shelve([number], "anna", "known", 3600.0)
            case _:
                bench.servant.clear([number], "anna")
        bench.wait(600.0)
        assert bench.pauses() == [(1, False), (1, True)]
        assert bench.servant.pause_conditions() == []


@pytest.mark.spec("D56")
def test_an_unacknowledged_pause_condition_begins_anew(tmp_path: Path) -> None:
    """Its alarm speaks again, and so does the reason to pause."""
    with AlarmBench(tmp_path) as bench:
        bench.say(report(pauses_run=True))
        bench.wait(1.0)
        number = bench.alarm().alarm_id
        bench.servant.acknowledge([number], "anna")
        bench.servant.unacknowledge([number], "anna")
        assert bench.pauses() == [(1, False), (1, True), (1, False)]


@pytest.mark.spec("D57")
def test_a_glitch_pauses_no_run(tmp_path: Path) -> None:
    """It was over before anybody was told."""
    with AlarmBench(tmp_path) as bench:
        bench.say(report(pauses_run=True))
        bench.wait(0.25)
        bench.say(clear())
        bench.wait(300.0)
        assert bench.pauses() == []


def test_declared_filters_make_pause_conditions(tmp_path: Path) -> None:
    """Of alarms whose reporter knows nothing of runs."""
    declared = [
        AlarmFilter(subsystems=["archive"], severity=Severity.FATAL),
        AlarmFilter(names=["dome*", "!*light*"]),
    ]
    with AlarmBench(tmp_path, pause_conditions=declared) as bench:
        bench.say(report("disk full"), report("dome open"), report("dome light on"))
        bench.say(report("disk gone", severity=Severity.FATAL))
        bench.wait(1.0)
        found = {each.alarm.report.name for each in bench.servant.pause_conditions()}
        assert found == {"dome open", "disk gone"}


def test_a_wrong_declared_filter_is_refused_at_the_start(tmp_path: Path) -> None:
    """And not when the alarm comes."""
    with pytest.raises(BadParam, match="no pattern") as refusal:
        AlarmBench(tmp_path, pause_conditions=[AlarmFilter(), AlarmFilter(names=["!"])])
    assert refusal.value.field == "pause_conditions[1].names[0]"


def test_a_killed_service_announces_what_must_pause_a_run(tmp_path: Path) -> None:
    """At once, with the next number, and again two minutes later."""
    with AlarmBench(tmp_path) as bench:
        bench.say(report(pauses_run=True))
        bench.wait(1.0)
        bench.restart()
        assert bench.pauses() == [(1, False), (2, False)]
        bench.wait(121.0)
        assert [number for number, _ in bench.pauses()] == [1, 2, 3]


def test_the_service_says_that_it_hears_nothing(tmp_path: Path) -> None:
    """As an alarm of its own, which ends when the channel answers."""
    with AlarmBench(tmp_path) as bench:
        for _ in range(2):
            bench.servant.pass_time(is_deaf=True)
            bench.clock.advance(1.0)
        assert bench.alarm(own.DEAF).column is Column.BAD
        bench.servant.pass_time()
        assert bench.alarm(own.DEAF).column is Column.GOOD


def test_endless_new_alarms_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest good ones go; when all are bad new ones are counted, and it is said."""
    monkeypatch.setattr("objects.alarms.book.MOST_STANDING", 20)
    with AlarmBench(tmp_path) as bench:
        bench.say(*(report(f"odd {number}") for number in range(15)))
        bench.wait(1.0)
        bench.say(*(clear(f"odd {number}") for number in range(15)))
        bench.say(*(report(f"new {number}") for number in range(25)))
        bench.wait(1.0)
        stats = bench.servant.get_stats()
        assert (stats.columns["bad"], stats.columns["good"], stats.lost) == (21, 0, 5)
        assert bench.alarm(own.TOO_MANY).column is Column.BAD
        bench.restart()
        assert bench.servant.get_stats().lost == 5


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "c"]), st.floats(0.05, 4.0)), min_size=1, max_size=60
    )
)
def test_silence_is_measured_by_what_is_heard(beats: list[tuple[str, float]]) -> None:
    """Whatever comes when: who is said to be silent did not beat while others were heard."""
    hearts = Heartbeats({}, 0.0)
    now, last = 0.0, {}
    for source, pause in beats:
        now += pause
        hearts.beat(source, heart(component=source), now)
        last[source] = now
        for each in hearts.fallen_silent():
            assert now - last[each] >= 3.0
        assert source not in hearts.silent
