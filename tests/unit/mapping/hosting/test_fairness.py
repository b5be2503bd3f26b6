"""Nobody is served at another one's cost: threads end, bulk gives way, the light goes first."""

from __future__ import annotations

import select
import threading
from collections.abc import Iterator

import pytest

from idl_like_interfaces.errors import BadParam
from idl_like_interfaces.mapping import ObjectAdapter, narrow, release
from idl_like_interfaces.mapping.hosting.limits import Limits
from idl_like_interfaces.mapping.hosting.workers import Slots, Workers
from tests.hostile import wire
from tests.hostile.target import Target, TargetServant
from tests.hostile.wire import Peer
from tests.support.eventually import eventually
from tests.unit.mapping.hosting.test_workers import pool

PATIENCE_S = 20.0


@pytest.fixture
def workers() -> Iterator[Workers]:
    """A pool whose hold-ups are looked after at once."""
    pool = Workers(20, lambda after_s, job: None)
    yield pool
    pool.close(PATIENCE_S)


def test_bulk_gives_way(workers: Workers) -> None:
    """Of several jobs that wait only each fourth is one that moves bulk."""
    gate, done = threading.Event(), list[str]()
    entered = threading.Semaphore(0)

    def hold() -> None:
        entered.release()
        gate.wait(PATIENCE_S)

    for _ in range(Workers.AT_ONCE):
        workers.submit(hold)
        assert entered.acquire(timeout=PATIENCE_S)
    for _ in range(4):
        workers.submit(lambda: done.append("bulk"), later=True)
    for _ in range(12):
        workers.submit(lambda: done.append("call"))
    gate.set()
    eventually(lambda: len(done) == 16)
    assert done[:12].count("bulk") <= 4
    assert "call" in done[:2]


def test_bulk_is_moved_one_at_a_time() -> None:
    """However many threads are free; what follows the moving holds up no other bulk."""
    moving, most = threading.Semaphore(0), list[int]()
    lock, at_work, go_on, served = threading.Lock(), 0, threading.Event(), threading.Semaphore(0)

    def move() -> None:
        nonlocal at_work
        with lock:
            at_work += 1
            most.append(at_work)
        moving.release()
        assert go_on.wait(PATIENCE_S)
        with lock:
            at_work -= 1
        workers.moved()
        served.release()
        end.wait(PATIENCE_S)

    end = threading.Event()
    with pool(20) as workers:
        for _ in range(6):
            workers.submit(move, later=True)
        assert moving.acquire(timeout=PATIENCE_S)
        calls = threading.Semaphore(0)
        for _ in range(6):
            workers.submit(calls.release)
        for _ in range(6):
            assert calls.acquire(timeout=PATIENCE_S)
        go_on.set()
        for _ in range(6):
            assert served.acquire(timeout=PATIENCE_S)
        end.set()
    assert most == [1] * 6


def test_idle_threads_end() -> None:
    """But for a few that stay; and these go on working."""
    gate, entered = threading.Event(), threading.Semaphore(0)

    def hold() -> None:
        entered.release()
        gate.wait(PATIENCE_S)

    with pool(20) as workers:
        for _ in range(10):
            workers.submit(hold)
        for _ in range(10):
            assert entered.acquire(timeout=PATIENCE_S)
        assert workers.size >= 10
        gate.set()
        eventually(lambda: workers.size <= 4)
        done = threading.Event()
        workers.submit(done.set)
        assert done.wait(PATIENCE_S)


def test_the_lightest_goes_on_first() -> None:
    """Of the same weight, who has waited for longest."""
    slots: Slots[tuple[int, str]] = Slots(1, 10, lambda each: each[0])
    assert slots.take((5, "first"))
    for each in ((9, "heavy"), (1, "light"), (9, "heavy too"), (1, "light too")):
        assert slots.take(each) is False
    went_on = [slots.give_back() for _ in range(4)]
    assert [each and each[1] for each in went_on] == ["light", "light too", "heavy", "heavy too"]


def test_too_many_lists_are_refused_before_they_are_made() -> None:
    """A stock client's million empty lists; and what is as long but of one part is taken."""
    with ObjectAdapter() as adapter:
        uri = adapter.activate(TargetServant(), Target, "target")
        object_id = uri.removeprefix("PYRO:").rpartition("@")[0]
        stub = narrow(uri, Target)
        with pytest.raises(BadParam, match="lists and dicts"):
            stub.anything([[]] * 200_000)
        assert stub.anything("x" * 3_000_000) == "x" * 3_000_000
        with pytest.raises(BadParam, match="bytes of values"):
            stub.anything("x" * 5_000_000)
        with Peer(("127.0.0.1", adapter.port)) as peer:
            peer.greet()
            peer.send(wire.invocation(object_id, "anything", [[]] * 200_000))
            assert peer.answer() == "BAD_PARAM"
        release(stub)


def test_who_is_slow_for_longest_makes_room() -> None:
    """Two peers that leave a message unfinished are one too many: one of them is closed."""
    limits = Limits(kept_bytes=3 << 20)
    with ObjectAdapter(limits=limits) as adapter:
        adapter.activate(TargetServant(), Target, "target")
        part = wire.message(wire.INVOKE, bytes(2 << 20), data_size=0, annotations_size=4 << 20)
        with (
            Peer(("127.0.0.1", adapter.port)) as first,
            Peer(("127.0.0.1", adapter.port)) as second,
        ):
            for peer in (first, second):
                assert peer.greet() == "greeted"
                peer.send(part)
            both = [first.sock, second.sock]
            ended, _, _ = select.select(both, [], [], PATIENCE_S)
            assert len(ended) == 1
            still_open = [each for each in both if each not in ended]
            assert select.select(still_open, [], [], 0.2) == ([], [], [])
