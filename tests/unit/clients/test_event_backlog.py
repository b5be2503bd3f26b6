"""What a sender keeps: until it is durable, in order, whatever the logger says."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from idl_like_interfaces.clients.event_backlog import Backlog


def backlog(*sequences: int) -> Backlog:
    """Return a backlog with messages of ten bytes."""
    made = Backlog(incarnation=1)
    for each in sequences:
        made.put(each, b"%010d" % each)
    return made


def test_a_batch_ends_at_a_bound_or_at_a_hole() -> None:
    """One message always goes, however large."""
    assert len(backlog(1, 2, 3, 5).batch(1000, 100)) == 3
    assert len(backlog(1, 2, 3).batch(20, 100)) == 2
    assert len(backlog(1, 2, 3).batch(1, 100)) == 1
    assert len(backlog(1, 2, 3).batch(1000, 2)) == 2


def test_a_hole_is_told_when_it_is_next() -> None:
    """Also one behind the last message."""
    made = backlog(1, 4)
    assert made.gap() is None
    made.align(1, 0)
    assert made.gap() == (2, 3)
    made.align(4, 0)
    assert made.gap() is None
    made.produced = 6
    assert made.gap() == (5, 6)
    assert made.is_waiting


def test_what_a_crash_takes_back_waits_again() -> None:
    """Of what is accepted only what is durable is forgotten."""
    made = backlog(1, 2, 3, 4, 5)
    made.align(4, 1)
    assert (len(made), made.waiting, made.is_unsure) == (4, 1, True)
    made.align(2, 2)
    assert made.batch(1000, 100) == [b"%010d" % each for each in (3, 4, 5)]
    made.align(5, 5)
    assert (len(made), made.size_bytes, made.waiting_bytes, made.is_done) == (0, 0, 0, True)


def test_what_is_durable_was_accepted() -> None:
    """Also when the answer that said so was lost, and who asks what is durable is answered first."""
    kept = backlog(1, 2, 3)
    kept.align(None, 2)
    assert (kept.accepted, kept.durable, len(kept)) == (2, 2, 1)
    assert kept.is_waiting
    assert len(kept.batch(1000, 10)) == 1
    kept.align(0, 0)
    assert (kept.accepted, kept.durable, len(kept)) == (2, 2, 1)


@settings(deadline=None)
@given(st.data())
def test_nothing_is_lost_before_it_is_durable(data: st.DataObject) -> None:
    """Whatever marks come, those behind the durable one are all there, once, and weighed."""
    made = backlog()
    for _ in range(data.draw(st.integers(1, 30))):
        if data.draw(st.booleans()):
            made.put(made.produced + 1, b"x" * data.draw(st.integers(1, 9)))
            continue
        durable = data.draw(st.integers(made.durable, made.produced))
        made.align(data.draw(st.integers(durable, made.produced)), durable)
        assert made.waiting == made.produced - made.accepted
        assert len(made) == made.produced - made.durable
        kept = [*made._unsure, *made._waiting]
        assert [each for each, _ in kept] == list(range(made.durable + 1, made.produced + 1))
        assert made.size_bytes == sum(len(message) for _, message in kept)
        assert made.waiting_bytes == sum(len(message) for _, message in made._waiting)
