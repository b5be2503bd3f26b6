"""The queue of a stream: bounded in events and bytes, each portion with a ticket."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from objects.logger_stream.portions import Portions
from tests.support.clock import ManualClock
from tests.support.streams import records

EVENTS = records(range(1, 31))
ONE = EVENTS.head(1).nbytes


class TestPutting:
    """What fits is taken."""

    def test_leading_records_are_taken_as_far_as_there_is_room(self) -> None:
        """In events."""
        queue = Portions(10, 1 << 30, ManualClock())
        assert queue.put(EVENTS) == 10
        assert queue.put(EVENTS) == 0
        assert queue.waiting == (10, 10 * ONE)

    def test_bytes_bound_it_too(self) -> None:
        """Whole records only."""
        queue = Portions(1000, 5 * ONE + 10, ManualClock())
        assert queue.put(EVENTS) == 5
        assert queue.put(EVENTS) == 0

    def test_into_an_empty_queue_the_first_record_is_always_taken(self) -> None:
        """Else a large one would wait for ever."""
        queue = Portions(1000, 1, ManualClock())
        assert queue.put(EVENTS) == 1
        assert queue.put(EVENTS) == 0

    def test_what_is_being_written_counts_until_it_is_released(self) -> None:
        """So the bound holds for all that is in memory."""
        queue = Portions(10, 1 << 30, ManualClock())
        queue.put(EVENTS)
        [portion] = queue.take(0.0)
        assert queue.put(EVENTS) == 0
        queue.release(portion.records)
        assert queue.waiting == (0, 0)
        assert queue.put(EVENTS) == 10

    def test_portions_have_rising_tickets(self) -> None:
        """One for each that was taken, none for one that was not."""
        queue = Portions(4, 1 << 30, ManualClock())
        assert queue.last_ticket == 0
        queue.put(EVENTS.head(2))
        queue.put(EVENTS)
        queue.put(EVENTS)
        assert queue.last_ticket == 2
        assert [(each.ticket, len(each.records)) for each in queue.take(0.0)] == [(1, 2), (2, 2)]

    def test_it_tells_for_how_long_somebody_waits(self) -> None:
        """Until there is room for all that he has."""
        clock = ManualClock()
        queue = Portions(10, 1 << 30, clock)
        assert queue.blocked_s == 0.0
        queue.put(EVENTS)
        clock.advance(3.0)
        queue.put(EVENTS.tail(10))
        assert queue.blocked_s == 3.0
        queue.release(queue.take(0.0)[0].records)
        assert queue.blocked_s == 0.0


class TestEnd:
    """It takes nothing any more."""

    def test_what_was_taken_before_can_still_be_had(self) -> None:
        """It is over when there is nothing left."""
        queue = Portions(100, 1 << 30, ManualClock())
        queue.put(EVENTS)
        queue.end()
        assert queue.put(EVENTS) == 0
        assert (queue.is_ended, queue.is_over) == (True, False)
        assert len(queue.take(60.0)) == 1
        assert queue.is_over
        assert queue.take(60.0) == []

    def test_who_takes_is_woken(self) -> None:
        """By a portion, by the end, and by hand."""
        queue = Portions(100, 1 << 30, ManualClock())
        for act in (queue.wake, lambda: queue.put(EVENTS), queue.end):
            taker = threading.Thread(target=queue.take, args=(60.0,))
            taker.start()
            while taker.is_alive():
                act()
                taker.join(0.01)


@given(
    st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=30),
    st.integers(1, 40),
    st.integers(1, 40 * ONE),
)
def test_nothing_is_lost_twice_or_out_of_order(
    story: list[tuple[int, bool]], most_events: int, most_bytes: int
) -> None:
    """And the bounds hold but for a first record that is larger."""
    queue = Portions(most_events, most_bytes, ManualClock())
    put: list[int] = []
    got: list[int] = []
    for count, is_taken in story:
        given = EVENTS.head(count)
        taken = queue.put(given)
        put += given.index["event"][:taken].tolist()
        events, octets = queue.waiting
        assert events <= most_events
        assert octets <= max(most_bytes, ONE)
        if is_taken:
            for portion in queue.take(0.0):
                got += portion.records.index["event"].tolist()
                queue.release(portion.records)
            assert queue.waiting == (0, 0)
    assert put[: len(got)] == got
