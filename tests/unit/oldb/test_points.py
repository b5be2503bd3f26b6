"""Which writes change what is kept, and how far it may be trusted."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.oldb import DataWrite, Quality
from objects.oldb.points import Kept, changes_of, judged, rejudged
from tests.contract.oldb import NIGHT, removal, write


def kept(*writes: DataWrite, incarnation: str = "i1") -> dict[str, Kept]:
    """Return what is kept after some writes, one after the other."""
    found: dict[str, Kept] = {}
    for each in writes:
        found |= {new.key: new for new in changes_of("obs/a", incarnation, [each], found)}
    return found


@given(st.permutations(range(1, 8)), st.lists(st.integers(-5000, 5000), min_size=7, max_size=7))
def test_numbered_writes_end_with_the_highest(order: list[int], seconds: list[int]) -> None:
    """In whatever order they come, and wherever the clock jumps."""
    writes = {at: write("a", at, second, number=at) for at, second in enumerate(seconds, 1)}
    found = kept(*(writes[at] for at in order))
    assert found["a"].number == 7


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=8))
def test_repeating_a_batch_changes_nothing(steps: list[tuple[int, bool]]) -> None:
    """A call may be repeated when its reply is lost."""
    batch = [
        removal("a", second) if is_removed else write("a", second, second)
        for second, is_removed in steps
    ]
    found = {each.key: each for each in changes_of("obs/a", "i1", batch, {})}
    assert changes_of("obs/a", "i1", batch[-1:], found) == []


def test_a_removal_of_the_same_moment_wins() -> None:
    """A value that is written and removed at one time is gone."""
    found = kept(write("a", 1, 5), removal("a", 5), write("a", 1, 5))
    assert found["a"].is_removed


def test_a_key_is_changed_once_in_a_batch() -> None:
    """By its last write, and in the order of these."""
    batch = [write("a", 1, 1), write("b", 1, 1), write("a", 2, 2)]
    assert [(each.key, each.value) for each in changes_of("obs/a", "i1", batch, {})] == [
        ("b", b"1"),
        ("a", b"2"),
    ]


def test_values_of_who_stopped_are_suspect_at_once() -> None:
    """What its source doubts itself stays as it says."""
    batch = [write("a"), write("b", quality=Quality.BAD)]
    changed = changes_of("obs/a", "i1", batch, {}, is_trusted=False)
    assert [each.quality for each in changed] == [Quality.SUSPECT, Quality.BAD]
    assert [each.said for each in changed] == [Quality.OK, Quality.BAD]
    assert judged(Quality.OK, is_trusted=True) is Quality.OK


def test_judging_again_changes_what_differs_only() -> None:
    """Values of the living start hold, those of all others are suspect, and back again."""
    old = kept(write("a"), incarnation="i1") | kept(write("b"), incarnation="i2")
    old |= kept(write("c"), incarnation="")
    changed = rejudged(old.values(), "i2")
    assert [(each.key, each.quality) for each in changed] == [("a", Quality.SUSPECT)]
    silent = rejudged((old | {each.key: each for each in changed}).values(), None)
    assert [each.key for each in silent] == ["b"]
    back = rejudged(silent, "i2")
    assert [(each.key, each.quality) for each in back] == [("b", Quality.OK)]


def test_a_point_says_what_is_kept() -> None:
    """Times to the microsecond."""
    moment = NIGHT + timedelta(microseconds=1)
    (new,) = changes_of("obs/a", "i1", [DataWrite(key="a", value={"x": 1}, time=moment)], {})
    point = new.as_point()
    assert (point.key, point.value, point.time) == ("a", {"x": 1}, moment)
