"""What a daemon remembers of calls."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from idl_like_interfaces.mapping.hosting.calls import BOUNDS_S, CallBook, SeenCalls

WINDOW = 8


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 40)), max_size=60))
def test_no_call_is_taken_twice(calls: list[tuple[int, int]]) -> None:
    """In whatever order they come: never twice, and always once if few later ones came."""
    seen = SeenCalls(gaps=WINDOW)
    taken: dict[int, set[int]] = {}
    for caller, number in calls:
        before = taken.setdefault(caller, set())
        is_new = seen.is_new("127.0.0.1", "", caller, number)
        if number in before:
            assert not is_new
        elif number > max(before, default=0) - WINDOW:
            assert is_new
        if is_new:
            before.add(number)


def test_a_call_may_be_overtaken_by_any_number_of_others() -> None:
    """It waited for its turn while other threads went on with the same stub."""
    seen = SeenCalls()
    late = range(100, 5000, 17)
    for number in range(1, 20_000):
        if number not in late:
            assert seen.is_new("a", "", 1, number)
    for number in late:
        assert seen.is_new("a", "", 1, number)
        assert not seen.is_new("a", "", 1, number)
    assert not seen.is_new("a", "", 1, 50)


def test_what_is_known_of_a_stub_is_bounded() -> None:
    """Whose calls are lost all the time; its oldest count as seen."""
    seen = SeenCalls(gaps=4)
    for number in range(2, 200, 2):
        assert seen.is_new("a", "", 1, number)
    assert not seen.is_new("a", "", 1, 1)
    assert seen.is_new("a", "", 1, 197)
    (known,) = seen._known.values()
    assert len(known.bounds) <= 8


def test_callers_are_told_apart_by_address_and_certificate() -> None:
    """The same id from elsewhere, or from somebody else, is another call."""
    seen = SeenCalls()
    assert seen.is_new("a", "", 1, 1)
    assert seen.is_new("b", "", 1, 1)
    assert seen.is_new("a", "alice", 1, 1)
    assert not seen.is_new("a", "alice", 1, 1)


def test_the_memory_is_bounded() -> None:
    """Who was silent for longest is forgotten."""
    seen = SeenCalls(callers=3)
    for caller in range(100):
        assert seen.is_new("a", "", caller, 1)
    assert len(seen._known) == 3
    assert not seen.is_new("a", "", 99, 1)


def test_a_tally_counts_each_call_once() -> None:
    """Also from many threads at once; each falls into one class of its histogram."""
    book = CallBook()
    tally = book.of("echo")
    assert book.of("echo") is tally

    def call() -> None:
        for number in range(500):
            one = object()
            tally.begin(one)
            tally.end(one, BOUNDS_S[number % len(BOUNDS_S)], "refused" if number % 5 == 0 else "")

    threads = [threading.Thread(target=call) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    (found,) = book.show().operations
    assert (found.calls, found.refused, found.failed, found.in_progress) == (4000, 800, 0, 0)
    assert sum(found.counts) == 4000
    assert found.counts[-1] == 0
    assert len(found.counts) == len(book.show().bounds_s) + 1


def test_what_was_not_executed_is_counted_apart() -> None:
    """Dropped, denied and forgotten calls are in no histogram."""
    book = CallBook()
    tally = book.of("echo")
    tally.drop()
    tally.drop("denied")
    one = object()
    tally.begin(one)
    tally.forget(one)
    (found,) = book.show().operations
    assert (found.calls, found.dropped, found.denied, found.in_progress) == (0, 2, 1, 0)
    assert sum(found.counts) == 0
