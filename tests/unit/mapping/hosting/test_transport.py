"""The hybrid server: who is served, who waits, who is sent away, and at what cost."""

from __future__ import annotations

import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import Pyro5.api
import Pyro5.errors
import pytest
from typing_extensions import override

from idl_like_interfaces.errors import (
    Internal,
)
from idl_like_interfaces.mapping import ObjectAdapter, narrow, release
from idl_like_interfaces.mapping.hosting.limits import Limits
from idl_like_interfaces.mapping.message import Flag
from idl_like_interfaces.object import Object
from idl_like_interfaces.waiting import wait_for_news
from tests.hostile.wire import Peer, greeting, invocation, mark
from tests.support.eventually import eventually
from tests.support.hall import Hall, HallServant
from tests.support.halls import SOON_S, connected, hall, object_id, statistics, stub_of


class TestWorkers:
    """How many calls are executed at once."""

    def test_calls_beyond_the_bound_wait_and_the_object_still_answers(self) -> None:
        """Two stay, a third waits for its turn; a ping is answered meanwhile."""
        with hall(Limits(workers=2)) as (adapter, servant, uri), stub_of(uri) as stub:
            with ThreadPoolExecutor(3) as pool:
                staying = [pool.submit(stub.stay) for _ in range(3)]
                assert servant.inside.acquire(timeout=SOON_S)
                assert servant.inside.acquire(timeout=SOON_S)
                eventually(lambda: adapter.load().waiting == 1)
                assert adapter.load().executing == 2
                pinged = narrow(uri, Object)
                assert pinged.ping().object_id == object_id(uri)
                release(pinged)
                assert not servant.inside.acquire(blocking=False)
                servant.door.set()
                assert sorted(each.result(SOON_S) for each in staying) == [1, 2, 3]
            assert adapter.load().threads <= 2 + 4

    def test_a_thousand_calls_take_few_threads(self) -> None:
        """Sixteen clients at once are served by not more threads than allowed."""
        with hall(Limits(workers=3)) as (adapter, servant, uri), stub_of(uri) as stub:
            with ThreadPoolExecutor(16) as pool:
                list(pool.map(stub.enter, map(str, range(1000))))
            assert sorted(servant.came, key=int) == [str(number) for number in range(1000)]
            assert adapter.load().threads <= 3 + 4

    def test_a_servant_that_exits_ends_its_call_only(self) -> None:
        """Its threads go on, and the caller is told."""

        class Leaving(HallServant):
            @override
            def enter(self, who: str) -> int:
                sys.exit(3)

            @override
            def wait(self, timeout_s: float) -> int:
                return wait_for_news(self.news, sys.exit, int, timeout_s)

        with ObjectAdapter(limits=Limits(workers=2)) as adapter:
            uri = adapter.activate(Leaving(), Hall, "hall")
            with stub_of(uri) as stub:
                for _ in range(20):
                    with pytest.raises(Internal, match="SystemExit"):
                        stub.enter("who leaves")
                with pytest.raises(Internal, match="SystemExit"):
                    stub.wait(SOON_S)
                assert stub.look() == []
            assert adapter.load().executing == 0
            assert statistics(uri, "enter").in_progress == 0

    def test_a_call_whose_time_is_up_is_not_executed(self) -> None:
        """It waits behind another one until its deadline has passed; then nobody wants it."""
        with hall(Limits(workers=1)) as (adapter, servant, uri), ExitStack() as opened:
            first, second = connected(adapter, uri, 2, opened)
            first.send(invocation(object_id(uri), "stay"))
            assert servant.inside.acquire(timeout=SOON_S)
            second.send(
                invocation(object_id(uri), "enter", "late", annotations=mark(1, 1, left_ms=1))
            )
            eventually(lambda: adapter.load().waiting == 1)
            too_late = time.monotonic() + 0.01
            eventually(lambda: time.monotonic() > too_late)
            servant.door.set()
            assert second.answer() == "TIMEOUT"
            assert first.answer() == "served"
            assert "late" not in servant.came
            assert statistics(uri, "enter").dropped == 1

    def test_a_call_has_the_time_that_its_client_gives_it(self) -> None:
        """What the client leaves of its deadline is what the servant's own calls have."""
        with hall() as (_, _, uri), stub_of(uri, deadline_s=7.0) as stub:
            left = stub.time_left()
            assert left is not None
            assert 0 < left <= 7.0
            with Pyro5.api.Proxy(uri) as proxy:
                assert proxy.time_left() is None


class TestIds:
    """A call is executed once, however often it comes."""

    def test_a_call_that_comes_twice_is_executed_once(self) -> None:
        """The second message of the same id is refused and counted."""
        with hall() as (adapter, servant, uri), ExitStack() as opened:
            (peer, other) = connected(adapter, uri, 2, opened)
            message = invocation(object_id(uri), "enter", "one", annotations=mark(77, 5))
            peer.send(message)
            assert peer.answer() == "served"
            for each in (peer, other):
                each.send(message)
                assert each.answer() == "DuplicateCall"
            assert servant.came == ["one"]
            assert statistics(uri, "enter").dropped == 2

    def test_an_idempotent_call_may_come_twice(self) -> None:
        """To answer it again does no harm."""
        with hall() as (adapter, _, uri), ExitStack() as opened:
            (peer,) = connected(adapter, uri, 1, opened)
            for _ in range(2):
                peer.send(invocation(object_id(uri), "look", annotations=mark(77, 6)))
                assert peer.answer() == "served"

    def test_another_address_does_not_spoil_the_ids_of_a_stub(self) -> None:
        """Who guesses the id of a stub and counts it up from elsewhere does not stop its calls."""
        with (
            hall() as (adapter, servant, uri),
            Peer(("127.0.0.1", adapter.port), source="127.0.0.9") as forger,
            ExitStack() as opened,
        ):
            (peer,) = connected(adapter, uri, 1, opened)
            assert forger.greet(object_id(uri)) == "greeted"
            forged = invocation(object_id(uri), "enter", "no", annotations=mark(77, 1 << 60))
            forger.send(forged)
            assert forger.answer() == "served"
            peer.send(invocation(object_id(uri), "enter", "yes", annotations=mark(77, 7)))
            assert peer.answer() == "served"
            assert servant.came == ["no", "yes"]


class TestParking:
    """Long-polls hold no thread."""

    NUMBER = 200

    def test_parked_calls_take_no_threads_and_are_answered_at_news(self) -> None:
        """Two hundred wait, a handful of threads are there; one call tells all of them."""
        with hall(Limits(workers=4)) as (adapter, _, uri), ExitStack() as opened:
            peers = connected(adapter, uri, self.NUMBER, opened)
            for peer in peers:
                peer.send(invocation(object_id(uri), "wait", 60.0))
            eventually(lambda: adapter.load().parked == self.NUMBER)
            assert adapter.load().executing == 0
            assert adapter.load().threads <= 4 + 4
            with stub_of(uri) as stub:
                stub.enter("news")
            assert [peer.answer() for peer in peers] == ["served"] * self.NUMBER
            assert adapter.load().parked == 0

    def test_a_parked_call_is_answered_when_its_time_is_over(self) -> None:
        """Without news the reply says so."""
        with hall() as (_, _, uri), stub_of(uri) as stub:
            assert stub.wait(0.05) == 0
            assert statistics(uri, "wait").calls == 1

    def test_a_servant_that_finds_nothing_to_say_at_the_end_answers_all_the_same(self) -> None:
        """Nothing is a reply as well when the time is over; nobody waits for ever."""
        with hall() as (adapter, servant, uri), stub_of(uri) as stub:

            def wait(timeout_s: float) -> Any:
                return wait_for_news(servant.news, lambda: None, lambda: None, timeout_s)

            servant.wait = wait  # type: ignore[method-assign]
            with pytest.raises(Internal, match="not as declared"):
                stub.wait(0.05)
            assert adapter.load().parked == 0

    def test_a_client_that_goes_takes_its_parked_call_along(self) -> None:
        """Nobody looks for its news any more."""
        with hall() as (adapter, servant, uri), ExitStack() as opened:
            for peer in connected(adapter, uri, 5, opened):
                peer.send(invocation(object_id(uri), "wait", 60.0))
            eventually(lambda: adapter.load().parked == 5)
            opened.close()
            eventually(lambda: adapter.load().parked == 0)
            assert not servant.news._waiting
            found = statistics(uri, "wait")
            assert (found.dropped, found.in_progress) == (5, 0)

    def test_no_news_is_missed(self) -> None:
        """A reader that waits for each next entry sees the count rise to the last one."""
        entries = 300
        with hall() as (_, servant, uri), stub_of(uri) as stub:
            servant.came.append("first")
            seen = [0]

            def follow() -> None:
                while seen[-1] < entries:
                    seen.append(stub.wait(SOON_S))

            reader = threading.Thread(target=follow)
            reader.start()
            while len(servant.came) < entries:
                servant.enter("next")
            reader.join(SOON_S)
            assert seen[-1] == entries

    def test_a_connection_goes_on_after_a_long_poll(self) -> None:
        """The next request on it is served as any other."""
        with hall() as (adapter, _, uri), ExitStack() as opened:
            (peer,) = connected(adapter, uri, 1, opened)
            for _ in range(3):
                peer.send(invocation(object_id(uri), "wait", 0.01))
                assert peer.answer() == "served"
                peer.send(invocation(object_id(uri), "look"))
                assert peer.answer() == "served"

    def test_parked_calls_may_be_answered_after_the_drain(self) -> None:
        """A component that ends tells its news; who waits gets the reply."""
        with hall() as (adapter, servant, uri), ExitStack() as opened:
            (peer, idle) = connected(adapter, uri, 2, opened)
            peer.send(invocation(object_id(uri), "wait", 60.0))
            eventually(lambda: adapter.load().parked == 1)
            adapter.drain()
            assert idle.until_closed() == "closed"
            servant.enter("last")
            assert peer.answer() == "served"
            assert peer.until_closed() == "closed"

    def test_a_drain_ends_what_is_idle_and_takes_no_more_requests(self) -> None:
        """What is being served is answered; what its peer sent behind it is not executed."""
        limits = Limits(stay_s=0.001)
        with hall(limits) as (adapter, servant, uri), ExitStack() as opened:
            (idle, busy) = connected(adapter, uri, 2, opened)
            busy.send(invocation(object_id(uri), "stay"))
            assert servant.inside.acquire(timeout=SOON_S)
            given_back = time.monotonic() + 0.1
            eventually(lambda: time.monotonic() > given_back)
            adapter.drain()
            assert idle.until_closed() == "closed"
            with pytest.raises(ConnectionRefusedError):
                Peer(("127.0.0.1", adapter.port))
            busy.send(invocation(object_id(uri), "enter", "behind it"))
            servant.door.set()
            assert [busy.answer(), busy.answer()] == ["served", "closed"]
            assert servant.came == ["who stayed"]


class TestRoom:
    """Too many connections, and those that keep the others from being served."""

    def test_the_connection_idle_for_longest_makes_room(self) -> None:
        """Beyond the bound the oldest idle ones are closed; a busy and a new one are served."""
        with hall(Limits(connections=40)) as (adapter, servant, uri), ExitStack() as opened:
            (busy,) = connected(adapter, uri, 1, opened)
            busy.send(invocation(object_id(uri), "stay"))
            assert servant.inside.acquire(timeout=SOON_S)
            idle = connected(adapter, uri, 60, opened)
            assert adapter.load().connections <= 40
            assert idle[0].until_closed() == "closed"
            idle[-1].send(invocation(object_id(uri), "look"))
            assert idle[-1].answer() == "served"
            servant.door.set()
            assert busy.answer() == "served"

    def test_the_address_with_most_connections_makes_room(self) -> None:
        """Who opens many connections loses its own, not those of the others, idle as they are."""
        with hall(Limits(connections=20)) as (adapter, _, uri), ExitStack() as opened:
            quiet = connected(adapter, uri, 5, opened)
            address = ("127.0.0.1", adapter.port)
            flood = [opened.enter_context(Peer(address, source="127.0.0.9")) for _ in range(60)]
            assert flood[0].until_closed() == "closed"
            eventually(lambda: adapter.load().connections <= 20)
            for peer in quiet:
                peer.send(invocation(object_id(uri), "look"))
                assert peer.answer() == "served"

    def test_who_is_being_served_loses_no_place(self) -> None:
        """When nobody is idle, who comes waits to be accepted until somebody is."""
        with hall(Limits(connections=2)) as (adapter, servant, uri), ExitStack() as opened:
            busy = connected(adapter, uri, 2, opened)
            for peer in busy:
                peer.send(invocation(object_id(uri), "stay"))
                assert servant.inside.acquire(timeout=SOON_S)
            late = opened.enter_context(Peer(("127.0.0.1", adapter.port)))
            late.send(greeting(object_id(uri)))
            late.sock.settimeout(0.3)
            assert late.answer() == "silence"
            servant.door.set()
            assert [peer.answer() for peer in busy] == ["served", "served"]
            late.sock.settimeout(SOON_S)
            assert late.answer() == "greeted"

    def test_each_address_has_its_own_half_open_connections(self) -> None:
        """A silent crowd of one address takes no place of another one's."""
        with hall(Limits(half_open=5, handshake_s=60)) as (adapter, _, uri), ExitStack() as opened:
            address = ("127.0.0.1", adapter.port)
            slow = opened.enter_context(Peer(address))
            crowd = [opened.enter_context(Peer(address, source="127.0.0.9")) for _ in range(12)]
            assert crowd[0].until_closed() == "closed"
            eventually(lambda: adapter.load().half_open == 1 + 5)
            assert slow.greet(object_id(uri)) == "greeted"

    def test_a_call_that_hangs_keeps_no_connection_open_over_the_close(self) -> None:
        """The daemon ends though its servant does not; nobody is answered afterwards."""
        servant = HallServant()
        with ObjectAdapter() as adapter, ExitStack() as opened:
            uri = adapter.activate(servant, Hall, "hall")
            (peer,) = connected(adapter, uri, 1, opened)
            peer.send(invocation(object_id(uri), "stay"))
            assert servant.inside.acquire(timeout=SOON_S)
            with ThreadPoolExecutor(1) as pool:
                closing = pool.submit(adapter.close)
                try:
                    assert peer.answer() == "closed"
                finally:
                    servant.door.set()
                closing.result(SOON_S)

    def test_the_oldest_half_open_connection_makes_room(self) -> None:
        """One address may have so many connections without a greeting."""
        with hall(Limits(half_open=5, handshake_s=60)) as (adapter, _, uri), ExitStack() as opened:
            address = ("127.0.0.1", adapter.port)
            silent = [opened.enter_context(Peer(address)) for _ in range(8)]
            assert silent[0].until_closed() == "closed"
            eventually(lambda: adapter.load().half_open <= 5)
            with stub_of(uri) as stub:
                assert stub.look() == []

    def test_who_does_not_greet_in_time_is_sent_away(self) -> None:
        """Silence ends the connection, a greeting that drips does too."""
        with hall(Limits(handshake_s=0.2)) as (adapter, _, _):
            address = ("127.0.0.1", adapter.port)
            with Peer(address) as silent, Peer(address) as dripping:
                dripping.send(b"PYRO")
                assert silent.until_closed() == "closed"
                assert dripping.until_closed() == "closed"
            eventually(lambda: adapter.load().connections == 0)

    def test_who_begins_a_message_must_end_it_in_time(self) -> None:
        """Half a request does not hold a connection for ever."""
        with hall(Limits(message_s=0.2)) as (adapter, _, uri), ExitStack() as opened:
            (short, long) = connected(adapter, uri, 2, opened)
            short.send(invocation(object_id(uri), "look")[:20])
            long.send(invocation(object_id(uri), "enter", "x" * 1_000_000)[:500_000])
            assert short.until_closed() == "closed"
            assert long.until_closed() == "closed"

    def test_a_message_in_pieces_is_served(self) -> None:
        """Wherever it is cut, it is put together again."""
        with hall() as (adapter, servant, uri), ExitStack() as opened:
            (peer,) = connected(adapter, uri, 1, opened)
            peer.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            message = invocation(object_id(uri), "enter", "in pieces")
            for start in range(0, len(message), 7):
                peer.send(message[start : start + 7])
            assert peer.answer() == "served"
            assert servant.came == ["in pieces"]

    def test_requests_that_come_together_are_served_one_after_the_other(self) -> None:
        """Who does not wait for the replies gets all of them, in order."""
        with hall() as (adapter, servant, uri), ExitStack() as opened:
            (peer,) = connected(adapter, uri, 1, opened)
            calls = [invocation(object_id(uri), "enter", str(number)) for number in range(50)]
            peer.send(b"".join(calls))
            assert [peer.answer() for _ in calls] == ["served"] * 50
            assert servant.came == [str(number) for number in range(50)]

    def test_requests_behind_one_that_is_refused_for_the_load_are_answered(self) -> None:
        """They have come together, so that nothing more of them will come."""
        limits, long = Limits(workers=1, kept_bytes=60_000), "x" * 40_000
        with hall(limits) as (adapter, servant, uri), ExitStack() as all_:
            first, second, third = connected(adapter, uri, 3, all_)
            first.send(invocation(object_id(uri), "stay"))
            assert servant.inside.acquire(timeout=SOON_S)
            second.send(invocation(object_id(uri), "enter", long))
            eventually(lambda: adapter.load().waiting == 1)
            third.send(3 * invocation(object_id(uri), "enter", long))
            assert [third.answer() for _ in range(3)] == ["NO_RESOURCES"] * 3

    def test_who_has_sent_a_refused_message_to_its_end_may_stay(self) -> None:
        """The time for the message is over then; the connection is idle as any other."""
        with hall(Limits(message_s=0.5)) as (adapter, _, uri), ExitStack() as opened:
            (peer,) = connected(adapter, uri, 1, opened)
            refused = invocation(object_id(uri), "enter", "x" * 50, flags=int(Flag.KEEP_SERIALIZED))
            peer.send(refused[:60])
            assert peer.answer() == "BAD_PARAM"
            peer.send(refused[60:])
            peer.sock.settimeout(1.5)
            assert peer.answer() == "silence"

    def test_who_does_not_take_its_reply_is_sent_away(self) -> None:
        """A reply that nobody reads holds no thread, and not its memory for ever."""
        limits = Limits(workers=2, reply_s=0.3)
        with hall(limits) as (adapter, _, uri), ExitStack() as opened:
            deaf = connected(adapter, uri, 6, opened)
            for peer in deaf:
                peer.send(invocation(object_id(uri), "octets", 12_000_000))
            with stub_of(uri) as stub:
                assert stub.look() == []
                eventually(lambda: adapter.load().connections == 1)

    def test_a_slow_reader_gets_the_whole_reply(self) -> None:
        """A large reply goes on whenever the peer takes a part of it."""
        with hall() as (adapter, _, uri), ExitStack() as opened:
            (peer,) = connected(adapter, uri, 1, opened)
            peer.send(invocation(object_id(uri), "octets", 12_000_000))
            assert peer.answer() == "served"

    def test_half_a_connection_ends_a_parked_call_only(self) -> None:
        """A peer that closes its sending side while it waits is gone for us."""
        with hall() as (adapter, _, uri), ExitStack() as opened:
            (peer,) = connected(adapter, uri, 1, opened)
            peer.send(invocation(object_id(uri), "wait", 60.0))
            eventually(lambda: adapter.load().parked == 1)
            peer.sock.shutdown(socket.SHUT_WR)
            assert peer.until_closed() == "closed"


class TestHeavyMessages:
    """Messages that take long to decode are decoded one at a time."""

    def test_a_heavy_message_is_served(self) -> None:
        """It takes its turn and is executed as any other."""
        with hall() as (_, servant, uri):
            texts = ["x" * 10_000, "y" * 50_000]
            with Pyro5.api.Proxy(uri) as proxy:
                for text in texts:
                    proxy.enter(text)
            assert servant.came == texts

    def test_many_heavy_messages_take_their_turns(self) -> None:
        """None is lost, however many come together."""
        with hall() as (_, servant, uri):

            def enter(number: int) -> None:
                with Pyro5.api.Proxy(uri) as proxy:
                    proxy.enter(f"{number} {'x' * 5000}")

            with ThreadPoolExecutor(8) as pool:
                list(pool.map(enter, range(24)))
            assert sorted(int(each.split()[0]) for each in servant.came) == list(range(24))
