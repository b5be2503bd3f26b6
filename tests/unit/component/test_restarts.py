"""When a process that died is started again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from objects.component.restarts import LONGEST_DELAY_S, RestartPolicy


def test_the_delay_doubles_up_to_its_limit() -> None:
    """Half a second first, then twice as long each time, half a minute at most."""
    policy = RestartPolicy()
    delays = [policy.plan(float(now)).delay_s for now in range(8)]
    assert delays == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_a_quiet_minute_forgives() -> None:
    """A death after a minute without one is treated as the first."""
    policy = RestartPolicy()
    policy.plan(0.0)
    assert policy.plan(60.0).delay_s == 0.5


def test_five_deaths_in_a_minute_are_alarming() -> None:
    """The fifth death within a minute is told, the fourth is not."""
    policy = RestartPolicy()
    alarms = [policy.plan(float(now)).is_alarming for now in range(5)]
    assert alarms == [False, False, False, False, True]


def test_ten_deaths_in_ten_minutes_are_alarming() -> None:
    """What dies twenty seconds after each start never dies five times within a minute."""
    policy = RestartPolicy()
    plans = [policy.plan(20.0 * number) for number in range(10)]
    assert max(each.recent_deaths for each in plans) < 5
    assert [each.is_alarming for each in plans] == [False] * 9 + [True]
    assert not policy.plan(800.0).is_alarming


@given(st.lists(st.floats(0, 1000), max_size=30).map(sorted))
def test_the_delay_has_bounds(deaths: list[float]) -> None:
    """Whatever happens, it is started again after half a second to half a minute."""
    policy = RestartPolicy()
    assert all(0.5 <= policy.plan(now).delay_s <= LONGEST_DELAY_S for now in deaths)
