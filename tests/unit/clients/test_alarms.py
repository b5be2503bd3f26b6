"""The component's side of the alarm service."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from idl_like_interfaces.alarms import (
    AlarmBatch,
    AlarmClear,
    AlarmNote,
    AlarmReport,
    AlarmService,
    AllReported,
    ReportReply,
    Severity,
)
from idl_like_interfaces.clients import AlarmReporter
from idl_like_interfaces.errors import BadParam, Transient
from tests.support.eventually import eventually
from tests.support.peers import PATIENCE_S

NIGHT = datetime(2026, 3, 1, 22, 0, 0, tzinfo=UTC)


def report(name: str = "disk full", **changes: Any) -> AlarmReport:
    """A report of the DPM's disk."""
    values: dict[str, Any] = {
        "object": "obs/dpm",
        "name": name,
        "severity": Severity.MAJOR,
        "text": "3 MB are left",
        "cause": "many products",
        "remedy": "remove some",
        "time": NIGHT,
    }
    return AlarmReport(**(values | changes))


class Service:
    """Knows what holds by the reports alone; may be away, and may forget all."""

    def __init__(self) -> None:
        self.is_there = True
        self.taken: list[Any] = []
        self.holds: dict[tuple[str, str], int] = {}
        self.known = 0
        self.hole = 0
        self.is_complete = True
        self.calls = 0
        self._lock = threading.Lock()

    def forget(self) -> None:
        """Be a new service with an empty store."""
        with self._lock:
            self.taken, self.holds, self.known = [], {}, 0

    def report(self, batch: AlarmBatch) -> ReportReply:
        """Take what is new."""
        with self._lock:
            self.calls += 1
            self._answer()
            if batch.first > self.known + 1:
                self.is_complete, self.hole = False, batch.first
            before = self.known
            for number, each in enumerate(batch.reports, batch.first):
                if number > before:
                    self.known = number
                    self._take(number, each)
            return ReportReply(taken=self.known - before, is_complete=self.is_complete)

    def get_stats(self) -> None:
        """Answer, when it is there."""
        self._answer()

    def _answer(self) -> None:
        if not self.is_there:
            raise Transient("nobody is there")

    def _take(self, number: int, each: Any) -> None:
        match each:
            case AlarmReport():
                self.holds[each.object, each.name] = number
            case AlarmClear():
                self.holds.pop((each.object, each.name), None)
            case AllReported() if each.since >= self.hole:
                self.is_complete = True
                self.holds = {key: at for key, at in self.holds.items() if at >= each.since}
        self.taken.append(each)

    @property
    def names(self) -> set[str]:
        """Names of the conditions that hold."""
        return {name for _, name in self.holds}


@pytest.fixture
def service() -> Service:
    return Service()


@contextmanager
def reporting(service: Service, **options: Any) -> Iterator[AlarmReporter]:
    """Yield a reporter that asks often whether it is still known."""
    remote = cast("AlarmService", service)
    with AlarmReporter(remote, "obs/dpm", "i1", **{"check_s": 0.05, **options}) as reporter:
        yield reporter


def test_reports_reach_the_service_in_order(service: Service) -> None:
    """Raised, noted and cleared; of a clear without an object it is the component."""
    with reporting(service) as reporter:
        reporter.raise_alarm(report())
        reporter.note("run 7 begins")
        reporter.clear_alarm("disk full", text="cleaned up")
        assert reporter.flush(PATIENCE_S)
    raised, noted, cleared = service.taken
    assert raised == report()
    assert isinstance(noted, AlarmNote)
    assert noted.text == "run 7 begins"
    assert isinstance(cleared, AlarmClear)
    assert (cleared.object, cleared.name, cleared.text) == ("obs/dpm", "disk full", "cleaned up")


def test_what_says_nothing_new_is_not_sent_again_for_a_while(service: Service) -> None:
    """A component may say at each look what holds and what does not."""
    now = [0.0]
    with reporting(service, check_s=60.0, monotonic=lambda: now[0]) as reporter:
        for second in range(30):
            now[0] = float(second)
            reporter.raise_alarm(report(time=datetime.now(UTC)))
            reporter.clear_alarm("fan broken")
        reporter.raise_alarm(report(text="2 MB are left"))
        assert reporter.flush(PATIENCE_S)
    raised = [each for each in service.taken if isinstance(each, AlarmReport)]
    assert [each.text for each in raised] == 3 * ["3 MB are left"] + ["2 MB are left"]
    assert len(service.taken) - len(raised) == 1


def test_reports_wait_for_an_absent_service_and_come_once(service: Service) -> None:
    """Nothing is lost, nothing is said twice."""
    service.is_there = False
    with reporting(service) as reporter:
        for number in range(300):
            reporter.raise_alarm(report(f"fan {number}"))
        eventually(lambda: service.calls >= 3, "attempts")
        service.is_there = True
        assert reporter.flush(PATIENCE_S)
        assert [each.name for each in service.taken] == [f"fan {n}" for n in range(300)]


def test_a_service_that_forgot_is_told_anew_what_holds(service: Service) -> None:
    """Without anything new from the component; what was over stays over."""
    with reporting(service) as reporter:
        for name in ("disk full", "fan broken", "door open"):
            reporter.raise_alarm(report(name))
        reporter.clear_alarm("fan broken")
        assert reporter.flush(PATIENCE_S)
        service.forget()
        eventually(lambda: service.known and service.is_complete, "everything told anew")
        assert service.names == {"disk full", "door open"}
        assert {each.name for each in reporter.active} == service.names


def test_a_spool_that_overflowed_ends_in_the_truth(service: Service) -> None:
    """A dropped clear does not leave an alarm behind for ever."""
    with reporting(service, spool_reports=20) as reporter:
        for number in range(10):
            reporter.raise_alarm(report(f"fan {number}"))
        assert reporter.flush(PATIENCE_S)
        service.is_there = False
        for _ in range(20):
            for number in range(10):
                reporter.clear_alarm(f"fan {number}")
            for number in range(5):
                reporter.raise_alarm(report(f"fan {number}"))
        service.is_there = True
        eventually(lambda: reporter.counters.dropped > 0, "reports are dropped")
        eventually(
            lambda: service.is_complete and service.names == {f"fan {n}" for n in range(5)},
            "the service knows what holds",
        )


def test_a_component_that_never_reported_asks_nothing(service: Service) -> None:
    """A hundred quiet components cost the service nothing."""
    with reporting(service, check_s=0.001) as reporter:
        reporter.clear_alarm("disk full")
        assert reporter.flush(PATIENCE_S)
        threading.Event().wait(0.05)
    assert service.calls == 1


@pytest.mark.parametrize("reported", [False, True])
def test_who_watches_knows_that_the_service_is_away(service: Service, reported: bool) -> None:
    """Also before there is an alarm; nothing is reported for it."""
    with reporting(service) as reporter:
        reporter.watch()
        if reported:
            reporter.raise_alarm(report())
            assert reporter.flush(PATIENCE_S)
        before = list(service.taken)
        service.is_there = False
        eventually(lambda: reporter.is_away, "it is away")
        service.is_there = True
        eventually(lambda: not reporter.is_away, "it is back")
        assert service.taken == before


@pytest.mark.spec("E40")
@pytest.mark.parametrize("field", ["object", "name", "text", "cause", "remedy"])
@pytest.mark.parametrize("blank", ["", "  \n", None])
def test_nobody_builds_a_report_without_cause_and_remedy(field: str, blank: Any) -> None:
    """The constructor takes neither nothing nor blanks, and says what is missing."""
    with pytest.raises(BadParam, match=f"no {field}") as refusal:
        report(**{field: blank})
    assert refusal.value.field == field
    assert refusal.value.remedy


@pytest.mark.spec("E40")
@pytest.mark.parametrize("field", ["cause", "remedy"])
def test_cause_and_remedy_have_no_default(field: str) -> None:
    """Leaving one out is an error of Python itself."""
    fields = {name: getattr(report(), name) for name in report().__struct_fields__}
    del fields[field]
    with pytest.raises(TypeError, match=field):
        AlarmReport(**fields)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: report(severity="terrible"),
        lambda: report(latch="yes"),
        lambda: report(time="now"),
        lambda: report(time=datetime.fromisoformat("0001-01-01T00:00:00+01:00")),
        lambda: report(subsystem="s" * 300),
    ],
)
def test_a_report_that_cannot_travel_is_refused_to_its_author(
    service: Service, wrong: Callable[[], AlarmReport]
) -> None:
    """It must not spoil the batch of the others."""
    with reporting(service) as reporter:
        reporter.raise_alarm(report())
        with pytest.raises(BadParam):
            reporter.raise_alarm(wrong())
        assert reporter.flush(PATIENCE_S)
    assert service.names == {"disk full"}


def test_long_and_odd_texts_are_made_to_fit(service: Service) -> None:
    """A condition whose name is cut is cleared by the same name."""
    with reporting(service) as reporter:
        odd = report("n" * 400, text="t" * 9000, cause="\ud800", time=datetime(2026, 3, 1))  # noqa: DTZ001 (a time without a zone is what is tested)
        reporter.raise_alarm(odd)
        assert reporter.flush(PATIENCE_S)
        (taken,) = service.taken
        assert (len(taken.name), len(taken.text), taken.cause) == (255, 4096, "?")
        assert taken.time == datetime(2026, 3, 1, tzinfo=UTC)
        reporter.clear_alarm("n" * 400)
        assert reporter.flush(PATIENCE_S)
    assert service.names == set()


def test_endless_new_conditions_are_bounded(service: Service) -> None:
    """A component that is wrong does not fill its own memory."""
    with reporting(service, check_s=60.0) as reporter:
        for number in range(5100):
            reporter.raise_alarm(report(f"odd {number}"))
        assert len(reporter.active) == 5000
