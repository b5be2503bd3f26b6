"""Two name servers under crashes, silences, late messages: never two that acknowledge."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.replicas import World


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL")


@given(st.lists(st.integers(0, 255), max_size=200))
def test_at_no_moment_do_two_acknowledge(tape: list[int]) -> None:
    """And who acknowledges has everything that was ever acknowledged."""
    World(tape).run()


@given(st.lists(st.integers(0, 255), max_size=120))
def test_behind_every_trouble_one_leads_and_one_follows(tape: list[int]) -> None:
    """Within 8 s of quiet, with all that was acknowledged, on both."""
    world = World(tape)
    world.run()
    world.heal()
    world.check()
    assert sorted(node.member.state.role for node in world.nodes) == ["following", "leading"]
    assert sum(node.acknowledges for node in world.nodes) == 1
    assert world.nodes[0].names == world.nodes[1].names >= set(world.acknowledged)


@pytest.mark.parametrize("seed", range(20))
def test_a_long_night_of_troubles(seed: int) -> None:
    """Thousands of events in a row; much is acknowledged between them."""
    _long_night(seed, 6000)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_many_long_nights() -> None:
    """The same with other seeds, longer."""
    for seed in range(1000, 1500):
        _long_night(seed, 20_000)


def _long_night(seed: int, length: int) -> None:
    chance = random.Random(seed)
    world = World([chance.randrange(256) for _ in range(length)])
    world.run()
    world.heal()
    world.check()
    assert sum(node.acknowledges for node in world.nodes) == 1
    assert len(world.acknowledged) > length / 400
