"""A DPM whose sources and receivers are on another host: a real rsync, a real ssh server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from idl_like_interfaces.daqif import DaqSubstate
from objects.products.component import DpmSettings
from objects.products.remote import Network
from objects.products.remote.failures import failure
from objects.products.remote.rsync import Rsync
from objects.products.remote.slots import Slots
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


class Gate:
    """Holds transfers until it is opened, and notes which have begun.

    Attributes:
        begun: File names, in order.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun: list[str] = []
        self._news = threading.Condition()
        self._is_open = False
        move = Rsync.move

        def held(rsync: Rsync, call: Any, *args: Any, **options: Any) -> int:
            with self._news:
                self.begun.append(Path(call.source).name)
                self._news.notify_all()
                assert self._news.wait_for(lambda: self._is_open, 30)
            return move(rsync, call, *args, **options)

        monkeypatch.setattr(Rsync, "move", held)

    def await_begun(self, count: int) -> None:
        """Wait until so many have begun."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.begun) >= count, 30), self.begun

    @contextmanager
    def opened_at_the_end(self) -> Iterator[None]:
        """Let all go on when the block is left, however."""
        try:
            yield
        finally:
            with self._news:
                self._is_open = True
                self._news.notify_all()


def waits_for_its_turn(dpm: Dpm, gate: Gate, id: str, slots: Slots, behind: int) -> None:
    """Show that an acquisition waits in a line, and can be ended while the gate is closed."""
    eventually(lambda: len(slots._waiting) == behind, "the others wait")
    begun = list(gate.begun)
    dpm.daq.abort_daq(id)
    dpm.wait(id, DaqSubstate.ABORTED)
    assert gate.begun == begun


@pytest.mark.parametrize("limit", [1, 2])
def test_no_more_files_are_fetched_at_a_time_than_is_set(
    data_root: Path,
    far_folder: Path,
    networked: DpmSettings,
    monkeypatch: pytest.MonkeyPatch,
    limit: int,
) -> None:
    """By ``limits_net_receive``, over all acquisitions; who waits can be ended."""
    gate = Gate(monkeypatch)
    limited = replace(networked, limits_daq=0, limits_net_receive=limit)
    ids = ["A.1", "A.2", "A.3"]
    with running(data_root, limited) as dpm, gate.opened_at_the_end():
        for count, id in enumerate(ids, 1):
            dpm.daq.queue_daq(specification(id, f"{HOST}:{make_source(far_folder / id)}"))
            dpm.wait(id, DaqSubstate.COLLECTING)
            gate.await_begun(min(count, limit))
        slots = dpm.component._network._receiving
        waits_for_its_turn(dpm, gate, ids[-1], slots, len(ids) - limit)
        assert len(gate.begun) == limit


@pytest.mark.parametrize("limit", [1, 2])
def test_no_more_products_are_sent_at_a_time_than_is_set(
    data_root: Path,
    far_folder: Path,
    networked: DpmSettings,
    monkeypatch: pytest.MonkeyPatch,
    limit: int,
) -> None:
    """By ``limits_net_send``, over all acquisitions; the others are delivered in the end."""
    gate = Gate(monkeypatch)
    limited = replace(networked, limits_daq=0, limits_net_send=limit)
    ids = ["A.1", "A.2", "A.3"]
    receivers = [receiver(far_folder, host=HOST)]
    with running(data_root, limited) as dpm:
        with gate.opened_at_the_end():
            for count, id in enumerate(ids, 1):
                source = make_source(data_root / f"{id}.fits")
                dpm.daq.queue_daq(specification(id, source, receivers=receivers))
                dpm.wait(id, DaqSubstate.RELEASING)
                gate.await_begun(min(count, limit))
            slots = dpm.component._network._sending
            waits_for_its_turn(dpm, gate, ids[-1], slots, len(ids) - limit)
            assert len(gate.begun) == limit
        for id in ids[:-1]:
            dpm.wait(id, DaqSubstate.COMPLETED)
    assert {path.name for path in far_folder.iterdir()} == {"A.1.fits", "A.2.fits"}
