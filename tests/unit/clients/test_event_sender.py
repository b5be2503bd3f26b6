"""The sender of events: exactly once to the disk of the logger, through every loss."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from idl_like_interfaces.clients.event_sender import (
    EventSender,
    SenderEnded,
    SpoolFull,
    WhenFull,
)
from idl_like_interfaces.errors import BadParam, Transient
from idl_like_interfaces.event_server import Acknowledgement, EventServer, Gap, SenderIdentity
from idl_like_interfaces.mapping import ObjectAdapter, narrow, release
from idl_like_interfaces.octets import OctetBlocks
from objects.logger_stream.event_server import EventServerServant
from objects.logger_stream.intake import Intake
from objects.logger_stream.senders import SenderMark
from tests.support.eventually import eventually
from tests.support.held_streams import HeldRuns
from tests.support.relay import Relay

PATIENCE_S = 20.0


class Logger(EventServer):
    """A logger without files, that can be away, lose answers, and crash.

    Attributes:
        held: Its runs.
    """

    def __init__(self) -> None:
        self.is_away = False
        self.answers_to_lose = 0
        self.refuses: type[BadParam] | None = None
        self.start([])

    def start(self, marks: list[SenderMark]) -> None:
        """Start, with what a journal has kept."""
        self.held = HeldRuns()
        self.held.start(1)
        self.intake = Intake(self.held.runs, self.held.clock)
        self.intake.restore(marks)
        self.servant = EventServerServant(self.intake)

    @property
    def numbers(self) -> list[int]:
        """Event numbers of stream 1."""
        return self.held.stream(1, 1).numbers

    def _call(self, call: Callable[[], Acknowledgement]) -> Acknowledgement:
        if self.is_away:
            raise Transient("nobody is there")
        answer = call()
        if self.answers_to_lose:
            self.answers_to_lose -= 1
            raise Transient("the answer is lost")
        return answer

    @override
    def hello(self, sender: SenderIdentity) -> Acknowledgement:
        return self._call(lambda: self.servant.hello(sender))

    @override
    def send(
        self, sender: int, first: int, messages: OctetBlocks, timeout_s: float = 5.0
    ) -> Acknowledgement:
        if self.refuses is not None:
            raise self.refuses("made up", field="messages")
        return self._call(lambda: self.servant.send(sender, first, messages, timeout_s))

    @override
    def await_durable(self, sender: int, beyond: int, timeout_s: float) -> Acknowledgement:
        return self._call(lambda: self.servant.await_durable(sender, beyond, 0.2))

    @override
    def declare_gap(self, sender: int, gap: Gap) -> Acknowledgement:
        return self._call(lambda: self.servant.declare_gap(sender, gap))


@pytest.fixture
def logger() -> Logger:
    """Return a logger with run 1."""
    return Logger()


@pytest.fixture
def make(logger: Logger) -> Iterator[Callable[..., EventSender]]:
    """Return what makes senders; they are closed at the end."""
    made: list[EventSender] = []

    def build(server: EventServer | None = None, **more: Any) -> EventSender:
        made.append(EventSender(server or logger, "cr1", patience_s=0.2, **more))
        return made[-1]

    yield build
    for each in made:
        each.finish(0.0)


def send(sender: EventSender, first: int, count: int) -> None:
    """Send events to stream 1 of run 1."""
    for number in range(first, first + count):
        sender.send(1, number, 1, (1,), b"payload")


def test_events_reach_the_disk(logger: Logger, make: Callable[..., EventSender]) -> None:
    """In order, each once; the sender knows it."""
    sender = make()
    send(sender, 1, 1000)
    assert sender.wait_durable(PATIENCE_S)
    assert logger.numbers == list(range(1, 1001))
    counters = sender.counters
    assert (counters.produced, counters.accepted, counters.durable) == (1000, 1000, 1000)
    assert (counters.waiting, counters.waiting_bytes, counters.dropped) == (0, 0, 0)
    assert counters.batches < 1000
    (account,) = sender.accounts()
    assert (account.taken, account.passed, account.in_flight, account.drops) == (1000, 1000, 0, [])


def test_an_end_in_good_order_leaves_no_gap(logger: Logger) -> None:
    """The next start of the same name takes over without a suspicion."""
    ended = []
    for start in range(3):
        with EventSender(logger, "cr1") as sender:
            send(sender, 10 * start + 1, 10)
        ended.append(sender)
    assert logger.numbers == list(range(1, 31))
    assert logger.held.runs.get(1).status().gaps == []
    with pytest.raises(SenderEnded):
        ended[0].send(1, 1, 1, (1,), b"")


@pytest.mark.spec("D33")
def test_lost_answers_lose_and_repeat_nothing(
    logger: Logger, make: Callable[..., EventSender]
) -> None:
    """What was taken is sent again and dropped there."""
    sender = make()
    for first in range(1, 200, 20):
        logger.answers_to_lose = 2
        send(sender, first, 20)
    assert sender.wait_durable(PATIENCE_S)
    assert logger.numbers == list(range(1, 201))


@pytest.mark.spec("D33")
def test_a_crashed_logger_gets_again_what_was_not_durable(
    logger: Logger, make: Callable[..., EventSender]
) -> None:
    """From its own mark on; what is durable is not sent again."""
    sender = make()
    send(sender, 1, 5)
    assert sender.wait_durable(PATIENCE_S)
    logger.held.stream(1, 1).is_synced_at_once = False
    send(sender, 6, 5)
    assert sender.flush(PATIENCE_S)
    assert not sender.wait_durable(0.05)
    logger.start(logger.intake.marks())
    assert sender.wait_durable(PATIENCE_S)
    assert logger.numbers == [6, 7, 8, 9, 10]
    assert sender.counters.greetings == 2


def test_a_logger_that_is_away_is_waited_for(
    logger: Logger, make: Callable[..., EventSender]
) -> None:
    """Events wait; why is told."""
    logger.is_away = True
    sender = make()
    send(sender, 1, 3)
    assert not sender.flush(0.05)
    eventually(lambda: "nobody is there" in sender.problem)
    logger.is_away = False
    assert sender.wait_durable(PATIENCE_S)
    assert sender.problem == ""


def test_a_full_spool_blocks_or_raises(logger: Logger, make: Callable[..., EventSender]) -> None:
    """Until there is room; the bound holds in events and in bytes."""
    logger.is_away = True
    sender = make(spool_events=3)
    send(sender, 1, 3)
    with pytest.raises(SpoolFull, match="3 events"):
        sender.send(1, 4, 1, (1,), b"", timeout_s=0.01)
    waiting = threading.Thread(target=send, args=(sender, 4, 3))
    waiting.start()
    logger.is_away = False
    waiting.join(PATIENCE_S)
    assert sender.wait_durable(PATIENCE_S)
    assert logger.numbers == [1, 2, 3, 4, 5, 6]
    logger.is_away = True
    other = make(logger, spool_bytes=1000, when_full=WhenFull.RAISE)
    with pytest.raises(SpoolFull):
        send(other, 1, 100)
    assert other.counters.waiting < 20


def test_what_is_dropped_is_declared(logger: Logger, make: Callable[..., EventSender]) -> None:
    """As gaps with their exact number, in the run and in the account."""
    logger.is_away = True
    sender = make(spool_events=10, when_full=WhenFull.DROP)
    send(sender, 1, 25)
    logger.is_away = False
    assert sender.wait_durable(PATIENCE_S)
    send(sender, 26, 2)
    assert sender.wait_durable(PATIENCE_S)
    assert logger.numbers == [*range(1, 11), 26, 27]
    status = logger.held.runs.get(1).status()
    assert status.gap_count == 15
    assert status.gaps[0].reason == "spool full"
    (account,) = sender.accounts()
    assert (account.taken, account.passed, account.in_flight) == (27, 12, 0)
    assert [(each.reason, each.count) for each in account.drops] == [("spool", 15)]


def test_a_batch_that_is_refused_for_good_is_a_gap(
    logger: Logger, make: Callable[..., EventSender]
) -> None:
    """It does not block those behind it."""
    sender = make()
    logger.refuses = BadParam
    send(sender, 1, 3)
    assert sender.flush(PATIENCE_S)
    logger.refuses = None
    send(sender, 4, 1)
    assert sender.wait_durable(PATIENCE_S)
    assert logger.numbers == [4]
    assert logger.held.runs.get(1).status().gap_count == 3


def test_a_paused_run_is_told(logger: Logger, make: Callable[..., EventSender]) -> None:
    """As the reason why nothing gets through."""
    run = logger.held.runs.get(1)
    run.pause("the disk is full")
    sender = make()
    send(sender, 1, 3)
    eventually(lambda: sender.problem == "the disk is full")
    run.resume()
    assert sender.wait_durable(PATIENCE_S)


def test_a_later_start_ends_this_one(logger: Logger, make: Callable[..., EventSender]) -> None:
    """It says so, and takes nothing more."""
    first = make()
    send(first, 1, 3)
    assert first.wait_durable(PATIENCE_S)
    second = make()
    send(second, 4, 3)
    assert second.wait_durable(PATIENCE_S)
    with pytest.raises(SenderEnded, match="later start"):
        send(first, 90, 100_000)
    assert not first.finish(1.0)
    assert logger.numbers == [1, 2, 3, 4, 5, 6]


@pytest.mark.spec("D34")
def test_what_a_killed_sender_had_on_disk_comes_first(
    logger: Logger, make: Callable[..., EventSender], tmp_path: Path
) -> None:
    """Under its old incarnation: nothing is lost, nothing twice, and there is no gap."""
    sender = make(spool=tmp_path)
    send(sender, 1, 5)
    assert sender.wait_durable(PATIENCE_S)
    logger.is_away = True
    send(sender, 6, 5)
    kill(sender)
    later = make(spool=tmp_path)
    send(later, 11, 5)
    logger.is_away = False
    assert later.wait_durable(PATIENCE_S)
    assert logger.numbers == list(range(1, 16))
    assert logger.held.runs.get(1).status().gaps == []


def test_a_killed_sender_whose_events_were_all_durable_leaves_no_gap(
    logger: Logger, make: Callable[..., EventSender], tmp_path: Path
) -> None:
    """The files say where it had ended."""
    sender = make(spool=tmp_path)
    send(sender, 1, 5)
    assert sender.wait_durable(PATIENCE_S)
    kill(sender)
    later = make(spool=tmp_path)
    send(later, 6, 5)
    assert later.wait_durable(PATIENCE_S)
    assert logger.held.runs.get(1).status().gaps == []
    assert logger.numbers == list(range(1, 11))


def test_dropped_events_are_gaps_also_for_the_next_start(
    logger: Logger, make: Callable[..., EventSender], tmp_path: Path
) -> None:
    """The numbers in the files leave them out."""
    logger.is_away = True
    sender = make(spool=tmp_path, spool_events=3, when_full=WhenFull.DROP)
    send(sender, 1, 5)
    sender._most = (10, 1 << 20)
    send(sender, 6, 1)
    kill(sender)
    logger.is_away = False
    later = make(spool=tmp_path)
    send(later, 7, 1)
    assert later.wait_durable(PATIENCE_S)
    assert logger.numbers == [1, 2, 3, 6, 7]
    assert logger.held.runs.get(1).status().gap_count == 2


def kill(sender: EventSender) -> None:
    """End a sender as a kill -9 does: no word to anybody, files as they are."""
    sender._forwarder.stop(PATIENCE_S)
    assert sender._spool is not None
    sender._spool._disk.leave_to_parent()


@pytest.mark.spec("D33")
def test_cut_connections_lose_nothing(make: Callable[..., EventSender]) -> None:
    """Over the real wire, cut again and again, with answers lost."""
    held = HeldRuns()
    held.start(1)
    servant = EventServerServant(Intake(held.runs, held.clock))
    with ObjectAdapter() as adapter, Relay(adapter.activate(servant, EventServer, "e")) as relay:
        stub = narrow(relay.uri, EventServer)
        sender = make(stub)
        try:
            for first in range(1, 1001, 100):
                send(sender, first, 100)
                relay.lose(1)
                assert sender.flush(PATIENCE_S)
                relay.cut()
            assert sender.wait_durable(PATIENCE_S)
            assert sender.finish(PATIENCE_S)
        finally:
            release(stub)
    assert held.stream(1, 1).numbers == list(range(1, 1001))
    assert held.runs.get(1).counts[0] == 1000
