"""What an installation costs is measured of every process."""

from __future__ import annotations

import pytest

from benchmarks.counts import QUICK
from benchmarks.failover_rows import measure_failover
from benchmarks.installation import installation, measure_rest

_PARTS = {"supervisor", "name server", "events", "log", "alarms", "oldb", "ledger", "project"}
_PARTS |= {"dpm", "ocm", "dcs1", "host1"}


@pytest.mark.system
@pytest.mark.timeout(120)
def test_the_rest_of_an_installation_is_measured() -> None:
    """Of six components, name server, supervisor and dashboard."""
    measured = measure_rest(QUICK)
    for kind in ("memory, RSS", "memory, PSS"):
        rows = [row for row in measured if row.group == kind]
        assert {row.name for row in rows} == _PARTS | {"obsorb top"}
        assert all(row.ours.median > 1 and row.ratio is not None for row in rows)
    assert [row.name for row in measured if row.met is not None] == ["obsorb top"]


@pytest.mark.system
@pytest.mark.timeout(120)
def test_the_start_of_an_installation_is_measured() -> None:
    """From the command to the line that says that it is up."""
    with installation() as running:
        assert 0 < running.started_in_s < 120
        assert set(running.pids) == _PARTS
        assert running.names.startswith("localhost:")


@pytest.mark.system
@pytest.mark.timeout(120)
def test_the_take_over_of_a_name_server_is_measured() -> None:
    """Each kill, the worst of them, and what the follower costs."""
    kills, worst, bind = measure_failover(QUICK)
    assert kills.ours.runs > 1
    assert kills.ours.high == worst.ours.median
    assert bind.ratio is not None
