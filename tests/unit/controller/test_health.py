"""What the doctor makes of calls and of open files."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from controller.health.calls import Answers, examine_calls
from controller.health.files import SPARE, Files, examine_files, files_of, judge_files
from controller.health.finding import Verdict
from idl_like_interfaces.errors import CommFailure
from idl_like_interfaces.mapping.wire import host_name
from idl_like_interfaces.object import Identity
from tests.support.small import SmallInstallation
from tests.support.statistics import calls, statistics
from tests.unit.controller.running import ok

MANY = 10_000


def test_calls_are_summed_up() -> None:
    """Of all who answer."""
    answers: Answers = {
        "obs/a": statistics(calls("work", [3, 0, 0, 0, 0], refused=1, in_progress=2)),
        "obs/b": statistics(calls("work", [4, 0, 0, 0, 0])),
        "obs/c": CommFailure("silent"),
    }
    (finding,) = examine_calls(answers)
    assert finding.found == "2 objects, 7 calls since they are active, 2 in progress, 1 refused"
    assert finding.verdict is Verdict.GOOD


@pytest.mark.parametrize(
    ("what", "remedy"), [("failed", "report"), ("dropped", "busy"), ("denied", "audit")]
)
def test_what_went_wrong_is_noted(what: str, remedy: str) -> None:
    """With the operations; it is no failure of now."""
    answers: Answers = {
        "obs/a": statistics(
            calls("good", [1, 0, 0, 0, 0]),
            calls("one", [1, 0, 0, 0, 0], **{what: 2}),
            calls("two", [1, 0, 0, 0, 0], **{what: 1}),
        )
    }
    _, note = examine_calls(answers)
    assert (note.subject, note.verdict) == ("obs/a", Verdict.NOTE)
    assert note.found == f"calls {what} since 2026-03-01 12:00 UTC: one 2, two 1"
    assert note.cause
    assert remedy in note.remedy


def test_the_fullest_process_is_named() -> None:
    """By its part, not by its number."""
    found = {"a": Files(opened=900, allowed=MANY), "b": Files(opened=300, allowed=3000)}
    (finding,) = judge_files(found, 1000)
    assert (finding.verdict, finding.found) == (Verdict.GOOD, "at most 300 of 3000 (b)")


def test_a_process_without_room_is_bad() -> None:
    """The next connection may fail."""
    (finding,) = judge_files({"a": Files(opened=8001, allowed=MANY)}, 1000)
    assert finding.verdict is Verdict.BAD
    assert "ulimit" in finding.remedy


@pytest.mark.parametrize(("allowed", "is_noted"), [(1000 + SPARE, False), (999 + SPARE, True)])
def test_a_limit_below_the_connections_is_noted(allowed: int, is_noted: bool) -> None:
    """Fewer clients are served than could be."""
    findings = list(judge_files({"a": Files(opened=10, allowed=allowed)}, 1000))
    assert [each.verdict for each in findings[1:]] == [Verdict.NOTE] * is_noted


def test_only_processes_of_this_host_can_be_examined() -> None:
    """Those of others, and those that are gone, are passed over."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert files_of(gone.pid) is None
    elsewhere = Identity(object_id="a", incarnation="1", host="elsewhere", pid=os.getpid())
    assert examine_files({"a": elsewhere}) == []
    here = Identity(object_id="a", incarnation="1", host=host_name(), pid=os.getpid())
    assert examine_files({"a": here})[0].found.endswith("(a)")


def test_the_doctor_tells_of_calls_and_files(small: SmallInstallation) -> None:
    """Of a running installation."""
    text = ok("doctor")
    assert "calls: " in text
    assert "open files: at most " in text
