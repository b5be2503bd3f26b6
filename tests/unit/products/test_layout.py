"""The workspace as an operator of the original knows it, item by item."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from idl_like_interfaces.daqif import DaqSubstate
from objects.products.component import DpmSettings
from tests.support.products import MergerControl, make_source, running, specification

AS_QUEUED = {"sources", "logs", "specification.json", "sources.json", "status.json"}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


@pytest.mark.spec("ESO-087", "ESO-092", "ESO-093", "ESO-094", "ESO-105", "ESO-106", "ESO-134")
def test_every_file_is_where_the_original_has_it(
    data_root: Path, settings: DpmSettings, merger: MergerControl
) -> None:
    """From the queueing of two acquisitions to the archive."""
    merger.hold()
    origins = [make_source(data_root / each / "frame.fits") for each in ("a", "b")]
    root = data_root / "dpm"
    with running(data_root, replace(settings, quicklook=False)) as dpm:
        text = specification("A.1", *origins, target={"filePrefix": "sci_"})
        dpm.daq.queue_daq(text)
        dpm.daq.queue_daq(specification("B.1", *origins))
        merger.await_started()
        assert names(root) == {"queue.json", "result", "in-progress", "archive"}
        assert json.loads((root / "queue.json").read_text()) == ["A.1", "B.1"]
        assert names(root / "in-progress") == {"A.1", "B.1"}
        assert names(root / "in-progress" / "B.1") == AS_QUEUED  # in Scheduled
        at_work = root / "in-progress" / "A.1"
        assert names(at_work) == AS_QUEUED
        assert names(at_work / "sources") == {"0_s0_frame.fits", "1_s1_frame.fits"}
        assert "merge.log" in names(at_work / "logs")
        assert names(root / "result") == set()
        merger.release()
        merger.await_started()
        merger.release()
        for id in ("A.1", "B.1"):
            dpm.wait(id, DaqSubstate.COMPLETED)
        dpm.wait_until(lambda: names(root / "in-progress") == set())
    assert names(root / "result") == {"sci_A.1.fits", "B.1.fits"}
    archived = root / "archive" / "A.1"
    assert names(archived) - {"history.json"} == AS_QUEUED | {"result"}
    assert (archived / "result").resolve() == (root / "result" / "sci_A.1.fits").resolve()
    assert json.loads((archived / "status.json").read_text())["substate"] == "Completed"
    assert json.loads((root / "queue.json").read_text()) == []
