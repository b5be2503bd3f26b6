"""The components: settings, names, and a source that comes up."""

from __future__ import annotations

import shutil
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import msgspec
import pytest

from idl_like_interfaces.errors import BadParam, SystemRefusal
from idl_like_interfaces.mapping.coding import from_plain
from idl_like_interfaces.metadaqif import MetaDaq
from idl_like_interfaces.recif import RecCmds, RecProperties, RecStatusName
from objects.data_source.components import (
    DetectorComponent,
    DetectorSettings,
    TelemetryComponent,
    TelemetrySettings,
)
from tests.support.site import FakeSite
from tests.unit.data_source.frames import HUBBLE


def _detector(site: FakeSite, **settings: Any) -> DetectorComponent:
    component = DetectorComponent(site, DetectorSettings(exposure_s=0.0, **settings))
    component.recover()
    component.start()
    return component


def test_a_detector_offers_its_recorder_under_its_name(tmp_path: Path) -> None:
    """The name in the installation is the name of the source."""
    component = _detector(FakeSite(tmp_path, name="dcs1"))
    (offered,) = component.objects()
    assert (offered.path, offered.interface) == ("sources/dcs1/rec", RecCmds)
    assert component.detail() == "idle"
    component.stop()


def test_a_detector_replays_the_files_of_a_folder(tmp_path: Path) -> None:
    """Into a file below the data root."""
    (tmp_path / "sky").mkdir()
    shutil.copy(HUBBLE, tmp_path / "sky")
    component = _detector(FakeSite(tmp_path, name="dcs1"), frames=tmp_path / "sky")
    component.recorder.rec_start(RecProperties(id="s1"))
    status = component.recorder.rec_wait(30.0).status
    assert (status.status, status.frames_processed) == (RecStatusName.COMPLETED, 6)
    assert status.dp_files == [str(tmp_path / "sources" / "dcs1" / "s1.fits")]
    component.stop()


def test_a_detector_makes_synthetic_frames(tmp_path: Path) -> None:
    """As many as its settings say."""
    component = _detector(
        FakeSite(tmp_path), frame_count=3, shape=(8, 9), output=str(tmp_path / "out")
    )
    component.recorder.rec_start(RecProperties())
    status = component.recorder.rec_wait(30.0).status
    assert status.frames_processed == 3
    assert Path(status.dp_files[0]).parent == tmp_path / "out"
    component.stop()


def test_telemetry_offers_its_acquisitions_under_its_name(tmp_path: Path) -> None:
    """And samples the host."""
    component = TelemetryComponent(FakeSite(tmp_path, name="host"), TelemetrySettings())
    component.recover()
    component.start()
    (offered,) = component.objects()
    assert (offered.path, offered.interface) == ("sources/host/daq", MetaDaq)
    component.daq.start_daq("a1")
    reply = component.daq.stop_daq("a1")
    assert reply.files == [str(tmp_path / "sources" / "host" / "a1.fits")]
    names = {getattr(each, "name", "") for each in reply.keywords}
    assert {"GEN HOST LOAD MIN", "GEN HOST CPU MAX", "GEN HOST DISK MEAN"} <= names
    assert component.detail() == "idle"
    component.stop()


def test_a_second_instance_on_one_data_root_does_not_come_up(tmp_path: Path) -> None:
    """It is told what to do."""
    first = _detector(FakeSite(tmp_path, name="dcs1"))
    second = DetectorComponent(FakeSite(tmp_path, name="dcs1"), DetectorSettings())
    with pytest.raises(SystemRefusal, match="in use by another process"):
        second.recover()
    second.stop()
    first.stop()


@pytest.mark.parametrize(
    ("settings", "plain", "field"),
    [
        (DetectorSettings, {"frame": "synthetic"}, "frame"),
        (DetectorSettings, {"exposure_s": -1.0}, "exposure_s"),
        (DetectorSettings, {"shape": [0, 4]}, "shape"),
        (DetectorSettings, {"frame_count": 1.5}, "frame_count"),
        (TelemetrySettings, {"period_s": 0.0}, "period_s"),
    ],
)
def test_wrong_settings_are_refused_by_name(
    settings: type[msgspec.Struct], plain: dict[str, Any], field: str
) -> None:
    """As they stand in an installation file."""
    with pytest.raises(BadParam) as refused:
        from_plain(settings, plain)
    assert field in str(refused.value) + refused.value.field


@pytest.mark.parametrize("component", [DetectorComponent, TelemetryComponent])
def test_the_kinds_are_known_to_installations(component: type) -> None:
    """By an entry point of the kind's name."""
    (point,) = entry_points(group="obsorb.components", name=component.kind)  # type: ignore[attr-defined]
    assert point.load() is component


def test_a_source_loads_astropy_once_when_the_start_is_over(tmp_path: Path) -> None:
    """Neither within the start of an installation nor within the first command."""
    site = FakeSite(tmp_path, name="host1")
    component = TelemetryComponent(site, TelemetrySettings())
    component.recover()
    component.start()
    assert len(site._jobs) == 1
    site.tick()
    assert site._jobs == []
    assert "astropy.io.fits" in sys.modules
    component.stop()
