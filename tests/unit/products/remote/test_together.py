"""Several things at a time, and places for them."""

from __future__ import annotations

import threading

import pytest

from objects.products.cancel import Cancel, Cancelled
from objects.products.remote import together
from objects.products.remote.slots import Slots


def test_all_run_at_the_same_time_and_answer_in_their_order() -> None:
    """None of them could go on without the others."""
    barrier = threading.Barrier(3, timeout=30)

    def action(number: int) -> int:
        barrier.wait()
        return number

    actions = [lambda _, number=number: action(number) for number in range(3)]
    assert together(actions, Cancel()) == [0, 1, 2]
    assert together([], Cancel()) == []


def test_a_request_to_end_reaches_all_of_them() -> None:
    """Also those that wait for a place."""
    cancel, slots = Cancel(), Slots(1)
    lined_up = threading.Barrier(2, timeout=30)

    def action(own: Cancel) -> None:
        lined_up.wait()
        with slots.taken(own):
            cancel.request()
            with slots.taken(own):  # nobody else will ever leave
                pass

    with pytest.raises(Cancelled):
        together([action, action], cancel)
    with slots.taken(Cancel()):
        pass  # all have left


def test_without_a_limit_everybody_has_a_place() -> None:
    """0 means none."""
    slots = Slots(0)
    with slots.taken(Cancel()), slots.taken(Cancel()), slots.taken(Cancel()):
        pass
