"""``obsorb audit``: what the log tells, and whether it is whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from idl_like_interfaces.security.audit_chain import Kind
from idl_like_interfaces.security.audit_log import AuditLog
from tests.unit.controller.running import document, obsorb, ok, refused


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give two processes that were commanded in turn."""
    with AuditLog(tmp_path, "ocm", "i1") as ocm, AuditLog(tmp_path, "dpm", "i2") as dpm:
        ocm.append(Kind.CALL, caller="alice", role="operator", object="obs/ocm/daq",
                   operation="start_daq", outcome="ok")  # fmt: skip
        dpm.append(Kind.DENIED, caller="bob", role="observer", object="obs/dpm/dpm",
                   operation="exit", outcome="IDL:omg.org/CORBA/NO_PERMISSION:1.0")  # fmt: skip
        ocm.append(Kind.CALL, caller="local", role="admin", object="obs/ocm/std",
                   operation="exit", outcome="ok")  # fmt: skip
    return tmp_path


def test_calls_of_all_processes_are_shown_in_the_order_of_time(folder: Path) -> None:
    """One a line, with caller, role and outcome."""
    lines = ok("audit", "show", str(folder)).splitlines()
    assert [line.partition("Z ")[2] for line in lines] == [
        "ocm        alice (operator) start_daq of obs/ocm/daq: ok",
        "dpm        bob (observer) exit of obs/dpm/dpm: DENIED",
        "ocm        local (admin) exit of obs/ocm/std: ok",
    ]


@pytest.mark.parametrize(
    ("options", "callers"),
    [
        (["--caller", "a*"], ["alice"]),
        (["--operation", "exit"], ["bob", "local"]),
        (["--object", "obs/ocm/*"], ["alice", "local"]),
        (["--denied"], ["bob"]),
        (["--limit", "1"], ["local"]),
        (["--since", "1h"], ["alice", "bob", "local"]),
        (["--until", "1h"], []),
    ],
)
def test_filters_choose(folder: Path, options: list[str], callers: list[str]) -> None:
    """Each for itself."""
    lines = ok("audit", "show", str(folder), "--json", *options).splitlines()
    assert [json.loads(line)["caller"] for line in lines] == callers


def test_starts_and_ends_are_shown_on_request(folder: Path) -> None:
    """They say when somebody could have called."""
    text = ok("audit", "show", str(folder / "ocm.jsonl"), "--all")
    assert "ocm        start i1" in text
    assert "ocm        stop" in text


def test_a_whole_log_is_intact(folder: Path) -> None:
    """And its heads are told, to be kept elsewhere."""
    dpm, ocm = document("audit", "verify", str(folder))
    assert (dpm["records"], ocm["records"]) == (3, 4)
    text = ok("audit", "verify", str(folder), "--head", ocm["head"])
    assert f"ocm: intact, 4 records in 1 files, head 4 {ocm['head']}" in text


def test_a_broken_one_fails_the_command(folder: Path) -> None:
    """With the line; so does a head that is not in the chain."""
    refused("audit", "verify", str(folder), "--head", "0" * 64)
    path = folder / "ocm.jsonl"
    path.write_bytes(path.read_bytes().replace(b"alice", b"carol"))
    refused("audit", "verify", str(folder))
    assert "BROKEN" in _output(folder)
    assert "broken: ocm.jsonl line 2: its content is not" in _output(folder)


def test_a_head_that_is_nowhere_is_no_fault_of_any_one_chain(folder: Path) -> None:
    """Nobody knows whose it was: all are shown as they are, and the command fails."""
    text = obsorb("audit", "verify", str(folder), "--head", "0" * 64).stdout
    assert text.count(": intact") == 2
    assert "all of them: BROKEN" in text
    assert "no line of what is verified has the hash 000" in text


def _output(folder: Path) -> str:
    return obsorb("audit", "verify", str(folder)).stdout


def test_where_there_is_no_log_it_is_told(tmp_path: Path) -> None:
    """With the way to one."""
    assert "[security]" in refused("audit", "verify", str(tmp_path))
