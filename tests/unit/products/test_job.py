"""The pure parts: alerts, jobs, and what a merger's end means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from idl_like_interfaces.daqif import AlertSeverity, DaqSubstate
from objects.products import alerts
from objects.products.job import (
    Job,
    Product,
    aborting,
    entered,
    failed,
    retried,
    status_of,
    succeeded,
)
from objects.products.merger import MergeRun
from objects.products.progress import Step
from objects.products.verdict import judge

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
BAD = alerts.error("merge/failed", "it failed")
ODD = alerts.warning("merge/odd", "it is odd")


def job(substate: DaqSubstate = DaqSubstate.MERGING) -> Job:
    return Job(id="A", file_id="F", substate=substate, queued_at=NOW, changed_at=NOW)


def test_an_alert_that_goes_on_keeps_its_time() -> None:
    """Only one that is new or says something else gets a new one."""
    first = alerts.replaced([], "merge/", [BAD, ODD], NOW)
    other = alerts.error("merge/failed", "it failed otherwise")
    second = alerts.replaced(first, "merge/", [other, ODD], LATER)
    assert [(a.description, a.time) for a in second] == [
        ("it failed otherwise", LATER),
        ("it is odd", NOW),
    ]


def test_alerts_of_other_steps_stay() -> None:
    """A step speaks for itself only."""
    first = alerts.replaced([], "merge/", [ODD], NOW)
    assert alerts.replaced(first, "release/", [], LATER) == first
    assert alerts.replaced(first, "merge/", [], LATER) == []


def test_a_failed_step_stays_and_a_retry_clears_its_errors() -> None:
    """Warnings stay, the substate too."""
    stuck = failed(job(), Step.MERGE, [BAD, ODD], LATER)
    assert (stuck.substate, stuck.stuck, stuck.changed_at) == (DaqSubstate.MERGING, True, LATER)
    again = retried(stuck, LATER)
    assert (again.stuck, [a.id for a in again.alerts]) == (False, ["merge/odd"])
    on = succeeded(again, Step.MERGE, [], LATER)
    assert (on.substate, on.alerts) == (DaqSubstate.RELEASING, [])


def test_aborting_clears_the_errors() -> None:
    """Nobody has to repair what is discarded."""
    gone = aborting(failed(job(), Step.MERGE, [BAD], NOW), LATER)
    assert (gone.substate, gone.stuck, gone.alerts) == (DaqSubstate.ABORTING, False, [])


@pytest.mark.parametrize(
    ("substate", "announced", "shown"),
    [
        (DaqSubstate.MERGING, False, False),
        (DaqSubstate.RELEASING, False, True),
        (DaqSubstate.COMPLETED, True, True),
        (DaqSubstate.ABORTING, False, False),
        (DaqSubstate.ABORTED, True, True),
    ],
)
def test_a_result_is_shown_when_it_is_in_place(
    substate: DaqSubstate, announced: bool, shown: bool
) -> None:
    """An aborted one shows it only when others were told of it."""
    product = Product(name="F.fits", size_bytes=1, digest="sha256:0")
    made = replace(entered(job(), substate, LATER), product=product, announced=announced)
    assert status_of(made, Path("/r")).result == ("/r/F.fits" if shown else "")


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (100, "the specification was not found"),
        (101, "the specification is not JSON"),
        (102, "the specification violates its schema"),
        (110, "a source file is missing"),
        (255, "the merger failed inside, or a source is no good FITS file"),
        (3, ""),
        (-9, "it was ended by SIGKILL"),
        (-99, "it was ended by signal 99"),
    ],
)
def test_each_end_of_a_merger_has_its_meaning(code: int, cause: str) -> None:
    """Also without a word from it."""
    (alert,) = judge(MergeRun(code=code), has_output=False)
    assert (alert.severity, alert.cause) == (AlertSeverity.ERROR, cause)
    assert alert.remedy
