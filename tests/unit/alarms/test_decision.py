"""How an alarm goes from state to state."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from typing_extensions import override

from idl_like_interfaces.alarms import (
    Alarm,
    AlarmState,
    Change,
    Column,
    HistoryQuery,
    NoSuchAlarm,
    NotPossible,
)
from objects.alarms import decision
from objects.alarms.decision import CHATTER_COUNT, CHATTER_S, STATES
from tests.support.alarms import AlarmBench, clear, report

NAMES = ("disk full", "fan broken")


PAGE = Path(__file__).parents[3] / "docs" / "reference" / "alarms.md"


@pytest.mark.parametrize("text", [decision.__doc__ or "", PAGE.read_text(encoding="utf-8")])
def test_the_tables_in_the_texts_are_that_of_the_code(text: str) -> None:
    """Flags, state and column, row by row."""
    rows = re.findall(
        r"^\| (yes|no) \| (yes|no) \| (yes|no) \| (\w+) \| (\w+) \|$", text, re.MULTILINE
    )
    told = {
        tuple(each == "yes" for each in flags): (AlarmState(state), Column(column))
        for *flags, state, column in rows
    }
    assert told == STATES


def test_a_future_report_does_not_begin_in_the_future(tmp_path: Path) -> None:
    """A component's clock that was set wrong does not spoil the order of things."""
    with AlarmBench(tmp_path) as bench:
        ahead = bench.clock.utc().replace(year=2031)
        behind = bench.clock.utc().replace(year=1999)
        bench.say(report("ahead", time=ahead), report("behind", time=behind))
        bench.wait(1.0)
        for name in ("ahead", "behind"):
            assert (bench.clock.utc() - bench.alarm(name).raised).total_seconds() == 1.0


def test_a_clock_that_is_set_moves_no_interval(tmp_path: Path) -> None:
    """Neither the end of a shelf, nor a glitch, nor the next announcement."""
    with AlarmBench(tmp_path) as bench:
        bench.say(report("pausing", pauses_run=True), report("shelved"))
        bench.wait(1.0)
        bench.servant.shelve([bench.alarm("shelved").alarm_id], "anna", "later", 600.0)
        monotonic = bench.clock.monotonic()
        bench.clock.advance(-86_400.0)
        bench.clock._monotonic = monotonic
        bench.wait(118.0)
        assert bench.pauses() == [(1, False)]
        bench.wait(3.0)
        assert bench.pauses() == [(1, False), (2, False)]
        assert bench.alarm("shelved").state is AlarmState.SHELVED
        bench.wait(600.0)
        assert bench.alarm("shelved").state is AlarmState.RAISED


def test_what_chatters_stays_bad_until_it_is_quiet(tmp_path: Path) -> None:
    """A display is told twice of a thousand changes: when it begins and when it ends."""
    with AlarmBench(tmp_path) as bench:
        for _ in range(1000):
            bench.say(report())
            bench.say(clear())
        alarm = bench.alarm()
        assert (alarm.column, alarm.is_chattering, alarm.count) == (Column.BAD, True, 1000)
        told = [body for _, body in bench.events if isinstance(body, Alarm)]
        assert [each.is_chattering for each in told] == 4 * [False] + [True]
        bench.wait(CHATTER_S + 1)
        alarm = bench.alarm()
        assert (alarm.column, alarm.is_chattering) == (Column.GOOD, False)


def test_a_good_alarm_is_forgotten_after_an_hour(tmp_path: Path) -> None:
    """Then it begins as a new one; the history knows both."""
    with AlarmBench(tmp_path) as bench:
        bench.say(report())
        bench.wait(1.0)
        first = bench.alarm().alarm_id
        bench.servant.acknowledge([first], "anna")
        bench.say(clear())
        bench.wait(3500.0)
        bench.say(report())
        bench.wait(1.0)
        assert bench.alarm().alarm_id == first
        assert (bench.alarm().state, bench.alarm().count) == (AlarmState.ACKNOWLEDGED, 2)
        bench.say(clear())
        bench.wait(3700.0)
        assert bench.servant.get_alarms() == []
        with pytest.raises(NoSuchAlarm):
            bench.servant.unacknowledge([first], "anna")
        bench.say(report())
        bench.wait(1.0)
        assert (bench.alarm().alarm_id, bench.alarm().state) == (first + 1, AlarmState.RAISED)


def test_a_renewed_report_is_no_history(tmp_path: Path) -> None:
    """The newest text is shown and told, and is there after a crash."""
    with AlarmBench(tmp_path) as bench:
        bench.say(report(text="3 MB"))
        bench.wait(1.0)
        bench.say(report(text="2 MB"))
        told = [body.report.text for _, body in bench.events if isinstance(body, Alarm)]
        assert told == ["3 MB", "2 MB"]
        bench.restart()
        assert bench.alarm().report.text == "2 MB"
        assert [each.change for each in bench.servant.history()] == [Change.RAISED]


@dataclass
class Model:
    """What one alarm should do, said as simply as possible."""

    exists: bool = False
    active: bool = False
    latch: bool = False
    latched: bool = False
    acknowledged: bool = False
    chattering: bool = False
    waiting_since: float | None = None
    shelf_end: float | None = None
    last: float = 0.0
    begins: list[float] = field(default_factory=list)
    shown: bool = False

    @property
    def stands(self) -> bool:
        return (self.active and self.waiting_since is None) or self.latched or self.chattering

    @property
    def column(self) -> Column:
        if not self.stands:
            return Column.GOOD
        quiet = self.acknowledged or self.shelf_end is not None
        return Column.ACKNOWLEDGED if quiet else Column.BAD

    def begin(self, now: float, *, latch: bool) -> None:
        """The condition is reported."""
        self.latch, self.exists = latch, True
        if self.active:
            return
        self.active, self.last = True, now
        self.latched = latch and not self.acknowledged
        self.begins = [*self.begins, now][-CHATTER_COUNT:]
        dense = len(self.begins) == CHATTER_COUNT and now - self.begins[0] <= CHATTER_S
        self.chattering = self.chattering or dense
        self.waiting_since = None if latch or self.chattering else now
        self.shown = self.shown or self.waiting_since is None

    def end(self, now: float) -> None:
        """It is reported to be over."""
        if self.active:
            self.active, self.waiting_since, self.last, self.shown = False, None, now, True

    def look(self, now: float) -> None:
        """Time has passed."""
        if self.waiting_since is not None and now - self.waiting_since >= 0.5:
            self.waiting_since, self.shown = None, True
        if self.shelf_end is not None and now >= self.shelf_end:
            self.shelf_end = None
        if self.chattering and now - self.last >= CHATTER_S:
            self.chattering, self.begins = False, []


class Alarms(RuleBasedStateMachine):
    """The service and the model go the same way, also when the service is killed."""

    names = st.sampled_from(NAMES)

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.bench = AlarmBench(self.folder)
        self.models = {name: Model() for name in NAMES}

    @override
    def teardown(self) -> None:
        numbers = [each.number for each in self.bench.servant.history(HistoryQuery())]
        assert numbers == list(range(1, len(numbers) + 1))
        self.bench.close()
        shutil.rmtree(self.folder)

    @property
    def now(self) -> float:
        return self.bench.clock.monotonic()

    def number(self, name: str) -> int:
        """The number of a shown alarm; one that is none else."""
        found = [each for each in self.bench.servant.get_alarms() if each.report.name == name]
        return found[0].alarm_id if found else 4711

    def attempt(self, name: str, action: str, *more: object, may: bool) -> bool:
        """Do something by hand; it must be refused exactly when the model says so."""
        try:
            getattr(self.bench.servant, action)([self.number(name)], "anna", *more)
        except (NoSuchAlarm, NotPossible):
            assert not may
            return False
        assert may
        return True

    @rule(name=names, latch=st.booleans())
    def reported(self, name: str, latch: bool) -> None:
        self.bench.say(report(name, latch=latch, time=self.bench.clock.utc()))
        self.models[name].begin(self.now, latch=latch)

    @rule(name=names)
    def over(self, name: str) -> None:
        self.bench.say(clear(name))
        self.models[name].end(self.now)

    @rule(name=names)
    def acknowledged(self, name: str) -> None:
        model = self.models[name]
        is_noted = model.acknowledged and model.shelf_end is None
        if self.attempt(name, "acknowledge", may=model.shown and model.stands and not is_noted):
            model.acknowledged, model.latched, model.shelf_end = True, False, None

    @rule(name=names)
    def unacknowledged(self, name: str) -> None:
        model = self.models[name]
        if self.attempt(name, "unacknowledge", may=model.shown and model.acknowledged):
            model.acknowledged, model.latched = False, model.latch and model.active

    @rule(name=names, seconds=st.sampled_from([10.0, 30.0]))
    def shelved(self, name: str, seconds: float) -> None:
        model = self.models[name]
        if self.attempt(name, "shelve", "why", seconds, may=model.shown and model.stands):
            model.shelf_end = self.now + seconds

    @rule(name=names)
    def unshelved(self, name: str) -> None:
        model = self.models[name]
        if self.attempt(name, "unshelve", may=model.shown and model.shelf_end is not None):
            model.shelf_end = None

    @rule(name=names)
    def cleared(self, name: str) -> None:
        model = self.models[name]
        if self.attempt(name, "clear", may=model.shown and model.stands):
            model.active = model.latched = model.chattering = False
            model.waiting_since = model.shelf_end = None
            model.begins = []

    @rule(seconds=st.sampled_from([0.25, 0.5, 12.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        self.bench.clock.advance(seconds)
        for _ in range(3):
            self.bench.servant.pass_time()
        for model in self.models.values():
            model.look(self.now)

    @rule(orderly=st.booleans())
    def restarted(self, orderly: bool) -> None:
        self.bench.restart(orderly=orderly)
        for model in self.models.values():
            model.begins = []

    @invariant()
    def they_agree(self) -> None:
        shown = {each.report.name: each.column for each in self.bench.servant.get_alarms()}
        assert shown == {name: each.column for name, each in self.models.items() if each.shown}


TestAlarms = pytest.mark.timeout(1800)(Alarms.TestCase)
TestAlarms.settings = settings(
    max_examples=1000 if os.environ.get("OBSORB_SOAK") == "1" else 20,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
