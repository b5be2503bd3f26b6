"""The pool: few run, none is left behind."""

from __future__ import annotations

import functools
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from idl_like_interfaces.mapping.hosting.alarms import Alarms
from idl_like_interfaces.mapping.hosting.workers import Slots, Workers
from tests.support.eventually import eventually


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
        workers.submit(sys.exit)
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


def test_a_job_is_done_though_many_come_back_from_lingering() -> None:
    """They are held up at once; the thread that is free for the job finds too many at work."""
    door, lingering, back = threading.Event(), threading.Semaphore(0), threading.Event()
    entered, done = threading.Semaphore(0), threading.Event()

    def linger() -> None:
        assert workers.linger()
        lingering.release()
        back.wait(20)
        workers.resume()
        entered.release()
        door.wait(20)

    def wait_for_them() -> None:
        back.wait(20)
        for _ in range(8):
            entered.acquire(timeout=20)

    with pool(9) as workers:
        for _ in range(8):
            workers.submit(linger)
            assert lingering.acquire(timeout=20)
        workers.submit(wait_for_them)
        workers.submit(done.set)
        back.set()
        is_done = done.wait(10)
        door.set()
        assert is_done


class Mill:
    """Submits jobs of all kinds by chance."""

    def __init__(self, workers: Workers, seed: int) -> None:
        self.workers = workers
        self.chance = random.Random(seed)
        self.doors = [threading.Event() for _ in range(12)]
        self.done: list[str] = []

    def submit(self, number: int) -> None:
        for _ in range(number):
            kind = self.chance.choice(("block", "fail", "linger", "linger", "work", "", "", ""))
            job = functools.partial(self.work, kind, self.chance.choice(self.doors))
            self.workers.submit(job, later=self.chance.random() < 0.3)

    def work(self, kind: str, door: threading.Event) -> None:
        try:
            match kind:
                case "block":
                    door.wait(20)
                case "fail":
                    raise SystemExit
                case "work":
                    sum(range(50_000))
                case "linger" if self.workers.linger():
                    door.wait(0.003)
                    self.workers.resume()
        finally:
            self.done.append(kind)


@pytest.mark.parametrize("seed", range(6))
def test_the_books_of_the_pool_are_balanced_in_the_end(seed: int) -> None:
    """After short, long, failing and lingering jobs none is left, and nobody counts as busy."""
    with pool(24) as workers:
        mill = Mill(workers, seed)
        for _ in range(10):
            mill.submit(30)
            mill.chance.choice(mill.doors).set()
        for door in mill.doors:
            door.set()
        eventually(lambda: len(mill.done) == 300)
        eventually(lambda: workers._busy == 0)
        assert (workers._held_up, workers._lingering) == (0, 0)
        assert not workers.is_wanted
