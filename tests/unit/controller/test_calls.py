"""How busy objects are, from what they say again and again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from controller.dashboard.calls import WINDOW_S, CallHistory
from controller.dashboard.snapshot import CallLine, NameServerLine
from idl_like_interfaces.errors import CommFailure
from idl_like_interfaces.object import Statistics
from tests.support.statistics import SINCE, calls, statistics
from tests.unit.controller.pictures import draw, installation

FAST, SLOW = [1, 0, 0, 0, 0], [0, 0, 0, 1, 0]


def _worked(times: int, histogram: list[int] = FAST, **changes: int) -> Statistics:
    return statistics(calls("work", [times * each for each in histogram], **changes))


def test_the_rate_is_that_of_the_last_seconds() -> None:
    """Not of all the time, and not of the last answer only."""
    history = CallHistory()
    for now, count in ((0.0, 1000), (2.0, 1000), (4.0, 1020), (6.0, 1060)):
        history.put({"a": _worked(count)}, now)
    (line,) = history.lines()
    assert line.per_s == 15.0
    assert line.calls == 1060


def test_after_one_answer_there_is_no_rate() -> None:
    """But all that was counted."""
    history = CallHistory()
    history.put({"a": _worked(7, failed=1)}, 0.0)
    (line,) = history.lines()
    assert (line.per_s, line.calls, line.failed) == (None, 7, 1)


def test_slow_calls_are_forgotten_after_half_a_minute() -> None:
    """The quantile tells of what happens, not of what happened at the start."""
    history = CallHistory()
    history.put({"a": _worked(9, SLOW)}, 0.0)
    before = 9
    seen: list[float | None] = []
    for step in range(1, 40):
        fast = calls("work", [step * 100, 0, 0, before, 0])
        history.put({"a": statistics(fast)}, 2.0 * step)
        seen.append(history.lines()[0].p99_s)
    assert seen[-1] is not None
    assert seen[-1] <= 0.001
    assert len(history._histories["a"].samples) <= WINDOW_S / 2 + 2


def test_long_polls_and_its_own_questions_count_for_nothing() -> None:
    """A fetch that waited says nothing of the channel; nobody else asks for statistics."""
    found = statistics(
        calls("fetch", [0, 0, 0, 0, 50]),
        calls("get_statistics", SLOW, in_progress=1),
        calls("publish", [100, 0, 0, 0, 0]),
    )
    history = CallHistory()
    history.put({"a": statistics()}, 0.0)
    history.put({"a": found}, 10.0)
    (line,) = history.lines()
    assert (line.per_s, line.in_progress) == (15.0, 0)
    assert line.p99_s is not None
    assert line.p99_s <= 0.001


def test_a_restart_begins_anew() -> None:
    """Rates are never negative."""
    history = CallHistory()
    history.put({"a": _worked(1000)}, 0.0)
    again = statistics(calls("work", FAST), since=SINCE + timedelta(seconds=5))
    history.put({"a": again}, 5.0)
    (line,) = history.lines()
    assert (line.per_s, line.calls) == (None, 1)


def test_who_does_not_answer_stays_as_it_was_until_its_name_goes() -> None:
    """An error is no statistics."""
    history = CallHistory()
    history.put({"a": _worked(5), "b": _worked(3)}, 0.0)
    history.put({"a": CommFailure("silent")}, 2.0)
    assert [(line.name, line.calls) for line in history.lines()] == [("a", 5)]


def test_the_busiest_come_first() -> None:
    """Then those with most calls, then by name."""
    history = CallHistory()
    history.put({name: _worked(10) for name in "abcd"}, 0.0)
    history.put({"a": _worked(10), "b": _worked(90), "c": _worked(10), "d": _worked(20)}, 10.0)
    assert [line.name for line in history.lines()] == ["b", "d", "a", "c"]


BUSY = (
    CallLine(name="obs/events", per_s=81.5, p99_s=0.0012, highest_bound_s=33.5, calls=900),
    CallLine(name="obs/ocm/daq", per_s=2.0, p99_s=40.0, highest_bound_s=33.5, refused=4, failed=2),
    CallLine(name="obs/log", per_s=0.0, p99_s=None, dropped=1, denied=3),
)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 50)])
def test_calls_are_seen_with_what_went_wrong(width: int, height: int) -> None:
    """Rates, quantiles, and failures, in both forms."""
    picture = draw(installation(calls=BUSY), width, height)
    for text in ("events", "81.5", "1.2 ms", "2 failed", "1 dropped", "3 denied"):
        assert text in picture, text


def test_on_one_line_troubles_come_first() -> None:
    """They must not be cut."""
    (line,) = [
        each for each in draw(installation(calls=BUSY), 80, 24).splitlines() if "83.5/s" in each
    ]
    assert line.index("2 failed") < line.index("81.5/s")


def test_a_low_terminal_has_no_line_for_calls() -> None:
    """The log needs it more."""
    assert "81.5" not in draw(installation(calls=BUSY), 80, 18)


def test_the_first_frame_shows_totals() -> None:
    """Rates come with the second answer."""
    once = (CallLine(name="obs/events", calls=900),)
    assert "events 900 calls" in draw(installation(calls=once), 80, 24)


def test_several_name_servers_are_shown_with_what_they_do() -> None:
    """On a small terminal, too."""
    several = (
        NameServerLine(address="localhost:9090", role="leading"),
        NameServerLine(address="localhost:9091", role="away"),
    )
    head = draw(installation(name_servers=several), 80, 24).splitlines()[0]
    assert "localhost:9090 leading, :9091 away" in head
    assert "12:00:00" in head
