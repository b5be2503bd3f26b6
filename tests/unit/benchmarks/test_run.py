"""The benchmark runs, with tiny counts, and keeps its result."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from benchmarks import channel, channel_sides, run
from benchmarks.counts import FULL, QUICK, Counts
from benchmarks.figures import Figure, Report
from objects.messaging.journal import Retention
from tests.unit.benchmarks.rows import rate, report


def test_calls_and_octets_are_measured_beside_bare_pyro5() -> None:
    """One row for each call, and for each size in each direction."""
    measured = run.measure(["calls", "octets"], QUICK, "test")
    assert [row.group for row in measured.figures] == ["calls"] * 2 + ["octets"] * 10
    for row in measured.figures:
        assert row.peer.startswith("bare Pyro5")
        assert row.theirs is not None
        assert row.ratio is not None
        assert row.ours.median > 0
    assert sum(row.met is not None for row in measured.figures) == 6


def test_tls_and_many_calls_at_once_are_measured() -> None:
    """Each beside a peer."""
    measured = run.measure(["tls", "many"], QUICK, "test")
    assert measured.failed == []
    assert {row.group for row in measured.figures} == {"TLS", "100 calls at once"}
    assert all(row.ratio is not None and row.ours.median > 0 for row in measured.figures)


def test_a_group_that_fails_does_not_end_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its traceback is shown, and the report says so, as does the exit code."""

    def fail(_: Counts) -> list[Figure]:
        raise OSError("no more ports")

    monkeypatch.setattr(run, "GROUPS", {"calls": fail, "tls": lambda _: [rate()]})
    assert run.main(["--quick"]) == 1
    told = capsys.readouterr()
    assert "no more ports" in told.err
    assert "FAILED: calls" in told.out
    assert "2.40x" in told.out


def test_events_arrive_all_and_absent_peers_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """One row for each peer and number of consumers; and what each delivery costs."""
    absent = tuple(replace(peer, program="no-such-program") for peer in channel_sides.PEERS)
    monkeypatch.setattr(channel, "PEERS", absent)
    measured = run.measure(["channel"], QUICK, "test")
    rates = [row for row in measured.figures if row.group == channel.RATE]
    assert len(rates) == len(QUICK.consumers) * 2
    for row in rates:
        assert (row.lost, row.theirs, row.met) == (0, None, None)
        assert row.ours.median > 0
    for group in (channel.SERVER_COST, channel.WHOLE_COST):
        curve = [row for row in measured.figures if row.group == group and row.at is not None]
        assert [row.at for row in curve] == [row.at for row in rates]
    grown = [row for row in measured.figures if row.goal == channel.LINEAR_GOAL]
    assert [row.group for row in grown] == [channel.SERVER_COST]


@pytest.mark.parametrize("peer", channel_sides.PEERS, ids=lambda peer: peer.name)
def test_a_peer_is_measured_in_the_same_way(peer: channel_sides.Peer) -> None:
    """Where it is installed."""
    if not peer.is_installed:
        pytest.skip(f"{peer.program} or the Python client {peer.module} is not installed")
    with channel_sides.side(peer.serve(), peer.parts, 2) as side:
        assert side.burst(200).rate > 0
        assert side.burst(200).rate > 0
        assert side.lost == 0


def test_a_burst_is_no_more_than_the_channel_holds() -> None:
    """Else a slow consumer would lose events by design."""
    assert FULL.events <= Retention().max_events


def test_a_result_is_kept_as_json_and_text(tmp_path: Path) -> None:
    """Under date and kind of host; the JSON reads back as the same report."""
    kept = report(rate())
    paths = run.save(kept, "two-cores", tmp_path)
    assert [path.name for path in paths] == [
        "2026-03-01-two-cores.json",
        "2026-03-01-two-cores.txt",
    ]
    assert msgspec.json.decode(paths[0].read_bytes(), type=Report) == kept
    assert "2.40x" in paths[1].read_text()


@pytest.mark.parametrize("kind", ["", "Two Cores", "../up"])
def test_a_kind_that_is_no_part_of_a_file_name_is_refused(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is measured."""
    with pytest.raises(SystemExit) as ended:
        run.parse(["--save", kind])
    assert ended.value.code == 2
    assert "--save" in capsys.readouterr().err


def test_the_report_goes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """As plain text where that is no terminal, or as JSON."""
    run.show(report(rate()), as_json=False)
    assert "2.40x" in capsys.readouterr().out
    run.show(report(rate()), as_json=True)
    assert json.loads(capsys.readouterr().out)["figures"][0]["met"] is True


def test_a_terminal_gets_colours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table of rich."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    run.show(report(rate()), as_json=False)
    assert "2.40x" in capsys.readouterr().out


def test_the_command_runs_from_its_file() -> None:
    """As the Makefile starts it."""
    ended = subprocess.run(
        [sys.executable, run.__file__, "--quick", "--only", "calls", "--json"],
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    told = json.loads(ended.stdout)
    assert told["command"] == "benchmarks/run.py --quick --only calls --json"
    assert len(told["figures"]) == 2
