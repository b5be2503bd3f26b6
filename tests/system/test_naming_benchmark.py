"""The benchmark of naming runs with tiny counts, and says what it must."""

from __future__ import annotations

import pytest

from benchmarks.naming import measure

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


def test_every_figure_of_naming_is_measured() -> None:
    """Look-ups and binds stand beside a peer; the others are shown."""
    figures = measure(quick=True)
    assert {name: each["unit"] for name, each in figures.items()} == {
        "resolve": "1/s",
        "resolve_many of 50 names": "names/s",
        "bind 50 names": "s",
        "list 50 names": "ms",
        "snapshot of 50 names": "ms",
        "binds that survive kill -9": "1/s",
        "binds that survive loss of power": "1/s",
    }
    assert all(each["ours"]["median"] > 0 for each in figures.values())
    with_peer = {name for name, each in figures.items() if each["theirs"]}
    assert with_peer == {
        "resolve", "resolve_many of 50 names", "binds that survive kill -9",
        "binds that survive loss of power",
    }  # fmt: skip
    assert figures["resolve"]["goal"]["at_least"] == 0.75
