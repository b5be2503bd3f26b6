"""The pool: few run, none is left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from idl_like_interfaces.mapping.alarms import Alarms
from idl_like_interfaces.mapping.workers import Slots, Workers
from tests.support.daq import eventually


@contextmanager
def pool(most: int) -> Iterator[Workers]:
    """Make a pool and a thread that rings its alarms."""
    rung = threading.Event()
    alarms, is_over = Alarms(rung.set), threading.Event()

    def ring() -> None:
        while not is_over.is_set():
            rung.wait(alarms.next_s(time.monotonic()))
            rung.clear()
            for action in alarms.due(time.monotonic()):
                action()

    def call_later(after_s: float, action: Callable[[], None]) -> None:
        alarms.set(time.monotonic() + after_s, action)

    thread = threading.Thread(target=ring)
    thread.start()
    workers = Workers(most, call_later)
    try:
        yield workers
    finally:
        workers.close(20.0)
        is_over.set()
        rung.set()
        thread.join()


def test_short_jobs_are_done_by_few_threads() -> None:
    """However many come together, no more run than are of use."""
    done: list[int] = []
    with pool(50) as workers:
        for number in range(500):
            workers.submit(lambda number=number: done.append(number))  # type: ignore[misc]
        eventually(lambda: len(done) == 500)
        assert workers.size < 10
    assert sorted(done) == list(range(500))


def test_jobs_that_are_held_up_do_not_hold_up_the_others() -> None:
    """When all that run wait for something, others are sent, up to the bound."""
    door, inside, done = threading.Event(), threading.Semaphore(0), threading.Event()

    def stay() -> None:
        inside.release()
        door.wait(20)

    with pool(12) as workers:
        for _ in range(11):
            workers.submit(stay)
        for _ in range(11):
            assert inside.acquire(timeout=20)
        workers.submit(done.set)
        assert done.wait(20)
        assert workers.size <= 12
        door.set()


def test_after_a_time_of_waiting_few_run_again() -> None:
    """What was held up and comes back does not stay at work beside the others for ever."""
    door, came = threading.Event(), threading.Semaphore(0)
    running, most = [0], [0]
    lock = threading.Lock()

    def stay() -> None:
        came.release()
        door.wait(20)

    def work() -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        sum(range(100))
        with lock:
            running[0] -= 1
        came.release()

    with pool(20) as workers:
        for _ in range(15):
            workers.submit(stay)
        for _ in range(15):
            assert came.acquire(timeout=20)
        door.set()
        for _ in range(2000):
            workers.submit(work)
        for _ in range(2000):
            assert came.acquire(timeout=20)
    assert most[0] <= 20


def test_a_job_that_fails_ends_no_thread() -> None:
    """The next one is done."""
    done = threading.Event()
    with pool(1) as workers:
        workers.submit(lambda: 1 / 0)  # type: ignore[arg-type]
        workers.submit(done.set)
        assert done.wait(20)


def test_after_the_end_nothing_is_done() -> None:
    """What is submitted then is dropped."""
    with pool(2) as workers:
        pass
    workers.submit(lambda: 1 / 0)  # type: ignore[arg-type]
    assert not workers.linger()


def test_slots_are_handed_on_in_order() -> None:
    """Who waits for longest comes first; beyond the bound nobody may wait."""
    slots: Slots[str] = Slots(1, 2)
    assert slots.take("first") is True
    assert slots.take("second") is False
    assert slots.take("third") is False
    assert slots.take("fourth") is None
    assert (slots.taken, slots.waiting) == (1, 2)
    assert slots.give_back() == "second"
    assert slots.give_back() == "third"
    assert not slots.wait_until_free(0)
    assert slots.give_back() is None
    assert slots.wait_until_free(0)
