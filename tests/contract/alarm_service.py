"""What every implementation of ``AlarmService`` does, whatever carries it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from idl_like_interfaces.alarms import (
    Alarm,
    AlarmFilter,
    AlarmNote,
    AlarmService,
    AlarmState,
    AllReported,
    Change,
    Column,
    HistoryQuery,
    NoSuchAlarm,
    NotPossible,
    Severity,
)
from idl_like_interfaces.errors import BadParam
from tests.support.alarms import NIGHT, batch, clear, report


@dataclass
class Serving:
    """A service under test, and what lets its time pass.

    Attributes:
        service: Called.
        wait: Lets seconds pass.
        events: What was published.
    """

    service: AlarmService
    wait: Callable[[float], None]
    events: list[tuple[str, Any]]

    def raise_some(self, *names: str, **changes: Any) -> list[int]:
        """Have conditions reported, wait until they are told, and return their numbers."""
        source = f"obs/{'-'.join(names)}"
        reports = [report(name, **changes) for name in names]
        self.service.report(batch(1, *reports, source=source))
        self.wait(1.0)
        numbers = {each.report.name: each.alarm_id for each in self.service.get_alarms()}
        return [numbers[name] for name in names]

    def changes(self, **query: Any) -> list[Change]:
        """Return what the history has."""
        return [each.change for each in self.service.history(HistoryQuery(**query))]

    def names(self, **filter: Any) -> set[str]:
        """Return the names of the alarms that a filter takes."""
        return {each.report.name for each in self.service.get_alarms(AlarmFilter(**filter))}


class AlarmServiceContract:
    """Inherit it and give the fixture ``serving``."""

    @pytest.fixture
    def serving(self) -> Iterator[Serving]:
        """Yield a service without alarms."""
        raise NotImplementedError

    def test_an_alarm_comes_back_as_it_was_reported(self, serving: Serving) -> None:
        """Every field, any alphabet; it is bad, and in the history."""
        original = report("扉 öffnet nicht", attribute="door", system_id="obs", latch=True)
        reply = serving.service.report(batch(1, original))
        assert (reply.taken, reply.is_complete) == (1, True)
        serving.wait(1.0)
        (alarm,) = serving.service.get_alarms()
        assert (alarm.report, alarm.source) == (original, "obs/dpm")
        assert (alarm.state, alarm.column) == (AlarmState.RAISED, Column.BAD)
        assert (alarm.is_active, alarm.count, alarm.raised) == (True, 1, NIGHT)
        (entry,) = serving.service.history()
        assert (entry.number, entry.change, entry.alarm) == (1, Change.RAISED, alarm)

    def test_what_came_before_is_passed_over(self, serving: Serving) -> None:
        """A repeated batch and one that overlaps add only what is new."""
        service = serving.service
        assert service.report(batch(1, report("a"), clear("a"))).taken == 2
        assert service.report(batch(1, report("a"), clear("a"))).taken == 0
        assert service.report(batch(2, clear("a"), report("b"))).taken == 1
        assert service.report(batch(1, report("c"), incarnation="i2")).taken == 1
        serving.wait(1.0)
        assert serving.names() == {"a", "b", "c"}
        assert serving.names(columns=[Column.GOOD]) == {"a"}

    def test_a_hole_asks_for_all_that_holds(self, serving: Serving) -> None:
        """What is not told again is over then; what was lost is counted once."""
        service = serving.service
        assert service.report(batch(1, report("a"), report("b"))).is_complete
        for _ in range(2):
            assert not service.report(batch(6, report("c"), lost=3)).is_complete
        assert not service.report(batch(7)).is_complete
        assert service.report(batch(7, report("b"), report("c"), AllReported(since=7))).is_complete
        serving.wait(1.0)
        assert serving.names(columns=[Column.BAD]) == {"b", "c"}
        assert service.get_stats().lost == 3

    @pytest.mark.parametrize("time", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"])
    def test_a_time_that_nobody_could_show_is_refused(self, serving: Serving, time: str) -> None:
        """Nothing of the batch is taken."""
        odd = report("odd", time=datetime.fromisoformat(time))
        with pytest.raises(BadParam) as refusal:
            serving.service.report(batch(1, report("well"), odd))
        assert refusal.value.field == "batch.reports[1].time"
        serving.wait(1.0)
        assert serving.service.get_alarms() == []

    @pytest.mark.spec("D53")
    def test_alarms_are_sorted_by_severity_and_stand_in_columns(self, serving: Serving) -> None:
        """The worst first, then the newest; bad, acknowledged and good are told apart."""
        for severity in (Severity.MINOR, Severity.FATAL, Severity.INFO, Severity.MAJOR):
            serving.raise_some(severity.value, severity=severity)
        found = serving.service.get_alarms()
        assert [each.report.severity for each in found] == ["fatal", "major", "minor", "info"]
        order = [each for each in Severity if each.is_at_least(Severity.MINOR)]
        assert order == [Severity.MINOR, Severity.MAJOR, Severity.FATAL]
        serving.service.acknowledge([found[0].alarm_id], "anna")
        serving.service.clear([found[1].alarm_id], "anna")
        assert serving.names(columns=[Column.BAD]) == {"minor", "info"}
        assert serving.names(columns=[Column.ACKNOWLEDGED]) == {"fatal"}
        assert serving.names(columns=[Column.GOOD]) == {"major"}
        assert serving.service.get_stats().columns == {"bad": 2, "acknowledged": 1, "good": 1}

    @pytest.mark.spec("D57")
    def test_a_glitch_appears_only_in_good(self, serving: Serving) -> None:
        """Nobody was told of it, and nobody ever sees it as bad."""
        serving.service.report(batch(1, report()))
        assert serving.service.get_alarms() == []
        serving.wait(0.25)
        serving.service.report(batch(2, clear()))
        serving.wait(1.0)
        (alarm,) = serving.service.get_alarms()
        assert (alarm.column, alarm.is_glitch, alarm.count) == (Column.GOOD, True, 1)
        assert serving.changes() == [Change.GLITCH]
        assert {each.column for topic, each in serving.events} == {Column.GOOD}

    def test_a_latched_alarm_is_no_glitch_and_waits_for_somebody(self, serving: Serving) -> None:
        """However short it was, it stays bad until it is acknowledged."""
        serving.service.report(batch(1, report(latch=True), clear()))
        (alarm,) = serving.service.get_alarms()
        assert (alarm.state, alarm.is_active) == (AlarmState.RAISED, False)
        (done,) = serving.service.acknowledge([alarm.alarm_id], "anna", "seen")
        assert (done.state, done.column) == (AlarmState.CLEARED, Column.GOOD)
        assert (done.by, done.comment) == ("anna", "seen")

    @pytest.mark.spec("D54")
    def test_an_acknowledged_alarm_is_silent(self, serving: Serving) -> None:
        """Whatever it does, until it is un-acknowledged: then it is bad again."""
        (number,) = serving.raise_some("disk full", pauses_run=True)
        serving.service.acknowledge([number], "anna", "on my way")
        before = len(serving.events)
        for first in range(2, 12, 2):
            serving.wait(200.0)
            again = report(pauses_run=True)
            serving.service.report(batch(first, clear(), again, source="obs/disk full"))
        serving.wait(200.0)
        news = [body for _, body in serving.events[before:]]
        assert all(body.column is not Column.BAD for body in news if isinstance(body, Alarm))
        assert [body for body in news if not isinstance(body, Alarm)] == []
        serving.service.unacknowledge([number], "anna")
        assert serving.names(columns=[Column.BAD]) == {"disk full"}
        assert len(serving.service.pause_conditions()) == 1

    def test_an_acknowledged_alarm_that_gets_worse_speaks_again(self, serving: Serving) -> None:
        """Who took note of a warning took no note of a fatal one."""
        (number,) = serving.raise_some("fan", severity=Severity.WARNING)
        serving.service.acknowledge([number], "anna")
        worse = report("fan", severity=Severity.FATAL)
        serving.service.report(batch(2, worse, source="obs/fan"))
        (alarm,) = serving.service.get_alarms()
        assert alarm.state is AlarmState.RAISED
        assert serving.changes()[-1] is Change.UNACKNOWLEDGED

    def test_a_shelved_alarm_comes_back_by_itself(self, serving: Serving) -> None:
        """With the reason and the time for which it was put aside."""
        (number,) = serving.raise_some("fan")
        (alarm,) = serving.service.shelve([number], "anna", "spare part ordered", 600.0)
        assert (alarm.state, alarm.comment) == (AlarmState.SHELVED, "spare part ordered")
        assert alarm.until is not None
        assert alarm.until - NIGHT > timedelta(seconds=600)
        assert serving.service.get_stats().shelved == 1
        serving.wait(599.0)
        assert serving.names(states=[AlarmState.SHELVED]) == {"fan"}
        serving.wait(2.0)
        assert serving.names(states=[AlarmState.RAISED]) == {"fan"}
        serving.service.shelve([number], "anna", "again", 60.0)
        (alarm,) = serving.service.unshelve([number], "otto")
        assert alarm.state is AlarmState.RAISED

    @pytest.mark.parametrize("for_s", [0.0, 7 * 86_400.0 + 1])
    def test_a_shelf_has_an_end(self, serving: Serving, for_s: float) -> None:
        """Neither no time nor more than a week."""
        (number,) = serving.raise_some("fan")
        with pytest.raises(BadParam):
            serving.service.shelve([number], "anna", "why not", for_s)
        assert serving.names(states=[AlarmState.RAISED]) == {"fan"}

    def test_each_of_several_is_done_or_refused_by_itself(self, serving: Serving) -> None:
        """The refusal names one; the others are done."""
        numbers = serving.raise_some("a", "b", "c")
        with pytest.raises(NoSuchAlarm) as missing:
            serving.service.acknowledge([numbers[0], 4711, numbers[1]], "anna")
        assert missing.value.alarm_id == 4711
        assert missing.value.remedy
        assert serving.names(columns=[Column.ACKNOWLEDGED]) == {"a", "b"}
        with pytest.raises(NotPossible) as refused:
            serving.service.acknowledge(numbers, "anna")
        assert (refused.value.alarm_id, refused.value.state) == (
            numbers[0],
            AlarmState.ACKNOWLEDGED,
        )
        assert serving.names(columns=[Column.ACKNOWLEDGED]) == {"a", "b", "c"}

    def test_what_does_not_fit_the_state_is_refused(self, serving: Serving) -> None:
        """And changes nothing."""
        (number,) = serving.raise_some("fan")
        service = serving.service
        with pytest.raises(NotPossible):
            service.unacknowledge([number], "anna")
        with pytest.raises(NotPossible):
            service.unshelve([number], "anna")
        service.clear([number], "anna", "taken out")
        with pytest.raises(NotPossible):
            service.clear([number], "anna")
        with pytest.raises(NotPossible):
            service.shelve([number], "anna", "why", 60.0)
        with pytest.raises(NotPossible):
            service.acknowledge([number], "anna")
        assert serving.changes() == [Change.RAISED, Change.CLEARED]

    @pytest.mark.spec("D58")
    def test_filters_by_name_severity_subsystem_system_and_negation(self, serving: Serving) -> None:
        """Alone and together; globs, and globs that must not match."""
        serving.raise_some("disk full", severity=Severity.FATAL, system_id="north")
        serving.raise_some("disk slow", severity=Severity.MINOR, attribute="rate")
        serving.raise_some("fan broken", object="crate 7/fan 2", subsystem="cooling")
        assert serving.names() == {"disk full", "disk slow", "fan broken"}
        assert serving.names(names=["disk*"]) == {"disk full", "disk slow"}
        assert serving.names(names=["!disk*"]) == {"fan broken"}
        assert serving.names(names=["disk*", "!*slow"]) == {"disk full"}
        assert serving.names(names=["disk ?ull", "fan broken"]) == {"disk full", "fan broken"}
        assert serving.names(severity=Severity.MAJOR) == {"disk full", "fan broken"}
        assert serving.names(subsystems=["cool*"]) == {"fan broken"}
        assert serving.names(subsystems=["!cool*"]) == {"disk full", "disk slow"}
        assert serving.names(system_ids=["north"]) == {"disk full"}
        assert serving.names(objects=["crate */fan ?"]) == {"fan broken"}
        assert serving.names(attributes=["rate"]) == {"disk slow"}
        assert serving.names(names=["disk*"], severity=Severity.FATAL) == {"disk full"}
        assert serving.names(names=["disk*"], negate=True) == {"fan broken"}
        assert serving.names(severity=Severity.MAJOR, negate=True) == {"disk slow"}

    @pytest.mark.parametrize("wrong", [[""], ["!"], ["x" * 300], ["a"] * 1001])
    def test_bad_globs_are_refused(self, serving: Serving, wrong: list[str]) -> None:
        """The refusal names the field, also within a query of the history."""
        with pytest.raises(BadParam) as refusal:
            serving.service.get_alarms(AlarmFilter(objects=wrong))
        assert refusal.value.field.startswith("filter.objects")
        with pytest.raises(BadParam):
            serving.service.history(HistoryQuery(filter=AlarmFilter(names=wrong)))

    @pytest.mark.spec("D61")
    def test_the_history_is_found_by_its_fields(self, serving: Serving) -> None:
        """By time, happening, alarm, text, number; from either end."""
        service = serving.service
        (disk,) = serving.raise_some("disk full")
        serving.wait(60.0)
        (fan,) = serving.raise_some("fan broken", text="it STANDS still", subsystem="cooling")
        service.acknowledge([fan], "anna", "spare part ordered")
        service.note("obs/run", "run 7 begins")
        service.clear([disk], "otto")

        def numbers(**query: Any) -> list[int]:
            return [each.number for each in service.history(HistoryQuery(**query))]

        assert numbers() == [1, 2, 3, 4, 5]
        assert numbers(since=NIGHT + timedelta(seconds=30)) == [2, 3, 4, 5]
        assert numbers(until=NIGHT + timedelta(seconds=30)) == [1]
        assert numbers(changes=[Change.RAISED]) == [1, 2]
        assert numbers(filter=AlarmFilter(subsystems=["cooling"])) == [2, 3]
        assert numbers(filter=AlarmFilter(columns=[Column.GOOD])) == [5]
        assert numbers(text="stands") == [2, 3]
        assert numbers(text="SPARE part") == [3]
        assert numbers(text="run 7") == [4]
        assert numbers(after=3) == [4, 5]
        assert numbers(limit=2) == [4, 5]
        assert numbers(limit=2, newest=False) == [1, 2]
        assert numbers(after=1, limit=2, newest=False) == [2, 3]

    @pytest.mark.parametrize("limit", [0, -1, 10_001])
    def test_a_limit_out_of_range_is_refused(self, serving: Serving, limit: int) -> None:
        """Of the history, of the list, and of the overview."""
        with pytest.raises(BadParam) as refusal:
            serving.service.history(HistoryQuery(limit=limit))
        assert refusal.value.field == "query.limit"
        with pytest.raises(BadParam):
            serving.service.get_alarms(limit=limit)
        with pytest.raises(BadParam):
            serving.service.overview(limit=limit)

    @pytest.mark.spec("D60")
    def test_a_note_is_distributed_and_remembered(self, serving: Serving) -> None:
        """Of a component in a batch, and of a program by itself; once each."""
        for _ in range(2):
            serving.service.report(batch(1, AlarmNote(text="run 7 begins", time=NIGHT)))
        serving.service.note("obs/run", "run 7 ends")
        noted = [body for topic, body in serving.events if topic == "alarms/noted"]
        assert [each.text for each in noted] == ["run 7 begins", "run 7 ends"]
        found = serving.service.history(HistoryQuery(changes=[Change.NOTED]))
        assert [(each.by, each.text) for each in found] == [
            ("obs/dpm", "run 7 begins"),
            ("obs/run", "run 7 ends"),
        ]

    def test_the_overview_has_few_lines_in_a_flood(self, serving: Serving) -> None:
        """Of hundreds of alarms at most ten lines, the worst first, and none forgotten."""
        for crate in range(3):
            reports = [
                report(f"channel {n} noisy", object=f"crate {crate}", severity=Severity.MINOR)
                for n in range(100)
            ]
            serving.service.report(batch(1, *reports, source=f"obs/crate{crate}"))
        serving.raise_some("dome open in rain", severity=Severity.FATAL)
        overview = serving.service.overview()
        assert len(overview.lines) <= 10
        assert "dome open in rain" in overview.lines[0].text
        assert overview.lines[0].severity is Severity.FATAL
        assert sum(line.count for line in overview.lines) == 301
        assert overview.columns == {"bad": 301, "acknowledged": 0, "good": 0}
        assert len(serving.service.overview(limit=1).lines) == 1

    def test_the_statistics_tell_how_much_there_is_to_do(self, serving: Serving) -> None:
        """Rates, the peak, who comes most often, who chatters."""
        for first in range(1, 9, 2):
            serving.service.report(batch(first, report("relay"), clear("relay")))
            serving.wait(1.0)
        serving.raise_some("fan")
        stats = serving.service.get_stats()
        assert (stats.per_10_min, stats.peak_per_10_min) == (5, 5)
        assert [(each.name, each.count) for each in stats.top_offenders] == [
            ("relay", 4),
            ("fan", 1),
        ]
        assert stats.by_severity["major"] == 1
        assert stats.chattering == []
        serving.service.report(batch(9, report("relay"), clear("relay")))
        (chattering,) = serving.service.get_stats().chattering
        assert (chattering.name, chattering.count) == ("relay", 5)
        serving.wait(1200.0)
        stats = serving.service.get_stats()
        assert (stats.per_10_min, stats.peak_per_10_min, stats.chattering) == (0, 6, [])
