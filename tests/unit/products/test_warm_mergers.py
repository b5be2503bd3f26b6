"""Mergers that were started beforehand: real processes, one product at a time."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from astropy.io import fits

from idl_like_interfaces.daqif import DaqSubstate
from idl_like_interfaces.merging import MergeExit, MergeMessageType
from objects.products.cancel import Cancel
from objects.products.component import DpmSettings
from objects.products.merge.orders import MergeJob
from objects.products.merger import MergeRun
from objects.products.warm_mergers import WarmMergers
from tests.support.eventually import eventually
from tests.support.products import running
from tests.unit.products.test_real_merger import document, write_fits


def job(folder: Path, name: str = "a") -> MergeJob:
    """Write a source and a specification, and return what makes the product of them."""
    write_fits(folder / f"{name}.fits", 1)
    source = {"type": "fitsFile", "sourceName": "s", "location": f"{name}.fits"}
    text = json.dumps({"id": name, "sources": [source], "target": {"fileId": name}})
    (folder / f"{name}.json").write_text(text)
    return order(folder, name)


def order(folder: Path, name: str) -> MergeJob:
    return MergeJob(
        specification=str(folder / f"{name}.json"),
        root=str(folder),
        outfile=str(folder / f"{name}-product.fits"),
        log=str(folder / f"{name}.log"),
    )


def held(folder: Path) -> MergeJob:
    """Return what makes a merger wait for its specification."""
    os.mkfifo(folder / "held.json")
    return order(folder, "held")


@pytest.fixture
def mergers() -> Iterator[WarmMergers]:
    with WarmMergers(1, grace_s=5.0, share=3) as kept:
        kept.start()
        yield kept


def begun(
    mergers: WarmMergers, what: MergeJob, cancel: Cancel
) -> tuple[threading.Thread, list[MergeRun]]:
    """Begin a merge that does not end by itself; wait until a merger has it."""
    runs: list[MergeRun] = []
    thread = threading.Thread(target=lambda: runs.append(mergers.run(what, cancel)))
    thread.start()
    eventually(lambda: Path(what.log).exists() and not mergers.pids)
    return thread, runs


def test_one_process_makes_several_products(mergers: WarmMergers, tmp_path: Path) -> None:
    """Each is whole, and each has its own log."""
    pids = mergers.pids
    for name in "ab":
        what = job(tmp_path, name)
        run = mergers.run(what, Cancel())
        assert run.code == MergeExit.OK
        assert run.messages[-1].type is MergeMessageType.RESULT
        assert Path(what.log).read_text().endswith("ended with 0\n")
        with fits.open(what.outfile, checksum=True) as product:
            assert [hdu.name for hdu in product[1:]] == ["IMAGE1"]
    assert mergers.pids == pids


def test_a_merger_that_has_made_its_share_is_replaced(mergers: WarmMergers, tmp_path: Path) -> None:
    """Whatever it has leaked goes with it."""
    (first,) = mergers.pids
    for name in "abc":
        assert mergers.run(job(tmp_path, name), Cancel()).code == MergeExit.OK
    (second,) = mergers.pids
    assert second != first
    assert not psutil.pid_exists(first)


def test_what_is_refused_is_told_and_the_merger_stays(mergers: WarmMergers, tmp_path: Path) -> None:
    """With the exit code that the command would have."""
    pids = mergers.pids
    run = mergers.run(order(tmp_path, "missing"), Cancel())
    assert run.code == MergeExit.NO_SPECIFICATION
    assert "missing.json" in run.messages[-1].content.message
    assert mergers.pids == pids


def test_a_merger_with_a_failure_inside_is_replaced(mergers: WarmMergers, tmp_path: Path) -> None:
    """Nobody knows what that left behind in it."""
    pids = mergers.pids
    what = job(tmp_path)
    (tmp_path / "a.fits").write_text("no FITS")
    assert mergers.run(what, Cancel()).code == MergeExit.INTERNAL
    assert mergers.pids != pids


def test_a_merger_that_died_while_it_waited_is_not_missed(
    mergers: WarmMergers, tmp_path: Path
) -> None:
    """The next product is made by another."""
    (pid,) = mergers.pids
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    assert mergers.run(job(tmp_path), Cancel()).code == MergeExit.OK


def test_a_crash_costs_one_product_only(mergers: WarmMergers, tmp_path: Path) -> None:
    """Its signal is told; the next product is made by another merger."""
    (pid,) = mergers.pids
    thread, runs = begun(mergers, held(tmp_path), Cancel())
    os.kill(pid, signal.SIGKILL)
    thread.join()
    assert runs[0].code == -signal.SIGKILL
    assert mergers.pids not in ([], [pid])
    assert mergers.run(job(tmp_path), Cancel()).code == MergeExit.OK


def test_a_merge_that_is_given_up_ends_its_merger(mergers: WarmMergers, tmp_path: Path) -> None:
    """By SIGTERM; a new one waits for the next product."""
    (pid,) = mergers.pids
    cancel = Cancel()
    thread, runs = begun(mergers, held(tmp_path), cancel)
    cancel.request()
    thread.join()
    assert runs[0].code == -signal.SIGTERM
    assert not psutil.pid_exists(pid)
    assert len(mergers.pids) == 1


def test_more_at_once_than_are_kept_are_served_all_the_same(
    mergers: WarmMergers, tmp_path: Path
) -> None:
    """By one more, which ends after that."""
    cancel = Cancel()
    thread, _ = begun(mergers, held(tmp_path), cancel)
    assert mergers.run(job(tmp_path), Cancel()).code == MergeExit.OK
    assert mergers.pids == []
    cancel.request()
    thread.join()
    assert len(mergers.pids) == 1


def test_none_is_left_at_the_end(tmp_path: Path) -> None:
    """Neither those that wait nor those that were replaced."""
    before = set(psutil.Process().children())
    with WarmMergers(2, grace_s=5.0) as mergers:
        mergers.start()
        assert len(mergers.pids) == 2
        mergers.run(job(tmp_path), Cancel())
    assert set(psutil.Process().children()) == before


@pytest.mark.system
@pytest.mark.parametrize("kept", [0, 1])
def test_a_dpm_makes_the_same_product_with_and_without(data_root: Path, kept: int) -> None:
    """The setting changes the time that it takes, and nothing else."""
    for index, name in enumerate("ab", 1):
        write_fits(data_root / f"{name}.fits", index)
    with running(data_root, DpmSettings(warm_mergers=kept)) as dpm:
        dpm.daq.queue_daq(document(data_root))
        status = dpm.wait("A.1", DaqSubstate.COMPLETED)
    with fits.open(status.result, checksum=True) as product:
        assert [hdu.name for hdu in product[1:]] == ["IMAGE1", "IMAGE2"]
        assert product[0].header["INSTRUME"] == "INSX"
    log = (data_root / "dpm" / "archive" / "A.1" / "logs" / "merge.log").read_text()
    assert "result: " in log
    assert log.startswith("$ " if kept == 0 else "merger ")


def _with_room(path: Path) -> bytes:
    """Write a target with room in its header; return what stands in it."""
    write_fits(path, 1)
    with fits.open(path, mode="update") as hdus:
        for _ in range(40):
            hdus[0].header.append(("", ""), end=True)
    return path.read_bytes()


@pytest.mark.system
def test_the_copy_of_the_target_becomes_the_product(data_root: Path) -> None:
    """The original stays as it was; nothing is left of the copy."""
    before = _with_room(data_root / "a.fits")
    write_fits(data_root / "b.fits", 2)
    with running(data_root) as dpm:
        dpm.daq.queue_daq(document(data_root))
        result = Path(dpm.wait("A.1", DaqSubstate.COMPLETED).result)
    assert (data_root / "a.fits").read_bytes() == before
    with fits.open(result, checksum=True) as product:
        product.verify("exception")
        assert [hdu.name for hdu in product[1:]] == ["IMAGE1", "IMAGE2"]
    left = (data_root / "dpm" / "archive" / "A.1" / "sources").iterdir()
    assert [path.name for path in left] == ["1_b_b.fits"]


@pytest.mark.system
def test_a_copy_that_became_a_product_with_no_place_is_there_for_the_retry(data_root: Path) -> None:
    """Although the originals are gone by then: what was collected is never lost."""
    _with_room(data_root / "a.fits")
    write_fits(data_root / "b.fits", 2)
    place = data_root / "dpm" / "result" / "sci_A.1.fits"
    place.parent.mkdir(parents=True)
    place.write_text("another product")
    with running(data_root) as dpm:
        dpm.daq.queue_daq(document(data_root))
        status = dpm.wait("A.1", DaqSubstate.MERGING, error=True)
        assert "is another product" in status.message
        for name in "ab":
            (data_root / f"{name}.fits").unlink()
        place.unlink()
        dpm.daq.retry_merge_daq("A.1")
        dpm.wait("A.1", DaqSubstate.COMPLETED)
    with fits.open(place, checksum=True) as product:
        assert [hdu.name for hdu in product[1:]] == ["IMAGE1", "IMAGE2"]
