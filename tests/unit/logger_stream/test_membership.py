"""The logger as a member of run control's runs: orders, wishes, and the loss of who gives them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from idl_like_interfaces.event_logger import LoggerInit, LoggerState, RunState
from idl_like_interfaces.run_control import Orders
from tests.support.event_logger import NAME, FakeRunControl, TestedLogger, streams
from tests.support.eventually import eventually
from tests.support.site import FakeSite


@pytest.fixture
def conductor() -> FakeRunControl:
    return FakeRunControl()


@pytest.fixture
def logger(tmp_path: Path, conductor: FakeRunControl) -> Iterator[TestedLogger]:
    site = FakeSite(tmp_path, NAME)
    site.bind("obs/run", conductor)
    with TestedLogger(tmp_path, site) as tested:
        yield tested


def hurry(logger: TestedLogger) -> None:
    """Have it make itself known now."""
    link = logger.component.core.link
    assert link is not None
    link.hurry()


def is_in(logger: TestedLogger, run: int, state: RunState) -> bool:
    """Tell whether a run is in a state."""
    return logger.run(run).state is state


def full(logger: TestedLogger) -> None:
    """Have any volume be taken for one with too little room."""
    logger.control.init(LoggerInit())
    logger.control.configure(
        msgspec.structs.replace(
            streams(1), min_free_warning=1.0, min_free_pause=1.0, min_free_close=0.0
        )
    )


def test_it_makes_itself_known(logger: TestedLogger, conductor: FakeRunControl) -> None:
    """With its control object, its runs, and the greatest number that it has seen."""
    eventually(lambda: conductor.members, "its enrolment")
    assert conductor.members[0].control == "obs/logger/0/control"
    logger.configured(1)
    logger.start(8, fence=1)
    before = len(conductor.members)
    hurry(logger)
    eventually(lambda: len(conductor.members) > before, "another enrolment")
    member = conductor.members[-1]
    assert (member.runs, member.restored, member.newest_run) == ([8], [], 8)
    assert logger.status.links["run_control"] == "connected"


@pytest.mark.parametrize(
    ("orders", "state"),
    [
        (Orders(active=[1], paused=[1]), RunState.PAUSED),
        (Orders(ended=[1]), RunState.ENDED),
        (Orders(aborted=[1]), RunState.ABORTED),
    ],
)
def test_it_follows_orders(
    logger: TestedLogger, conductor: FakeRunControl, orders: Orders, state: RunState
) -> None:
    """What run control says of a run is done; another one is left alone."""
    logger.configured(1)
    logger.start(1)
    logger.start(2)
    conductor.orders = orders
    hurry(logger)
    eventually(lambda: is_in(logger, 1, state), "the order")
    assert is_in(logger, 2, RunState.ACTIVE)


def test_orders_bring_the_newest_fence(logger: TestedLogger, conductor: FakeRunControl) -> None:
    """Who has lost control while run control was away is refused."""
    logger.configured(1)
    logger.start(1, fence=3)
    conductor.orders = Orders(active=[1], fence=9)
    hurry(logger)
    eventually(lambda: logger.component.core.memory.fence == 9, "the fence")


@pytest.mark.spec("D38")
def test_the_loss_of_run_control_stops_nothing(
    logger: TestedLogger, conductor: FakeRunControl
) -> None:
    """The status says so, events flow, and it is found again."""
    logger.configured(1)
    logger.start(1)
    eventually(lambda: logger.status.links["run_control"] == "connected", "the link")
    logger.site.unbind("obs/run")
    hurry(logger)
    eventually(lambda: "disconnected" in logger.status.links["run_control"], "the loss")
    assert logger.send(1, 10).accepted == 10
    logger.site.bind("obs/run", conductor)
    hurry(logger)
    eventually(lambda: logger.status.links["run_control"] == "connected", "the link again")
    assert logger.control.end_run(1).events == 10


@pytest.mark.spec("D44")
def test_little_room_is_a_wish_for_a_pause(logger: TestedLogger, conductor: FakeRunControl) -> None:
    """An answer of run control, whatever it is, leaves the decision with it."""
    full(logger)
    logger.start(1)
    logger.site.tick()
    logger.site.clock.advance(2.0)
    logger.site.tick()
    eventually(
        lambda: conductor.members and "stream s1 of run 1" in conductor.members[-1].pause_wish,
        "the wish",
    )
    eventually(lambda: logger.component.core.link.answered_wish, "the answer")  # type: ignore[union-attr]
    logger.site.tick()
    assert logger.send(1, 2).accepted == 2
    assert any(name == "volume fills up" for _, name in logger.site.alarms)


@pytest.mark.spec("D44")
def test_without_an_answer_nothing_is_read_any_more(tmp_path: Path) -> None:
    """After two seconds the senders wait; with room they go on."""
    with TestedLogger(tmp_path) as logger:
        full(logger)
        logger.start(1)
        logger.send(1, 1)
        logger.site.tick()
        logger.site.clock.advance(2.5)
        logger.site.tick()
        waiting = logger.send_from(2, 1, 1, timeout_s=0.05)
        assert (waiting.accepted, waiting.is_paused) == (1, True)
        assert "run control does not answer" in waiting.reason
        logger.control.configure(streams(1))
        logger.site.clock.advance(2.0)
        logger.site.tick()
        logger.site.clock.advance(2.0)
        logger.site.tick()
        assert logger.send_from(2, 1, 1).accepted == 2
        assert logger.control.end_run(1).events == 2


@pytest.mark.spec("D47")
def test_a_start_restores_what_was_told(tmp_path: Path) -> None:
    """State, configuration, runs, counts and gaps; the numbers of runs stay used."""
    with TestedLogger(tmp_path) as before:
        before.configured(1, 2)
        before.start(4, comment="first")
        before.send(4, 6, ids=(1, 2))
        before.await_durable(6)
    with TestedLogger(tmp_path) as after:
        assert after.state is LoggerState.RUNNING
        run = after.run(4)
        assert (run.state, run.is_restored, run.events) == (RunState.PAUSED, True, 6)
        assert [each.events for each in run.streams] == [6, 6]
        after.control.resume(4)
        assert after.hello().durable == 6
        after.send_from(7, 4, 2)
        certificate = after.control.end_run(4)
        assert (certificate.events, certificate.missing) == (8, [])
    with TestedLogger(tmp_path) as last:
        assert last.state is LoggerState.CONFIGURED
        assert last.control.get_certificate(4) == certificate


def test_runs_can_go_on_alone(tmp_path: Path) -> None:
    """When the settings say so."""
    with TestedLogger(tmp_path) as before:
        before.configured(1)
        before.start(1)
    with TestedLogger(tmp_path, resume_alone=True) as after:
        assert (after.run(1).state, after.run(1).is_restored) == (RunState.ACTIVE, True)


def test_a_port_that_is_taken_after_a_restart_is_a_failure(tmp_path: Path) -> None:
    """Told as one; it is tried again each second."""
    with TestedLogger(tmp_path) as before:
        before.control.init(LoggerInit(event_port=4242))
    site = FakeSite(tmp_path, NAME)
    site.busy_ports.add(4242)
    with TestedLogger(tmp_path, site) as after:
        assert "4242" in after.status.problem
        assert ("obs/logger0", "failure") in site.alarms
        site.busy_ports.clear()
        site.tick()
        assert after.status.problem == ""
        assert "logger/0/events" in site.offered
        assert ("obs/logger0", "failure") not in site.alarms


def test_who_waits_is_told_of_each_step(tmp_path: Path) -> None:
    """Durability of the last message is told when it is there, however many steps there were."""
    with TestedLogger(tmp_path) as logger:
        logger.configured(1)
        logger.start(1)
        for count in range(1, 200):
            logger.send(1, 1)
            if count % 20 == 0:
                before = time.monotonic()
                logger.await_durable(count)
                assert time.monotonic() - before < 25.0, "nobody told it, its time was over"
