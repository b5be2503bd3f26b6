"""The detector around a pretend SDK: it records, and every trouble is told as it should be."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from astropy.io import fits

from idl_like_interfaces.recif import RecExceptionErr, RecProperties, RecStatusName
from objects.data_source import on_bench
from tests.support.eventually import eventually

EXAMPLES = Path(__file__).parents[2] / "examples"
SERIAL = "PRETEND-1"


@pytest.fixture
def sdk(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import the SDK as a script in that folder does; no camera is left open."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    module = import_module("pretend_sdk")
    assert module._open == {}
    return module


@contextmanager
def detector(folder: Path, **settings: Any) -> Iterator[Any]:
    example = import_module("vendor_detector")
    wanted = example.DetectorSettings(**{"serial": SERIAL, "exposure_s": 0.02} | settings)
    with on_bench(example.VendorDetectorComponent, wanted, folder, name="camera") as found:
        yield found.recorder


def test_the_script_records_three_frames(tmp_path: Path) -> None:
    """As somebody would run it."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / "vendor_detector.py"), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    said, _, path = done.stdout.strip().partition(" in ")
    assert said == "Completed: 3 frames"
    with fits.open(path, checksum=True) as found:
        assert found[0].header["ESO DET NAME"] == SERIAL
        assert [each.header["ESO DET FRAM NO"] for each in found[1:]] == [1, 2, 3]
        assert found[1].data.dtype == "uint16"
        # The star, and not the next frame in the same buffer.
        assert found[1].data[40, 60] > found[1].data[100, 100]


def test_a_session_that_is_stopped_keeps_its_frames(sdk: ModuleType, tmp_path: Path) -> None:
    """And lets the camera go."""
    with detector(tmp_path) as recorder:
        recorder.rec_start(RecProperties())
        eventually(lambda: recorder.rec_status().frames_processed >= 2)
        status = recorder.rec_stop()
        assert status.status is RecStatusName.STOPPED
        assert Path(status.dp_files[0]).is_file()
        assert sdk._open == {}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"serial": "OTHER-7"}, "no such camera"),
        ({"warmest_k": 100.0}, "it may be at 100 K at most"),
    ],
)
def test_a_camera_that_is_not_ready_refuses_the_start(
    sdk: ModuleType, tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    """With cause and remedy; nothing is left open."""
    with detector(tmp_path, **settings) as recorder:
        with pytest.raises(RecExceptionErr) as refused:
            recorder.rec_start(RecProperties())
        assert said in refused.value.cause
        assert refused.value.remedy
        assert sdk._open == {}


def test_a_camera_that_somebody_else_has_refuses_the_start(sdk: ModuleType, tmp_path: Path) -> None:
    """Until it is free."""
    _, handle = sdk.open_camera(SERIAL)
    with detector(tmp_path) as recorder:
        with pytest.raises(RecExceptionErr, match="not ready"):
            recorder.rec_start(RecProperties())
        sdk.close_camera(handle)
        recorder.rec_start(RecProperties(frames=1))
        assert recorder.rec_wait(30.0).status.status is RecStatusName.COMPLETED


def test_a_pulled_cable_fails_the_session(sdk: ModuleType, tmp_path: Path) -> None:
    """With the reason; what was recorded is put aside, and the next session can begin."""
    with detector(tmp_path) as recorder:
        recorder.rec_start(RecProperties())
        eventually(lambda: recorder.rec_status().frames_processed >= 1)
        sdk.pull_cable(SERIAL)
        status = recorder.rec_wait(30.0).status
        assert status.status is RecStatusName.FAILED
        assert "disconnected" in status.info
        assert ".broken" in status.info
        recorder.rec_start(RecProperties(frames=1))
        assert recorder.rec_wait(30.0).status.status is RecStatusName.COMPLETED


def test_frames_that_nobody_fetched_are_counted(sdk: ModuleType, tmp_path: Path) -> None:
    """While a session is paused the ring runs full; the header of the next frame says so."""
    with detector(tmp_path, exposure_s=0.005) as recorder:
        recorder.rec_start(RecProperties())
        eventually(lambda: recorder.rec_status().frames_processed >= 1)
        recorder.rec_pause()
        (camera,) = sdk._open.values()
        eventually(lambda: not camera.free)
        eventually(lambda: len(camera.full) == 8 and camera.exposed > camera.full[-1].count)
        recorder.rec_continue()
        before = recorder.rec_status().frames_processed
        eventually(lambda: recorder.rec_status().frames_processed >= before + 12)
        path = recorder.rec_stop().dp_files[0]
    with fits.open(path) as found:
        assert found[-1].header["ESO DET FRAM LOST"] > 0
