"""One deadline over all that a call needs; at most one effect of each call."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Queue

import pytest
from typing_extensions import override

from idl_like_interfaces.declare import interface_of
from idl_like_interfaces.errors import (
    DeadlineExpired,
    DependencyFailed,
    OutcomeUnknown,
    RemoteError,
    TimeIsUp,
    Transient,
)
from idl_like_interfaces.mapping import ObjectAdapter, narrow, release
from idl_like_interfaces.mapping.calling.outgoing import Request
from idl_like_interfaces.mapping.calling.stub import caller_of
from idl_like_interfaces.mapping.context import Caller as Who
from idl_like_interfaces.mapping.context import CallMark, remaining_s, serving
from idl_like_interfaces.object import Object
from idl_like_interfaces.octets import Octets
from idl_like_interfaces.waiting import News, wait_for_news
from tests.support.deadlines import deadline_of
from tests.support.desk import Desk, DeskServant
from tests.support.eventually import eventually
from tests.support.relay import Relay


def _waiting(asked: Object, operation: str) -> int:
    """Return how many calls of an operation have begun and not ended."""
    found = asked.get_statistics().operations
    return sum(each.in_progress for each in found if each.name == operation)


def test_calls_that_may_come_twice_leave_no_gaps_in_the_ids_of_the_others(uri: str) -> None:
    """What an object remembers of a stub stays small, however often it is only asked."""
    stub = narrow(uri, Desk)
    target = caller_of(stub).target
    asking = Request(interface_of(Desk).operations["count"], [])
    handing_in = Request(interface_of(Desk).operations["hand_in"], [1])
    marks = []
    for _ in range(3):
        target.mark(asking, 1.0)
        marks.append(CallMark.parse(target.mark(handing_in, 1.0)))
    assert [mark.number for mark in marks if mark is not None] == [1, 2, 3]


class TestEffects:
    """Replies are lost on the way."""

    @pytest.fixture
    def relay(self, uri: str) -> Iterator[Relay]:
        with Relay(uri) as relay:
            yield relay

    @pytest.fixture
    def relayed(self, relay: Relay) -> Iterator[Desk]:
        desk = narrow(relay.uri, Desk)
        desk.count()
        yield desk
        release(desk)

    def test_a_lost_reply_has_one_effect(
        self, relay: Relay, relayed: Desk, servant: DeskServant
    ) -> None:
        """Each call is executed once and never repeated, though nobody learns of it."""
        for number in range(50):
            relay.lose(1)
            with pytest.raises(OutcomeUnknown, match="lost during hand_in"):
                relayed.hand_in(number)
        assert servant.taken == list(range(50))

    @pytest.mark.soak
    def test_a_thousand_lost_replies_have_a_thousand_effects(
        self, relay: Relay, relayed: Desk, servant: DeskServant
    ) -> None:
        """As above, a thousand times."""
        for number in range(1000):
            relay.lose(1)
            with pytest.raises(OutcomeUnknown):
                relayed.hand_in(number)
        assert servant.taken == list(range(1000))

    def test_an_idempotent_operation_is_repeated(
        self, relay: Relay, relayed: Desk, servant: DeskServant
    ) -> None:
        """Its second reply arrives; the object has executed it twice."""
        before = servant.looked
        relay.lose(1)
        assert relayed.count() == 0
        assert servant.looked == before + 2

    def test_it_is_repeated_once(self, relay: Relay, relayed: Desk) -> None:
        """When that reply is lost, too, the caller is told."""
        relay.lose(2)
        with pytest.raises(OutcomeUnknown):
            relayed.count()
        assert relayed.count() == 0


class TestDeadlines:
    """What a call may take, in all."""

    def test_a_nested_call_inherits_what_is_left(self, uri: str, desk: Desk) -> None:
        """Through two servants the time that is left only falls."""
        with ObjectAdapter() as adapter:
            front = narrow(adapter.activate(DeskServant(desk), Desk, "front"), Desk, deadline_s=7.0)
            left_s = front.time_left()
            release(front)
        assert 0 < left_s <= 7.0

    def test_an_expired_nested_call_ends_with_the_outer_one(
        self, servant: DeskServant, desk: Desk
    ) -> None:
        """The servant in the middle does not wait for the ten seconds of its own stub."""
        failures: list[RemoteError] = []
        ended = threading.Event()

        class Middle(DeskServant):
            @override
            def hold(self) -> None:
                try:
                    desk.hold()
                except RemoteError as error:
                    failures.append(error)
                    ended.set()
                    raise

        with ObjectAdapter() as adapter:
            front = narrow(adapter.activate(Middle(), Desk, "front"), Desk, deadline_s=2.0)
            # The refusal of the one in the middle may just come before the end of the outer time.
            with pytest.raises((OutcomeUnknown, DependencyFailed)):
                front.hold()
            assert ended.wait(20)
            release(front)
        assert isinstance(failures[0], DeadlineExpired)

    def test_a_nested_long_poll_ends_with_the_outer_call(self, uri: str, desk: Desk) -> None:
        """Its own minute does not count, and the object forgets that it was parked."""
        ended: Queue[RemoteError] = Queue()

        class Middle(DeskServant):
            @override
            def count(self) -> int:
                try:
                    return desk.await_count(1, 60.0)
                except RemoteError as error:
                    ended.put(error)
                    raise

        with ObjectAdapter() as adapter:
            front = narrow(adapter.activate(Middle(), Desk, "front"), Desk, deadline_s=2.0)
            # The refusal of the one in the middle may just come before the end of the outer time.
            with pytest.raises((OutcomeUnknown, DependencyFailed)):
                front.count()
            assert isinstance(ended.get(timeout=20), DeadlineExpired)
            release(front)
        asked = narrow(uri, Object)
        eventually(lambda: _waiting(asked, "await_count") == 0)
        release(asked)

    def test_a_call_that_was_parked_has_the_time_that_is_left(self, servant: DeskServant) -> None:
        """What it calls once there is news inherits the deadline of the long-poll."""
        parked = threading.Event()
        news = News()
        left: list[float] = []

        class Waiting(DeskServant):
            @override
            def await_count(self, count: int, timeout_s: float) -> int:
                def look() -> int | None:
                    parked.set()
                    left.append(remaining_s(1e9))
                    return len(left) if servant.taken else None

                return wait_for_news(news, look, lambda: 0, timeout_s)

        with ObjectAdapter() as adapter, ThreadPoolExecutor(1) as pool:
            front = narrow(adapter.activate(Waiting(), Desk, "front"), Desk, deadline_s=7.0)
            answer = pool.submit(front.await_count, 1, 30.0)
            assert parked.wait(20)
            eventually(lambda: adapter.load().parked == 1)
            servant.drop(1)
            news.tell()
            assert answer.result(20) == len(left)
            release(front)
        assert all(0 < each <= 37.0 for each in left)

    def test_a_call_without_time_is_not_sent(self, servant: DeskServant, desk: Desk) -> None:
        """Within a call whose time is over nothing more is begun."""
        with serving(time.monotonic() - 1, Who()), pytest.raises(TimeIsUp, match="before"):
            desk.hand_in(1)
        assert servant.taken == []

    def test_a_slow_name_service_takes_from_the_time_of_the_call(self, uri: str) -> None:
        """What resolving has used up is not there for the call itself."""

        def resolve(name: str) -> str:
            raise DeadlineExpired(f"no reply to resolve of {name}")

        desk = narrow("obs/desk", Desk, resolve=resolve, deadline_s=1.0)
        with pytest.raises(Transient, match="name service"):
            desk.count()

    def test_a_call_that_expired_is_not_waited_for(self, servant: DeskServant, uri: str) -> None:
        """Its connection is closed, and the next call has another."""
        desk = narrow(uri, Desk)
        assert desk.count() == 0
        with deadline_of(desk, 0.3), pytest.raises(DeadlineExpired, match=r"within 0\.3 s"):
            desk.hold()
        assert desk.count() == 0
        release(desk)


class TestPool:
    """Connections are kept and shared."""

    def test_thirty_two_threads_share_a_stub(self, desk: Desk, servant: DeskServant) -> None:
        """Every call is executed once, and connections are used again."""
        barrier = threading.Barrier(32)

        def work(number: int) -> None:
            barrier.wait(20)
            for step in range(25):
                desk.hand_in(number * 25 + step)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(50)
        assert sorted(servant.taken) == list(range(800))
        assert len(caller_of(desk)._pool) <= 32

    def test_one_thread_uses_one_connection(self, uri: str) -> None:
        """Call after call."""
        with Relay(uri) as relay:
            desk = narrow(relay.uri, Desk)
            for number in range(20):
                desk.hand_in(number)
            release(desk)
            assert relay.connections == 1

    def test_a_forked_process_has_connections_and_ids_of_its_own(
        self, desk: Desk, servant: DeskServant
    ) -> None:
        """Neither its requests nor their ids are mixed up with those of its parent."""
        desk.hand_in(1)
        child = os.fork()
        if not child:
            try:
                desk.hand_in(2)
                desk.hand_in(3)
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        desk.hand_in(4)
        assert servant.taken == [1, 2, 3, 4]

    def test_a_stub_may_be_used_after_its_release(self, desk: Desk) -> None:
        """It connects again."""
        assert desk.hand_in(1) == 1
        release(desk)
        assert desk.hand_in(1) == 2

    def test_octets_of_every_size_travel(self, desk: Desk) -> None:
        """Whether they fit into one read or come in parts."""
        for size in (0, 1, 4000, 8100, 70_000, 3_000_000):
            octets = bytes(at % 251 for at in range(size))
            assert desk.double(Octets(octets)) == Octets(octets * 2)
