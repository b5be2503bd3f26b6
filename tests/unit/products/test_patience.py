"""When something is tried again by itself."""

from __future__ import annotations

from objects.products.patience import LONGEST_S, Patience
from tests.support.clock import ManualClock


def test_the_pause_doubles_up_to_a_limit_and_begins_anew() -> None:
    """A disk that stays full all night is looked at every five minutes."""
    clock = ManualClock()
    patience = Patience(clock, 10.0)
    for pause_s in (10, 20, 40, 80, 160, LONGEST_S, LONGEST_S):
        patience.note_failure("A")
        clock.advance(pause_s - 0.5)
        assert patience.due() == []
        clock.advance(0.5)
        assert patience.due() == ["A"]
    patience.forget("A")
    assert patience.due() == []
    patience.note_failure("A")
    clock.advance(10)
    assert patience.due() == ["A"]


def test_it_can_be_switched_off() -> None:
    """Then everything waits for a command."""
    clock = ManualClock()
    patience = Patience(clock, 0.0)
    patience.note_failure("A")
    clock.advance(1e6)
    assert patience.due() == []
