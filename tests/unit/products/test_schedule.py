"""What may start next."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.daqif import DaqState, DaqSubstate
from objects.products.progress import ADMITTED_TO, FINAL, STAGES, state_of
from objects.products.schedule import Entry, Limits, plan

SCHEDULED, COLLECTING = DaqSubstate.SCHEDULED, DaqSubstate.COLLECTING
MERGING, ABORTING = DaqSubstate.MERGING, DaqSubstate.ABORTING


def entry(id: str, substate: DaqSubstate = SCHEDULED, flags: str = "") -> Entry:
    return Entry(
        id=id, substate=substate, stuck="s" in flags, admitted="a" in flags, busy="b" in flags
    )


@pytest.mark.parametrize(
    ("queue", "limits", "starts"),
    [
        ([], (1, 1), []),
        ([entry("a"), entry("b")], (1, 1), ["a"]),
        ([entry("a"), entry("b")], (2, 1), ["a", "b"]),
        ([entry("a"), entry("b"), entry("c")], (0, 0), ["a", "b", "c"]),
        ([entry("a", COLLECTING, "ab"), entry("b")], (1, 1), []),
        ([entry("a", COLLECTING, "s"), entry("b")], (1, 1), ["b"]),
        ([entry("a", COLLECTING), entry("b", COLLECTING, "ab")], (1, 1), []),
        ([entry("a", MERGING, "ab"), entry("b", MERGING, "a")], (0, 1), []),
        ([entry("a", MERGING, "a"), entry("b", MERGING, "a")], (0, 1), ["a"]),
        ([entry("a", MERGING, "a"), entry("b", MERGING, "a")], (0, 0), ["a", "b"]),
        ([entry("a", COLLECTING, "ab"), entry("b", ABORTING)], (1, 1), ["b"]),
        ([entry("a", MERGING, "ab"), entry("b", COLLECTING, "a")], (2, 1), ["b"]),
        # The one that waits for a merger has its place before the one behind it.
        ([entry("a", MERGING, "ab"), entry("b", MERGING), entry("c")], (2, 1), []),
    ],
)
def test_first_in_first_out_within_the_limits(
    queue: list[Entry], limits: tuple[int, int], starts: list[str]
) -> None:
    """A table of queues and what starts."""
    assert plan(queue, Limits(daq=limits[0], merge=limits[1]), 10) == starts


def test_no_more_starts_than_workers_are_free() -> None:
    """Without limits the threads are one."""
    queue = [entry(id) for id in "abc"]
    assert plan(queue, Limits(daq=0, merge=0), 2) == ["a", "b"]
    assert plan(queue, Limits(daq=0, merge=0), 0) == []


entries = st.lists(
    st.builds(
        Entry,
        id=st.just(""),
        substate=st.sampled_from([SCHEDULED, *STAGES]),
        stuck=st.booleans(),
        admitted=st.booleans(),
        busy=st.booleans(),
    ),
    max_size=8,
)


@given(entries, st.integers(0, 3), st.integers(0, 3), st.integers(0, 9))
def test_the_limits_hold_for_any_queue(
    found: list[Entry], daq: int, merge: int, workers: int
) -> None:
    """What starts is idle and unstuck, in order, and adds to no full limit."""
    queue = [replace(each, id=str(index)) for index, each in enumerate(found)]
    by_id = {each.id: each for each in queue}
    started = [by_id[id] for id in plan(queue, Limits(daq=daq, merge=merge), workers)]
    assert [each.id for each in started] == sorted((e.id for e in started), key=int)
    assert len(started) <= workers
    assert not any(each.busy or each.stuck for each in started)
    new = [e for e in started if not e.admitted and e.substate is not ABORTING]
    if daq and new:
        assert len(new) + sum(each.admitted for each in queue) <= daq
    mergers = [each for each in started if each.substate is MERGING]
    if merge and mergers:
        busy = sum(each.busy and each.substate is MERGING for each in queue)
        assert len(mergers) + busy <= merge


def test_every_stage_leads_to_an_end() -> None:
    """The table has no hole: from admission the chain ends in a final substate."""
    for start in (ADMITTED_TO, ABORTING):
        substate = start
        for _ in STAGES:
            if substate in FINAL:
                break
            assert state_of(substate) is DaqState.MERGING
            substate = STAGES[substate].next
        assert state_of(substate) is DaqState.COMPLETED
