"""Made-up events: the same for the same seed; and the count of what was sent."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import pytest

from idl_like_interfaces.errors import BadParam
from objects.logger_stream.made_events import MadeEvents, mix_of, sizes_of, tally_of
from objects.logger_stream.tally import Tally

MIX = "1:0.7,2:0.2,1+2:0.1"


def made(seed: int = 1, run: int = 1) -> MadeEvents:
    """Return events of some hundred bytes."""
    return MadeEvents(run, sizes_of("100..300"), mix_of(MIX), lbn_every=10, seed=seed)


def test_the_same_seed_makes_the_same_events() -> None:
    """In any order; another seed or run makes others."""
    events = made()
    assert [events.event(n) for n in (3, 1, 2)] == [made().event(n) for n in (3, 1, 2)]
    assert bytes(events.event(1).payload) != bytes(made(seed=2).event(1).payload)
    assert bytes(events.event(1).payload) != bytes(made(run=2).event(1).payload)
    assert [events.event(n).lbn for n in (1, 10, 11, 20, 21)] == [1, 1, 2, 2, 3]


def test_streams_come_with_their_shares() -> None:
    """About so often."""
    events = made()
    streams = [events.event(n).streams for n in range(1, 2001)]
    assert 1300 < streams.count((1,)) < 1500
    assert 120 < streams.count((1, 2)) < 280
    assert mix_of(MIX).ids == {1, 2}


@pytest.mark.parametrize(
    ("text", "least", "greatest", "mean"),
    [
        ("1024", 1024, 1024, 1024),
        ("200..4000", 200, 4000, 2100),
        ("exp:10k", 0, 3_145_728, 10_000),
        ("normal:250k,50k", 0, 500_000, 250_000),
    ],
)
def test_sizes_follow_their_distribution(text: str, least: int, greatest: int, mean: float) -> None:
    """Over all chances the mean is as told."""
    sizes = [sizes_of(text)((n + 0.5) / 2000) for n in range(2000)]
    assert least <= min(sizes)
    assert max(sizes) <= greatest
    assert fmean(sizes) == pytest.approx(mean, rel=0.02)
    assert 0 <= sizes_of(text)(0.0) <= sizes_of(text)(1.0) <= 3 * 1024 * 1024


@pytest.mark.parametrize("text", ["", "abc", "exp:", "normal:5", "exp:5,6", "1,2", "flat:3"])
def test_a_malformed_size_is_refused(text: str) -> None:
    """With examples of what is right."""
    with pytest.raises(BadParam, match="distribution") as refused:
        sizes_of(text)
    assert "exp:250k" in refused.value.remedy


@pytest.mark.parametrize("text", ["", "a", "1:", "1:0", "1+", "1:0.5,,2"])
def test_a_malformed_mix_is_refused(text: str) -> None:
    """Likewise."""
    with pytest.raises(BadParam, match="mix"):
        mix_of(text)


def test_a_count_tells_what_is_missing_twice_there_or_changed(tmp_path: Path) -> None:
    """Whatever the order; it survives being written."""
    sent = tally_of(made(), 1, 1, 50)
    sent.write(tmp_path / "sent.json")
    assert Tally.read(tmp_path / "sent.json").differences(sent) == []
    for what, numbers in {
        "missing": [n for n in range(1, 51) if n != 7],
        "twice": [*range(1, 51), 7],
        "right": list(range(50, 0, -1)),
    }.items():
        found = Tally()
        for number in numbers:
            each = made().event(number)
            found.add(1, number, each.lbn, each.payload, each.streams)
        assert bool(sent.differences(found)) == (what != "right"), what
    changed = tally_of(made(), 1, 1, 49)
    last = made().event(50)
    changed.add(1, 50, last.lbn, bytes(len(last.payload)), last.streams)
    assert "some of them are others" in sent.differences(changed)[0]
