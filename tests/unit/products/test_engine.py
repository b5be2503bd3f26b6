"""The way of an acquisition through a running DPM."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from msgspec.structs import replace
from typing_extensions import override

from idl_like_interfaces.announcements import FileFinished
from idl_like_interfaces.daqif import (
    INTERNAL_STATUS_TOPIC,
    STORAGE_TOPIC,
    DaqState,
    DaqStatus,
    DaqSubstate,
    StorageStatus,
)
from idl_like_interfaces.declare import Value
from idl_like_interfaces.events import Priority
from objects.products.component import DpmSettings
from tests.support.eventually import eventually
from tests.support.products import MergerControl, make_source, running, specification
from tests.support.site import FakeSite

CHAIN = [
    DaqSubstate.SCHEDULED,
    DaqSubstate.COLLECTING,
    DaqSubstate.MERGING,
    DaqSubstate.RELEASING,
    DaqSubstate.COMPLETED,
]


@pytest.mark.spec("ESO-104")
def test_an_acquisition_goes_the_whole_way(data_root: Path, settings: DpmSettings) -> None:
    """Queued without anybody else around, it ends Completed; each change is published."""
    source = make_source(data_root / "det" / "a.fits")
    with running(data_root, settings) as dpm:
        reply = dpm.daq.queue_daq(specification("A.1", source))
        status = dpm.wait("A.1", DaqSubstate.COMPLETED)
        assert (reply.id, reply.error) == ("A.1", False)
        assert dpm.substates("A.1") == CHAIN
    assert (status.state, status.error, status.message) == (DaqState.COMPLETED, False, "[]")
    assert Path(status.result).read_bytes() == b"merged:frames"


@pytest.mark.spec("ESO-070", "ESO-069")
def test_the_result_is_known_from_releasing_on(data_root: Path, settings: DpmSettings) -> None:
    """Before there is a product the field is empty, afterwards an absolute path of a file."""
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", make_source(data_root / "a.fits")))
        dpm.wait("A.1", DaqSubstate.COMPLETED)
        statuses = [body for _, body in dpm.site.events if isinstance(body, DaqStatus)]
    results = {status.substate: status.result for status in statuses}
    product = str(data_root / "dpm" / "result" / "A.1.fits")
    assert [results[each] for each in CHAIN] == ["", "", "", product, product]


@pytest.mark.spec("ESO-087")
def test_a_queued_id_stands_in_the_queue_file(
    data_root: Path, settings: DpmSettings, merger: MergerControl
) -> None:
    """The file lists what has not ended, in order, and is empty when all has."""
    merger.hold()
    source = make_source(data_root / "a.fits")
    queue = data_root / "dpm" / "queue.json"
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("B.1", source))
        dpm.daq.queue_daq(specification("A.1", source))
        assert json.loads(queue.read_text()) == ["B.1", "A.1"]
        merger.release()
        merger.release()
        dpm.wait("A.1", DaqSubstate.COMPLETED)
        assert json.loads(queue.read_text()) == []


@pytest.mark.spec("ESO-088", "ESO-089", "ESO-099")
def test_one_after_the_other_in_the_order_of_queueing(
    data_root: Path, settings: DpmSettings, merger: MergerControl
) -> None:
    """With a limit of one, the second stays Scheduled until the first has ended."""
    merger.hold()
    source = make_source(data_root / "a.fits")
    ids = ["Z.1", "M.1", "A.1"]
    with running(data_root, settings) as dpm:
        for id in ids:
            dpm.daq.queue_daq(specification(id, source))
        for done, id in enumerate(ids):
            dpm.wait(id, DaqSubstate.MERGING)
            active = [(s.id, s.substate) for s in dpm.daq.get_active_daqs()]
            assert active == [(id, DaqSubstate.MERGING)] + [
                (later, DaqSubstate.SCHEDULED) for later in ids[done + 1 :]
            ]
            merger.release()
            dpm.wait(id, DaqSubstate.COMPLETED)
        assert dpm.daq.get_active_daqs() == []


@pytest.mark.spec("ESO-090")
def test_without_limits_all_are_at_work_at_once(
    data_root: Path, settings: DpmSettings, merger: MergerControl
) -> None:
    """A limit of 0 is none: three mergers run together."""
    merger.hold()
    source = make_source(data_root / "a.fits")
    with running(data_root, replace(settings, limits_daq=0, limits_merge=0)) as dpm:
        for id in "ABC":
            dpm.daq.queue_daq(specification(id, source))
        for id in "ABC":
            dpm.wait(id, DaqSubstate.MERGING)
        for _ in "ABC":
            merger.await_started()
        assert len(merger.pids) == 3
        for _ in "ABC":
            merger.release()
        for id in "ABC":
            dpm.wait(id, DaqSubstate.COMPLETED)


@pytest.mark.spec("ESO-091")
def test_mergers_are_limited_on_their_own(
    data_root: Path, settings: DpmSettings, merger: MergerControl
) -> None:
    """Two acquisitions wait in Merging, one merger runs."""
    merger.hold()
    source = make_source(data_root / "a.fits")
    with running(data_root, replace(settings, limits_daq=0, limits_merge=1)) as dpm:
        for id in "AB":
            dpm.daq.queue_daq(specification(id, source))
        for id in "AB":
            dpm.wait(id, DaqSubstate.MERGING)
        merger.await_started()
        dpm.wait_until(lambda: dpm.component.detail() == "1 at work, 1 waiting")
        assert len(merger.pids) == 1
        merger.release()
        merger.release()
        for id in "AB":
            dpm.wait(id, DaqSubstate.COMPLETED)
    assert len(merger.pids) == 2


@pytest.mark.spec("ESO-092", "ESO-093")
def test_sources_are_copied_under_names_of_their_own(
    data_root: Path, settings: DpmSettings
) -> None:
    """Files of equal name do not collide; the documents name origin and copy."""
    files = [make_source(data_root / d / "x.fits", d.encode()) for d in ("one", "two")]
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", *files))
        dpm.wait("A.1", DaqSubstate.COMPLETED)
    folder = data_root / "dpm" / "archive" / "A.1"
    names = ["0_s0_x.fits", "1_s1_x.fits"]
    assert sorted(p.name for p in (folder / "sources").iterdir()) == names
    document = json.loads((folder / "specification.json").read_text())
    assert [s["location"] for s in document["sources"]] == [f"sources/{n}" for n in names]
    listed = json.loads((folder / "sources.json").read_text())
    assert [(s["origin"], s["path"]) for s in listed] == [
        (str(file), f"sources/{name}") for file, name in zip(files, names, strict=True)
    ]


@pytest.mark.spec("ESO-093")
def test_documents_exist_as_soon_as_it_is_queued(
    data_root: Path, settings: DpmSettings, merger: MergerControl
) -> None:
    """One that has to wait in Scheduled has its specification and its list of sources."""
    merger.hold()
    source = make_source(data_root / "a.fits")
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", source))
        dpm.daq.queue_daq(specification("B.1", source))
        folder = data_root / "dpm" / "in-progress" / "B.1"
        assert dpm.daq.get_daq_status("B.1").substate is DaqSubstate.SCHEDULED
        assert (folder / "specification.json").is_file()
        assert (folder / "sources.json").is_file()


@pytest.mark.spec("ESO-094")
def test_the_status_file_follows_each_change(data_root: Path, settings: DpmSettings) -> None:
    """At the moment of each event the file on disk says the same."""
    path = data_root / "dpm" / "in-progress" / "A.1" / "status.json"
    seen: list[tuple[str, str]] = []

    class Watching(FakeSite):
        @override
        def publish(self, topic: str, body: Value, priority: Priority = Priority.NORMAL) -> None:
            if topic == INTERNAL_STATUS_TOPIC and isinstance(body, DaqStatus):
                seen.append((body.substate, json.loads(path.read_text())["substate"]))
            super().publish(topic, body, priority)

    site = Watching(data_root, name="dpm")
    with running(data_root, settings, site) as dpm:
        dpm.daq.queue_daq(specification("A.1", make_source(data_root / "a.fits")))
        dpm.wait("A.1", DaqSubstate.COMPLETED)
    assert [substate for substate, _ in seen] == CHAIN
    assert all(substate == on_disk for substate, on_disk in seen)


@pytest.mark.spec("ESO-095", "ESO-097")
def test_a_missing_source_stops_it_until_it_is_repaired_and_retried(
    data_root: Path, settings: DpmSettings
) -> None:
    """It stays in Collecting with an error that says what to do; a retry completes it."""
    missing = data_root / "det" / "late.fits"
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", missing))
        status = dpm.wait("A.1", DaqSubstate.COLLECTING, error=True)
        assert [a.id for a in status.alerts] == ["collect/0_s0_late.fits"]
        assert str(missing) in status.message
        assert status.alerts[0].cause
        assert status.alerts[0].remedy
        make_source(missing)
        dpm.daq.retry_merge_daq("A.1")
        assert dpm.wait("A.1", DaqSubstate.COMPLETED).error is False


def test_one_that_is_stuck_does_not_hold_up_the_next(
    data_root: Path, settings: DpmSettings
) -> None:
    """A missing file must not stop the night: its place is given to the next."""
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", data_root / "missing.fits"))
        dpm.daq.queue_daq(specification("B.1", make_source(data_root / "b.fits")))
        dpm.wait("B.1", DaqSubstate.COMPLETED)
        dpm.wait("A.1", DaqSubstate.COLLECTING, error=True)
        dpm.wait_until(lambda: dpm.component.detail() == "0 at work, 0 waiting, 1 stuck")


@pytest.mark.spec("ESO-105")
def test_a_completed_one_moves_to_the_archive_as_it_is(
    data_root: Path, settings: DpmSettings, merger: MergerControl
) -> None:
    """The archive has the folders and files that the folder in progress had."""
    merger.hold()
    root = data_root / "dpm"
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", make_source(data_root / "a.fits")))
        merger.await_started()
        before = {p.relative_to(root / "in-progress") for p in root.glob("in-progress/**/*")}
        merger.release()
        dpm.wait("A.1", DaqSubstate.COMPLETED)
    after = {p.relative_to(root / "archive") for p in root.glob("archive/**/*")}
    assert Path("A.1/logs/merge.log") in before
    assert after - before == {Path("A.1/result")}
    assert before <= after
    assert not list((root / "in-progress").iterdir())
    assert (root / "archive/A.1/result").resolve() == root / "result/A.1.fits"


@pytest.mark.spec("ESO-106")
def test_the_merge_log_has_what_the_merger_said(data_root: Path, settings: DpmSettings) -> None:
    """Messages, other lines and stderr: everything for the one who looks for a fault."""
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", make_source(data_root / "a.fits")))
        dpm.wait("A.1", DaqSubstate.COMPLETED)
    text = (data_root / "dpm/archive/A.1/logs/merge.log").read_text()
    for part in (
        "hello from the merger",
        "from its stderr",
        "progress: one of one",
        "ended with 0",
    ):
        assert part in text


@pytest.mark.spec("ESO-107")
def test_a_file_modified_after_the_stop_is_suspicious(
    data_root: Path, settings: DpmSettings
) -> None:
    """A warning, not an error: the product is made."""
    source = make_source(data_root / "a.fits")
    with running(data_root, settings) as dpm:
        later = dpm.site.clock.utc().timestamp() + 5
        os.utime(source, (later, later))
        dpm.daq.queue_daq(specification("A.1", source))
        status = dpm.wait("A.1", DaqSubstate.COMPLETED)
    assert [(a.id, a.severity.value) for a in status.alerts] == [
        ("collect/time/0_s0_a.fits", "Warning")
    ]
    assert status.error is False


@pytest.mark.spec("ESO-134", "ESO-135")
def test_the_result_appears_whole_under_its_name(
    data_root: Path, settings: DpmSettings, merger: MergerControl
) -> None:
    """While the merger writes there is nothing in the results; then its file itself, read-only."""
    merger.hold()
    results = data_root / "dpm" / "result"
    with running(data_root, settings) as dpm:
        text = specification(
            "A.1", make_source(data_root / "a.fits"), target={"filePrefix": "sci_"}
        )
        dpm.daq.queue_daq(text)
        dpm.wait("A.1", DaqSubstate.MERGING)
        assert list(results.iterdir()) == []
        merger.release()
        status = dpm.wait("A.1", DaqSubstate.COMPLETED)
    assert [p.name for p in results.iterdir()] == ["sci_A.1.fits"]
    assert status.result == str(results / "sci_A.1.fits")
    there = (results / "sci_A.1.fits").stat()
    assert there.st_mode & 0o777 == 0o444
    # Moved, not copied: a copy would be seen while it grows.
    assert there.st_ino == int((merger.folder / "inode").read_text())


def test_the_product_is_announced_once(data_root: Path, settings: DpmSettings) -> None:
    """The announcement has path, size and digest of what lies there."""
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", make_source(data_root / "a.fits")))
        result = Path(dpm.wait("A.1", DaqSubstate.COMPLETED).result)
        announced = [b for _, b in dpm.site.events if isinstance(b, FileFinished)]
    content = result.read_bytes()
    assert [(a.path, a.kind, a.owner, a.size_bytes, a.digest) for a in announced] == [
        (
            str(result),
            "dataproduct",
            "A.1",
            len(content),
            f"sha256:{hashlib.sha256(content).hexdigest()}",
        )
    ]


@pytest.mark.spec("ESO-101")
def test_the_space_on_the_disk_is_published_repeatedly(
    data_root: Path, settings: DpmSettings
) -> None:
    """Once at the start, and at each period."""
    with running(data_root, settings) as dpm:
        dpm.site.tick()
        dpm.site.tick()
        bodies = [body for topic, body in dpm.site.events if topic == STORAGE_TOPIC]
    assert len(bodies) == 3
    assert all(isinstance(body, StorageStatus) for body in bodies)


@pytest.mark.spec("ESO-103")
def test_poll_once_ends_when_nothing_is_left(data_root: Path, settings: DpmSettings) -> None:
    """It asks for its end after the queue is finished, not before."""
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", data_root / "missing.fits"))
        dpm.wait("A.1", DaqSubstate.COLLECTING, error=True)
        assert not dpm.site.exit_requested.is_set()
    make_source(data_root / "missing.fits")
    with running(data_root, replace(settings, poll_once=True)) as dpm:
        assert dpm.site.exit_requested.wait(30)
        assert dpm.daq.get_daq_status("A.1").substate is DaqSubstate.COMPLETED


def test_its_way_is_shown_in_the_online_database(
    data_root: Path, settings: DpmSettings, merger: MergerControl
) -> None:
    """Where it stands and how many there are; nothing of it is left when it is put away."""
    merger.hold()
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(specification("A.1", make_source(data_root / "a.fits")))
        dpm.wait("A.1", DaqSubstate.MERGING)
        recorded = dpm.site.recorded
        assert (recorded["daq/active_count"], recorded["daq/A.1/substate"]) == (1, "Merging")
        assert (recorded["queue/length"], recorded["queue/stuck"]) == (1, 0)
        merger.release()
        dpm.wait("A.1", DaqSubstate.COMPLETED)
        eventually(lambda: "daq/A.1/state" not in recorded)
        assert recorded["daq/active_count"] == 0
