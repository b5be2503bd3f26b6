"""Who gets no answer knows that it is blind, once, in time, and when it is over."""

from __future__ import annotations

import pytest

from idl_like_interfaces.clients.sight import BLIND_AFTER_S, RETURN_S, Sight
from idl_like_interfaces.errors import DeadlineExpired, Transient
from tests.support.clock import ManualClock

AWAY = Transient("nobody is there")
LATE = DeadlineExpired("no reply")


def sight(clock: ManualClock, poll_s: float = 1.5) -> Sight:
    """Return one that has asked nothing yet."""
    return Sight("reader", poll_s, clock.monotonic)


def test_three_seconds_are_promised() -> None:
    """What a busy machine adds has room beneath them."""
    assert BLIND_AFTER_S <= 2.75


def test_it_says_once_that_it_is_blind_and_once_that_it_sees() -> None:
    """With how long it lasted, and why."""
    clock = ManualClock()
    seen = sight(clock)
    seen.ask()
    seen.unanswered(AWAY)
    assert seen.news() == []
    clock.advance(BLIND_AFTER_S)
    (blind,) = seen.news()
    assert not blind.is_over
    assert blind.lasted_s == pytest.approx(BLIND_AFTER_S)
    assert "nobody is there" in blind.cause
    assert seen.news() == []
    clock.advance(1.0)
    assert seen.is_blind
    (over,) = seen.answered()
    assert over.is_over
    assert over.lasted_s == pytest.approx(BLIND_AFTER_S + 1.0)
    assert seen.answered() == []
    assert not seen.is_blind


def test_a_short_absence_is_no_blindness() -> None:
    """Nothing is said of it."""
    clock = ManualClock()
    seen = sight(clock)
    seen.ask()
    clock.advance(BLIND_AFTER_S - 0.1)
    seen.unanswered(AWAY)
    assert seen.news() == []
    assert seen.answered() == []


def test_no_pause_and_no_attempt_outlasts_the_beginning_of_blindness() -> None:
    """Whoever waits is woken to say it."""
    clock = ManualClock()
    seen = sight(clock)
    waited_s = [seen.ask()]
    assert waited_s[0] <= BLIND_AFTER_S
    for _ in range(100):
        if seen.news():
            break
        seen.unanswered(AWAY)
        clock.advance(seen.pause_s(60.0))
        assert clock.monotonic() + seen.ask() <= ManualClock().monotonic() + 3.0
    assert seen.is_blind


def test_pauses_are_short_enough_to_be_whole_soon_after_the_return() -> None:
    """However long the channel was away."""
    seen = sight(ManualClock())
    seen.ask()
    assert max(seen.pause_s(60.0) for _ in range(50)) <= RETURN_S


def test_an_answer_that_comes_slowly_has_more_time_the_next_time() -> None:
    """Else it would never come; with an answer the patience is as before."""
    clock = ManualClock()
    seen = sight(clock)
    first_s = seen.ask()
    clock.advance(first_s)
    seen.unanswered(LATE)
    assert seen.news()
    assert seen.ask() > first_s
    seen.answered()
    assert seen.ask() == first_s


def test_who_lets_the_channel_wait_longer_waits_longer_for_it() -> None:
    """The time for an answer is beyond that for which the channel may be silent."""
    assert sight(ManualClock(), poll_s=25.0).ask() > 25.0
