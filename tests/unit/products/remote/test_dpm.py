"""A DPM whose sources and receivers are on another host: a real rsync, a real ssh server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from idl_like_interfaces.daqif import DaqSubstate
from objects.products.component import DpmSettings
from objects.products.remote import Network
from objects.products.remote.failures import failure
from tests.support.disk import mount, small_disk
from tests.support.eventually import eventually
from tests.support.products import Dpm, MergerControl, make_source, running, specification
from tests.support.sshd import HOST, SshServer


@pytest.fixture
def networked(sshd: SshServer, settings: DpmSettings) -> DpmSettings:
    """Return settings that reach the host ``far``."""
    return replace(settings, ssh_command=sshd.command())


def target(path: Path) -> dict[str, Any]:
    return {"source": {"type": "fitsFile", "sourceName": "t", "location": f"{HOST}:{path}"}}


def receiver(path: Path, **more: Any) -> dict[str, Any]:
    return {"type": "olasReceiver", "path": str(path), **more}


@pytest.mark.spec("ESO-092", "ESO-150", "ESO-151")
def test_from_other_hosts_to_other_hosts(
    data_root: Path, far_folder: Path, networked: DpmSettings
) -> None:
    """Target and source come, the product goes; a receiver that fails keeps nobody from theirs."""
    one, two = make_source(far_folder / "x" / "a.fits", b"one,"), far_folder / "y" / "a.fits"
    make_source(two, b"two")
    (far_folder / "olas").mkdir()
    (data_root / "olas").mkdir()
    receivers = [
        receiver(far_folder / "olas", host=HOST),
        receiver(far_folder / "olas", host=HOST),  # the same twice
        receiver(far_folder / "missing", host=HOST),
        receiver(data_root / "olas"),
        receiver(data_root / "olas", host="localhost"),
    ]
    text = specification("A.1", f"{HOST}:{two}", target=target(one), receivers=receivers)
    with running(data_root, networked) as dpm:
        dpm.daq.queue_daq(text)
        status = dpm.wait("A.1", DaqSubstate.RELEASING, error=True)
        assert [alert.id for alert in status.alerts] == ["release/2"]
        (far_folder / "missing").mkdir()
        dpm.daq.retry_merge_daq("A.1")
        status = dpm.wait("A.1", DaqSubstate.COMPLETED)
        assert status.alerts == []
    names = {path.name for path in (data_root / "dpm/archive/A.1/sources").iterdir()}
    assert names == {"0_t_a.fits", "1_s0_a.fits"}
    for folder in (far_folder / "olas", far_folder / "missing", data_root / "olas"):
        assert [path.name for path in folder.iterdir()] == ["A.1.fits"]
        assert (folder / "A.1.fits").read_bytes() == b"merged:one,two"


@pytest.mark.spec("ESO-095", "ESO-097")
def test_a_missing_far_file_is_repaired_and_retried(
    data_root: Path, far_folder: Path, networked: DpmSettings
) -> None:
    """The others are there meanwhile."""
    there = make_source(far_folder / "a.fits", b"one,")
    missing = far_folder / "b.fits"
    with running(data_root, networked) as dpm:
        dpm.daq.queue_daq(specification("A.1", f"{HOST}:{there}", f"{HOST}:{missing}"))
        (alert,) = dpm.wait("A.1", DaqSubstate.COLLECTING, error=True).alerts
        assert alert.id == "collect/1_s1_b.fits"
        assert f"{HOST}:{missing}" in alert.description
        make_source(missing, b"two")
        dpm.daq.retry_merge_daq("A.1")
        status = dpm.wait("A.1", DaqSubstate.COMPLETED)
    assert Path(status.result).read_bytes() == b"merged:one,two"


def test_a_far_file_that_was_repaired_is_fetched_again_for_the_retry(
    data_root: Path, far_folder: Path, networked: DpmSettings, merger: MergerControl
) -> None:
    """And when its host is away, what was collected is merged."""
    merger.set("fail", "255")
    origin = make_source(far_folder / "a.fits", b"broken")
    with running(data_root, networked) as dpm:
        dpm.daq.queue_daq(specification("A.1", f"{HOST}:{origin}"))
        dpm.wait("A.1", DaqSubstate.MERGING, error=True)
        origin.unlink()
        make_source(origin, b"repaired")
        dpm.daq.retry_merge_daq("A.1")
        collected = data_root / "dpm/in-progress/A.1/sources/0_s0_a.fits"
        dpm.wait_until(lambda: collected.exists() and collected.read_bytes().endswith(b"repaired"))
        dpm.wait("A.1", DaqSubstate.MERGING, error=True)
    merger.clear("fail")
    with running(data_root, replace(networked, ssh_command="no-such-ssh")) as dpm:
        status = dpm.wait("A.1", DaqSubstate.COMPLETED)
    assert Path(status.result).read_bytes() == b"merged:repaired"


def test_a_transfer_is_aborted(
    data_root: Path, far_folder: Path, networked: DpmSettings, tmp_path: Path
) -> None:
    """It is ended, and nothing of the acquisition is left; its progress was told before."""
    program = tmp_path / "hangs"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    origin = make_source(far_folder / "a.fits")
    with running(data_root, replace(networked, bin_rsync=str(program))) as dpm:
        dpm.daq.queue_daq(specification("A.1", f"{HOST}:{origin}"))
        eventually_told(dpm, f"1 at work, 0 waiting, receiving 0_s0_a.fits from {HOST}")
        dpm.daq.abort_daq("A.1")
        dpm.wait("A.1", DaqSubstate.ABORTED)
    assert list((data_root / "dpm/archive/A.1/sources").iterdir()) == []


def eventually_told(dpm: Dpm, detail: str) -> None:
    eventually(lambda: dpm.component.detail() == detail, detail)


def test_a_host_that_was_down_is_tried_again_by_itself(
    data_root: Path,
    far_folder: Path,
    networked: DpmSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The alert stands until it has come; nothing else is published meanwhile."""
    fetch, is_down = Network.fetch, [True]

    def unreachable(self: Network, *args: Any) -> None:
        if is_down:
            raise_lost()
        fetch(self, *args)

    monkeypatch.setattr(Network, "fetch", unreachable)
    origin = make_source(far_folder / "a.fits")
    with running(data_root, networked) as dpm:
        dpm.daq.queue_daq(specification("A.1", f"{HOST}:{origin}"))
        dpm.wait("A.1", DaqSubstate.COLLECTING, error=True)
        published = len(dpm.site.events)
        for _ in range(3):
            dpm.site.clock.advance(400)
            dpm.site.tick()
            dpm.wait_until(lambda: dpm.job("A.1").stuck)
        assert [topic for topic, _ in dpm.site.events[published:]] == ["dpm/storage"] * 3
        is_down.clear()
        dpm.site.clock.advance(400)
        dpm.site.tick()
        assert dpm.wait("A.1", DaqSubstate.COMPLETED).alerts == []


def raise_lost() -> None:
    raise failure(12, "", host=HOST, place="here")


def test_a_full_far_receiver_gets_its_product_when_it_has_room(
    data_root: Path, networked: DpmSettings, tmp_path: Path
) -> None:
    """Without a command."""
    source = make_source(data_root / "a.fits", bytes(2 << 20))
    with small_disk(tmp_path / "small", "1m") as disk:
        text = specification("A.1", source, receivers=[receiver(disk, host=HOST)])
        with running(data_root, networked) as dpm:
            dpm.daq.queue_daq(text)
            (alert,) = dpm.wait("A.1", DaqSubstate.RELEASING, error=True).alerts
            assert "full" in alert.cause
            mount(disk, "remount,size=8m")
            dpm.site.clock.advance(10)
            dpm.site.tick()
            dpm.wait("A.1", DaqSubstate.COMPLETED)
        assert (disk / "A.1.fits").stat().st_size == len("merged:") + (2 << 20)
