"""Ranges: which file a record goes to, when a file is full, when a full one closes."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.event_logger import RangeUnit
from objects.logger_stream.ranges import (
    GARBAGE,
    LARGE_EVENT,
    MAX_BYTES,
    MAX_EVENTS,
    MAX_S,
    Placement,
    Ranges,
    units_of,
)
from objects.logger_stream.rules import Rules
from tests.support.streams import records


def rules(**said: object) -> Rules:
    """Return rules without limits but those that are said."""
    return Rules(**{"max_bytes": None, **said})  # type: ignore[arg-type]


def place(
    ranges: Ranges, units: list[int], sizes: list[int] | int = 100, now: float = 0.0
) -> list[tuple[int, list[int]]]:
    """Place records; return slots and rows, in plain values."""
    all_sizes = [sizes] * len(units) if isinstance(sizes, int) else sizes
    placed = ranges.place(np.array(units), np.array(all_sizes), now)
    return [(each.slot, rows_of(each, len(units))) for each in placed]


def rows_of(placement: Placement, count: int) -> list[int]:
    """Return the rows of a placement."""
    return list(range(count)) if placement.rows is None else placement.rows.tolist()


class TestPlacing:
    """The file of a record."""

    def test_a_portion_below_all_limits_is_not_split(self) -> None:
        """The common case costs no selection."""
        ranges = Ranges(rules(max_events=100, max_bytes=1 << 20))
        [placed] = ranges.place(np.array([1, 2, 1]), np.array([10, 10, 10]), 0.0)
        assert placed == Placement(0, None)

    def test_nothing_to_place_begins_nothing(self) -> None:
        """An empty portion has no file."""
        ranges = Ranges(rules())
        assert place(ranges, []) == []
        assert ranges.live == []

    @pytest.mark.spec("D22")
    def test_at_its_limit_a_file_ends_and_the_next_unit_opens_another(self) -> None:
        """The unit that is being written stays with the full one."""
        ranges = Ranges(rules(max_events=3))
        assert place(ranges, [1, 1, 2, 2, 3, 2]) == [(0, [0, 1, 2]), (0, [3, 5]), (1, [4])]
        [full, present] = ranges.live
        assert (full.end, full.top) == (MAX_EVENTS, 2)
        assert (present.end, present.number) == ("", 1)

    def test_a_file_is_full_with_its_bytes(self) -> None:
        """The record that reaches the limit is in it."""
        ranges = Ranges(rules(max_bytes=250))
        assert place(ranges, [1, 2, 3, 4]) == [(0, [0, 1, 2]), (1, [3])]
        assert ranges.live[0].end == MAX_BYTES

    def test_a_portion_may_fill_several_files(self) -> None:
        """Whatever comes first, events or bytes."""
        ranges = Ranges(rules(max_events=2, max_bytes=1000))
        placed = place(ranges, [1, 2, 3, 4, 5], [10, 10, 2000, 10, 10])
        assert placed == [(0, [0, 1]), (1, [2]), (2, [3, 4])]
        assert [slot.end for slot in ranges.live] == [MAX_EVENTS, MAX_BYTES, MAX_EVENTS]

    @pytest.mark.spec("D23")
    def test_late_events_go_to_the_full_file_that_owns_their_range(self) -> None:
        """Also those of units of which there was none yet."""
        ranges = Ranges(rules(max_events=2))
        place(ranges, [1, 4, 5, 8, 9])
        assert place(ranges, [0, 3, 4, 5, 6, 9]) == [(0, [0, 1, 2]), (1, [3, 4]), (2, [5])]

    @pytest.mark.spec("D24")
    def test_events_of_a_closed_range_are_garbage(self) -> None:
        """Those of full ones and of the open one in the same portion are not."""
        ranges = Ranges(rules(max_events=2, range_grace_s=5.0))
        place(ranges, [1, 2, 3, 4, 5])
        assert [slot.number for slot in ranges.due(5.0)] == [0, 1]
        assert place(ranges, [5, 1, 6, 4]) == [(GARBAGE, [1, 3]), (2, [0]), (3, [2])]

    def test_units_can_be_groups_of_event_numbers(self) -> None:
        """Counted from event 1."""
        by_event = rules(range_unit=RangeUnit.EVENT, range_size=10)
        index = records([1, 10, 11, 20, 21]).index
        assert units_of(index, by_event).tolist() == [0, 0, 1, 1, 2]


class TestLargeEvents:
    """Events that are larger than a file may be."""

    def test_a_large_event_has_a_file_of_its_own(self) -> None:
        """And it is counted."""
        ranges = Ranges(rules(max_bytes=1000))
        placed = place(ranges, [1, 2, 3], [100, 5000, 100])
        assert placed == [(0, [0]), (1, [1]), (2, [2])]
        assert [slot.end for slot in ranges.live] == [LARGE_EVENT, MAX_BYTES, ""]
        assert ranges.oversized == 1

    def test_its_range_stays_together_all_the_same(self) -> None:
        """When the unit of the large event is begun already."""
        ranges = Ranges(rules(max_bytes=1000))
        assert place(ranges, [1, 1, 1, 2], [100, 5000, 100, 100]) == [
            (0, [0, 1]),
            (0, [2]),
            (1, [3]),
        ]

    def test_it_may_be_the_very_first(self) -> None:
        """Nothing ends before it."""
        ranges = Ranges(rules(max_bytes=1000))
        assert place(ranges, [1, 2], [5000, 100]) == [(0, [0]), (1, [1])]


class TestTime:
    """What time decides."""

    def test_a_full_file_waits_for_late_events_for_its_grace(self) -> None:
        """Counted from when newer events came."""
        ranges = Ranges(rules(max_events=1, range_grace_s=5.0))
        place(ranges, [1], now=0.0)
        assert ranges.due(1000.0) == []
        assert ranges.next_due() is None
        place(ranges, [2], now=1000.0)
        assert ranges.next_due() == 1005.0
        assert ranges.due(1004.9) == []
        assert [slot.number for slot in ranges.due(1005.0)] == [0]
        assert place(ranges, [1], now=1006.0) == [(GARBAGE, [0])]

    def test_late_events_do_not_prolong_the_grace(self) -> None:
        """Else one bad clock would keep files open for ever."""
        ranges = Ranges(rules(max_events=1, range_grace_s=5.0))
        place(ranges, [1, 2], now=0.0)
        assert place(ranges, [1], now=4.0) == [(0, [0])]
        assert [slot.number for slot in ranges.due(5.0)] == [0]

    def test_an_open_file_ends_at_its_age(self) -> None:
        """It then still owns its range."""
        ranges = Ranges(rules(max_s=60.0))
        place(ranges, [1, 2], now=10.0)
        assert ranges.next_due() == 70.0
        assert ranges.age(69.9) is None
        ended = ranges.age(70.0)
        assert ended is not None
        assert (ended.end, ended.top) == (MAX_S, 2)
        assert place(ranges, [2, 3], now=71.0) == [(0, [0]), (1, [1])]

    def test_a_replaced_file_begins_to_count_anew(self) -> None:
        """Its age, too."""
        ranges = Ranges(rules(max_events=3, max_s=60.0))
        place(ranges, [1, 1], now=0.0)
        ranges.renewed(0, 50.0)
        assert place(ranges, [1, 1], now=51.0) == [(0, [0, 1])]
        assert ranges.age(60.0) is None
        assert ranges.age(110.0) is not None


class TestTakingUp:
    """Going on after a restart."""

    def test_closed_full_and_open_files_own_what_they_owned(self) -> None:
        """Late events find their way as if nothing had happened."""
        ranges = Ranges(rules(max_events=10))
        ranges.closed_up_to(3)
        ranges.take_up(6, 10, 1000, 0.0, is_end=True)
        ranges.take_up(8, 4, 400, 0.0, is_end=False)
        assert place(ranges, [2, 5, 8, 9]) == [(GARBAGE, [0]), (0, [1]), (1, [2, 3])]

    def test_a_file_that_is_over_its_limit_ends_with_what_it_has(self) -> None:
        """A configuration of the restart cannot make it smaller."""
        ranges = Ranges(rules(max_events=2))
        ranges.take_up(5, 7, 700, 0.0, is_end=False)
        assert place(ranges, [5, 6]) == [(0, [0]), (1, [1])]


@st.composite
def stories(draw: st.DrawFn) -> tuple[Rules, list[tuple[float, list[tuple[int, int]]]]]:
    """Draw limits, and portions of units and sizes with the times at which they come."""
    some = rules(
        max_events=draw(st.none() | st.integers(1, 12)),
        max_bytes=draw(st.none() | st.integers(1, 4000)),
        max_s=draw(st.none() | st.floats(1.0, 50.0)),
        range_grace_s=draw(st.floats(0.0, 20.0)),
    )
    event = st.tuples(st.integers(0, 30), st.integers(64, 2000))
    portion = st.tuples(st.floats(0.0, 10.0), st.lists(event, max_size=25))
    return some, draw(st.lists(portion, max_size=12))


@pytest.mark.spec("D68")
@given(stories())
def test_each_unit_is_in_one_file_and_nothing_is_lost_or_twice(
    story: tuple[Rules, list[tuple[float, list[tuple[int, int]]]]],
) -> None:
    """Whatever comes in whatever order at whatever time; only garbage is elsewhere."""
    some, portions = story
    ranges = Ranges(some)
    owners: dict[int, set[int]] = defaultdict(set)
    closed: set[int] = set()
    now = 0.0
    for pause, portion in portions:
        now += pause
        ranges.age(now)
        closed |= {slot.number for slot in ranges.due(now)}
        units = np.array([unit for unit, _ in portion], np.int64)
        placed = ranges.place(units, np.array([size for _, size in portion], np.int64), now)
        rows = [row for each in placed for row in rows_of(each, len(portion))]
        assert sorted(rows) == list(range(len(portion)))
        assert not closed & {each.slot for each in placed}
        assert sum(not slot.end for slot in ranges.live) <= 1
        for each in placed:
            mine = rows_of(each, len(portion))
            assert mine == sorted(mine)
            for row in mine:
                owners[int(units[row])].add(each.slot)
    for slots in owners.values():
        assert len(slots - {GARBAGE}) <= 1
