"""For what runs pause, and when they go on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from idl_like_interfaces.alarms import (
    Alarm,
    AlarmReport,
    AlarmState,
    Column,
    PauseCondition,
    Severity,
)
from idl_like_interfaces.run_configuration import PauseRule, RunBegin, WriterKind
from idl_like_interfaces.run_control import Member, Phase
from objects.run_control.conditions import Cause, Conditions
from objects.run_control.enrolment import Enrolment, orders_for
from objects.run_control.pausing import decide, missing_fraction
from objects.run_control.records import RunRecord, entered, new_record
from tests.support.clock import ManualClock
from tests.support.runs import configuration, logger_writer

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def alarm(name: str = "hot", severity: Severity = Severity.MAJOR, **changes: object) -> Alarm:
    report = AlarmReport(
        object="crate 7",
        name=name,
        severity=severity,
        text="61 °C",
        cause="fan",
        remedy="cool it",
        time=NOW,
    )
    return Alarm(
        **{  # type: ignore[arg-type]
            "alarm_id": 1,
            "report": report,
            "source": "obs/crate",
            "state": AlarmState.RAISED,
            "column": Column.BAD,
            "is_active": True,
            "raised": NOW,
            "changed": NOW,
            **changes,
        }
    )


def record(phase: Phase, number: int = 1, **changes: object) -> RunRecord:
    made = new_record(number, RunBegin(shifter="a"), configuration(logger_writer("a", 1)), "r", NOW)
    return replace(entered(made, phase, NOW), **changes)


def condition(*, is_over: bool = False) -> PauseCondition:
    return PauseCondition(alarm=alarm(), is_over=is_over, number=1, since=NOW)


STAYS = Cause(key="alarm:x", text="x is hot")
RESUMES = Cause(key="alarm:y", text="y is wet", resumes=True)


@pytest.mark.spec("D55", "D56")
def test_a_declared_condition_pauses_until_it_is_over() -> None:
    """Announced again it is the same one; resolved or acknowledged it is none any more."""
    heard = Conditions()
    for _ in range(3):
        heard.hear_condition(condition())
    (cause,) = heard.causes(configuration(logger_writer("a", 1)), [])
    assert cause.key == "alarm:crate 7: hot"
    assert not cause.resumes
    assert "61 °C" in cause.text
    heard.hear_condition(condition(is_over=True))
    assert heard.causes(configuration(logger_writer("a", 1)), []) == []


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        (PauseRule(), True),
        (PauseRule(object="crate *", name="h?t"), True),
        (PauseRule(object="fan *"), False),
        (PauseRule(severity=Severity.FATAL), False),
        (PauseRule(severity=Severity.INFO), True),
    ],
)
def test_rules_choose_alarms(rule: PauseRule, *, matches: bool) -> None:
    """By object, name and severity."""
    heard = Conditions()
    heard.hear_alarm(alarm())
    found = heard.causes(configuration(logger_writer("a", 1), pause_rules=[rule]), [])
    assert bool(found) is matches


@pytest.mark.parametrize(
    "changes",
    [
        {"is_active": False, "column": Column.GOOD, "state": AlarmState.CLEARED},
        {"column": Column.ACKNOWLEDGED, "state": AlarmState.ACKNOWLEDGED},
    ],
)
def test_an_alarm_that_is_over_or_acknowledged_pauses_nothing(changes: dict[str, object]) -> None:
    """As with conditions that are declared."""
    heard = Conditions()
    rules = configuration(logger_writer("a", 1), pause_rules=[PauseRule()])
    heard.hear_alarm(alarm())
    assert heard.causes(rules, [])
    heard.hear_alarm(replace(alarm(), **changes))
    assert heard.causes(rules, []) == []


def test_the_sterner_rule_wins() -> None:
    """Where one rule resumes by itself and another does not, somebody has to look."""
    heard = Conditions()
    heard.hear_alarm(alarm())
    rules = [PauseRule(resumes=True), PauseRule(name="hot")]
    (cause,) = heard.causes(configuration(logger_writer("a", 1), pause_rules=rules), [])
    assert not cause.resumes


@pytest.mark.spec("D44")
def test_a_wish_pauses_the_runs_that_its_member_writes() -> None:
    """And no others."""
    heard = Conditions()
    member = Member(
        name="l0", kind=WriterKind.LOGGER, control="c", incarnation="1", pause_wish="full"
    )
    heard.hear_members([member])
    rules = configuration(logger_writer("a", 1))
    assert heard.causes(rules, ["l1"]) == []
    assert [each.key for each in heard.causes(rules, ["l0"])] == ["wish:l0"]
    assert heard.all_texts() == ["l0 asks for a pause: full"]
    heard.hear_members([replace(member, pause_wish="")])
    assert heard.causes(rules, ["l0"]) == []


def test_an_active_run_pauses_and_goes_on_by_itself_only_when_all_causes_allow_it() -> None:
    """One that does not keeps it paused until somebody resumes."""
    active = record(Phase.ACTIVE)
    turn = decide(active, [RESUMES])
    assert turn is not None
    assert (turn.phase, turn.causes) == (Phase.PAUSED, ("alarm:y",))
    stern = decide(active, [RESUMES, STAYS])
    assert stern is not None
    assert stern.causes == ()
    paused = record(Phase.PAUSED, causes=["alarm:y"])
    assert decide(paused, [RESUMES]) is None
    over = decide(paused, [])
    assert over is not None
    assert over.phase is Phase.ACTIVE
    stays = decide(paused, [RESUMES, STAYS])
    assert stays is not None
    assert (stays.phase, stays.causes) == (Phase.PAUSED, ())


@pytest.mark.parametrize("phase", [Phase.STARTING, Phase.ENDING, Phase.ABORTING])
def test_other_states_do_not_pause(phase: Phase) -> None:
    """Nor does one that somebody has paused go on by itself."""
    assert decide(record(phase), [STAYS]) is None
    assert decide(record(Phase.PAUSED), []) is None


def test_the_part_that_is_missing_counts_what_came_and_what_did_not() -> None:
    """Nothing missing: 0, also of nothing."""
    empty = record(Phase.ACTIVE)
    assert missing_fraction(empty) == 0.0
    quarter = replace(empty, run=replace(empty.run, events=75, gap_count=25))
    assert missing_fraction(quarter) == 0.25


@pytest.mark.spec("D47", "D51")
def test_a_member_is_told_what_became_of_its_runs() -> None:
    """Go on, go on paused, end, abort; a run that run control does not know is left alone."""
    phases = dict(enumerate(Phase, 1))
    records = {number: record(phase, number) for number, phase in phases.items()}
    member = Member(
        name="l0",
        kind=WriterKind.LOGGER,
        control="c",
        incarnation="1",
        runs=[*records, 99],
        restored=[1],
    )
    orders = orders_for(member, records.get, 5)
    named = {
        name: [phases[n] for n in getattr(orders, name)]
        for name in ("active", "paused", "ended", "aborted")
    }
    assert named == {
        "active": [Phase.STARTING, Phase.ACTIVE, Phase.PAUSED, Phase.ENDING],
        "paused": [Phase.PAUSED],
        "ended": [Phase.ENDED],
        "aborted": [Phase.ABORTING, Phase.ABORTED],
    }
    assert orders.fence == 5


def test_who_falls_silent_is_no_member_any_more() -> None:
    """After fifteen seconds."""
    clock = ManualClock()
    enrolment = Enrolment(clock)
    member = Member(name="l0", kind=WriterKind.LOGGER, control="c", incarnation="1")
    assert enrolment.take(member) is None
    clock.advance(10)
    assert enrolment.take(member) == member
    assert enrolment.writing([logger_writer("a", 1, reference="c")]) == ["l0"]
    clock.advance(15)
    assert enrolment.present() == []
