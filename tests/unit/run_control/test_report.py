"""The report of a run: one page with drawings, and plain text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from idl_like_interfaces.event_logger import (
    FileState,
    GapNote,
    RunCertificate,
    RunState,
    WrittenFile,
)
from idl_like_interfaces.run_configuration import Quality, RunBegin, RunEnd
from idl_like_interfaces.run_control import Phase, Verdict
from objects.run_control.records import (
    LONGEST_NOTE,
    RunRecord,
    confirmed,
    entered,
    new_record,
    noted,
    with_accepted,
    with_writer,
)
from objects.run_control.report.charts import Chart, Line, draw, duration, shown, step_of, time_step
from objects.run_control.report.write import write_report
from objects.run_control.samples import Sample, WriterSample
from objects.run_control.verdict import judge
from tests.support.runs import configuration, logger_writer

NOW = datetime(2026, 1, 2, tzinfo=UTC)
EVIL = '<script>alert("x")</script>'


def written(**changes: object) -> WrittenFile:
    return WrittenFile(
        **{  # type: ignore[arg-type]
            "path": "/data/a.raw",
            "stream": "s1",
            "state": FileState.CLOSED,
            "events": 10,
            "size_bytes": 1000,
            "durable_bytes": 1000,
            "digest": "sha256:" + 64 * "0",
            **changes,
        }
    )


def certificate(*files: WrittenFile, **changes: object) -> RunCertificate:
    return RunCertificate(
        **{  # type: ignore[arg-type]
            "run": 1,
            "state": RunState.ENDED,
            "recording": True,
            "events": 10,
            "bytes": 1000,
            "files": list(files),
            **changes,
        }
    )


def ending(*certificates: RunCertificate) -> RunRecord:
    begin = RunBegin(shifter=EVIL, comment="a & b")
    made = new_record(1, begin, configuration(logger_writer("a", 1)), "r", NOW)
    record = entered(made, Phase.ENDING, NOW)
    for each in certificates:
        record = confirmed(record, "a", each, NOW)
    return record


def fine(_: object, __: object) -> str:
    return ""


def test_all_confirmed_is_good() -> None:
    """Counts and digests of all files are on disk."""
    assert judge(ending(certificate(written())), fine) == (Verdict.GOOD, [])


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        (
            certificate(written(state=FileState.ERROR, problem="EIO")),
            "a: /data/a.raw is ERROR: EIO",
        ),
        (certificate(written(digest="")), "a: /data/a.raw has no digest"),
        (certificate(written(durable_bytes=7)), "a: /data/a.raw: 7 of 1000 bytes are on the disk"),
        (certificate(written(events=9)), "a: 10 events were accepted, its files hold 9"),
        (certificate(), "a: 10 events were accepted, its files hold 0"),
        (certificate(written(), missing=["disk full"]), "a: disk full"),
        (certificate(written(), state=RunState.ABORTED), "a: its run is ABORTED"),
        (certificate(written(), run=77), "a: what it confirms is of run 77"),
        (
            certificate(recording=False, events=0),
            "a: the run was begun with recording, it says that it has recorded nothing",
        ),
    ],
)
def test_what_is_missing_is_said(given: RunCertificate, missing: str) -> None:
    """The run is flagged then."""
    assert judge(ending(given), fine) == (Verdict.FLAGGED, [missing])


def test_a_writer_that_confirms_less_than_it_had_accepted_has_lost_something() -> None:
    """What run control has seen counts, also when the writer came back with less in between."""
    record = ending(certificate(written()))
    seen = with_accepted(with_accepted(record, {"a": 12}), {"a": 10})
    assert judge(seen, fine) == (
        Verdict.FLAGGED,
        ["a: 12 events were accepted, 10 are confirmed"],
    )
    assert judge(with_accepted(record, {"a": 10}), fine) == (Verdict.GOOD, [])


def test_a_run_without_recording_needs_no_files() -> None:
    """It was begun so."""
    record = ending(certificate(recording=False))
    begin = replace(record.run.begin, recording=False)
    record = replace(record, run=replace(record.run, begin=begin))
    assert judge(record, fine) == (Verdict.GOOD, [])


def test_who_confirmed_nothing_and_what_the_disk_lacks_is_said() -> None:
    """Also what whoever looks at the files finds."""
    assert judge(ending(), fine) == (Verdict.FLAGGED, ["a never took part"])
    found = judge(ending(certificate(written())), lambda _, file: f"{file.path} is not there")
    assert found == (Verdict.FLAGGED, ["a: /data/a.raw is not there"])


def test_a_list_of_what_is_missing_stays_readable() -> None:
    """Of very many the first are told, and how many more there are."""
    _, missing = judge(ending(certificate(*[written(digest="")] * 1000)), fine)
    assert len(missing) == 51
    assert missing[-1] == "and 950 more"


def test_what_a_writer_says_is_told_up_to_a_bound() -> None:
    """However much it says: it is in each telling of the run."""
    record = ending(certificate(written(), missing=[100_000 * "x"]))
    _, missing = judge(record, fine)
    assert [len(each) for each in missing] == [LONGEST_NOTE]
    failed = with_writer(record, "a", NOW, problem=100_000 * "x")
    assert len(failed.writer("a").problem) == LONGEST_NOTE


def test_the_page_says_everything_and_runs_nothing(tmp_path: Path) -> None:
    """What people wrote stands there as text; the drawings are whole."""
    record = ending(certificate(written()))
    record = noted(record, EVIL, NOW, EVIL)
    gap = GapNote(sender="cr1", count=3, time=NOW, reason=EVIL)
    run = replace(
        record.run,
        phase=Phase.ENDED,
        verdict=Verdict.FLAGGED,
        missing=[EVIL],
        gaps=[gap],
        end=RunEnd(quality=Quality.GOOD, comment=EVIL),
        ended=NOW + timedelta(hours=1),
    )
    samples = [
        Sample(
            time=NOW + timedelta(seconds=second),
            writers={"a": WriterSample(events_s=second % 7, is_lost=second in {5, 6})},
            is_paused=10 < second < 20,
        )
        for second in range(60)
    ]
    path = write_report(tmp_path / "reports", replace(record, run=run), [], samples)
    page = path.read_text()
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(drawings) == 6
    assert all(ET.fromstring(each) is not None for each in drawings)
    assert 'class="paused"' in drawings[0]
    assert drawings[0].count("<path") == 2, "where nothing was known there is a hole"
    assert all(
        each in page for each in ("cr1", "sha256:0000", "configuration", "60 min", "flagged")
    )
    assert "/data/a.raw" in path.with_suffix(".txt").read_text()


@given(st.floats(0, 1e15), st.floats(0.1, 1e9))
def test_ticks_are_few_and_round(most: float, span: float) -> None:
    """Whatever the range."""
    assert most <= step_of(most) * 4 * (1 + 1e-9)
    assert span / time_step(span) <= 8


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e12)), max_size=30))
def test_any_curve_can_be_drawn(values: list[float | None]) -> None:
    """Also one of holes only, and an empty one."""
    seconds = [float(each) for each in range(len(values))]
    for is_stepped in (False, True):
        line = Line(name="a<b", values=values, is_stepped=is_stepped)
        ET.fromstring(draw(Chart(title="x & y", unit="/s", seconds=seconds, lines=[line])))


def test_numbers_are_said_as_people_say_them() -> None:
    """With prefixes; times in the unit that fits."""
    assert [shown(each, "B") for each in (0, 999, 1500, 2.5e9)] == [
        "0 B",
        "999 B",
        "1.5 kB",
        "2.5 GB",
    ]
    assert [duration(each) for each in (90, 600, 7200, 259_200)] == ["90 s", "10 min", "2 h", "3 d"]
