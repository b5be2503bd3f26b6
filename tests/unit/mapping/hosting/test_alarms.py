"""Alarm clocks: in order, once, and forgotten when they are not wanted any more."""

from __future__ import annotations

import random

from idl_like_interfaces.mapping.hosting.alarms import Alarms


def nothing() -> None:
    """Do nothing."""


def test_what_is_due_comes_in_the_order_of_the_moments() -> None:
    """Only what is due, and each once."""
    alarms, rung = Alarms(nothing), []
    for when in (3.0, 1.0, 2.0):
        alarms.set(when, lambda when=when: rung.append(when))  # type: ignore[misc]
    for action in alarms.due(2.5):
        action()
    assert rung == [1.0, 2.0]
    assert alarms.next_s(2.5) == 0.5
    assert len(alarms.due(9.0)) == 1
    assert alarms.next_s(9.0) is None


def test_who_waits_is_woken_for_an_earlier_moment_only() -> None:
    """A later one does not change when it has to look."""
    woken = []
    alarms = Alarms(lambda: woken.append(1))
    alarms.set(5.0, nothing)
    alarms.set(6.0, nothing)
    alarms.set(4.0, nothing)
    assert len(woken) == 2


def test_a_cancelled_one_does_not_ring() -> None:
    """To cancel it again, or too late, does no harm."""
    alarms = Alarms(nothing)
    cancel, other = alarms.set(1.0, nothing), alarms.set(2.0, nothing)
    cancel()
    cancel()
    assert len(alarms.due(3.0)) == 1
    other()


def test_cancelled_ones_take_no_memory() -> None:
    """However many are set and cancelled, those that are left are about all that is kept."""
    chance, alarms = random.Random(5), Alarms(nothing)
    kept = [alarms.set(100.0 + number, nothing) for number in range(10)]
    for _ in range(10_000):
        alarms.set(chance.uniform(50, 60), nothing)()
    assert len(alarms) == len(kept)
    assert len(alarms._heap) < 200
