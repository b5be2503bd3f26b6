"""The DPM as a part of an installation."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from idl_like_interfaces.daqif import DpmControl, DpmDaqControl
from objects.products.component import DpmComponent, DpmSettings
from tests.support.products import running
from tests.support.site import FakeSite


def test_it_offers_two_objects_below_its_name(data_root: Path) -> None:
    """Several DPMs of one installation do not collide."""
    component = DpmComponent(FakeSite(data_root, name="dpm2"), DpmSettings())
    offered = {each.path: each.interface for each in component.objects()}
    assert offered == {"dpm/dpm2/dpm": DpmControl, "dpm/dpm2/daq": DpmDaqControl}
    component.stop()


@pytest.mark.spec("ESO-159")
def test_a_relative_workspace_lies_below_the_data_root(data_root: Path, tmp_path: Path) -> None:
    """An absolute one is taken as it is; by default it has the component's name."""
    for setting, place in (
        ("", data_root / "dpm"),
        ("other", data_root / "other"),
        (str(tmp_path / "far"), tmp_path / "far"),
    ):
        with running(data_root, DpmSettings(workspace=setting)):
            assert (place / "in-progress").is_dir()


@pytest.mark.parametrize(
    "setting", [{"limits_daq": -1}, {"workers": 0}, {"bin_merger": "x"}, {"abort_grace_s": -1}]
)
def test_bad_settings_are_refused(setting: dict[str, object]) -> None:
    """Unknown names and values out of range."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(setting, DpmSettings)


def test_the_process_does_not_load_astropy() -> None:
    """Only the merger's process pays for it."""
    code = "import sys, objects.products.component as c; print('astropy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
