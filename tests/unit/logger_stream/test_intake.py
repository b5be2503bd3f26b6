"""The intake: once each, in order, into every stream that must have it."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.event_server import (
    Acknowledgement,
    Gap,
    SenderIdentity,
    Superseded,
    UnknownSender,
)
from objects.logger_stream.intake import Intake
from objects.logger_stream.senders import Recovered, SenderMark
from tests.support.event_batches import SENDER, batch, damaged, event, events, framed, other
from tests.support.eventually import eventually
from tests.support.held_streams import HeldRuns

PATIENCE_S = 20.0


class Desk(HeldRuns):
    """An intake with its runs, and a sender that has said hello."""

    def __init__(self, **restored: Any) -> None:
        super().__init__()
        self.intake = Intake(self.runs, self.clock)
        if restored:
            self.intake.restore(**restored)
        self.pool = ThreadPoolExecutor(4)

    def hello(self, incarnation: int = SENDER, name: str = "cr1", **more: Any) -> Acknowledgement:
        """Greet."""
        identity = SenderIdentity(name=name, incarnation=incarnation, **more)
        return self.intake.hello(identity, "192.0.2.1")

    def send(
        self, octets: bytes, first: int = 1, timeout_s: float = 0.0, sender: int = SENDER
    ) -> Acknowledgement:
        """Send a batch."""
        return self.intake.send(sender, first, octets, timeout_s, "192.0.2.1")

    def sending(self, octets: bytes, first: int = 1) -> Future[Acknowledgement]:
        """Send a batch in another thread, with patience."""
        return self.pool.submit(self.send, octets, first, PATIENCE_S)


@pytest.fixture
def desk() -> Any:
    """Return a desk with run 1 (streams 1 and 2), greeted."""
    made = Desk()
    made.start(1)
    made.hello()
    yield made
    made.pool.shutdown()


@pytest.mark.spec("D20")
def test_an_event_goes_to_each_of_its_streams(desk: Desk) -> None:
    """Once to each, also when it names one twice; it is counted once."""
    octets = batch([event(1, streams=(1, 2)), event(2, streams=(2, 2)), event(3, streams=(1,))])
    assert desk.send(octets).accepted == 3
    assert desk.stream(1, 1).sequences == [1, 3]
    assert desk.stream(1, 2).sequences == [1, 2]
    assert desk.runs.get(1).counts[0] == 3


@pytest.mark.spec("D21")
def test_unknown_stream_ids_go_to_unassigned(desk: Desk, caplog: Any) -> None:
    """With the original ids, one warning for each id, each event once; ids are counted."""
    octets = batch([event(1, streams=(8, 9)), event(2, streams=(1, 9)), event(3, streams=())])
    with caplog.at_level(logging.WARNING):
        assert desk.send(octets).accepted == 3
        desk.send(batch([event(4, streams=(9,))]), 4)
    unassigned = desk.unassigned(1)
    assert unassigned.sequences == [1, 2, 3, 4]
    assert bytes(next(iter(unassigned.portions[0].messages()))) == event(1, streams=(8, 9))
    assert desk.stream(1, 1).sequences == [2]
    assert desk.intake.unassigned == {8: 1, 9: 3}
    assert caplog.text.count("nobody configured stream 9") == 1
    assert caplog.text.count("nobody configured stream 8") == 1


@pytest.mark.spec("D12")
def test_events_of_several_runs_find_their_own(desk: Desk) -> None:
    """Also a run that goes on under a newer configuration, within one batch."""
    desk.start(2, ids=(7,))
    octets = batch([event(1), event(2, run=2, streams=(7,)), event(3), event(4, run=2)])
    assert desk.send(octets).accepted == 4
    assert desk.stream(1, 1).sequences == [1, 3]
    assert desk.stream(2, 7).sequences == [2]
    assert desk.unassigned(2).sequences == [4]


@pytest.mark.spec("D07", "D11")
def test_without_a_run_nothing_is_accepted() -> None:
    """Events are counted and told as refused; the sender goes on."""
    desk = Desk()
    desk.hello()
    answer = desk.send(events(1, 3))
    assert (answer.accepted, answer.refused) == (3, 3)
    assert desk.runs.not_accepted == 3
    assert desk.strays.taken == []


@pytest.mark.spec("D30", "D32")
def test_events_of_another_run_are_strays(desk: Desk) -> None:
    """They are not written to the sender's run, and told to it as mismatches; each once."""
    desk.send(events(1, 2))
    octets = batch([event(3), event(4, run=9), event(5), event(6, run=9)])
    desk.stream(1, 1).room_left = 1
    assert desk.send(octets, 3).is_busy
    desk.stream(1, 1).free(10)
    assert desk.send(octets, 3).accepted == 6
    assert desk.stream(1, 1).sequences == [1, 2, 3, 5]
    assert desk.strays.taken == [(9, "cr1", 2)]
    assert desk.strays.mismatches == [(1, 9, 2)]
    assert desk.runs.get(1).status().mismatches == 2


@pytest.mark.spec("D29")
def test_skipped_messages_are_counted_by_type_and_sender(desk: Desk, caplog: Any) -> None:
    """Told at once, then at most once in a minute with their number."""
    with caplog.at_level(logging.WARNING):
        for first in range(1, 9, 2):
            desk.send(batch([other(), event(first + 1)]), first)
        desk.clock.advance(61)
        desk.send(batch([other(b"D0XX"), other(), damaged(event(11))]), 9)
    (status,) = desk.intake.statuses()
    assert status.skipped == {"D0MN": 5, "D0XX": 1}
    assert (status.refused, status.accepted, status.address) == (1, 11, "192.0.2.1")
    told = [each.getMessage() for each in caplog.records if "D0MN" in each.getMessage()]
    assert [each.split()[0] for each in told] == ["1", "4"]
    assert "cr1 (192.0.2.1)" in told[0]
    assert "its check is" in caplog.text


def test_types_that_are_made_up_do_not_fill_the_memory(desk: Desk) -> None:
    """After many the rest is counted together."""
    desk.send(batch([other(f"{n:04}".encode()) for n in range(200)]))
    skipped = desk.intake.statuses()[0].skipped
    assert len(skipped) <= 65
    assert sum(skipped.values()) == 200


def test_a_full_stream_parks_the_sender(desk: Desk) -> None:
    """What it had no room for follows as soon as there is; nothing comes twice."""
    stream = desk.stream(1, 1)
    stream.room_left = 3
    answer = desk.sending(events(1, 8))
    eventually(lambda: stream.sequences == [1, 2, 3])
    assert not answer.done()
    for _ in range(5):
        stream.free(1)
    assert answer.result(PATIENCE_S).accepted == 8
    assert stream.sequences == [1, 2, 3, 4, 5, 6, 7, 8]


def test_who_loses_patience_is_told_how_far_it_came(desk: Desk) -> None:
    """Accepted is what all streams have; what one had taken ahead is not given to it again."""
    desk.stream(1, 2).room_left = 2
    octets = batch([event(n, streams=(1, 2)) for n in range(1, 6)])
    answer = desk.send(octets)
    assert (answer.accepted, answer.is_busy, answer.is_paused) == (2, True, False)
    assert "queue" in answer.reason
    assert desk.stream(1, 1).sequences == [1, 2, 3, 4, 5]
    desk.stream(1, 2).free(10)
    rest = batch([event(n, streams=(1, 2)) for n in range(3, 9)])
    assert desk.send(rest, 3).accepted == 8
    assert desk.stream(1, 1).sequences == list(range(1, 9))
    assert desk.stream(1, 2).sequences == list(range(1, 9))
    assert desk.runs.get(1).counts[0] == 8


@pytest.mark.spec("D43")
def test_a_paused_run_holds_its_senders(desk: Desk) -> None:
    """From its first event on, in order; they go on when it is resumed."""
    desk.start(2, ids=(7,))
    run = desk.runs.get(1)
    run.pause("paused by run control")
    octets = batch([event(1, run=2, streams=(7,)), event(2), event(3, run=2, streams=(7,))])
    answer = desk.send(octets)
    assert (answer.accepted, answer.is_paused, answer.reason) == (1, True, "paused by run control")
    waiting = desk.sending(octets)
    run.resume()
    assert waiting.result(PATIENCE_S).accepted == 3
    assert desk.stream(2, 7).sequences == [1, 3]


def test_a_held_logger_takes_nothing(desk: Desk) -> None:
    """And says why."""
    desk.runs.hold_all("restart", "recovering")
    answer = desk.send(events(1, 2))
    assert (answer.accepted, answer.is_paused, answer.reason) == (0, True, "recovering")


def test_a_run_that_ends_lets_its_senders_go(desk: Desk) -> None:
    """What still waited for room belongs to no run then."""
    desk.stream(1, 1).room_left = 1
    answer = desk.sending(events(1, 3))
    eventually(lambda: desk.stream(1, 1).sequences == [1])
    run = desk.runs.get(1)
    run.begin_end(None)
    desk.runs.close(run)
    assert answer.result(PATIENCE_S).refused == 2
    assert desk.strays.taken == [(1, "cr1", 2)]


def test_durable_is_what_every_stream_has_synced(desk: Desk) -> None:
    """In order, however the streams come to it."""
    one, two = desk.stream(1, 1), desk.stream(1, 2)
    one.is_synced_at_once = two.is_synced_at_once = False
    desk.send(batch([event(1, streams=(1,))]))
    desk.send(batch([event(2, streams=(1, 2))]), 2)
    waiting = desk.pool.submit(desk.intake.await_durable, SENDER, 1, PATIENCE_S, "")
    one.sync()
    assert desk.send(batch([event(3)]), 3).durable == 1
    two.sync()
    assert waiting.result(PATIENCE_S).durable == 2
    one.sync()
    assert desk.intake.await_durable(SENDER, 2, PATIENCE_S, "").durable == 3


def test_what_becomes_durable_later_is_awaited(desk: Desk) -> None:
    """Who waits before anything was sent hears of it, too."""
    desk.stream(1, 1).is_synced_at_once = False
    waiting = desk.pool.submit(desk.intake.await_durable, SENDER, 0, PATIENCE_S, "")
    desk.send(events(1, 2))
    desk.stream(1, 1).sync()
    assert waiting.result(PATIENCE_S).durable == 2


def test_a_stream_that_has_ended_is_waited_for_no_more(desk: Desk) -> None:
    """What it could not write is told elsewhere; the sender goes on."""
    stream = desk.stream(1, 1)
    stream.is_synced_at_once = False
    desk.send(events(1, 2))
    waiting = desk.pool.submit(desk.intake.await_durable, SENDER, 0, PATIENCE_S, "")
    stream.begin_abort("the disk is gone")
    assert waiting.result(PATIENCE_S).durable == 2


@pytest.mark.spec("D34")
def test_a_sender_that_starts_anew_leaves_a_gap(desk: Desk) -> None:
    """Of unknown length, noted in the run of its last event; who waits is told that it is over."""
    desk.send(events(1, 2))
    waiting = desk.pool.submit(desk.intake.await_durable, SENDER, 2, PATIENCE_S, "")
    desk.hello(SENDER + 1)
    with pytest.raises(Superseded):
        waiting.result(PATIENCE_S)
    (gap,) = desk.runs.get(1).status().gaps
    assert (gap.sender, gap.count, gap.time) == ("cr1", 0, desk.clock.utc())
    assert "2 messages" in gap.reason
    assert desk.send(events(1, 1, sender=SENDER + 1), sender=SENDER + 1).accepted == 1


def test_a_sender_that_ended_in_good_order_leaves_none(desk: Desk) -> None:
    """It has said which message is the last; one that did not come is counted."""
    desk.send(events(1, 2))
    desk.hello(last=2)
    desk.hello(SENDER + 1)
    assert desk.runs.get(1).status().gaps == []
    desk.send(events(1, 2, sender=SENDER + 1), sender=SENDER + 1)
    desk.hello(SENDER + 1, last=5)
    desk.hello(SENDER + 2)
    assert [each.count for each in desk.runs.get(1).status().gaps] == [3]


def test_a_declared_gap_is_counted_once(desk: Desk) -> None:
    """With the reason of who declared it."""
    desk.send(events(1, 2))
    for _ in range(2):
        desk.intake.declare_gap(SENDER, Gap(first=3, last=7, reason="spool full"), "")
    status = desk.runs.get(1).status()
    assert (status.gap_count, [each.reason for each in status.gaps]) == (5, ["spool full"])


@pytest.mark.spec("D33")
def test_a_restarted_logger_goes_on_where_it_was() -> None:
    """What a crash left in the files is dropped when it comes again, of each stream its own."""
    first = Desk()
    first.start(1)
    first.hello()
    first.send(batch([event(n, streams=(1, 2)) for n in range(1, 5)]))
    (mark,) = first.intake.marks()
    size = len(framed(event(1, streams=(1, 2))))
    assert mark == SenderMark(name="cr1", incarnation=SENDER, durable=4, counts={1: (4, 4 * size)})
    recovered = [
        Recovered(sender=SENDER, run=1, stream=1, sequences=[5, 6, 7], sizes=[size] * 3),
        Recovered(sender=SENDER, run=1, stream=2, sequences=[5, 7], sizes=[size] * 2),
    ]
    desk = Desk(marks=[mark], recovered=recovered)
    desk.start(1).count(4 + 3, 7 * size)  # what the journal and the files say
    with pytest.raises(UnknownSender):
        desk.send(events(5, 1), 5)
    assert desk.hello(acknowledged=3).accepted == 4
    assert desk.send(batch([event(n, streams=(1, 2)) for n in range(5, 10)]), 5).accepted == 9
    assert desk.stream(1, 1).sequences == [8, 9]
    assert desk.stream(1, 2).sequences == [6, 8, 9]
    assert desk.runs.get(1).counts == (9, 9 * size)
    assert desk.intake.marks()[0].counts == {1: (9, 9 * size)}
    assert desk.intake.names() == {SENDER: "cr1"}


def test_what_only_the_sender_remembers_is_believed() -> None:
    """Its durable mark may be newer than what the journal had when the crash came."""
    size = 90
    recovered = Recovered(sender=SENDER, run=1, stream=1, sequences=[3, 4, 5], sizes=[size] * 3)
    mark = SenderMark(name="cr1", incarnation=SENDER, durable=2, counts={1: (2, 2 * size)})
    desk = Desk(marks=[mark], recovered=[recovered])
    desk.start(1)
    assert desk.hello(acknowledged=4).accepted == 4
    assert desk.intake.marks()[0].counts == {1: (4, 4 * size)}
    desk.send(events(5, 2), 5)
    assert desk.stream(1, 1).sequences == [6]


def test_what_does_not_say_who_it_is_is_refused(desk: Desk, caplog: Any) -> None:
    """A message with another sequence or sender than the call says is taken out."""
    octets = batch([event(1), event(7), event(3, sender=5), event(4)])
    with caplog.at_level(logging.WARNING):
        answer = desk.send(octets)
    assert (answer.accepted, answer.refused) == (4, 2)
    assert desk.stream(1, 1).sequences == [1, 4]
    assert "message 1 says that it is 7" in caplog.text


def test_a_batch_that_is_too_large_is_refused(desk: Desk) -> None:
    """With the bound; nothing is taken."""
    large = batch(event(n, payload=bytes(60_000)) for n in range(1, 72))
    with pytest.raises(BadParam, match="bytes") as refused:
        desk.send(large)
    assert "4194304" in refused.value.remedy
    assert desk.stream(1, 1).portions == []


def test_order_of_each_of_many_senders_is_kept(desk: Desk) -> None:
    """While a stream takes little by little."""
    stream = desk.stream(1, 1)
    stream.room_left = 0
    senders = [SENDER + 100 + n for n in range(4)]
    for number, each in enumerate(senders):
        desk.hello(each, f"cr1{number}")
    ended = threading.Event()

    def feed() -> None:
        while not ended.wait(0.001):
            stream.free(7)

    feeder = threading.Thread(target=feed)
    feeder.start()

    def send_all(sender: int) -> None:
        for first in range(1, 100, 20):
            octets = events(first, 20, sender=sender)
            assert desk.send(octets, first, PATIENCE_S, sender).accepted == first + 19

    try:
        for sending in [desk.pool.submit(send_all, sender) for sender in senders]:
            sending.result(PATIENCE_S)
    finally:
        ended.set()
        feeder.join()
    for sender in senders:
        own = [
            int(row["sequence"])
            for part in stream.portions
            for row in part.index
            if int(row["sender"]) == sender
        ]
        assert own == list(range(1, 101))
