"""Control of the runs for the time of a command."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.cli import run_lease
from controller.cli.run_lease import controlling
from tests.support.eventually import eventually
from tests.support.runs import hall


def test_a_command_renews_its_short_lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it works it keeps control; at its end nobody has it."""
    monkeypatch.setattr(run_lease, "FOR_A_COMMAND_S", 1.5)
    monkeypatch.setattr(run_lease, "RENEWALS", 30)
    with hall(tmp_path, takes_control=False) as room:
        service = room.service
        with controlling(service, tmp_path / "token", "anna", is_forced=False) as token:
            first = service.get_status().control.until
            assert first is not None

            def is_renewed() -> bool:
                now = service.get_status().control
                return now.until is not None and (now.until - first).total_seconds() > 2.0

            eventually(is_renewed, "it lasts beyond its first term")
            assert service.renew_control(token).holder == "anna"
        assert service.get_status().control.holder == ""


def test_a_command_that_was_killed_keeps_control_for_seconds_only() -> None:
    """Nobody renews it; others need not wait for minutes."""
    assert run_lease.FOR_A_COMMAND_S <= 15.0
    assert run_lease.RENEWALS >= 3
