"""Idle connections: the last one used is taken first, old and surplus ones are closed."""

from __future__ import annotations

import pytest

from idl_like_interfaces.mapping.calling.dialing import Place
from idl_like_interfaces.mapping.calling.pool import Pool

PLACE = Place.parse("PYRO:x@localhost:1")


class Wire:
    """A connection that only knows whether it is open."""

    def __init__(self) -> None:
        self.place = PLACE
        self.used_at = 0.0
        self.is_stale = False
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def pool() -> Pool[Wire]:
    pool: Pool[Wire] = Pool(3)
    pool.place = PLACE
    return pool


def test_the_last_one_used_is_taken_first(pool: Pool[Wire]) -> None:
    """So the others grow old when there is less to do."""
    first, second = Wire(), Wire()
    pool.give(first)
    pool.give(second)
    assert [pool.take(), pool.take(), pool.take()] == [second, first, None]


def test_one_that_the_peer_has_closed_is_passed_over(pool: Pool[Wire]) -> None:
    """And closed here, too."""
    stale = Wire()
    pool.give(stale)
    stale.is_stale = True
    assert pool.take() is None
    assert stale.is_closed


def test_no_more_than_the_bound_are_kept(pool: Pool[Wire]) -> None:
    """The one that was used longest ago is closed."""
    wires = [Wire() for _ in range(4)]
    for each in wires:
        pool.give(each)
    assert [each.is_closed for each in wires] == [True, False, False, False]
    assert len(pool) == 3


def test_one_that_is_idle_for_long_is_closed(pool: Pool[Wire]) -> None:
    """When another one is given back."""
    old, new = Wire(), Wire()
    pool.give(old)
    old.used_at -= 3600
    pool.give(new)
    assert (old.is_closed, new.is_closed) == (True, False)


def test_one_that_leads_elsewhere_is_not_kept(pool: Pool[Wire]) -> None:
    """The object has moved while it was used."""
    wire = Wire()
    wire.place = Place.parse("PYRO:x@localhost:2")
    pool.give(wire)
    assert wire.is_closed
    assert len(pool) == 0


def test_all_are_closed_at_once(pool: Pool[Wire]) -> None:
    """When the stub is released."""
    wires = [Wire() for _ in range(3)]
    for each in wires:
        pool.give(each)
    pool.clear()
    assert all(each.is_closed for each in wires)
