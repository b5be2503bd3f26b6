"""The spool: never blocks, never reorders, and counts what it drops."""

from __future__ import annotations

import itertools
import logging
import threading
from dataclasses import replace

import pytest

from idl_like_interfaces.clients.backoff import Backoff
from idl_like_interfaces.clients.spooler import Bounds, Parcel, Spooler
from idl_like_interfaces.errors import BadParam
from tests.support.peers import PATIENCE_S, Gate


def bounds(
    spool_items: int = 1000,
    spool_bytes: int = 1_000_000,
    batch_items: int = 10,
    batch_bytes: int = 1000,
    window_s: float = 0.001,
) -> Bounds:
    """Return small bounds."""
    return Bounds(
        spool_items=spool_items,
        spool_bytes=spool_bytes,
        batch_items=batch_items,
        batch_bytes=batch_bytes,
        window_s=window_s,
    )


def test_items_arrive_in_order_in_bounded_batches() -> None:
    """Each parcel goes on where the one before ended, and none is too long."""
    gate: Gate[Parcel[int]] = Gate()
    spooler = Spooler("numbers", gate, bounds(batch_items=7))
    for number in range(100):
        spooler.put(number, 1)
    assert spooler.close(PATIENCE_S)
    assert [item for parcel in gate.taken for item in parcel.items] == list(range(100))
    assert all(len(parcel.items) <= 7 for parcel in gate.taken)
    firsts = list(itertools.accumulate((len(p.items) for p in gate.taken), initial=1))
    assert [parcel.first for parcel in gate.taken] == firsts[:-1]
    counters = spooler.counters
    assert (counters.produced, counters.acknowledged, counters.dropped) == (100, 100, 0)


def test_a_batch_is_bounded_in_bytes_too() -> None:
    """A large item goes alone rather than not at all."""
    gate: Gate[Parcel[str]] = Gate(is_open=False)
    spooler = Spooler("texts", gate, bounds(batch_bytes=100))
    spooler.put("first", 60)
    gate.wait_until(lambda: gate.attempts > 0)
    for name, size in (("small", 60), ("huge", 5000), ("last", 30)):
        spooler.put(name, size)
    gate.open()
    assert spooler.close(PATIENCE_S)
    assert [parcel.items for parcel in gate.taken] == [["first"], ["small"], ["huge"], ["last"]]


def test_what_has_piled_up_goes_in_larger_batches() -> None:
    """In items and in bytes; a sender that keeps up sends no larger ones than before."""
    gate: Gate[Parcel[int]] = Gate(is_open=False)
    spooler = Spooler("numbers", gate, replace(bounds(batch_items=4, batch_bytes=100), heap=3))
    spooler.put(0, 1)
    gate.wait_until(lambda: gate.attempts > 0)
    for number in range(1, 16):
        spooler.put(number, 1)
    for number in range(16, 21):
        spooler.put(number, 100)
    gate.open()
    assert spooler.close(PATIENCE_S)
    sent = [parcel.items for parcel in gate.taken]
    assert sent == [[0], [*range(1, 13)], [*range(13, 18)], [*range(18, 21)]]


def test_an_unacknowledged_parcel_is_sent_again_unchanged() -> None:
    """New items do not change what is on its way: the peer knows it by its numbers."""
    seen: list[Parcel[int]] = []
    came_back = threading.Event()

    def send(parcel: Parcel[int]) -> None:
        seen.append(parcel)
        if not came_back.is_set():
            spooler.put(2, 1)
            came_back.set()
            raise ConnectionError("the reply is lost")

    spooler = Spooler("numbers", send, bounds())
    spooler.put(1, 1)
    assert came_back.wait(PATIENCE_S)
    assert spooler.close(PATIENCE_S)
    assert seen[0] == seen[1] == Parcel(first=1, items=[1], lost=0)


def test_a_full_spool_drops_its_oldest_and_says_so() -> None:
    """What is on its way stays; the hole in the numbers is announced with the next parcel."""
    gate: Gate[Parcel[int]] = Gate(is_open=False)
    spooler = Spooler("numbers", gate, bounds(spool_items=5))
    spooler.put(0, 1)
    gate.wait_until(lambda: gate.attempts > 0)
    for number in range(1, 21):
        assert spooler.put(number, 1)
    gate.open()
    assert spooler.close(PATIENCE_S)
    assert gate.taken == [
        Parcel(first=1, items=[0], lost=0),
        Parcel(first=17, items=[16, 17, 18, 19, 20], lost=15),
    ]
    assert spooler.counters.dropped == 15


def test_the_spool_is_bounded_in_bytes_too() -> None:
    """Large items push out more than one small one."""
    gate: Gate[Parcel[int]] = Gate(is_open=False)
    spooler = Spooler("numbers", gate, bounds(spool_bytes=100))
    spooler.put(0, 1)
    gate.wait_until(lambda: gate.attempts > 0)
    for number in range(1, 11):
        spooler.put(number, 10)
    spooler.put(11, 95)
    gate.open()
    assert spooler.close(PATIENCE_S)
    assert gate.taken[1:] == [Parcel(first=12, items=[11], lost=10)]


def test_a_refused_parcel_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    """Sending it again would not help; the next parcel says that something is missing."""
    gate: Gate[Parcel[int]] = Gate()
    gate.shut(BadParam("item 1 is wrong", field="items"))
    spooler = Spooler("numbers", gate, bounds())
    spooler.put(1, 1)
    assert spooler.flush(PATIENCE_S)
    gate.open()
    spooler.put(2, 1)
    assert spooler.close(PATIENCE_S)
    assert gate.taken == [Parcel(first=2, items=[2], lost=0)]
    assert "item 1 is wrong" in caplog.text
    assert spooler.counters.dropped == 1


def test_a_bug_in_sending_does_not_end_the_sender(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged with its traceback and tried again."""
    gate: Gate[Parcel[int]] = Gate()
    gate.shut(ZeroDivisionError("a bug"))
    spooler = Spooler("numbers", gate, bounds())
    with caplog.at_level(logging.ERROR):
        spooler.put(1, 1)
        gate.wait_until(lambda: gate.attempts > 1)
    gate.open()
    assert spooler.close(PATIENCE_S)
    assert "ZeroDivisionError" in caplog.text
    assert len(gate.taken) == 1


def test_closing_gives_up_at_its_deadline() -> None:
    """With a peer that stays away the rest is counted as dropped, and nothing hangs."""
    gate: Gate[Parcel[int]] = Gate(is_open=False)
    spooler = Spooler("numbers", gate, bounds())
    for number in range(25):
        spooler.put(number, 1)
    assert not spooler.close(0.05)
    assert not spooler.put(99, 1)
    counters = spooler.counters
    assert (counters.produced, counters.acknowledged) == (26, 0)
    spooler._thread.join(PATIENCE_S)
    assert spooler.counters.dropped == 26


def test_closing_twice_is_harmless() -> None:
    """The second time there is nothing left to do."""
    gate: Gate[Parcel[int]] = Gate()
    spooler = Spooler("numbers", gate, bounds())
    assert spooler.close()
    assert spooler.close()


def test_pauses_double_up_to_a_limit_and_begin_anew() -> None:
    """Between a tenth of a second and five, never in step with others."""
    backoff = Backoff()
    pauses = [backoff.next_s() for _ in range(10)]
    for pause, full in zip(pauses, [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5, 5], strict=True):
        assert 0.75 * full <= pause <= full
    backoff.reset()
    assert backoff.next_s() <= 0.1
