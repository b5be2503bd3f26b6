"""Receivers that cannot take their product, on real disks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from idl_like_interfaces.daqif import DaqSubstate
from objects.products.component import DpmSettings
from tests.support.disk import mount, small_disk
from tests.support.products import Dpm, make_source, running, specification


def receiver(path: Path, **more: Any) -> dict[str, Any]:
    return {"type": "olasReceiver", "path": str(path), **more}


def look_later(dpm: Dpm) -> None:
    dpm.site.clock.advance(400)
    dpm.site.tick()


@pytest.mark.spec("ESO-149", "ESO-151")
def test_a_mount_that_comes_back_is_found_by_itself(data_root: Path, settings: DpmSettings) -> None:
    """A link to a disk that is not mounted: told as what it is, and served when it is there."""
    (data_root / "olas").symlink_to(data_root / "mnt" / "in")
    text = specification(
        "A.1", make_source(data_root / "a.fits"), receivers=[receiver(data_root / "olas")]
    )
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(text)
        (alert,) = dpm.wait("A.1", DaqSubstate.RELEASING, error=True).alerts
        assert "symbolic link to nothing" in alert.description
        assert "not mounted" in alert.cause
        (data_root / "mnt" / "in").mkdir(parents=True)
        look_later(dpm)
        assert dpm.wait("A.1", DaqSubstate.COMPLETED).alerts == []
    assert (data_root / "mnt" / "in" / "A.1.fits").read_bytes() == b"merged:frames"


@pytest.mark.spec("ESO-149")
def test_a_receiver_that_is_mounted_read_only(
    data_root: Path, settings: DpmSettings, tmp_path: Path
) -> None:
    """The alert says so; mounted for writing it has its product without a command."""
    with small_disk(tmp_path / "olas", "1m") as olas:
        mount(olas, "remount,ro")
        text = specification("A.1", make_source(data_root / "a.fits"), receivers=[receiver(olas)])
        with running(data_root, settings) as dpm:
            dpm.daq.queue_daq(text)
            (alert,) = dpm.wait("A.1", DaqSubstate.RELEASING, error=True).alerts
            assert "read-only" in alert.cause
            mount(olas, "remount,rw")
            look_later(dpm)
            dpm.wait("A.1", DaqSubstate.COMPLETED)
        assert (olas / "A.1.fits").is_symlink()


@pytest.mark.spec("ESO-147")
def test_another_disk_gets_a_link_or_where_that_is_forbidden_a_copy(
    data_root: Path, settings: DpmSettings, tmp_path: Path
) -> None:
    """Between two real file systems there is no hard link."""
    with small_disk(tmp_path / "disk", "1m") as disk:
        (disk / "linked").mkdir()
        (disk / "copied").mkdir()
        receivers = [
            receiver(disk / "linked"),
            receiver(disk / "copied", options={"allowSymlink": False}),
        ]
        text = specification("A.1", make_source(data_root / "a.fits"), receivers=receivers)
        with running(data_root, settings) as dpm:
            dpm.daq.queue_daq(text)
            result = Path(dpm.wait("A.1", DaqSubstate.COMPLETED).result)
        assert (disk / "linked" / "A.1.fits").readlink() == result
        copy = disk / "copied" / "A.1.fits"
        assert (copy.is_symlink(), copy.read_bytes()) == (False, b"merged:frames")
        assert copy.stat().st_mtime_ns == result.stat().st_mtime_ns


@pytest.mark.spec("ESO-150")
@pytest.mark.parametrize("allowed", [True, False])
def test_a_receiver_that_is_named_twice_gets_it_once(
    data_root: Path, settings: DpmSettings, allowed: bool
) -> None:
    """Also when it is spelled in another way."""
    (data_root / "olas").mkdir()
    (data_root / "alias").symlink_to(data_root / "olas")
    paths = [data_root / "olas", data_root / "olas", data_root / "alias"]
    options = {"allowSymlink": allowed}
    text = specification(
        "A.1",
        make_source(data_root / "a.fits"),
        receivers=[receiver(path, options=options) for path in paths],
    )
    with running(data_root, settings) as dpm:
        dpm.daq.queue_daq(text)
        dpm.wait("A.1", DaqSubstate.COMPLETED, error=False)
        assert dpm.job("A.1").released == [0, 1, 2]
    assert [path.name for path in (data_root / "olas").iterdir()] == ["A.1.fits"]
