"""Calls from event loops: no thread waits, and what is cancelled is forgotten."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from idl_like_interfaces.errors import (
    BadParam,
    DeadlineExpired,
    InterfaceMismatch,
    ObjectNotExist,
    OutcomeUnknown,
    TimeIsUp,
    Transient,
)
from idl_like_interfaces.mapping import ObjectAdapter, aio, aio_release, batch, narrow, release
from idl_like_interfaces.mapping.calling.dialing import Place
from idl_like_interfaces.mapping.calling.stub import caller_of
from idl_like_interfaces.mapping.context import Caller, serving
from idl_like_interfaces.octets import Octets
from idl_like_interfaces.recif import RecCmds
from tests.support.deadlines import deadline_of
from tests.support.desk import Desk, DeskServant, Rejected
from tests.support.relay import Relay

Work = Callable[[Any], Coroutine[Any, Any, Any]]


@pytest.fixture
def adapter() -> Iterator[ObjectAdapter]:
    with ObjectAdapter() as adapter:
        yield adapter


@pytest.fixture
def uri(adapter: ObjectAdapter, servant: DeskServant) -> Iterator[str]:
    yield adapter.activate(servant, Desk, "desk")
    servant.gate.set()


def run(desk: Desk, work: Work) -> Any:
    """Run some work with the operations of a stub in a loop of its own."""

    async def whole() -> Any:
        try:
            return await work(aio(desk))
        finally:
            await aio_release(desk)

    return asyncio.run(whole())


def test_a_call_is_awaited(uri: str, servant: DeskServant) -> None:
    """Replies, declared errors and their fields are those of the stub."""

    async def work(desk: Any) -> None:
        assert await desk.hand_in(1) == 1
        assert await desk.hand_in(number=2) == 2
        with pytest.raises(Rejected) as caught:
            await desk.hand_in(-1)
        assert caught.value.number == -1
        assert "in hand_in" in caught.value.remote_traceback
        with pytest.raises(BadParam, match="number"):
            await desk.hand_in("one")

    run(narrow(uri, Desk), work)
    assert servant.taken == [1, 2]


def test_the_stub_has_it_as_an_attribute(uri: str) -> None:
    """``stub.aio`` is ``aio(stub)``."""

    async def work(_: Any) -> int:
        assert "DeskAioStub" in repr(stub.aio)
        return int(await stub.aio.count())

    stub: Any = narrow(uri, Desk)
    assert run(stub, work) == 0


def test_octets_of_every_size_travel(uri: str) -> None:
    """Whether they fit into one read or come in parts."""

    async def work(desk: Any) -> None:
        for size in (0, 1, 4000, 8100, 70_000, 3_000_000):
            octets = bytes(at % 251 for at in range(size))
            assert await desk.double(Octets(octets)) == Octets(octets * 2)

    run(narrow(uri, Desk), work)


def test_five_hundred_long_polls_wait_in_one_loop(adapter: ObjectAdapter, uri: str) -> None:
    """Without a thread for each, here or there; all are answered."""
    threads: list[int] = []

    async def work(desk: Any) -> list[int]:
        polls = [asyncio.create_task(desk.await_count(1, 30.0)) for _ in range(500)]
        await until(lambda: parked(adapter) == 500)
        threads.append(threading.active_count())
        await desk.hand_in(1)
        return list(await asyncio.gather(*polls))

    before = threading.active_count()
    assert run(narrow(uri, Desk), work) == [1] * 500
    assert threads[0] < before + 100


def parked(adapter: ObjectAdapter) -> int:
    """Return how many long-polls wait."""
    return adapter.load().parked


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that no call tells.

    Raises:
        TimeoutError: It does not come.
    """
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


def test_a_cancelled_task_is_forgotten_by_the_object(adapter: ObjectAdapter, uri: str) -> None:
    """Its long-poll does not stay parked."""

    async def work(desk: Any) -> None:
        poll = asyncio.create_task(desk.await_count(1, 30.0))
        await until(lambda: parked(adapter) == 1)
        poll.cancel()
        with pytest.raises(asyncio.CancelledError):
            await poll
        await until(lambda: parked(adapter) == 0)
        assert await desk.count() == 0

    run(narrow(uri, Desk), work)


def test_the_deadline_holds(uri: str, servant: DeskServant) -> None:
    """And the next call has another connection."""

    async def work(desk: Any) -> None:
        assert await desk.count() == 0
        with deadline_of(stub, 0.3), pytest.raises(DeadlineExpired, match=r"within 0\.3 s"):
            await desk.hold()
        assert await desk.count() == 0

    stub = narrow(uri, Desk)
    run(stub, work)


def test_a_call_without_time_is_not_sent(uri: str, servant: DeskServant) -> None:
    """Within a call whose time is over nothing more is begun."""

    async def work(desk: Any) -> None:
        with serving(time.monotonic() - 1, Caller()), pytest.raises(TimeIsUp):
            await desk.hand_in(1)

    run(narrow(uri, Desk), work)
    assert servant.taken == []


def test_a_lost_reply_has_one_effect(uri: str, servant: DeskServant) -> None:
    """It is not repeated; an idempotent operation is."""

    async def work(desk: Any) -> None:
        await desk.count()
        relay.lose(1)
        with pytest.raises(OutcomeUnknown):
            await desk.hand_in(1)
        relay.lose(1)
        assert await desk.count() == 1

    with Relay(uri) as relay:
        run(narrow(relay.uri, Desk), work)
    assert servant.taken == [1]


def test_a_name_is_resolved_beside_the_loop(uri: str) -> None:
    """The loop goes on while the name service takes its time, which is asked once for all."""
    asked = []
    answer = threading.Event()

    def resolve(name: str) -> str:
        asked.append(name)
        answer.wait(20)
        return uri

    async def work(desk: Any) -> list[int]:
        calls = [asyncio.create_task(desk.count()) for _ in range(20)]
        await until(lambda: bool(asked))
        answer.set()
        return list(await asyncio.gather(*calls))

    assert run(narrow("obs/desk", Desk, resolve=resolve), work) == [0] * 20
    assert asked == ["obs/desk"]


def test_a_restarted_object_is_found_again(servant: DeskServant) -> None:
    """Elsewhere, by its name."""
    uris: list[str] = []

    async def work(desk: Any) -> None:
        with ObjectAdapter() as first:
            uris.append(first.activate(servant, Desk, "desk"))
            await desk.hand_in(1)
        with ObjectAdapter() as second:
            uris.append(second.activate(servant, Desk, "desk"))
            assert await desk.hand_in(2) == 2

    run(narrow("obs/desk", Desk, resolve=lambda _: uris[-1]), work)


def test_refusals_are_those_of_the_stub(uri: str) -> None:
    """Of nobody, of no such object, of another kind of object."""

    async def refused(stub: Any, kind: type[Exception], call: Work) -> None:
        with pytest.raises(kind):
            await call(aio(stub))
        await aio_release(stub)

    async def work(_: Any) -> None:
        await refused(narrow("PYRO:x@localhost:1", Desk), Transient, lambda d: d.count())
        other = uri.replace("desk~", "disk~")
        await refused(narrow(other, Desk), ObjectNotExist, lambda d: d.count())
        await refused(narrow(uri, RecCmds), InterfaceMismatch, lambda r: r.rec_status())

    run(narrow(uri, Desk), work)


def test_oneway_calls_are_executed_in_order(uri: str, servant: DeskServant) -> None:
    """Those of one stub and loop; releasing waits until they are."""

    async def work(desk: Any) -> None:
        for number in range(2000):
            await desk.drop(number)

    run(narrow(uri, Desk), work)
    assert servant.taken == list(range(2000))


def test_a_oneway_sender_is_held_up(uri: str, servant: DeskServant) -> None:
    """Within its deadline; what was sent is executed, and nothing overtakes it."""

    async def throw(desk: Any, sent: list[int]) -> None:
        for size in range(1_000_000, 1_000_400):
            sent.append(size)
            await desk.throw(Octets(bytes(size)))

    async def work(desk: Any) -> list[int]:
        sent: list[int] = []
        with pytest.raises(DeadlineExpired):
            await throw(desk, sent)
        with pytest.raises(DeadlineExpired):
            await desk.throw(Octets(b"later"))
        servant.gate.set()
        caller_of(stub).target.deadline_s = 20.0
        await desk.throw(Octets(b"last"))
        return [*sent, 4]

    stub = narrow(uri, Desk, deadline_s=2.0)
    assert run(stub, work) == servant.thrown


def test_a_lost_connection_of_oneway_calls_is_told_once(uri: str, servant: DeskServant) -> None:
    """The next call says that earlier ones may be lost; the one after it goes on."""

    async def work(desk: Any) -> None:
        await desk.drop(1)
        await desk.await_count(1, 20.0)
        await asyncio.to_thread(relay.cut)
        with pytest.raises(OutcomeUnknown, match="connection of the oneway calls"):
            await desk.drop(2)
        await desk.drop(3)
        await desk.await_count(2, 20.0)

    with Relay(uri) as relay:
        run(narrow(relay.uri, Desk), work)
    assert servant.taken == [1, 3]


def test_a_oneway_call_of_a_restarted_object_finds_it_again(servant: DeskServant) -> None:
    """By its name; what is away altogether is told."""
    uris: list[str] = []

    async def work(desk: Any) -> None:
        with ObjectAdapter() as first:
            uris.append(first.activate(servant, Desk, "desk"))
            await desk.count()
        with ObjectAdapter() as second:
            uris.append(second.activate(servant, Desk, "desk"))
            await desk.drop(1)
            await desk.await_count(1, 20.0)
        with pytest.raises(OutcomeUnknown):
            await desk.drop(2)
        with pytest.raises(Transient, match="cannot be reached"):
            await desk.drop(3)

    run(narrow("obs/desk", Desk, resolve=lambda _: uris[-1]), work)


def test_a_oneway_call_waits_for_its_turn_within_its_time(uri: str, servant: DeskServant) -> None:
    """Behind one that is held up; it is not sent then."""

    async def throw(desk: Any) -> None:
        for _ in range(400):
            await desk.throw(Octets(bytes(1_000_000)))

    async def work(desk: Any) -> list[Any]:
        throws = [throw(desk) for _ in range(3)]
        ends = await asyncio.gather(*throws, return_exceptions=True)
        servant.gate.set()
        return list(ends)

    ends = run(narrow(uri, Desk, deadline_s=2.0), work)
    assert {type(each) for each in ends} <= {DeadlineExpired, TimeIsUp}


def test_a_batch_is_sent_at_the_end_of_its_block(uri: str) -> None:
    """``async with`` awaits the one reply."""

    async def work(_: Any) -> None:
        async with batch(stub) as calls:
            calls.hand_in(1)
            refused = calls.hand_in(-1)
        assert isinstance(refused.error, Rejected)
        release(stub)
        caller_of(stub).target.fixed = Place.parse("PYRO:x@localhost:1")
        caller_of(stub).aio.here().forget()
        calls = batch(stub)
        outcome = calls.count()
        with pytest.raises(Transient):
            await calls.__aexit__(None, None, None)
        assert isinstance(outcome.error, Transient)

    stub = narrow(uri, Desk)
    run(stub, work)


def test_two_loops_and_a_thread_share_a_stub(uri: str, servant: DeskServant) -> None:
    """Each has connections of its own."""
    stub = narrow(uri, Desk)

    async def work(desk: Any) -> None:
        await asyncio.gather(*(desk.hand_in(1) for _ in range(50)))

    threads = [threading.Thread(target=run, args=(stub, work)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(50):
        stub.hand_in(2)
    for thread in threads:
        thread.join(30)
    release(stub)
    assert sorted(servant.taken) == [1] * 100 + [2] * 50


def test_releasing_the_stub_closes_what_the_loop_has(adapter: ObjectAdapter, uri: str) -> None:
    """Also when it is done by another thread."""

    async def work(desk: Any) -> None:
        await desk.count()
        await asyncio.to_thread(release, stub)
        await until(lambda: adapter.load().connections == 0)

    stub = narrow(uri, Desk)
    run(stub, work)


def test_outside_a_loop_it_is_a_mistake(uri: str) -> None:
    """A coroutine that nobody runs does nothing; one in the wrong place says so."""
    with pytest.raises(RuntimeError, match="no running event loop"):
        aio(narrow(uri, Desk)).count().send(None)
